# SPDX-License-Identifier: GPL-2.0
# Streams of the kernel's writer, whole and damaged.  Layout: header 0-135, head 136-167,
# MATCH 168-199, head 200-231, record 232-295, head 296-327, optional record 328-627,
# head 628-659 (empty record), head 660-691, END 692-707.
S=$T/stream
"$GEN_STREAM" >"$S"

poke() { # FILE OFFSET BYTE
	# shellcheck disable=SC2059
	printf "\\x$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

damaged() { # NAME OFFSET BYTE PATTERN
	cp "$S" "$T/bad"
	poke "$T/bad" "$2" "$3"
	expect "$1" 1 "not valid: $4" '' stream check "$T/bad"
}

holds "size of the stream" [ "$(stat -c %s "$S")" = 708 ]
expect "valid" 0 'valid, 4 records, 396 bytes of payload' '' stream check "$S"
expect "show" 0 'format 2.0, header 136 bytes.*family hisi_like, state version 3, readable from version 2 on.*default
.*136 +0 +0x0001 MATCH +- +32
 +200 +1 +0x0100 family +- +64
 +296 +2 +0x0101 family +optional +300
 +628 +3 +0x0102 family +- +0
 +660 +4 +0x0003 END +- +16' '' stream show "$S"
json "show as JSON" 0 'd["valid"] and d["fault"] is None and d["header"]["family"] == "hisi_like" and
	[r["offset"] for r in d["record_list"]] == [136, 200, 296, 628, 660] and d["record_list"][2]["optional"]' stream show "$S"
json "check as JSON" 0 'd["valid"] and d["records"] == 4 and "record_list" not in d' stream check "$S"

result "from a pipe, byte by byte" "$(dd if="$S" bs=1 2>/dev/null | "$VPVCTL" stream check - 2>&1 | grep -q ': valid' ||
	echo 'not valid')"

while IFS='|' read -r name offset byte pattern; do
	damaged "$name" "$offset" "$byte" "$pattern"
done <<'CASES'
magic|2|78|byte 2: magic: .*EINVAL
major version|8|03|bytes 8-9: major version: expected 0x2, found 0x3 .EPROTONOSUPPORT
header size|12|87|bytes 12-15: header size
a bit of the family|17|68|bytes 0-135: header checksum.*EBADMSG
header checksum|135|00|bytes 0-135: header checksum
record type|136|02|bytes 136-167: record head checksum
record sequence|208|05|bytes 208-215: record sequence: expected 0x1, found 0x5 .EPROTO
payload of MATCH|199|ff|bytes 168-199: payload checksum
payload of a record|232|ff|bytes 232-295: payload checksum
payload of the optional record|627|ff|bytes 328-627: payload checksum
head of the empty record|644|01|bytes 628-659: record head checksum
payload of END|692|05|bytes 692-707: payload checksum
CASES

while IFS='|' read -r bytes pattern; do
	head -c "$bytes" "$S" >"$T/bad"
	expect "cut at $bytes" 1 "not valid: byte $bytes: the stream ends here: $pattern.*ENODATA" '' stream check "$T/bad"
done <<'CASES'
0|136 bytes of the header, 0
7|136 bytes of the header, 7
135|136 bytes of the header, 135
136|32 bytes of the next record's head, 0
170|32 bytes of the payload, 2
328|300 bytes of the payload, 0
660|32 bytes of the next record's head, 0
707|16 bytes of the payload, 15
CASES

while IFS='|' read -r name order pattern; do
	"$GEN_STREAM" "$order" >"$T/bad"
	expect "$name" 1 "$pattern" '' stream check "$T/bad"
done <<'CASES'
two records exchanged|0/213E|bytes 208-215: record sequence: expected 0x1, found 0x2
record left out|0/23E|bytes 208-215: record sequence
record twice|01/123E|bytes 304-311: record sequence: expected 0x2, found 0x1
MATCH not first|10E|bytes 136-139: first record type: expected 0x1, found 0x100
MATCH twice|00E|bytes 200-203: second MATCH
record after END|0E1|byte 248: bytes after the END record
no MATCH|E|bytes 136-139: first record type
CASES

"$GEN_STREAM" 0 >"$T/bad"
"$GEN_STREAM" 0/E >>"$T/bad"
expect "stream in a stream" 1 'record sequence' '' stream check "$T/bad"
{ cat "$S"; printf x; } >"$T/bad"
expect "a byte after END" 1 'byte 708: bytes after the END record.*EPROTO' '' stream check "$T/bad"
head -c 70000 /dev/zero >"$T/bad"
expect "zeros" 1 'byte 0: magic' '' stream check "$T/bad"

