// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu: the log of its own writes (4.3), and which pages are bad (4.4).
 * Knows nothing of the list of written pages, which it is judged by.
 */
#include <stdlib.h>
#include <string.h>

#include "coherent_gpu.h"

static struct cgpu_part *part_of(struct cgpu *g, uint64_t addr)
{
	return &g->mem.part[addr >= CGPU_CARVE_BASE ? CGPU_CARVE : CGPU_MAIN];
}

void cgpu_log_write(struct cgpu *g, uint64_t addr, size_t len)
{
	struct cgpu_mem *m = &g->mem;
	struct cgpu_part *p = part_of(g, addr);
	unsigned int log2 = CGPU_LOG_LOG2(m->log_ctrl);
	uint64_t page, last;
	struct vu_fault_hit hit;

	if (!(m->log_ctrl & CGPU_LOG_ON))
		return;
	vu_fault_take(g->dev, CGPU_FAULT_LOG, &hit);
	if (hit.fail) {
		m->log_lost = true;
		return;
	}
	last = (addr - p->first + len - 1) >> log2;
	for (page = (addr - p->first) >> log2; page <= last; page++)
		p->log[page / 64] |= 1ull << page % 64;
}

uint32_t cgpu_log_ctrl(struct cgpu *g, uint32_t val)
{
	struct cgpu_mem *m = &g->mem;
	unsigned int log2 = CGPU_LOG_LOG2(val);

	m->log_ctrl = 0;
	m->log_lost = false;
	if (!(val & CGPU_LOG_ON))
		return 0;
	if (!(g->caps & CGPU_CAPS_LOG) || log2 < CGPU_LOG_MIN(g->log_sizes) ||
	    log2 > CGPU_LOG_MAX(g->log_sizes))
		return CGPU_ERR_BAD_RANGE;
	for (unsigned int n = 0; n < CGPU_PARTS; n++)
		memset(m->part[n].log, 0, (m->part[n].bytes / VU_PAGE_BYTES / 64 + 1) *
		       sizeof(uint64_t));
	m->log_ctrl = CGPU_LOG_ON | CGPU_LOG_PAGE(log2);
	return 0;
}

/* Pages of a part, rounded up to whole words of bits. */
static uint64_t pages_of(const struct cgpu_part *p, unsigned int log2)
{
	return (((p->bytes + (1ull << log2) - 1) >> log2) + 63) & ~63ull;
}

uint32_t cgpu_log_read(struct cgpu *g, uint64_t addr, uint32_t pages, uint8_t *window)
{
	struct cgpu_mem *m = &g->mem;
	struct cgpu_part *p = part_of(g, addr);
	unsigned int log2 = CGPU_LOG_LOG2(m->log_ctrl);
	uint64_t from = (addr - p->first) >> log2, *bits = p->log + from / 64;

	g->cp.set = 0;
	if (!(m->log_ctrl & CGPU_LOG_ON))
		return CGPU_ERR_LOG_OFF;
	if (m->log_lost)
		return CGPU_ERR_LOG_LOST;
	if (!pages || pages % 64 || pages > CGPU_LOG_MAX_PAGES ||
	    (addr - p->first) % (64ull << log2) || from >= pages_of(p, log2) ||
	    pages > pages_of(p, log2) - from)
		return CGPU_ERR_BAD_RANGE;
	memcpy(window, bits, pages / 8);
	for (uint32_t i = 0; i < pages / 64; i++)
		g->cp.set += (uint32_t)__builtin_popcountll(bits[i]);
	memset(bits, 0, pages / 8);
	g->cp.bytes = pages / 8;
	return 0;
}

/* ---- poison ---- */

bool cgpu_poisoned(const struct cgpu *g, uint64_t addr, size_t len)
{
	for (unsigned int i = 0; i < g->mem.num_poison; i++) {
		uint64_t bad = g->mem.poison[i].address;

		if (addr < bad + CGPU_POISON_PAGE && bad < addr + len)
			return true;
	}
	return false;
}

static bool entry_ok(const struct cgpu *g, const struct cgpu_poison *p, uint32_t flags)
{
	return !(p->address % CGPU_POISON_PAGE) && p->flags == flags && !p->reserved &&
	       cgpu_mem_exists(g, p->address, CGPU_POISON_PAGE);
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = ((const struct cgpu_poison *)a)->address;
	uint64_t y = ((const struct cgpu_poison *)b)->address;

	return x < y ? -1 : x > y;
}

uint32_t cgpu_poison_set(struct cgpu *g, const struct cgpu_poison *list, unsigned int num,
			 uint32_t flags)
{
	struct cgpu_mem *m = &g->mem;
	struct cgpu_poison all[CGPU_POISON_MAX];
	unsigned int total = m->num_poison;

	memcpy(all, m->poison, sizeof(all));
	for (unsigned int i = 0; i < num; i++) {
		if (!entry_ok(g, &list[i], flags))
			return CGPU_ERR_BAD_STATE;
		if (bsearch(&list[i], m->poison, m->num_poison, sizeof(*list), by_address))
			continue;
		if (total == CGPU_POISON_MAX)
			return CGPU_ERR_POISON_FULL;
		all[total++] = list[i];
	}
	if (total == m->num_poison)
		return 0;
	qsort(all, total, sizeof(*all), by_address);
	m->num_poison = 0;
	for (unsigned int i = 0; i < total; i++)
		if (!i || all[i].address != all[i - 1].address)
			m->poison[m->num_poison++] = all[i];
	m->poison_seq++;
	return 0;
}

void cgpu_poison_reset(struct cgpu *g)
{
	struct cgpu_mem *m = &g->mem;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < m->num_poison; i++)
		if (!(m->poison[i].flags & CGPU_POISON_INHERITED))
			m->poison[kept++] = m->poison[i];
	m->num_poison = kept;
}
