#!/bin/sh
# One room of 3x3 free cells, its goal in one corner for 3,000 steps, then in the opposite one for
# 6,000; memory of 3,072 rows: the newest ones against a reservoir, five seeds each, and each task
# alone, three seeds each. About 2 hours of one core. Resumes.
# Afterwards: reverie report runs/continual/*  (README.md)
set -eu
OUT=${1:-runs/continual}
COMMON="--preset demo --env.limit 50 --behavior.actor.entropy 3e-2 --train.eval_greedy --train.eval_every 500
  --train.eval_episodes 10 --replay.capacity 3072 --train.report_every 0 --log.progress plain"
RESERVOIR="--replay reservoir --replay.unit splice --replay.unit.rows 64"
for seed in 0 1 2 3 4; do
  tasks="minigrid_corner_nw minigrid_corner_se --sequence.steps 3000 6000 --seed $seed"
  reverie continual $tasks $COMMON --logdir "$OUT/fifo-$seed"
  reverie continual $tasks $COMMON $RESERVOIR --logdir "$OUT/reservoir-$seed"
done
for seed in 0 1 2; do
  for alone in "nw --steps 3000" "se --steps 6000"; do
    name=${alone%% *}
    reverie train minigrid_corner_$alone --seed "$seed" $COMMON --logdir "$OUT/alone-fifo-$name-$seed"
    reverie train minigrid_corner_$alone --seed "$seed" $COMMON $RESERVOIR --logdir "$OUT/alone-reservoir-$name-$seed"
  done
done
reverie report "$OUT"/*
