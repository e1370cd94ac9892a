# SPDX-License-Identifier: GPL-2.0
DEV=0000:00:05.0
fresh
fake fn $DEV group=3 driver=vpv_hisi_like vfio=vfio0
expect "debugfs is empty" 1 '' 'no migration state: neither vpv_migration nor VFIO' watch --count 1
expect "for a device, too" 1 '' "$DEV: no migration state" watch --count 1 $DEV

fake fn $DEV group=3 driver=vpv_hisi_like vfio=vfio0 state=PRE_COPY \
	'sessions=save result -115 bytes 1000 records 0;load none'
fake fn 0000:00:06.0 group=4 driver=vpv_hisi_like vfio=vfio1 state=ERROR \
	'sessions=save none;load result -74 bytes 55 records 3' 'error=record checksum: expected 1, found 2'
expect "a line a function" 0 "Z $DEV PRE_COPY +save running 1000 bytes 0 bytes/s
.*0000:00:06.0 ERROR +load Bad message 55 bytes  last error: record checksum" '' watch --count 1
cp "$T/out" "$T/lines"
holds "no escape sequences" sh -c '! LC_ALL=C grep -q "[^ -~]" "$1"' sh "$T/lines"
expect "the device named" 0 "Z $DEV PRE_COPY" '' watch --count 1 $DEV
holds "and no other" [ "$(wc -l <"$T/out")" = 1 ]
json "as JSON" 0 'd["device"] == "0000:00:06.0" and d["state"] == "ERROR" and d["save"] is None and
	d["load"] == {"result": "Bad message", "errno": -74, "bytes": 55, "records": 3, "bytes_per_second": 0} and
	d["last_error"].startswith("record checksum")' watch --count 1 0000:00:06.0
expect "--count" 0 "$DEV PRE_COPY" '' watch --count 3 --interval 10 $DEV
holds "is the number of lines" [ "$(wc -l <"$T/out")" = 3 ]

(sleep 0.3; echo 'save result -115 bytes 51000 records 0' >"$R/sys/kernel/debug/vpv_migration/$DEV/sessions") &
changer=$!
run --json watch --count 4 --interval 200 $DEV
wait $changer
mv "$T/out" "$T/samples"
holds "rates" python3 -c "import json
rates = [json.loads(line)['save']['bytes_per_second'] for line in open('$T/samples')]
assert rates[0] == 0 and 100000 < max(rates) < 300000 and rates.count(0) == 3, rates"

rm -r "$R/sys/kernel/debug/vpv_migration"
fake fn $DEV group=3 features=stop-copy
echo STOP_COPY >"$R/sys/kernel/debug/vfio/$DEV/migration/state"
expect "a driver of the kernel" 0 "$DEV STOP_COPY" '' watch --count 1
