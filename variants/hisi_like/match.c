// SPDX-License-Identifier: GPL-2.0
/*
 * What may be loaded where (match.h).  Pure: also a KUnit suite and a host
 * program.  Every byte looked at here comes from a peer.
 */
#include "match.h"

int hisil_ident_check(const struct hisil_ident *id, const struct hisil_ident *before,
		      struct vmig_diff *diff)
{
	const struct {
		const char *field;
		u32 now, here;
		bool fits;
	} rules[] = {
		{ "revision before", id->rev, before->rev, id->rev == before->rev },
		{ "versions before", id->version, before->version,
		  id->version == before->version },
		{ "limits before", id->limits, before->limits, id->limits == before->limits },
		{ "algorithms before", id->algs, before->algs, id->algs == before->algs },
		{ "transfer size before", id->max_xfer, before->max_xfer,
		  id->max_xfer == before->max_xfer },
		{ "state version", HISIL_VERSION_NOW(id->version), 1,
		  HISIL_VERSION_NOW(id->version) },
		{ "oldest state version", HISIL_VERSION_OLDEST(id->version),
		  HISIL_VERSION_NOW(id->version),
		  HISIL_VERSION_OLDEST(id->version) <= HISIL_VERSION_NOW(id->version) },
		{ "queues", HISIL_LIMITS_QUEUES(id->limits), HISIL_MAX_QUEUES,
		  HISIL_LIMITS_QUEUES(id->limits) &&
		  HISIL_LIMITS_QUEUES(id->limits) <= HISIL_MAX_QUEUES },
		{ "ring size log2", HISIL_LIMITS_LOG2(id->limits), HISIL_MAX_LOG2,
		  HISIL_LIMITS_LOG2(id->limits) &&
		  HISIL_LIMITS_LOG2(id->limits) <= HISIL_MAX_LOG2 },
		{ "transfer size", id->max_xfer, 1, id->max_xfer },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!rules[i].fits)
			return vmig_differs(diff, -EOPNOTSUPP, rules[i].field,
					    rules[i].here, rules[i].now);
	return 0;
}

void hisil_match_write(const struct hisil_ident *id, struct hisil_match *match)
{
	*match = (struct hisil_match){
		.magic = cpu_to_le32(HISIL_MATCH_MAGIC),
		.rev = cpu_to_le32(id->rev),
		.version = cpu_to_le32(id->version),
		.limits = cpu_to_le32(id->limits),
		.algs = cpu_to_le32(id->algs),
		.max_xfer = cpu_to_le32(id->max_xfer),
		.isolation = cpu_to_le32(id->isolation),
	};
}

static int match_parse(const void *buf, size_t bytes, struct hisil_ident *src,
		       struct vmig_diff *diff)
{
	struct hisil_match m;

	if (bytes != sizeof(m))
		return vmig_differs(diff, -EINVAL, "match size", sizeof(m), bytes);
	memcpy(&m, buf, sizeof(m));
	if (le32_to_cpu(m.magic) != HISIL_MATCH_MAGIC)
		return vmig_differs(diff, -EINVAL, "match magic", HISIL_MATCH_MAGIC,
				    le32_to_cpu(m.magic));
	if (m.reserved)
		return vmig_differs(diff, -EINVAL, "match reserved", 0,
				    le32_to_cpu(m.reserved));
	if (m.isolation)
		return vmig_differs(diff, -EINVAL, "match isolation", 0,
				    le32_to_cpu(m.isolation));

	*src = (struct hisil_ident){
		.rev = le32_to_cpu(m.rev),
		.version = le32_to_cpu(m.version),
		.limits = le32_to_cpu(m.limits),
		.algs = le32_to_cpu(m.algs),
		.max_xfer = le32_to_cpu(m.max_xfer),
	};
	return 0;
}

int hisil_match_check(const struct hisil_ident *id, const void *buf, size_t bytes,
		      struct vmig_diff *diff)
{
	struct hisil_ident src;
	int err;

	err = match_parse(buf, bytes, &src, diff);
	if (err)
		return err;

	const struct {
		const char *field;
		u32 source, here;
		bool fits;
	} rules[] = {
		{ "isolation of this function", id->isolation, 0, !id->isolation },
		{ "revision", src.rev, id->rev,
		  HISIL_REV_MAJOR(src.rev) == HISIL_REV_MAJOR(id->rev) },
		{ "state version", HISIL_VERSION_NOW(src.version),
		  HISIL_VERSION_NOW(id->version),
		  HISIL_VERSION_NOW(src.version) <= HISIL_VERSION_NOW(id->version) },
		{ "oldest state version", HISIL_VERSION_NOW(src.version),
		  HISIL_VERSION_OLDEST(id->version),
		  HISIL_VERSION_NOW(src.version) >= HISIL_VERSION_OLDEST(id->version) },
		{ "queues", HISIL_LIMITS_QUEUES(src.limits), HISIL_LIMITS_QUEUES(id->limits),
		  HISIL_LIMITS_QUEUES(src.limits) <= HISIL_LIMITS_QUEUES(id->limits) },
		{ "ring size log2", HISIL_LIMITS_LOG2(src.limits),
		  HISIL_LIMITS_LOG2(id->limits),
		  HISIL_LIMITS_LOG2(src.limits) <= HISIL_LIMITS_LOG2(id->limits) },
		{ "algorithms", src.algs, id->algs, !(src.algs & ~id->algs) },
		{ "transfer size", src.max_xfer, id->max_xfer, src.max_xfer <= id->max_xfer },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!rules[i].fits)
			return vmig_differs(diff, -EOPNOTSUPP, rules[i].field,
					    rules[i].here, rules[i].source);
	return 0;
}

