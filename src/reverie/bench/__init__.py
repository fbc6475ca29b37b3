"""Measurements that are meant to be repeated.

update.py    `reverie bench update`: one learning update
launches.py  `reverie bench launches`: kernels of an update on a GPU, counted without one
kernels.py   what a GPU runs of a compiled program, read from its text
gpus.py      GPUs that programs are compiled for
act.py       `reverie bench act`: from an observation to an action
env.py       `reverie bench env`: steps a second of an environment
replay.py    `reverie bench replay`: drawing and writing back
insert.py    what inserting rows costs beside their copying
options.py   what they are asked to measure
case.py      what is measured: a model, its observations and actions, rows of chance
timing.py    contenders in turn, so that disturbances meet all alike
profile.py   where the time of a call goes
pointers.py  a sum tree of linked nodes, as a yardstick
output.py    numbers as a table and as JSON
"""
