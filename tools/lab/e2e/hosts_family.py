# SPDX-License-Identifier: GPL-2.0
"""The device families that guests of two hosts use: their models, the workload in the guest, and how its end is judged with what
the models of both hosts have done.
"""

import zlib
from dataclasses import dataclass

import payload
import run
from labkit import env

# Of the shared disk; the namespaces have blocks of this size.
DISK = "shared.disk"
BLOCK = 512
# Opcodes; of the other commands that change the disk there is WRITE_ZEROES.
WRITE, DSM = 1, 9


@dataclass(frozen=True)
class Family:
    """name: of the model. line: the workload, on the command line of the guest's kernel; lead: operations of it to wait for. zeros: what
    its last report must have 0 of. judge(hosts, guest, report, sides): checks of that report with the models, where SIDES are what each of
    the functions has done, in the order of the moves."""
    name: str
    options: object
    line: str
    initrd: str
    memory: int
    lead: int
    zeros: tuple
    judge: object
    control: str = ""           # the driver of the controlling functions
    records: bool = False       # the models keep a record of the commands that they have completed

    @property
    def driver(self):
        return f"vpv_{self.name}"

    @property
    def modules(self):
        """Drivers alone, in the order in which they can be removed."""
        return tuple(filter(None, (self.driver, self.control)))

    @property
    def persona(self):
        return f"{self.name}-v1"

    def model(self, firmware):
        """For vm.Job: one function, whose device has this firmware."""
        return self.name, 1, f"firmware={firmware}", *self.options()


# Accelerators

def _accelerators(hosts, name, final, sides):
    hosts.check(f"{name}: the device has completed what was submitted",
                final.get("sub") == final.get("done") == final.get("device_done"), final)
    wrote = sum(side["stats"]["dma_writes"] for side in sides)
    # Two for each completion, and one for the result of an operation that has one.
    wanted = 2 * final["done"] + sum(final[key] for key in ("copy", "fill", "deflate", "inflate"))
    hosts.check(f"{name}: the devices carried out each operation once, on one host", wrote == wanted,
                f"writes of the devices {wrote}, of the operations that the guest saw {wanted}")


# Disks

def _disk_options():
    """Both hosts reach the same disk, and a second one with the programs of the guest."""
    return f"disk1={env.RUN / DISK}", f"disk2={payload.tools()}", "readonly2=1"


def last_writes(records):
    """[(first block, blocks, CRC)] of the writes that nothing has touched since, of all commands that change the disk, in their order."""
    owner, writes = {}, []
    for opcode, _, lba, blocks, crc in records:
        if opcode == DSM:       # of blocks that the record does not name
            owner.clear()
            continue
        owner.update(dict.fromkeys(range(lba, lba + blocks), len(writes)))
        writes.append((lba, blocks, crc) if opcode == WRITE else None)
    intact = dict.fromkeys(range(len(writes)), 0)
    for number in owner.values():
        intact[number] += 1
    return [one for number, one in enumerate(writes) if one and intact[number] == one[1]]


def _disks(hosts, name, final, sides):
    hosts.check(f"{name}: every block of the file is what was written, on whichever host",
                0 < final.get("blocks", 0) == final.get("whole"), final)
    hosts.check(f"{name}: the controller and its disk kept their identity", final.get("same") == 1, final)
    records = [record for side in sides for record in side["commands"]]
    failed = [record for record in records if record[1]]
    counted = [{key: side["stats"][key] for key in ("dma_faults", "unlocked_writes")} for side in sides]
    hosts.check(f"{name}: no command failed, no access faulted, and no model touched the disk without its lock",
                not failed and not any(number for side in counted for number in side.values()), f"{failed[:5]} {counted}")
    # In blocks: the guest's kernel takes a flush without data for a write.
    wrote = [sum(blocks for opcode, _, _, blocks, _ in side["commands"] if opcode != DSM) for side in sides]
    hosts.check(f"{name}: the models wrote each block of the guest's writes once, on one host, and some on each",
                all(wrote) and sum(wrote) == final.get("sectors"), f"{wrote}, of {final.get('sectors')}")
    last = last_writes(records)
    disk = (env.RUN / DISK).read_bytes()
    wrong = [one for one in last if zlib.crc32(disk[one[0] * BLOCK:(one[0] + one[1]) * BLOCK]) != one[2]]
    hosts.check(f"{name}: the disk has what the models were last told to write", last and not wrong,
                f"{len(wrong)} of {len(last)}: {wrong[:5]}")


FAMILIES = {family.name: family for family in (
    Family("hisi_like", lambda: run.ACCELERATORS.options, "work=-q4,-n64", "guest-initrd", 160, 200,
           ("lost", "dup", "bad", "fail", "missed"), _accelerators),
    # A file of 4 MiB, 1024 blocks, is written whole before the guest moves, or ends.  fio needs many libraries.
    Family("nvme_cf", _disk_options, "work=-s4,-q16,-b64", "nvme-initrd", 256, 1200, ("errors", "complaints", "fsck"),
           _disks, control="vpv_nvme_ctrl", records=True),
)}
