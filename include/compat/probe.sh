#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# probe.sh OUT 'CC FLAGS' SOURCE...: for each SOURCE, probes/<api>.c, that
# compiles, defines VPV_HAVE_<API> in the header OUT.  Why one failed stands in
# OUT's neighbour <api>.log.
set -eu
out=$1 compile=$2
shift 2
dir=$(dirname "$out")
mkdir -p "$dir"
{
	echo "/* What the target kernel offers; written by include/compat/probe.sh. */"
	for src; do
		api=$(basename "$src" .c)
		name=VPV_HAVE_$(echo "$api" | tr 'a-z-' 'A-Z_')
		# The flags come from Kbuild, quoted for a shell.  With -w, gcc 12 would take what is not declared.
		if eval "$compile" -DVPV_PROBING -Wno-error -Werror=implicit-function-declaration \
			-Werror=incompatible-pointer-types -Werror=int-conversion \
			-c -o "'$dir/$api.probe'" "'$src'" >"$dir/$api.log" 2>&1; then
			echo "#define $name 1"
			rm -f "$dir/$api.log"
		else
			echo "/* $name is not set */"
		fi
		rm -f "$dir/$api.probe" "$dir/.$api.probe.d" "$dir"/.*.probe.d
	done
} >"$out.tmp"
mv "$out.tmp" "$out"
