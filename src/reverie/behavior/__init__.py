"""Station 4 of 4. In: Latent. Out: Imagined, losses, action."""
