"""Optimisers: from gradients to changes of the parameters.

optimizer.py  AbstractOptimizer, one record an optimiser; the rate of a group over updates
numbers.py    options that are arguments of the update's program
norms.py      norms of many tensors at once
schedule.py   AbstractSchedule: what the rate does after its warm-up
laprop.py     LaProp with adaptive clipping, one for everything (V3)
adam.py       Adams with settings for world model, actor, critic and ensemble (V2, 2023)
groups.py     the parts of an agent that may have an optimiser of their own
sigmas.py     the sigmas of loss balancing, which have a rate of their own
"""
