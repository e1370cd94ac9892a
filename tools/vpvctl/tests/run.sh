#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run the tests of vpvctl, all or those of the files named; TAP on stdout.
#   VPVCTL=PROGRAM GEN_STREAM=PROGRAM tests/run.sh [FILE...]
set -u
here=$(cd "$(dirname "$0")" && pwd)
T=$(mktemp -d) || exit 1
jobs_started=()
trap 'kill "${jobs_started[@]}" "$server" 2>/dev/null; rm -rf "$T"' EXIT
R=$T/root
results=$T/results
: >"$results"
count=0 failed=0
unset VPVCTL_ROOT NO_COLOR

# One interpreter for all that is asked of fake.py: to start one is most of what it would do.
coproc SERVER { exec python3 "$here/fake.py" serve; }
# shellcheck disable=SC2153	# coproc sets SERVER_PID
server=$SERVER_PID
# Subshells do not have those of a coproc.
exec {to_server}>&"${SERVER[1]}" {from_server}<&"${SERVER[0]}"

ask() { # WORD...
	local answer="no answer"
	printf '%s\0' $# "$@" >&"$to_server"
	read -r answer <&"$from_server"
	[ "$answer" = ok ] || { echo "fake.py: $answer" >&2; return 1; }
}

fake() { ask "$1" "$R" "${@:2}"; }

# An empty host.
fresh() { rm -rf "$R"; mkdir -p "$R"; fake host "$@"; }

result() { # NAME TROUBLE
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count $file: $1" >>"$results"
	else
		failed=$((failed + 1))
		{ echo "not ok $count $file: $1"; echo "# $2"; sed 's/^/# out: /' "$T/out"; \
			sed 's/^/# err: /' "$T/err"; } >>"$results"
	fi
}

# Does a file contain the pattern; "": is it empty; "-": whatever.
matches() {
	case $2 in
	-) return 0 ;;
	"") [ ! -s "$1" ] ;;
	*) grep -Eqz -- "$2" "$1" ;;
	esac
}

run() { VPVCTL_ROOT=$R timeout 60 "$VPVCTL" "$@" >"$T/out" 2>"$T/err" </dev/null; }

# expect NAME STATUS STDOUT STDERR ARGUMENTS...
expect() {
	local status trouble=
	run "${@:5}"; status=$?
	[ $status = "$2" ] || trouble="status $status instead of $2"
	matches "$T/out" "$3" || trouble="$trouble; stdout is not like '$3'"
	matches "$T/err" "$4" || trouble="$trouble; stderr is not like '$4'"
	if [ "$2" = 2 ] && [ "$(wc -l <"$T/err")" != 1 ]; then
		trouble="$trouble; not one line on stderr"
	fi
	result "$1" "${trouble#; }"
}

# json NAME STATUS EXPRESSION ARGUMENTS...: EXPRESSION of d, the JSON printed, is true.
json() {
	local status trouble=
	run --json "${@:4}"; status=$?
	[ $status = "$2" ] || trouble="status $status instead of $2"
	ask json "$T/out" "$3" 2>>"$T/err" || trouble="$trouble; not true: $3"
	result "$1" "${trouble#; }"
}

# A condition about the made-up host after a command.
holds() { # NAME COMMAND...
	local trouble=
	"${@:2}" >"$T/out" 2>"$T/err" || trouble="not so: ${*:2}"
	result "$1" "$trouble"
}

start_kernel() { start_fake kernel "$@"; }

start_fake() { # VERB ARGUMENTS...
	rm -f "$R/ready"
	python3 "$here/fake.py" "$1" "$R" "${@:2}" >"$T/kernel.log" 2>&1 </dev/null &
	kernel=$!
	jobs_started=("$kernel")
	for _ in $(seq 250); do
		[ -e "$R/ready" ] && return
		sleep 0.02
	done
}

stop_kernel() { kill "$kernel"; wait "$kernel" 2>/dev/null; jobs_started=(); }

if [ $# = 0 ]; then
	set -- "$here"/*_test.sh
fi
for path; do
	[ -e "$path" ] || path=$here/${path}_test.sh
	file=$(basename "$path" _test.sh) before=$count
	: >"$T/out"
	if bash -n "$path" 2>"$T/err"; then
		# shellcheck disable=SC1090
		. "$path"
	fi
	[ $count -gt $before ] || result "has tests" "none ran"
done
echo "1..$count"
cat "$results"
[ "$failed" = 0 ]
