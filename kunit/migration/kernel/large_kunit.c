// SPDX-License-Identifier: GPL-2.0
/* What devices with large state need: payload that is not copied, trackers. */
#include <linux/bitmap.h>
#include <linux/crc32c.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "fake_dev.h"

#define PIECES		8
#define PIECE_BYTES	6000
#define HEAD_BYTES	8
#define STREAM_ROOM	(FAKE_STATE_BYTES * 2)

static struct vmig_ops large_ops;

/* Of the device of a test; there is one at a time that saves. */
static struct {
	struct vmig_chunk *chunk[PIECES];
	unsigned int save_ends;
	int start_err;
	unsigned int starts;
	unsigned int stops;
	u32 ranges;
	u8 page_log2;
	u64 dirty_iova;
	unsigned int loads;
	bool wrong;
	int chunk_err;
	size_t room;
} large;

static int large_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	u8 head[HEAD_BYTES] = "the head";
	int err = 0;

	for (unsigned int i = 0; i < PIECES && !err; i++)
		err = vmig_emit_chunk(em, FAKE_STATE_RECORD, 0, head, sizeof(head),
				      large.chunk[i], PIECE_BYTES - i);
	return err;
}

static void large_save_end(struct vmig_dev *mig)
{
	large.save_ends++;
}

/* The begin of the state, HEAD_BYTES of each record in front of the chunk. */
static struct vmig_chunk *large_load_chunk(struct vmig_dev *mig, u32 type, u32 bytes,
					   u32 *front)
{
	unsigned int i = large.loads % PIECES;

	if (large.chunk_err)
		return ERR_PTR(large.chunk_err);
	if (type != FAKE_STATE_RECORD || bytes <= HEAD_BYTES)
		return NULL;
	*front = HEAD_BYTES;
	if (!large.chunk[i])
		large.chunk[i] = vmig_chunk_alloc(mig, large.room);
	return large.chunk[i];
}

static int large_load(struct vmig_dev *mig, const struct vmig_record *rec)
{
	unsigned int i = large.loads++ % PIECES;

	if (rec->type != FAKE_STATE_RECORD || rec->chunk != large.chunk[i] ||
	    rec->bytes != HEAD_BYTES || memcmp(rec->data, "the head", HEAD_BYTES) ||
	    rec->chunk_bytes != PIECE_BYTES - i ||
	    memchr_inv(rec->chunk->data, 'a' + i, rec->chunk_bytes))
		large.wrong = true;
	if (!rec->optional)
		return 0;
	return vmig_refuse(mig, -EOPNOTSUPP,
			   VMIG_DIFF("what only this device knows", 1, 0));
}

static int large_track_limits(struct vmig_dev *mig, struct vmig_track_limits *limits)
{
	*limits = (struct vmig_track_limits){
		.ranges = 2, .page_min_log2 = 13, .page_max_log2 = 16, .address_bits = 32,
		.pages = 1024, .report_pages = 16,
	};
	return 0;
}

static int large_track_start(struct vmig_dev *mig, const struct vmig_track *what,
			     struct vmig_track_limits *limits)
{
	large.starts++;
	large.ranges = what->num;
	large.page_log2 = what->page_log2;
	return large.start_err;
}

static void large_track_stop(struct vmig_dev *mig)
{
	large.stops++;
}

/* One page was written; read and clear. */
static int large_track_report(struct vmig_dev *mig, const struct vmig_range *part,
			      struct vmig_dirty *dirty)
{
	if (large.dirty_iova < part->first || large.dirty_iova > part->last)
		return 0;
	vmig_dirty_push(dirty, large.dirty_iova, large.dirty_iova);
	large.dirty_iova = ~0ULL;
	return 0;
}

static struct fake *large_named(struct kunit *test, const char *name)
{
	memset(&large, 0, sizeof(large));
	large_ops = fake_ops;
	large_ops.save = large_save;
	large_ops.save_end = large_save_end;
	large_ops.track_limits = large_track_limits;
	large_ops.track_start = large_track_start;
	large_ops.track_stop = large_track_stop;
	large_ops.track_report = large_track_report;
	return fake_new(test, name, &large_ops);
}

static struct fake *large_new(struct kunit *test)
{
	return large_named(test, "vmig-large");
}

static void chunks_alloc(struct kunit *test, struct fake *fake)
{
	for (unsigned int i = 0; i < PIECES; i++) {
		large.chunk[i] = vmig_chunk_alloc(&fake->mig, PIECE_BYTES);
		KUNIT_ASSERT_NOT_NULL(test, large.chunk[i]);
		memset(large.chunk[i]->data, 'a' + i, PIECE_BYTES);
	}
}

