#!/bin/sh
# Four strategies, five seeds, one environment with a rare reward; resumes where it was stopped.
set -eu
OUT=${1:-runs/replay}
for seed in 0 1 2 3 4; do
  for name in uniform recency uncertainty curious; do
    nice -n 10 reverie train minigrid_empty_8x8 --preset demo --replay "$name" --seed "$seed" \
      --steps 4500 --logdir "$OUT/$name-$seed" --log.progress plain
  done
done
reverie compare "$OUT"/* --by replay --metric episode/return --until 4500
