"""The run folder on disk: who owns it, what it records, and how damage is found.

errors.py       RunError and its kin: what stops a run as a whole
run_folder.py   claiming a folder; config.json, written, read and compared
fresh.py        a start that fails leaves no folder
lock.py         one process at a time
fingerprint.py  what a callable is, as text: whether a default folder is another's
digest.py       digests of files, of JSON, and of a growing file
manifest.py     what the files of a checkpoint must hold
shared.py       the folder of a shared agent
leftovers.py    what killed processes left half written
divergence.py   numbers that stopped being finite: noticed, told, mended
"""
