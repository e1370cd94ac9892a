# SPDX-License-Identifier: GPL-2.0
fresh
fake fn 0000:00:05.0 group=3
fake fn 0000:00:06.0 group=4
# shellcheck disable=SC1091
. "$here/../vpvctl.bash"

# complete NAME "WORDS SPLIT AS READLINE DOES" LINE EXPECTED
completes() {
	# shellcheck disable=SC2206
	COMP_WORDS=($2) COMP_LINE=$3 COMP_POINT=${#3} COMPREPLY=()
	case $3 in *' ') COMP_WORDS+=("") ;; esac
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	VPVCTL_ROOT=$R _vpvctl
	result "$1" "$([ "${COMPREPLY[*]}" = "$4" ] || echo "got '${COMPREPLY[*]}'")"
}

: >"$T/out" >"$T/err"
completes "command" "vpvctl de" "vpvctl de" "describe"
completes "options" "vpvctl bind --" "vpvctl bind --" "--json --help --timeout"
completes "devices" "vpvctl bind " "vpvctl bind " "0000:00:05.0 0000:00:06.0"
completes "formats" "vpvctl describe --format no" "vpvctl describe --format no" "nova"
completes "behind a colon" "vpvctl bind 0000 : 00 : 0" "vpvctl bind 0000:00:0" "05.0 06.0"
completes "verbs" "vpvctl stream sh" "vpvctl stream sh" "show"
completes "personas" "vpvctl persona se" "vpvctl persona se" "set"
completes "device of persona set" "vpvctl persona set 0000 : 00 : 05" "vpvctl persona set 0000:00:05" "05.0"
# The name of a file is never run, and one with a blank is one word.
mkdir -p "$T/files"
# shellcheck disable=SC2016
touch "$T/files/"'$(touch ran).json' "$T/files/a b.json" "$T/files/x.json"
cd "$T/files" || exit 1
# shellcheck disable=SC2016
completes "file whose name is a command" 'vpvctl plot $' 'vpvctl plot $' '$(touch ran).json'
holds "that was not run" [ ! -e ran ]
completes "file with a blank" "vpvctl compat a" "vpvctl compat a" "a b.json"
completes "file beside devices" "vpvctl compat x" "vpvctl compat x" "x.json"
cd "$here" || exit 1
