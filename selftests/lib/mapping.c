// SPDX-License-Identifier: GPL-2.0
/* Mappings of regions, and the sizes of their pages: see mapping.h. */
#include <stdio.h>
#include <sys/mman.h>

#include "mapping.h"

#define GB		0x40000000UL
#define MAPPED		"ret=0x100"	/* VM_FAULT_NOPAGE */

uint8_t *map_at(struct vdev *v, unsigned int region, uint64_t pos, size_t bytes, size_t shift)
{
	size_t room = bytes + shift + GB;
	uint8_t *p = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);
	uint8_t *at;

	if (p == MAP_FAILED)
		return NULL;
	at = (uint8_t *)(((uintptr_t)p + GB - 1) / GB * GB) + shift;
	munmap(p, room);
	at = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v->fd,
		  ((off_t)region << 40) + pos);
	if (at == MAP_FAILED)
		return NULL;
	madvise(at, bytes, MADV_HUGEPAGE);
	return at;
}

int orders_mapped(struct trace *t, unsigned int order)
{
	char word[32];

	snprintf(word, sizeof(word), "order=%u ", order);
	return trace_count(t, word, MAPPED);
}
