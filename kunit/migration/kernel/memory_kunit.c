// SPDX-License-Identifier: GPL-2.0
/* Memory of sessions: given back when they end, and no more than a device may hold. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sizes.h>

#include "fake_dev.h"

#define E(state)	VFIO_DEVICE_STATE_##state
#define PIECES		8
#define PIECE_BYTES	6000
/* Far more than a device with records of 64 KiB and a queue of 8 KiB needs. */
#define TOO_MUCH_BYTES	(16U << 20)

/* Of the device of a test; there is one at a time. */
static struct vmig_ops memory_ops;
static struct vmig_chunk *chunks[PIECES];

static int memory_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	int err = 0;

	for (unsigned int i = 0; i < PIECES && !err; i++)
		err = vmig_emit_chunk(em, FAKE_STATE_RECORD, 0, NULL, 0, chunks[i], PIECE_BYTES);
	return err;
}

static struct fake *memory_new(struct kunit *test, const char *name)
{
	struct fake *fake;

	memory_ops = fake_ops;
	memory_ops.save = memory_save;
	fake = fake_new(test, name, &memory_ops);
	for (unsigned int i = 0; i < PIECES; i++) {
		chunks[i] = vmig_chunk_alloc(&fake->mig, PIECE_BYTES);
		KUNIT_ASSERT_NOT_NULL(test, chunks[i]);
	}
	return fake;
}

static void chunks_put(void)
{
	for (unsigned int i = 0; i < PIECES; i++) {
		vmig_chunk_put(chunks[i]);
		chunks[i] = NULL;
	}
}

/* Read a part of the first chunk. */
static void read_into_chunk(struct kunit *test, struct file *file)
{
	const size_t bytes = sizeof(struct vpv_stream_header) + FAKE_MATCH_BYTES +
			     2 * sizeof(struct vpv_stream_record) + 10;
	u8 buf[64];

	for (size_t got = 0; got < bytes; ) {
		ssize_t n = fake_read(file, buf, min(sizeof(buf), bytes - got));

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
}

static int end_by_state(struct fake *fake)
{
	return PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING)));
}

/* The producer may hold the state lock: it does the work when it lets that go. */
static int end_by_reset(struct fake *fake)
{
	fake_reset_function(fake);
	return PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING_P2P)));
}

static int end_by_close(struct fake *fake)
{
	vmig_close(&fake->mig);
	return 0;
}

static const struct end {
	const char *name;
	int (*end)(struct fake *fake);
} ends[] = {
	{ "state", end_by_state },
	{ "reset", end_by_reset },
	{ "close", end_by_close },
};

static void end_name(const struct end *end, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", end->name);
}

KUNIT_ARRAY_PARAM(end, ends, end_name);

/* The reader has begun with a piece, and keeps the file. */
static void piece_being_read_ends_with_the_session(struct kunit *test)
{
	const struct end *end = test->param_value;
	struct fake *fake = memory_new(test, "vmig-src");
	struct file *file = NULL;
	u8 byte = 0;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	read_into_chunk(test, file);
	KUNIT_EXPECT_TRUE(test, vmig_chunk_shared(chunks[0]));
	KUNIT_EXPECT_EQ(test, end->end(fake), 0);
	for (unsigned int i = 0; i < PIECES; i++)
		KUNIT_EXPECT_FALSE(test, vmig_chunk_shared(chunks[i]));
	KUNIT_EXPECT_EQ(test, fake_read(file, &byte, 1), (ssize_t)-ENODEV);
	fake_close(file);
	chunks_put();
	fake_put(fake);
}

struct reading {
	struct file *file;
	struct completion done;
	ssize_t ret;
	u8 buf[64];
};

static int reading_run(void *data)
{
	struct reading *r = data;

	do {
		r->ret = fake_read(r->file, r->buf, sizeof(r->buf));
	} while (r->ret > 0);
	complete(&r->done);
	return 0;
}

/* Sessions that end while somebody reads: whoever is last frees. */
static void reader_that_goes_on_keeps_nothing(struct kunit *test)
{
	struct reading *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct fake *fake = memory_new(test, "vmig-src");

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (unsigned int i = 0; i < 100; i++) {
		struct task_struct *task;

		r->file = NULL;
		init_completion(&r->done);
		KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &r->file), 0);
		task = kthread_run(reading_run, r, "vmig-kunit");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		if (i % 4)
			usleep_range(10, 100 * (i % 4));
		KUNIT_EXPECT_EQ(test, end_by_state(fake), 0);
		wait_for_completion(&r->done);
		KUNIT_EXPECT_TRUE(test, r->ret == -ENODEV || !r->ret);
		for (unsigned int k = 0; k < PIECES; k++)
			KUNIT_EXPECT_FALSE(test, vmig_chunk_shared(chunks[k]));
		fake_close(r->file);
	}
	chunks_put();
	fake_put(fake);
}

static void device_holds_no_more_than_it_may(struct kunit *test)
{
	struct fake *fake = memory_new(test, "vmig-src");
	const unsigned int most = TOO_MUCH_BYTES / SZ_64K;
	struct vmig_chunk **more;
	struct file *file = NULL;
	unsigned int num = 0;

	more = kunit_kcalloc(test, most, sizeof(*more), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, more);
	/* To the last byte. */
	for (size_t bytes = SZ_64K; bytes && num < most; bytes /= 2) {
		while (num < most) {
			more[num] = vmig_chunk_alloc(&fake->mig, bytes);
			if (!more[num])
				break;
			num++;
		}
	}
	KUNIT_EXPECT_GT(test, num, 0U);
	KUNIT_EXPECT_LT(test, num, most);

	/* A session has no more; and one begins as soon as there is room. */
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP_COPY), &file), -ENOMEM);
	while (num)
		vmig_chunk_put(more[--num]);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	fake_close(file);
	chunks_put();
	fake_put(fake);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE_PARAM(piece_being_read_ends_with_the_session, end_gen_params),
	KUNIT_CASE_SLOW(reader_that_goes_on_keeps_nothing),
	KUNIT_CASE(device_holds_no_more_than_it_may),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "migration_memory",
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
