"""Station 3 of 4. In: Sequence. Out: Latent, losses.

options.py           the parts of the world model, its heads, how their losses share
model.py             encoder, dynamics, objective, heads; their losses
actions.py           actions as one input vector
encoder.py           observations to tokens
standard.py          units for numbers that vary too little or too much
dynamics.py          the slot of dynamics
rssm.py              the recurrent state-space model
observing.py         how it follows observed sequences, in two forms
cores.py             the slot of its recurrent cores: block_core.py (V3), gru_core.py (older)
latents.py           the slot of its stochastic half
kl.py                the KL losses
term.py              what every further loss has in common
objective.py         the slot of the objective
reconstruction.py    the observation, told from the latent
key_loss.py          the loss of one observation key
openloop.py          look at the first rows, dream the rest
balance.py           the slot of loss balancing
fixed.py             the weights as they are, or each loss by its own value
harmony.py           HarmonyDream
weight_averaging.py  dynamic weight averaging
optimum.py           the sigma at which a balanced loss stands still
"""
