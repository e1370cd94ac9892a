#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run a libFuzzer binary for a bounded time and report the result as TAP.
# usage: run-fuzz.sh BINARY CORPUS-DIR SECONDS
set -u

bin=$1
corpus=$2
seconds=$3
name=$(basename "$bin")
log=$corpus.log

mkdir -p "$corpus"
echo "TAP version 13"
echo "1..1"
if timeout $((seconds + 60)) "$bin" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
	-rss_limit_mb=2048 -malloc_limit_mb=64 -artifact_prefix="$corpus-" \
	-print_final_stats=1 "$corpus" >"$log" 2>&1; then
	sed -n 's/^stat::number_of_executed_units: */# inputs: /p' "$log"
	echo "ok 1 - fuzz: $name for $seconds s"
else
	tail -n 40 "$log" | sed 's/^/# /'
	echo "not ok 1 - fuzz: $name (full log: $log)"
	exit 1
fi
