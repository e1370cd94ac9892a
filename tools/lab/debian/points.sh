# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# TAP of scripts that run in a Debian installation with the packages. Sourced.
n=0

# point NAME COMMAND...: one line of TAP, and the end of the output if it fails.
point() {
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >/tmp/out 2>&1; then
		echo "ok $n $name"
	else
		echo "not ok $n $name"
		tail -n 25 /tmp/out | sed 's/^/# /'
	fi
}

# What the last point has said.
show() { sed 's/^/# /' /tmp/out; }

# Of the conf alone, so that what is built is compared with what was to be built.
modules() { sed -n 's/^BUILT_MODULE_NAME\[.*\]="\(.*\)"/\1/p' /usr/src/vpv-[0-9]*/dkms.conf | sort; }
