// SPDX-License-Identifier: GPL-2.0
/* SET_IRQS: every flag, index, start and count, from off and from on. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"

#define FDS 64

struct irqs {
	struct vfio_irq_set set;
	union {
		int32_t fds[FDS];
		uint8_t flags[FDS * 4];
	};
};

#define NUM(array) (sizeof(array) / sizeof((array)[0]))
#define OFF (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)
#define FD (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)

static long long set_irqs(struct answers *a, uint32_t argsz, uint32_t flags, uint32_t index,
			  uint32_t start, uint32_t count, int fd)
{
	struct irqs irqs = {
		.set = { .argsz = argsz, .flags = flags, .index = index, .start = start,
			 .count = count },
	};

	for (unsigned int i = 0; i < FDS && flags & VFIO_IRQ_SET_DATA_EVENTFD; i++)
		irqs.fds[i] = fd;
	return ask(a, VFIO_DEVICE_SET_IRQS, &irqs);
}

static void all_off(struct answers *a)
{
	for (unsigned int index = 0; index < VFIO_PCI_NUM_IRQS; index++)
		if (index >= VFIO_PCI_ERR_IRQ_INDEX)
			set_irqs(a, sizeof(struct irqs), FD, index, 0, 1, -1);
		else
			set_irqs(a, sizeof(struct irqs), OFF, index, 0, 0, 0);
}

/* All kinds of data and actions, known and not, from nothing enabled. */
static void ask_flags(struct answers *a, int event)
{
	for (uint32_t flags = 0; flags < 128; flags++)
		for (unsigned int index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
			answer(a, set_irqs(a, sizeof(struct irqs), flags, index, 0, 1, event),
			       "SET_IRQS: flags %#x, index %u", flags, index);
			all_off(a);
		}
}

static void ask_ranges(struct answers *a, int event)
{
	static const uint32_t numbers[] = {
		0, 1, 2, 4, 5, 6, 31, 32, 33, 2047, 2048, 2049, 0x7fffffff, 0x80000000,
		0xfffffffe, 0xffffffff,
	};
	static const uint32_t kinds[] = { OFF, FD, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER };

	for (unsigned int index = 0; index <= VFIO_PCI_NUM_IRQS; index++)
		for (unsigned int i = 0; i < NUM(numbers); i++)
			for (unsigned int j = 0; j < NUM(kinds); j++) {
				answer(a, set_irqs(a, sizeof(struct irqs), kinds[j], index, 0,
						   numbers[i], event),
				       "SET_IRQS: kind %u, index %u, count %u", j, index,
				       numbers[i]);
				all_off(a);
				answer(a, set_irqs(a, sizeof(struct irqs), kinds[j], index,
						   numbers[i], 1, event),
				       "SET_IRQS: kind %u, index %u, start %u", j, index,
				       numbers[i]);
				all_off(a);
			}
}

static void ask_sizes(struct answers *a, int event)
{
	for (uint32_t argsz = 0; argsz <= 28; argsz++) {
		answer(a, set_irqs(a, argsz, FD, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, event),
		       "SET_IRQS: MSI, argsz %u", argsz);
		all_off(a);
		answer(a, set_irqs(a, argsz, OFF, VFIO_PCI_INTX_IRQ_INDEX, 0, 0, 0),
		       "SET_IRQS: off, argsz %u", argsz);
		answer(a, set_irqs(a, argsz, FD, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, event),
		       "SET_IRQS: REQ, argsz %u", argsz);
		all_off(a);
	}
	for (uint32_t index = 5; index; index = index > 0x1000000 ? 0 : index * 7)
		answer(a, set_irqs(a, sizeof(struct irqs), OFF, index, 0, 0, 0),
		       "SET_IRQS: off, index %u", index);
}

static void ask_fds(struct answers *a)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct { const char *name; int fd; } fds[] = {
		{ "-1", -1 }, { "-2", -2 }, { "minimum", INT32_MIN }, { "of nobody", 4000 },
		{ "/dev/null", null }, { "device", a->v->fd }, { "IOMMU", a->v->iommu },
	};

	for (unsigned int i = 0; i < NUM(fds); i++)
		for (unsigned int index = 0; index < VFIO_PCI_NUM_IRQS; index++)
			for (unsigned int action = 3; action < 6; action++) {
				answer(a, set_irqs(a, sizeof(struct irqs),
						   VFIO_IRQ_SET_DATA_EVENTFD | 1U << action,
						   index, 0, 1, fds[i].fd),
				       "SET_IRQS: fd %s, index %u, action %#x", fds[i].name, index,
				       1U << action);
				all_off(a);
			}
	close(null);
}

/* With index @on enabled: everything that is allowed then, or not. */
static void ask_enabled(struct answers *a, unsigned int on, int event)
{
	for (uint32_t flags = 0; flags < 64; flags++)
		for (unsigned int index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
			set_irqs(a, sizeof(struct irqs), FD, on, 0, 1, event);
			answer(a, set_irqs(a, sizeof(struct irqs), flags, index, 0, 1, event),
			       "SET_IRQS: %u is on, flags %#x, index %u", on, flags, index);
			all_off(a);
		}
	for (unsigned int start = 0; start < 8; start++)
		for (unsigned int count = 0; count < 8; count++) {
			set_irqs(a, sizeof(struct irqs), FD, on, 0, 1, event);
			answer(a, set_irqs(a, sizeof(struct irqs), FD, on, start, count, event),
			       "SET_IRQS: %u is on, add %u at %u", on, count, start);
			answer(a, set_irqs(a, sizeof(struct irqs), FD, on, start, count, -1),
			       "SET_IRQS: %u is on, release %u at %u", on, count, start);
			all_off(a);
		}
}

void ask_irqs(struct answers *a)
{
	int event = eventfd_new();

	ask_flags(a, event);
	ask_ranges(a, event);
	ask_sizes(a, event);
	ask_fds(a);
	for (unsigned int index = 0; index < VFIO_PCI_NUM_IRQS; index++)
		ask_enabled(a, index, event);
	close(event);
}
