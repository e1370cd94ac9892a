// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: SET_IRQS of every kind, and from the device to an eventfd.
 */
#include <errno.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "bench.h"

#define DELIVERY_TRIES 100000

/* QEMU's edu: interrupt status, raise, acknowledge; in dwords. */
enum { EDU_RAISE = 0x60 / 4, EDU_ACK = 0x64 / 4 };

/* The 82574: cause, set cause, mask, auto-clear, allocation; in dwords. */
enum { NIC_ICR = 0xc0 / 4, NIC_ICS = 0xc8 / 4, NIC_IMS = 0xd0 / 4, NIC_EIAC = 0xdc / 4,
       NIC_IVAR = 0xe4 / 4 };
#define NIC_RXQ0	(1U << 20)
#define NIC_IVAR_RXQ0	0x8	/* valid, vector 0 */

/* ERR and REQ have no "all off": one eventfd of -1. */
static int off(struct bench *b, unsigned int index)
{
	bool one = index == VFIO_PCI_ERR_IRQ_INDEX || index == VFIO_PCI_REQ_IRQ_INDEX;
	int none = -1;

	return vdev_irq_eventfds(&b->v, index, 0, one, one ? &none : NULL);
}

static int irqs_on(struct bench *b)
{
	return vdev_irq_eventfds(&b->v, b->op->index, 0, b->op->count, b->events);
}

static int irqs_off(struct bench *b)
{
	return off(b, b->op->index);
}

/* Other eventfds for vectors that have one. */
static int irqs_again(struct bench *b)
{
	int events[BENCH_VECTORS];

	for (int i = 0; i < b->op->count; i++)
		events[i] = b->events[(i + 1) % BENCH_VECTORS];
	return vdev_irq_eventfds(&b->v, b->op->index, 0, b->op->count, events);
}

/* One more than are on. */
static int irqs_but_one_on(struct bench *b)
{
	return vdev_irq_eventfds(&b->v, b->op->index, 0, b->op->count - 1, b->events);
}

static int irqs_one_more(struct bench *b)
{
	unsigned int last = b->op->count - 1;

	return vdev_irq_eventfds(&b->v, b->op->index, last, 1, &b->events[last]);
}

/* By software, as tests and VMMs do. */
static int irqs_trigger(struct bench *b)
{
	return vdev_irq_one(&b->v, b->op->index, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0);
}

static int intx_action(struct bench *b, uint32_t action)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set), .flags = VFIO_IRQ_SET_DATA_NONE | action,
		.index = VFIO_PCI_INTX_IRQ_INDEX, .count = 1,
	};

	return ioctl(b->v.fd, VFIO_DEVICE_SET_IRQS, &set) ? -errno : 0;
}

static int intx_mask(struct bench *b)
{
	return intx_action(b, VFIO_IRQ_SET_ACTION_MASK);
}

static int intx_unmask(struct bench *b)
{
	return intx_action(b, VFIO_IRQ_SET_ACTION_UNMASK);
}

static int intx_masked(struct bench *b)
{
	int ret = irqs_on(b);

	return ret ? ret : intx_mask(b);
}

/* A write of the second eventfd unmasks, or no longer. */
static int unmask_eventfd(struct bench *b, int32_t fd)
{
	struct { struct vfio_irq_set set; int32_t fd; } arg = {
		.set = { .argsz = sizeof(arg), .flags = VFIO_IRQ_SET_DATA_EVENTFD |
			 VFIO_IRQ_SET_ACTION_UNMASK, .index = VFIO_PCI_INTX_IRQ_INDEX, .count = 1 },
		.fd = fd,
	};

	return ioctl(b->v.fd, VFIO_DEVICE_SET_IRQS, &arg) ? -errno : 0;
}

static int unmask_on(struct bench *b)
{
	return unmask_eventfd(b, b->events[1]);
}

static int unmask_off(struct bench *b)
{
	return unmask_eventfd(b, -1);
}

static int intx_masked_unmask_on(struct bench *b)
{
	int ret = intx_masked(b);

	return ret ? ret : unmask_on(b);
}

