// SPDX-License-Identifier: GPL-2.0
/*
 * Memory Space Enable and D states, of memory of coherent_gpu that the hardware does not have
 * behind a BAR: the table of Documentation/coherent_gpu.rst, cell by cell, and what it costs.
 *
 * Groups: coherent-gpu
 */
#include <time.h>

#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/sigbus.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define PAGE		4096UL
#define BYTES		(4UL << 20)
#define POS		(BYTES / 2 + 5)
#define GB		(1UL << 30)
#define LARGE		3	/* of the machine in families/coherent_gpu.c */
#define ROUNDS		8

FIXTURE(enable)
{
	struct slot slot[LARGE + 1];
	struct vdev v;
	struct model m;
	uint8_t *touched;	/* mapped, and touched before */
};

FIXTURE_SETUP(enable)
{
	self->v.fd = -1;
	self->m.fd = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, LARGE + 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[LARGE], any_mode()));
	ASSERT_EQ(0, model_open(&self->m, &self->slot[LARGE]));
	self->touched = gpu_map(&self->v, GPU_MAIN_BAR, 0, BYTES);
	ASSERT_NE(NULL, self->touched);
}

FIXTURE_TEARDOWN(enable)
{
	if (self->touched)
		munmap(self->touched, BYTES);
	if (self->m.fd > 0)
		model_close(&self->m);
	vdev_close(&self->v);
}

/* ---- How it is reset ---- */

static int no_reset(FIXTURE_DATA(enable) *self) { return 0; }
static int by_ioctl(FIXTURE_DATA(enable) *self) { return vdev_reset(&self->v); }
static int by_flr(FIXTURE_DATA(enable) *self) { return gpu_reset_by_flr(&self->v); }
static int by_sysfs(FIXTURE_DATA(enable) *self)
{
	return gpu_reset_by_sysfs(&self->slot[LARGE]);
}

static const struct reset_way {
	const char *name;
	int (*reset)(FIXTURE_DATA(enable) *self);
	bool empties;
} ways[] = {
	{ "no reset", no_reset, false },
	{ "VFIO_DEVICE_RESET", by_ioctl, true },
	{ "FLR", by_flr, true },
	{ "sysfs", by_sysfs, true },
};

/* ---- How it is accessed: 0, or the errno or signal that there was ---- */

static int by_read(FIXTURE_DATA(enable) *self, uint8_t *val)
{
	ssize_t n = vdev_pread(&self->v, GPU_MAIN_BAR, POS, val, 1);

	return n == 1 ? 0 : (int)n;
}

static int by_write(FIXTURE_DATA(enable) *self, uint8_t *val)
{
	ssize_t n = vdev_pwrite(&self->v, GPU_MAIN_BAR, POS, val, 1);

	return n == 1 ? 0 : (int)n;
}

static int by_load(FIXTURE_DATA(enable) *self, uint8_t *val)
{
	return sigbus_load(self->touched + POS, val).code;
}

static int by_store(FIXTURE_DATA(enable) *self, uint8_t *val)
{
	return sigbus_store(self->touched + POS, *val).code;
}

/* mmap() works always: it is the fault that is refused. */
static int by_new_mapping(FIXTURE_DATA(enable) *self, uint8_t *val)
{
	uint8_t *p = gpu_map(&self->v, GPU_MAIN_BAR, 0, BYTES);
	int code;

	if (!p)
		return -errno;
	code = sigbus_load(p + POS, val).code;
	munmap(p, BYTES);
	return code;
}

static const struct access {
	const char *name;
	int (*access)(FIXTURE_DATA(enable) *self, uint8_t *val);
	int refused;
	bool writes;
} accesses[] = {
	{ "read", by_read, -EIO, false },
	{ "write", by_write, -EIO, true },
	{ "load", by_load, BUS_ADRERR, false },
	{ "store", by_store, BUS_ADRERR, true },
	{ "mmap, load", by_new_mapping, BUS_ADRERR, false },
};

/* ---- The table ---- */

#define OLD	0x42
#define NEW	0x43