static void chunks_put(void)
{
	for (unsigned int i = 0; i < PIECES; i++)
		vmig_chunk_put(large.chunk[i]);
}

/* Skip header and match record; then records as they were emitted. */
static void chunks_arrive_with_their_heads(struct kunit *test)
{
	const size_t skip = sizeof(struct vpv_stream_header) + sizeof(struct vpv_stream_record) +
			    FAKE_MATCH_BYTES;
	struct fake *fake = large_new(test);
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL), *at = stream + skip;
	struct file *file = NULL;
	ssize_t n, end;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	chunks_alloc(test, fake);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	n = fake_read_all(test, file, stream, STREAM_ROOM, 777, &end);
	KUNIT_EXPECT_EQ(test, end, 0);
	KUNIT_EXPECT_GT(test, n, (ssize_t)(PIECES * (PIECE_BYTES - PIECES)));
	for (unsigned int i = 0; i < PIECES; i++) {
		const struct vpv_stream_record *rec = (void *)at;
		u8 *data = at + sizeof(*rec) + HEAD_BYTES;

		KUNIT_EXPECT_EQ(test, le32_to_cpu(rec->bytes),
				(u32)HEAD_BYTES + PIECE_BYTES - i);
		KUNIT_EXPECT_EQ(test, memcmp(data - HEAD_BYTES, "the head", HEAD_BYTES), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(data, 'a' + i, PIECE_BYTES - i));
		KUNIT_EXPECT_FALSE(test, vmig_chunk_shared(large.chunk[i]));
		at = data + PIECE_BYTES - i;
	}
	KUNIT_EXPECT_EQ(test, large.save_ends, 0U);
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP, &file), 0);
	KUNIT_EXPECT_EQ(test, large.save_ends, 1U);
	fake_close(file);
	chunks_put();
	fake_put(fake);
}

/* The reader has begun with a chunk when device and driver go away. */
static void chunks_outlive_the_device(struct kunit *test)
{
	const size_t skip = sizeof(struct vpv_stream_header) + FAKE_MATCH_BYTES +
			    2 * sizeof(struct vpv_stream_record) + HEAD_BYTES;
	struct fake *fake = large_new(test);
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	struct file *file = NULL;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	chunks_alloc(test, fake);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	for (size_t got = 0; got < skip + 10; ) {
		ssize_t n = fake_read(file, stream, skip + 10 - got);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	KUNIT_EXPECT_TRUE(test, vmig_chunk_shared(large.chunk[0]));
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, large.save_ends, 0U);
	/* The save hook may still run, with chunks that it has not sent. */
	vmig_close(&fake->mig);
	chunks_put();
	fake_put(fake);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 10), (ssize_t)-ENODEV);
	fake_close(file);
}

/* What large_save() writes. */
static size_t large_stream(struct kunit *test, u8 *stream)
{
	struct fake *fake = large_new(test);
	struct file *file = NULL;
	ssize_t n, end;

	chunks_alloc(test, fake);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	n = fake_read_all(test, file, stream, STREAM_ROOM, STREAM_ROOM, &end);
	KUNIT_ASSERT_EQ(test, end, 0);
	fake_close(file);
	chunks_put();
	fake_put(fake);
	return n;
}

static struct fake *large_destination(struct kunit *test, const char *name, size_t room,
				      struct file **file)
{
	struct fake *fake = large_named(test, name);

	large.room = room;
	large_ops.load = large_load;
	large_ops.load_end = NULL;
	large_ops.load_chunk = large_load_chunk;
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RESUMING, file), 0);
	return fake;
}

static void records_are_loaded_into_chunks(struct kunit *test)
{
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	struct file *file = NULL;
	struct fake *fake;
	size_t bytes;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	bytes = large_stream(test, stream);
	fake = large_destination(test, "vmig-to", PIECE_BYTES, &file);
	for (size_t at = 0; at < bytes; at += 777)
		KUNIT_ASSERT_EQ(test, fake_write(file, stream + at, min(777UL, bytes - at)),
				(ssize_t)min(777UL, bytes - at));
	KUNIT_EXPECT_EQ(test, large.loads, (unsigned int)PIECES);
	KUNIT_EXPECT_FALSE(test, large.wrong);
	for (unsigned int i = 0; i < PIECES; i++)
		KUNIT_EXPECT_FALSE(test, vmig_chunk_shared(large.chunk[i]));
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP, NULL), 0);
	fake_close(file);
	chunks_put();
	fake_put(fake);
}

