"""A part for every kind of slot of Reverie, and a suite."""
