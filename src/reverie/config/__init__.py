"""Before the stations: what to run."""
