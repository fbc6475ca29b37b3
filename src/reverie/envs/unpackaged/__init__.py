"""Simulators that no extra of ours can install: no registry offers them, or not as they run here.

Their rows say how to obtain them (`advice`), and so does the error where one is
missing. Most are tested on stand-ins only ("untested here" in the list of tasks).

dmlab.py      DeepMind Lab, built from its sources
minecraft.py  Minecraft by MineRL 0.4.4: diamond, wood, climb
minerl_spec.py  what of MineRL is asked for
minedojo.py   Minecraft by MineDojo: hunt_cow
rlbench.py    RLBench, with CoppeliaSim and PyRep
maniskill.py  ManiSkill, on a GPU with Vulkan
procgen.py    ProcGen's original build, whose wheels ask for an older numpy
"""
