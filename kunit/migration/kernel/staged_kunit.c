// SPDX-License-Identifier: GPL-2.0
/* Records that are kept until the stream is complete: what is refused, committed, freed. */
#include <linux/sizes.h>

#include "../../../migration/machine.h"
#include "fake_dev.h"

#define E(state)	VFIO_DEVICE_STATE_##state
#define STREAM_ROOM	SZ_8K
#define TYPE_HEAD	(VPV_RECORD_FAMILY + 0)
#define TYPE_QUEUE	(VPV_RECORD_FAMILY + 1)
#define TYPE_OTHER	(VPV_RECORD_FAMILY + 2)
#define HEAD_BYTES	16
#define QUEUES		5
#define QUEUE_MIN	4
#define QUEUE_MAX	32
#define SENT_MAX	8
#define NOTHING		0xff

/* A record to be sent: its first byte is the index that a queue claims. */
struct sent {
	u32 type;
	u32 flags;
	u32 bytes;
	u8 first;
};

/* Of the devices of a test. */
static struct {
	struct sent send[SENT_MAX];
	unsigned int checks;
	unsigned int commits;
	u8 committed[SENT_MAX];		/* index; of the head NOTHING */
	int commit_err;
	unsigned int others;
	unsigned int load_ends;
	unsigned int commits_before_end;
} staged;

static int check_head(struct vmig_dev *mig, const void *data, size_t bytes, u32 *index,
		      struct vmig_diff *diff)
{
	staged.checks++;
	if (*(const u8 *)data != 'h')
		return vmig_differs(diff, -EINVAL, "first byte of the head", 'h',
				    *(const u8 *)data);
	return 0;
}

static int check_queue(struct vmig_dev *mig, const void *data, size_t bytes, u32 *index,
		       struct vmig_diff *diff)
{
	staged.checks++;
	*index = *(const u8 *)data;
	return 0;
}

static int commit(u8 which, const void *data, size_t bytes, u8 first)
{
	if (*(const u8 *)data != first || memchr_inv(data + 1, 0x77, bytes - 1))
		return -EBADE;
	staged.committed[staged.commits++] = which;
	return staged.commit_err;
}

static int commit_head(struct vmig_dev *mig, u32 index, const void *data, size_t bytes)
{
	return bytes == HEAD_BYTES && !index ? commit(NOTHING, data, bytes, 'h') : -EBADE;
}

static int commit_queue(struct vmig_dev *mig, u32 index, const void *data, size_t bytes)
{
	return commit(index, data, bytes, index);
}

/* Queues come in any order, and before the head. */
static const struct vmig_staged_record staged_records[] = {
	{
		.name = "head",
		.type = TYPE_HEAD,
		.min_bytes = HEAD_BYTES,
		.max_bytes = HEAD_BYTES,
		.most = 1,
		.mandatory = true,
		.check = check_head,
		.commit = commit_head,
	}, {
		.name = "queue",
		.type = TYPE_QUEUE,
		.min_bytes = QUEUE_MIN,
		.max_bytes = QUEUE_MAX,
		.most = QUEUES,
		.check = check_queue,
		.commit = commit_queue,
	},
};

static const struct vmig_desc staged_desc = {
	.family		= "kunit_staged",
	.state_version	= 1,
	.state_oldest	= 1,
	.state_accepts	= 1,
	.staged		= staged_records,
	.num_staged	= ARRAY_SIZE(staged_records),
	.max_payload	= 64,
	.reach		= &fake_reach,
};

static int staged_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	u8 data[64];
	int err = 0;

	memset(data, 0x77, sizeof(data));
	for (const struct sent *s = staged.send; s->type && !err; s++) {
		data[0] = s->first;
		err = vmig_emit(em, s->type, s->flags, data, s->bytes);
	}
	return err;
}

static int staged_load(struct vmig_dev *mig, const struct vmig_record *rec)
{
	staged.others++;
	return rec->type == TYPE_OTHER ? 0 : -EOPNOTSUPP;
}

static int staged_load_end(struct vmig_dev *mig)
{
	staged.load_ends++;
	staged.commits_before_end = staged.commits;
	return 0;
}

