#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Lines of code of each family of devices, and of what the families share: without blank
# lines, comments and compiled personas.
set -eu
cd "$(dirname "$0")/../.."

count() {
	cat "$@" | awk '
	{
		line = $0
		if (inside) {
			if (!(end = index(line, "*/")))
				next
			line = substr(line, end + 2)
			inside = 0
		}
		while ((begin = index(line, "/*"))) {
			rest = substr(line, begin + 2)
			end = index(rest, "*/")
			line = substr(line, 1, begin - 1)
			if (!end) {
				inside = 1
				break
			}
			line = line substr(rest, end + 2)
		}
		sub(/\/\/.*/, "", line)
		if (line ~ /[^ \t]/)
			lines++
	}
	END { print lines + 0 }'
}

printf '%-14s %-28s %6s\n' part files lines
row() {
	printf '%-14s %-28s %6d\n' "$1" "$2" "$(count "${@:3}")"
}

shopt -s extglob nullglob
for folder in variants/*/; do
	family=$(basename "$folder")
	files=("$folder"!(persona_*).[ch])
	control=("$folder"ctrl*.[ch])
	row "$family" "all" "${files[@]}"
	[ ${#control[@]} -eq 0 ] || row "" "its controlling function" "${control[@]}"
	row "" "registers and formats" "include/hw/$family"*.h
done
shared=include/vpv
row shared migration/ migration/*.[ch] $shared/{match,migration*,pages,staged}.h include/uapi/vpv/{migration_v1,stream}.h
row "" vfio_pci_core/ vfio_pci_core/*.[ch] $shared/!(config*|diff|match|migration*|pages|pure|staged).h
row "" config_virt/ config_virt/*.[ch] $shared/{config*,diff,pure}.h include/uapi/vpv/persona.h
