#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0
# The pure .c files in what gcov -b prints: lines, and branches taken at least once.
/^File / {
	name = $2
	gsub(/'/, "", name)
	shown = name ~ /(config_virt|migration|variants\/[a-z0-9_]*)\/[a-z_]*\.c$/
	sub(/.*\//, "", name)
}
shown && /^Lines executed/ { lines = substr($2, 10) " of " $4 }
shown && /^Taken at least once/ {
	printf "%-20s lines %-16s branches %s of %s\n", name, lines, substr($4, 6), $6
	shown = 0
}
