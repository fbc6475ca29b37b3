"""Station 2 of 4. In: Step. Out: Sequence."""
