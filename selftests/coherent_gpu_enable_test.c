// SPDX-License-Identifier: GPL-2.0
/*
 * Memory Space Enable and D states, of memory of coherent_gpu that the hardware does not have
 * behind a BAR: the table of Documentation/coherent_gpu.rst, cell by cell.  coherent_gpu_speed_test
 * has what it costs.
 *
 * Groups: coherent-gpu
 */
#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/sigbus.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define BYTES		(4UL << 20)
#define POS		(BYTES / 2 + 5)
#define CARVED		0	/* of the machine in families/coherent_gpu.c: one with a carve-out */
#define LARGE		3	/* and one of 1 GiB */

FIXTURE_VARIANT(enable)
{
	unsigned int slot, bar;
};

FIXTURE(enable)
{
	struct slot slot[LARGE + 1];
	unsigned int nr, bar;
	struct vdev v;
	struct model m;
	uint8_t *touched;	/* mapped, and touched before */
};

FIXTURE_VARIANT_ADD(enable, main_memory) { LARGE, GPU_MAIN_BAR };
FIXTURE_VARIANT_ADD(enable, carve_out) { CARVED, GPU_CARVE_BAR };

static int open_function(FIXTURE_DATA(enable) *self)
{
	int err = vdev_open(&self->v, &self->slot[self->nr], any_mode());

	if (err)
		return err;
	self->touched = gpu_map(&self->v, self->bar, 0, BYTES);
	return self->touched ? 0 : -errno;
}

static void close_function(FIXTURE_DATA(enable) *self)
{
	if (self->touched)
		munmap(self->touched, BYTES);
	self->touched = NULL;
	vdev_close(&self->v);
}

FIXTURE_SETUP(enable)
{
	self->v.fd = -1;
	self->m.fd = -1;
	self->nr = variant->slot;
	self->bar = variant->bar;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, LARGE + 1);
	ASSERT_EQ(0, open_function(self));
	ASSERT_EQ(0, model_open(&self->m, &self->slot[self->nr]));
}

FIXTURE_TEARDOWN(enable)
{
	if (self->m.fd > 0)
		model_close(&self->m);
	close_function(self);
}

/* ---- What happens to it ---- */

static int no_reset(FIXTURE_DATA(enable) *self) { return 0; }
static int by_ioctl(FIXTURE_DATA(enable) *self) { return vdev_reset(&self->v); }
static int by_flr(FIXTURE_DATA(enable) *self) { return gpu_reset_by_flr(&self->v); }
static int by_sysfs(FIXTURE_DATA(enable) *self)
{
	return gpu_reset_by_sysfs(&self->slot[self->nr]);
}

static int by_opening(FIXTURE_DATA(enable) *self)
{
	close_function(self);
	return open_function(self);
}

static int frozen(FIXTURE_DATA(enable) *self)
{
	return vdev_error(self->slot[self->nr].bdf, "frozen");
}

static int recovered(FIXTURE_DATA(enable) *self)
{
	int err = vdev_error(self->slot[self->nr].bdf, "reset");

	return err ? err : vdev_error(self->slot[self->nr].bdf, "resume");
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
	{ "closed and opened", by_opening, true },
};

/* ---- How it is accessed: 0, or the errno or signal that there was ---- */

static int by_read(FIXTURE_DATA(enable) *self, uint8_t *val)
{
	ssize_t n = vdev_pread(&self->v, self->bar, POS, val, 1);

	return n == 1 ? 0 : (int)n;
}

