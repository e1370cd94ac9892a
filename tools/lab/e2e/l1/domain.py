# SPDX-License-Identifier: GPL-2.0
"""libvirt's description of a domain with a function and the guest of the migration runs."""

from pathlib import Path

from guest import KERNEL_LINE

DOMAIN = """
<domain type='{kind}' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name><memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>/vpv/guest-kernel</kernel><initrd>/vpv/{initrd}</initrd>
    <cmdline>{kernel} {line}</cmdline></os>
  <features><acpi/></features>{cpu}
  <on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <controller type='usb' model='none'/><memballoon model='none'/>
    <serial type='file'><source path='/vpv/out/{name}.console'{kept}/><target port='0'/></serial>
    {work}
    <hostdev mode='subsystem' type='pci' managed='{managed}'>{driver}
      <source><address domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{number}'/></source>
    </hostdev>
  </devices>{insist}
</domain>
"""
# What the workload says is in a file.
HEARD = "<serial type='file'><source path='/vpv/out/{name}.workload'/><target port='1'/></serial>"
# It is, and somebody may answer.
ASKED = ("<serial type='unix'><source mode='bind' path='/run/{name}.work'/><log file='/vpv/out/{name}.workload' append='on'/>"
         "<target port='1'/></serial>")
# QEMU migrates a function whose writes nobody tracks only if it is told to, for which libvirt has no word.
MIGRATES = """
  <qemu:override><qemu:device alias='hostdev0'><qemu:frontend>
    <qemu:property name='enable-migration' type='string' value='on'/>
  </qemu:frontend></qemu:device></qemu:override>"""


def xml(function, name, managed="yes", model="", line="", asked=False, initrd="guest-initrd", memory=160):
    """ASKED: a domain that migrates, and whose workload is talked to."""
    domain, bus, rest = function.bdf.split(":")
    slot, number = rest.split(".")
    kvm = Path("/dev/kvm").exists()
    return DOMAIN.format(kind="kvm" if kvm else "qemu", cpu="<cpu mode='host-passthrough'/>" if kvm else "", name=name,
                         memory=memory, initrd=initrd, kernel=KERNEL_LINE, line=line, insist=MIGRATES if asked else "", kept=" append='on'" if asked else "",
                         work=(ASKED if asked else HEARD).format(name=name), managed=managed,
                         driver=f"<driver name='vfio' model='{model}'/>" if model else "",
                         domain=domain, bus=bus, slot=slot, number=number)
