"""The machine that a run uses: what must be set before JAX starts, and what is measured.

device.py     the device: platform, memory, cache of compiled programs
mesh.py       the devices of a mesh
cluster.py    several processes find each other
xla_flags.py  options that are flags of XLA, beside the user's own
inherited.py  variables that a process inherits and JAX obeys
allocator.py  memory of the C library: settings before the process starts, and giving back
leaving.py    the end of the process while a thread compiles
flops.py      arithmetic of a traced function, and what the machine does in a second
readings.py   the clock, memory and processor of a run: `time/`, `system/`
"""
