"""The report of runs that go on: the same page, served and kept up to date.

tracked.py  a curve that grows, and what of it a page does not know yet
known.py    what a page that asks knows already
watched.py  one run folder, read on where reading stopped
feed.py     all of them: what has changed since a page asked last
server.py   the page, its requests, the films of the runs; nothing else
show.py     `reverie report --live`, from its options to the server
"""
