"""Station 3 of 4. In: Sequence. Out: Latent, losses."""
