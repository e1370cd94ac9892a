# SPDX-License-Identifier: GPL-2.0
"""The release's tarball, and Debian packages made from it in a Debian installation (tools/lab/debian/)."""

import shutil
import subprocess
from pathlib import Path

from . import env
from .progress import LabError, run_logged, step

SCRIPTS = env.LAB / "debian"


def dist(name="one"):
    """The tarball, which tools/lab/lab has made: there is no git here."""
    tarball = next((env.RUN / "dist" / name).glob("vpv-*.tar.xz"), None)
    if not tarball:
        raise LabError("this run has no tarball: it takes root and mmdebstrap")
    return tarball


def in_debian(name, folder, command):
    """[words] that run COMMAND in the installation NAME, with FOLDER as /mnt and the scripts in it."""
    if name not in env.DEBIAN:
        raise LabError("this run has no Debian installation: it takes root and mmdebstrap")
    for script in ("build.sh", "install.sh", "points.sh"):
        shutil.copy(SCRIPTS / script, folder)
    return [str(SCRIPTS / "run.sh"), str(env.DEBIAN[name]), str(folder), *command]


def build(folder, name="deb"):
    """Build the packages into FOLDER/NAME; returns that."""
    tarball = Path(shutil.copy(dist(), folder))
    shutil.rmtree(folder / name, ignore_errors=True)
    with step("Debian packages"):
        run_logged(f"build packages ({name})", in_debian("build", folder, ["/mnt/build.sh", f"/mnt/{tarball.name}", name]))
    return folder / name


def lint(folder, name="deb"):
    """What lintian says of the packages in FOLDER/NAME."""
    changes = next((folder / name).glob("*_amd64.changes"))
    command = ["lintian", "--allow-root", "--profile", "debian", "--info", f"/mnt/{name}/{changes.name}"]
    done = subprocess.run(in_debian("build", folder, command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout or (f"status {done.returncode}" if done.returncode else "")
