#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# First process of the lab's namespaces: lays out the root that main.py runs in (a tmpfs with the tool root's /usr
# read-only and the machine's data folders at their places) and waits for it. All mounts are
# private to the run and vanish with it.

set -euo pipefail

new=$VPV_RUN/root

bind() {
	mkdir -p "$new$2"
	mount --rbind "$1" "$new$2"
}

mount -t tmpfs -o mode=755 vpv "$new"
mkdir -p "$new"/{usr,etc,proc,sys,dev,run}
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
# The machine's other folders keep their places, so that paths mean the same inside and outside.
for dir in /*; do
	case $dir in
	/usr | /bin | /sbin | /lib* | /etc | /proc | /sys | /dev | /run | /boot | /lost+found) ;;
	*) [ -L "$dir" ] || [ ! -d "$dir" ] || bind "$dir" "$dir" 2>/dev/null || : ;;
	esac
done
bind "$VPV_L1ROOT" /run/l1root
for disk in $VPV_DISKS; do
	bind "${disk#*=}" "/run/disk-${disk%%=*}"
done
# A short path, because socket names hold 107 bytes at most.
bind "$VPV_RUN/lab" /run/lab
mkdir -p "$VPV_RUN/lab/home" "$VPV_RUN/lab/tmp"

# make's job server and the caller's interpreter settings mean nothing in there.
for name in $(compgen -e | grep -E '^(MAKE|MFLAGS|LD_|PYTHON|PYENV|PERL|GCC_|SSL_|XDG_|TMPDIR)'); do
	unset "$name"
done
export VPV_WORK=$VPV_RUN
export HOME=/run/lab/home TMPDIR=/run/lab/tmp
export PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 VPV_RUN=/run/lab
# The root has no compiled Python, as no maintainer script has run, and the tests of vpvctl start Python a thousand times.
export PYTHONPYCACHEPREFIX=$VPV_CACHE/pycache
# Compilers by the names that the builds use, before the real ones: what one checkout has compiled, no other has to.
if [ -x "$new/usr/bin/ccache" ]; then
	mkdir "$VPV_WORK/lab/ccache"
	for name in cc gcc gcc-14 x86_64-linux-gnu-gcc x86_64-linux-gnu-gcc-14 clang; do
		ln -s /usr/bin/ccache "$VPV_WORK/lab/ccache/$name"
	done
	export PATH=/run/lab/ccache:$PATH
	export CCACHE_DIR=$VPV_CACHE/ccache CCACHE_BASEDIR=$VPV_REPO CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=1G
fi

cwd=$PWD
status=0

chroot "$new" /usr/bin/env -C "$cwd" python3 "$VPV_REPO/tools/lab/main.py" "$@" || status=$?
exit "$status"