/* A family that has nothing but the table. */
static struct vmig_ops staged_ops;
/* One that takes other records itself. */
static struct vmig_ops both_ops;

static struct fake *staged_new(struct kunit *test, const char *name, const struct vmig_ops *ops)
{
	return fake_new_of(test, name, ops, &staged_desc);
}

static int staged_init(struct kunit *test)
{
	memset(&staged, 0, sizeof(staged));
	staged_ops = fake_small_ops;
	staged_ops.save = staged_save;
	staged_ops.load = NULL;
	both_ops = staged_ops;
	both_ops.load = staged_load;
	both_ops.load_end = staged_load_end;
	return 0;
}

static u64 held(struct fake *fake)
{
	struct vmig_machine *m = fake->mig.m;
	u64 bytes;

	spin_lock(&m->lock);
	bytes = m->held;
	spin_unlock(&m->lock);
	return bytes;
}

/* The stream of staged.send, in @stream. */
static ssize_t save(struct kunit *test, const struct vmig_ops *ops, u8 *stream)
{
	struct fake *src = staged_new(test, "vmig-src", ops);
	struct file *file = NULL;
	ssize_t n, end;

	KUNIT_ASSERT_EQ(test, fake_go(src, E(STOP_COPY), &file), 0);
	n = fake_read_all(test, file, stream, STREAM_ROOM, SZ_4K, &end);
	KUNIT_EXPECT_EQ(test, end, (ssize_t)0);
	fake_close(file);
	fake_put(src);
	return n;
}

/* Write it to @dst; 0, or what the write failed with. */
static int load(struct kunit *test, struct fake *dst, const struct vmig_ops *ops,
		struct file **file)
{
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	ssize_t bytes, n;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	bytes = save(test, ops, stream);
	KUNIT_ASSERT_EQ(test, fake_go(dst, E(RESUMING), file), 0);
	n = fake_write(*file, stream, bytes);
	if (n >= 0)
		KUNIT_EXPECT_EQ(test, n, bytes);
	return min_t(ssize_t, n, 0);
}

static void records_are_committed_in_the_order_of_the_table(struct kunit *test)
{
	static const struct sent sent[] = {
		{ TYPE_QUEUE, 0, QUEUE_MAX, 3 }, { TYPE_OTHER, 0, 1, 0 },
		{ TYPE_QUEUE, 0, QUEUE_MIN, 0 }, { TYPE_HEAD, 0, HEAD_BYTES, 'h' },
		{ TYPE_QUEUE, 0, QUEUE_MIN + 1, QUEUES - 1 },
	};
	static const u8 order[] = { NOTHING, 0, 3, QUEUES - 1 };
	struct fake *dst = staged_new(test, "vmig-dst", &both_ops);
	struct file *file = NULL;

	memcpy(staged.send, sent, sizeof(sent));
	KUNIT_EXPECT_EQ(test, load(test, dst, &both_ops, &file), 0);
	KUNIT_EXPECT_EQ(test, staged.checks, 4U);
	KUNIT_EXPECT_EQ(test, staged.others, 1U);
	KUNIT_EXPECT_EQ(test, staged.commits, 0U);
	KUNIT_EXPECT_GT(test, held(dst), 0ULL);

	KUNIT_EXPECT_EQ(test, fake_go(dst, E(STOP), &file), 0);
	KUNIT_EXPECT_EQ(test, staged.commits, (unsigned int)ARRAY_SIZE(order));
	KUNIT_EXPECT_MEMEQ(test, staged.committed, order, sizeof(order));
	KUNIT_EXPECT_EQ(test, staged.load_ends, 1U);
	KUNIT_EXPECT_EQ(test, staged.commits_before_end, staged.commits);
	KUNIT_EXPECT_EQ(test, held(dst), 0ULL);
	fake_close(file);
	fake_put(dst);
}

/* A stream that is refused: by a write, or by RESUMING -> STOP. */
struct refusal {
	const char *name;
	struct sent send[4];
	int write_err;
	int end_err;
	const char *field;
};

