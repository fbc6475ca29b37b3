"""What an update says about every row it trained on: one file a method, parts of `replay.signal`.

found.py         what an update found out, where a signal looks
kl.py            surprise of the latents, before and after the free nats
model_loss.py    losses of the world model
td.py            the critic's error
curious.py       Curious Replay: rarely trained rows and large losses; visits alone
disagreement.py  of an explorer's ensemble
xp.py            DreamerV3-XP: return, value error and reconstruction
"""
