# SPDX-License-Identifier: GPL-2.0
# Personas that drivers bring along are those of the maps that their headers name.
# shellcheck disable=SC2154	# here and T are run.sh's
top=$here/../../..
for header in "$top"/variants/*/persona_*.h; do
	map=$(sed -n 's,^/\* \(.*\.map\)\, compiled; .*,\1,p' "$header")
	array=$(sed -n 's/^static const u8 \(.*\)\[\] = {$/\1/p' "$header")
	"$here/../builtin.sh" "$VPVCTL" "$here/../maps/$map" "$array" >"$T/header" 2>"$T/err"
	holds "$map is what ${header#"$top/"} has" cmp "$T/header" "$header"
done
