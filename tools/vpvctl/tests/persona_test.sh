# SPDX-License-Identifier: GPL-2.0
# vpvctl persona: maps, compiled ones, devices.
# shellcheck disable=SC2154	# here, T and R are run.sh's
maps=$here/../maps
P=$T/persona
mkdir -p "$P"
device() { python3 "$here/persona_config.py" "$1" "$P/$2" "${@:3}"; }
hisi="--bar 2=256K --bar 4=16K"

# The statements that every map needs, then those of stdin.
map() { # FILE
	{
		cat <<'MAP'
persona test version 1
vendor fixed 0x1234
device fixed 0x7610
revision fixed 1
class fixed 0x120000
subvendor fixed 0x1234
subdevice fixed 0x7610
command hw
status hw
MAP
		cat
	} >"$P/$1"
}

# Golden: the bytes of personas that we have published are for ever.
for map in "$maps"/*.map; do
	name=$(basename "$map" .map)
	digest=$(cat "$here/digests/$name")
	json "$name: digest" 0 "d['digest'] == '$digest'" persona show "$maps/$name.map"
	expect "$name: compile" 0 '' '' persona compile "$maps/$name.map" --output "$P/a"
	expect "$name: decompile" 0 '' '' persona decompile "$P/a" --output "$P/text"
	expect "$name: compile again" 0 '' '' persona compile "$P/text" --output "$P/b"
	holds "$name: same bytes" cmp "$P/a" "$P/b"
	expect "$name: decompile again" 0 '' '' persona decompile "$P/b" --output "$P/text2"
	holds "$name: same text" cmp "$P/text" "$P/text2"
	expect "$name: no difference" 0 '' '' persona diff "$maps/$name.map" "$P/b"
done

# A map with everything, whose statements are in another order than the blob's.
map all <<'MAP'
config 4096	# bytes
field 0x204:2 bits 0x0ff0 emulated 0x0120 write 0x0ff0 w1c 0x0f00
field 0x204:2 bits 0x000f callback doorbell write 0x3
field 0x200:4 callback alarm
header_type fixed 0x80
cardbus_cis fixed 0xdeadbeef
bist hidden
cache_line emulated 0x10 write 0xf0
interrupt_pin hw
min_grant fixed 1

bar 0 io 256
bar 1 mem1m 64K
bar 2 mem64 1T prefetch
bar 4 hidden
bar 5 mem32 16
rom 2K
cap 0xf0 0x09 size 8 from 3 {
	+0x02:1 fixed 8
	+0x04:4 hw write 0xff00
}
cap 0x40 msi size 16 {
	+0x02:2 hw
	+0x04:8 hw
	+0x0c:4 hw
}
cap 0x50 pcix size 8
cap 0x60 vndr size 4 from none
extcap 0x100 none version 0 size 4
extcap 0xff0 0x0003 version 1 size 12 from none {
	+0x04:4 fixed 1
}
extcap 0x200 dvsec version 15 size 4 from none
field 0x300:0x100 hw
field 0x800:256 hidden
MAP
sed -i '/^extcap 0x200/d; /^extcap 0x100/d; s/0xff0 0x0003/0x100 dsn/' "$P/all"
expect "all: compile" 0 '' '' persona compile "$P/all" --output "$P/a"
expect "all: decompile" 0 '' '' persona decompile "$P/a" --output "$P/text"
expect "all: compile again" 0 '' '' persona compile "$P/text" --output "$P/b"
holds "all: same bytes" cmp "$P/a" "$P/b"
expect "all: callback" 0 'field 0x204:2 bits 0x000f callback doorbell write 0x0003' '' \
	persona decompile "$P/a"
expect "all: emulated" 0 'bits 0x0ff0 emulated 0x0120 write 0x0ff0 w1c 0x0f00' '' \
	persona decompile "$P/a"
expect "all: which one" 0 'cap 0xf0 vndr size 8 from 3' '' persona decompile "$P/a"
expect "all: none" 0 'cap 0x60 vndr size 4 from none' '' persona decompile "$P/a"
expect "all: prefetch" 0 'bar 2 mem64 1T prefetch' '' persona show "$P/a"
json "all: JSON" 0 "(d['name'] == 'test' and d['bars'][-1]['index'] == 'rom' and
[f for f in d['fields'] if f.get('callback') == 'alarm'][0]['offset'] == 0x200 and
len(d['capabilities']) == 5)" persona show "$P/all"
printf 'persona x version 1' >"$P/crlf"
map crlf </dev/null
sed -i 's/$/\r/' "$P/crlf"
expect "lines of another system" 0 'good' '' persona check "$P/crlf"

# Errors of the language: the place, what was expected, what was found.
while IFS='|' read -r name text place; do
	printf '%b' "$text" >"$P/wrong"
	expect "language: $name" 1 '' "^[^:]*/wrong:$place" persona check "$P/wrong"
