# SPDX-License-Identifier: GPL-2.0
"""The groups of tests that `make check` runs, two at a time.

host: a command in the tool root. nested: one that boots machines of its own. vm: a command in L1 with the tree's modules in /vpv/modules and the selftests in
/vpv/selftests; groups with the same machine share one boot. matrix: built by the runner itself. A command prints TAP
or KTAP, or, with plain=True, nothing of use: then its exit status is one test.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Machine:
    kernel: str = "debug"
    models: str = ""
    spare: int = 0
    devices: str = ""           # QEMU's own, listed in /vpv/stock
    memory: int = 2048
    append: str = ""            # more kernel command line
    attempts: int = 1           # boots, if QEMU itself aborts (known_abort in check.py)


@dataclass(frozen=True)
class Group:
    name: str
    kind: str
    command: str = ""
    timeout: int = 1200
    needs: str = ""             # part of the tree without which the group fails
    plain: bool = False
    machine: Machine = field(default_factory=Machine)


# Two functions that are alike, and for compat_test one that differs in each thing that is matched.
MODELS = ("hisi_like:2", "hisi_like:1:queues=8", "hisi_like:1:rev=2.0", "hisi_like:1:log2=6", "hisi_like:1:algs=0x1f",
          "hisi_like:1:version=2", "hisi_like:1:version=3:oldest=2", "hisi_like:1:isolated=1", "hisi_like:1:firmware=2",
          "edu_like:2:tile_us=500", "edu_like:1:max_words=1024")
# A function of each kind whose interrupts, ROM, VFs and mappings are tested; both edus on one interrupt line.
FUNCTIONS = "e1000e,edu,edu,igb,testdev:membar=4G:membar-backed=on"
DEBUG = Machine(kernel="debug", models=",".join(MODELS), devices=FUNCTIONS)
# Suites in the kernel need no function, and need not wait for those that do.
PLAIN_DEBUG = Machine(kernel="debug")
# One function for each state in which it is killed, in a machine that may go down with them.
DYING = Machine(kernel="debug", models="hisi_like:1", spare=7, attempts=4)

GROUPS = (
    Group("layers", "host", "python3 tools/checks/layers.py", needs="tools/checks/layers.py"),
    Group("host", "host", "make -s -C kunit/host check O=$PWD/build/host", needs="kunit/host"),
    Group("models", "host", "make -s -C tools/models check O=$PWD/build/models", needs="tools/models"),
    Group("libvcfg", "host", "make -s -C tools/libvcfg check O=$PWD/build/libvcfg", needs="tools/libvcfg"),
    Group("vpvctl", "host", "make -s -C tools/vpvctl check O=$PWD/build/vpvctl", needs="tools/vpvctl"),
    Group("fuzz", "host", "make -s -C tools/fuzz check O=$PWD/build/fuzz", needs="tools/fuzz"),
    Group("fuzz-models", "host", "make -s -C tools/models fuzz O=$PWD/build/fuzz-models", needs="tools/models"),
    Group("build-matrix", "matrix"),
    Group("checkpatch", "host", 'tools/checks/checkpatch.sh "$(python3 tools/lab/main.py kernel | tail -n 1)/scripts/checkpatch.pl" "$VPV_CACHE/checkpatch"',
          needs="tools/checks/checkpatch.sh", timeout=1800),
    Group("e2e", "nested", "python3 tools/lab/e2e/migrate_test.py", needs="tools/lab/e2e/migrate_test.py", timeout=1200),
    Group("lab", "vm", "lab-selfcheck", timeout=120, machine=DEBUG),
    Group("kunit", "vm", "kunit-run", timeout=600, needs="kunit", machine=PLAIN_DEBUG),
    Group("self", "vm", "TEST=${TEST:-'!(charge|config|death|display|dmabuf|errno|fail_nth*|hotreset|mapping|mlx5*|race|recovery|special|sriov|throughput)'} /vpv/selftests/run.sh", timeout=1800, needs="selftests", machine=DEBUG),
    Group("death", "vm", "TEST=death /vpv/selftests/run.sh", timeout=240, needs="selftests", machine=DYING),
)
# One with vital product data and a BAR that is smaller than a page, one more that vpv_pci denies, one with AF, and one
# with D1 and D2 whose INTx is known to be broken.
PLAIN = "plain:1:bar_log2=10,plain:1:vendor=0x8086:device=0x37c8,plain:1:af=1,plain:1:vendor=0x8086:device=0x1572:d1d2=1"
# `make check-upstream`: what takes too long for `make check`. The kernel's own tests on QEMU's own devices, with vfio-pci
# and with vpv_pci, and our own of the same kind.
STOCK = Machine(kernel="debug", models=f"hisi_like:1,{PLAIN}", devices="edu,e1000e,igb,nvme,virtio-net", memory=3072)
RARE = Machine(kernel="debug", models=f"hisi_like:2,{PLAIN}", devices=f"{FUNCTIONS},igb-pair,e1000e-pair,bridge,vga")
UPSTREAM = (
    # They have time-outs that a kernel with sanitizers does not keep on an emulated machine.
    Group("upstream", "vm", "/vpv/upstream/run.py", timeout=7200, needs="tools/lab/upstream",
          machine=Machine(kernel="lean", devices=STOCK.devices, memory=STOCK.memory)),
    Group("errno", "vm", "TEST=${TEST:-'@(config|errno)'} /vpv/selftests/run.sh", timeout=3600, needs="selftests", machine=STOCK),
    Group("functions", "vm", "TEST=${TEST:-'@(dmabuf|hotreset|mapping|race|recovery|special|sriov)'} /vpv/selftests/run.sh", timeout=1800, needs="selftests",
          machine=RARE),
    # vga=: the firmware sets up a framebuffer, and the kernel's vesafb takes it.
    Group("display", "vm", "TEST=display /vpv/selftests/run.sh", timeout=300, needs="selftests",
          machine=Machine(kernel="stock", devices="vga,vga-port", append="vga=0x317")),
    Group("faults", "vm", "TEST=${TEST:-'fail_nth*'} /vpv/selftests/run.sh", timeout=3600, needs="selftests", machine=RARE),
    Group("mlx5", "vm", "TEST=${TEST:-'@(mlx5|mlx5_reach|migration|moves|stream|lifetime|reachable)'} /vpv/selftests/run.sh", timeout=900, needs="selftests",
          machine=Machine(kernel="debug", models="mlx5_like:2:image=8M:dirty=0:serial=1,"
                         "mlx5_like:1:image=8M:dirty=0:serial=2:firmware=2:incremental=0")),
    # A command that never ends costs timeout_ms and a second.
    Group("mlx5-fault", "vm", "TEST=${TEST:-'mlx5_@(fault|gone|limits|reset)'} /vpv/selftests/run.sh", timeout=3600, needs="selftests",
          machine=Machine(kernel="debug", models="mlx5_like:2:image=4M:dirty=0:timeout_ms=500")),
    Group("mlx5-nested", "nested", "python3 tools/lab/e2e/network_test.py", needs="tools/lab/e2e/network_test.py", timeout=1200),
    # The oldest kernel that the tree is for, as Debian stable has it: no IOMMUFD, no fault injection, other APIs.
    Group("stable", "vm", "TEST=${TEST:-'!(config|death|dmabuf|errno|fail_nth*|mlx5*|race|throughput)'} /vpv/selftests/run.sh", timeout=1800,
          needs="selftests", machine=Machine(kernel="stable", models="hisi_like:2", devices=f"{FUNCTIONS},igb-pair,e1000e-pair", memory=3072)),
    # A kernel without sanitizers: what is reported is time.
    Group("throughput", "vm", "TEST=${TEST:-'@(charge|throughput)'} /vpv/selftests/run.sh", timeout=900, needs="selftests",
          machine=Machine(kernel="stock", models="mlx5_like:2:image=1G:dirty=0", memory=4096)),
    Group("clients", "vm", "/vpv/clients/run.py", timeout=900, needs="tools/lab/clients",
          machine=Machine(kernel="stock", devices="e1000e,nvme,nvme,virtio-net", memory=3072)),
)
HOST_KINDS = ("host", "matrix")
