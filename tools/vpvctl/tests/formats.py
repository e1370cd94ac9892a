#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What vpvctl describe --format prints, as its readers take it: by what they have published (published/*.json, with the sources).

    formats.py nova|kubevirt|prometheus FILE [EXPRESSION]
        Does the reader take it, and is EXPRESSION true of what it has then?
    formats.py --broken nova|kubevirt|prometheus FILE
        Is each of its broken copies (broken.py) refused?
    formats.py --examples kubevirt FILE
        Are the examples that the reader has published taken, in the place of what was made?

With READERS=ROOT, where Nova and Prometheus are (readers.py), they are asked as well.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import broken
import readers

HERE = Path(__file__).resolve().parent
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}
SAMPLE = re.compile(r"(?P<name>[^\s{]+)\s*(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?P<time>\s+\S+)?\s*")
# The last one may have a comma behind it.
PAIR = re.compile(r'\s*(?P<name>[^\s="]+)\s*=\s*"(?P<value>(?:[^"\\]|\\[\\"n])*)"\s*(?:,|$)')


class Refused(Exception):
    """What a reader would complain of."""


def need(true, why):
    if not true:
        raise Refused(why)


def known(reader):
    return json.loads((HERE / "published" / f"{reader}.json").read_text(encoding="ascii"))


def validate(value, schema, where):
    """The words of JSON Schema that published/*.json use."""
    need(type(value) is TYPES[schema["type"]], f"{where} is no {schema['type']}: {value!r}")
    need("enum" not in schema or value in schema["enum"], f"{where}: {value!r} is none of {schema.get('enum')}")
    if type(value) is str:
        need(schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)), f"{where}: length of {value!r}")
        # "$" of JSON Schema is the end of the text, not what is before a last newline.
        need(re.search(schema.get("pattern", ""), value) and "\n" not in value, f"{where}: {value!r}")
    if type(value) is list:
        for i, item in enumerate(value):
            validate(item, schema["items"], f"{where}[{i}]")
    if type(value) is dict:
        for name in schema.get("required", ()):
            need(name in value, f"{where} has no {name}")
        for name, member in value.items():
            validate(name, schema.get("propertyNames", {"type": "string"}), f"a name in {where}")
            of = schema.get("properties", {}).get(name, schema["additionalProperties"])
            need(of, f"{where} has {name}")
            validate(member, of, f"{where}.{name}")


def once(pairs):
    """An object of JSON whose names differ; readers take the last of two without a word."""
    need(len({name for name, _ in pairs}) == len(pairs), f"a name comes twice: {pairs}")
    return dict(pairs)


def read_json(text):
    try:
        return json.loads(text, object_pairs_hook=once)
    except ValueError as error:
        raise Refused(str(error)) from error


def nova(text):
    """{option: [values]} of the section [pci]."""
    schemas, made = known("nova"), {"device_spec": [], "alias": []}
    lines = text.splitlines()
    need(lines[:1] == ["[pci]"] and text.endswith("\n"), "no section [pci]")
    for line in lines[1:]:
        option, _, value = line.partition(" = ")
        need(option in made, f"[pci] has no option {option}")
        made[option].append(read_json(value))
        validate(made[option][-1], schemas[option], option)
    for spec in made["device_spec"]:
        need(not {"address", "devname"} <= set(spec), f"address and devname: {spec}")
    # Those of one name are alternatives, which [filter_scheduler]pci_in_placement forbids.
    names = [alias["name"] for alias in made["alias"]]
    need(len(set(names)) == len(names), f"two aliases of a name: {names}")
    return {"specs": made["device_spec"], "aliases": made["alias"]}


def kubevirt(text):
    """The two objects of the List."""
    schemas, made = known("kubevirt"), read_json(text)
    need((made.get("apiVersion"), made.get("kind"), made.get("metadata")) == ("v1", "List", {}), "no List of v1")
    need([item.get("kind") for item in made["items"]] == ["KubeVirt", "Node"], "other items")
    for item in made["items"]:
        validate(item, schemas[item["kind"]], item["kind"])
    virt, node = made["items"]
    devices = virt["spec"]["configuration"]["permittedHostDevices"]["pciHostDevices"]
    # pkg/virt-handler/device-manager/device_controller.go: the ids are the key of what KubeVirt offers itself, and kubelet
    # takes a resource from the plugin that came last.
    own = [d["pciVendorSelector"] for d in devices if not d.get("externalResourceProvider")]
    need(len(set(own)) == len(own), f"KubeVirt offers a function under one name: {own}")
    given = {(d["resourceName"], d.get("externalResourceProvider", False)) for d in devices}
    need(len({name for name, _ in given}) == len(given), f"a resource of two providers: {given}")
    return {"devices": devices, "node": node, "labels": node["metadata"]["labels"]}


