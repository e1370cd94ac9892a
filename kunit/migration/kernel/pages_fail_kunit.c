// SPDX-License-Identifier: GPL-2.0
/* Memory of a device is migrated, and something goes wrong. */
#include <linux/crc32c.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#include "../../../migration/machine.h"
#include "../../../migration/pages.h"
#include "../../../migration/session_priv.h"
#include "fake_mem.h"

static void all_is_sent_when_it_is_not_known_what_was_written(struct kunit *test)
{
	struct file *from = NULL, *to = NULL;

	both_new(test);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_EXPECT_EQ(test, pump(test, from, to, SIZE_MAX), (ssize_t)-ENOMSG);
	for (u32 i = 0; i < 50; i++)
		mem_write(&src);
	src.harvest_err = -EOVERFLOW;
	finish(test, from, to, 0);
	fake_close(from);
	fake_close(to);
}

static const struct fail_case {
	const char *name;
	int *err;
	int is;
	int state;		/* afterwards */
} fail_cases[] = {
	{ "read", &src.read_err, -EBADF, E(PRE_COPY) },
	{ "read_io", &src.read_err, -EIO, E(ERROR) },
	{ "start", &src.start_err, -ENOSPC, E(PRE_COPY) },
	{ "start_io", &src.start_err, -EIO, E(ERROR) },
};

static void fail_name(const struct fail_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(fail, fail_cases, fail_name);

static void hook_that_fails_ends_the_session(struct kunit *test)
{
	const struct fail_case *c = test->param_value;
	struct file *from = NULL;

	both_new(test);
	*c->err = c->is;
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, SIZE_MAX), (ssize_t)c->is);
	KUNIT_EXPECT_EQ(test, fake_get(src.fake), c->state);
	fake_close(from);
}

#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
/* What a reset has ended needs no stop. */
static void tracking_ends_with_a_reset(struct kunit *test)
{
	struct file *from = NULL;

	both_new(test);
	src.fake->vdev.precopy_info_v2 = 1;
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, SIZE_MAX), (ssize_t)-ENOMSG);
	src.start_err = -ENOSPC;
	fake_reset_function(src.fake);
	KUNIT_EXPECT_EQ(test, pump(test, from, NULL, SIZE_MAX), (ssize_t)-ENOSPC);
	KUNIT_EXPECT_EQ(test, src.starts, 2U);
	KUNIT_EXPECT_EQ(test, fake_go(src.fake, E(RUNNING), &from), 0);
	KUNIT_EXPECT_EQ(test, src.stops, 0U);
	fake_close(from);
}
#endif

static void device_that_goes_away_is_not_asked_for_its_layout(struct kunit *test)
{
	mem_new(test, &src, "vmig-src", &mem_desc);
	vmig_close(&src.fake->mig);
	vmig_detach(&src.fake->mig);
	src.layouts = 0;
	vmig_open(&src.fake->mig);
	KUNIT_EXPECT_EQ(test, src.layouts, 0U);
}

static void layout_that_fails_refuses_the_session(struct kunit *test)
{
	struct file *from = NULL;

	both_new(test);
	src.layout_err = -ENXIO;
	KUNIT_EXPECT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), -ENXIO);
	src.layout_err = VPV_LAYOUT_RANGES + 1;
	KUNIT_EXPECT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake_get(src.fake), (int)E(RUNNING));
}

static int write_stream(struct kunit *test, struct file *from, struct file *to)
{
	ssize_t n;

	while ((n = fake_read(from, piece, PIECE_BYTES)) > 0) {
		n = fake_write(to, piece, n);
		if (n < 0)
			return n;
	}
	return n;
}

static const struct refuse_case {
	const char *name;
	unsigned int src_extra;
	unsigned int dst_extra;
	bool src_without;
	bool dst_without;
	int write_err;
	int err;		/* of write() */
	int end;		/* of the end of RESUMING */
} refuse_cases[] = {
	{ "larger_destination", 0, 10, false, false, 0, 0, 0 },
	{ "smaller_destination", 1, 0, false, false, 0, -EOPNOTSUPP, -EOPNOTSUPP },
	{ "without_memory", 0, 0, false, true, 0, -EOPNOTSUPP, -EOPNOTSUPP },
	{ "from_one_without", 0, 0, true, false, 0, 0, -EPROTO },
	{ "write", 0, 0, false, false, -ENXIO, -ENXIO, -ENXIO },
};

