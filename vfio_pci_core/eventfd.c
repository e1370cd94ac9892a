// SPDX-License-Identifier: GPL-2.0
/*
 * Slots for an eventfd of the user.  They are changed under igate and signalled
 * under RCU, from interrupts and under the device lock.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "vpv.h"

struct vpv_eventfd {
	struct eventfd_ctx *ctx;
	struct rcu_head rcu;
};

static void eventfd_free_rcu(struct rcu_head *rcu)
{
	struct vpv_eventfd *efd = container_of(rcu, struct vpv_eventfd, rcu);

	eventfd_ctx_put(efd->ctx);
	kfree(efd);
}

static struct vpv_eventfd *eventfd_alloc(int fd)
{
	struct vpv_eventfd *efd = kzalloc_obj(*efd, GFP_KERNEL_ACCOUNT);
	struct eventfd_ctx *ctx;

	if (!efd)
		return ERR_PTR(-ENOMEM);

	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx)) {
		kfree(efd);
		return ERR_CAST(ctx);
	}
	efd->ctx = ctx;
	return efd;
}

/*
 * Put @fd into a slot, or nothing for a negative one, and put the old one.  When one is
 * exchanged, the old one is not signalled any more on return: nothing is told to an
 * eventfd that nobody reads.
 */
int vpv_eventfd_replace(struct vpv_device *vpv, struct vpv_eventfd __rcu **slot, int fd)
{
	struct vpv_eventfd *old, *efd = NULL;

	lockdep_assert_held(&vpv->state->igate);

	if (fd >= 0) {
		efd = eventfd_alloc(fd);
		if (IS_ERR(efd))
			return PTR_ERR(efd);
	}

	old = rcu_replace_pointer(*slot, efd, lockdep_is_held(&vpv->state->igate));
	if (old && efd)
		synchronize_rcu();
	if (old)
		call_rcu(&old->rcu, eventfd_free_rcu);
	return 0;
}

/* Signal what is in a slot.  Return: whether there was something. */
bool vpv_eventfd_signal(struct vpv_eventfd __rcu **slot)
{
	struct vpv_eventfd *efd;

	rcu_read_lock();
	efd = rcu_dereference(*slot);
	if (efd)
		eventfd_signal(efd->ctx);
	rcu_read_unlock();
	return efd;
}
