// SPDX-License-Identifier: GPL-2.0
/*
 * hisi_like (Documentation/hardware/hisi_like.rst): copies in three queues.  Two functions are
 * alike; for compat_test one differs in each thing that is matched.
 *
 * Machine self: hisi_like:2 hisi_like:1:queues=8 hisi_like:1:rev=2.0 hisi_like:1:log2=6
 *	hisi_like:1:algs=0x1f hisi_like:1:version=2 hisi_like:1:version=3:oldest=2
 *	hisi_like:1:isolated=1 hisi_like:1:firmware=2
 * Machine pairs: hisi_like:2
 * Machine death: hisi_like:7
 */
#include <errno.h>
#include <string.h>

#include "../lib/family.h"
#include "../lib/hisil.h"
#include "../lib/records.h"

#define QUEUES	3
#define ENTRIES	32
#define OPS	12

static uint32_t first_tag(unsigned int q, uint32_t tag)
{
	return 1000 * q + 10000 * tag;
}

static int attach(struct guest *g)
{
	struct hisil *h = g->own;

	h->mem = g->mem;
	return hisil_attach(h, g->v);
}

static void detach(struct guest *g)
{
	hisil_detach(g->own);
}

static int begin(struct guest *g)
{
	struct hisil *h = g->own;
	int err = hisil_enable(h);

	for (unsigned int q = 0; q < QUEUES && !err; q++)
		err = hisil_queue_start(h, q, ENTRIES, !q);
	return err;
}

static int start(struct guest *g, uint32_t tag)
{
	struct hisil *h = g->own;
	struct hisil_queue *first = &h->queue[0];

	for (unsigned int q = 0; q < QUEUES; q++)
		hisil_batch_put(h, q, OPS, first_tag(q, tag));
	first->sq[(first->sq_tail - 1) % ENTRIES].flags = HISIL_SQE_IRQ;
	for (unsigned int q = 0; q < QUEUES; q++)
		hisil_ring(h, q);
	return 0;
}

static int check(struct guest *g, uint32_t tag)
{
	struct hisil_cqe more;
	int err = 0;

	for (unsigned int q = 0; q < QUEUES && !err; q++)
		err = hisil_batch_check(g->own, q, OPS, first_tag(q, tag));
	for (unsigned int q = 0; q < QUEUES && !err; q++)
		err = hisil_next(g->own, q, &more, 0) == -ETIMEDOUT ? 0 : -EPROTO;
	return err;
}

enum { W_REV, W_VERSION, W_LIMITS, W_ALGS, W_ISOLATION, W_MAX_XFER, NUM_WORDS };

static const char *const words[NUM_WORDS] = {
	[W_REV] = "CP_REV", [W_VERSION] = "CP_VERSION", [W_LIMITS] = "CP_LIMITS", [W_ALGS] = "CP_ALGS",
	[W_ISOLATION] = "CP_ISOLATION", [W_MAX_XFER] = "CP_MAX_XFER",
};

/* The rule of Documentation/hisi_like.rst, written a second time. */
static int fits(struct model *src, struct model *dst)
{
	uint64_t a[NUM_WORDS], b[NUM_WORDS];

	if (model_values(src, "regs", words, NUM_WORDS, a) || model_values(dst, "regs", words, NUM_WORDS, b))
		return -EIO;
	/* An isolated function may not be migrated at all. */
	return !a[W_ISOLATION] && !b[W_ISOLATION] && a[W_REV] >> 16 == b[W_REV] >> 16 &&
	       (a[W_VERSION] & 0xffff) <= (b[W_VERSION] & 0xffff) &&
	       (a[W_VERSION] & 0xffff) >= b[W_VERSION] >> 16 &&
	       (a[W_LIMITS] & 0xffff) <= (b[W_LIMITS] & 0xffff) &&
	       (a[W_LIMITS] >> 16 & 0xff) <= (b[W_LIMITS] >> 16 & 0xff) &&
	       !(a[W_ALGS] & ~b[W_ALGS]) && a[W_MAX_XFER] <= b[W_MAX_XFER] ? 0 : -EOPNOTSUPP;
}

#define GLOBAL	REC_FAMILY
#define QUEUE	(REC_FAMILY + 1)	/* with entries that are parked */

