"""Reverie from Python. The same presets and checks as the command line.

learn.py      train, continual
folder.py     load, evaluate, saved_config: what a run folder holds
look.py       compare, check_env
words.py      the words of the command line, for shells that complete them
sweep_runs.py   sweep: many runs
sweep_words.py  what words, a file or Python ask of a sweep
sweep_plan.py   from there to a plan whose every trial was understood
many.py       train_seeds
seeds.py      several seeds: their configurations, and how they ended
ending.py     the end of a run, the same whichever way it was begun
following.py  what can be done with it then, as commands and as Python
arguments.py  paths and names as Python gives them
"""

from reverie.api.folder import evaluate as evaluate
from reverie.api.folder import load as load
from reverie.api.folder import makers_for as makers_for
from reverie.api.folder import makers_named as makers_named
from reverie.api.folder import saved_config as saved_config
from reverie.api.learn import continual as continual
from reverie.api.learn import train as train
from reverie.api.look import check_env as check_env
from reverie.api.look import compare as compare
from reverie.api.many import train_seeds as train_seeds
from reverie.api.sweep_runs import sweep as sweep
