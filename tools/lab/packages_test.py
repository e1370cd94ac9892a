#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Builds the packages twice, compares them, installs them in Debian 12 and 13, and boots machines with that; TAP.
`tools/lab/lab check-upstream packages`; DEBIAN=13: in that one alone.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from labkit import build, env, installation, packages, vm  # noqa: E402
from labkit.progress import LabError  # noqa: E402

COUNT = 0
MODELS = [("hisi_like", 1)]
TIMEOUT_S = 900


def point(name, trouble):
    """One line of TAP; TROUBLE is text, empty if all is well."""
    global COUNT
    COUNT += 1
    print(f"{'not ok' if trouble else 'ok'} {COUNT} {name}")
    for line in trouble.splitlines()[:40]:
        print(f"# {line}")
    sys.stdout.flush()


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())
            if not path.name.endswith((".buildinfo", ".changes"))}


def differing(one, two):
    names = {name for name in {*one, *two} if one.get(name) != two.get(name)}
    return f"differ: {' '.join(sorted(names))}" if names or not one else ""


def install(release, folder):
    """Run install.sh in a new installation, and pass its lines on."""
    target = folder / f"install-{release}"
    target.mkdir()
    for path in (folder / "one").glob("*.deb"):
        shutil.copy(path, target)
    output = subprocess.run(packages.in_debian(release, target, ["/mnt/install.sh"]), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    relay(f"Debian {release}", output)
    return target


def relay(prefix, output):
    """The lines of a script in an installation as points of this test, with all that it remarks."""
    lines = output.splitlines()
    if not any(line.startswith("1..") for line in lines):
        point(f"{prefix}: runs to the end", "\n".join(lines[-20:]))
    for line in lines:
        if line.startswith(("ok ", "not ok ")):
            word, _, rest = line.partition("ok ")
            point(f"{prefix}: {rest.lstrip('0123456789 ')}", "see below" if word else "")
        elif line.startswith("# "):
            print(line)


def boot(title, log, installed, mode, loader=None):
    """Run machine.sh in a machine with what was installed, and the packages that need no compiler."""
    payload = env.WORK / "machine-payload"
    if not payload.exists():
        payload.mkdir()
        for file in (packages.SCRIPTS / "machine.sh", packages.SCRIPTS / "points.sh", *(env.WORK / "packages/one").glob("vpvctl_*.deb"),
                     *(env.WORK / "packages/one").glob("vpv-personas_*.deb")):
            shutil.copy(file, payload)
    output = bytearray()
    result = vm.run(vm.Job(kernel=installed.kernel, boot=installed.boot, command=["bash", "/vpv/machine.sh", mode], payload=[payload],
                           models=MODELS, model_binary=build.models(), timeout=TIMEOUT_S, log=env.LOGS / log, sink=output.extend,
                           loader=loader))
    relay(title, output.decode(errors="replace"))
    point(f"{title}: the machine has nothing to complain of", "\n".join(result.complaints))


def main():
    if not env.DEBIAN:
        print("1..0 # SKIP it takes root and mmdebstrap")
        return 0
    folder = env.WORK / "packages"
    folder.mkdir()
    try:
        point("two tarballs are the same", differing(digests(packages.dist("one").parent), digests(packages.dist("two").parent)))
        one, two = digests(packages.build(folder, "one")), digests(packages.build(folder, "two"))
        point("two builds are the same", differing(one, two))
        point("lintian says nothing", packages.lint(folder, "one"))
        for release in os.environ.get("DEBIAN", "12 13").split():
            installed = installation.unpack(install(release, folder))
            for one in installed:
                boot(f"Debian {release}, machine with {one.kernel.release}", f"packages-{one.kernel.release}", one, "plain")
        for mode, certificate in (("enrolled", installed[0].certificate), ("stranger", None)):
            boot(f"Debian {release}, Secure Boot, {mode}", f"packages-{mode}", installed[0], mode,
                 installation.secure_boot(env.WORK / f"secure-{mode}", certificate))
    except LabError as error:
        point("runs", str(error))
    print(f"1..{COUNT}")
    return 0


if __name__ == "__main__":
    os.umask(0o22)
    sys.exit(main())
