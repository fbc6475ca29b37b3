"""Visual versions of DM Control: what is drawn differently.

remastered.py    DMC-Remastered: another look every episode
background.py    natural background: a moving picture behind the agent
looks.py         seven visual factors drawn from a seed, and written into a model
ranges.py        their published ranges, as data
textures.py      skies and floors, made by a program or read from photographs
clips.py         moving pictures, made by a program or read from videos
"""
