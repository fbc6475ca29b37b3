"""Reverie: reinforcement learning in the dreams of a learned world model."""
