"""Station 1 of 4. In: action. Out: Step."""
