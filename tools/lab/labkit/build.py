# SPDX-License-Identifier: GPL-2.0
"""Builds the tree's parts inside the tool root: modules, device models, selftests. All results lie under build/."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import cache, env
from .progress import LabError, run_logged, step

JOBS = f"-j{os.cpu_count() or 1}"
# Before the command of what nobody waits for.
PATIENTLY = ["nice", "-n", "19"]
# Our own warnings; the messages of the kernel's build about its own compiler are none.
WARNING = re.compile(r"\bwarning: |^WARNING: modpost|\berror: ", re.M)
NOISE = re.compile(r"the compiler differs from the one used|Skipping BTF generation")


def busy(folder):
    return cache.locked(env.BUILD / f".{folder.name}.lock", f"building {folder.name}")


def modules_folder(kern, cover):
    """Where modules() builds."""
    return env.BUILD / f"{kern.release}{'-cover' if cover else ''}"


def modules(kern, cover=False):
    """Build our modules for KERN; returns a folder of this run that holds the *.ko files. COVER: they tell what was executed."""
    folder = modules_folder(kern, cover)
    with step(f"modules for {folder.name}"), busy(folder):
        run_logged(f"build modules for {folder.name}",
                   ["make", "-C", str(env.REPO), JOBS, "modules", "DROPIN=1", "TESTS=1", f"KDIR={kern.build}",
                    f"BUILD={folder}", *(["COVER=1"] if cover else [])])
        dest = Path(tempfile.mkdtemp(prefix=f"modules-{kern.name}.", dir=env.WORK))
        dest.chmod(0o755)
        for file in folder.rglob("*.ko"):
            shutil.copy(file, dest)
    if not list(dest.iterdir()):
        raise LabError(f"the build in {folder} made no module")
    return dest


def _install(title, kern, root, repo, folder):
    place = root / "lib/modules" / kern.release
    with step(title), busy(folder):
        run_logged(title,
                   ["make", "-C", str(repo), JOBS, "modules_install", f"KDIR={kern.build}", f"BUILD={folder}",
                    f"INSTALL_MOD_PATH={root}", "INSTALL_MOD_STRIP=1"])
        for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            shutil.copy(kern.modules / name, place)
        (place / "kernel").symlink_to(kern.modules / "kernel")
        run_logged("index the modules", ["depmod", "-b", str(root), kern.release])
        (place / "kernel").unlink()


def installed(kern, root):
    """Install our modules for KERN below ROOT, as `make modules_install` does, with the index of all modules of KERN."""
    _install(f"install modules for {kern.release}", kern, root, env.REPO, env.BUILD / f"install-{kern.release}")


def released(kern):
    """The same of the release that upgrades start from; returns the folder."""
    def build(work):
        folder = env.WORK / "release-build"
        _install(f"install modules of {env.RELEASE[:12]}", kern, work / "older", env.RUN / "release", folder)

    return cache.artifact("release", [env.RELEASE, kern.key], build)


def models():
    """Build the device models; returns the program."""
    folder = env.BUILD / "models"
    with step("device models"), busy(folder):
        run_logged("build the device models", ["make", "-C", str(env.REPO / "tools/models"), JOBS, f"O={folder}"])
    return folder / "vpv-model"


def vpvctl():
    """Build the operator's tool so that it runs in L1, which has none of its libraries; returns the program.

    Needs the check root.
    """
    folder = env.BUILD / "vpvctl-static"
    with step("vpvctl"), busy(folder):
        run_logged("build vpvctl", ["make", "-s", "-C", str(env.REPO / "tools/vpvctl"), JOBS, f"O={folder}",
                                    "LDFLAGS=-static"])
    return folder / "vpvctl"


def plot():
    """Build vpvctl plot alone, which needs the tool root only; returns the program."""
    folder = env.BUILD / "vpvctl-plot"
    with step("vpvctl plot"), busy(folder):
        run_logged("build vpvctl plot", ["make", "-s", "-C", str(env.REPO / "tools/vpvctl"), JOBS, f"O={folder}", "plot"])
    return folder / "vpvctl-plot"


def selftests(kern, programs=None, patiently=False):
    """Build PROGRAMS of the selftests, or all; returns their folder."""
    folder = env.BUILD / "selftests"
    harness = kern.build / "tools/testing/selftests"
    only = [] if programs is None else [f"ONLY={' '.join(sorted(programs)) or 'none'}"]
    with step("selftests" if only else "all selftests"), busy(folder):
        run_logged("build the selftests", [*(PATIENTLY if patiently else ()), "make", "-C", str(env.REPO / "selftests"), JOBS,
                                           f"O={folder}", f"KSFT={harness}", *only])
    return folder


def bench():
    """Build the benchmark's programs; returns their folder."""
    folder = env.BUILD / "bench-program"
    with step("benchmark"), busy(folder):
        run_logged("build the benchmark", ["make", "-C", str(env.REPO / "tools/bench"), f"O={folder}"])
    return folder


# The kernel's build would start its kernel-doc once more for each object: _kernel_doc() reads all files at once.
MATRIX_FLAGS = ["DROPIN=1", "TESTS=1", "W=1", "C=1", "CHECK=sparse", "KCFLAGS=-Werror", "cmd_checkdoc="]
NO_SPARSE = "but sparse is not available"


def _kernel_doc(release, kdir, folder):
    """Lines of warnings about the kernel-doc of the sources in FOLDER, and of headers but those of tests; 7.3 has no script for
    modules.
    """
    script = kdir / "scripts/kernel-doc"
    if not script.exists():
        return []
    files = [str(path) for path in sorted(folder.rglob("*.[ch]")) if path.suffix == ".c" or "kunit" not in path.relative_to(folder).parts]
    _, log = run_logged(f"kernel-doc {release}", [*PATIENTLY, "perl", str(script), "-none", *files], check=False)
    return [line for line in log.read_text(errors="replace").splitlines() if ": " in line]


def matrix_one(release, kdir):
    """Build for one kernel with W=1 and sparse, all warnings being failures.

    Returns (None or what went wrong, whether sparse ran): newer kernels refuse an older sparse, and build without it.
    """
    folder = env.BUILD / "matrix" / release
    with busy(folder):
        status, log = run_logged(
            f"build matrix {release}",
            [*PATIENTLY, "make", "-C", str(env.REPO), JOBS, "modules", f"KDIR={kdir}", f"BUILD={folder}", *MATRIX_FLAGS],
            check=False)
        lines = [line for line in log.read_text(errors="replace").splitlines()
                 if WARNING.search(line) and not NOISE.search(line)]
        lines += _kernel_doc(release, kdir, folder)
        with_sparse = NO_SPARSE not in log.read_text(errors="replace")
        if not status and not lines:
            return None, with_sparse
        # What compiled with a warning must not pass next time because it is up to date.
        shutil.rmtree(folder, ignore_errors=True)
    shown = lines[:12] or log.read_text(errors="replace").splitlines()[-12:]
    return "\n".join([*shown, f"full log: {log}"]), with_sparse


def install_check(release, kdir):
    """Install what matrix_one() built for one kernel into a scratch folder and look at it; (status, lines of TAP)."""
    folder = env.BUILD / "matrix" / release
    with busy(folder):
        done = subprocess.run([*PATIENTLY, str(env.REPO / "tools/checks/install.sh"), str(kdir), str(folder), *MATRIX_FLAGS],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout.splitlines()
