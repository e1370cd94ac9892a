# SPDX-License-Identifier: GPL-2.0
# bash completion of vpvctl

_vpvctl_devices() {
	local dev
	for dev in "${VPVCTL_ROOT:-}"/sys/bus/pci/devices/*; do
		[ -e "$dev" ] && echo "${dev##*/}"
	done
}

_vpvctl_files() { compgen -f -- "$1"; }

_vpvctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} cmd='' word options='' words='' lists='' line=${COMP_LINE:0:COMP_POINT}
	# Addresses have colons, at which readline cuts words.
	local whole=${line##*[[:space:]]} cut=0

	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		bind | compat | describe | doctor | list | persona | plot | record | stream | unbind | watch)
			cmd=$word
			break
			;;
		esac
	done
	case $cmd in
	"") options=--version words='bind compat describe doctor list persona plot record stream unbind watch' ;;
	bind) options=--timeout lists=devices ;;
	unbind) options='--no-probe --timeout' lists=devices ;;
	describe) options='--format --open' words='kubevirt nova prometheus' lists=devices ;;
	doctor) options=--open lists=devices ;;
	compat) options='--matrix --open' lists='devices files' ;;
	list) options='--bound --open' ;;
	watch) options='--count --interval' lists=devices ;;
	plot) options='--output --title' lists=files ;;
	record) options='--interval --once' lists=devices ;;
	stream) options='--family --max-record --oldest --persona --state-version' words='show check -' lists=files ;;
	persona)
		options='--bar --config --device --name --output'
		words='capture check compile decompile default diff set show' lists='devices files'
		;;
	esac
	[[ $whole == -* ]] && words="--json --help $options" lists=''
	[[ $whole != "$cur" ]] && cut=$((${#whole} - ${#cur}))
	# Not compgen -W: it expands its words, and so runs a command in the name of a file.
	COMPREPLY=()
	while IFS= read -r word; do
		[[ -n $word && $word == "$whole"* ]] && COMPREPLY+=("${word:cut}")
	done < <(
		# shellcheck disable=SC2086
		printf '%s\n' $words
		for word in $lists; do "_vpvctl_$word" "$whole"; done
	)
}

complete -o filenames -F _vpvctl vpvctl
