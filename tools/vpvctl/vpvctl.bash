# SPDX-License-Identifier: GPL-2.0
# bash completion of vpvctl

_vpvctl_devices() {
	local dev
	for dev in "${VPVCTL_ROOT:-}"/sys/bus/pci/devices/*; do
		[ -e "$dev" ] && echo "${dev##*/}"
	done
}

_vpvctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} cmd='' word options words='' line=${COMP_LINE:0:COMP_POINT}
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
	bind) options=--timeout words=$(_vpvctl_devices) ;;
	unbind) options='--no-probe --timeout' words=$(_vpvctl_devices) ;;
	describe) options='--format --open' words="kubevirt nova prometheus $(_vpvctl_devices)" ;;
	doctor) options=--open words=$(_vpvctl_devices) ;;
	compat) options='--matrix --open' words="$(_vpvctl_devices) $(compgen -f -- "$whole")" ;;
	list) options='--bound --open' ;;
	watch) options='--count --interval' words=$(_vpvctl_devices) ;;
	plot) options='--output --title' words=$(compgen -f -- "$whole") ;;
	record) options='--interval --once' words=$(_vpvctl_devices) ;;
	stream)
		options='--family --max-record --oldest --persona --state-version'
		words="show check - $(compgen -f -- "$whole")"
		;;
	persona)
		options='--bar --config --device --name --output'
		words="capture check compile decompile default diff set show $(_vpvctl_devices) $(compgen -f -- "$whole")"
		;;
	esac
	[[ $whole == -* ]] && words="--json --help $options"
	[[ $whole != "$cur" ]] && cut=$((${#whole} - ${#cur}))
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$whole")
	COMPREPLY=("${COMPREPLY[@]#"${whole:0:cut}"}")
}

complete -o filenames -F _vpvctl vpvctl
