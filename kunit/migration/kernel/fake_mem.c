// SPDX-License-Identifier: GPL-2.0
/* The fake device of the suites of memory. */
#include <linux/delay.h>
#include <linux/mm.h>

#include "fake_mem.h"

#define BASE		BIT_ULL(40)

struct mem src, dst;
u8 *piece;
struct vmig_ops mem_ops;
struct vmig_pages_ops pages_ops;
struct vmig_desc mem_desc;

/* 300, 1 and 400 pages; the second range touches the first. */
static const struct vmig_range ranges[] = {
	{ BASE, BASE + 300 * PAGE - 1 },
	{ BASE + 300 * PAGE, BASE + 301 * PAGE - 1 },
	{ 2 * BASE, 2 * BASE + 400 * PAGE - 1 },
};

static struct mem *mem_of(struct vmig_dev *mig)
{
	return dst.fake && mig == &dst.fake->mig ? &dst : &src;
}

static u64 number_of(struct mem *mem, u64 at)
{
	u64 page = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		u64 last = ranges[i].last + (i == 2 ? mem->extra * PAGE : 0);

		if (at >= ranges[i].first && at <= last)
			return page + (at - ranges[i].first) / PAGE;
		page += (ranges[i].last - ranges[i].first + 1) / PAGE;
	}
	return MOST_PAGES;
}

u32 random_of(struct mem *mem, u32 below)
{
	mem->seed = mem->seed * 1664525 + 1013904223;
	return (mem->seed >> 8) % below;
}

/* Something writes somewhere; some pages become zeros. */
void mem_write(struct mem *mem)
{
	u32 page, value;
	u8 *to;

	spin_lock(&mem->lock);
	page = random_of(mem, PAGES);
	value = random_of(mem, 1U << 24);
	to = mem->data + page * PAGE;
	if (!mem->frozen) {
		if (random_of(mem, 4))
			memset(to + random_of(mem, VPV_PAGE_BYTES - 64), value, 64);
		else
			memset(to, 0, PAGE);
		if (!mem->by_cpu && mem->tracking)
			set_bit(page, mem->log);
		else if (test_and_clear_bit(page, mem->armed))
			set_bit(page, mem->log);
	}
	spin_unlock(&mem->lock);
}

static void mem_burst(struct mem *mem)
{
	unsigned int n = 0;

	if (mem->burst) {
		spin_lock(&mem->lock);
		n = random_of(mem, mem->burst + 1);
		spin_unlock(&mem->lock);
	}
	while (n--)
		mem_write(mem);
}

static int mem_layout(struct vmig_dev *mig, struct vmig_range *to, unsigned int most)
{
	struct mem *mem = mem_of(mig);

	mem->layouts++;
	if (mem->layout_err)
		return mem->layout_err;
	memcpy(to, ranges, sizeof(ranges));
	to[2].last += mem->extra * PAGE;
	return ARRAY_SIZE(ranges);
}

static int mem_start(struct vmig_dev *mig)
{
	struct mem *mem = mem_of(mig);

	spin_lock(&mem->lock);
	mem->starts++;
	bitmap_zero(mem->log, MOST_PAGES);
	bitmap_zero(mem->armed, MOST_PAGES);
	mem->tracking = !mem->start_err;
	spin_unlock(&mem->lock);
	return mem->start_err;
}

static void mem_stop(struct vmig_dev *mig)
{
	struct mem *mem = mem_of(mig);

	mem->stops++;
	mem->tracking = false;
}

/* Of the first range as a bitmap of pages of 8 KiB, of the others as single bytes. */
static int mem_harvest(struct vmig_dev *mig, struct vmig_dirty *dirty)
{
	struct mem *mem = mem_of(mig);
	__le64 large[3] = {};
	unsigned long n;
	int err;

	spin_lock(&mem->lock);
	mem->harvests++;
	err = mem->harvest_err;
	mem->harvest_err = 0;
	for_each_set_bit(n, mem->log, err ? 0 : PAGES) {
		if (n < 300)
			large[n / 128] |= cpu_to_le64(BIT_ULL(n / 2 % 64));
		else if (n == 300)
			vmig_dirty_push(dirty, ranges[1].last, ranges[1].last);
		else
			vmig_dirty_push(dirty, ranges[2].first + (n - 301) * PAGE + 17,
					ranges[2].first + (n - 301) * PAGE + 17);
	}
	bitmap_zero(mem->log, MOST_PAGES);
	spin_unlock(&mem->lock);
	if (!err)
		vmig_dirty_push_bits(dirty, BASE, 13, large, 150);
	return err;
}

