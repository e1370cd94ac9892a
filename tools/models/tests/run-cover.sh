#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run the unit tests of models built with --coverage in DIR/cover, and report the lines that they execute as TAP.
# usage: run-cover.sh DIR PERCENT MODEL...
set -u

tests=$1/model-cover
dir=$1/cover
least=$2
shift 2
number=0
status=0

# Of each file: "File 'PATH'", which may be relative, then "Lines executed:PERCENT% of LINES".
judge() {
	awk -v model="$1" -v least="$least" -v number="$number" '
	/^File / { own = match($0, "[/'\'']" model "[a-z_]*[.]c") ; file = substr($0, RSTART + 1, RLENGTH - 1) }
	/^Lines executed:/ && own {
		split($0, part, "[:% ]+"); lines = part[5]; done += lines * part[3] / 100; all += lines
		printf "# %5.1f %% of %3d lines: %s\n", part[3], lines, file
		own = 0
	}
	END {
		percent = all ? 100 * done / all : 0
		printf "%s %d - coverage: %s: %.1f %% of %d lines (at least %d)\n",
			percent < least ? "not ok" : "ok", number, model, percent, all, least
		exit percent < least
	}'
}

echo "TAP version 13"
echo "1..$#"
for model; do
	number=$((number + 1))
	find "$dir" -name '*.gcda' -delete
	if ! "$tests" "$model" >"$dir/tests.log" 2>&1; then
		grep '^not ok' "$dir/tests.log" | sed 's/^/# /'
		echo "not ok $number - coverage: $model: its tests fail"
		status=1
		continue
	fi
	(cd "$dir" && for object in "$model"*.gcno; do gcov -n -o . "$object"; done 2>/dev/null) | judge "$model" || status=1
done
exit $status
