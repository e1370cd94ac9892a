// SPDX-License-Identifier: GPL-2.0
/* Ways in which a user may have left a function: see left.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "left.h"

#define ON	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

/* What of COMMAND is off, and the D state. */
static const struct {
	const char *name;
	uint16_t off;
	uint8_t power;
} ways[LEFT_WAYS] = {
	[LEFT_AWAKE] = { "awake", 0, 0 },
	[LEFT_D1] = { "in D1", 0, 1 },
	[LEFT_D2] = { "in D2", 0, 2 },
	[LEFT_D3HOT] = { "in D3hot", 0, 3 },
	[LEFT_LOW_POWER] = { "in low power", 0, 0 },
	[LEFT_NO_MEMORY] = { "without memory", PCI_COMMAND_MEMORY, 0 },
	[LEFT_NO_MASTER] = { "without bus master", PCI_COMMAND_MASTER, 0 },
	[LEFT_HALF_IRQ] = { "with half of its interrupts", 0, 0 },
	[LEFT_INTX_MASKED] = { "with INTx masked", 0, 0 },
	[LEFT_D3HOT_OFF] = { "in D3hot with all off", ON, 3 },
};

const char *left_name(enum left_how how)
{
	return ways[how].name;
}

static const char *const d_states[] = { "D0", "D1", "D2", "D3hot" };

static unsigned int power_reg(struct vdev *v)
{
	return vdev_find_cap(v, PCI_CAP_ID_PM) + PCI_PM_CTRL;
}

static int low_power(struct vdev *v, uint32_t feature)
{
	return vdev_feature(v, VFIO_DEVICE_FEATURE_SET | feature, NULL, 0);
}

static uint32_t interrupts(struct vdev *v, unsigned int index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info) };

	return vdev_irq(v, index, &info) ? 0 : info.count;
}

bool left_may(const struct slot *slot, enum left_how how)
{
	int fd = vdev_sysfs_open(slot->bdf, "config", O_RDONLY), left = 48;
	uint8_t cfg[256] = {};
	unsigned int pos;
	ssize_t n;

	if (fd < 0)
		return true;
	n = pread(fd, cfg, sizeof(cfg), 0);
	close(fd);
	if (n != sizeof(cfg))
		return true;
	if (how == LEFT_INTX_MASKED)
		return cfg[PCI_INTERRUPT_PIN];
	if (how != LEFT_D1 && how != LEFT_D2)
		return true;
	for (pos = cfg[PCI_CAPABILITY_LIST] & 0xfc; pos >= 0x40 && left--; pos = cfg[pos + 1] & 0xfc)
		if (cfg[pos] == PCI_CAP_ID_PM)
			return (cfg[pos + PCI_PM_PMC] | cfg[pos + PCI_PM_PMC + 1] << 8) &
			       (how == LEFT_D1 ? PCI_PM_CAP_D1 : PCI_PM_CAP_D2);
	return false;
}

bool left_can(struct vdev *v, enum left_how how)
{
	unsigned int pm = vdev_find_cap(v, PCI_CAP_ID_PM);

	if (how == LEFT_D1)
		return pm && vdev_cfg(v, pm + PCI_PM_PMC, 2) & PCI_PM_CAP_D1;
	if (how == LEFT_D2)
		return pm && vdev_cfg(v, pm + PCI_PM_PMC, 2) & PCI_PM_CAP_D2;
	if (how == LEFT_INTX_MASKED)
		return interrupts(v, VFIO_PCI_INTX_IRQ_INDEX);
	return how != LEFT_HALF_IRQ || interrupts(v, VFIO_PCI_MSIX_IRQ_INDEX) > 1 ||
	       interrupts(v, VFIO_PCI_MSI_IRQ_INDEX);
}

static int half_irq(struct vdev *v, struct left *l, int fd)
{
	static const int none = -1;
	int err;

	l->irq = VFIO_PCI_MSIX_IRQ_INDEX;
	if (interrupts(v, l->irq) > 1)
		return vdev_irq_eventfds(v, l->irq, 1, 1, &fd);
	l->irq = VFIO_PCI_MSI_IRQ_INDEX;
	err = vdev_irq_eventfds(v, l->irq, 0, 1, &fd);
	return err ? err : vdev_irq_eventfds(v, l->irq, 0, 1, &none);
}

static int intx_masked(struct vdev *v, struct left *l, int fd)
{
	int err;

	l->irq = VFIO_PCI_INTX_IRQ_INDEX;
	err = vdev_irq_eventfds(v, l->irq, 0, 1, &fd);
	return err ? err : vdev_irq_one(v, l->irq, VFIO_IRQ_SET_ACTION_MASK |
					VFIO_IRQ_SET_DATA_NONE, 0);
}

