"""Several seeds of one configuration in one process, each with a run folder of its own.

train.py     opens the runs of a group, and says how each of them ended
turns.py     the turns of several runs: what they compute is computed for all at once
stack.py     their learners: stacked states, one compiled update
apart.py     the same of each by itself, beside the others: on a CPU, where updates are not tiny
acting.py    their policies: one call for all environments of all seeds
calls.py     their loops on the device: one call for many turns of all seeds
folders.py   whether run folders belong to one group
room.py      how many seeds the memory holds
"""
