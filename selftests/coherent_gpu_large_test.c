// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu with 64 GiB, of which only what is touched takes room: sizes and offsets above
 * 4 GiB, mappings of every page size at begin, middle and end, and what a migration needs
 * for so many pages.  Nothing here may read all of it: the machine has no 64 GiB.  A kernel with
 * KASAN wants 8 GiB to shadow the driver's own mapping of it.
 *
 * Groups: throughput
 */
#include "lib/charge.h"
#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/mapping.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define KB4		0x1000UL
#define MB		0x100000UL
#define MB2		0x200000UL
#define GB		0x40000000UL
#define BYTES		(64 * GB)
#define PAGES		(BYTES / KB4)

/* It is behind the others, where a machine has others. */
#define MOST_SLOTS	8

FIXTURE(large)
{
	struct slot slot;
	struct vdev v;
	struct gpu g;
	struct trace trace;
};

static uint64_t memory_of(const struct slot *slot)
{
	uint64_t bytes = 0;
	struct model m;

	if (model_open(&m, slot))
		return 0;
	if (model_value(&m, "regs", "CP_MEM", &bytes))
		bytes = 0;
	model_close(&m);
	return bytes;
}

static bool find_large(struct slot *slot)
{
	struct slot all[MOST_SLOTS];
	int num = slots_find("coherent_gpu", all, MOST_SLOTS);

	for (int i = 0; i < num; i++) {
		*slot = all[i];
		if (memory_of(slot) == BYTES)
			return true;
	}
	return false;
}

FIXTURE_SETUP(large)
{
	self->v.fd = -1;
	if (!find_large(&self->slot))
		SKIP(return, "needs a coherent_gpu of 64 GiB");
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, GPU_DRIVER));
	self->g.mem = mmap(NULL, GPU_MEM_BYTES, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->g.mem);
	ASSERT_EQ(0, trace_open(&self->trace, "vpv_core/vpv_fault"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(0, vdev_dma_map(&self->v, self->g.mem, GPU_MEM_IOVA, GPU_MEM_BYTES));
	ASSERT_EQ(0, gpu_attach(&self->g, &self->v));
}

FIXTURE_TEARDOWN(large)
{
	trace_close(&self->trace);
	gpu_detach(&self->g);
	vdev_close(&self->v);
	munmap(self->g.mem, GPU_MEM_BYTES);
}

/* ---- Size, read and write ---- */

TEST_F(large, bar_has_64_gib)
{
	const unsigned int pos = PCI_BASE_ADDRESS_0 + 4 * GPU_MAIN_BAR;
	struct vfio_region_info info;

	ASSERT_EQ(0, vdev_region(&self->v, GPU_MAIN_BAR, &info));
	EXPECT_EQ(BYTES, info.size);
	/* All of it is there: the region is not sparse. */
	EXPECT_EQ(0, info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	ASSERT_EQ(0, vdev_cfg_set(&self->v, pos, 4, ~0U));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, pos + 4, 4, ~0U));
	EXPECT_EQ(0xc, vdev_cfg(&self->v, pos, 4));
	EXPECT_EQ(-(BYTES >> 32) & ~0U, vdev_cfg(&self->v, pos + 4, 4));
	EXPECT_EQ(BYTES, memory_of(&self->slot));
}

/* Around each multiple of 4 GiB, where 32 bits would begin anew, and at both ends. */
TEST_F(large, read_and_write_everywhere)
{
	uint64_t val;

	for (uint64_t pos = 0; pos <= BYTES; pos += 4 * GB) {
		uint64_t at = !pos ? 0 : pos == BYTES ? BYTES - 8 : pos - 4;

		val = pos ^ 0x5aa5000000000001;
		ASSERT_EQ(8, vdev_pwrite(&self->v, GPU_MAIN_BAR, at, &val, 8));
	}
	for (uint64_t pos = 0; pos <= BYTES; pos += 4 * GB) {
		uint64_t at = !pos ? 0 : pos == BYTES ? BYTES - 8 : pos - 4;

		val = 0;
		ASSERT_EQ(8, vdev_pread(&self->v, GPU_MAIN_BAR, at, &val, 8));
		EXPECT_EQ(pos ^ 0x5aa5000000000001, val);
	}
	EXPECT_EQ(4, vdev_pread(&self->v, GPU_MAIN_BAR, BYTES - 4, &val, 8));
	EXPECT_GT(0, vdev_pread(&self->v, GPU_MAIN_BAR, BYTES, &val, 1));
	EXPECT_EQ(NULL, gpu_map(&self->v, GPU_MAIN_BAR, BYTES, KB4));
	EXPECT_EQ(NULL, gpu_map(&self->v, GPU_MAIN_BAR, BYTES - KB4, 2 * KB4));
}

