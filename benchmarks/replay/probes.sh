#!/bin/sh
# Every named strategy on probe_delay, whose best return is 1; episodes have 6 rows and sequences 16, so
# units are splices, or sequences are joined from pieces. Afterwards: python benchmarks/curves.py …
set -eu
OUT=${1:-runs/replay-probes}
PROBE=${2:-delay}
STEPS=${3:-2000}
for name in uniform recency uncertainty uncertainty_inf uncertainty_caching priority curious xp per \
    reservoir random_replace fifty_fifty coverage reward wmar dreamerv2; do
  case $name in
    reservoir | random_replace | coverage | wmar) units="--replay.unit splice --replay.unit_rows 64" ;;
    fifty_fifty | reward) units="--replay.join" ;;
    *) units="" ;;
  esac
  reverie train "probe_$PROBE" --replay "$name" $units --steps "$STEPS" --train.ratio 64 --train.eval_greedy \
    --train.eval_episodes 40 --train.report_every 0 --log.progress plain --logdir "$OUT/$PROBE-$name"
done
