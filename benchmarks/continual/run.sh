#!/bin/sh
# One room of 5x5 cells, its goal in one corner, then in the opposite one; memory for the rows of one
# task: newest rows against a reservoir, five seeds each, and each task alone. Resumes.
# Afterwards: reverie report runs/continual/*  (README.md)
set -eu
OUT=${1:-runs/continual}
COMMON="--preset demo --env.limit 50 --actor.entropy 3e-2 --train.eval_greedy --train.eval_every 500
  --train.eval_episodes 10 --replay.capacity 4000 --train.report_every 0 --log.progress plain"
RESERVOIR="--replay reservoir --replay.unit splice --replay.unit_rows 64"
for seed in 0 1 2 3 4; do
  tasks="minigrid_corner_nw minigrid_corner_se --sequence.steps 4000 --seed $seed"
  reverie continual $tasks $COMMON --logdir "$OUT/fifo-$seed"
  reverie continual $tasks $COMMON $RESERVOIR --logdir "$OUT/reservoir-$seed"
done
for corner in nw se; do
  alone="minigrid_corner_$corner $COMMON --steps 4000 --seed 0"
  reverie train $alone --logdir "$OUT/alone-fifo-$corner"
  reverie train $alone $RESERVOIR --logdir "$OUT/alone-reservoir-$corner"
done
reverie report "$OUT"/*
