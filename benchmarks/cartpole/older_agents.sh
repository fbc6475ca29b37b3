#!/bin/sh
# CartPole with the two older agents, three seeds each, some 10 minutes of one core a run; resumes.
# Afterwards: python benchmarks/curves.py benchmarks/cartpole/older_agents.csv runs/cartpole/*
# (README.md). Their probes are slow tests: python -m pytest -m slow tests/train/test_learning.py
set -eu
OUT=${1:-runs/cartpole}
for agent in v2 v3-2023; do
  for seed in 0 1 2; do
    reverie train gym:CartPole-v1 --preset quick --agent "$agent" --seed "$seed" --train.eval_every 4000 \
      --train.eval_greedy --log.progress plain --logdir "$OUT/$agent-$seed"
  done
done
