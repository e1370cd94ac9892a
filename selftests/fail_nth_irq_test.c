// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and user copy in each kind of SET_IRQS is made to fail in turn
 * (lib/failnth.h).
 *
 * Groups: faults
 */
#include "lib/failnth.h"
#include "lib/test.h"

struct irqs {
	struct vdev v;
	int fd[4];
	unsigned int index, start, count;
};

static int irqs_run(void *arg)
{
	struct irqs *q = arg;

	return vdev_irq_eventfds(&q->v, q->index, q->start, q->count, q->fd);
}

/* Each of them signals. */
static int irqs_work(void *arg)
{
	static const uint8_t raise[4] = { 1, 1, 1, 1 };
	struct irqs *q = arg;
	int err = vdev_irq_bool(&q->v, q->index, q->start, q->count, raise);

	for (unsigned int i = 0; i < q->count && !err; i++)
		err = eventfd_wait(q->fd[i], 1000) == 1 ? 0 : -ETIMEDOUT;
	return err;
}

static void irqs_undo(void *arg)
{
	struct irqs *q = arg;

	vdev_irq_eventfds(&q->v, q->index, 0, 0, NULL);
}

/* Something else is on, and what is to be made was not made before. */
static int first_run(void *arg)
{
	struct irqs *q = arg;

	return vdev_irq_eventfds(&q->v, q->index, 0, 1, &q->fd[3]);
}

/* Not all of the index. */
static void vectors_undo(void *arg)
{
	static const int none[4] = { -1, -1, -1, -1 };
	struct irqs *q = arg;

	vdev_irq_eventfds(&q->v, q->index, q->start, q->count, none);
}

static int off_run(void *arg)
{
	struct irqs *q = arg;

	return vdev_irq_eventfds(&q->v, q->index, 0, 0, NULL);
}

static int loopback_run(void *arg)
{
	struct irqs *q = arg;

	return vdev_irq_bool(&q->v, q->index, q->start, 1, (uint8_t[]){ 1 });
}

static int loopback_works(void *arg)
{
	struct irqs *q = arg;

	return eventfd_wait(q->fd[0], 1000) == 1 ? 0 : -ETIMEDOUT;
}

static int mask_run(void *arg)
{
	struct irqs *q = arg;

	return vdev_irq_one(&q->v, q->index, VFIO_IRQ_SET_ACTION_MASK, 0);
}

static int unmask_run(void *arg)
{
	struct irqs *q = arg;

	return vdev_irq_one(&q->v, q->index, VFIO_IRQ_SET_ACTION_UNMASK, 0);
}

#define UNMASK_BY_EVENTFD (VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_EVENTFD)

static int virqfd_run(void *arg)
{
	struct irqs *q = arg;

	return vdev_irq_one(&q->v, q->index, UNMASK_BY_EVENTFD, q->fd[1]);
}

static void virqfd_undo(void *arg)
{
	struct irqs *q = arg;

	vdev_irq_one(&q->v, q->index, UNMASK_BY_EVENTFD, -1);
}

/* Interrupts of the platform can also run out. */
static const struct failnth_op irqs_op = {
	.name = "interrupts on", .run = irqs_run, .works = irqs_work, .undo = irqs_undo,
	.errnos = { ENOSPC },
};
static const struct failnth_op off_op = {
	.name = "interrupts off", .prepare = irqs_run, .run = off_run,
};
static const struct failnth_op vectors_op = {
	.name = "one vector", .run = irqs_run, .works = irqs_work, .undo = vectors_undo,
	.errnos = { ENOSPC },
};
static const struct failnth_op add_op = {
	.name = "one more vector", .prepare = first_run, .run = irqs_run, .works = irqs_work,
	.undo = irqs_undo, .errnos = { ENOSPC },
};
static const struct failnth_op change_op = {
	.name = "another eventfd", .run = irqs_run, .works = irqs_work,
};
static const struct failnth_op loopback_op = {
	.name = "loopback", .run = loopback_run, .works = loopback_works,
};
static const struct failnth_op mask_op = { .name = "mask", .run = mask_run };
static const struct failnth_op unmask_op = { .name = "unmask", .run = unmask_run };
static const struct failnth_op virqfd_op = {
	.name = "unmask eventfd", .run = virqfd_run, .undo = virqfd_undo,
};

FIXTURE(irq)
{
	struct irqs q;
};

FIXTURE_VARIANT(irq)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(irq, e1000e) { .device = "e1000e" };
FIXTURE_VARIANT_ADD(irq, edu) { .device = "edu" };

FIXTURE_SETUP(irq)
{
	struct slot slot;

	self->q.v.fd = self->q.v.group = self->q.v.iommu = -1;
	NEED_FAILURES();
	NEED_STOCK(variant->device, &slot, 1);
	ASSERT_EQ(0, vdev_open(&self->q.v, &slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->q.v, true));
	for (unsigned int i = 0; i < 4; i++) {
		self->q.fd[i] = eventfd_new();
		ASSERT_GE(self->q.fd[i], 0);
	}
	self->q.count = 1;
}

FIXTURE_TEARDOWN(irq)
{
	vdev_close(&self->q.v);
	for (unsigned int i = 0; i < 4; i++)
		close(self->q.fd[i]);
}

TEST_F_TIMEOUT(irq, intx, SWEEP_S)
{
	struct irqs *q = &self->q;

	q->index = VFIO_PCI_INTX_IRQ_INDEX;
	SWEEP(&irqs_op, q);
	SWEEP(&off_op, q);
	ASSERT_EQ(0, irqs_run(q));
	SWEEP(&change_op, q);
	SWEEP(&loopback_op, q);
	SWEEP(&mask_op, q);
	SWEEP(&unmask_op, q);
	SWEEP(&virqfd_op, q);
}

TEST_F_TIMEOUT(irq, msi, SWEEP_S)
{
	struct irqs *q = &self->q;

	q->index = VFIO_PCI_MSI_IRQ_INDEX;
	SWEEP(&irqs_op, q);
	SWEEP(&off_op, q);
	ASSERT_EQ(0, irqs_run(q));
	SWEEP(&change_op, q);
	SWEEP(&loopback_op, q);
}

TEST_F_TIMEOUT(irq, msix, SWEEP_S)
{
	struct irqs *q = &self->q;
	struct vfio_irq_info info;

	q->index = VFIO_PCI_MSIX_IRQ_INDEX;
	ASSERT_EQ(0, vdev_irq(&q->v, q->index, &info));
	if (info.count < 5)
		SKIP(return, "%s has no MSI-X", variant->device);
	/* What the first has got is given back when the second fails. */
	q->count = 2;
	SWEEP(&irqs_op, q);
	SWEEP(&off_op, q);
	/* One of those that there are, and one that has to be made. */
	ASSERT_EQ(0, irqs_run(q));
	q->count = 1;
	SWEEP(&change_op, q);
	SWEEP(&loopback_op, q);
	q->start = 1;
	SWEEP(&vectors_op, q);
	irqs_undo(q);
	q->start = 4;
	SWEEP(&add_op, q);
}

TEST_F_TIMEOUT(irq, err_and_req, SWEEP_S)
{
	struct irqs *q = &self->q;

	for (q->index = VFIO_PCI_ERR_IRQ_INDEX; q->index <= VFIO_PCI_REQ_IRQ_INDEX; q->index++) {
		SWEEP(&vectors_op, q);
		ASSERT_EQ(0, irqs_run(q));
		SWEEP(&loopback_op, q);
	}
}

TEST_HARNESS_MAIN