static const struct refusal refusals[] = {
	{ "too_short",
	  { { TYPE_HEAD, 0, HEAD_BYTES - 1, 'h' } },
	  -EINVAL, -EINVAL, "head size: expected 0x10, got 0xf" },
	{ "too_long",
	  { { TYPE_QUEUE, 0, QUEUE_MAX + 1, 0 } },
	  -EINVAL, -EINVAL, "queue size: expected 0x20, got 0x21" },
	{ "content",
	  { { TYPE_HEAD, 0, HEAD_BYTES, 'x' } },
	  -EINVAL, -EINVAL, "first byte of the head: expected 0x68, got 0x78" },
	{ "index",
	  { { TYPE_QUEUE, 0, QUEUE_MIN, QUEUES } },
	  -EINVAL, -EINVAL, "queue index: expected 0x4, got 0x5" },
	{ "twice",
	  { { TYPE_QUEUE, 0, QUEUE_MIN, 2 }, { TYPE_QUEUE, 0, QUEUE_MIN, 2 } },
	  -EINVAL, -EINVAL, "queue records with the same index: expected 0x1, got 0x2" },
	{ "optional_but_wrong",
	  { { TYPE_HEAD, VPV_RECORD_OPTIONAL, HEAD_BYTES, 'x' } },
	  -EINVAL, -EINVAL, "first byte of the head: expected 0x68, got 0x78" },
	{ "unknown",
	  { { TYPE_OTHER, 0, 1, 0 } },
	  -EOPNOTSUPP, -EOPNOTSUPP, "of type 0x102" },
	{ "unknown_optional_and_nothing_else",
	  { { TYPE_OTHER, VPV_RECORD_OPTIONAL, 1, 0 } },
	  0, -EINVAL, "head records: expected 0x1, got" },
	{ "missing",
	  { { TYPE_QUEUE, 0, QUEUE_MIN, 1 } },
	  0, -EINVAL, "head records: expected 0x1, got" },
};

static void refusal_name(const struct refusal *r, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", r->name);
}

KUNIT_ARRAY_PARAM(refusal, refusals, refusal_name);

static void what_does_not_fit_is_refused_and_freed(struct kunit *test)
{
	const struct refusal *r = test->param_value;
	struct fake *dst = staged_new(test, "vmig-dst", &staged_ops);
	struct file *file = NULL;

	memcpy(staged.send, r->send, sizeof(r->send));
	KUNIT_EXPECT_EQ(test, load(test, dst, &staged_ops, &file), r->write_err);
	if (r->write_err)
		KUNIT_EXPECT_EQ(test, held(dst), 0ULL);
	KUNIT_EXPECT_EQ(test, fake_go(dst, E(STOP), &file), r->end_err);
	KUNIT_EXPECT_EQ(test, fake_get(dst), (int)E(ERROR));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(dst->mig.m->last_error, r->field), "%s",
				  dst->mig.m->last_error);
	KUNIT_EXPECT_EQ(test, staged.commits, 0U);
	KUNIT_EXPECT_EQ(test, held(dst), 0ULL);
	fake_close(file);
	fake_put(dst);
}

static int end_by_reset(struct fake *fake)
{
	fake_reset_function(fake);
	return 0;
}

static int end_by_fault(struct fake *fake)
{
	fake_fault(fake);
	return 0;
}

static int end_by_close(struct fake *fake)
{
	vmig_close(&fake->mig);
	return 0;
}

static int end_by_detach(struct fake *fake)
{
	vmig_detach(&fake->mig);
	return 0;
}

/* The device refuses what the first commit gives it. */
static int end_by_commit(struct fake *fake)
{
	int err;

	staged.commit_err = -EREMOTEIO;
	err = PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING)));
	if (err != -EREMOTEIO || staged.commits != 1)
		return -EBADE;
	return fake_get(fake) == E(ERROR) ? 0 : -EBADE;
}

static int end_well(struct fake *fake)
{
	return PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING)));
}

