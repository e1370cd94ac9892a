#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run the unit tests of a model built with --coverage in DIR/cover, and report the lines that they execute as TAP.
# usage: run-cover.sh DIR MODEL PERCENT
set -u

dir=$1/cover
model=$2
least=$3

echo "TAP version 13"
echo "1..1"
find "$dir" -name '*.gcda' -delete
if ! "$1/model-cover" "$model" >"$dir/tests.log" 2>&1; then
	grep '^not ok' "$dir/tests.log" | sed 's/^/# /'
	echo "not ok 1 - coverage: $model: its tests fail"
	exit 1
fi
# Of each file: "File 'PATH'", then "Lines executed:PERCENT% of LINES".
(cd "$dir" && for object in "$model"*.gcno; do gcov -n -o . "$object"; done 2>/dev/null) | awk -v model="$model" -v least="$least" '
	/^File / { own = match($0, "/" model "[a-z_]*[.]c") ; file = substr($0, RSTART + 1, RLENGTH - 1) }
	/^Lines executed:/ && own {
		split($0, part, "[:% ]+"); lines = part[5]; done += lines * part[3] / 100; all += lines
		printf "# %5.1f %% of %3d lines: %s\n", part[3], lines, file
		own = 0
	}
	END {
		percent = all ? 100 * done / all : 0
		printf "%s 1 - coverage: %s: %.1f %% of %d lines (at least %d)\n",
			percent < least ? "not ok" : "ok", model, percent, all, least
		exit percent < least
	}'
