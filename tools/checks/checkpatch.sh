#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# checkpatch.sh CHECKPATCH_PL: the kernel's checkpatch over all kernel code of
# this tree; TAP, one line a file.
set -u
pl=${1:?usage: checkpatch.sh path/to/checkpatch.pl}
cd "$(dirname "$0")/../.." || exit 2

files=$(find config_virt migration vfio_pci_core variants include/vpv include/uapi \
	kunit/config_virt kunit/migration kunit/variants kunit/kernel \
	-name '*.[ch]' ! -name '*.mod.c' 2>/dev/null | sort)
# Not for us: FILE_PATH_CHANGES (patches to the kernel itself); the macros of tables
# and of tests; UNCOMMENTED_DEFINITION (locks are described in kernel-doc, which it
# does not read).  TRACE_EVENT() has a layout of its own in every kernel file.
ignore=FILE_PATH_CHANGES,MACRO_ARG_REUSE,COMPLEX_MACRO,MACRO_WITH_FLOW_CONTROL
ignore=$ignore,UNCOMMENTED_DEFINITION
trace=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
n=0 bad=0
echo "TAP version 13"
for f in $files; do
	n=$((n + 1))
	case $f in
	*/trace.h) skip=$ignore,$trace ;;
	*) skip=$ignore ;;
	esac
	if out=$(perl "$pl" --no-tree --strict --quiet --max-line-length=100 \
		 --ignore "$skip" -f "$f" 2>&1) && [ -z "$out" ]; then
		echo "ok $n $f"
	else
		bad=1
		echo "not ok $n $f"
		echo "$out" | sed 's/^/# /'
	fi
done
rm -f .checkpatch-camelcase.*
echo "1..$n"
exit $bad
