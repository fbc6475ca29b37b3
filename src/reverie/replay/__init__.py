"""Station 2 of 4. In: rows of experience. Out: sequences, and tickets to write results back.

options.py     ReplayConfig: the slots unit, keep, draw and signal, and what goes together
errors.py      ReplayError
rows.py        what a row holds: columns by name, and the check of what arrives
store.py       the columns in host memory: their budget; put, gather, overwrite by (stream, slot)
keep.py        which rows live: places, windows, changes, the Ticket; Ring, a ring a stream
unit.py        what goes as a whole: row, episode, chunk, splice; and the memory it takes
unit_table.py  the units there are, and their pages of memory
unit_windows.py  which windows of units can be drawn, and what changed there
partitions.py  who goes when room is needed
unit_store.py  a store of units: where they begin and end, put together from the three
retention.py   the slot `keep` and its rules: AbstractRetention, AbstractRule; fifo
reservoir.py   reservoir and random_replace; coverage.py, top.py, split.py   the other rules
draw.py        the slot `draw`: AbstractDraw, uniform; the counter-based generator; importance
ages.py        draws by age in closed form: recency, triangular, time_balanced
priorities.py  draws by weight: proportional, rank, softmax
mixture.py     several draws with a share each; the two stores of a split memory
episodes.py    a unit first, rows inside second; returns of episodes
signal.py      the slot `signal`: what steps are worth (those of an update: reverie/signals)
scores.py      scores of steps and weights of windows; tree.py   draws in proportion to weights
unseen.py      windows that no update has seen: the online queue, the fresh share
sampler.py     all of these: what a replay holds beside its rows, drawn from, saved, loaded
statistics.py  counts of what was drawn and dropped, the histogram of ages
files.py       the store on disk, at the cost of what changed
room.py        its memory, planned before the first row
manifest.py    what a checkpoint writes down about the replay, and whether it fits this run
stored.py      the rows of a saved replay, to be looked at
replay.py      Replay: all of it behind one lock
shares.py      a replay in equal parts, to be used as one
remote.py      its bookkeeping where the rows lie on a device
"""
