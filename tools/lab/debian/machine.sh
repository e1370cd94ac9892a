#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a machine whose root is an installation with the packages (install.sh), with a function of hisi_like: machine.sh
# plain|enrolled|stranger: load what DKMS has built, give the function to it and back, and remove all of it. With Secure Boot (the
# other two) modules have to be signed by a key that shim knows: that of DKMS is one, or is not. TAP.
set -uo pipefail
mode=$1
# shellcheck source=tools/lab/debian/points.sh
. "$(dirname "$0")/points.sh"
kernel=$(uname -r)
bdf=$(awk '$2 == "hisi_like" { print $1; exit }' /vpv/devices)

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1")" = installed ]; }

# Those that need no compiler are installed by apt here, too.
again() {
	apt purge vpvctl vpv-personas && ! installed vpvctl && ! installed vpv-personas || return
	cd /vpv && apt install ./vpvctl_*.deb ./vpv-personas_*.deb && installed vpvctl && installed vpv-personas
}

ours() { find /sys/module -maxdepth 1 -name 'vpv_*' | sed 's,.*/,,' | sort; }
none_loaded() { [ -z "$(ours)" ]; }

load() {
	local module
	for module in $(modules); do
		[[ $(modinfo -n "$module") = */updates/dkms/* ]] && modprobe "$module" || return
	done
	diff <(modules) <(ours)
}

bound() { [ "$(basename "$(readlink "/sys/bus/pci/devices/$bdf/driver")")" = "$1" ]; }
give() { vpvctl bind "$bdf" && bound vpv_hisi_like; }
list() { vpvctl list | tee /dev/stderr | grep "$bdf.*vpv_hisi_like"; }
choose() { vpvctl persona set "$bdf" hisi_like-v1 && vpvctl describe --open "$bdf" | tee /dev/stderr | grep hisi_like-v1; }
take() { vpvctl unbind --no-probe "$bdf" && ! bound vpv_hisi_like; }

by_hand() {
	echo vpv_hisi_like > /sys/bus/pci/devices/"$bdf"/driver_override
	echo "$bdf" > /sys/bus/pci/drivers_probe
	bound vpv_hisi_like
}

# Those that use others first; the last one is left by modprobe.
unload() { modules | grep -Ev '_(core|config|migration)$' | xargs modprobe -r && modprobe -r vpv_config && none_loaded; }

removed() { apt purge vpv-dkms vpvctl vpv-personas; }

nothing_stays() {
	local found
	found=$(find / -xdev \( -path /vpv -o -path /proc -o -path /var/log -o -path /var/cache \) -prune -o -name '*vpv*' -print)
	echo "$found"
	[ -z "$found" ] && ! grep ' vpv_' "/lib/modules/$kernel/modules.alias"
}

# Secure Boot

mounted() { mount -t securityfs securityfs /sys/kernel/security && mount -t efivarfs efivarfs /sys/firmware/efi/efivars; }
locked() { mokutil --sb-state | grep -x 'SecureBoot enabled' && grep -F '[integrity]' /sys/kernel/security/lockdown; }
# mokutil fails when it is.
enrolled() { [[ $(mokutil --test-key /var/lib/dkms/mok.pub 2>&1 | tee /dev/stderr) = *"$1"* ]]; }
signer() { modinfo -F signer vpv_core | grep -x 'DKMS module signing key'; }

# plain_module FILE: vpv_config as DKMS has built it.
plain_module() {
	local file
	file=$(modinfo -n vpv_config)
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -dcq "$file" ;;
	*) cat "$file" ;;
	esac >"$1"
}

# flip FILE PLACE: another byte at this place, from the end if it is negative.
flip() {
	local file=$1 place=$2 byte
	[ "$place" -ge 0 ] || place=$(($(stat -c %s "$file") + place))
	byte=$(od -An -tu1 -j "$place" -N 1 "$file")
	# shellcheck disable=SC2059 # the format is the byte
	printf "$(printf '\\x%02x' $((byte ^ 1)))" | dd of="$file" bs=1 seek="$place" conv=notrunc status=none
}

# The module, its signature, 12 bytes of which the last four are the signature's length, and 28 that mark all this.
unsign() {
	local file=$1 length
	length=$(tail -c 32 "$file" | head -c 4 | od -An -tu4 --endian=big)
	truncate -s "-$((length + 12 + 28))" "$file"
}

# refused FILE: with the reason on stdout.
refused() { ! insmod "$1" 2>&1 && none_loaded; }

refusals() {
	plain_module /tmp/bare.ko
	cp /tmp/bare.ko /tmp/signature.ko
	cp /tmp/bare.ko /tmp/code.ko
	unsign /tmp/bare.ko
	flip /tmp/signature.ko -100
	flip /tmp/code.ko 4096
	point "a module without its signature is refused" refused /tmp/bare.ko
	show
	point "one whose signature was changed is refused" refused /tmp/signature.ko
	show
	point "one whose code was changed is refused" refused /tmp/code.ko
	show
}

echo "TAP version 13"
if [ "$mode" != plain ]; then
	point "efivarfs and securityfs are there" mounted
	point "Secure Boot is on, and the kernel is locked down" locked
	point "DKMS has signed the modules" signer
	refusals
fi
case $mode in
stranger)
	refused_all() { ! modprobe vpv_pci 2>&1 && none_loaded; }
	point "the key of DKMS is not enrolled" enrolled 'is not enrolled'
	point "modules that it has signed are refused" refused_all
	show
	;;
*)
	[ "$mode" = plain ] || point "the key of DKMS is enrolled" enrolled 'is already enrolled'
	[ "$mode" != plain ] || point "apt installs vpvctl and the personas, for which no compiler is needed" again
	point "modprobe loads every module that was built" load
	point "vpvctl bind gives a function to the driver of its family" give
	point "vpvctl list shows it" list
	point "vpvctl describe opens it, with the persona that was chosen" choose
	point "vpvctl unbind gives it back" take
	point "driver_override and drivers_probe give it to the driver, too" by_hand
	point "and it is given back again" take
	point "modprobe -r removes all modules" unload
	point "apt removes the packages" removed
	point "and nothing stays" nothing_stays
	;;
esac
echo "1..$n"