int mem_protect(struct vmig_dev *mig, const struct vmig_range *part)
{
	struct mem *mem = mem_of(mig);

	spin_lock(&mem->lock);
	bitmap_set(mem->armed, number_of(mem, part->first), (part->last - part->first + 1) / PAGE);
	spin_unlock(&mem->lock);
	mem_burst(mem);
	return 0;
}

static void mem_meet(struct mem *mem)
{
	for (unsigned int ms = 0; ms < 1000 && READ_ONCE(mem->most_busy) < 2; ms++)
		usleep_range(1000, 2000);
}

/* Somebody has waited for the read: some of the pages become zeros, some are so no more. */
static void mem_change(struct mem *mem, u64 page, const void *to, size_t bytes)
{
	memcpy(mem->copied + page * PAGE, to, bytes);
	for (size_t pos = 0; pos < bytes; pos += PAGE)
		memset(mem->data + page * PAGE + pos, random_of(mem, 3), PAGE);
}

static int mem_read(struct vmig_dev *mig, u64 first, void *to, size_t bytes)
{
	struct mem *mem = mem_of(mig);
	u64 page = number_of(mem, first);

	spin_lock(&mem->lock);
	mem->reads++;
	mem->pages_read += bytes / PAGE;
	mem->most_busy = max(mem->most_busy, ++mem->busy);
	spin_unlock(&mem->lock);
	if (mem->meet)
		mem_meet(mem);
	if (READ_ONCE(mem->stall)) {
		complete(&mem->there);
		wait_for_completion(&mem->go);
	}
	mem_burst(mem);
	if (page + bytes / PAGE <= MOST_PAGES)
		memcpy(to, mem->data + page * PAGE, bytes);
	else
		mem->read_err = -EFAULT;
	mem_burst(mem);
	spin_lock(&mem->lock);
	if (mem->copied && !mem->read_err)
		mem_change(mem, page, to, bytes);
	mem->busy--;
	spin_unlock(&mem->lock);
	return mem->read_err;
}

static int mem_load(struct vmig_dev *mig, u64 first, size_t bytes,
		    void (*put)(void *from, void *to, size_t bytes), void *from)
{
	struct mem *mem = mem_of(mig);
	u64 page = number_of(mem, first);

	if (page + bytes / PAGE > MOST_PAGES)
		return -EFAULT;
	if (put)
		put(from, mem->data + page * PAGE, bytes);
	else
		memset(mem->data + page * PAGE, 0, bytes);
	return mem->write_err;
}

static int mem_freeze(struct vmig_dev *mig)
{
	struct mem *mem = mem_of(mig);
	int err = fake_ops.freeze(mig);

	spin_lock(&mem->lock);
	mem->frozen = !err;
	spin_unlock(&mem->lock);
	return err;
}

static int mem_thaw(struct vmig_dev *mig)
{
	mem_of(mig)->frozen = false;
	return fake_ops.thaw(mig);
}

static void mem_reset(struct vmig_dev *mig)
{
	mem_of(mig)->frozen = false;
	fake_ops.reset(mig);
}

/**
 * mem_new() - A device with memory of zeros
 * @test: Test.
 * @mem: &src or &dst.
 * @name: Its name.
 * @desc: Its constants.
 */
struct fake *mem_new(struct kunit *test, struct mem *mem, const char *name,
		     const struct vmig_desc *desc)
{
	mem->data = kvzalloc(MOST_PAGES * PAGE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mem->data);
	mem->fake = fake_new_of(test, name, &mem_ops, desc);
	return mem->fake;
}

