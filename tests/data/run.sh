#!/bin/sh
# run.sh BUILD DATA — what `make check-data` calls: reference vectors of the statistics, the evaluation cases of the flags, and the real
# pipeline imported into a core of its own. BUILD is the folder of the programs, DATA that of the data.
set -eu
build=$1
data=$(realpath "$2")
cd "$(dirname "$0")/../.."
"$build/tests/data/stats_vectors" "$data/statistics/vectors.json"
"$build/tests/data/flag_cases" "$data/flags/growthbook-cases.json"
BIMODAL_BUILD=$build BIMODAL_DATA=$data /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/data
