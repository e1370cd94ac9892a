// SPDX-License-Identifier: GPL-2.0
/*
 * What vpvctl doctor looks at.  A check finds something only when it is sure; what it
 * cannot know it reports as unchecked.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "files.h"
#include "vpvctl.h"

/* Kernel options; @or is another one that serves as well. */
static const struct kernel_option {
	const char *name;
	const char *or;
	const char *why;
} kernel_options[] = {
	{ "CONFIG_VFIO", NULL, "nothing works" },
	{ "CONFIG_VFIO_PCI_CORE", "CONFIG_VFIO_PCI", "no PCI function can be assigned" },
	{ "CONFIG_VFIO_GROUP", "CONFIG_VFIO_DEVICE_CDEV", "user space has no way to a device" },
	{ "CONFIG_IOMMU_API", NULL, "there is no isolation of DMA" },
	{ "CONFIG_IOMMUFD", NULL, "dirty pages cannot be tracked, neither by device nor IOMMU, "
				  "so a VMM sends all memory again while the guest is down" },
	{ "CONFIG_DEBUG_FS", NULL, "migration states, bytes and errors are not shown" },
};

static char *read_kernel_config(void)
{
	char release[128];
	char *text = read_bytes(at("/proc/config.gz").s, NULL);

	if (text)
		return text;
	kernel_release(release, sizeof(release));
	text = read_bytes(at("/boot/config-%s", release).s, NULL);
	if (!text)
		text = read_bytes(at("/lib/modules/%s/config", release).s, NULL);
	return text;
}

static bool option_set(const char *config, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = config; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, n) && line[n] == '=' &&
		    (line[n + 1] == 'y' || line[n + 1] == 'm'))
			return true;
	}
	return false;
}

static void check_kernel_options(void)
{
	char *config = read_kernel_config();

	if (!config) {
		unchecked("kernel options: there is neither /proc/config.gz nor "
			  "/boot/config-RELEASE");
		return;
	}
	for (size_t i = 0; i < sizeof(kernel_options) / sizeof(kernel_options[0]); i++) {
		const struct kernel_option *o = &kernel_options[i];

		if (option_set(config, o->name) || (o->or && option_set(config, o->or)))
			continue;
		finding("kernel-option", "kernel", "use a kernel that has it", "%s%s%s is not "
			"set: %s", o->name, o->or ? " or " : "", o->or ? o->or : "", o->why);
	}
	free(config);
}

static void check_iommu(void)
{
	char **names, unsafe[8];
	int n = list_dir(at("/sys/kernel/iommu_groups").s, &names);

	free_names(names, n);
	if (n <= 0)
		finding("iommu-off", "host", "switch it on in the firmware (VT-d, AMD-Vi, SMMU); on "
			"Intel also boot with intel_iommu=on", "there are no IOMMU groups: the "
			"IOMMU is absent or off");
	read_line(at("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode").s, unsafe,
		  sizeof(unsafe));
	if (!strcmp(unsafe, "Y"))
		finding("noiommu", "host", "echo N > /sys/module/vfio/parameters/"
			"enable_unsafe_noiommu_mode, and use an IOMMU",
			"VFIO runs without IOMMU: devices can overwrite all memory");
}

static uint64_t memory_bytes(void)
{
	char *text = read_bytes(at("/proc/meminfo").s, NULL), *line;
	uint64_t kib = 0;

	line = text ? strstr(text, "MemTotal:") : NULL;
	if (line)
		sscanf(line, "MemTotal: %" SCNu64, &kib);
	free(text);
	return kib * 1024;
}

/* CAP_IPC_LOCK is not limited. */
static bool may_lock(void)
{
	char *text = read_bytes(at("/proc/self/status").s, NULL), *line;
	uint64_t caps = 0;

	line = text ? strstr(text, "\nCapEff:") : NULL;
	if (line)
		sscanf(line, "\nCapEff: %" SCNx64, &caps);
	free(text);
	return caps & 1u << 14;
}

static void check_memlock(void)
{
	char *text = read_bytes(at("/proc/self/limits").s, NULL), *line;
	uint64_t limit, memory = memory_bytes();

	line = text ? strstr(text, "Max locked memory") : NULL;
	if (!line || !memory)
		unchecked("limit of locked memory: /proc does not tell");
	else if (!may_lock() && sscanf(line, "Max locked memory %" SCNu64, &limit) == 1 &&
		 limit < memory)
		finding("memlock", "host", "raise it (ulimit -l, limits.conf, LimitMEMLOCK=); "
			"libvirt does so by itself", "a VMM started from here may lock %" PRIu64
			" MiB of memory, and needs as much as the guest has", limit >> 20);
	free(text);
}

void doctor_host(void)
{
	const char *trouble = mig_debugfs_trouble();

	check_kernel_options();
	check_iommu();
	check_memlock();
	if (trouble)
		unchecked("migration states and features: %s", trouble);
}

static const char *module_of(const struct pci_fn *fn, char *module, size_t size)
{
	if (!link_name(at("/sys/bus/pci/drivers/%s/module", fn->driver).s, module, size))
		snprintf(module, size, "%s", fn->driver);
	return module;
}

static void report_tie(const struct pci_fn *fn, const struct alias_choice *choice)
{
	char all[512];
	size_t n = 0;

	for (unsigned int i = 0; i < choice->ties && n < sizeof(all); i++)
		n += snprintf(all + n, sizeof(all) - n, "%s%s", i ? ", " : "", choice->tied[i]);
	finding("alias-tied", fn->bdf, "name the driver: <driver model='NAME'/> in libvirt, "
		"vpvctl bind DEV NAME here", "several VFIO drivers claim it equally: %s; libvirt "
		"takes the one that modules.alias names first", all);
}