/* The function has the same at the same address. */
TEST_F(large, function_and_cpu_share_the_end)
{
	const uint64_t last = BYTES - KB4;
	uint8_t *p = gpu_map(&self->v, GPU_MAIN_BAR, last, KB4);

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, gpu_enable(&self->g));
	ASSERT_EQ(0, gpu_queue_start(&self->g, 0, false));
	ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(last), KB4, 0x01020304)));
	EXPECT_EQ(0x01020304, *(uint32_t *)p);
	EXPECT_EQ(0x01020304, *(uint32_t *)(p + KB4 - 4));
	memset(p, 0x77, KB4);
	ASSERT_EQ(0, gpu_run(&self->g, gpu_copy(GPU_GUEST(GPU_MEM_DATA), GPU_AT(last), KB4)));
	EXPECT_EQ(0, memcmp(p, self->g.mem + GPU_MEM_DATA, KB4));
	munmap(p, KB4);
}

/* ---- Mappings ---- */

/* Of a page size, which the alignment of the address decides. */
static const struct {
	unsigned int order;
	size_t bytes, step, shift;
} sizes[] = {
	{ 18, GB, GB, 0 },
	{ 9, 4 * MB2, MB2, MB2 },
	{ 0, 8 * KB4, KB4, KB4 },
};

/* So many pages of one size were mapped, and none of another. */
static bool mapped_only(struct trace *t, unsigned int order, int pages)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		if (orders_mapped(t, sizes[i].order) != (sizes[i].order == order ? pages : 0))
			return false;
	return true;
}

static void mapped_at(struct __test_metadata *_metadata, FIXTURE_DATA(large) *self, uint64_t pos,
		      unsigned int size)
{
	size_t bytes = sizes[size].bytes, step = sizes[size].step;
	uint8_t *p = map_at(&self->v, GPU_MAIN_BAR, pos, bytes, sizes[size].shift);
	uint64_t val = 0;

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, trace_clear(&self->trace));
	for (size_t at = 0; at < bytes; at += step)
		*(volatile uint64_t *)(p + at) = pos + at + 1;
	EXPECT_TRUE(mapped_only(&self->trace, sizes[size].order, bytes / step))
		TH_LOG("order %u at %#lx", sizes[size].order, pos);
	for (size_t at = 0; at < bytes; at += step) {
		ASSERT_EQ(8, vdev_pread(&self->v, GPU_MAIN_BAR, pos + at, &val, 8));
		EXPECT_EQ(pos + at + 1, val);
	}
	munmap(p, bytes);
}

TEST_F(large, pages_of_every_size_everywhere)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		mapped_at(_metadata, self, 0, i);
		mapped_at(_metadata, self, BYTES / 2, i);
		mapped_at(_metadata, self, BYTES - GB, i);
	}
	/* The very last ones. */
	mapped_at(_metadata, self, BYTES - sizes[1].bytes, 1);
	mapped_at(_metadata, self, BYTES - sizes[2].bytes, 2);
}

