"""The inspector: a trained run's world model, opened to be looked at and played in.

model.py      the networks of a checkpoint, whole
programs.py   what they say: of observed rows, of dreamed ones
episode.py    episodes of the replay; reality.py  of the environment, played now
action.py     actions as people give them
branch.py     a dream, row by row; an episode as the model saw it
inspector.py  what sessions share; session.py  what one person looks at
what_if.py    every action from one state; drift.py  how far dreams leave reality
calibration.py  how honest predicted rewards and continuations are
wire.py       rows as JSON values
desk.py       what a page may ask for, answered; no web in here
server.py     the page, the requests of the desk, files to keep; nothing else
export.py     a session as one page, films of a dream; lines.py  numbers as pictures
show.py       `reverie dream`, from the words of a command; options.py  its options
errors.py     what goes wrong
"""
