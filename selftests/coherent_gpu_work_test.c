// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of coherent_gpu that are half done when the function stops, a tile here and a tile there:
 * the state has how far they are, and the rest is done once, here or by another function.
 *
 * Tiles are made to take three seconds, and commands have many: the function says by its own clock
 * whether it has drained within 100 ms, and the driver believes it.
 *
 * Groups: coherent-gpu
 */
#include <endian.h>

#include "lib/gpu.h"
#include "lib/records.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define MIB		(1UL << 20)
#define BYTES		(2 * MIB)
#define TILES		(BYTES / CGPU_TILE_BYTES)
#define SRC		(4 * MIB)
#define COPIED		(16 * MIB)
#define SUM		(32 * MIB)
#define BINS		(33 * MIB)
#define SLOW		"tile_us 3000000"

/* A queue each. */
enum { COPIES, REDUCES, COUNTS, WORKERS };

FIXTURE(work)
{
	struct slot slot[2];
	struct vdev v[2];
	struct model m[2];
	struct gpu g;
	struct blob blob;
	float *src;
};

FIXTURE_SETUP(work)
{
	for (unsigned int i = 0; i < 2; i++) {
		self->v[i].fd = self->v[i].group = self->v[i].iommu = -1;
		self->m[i].fd = -1;
	}
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, 2);
	self->src = malloc(BYTES);
	ASSERT_NE(NULL, self->src);
	self->g.mem = mmap(NULL, GPU_MEM_BYTES, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->g.mem);
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, model_open(&self->m[i], &self->slot[i]));
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slot[i], any_mode()));
		ASSERT_EQ(0, vdev_dma_map(&self->v[i], self->g.mem, GPU_MEM_IOVA, GPU_MEM_BYTES));
	}
	ASSERT_EQ(0, gpu_attach(&self->g, &self->v[0]));
	ASSERT_EQ(0, gpu_enable(&self->g));
	for (unsigned int q = 0; q < WORKERS; q++)
		ASSERT_EQ(0, gpu_queue_start(&self->g, q, false));
	/* The sum depends on the order, and on where it was interrupted if that is forgotten. */
	for (size_t i = 0; i < BYTES / sizeof(float); i++)
		self->src[i] = 0.1f * (i % 1009);
	ASSERT_EQ(BYTES, vdev_pwrite(&self->v[0], GPU_MAIN_BAR, SRC, self->src, BYTES));
}

FIXTURE_TEARDOWN(work)
{
	gpu_detach(&self->g);
	for (unsigned int i = 0; i < 2; i++) {
		if (self->m[i].fd > 0) {
			model_cmd(&self->m[i], "tile_us 0");
			model_close(&self->m[i]);
		}
		vdev_close(&self->v[i]);
	}
	munmap(self->g.mem, GPU_MEM_BYTES);
	blob_free(&self->blob);
	free(self->src);
}

static uint64_t stat_of(struct model *m, const char *name)
{
	uint64_t val;

	return model_value(m, "stats", name, &val) ? UINT64_MAX : val;
}

/* All of them have begun, and have gone on to where the next tile is not due yet. */
static int begin(FIXTURE_DATA(work) *self)
{
	uint64_t tiles = stat_of(&self->m[0], "tiles"), end = now_ms() + GPU_WAIT_MS;
	int err = model_cmd(&self->m[0], SLOW);

	if (err)
		return err;
	gpu_put(&self->g, COPIES, gpu_copy(GPU_AT(COPIED), GPU_AT(SRC), BYTES));
	gpu_put(&self->g, REDUCES, gpu_reduce(GPU_AT(SUM), GPU_AT(SRC), BYTES));
	gpu_put(&self->g, COUNTS, gpu_histogram(GPU_AT(BINS), GPU_AT(SRC), BYTES));
	for (unsigned int q = 0; q < WORKERS; q++)
		gpu_ring(&self->g, q);
	while (stat_of(&self->m[0], "tiles") < tiles + WORKERS) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return stat_of(&self->m[0], "in_work") == WORKERS ? 0 : -EPROTO;
}

static void check_sum(struct __test_metadata *_metadata, FIXTURE_DATA(work) *self, struct vdev *v)
{
	volatile float sum = 0;	/* each addition is rounded to a float */
	float have;

	for (size_t i = 0; i < BYTES / sizeof(float); i++)
		sum = sum + self->src[i];
	ASSERT_EQ(sizeof(have), vdev_pread(v, GPU_MAIN_BAR, SUM, &have, sizeof(have)));
	EXPECT_EQ(sum, have);
}

static void check_bins(struct __test_metadata *_metadata, FIXTURE_DATA(work) *self, struct vdev *v)
{
	static uint64_t have[CGPU_BINS], want[CGPU_BINS];

	memset(want, 0, sizeof(want));
	for (size_t i = 0; i < BYTES; i++)
		want[((uint8_t *)self->src)[i]]++;
	ASSERT_EQ(sizeof(have), vdev_pread(v, GPU_MAIN_BAR, BINS, have, sizeof(have)));
	for (unsigned int i = 0; i < CGPU_BINS; i++) {
		ASSERT_EQ(want[i], le64toh(have[i])) TH_LOG("byte %#x", i);
	}
}

