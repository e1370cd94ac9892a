# SPDX-License-Identifier: GPL-2.0
A=0000:00:05.0
B=0000:00:06.0
common="driver=vpv_hisi_like features=stop-copy,p2p"

pair() { # OPTIONS OF B
	fresh
	fake driver vpv_hisi_like
	fake driver vfio-pci
	# shellcheck disable=SC2086
	fake fn $A group=3 vfio=vfio0 $common
	# shellcheck disable=SC2086
	fake fn $B group=4 vfio=vfio1 $common "$@"
}

pair
expect "the same" 0 '^compatible' '' compat $A $B
json "the same as JSON" 0 'd == {"compatible": True, "difference": None, "notes": []}' compat $A $B
run describe $A && cp "$T/out" "$T/a.json"
run describe $B && cp "$T/out" "$T/b.json"
expect "two files" 0 '^compatible' '' compat "$T/a.json" "$T/b.json"
expect "a file and a device" 0 '^compatible' '' compat "$T/a.json" $B

while IFS='|' read -r name options pattern fix; do
	# shellcheck disable=SC2086
	pair $options
	expect "$name" 1 "^not compatible: $pattern.*fix: $fix" '' compat "$T/a.json" $B
done <<'CASES'
driver|driver=vfio-pci|driver.name: .* has vpv_hisi_like, .* has vfio-pci|bind the same driver
device id|device=7611|ids.device: .* has 0x7610, .* has 0x7611|only the same kind
revision|revision=02|ids.revision: .* has 0x01, .* has 0x02|show the same persona
size of a BAR|bar2=0x20000|bars.1.: .*65536.*131072|show the same persona
vendor-specific byte|poke=0xc4:0x99|config space byte 0x0c4, in capability 0x9 .vendor-specific. at 0xc0: .* has 0xab, .* has 0x99|show the same persona
size of a capability|poke=0xb2:0x0f|config space byte 0x0b2, in capability 0x11 .MSI-X. at 0xb0|show the same persona
serial number|poke=0x14c:0|config space byte 0x14c, in capability 0x3 .serial number. at 0x148|show the same persona
header byte|poke=0x3d:2|config space byte 0x03d, in the header|show the same persona
chain of capabilities|poke=0x51:0xb0|capabilities.2.: |show the same persona
extended version|poke=0x14a:0x02|extended_capabilities.1.: |show the same persona
no migration|features=p2p|migration.features: .* has no stop-copy|the driver cannot migrate
less of config space|config=64|config.bytes: .* has 4096, .* has 64|describe both the same way
CASES

# Personas come before what the hardware shows, versions of the state behind them.
zeros=$(printf '%064d' 0) ones=$(printf '%064d' 1)
shown() { # PERSONA VERSIONS OF A, THE SAME OF B, MORE OF B
	pair
	fake fn $A group=3 vfio=vfio0 driver=vpv_hisi_like features=stop-copy,p2p "persona=$1" "versions=$2"
	fake fn $B group=4 vfio=vfio1 driver=vpv_hisi_like features=stop-copy,p2p "persona=$3" "versions=$4" "${@:5}"
}
while IFS='|' read -r name a av b bv pattern; do
	shown "$a" "$av" "$b" "$bv" revision=02
	expect "$name" 1 "^not compatible: $pattern" '' compat $A $B
