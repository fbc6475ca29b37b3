"""The circle: collect, store, draw, learn; save, resume, evaluate.

loop.py            the main loop: the page to read first
course.py          a run from its beginning or its checkpoint to its end
setup.py           the environments, configuration and replay of a run
chores.py          what is due between two turns
listeners.py       callbacks: told of every event, asked what they wish
warm_start.py      the weights of another run as the beginning of a new one
collect.py         acting: the agent's side of the exchange with the environments
visit_counts.py    visit counts and the bonus for what is rare
columns.py         the columns of the rows that an agent stores
ratio.py           updates that an environment step is worth
state.py           everything that learns
step.py            one update, a pure function
forms.py           what the options of the device mean for an update
losses.py          the losses of one update
scores.py          what an update found out about every trained row
arrays.py          device arrays as named arrays of the host, and back
compiling.py       the update compiled beside the first steps
place.py           the folder of a run, taken by one process or several
peers.py           processes that learn one run together
parts.py           a checkpoint of several processes, as that of one
placement.py       where a learner's arrays lie: one device or a mesh
learner.py         updates on the device, their results fetched late
sweep.py           scores of the whole replay, brought up to date
dream.py           open-loop predictions of replayed sequences
heldout.py         what the model foresees of play that it never learned from
evaluate.py        episodes without learning
players.py         who plays them
agent.py           the agent of a run folder, to act with anywhere
agent_terms.py     observations in the agent's own terms, checked
carry.py           what acting hands from one observation to the next
sequence.py        which task a run is at
plan.py            what a run will need, before its first step
alternative.py     how long a run takes, and one with the task's other settings
preparation.py     what is got ready while the first rows are collected
snapshot.py        what a checkpoint holds, and how it is put back
checkpoint.py      checkpoints: folders that are complete or absent
kept.py            checkpoints that stay
recovery.py        which checkpoint a run resumes from
chosen.py          the checkpoint that a reader names
weights.py         what a reader needs of it, or of a shared agent
metrics_prefix.py  whether metrics.jsonl still is what a checkpoint saw
stranger.py        a run folder that may be another's
ondevice/          the loop on the device: many turns in one compiled call
group/             several seeds in one process
interrupt.py       SIGINT and SIGTERM as a question between two turns
"""
