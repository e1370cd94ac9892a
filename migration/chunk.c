// SPDX-License-Identifier: GPL-2.0
/*
 * Chunks: memory that a device fills or reads, and the stream with it.  They belong to
 * variants, and are counted as that of sessions.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "machine.h"

struct vmig_chunk *vmig_chunk_alloc(struct vmig_dev *mig, size_t bytes)
{
	struct vmig_chunk *chunk = kzalloc_obj(*chunk, GFP_KERNEL_ACCOUNT);

	if (!chunk)
		return NULL;
	if (!vmig_held_add(mig->m, bytes))
		goto free;
	/* Zeroed: what the device does not write must not be old memory. */
	chunk->data = kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!chunk->data)
		goto sub;
	refcount_set(&chunk->ref, 1);
	chunk->bytes = bytes;
	chunk->m = mig->m;
	vmig_machine_get(chunk->m);
	return chunk;

sub:
	vmig_held_sub(mig->m, bytes);
free:
	kfree(chunk);
	return NULL;
}
EXPORT_SYMBOL_GPL(vmig_chunk_alloc);

/**
 * vmig_chunk_get() - Take a reference
 * @chunk: Chunk.
 *
 * Return: @chunk.
 */
struct vmig_chunk *vmig_chunk_get(struct vmig_chunk *chunk)
{
	refcount_inc(&chunk->ref);
	return chunk;
}

void vmig_chunk_put(struct vmig_chunk *chunk)
{
	if (!chunk || !refcount_dec_and_test(&chunk->ref))
		return;
	kvfree(chunk->data);
	vmig_held_sub(chunk->m, chunk->bytes);
	vmig_machine_put(chunk->m);
	kfree(chunk);
}
EXPORT_SYMBOL_GPL(vmig_chunk_put);

static void chunk_mem_put(void *mem)
{
	vmig_chunk_put(mem);
}

const struct vpv_mem_ops vmig_chunk_mem_ops = {
	.owner = THIS_MODULE,
	.put = chunk_mem_put,
};
EXPORT_SYMBOL_GPL(vmig_chunk_mem_ops);

bool vmig_chunk_shared(const struct vmig_chunk *chunk)
{
	if (refcount_read(&chunk->ref) > 1)
		return true;
	/* What the last reader read was read before it is overwritten. */
	smp_acquire__after_ctrl_dep();
	return false;
}
EXPORT_SYMBOL_GPL(vmig_chunk_shared);
