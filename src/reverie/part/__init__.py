"""What configurations are made of: parts, their choices and their checks. Knows no station.

errors.py    ConfigError and its did-you-mean
values.py    one value against the type its field declares
schedule.py  numbers that change while a run goes on, as texts
checks.py    the checks that a record makes of itself
needs.py     what a part needs of the others
named.py     the object that `module:object` names
part.py      Part: a choice that is a frozen record; finding one by name
tree.py      a tree of records and parts as dotted paths: listed, compared
path.py      one of these paths: the value there, or what is wrong with it
edits.py     the tree changed
saved.py     the tree as JSON values and back
"""
