// SPDX-License-Identifier: GPL-2.0
/*
 * What may be loaded where (match.h).  Pure: also a KUnit suite and a host
 * program.  Every byte looked at here comes from a peer.
 */
#include "match.h"

static_assert(sizeof(struct hisil_sqe) == HISIL_SQE_BYTES);
static_assert(sizeof(struct hisil_cqe) == HISIL_CQE_BYTES);
static_assert(sizeof(struct hisil_ident) == HISIL_CP_DRAIN_MS - HISIL_CP_REV);
static_assert(sizeof(struct hisil_global_ctx) == HISIL_CTX_BYTES);
static_assert(sizeof(struct hisil_queue_ctx) == HISIL_CTX_BYTES);
static_assert(sizeof(struct hisil_match) == 32);

#define FIELD(name, rule, field) VMIG_MATCH_FIELD(name, rule, struct hisil_match, field)

const struct vmig_match_field hisil_fields[HISIL_NUM_FIELDS] = {
	FIELD("match magic", VMIG_MATCH_CONSTANT, magic),
	FIELD("match reserved", VMIG_MATCH_CONSTANT, reserved),
	FIELD("match isolation", VMIG_MATCH_CONSTANT, isolation),
	FIELD("revision", VMIG_MATCH_EQUAL, rev_major),
	FIELD("state version", VMIG_MATCH_AT_MOST, version),
	VMIG_MATCH_AGAINST("oldest state version", VMIG_MATCH_AT_LEAST, struct hisil_match,
			   version, oldest),
	FIELD("queues", VMIG_MATCH_AT_MOST, queues),
	FIELD("ring size log2", VMIG_MATCH_AT_MOST, log2),
	FIELD("algorithms", VMIG_MATCH_SUBSET, algs),
	FIELD("transfer size", VMIG_MATCH_AT_MOST, max_xfer),
};

void hisil_match_write(const struct hisil_ident *id, struct hisil_match *match)
{
	*match = (struct hisil_match){
		.magic = cpu_to_le32(HISIL_MATCH_MAGIC),
		.rev_minor = id->rev_minor,
		.rev_major = id->rev_major,
		.version = id->version,
		.oldest = id->oldest,
		.queues = id->queues,
		.log2 = id->log2,
		.unused = id->unused,
		.algs = id->algs,
		.max_xfer = id->max_xfer,
		.isolation = id->isolation,
	};
}

int hisil_match_sane(const struct hisil_match *now, const struct hisil_match *before,
		     struct vmig_diff *diff)
{
	static const char *const words[] = {
		"magic", "revision before", "versions before", "limits before",
		"algorithms before", "transfer size before",
	};
	const u16 version = le16_to_cpu(now->version);
	const struct vmig_range_rule rules[] = {
		{ "state version", version, 1, U16_MAX },
		{ "oldest state version", le16_to_cpu(now->oldest), 0, version },
		{ "queues", le16_to_cpu(now->queues), 1, HISIL_MAX_QUEUES },
		{ "ring size log2", now->log2, 1, HISIL_MAX_LOG2 },
		{ "transfer size", le32_to_cpu(now->max_xfer), 1, U32_MAX },
	};
	int err;

	err = vmig_same_words(words, ARRAY_SIZE(words), before, now, -EOPNOTSUPP, diff);
	return err ?: vmig_in_range(rules, ARRAY_SIZE(rules), -EOPNOTSUPP, diff);
}

int hisil_ctx_check_global(const struct hisil_match *fn, const void *buf, size_t bytes,
			   struct vmig_diff *diff)
{
	struct hisil_global_ctx ctx;

	if (bytes != sizeof(ctx))
		return vmig_differs(diff, -EINVAL, "global context size", sizeof(ctx), bytes);
	memcpy(&ctx, buf, sizeof(ctx));

	const struct vmig_range_rule rules[] = {
		{ "global context magic", le32_to_cpu(ctx.magic), HISIL_GLOBAL_MAGIC,
		  HISIL_GLOBAL_MAGIC },
		{ "global context version", le32_to_cpu(ctx.version),
		  le16_to_cpu(fn->oldest), le16_to_cpu(fn->version) },
		{ "global context reserved",
		  !!memchr_inv(ctx.reserved, 0, sizeof(ctx.reserved)), 0, 0 },
	};

	return vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff);
}

/*
 * The rings of an enabled queue: what the registers would accept, too.  Those of a
 * queue that is disabled or in error are what the user wrote, and are not used.
 */
static int check_rings(const struct hisil_match *fn, const struct hisil_queue_ctx *ctx,
		       struct vmig_diff *diff)
{
	const u32 size = le32_to_cpu(ctx->size);
	const struct vmig_range_rule rules[] = {
		{ "queue context ring size", size, 0, 1U << min_t(u32, fn->log2, HISIL_MAX_LOG2) },
		{ "queue context submissions",
		  le32_to_cpu(ctx->sq_tail) - le32_to_cpu(ctx->sq_head), 0, size },
		{ "queue context completions",
		  le32_to_cpu(ctx->cq_tail) - le32_to_cpu(ctx->cq_head), 0, size },
	};

	if (!(le32_to_cpu(ctx->qstatus) & HISIL_QSTATUS_ENABLED))
		return 0;
	return vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff);
}

int hisil_ctx_check_queue(const struct hisil_match *fn, const void *buf, size_t bytes,
			  u32 *queue, struct vmig_diff *diff)
{
	const u32 queues = min_t(u32, le16_to_cpu(fn->queues), HISIL_MAX_QUEUES);
	struct hisil_queue_ctx ctx;
	int err;

	if (bytes < sizeof(ctx))
		return vmig_differs(diff, -EINVAL, "queue context size", sizeof(ctx), bytes);
	memcpy(&ctx, buf, sizeof(ctx));
	*queue = le32_to_cpu(ctx.queue);

	const u32 parked = le16_to_cpu(ctx.parked);
	const size_t want = sizeof(ctx) + parked * HISIL_SQE_BYTES;
	const struct vmig_range_rule rules[] = {
		{ "queue context magic", le32_to_cpu(ctx.magic), HISIL_QUEUE_MAGIC,
		  HISIL_QUEUE_MAGIC },
		{ "last queue number", *queue, 0, queues - 1 },
		{ "queue context parked entries", parked, 0, HISIL_MAX_PARKED },
		{ "queue context size", bytes, want, want },
		{ "queue context owed interrupts", le16_to_cpu(ctx.irq_owed), 0, 1 },
	};

	err = vmig_in_range(rules, ARRAY_SIZE(rules), -EINVAL, diff);
	return err ?: check_rings(fn, &ctx, diff);
}

bool hisil_ctx_is_reset(const struct hisil_queue_ctx *ctx)
{
	struct hisil_queue_ctx reset = { .magic = ctx->magic, .queue = ctx->queue };

	return !memcmp(ctx, &reset, sizeof(reset));
}
