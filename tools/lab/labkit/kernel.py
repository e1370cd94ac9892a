# SPDX-License-Identifier: GPL-2.0
"""The kernels of the lab: Debian's newest and that of its stable release, and two built from its sources, for errors and for speed."""

import lzma
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import cache, env
from .progress import LabError, run_logged, say, step

MODULES = Path("/usr/lib/modules")
PACKAGES = Path("/etc/vpv-packages")
# As Debian builds them, and built by the lab.
PACKAGED = ("stock", "stable")
NAMES = (*PACKAGED, "debug", "lean")


@dataclass(frozen=True)
class Kernel:
    name: str           # of NAMES
    release: str
    image: Path         # bzImage
    modules: Path       # .../lib/modules/RELEASE
    build: Path         # KDIR for external modules
    key: str            # changes whenever the kernel does

    def closure(self, wanted):
        """Files of the modules WANTED (those that are built in or unknown are left out), dependencies first."""
        deps, names = {}, {}
        for line in (self.modules / "modules.dep").read_text().splitlines():
            file, _, needs = line.partition(":")
            deps[file] = needs.split()
            names[os.path.basename(file).split(".")[0].replace("-", "_")] = file
        order = []
        for name in wanted:
            file = names.get(name.replace("-", "_"))
            if file:
                order += [item for item in [*reversed(deps[file]), file] if item not in order]
        return [self.modules / item for item in order]


