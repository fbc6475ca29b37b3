"""The process of a trial, as in `reverie.sweeps.runner`, with `fake_train.py` for the command."""

import sys
from pathlib import Path

from reverie.sweeps import runner

if __name__ == "__main__":
    program = (sys.executable, str(Path(__file__).parent / "fake_train.py"))
    raise SystemExit(runner.main(sys.argv[1:], program))
