// SPDX-License-Identifier: GPL-2.0
/* Mappings of regions, and the sizes of their pages: see mapping.h. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mapping.h"

#define KB4		0x1000UL
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

/* A page that was just made counts as written. */
bool kernel_watches_writes(void)
{
	static volatile uint8_t page[2 * KB4];
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	page[KB4] = 1;
	if (fd < 0)
		return false;
	if (pread(fd, &entry, 8, (uintptr_t)&page[KB4] / KB4 * 8) != 8)
		entry = 0;
	close(fd);
	return entry >> 55 & 1;
}