int hisil_ctx_check_global(const struct hisil_ident *id, const void *buf, size_t bytes,
			   struct vmig_diff *diff)
{
	struct hisil_global_ctx ctx;
	u32 version;

	if (bytes != sizeof(ctx))
		return vmig_differs(diff, -EINVAL, "global context size", sizeof(ctx),
				    bytes);
	memcpy(&ctx, buf, sizeof(ctx));
	if (le32_to_cpu(ctx.magic) != HISIL_GLOBAL_MAGIC)
		return vmig_differs(diff, -EINVAL, "global context magic",
				    HISIL_GLOBAL_MAGIC, le32_to_cpu(ctx.magic));
	version = le32_to_cpu(ctx.version);
	if (version < HISIL_VERSION_OLDEST(id->version) ||
	    version > HISIL_VERSION_NOW(id->version))
		return vmig_differs(diff, -EINVAL, "global context version", id->version,
				    version);
	if (memchr_inv(ctx.reserved, 0, sizeof(ctx.reserved)))
		return vmig_differs(diff, -EINVAL, "global context reserved", 0, 1);
	return 0;
}

/*
 * The rings of an enabled queue: what the registers would accept, too.  Those of a
 * queue that is disabled or in error are what the user wrote, and are not used.
 */
static int check_rings(const struct hisil_ident *id, const struct hisil_queue_ctx *ctx,
		       struct vmig_diff *diff)
{
	u32 size = le32_to_cpu(ctx->size);
	u32 limit = 1U << min_t(u32, HISIL_LIMITS_LOG2(id->limits), HISIL_MAX_LOG2);
	u32 pending = le32_to_cpu(ctx->sq_tail) - le32_to_cpu(ctx->sq_head);
	u32 unread = le32_to_cpu(ctx->cq_tail) - le32_to_cpu(ctx->cq_head);

	if (!(le32_to_cpu(ctx->qstatus) & HISIL_QSTATUS_ENABLED))
		return 0;
	if (size > limit)
		return vmig_differs(diff, -EINVAL, "queue context ring size", limit, size);
	if (pending > size)
		return vmig_differs(diff, -EINVAL, "queue context submissions", size,
				    pending);
	if (unread > size)
		return vmig_differs(diff, -EINVAL, "queue context completions", size,
				    unread);
	return 0;
}

int hisil_ctx_check_queue(const struct hisil_ident *id, const void *buf, size_t bytes,
			  u32 *queue, struct vmig_diff *diff)
{
	u32 queues = min_t(u32, HISIL_LIMITS_QUEUES(id->limits), HISIL_MAX_QUEUES);
	struct hisil_queue_ctx ctx;
	u32 number, parked;

	if (bytes < sizeof(ctx))
		return vmig_differs(diff, -EINVAL, "queue context size", sizeof(ctx), bytes);
	memcpy(&ctx, buf, sizeof(ctx));
	if (le32_to_cpu(ctx.magic) != HISIL_QUEUE_MAGIC)
		return vmig_differs(diff, -EINVAL, "queue context magic", HISIL_QUEUE_MAGIC,
				    le32_to_cpu(ctx.magic));
	number = le32_to_cpu(ctx.queue);
	if (number >= queues)
		return vmig_differs(diff, -EINVAL, "last queue number", queues - 1, number);
	parked = le16_to_cpu(ctx.parked);
	if (parked > HISIL_MAX_PARKED)
		return vmig_differs(diff, -EINVAL, "queue context parked entries",
				    HISIL_MAX_PARKED, parked);
	if (bytes != sizeof(ctx) + parked * HISIL_ENTRY_BYTES)
		return vmig_differs(diff, -EINVAL, "queue context size",
				    sizeof(ctx) + parked * HISIL_ENTRY_BYTES, bytes);
	if (le16_to_cpu(ctx.irq_owed) > 1)
		return vmig_differs(diff, -EINVAL, "queue context owed interrupts", 1,
				    le16_to_cpu(ctx.irq_owed));
	*queue = number;
	return check_rings(id, &ctx, diff);
}

bool hisil_ctx_is_reset(const struct hisil_queue_ctx *ctx)
{
	struct hisil_queue_ctx reset = { .magic = ctx->magic, .queue = ctx->queue };

	return !memcmp(ctx, &reset, sizeof(reset));
}
