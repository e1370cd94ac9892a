# SPDX-License-Identifier: GPL-2.0
# record and plot: what a migration leaves behind, and its picture.
DEV=0000:00:05.0
fresh
echo host-a >"$R/proc/sys/kernel/hostname"
state() { # STATE SESSIONS
	fake fn $DEV group=3 driver=vpv_hisi_like vfio=vfio0 "state=$1" "sessions=$2"
}
cd "$T" || exit 1

# What was before the record is no part of it; --once ends it when all run again.
state RUNNING 'save result 0 bytes 700 records 3;load none'
seen() { # TEXT: wait until it is in the record
	for _ in {1..1000}; do
		grep -q "$1" out && return
		sleep 0.02
	done
}
: >out
(
	at=$R/sys/kernel/debug/vpv_migration/$DEV
	seen '"RUNNING"'
	for step in 'PRE_COPY -115 1000 9500 700' 'PRE_COPY -115 1000 9000 600' 'STOP_COPY -115 5000 4000 0' 'STOP 0 6000 0 0' \
		'RUNNING 0 6000 0 0'; do
		sleep 0.3
		read -r name result bytes rest dirty <<<"$step"
		echo "save result $result bytes $bytes records 3 held 0 waited 0 rest $rest dirty $dirty" >"$at/sessions.new"
		mv "$at/sessions.new" "$at/sessions"
		seen "\"saved\": *$bytes.*\"to_come\": *$rest.*\"dirty\": *$dirty"
		echo "$name" >"$at/state.new" && mv "$at/state.new" "$at/state"
		seen "\"$name\""
	done
) &
changer=$!
run record --once --interval 20 $DEV
status=$?
wait $changer
mv out kept.jsonl
cat >record.py <<'PY'
import json
lines = [json.loads(line) for line in open("kept.jsonl")]
head, *rest = lines
assert head["vpvctl_record"] == 1 and head["host"] == "host-a" and head["start"] > 1e9, head
assert [l["state"] for l in rest if "state" in l] == ["RUNNING", "PRE_COPY", "STOP_COPY", "STOP", "RUNNING"], rest
assert [(l["saved"], l["save"], l["to_come"], l["dirty"]) for l in rest if "saved" in l] == [
    (1000, "running", 9500, 700), (1000, "running", 9000, 600), (5000, "running", 4000, 0), (6000, "complete", 0, 0)], rest
assert rest[-1]["end"] and all(a["t"] <= b["t"] for a, b in zip(rest, rest[1:])), rest
assert 0.9 < rest[-1]["t"] < 30, rest[-1]
PY
holds "record" python3 record.py
holds "ends when all run again" [ "$status" = 0 ]
fake fn 0000:00:06.0 group=4
expect "no function" 1 '' 'no migration state' record 0000:00:06.0

cat >picture.py <<'PY'
import sys, xml.etree.ElementTree as tree
S = "{http://www.w3.org/2000/svg}"
root = tree.parse("picture.svg").getroot()
boxes = [box.findtext(S + "title") for box in root.iter(S + "rect") if box.find(S + "title") is not None]
texts = ["".join(text.itertext()) for text in root.iter(S + "text")]
curves = [line.get("class") for line in root.iter(S + "polyline")]
numbers = [float(item.get(key)) for item in root.iter() for key in ("x", "y", "x1", "x2", "y1", "y2") if item.get(key)]
assert all(0 <= n <= float(root.get("height")) + 1000 for n in numbers)
sys.exit(not eval("(" + sys.argv[1] + ")"))
PY
picture() { run plot --output picture.svg "${@:3}"; holds "plot: $1" python3 picture.py "$2"; }
picture "states and device state" '[b.split()[1] for b in boxes][:5] == ["RUNNING", "PRE_COPY", "STOP_COPY", "STOP", "RUNNING"] and
	curves == ["saved", "dirty"] and "dirty" in texts and "Live migration" in texts' kept.jsonl
picture "the pause, larger" 'any("while the guest is stopped (" in t for t in texts) and any("guest stopped for" in t for t in texts)' kept.jsonl
picture "title" '"A <b> & c" in texts' --title 'A <b> & c' kept.jsonl

