#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The streams that releases have written are still those, and so are the lists of their parts:
# a file that is changed, added or removed together with the code would hide from release_test
# and formats.py what the code has changed.  A release writes its digests itself:
# sha256sum *.stream FORMATS >SHA256SUMS.  TAP.
set -u
cd "$(dirname "$0")/../../selftests/releases" || exit 2
n=0 bad=0

for folder in */; do
	release=${folder%/}
	said=$(cd "$folder" && sha256sum --strict --check SHA256SUMS 2>&1) && ok=ok || ok='not ok'
	listed=$(cut -c67- "$folder/SHA256SUMS" | sort)
	there=$(cd "$folder" && printf '%s\n' *.stream FORMATS | sort)
	[ "$listed" = "$there" ] || ok='not ok' said="$said
listed: $listed
there: $there"
	n=$((n + 1))
	[ "$ok" = ok ] || { bad=1; echo "$said" | sed 's/^/# /'; }
	echo "$ok $n files of release $release"
done
echo "1..$n"
exit $bad
