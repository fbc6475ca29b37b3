#!/bin/sh
# What a GPU is to be asked, once, in ten minutes: benchmarks/gpu/run.sh [OUT] [--minutes 10] [--small] [--dry]
exec "${PYTHON:-python}" "$(dirname "$0")/run.py" "$@"
