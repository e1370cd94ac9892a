#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# checkpatch.sh CHECKPATCH_PL [FOLDER]: the kernel's checkpatch over all kernel code of
# this tree; TAP, one line a file.  FOLDER remembers, by content, what has passed.
set -u
pl=${1:?usage: checkpatch.sh path/to/checkpatch.pl [folder]}
passed=${2:-$(mktemp -d)}
[ $# -gt 1 ] || trap 'rm -rf "$passed"' EXIT
mkdir -p "$passed" || exit 2
cd "$(dirname "$0")/../.." || exit 2

# Not for us: FILE_PATH_CHANGES (patches to the kernel itself); the macros of tables
# and of tests; UNCOMMENTED_DEFINITION (locks are described in kernel-doc, which it
# does not read).  TRACE_EVENT() has a layout of its own in every kernel file.
ignore=FILE_PATH_CHANGES,MACRO_ARG_REUSE,COMPLEX_MACRO,MACRO_WITH_FLOW_CONTROL
ignore=$ignore,UNCOMMENTED_DEFINITION
trace=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
shopt -s globstar
mapfile -t files < <(printf '%s\n' {config_virt,include,kunit,migration,variants,vfio_pci_core}/**/*.[ch] |
	grep -v -e '\.mod\.c$' -e '^kunit/host/' | sort)
rules=$(cat "$0" "$pl" "$(dirname "$pl")"/{spelling.txt,const_structs.checkpatch} 2>/dev/null | sha256sum | cut -c1-16)
declare -A mark
while read -r sum file; do
	# The name counts too: it says what the first line has to look like.
	mark[$file]=$passed/$rules-${file//\//_}-${sum:0:16}
done < <(sha256sum "${files[@]}")

# check FILE...: those with the same rules.
check() {
	local skip=$ignore out

	[[ $1 != */trace.h ]] || skip=$ignore,$trace
	out=$(perl "$pl" --no-tree --strict --quiet --max-line-length=100 --ignore "$skip" -f "$@" 2>&1) &&
		[ -z "$out" ] && return
	echo "$out"
	return 1
}

# passes FILE...: remember all of them if there is nothing to be said about any.
passes() {
	local file

	check "$@" >/dev/null || return 0
	for file; do
		: >"${mark[$file]}"
	done
}

# All new files in as few runs as there are cores, since most find nothing: to start it costs as much as to read a file.
new=()
for file in "${files[@]}"; do
	[ -e "${mark[$file]}" ] || [[ $file == */trace.h ]] || new+=("$file")
done
share=$(((${#new[@]} + $(nproc) - 1) / $(nproc)))
for ((first = 0; share > 1 && first < ${#new[@]}; first += share)); do
	passes "${new[@]:first:share}" &
done
wait
echo "TAP version 13"
n=0 bad=0
for file in "${files[@]}"; do
	n=$((n + 1))
	if [ -e "${mark[$file]}" ]; then
		echo "ok $n $file"
	elif out=$(check "$file"); then
		: >"${mark[$file]}"
		echo "ok $n $file"
	else
		bad=1
		echo "not ok $n $file"
		echo "$out" | sed 's/^/# /'
	fi
done
rm -f .checkpatch-camelcase.*
echo "1..$n"
exit $bad