done <<'CASES'
empty file||1:1: expected 'persona', found the end of the file
comment only|# x\n\n|3:1: expected 'persona', found the end of the file
other begin|config 256\n|1:1: expected 'persona', found 'config'
no name|persona\n|1:8: expected the name of the persona .*, found the end of the line
name with a slash|persona a/b version 1\n|1:9: expected the name .*, found 'a/b'
name too long|persona a23456789012345678901234567890123 version 1\n|1:9: expected the name .*at most 31
no version|persona x\n|1:10: expected 'version', found the end of the line
version too large|persona x version 4294967296\n|1:19: expected a version .*, found '4294967296'
octal|persona x version 010\n|1:19: expected a version
word for a number|persona x version one\n|1:19: expected a version
more behind|persona x version 1 2\n|1:21: expected the end of the line, found '2'
unknown statement|persona x version 1\nbars 2\n|2:1: expected 'bar', 'cap'.* register of the header, found 'bars'
config twice|persona x version 1\nconfig 256\nconfig 256\n|3:1: expected 'config' only once
BAR number|persona x version 1\nbar 6 hidden\n|2:5: expected the number of a BAR .*up to 0x5\), found '6'
BAR type|persona x version 1\nbar 0 mem46 4K\n|2:7: expected 'hidden', 'io', .*, found 'mem46'
BAR size|persona x version 1\nbar 0 mem64 4Q\n|2:13: expected a size .*, found '4Q'
BAR size too large|persona x version 1\nbar 0 mem64 99999999999T\n|2:13: expected a size
BAR without size|persona x version 1\nbar 0 mem64\n|2:12: expected a size .*, found the end of the line
I/O prefetch|persona x version 1\nbar 0 io 4 prefetch\n|2:12: expected the end of the line \(I/O
BAR twice|persona x version 1\nbar 0 hidden\n  bar 0 hidden\n|3:3: expected each BAR once.*line 2
ROM twice|persona x version 1\nrom hidden\nrom 4K\n|3:1: expected each BAR once.*line 2
source|persona x version 1\nvendor 0x1234\n|2:8: expected 'hw', 'fixed', .*, found '0x1234'
value too large|persona x version 1\nrevision fixed 0x100\n|2:16: expected a value .*up to 0xff\), found '0x100'
class too large|persona x version 1\nclass fixed 0x1000000\n|2:13: expected a value .*up to 0xffffff\)
mask|persona x version 1\nlatency emulated 0 write x\n|2:26: expected a mask
write of fixed|persona x version 1\nlatency fixed 0 write 1\n|2:17: expected the end of the line, found 'write'
w1c before write|persona x version 1\nlatency emulated 0 w1c 1 write 1\n|2:26: expected the end of the line
callback name|persona x version 1\nlatency callback 1\n|2:18: expected the name of a callback .*, found '1'
capability name|persona x version 1\ncap 0x40 foo size 8\n|2:10: expected a capability: a name or id .*, found 'foo'
extended name|persona x version 1\nextcap 0x100 pm version 1 size 8\n|2:14: expected an extended capability.*, found 'pm'
no version of extended|persona x version 1\nextcap 0x100 dsn size 12\n|2:18: expected 'version', found 'size'
no size|persona x version 1\ncap 0x40 pm\n|2:12: expected 'size', found the end of the line
from 0|persona x version 1\ncap 0x40 pm size 8 from 0\n|2:25: expected 'none' or which one
cap behind extcap|persona x version 1\nextcap 0x100 dsn version 1 size 12\ncap 0x40 pm size 8\n|3:1: expected 'cap' before all 'extcap'
open brace|persona x version 1\ncap 0x40 pm size 8 {\n\t+2:2 hw\n|4:1: expected '\+OFFSET:BYTES' or '\}', found the end of the file
no plus|persona x version 1\ncap 0x40 pm size 8 {\n\t2:2 hw\n}\n|3:2: expected '\+OFFSET:BYTES'
no colon|persona x version 1\ncap 0x40 pm size 8 {\n\t+2 hw\n}\n|3:5: expected ':', found 'hw'
no number behind plus|persona x version 1\ncap 0x40 pm size 8 {\n\t+:2 hw\n}\n|3:3: expected an offset
text behind brace|persona x version 1\ncap 0x40 pm size 8 {\n} x\n|3:3: expected the end of the line, found 'x'
bits 0|persona x version 1\nfield 0x40:2 bits 0 hw\n|2:7: expected a mask that is not 0
bits too wide|persona x version 1\nfield 0x40:2 bits 0x10000 hw\n|2:19: expected a mask .*up to 0xffff\)
not ASCII|persona x version 1\nbar \0303\0244 hidden\n|2:5: expected ASCII text, found byte 0xc3
control character|persona x version 1\nbar \0001 hidden\n|2:5: expected ASCII text, found byte 0x01
CASES

