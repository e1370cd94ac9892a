// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of sessions, all of it counted, bounded and charged.
 *
 * Charged is the control group of the caller, or the one that set_active_memcg() names:
 * that of the task that opened the session, where its hooks run.
 */
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "dirty.h"
#include "machine.h"

/* Room besides the queue and the records: the chunks of a tracker. */
#define HELD_SPARE_BYTES	SZ_1M

/**
 * struct held - What is in front of memory that was allocated
 * @m: Where it is counted.
 * @bytes: Its size.
 * @data: It.
 */
struct held {
	struct vmig_machine *m;
	size_t bytes;
	u8 data[] __aligned(sizeof(u64));
};

static_assert(sizeof(struct held) <= VMIG_ALLOC_FRONT_BYTES);

static u64 staged_bytes(const struct vmig_desc *desc)
{
	u64 bytes = 0;

	for (unsigned int i = 0; i < desc->num_staged; i++)
		bytes += (u64)desc->staged[i].most * desc->staged[i].max_bytes;
	return bytes;
}

/* That the library reads the memory of the device into. */
static u64 pages_bytes(const struct vmig_desc *desc)
{
	return desc->pages ? 2ULL * vmig_pages_half(desc) * VPV_PAGES_DATA_BYTES : 0;
}

/**
 * vmig_held_limit() - How much may the sessions of a device hold?
 * @desc: Constants of its family.
 *
 * A queue that is full or all that is kept of a stream, the piece being read, a record being
 * made or loaded and as much that the device fills or reads, records of its memory; and once
 * more the same, for what an ended session, or the variant, has not given back yet.
 *
 * Return: bytes.
 */
u64 vmig_held_limit(const struct vmig_desc *desc)
{
	u64 kept = max(vmig_queue_bytes(desc), staged_bytes(desc));
	u64 record = max_t(u64, desc->max_payload, VMIG_BUF_BYTES);

	return 2 * (kept + 3 * record + pages_bytes(desc)) + HELD_SPARE_BYTES;
}

/**
 * vmig_held_add() - Count memory
 * @m: Machine.
 * @bytes: Its size.
 *
 * Return: false: that is too much, and there was a line.
 */
bool vmig_held_add(struct vmig_machine *m, size_t bytes)
{
	bool fits;

	spin_lock(&m->lock);
	fits = bytes <= m->held_limit - m->held;
	if (fits)
		m->held += bytes;
	m->held_most = max(m->held_most, m->held);
	spin_unlock(&m->lock);
	if (!fits)
		dev_warn_ratelimited(m->mig->vdev->dev,
				     "migration: no %zu bytes more: sessions hold all of %llu\n",
				     bytes, m->held_limit);
	return fits;
}

/**
 * vmig_held_sub() - Undo vmig_held_add()
 * @m: Machine.
 * @bytes: The same.
 */
void vmig_held_sub(struct vmig_machine *m, size_t bytes)
{
	spin_lock(&m->lock);
	m->held -= bytes;
	spin_unlock(&m->lock);
}

/**
 * vmig_alloc() - Allocate memory that is counted
 * @m: Machine; outlives it.
 * @bytes: Size; may be 0.
 *
 * Context: a lock that keeps m->mig.
 * Return: memory that is not NULL, not zeroed; or NULL.
 */
void *vmig_alloc(struct vmig_machine *m, size_t bytes)
{
	struct held *held;

	if (!vmig_held_add(m, bytes))
		return NULL;
	held = kvmalloc(struct_size(held, data, bytes), GFP_KERNEL_ACCOUNT);
	if (!held) {
		vmig_held_sub(m, bytes);
		return NULL;
	}
	held->m = m;
	held->bytes = bytes;
	return held->data;
}

/**
 * vmig_free() - Free it
 * @p: What vmig_alloc() returned; also NULL.
 */
void vmig_free(void *p)
{
	struct held *held;

	if (!p)
		return;
	held = container_of(p, struct held, data);
	vmig_held_sub(held->m, held->bytes);
	kvfree(held);
}

/**
 * vmig_set_alloc() - Allocate a part of a set of pages
 * @m: Machine; outlives it.
 * @num: Number of its elements; may be 0.
 * @bytes: Size of one.
 *
 * Bounded by what a tracker may cover, or by the memory that the device has: it is counted apart
 * from what the limit is for.
 *
 * Return: zeroed memory that is not NULL, or NULL.
 */
void *vmig_set_alloc(struct vmig_machine *m, size_t num, size_t bytes)
{
	size_t all = array_size(num, bytes);
	struct held *held;

	held = kvzalloc(struct_size(held, data, all), GFP_KERNEL_ACCOUNT);
	if (!held)
		return NULL;
	held->m = m;
	held->bytes = all;
	spin_lock(&m->lock);
	m->sets += all;
	spin_unlock(&m->lock);
	return held->data;
}

/**
 * vmig_set_free() - Free it
 * @p: What vmig_set_alloc() returned; also NULL.
 */
void vmig_set_free(void *p)
{
	struct held *held;

	if (!p)
		return;
	held = container_of(p, struct held, data);
	spin_lock(&held->m->lock);
	held->m->sets -= held->bytes;
	spin_unlock(&held->m->lock);
	kvfree(held);
}

/**
 * vmig_dirty_free() - Free a set
 * @set: Set; zeros are one, too.
 */
void vmig_dirty_free(struct vmig_dirty *set)
{
	vmig_set_free(set->bits);
	vmig_set_free(set->index);
	vmig_set_free(set->ranges);
	*set = (struct vmig_dirty){};
}

/**
 * vmig_dirty_alloc() - Make a set of no pages
 * @m: Machine; outlives it.
 * @set: Set that has its ranges, of vmig_set_alloc(), and the size of its pages.
 *
 * Return: 0 or -ENOMEM, and it was freed.
 */
int vmig_dirty_alloc(struct vmig_machine *m, struct vmig_dirty *set)
{
	set->index = vmig_set_alloc(m, set->num, sizeof(*set->index));
	if (set->index) {
		vmig_dirty_init(set);
		set->bits = vmig_set_alloc(m, vmig_dirty_longs(set->pages), sizeof(long));
	}
	if (set->bits)
		return 0;
	vmig_dirty_free(set);
	return -ENOMEM;
}
