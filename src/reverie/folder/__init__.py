"""The run folder on disk: who owns it, what it records, and how damage is found.

errors.py       RunError and its kin: what stops a run as a whole
run_folder.py   claiming a folder; config.json, written, read and compared
fresh.py        a start that fails leaves no folder
lock.py         one process at a time
fingerprint.py  what a callable is, as text: whether a default folder is another's
digest.py       digests of files, of JSON, and of a growing file
manifest.py     what the files of a checkpoint must hold
shared.py       the folder of a shared agent
address.py      URLs of run folders, and where on this machine they lie
remote.py       the copy of a run folder at a URL, complete at every instant
remote_marker.py  the list of what that copy holds
remote_claim.py one process at a time at a URL
mirror.py       a run that is copied to a URL while it goes on
leftovers.py    what killed processes left half written
divergence.py   numbers that stopped being finite: noticed, told, mended
"""