# Errors of the persona, at the statement: line 10 is the first one.
while IFS='|' read -r name text place; do
	printf '%b' "$text" | map wrong
	expect "rule: $name" 1 '' "^[^:]*/wrong:$place" persona check "$P/wrong"
done <<'CASES'
config size|config 512\n|1:1: config space is not 256 or 4096
vendor twice|vendor fixed 1\n|10:1: bits are defined twice
command|field 4:1 hidden\n|10:7: bits are defined twice
BAR power|\nbar 0 mem32 3000\n|11:1: size of a BAR is not a power of two
BAR upper half|bar 0 mem64 4K\nbar 1 mem32 4K\n|10:1: upper half of a 64-bit BAR
BAR 5 64-bit|bar 5 mem64 4K\n|10:1: 64-bit BAR has no place
ROM small|rom 1K\n|10:1: BAR is too small
capability in the header|cap 0x3c pm size 8\n|10:1: capability is before the begin
capability beyond|cap 0xfc pm size 8\n|10:1: capability is beyond the end
loop|cap 0x40 pm size 8\ncap 0x40 vndr size 4\n|11:1: chain leads to the same place twice
overlap|cap 0x40 exp size 60\ncap 0x78 pm size 8\n|11:1: capability overlaps
too small|cap 0x40 msix size 8\n|10:1: capability is too small
too large|cap 0x40 msix size 16\n|10:1: capability is larger
never shown|extcap 0x100 0x1b version 1 size 8\n|10:1: capability of this kind is never shown
must be the hardware's|cap 0x40 pm size 8 from none\n|10:1: capability of this kind must be
twice|cap 0x40 pm size 8\ncap 0x50 pm size 8\n|11:1: capability of this kind is there twice
extended begin|extcap 0x110 dsn version 1 size 12\n|10:1: first extended capability
not aligned|field 0x41:2 hw\n|10:7: field is not aligned
odd size|field 0x40:3 hw\n|10:7: size of a field
in BARs|field 0x10:4 hw\n|10:7: bits are defined twice
begin of no chain|field 0x100:4 emulated 0 write 0xffffffff|10:7: bits are defined twice
value outside bits|field 0x40:2 bits 0xf fixed 0x10\n|10:7: value is not in the bits
w1c outside write|latency emulated 0 write 1 w1c 2\n|10:1: w1c mask is not in the write mask
leaves the capability|cap 0x40 pm size 8 {\n\t+4:8 hw\n}\n|11:3: range leaves its capability
write of read-only|cap 0x40 msix size 12 {\n\t+2:2 hw write 1\n}\n|11:3: write mask has bits that are read-only
effect|cap 0x40 pm size 8 {\n\t+4:2 emulated 0 write 3\n}\n|11:3: bits that have an effect
MSI-X BAR|cap 0x40 msix size 12 {\n+2:2 bits 0x7ff fixed 1\n+4:4 fixed 0\n+8:4 fixed 0x800\n}\n|10:1: MSI-X is in a BAR that is not shown
CASES
sed '/^subdevice/d' "$P/all" >"$P/wrong"
expect "rule: no subdevice" 1 '' 'wrong:1:1: subdevice is missing' persona check "$P/wrong"
sed 's/^command.*/command hw write 7/' "$P/all" >"$P/wrong"
expect "rule: command" 1 '' 'wrong:8:1: command is not just hw' persona check "$P/wrong"
json "error as JSON" 1 "not d['good'] and ':8:1: command' in d['error']" \
	persona check "$P/wrong"

