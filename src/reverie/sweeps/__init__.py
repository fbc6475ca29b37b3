"""Many runs: a grid or a search over settings, every trial an ordinary run folder.

errors.py    what a sweep says when it cannot go on
values.py    the values of `--vary`: choices, and ranges of a search
grid.py      tasks x settings x seeds -> named trials
plan.py      what was asked for, and its difference from another plan
file.py      sweep.json: the plan and every trial's command, state and tries
record.py    what a trial's own process says of it; its lock; the request to stop
runner.py    the process of a trial: runs the command, tries again, notes the end
backend.py   where trials run: what a back end must do
local.py     processes on this machine
room.py      how many fit: cores, memory, devices
slurm.py     jobs of SLURM, through submitit
ray.py       tasks of Ray
search.py    settings chosen by Optuna, trials pruned on the way
follow.py    the loop: starts what waits, until every trial has ended
control.py   begin, status, resume, cancel
options.py   the options of `reverie sweep`
show.py      what people read of a sweep
"""
