"""What user code may do while a run goes on, and four callbacks that are used often.

base.py      Callback: the events, and which objects `callbacks=[...]` takes
events.py    what each event shows
control.py   what a callback may ask of the run
failure.py   a callback that raised: the sentence, with the user's lines
watched.py   which metric a callback goes by
stop.py      StopOnReturn: the run stops at a return
best.py      KeepBest: the best checkpoint stays, in checkpoints/best
pruning.py   OptunaPruning: a trial of Optuna, pruned on the way
notebook.py  NotebookDisplay: one view that goes along
"""

from reverie.callbacks.base import Callback as Callback
from reverie.callbacks.best import KeepBest as KeepBest
from reverie.callbacks.control import Control as Control
from reverie.callbacks.events import Checkpoint as Checkpoint
from reverie.callbacks.events import End as End
from reverie.callbacks.events import Episode as Episode
from reverie.callbacks.events import Evaluation as Evaluation
from reverie.callbacks.events import Metrics as Metrics
from reverie.callbacks.events import Start as Start
from reverie.callbacks.events import StepBatch as StepBatch
from reverie.callbacks.failure import CallbackError as CallbackError
from reverie.callbacks.notebook import NotebookDisplay as NotebookDisplay
from reverie.callbacks.pruning import OptunaPruning as OptunaPruning
from reverie.callbacks.stop import StopOnReturn as StopOnReturn