static int by_write(FIXTURE_DATA(enable) *self, uint8_t *val)
{
	ssize_t n = vdev_pwrite(&self->v, self->bar, POS, val, 1);

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
	uint8_t *p = gpu_map(&self->v, self->bar, 0, BYTES);
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

#define SAY_CELL TH_LOG("%s, memory enable %u, D%u, %s", name, enabled, power, a->name)

/* One access; the answer is that of a function that works, that nobody has, or a refusal. */
static void look(struct __test_metadata *_metadata, FIXTURE_DATA(enable) *self, const char *name,
		 bool enabled, unsigned int power, bool works, uint8_t want, const struct access *a)
{
	bool nobody = enabled && power < 3 && !works;
	uint8_t val = NEW;

	EXPECT_EQ(works || nobody ? 0 : a->refused, a->access(self, &val)) SAY_CELL;
	if ((works || nobody) && !a->writes)
		EXPECT_EQ(works ? want : 0xff, val) SAY_CELL;
}

/* Everything as it is at first, and something in it. */
static void begin_cell(struct __test_metadata *_metadata, FIXTURE_DATA(enable) *self)
{
	ASSERT_EQ(0, gpu_set_power(&self->v, 0));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	self->touched[POS] = OLD;
}

static void set_up(struct __test_metadata *_metadata, FIXTURE_DATA(enable) *self, bool enabled,
		   unsigned int power)
{
	ASSERT_EQ(0, gpu_set_memory(&self->v, enabled));
	ASSERT_EQ(0, gpu_set_power(&self->v, power));
}

/* It keeps what was in it, and nothing that was refused gets there. */
static void cell(struct __test_metadata *_metadata, FIXTURE_DATA(enable) *self,
		 const struct reset_way *way, bool enabled, unsigned int power,
		 const struct access *a)
{
	bool works = enabled && !power;
	uint8_t want = way->empties ? 0 : OLD;
	const char *name = way->name;

	begin_cell(_metadata, self);
	ASSERT_EQ(0, way->reset(self)) SAY_CELL;
	set_up(_metadata, self, enabled, power);
	look(_metadata, self, name, enabled, power, works, want, a);
	set_up(_metadata, self, true, 0);
	EXPECT_EQ(works && a->writes ? NEW : want, self->touched[POS]) SAY_CELL;
}

/* Nobody answers until it is recovered from, which resets it. */
static void cell_of_error(struct __test_metadata *_metadata, FIXTURE_DATA(enable) *self,
			  bool enabled, unsigned int power, const struct access *a)
{
	const char *name = "error";

	begin_cell(_metadata, self);
	set_up(_metadata, self, enabled, power);
	ASSERT_EQ(0, frozen(self)) SAY_CELL;
	look(_metadata, self, name, enabled, power, false, 0, a);
	ASSERT_EQ(0, recovered(self)) SAY_CELL;
	set_up(_metadata, self, true, 0);
	EXPECT_EQ(0, self->touched[POS]) SAY_CELL;
}

static int low_power(FIXTURE_DATA(enable) *self, bool enter)
{
	return vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET |
			    (enter ? VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY :
				     VFIO_DEVICE_FEATURE_LOW_POWER_EXIT), NULL, 0);
}

/* An access by the device file wakes it up, one by a mapping does not. */
static void cell_of_low_power(struct __test_metadata *_metadata, FIXTURE_DATA(enable) *self,
			      bool enabled, const struct access *a)
{
	bool works = enabled && a->refused != BUS_ADRERR;
	const char *name = "low power";
	unsigned int power = 0;
	uint8_t val = NEW;

	begin_cell(_metadata, self);
	set_up(_metadata, self, enabled, power);
	ASSERT_EQ(0, low_power(self, true)) SAY_CELL;
	EXPECT_EQ(works ? 0 : a->refused, a->access(self, &val)) SAY_CELL;
	if (works && !a->writes)
		EXPECT_EQ(OLD, val) SAY_CELL;
	ASSERT_EQ(0, low_power(self, false)) SAY_CELL;
	set_up(_metadata, self, true, 0);
	EXPECT_EQ(works && a->writes ? NEW : OLD, self->touched[POS]) SAY_CELL;
}

TEST_F_TIMEOUT(enable, matrix, 900)
{
	uint64_t early;

	for (unsigned int w = 0; w < ARRAY_SIZE(ways); w++)
		for (unsigned int state = 0; state < 8; state++)
			for (unsigned int a = 0; a < ARRAY_SIZE(accesses); a++)
				cell(_metadata, self, &ways[w], state & 1, state / 2, &accesses[a]);
	for (unsigned int state = 0; state < 8 && vdev_error_works(); state++)
		for (unsigned int a = 0; a < ARRAY_SIZE(accesses); a++)
			cell_of_error(_metadata, self, state & 1, state / 2, &accesses[a]);
	for (unsigned int enabled = 0; enabled < 2; enabled++)
		for (unsigned int a = 0; a < ARRAY_SIZE(accesses); a++)
			cell_of_low_power(_metadata, self, enabled, &accesses[a]);
	ASSERT_EQ(0, model_value(&self->m, "stats", "early_pages", &early));
	EXPECT_EQ(0, early);
}

TEST_HARNESS_MAIN
