# SPDX-License-Identifier: GPL-2.0
# compat --matrix: all pairs of many descriptions.
fresh
fake driver vpv_hisi_like
zeros=$(printf '%064d' 0)
describe_to() { # FILE OPTIONS...
	fake fn 0000:00:05.0 group=3 vfio=vfio0 driver=vpv_hisi_like features=stop-copy,p2p "${@:2}"
	run describe 0000:00:05.0 && cp "$T/out" "$T/$1"
}
match=match=equal,id,1,1
describe_to old.json "persona=p-v1 1 $zeros" versions=f:1:1:1 $match
describe_to new.json "persona=p-v1 1 $zeros" versions=f:2:2:1 $match
describe_to bare.json persona=default versions=f:1:1:1 $match
sed 's/0000:00:05.0/0000:81:00.3/; s/6.99-test/7.0/' "$T/old.json" >"$T/twin.json"
cd "$T" || exit 1

expect "groups, directions and the first difference" 1 "^group 1: old.json twin.json
  to 1
  to 2
  not to 3: persona.name: old.json has p-v1, bare.json has default; fix: .*
group 2: new.json
  not to 1: migration.state_oldest: new.json has 2, old.json has state_version 1; fix: use builds.*
  to 2
  not to 3: .*
group 3: bare.json
  not to 1: persona.name: bare.json has default, old.json has p-v1; fix: .* persona set 0000:00:05.0 p-v1
.*
  to 3
" '' compat --matrix old.json new.json bare.json twin.json
json "as JSON" 1 '[g["members"] for g in d["groups"]] == [["old.json", "twin.json"], ["new.json"], ["bare.json"]] and
	[(p["from"], p["to"]) for p in d["pairs"] if p["compatible"]] == [(1, 1), (1, 2), (2, 2), (3, 3)] and
	len(d["pairs"]) == 9 and d["pairs"][3]["difference"]["field"] == "migration.state_oldest" and
	d["pairs"][3]["a"] == "new.json" and d["pairs"][0]["difference"] is None' \
	compat --matrix old.json new.json bare.json twin.json
expect "all the same" 0 '^group 1: old.json twin.json
  to 1
$' '' compat --matrix old.json twin.json
expect "a function among files" 1 'group 2: bare.json 0000:00:05.0' '' compat --matrix old.json bare.json 0000:00:05.0
sed 's/"vfio": *true/"vfio": false/' "$T/old.json" >"$T/unbound.json"
expect "that cannot even go to itself" 1 'not to 1: driver.vfio' '' compat --matrix unbound.json unbound.json
printf '{"vpvctl_describe": 1}' >"$T/empty.json"
expect "with nothing in it" 1 'group 2: empty.json' '' compat --matrix old.json empty.json
expect "no description" 1 '' 'is not JSON' compat --matrix old.json results

# What is not known of a group stands below it.
sed '/"features": \[/,/\]/d; s/"match": *\[/"other": [/' "$T/bare.json" >"$T/dark.json"
expect "what is not known" 1 'group 2: dark.json
  note: migration features of dark.json are not known; describe it as root with --open
  note: limits of dark.json are not known; describe .*
  not to 1' '' compat --matrix old.json dark.json
json "the same as JSON" 1 'd["groups"][0]["notes"] == [] and len(d["groups"][1]["notes"]) == 2' compat --matrix old.json dark.json

# 500 hosts, all different, and in what is compared last.  What counts is the program's own time: other programs run
# beside it.  The sanitizers make it ten times as slow, and a machine that is busy twice as slow again.
cat >"$T/many.py" <<'PY'
import json, resource, subprocess, sys
d = json.load(open("bare.json"))
for i in range(500):
    d["config"]["normalised"] = d["config"]["normalised"][:-4] + f"{i:04x}"
    json.dump(d, open(f"many-{i}.json", "w"))
out = subprocess.run([sys.argv[1], "compat", "--json", "--matrix", *[f"many-{i}.json" for i in range(500)]],
                     stdout=subprocess.PIPE, check=False)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
d = json.loads(out.stdout)
assert len(d["groups"]) == 500 and len(d["pairs"]) == 250000, out.returncode
assert all(p["compatible"] == (p["from"] == p["to"]) for p in d["pairs"])
assert all(p["difference"]["field"].startswith("config space byte 0xff") for p in d["pairs"] if not p["compatible"])
assert used.ru_utime + used.ru_stime < float(sys.argv[2]), f"{used.ru_utime} s and {used.ru_stime} s of the system"
PY
holds "500 hosts" python3 "$T/many.py" "$VPVCTL" "${MATRIX_LIMIT:-20}"
cd "$here" || exit 1
