"""Station 2 of 4. In: rows of experience. Out: sequences, and tickets to write results back.

errors.py   ReplayError and its did-you-mean
rows.py     what a row holds: columns by name, and the check of what arrives
budget.py   bytes planned against bytes allowed, before anything is allocated
store.py    the columns in host memory: put, gather, overwrite by (stream, slot)
keep.py     the interface of retention: places, windows, changes, the Ticket; Fifo, a ring a stream
units.py    retention by units: episodes, chunks, splices
holdings.py what a store of units holds, and who goes when room is needed
pages.py    memory in pages: where a row lies
roster.py   the units there are, and how many windows each has
tally.py    whole numbers found by their running sum
retention.py the rule of retention: AbstractRule, Unit, Dice; then one file a rule:
oldest.py, reservoir.py, random_replace.py, coverage.py (with embed.py), top.py (with keys.py)
memory.py   from the configuration to the shape of memory and the rule
draw.py     which windows are trained on: AbstractDraw, Uniform; the counter-based generator
online.py   windows that no update has seen, each delivered once
files.py    the store on disk, at the cost of what changed
manifest.py what a checkpoint writes down about the replay, and whether it fits this run
counters.py what was drawn and dropped so far
ages.py     laws over ordinals in closed form; by_age.py draws by them
proportional.py, rank.py, softmax.py, mixture.py, episodes.py   the other draws, one a file
make.py     from the configuration to the draw
scores.py   what steps and windows are worth; signals.py, aggregate.py, moments.py beneath it
fresh.py    windows with rows never drawn, a capped share; starvation.py its law
importance.py, returns.py, portrait.py   weights, returns of episodes, what was drawn in numbers
sampler.py  all of these behind one door
tree.py     draws in proportion to weights: blocks with exact sums
fast.py     the same loops compiled by Numba, bit for bit
replay.py   Replay: all of it behind one lock
ratio.py    how many updates an environment step is worth
"""