static const struct end {
	const char *name;
	int (*end)(struct fake *fake);
} ends[] = {
	{ "reset", end_by_reset },
	{ "fault", end_by_fault },
	{ "close", end_by_close },
	{ "detach", end_by_detach },
	{ "commit", end_by_commit },
	{ "well", end_well },
};

static void end_name(const struct end *end, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", end->name);
}

KUNIT_ARRAY_PARAM(end, ends, end_name);

/* The file stays open. */
static void every_end_frees_what_was_kept(struct kunit *test)
{
	static const struct sent sent[] = {
		{ TYPE_HEAD, 0, HEAD_BYTES, 'h' }, { TYPE_QUEUE, 0, QUEUE_MAX, 3 },
	};
	const struct end *end = test->param_value;
	struct fake *dst = staged_new(test, "vmig-dst", &staged_ops);
	struct file *file = NULL;

	memcpy(staged.send, sent, sizeof(sent));
	KUNIT_EXPECT_EQ(test, load(test, dst, &staged_ops, &file), 0);
	KUNIT_EXPECT_GT(test, held(dst), 0ULL);
	KUNIT_EXPECT_EQ(test, end->end(dst), 0);
	KUNIT_EXPECT_EQ(test, held(dst), 0ULL);
	fake_close(file);
	fake_put(dst);
}

static void useless_table_is_seen_at_once(struct kunit *test)
{
	static const struct vmig_staged_record bad[] = {
		{ .name = "no commit", .type = TYPE_HEAD, .max_bytes = 1, .most = 1 },
		{ .type = TYPE_HEAD, .max_bytes = 1, .most = 1, .commit = commit_head },
		{ .name = "none", .type = TYPE_HEAD, .max_bytes = 1, .commit = commit_head },
		{ .name = "too large", .type = TYPE_HEAD, .max_bytes = 65, .most = 1,
		  .commit = commit_head },
		{ .name = "no size", .type = TYPE_HEAD, .min_bytes = 2, .max_bytes = 1, .most = 1,
		  .commit = commit_head },
		{ .name = "own type", .type = VPV_RECORD_MATCH, .max_bytes = 1, .most = 1,
		  .commit = commit_head },
		{ .name = "too many", .type = TYPE_QUEUE, .max_bytes = 1, .most = 5000,
		  .check = check_queue, .commit = commit_queue },
		{ .name = "which", .type = TYPE_QUEUE, .max_bytes = 1, .most = 2,
		  .commit = commit_queue },
	};
	static const struct vmig_staged_record twice[] = {
		{ .name = "one", .type = TYPE_HEAD, .max_bytes = 1, .most = 1,
		  .commit = commit_head },
		{ .name = "other", .type = TYPE_HEAD, .max_bytes = 1, .most = 1,
		  .commit = commit_head },
	};
	struct fake *fake = staged_new(test, "vmig-src", &staged_ops);
	struct vmig_desc desc = staged_desc;
	struct vmig_dev mig = {};

	desc.num_staged = 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		desc.staged = &bad[i];
		KUNIT_EXPECT_EQ_MSG(test, vmig_init(&mig, &fake->vdev, &staged_ops, &desc),
				    -EINVAL, "table %u", i);
	}
	desc.staged = twice;
	desc.num_staged = ARRAY_SIZE(twice);
	KUNIT_EXPECT_EQ(test, vmig_init(&mig, &fake->vdev, &staged_ops, &desc), -EINVAL);
	desc.num_staged = 0;
	KUNIT_EXPECT_EQ(test, vmig_init(&mig, &fake->vdev, &staged_ops, &desc), -EINVAL);
	fake_put(fake);
}

static struct kunit_case staged_cases[] = {
	KUNIT_CASE(records_are_committed_in_the_order_of_the_table),
	KUNIT_CASE_PARAM(what_does_not_fit_is_refused_and_freed, refusal_gen_params),
	KUNIT_CASE_PARAM(every_end_frees_what_was_kept, end_gen_params),
	KUNIT_CASE(useless_table_is_seen_at_once),
	{}
};

static struct kunit_suite staged_suite = {
	.name = "migration_staged",
	.init = staged_init,
	.test_cases = staged_cases,
};

kunit_test_suite(staged_suite);