expect "for a reader of the family" 0 ': valid' '' stream check --family hisi_like --state-version 2 "$S"
expect "for another family" 1 "bytes 16-47: family: expected 'mlx5_like', found 'hisi_like' .EXDEV" '' \
	stream check --family mlx5_like "$S"
expect "for an older reader" 1 'bytes 52-55: oldest state version: expected 0x1, found 0x2 .EPROTONOSUPPORT' '' \
	stream check --state-version 1 "$S"
expect "for a reader that gave up this version" 1 'bytes 48-51: state version: expected 0x4' '' \
	stream check --state-version 5 --oldest 4 "$S"
expect "for a reader of smaller records" 0 ': valid' '' stream check --max-record 64 "$S"
# Personas and config space.
map=$here/../maps/hisi_like-v1.map
sum=$(cat "$here/digests/hisi_like-v1")
"$GEN_STREAM" 0V1CE "$sum" >"$T/named"
expect "persona: show" 0 "persona hisi_like-v1, version 1, digest $sum.*0x0004 VIEW .*
 +0x000: 76101234
 +0x008: 12000001
.*0x0002 CONFIG .*
 +0x00c: 00004010 of the bits 0000ffff
 +0x03c: 00000005 of the bits 000000ff
.*: valid" '' stream show "$T/named"
json "persona: JSON" 0 "d['header']['persona_digest'] == '$sum' and d['record_list'][1]['name'] == 'VIEW' and
	d['record_list'][3]['dwords'][0] == {'offset': '0x00c', 'value': '0x00004010', 'mask': '0x0000ffff'}" \
	stream show "$T/named"
"$GEN_STREAM" 0V1DE "$sum" >"$T/state"
expect "config: show state" 0 ".*0x0002 CONFIG .*
 +version 1
 +0x00c: 00004010 of the bits 0000ffff
 +0x03c: 00000005 of the bits 000000ff
 +0x048: 00005000 of the bits 00007fff
.*: valid" '' stream show --persona "$map" "$T/state"
json "config: JSON" 0 "d['record_list'][3]['version'] == 1 and d['record_list'][1]['version'] == 0 and
	len(d['record_list'][3]['dwords']) == 3" stream show "$T/state"
json "persona: none" 0 "d['header']['persona'] is None and d['header']['persona_digest'] is None" stream check "$S"
expect "persona: that of the reader" 0 ': valid' '' stream check --persona "$map" "$T/named"
expect "persona: default reader" 1 "bytes 56-87: persona: expected '', found 'hisi_like-v1' .EXDEV" '' \
	stream check --persona default "$T/named"
expect "persona: default stream" 1 "persona: expected 'hisi_like-v1', found '' .EXDEV" '' stream check --persona "$map" "$S"
sed 's/^latency.*/latency fixed 0/' "$map" >"$T/changed.map"
expect "persona: other bytes" 1 'bytes 96-127: persona digest .first 8 bytes.: .*EXDEV' '' \
	stream check --persona "$T/changed.map" "$T/named"
expect "persona: no such file" 1 '' 'No such file' stream check --persona "$T/none" "$S"

while IFS='|' read -r name order options pattern; do
	"$GEN_STREAM" "$order" "$sum" >"$T/bad"
	# shellcheck disable=SC2086
	expect "config: $name" 1 "not valid: $pattern" '' stream check $options "$T/bad"
done <<CASES
VIEW of another device|0vE|--persona $map|bytes 232-263: VIEW record: config space at 0x008: expected 0x12000001, found 0x12000002 .EOPNOTSUPP
VIEW in disorder|0wE||bytes 232-263: VIEW record: place of a dword of config space
VIEW missing|0CE|--persona $map|bytes 200-203: second record type: expected 0x4, found 0x2 .EPROTO
VIEW twice|0VVE||bytes 264-267: VIEW, at record: expected 0x1, found 0x2 .EPROTO
VIEW late|01VE||bytes 296-299: VIEW, at record: expected 0x1, found 0x2 .EPROTO
CONFIG twice|0VCCE||bytes 328-331: second CONFIG, at record: expected 0, found 0x3 .EPROTO
CONFIG that lacks bits|0VcE|--persona $map|bytes 296-327: CONFIG record: emulated bits of config space at 0x00c: expected 0xffff, found 0xff .EINVAL
CONFIG of version 1 with bits that are fixed|0VdE|--persona $map|bytes 296-339: CONFIG record: bits of config space that are no state at 0x044: expected 0, found 0x7fff .EINVAL
CONFIG of a later version|0VyE||bytes 296-327: CONFIG record: version of a config space record: expected 0x1, found 0x9 .EPROTONOSUPPORT
CONFIG of another size|0VxE||bytes 296-327: CONFIG record: size of config space: expected 0x1000, found 0x80
CASES
"$GEN_STREAM" 0E "$(printf '%064d' 0)" >"$T/bad"
expect "persona: without digest" 1 'bytes 96-127: persona digest: expected one, found zeros .EINVAL' '' stream check "$T/bad"

