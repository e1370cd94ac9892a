// SPDX-License-Identifier: GPL-2.0
/*
 * IOEVENTFD: an eventfd whose signal is a write of a fixed value to a BAR, which
 * KVM raises without a detour through the user.
 *
 * The write is done where the eventfd is signalled, under its wait queue lock, if
 * memory_lock can be taken, and otherwise by a worker.  Like a write of the user it
 * is dropped while memory space is disabled, and in low power.
 */
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "vpv.h"

/* As many as vfio-pci allows: each holds kernel memory. */
#define MAX_IOEVENTFDS	1000

struct vpv_ioeventfd {
	struct list_head node;
	struct vpv_device *vpv;
	struct vpv_bar_state *bar;
	u64 pos;
	u64 data;
	unsigned int bytes;
	struct virqfd *virqfd;
};

static void write_value(const struct vpv_ioeventfd *io)
{
	void __iomem *at = io->bar->io + io->pos;

	switch (io->bytes) {
	case 1:
		iowrite8(io->data, at);
		break;
	case 2:
		iowrite16(io->data, at);
		break;
	case 4:
		iowrite32(io->data, at);
		break;
	case 8:
		iowrite64(io->data, at);
		break;
	}
}

/* A signal does not wake a function that its user has let sleep. */
static void write_if_enabled(const struct vpv_ioeventfd *io)
{
	if (io->vpv->state->low_power)
		return;
	if (vpv_bar_enabled(io->vpv, io->bar))
		write_value(io);
}

/* Wait queue of the eventfd locked.  Return: 1 to have the worker called. */
static int signalled(void *opaque, void *unused)
{
	struct vpv_ioeventfd *io = opaque;
	struct rw_semaphore *lock = &io->vpv->state->memory_lock;

	if (!down_read_trylock(lock))
		return 1;
	write_if_enabled(io);
	up_read(lock);
	return 0;
}

static void signalled_worker(void *opaque, void *unused)
{
	struct vpv_ioeventfd *io = opaque;

	scoped_guard(rwsem_read, &io->vpv->state->memory_lock)
		write_if_enabled(io);
}

static void free_one(struct vpv_state *st, struct vpv_ioeventfd *io)
{
	lockdep_assert_held(&st->ioeventfds_lock);

	vfio_virqfd_disable(&io->virqfd);
	list_del(&io->node);
	st->num_ioeventfds--;
	kfree(io);
}

static struct vpv_ioeventfd *find_one(struct vpv_state *st,
				      const struct vpv_ioeventfd *like)
{
	struct vpv_ioeventfd *io;

	list_for_each_entry(io, &st->ioeventfds, node)
		if (io->bar == like->bar && io->pos == like->pos &&
		    io->data == like->data && io->bytes == like->bytes)
			return io;
	return NULL;
}

static int add_one(struct vpv_state *st, const struct vpv_ioeventfd *like, int fd)
{
	struct vpv_ioeventfd *io;
	int ret;

	if (st->num_ioeventfds == MAX_IOEVENTFDS)
		return -ENOSPC;
	io = kmemdup(like, sizeof(*like), GFP_KERNEL_ACCOUNT);
	if (!io)
		return -ENOMEM;

	ret = vfio_virqfd_enable(io, signalled, signalled_worker, NULL, &io->virqfd, fd);
	if (ret) {
		kfree(io);
		return ret;
	}
	list_add(&io->node, &st->ioeventfds);
	st->num_ioeventfds++;
	return 0;
}

static int set_one(struct vpv_state *st, const struct vpv_ioeventfd *like, int fd)
{
	struct vpv_ioeventfd *io;

	guard(mutex)(&st->ioeventfds_lock);

	io = find_one(st, like);
	if (io && fd >= 0)
		return -EEXIST;
	if (fd >= 0)
		return add_one(st, like, fd);
	if (!io)
		return -ENODEV;
	free_one(st, io);
	return 0;
}

/*
 * All of it in the part of a BAR that is registers of the hardware, and aligned: this is
 * performed where nothing can sleep, and where a fault would be fatal.
 */
static bool range_ok(const struct vpv_ioeventfd *io)
{
	u64 bytes = io->bar->region.bytes, end;

	if (io->bar->memory || io->pos >= bytes || io->bytes > bytes - io->pos ||
	    io->pos % io->bytes)
		return false;
	return !vpv_bar_part_at(io->bar, io->pos, &end) && end - io->pos >= io->bytes;
}

/* VFIO_DEVICE_IOEVENTFD */
int vpv_ioeventfd(struct vpv_device *vpv, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_device_ioeventfd, fd);
	struct vpv_state *st = vpv->state;
	struct vfio_device_ioeventfd set;
	struct vpv_ioeventfd io = {};
	u64 index;
	int ret;

	if (copy_from_user(&set, arg, minsz))
		return -EFAULT;
	if (set.argsz < minsz || (set.flags & ~VFIO_DEVICE_IOEVENTFD_SIZE_MASK) ||
	    hweight32(set.flags) != 1 || set.fd < -1)
		return -EINVAL;

	index = set.offset >> VPV_OFFSET_SHIFT;
	if (index >= VPV_BARS)
		return -EINVAL;
	io.vpv = vpv;
	io.bar = &st->bars[array_index_nospec(index, VPV_BARS)];
	io.pos = set.offset & VPV_OFFSET_MASK;
	io.data = set.data;
	io.bytes = set.flags;
	if (!range_ok(&io))
		return -EINVAL;
	ret = vpv_bar_error(vpv, io.bar);
	if (ret)
		return ret;
	return set_one(st, &io, set.fd);
}

/* The device is being closed; interrupts are off. */
void vpv_ioeventfds_close(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct vpv_ioeventfd *io, *next;

	guard(mutex)(&st->ioeventfds_lock);

	list_for_each_entry_safe(io, next, &st->ioeventfds, node)
		free_one(st, io);
}
