#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# dist.sh FOLDER: write the release's tarball there and print its name. It holds the files that git knows, as they are in the
# tree; the same files give the same bytes.
set -eu
folder=${1:?usage: dist.sh FOLDER}
cd "$(dirname "$0")/.."
[ -e .git ] || { echo "dist: this is no checkout, but what 'make dist' has made" >&2; exit 1; }
name=vpv-$(cat VERSION)
date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
mkdir -p "$folder"
git ls-files -z | LC_ALL=C sort -z >"$folder/.files"
tar -cf "$folder/.tar" --no-recursion --format=gnu --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r,go-w,a+X \
	--mtime="@$date" --transform="flags=rSH;s,^,$name/," --null -T "$folder/.files"
xz -6 -T1 <"$folder/.tar" >"$folder/.xz"
rm "$folder/.files" "$folder/.tar"
mv "$folder/.xz" "$folder/$name.tar.xz"
echo "$folder/$name.tar.xz"
