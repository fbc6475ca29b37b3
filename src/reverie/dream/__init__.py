"""The inspector: a trained run's world model, opened to be looked at and played in.

model.py      the networks of a checkpoint, whole
programs.py   what they say: of observed rows, of dreamed ones
episode.py    episodes of the replay; reality.py  of the environment, played now
action.py     actions as people give them
branch.py     a dream, row by row; an episode as the model saw it
inspector.py  what sessions share; session.py  what one person looks at
studies.py    counterfactuals, drift, calibration
"""