head -c 10000 /dev/urandom >"$T/bad"
expect "noise" 1 'not valid: byte 0' '' stream show "$T/bad"
json "fault as JSON" 1 'd["fault"]["offset"] == 0 and d["fault"]["errno"] == "EINVAL" and d["header"] is None' \
	stream show "$T/bad"
expect "no such file" 1 '' 'cannot open' stream check "$T/none"
expect "a folder" 1 '' 'cannot read the stream: Is a directory' stream check "$T"
flips=0
python3 -c 'import sys
for b in range(0, 5664, 97):
    d = bytearray(open(sys.argv[1], "rb").read())
    d[b // 8] ^= 1 << b % 8
    open(f"{sys.argv[2]}{b}", "wb").write(d)' "$S" "$T/bit"
for bad in "$T"/bit*; do
	"$VPVCTL" stream check "$bad" >"$T/out" 2>"$T/err"
	[ $? = 1 ] && grep -q 'not valid: byte' "$T/out" && flips=$((flips + 1))
done
holds "every flipped bit is found" [ $flips = 59 ]

# Memory.
"$GEN_STREAM" 0LPQ1E >"$T/memory"
expect "memory: show" 0 ".*0x0005 LAYOUT .*
 +0x100000-0x103fff
.*0x0006 PAGES .*
 +pass 1
 +0x100000-0x101fff: zeros
 +0x102000-0x102fff
.*
 +pass 1
 +0x103000-0x103fff: zeros
.*: valid, 5 records" '' stream show "$T/memory"
json "memory: JSON" 0 "d['record_list'][1]['ranges'] == [{'first': '0x100000', 'last': '0x103fff'}] and
	d['record_list'][2]['pass'] == 1 and [r['zeros'] for r in d['record_list'][2]['runs']] == [True, False]" \
	stream show "$T/memory"
while IFS='|' read -r name order pattern; do
	"$GEN_STREAM" "$order" >"$T/bad"
	expect "memory: $name" 1 "not valid: $pattern" '' stream check "$T/bad"
done <<'CASES'
no LAYOUT|0PE|bytes 232-4367: PAGES record: LAYOUT in front of PAGES: expected 0x1, found 0 .EPROTO
LAYOUT twice|0LLE|bytes 288-311: LAYOUT record: LAYOUT records: expected 0x1, found 0x2 .EPROTO
pages twice|0LPPE|bytes 4456-8591: PAGES record: next page of the pass: expected 0x3, found 0 .EPROTO
pages in disorder|0LQPE|.*PAGES record: next page of the pass: expected 0x4, found 0 .EPROTO
page that is not there|0Lq|bytes 288-311: PAGES record: page of a run: expected 0x3, found 0x4 .EINVAL
page that is missing|0LPE|byte 4472: pages of memory: expected 0x4, found 0x3 .ENODATA
CASES

# JSON is UTF-8, whatever the name of a file is.
cp "$S" "$T/"$'gr\xc3\xbcn\xff\xed\xa0\x80'
json "a name that is not UTF-8" 0 'd["file"].endswith("/gr\xfcn????")' stream check "$T/"$'gr\xc3\xbcn\xff\xed\xa0\x80'

# What releases have written is read, by a reader of the versions that are written now.
top=$here/../../..
for path in "$top"/selftests/releases/*/*.stream; do
	release=$(basename "$(dirname "$path")") kind=$(basename "$path" .stream)
	family=${kind%%-*}
	version=$(grep -h -A1 "\.family = " "$top/variants/$family"/*.c | sed -n 's/.*state_version = \([0-9]*\),/\1/p')
	expect "$kind of release $release" 0 ': valid' '' stream check --family "$family" --state-version "$version" "$path"
done