def read_labels(text, rules):
    labels, at = {}, 0
    while at < len(text):
        pair = PAIR.match(text, at)
        need(pair, f"no labels: {text}")
        name, at = pair["name"], pair.end()
        need(re.fullmatch(rules["label"], name) and name != rules["reserved"] and name not in labels, f"label {name}")
        labels[name] = pair["value"]
    return labels


def lint(name, labels, of, rules):
    """What promtool finds in a sample of a metric of the type OF."""
    words = name.lower().split("_")[1:]
    need(":" not in name and not re.search("[a-z][A-Z]", f"{name} {' '.join(labels)}"), f"spelling of {name}{labels}")
    need(not set(words) & {*rules["types"], *rules["abbreviations"], *rules["not_base_units"]} - {"untyped"}, f"a word of {name}")
    for what, types in (*rules["suffixes"].items(), *rules["labels"].items()):
        need(of in types or not (what in labels or what[0] == "_" and name.endswith(what)), f"{what} of a {of}: {name}{labels}")


def prometheus(text):
    """{(name, label, ...): value} of all samples, labels as pairs, and {name: type}."""
    rules, types, helps, samples, last = known("prometheus"), {}, set(), {}, None
    need(text.endswith("\n"), "no newline at the end")
    for line in text.split("\n"):
        if not line.strip():
            continue
        comment = re.fullmatch(r"\s*#\s*(HELP|TYPE)\s+(\S+)\s+(.+)", line)
        if comment:
            word, name, rest = comment.groups()
            need(re.fullmatch(rules["metric"], name), f"metric {name}")
            need(name == last or name not in helps | set(types), f"{name} comes in parts")
            if word == "HELP":
                need(name not in helps and re.fullmatch(r"(?:[^\\]|\\[\\n])*", rest), f"HELP of {name}")
                helps.add(name)
            else:
                need(name not in types and not any(key[0] == name for key in samples), f"TYPE of {name} is late")
                need(rest in rules["types"], f"TYPE {rest}")
                types[name] = rest
            last = name
        elif not line.lstrip().startswith("#"):
            sample = SAMPLE.fullmatch(line)
            need(sample and re.fullmatch(rules["metric"], sample["name"]), f"no sample: {line}")
            need(not sample["time"], f"a time: {line}")
            need(re.fullmatch(rules["value"], sample["value"]), f"value {sample['value']}")
            name, labels = sample["name"], read_labels(sample["labels"] or "", rules)
            need(name in helps and name in types and name == last, f"{name} has no HELP or TYPE before it")
            lint(name, labels, types[name], rules)
            key = (name, *sorted(labels.items()))
            need(key not in samples, f"twice: {line}")
            samples[key] = float(sample["value"])
    return {"types": types, "samples": samples}


READERS = {"nova": nova, "kubevirt": kubevirt, "prometheus": prometheus}


def read(reader, data):
    """What READER has of the bytes DATA."""
    try:
        return READERS[reader](data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused(f"no UTF-8: {error}") from error


def check_broken(reader, data):
    taken, copies = [], dict(broken.copies(reader, data))
    for name, copy in copies.items():
        try:
            read(reader, copy)
            taken.append(name)
        except Refused as error:
            print(f"{name}: {error}")
    if taken:
        return f"taken: {', '.join(taken)}"
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / str(number) for number in range(len(copies))]
        for path, copy in zip(paths, copies.values()):
            path.write_bytes(copy)
        said = readers.troubles(reader, paths)
    for name, why in zip(copies, said or ()):
        print(f"{name}: {reader} itself: {why or 'takes it'}")
        if bool(why) == (name in broken.TAKEN):
            taken.append(name)
    return f"{reader} itself has another opinion of: {', '.join(taken)}" if taken else ""


def check_examples(reader, data):
    made = json.loads(data)
    permitted = made["items"][0]["spec"]["configuration"]["permittedHostDevices"]
    for permitted["pciHostDevices"] in known(reader)["examples"]:
        try:
            read(reader, json.dumps(made).encode())
        except Refused as error:
            return f"{permitted}: {error}"
    return ""


def main():
    if sys.argv[1] == "--examples":
        return check_examples(sys.argv[2], Path(sys.argv[3]).read_bytes())
    if sys.argv[1] == "--broken":
        return check_broken(sys.argv[2], Path(sys.argv[3]).read_bytes())
    reader, file, *expression = sys.argv[1:]
    try:
        made = read(reader, Path(file).read_bytes())
    except Refused as error:
        return str(error)
    said = readers.troubles(reader, [file])
    if said and said[0]:
        return f"{reader} itself: {said[0]}"

    def value(name, **labels):
        return made["samples"].get(("vpv_" + name, *sorted(labels.items())))

    named = {**made, "value": value, "five": {"device": "0000:00:05.0"}, "six": {"device": "0000:00:06.0"}}
    return "" if not expression or eval(f"({expression[0]})", named) else f"not true of {made}"


if __name__ == "__main__":
    sys.exit(main() or 0)
