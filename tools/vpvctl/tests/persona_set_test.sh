# SPDX-License-Identifier: GPL-2.0
# vpvctl persona set, with a made-up driver behind a FIFO (fake.py driver-of-personas).
# shellcheck disable=SC2154	# here, T and R are run.sh's
DEV=0000:01:00.0
map=$here/../maps/hisi_like-v1.map
sum=$(cat "$here/digests/hisi_like-v1")
files=$R/lib/firmware/vpv
sys=$R/sys/bus/pci/devices/$DEV

device_with() { # LINES OF BUILT-IN PERSONAS
	fresh
	fake driver vpv_hisi_like
	fake fn $DEV group=3 driver=vpv_hisi_like vfio=vfio0 persona=default "personas=$1"
	python3 "$here/persona_config.py" hisi "$sys/config"
	{
		printf '0x0 0x0 0x0\n%.0s' 0 1
		echo "0xe0000000 0xe003ffff 0x140204"
		echo "0x0 0x0 0x0"
		echo "0xe0040000 0xe0043fff 0x140204"
	} >"$sys/resource"
}

device_with "hisi_like-v1 1 $sum;other 3 $(printf '%064d' 3)"
start_fake driver-of-personas $DEV
expect "a persona of the driver" 0 "^$DEV: shows other version 3" '' persona set $DEV other
json "as JSON" 0 "d == {'device': '$DEV', 'ok': True, 'installed': None, 'error': None,
	'persona': {'name': 'hisi_like-v1', 'version': 1, 'digest': '$sum'}}" persona set 01:00.0 hisi_like-v1
expect "back to the default" 0 'shows its own config space' '' persona set $DEV default
expect "a file of the driver's own persona" 0 'shows hisi_like-v1 version 1' '' persona set $DEV "$map"
holds "is not installed" [ ! -e "$files" ]
sed 's/^persona .*/persona other version 9/' "$map" >"$T/other.map"
expect "another one of that name" 1 '' "$DEV: vpv_hisi_like has a persona other of its own.*version 3" \
	persona set $DEV "$T/other.map"
expect "a name that leads nowhere" 1 '' 'does not show nowhere' persona set $DEV nowhere
stop_kernel

device_with ""
start_fake driver-of-personas $DEV
sed 's/^persona .*/persona mine version 1/' "$map" >"$T/mine.map"
expect "a map" 0 'shows mine version 1' '' persona set $DEV "$T/mine.map"
run persona compile "$map" --output "$T/blob"
expect "is installed, compiled" 0 'good: mine version 1' '' persona check "$files/mine.persona"
holds "readable by all, and alone" [ "$(stat -c %a "$files/mine.persona") $(find "$files" -type f | wc -l)" = "644 1" ]
expect "again" 0 'shows mine version 1' '' persona set $DEV "$T/mine.map"
json "a compiled one" 0 "d['installed'].endswith('/lib/firmware/vpv/hisi_like-v1.persona') and
	d['persona']['digest'] == '$sum'" persona set $DEV "$T/blob"
cp "$T/mine.map" "$T/changed.map"
sed -i 's/^latency.*/latency fixed 0/' "$T/changed.map"
cp "$files/mine.persona" "$T/before"
expect "other content with the same version" 1 '' 'mine.persona has version 1 with other content: raise the version' \
	persona set $DEV "$T/changed.map"
holds "changes nothing" cmp "$T/before" "$files/mine.persona"
sed -i 's/version 1$/version 2/' "$T/changed.map"
expect "a later version" 0 'shows mine version 2' '' persona set $DEV "$T/changed.map"
sed 's/^persona .*/persona default version 1/' "$map" >"$T/bad.map"
expect "a persona called default" 1 '' "cannot be called 'default'" persona set $DEV "$T/bad.map"
sed 's/^latency.*/latency/' "$map" >"$T/bad.map"
expect "an error in the map" 1 '' "$DEV: .*bad.map:20:8: expected 'hw'" persona set $DEV "$T/bad.map"
sed 's/^bar 2.*/bar 2 mem64 1M/' "$map" >"$T/bad.map"
expect "what the device cannot keep" 1 '' 'bad.map:23:1: BAR is larger.*expected 0x40000, found 0x100000' \
	persona set $DEV "$T/bad.map"
json "failure as JSON" 1 'not d["ok"] and "BAR is larger" in d["error"] and d["persona"] is None and
	d["installed"] is None' persona set $DEV "$T/bad.map"
expect "no such file" 1 '' 'none.map: No such file' persona set $DEV "$T/none.map"
stop_kernel

# The driver refuses: what was installed goes again.
device_with ""
ln -sf /dev/full "$sys/vpv/persona"
expect "refused" 1 '' "$DEV: vpv_hisi_like refuses mine: No space left" persona set $DEV "$T/mine.map"
holds "the file is gone" [ -z "$(ls -A "$files")" ]
cp "$T/before" "$files/mine.persona"
expect "refused again" 1 '' 'refuses mine' persona set $DEV "$T/changed.map"
holds "the file from before is back" cmp "$T/before" "$files/mine.persona"
head -c 70000 /dev/zero >"$files/mine.persona"
expect "what could not be put back is not replaced" 1 '' 'mine.persona: larger than 65536 bytes' persona set $DEV "$T/mine.map"
holds "and still there" [ "$(stat -c %s "$files/mine.persona")" = 70000 ]

device_with ""
rm -r "$sys/vpv"
expect "another driver" 1 '' "no driver that shows personas has it: vpvctl bind $DEV" persona set $DEV other
expect "no such function" 1 '' 'there is no PCI function 0000:02:00.0' persona set 02:00.0 other

while IFS='|' read -r name arguments message; do
	# shellcheck disable=SC2086
	expect "arguments: $name" 2 '' "$message" persona set $arguments
done <<CASES
none||usage: persona set
no persona|$DEV|usage: persona set
too many|$DEV a b|usage: persona set
name|$DEV 1x|name '1x' is not
long name|$DEV a1234567890123456789012345678901|name is longer
no address|x y|no PCI address
option of another|$DEV y --output z|set does not take
CASES
