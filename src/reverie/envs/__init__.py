"""Station 1 of 4. In: action. Out: Step.

base.py          EnvError; Env, one environment in the agent's terms
suites.py        one row a suite: its tasks' names, its extra, what its tasks are
catalog.py       the names of all tasks; did-you-mean; imports no simulator
make.py          make(task, config) -> Env
adapter.py       any gymnasium.Env -> Env
observations.py  observation space -> specs and readers
actions.py       action space -> specs and writers
atari.py  dmc.py  minigrid.py  gym.py    one suite each; the simulator is imported when it is made
games.py         the game, grid and toy suites: minihack, crafter, bsuite, procgen, minatar, pinpad,
                 popgym, vizdoom, miniworld, retro, envpool, dmlab, minecraft, rlbench, maniskill
minigrid_variants.py  what papers ran, and fixed layouts
pictures.py      resizing
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
