"""Run folders in: a page about each, or groups of them side by side.

read.py              a run folder as data
head.py              its config.json, whoever wrote it
metrics.py           its metrics.jsonl as curves
page.py              runs as one HTML page, of the templates in `blocks`
closing.py           the end of a run: page, score, what comes next
diagnosis.py         what stands in the way of a run that goes nowhere
value_scale.py       whether its values are of the size that its rewards allow
remedies.py          settings that may help it, as the options that its method has
panels.py            which charts it shows
places.py            folders of this machine, left out
tables.py            what it tells in words and numbers
media.py             dreams and episodes, embedded or linked to
balance.py           loss balancing on a page
continual.py         runs over sequences of tasks
continual_panels.py  the same on a page
transfer.py          performance, forgetting and transfer
compare.py           groups of runs side by side
groups.py            runs sorted by fields of their configurations
align.py             curves on one grid of steps
statistics.py        means, interquartile means, bootstrap intervals
overall.py           groups over several tasks on one scale
remarks.py           what a reader of a comparison must know
compare_page.py      a comparison as a folder
listing.py           a comparison as plain tables
atari.py             human-normalised scores
atari_scores.py      published scores, as data
chart.py             line charts as SVG
scale.py             ranges, ticks and labels
series.py            smoothing and thinning
buckets.py           long curves as few stretches
curves.py            curves as the page's script takes them
levels.py            returns that are known of a task
"""
