# SPDX-License-Identifier: GPL-2.0
"""Programs that read what vpvctl describe --format prints, from a root that has them (tools/lab/packages/readers)."""

import os
import subprocess
from pathlib import Path

# A process for each file, as Nova keeps its configuration; one line for each.  Something that it imports reads certificates, of
# which the root has no bundle, since nothing was configured there: one does.
NOVA = """
import certifi, glob, os, sys
certifi.where = lambda: glob.glob(sys.prefix + "/share/ca-certificates/mozilla/*")[0]
import nova.conf
from nova import objects
from nova.pci import request, whitelist
objects.register_all()
def read(path):
    nova.conf.CONF(["--config-file", path], project="nova")
    pci = nova.conf.CONF.pci
    request._get_alias_from_config()
    there = len(pci.alias) + len(whitelist.Whitelist(pci.device_spec).specs)
    assert there == sum(" = " in line for line in open(path)), "other options"
for path in sys.argv[1:]:
    if not os.fork():
        try:
            read(path)
            why = ""
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
        print("why:", " ".join(why.split()), flush=True)
        os._exit(0)
    os.wait()
"""
CLIENT = """
import sys
from prometheus_client.parser import text_string_to_metric_families
list(text_string_to_metric_families(open(sys.argv[1], encoding="utf-8", newline="").read()))
"""


def run(root, program, *words, **more):
    """(status, lines) of a program of ROOT, with ROOT's libraries."""
    lib = f"{root}/usr/lib/x86_64-linux-gnu"
    env = {"PYTHONHOME": f"{root}/usr", "PYTHONPATH": f"{root}/usr/lib/python3/dist-packages", "LC_ALL": "C.UTF-8",
           "PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", "/dev/null")}
    done = subprocess.run([f"{lib}/ld-linux-x86-64.so.2", "--library-path", lib, f"{root}/usr/bin/{program}", *words], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
    return done.returncode, done.stdout.strip().splitlines()


def nova(root, paths):
    _, lines = run(root, "python3", "-c", NOVA, *paths)
    said = [line.removeprefix("why:").strip() for line in lines if line.startswith("why:")]
    return said if len(said) == len(paths) else ["\n".join(lines)] * len(paths)


def prometheus(root, paths):
    said = []
    for path in paths:
        with path.open("rb") as text:
            status, lines = run(root, "promtool", "check", "metrics", stdin=text)
        if not status:
            status, lines = run(root, "python3", "-c", CLIENT, path)
        said.append(" ".join(lines[-1:]) or f"status {status}" if status else "")
    return said


# KubeVirt has no program in Debian that reads its resource.
READERS = {"nova": nova, "prometheus": prometheus}


def troubles(reader, paths):
    """Why READER itself does not take what is in PATHS, one text for each, "" if it does; None: it is not there."""
    root = os.environ.get("READERS")
    return READERS[reader](root, [Path(path) for path in paths]) if root and reader in READERS else None