/* The session ends in the middle of a record. */
static void chunk_being_loaded_ends_with_the_session(struct kunit *test)
{
	const size_t begin = sizeof(struct vpv_stream_header) + FAKE_MATCH_BYTES +
			     2 * sizeof(struct vpv_stream_record) + HEAD_BYTES + 100;
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	struct file *file = NULL;
	struct fake *fake;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	large_stream(test, stream);
	fake = large_destination(test, "vmig-to", PIECE_BYTES, &file);
	KUNIT_ASSERT_EQ(test, fake_write(file, stream, begin), (ssize_t)begin);
	KUNIT_ASSERT_NOT_NULL(test, large.chunk[0]);
	KUNIT_EXPECT_TRUE(test, vmig_chunk_shared(large.chunk[0]));
	fake_reset_function(fake);
	KUNIT_EXPECT_FALSE(test, vmig_chunk_shared(large.chunk[0]));
	KUNIT_EXPECT_EQ(test, fake_write(file, stream + begin, 100), (ssize_t)-ENODEV);
	chunks_put();
	fake_put(fake);
	KUNIT_EXPECT_EQ(test, fake_write(file, stream + begin, 100), (ssize_t)-ENODEV);
	fake_close(file);
}

static void chunk_that_cannot_be_had_refuses_the_stream(struct kunit *test)
{
	static const struct {
		const char *name;
		size_t room;
		int chunk_err;
		ssize_t want;
	} cases[] = {
		{ "vmig-small", PIECE_BYTES - 1, 0, -EOVERFLOW },
		{ "vmig-none", PIECE_BYTES, -ENOTCONN, -ENOTCONN },
	};
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	size_t bytes;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	bytes = large_stream(test, stream);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file *file = NULL;
		struct fake *fake = large_destination(test, cases[i].name, cases[i].room, &file);

		large.chunk_err = cases[i].chunk_err;
		KUNIT_EXPECT_EQ(test, fake_write(file, stream, bytes), cases[i].want);
		KUNIT_EXPECT_EQ(test, large.loads, 0U);
		KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP, NULL),
				(int)cases[i].want);
		fake_close(file);
		chunks_put();
		fake_put(fake);
	}
}

/* OPTIONAL lets a reader skip what it does not know, not what it knows and refuses. */
static void optional_records_can_be_refused(struct kunit *test)
{
	const size_t at = sizeof(struct vpv_stream_header) + sizeof(struct vpv_stream_record) +
			  FAKE_MATCH_BYTES;
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);
	struct vpv_stream_record *first, *match;
	struct file *file = NULL;
	struct fake *fake;
	size_t bytes;

	KUNIT_ASSERT_NOT_NULL(test, stream);
	bytes = large_stream(test, stream);
	match = (void *)(stream + sizeof(struct vpv_stream_header));
	first = (void *)(stream + at);
	first->flags = cpu_to_le32(VPV_RECORD_OPTIONAL);
	first->crc = 0;
	first->crc = cpu_to_le32(~crc32c(~le32_to_cpu(match->crc), first, sizeof(*first)));
	fake = large_destination(test, "vmig-to", PIECE_BYTES, &file);
	KUNIT_EXPECT_EQ(test, fake_write(file, stream, bytes), (ssize_t)-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, large.loads, 1U);
	fake_close(file);
	chunks_put();
	fake_put(fake);
}

static unsigned long user_pages(struct kunit *test)
{
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, user, 0UL);
	KUNIT_ASSERT_EQ(test, clear_user((void __user *)user, PAGE_SIZE), 0UL);
	return user;
}

/* ---- Trackers ---- */

static int log_start(struct fake *fake, u64 first, u64 bytes, u64 *page)
{
	struct interval_tree_node node = { .start = first, .last = first + bytes - 1 };
	struct rb_root_cached root = RB_ROOT_CACHED;

	interval_tree_insert(&node, &root);
	return fake->vdev.log_ops->log_start(&fake->vdev, &root, 1, page);
}

static int report_fn(struct iova_bitmap *bitmap, unsigned long iova, size_t length, void *arg)
{
	struct fake *fake = arg;

	return fake->vdev.log_ops->log_read_and_clear(&fake->vdev, iova, length, bitmap);
}