done <<CASES
persona|p-v1 1 $zeros|f:1:1:1|p-v2 1 $zeros|f:1:1:1|persona.name: .* has p-v1, .* has p-v2.fix: .*: vpvctl persona set $B p-v1
persona only here|p-v1 1 $zeros|f:1:1:1|default|f:1:1:1|persona.name: .* has p-v1, .* has default.fix: .* set $B p-v1
persona only there|default|f:1:1:1|p-v1 1 $zeros|f:1:1:1|persona.name: .* has default, .* has p-v1.fix: .* set $A p-v1
version of the persona|p 1 $zeros|f:1:1:1|p 2 $zeros|f:1:1:1|persona.version: .* has 1, .* has 2.fix: install the same file
digest of the persona|p 1 $zeros|f:1:1:1|p 1 $ones|f:1:1:1|persona.digest: .* has 0+, .* has 0+1.fix: install the same file
no persona|default|f:1:1:1|default|f:1:1:1|ids.revision: .* has 0x01, .* has 0x02.fix: show the same persona
family|p 1 $zeros|f:1:1:1|p 1 $zeros|g:1:1:1|migration.family: .* has f, .* has g.fix: only the same kind
newer state|p 1 $zeros|f:3:3:1|p 1 $zeros|f:2:1:1|migration.state_oldest: .* has 3, .* has state_version 2.fix: use builds
older state|p 1 $zeros|f:1:1:1|p 1 $zeros|f:5:3:2|migration.state_version: .* has 1, .* has state_accepts 2.fix: use builds
CASES
shown "p 1 $zeros" f:1:1:1 "p 1 $zeros" f:2:1:1 revision=02 bar2=0x20000 poke=0xc4:0x99
expect "the same persona hides the hardware" 0 'compatible.note: config space was not compared: the persona' '' compat $A $B
sed -i "s/ABCDEF/FEDCBA/" "$R/sys/module/vpv_hisi_like/srcversion"
run describe $A && sed 's/FEDCBA/ABCDEF/; s/"host"/"user"/' "$T/out" >"$T/user_a.json"
run describe $B && sed 's/"host"/"user"/' "$T/out" >"$T/user_b.json"
expect "but not what users see" 1 'ids.revision' '' compat "$T/user_a.json" "$T/user_b.json"
run describe $A && cp "$T/out" "$T/user_b.json" && sed -i 's/"host"/"user"/' "$T/user_b.json"
expect "builds that read each other's state" 0 'note: the drivers are different builds, which read' '' \
	compat "$T/user_a.json" "$T/user_b.json"
shown "p 1 $zeros" f:1:1:1 "p 1 $zeros" f:1:1:1
rm -r "$R/sys/bus/pci/devices/$B/vpv"
expect "a persona that is not known" 0 'note: the persona of 0000:00:06.0 is not known' '' compat $A $B

# Limits, as the device wrote them; the text of a name may have anything in it.
same="constant,magic,7,7;equal,a b: CNTLID,2,2"
limits() { # MATCH OF A, OF B
	pair
	fake fn $A group=3 vfio=vfio0 $common versions=f:1:1:1 "match=$same;$1"
	fake fn $B group=4 vfio=vfio1 $common versions=f:1:1:1 "match=$same;$2"
}
while IFS='|' read -r name a b pattern; do
	limits "$a" "$b"
	expect "limit: $name" 1 "^not compatible: migration.match: $pattern" '' compat $A $B
done <<'CASES'
equal|equal,MDTS,5,5|equal,MDTS,6,6|MDTS: .* has 5, .* has 6.fix: give .* the same MDTS
text|text,serial,S1,S1|text,serial,7,7|serial: .* has S1, .* has 7.fix: give .* the same serial
at most|at-most,blocks,18446744073709551615,18446744073709551615|at-most,blocks,4,18446744073709551614|blocks: .* has 18446744073709551615, .* has at most 18446744073709551614.fix: give .* no more than
at least|at-least,oldest,1,1|at-least,oldest,2,2|oldest: .* has 1, .* has at least 2.fix: .* is too old
subset|subset,features,5,5|subset,features,4,4|features: .* has 5, .* has only bits of 4.fix: take from
the second one|equal,UUID,1,1;equal,UUID,2,2|equal,UUID,1,1;equal,UUID,3,3|UUID: .* has 2, .* has 3
CASES
while IFS='|' read -r name a b; do
	limits "$a" "$b"
	expect "limit: $name" 0 '^compatible' '' compat $A $B
