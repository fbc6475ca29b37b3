"""Station 1 of 4. In: action. Out: Step.

base.py          EnvError; Env, one environment in the agent's terms
suite.py         what a suite is to Reverie: builder, tasks' names, extra, preset
suites.py        one row a suite of ours
registry.py      those and the ones that installed packages offer; a task's builder, called
catalog.py       the names of all tasks; did-you-mean; imports no simulator
make.py          make(task, config) -> Env
adapter.py       any gymnasium.Env -> Env
answers.py       what an environment answers to reset and step, checked
values.py        numbers, flags, classes and arrays: no cast changes one in silence
observations.py  observation space -> specs and readers
image_space.py   which Box is a picture, and how it becomes uint8
actions.py       action space -> specs and writers
atari.py  dmc.py  minigrid.py  gym.py    one suite each; the simulator is imported when it is made
                 (the other suites likewise: bsuite.py, crafter.py, metaworld.py, ...)
unpackaged/      simulators that no extra can install
minigrid_variants.py  what papers ran, and fixed layouts
pictures.py      resizing; any picture in colour
probes.py        five tiny environments whose optimum is known
names.py         the names of Atari, DM Control and MiniGrid tasks, as data
names_games.py   those of the game, grid and toy suites
vector.py        E environments, one batched Step; seeds, exact resume
crew.py          their seats: made, watched over, replaced, closed
seats.py         where an environment sits: in this process or in one of its own
worker.py        what runs inside such a process
board.py         the memory that both sides write to
history.py       what is kept of an open episode
"""
