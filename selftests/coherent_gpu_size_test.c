// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu with other amounts of memory at the destination: a smaller one is refused in
 * pre-copy, a larger one needs a persona.
 *
 * Groups: coherent-gpu coherent-gpu-stable
 */
#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define PERSONA		"coherent_gpu-256m-v1"
#define MIB		(1UL << 20)

/* Of the machine in families/coherent_gpu.c, main memory and carve-out. */
enum {
	SMALL,			/* 224 MiB and 32 MiB */
	MIDDLE = 2,		/* 384 MiB and 128 MiB */
	LARGE,			/* 1024 MiB and none */
	SLOTS,
};

FIXTURE(size)
{
	struct slot slot[SLOTS];
	struct vdev src;
	struct vdev dst;
	struct blob blob;
	int log;
};

FIXTURE_SETUP(size)
{
	self->src.fd = -1;
	self->dst.fd = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, SLOTS);
	self->log = log_mark();
	ASSERT_LE(0, self->log);
}

static int choose(const struct slot *slot, const char *name)
{
	return vdev_sysfs_write(slot->bdf, "vpv/persona", name);
}

FIXTURE_TEARDOWN(size)
{
	vdev_close(&self->src);
	vdev_close(&self->dst);
	choose(&self->slot[SMALL], "default");
	choose(&self->slot[MIDDLE], "default");
	blob_free(&self->blob);
	close(self->log);
}

static int open_pair(FIXTURE_DATA(size) *self, unsigned int from, unsigned int to)
{
	int err;

	vdev_close(&self->src);
	vdev_close(&self->dst);
	err = vdev_open(&self->src, &self->slot[from], any_mode());
	return err ? err : vdev_open(&self->dst, &self->slot[to], any_mode());
}

/* Pre-copy, as far as it comes; the source runs on. */
static int pre_copy(FIXTURE_DATA(size) *self)
{
	int from, to, err;

	self->blob.bytes = 0;
	err = mig_precopy(&self->src, &self->blob, &from);
	if (err)
		return err;
	err = mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &to);
	if (!err) {
		err = blob_push(&self->blob, to, 0, self->blob.bytes, 0);
		close(to);
	}
	close(from);
	if (mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING, NULL))
		return -EIO;
	return err;
}

TEST_F_TIMEOUT(size, smaller_is_refused_in_pre_copy, 120)
{
	static const struct {
		unsigned int from, to;
		const char *says;
	} pairs[] = {
		{ LARGE, SMALL, "main memory" }, { MIDDLE, SMALL, "main memory" },
		{ MIDDLE, LARGE, "carve-out" },
	};
	char line[512];

	for (unsigned int i = 0; i < ARRAY_SIZE(pairs); i++) {
		ASSERT_EQ(0, open_pair(self, pairs[i].from, pairs[i].to));
		EXPECT_EQ(-EOPNOTSUPP, pre_copy(self));
		line[0] = 0;
		EXPECT_LT(0, log_count(self->log, "stream refused: ", line, sizeof(line)));
		EXPECT_NE(NULL, strstr(line, pairs[i].says)) TH_LOG("%s", line);
	}
}

/* Where something is written before. */
static const uint64_t places[] = { 0, 100 * MIB, 224 * MIB - 8 };

/* What is seen is that of the persona, and all of the source's memory is there. */
static void expect_moved(struct __test_metadata *_metadata, FIXTURE_DATA(size) *self)
{
	struct vfio_region_info info;

	ASSERT_EQ(0, vdev_region(&self->dst, GPU_MAIN_BAR, &info));
	EXPECT_EQ(256 * MIB, info.size);
	ASSERT_EQ(0, vdev_region(&self->dst, GPU_CARVE_BAR, &info));
	EXPECT_EQ(32 * MIB, info.size);
	EXPECT_EQ(NULL, gpu_map(&self->dst, GPU_MAIN_BAR, 256 * MIB, 4096));
	ASSERT_EQ(0, gpu_set_memory(&self->dst, true));
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t val = 0;

		EXPECT_EQ(8, vdev_pread(&self->dst, GPU_MAIN_BAR, places[i], &val, 8));
		EXPECT_EQ(places[i] + 1, val);
	}
}

TEST_F_TIMEOUT(size, larger_needs_a_persona, 300)
{
	char line[512] = "";

	ASSERT_EQ(0, open_pair(self, SMALL, MIDDLE));
	EXPECT_EQ(-EOPNOTSUPP, pre_copy(self));
	EXPECT_LT(0, log_count(self->log, "stream refused: ", line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "config space")) TH_LOG("%s", line);
	vdev_close(&self->src);
	vdev_close(&self->dst);

	ASSERT_EQ(0, choose(&self->slot[SMALL], PERSONA));
	ASSERT_EQ(0, choose(&self->slot[MIDDLE], PERSONA));
	ASSERT_EQ(0, open_pair(self, SMALL, MIDDLE));
	ASSERT_EQ(0, gpu_set_memory(&self->src, true));
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t val = places[i] + 1;

		ASSERT_EQ(8, vdev_pwrite(&self->src, GPU_MAIN_BAR, places[i], &val, 8));
	}
	self->blob.bytes = 0;
	ASSERT_EQ(0, mig_save(&self->src, &self->blob, true));
	ASSERT_EQ(0, mig_load(&self->dst, &self->blob, VFIO_DEVICE_STATE_RUNNING));
	expect_moved(_metadata, self);

	/* There is no way back. */
	ASSERT_EQ(0, open_pair(self, MIDDLE, SMALL));
	EXPECT_EQ(-EOPNOTSUPP, pre_copy(self));
}

TEST_HARNESS_MAIN
