#!/bin/sh
# One room, its goal in three corners one after the other, with room for one task's rows: newest rows
# first against a reservoir, five seeds each, and the single tasks for forward transfer. Resumes.
# Afterwards: reverie report runs/continual/*, python benchmarks/curves.py (see README.md).
set -eu
OUT=${1:-runs/continual}
COMMON="--preset demo --replay.capacity 3000 --train.report_every 0 --log.progress plain"
RESERVOIR="--replay reservoir --replay.unit splice --replay.unit_rows 64"
ALONE="--env.num 8 --env.limit 50 --env.size 48 --env.view full --train.eval_episodes 10"
for seed in 0 1 2 3 4; do
  reverie continual corners $COMMON --seed "$seed" --logdir "$OUT/fifo-$seed"
  reverie continual corners $COMMON $RESERVOIR --seed "$seed" --logdir "$OUT/reservoir-$seed"
done
for corner in nw se ne; do
  for seed in 0 1; do
    alone="minigrid_corner_$corner $COMMON $ALONE --steps 3000 --train.eval_every 500 --seed $seed"
    reverie train $alone --logdir "$OUT/alone-fifo-$corner-$seed"
    reverie train $alone $RESERVOIR --logdir "$OUT/alone-reservoir-$corner-$seed"
  done
done
reverie report "$OUT"/*
