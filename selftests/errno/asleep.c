// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to a function in D3hot, where its user has put it by the power management
 * capability, and to one that sleeps because its user has asked for low power.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "answers.h"

#define NUM(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096UL
#define D3HOT 3
#define SLEEP (VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY)
#define WAKE (VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT)

/**
 * struct way - Of sleeping
 * @name: In words.
 * @sleep: Puts the function to sleep, once more if a request has woken it.
 * @wake: Wakes it.
 * @deaf: No write reaches the device, so that any may be tried.
 */
struct way {
	const char *name;
	void (*sleep)(struct answers *a);
	void (*wake)(struct answers *a);
	bool deaf;
};

static void into_d3hot(struct answers *a)
{
	vdev_cfg_set(a->v, vdev_find_cap(a->v, PCI_CAP_ID_PM) + PCI_PM_CTRL, 2, D3HOT);
}

static void out_of_d3hot(struct answers *a)
{
	vdev_cfg_set(a->v, vdev_find_cap(a->v, PCI_CAP_ID_PM) + PCI_PM_CTRL, 2, 0);
}

static uint32_t power_state(struct answers *a)
{
	return vdev_cfg(a->v, vdev_find_cap(a->v, PCI_CAP_ID_PM) + PCI_PM_CTRL, 2) &
	       PCI_PM_CTRL_STATE_MASK;
}

static void into_low_power(struct answers *a)
{
	vdev_feature(a->v, SLEEP, NULL, 0);
	vdev_pm_becomes(a->v->slot.bdf, "suspended");
}

static void out_of_low_power(struct answers *a)
{
	vdev_feature(a->v, WAKE, NULL, 0);
}

static void ask_region_info(struct answers *a, const struct way *way, unsigned int index)
{
	struct vfio_region_info info = {};

	way->sleep(a);
	answer(a, vdev_region(a->v, index, &info), "GET_REGION_INFO: %s, region %u", way->name, index);
	answer(a, info.size, "GET_REGION_INFO: %s, region %u: size", way->name, index);
	answer(a, info.flags, "GET_REGION_INFO: %s, region %u: flags", way->name, index);
}

static void ask_accesses(struct answers *a, const struct way *way, unsigned int index)
{
	static const size_t counts[] = { 0, 1, 4, 8, 64 };
	struct vfio_region_info info;
	uint64_t places[] = { 0, 4, -4, 0 };
	uint8_t buf[64];
	uint64_t size;

	way->wake(a);
	size = vdev_region(a->v, index, &info) ? 0 : info.size;
	places[2] += size;
	places[3] += size;
	for (unsigned int i = size ? 0 : 3; i < NUM(places); i++)
		for (unsigned int j = 0; j < NUM(counts); j++) {
			way->sleep(a);
			answer(a, vdev_pread(a->v, index, places[i], buf, counts[j]),
			       "read: %s, region %u, %#llx, %zu bytes", way->name, index,
			       (unsigned long long)places[i], counts[j]);
			if (!way->deaf && places[i] != size)
				continue;
			memset(buf, 0, sizeof(buf));
			way->sleep(a);
			answer(a, vdev_pwrite(a->v, index, places[i], buf, counts[j]),
			       "write: %s, region %u, %#llx, %zu bytes", way->name, index,
			       (unsigned long long)places[i], counts[j]);
		}
	way->sleep(a);
	answer(a, vdev_pread(a->v, index, 0, NULL, 4), "read: %s, region %u into NULL", way->name, index);
}

static void ask_config(struct answers *a, const struct way *way)
{
	static const uint16_t commands[] = {
		0, PCI_COMMAND_IO, PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE,
		PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0xffff, PCI_COMMAND_MEMORY,
	};
	const unsigned int config = VFIO_PCI_CONFIG_REGION_INDEX;
	uint8_t buf[256];

	for (unsigned int i = 0; i < NUM(commands); i++) {
		way->sleep(a);
		answer(a, vdev_pwrite(a->v, config, PCI_COMMAND, &commands[i], 2),
		       "COMMAND: %s, %u: %#x", way->name, i, commands[i]);
		way->sleep(a);
		answer(a, vdev_cfg(a->v, PCI_COMMAND, 2), "COMMAND: %s, %u: %#x: read back", way->name, i,
		       commands[i]);
	}
	for (unsigned int pos = 0; pos < 64; pos += 4) {
		/* Status may differ by what happened before. */
		if (pos == PCI_COMMAND)
			continue;
		way->sleep(a);
		answer(a, vdev_cfg(a->v, pos, 4), "config: %s, dword %#x", way->name, pos);
	}
	way->sleep(a);
	answer(a, vdev_pread(a->v, config, 0, buf, sizeof(buf)), "config: %s, 256 bytes", way->name);
	answer(a, vdev_pread(a->v, config, 0, NULL, 4), "config: %s, into NULL", way->name);
	answer(a, vdev_pread(a->v, config, 4095, buf, 4), "config: %s, across the end", way->name);
}

