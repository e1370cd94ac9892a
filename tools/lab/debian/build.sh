#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a Debian installation: build.sh TARBALL FOLDER: build the packages of a release's tarball, into FOLDER below /mnt.
set -euo pipefail
tarball=$1 folder=$2
work=$(mktemp -d)
tar -C "$work" -xf "$tarball"
cd "$work"/vpv-*/
DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage --no-sign --build=full
mkdir -p "/mnt/$folder"
cp ../*.deb ../*.dsc ../*.tar.* ../*.changes ../*.buildinfo "/mnt/$folder"