# Compiled ones that are damaged.
expect "damaged: good" 0 'good: test version 1' '' persona check "$P/a"
head -c 500 "$P/a" >"$P/cut"
expect "damaged: cut" 1 '' 'cut: size is not' persona check "$P/cut"
{ cat "$P/a"; echo; } >"$P/more"
expect "damaged: longer" 1 '' 'more: size is not' persona show "$P/more"
{ head -c 300 "$P/a"; printf '\377'; tail -c +302 "$P/a"; } >"$P/flip"
expect "damaged: a byte" 1 '' 'flip: checksum is wrong' persona decompile "$P/flip"
head -c 2000000 /dev/zero >"$P/huge"
expect "damaged: huge" 1 '' 'larger than' persona show "$P/huge"
expect "no such file" 1 '' 'No such file' persona show "$P/none"
expect "a directory" 1 '' 'cannot be read' persona show "$P"
expect "cannot be written" 1 '' 'No such file' persona compile "$P/all" --output "$P/no/x"

# Differences.
sed 's/^revision.*/revision fixed 2/; /^min_grant/d; s/^bar 5.*/bar 5 hidden/' "$P/all" \
	>"$P/other"
expect "diff" 1 \
	'^- bar 5 mem32 16.\+ bar 5 hidden.- revision fixed 0x01.\+ revision fixed 0x02.- min_grant fixed 0x01.first byte that a user sees differently: 0x008 \(0x01, 0x02\)' '' \
	persona diff "$P/all" "$P/other"
json "diff as JSON" 1 "(not d['same'] and d['first_byte'] == 8 and
d['differences'][-1] == {'a': 'min_grant fixed 0x01', 'b': None})" persona diff "$P/all" "$P/other"
json "no difference as JSON" 0 "d == {'same': True, 'differences': [], 'first_byte': None}" \
	persona diff "$P/all" "$P/a"
sed 's/^cap 0x60 .*//; s/^cap 0x50 /cap 0x60 vndr size 4 from none\n&/' "$P/all" >"$P/other"
expect "diff of the order" 1 \
	'^- chain 0xf0 0x40 0x50 0x60.\+ chain 0xf0 0x40 0x60 0x50.first byte that a user sees differently: 0x041' '' persona diff "$P/all" "$P/other"
expect "diff with a broken one" 1 '' 'flip: checksum' persona diff "$P/all" "$P/flip"

# Devices: two firmwares of the same one, and generic ones.
for name in hisi hisi2 fw1 fw2 virtio nvme loop absent small; do
	device $name $name