int memory_init(struct kunit *test)
{
	memset(&src, 0, sizeof(src));
	memset(&dst, 0, sizeof(dst));
	spin_lock_init(&src.lock);
	spin_lock_init(&dst.lock);
	init_completion(&src.there);
	init_completion(&src.go);
	mem_ops = fake_ops;
	mem_ops.match = NULL;
	mem_ops.verify = NULL;
	mem_ops.precopy = NULL;
	mem_ops.dirty_bytes = NULL;
	mem_ops.freeze = mem_freeze;
	mem_ops.thaw = mem_thaw;
	mem_ops.reset = mem_reset;
	pages_ops = (struct vmig_pages_ops){
		.readers = 1,
		.layout = mem_layout,
		.start = mem_start,
		.stop = mem_stop,
		.harvest = mem_harvest,
		.read = mem_read,
		.write = mem_load,
	};
	mem_desc = (struct vmig_desc){
		.family = "kunit_memory",
		.state_version = 1,
		.state_oldest = 1,
		.state_accepts = 1,
		.pages = &pages_ops,
		.max_payload = 64 << 10,
		.max_queued = MAX_QUEUED,
		.reach = &fake_reach,
	};
	piece = kvmalloc(PIECE_BYTES, GFP_KERNEL);
	return piece ? 0 : -ENOMEM;
}

void memory_exit(struct kunit *test)
{
	if (src.fake)
		fake_put(src.fake);
	if (dst.fake)
		fake_put(dst.fake);
	kvfree(src.data);
	kvfree(src.copied);
	kvfree(dst.data);
	kvfree(piece);
}

void both_new(struct kunit *test)
{
	mem_new(test, &src, "vmig-src", &mem_desc);
	mem_new(test, &dst, "vmig-dst", &mem_desc);
	memset(dst.data, 0xaa, PAGES * PAGE);
	for (u32 i = 0; i < 2 * PAGES; i++)
		mem_write(&src);
}

/* Move up to @most bytes: 1; or what the reader got instead. */
ssize_t pump(struct kunit *test, struct file *from, struct file *to, size_t most)
{
	while (most) {
		ssize_t n = fake_read(from, piece, min_t(size_t, most, PIECE_BYTES));

		if (n <= 0)
			return n;
		if (to)
			KUNIT_ASSERT_EQ(test, fake_write(to, piece, n), n);
		most -= n;
	}
	return 1;
}

void expect_same(struct kunit *test, u32 seed)
{
	for (u32 page = 0; page < PAGES; page++)
		KUNIT_ASSERT_EQ_MSG(test, memcmp(src.data + page * PAGE, dst.data + page * PAGE,
						 PAGE), 0, "seed %u, page %u", seed, page);
}

/* The last pass, and the destination takes all of it. */
void finish(struct kunit *test, struct file *from, struct file *to, u32 seed)
{
	struct file *none = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), &from), 0);
	KUNIT_ASSERT_EQ(test, pump(test, from, to, SIZE_MAX), 0);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(STOP), &none), 0);
	expect_same(test, seed);
}

void read_all(struct kunit *test, struct file *from, void *to, size_t bytes)
{
	for (size_t at = 0; at < bytes; ) {
		ssize_t n = fake_read(from, to + at, bytes - at);

		KUNIT_ASSERT_GT(test, n, 0);
		at += n;
	}
}

/* Move what is in front of the payload of the first PAGES record, whose head is at @piece then. */
u32 move_front(struct kunit *test, struct file *from, struct file *to)
{
	struct vpv_stream_record *head = (void *)piece;
	size_t bytes = sizeof(struct vpv_stream_header);

	for (;;) {
		KUNIT_ASSERT_LE(test, bytes, (size_t)PIECE_BYTES);
		read_all(test, from, piece, bytes);
		KUNIT_ASSERT_EQ(test, fake_write(to, piece, bytes), (ssize_t)bytes);
		read_all(test, from, head, sizeof(*head));
		KUNIT_ASSERT_EQ(test, fake_write(to, (u8 *)head, sizeof(*head)),
				(ssize_t)sizeof(*head));
		bytes = le32_to_cpu(head->bytes);
		if (le32_to_cpu(head->type) == VPV_RECORD_PAGES)
			return bytes;
	}
}
