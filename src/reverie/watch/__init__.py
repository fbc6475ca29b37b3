"""Watching a run: what it says, writes and shows.

metric_names.py  every name of metrics.jsonl, with unit and meaning
averages.py      scalars of one log interval, averaged by name
logger.py        the one door: scalars, curves, videos
sink.py          what every place is that metrics go to, a user's own included
sinks.py         metrics.jsonl, TensorBoard, Weights & Biases
recorder.py      the pictures of one episode
encoder.py       how ffmpeg is asked for a film
film.py          films of whole episodes, written while they are played
video.py         frames and dreams as files
advice.py        what should be said about options before the first step
startup.py       what a start is busy with
banner.py        the plan and the configuration, before the first step
progress.py      how far a run is: a live view, or lines
together.py      several seeds in one view
terminal.py      output that no terminal, pipe or encoding can break
text.py          numbers, durations and any text, as short printable text
"""