/* Whether a driver is made for it that this kernel has not. */
static bool lacks_driver(const struct pci_fn *fn)
{
	const char *driver = family_driver(fn);
	char release[128], *fix;

	if (!driver || module_same(driver, fn->driver) || alias_has(fn, driver))
		return false;
	kernel_release(release, sizeof(release));
	fix = xformat("apt install vpv-dkms linux-headers-%s (or make modules_install, and depmod "
		      "-a); dkms status vpv tells whether it was built", release);
	finding("driver-missing", fn->bdf, fix, "%s, which is made for it, is not installed for "
		"kernel %s", driver, release);
	free(fix);
	return true;
}

static void check_aliases(const struct patient *p)
{
	const struct pci_fn *fn = &p->fn;
	struct alias_choice choice;
	int err = alias_choose(fn, &choice);
	char module[64], *fix;

	if (err && err != -ESRCH) {
		unchecked("%s: best driver: cannot read modules.alias: %s", fn->bdf,
			  strerror(-err));
		return;
	}
	if (lacks_driver(fn))
		return;
	if (choice.ties > 1)
		report_tie(fn, &choice);
	if (!fn->vfio[0])
		return;

	module_of(fn, module, sizeof(module));
	if (!alias_has(fn, module)) {
		fix = xformat("install the module and run depmod -a; until then name it: "
			      "<driver model='%s'/>", fn->driver);
		finding("alias-missing", fn->bdf, fix, "modules.alias has no vfio_pci: line of %s "
			"for it, so that libvirt's managed='yes' binds %s", fn->driver,
			choice.ties ? choice.module : "vfio-pci");
		free(fix);
	} else if (choice.ties == 1 && !module_same(module, choice.module)) {
		fix = xformat("vpvctl bind %s %s, or name no driver to libvirt (10.0 or later)",
			      fn->bdf, choice.module);
		finding("wrong-driver", fn->bdf, fix, "it is bound to %s, but %s is made for it",
			fn->driver, choice.module);
		free(fix);
	}
}

static void check_binding(const struct patient *p)
{
	const struct pci_fn *fn = &p->fn;
	char node[64], *fix = xformat("vpvctl bind %s%s%s", fn->bdf, fn->override[0] ? " " : "",
				      fn->override);

	if (fn->override[0] && !module_same(fn->override, fn->driver))
		finding("override-unused", fn->bdf, fix, "driver_override says %s, but it is bound "
			"to %s", fn->override, fn->driver[0] ? fn->driver : "no driver");
	else if (p->named && !fn->vfio[0])
		finding("not-bound", fn->bdf, fix, "no VFIO driver has it%s%s",
			fn->driver[0] ? ", but " : "", fn->driver);
	free(fix);

	pci_vfio_node(fn, node, sizeof(node));
	if (fn->vfio[0] && fn->group[0] && !node[0])
		finding("no-node", fn->bdf, "look at udev or devtmpfs: udevadm trigger -s vfio",
			"there is no node for it in /dev/vfio");
}

static void check_group(const struct pci_fn *fn)
{
	char bdf[24], driver[64];

	if (!fn->group[0])
		finding("no-group", fn->bdf, "switch the IOMMU on, in the firmware and with "
			"intel_iommu=on", "it is in no IOMMU group");
	else if (pci_group_blocker(fn, bdf, driver))
		finding("not-viable", fn->bdf, "bind that one to a VFIO driver too, or unbind it",
			"IOMMU group %s is not viable: %s is bound to %s", fn->group, bdf, driver);
}

static void check_state(const struct patient *p)
{
	if (!strcmp(p->mig.state, "ERROR"))
		finding("state-error", p->fn.bdf, "reset the function; a VMM does so by itself",
			"its migration state is ERROR%s%s", p->mig.error[0] ? ": " : "",
			p->mig.error);
}

static void check_features(const struct patient *p)
{
	const struct pci_fn *fn = &p->fn;
	unsigned int features = p->mig.features;

	if (!fn->vfio[0])
		return;
	if (!p->features_known) {
		if (p->mig.state[0])
			unchecked("%s: P2P and dirty tracking: this kernel does not show them in "
				  "debugfs; try --open", fn->bdf);
		else
			unchecked("%s: migration features: try --open as root", fn->bdf);
		return;
	}
	if (!(features & MIG_STOP_COPY)) {
		/* For most functions of a host that is as it should be. */
		if (p->named)
			finding("no-migration", fn->bdf, "bind a driver that migrates this "
				"device, if there is one", "%s cannot migrate it (QEMU: VFIO "
				"migration is not supported in kernel)", fn->driver);
		return;
	}
	if (!(features & MIG_P2P))
		finding("no-p2p", fn->bdf, "assign it as the only migrating device of its VM",
			"it has no P2P states: QEMU migrates no VM with another VFIO device");
	if (!(features & MIG_DIRTY))
		finding("no-dirty-tracking", fn->bdf, "if the host's IOMMU tracks dirty pages "
			"(AMD, newer Intel, SMMU with HTTU) use iommufd; else use groups, or "
			"set report_everything of vpv_migration: QEMU's "
			"enable-migration=on then sends all memory while the guest is down",
			"the device does not track dirty pages itself");
}

void doctor_function(const struct patient *p)
{
	check_aliases(p);
	check_binding(p);
	check_group(&p->fn);
	check_state(p);
	check_features(p);
}
