#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print the header that builds a persona into a driver:
#   builtin.sh VPVCTL MAP ARRAY >variants/FAMILY/persona_NAME.h
set -eu
blob=$(mktemp)
trap 'rm -f "$blob"' EXIT
"$1" persona compile "$2" --output "$blob"
cat <<C
/* SPDX-License-Identifier: GPL-2.0 */
/* $(basename "$2"), compiled; made by tools/vpvctl/builtin.sh. */
static const u8 $3[] = {
C
od -An -v -tx1 -w12 "$blob" | sed 's/ \(..\)/ 0x\1,/g; s/^ /\t/'
echo "};"
