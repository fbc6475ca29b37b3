#!/bin/sh
# An empty room of 12x12 cells, 100 steps an episode: Plan2Explore against the plain agent, five seeds
# each. Cells are counted (explore/places), not rewarded. Resumes where it was stopped.
set -eu
OUT=${1:-runs/explore}
for seed in 0 1 2 3 4; do
  for name in plain plan2explore; do
    test "$name" = plain && flags="" || flags="--explore plan2explore"
    reverie train minigrid_empty_8x8 --preset demo --env.kwargs '{"size": 12}' --env.limit 100 \
      --behavior.actor.entropy 2e-2 --bonus position --bonus.scale 0 --steps 4000 \
      --train.eval_every 2000 --train.report_every 0 --log.progress plain \
      --seed "$seed" $flags --logdir "$OUT/$name-$seed"
  done
done
