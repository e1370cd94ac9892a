# SPDX-License-Identifier: GPL-2.0
DEV=0000:00:05.0
fresh
fake fn $DEV group=3 driver=vpv_hisi_like vfio=vfio0
expect "debugfs is empty" 1 '' 'no migration state: neither vpv_migration nor VFIO' watch --count 1
expect "for a device, too" 1 '' "$DEV: no migration state" watch --count 1 $DEV

fake fn $DEV group=3 driver=vpv_hisi_like vfio=vfio0 state=PRE_COPY \
	'sessions=save result -115 bytes 1000 records 0 held 9 waited 8 rest 7000 dirty 600;load none'
fake fn 0000:00:06.0 group=4 driver=vpv_hisi_like vfio=vfio1 state=ERROR \
	'sessions=save none;load result -74 bytes 55 records 3' 'error=record checksum: expected 1, found 2'
expect "a line a function" 0 "Z $DEV PRE_COPY +save running 1000 bytes 0 bytes/s 7000 to come .600 dirty.
.*0000:00:06.0 ERROR +load Bad message 55 bytes  last error: record checksum" '' watch --count 1
cp "$T/out" "$T/lines"
holds "no escape sequences" sh -c '! LC_ALL=C grep -q "[^ -~]" "$1"' sh "$T/lines"
expect "the device named" 0 "Z $DEV PRE_COPY" '' watch --count 1 $DEV
holds "and no other" [ "$(wc -l <"$T/out")" = 1 ]
json "as JSON" 0 'd["device"] == "0000:00:06.0" and d["state"] == "ERROR" and d["save"] is None and
	d["load"] == {"result": "Bad message", "errno": -74, "bytes": 55, "records": 3, "bytes_per_second": 0, "bytes_to_come": 0, "bytes_dirty": 0} and
	d["last_error"].startswith("record checksum")' watch --count 1 0000:00:06.0
expect "--count" 0 "$DEV PRE_COPY" '' watch --count 3 --interval 10 $DEV
holds "is the number of lines" [ "$(wc -l <"$T/out")" = 3 ]

rm "$T/out"
(until [ -s "$T/out" ]; do sleep 0.02; done; echo 'save result -115 bytes 51000 records 0 held 9 waited 8 rest 7000 dirty 600' >"$R/sys/kernel/debug/vpv_migration/$DEV/sessions") &
changer=$!
run --json watch --count 12 --interval 200 $DEV
wait $changer
mv "$T/out" "$T/samples"
# A look that comes late is nearer to the next one.
holds "rates" python3 -c "import json, datetime
samples = [json.loads(line) for line in open('$T/samples')]
rates = [s['save']['bytes_per_second'] for s in samples]
times = [datetime.datetime.fromisoformat(s['time'].replace('Z', '+00:00')).timestamp() for s in samples]
k = rates.index(max(rates))
assert k and rates.count(0) == 11 and abs(rates[k] * (times[k] - times[k - 1]) - 50000) < 5000, (rates, times)"

holds "what is to come" python3 -c "import json
samples = [json.loads(line)['save'] for line in open('$T/samples')]
assert all((s['bytes_to_come'], s['bytes_dirty']) == (7000, 600) for s in samples), samples"
# A driver of before tells the sum only.
(until [ -s "$T/out" ]; do sleep 0.02; done; echo 'save result -115 bytes 71000 records 0 held 9 waited 8 rest 7000' >"$R/sys/kernel/debug/vpv_migration/$DEV/sessions") &
changer=$!
expect "and when it will have come" 0 '7000 to come in 0\.[0-9] s' '' watch --count 12 --interval 200 $DEV
wait $changer

rm -r "$R/sys/kernel/debug/vpv_migration"
fake fn $DEV group=3 features=stop-copy
echo STOP_COPY >"$R/sys/kernel/debug/vfio/$DEV/migration/state"
expect "a driver of the kernel" 0 "$DEV STOP_COPY" '' watch --count 1

# On a terminal: the other screen, one line a function, cut at the edge, and the terminal as it was.
fresh
for i in 1 2 3 4 5 6; do
	fake fn 0000:00:0$i.0 group=$i driver=vpv_hisi_like vfio=vfio$i state=PRE_COPY \
		'sessions=save result -115 bytes 5000000 records 0 held 9 waited 8 rest 4000 dirty 2048;load result -74 bytes 55 records 3' "error=a long line of text"
done
on_terminal() { VPVCTL_ROOT=$R timeout 60 python3 "$here/terminal.py" "$@" >"$T/out" 2>"$T/err" </dev/null; }
screen() { # NAME STATUS EXPRESSION PTY-ARGUMENTS...
	local status
	on_terminal "${@:4}"; status=$?
	mv "$T/out" "$T/shown"
	holds "$1" python3 -c "import re
raw = open('$T/shown', 'rb').read().decode()
frames = [re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', f).split('\r\n') for f in raw.split('\x1b[H')[1:]]
assert $status == $2, $status
assert raw.startswith('\x1b[?1049h\x1b[?25l') and raw.rstrip().endswith('\x1b[?25h\x1b[?1049l'), raw
assert ($3), frames"
}
screen "a screen" 0 'len(frames) == 2 and "6 functions, 6 not in RUNNING" in frames[0][0] and
	"4.8 MiB 0 B/s" in frames[0][3] and "Bad message" in frames[0][3] and "TO COME" in frames[0][2] and
	frames[0][3].index("3.9 KiB") == frames[0][2].index("TO COME") and
	frames[0][3].index("2.0 KiB") == frames[0][2].index("DIRTY")' 120 30 '' "$VPVCTL" watch --count 2 --interval 50
screen "a small one" 0 'max(map(len, frames[0])) <= 40 and frames[0][-1] == "3 more"' 40 7 '' "$VPVCTL" watch --count 1
screen "q leaves" 0 'len(frames) >= 1' 80 24 q "$VPVCTL" watch --interval 100
screen "so does ^C" 0 'len(frames) >= 1' 80 24 ^C "$VPVCTL" watch --interval 100
