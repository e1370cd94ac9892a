# SPDX-License-Identifier: GPL-2.0
"""The groups of tests that `make check` runs, two at a time and those that only compute beside them.

host: a command in the tool root. nested: one that boots machines of its own. vm: a command in L1 with the tree's modules in
/vpv/modules and the selftests in /vpv/selftests; groups with the same machine share one boot. matrix, programs: built by the runner
itself. A command prints TAP or KTAP.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

SELFTESTS = Path(__file__).resolve().parents[2] / "selftests"


@dataclass(frozen=True)
class Machine:
    kernel: str = "debug"
    models: str = ""
    devices: str = ""           # QEMU's own, listed in /vpv/stock
    memory: int = 2048
    append: str = ""            # more kernel command line
    disks: tuple = ()           # roots that L1 mounts, by name
    attempts: int = 1           # boots, if QEMU itself aborts (known_abort in check.py)
    cover: bool = False         # our modules tell what of them was executed


@dataclass(frozen=True)
class Group:
    name: str
    kind: str
    command: str = ""
    timeout: int = 1200
    needs: str = ""             # part of the tree without which the group fails
    machine: Machine = field(default_factory=Machine)
    corpus: str = ""            # folder of build/ that becomes /vpv/corpus, if it is there
    patient: bool = False       # looks at no clock: takes what time the others leave

    @property
    def programs(self):
        """Words by which its command picks programs of selftests/."""
        return {word for found in re.findall(r"GROUP='([^']*)'|GROUP=([\w-]+)", self.command) for word in " ".join(found).split()}


def programs_of(groups):
    """{NAME_test of each program in selftests/ that one of GROUPS picks}"""
    picked = set().union(*(group.programs for group in groups))
    found = {path.stem: re.search(r"^ \* Groups: (.*)$", path.read_text().partition("*/")[0], re.M) for path in SELFTESTS.glob("*_test.c")}
    return {name for name, line in found.items() if line and picked & {*line[1].split()}}


def selftests(name, programs="", **more):
    """The programs in selftests/ whose first comment has one of the words @programs (@name) in its line "Groups:"."""
    return Group(name, "vm", f"GROUP='{programs or name}' /vpv/selftests/run.sh", needs="selftests", **more)


def family_names():
    return sorted(path.stem for path in (SELFTESTS / "families").glob("*.c"))


def family_machines():
    """{name of a group: (words that pick programs, functions)}, of the lines "Machine NAME [WORD...]: FUNCTION..." of families.

    A function is one of a model, or qemu:NAME: one of QEMU's own; N*FUNCTION: it comes N times.
    """
    found = {}
    for path in sorted((SELFTESTS / "families").glob("*.c")):
        comment = path.read_text().partition("*/")[0]
        for words, models in re.findall(r"^ \* Machine ([^:]+): ((?:.*\n \*\t)*.*)$", comment, re.M):
            name = words.split()[0]
            programs, old = found.get(name, (words, []))
            times = [re.fullmatch(r"(?:(\d+)\*)?(.*)", word) for word in re.sub(r"\n \*", " ", models).split()]
            found[name] = programs, old + [word[2] for word in times for _ in range(int(word[1] or 1))]
    return found


def machine_of(programs, functions):
    own = [function.removeprefix("qemu:") for function in functions if function.startswith("qemu:")]
    models = [function for function in functions if not function.startswith("qemu:")]
    # Where functions are killed the machine may go down with them, after every second one or so if a controlling one dies as well.
    return Machine(kernel="debug", models=",".join(models), devices=",".join(own), attempts=8 if "death" in programs.split() else 1)


FAMILIES = family_machines()
# A function of each kind whose interrupts, ROM, VFs and mappings are tested; both edus on one interrupt line.
FUNCTIONS = "e1000e,edu,edu,igb,testdev:membar=4G:membar-backed=on"
DEBUG = Machine(kernel="debug", models=",".join(FAMILIES.pop("self", ("", []))[1]), devices=FUNCTIONS)
# Two functions of each family.
PAIRS = Machine(kernel="debug", models=",".join(FAMILIES.pop("pairs", ("", []))[1]), devices="edu")
# Suites in the kernel need no function, and need not wait for those that do.
PLAIN_DEBUG = Machine(kernel="debug")
# One function for each state in which it is killed.
DYING = machine_of(*FAMILIES.pop("death", ("death", [])))

GROUPS = (
    Group("layers", "host", "python3 tools/checks/layers.py", needs="tools/checks/layers.py"),
    Group("tables", "host", "python3 tools/checks/tables.py", needs="tools/checks/tables.py"),
    Group("tap", "host", "python3 tools/checks/tap.py", needs="tools/checks/tap.py"),
    Group("runner", "host", "python3 tools/checks/runner.py", needs="tools/checks/runner.py"),
    Group("mutants", "host", "python3 tools/checks/mutants.py --apply", needs="tools/checks/mutants.py"),
    Group("formats", "host", "python3 tools/checks/formats.py", needs="tools/checks/formats.py"),
    Group("releases", "host", "tools/checks/releases.sh", needs="tools/checks/releases.sh"),
    Group("operating", "host", "python3 tools/checks/operating.py", needs="tools/checks/operating.py"),
    Group("dkms", "host", "python3 tools/checks/dkms.py", needs="tools/checks/dkms.py"),
    Group("host", "host", "make -s -C kunit/host check O=$PWD/build/host", needs="kunit/host"),
    Group("models", "host", "make -s -C tools/models check O=$PWD/build/models", needs="tools/models"),
    Group("libvcfg", "host", "make -s -C tools/libvcfg check O=$PWD/build/libvcfg", needs="tools/libvcfg"),
    Group("vpvctl", "host", "make -s -C tools/vpvctl check O=$PWD/build/vpvctl", needs="tools/vpvctl"),
    Group("conformance", "host", "make -s -C selftests/conformance check O=$PWD/build/conformance", needs="selftests/conformance"),
    Group("fuzz", "host", "make -s -C tools/fuzz check O=$PWD/build/fuzz", needs="tools/fuzz"),
    Group("fuzz-models", "host", "make -s -C tools/models fuzz O=$PWD/build/fuzz-models", needs="tools/models"),
    Group("build-matrix", "matrix", patient=True),
    Group("programs", "programs", needs="selftests", patient=True),
    Group("checkpatch", "host", 'tools/checks/checkpatch.sh "$(python3 tools/lab/main.py kernel | tail -n 1)/scripts/checkpatch.pl" "$VPV_CACHE/checkpatch"',
          needs="tools/checks/checkpatch.sh", timeout=3600, patient=True),
    Group("e2e", "nested", "python3 tools/lab/e2e/migrate_test.py", needs="tools/lab/e2e/migrate_test.py", timeout=2400),
    Group("lab", "vm", "lab-selfcheck", timeout=120, machine=DEBUG),
    Group("kunit", "vm", "kunit-run", timeout=600, needs="kunit", machine=PLAIN_DEBUG),
    selftests("self", timeout=3600, machine=DEBUG),
    selftests("death", timeout=240, machine=DYING),
)
# One with vital product data and a BAR that is smaller than a page, one more that vpv_pci denies, one with AF, and one
# with D1 and D2 whose INTx is known to be broken.
PLAIN = "plain:1:bar_log2=10,plain:1:vendor=0x8086:device=0x37c8,plain:1:af=1,plain:1:vendor=0x8086:device=0x1572:d1d2=1"
# Of those of DEBUG, what leaves room for all of FUNCTIONS.  Those of releases had no D1 and D2, but no release is tested here.
OLD = ",".join(f"{function}:d1d2=1" for function in ("edu_like:2:tile_us=500", "hisi_like:2", "hisi_like:1:queues=8",
                                                     "hisi_like:1:firmware=2"))
# `make check-upstream`: what takes too long for `make check`. The kernel's own tests on QEMU's own devices, with vfio-pci
# and with vpv_pci, and our own of the same kind.
STOCK = Machine(kernel="debug", models=f"hisi_like:1,{PLAIN}", devices="edu,e1000e,igb,nvme,virtio-net", memory=3072)
# iomem=relaxed: nvme-cli maps registers of a controller that has a driver (show-regs, effects-log).
# The second subsystem has no profile.
NVME = Machine(kernel="stock", models="nvme_cf:2:profile=7,nvme_cf:1", devices="nvme", append="iomem=relaxed")
RARE = Machine(kernel="debug", models=f"hisi_like:2,edu_like:1,{PLAIN}", devices=f"{FUNCTIONS},igb-pair,e1000e-pair,bridge,vga")
# What `make soak` has.  256 MiB of coherent memory are the least that there is.
SOAKED = replace(PAIRS, models=",".join([PAIRS.models, *FAMILIES.pop("soak", ("", []))[1]]), memory=4096)
# What `make ioctl-fuzz` calls.
FUZZED = replace(PAIRS, devices="e1000e", cover=True)
# A driver that is not ours under the conformance program: its module is built with the machine.
OUTSIDER = "selftests/conformance/mtty.differs"
# Modules with a deliberate bug under it: they are built with the machine, too.
MUTANTS = "tools/checks/mutants_conformance.py"
UPSTREAM = (
    # They have time-outs that a kernel with sanitizers does not keep on an emulated machine.
    Group("upstream", "vm", "/vpv/upstream/run.py", timeout=7200, needs="tools/lab/upstream",
          machine=Machine(kernel="lean", devices=STOCK.devices, memory=STOCK.memory)),
    Group("conformance-all", "vm", "GROUP=conformance /vpv/selftests/run.sh --all", timeout=2400, needs="selftests", machine=PAIRS),
    Group("conformance-gpu", "vm", "GROUP=conformance /vpv/selftests/run.sh --all", timeout=3600, needs="selftests",
          machine=Machine(kernel="debug", models="coherent_gpu:2:carveout=32")),
    Group("conformance-mutants", "vm", "GROUP=conformance conformance-mutants", timeout=3600, needs=MUTANTS, machine=PAIRS),
    Group("soak-repeats", "vm", "GROUP=soak soak-repeats", timeout=900, needs="selftests", machine=PAIRS),
    Group("outsider", "vm", "conformance-mtty", timeout=600, needs=OUTSIDER, machine=PAIRS),
    selftests("errno", timeout=3600, machine=STOCK),
    selftests("functions", timeout=1800, machine=RARE),
    # vga=: the firmware sets up a framebuffer, and the kernel's vesafb takes it.  Of bochs-display it knows one mode only.
    selftests("display", timeout=300, machine=Machine(kernel="stock", devices="vga,vga-port", append="vga=0x317")),
    selftests("display-other", timeout=300, machine=Machine(kernel="stock", devices="bochs-display", append="vga=0x340")),
    selftests("faults", timeout=3600, machine=RARE),
    *(selftests(name, programs, timeout=3600, machine=machine_of(programs, functions)) for name, (programs, functions) in FAMILIES.items()),
    Group("mlx5-nested", "nested", "python3 tools/lab/e2e/network_test.py", needs="tools/lab/e2e/network_test.py", timeout=2100),
    Group("gpu-nested", "nested", "python3 tools/lab/e2e/gpu_test.py", needs="tools/lab/e2e/gpu_test.py", timeout=2400),
    Group("emulator", "nested", "python3 tools/lab/e2e/emulator_test.py", needs="tools/lab/e2e/emulator_test.py", timeout=900),
    Group("v1-nested", "nested", "python3 tools/lab/e2e/v1_test.py", needs="tools/lab/e2e/v1_test.py", timeout=3000),
    Group("nvme-nested", "nested", "python3 tools/lab/e2e/nvme_test.py", needs="tools/lab/e2e/nvme_test.py", timeout=2400),
    Group("libvirt", "nested", "python3 tools/lab/e2e/libvirt_test.py", needs="tools/lab/e2e/libvirt_test.py", timeout=3600),
    Group("hosts", "nested", "python3 tools/lab/e2e/hosts_test.py", needs="tools/lab/e2e/hosts_test.py", timeout=5400),
    Group("upgrade", "nested", "python3 tools/lab/e2e/upgrade_test.py", needs="tools/lab/e2e/upgrade_test.py", timeout=5400),
    # The oldest kernel that the tree is for, as Debian stable has it: no IOMMUFD, no fault injection, other APIs.
    selftests("stable", timeout=3600,
              machine=Machine(kernel="stable", models=f"{OLD},{PLAIN}",
                              devices=f"{FUNCTIONS},igb-pair,e1000e-pair,bridge,vga", memory=3072)),
    # What of coherent_gpu is not the same there: its memory has no huge entries.
    selftests("coherent-gpu-stable", timeout=1200,
              machine=Machine(kernel="stable", models="coherent_gpu:2:carveout=32,coherent_gpu:1:size=512:carveout=128,"
                              "coherent_gpu:2:size=1024")),
    # A kernel without sanitizers: 1,000 rounds in minutes, and mutants.py, which boots it for each of them.
    Group("coherent-gpu-truth", "vm", "ROUNDS=${ROUNDS:-1000} GROUP=coherent-gpu-truth /vpv/selftests/run.sh", timeout=1200, needs="selftests",
          machine=Machine(kernel="stock", models="coherent_gpu:2:carveout=32,coherent_gpu:1:size=512:carveout=128:log_min=21,"
                          "coherent_gpu:2:size=1024")),
    # A kernel without sanitizers: what is reported is time. To wake a CPU from HLT takes a lock of the whole emulator.
    selftests("throughput", timeout=2400, machine=Machine(kernel="stock", models="mlx5_like:2:image=1G:dirty=0,coherent_gpu:2:size=1024,coherent_gpu:1:size=65536,coherent_gpu:1", memory=4096, append="idle=poll")),
    Group("models-cover", "host", "make -s -C tools/models cover O=$PWD/build/models", needs="tools/models"),
    Group("nvme", "vm", "nvme-stock", timeout=600, needs="tools/lab/guest/bin/nvme-stock", machine=NVME),
    Group("nvme-commands", "vm", "nvme-commands", timeout=900, needs="tools/lab/guest/nvme", machine=NVME),
    Group("schedulers", "host", "make -s -C tools/vpvctl schedulers O=$PWD/build/vpvctl READERS=/run/disk-readers", needs="tools/vpvctl"),
    Group("packages", "nested", "python3 tools/lab/packages_test.py", needs="debian", timeout=7200),
    # iomem=relaxed: the check maps registers and memory itself.  The second one has 64 GiB of address space.
    Group("coherent", "vm", "coherent-check", timeout=300, needs="tools/lab/guest/bin/coherent-check",
          machine=Machine(kernel="stock", models="coherent_gpu:1:carveout=32,coherent_gpu:1:size=65536", append="iomem=relaxed")),
    # iomem=relaxed: the test resets a controller by its register, while it has a driver.
    Group("nvme-manage", "vm", "nvme-manage", timeout=600, needs="tools/lab/guest/bin/nvme-manage",
          machine=Machine(kernel="stock", models="nvme_cf:2:profile=7", append="iomem=relaxed")),
    Group("clients", "vm", "/vpv/clients/run.py", timeout=1200, needs="tools/lab/clients",
          machine=Machine(kernel="stock", devices="e1000e,nvme,nvme,nvme,nvme,virtio-net,igb", disks=("dpdk",), memory=3072)),
)
HOST_KINDS = ("host", "matrix")

# (group, program) whose tests all skip there, and why. Any other program that only skips has lost what it was to show.
SKIPPED = {
    ("mlx5", "compat_test"): "functions of this family do not differ",
    ("mlx5", "limits_test"): "mlx5_limits_test has what the firmware says",
    ("nvme-cf", "compat_test"): "functions of this family do not differ",
    ("stable", "logging_test"): "there is no IOMMUFD",
}
