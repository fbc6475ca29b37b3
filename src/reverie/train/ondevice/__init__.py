"""The loop on the device (`--loop device`): many turns around the circle in one compiled call.

ring.py       the rows of the replay as arrays of the device: add, gather, write results back
chunk.py      the program: environments, policy, ring and updates, turn after turn
script.py     which updates a call makes, on which rows: follows from counters, before it begins
pace.py       how much one call does
calls.py      a call after the other, for the stations of a run
outcome.py    what the host makes of a call: metrics, episodes, a video
refused.py    what cannot run on the device, one sentence each
"""