done
v1=$maps/hisi_like-v1.map
# shellcheck disable=SC2086
{
expect "device: first firmware" 0 'can keep it' '' persona check "$v1" --config "$P/hisi" $hisi
expect "device: other firmware" 0 'can keep it' '' persona check "$v1" --config "$P/hisi2" \
	--bar 2=512K --bar 4=32K
expect "device: firmware 1 of the model" 0 'can keep it' '' persona check "$v1" --config "$P/fw1" $hisi
expect "device: firmware 2 of the model" 0 'can keep it' '' persona check "$v1" --config "$P/fw2" \
	--bar 2=512K --bar 4=16K
expect "device: virtio" 0 'can keep it' '' persona check "$maps/virtio-net-v1.map" \
	--config "$P/virtio" --bar 1=4K --bar 4=16K --bar rom=64K
expect "device: NVMe" 0 'can keep it' '' persona check "$maps/nvme-v1.map" \
	--config "$P/nvme" --bar 0=16K
expect "device: small BAR" 1 '' 'v1.map:23:1: BAR is larger.*expected 0x10000, found 0x20000' \
	persona check "$v1" --config "$P/hisi" --bar 2=64K --bar 4=16K
expect "device: no BAR" 1 '' 'v1.map:23:1: BAR that the device lacks' \
	persona check "$v1" --config "$P/hisi" --bar 4=16K
expect "device: one BAR more" 1 '' 'v1.map:7:1: BAR of the device that is not mentioned' \
	persona check "$v1" --config "$P/hisi" $hisi --bar 0=4K
device hisi fewer 0x7e:2=31
expect "device: vectors" 1 '' 'v1.map:44:1: more MSI-X.*expected 0x1f, found 0x3f' \
	persona check "$v1" --config "$P/fewer" $hisi
device hisi noflr 0x44:4=0x8021
expect "device: no FLR" 1 '' 'v1.map:26:1: PCI Express feature' \
	persona check "$v1" --config "$P/noflr" $hisi
expect "device: a chain that loops" 0 'can keep it' '' \
	persona check "$v1" --config "$P/loop" $hisi
expect "device: not there" 1 '' 'device does not answer' \
	persona check "$v1" --config "$P/absent" $hisi
expect "device: 256 bytes" 1 '' 'config space is larger' \
	persona check "$v1" --config "$P/small" $hisi
expect "compiled one and device" 0 '' '' persona compile "$v1" --output "$P/b"
expect "place in a compiled one" 1 '' '/b: capability at 0x7c: more MSI-X' \
	persona check "$P/b" --config "$P/fewer" $hisi
json "refusal as JSON" 1 "not d['good'] and 'more MSI-X' in d['error']" \
	persona check "$P/b" --config "$P/fewer" $hisi
json "good as JSON" 0 "d['good'] and d['device'] and len(d['digest']) == 64" \
	persona check "$P/b" --config "$P/hisi" $hisi

# Capture: what was captured fits, and its text is canonical.
while read -r name bars; do
	expect "capture $name" 0 '' '' persona capture --config "$P/$name" $bars \
		--name "$name" --output "$P/captured"
	expect "captured $name fits" 0 "good: $name version 1, and" '' \
		persona check "$P/captured" --config "$P/$name" $bars
done <<'CASES'
hisi --bar 2=256K --bar 4=16K
hisi2 --bar 2=512K --bar 4=32K
fw1 --bar 2=256K --bar 4=16K
fw2 --bar 2=512K --bar 4=16K
virtio --bar 1=4K --bar 4=16K --bar rom=64K
nvme --bar 0=16K
loop --bar 2=256K --bar 4=16K
small --bar 2=256K --bar 4=16K
CASES
# What one firmware shows, on the other one.
expect "capture of firmware 2" 0 '' '' persona capture --config "$P/fw2" --bar 2=512K --bar 4=16K --output "$P/c2"
expect "does not fit firmware 1: BAR" 1 '' '/c2:[0-9]+:1: BAR is larger.*expected 0x40000, found 0x80000' \
	persona check "$P/c2" --config "$P/fw1" $hisi
sed -i 's/^bar 2.*/bar 2 mem64 128K/' "$P/c2"
expect "does not fit firmware 1: capability" 1 '' '/c2:[0-9]+:1: capability that the device lacks .expected 0xb' \
	persona check "$P/c2" --config "$P/fw1" $hisi
sed -i 's/^extcap 0x100 .*/extcap 0x100 none version 0 size 4/; /^extcap 0x100/,/^}/{/^\t/d; /^}/d}' "$P/c2"
expect "does not fit firmware 1: size" 1 '' '/c2:[0-9]+:[0-9]+: .*expected 0x10, found 0x18' \
	persona check "$P/c2" --config "$P/fw1" $hisi
expect "captured PME" 0 '\+0x02:2 fixed 0x0003' '' \
	persona capture --config "$P/hisi2" --bar 2=512K --bar 4=32K
device nvme pasid 0x100:2=0x1b
expect "captured empty begin" 0 'extcap 0x100 none version 0 size 4' '' \
	persona capture --config "$P/pasid" --bar 0=16K
}
head -c 64 "$P/hisi" >"$P/header"
expect "only the header" 1 '' 'root reads all' persona capture --config "$P/header"
head -c 100 "$P/hisi" >"$P/odd"
expect "odd size" 1 '' '100 bytes' persona capture --config "$P/odd"

