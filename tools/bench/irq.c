// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: SET_IRQS of every kind, and from the device to an eventfd.
 */
#include <errno.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "bench.h"

#define NIC "e1000e"
#define DELIVERY_TRIES 100000

/* QEMU's edu: interrupt status, raise, acknowledge; in dwords. */
enum { EDU_RAISE = 0x60 / 4, EDU_ACK = 0x64 / 4 };

/* The 82574: cause, set cause, mask, auto-clear, allocation; in dwords. */
enum { NIC_ICR = 0xc0 / 4, NIC_ICS = 0xc8 / 4, NIC_IMS = 0xd0 / 4, NIC_EIAC = 0xdc / 4,
       NIC_IVAR = 0xe4 / 4 };
#define NIC_RXQ0	(1U << 20)
#define NIC_IVAR_RXQ0	0x8	/* valid, vector 0 */

static int set(struct bench *b, unsigned int index, unsigned int count)
{
	return vdev_irq_eventfds(&b->v, index, 0, count, b->events);
}

static int clear(struct bench *b, unsigned int index)
{
	return vdev_irq_eventfds(&b->v, index, 0, 0, NULL);
}

/* ERR and REQ have no "all off": one eventfd of -1. */
static int clear_one(struct bench *b, unsigned int index)
{
	int none = -1;

	return vdev_irq_eventfds(&b->v, index, 0, 1, &none);
}

#define IRQ_OP(name, index, count, off) \
static int name##_on(struct bench *b) { return set(b, index, count); } \
static int name##_off(struct bench *b) { return off(b, index); }

IRQ_OP(intx, VFIO_PCI_INTX_IRQ_INDEX, 1, clear)
IRQ_OP(msi, VFIO_PCI_MSI_IRQ_INDEX, 1, clear)
IRQ_OP(msix, VFIO_PCI_MSIX_IRQ_INDEX, BENCH_VECTORS, clear)
IRQ_OP(err, VFIO_PCI_ERR_IRQ_INDEX, 1, clear_one)
IRQ_OP(req, VFIO_PCI_REQ_IRQ_INDEX, 1, clear_one)

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
	int ret = intx_on(b);

	return ret ? ret : intx_mask(b);
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

static int edu_msi_off(struct bench *b)
{
	b->bar[EDU_ACK] = 1;
	return msi_off(b);
}

static int edu_intx_off(struct bench *b)
{
	b->bar[EDU_ACK] = 1;
	return intx_off(b);
}

static int nic_msix_on(struct bench *b)
{
	int ret = msix_on(b);

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
	return msix_off(b);
}

const struct bench_op bench_irq_ops[] = {
	{ "INTx on", NIC " edu", .run = intx_on, .end = intx_off },
	{ "INTx off", NIC " edu", .begin = intx_on, .run = intx_off },
	{ "INTx mask", NIC " edu", .begin = intx_on, .run = intx_mask, .end = intx_off },
	{ "INTx unmask", NIC " edu", .begin = intx_masked, .run = intx_unmask,
	  .end = intx_off },
	{ "MSI on", NIC, .run = msi_on, .end = msi_off },
	{ "MSI off", NIC, .begin = msi_on, .run = msi_off },
	{ "MSI-X on, 5 vectors", NIC, .run = msix_on, .end = msix_off },
	{ "MSI-X off, 5 vectors", NIC, .begin = msix_on, .run = msix_off },
	{ "ERR on", NIC, .run = err_on, .end = err_off },
	{ "ERR off", NIC, .begin = err_on, .run = err_off },
	{ "REQ on", NIC, .run = req_on, .end = req_off },
	{ "REQ off", NIC, .begin = req_on, .run = req_off },
	{ "INTx to eventfd", "edu", .begin = intx_on, .run = edu_raise, .end = edu_intx_off },
	{ "MSI to eventfd", "edu", .begin = msi_on, .run = edu_raise, .end = edu_msi_off },
	{ "MSI-X to eventfd", NIC, .begin = nic_msix_on, .run = nic_raise,
	  .end = nic_msix_off },
	{ }
};