static void refuse_name(const struct refuse_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(refuse, refuse_cases, refuse_name);

static struct vmig_desc without;	/* memory; the device keeps it */

static void destination_refuses_what_does_not_fit(struct kunit *test)
{
	const struct refuse_case *c = test->param_value;
	struct file *from = NULL, *to = NULL, *none = NULL;

	without = mem_desc;
	without.pages = NULL;
	src.extra = c->src_extra;
	dst.extra = c->dst_extra;
	dst.write_err = c->write_err;
	mem_new(test, &src, "vmig-src", c->src_without ? &without : &mem_desc);
	mem_new(test, &dst, "vmig-dst", c->dst_without ? &without : &mem_desc);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &to), 0);
	/* In pre-copy, while nothing is stopped yet. */
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	KUNIT_EXPECT_EQ(test, write_stream(test, from, to), c->err ?: -ENOMSG);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	if (!c->err)
		KUNIT_EXPECT_EQ(test, write_stream(test, from, to), 0);
	KUNIT_EXPECT_EQ(test, fake_go(dst.fake, E(STOP), &none), c->end);
	fake_close(from);
	fake_close(to);
}

/* ---- Damage ---- */

static const struct damage_case {
	const char *name;
	size_t at;
	u8 bit;
	bool untouched;		/* what makes no sense is not written */
} damage_cases[] = {
	{ "pass", offsetof(struct vpv_stream_pages, pass), 1, true },
	{ "runs", offsetof(struct vpv_stream_pages, runs), 2, true },
	{ "page", sizeof(struct vpv_stream_pages), 1, false },
	{ "pages", sizeof(struct vpv_stream_pages) + 8, 1, true },
	{ "kind", sizeof(struct vpv_stream_pages) + 12, 0x80, true },
	{ "content", CONTENT, 1, false },
	{ "behind_a_piece", CONTENT + 5 * VMIG_PIECE_BYTES, 0x10, false },
	{ "end_of_content", CONTENT + VMIG_JOB_PAGES * PAGE - 1, 0x80, false },
};

static void damage_name(const struct damage_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(damage, damage_cases, damage_name);

/* Whatever is wrong with the bytes: it is the checksum that refuses them, at their end. */
static void damaged_record_is_refused(struct kunit *test)
{
	const struct damage_case *c = test->param_value;
	struct file *from = NULL, *to = NULL, *none = NULL;
	u8 *payload;
	u32 bytes;

	both_new(test);
	memset(src.data, 0x55, PAGES * PAGE);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	bytes = move_front(test, from, to);
	KUNIT_ASSERT_EQ(test, bytes, (u32)(CONTENT + VMIG_JOB_PAGES * PAGE));
	payload = kvmalloc(bytes, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, payload);
	read_all(test, from, payload, bytes);
	payload[c->at] ^= c->bit;
	KUNIT_EXPECT_EQ(test, fake_write(to, payload, bytes - 1), (ssize_t)bytes - 1);
	KUNIT_EXPECT_EQ(test, fake_write(to, payload + bytes - 1, 1), (ssize_t)-EBADMSG);
	kvfree(payload);
	if (c->untouched)
		KUNIT_EXPECT_NULL(test, memchr_inv(dst.data, 0xaa, PAGES * PAGE));
	KUNIT_EXPECT_EQ(test, fake_go(dst.fake, E(STOP), &none), -EBADMSG);
	KUNIT_EXPECT_EQ(test, fake_get(dst.fake), (int)E(ERROR));
	fake_close(from);
	fake_close(to);
}

/* Of a size that has no place for runs, behind one that was good. */
static void record_without_runs_is_refused(struct kunit *test)
{
	struct vpv_stream_record head = {
		.type = cpu_to_le32(VPV_RECORD_PAGES),
		.bytes = cpu_to_le32(*(const u32 *)test->param_value),
	};
	const struct vpv_stream_record *before = (void *)piece;
	struct file *from = NULL, *to = NULL, *none = NULL;
	u8 *payload;
	ssize_t n;
	u32 bytes;

	both_new(test);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), &to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	bytes = move_front(test, from, to);
	head.seq = cpu_to_le64(le64_to_cpu(before->seq) + 1);
	head.crc = cpu_to_le32(~crc32c(~le32_to_cpu(before->crc), &head, sizeof(head)));
	payload = kvmalloc(bytes, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, payload);
	read_all(test, from, payload, bytes);
	KUNIT_EXPECT_EQ(test, fake_write(to, payload, bytes), (ssize_t)bytes);
	kvfree(payload);
	n = fake_write(to, (u8 *)&head, sizeof(head));
	if (head.bytes) {
		KUNIT_EXPECT_EQ(test, n, (ssize_t)sizeof(head));
		/* Of zeros the sum is 0. */
		memset(piece, 0, le32_to_cpu(head.bytes));
		n = fake_write(to, piece, le32_to_cpu(head.bytes));
	}
	KUNIT_EXPECT_EQ(test, n, (ssize_t)-EINVAL);
	KUNIT_EXPECT_EQ(test, fake_go(dst.fake, E(STOP), &none), -EINVAL);
	fake_close(from);
	fake_close(to);
}

static const u32 sizes[] = { 0, VPV_PAGE_BYTES, 3 * VPV_PAGE_BYTES, VPV_PAGE_BYTES + 7 };

