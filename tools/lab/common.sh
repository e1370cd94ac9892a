# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Progress and failure reports for the shell part of the lab. Sourced.

lab_start=${VPV_START:-$(date +%s)}
export VPV_START=$lab_start

say() {
	printf '[%4ds] %s\n' "$(($(date +%s) - lab_start))" "$*" >&2
}

die() {
	printf 'lab: %s\n' "$*" >&2
	exit 1
}

# step TITLE LOG COMMAND...: run COMMAND with its output in LOG, show that it is alive, stop the run if it fails.
step() {
	local title=$1 log=$2 began now shown pid status=0
	shift 2
	began=$(date +%s)
	shown=$began
	say "$title ..."
	# With a process group of its own, which cleanup() of lab can end as a whole.
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		now=$(date +%s)
		if ((now - shown >= 15)); then
			shown=$now
			say "$title: $((now - began)) s so far"
		fi
	done
	wait "$pid" || status=$?
	if ((status)); then
		say "FAILED: $title (status $status); the last lines were:"
		tail -n 15 "$log" | sed 's/^/    | /' >&2
		say "full log: $log"
		exit 1
	fi
	say "$title: done in $(($(date +%s) - began)) s"
}
