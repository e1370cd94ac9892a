// SPDX-License-Identifier: GPL-2.0
/* What is reported of the memory that a controller writes: see nvmedirty.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmalog.h"
#include "nvmedirty.h"

#define OPS_MAX	6
#define PAGES	(NVME_MEM_BYTES / NVME_PAGE)
#define QUEUE	1

static uint32_t next(uint32_t *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 8;
}

/* Reads write memory where they go to; writes only complete. */
static int random_io(struct nvme *n, uint32_t *x)
{
	unsigned int num = 1 + next(x) % OPS_MAX;
	int err;

	for (unsigned int i = 0; i < num; i++) {
		uint32_t bytes = NVME_BLOCK << next(x) % 8;
		uint32_t off = next(x) % ((NVME_DATA_BYTES - bytes) / 4) * 4;
		struct nvs_sqe e = nvme_io(next(x) % 4 ? NVS_IO_READ : NVS_IO_WRITE, 1,
					   next(x) % 1024, bytes / NVME_BLOCK);

		if (next(x) % 2)
			nvme_sgl(n, &e, i, off, bytes, 1 + next(x) % 7);
		else
			nvme_prp(n, &e, i, off, bytes);
		nvme_put(n, QUEUE, &e);
	}
	err = nvme_ring(n, QUEUE);
	return err ? err : nvme_batch_take(n, QUEUE, num);
}

static bool is_set(const uint64_t *bitmap, uint64_t bit)
{
	return bitmap[bit / 64] >> (bit % 64) & 1;
}

/* Lines "IOVA COUNT". */
static int compare(struct nvme *n, struct model *m, uint64_t page, const uint64_t *bitmap,
		   struct nvme_dirty *d)
{
	int err = model_cmd(m, "ledger");

	for (char *line = m->reply; !err && *line; line += strcspn(line, "\n") + 1) {
		uint64_t iova = strtoull(line, NULL, 16);

		if (iova < n->iova || iova >= n->iova + NVME_MEM_BYTES) {
			fprintf(stderr, "# ledger: %.40s\n", line);
			return -EPROTO;
		}
		d->written++;
		if (is_set(bitmap, (iova - n->iova) / page))
			continue;
		fprintf(stderr, "# %#lx was written and is not reported\n", (unsigned long)iova);
		d->missed++;
	}
	for (uint64_t i = 0; i < NVME_MEM_BYTES / page; i++)
		d->reported += is_set(bitmap, i);
	return err;
}

int nvme_dirty_rounds(struct nvme_pair *p, unsigned int rounds, uint64_t page, uint32_t seed,
		      struct nvme_dirty *d)
{
	struct model *m = &p->fn[p->on];
	uint64_t bitmap[PAGES / 64];
	int err = model_cmd(m, "ledger clear");

	/* What was written so far. */
	memset(bitmap, 0, sizeof(bitmap));
	err = err ? err : dma_log_report(p->n.v, page, p->n.iova, NVME_MEM_BYTES, bitmap);
	*d = (struct nvme_dirty){};
	for (unsigned int i = 0; i < rounds && !err; i++) {
		memset(bitmap, 0, sizeof(bitmap));
		err = random_io(&p->n, &seed);
		err = err ? err : dma_log_report(p->n.v, page, p->n.iova, NVME_MEM_BYTES, bitmap);
		err = err ? err : compare(&p->n, m, page, bitmap, d);
		err = err ? err : model_cmd(m, "ledger clear");
	}
	return err;
}