static int unmask_signal(struct bench *b)
{
	const uint64_t one = 1;

	return write(b->events[1], &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

/* From the signal of the device to what a reader of the eventfd sees. */
static int delivered(struct bench *b)
{
	uint64_t events;

	for (int i = 0; i < DELIVERY_TRIES; i++)
		if (read(b->events[0], &events, sizeof(events)) == sizeof(events))
			return 0;
	return -ETIME;
}

static int edu_raise(struct bench *b)
{
	b->bar[EDU_RAISE] = 1;
	return delivered(b);
}

static int edu_off(struct bench *b)
{
	b->bar[EDU_ACK] = 1;
	return irqs_off(b);
}

static int nic_msix_on(struct bench *b)
{
	int ret = irqs_on(b);

	b->bar[NIC_IVAR] = NIC_IVAR_RXQ0;
	b->bar[NIC_EIAC] = NIC_RXQ0;
	b->bar[NIC_IMS] = NIC_RXQ0;
	return ret;
}

static int nic_raise(struct bench *b)
{
	b->bar[NIC_ICS] = NIC_RXQ0;
	return delivered(b);
}

static int nic_msix_off(struct bench *b)
{
	b->bar[NIC_ICR] = ~0U;
	return irqs_off(b);
}

#define INTX(_name, ...) \
	{ "INTx " _name, BENCH_ALL, .index = VFIO_PCI_INTX_IRQ_INDEX, .count = 1, __VA_ARGS__ }
/* May wait for who is just signalling the old ones. */
#define AGAIN(_name, _index, _count)							\
	{ _name, BENCH_ALL, .index = _index, .count = _count, .sleeps = true,		\
	  .begin = irqs_on, .run = irqs_again, .end = irqs_off }
#define MSGS(_name, _index, _count)							\
	{ _name " on", BENCH_ALL, .index = _index, .count = _count, .run = irqs_on,	\
	  .end = irqs_off },								\
	{ _name " off", BENCH_ALL, .index = _index, .count = _count, .begin = irqs_on,	\
	  .run = irqs_off },								\
	AGAIN(_name " to other eventfds", _index, _count)
#define MSIX(_name, _count)	MSGS("MSI-X, " _name, VFIO_PCI_MSIX_IRQ_INDEX, _count)
#define MORE(_name, _count)								\
	{ "MSI-X, one more than " _name, BENCH_ALL, .index = VFIO_PCI_MSIX_IRQ_INDEX,	\
	  .count = _count, .begin = irqs_but_one_on, .run = irqs_one_more, .end = irqs_off }

const struct bench_op bench_irq_ops[] = {
	INTX("on", .run = irqs_on, .end = irqs_off),
	INTX("off", .begin = irqs_on, .run = irqs_off),
	AGAIN("INTx to another eventfd", VFIO_PCI_INTX_IRQ_INDEX, 1),
	INTX("mask", .begin = irqs_on, .run = intx_mask, .end = irqs_off),
	INTX("unmask", .begin = intx_masked, .run = intx_unmask, .end = irqs_off),
	INTX("unmask eventfd on", .sleeps = true, .begin = irqs_on, .run = unmask_on,
	     .end = irqs_off),
	INTX("unmask eventfd off", .sleeps = true, .begin = intx_masked_unmask_on,
	     .run = unmask_off, .end = irqs_off),
	INTX("unmask by eventfd", .begin = intx_masked_unmask_on, .run = unmask_signal,
	     .end = irqs_off),
	INTX("by software", .begin = irqs_on, .run = irqs_trigger, .end = irqs_off),
	MSGS("MSI, 1 vector", VFIO_PCI_MSI_IRQ_INDEX, 1),
	MSIX("1 vector", 1),
	MSIX("2 vectors", 2),
	MSIX("5 vectors", 5),
	MSIX("8 vectors", BENCH_VECTORS),
	MORE("1", 2),
	MORE("4", 5),
	MSGS("ERR", VFIO_PCI_ERR_IRQ_INDEX, 1),
	MSGS("REQ", VFIO_PCI_REQ_IRQ_INDEX, 1),
	{ "MSI-X by software", BENCH_NIC, .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = 1,
	  .begin = irqs_on, .run = irqs_trigger, .end = irqs_off },
	{ "INTx to eventfd", "edu", .index = VFIO_PCI_INTX_IRQ_INDEX, .count = 1,
	  .begin = irqs_on, .run = edu_raise, .end = edu_off },
	{ "MSI to eventfd", "edu", .index = VFIO_PCI_MSI_IRQ_INDEX, .count = 1,
	  .begin = irqs_on, .run = edu_raise, .end = edu_off },
	{ "MSI-X to eventfd", BENCH_NIC, .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = 5,
	  .begin = nic_msix_on, .run = nic_raise, .end = nic_msix_off },
	{ }
};
