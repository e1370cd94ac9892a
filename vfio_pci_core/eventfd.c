// SPDX-License-Identifier: GPL-2.0
/*
 * Slots for an eventfd of the user.  They are changed under igate, and signalled from
 * interrupts and under the device lock.
 *
 * What an eventfd wakes up may take irqlock (the eventfd that unmasks), but signals no
 * slot; so a slot's lock is taken first, and no slot is signalled under irqlock.
 */
#include <linux/eventfd.h>

#include "vpv.h"

void vpv_eventfd_init(struct vpv_eventfd *slot)
{
	spin_lock_init(&slot->lock);
	slot->ctx = NULL;
}

/*
 * Put @fd into a slot, or nothing for a negative one, and put the old one, which is not
 * signalled any more on return: its user may have stopped reading it.
 */
int vpv_eventfd_replace(struct vpv_device *vpv, struct vpv_eventfd *slot, int fd)
{
	struct eventfd_ctx *ctx = NULL;

	lockdep_assert_held(&vpv->state->igate);

	if (fd >= 0) {
		ctx = eventfd_ctx_fdget(fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}

	scoped_guard(spinlock_irq, &slot->lock)
		swap(slot->ctx, ctx);
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
}

/* Is there one?  Under igate. */
bool vpv_eventfd_there(const struct vpv_eventfd *slot)
{
	return slot->ctx;
}

/* Signal what is in a slot.  Return: whether there was something. */
bool vpv_eventfd_signal(struct vpv_eventfd *slot)
{
	bool there;

	scoped_guard(spinlock_irqsave, &slot->lock) {
		there = slot->ctx;
		if (there)
			eventfd_signal(slot->ctx);
	}
	return there;
}
