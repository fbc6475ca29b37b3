#!/bin/sh
# Short runs on suites of different kinds, minutes each; resumes where it was stopped.
# Afterwards: python benchmarks/curves.py benchmarks/envs/curves.csv runs/suites/*
set -eu
OUT=${1:-runs/suites}
run() {
  name=$1; task=$2; shift 2
  reverie train "$task" --preset quick --size tiny --seed 0 --log.progress plain --logdir "$OUT/$name" "$@"
}
run catch bsuite_catch/0 --steps 8000 --train.eval_every 2000                    # a sparse matrix
run fetch robotics_fetch_reach_dense --steps 12000 --train.eval_every 3000      # a dict, continuous actions
run pendulum gym:Pendulum-v1 --steps 16000 --train.eval_every 4000               # vectors, continuous actions
run breakout minatar_breakout --steps 20000 --train.eval_every 5000              # pictures of 10x10 cells
run mines popgym_mine_sweeper_easy --steps 16000 --train.eval_every 4000         # MultiDiscrete actions, memory
