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

# A new process for each of these would take longer than many a test.
declare -A depends groups_of

read_depends() {
	local key value name=

	while read -r key value; do
		case $key in
		filename:) name=${value##*/} name=${name%.ko} ;;
		depends:) depends[$name]=${value//,/ } ;;
		esac
	done < <(modinfo "$modules"/*.ko)
}

# load NAME: with what it needs first, which insmod does not know.
load() {
	local need

	[ ! -d "/sys/module/$1" ] || return 0
	if [ ! -e "$modules/$1.ko" ]; then
		modprobe -q "$1" || true	# built in, there is nothing to load
		return
	fi
	for need in ${depends[$1]}; do
		load "$need"
	done
	insmod "$modules/$1.ko" || { echo "Bail out! $1.ko cannot be loaded"; exit 1; }
}

load_modules() {
	local file name

	read_depends
	for file in "$modules"/vpv_*.ko; do
		name=${file##*/}
		load "${name%.ko}"
	done
}

# in_group NAME: is the program in one of the groups that are asked for?
in_group() {
	local wanted

	[ -n "${GROUP:-}" ] || return 0
	for wanted in $GROUP; do
		[[ " ${groups_of[$1]-} " != *" $wanted "* ]] || return 0
	done
	return 1
}

if [ -n "${GROUP:-}" ]; then
	while read -r name groups; do
		groups_of[$name]=$groups
	done <"$here/groups"
fi
programs=()
for prog in "$here"/*_test; do
	name=${prog##*/} name=${name%_test}
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
	name=${prog##*/}
	start=$SECONDS
	echo "# Subtest: $name"
	# All of it is in memory then: no page is read from a disk while its system calls are made to fail.
	cat "$prog" >/dev/null
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