done <<'CASES'
at most|at-most,blocks,4,4|at-most,blocks,9,9
at most, by what is taken|at-most,blocks,4,1|at-most,blocks,9,4
at least|at-least,oldest,3,3|at-least,oldest,2,2
subset|subset,features,5,5|subset,features,7,7
another field|equal,MDTS,5,5|equal,entries,6,6
another rule|equal,MDTS,5,5|at-most,MDTS,4,4
an older source|equal,MDTS,5,5|equal,MDTS,5,5;equal,new,1,1
an unknown rule|prime,MDTS,5,5|prime,MDTS,4,4
CASES
limits "equal,MDTS,5,5" "equal,MDTS,6,6"
run describe $A && cp "$T/out" "$T/match.json"
json "a limit as JSON" 1 'd["difference"]["field"] == "migration.match: MDTS" and d["difference"]["a"] == "5"' \
	compat "$T/match.json" $B
sed 's/"MDTS"/{"x": 1}/; s/"rule": "equal"/"rule": 5/' "$T/match.json" >"$T/odd.json"
expect "limits that are none" 0 '^compatible' '' compat "$T/odd.json" $B
rm "$R/sys/kernel/debug/vpv_migration/$B/match"
expect "limits that are not known" 0 "note: limits of $B are not known" '' compat $A $B

pair
rm -r "$R/sys/bus/pci/devices/$B/vfio-dev"
json "not bound to VFIO" 1 'd["difference"]["field"] == "driver.vfio" and d["difference"]["b"] == "false"' compat $A $B
json "the other way round" 1 'd["difference"]["a"] == "false"' compat $B $A
pair
rm -r "$R/sys/kernel/debug/vfio/$B"
expect "unknown features are a note" 0 'compatible.note: migration features of 0000:00:06.0 are not known' '' compat $A $B
sed 's/ABCDEF0123456789/0123456789ABCDEF/' "$T/a.json" >"$T/c.json"
expect "another build of the driver is a note" 0 'note: the drivers are different builds' '' compat "$T/c.json" "$T/a.json"
sed 's/"host"/"user"/' "$T/a.json" >"$T/c.json"
expect "another view" 1 'view: .* has user, .* has host' '' compat "$T/c.json" "$T/a.json"

bad() { # NAME TEXT PATTERN
	printf '%s' "$2" >"$T/bad.json"
	expect "file: $1" 1 '' "$3" compat "$T/a.json" "$T/bad.json"
}
bad "empty" '' 'is not JSON'
bad "no JSON" 'hello' 'is not JSON'
bad "an array" '[1]' 'is not JSON as'
bad "cut off" '{"vpvctl_describe": 1, "ids": {' 'is not JSON'
bad "too deep" "$(printf '[%.0s' $(seq 1000))" 'is not JSON'
bad "another format" '{"vpvctl_describe": 2}' 'no description of format 1'
bad "odd hex" '{"vpvctl_describe": 1, "config": {"normalised": "123"}}' 'not made of at most 4096 bytes'
bad "no hex" '{"vpvctl_describe": 1, "config": {"normalised": "zz"}}' 'not made of'
printf '{"vpvctl_describe": 1, "config": {"normalised": "%s"}}' "$(printf '00%.0s' $(seq 4097))" >"$T/bad.json"
expect "file: too much config space" 1 '' 'not made of' compat "$T/a.json" "$T/bad.json"
printf '{"vpvctl_describe": 1, "driver": {"vfio": true, "name": "a\\u001b[31mb"}, "view": "host"}' >"$T/bad.json"
expect "file: control characters are not printed" 1 'has a\?\[31mb' '' compat "$T/a.json" "$T/bad.json"
printf '{"vpvctl_describe": 1, "driver": 5, "bars": {"a": 1}, "capabilities": "x"}' >"$T/bad.json"
expect "file: members of other types" 1 'not compatible: driver.vfio' '' compat "$T/a.json" "$T/bad.json"
expect "file: not there" 1 '' 'cannot read' compat "$T/a.json" "$T/none.json"

# One description a file: of two the second one would not be seen.
cat "$T/a.json" "$T/a.json" >"$T/twice.json"
expect "two descriptions in one file" 1 '' 'twice.json is not JSON as vpvctl describe prints it' compat "$T/a.json" "$T/twice.json"
printf '\n \t\n' >>"$T/a.json"
expect "blank lines behind it" 0 '^compatible' '' compat "$T/a.json" "$T/a.json"
