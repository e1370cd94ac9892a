#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh ROOT FOLDER COMMAND...: run COMMAND as root in a Debian installation, with FOLDER as /mnt. What it changes
# elsewhere is gone afterwards. There is no network.
set -euo pipefail
root=$1 folder=$2
shift 2
if [ -z "${IN_DEBIAN:-}" ]; then
	IN_DEBIAN=1 exec unshare --mount --net --pid --fork --kill-child "$0" "$root" "$folder" "$@"
fi
over=$(mktemp -d "${VPV_WORK:-/var/tmp}/debian.XXXXXX")
trap 'umount -R "$over/all" && rm -rf "$over"' EXIT
mkdir "$over"/{upper,work,all}
mount -t overlay -o "lowerdir=$root,upperdir=$over/upper,workdir=$over/work" debian "$over/all"
mount -t proc proc "$over/all/proc"
mount --rbind /dev "$over/all/dev"
mount --bind "$folder" "$over/all/mnt"
chroot "$over/all" /usr/bin/env -i -C /mnt HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
	DEBIAN_FRONTEND=noninteractive "$@"