#define SAY_CELL TH_LOG("%s, memory enable %u, D%u, %s", way->name, enabled, power, a->name)

/* One cell: everything is as it was before, at the end. */
static void cell(struct __test_metadata *_metadata, FIXTURE_DATA(enable) *self,
		 const struct reset_way *way, bool enabled, unsigned int power, const struct access *a)
{
	bool works = enabled && !power, nobody = enabled && (power == 1 || power == 2);
	uint8_t val = NEW, want = way->empties ? 0 : OLD;

	ASSERT_EQ(0, gpu_set_power(&self->v, 0));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	self->touched[POS] = OLD;
	ASSERT_EQ(0, way->reset(self));
	ASSERT_EQ(0, gpu_set_memory(&self->v, enabled));
	ASSERT_EQ(0, gpu_set_power(&self->v, power));

	EXPECT_EQ(works || nobody ? 0 : a->refused, a->access(self, &val)) SAY_CELL;
	if ((works || nobody) && !a->writes)
		EXPECT_EQ(works ? want : 0xff, val) SAY_CELL;

	ASSERT_EQ(0, gpu_set_power(&self->v, 0));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	/* It keeps what was in it, and nothing that was refused gets there. */
	EXPECT_EQ(works && a->writes ? NEW : want, self->touched[POS]) SAY_CELL;
}

TEST_F_TIMEOUT(enable, matrix, 600)
{
	uint64_t early;

	for (unsigned int w = 0; w < ARRAY_SIZE(ways); w++)
		for (unsigned int state = 0; state < 8; state++)
			for (unsigned int a = 0; a < ARRAY_SIZE(accesses); a++)
				cell(_metadata, self, &ways[w], state & 1, state / 2, &accesses[a]);
	ASSERT_EQ(0, model_value(&self->m, "stats", "early_pages", &early));
	EXPECT_EQ(0, early);
}

/* ---- What it costs ---- */

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

static uint64_t touch(uint8_t *p, size_t bytes, size_t step)
{
	uint64_t begin = now_us();

	for (size_t pos = 0; pos < bytes; pos += step)
		(void)*(volatile uint8_t *)(p + pos);
	return now_us() - begin;
}

static uint64_t toggle(struct vdev *v)
{
	uint64_t begin = now_us();

	gpu_set_memory(v, false);
	gpu_set_memory(v, true);
	return now_us() - begin;
}

/* Against a guest that does it where nothing is mapped: that is what it would cost without. */
TEST_F_TIMEOUT(enable, cost, 300)
{
	static const struct {
		const char *pages;
		size_t bytes, shift, step;
	} maps[] = {
		{ "1 GiB", GB, 0, GB },
		{ "2 MiB", GB / 2, 0, 2UL << 20 },
		{ "4 KiB", 64UL << 20, PAGE, PAGE },
	};

	munmap(self->touched, BYTES);
	self->touched = NULL;
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	for (unsigned int i = 0; i < ARRAY_SIZE(maps); i++) {
		uint64_t none = 0, off = 0, again = 0, mapped = 0;
		uint8_t *p = gpu_map_aligned(&self->v, GPU_MAIN_BAR, maps[i].bytes, maps[i].shift);

		ASSERT_NE(NULL, p);
		for (unsigned int r = 0; r < ROUNDS; r++) {
			none += toggle(&self->v);
			touch(p, maps[i].bytes, maps[i].step);
			mapped += touch(p, maps[i].bytes, maps[i].step);
			off += toggle(&self->v);
			again += touch(p, maps[i].bytes, maps[i].step);
			toggle(&self->v);
		}
		munmap(p, maps[i].bytes);
		TH_LOG("%zu MiB in pages of %s: off and on %lu us, %lu us with nothing mapped; "
		       "touched again in %lu us, %lu us when mapped",
		       maps[i].bytes >> 20, maps[i].pages, off / ROUNDS, none / ROUNDS,
		       again / ROUNDS, mapped / ROUNDS);
	}
}

TEST_HARNESS_MAIN