static void ask_maps(struct answers *a, const struct way *way, unsigned int index)
{
	struct vfio_region_info info;
	void *p;

	vdev_region(a->v, index, &info);
	way->sleep(a);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, a->v->fd, (uint64_t)index << 40);
	answer(a, p == MAP_FAILED ? -errno : 0, "mmap: %s, region %u", way->name, index);
	if (p == MAP_FAILED)
		return;
	way->sleep(a);
	answer(a, touch(p), "load: %s, region %u", way->name, index);
	munmap(p, PAGE);
}

static void ask_calls(struct answers *a, const struct way *way)
{
	int event = eventfd_new();

	for (unsigned int index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		way->sleep(a);
		answer(a, vdev_irq_eventfds(a->v, index, 0, 1, &event), "SET_IRQS: %s, %u on", way->name,
		       index);
		way->sleep(a);
		answer(a, vdev_irq_one(a->v, index, VFIO_IRQ_SET_DATA_NONE |
				       VFIO_IRQ_SET_ACTION_TRIGGER, 0),
		       "SET_IRQS: %s, %u raised", way->name, index);
		way->sleep(a);
		answer(a, vdev_irq_one(a->v, index, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK,
				       0), "SET_IRQS: %s, %u masked", way->name, index);
		way->sleep(a);
		answer(a, index < VFIO_PCI_ERR_IRQ_INDEX ?
			  vdev_irq_eventfds(a->v, index, 0, 0, NULL) :
			  vdev_irq_eventfds(a->v, index, 0, 1, (int[]){ -1 }),
		       "SET_IRQS: %s, %u off", way->name, index);
	}
	for (unsigned int index = 0; index <= VFIO_PCI_CONFIG_REGION_INDEX; index++) {
		struct vfio_device_ioeventfd arg = {
			.argsz = sizeof(arg), .flags = VFIO_DEVICE_IOEVENTFD_32,
			.offset = ((uint64_t)index << 40) + 8, .fd = event,
		};

		way->sleep(a);
		answer(a, ask(a, VFIO_DEVICE_IOEVENTFD, &arg), "IOEVENTFD: %s, region %u", way->name, index);
		arg.fd = -1;
		answer(a, ask(a, VFIO_DEVICE_IOEVENTFD, &arg), "IOEVENTFD: %s, region %u, remove", way->name,
		       index);
	}
	close(event);
}

static void ask_resets_asleep(struct answers *a, const struct way *way)
{
	struct vfio_pci_hot_reset hot = { .argsz = sizeof(hot) };

	way->sleep(a);
	answer(a, ask(a, VFIO_DEVICE_RESET, NULL), "RESET: %s", way->name);
	answer(a, power_state(a), "RESET: %s: power state then", way->name);
	way->sleep(a);
	answer(a, ask(a, VFIO_DEVICE_PCI_HOT_RESET, &hot), "PCI_HOT_RESET: %s", way->name);
	answer(a, power_state(a), "PCI_HOT_RESET: %s: power state then", way->name);
}

static void ask_all(struct answers *a, const struct way *way)
{
	ask_config(a, way);
	for (unsigned int index = 0; index < VFIO_PCI_CONFIG_REGION_INDEX; index++) {
		ask_region_info(a, way, index);
		ask_accesses(a, way, index);
		ask_maps(a, way, index);
	}
	ask_calls(a, way);
	ask_resets_asleep(a, way);
}

void ask_d3hot(struct answers *a)
{
	const struct way way = { "D3hot", into_d3hot, out_of_d3hot, .deaf = true };
	uint8_t byte;

	into_d3hot(a);
	answer(a, power_state(a), "D3hot: power state");
	ask_all(a, &way);
	out_of_d3hot(a);
	answer(a, power_state(a), "D0 again: power state");
	vdev_cfg_set(a->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	for (unsigned int index = 0; index < VFIO_PCI_CONFIG_REGION_INDEX; index++)
		answer(a, vdev_pread(a->v, index, 0, &byte, 1), "read: D0 again, region %u", index);
}

/* Accesses wake it for as long as they take, mappings do not. */
void ask_low_power(struct answers *a)
{
	const struct way way = { "low power", into_low_power, out_of_low_power };

	into_low_power(a);
	answer(a, vdev_pm_becomes(a->v->slot.bdf, "suspended"), "low power: suspended");
	ask_all(a, &way);
	answer(a, vdev_feature(a->v, WAKE, NULL, 0), "low power: left");
}