/* One mapping of everything takes 64 faults, as often as memory is switched off and on. */
TEST_F(large, all_of_it_in_one_mapping)
{
	uint8_t *p = map_at(&self->v, GPU_MAIN_BAR, 0, BYTES, 0);

	ASSERT_NE(NULL, p);
	for (uint64_t round = 1; round < 3; round++) {
		ASSERT_EQ(0, trace_clear(&self->trace));
		for (uint64_t pos = 0; pos < BYTES; pos += GB)
			*(volatile uint64_t *)(p + pos + GB / 2) = pos + round;
		EXPECT_TRUE(mapped_only(&self->trace, 18, BYTES / GB));
		ASSERT_EQ(0, gpu_set_memory(&self->v, false));
		ASSERT_EQ(0, gpu_set_memory(&self->v, true));
		for (uint64_t pos = 0; pos < BYTES; pos += GB)
			EXPECT_EQ(pos + round, *(volatile uint64_t *)(p + pos + GB / 2));
		ASSERT_EQ(0, gpu_set_memory(&self->v, false));
		ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	}
	/* A part goes, the rest stays. */
	ASSERT_EQ(0, munmap(p + BYTES / 2, KB4));
	EXPECT_EQ(BYTES - GB + 2, *(volatile uint64_t *)(p + BYTES - GB / 2));
	EXPECT_EQ(2, *(volatile uint64_t *)(p + GB / 2));
	munmap(p, BYTES);
}

/* ---- Migration ---- */

/* Not zeros, which would not be sent: the driver reads no more than its reader makes room for. */
#define FILLED	(32 * MB)
#define READ	(4 * MB)

/* A bit for each page: of what is to be sent, and of what is not mapped. */
#define BITS	(PAGES / 8)
/* Records that are read ahead, for which the library has 8 MiB, and small things. */
#define AHEAD	(14 * MB)
#define NOISE	(1 * MB)

static int fill(FIXTURE_DATA(large) *self)
{
	uint8_t *p = map_at(&self->v, GPU_MAIN_BAR, 0, FILLED, 0);

	if (!p)
		return -errno;
	for (size_t pos = 0; pos < FILLED; pos += 8)
		*(uint64_t *)(p + pos) = (pos + 1) * 0x9e3779b97f4a7c15;
	munmap(p, FILLED);
	return 0;
}

/* Little memory of its own: the test counts what the session takes. */
static int read_some(int fd, size_t bytes)
{
	uint8_t buf[4 * KB4];
	ssize_t n;

	for (size_t done = 0; done < bytes; done += n) {
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			return n ? -errno : -ENODATA;
	}
	return 0;
}

/* Sizes that do not fit into 32 bits, while it is sent; and what was written is sent once. */
TEST_F_TIMEOUT(large, estimates, 120)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	uint64_t bytes;
	int fd;

	ASSERT_EQ(0, fill(self));
	ASSERT_EQ(0, mig_data_size(&self->v, &bytes));
	EXPECT_LE(BYTES, bytes);
	EXPECT_GT(BYTES + BYTES / 64, bytes);
	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	EXPECT_LE(BYTES, info.initial_bytes + info.dirty_bytes);
	EXPECT_EQ(0, read_some(fd, READ));
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	EXPECT_LE(BYTES - FILLED, info.initial_bytes + info.dirty_bytes);
	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_RUNNING, NULL));
	close(fd);
}

TEST_F_TIMEOUT(large, migration_takes_two_bits_for_each_page, 120)
{
	long long before, saving;
	int err, fd;

	err = charge_enter();
	if (err)
		SKIP(return, "this kernel has no memory control groups (%d)", err);
	ASSERT_EQ(0, fill(self));
	before = charge_bytes();
	ASSERT_LE(0, before);
	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	EXPECT_EQ(0, read_some(fd, READ));
	EXPECT_TRUE(charge_wait(true, before + 2 * BITS));
	saving = charge_bytes() - before;
	EXPECT_GT(2 * BITS + AHEAD, saving);
	TH_LOG("pre-copy of 64 GiB takes %lld KiB, %lu KiB of that for bitmaps", saving >> 10,
	       2 * BITS >> 10);
	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_RUNNING, NULL));
	close(fd);
	EXPECT_TRUE(charge_wait(false, before + NOISE)) {
		TH_LOG("%lld KiB are left", (charge_bytes() - before) >> 10);
	}
	charge_leave();
}

TEST_HARNESS_MAIN
