"""Station 1 of 4. In: action. Out: Step.

What an environment is, in the agent's terms:

base.py          EnvError; Env, one environment in the agent's terms
options.py       which environments, how many, how they are shown to the agent
adapter.py       any gymnasium.Env -> Env
answers.py       what an environment answers to reset and step, checked
faults.py        what the user's code raised, in one sentence
values.py        numbers, flags, classes and arrays: no cast changes one in silence
observations.py  observation space -> specs and readers
image_space.py   which Box is a picture, and how it becomes uint8
pictures.py      resizing; any picture in colour
actions.py       action space -> specs and writers
own_terms.py     what an environment itself shows and takes, and back
space_trees.py   Gymnasium spaces as JSON values and arrays
action_names.py  what the classes of an action are called, where a suite's are known
solved.py        success, beside the reward, to people only

Which there are, by name:

suite.py         what a suite is to Reverie: builder, tasks' names, extra, preset
suites.py        one row a suite of ours, in files by family:
                 suites_control.py  suites_compiled.py  suites_games.py  suites_unpackaged.py
names.py         names of the tasks of Atari, DM Control and MiniGrid, as data; the others':
                 names_control.py  names_games.py  names_jax.py
gym_ids.py       Gymnasium ids that were written without gym:
registry.py      our suites and those that installed packages offer; a task's builder, called
catalog.py       the names of all tasks; did-you-mean; imports no simulator
importing.py     MODULE:FUNCTION -> the object, or what is missing
source.py        what a user hands over to be learned in
instance.py      more environments as a finished one is, where that is possible
origin.py        whose code a task would run
make.py          make(task, config) -> Env

The suites; a simulator is imported when one of its tasks is made:

atari.py  dmc.py  minigrid.py  gym.py  bsuite.py  crafter.py  envpool.py  loconav.py  manip.py
memmaze.py  metaworld.py  minatar.py  minihack.py  miniworld.py  mujoco.py  pinpad.py  popgym.py
probes.py  retro.py  robodesk.py  vizdoom.py
loconav_maps.py  floor plans of the mazes, as data
minigrid_variants.py  what papers ran, and fixed layouts
functional/      suites in JAX, many copies a compiled call
scenes/          visual versions of DM Control
unpackaged/      simulators that no extra can install

Many of them side by side:

vector.py        E environments, one batched Step; exact resume
episodes.py      the open episode of each: seed, actions, whether a reset is due
history.py       what is kept of an open episode
crew.py          their seats: made, watched over, replaced, closed
seats.py         where an environment sits: in this process or in one of its own
worker.py        what runs inside such a process
ray.py           a seat at an actor of Ray
ray_cluster.py   which cluster of Ray there is, and how it is joined
ray_host.py      what runs inside such an actor
board.py         the memory that both sides write to
recipes.py       functions that make environments, on their way to another process
ahead.py         two environments in turn: one is stepped, the other prepares
identity.py      whether two seats hold one and the same environment
family.py        the processes that an environment's process started
printed.py       what simulators print, kept within bounds
waiting.py       waiting for a thread of our own, without silence
"""
