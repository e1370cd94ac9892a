# SPDX-License-Identifier: GPL-2.0
# A made-up kernel (fake.py kernel) answers to bind, unbind and drivers_probe.
DEV=0000:00:05.0
driver_of() { basename "$(readlink "$R/sys/bus/pci/devices/$DEV/driver")"; }
override_of() { tr -d '\n' <"$R/sys/bus/pci/devices/$DEV/driver_override"; }
has() { [ "$(driver_of)" = "$1" ] && [ "$(override_of)" = "$2" ]; }

host_with() { # OPTIONS OF THE FUNCTION
	fresh
	for name in vpv_hisi_like vfio-pci native; do fake driver $name; done
	fake alias 'v00001234d00007610sv*sd*bc*sc*i* vpv_hisi_like'
	fake fn $DEV group=3 "$@"
}

host_with driver=native
start_kernel native=native
expect "to the most specific driver" 0 "^$DEV: bound to vpv_hisi_like, /dev/vfio/3" '' bind $DEV
holds "driver and override are set" has vpv_hisi_like vpv_hisi_like
expect "again changes nothing" 0 'bound to vpv_hisi_like' '' bind $DEV
expect "to another driver, by module name" 0 'bound to vfio-pci' '' bind 00:05.0 vfio_pci
holds "the name of the bus is used" has vfio-pci vfio-pci
json "unbind as JSON" 0 'd["ok"] and d["device"] == "0000:00:05.0"' unbind $DEV
for _ in $(seq 50); do has native "" && break; sleep 0.02; done
holds "the kernel's driver is back" has native ""
expect "a native driver is not unbound" 1 '' 'bound to native, which is no VFIO driver' unbind $DEV
json "bind as JSON" 0 'd == {"device": "0000:00:05.0", "ok": True, "driver": "vpv_hisi_like",
	"node": "/dev/vfio/3", "error": None}' bind $DEV
expect "unbind without probing" 0 'released, now no driver' '' unbind --no-probe $DEV
holds "no driver has it" [ ! -e "$R/sys/bus/pci/devices/$DEV/driver" ]
expect "unbind of a free function" 0 'released' '' unbind --no-probe $DEV
stop_kernel

host_with driver=native override=foo
start_kernel refuse=vpv_hisi_like
expect "the probe refuses" 1 '' 'vpv_hisi_like did not take it.*; native is restored' bind --timeout 1 $DEV
holds "driver and override are restored" has native foo
expect "a driver that is no VFIO driver" 1 '' 'native is no VFIO driver|did not' bind --timeout 1 $DEV native
json "failure as JSON" 1 'not d["ok"] and "restored" in d["error"]' bind --timeout 1 $DEV
stop_kernel

host_with
start_kernel
expect "another driver of the kernel is no VFIO driver" 1 '' 'native is no VFIO driver; it has no driver, as before' \
	bind $DEV native
stop_kernel

host_with driver=native
ln -sf /dev/full "$R/sys/bus/pci/drivers/vpv_hisi_like/bind"
expect "errno of the probe is told" 1 '' 'vpv_hisi_like does not take it: No space left' bind --timeout 1 $DEV

host_with driver=native
ln -sf /dev/full "$R/sys/bus/pci/drivers/native/unbind"
expect "unbinding fails" 1 '' 'cannot unbind native.*; native is restored' bind --timeout 1 $DEV
holds "override is as before" has native ""

host_with driver=native
fake fn 0000:00:05.1 group=3 driver=native
expect "group not viable" 1 '' 'group 3 is not viable: 0000:00:05.1 is bound to native' bind $DEV
holds "nothing was touched" has native '(null)'
fake fn 0000:00:05.1 group=3 driver=pcieport
start_kernel
expect "a port driver does not matter" 0 'bound to' '' bind $DEV
stop_kernel

host_with driver=native
rm "$R/sys/bus/pci/devices/$DEV/iommu_group"
expect "no IOMMU" 1 '' 'in no IOMMU group' bind $DEV
host_with driver=native class=060400
expect "a bridge" 1 '' 'PCI bridge' bind $DEV

host_with driver=native
expect "driver not installed" 1 '' 'vpv_none is not loaded and modprobe cannot' bind $DEV vpv_none
mkdir -p "$R/sbin"
printf '#!/bin/sh\nexit 0\n' >"$R/sbin/modprobe"
chmod +x "$R/sbin/modprobe"
expect "module without a driver" 1 '' 'registers no PCI driver' bind $DEV vpv_none
printf '#!/bin/sh\necho "$*" >%s/modprobe.log\nmkdir -p %s/sys/bus/pci/drivers/vpv_new\n' "$R" "$R" >"$R/sbin/modprobe"
expect "the module is loaded" 1 '' 'vpv_new does not take it: No such file' bind --timeout 1 $DEV vpv_new
holds "by its name" grep -qx -- '-q -- vpv_new' "$R/modprobe.log"

# The override that driverctl keeps, say, names the driver already.
host_with override=vpv_new vfio=vfio0
mkdir -p "$R/sbin"
printf '#!/bin/sh\nmkdir -p %s/sys/bus/pci/drivers/vpv_new\nln -s ../../drivers/vpv_new %s/sys/bus/pci/devices/%s/driver\n' \
	"$R" "$R" "$DEV" >"$R/sbin/modprobe"
chmod +x "$R/sbin/modprobe"
expect "the kernel binds it while the module is loaded" 0 'bound to vpv_new' '' bind --timeout 1 $DEV vpv_new
holds "and it stays so" has vpv_new vpv_new

host_with driver=native
rm "$R"/lib/modules/*/modules.alias
expect "no modules.alias" 1 '' 'cannot read modules.alias' bind $DEV
host_with driver=native vendor=8086
sed -i /vfio_pci/d "$R"/lib/modules/*/modules.alias
start_kernel
expect "no alias: vfio-pci" 0 'bound to vfio-pci' '' bind $DEV
stop_kernel

host_with driver=vpv_hisi_like vfio=vfio0
rm "$R/dev/vfio/3"
expect "no node" 1 '' 'no node in /dev/vfio appeared within 1 s' bind --timeout 1 $DEV

host_with driver=vpv_hisi_like vfio=vfio0 override=vpv_hisi_like
ln -sf /dev/full "$R/sys/bus/pci/drivers/vpv_hisi_like/unbind"
expect "unbind that fails" 1 '' 'cannot unbind vpv_hisi_like: No space left' unbind $DEV
holds "leaves driver and override" has vpv_hisi_like vpv_hisi_like
ln -sf /dev/null "$R/sys/bus/pci/drivers/vpv_hisi_like/unbind"
expect "unbind that takes too long" 1 '' 'vpv_hisi_like still has it after 1 s' unbind --timeout 1 $DEV
holds "leaves them, too" has vpv_hisi_like vpv_hisi_like

# A kernel without groups: nobody but the user of the function's own node tells.
rm "$R/dev/vfio/3"
mkdir -p "$R/dev/vfio/devices" "$R/proc/4242/fd"
touch "$R/dev/vfio/devices/vfio0"
echo qemu >"$R/proc/4242/comm"
ln -s /dev/vfio/devices/vfio0 "$R/proc/4242/fd/31"
expect "in use without a group" 1 '' 'is in use; stop its user first' unbind --timeout 1 $DEV
expect "not to another driver, either" 1 '' 'is in use; stop its user first' bind --timeout 1 $DEV vfio-pci
holds "and nothing is touched" has vpv_hisi_like vpv_hisi_like
