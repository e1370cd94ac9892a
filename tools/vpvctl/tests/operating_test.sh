# SPDX-License-Identifier: GPL-2.0
# The commands of Documentation/operating.rst, as they stand there: none is used wrongly.  What they do is in the other files.
fresh
for name in vpv_hisi_like native; do fake driver $name; done
fake alias 'v00001234d00007610sv*sd*bc*sc*i* vpv_hisi_like'
fake fn 0000:05:00.0 group=3 driver=native state=RUNNING features=stop-copy,p2p versions=hisi_like:1:1:1 persona=default
mkdir "$T/page"
start_kernel native=native
run describe 0000:05:00.0
cp "$T/out" "$T/page/source.json"
cp "$T/out" "$T/page/target.json"

vpvctl() { VPVCTL_ROOT=$R timeout 2 "$VPVCTL" "$@" </dev/null; }
hostname() { echo host-a; }
# try COMMAND: done (0), or failed (1); 124 for those that go on until they are stopped.
try() {
	local status=0
	(cd "$T/page" && eval "${1//\/etc\/nova\/nova.conf.d\//}") >"$T/out" 2>"$T/err" || status=$?
	case "$status $1" in
	[01]\ * | "124 vpvctl watch"* | "124 vpvctl record"*) ;;
	*) return 1 ;;
	esac
}
while read -r command; do
	if try "$command"; then
		result "$command" ""
	else
		result "$command" "is refused"
	fi
done < <(sed -n 's/^    \(vpvctl .*\)/\1/p' "$here/../../../Documentation/operating.rst" | sed 's/ *#.*//' | sort -u)
stop_kernel
unset -f vpvctl hostname try
