#!/bin/sh
# Short runs on suites of different kinds, minutes each; resumes where it was stopped.
# Afterwards: python benchmarks/curves.py benchmarks/envs/curves.csv runs/suites/*
set -eu
OUT=${1:-runs/suites}
run() {
  name=$1; task=$2; shift 2
  # What --preset quick was when the table was made.
  reverie train "$task" --preset quick --size tiny --env.num 1 --train.length 64 --optim.warmup 1000 \
    --world.encoder.stack pooled --world.beside_pictures 1 --train.report_every 0 --seed 0 --log.progress plain --logdir "$OUT/$name" "$@"
}
run inverted mujoco_inverted_pendulum --steps 8000 --train.eval_every 2000        # continuous actions
run gymnax gymnax_cart_pole --steps 7000 --train.eval_every 3500                  # JAX-native
run popgym popgym_position_only_cart_pole_easy --steps 8000 --train.eval_every 2000  # memory
run catch bsuite_catch/0 --steps 8000 --train.eval_every 2000                     # a sparse matrix
run fetch robotics_fetch_reach_dense --steps 12000 --train.eval_every 3000        # a dict, continuous actions
run fetch_rec robotics_fetch_reach_dense --world.objective.weight 100 --steps 8000 --train.eval_every 2000
run dmc dmc_cartpole_balance --env.repeat 2 --steps 24500 --train.eval_every 3500  # continuous actions