/* Everything is right, and each tile was done once. */
static void check_end(struct __test_metadata *_metadata, FIXTURE_DATA(work) *self, struct vdev *v)
{
	uint8_t *back = malloc(BYTES);

	ASSERT_NE(NULL, back);
	for (unsigned int q = 0; q < WORKERS; q++) {
		EXPECT_EQ(0, gpu_wait(&self->g, q)) TH_LOG("queue %u", q);
		EXPECT_EQ(1, gpu_read64(&self->g, CGPU_Q(q) + CGPU_Q_DONE)) TH_LOG("queue %u", q);
	}
	EXPECT_EQ(WORKERS, gpu_read64(&self->g, CGPU_OPS_DONE));
	EXPECT_EQ(0, gpu_read64(&self->g, CGPU_OPS_FAILED));
	ASSERT_EQ(BYTES, vdev_pread(v, GPU_MAIN_BAR, COPIED, back, BYTES));
	EXPECT_EQ(0, memcmp(back, self->src, BYTES));
	free(back);
	check_sum(_metadata, self, v);
	check_bins(_metadata, self, v);
}

TEST_F(work, half_done_goes_on_here)
{
	uint64_t tiles = stat_of(&self->m[0], "tiles"), before;

	ASSERT_EQ(0, begin(self));
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING_P2P, NULL));
	EXPECT_EQ(WORKERS, stat_of(&self->m[0], "in_work"));
	before = stat_of(&self->m[0], "tiles");
	ASSERT_EQ(0, model_cmd(&self->m[0], "tile_us 0"));
	EXPECT_EQ(before, stat_of(&self->m[0], "tiles"));
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_RUNNING, NULL));
	check_end(_metadata, self, &self->v[0]);
	EXPECT_EQ(tiles + WORKERS * TILES, stat_of(&self->m[0], "tiles"));
}

/* Its record in a stream: without bad pages it is the last one of the family. */
static const struct cgpu_state *state_of(const struct blob *blob)
{
	static struct stream s;
	const struct cgpu_state *state;

	if (stream_split(&s, blob))
		return NULL;
	state = s.payload[REC_CONFIG(&s) - 1];
	return le32toh(state->magic) == CGPU_STATE_MAGIC ? state : NULL;
}

/* Commands in work, with the progress and what they remember between tiles. */
static void check_state(struct __test_metadata *_metadata, const struct cgpu_state *s)
{
	uint64_t counted = 0;

	ASSERT_NE(NULL, s);
	for (unsigned int q = 0; q < WORKERS; q++) {
		EXPECT_EQ(1, le32toh(s->queue[q].in_work)) TH_LOG("queue %u", q);
		EXPECT_LT(0, le64toh(s->queue[q].progress)) TH_LOG("queue %u", q);
		EXPECT_GT(TILES, le64toh(s->queue[q].progress)) TH_LOG("queue %u", q);
		EXPECT_EQ(0, le64toh(s->queue[q].done)) TH_LOG("queue %u", q);
	}
	EXPECT_NE(0, s->queue[REDUCES].sum);
	for (unsigned int i = 0; i < CGPU_BINS; i++)
		counted += le64toh(s->queue[COUNTS].bins[i]);
	EXPECT_EQ(le64toh(s->queue[COUNTS].progress) * CGPU_TILE_BYTES, counted);
}

static void moves(struct __test_metadata *_metadata, FIXTURE_DATA(work) *self, bool precopy)
{
	uint64_t tiles[2] = { stat_of(&self->m[0], "tiles"), stat_of(&self->m[1], "tiles") }, here;
	int fd = -1;

	if (precopy)
		ASSERT_EQ(0, mig_precopy(&self->v[0], &self->blob, &fd));
	ASSERT_EQ(0, begin(self));
	ASSERT_EQ(0, mig_stop_copy(&self->v[0], &self->blob, fd));
	here = stat_of(&self->m[0], "tiles") - tiles[0];
	check_state(_metadata, state_of(&self->blob));

	ASSERT_EQ(0, mig_load(&self->v[1], &self->blob, VFIO_DEVICE_STATE_STOP));
	ASSERT_EQ(0, gpu_attach(&self->g, &self->v[1]));
	ASSERT_EQ(0, vdev_bus_master(&self->v[1], true));
	ASSERT_EQ(0, mig_set(&self->v[1], VFIO_DEVICE_STATE_RUNNING, NULL));
	check_end(_metadata, self, &self->v[1]);
	EXPECT_EQ(WORKERS * TILES, here + stat_of(&self->m[1], "tiles") - tiles[1]);
	EXPECT_EQ(here, stat_of(&self->m[0], "tiles") - tiles[0]);
	TH_LOG("%lu tiles of %lu here, the rest there", here, WORKERS * TILES);
}

TEST_F(work, half_done_moves)
{
	moves(_metadata, self, false);
}

TEST_F(work, half_done_moves_after_pre_copy)
{
	moves(_metadata, self, true);
}

TEST_HARNESS_MAIN