static void size_name(const u32 *bytes, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", *bytes);
}

KUNIT_ARRAY_PARAM(size, sizes, size_name);

/* ---- Ends at any moment ---- */

static void end_by_state(void)
{
	fake_set(src.fake, E(RUNNING));
}

static void end_by_reset(void)
{
	fake_reset_function(src.fake);
}

static void end_by_fault(void)
{
	fake_fault(src.fake);
}

static void end_by_close(void)
{
	vmig_close(&src.fake->mig);
}

static const struct end {
	const char *name;
	void (*end)(void);
	bool waits;		/* for the hook that runs */
	unsigned int stops;
} ends[] = {
	{ "state", end_by_state, true, 1 },
	{ "reset", end_by_reset, false, 0 },
	{ "fault", end_by_fault, false, 0 },
	{ "close", end_by_close, true, 0 },
};

static void end_name(const struct end *end, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", end->name);
}

KUNIT_ARRAY_PARAM(end, ends, end_name);

static int end_thread(void *data)
{
	const struct end *end = data;

	end->end();
	return 0;
}

/* While pages are being read, and nobody reads the file. */
static void session_ends_at_any_moment(struct kunit *test)
{
	const struct end *end = test->param_value;
	struct task_struct *task;
	struct file *from = NULL;
	u8 byte;

	pages_ops.readers = 3;
	both_new(test);
	src.stall = true;
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(PRE_COPY), &from), 0);
	wait_for_completion(&src.there);
	task = kthread_create(end_thread, (void *)end, "vmig-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	msleep(50);
	WRITE_ONCE(src.stall, false);
	complete_all(&src.go);
	kthread_stop_put(task);
	/* Whoever held the lock does the rest. */
	for (unsigned int tries = 0; tries < 1000 && READ_ONCE(src.fake->mig.m->held); tries++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(test, src.fake->mig.m->held, 0ULL);
	KUNIT_EXPECT_EQ(test, src.stops, end->stops);
	while (fake_read(from, &byte, 1) > 0)
		;
	KUNIT_EXPECT_EQ(test, fake_read(from, &byte, 1),
			(ssize_t)(end->end == end_by_fault ? -EIO : -ENODEV));
	fake_close(from);
}

/* What is not complete is refused, and nothing of it stays. */
static void hooks_have_to_be_complete(struct kunit *test)
{
	static const size_t needed[] = {
		offsetof(struct vmig_pages_ops, layout), offsetof(struct vmig_pages_ops, start),
		offsetof(struct vmig_pages_ops, stop), offsetof(struct vmig_pages_ops, harvest),
		offsetof(struct vmig_pages_ops, read), offsetof(struct vmig_pages_ops, write),
	};
	const struct vmig_pages_ops good = pages_ops;
	struct vmig_dev mig = {};

	mem_new(test, &src, "vmig-src", &mem_desc);
	for (unsigned int i = 0; i < ARRAY_SIZE(needed); i++) {
		pages_ops = good;
		*(void **)((u8 *)&pages_ops + needed[i]) = NULL;
		KUNIT_EXPECT_EQ(test, vmig_init(&mig, &src.fake->vdev, &mem_ops, &mem_desc),
				-EINVAL);
	}
	pages_ops = good;
	pages_ops.readers = 0;
	KUNIT_EXPECT_EQ(test, vmig_init(&mig, &src.fake->vdev, &mem_ops, &mem_desc), -EINVAL);
	pages_ops.readers = VMIG_PAGES_READERS + 1;
	KUNIT_EXPECT_EQ(test, vmig_init(&mig, &src.fake->vdev, &mem_ops, &mem_desc), -EINVAL);
	pages_ops = good;
}

static struct kunit_case pages_fail_cases[] = {
	KUNIT_CASE(all_is_sent_when_it_is_not_known_what_was_written),
	KUNIT_CASE_PARAM(hook_that_fails_ends_the_session, fail_gen_params),
#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
	KUNIT_CASE(tracking_ends_with_a_reset),
#endif
	KUNIT_CASE(device_that_goes_away_is_not_asked_for_its_layout),
	KUNIT_CASE(layout_that_fails_refuses_the_session),
	KUNIT_CASE_PARAM(destination_refuses_what_does_not_fit, refuse_gen_params),
	KUNIT_CASE_PARAM(damaged_record_is_refused, damage_gen_params),
	KUNIT_CASE_PARAM(record_without_runs_is_refused, size_gen_params),
	KUNIT_CASE_PARAM(session_ends_at_any_moment, end_gen_params),
	KUNIT_CASE(hooks_have_to_be_complete),
	{}
};

static struct kunit_suite pages_fail_suite = {
	.name = "migration_pages_fail",
	.init = memory_init,
	.exit = memory_exit,
	.test_cases = pages_fail_cases,
};

kunit_test_suite(pages_fail_suite);
