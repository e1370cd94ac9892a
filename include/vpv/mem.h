/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that belongs to somebody else: what a layer that uses it needs to know to
 * give it back, without knowing the layer that counts and frees it.
 */
#ifndef VPV_MEM_H
#define VPV_MEM_H

#include <linux/types.h>

struct module;

/**
 * struct vpv_mem_ops - Owner of memory
 * @owner: Module of @put; memory that is kept keeps the module.
 */
struct vpv_mem_ops {
	struct module *owner;

	/** @put: The memory is not used any more.  Context: process. */
	void (*put)(void *mem);
};

/**
 * struct vpv_mem - Memory, with one reference of its owner's
 * @ops: Owner.
 * @mem: What @put of the owner takes.
 * @data: The memory: kmalloc or vmalloc.
 * @bytes: Its size.
 */
struct vpv_mem {
	const struct vpv_mem_ops *ops;
	void *mem;
	void *data;
	size_t bytes;
};

#endif /* VPV_MEM_H */
