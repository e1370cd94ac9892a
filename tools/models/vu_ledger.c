// SPDX-License-Identifier: GPL-2.0
/*
 * The ledger: which guest pages the device wrote, and how often.
 *
 * It is the truth against which reports of dirty pages are judged, so it is kept apart
 * from everything that models dirty tracking.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vu_dev.h"

#define MAX_PAGES	(1u << 24)	/* 64 GiB of guest memory */
#define FIRST_ROOM	1024u

static struct vu_ledger_page *find_slot(struct vu_ledger_page *slots, size_t room, uint64_t key)
{
	size_t at = (size_t)((key >> 12) * 0x9e3779b97f4a7c15ull >> 20) & (room - 1);

	while (slots[at].iova && slots[at].iova != key)
		at = (at + 1) & (room - 1);
	return &slots[at];
}

static bool grow(struct vu_ledger *led)
{
	size_t room = led->room ? led->room * 2 : FIRST_ROOM;
	struct vu_ledger_page *slots;

	if (room > 2 * (size_t)MAX_PAGES)
		return false;
	slots = calloc(room, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < led->room; i++)
		if (led->slots[i].iova)
			*find_slot(slots, room, led->slots[i].iova) = led->slots[i];
	free(led->slots);
	led->slots = slots;
	led->room = room;
	return true;
}

static void add_page(struct vu_ledger *led, uint64_t page)
{
	struct vu_ledger_page *slot;

	if (led->used * 2 >= led->room && !grow(led)) {
		led->lost++;
		return;
	}
	slot = find_slot(led->slots, led->room, page + 1);
	if (!slot->iova)
		led->used++;
	slot->iova = page + 1;
	slot->count++;
}

void vu_ledger_add(struct vu_ledger *led, uint64_t iova, size_t len)
{
	uint64_t page = iova & ~(uint64_t)(VU_PAGE_BYTES - 1);
	uint64_t last = iova + (len - 1);

	if (!len)
		return;
	for (;;) {
		add_page(led, page);
		if (last - page < VU_PAGE_BYTES)
			return;
		page += VU_PAGE_BYTES;
	}
}

static int by_iova(const void *a, const void *b)
{
	uint64_t x = ((const struct vu_ledger_page *)a)->iova;
	uint64_t y = ((const struct vu_ledger_page *)b)->iova;

	return x < y ? -1 : x > y;
}

void vu_ledger_print(const struct vu_ledger *led, FILE *out)
{
	struct vu_ledger_page *sorted = calloc(led->used + 1, sizeof(*sorted));
	size_t n = 0;

	if (!sorted) {
		fprintf(out, "lost all\n");
		return;
	}
	for (size_t i = 0; i < led->room; i++)
		if (led->slots[i].iova)
			sorted[n++] = led->slots[i];
	qsort(sorted, n, sizeof(*sorted), by_iova);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "0x%" PRIx64 " %" PRIu64 "\n", sorted[i].iova - 1, sorted[i].count);
	if (led->lost)
		fprintf(out, "lost %" PRIu64 "\n", led->lost);
	free(sorted);
}

void vu_ledger_clear(struct vu_ledger *led)
{
	free(led->slots);
	memset(led, 0, sizeof(*led));
}
