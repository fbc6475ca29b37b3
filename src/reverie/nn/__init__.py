"""Before the stations: arrays in, arrays out.

options.py        widths, depths and inner choices of all networks
axes.py           (B, T, …) as (B·T, …), and back
layers.py         linear and block-diagonal layers, norms, stacks of them
conv.py           a convolution on pictures and its upward forms
stacks.py         the slot of image stacks: what each does, and what they share
pooled.py         pooled and strided, the official V3's
patch.py          patch, ours
plain.py          valid (V2) and same (2023)
resnet.py         resnet, HarmonyDream's residual stack
heads.py          networks on the feature that end in a distribution
distributions.py  what they end in: nll, mean, mode, sample, entropy, kl
truncated.py      the truncated normal
scaling.py        symlog, symexp and the two-hot code
scan.py           a scan over time whose weight gradients are computed once
recompute.py      the same for GPUs: a scan that keeps the states alone
loss.py           a loss as a record with a group
"""
