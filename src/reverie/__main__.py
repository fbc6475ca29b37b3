"""`python -m reverie` is `reverie`."""

import os

if __name__ == "__main__":
    try:
        from reverie.cli import main

        code = main()
    except KeyboardInterrupt:  # before `main` could take it
        os.write(2, b"reverie: interrupted.\n")
        code = 130
    raise SystemExit(code)
