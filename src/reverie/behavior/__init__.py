"""Station 4 of 4. In: Latent. Out: Imagined, losses, action.

options.py        dreams, returns, actor and critic
imagine.py        a policy rolled through the world model
returns.py        returns along a trajectory, the magnitude of rewards
gradient.py       the slot of actor gradients
scale.py          the slot of advantage scales
loss.py           dream from the observed states, judge, learn
actor_critic.py   losses of actor and critic
schedule.py       the value of a schedule at a step of the run
explorer.py       the slot of explorers
explore.py        an actor and a critic of an explorer's own
plan2explore.py   Plan2Explore
ensemble.py       one-step predictors and how much they disagree
bonus.py          the slot of bonuses, added to training rewards
policy.py         observations in, actions out: the arrow back to station 1
"""