static bool sets_up_irq(enum left_how how)
{
	return how == LEFT_HALF_IRQ || how == LEFT_INTX_MASKED;
}

int left_leave(struct vdev *v, struct left *l, enum left_how how)
{
	int fd, err = 0;

	l->how = how;
	l->command = vdev_cfg(v, PCI_COMMAND, 2);
	if (ways[how].off)
		err = vdev_cfg_set(v, PCI_COMMAND, 2, l->command & ~ways[how].off);
	if (!err && ways[how].power)
		err = vdev_cfg_set(v, power_reg(v), 2, ways[how].power);
	if (err)
		return err;
	if (how == LEFT_LOW_POWER) {
		err = low_power(v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY);
		return err ? err : vdev_pm_becomes(v->slot.bdf, "suspended") ? 0 : -ETIMEDOUT;
	}
	if (!sets_up_irq(how))
		return 0;
	fd = eventfd_new();
	err = how == LEFT_HALF_IRQ ? half_irq(v, l, fd) : intx_masked(v, l, fd);
	close(fd);
	return err;
}

static int unclean(const struct left *l, const char *what, uint32_t got, uint32_t want)
{
	fprintf(stderr, "# left %s: %s is %#x, was %#x\n", left_name(l->how), what, got, want);
	return -EUCLEAN;
}

/* What a state change or a reset has left to a worker may come a little later. */
#define SOON_MS	2000

static bool hardware_is(const struct vdev *v, uint32_t command, const char *power)
{
	uint64_t end = now_ms() + SOON_MS;
	char now[16];

	do {
		if ((left_hw_command(v) & ON) == command && !left_power_state(v, now, sizeof(now)) &&
		    !strcmp(now, power))
			return true;
		usleep(5000);
	} while (now_ms() < end);
	return false;
}

static int check_hardware(struct vdev *v, const struct left *l)
{
	uint32_t command = l->command & ~ways[l->how].off & ON;
	const char *power = d_states[ways[l->how].power];
	char now[16] = "";

	if (hardware_is(v, command, power))
		return 0;
	left_power_state(v, now, sizeof(now));
	fprintf(stderr, "# left %s: hardware is in %s, not in %s\n", left_name(l->how), now, power);
	return unclean(l, "COMMAND in hardware", left_hw_command(v) & ON, command);
}

int left_check(struct vdev *v, const struct left *l, bool hardware)
{
	uint32_t command = vdev_cfg(v, PCI_COMMAND, 2);
	uint32_t power = vdev_cfg(v, power_reg(v), 2) & PCI_PM_CTRL_STATE_MASK;
	/* In D1 and D2 memory is enabled, and reads as on a bus that nobody answers on. */
	bool silent = ways[l->how].power == 1 || ways[l->how].power == 2;
	bool refused = ways[l->how].power == 3 || ways[l->how].off & PCI_COMMAND_MEMORY;
	uint32_t val;
	long n;

	if (command != (l->command & ~ways[l->how].off))
		return unclean(l, "COMMAND", command, l->command & ~ways[l->how].off);
	if (power != ways[l->how].power)
		return unclean(l, "the D state", power, ways[l->how].power);
	n = vdev_pread(v, l->bar, 0, &val, sizeof(val));
	if (n != (refused ? -EIO : (long)sizeof(val)))
		return unclean(l, "a read of a BAR", (uint32_t)n,
			       refused ? (uint32_t)-EIO : sizeof(val));
	if (silent && val != UINT32_MAX)
		return unclean(l, "what a BAR reads", val, UINT32_MAX);
	if (l->how == LEFT_LOW_POWER)
		return !hardware || vdev_pm_becomes(v->slot.bdf, "suspended") ? 0 : -EUCLEAN;
	return hardware ? check_hardware(v, l) : 0;
}

int left_back(struct vdev *v, const struct left *l)
{
	int err = 0;

	if (l->how == LEFT_LOW_POWER)
		err = low_power(v, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT);
	if (!err && ways[l->how].power)
		err = vdev_cfg_set(v, power_reg(v), 2, 0);
	if (!err && ways[l->how].off)
		err = vdev_cfg_set(v, PCI_COMMAND, 2, l->command);
	if (!err && sets_up_irq(l->how))
		err = vdev_irq_eventfds(v, l->irq, 0, 0, NULL);
	return err;
}

int left_power_state(const struct vdev *v, char *buf, size_t room)
{
	return vdev_sysfs_read(v->slot.bdf, "power_state", buf, room);
}

uint32_t left_hw_command(const struct vdev *v)
{
	int fd = vdev_sysfs_open(v->slot.bdf, "config", O_RDONLY);
	uint16_t command = 0xffff;

	if (fd < 0 || pread(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		command = 0xffff;
	if (fd >= 0)
		close(fd);
	return command;
}
