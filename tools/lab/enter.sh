#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# First process of the lab's namespaces: lays out the root that main.py runs in (a tmpfs with the tool root's /usr
# read-only, and the repository, the cache and the run's folder at their places) and waits for it. All mounts are
# private to the run and vanish with it.

set -euo pipefail

new=$VPV_RUN/root

bind() {
	mkdir -p "$new$2"
	mount --rbind "$1" "$new$2"
}

mount -t tmpfs -o mode=755 vpv "$new"
mkdir -p "$new"/{usr,etc,proc,sys,dev,tmp,run,root,var/tmp}
mount --bind "$VPV_ROOT/usr" "$new/usr"
# Refused where the file system below has flags that a user namespace may not drop; it is only a safety net.
mount -o remount,bind,ro "$new/usr" 2>/dev/null || :
ln -s usr/bin usr/sbin usr/lib usr/lib64 "$new"
cp -a --no-preserve=ownership "$VPV_ROOT/etc/." "$new/etc/"
[ ! -d "$VPV_ROOT/boot" ] || bind "$VPV_ROOT/boot" /boot
mount -t proc proc "$new/proc" 2>/dev/null || mount --rbind /proc "$new/proc"
mount --rbind /dev "$new/dev"
mount -t tmpfs -o mode=1777 shm "$new/dev/shm"
mount --rbind /sys "$new/sys" 2>/dev/null || :
chmod 1777 "$new/tmp" "$new/var/tmp"
bind "$VPV_REPO" "$VPV_REPO"
bind "$VPV_CACHE" "$VPV_CACHE"
bind "$VPV_L1ROOT" /run/l1root
# A short path, because socket names hold 107 bytes at most.
bind "$VPV_RUN/lab" /run/lab

# make's job server and the caller's interpreter settings mean nothing in there.
for name in $(compgen -e | grep -E '^(MAKE|MFLAGS|LD_|PYTHON|PYENV|PERL|GCC_|SSL_|XDG_|TMPDIR)'); do
	unset "$name"
done
export HOME=/root PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 VPV_RUN=/run/lab

status=0
chroot "$new" /usr/bin/python3 "$VPV_REPO/tools/lab/main.py" "$@" || status=$?
exit "$status"
