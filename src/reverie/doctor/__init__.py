"""`reverie doctor`: is an environment fit to be learned in, how fast is it, what will a run need?

finding.py    what a check says: fine, a note, or a problem with its remedy
spy.py        watches a gymnasium environment and notes every breach of its own contract
play.py       plays episodes and judges ends, rewards and observations
seeds.py      the same seed here, made anew and in another process
manners.py    the ends of the action range, pictures for people, closing
speed.py      steps a second alone, in a process, and the cost of a reset
needs.py      what a training run will take: memory, disk, hours
bands.py      what the agent sees, key by key: pictures, numbers, classes, with captions
sheet.py      pictures of a key side by side
visit.py      all of it in order, on the terminal and as an object
show.py       the verb itself
options.py    its options
"""
