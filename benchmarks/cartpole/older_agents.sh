#!/bin/sh
# CartPole and the probes with the two older agents, three seeds each; not run yet.
# Afterwards: python benchmarks/curves.py for each agent (see benchmarks/cartpole/README.md).
set -e
for agent in v2 v3-2023; do
  for seed in 0 1 2; do
    reverie train gym:CartPole-v1 --preset quick --agent "$agent" --seed "$seed" \
      --logdir "runs/cartpole-$agent-$seed"
  done
  for probe in constant observation delay action memory; do
    reverie train "probe_$probe" --agent "$agent" --train.eval_greedy --logdir "runs/$probe-$agent"
  done
done