# Two hosts, on both of which the function has the same address; the guest is the record's who knows it.
cat >source.jsonl <<'LINES'
{"vpvctl_record": 1, "start": 1000.0, "host": "a", "work": "Operations", "note": "as QEMU says"}
{"t": 0, "device": "0000:00:05.0", "label": "source", "state": "RUNNING", "work": 5}
{"t": 1, "device": "0000:00:05.0", "state": "PRE_COPY", "round": 400, "work": 9}
{"t": 2, "guest": "stopped"}
{"t": 2, "device": "0000:00:05.0", "state": "STOP_COPY", "saved": 1000, "memory": 500}
{"t": 3, "device": "0000:00:05.0", "state": "STOP", "saved": 2000, "memory": 900}
{"t": 4.5, "guest": "running"}
{"t": 6, "end": true}
LINES
cat >target.jsonl <<'LINES'
{"vpvctl_record": 1, "start": 1001.5, "host": "b"}
{"t": 0, "device": "0000:00:05.0", "label": "destination", "state": "RESUMING", "loaded": 10}
{"t": 3, "device": "0000:00:05.0", "state": "RUNNING", "loaded": 2000, "work": 9, "new": {"a": 1}}
{"t": 4, "device": "0000:00:05.0", "work": 12}
LINES
picture "two hosts" '[b.split(": ")[1] for b in boxes if " for " in b][:5] == ["RUNNING for 1.0 s", "PRE_COPY for 1.0 s",
	"STOP_COPY for 1.0 s", "STOP for 3.0 s", "RESUMING for 3.0 s"] and "round of pre-copy, 400 bytes" in boxes and
	sorted(curves) == ["loaded", "saved", "saved", "work", "work2"] and "dirty" not in texts and "as QEMU says" in texts and "destination" in texts and
	"Operations [count]" in texts and any("(2.5 s)" in t for t in texts)' source.jsonl target.jsonl
expect "to stdout" 0 '^<\?xml.*</svg>.$' '' plot kept.jsonl
head -c -10 kept.jsonl >cut.jsonl
expect "a record that was cut off" 0 '</svg>' '' plot cut.jsonl
head -n 1 kept.jsonl >head.jsonl
expect "a record of nothing" 0 '</svg>' '' plot head.jsonl

bad() { # NAME TEXT PATTERN
	printf '%b' "$2" >bad.jsonl
	expect "not a record: $1" 1 '' "$3" plot bad.jsonl
}
H='{"vpvctl_record": 1, "start": 5}\n'
bad "empty" '' 'no record of format 1'
bad "no JSON" 'hello\n' 'no record of format 1'
bad "another format" '{"vpvctl_record": 2, "start": 5}\n' 'no record of format 1'
bad "no start" '{"vpvctl_record": 1}\n' 'line 1: a number is missing'
bad "no JSON inside" "${H}x\n" 'line 2: no JSON object'
bad "a list" "${H}[]\n" 'line 2: no JSON object'
bad "no time" "${H}{\"device\": \"a\"}\n" 'line 2: a number is missing'
bad "negative time" "${H}{\"t\": -1}\n" 'line 2: a number is out'
bad "no finite time" "${H}{\"t\": 1e999}\n" 'line 2: a number is out|line 2: no JSON'
bad "far away" "${H}{\"t\": 1e18}\n" 'line 2: a number is out'
bad "text for a number" "${H}{\"t\": 1, \"device\": \"a\", \"saved\": \"x\"}\n" 'line 2: a number is missing'
bad "unknown state" "${H}{\"t\": 1, \"device\": \"a\", \"state\": \"x\"}\n" 'line 2: no state has this name'
bad "back in time" "${H}{\"t\": 2, \"memory\": 1}\n{\"t\": 1, \"memory\": 1}\n" 'line 3: its time is before'
bad "too many functions" "$H$(for i in $(seq 65); do printf '{"t": 1, "device": "%s"}\\n' "$i"; done)" 'too many functions'
cp source.jsonl bad.jsonl
expect "the later record first" 1 '' 'begins before the first record' plot target.jsonl source.jsonl
# A long record of many functions, and counters of which a double has no next one.
python3 - <<'PY'
with open("long.jsonl", "w") as f:
    f.write('{"vpvctl_record": 1, "start": 5}\n')
    f.writelines('{"t": %d, "memory": %d, "more": "%s"}\n' % (i, i, "x" * 1000000) for i in range(20))
PY
expect "a long record" 0 '</svg>' '' plot long.jsonl
rm long.jsonl
printf "$H"'{"t": 1, "device": "a", "work": 1e19}\n{"t": 2, "device": "a", "work": 1e19}\n' >still.jsonl
run plot --output picture.svg still.jsonl
holds "work that stands still" sh -c '! grep nan picture.svg'
expect "no record given" 2 '' 'give a record' plot
expect "cannot be written" 1 '' 'cannot write' plot --output /nowhere/x kept.jsonl
cd "$here" || exit 1
