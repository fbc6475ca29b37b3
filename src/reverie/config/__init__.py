"""What to run: the tree of all records, and the presets that fill it in.

schema.py       the root of the tree; every station has its records in a file of its own
run.py          options of the run itself: loop, metrics, device
mesh.py         a mesh of devices as it is written
start.py        what a new run starts from
several.py      several seeds: the flags that ask for them
sequence.py     a sequence of tasks: options, and the named sequences
edit.py         the configuration as dotted paths and as JSON
presets.py      from a task to its whole configuration, in one fixed order
small.py        whether a task is small: its settings are quick then
starts.py       how many starts of dreams a preset gets
alternative.py  the settings that a small task could have instead
overview.py     the first page of train --help, without JAX
completion.py   scripts by which shells complete words
flags.py        what an unknown flag may have meant
preset.py       what a preset is
preset_file.py  a preset that a user keeps in a file
agents.py       the agents by name
sizes.py        what a size writes, and the automatic choice
families.py     the sizes of each agent, as data
methods.py      methods by name
balances.py     ways to balance losses by name
strategies.py   replay strategies by name
benchmarks.py   benchmarks by name; their blocks, as data:
                blocks_v3.py  blocks_own.py  blocks_games.py  blocks_control.py  blocks_v2.py
                blocks_v3_2023.py  blocks_harmony.py  blocks_stacks.py  blocks_continual.py
reader.py       settings that belong to whoever reads a run folder
version_0_1.py  configurations of version 0.1, and what they are called today
old_names.py    its spellings
"""