# A device of this host, and a VF.
fresh
dir=$R/sys/bus/pci/devices/0000:01:00.0
mkdir -p "$dir"
cp "$P/hisi" "$dir/config"
{
	for _ in 0 1; do echo "0x0 0x0 0x0"; done
	echo "0x00000000e0000000 0x00000000e003ffff 0x0000000000140204"
	echo "0x0 0x0 0x0"
	echo "0x00000000e0040000 0x00000000e0043fff 0x0000000000140204"
	for _ in 5 6; do echo "0x0 0x0 0x0"; done
} >"$dir/resource"
expect "live device" 0 'can keep it' '' persona check "$v1" --device 0000:01:00.0
expect "live capture" 0 'bar 2 mem64 262144' '' persona capture 01:00.0
cp "$P/hisi" "$dir/config"
printf '\377\377\377\377' | dd of="$dir/config" conv=notrunc status=none
expect "dead device" 1 '' 'does not answer' persona check "$v1" --device 01:00.0
ln -s ../0000:01:00.1 "$dir/physfn"
echo 0x1234 >"$dir/vendor"
echo 0x7610 >"$dir/device"
mkdir -p "$R/sys/bus/pci/devices/0000:01:00.1"
expect "a VF has other ids" 0 'vendor fixed 0x1234' '' persona capture 01:00.0
rm "$dir/resource"
expect "no resources" 1 '' 'resource: No such file' persona capture 01:00.0

# Wrong arguments.
while IFS='|' read -r name arguments message; do
	# shellcheck disable=SC2086
	expect "arguments: $name" 2 '' "$message" persona $arguments
done <<CASES
nothing||missing
unknown subcommand|frobnicate|'frobnicate' is not one of
option first|--name x|before its options
no operand|show|usage: persona show
two operands|show a b|usage: persona show
one operand for diff|diff a|usage: persona diff
option of another|show a --output b|show does not take --output
unknown option|show a --foo|unknown or wrong option '--foo'
option without value|check a --config|needs a value
device twice|capture 01:00.0 --device 01:00.0|named twice
device and file|check $v1 --device 01:00.0 --config x|exclude
bar without file|check $v1 --bar 2=4K|--bar needs --config
bar number|check $v1 --config $P/hisi --bar 7=4K|--bar 7=4K is not
bar size|check $v1 --config $P/hisi --bar 2=x|--bar 2=x is not
bar without size|check $v1 --config $P/hisi --bar 2|--bar 2 is not
no address|capture nothing|no PCI address
path for an address|capture ../../x|no PCI address
nothing to capture|capture|capture needs
name|capture --config $P/hisi --name 1x|--name '1x' is not
name too long|capture --config $P/hisi --name a1234567890123456789012345678901|longer
CASES

# Only a file of our own is removed: root may name a device.
ln -s /dev/full "$P/full"
expect "nowhere to write to" 1 '' 'cannot be written' persona compile "$P/all" --output "$P/full"
holds "what was no file stays" [ -L "$P/full" ]