/* Report [@first, @first + @bytes) in pages of 4 KiB, at most 64: as one word. */
static u64 report(struct kunit *test, struct fake *fake, unsigned long user, u64 first,
		  u64 bytes)
{
	struct iova_bitmap *bitmap;
	u64 word = 0;

	KUNIT_EXPECT_EQ(test, clear_user((void __user *)user, 8), 0UL);
	bitmap = iova_bitmap_alloc(first, bytes, 4096, (u64 __user *)user);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bitmap);
	KUNIT_EXPECT_EQ(test, iova_bitmap_for_each(bitmap, fake, report_fn), 0);
	iova_bitmap_free(bitmap);
	KUNIT_EXPECT_EQ(test, copy_from_user(&word, (void __user *)user, 8), 0UL);
	return word;
}

#define FIRST	0x100000ULL
#define BYTES	(64 * 4096ULL)

static void tracker_reports_what_was_written(struct kunit *test)
{
	unsigned long user = user_pages(test);
	struct fake *fake = large_new(test);
	u64 page = 4096;

	if (!fake->vdev.log_ops)
		kunit_skip(test, "no IOMMUFD_DRIVER");
	fake_get(fake);
	KUNIT_ASSERT_EQ(test, log_start(fake, FIRST, BYTES, &page), 0);
	KUNIT_EXPECT_EQ(test, page, 8192ULL);
	KUNIT_EXPECT_EQ(test, large.starts, 1U);
	large.dirty_iova = ~0ULL;
	KUNIT_EXPECT_EQ(test, report(test, fake, user, FIRST, BYTES), 0ULL);
	large.dirty_iova = FIRST + 40 * 4096 + 5;
	KUNIT_EXPECT_EQ(test, report(test, fake, user, FIRST, BYTES), 3ULL << 40);
	KUNIT_EXPECT_EQ(test, report(test, fake, user, FIRST, BYTES), 0ULL);

	/* Half a page of the device: what was not asked for is not forgotten. */
	large.dirty_iova = FIRST + 6 * 4096;
	KUNIT_EXPECT_EQ(test, report(test, fake, user, FIRST, 7 * 4096), 1ULL << 6);
	KUNIT_EXPECT_EQ(test, report(test, fake, user, FIRST + 7 * 4096, 4096), 1ULL);
	KUNIT_EXPECT_EQ(test, report(test, fake, user, FIRST, BYTES), 3ULL << 6);
	KUNIT_EXPECT_EQ(test, report(test, fake, user, FIRST, BYTES), 0ULL);

	/* Nobody tracks what is outside. */
	KUNIT_EXPECT_EQ(test, report(test, fake, user, FIRST + BYTES, 8192), 3ULL);
	KUNIT_EXPECT_EQ(test, fake->vdev.log_ops->log_stop(&fake->vdev), 0);
	KUNIT_EXPECT_EQ(test, large.stops, 1U);
	fake_put(fake);
	KUNIT_EXPECT_EQ(test, large.stops, 1U);
}

static void limits_of_a_tracker_refuse_a_start(struct kunit *test)
{
	struct fake *fake = large_new(test);
	u64 page = 4096;

	if (!fake->vdev.log_ops)
		kunit_skip(test, "no IOMMUFD_DRIVER");
	KUNIT_EXPECT_EQ(test, log_start(fake, 1ULL << 32, 65536, &page), -ERANGE);
	KUNIT_EXPECT_EQ(test, large.starts, 0U);
	large.start_err = -ENOTCONN;
	KUNIT_EXPECT_EQ(test, log_start(fake, 0, 65536, &page), -ENOTCONN);
	large.start_err = 0;
	KUNIT_EXPECT_EQ(test, log_start(fake, 0, 1024 * 65536, &page), 0);
	KUNIT_EXPECT_EQ(test, page, 65536ULL);
	KUNIT_EXPECT_EQ(test, log_start(fake, 0, 65536, &page), -EINVAL);
	fake_put(fake);
}

static struct kunit_case large_cases[] = {
	KUNIT_CASE(chunks_arrive_with_their_heads),
	KUNIT_CASE(chunks_outlive_the_device),
	KUNIT_CASE(records_are_loaded_into_chunks),
	KUNIT_CASE(chunk_being_loaded_ends_with_the_session),
	KUNIT_CASE(chunk_that_cannot_be_had_refuses_the_stream),
	KUNIT_CASE(optional_records_can_be_refused),
	KUNIT_CASE(tracker_reports_what_was_written),
	KUNIT_CASE(limits_of_a_tracker_refuse_a_start),
	{ }
};

static struct kunit_suite large_suite = {
	.name = "vmig_large",
	.test_cases = large_cases,
};

kunit_test_suite(large_suite);

VPV_COMPAT_IMPORT_NS(IOMMUFD);
