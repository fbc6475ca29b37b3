"""Agents handed to others: `reverie push RUN REPO`, `reverie pull REPO DIR`.

contents.py   its files, and where they may be written
bundle.py     the folder that is shared (see folder/shared.py)
results.py    scores and curves of the run and its other seeds
card.py       README.md of that folder
card.md       its template
hub.py        the folder to and from the Hub
options.py    options of the verbs
"""
