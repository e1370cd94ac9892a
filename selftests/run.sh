#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the test programs beside this script, in L1 as root, and print one KTAP
# document.  GROUP="NAME..." picks those that are in one of these groups, by the file
# "groups" (made by the Makefile); TEST=GLOB picks of them by name ("!(core)" is all
# others).  Arguments go to each program.
# Exit status: 0 when nothing failed.
set -u
shopt -s extglob
here=$(cd "$(dirname "$0")" && pwd)
modules=${VPV_MODULES:-/vpv/modules}
pattern=${TEST:-*}
pattern=${pattern%_test}

# load NAME: with what it needs first, which insmod does not know.
load() {
	local need

	grep -q "^$1 " /proc/modules && return
	if [ ! -e "$modules/$1.ko" ]; then
		modprobe -q "$1" || true	# built in, there is nothing to load
		return
	fi
	for need in $(modinfo -F depends "$modules/$1.ko" | tr , ' '); do
		load "$need"
	done
	insmod "$modules/$1.ko" || { echo "Bail out! $1.ko cannot be loaded"; exit 1; }
}

load_modules() {
	local file

	for file in "$modules"/vpv_*.ko; do
		load "$(basename "$file" .ko)"
	done
}

# in_group NAME: is the program in one of the groups that are asked for?
in_group() {
	local name groups group wanted

	[ -n "${GROUP:-}" ] || return 0
	while read -r name groups; do
		[ "$name" = "$1" ] || continue
		for group in $groups; do
			for wanted in $GROUP; do
				[ "$group" = "$wanted" ] && return 0
			done
		done
	done <"$here/groups"
	return 1
}

programs=()
for prog in "$here"/*_test; do
	name=$(basename "$prog" _test)
	# shellcheck disable=SC2254 # a pattern on purpose
	case $name in
	$pattern) in_group "$name" && programs+=("$prog") ;;
	esac
done
if [ ${#programs[@]} -eq 0 ]; then
	echo "Bail out! no test${GROUP:+ of group $GROUP} matches '$pattern'"
	exit 1
fi

load_modules
echo "KTAP version 1"
echo "1..${#programs[@]}"
failed=0 n=0
for prog in "${programs[@]}"; do
	n=$((n + 1))
	name=$(basename "$prog")
	start=$SECONDS
	echo "# Subtest: $name"
	"$prog" "$@" 2>&1 | sed -u -e 's/^TAP version 13$/KTAP version 1/' -e 's/^/    /'
	status=${PIPESTATUS[0]}
	echo "# $name took $((SECONDS - start)) s"
	case $status in
	0) echo "ok $n $name" ;;
	4) echo "ok $n $name # SKIP" ;;
	*)
		echo "not ok $n $name # status $status"
		failed=$((failed + 1))
		;;
	esac
done
echo "# Totals: pass:$((n - failed)) fail:$failed"
[ "$failed" -eq 0 ]