def read_module(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _age(release):
    """Sorts releases, the oldest first."""
    return [int(number) for number in release.split("+")[0].split(".")]


def _packaged(name, release):
    folder = MODULES / release
    image = next((path for path in (folder / "vmlinuz", Path(f"/boot/vmlinuz-{release}")) if path.exists()), None)
    if image is None:
        raise LabError(f"no vmlinuz for {release} in the tool root")
    # With the package's version: another build may have the same release.
    version = next(line for line in PACKAGES.read_text().splitlines() if line.startswith(f"linux-image-{release}_"))
    return Kernel(name, release, image, folder, folder / "build", version)


def _releases():
    """Whose images are installed in the root, the oldest first."""
    found = sorted((path.parent.name for path in MODULES.glob("*/kernel")), key=_age)
    if not found:
        raise LabError("there is no kernel image in the tool root: run 'tools/lab/lab clean'")
    return found


def stock():
    """The newest kernel image of trixie-backports, as installed in the tool root."""
    return _packaged("stock", _releases()[-1])


def stable():
    """The kernel image of trixie, the oldest kernel that the tree is for, as installed in the check root."""
    oldest, *others = _releases()
    if not others:
        raise LabError("the kernel of Debian stable is in the check root: use a verb or option that builds it")
    return _packaged("stable", oldest)


def header_trees():
    """All kernels whose headers the check root has: {release: build folder}, oldest first."""
    found = {path.parent.name: path for path in MODULES.glob("*/build")}
    return dict(sorted(found.items(), key=lambda item: _age(item[0])))


def missing_symbols(fragment, config):
    """Lines of FRAGMENT that the text CONFIG does not have, with what it has instead."""
    have = {_symbol(line): line for line in config.splitlines()}
    return [f"{line}: {have.get(_symbol(line), 'no such symbol is visible')}" for line in fragment.splitlines()
            if _symbol(line) and have.get(_symbol(line), f"# {_symbol(line)} is not set") != line]


def sources():
    """(archive of the kernel's sources, its package and version)"""
    found = sorted(Path("/usr/src").glob("linux-source-*.tar.xz"))
    if len(found) != 1:
        raise LabError("building a kernel needs the check root: use a verb or option that builds it")
    return found[0], next(line for line in PACKAGES.read_text().splitlines() if line.startswith("linux-source-"))


def named(name):
    """One of NAMES."""
    return {"stock": stock, "stable": stable, "debug": debug, "lean": lean}[name]()


def debug():
    """With all that finds errors; built on first use."""
    return _built("debug", (env.LAB / "debug.config").read_text())


def lean():
    """The same without what costs time, for tests that Debian's lack of IOMMUFD would fail; built on first use."""
    return _built("lean", override((env.LAB / "debug.config").read_text(), (env.LAB / "lean.config").read_text()))


def _symbol(line):
    """The symbol of a line of a .config, set or not; None if there is none."""
    found = re.match(r"(?:# )?(CONFIG_\w+)(?:=| is not set)", line)
    return found and found[1]


def override(config, lines):
    """The text CONFIG with LINES in place of its lines for the same symbols."""
    gone = {_symbol(line) for line in lines.splitlines()} - {None}
    return "".join(f"{line}\n" for line in config.splitlines() if _symbol(line) not in gone) + lines


def _built(name, fragment):
    source, version = sources()
    folder = cache.artifact(f"{name}-kernel", [version, fragment, "format 1"],
                            lambda work: _build(work, name, source, fragment))
    release = (folder / "release").read_text().strip()
    return Kernel(name, release, folder / "bzImage", folder / "lib/modules" / release, folder / "build", folder.name)


def configure(tree, name, source, fragment, *arguments):
    """SOURCE in the folder TREE, configured with FRAGMENT over allnoconfig; the make command, with ARGUMENTS, for what follows."""
    make = ["make", "-C", str(tree), f"-j{os.cpu_count() or 1}", "KBUILD_BUILD_USER=vpv", "KBUILD_BUILD_HOST=lab", *arguments]
    with step(f"{_title(name, source)}: unpack the sources"):
        tree.mkdir()
        run_logged("unpack the kernel", ["tar", "-C", str(tree), "--strip-components=1", "-xf", str(source),
                                         "--exclude=*/Documentation/translations", "--no-same-owner"])
    (tree / "vpv.config").write_text(fragment)
    run_logged(f"configure the {name} kernel", [*make, "-s", "KCONFIG_ALLCONFIG=vpv.config", "allnoconfig"])
    wrong = missing_symbols(fragment, (tree / ".config").read_text())
    if wrong:
        raise LabError(f"the {name} kernel cannot have what tools/lab/{name}.config asks for:\n  " + "\n  ".join(wrong))
    return make


def _title(name, source):
    return f"{name} kernel ({source.name.removesuffix('.tar.xz').removeprefix('linux-source-')})"


def _build(work, name, source, fragment):
    tree = work / "build"
    make = configure(tree, name, source, fragment)
    title = _title(name, source)
    with step(f"{title}: compile (6 to 9 minutes on two cores)"):
        # It is kept whole, so a cache of its objects would serve nobody.
        run_logged(f"compile the {name} kernel", [*make, "bzImage", "modules"], environ={"CCACHE_DISABLE": "1"})
    shutil.copy(tree / "arch/x86/boot/bzImage", work / "bzImage")
    shutil.copy(tree / ".config", work / "config")
    shutil.copy(tree / "System.map", work / "System.map")
    shutil.copy(tree / "include/config/kernel.release", work / "release")
    run_logged(f"install the {name} kernel's modules", [*make, f"INSTALL_MOD_PATH={work}", "modules_install"])
    _prune(tree)
    for link in ("build", "source"):
        (work / "lib/modules" / (work / "release").read_text().strip() / link).unlink(missing_ok=True)
    say(f"{title}: ready")


def _prune(tree):
    """Leave in TREE what building external modules needs, and the kernel's own VFIO selftests."""
    keep_top = {"arch", "include", "scripts", "tools", "Makefile", "Kbuild", "Kconfig", "Module.symvers",
                ".config", "System.map", "vpv.config"}
    keep_tools = {"objtool", "testing", "include", "arch", "lib", "scripts", "build"}
    keep_tests = {"vfio", "iommu", "lib.mk", "kselftest.h", "kselftest_harness.h", "kselftest"}
    for folder, keep in ((tree, keep_top), (tree / "arch", {"x86"}), (tree / "tools", keep_tools),
                         (tree / "tools/testing", {"selftests"}), (tree / "tools/testing/selftests", keep_tests)):
        for item in folder.iterdir():
            if item.name in keep:
                continue
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink()
    for pattern in ("arch/**/*.[oa]", "arch/**/*.c", "arch/**/*.S", "tools/objtool/**/*.o", "tools/objtool/**/*.a"):
        for item in tree.glob(pattern):
            item.unlink()
