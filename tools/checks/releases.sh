#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The streams that releases have written are still those, and so are the lists of their parts:
# a file that is changed, added or removed together with the code would hide from release_test
# and formats.py what the code has changed.  A release writes its digests itself:
# sha256sum *.stream FORMATS >SHA256SUMS.  What VERSION names is in both changelogs, and they
# say that it is not released as long as it has no such files.  TAP.
set -u
cd "$(dirname "$0")/../../selftests/releases" || exit 2
n=0 bad=0

# point OK NAME TEXT: one line of TAP, after TEXT if that is not ok.
point() {
	n=$((n + 1))
	[ "$1" = ok ] || { bad=1; echo "$3" | sed 's/^/# /'; }
	echo "$1 $n $2"
}

for folder in */; do
	release=${folder%/}
	said=$(cd "$folder" && sha256sum --strict --check SHA256SUMS 2>&1) && ok=ok || ok='not ok'
	listed=$(cut -c67- "$folder/SHA256SUMS" | sort)
	there=$(cd "$folder" && printf '%s\n' *.stream FORMATS | sort)
	[ "$listed" = "$there" ] || ok='not ok' said="$said
listed: $listed
there: $there"
	point "$ok" "files of release $release" "$said"
done

version=$(cat ../../VERSION)
if [ -d "$version" ]; then
	wanted="vpv ($version) unstable;" title="## $version"
else
	wanted="vpv ($version) UNRELEASED;" title="## $version (not released)"
fi
first=$(head -n 1 ../../debian/changelog)
case $first in "$wanted "*) ok=ok ;; *) ok='not ok' ;; esac
point "$ok" "debian/changelog has version $version" "$first, not $wanted"
first=$(grep -m 1 '^## ' ../../CHANGELOG.md)
[ "$first" = "$title" ] && ok=ok || ok='not ok'
point "$ok" "CHANGELOG.md has version $version" "$first, not $title"
echo "1..$n"
exit $bad
