#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run libFuzzer binaries for a bounded time each and report the results as TAP. A corpus grows in DIR/corpus-NAME.
# usage: run-fuzz.sh DIR SECONDS NAME...
set -u

dir=$1
seconds=$2
shift 2
number=0
status=0

echo "TAP version 13"
echo "1..$#"
for name; do
	number=$((number + 1))
	corpus=$dir/corpus-$name
	log=$corpus.log
	mkdir -p "$corpus"
	if timeout $((seconds + 60)) "$dir/$name" -max_total_time="$seconds" -max_len=4096 -len_control=0 -timeout=10 \
		-rss_limit_mb=2048 -malloc_limit_mb=64 -artifact_prefix="$corpus-" \
		-print_final_stats=1 "$corpus" >"$log" 2>&1; then
		sed -n 's/^stat::number_of_executed_units: */# inputs: /p' "$log"
		echo "ok $number - fuzz: $name for $seconds s"
	else
		tail -n 40 "$log" | sed 's/^/# /'
		echo "not ok $number - fuzz: $name (full log: $log)"
		status=1
	fi
done
exit $status
