"""Optimisers: gradients to changes of the parameters.

options.py      how gradients become changes: the records a user chooses from
optimizers.py   the optimisers and their schedules
"""