static void no_global(struct stream *s) { rec_remove(s, GLOBAL); }
static void repeated(struct stream *s) { rec_repeat(s, QUEUE); }
static void repeated_global(struct stream *s) { rec_repeat(s, GLOBAL); }
static void match_magic(struct stream *s) { rec_copy(s, REC_MATCH)[0]++; }
static void match_revision(struct stream *s) { rec_put32(s, REC_MATCH, 4, 0x990000); }
static void match_version(struct stream *s) { rec_put32(s, REC_MATCH, 8, 0xffff); }
static void match_queues(struct stream *s) { rec_put32(s, REC_MATCH, 12, 10 << 16 | 5000); }
static void match_rings(struct stream *s) { rec_put32(s, REC_MATCH, 12, 99 << 16 | 1); }
static void match_algs(struct stream *s) { rec_put32(s, REC_MATCH, 16, 0x7fffffff); }
static void match_xfer(struct stream *s) { rec_put32(s, REC_MATCH, 20, 0xfffffff0); }
static void global_magic(struct stream *s) { rec_copy(s, GLOBAL)[0]++; }
static void global_version(struct stream *s) { rec_put32(s, GLOBAL, 4, 1000); }
static void global_size(struct stream *s) { s->rec[GLOBAL].bytes -= 8; }
static void global_ctrl(struct stream *s) { rec_put32(s, GLOBAL, 8, 0xff); }
static void queue_magic(struct stream *s) { rec_copy(s, QUEUE)[0]++; }
static void queue_number(struct stream *s) { rec_put32(s, QUEUE, 4, 64); }
static void queue_parked(struct stream *s) { rec_put32(s, QUEUE, 52, 17 << 16); }
static void queue_size(struct stream *s) { s->rec[QUEUE].bytes -= 64; }
static void queue_ring(struct stream *s) { rec_put32(s, QUEUE, 24, 1 << 20); }
static void queue_tail(struct stream *s) { rec_put32(s, QUEUE, 36, 0x1000); }
static void queue_base(struct stream *s) { rec_put32(s, QUEUE, 8, 0x1001); }
static void queue_status(struct stream *s) { rec_put32(s, QUEUE, 32, 0xff000003); }

static const struct damage damage[] = {
	DAMAGE(match_queues, -EOPNOTSUPP),
	DAMAGE(queue_number, -EINVAL),
	DAMAGE(no_global, -EINVAL, true),
	DAMAGE(queue_base, -EINVAL, true),
	DAMAGE(repeated, -EINVAL),
	DAMAGE(repeated_global, -EINVAL),
	DAMAGE(match_magic, -EINVAL),
	DAMAGE(match_revision, -EOPNOTSUPP),
	DAMAGE(match_version, -EOPNOTSUPP),
	DAMAGE(match_rings, -EOPNOTSUPP),
	DAMAGE(match_algs, -EOPNOTSUPP),
	DAMAGE(match_xfer, -EOPNOTSUPP),
	DAMAGE(global_magic, -EINVAL),
	DAMAGE(global_version, -EINVAL),
	DAMAGE(global_size, -EINVAL),
	DAMAGE(queue_magic, -EINVAL),
	DAMAGE(queue_parked, -EINVAL),
	DAMAGE(queue_size, -EINVAL),
	DAMAGE(queue_ring, -EINVAL),
	DAMAGE(queue_tail, -EINVAL),
	/* These are for the function to judge, when everything is there. */
	DAMAGE(global_ctrl, -EINVAL, true),
	DAMAGE(queue_status, -EINVAL, true),
};

static const struct device_fault faults[] = {
	{ "save fail skip=1", -EREMOTEIO },
	{ "load fail skip=1", -EREMOTEIO },
	{ "clear fail", -EREMOTEIO },
	{ "clear hang", -ETIMEDOUT },
};

/* The size of queues, as a power of two, in the upper half; their number in the lower one. */
static const struct claim claims[] = {
	{ "limits 0x00000000", -EOPNOTSUPP },
	{ "limits 0x000a0000", -EOPNOTSUPP },
	{ "limits 0x000a0041", -EOPNOTSUPP },
	{ "limits 0x000affff", -EOPNOTSUPP },
	{ "limits 0x00000040", -EOPNOTSUPP },
	{ "limits 0x000b0040", -EOPNOTSUPP },
	{ "limits 0x00ff0040", -EOPNOTSUPP },
	{ "version 0", -EOPNOTSUPP },
	{ "version 0x00020001", -EOPNOTSUPP },
	{ "max_xfer 0", -EOPNOTSUPP },
	{ "isolation 1", -EOPNOTSUPP },
	{ "rev 0x00630000", -EOPNOTSUPP, .sane = true },
	{ "algs 0", -EOPNOTSUPP, .sane = true },
	/* Times are bounded. */
	{ "drain_ms 0", .sane = true },
	{ "drain_ms 0x7fffffff", .sane = true },
};

FAMILY(hisi_like) = {
	.name = "hisi_like", .driver = "vpv_hisi_like",
	.migration = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY,
	.bar = HISIL_BAR, .bar_bytes = HISIL_USER_BYTES, .record_max = 4096,
	.state_max = 1 << 20, .parks = true,
	.mem_bytes = HISIL_MEM_BYTES, .own_bytes = sizeof(struct hisil),
	.irq_index = VFIO_PCI_MSIX_IRQ_INDEX,
	.slow = "fault op delay=30", .late = "fault reset delay=80",
	.counter = "ops_done", .counts = QUEUES * OPS, .counter_moves = true,
	.pause_fails = -ETIMEDOUT, .load_fails = -EREMOTEIO,
	.faults = faults, .num_faults = sizeof(faults) / sizeof(faults[0]),
	.damage = damage, .num_damage = sizeof(damage) / sizeof(damage[0]),
	.claims = claims, .num_claims = sizeof(claims) / sizeof(claims[0]),
	.begin = begin, .attach = attach, .detach = detach, .start = start, .check = check,
	.fits = fits,
};
