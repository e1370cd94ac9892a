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
# MACRO_ARG_REUSE: our table macros name a state twice.  FILE_PATH_CHANGES and
# SPDX comment style of headers under uapi are for patches to the kernel itself.
ignore=FILE_PATH_CHANGES,MACRO_ARG_REUSE,COMPLEX_MACRO,MACRO_WITH_FLOW_CONTROL
n=0 bad=0
echo "TAP version 13"
for f in $files; do
	n=$((n + 1))
	if out=$(perl "$pl" --no-tree --strict --quiet --max-line-length=100 \
		 --ignore "$ignore" -f "$f" 2>&1) && [ -z "$out" ]; then
		echo "ok $n $f"
	else
		bad=1
		echo "not ok $n $f"
		echo "$out" | sed 's/^/# /'
	fi
done
echo "1..$n"
exit $bad
