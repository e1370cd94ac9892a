// SPDX-License-Identifier: GPL-2.0
/*
 * Migration by the region of v1, of each family: states, streams, accesses that make no
 * sense, and the end of things.  Documentation/migration-v1.rst has the rules.
 *
 * Groups: self families stable
 */
#include <pthread.h>

#include "lib/race.h"
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/v1.h"

FIXTURE(v1)
{
	struct slot slot[2];
	struct vdev a, b;
	struct v1 ra, rb;
	struct model m;
	struct guest g;
	struct blob blob;
	bool ready;
};

VARIANTS_OF_FAMILIES(v1, one_way);

/* The second one is opened by the tests that need it, in the dialect that they want. */
FIXTURE_SETUP(v1)
{
	self->a.fd = -1;
	self->b.fd = -1;
	NEED_FAMILY(variant->family, self->slot, 2);
	self->ready = true;
	ASSERT_EQ(0, model_open(&self->m, &self->slot[0]));
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
	ASSERT_EQ(0, v1_dialect(self->slot[0].bdf, "v1"));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	ASSERT_EQ(0, guest_share(&self->g, &self->a));
	ASSERT_EQ(0, v1_find(&self->ra, &self->a));
}

FIXTURE_TEARDOWN(v1)
{
	v1_unmap(&self->ra);
	v1_unmap(&self->rb);
	guest_free(&self->g);
	vdev_close(&self->a);
	vdev_close(&self->b);
	blob_free(&self->blob);
	if (!self->ready)
		return;
	model_cmd(&self->m, "fault clear");
	model_close(&self->m);
	for (unsigned int i = 0; i < 2; i++)
		EXPECT_EQ(0, v1_dialect(self->slot[i].bdf, "v2"));
}

static int open_other(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self,
		      const char *dialect)
{
	int err = v1_dialect(self->slot[1].bdf, dialect);

	err = err ? err : vdev_open(&self->b, &self->slot[1], any_mode());
	err = err ? err : guest_share(&self->g, &self->b);
	if (!err && !strcmp(dialect, "v1"))
		err = v1_find(&self->rb, &self->b);
	return err;
}

#define EXPECT_STATE(want) do {							\
	uint32_t _state = ~0U;							\
										\
	EXPECT_EQ(0, v1_get(&self->ra, &_state));				\
	EXPECT_EQ((uint32_t)(want), _state);					\
} while (0)

static bool has_ndma(const struct family *f)
{
	return f->migration & VFIO_MIGRATION_P2P;
}

/* ---- One dialect at a time ---- */

TEST_F(v1, v2_is_hidden)
{
	uint64_t flags, bytes;

	EXPECT_EQ(-ENOTTY, mig_flags(&self->a, &flags));
	EXPECT_EQ(-ENOTTY, mig_get(&self->a));
	EXPECT_EQ(-ENOTTY, mig_set(&self->a, STOP, NULL));
	EXPECT_EQ(-ENOTTY, mig_data_size(&self->a, &bytes));
	for (unsigned int feature = VFIO_DEVICE_FEATURE_DMA_LOGGING_START;
	     feature <= VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT; feature++)
		EXPECT_EQ(-ENOTTY, vdev_feature(&self->a, VFIO_DEVICE_FEATURE_PROBE | feature |
						(feature == VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT ?
						 VFIO_DEVICE_FEATURE_GET :
						 VFIO_DEVICE_FEATURE_SET), NULL, 0));
	EXPECT_STATE(V1_R);
}

TEST_F(v1, dialect_is_chosen_while_closed)
{
	const char *bdf = self->slot[0].bdf;
	struct v1 none;
	char name[16];
	uint64_t flags;

	v1_dialect_is(bdf, name, sizeof(name));
	EXPECT_STREQ("v1", name);
	EXPECT_EQ(-EBUSY, v1_dialect(bdf, "v2"));
	EXPECT_EQ(-EBUSY, v1_dialect(bdf, "v1"));
	vdev_close(&self->a);
	EXPECT_EQ(-EINVAL, v1_dialect(bdf, "v3"));
	v1_dialect_is(bdf, name, sizeof(name));
	EXPECT_STREQ("v1", name);

	ASSERT_EQ(0, v1_dialect(bdf, "v2\n"));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	EXPECT_EQ(-ENOENT, v1_find(&none, &self->a));
	EXPECT_EQ(0, mig_flags(&self->a, &flags));
	EXPECT_EQ(variant->family->migration, flags);
	EXPECT_EQ(RUNNING, mig_get(&self->a));
	vdev_close(&self->a);

	/* And back: what was taken away once is not looked for again. */
	ASSERT_EQ(0, v1_dialect(bdf, "v1"));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	EXPECT_EQ(0, v1_find(&self->ra, &self->a));
	EXPECT_EQ(-ENOTTY, mig_flags(&self->a, &flags));
}

/* For functions that are bound from now on. */
TEST_F(v1, module_parameter)
{
	const char *param = "/sys/module/vpv_migration/parameters/dialect";
	const char *bdf = self->slot[0].bdf;
	char name[16];

	vdev_close(&self->a);
	EXPECT_EQ(-EINVAL, sysfs_write(param, "v3"));
	ASSERT_EQ(0, vdev_unbind(bdf));
	ASSERT_EQ(0, vdev_bind(bdf, variant->family->driver));
	v1_dialect_is(bdf, name, sizeof(name));
	EXPECT_STREQ("v2", name);

	ASSERT_EQ(0, vdev_unbind(bdf));
	ASSERT_EQ(0, sysfs_write(param, "v1"));
	EXPECT_EQ(0, vdev_bind(bdf, variant->family->driver));
	ASSERT_EQ(0, sysfs_write(param, "v2"));
	v1_dialect_is(bdf, name, sizeof(name));
	EXPECT_STREQ("v1", name);
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	EXPECT_EQ(0, v1_find(&self->ra, &self->a));
}

TEST_F(v1, capabilities)
{
	uint32_t base = V1_R | V1_S | V1_L;
	struct vfio_region_info info;

	EXPECT_EQ(has_ndma(variant->family) ? base | V1_N : base, self->ra.states);
	EXPECT_EQ(VPV_V1_WINDOW, self->ra.sparse_pos);
	EXPECT_EQ(VPV_V1_WINDOW_BYTES, self->ra.sparse_bytes);
	ASSERT_EQ(0, vdev_region(&self->a, self->ra.index, &info));
	EXPECT_TRUE(info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		  VFIO_REGION_INFO_FLAG_MMAP, info.flags & 7);
}

/* ---- States ---- */

/* Row by row: which can be set, from RUNNING, and what is read then. */
TEST_F(v1, the_table)
{
	bool ndma = has_ndma(variant->family);

	for (uint32_t word = 0; word < 16; word++) {
		bool good = !(word & V1_L) || !(word & (V1_R | V1_S));

		if (word & V1_N)
			good = good && ndma;
		EXPECT_EQ(good ? 0 : -EINVAL, v1_set(&self->ra, word)) {
			TH_LOG("state %#x", word);
		}
		EXPECT_STATE(good ? word : V1_R);
		/* A load session that nothing was written to cannot be left otherwise. */
		if (word & V1_L && good) {
			EXPECT_EQ(-ENODATA, v1_set(&self->ra, V1_R));
			EXPECT_STATE(V1_S | V1_L);
			ASSERT_EQ(0, vdev_reset(&self->a));
		} else {
			EXPECT_EQ(0, v1_set(&self->ra, V1_R));
		}
		EXPECT_STATE(V1_R);
	}
}

TEST_F(v1, unknown_bits_change_nothing)
{
	static const uint32_t states[] = { V1_R, V1_R | V1_S, V1_S, 0, V1_L };

	for (unsigned int i = 0; i < 5; i++) {
		ASSERT_EQ(0, v1_set(&self->ra, states[i]));
		for (unsigned int bit = 4; bit < 32; bit++) {
			EXPECT_EQ(-EINVAL, v1_set(&self->ra, states[i] | 1U << bit));
			EXPECT_EQ(-EINVAL, v1_set(&self->ra, V1_R | 1U << bit));
		}
		EXPECT_EQ(-EINVAL, v1_set(&self->ra, V1_L | V1_R));
		EXPECT_EQ(-EINVAL, v1_set(&self->ra, V1_L | V1_S));
		EXPECT_EQ(-EINVAL, v1_set(&self->ra, V1_L | V1_S | V1_R));
		EXPECT_STATE(states[i]);
		/* The same again is nothing to do. */
		EXPECT_EQ(0, v1_set(&self->ra, states[i]));
	}
}

/* All ways there are; the data of the old session is gone with it. */
TEST_F(v1, from_each_to_each)
{
	static const uint32_t states[] = { V1_R, V1_R | V1_S, V1_S, 0, V1_L };

	for (unsigned int from = 0; from < 5; from++)
		for (unsigned int to = 0; to < 5; to++) {
			int want = states[from] == V1_L && to != from ? -ENODATA :
				   states[from] == V1_S && states[to] == (V1_R | V1_S) ?
				   -EINVAL : 0;
			uint64_t bytes;

			ASSERT_EQ(0, v1_set(&self->ra, states[from]));
			EXPECT_EQ(want, v1_set(&self->ra, states[to])) {
				TH_LOG("%#x -> %#x", states[from], states[to]);
			}
			EXPECT_STATE(want == -ENODATA ? V1_S | V1_L : states[want ? from : to]);
			EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes));
			ASSERT_EQ(0, vdev_reset(&self->a));
			EXPECT_STATE(V1_R);
		}
}

/* What QEMU does: read, change some bits, write.  NDMA comes back only to who has set it. */
TEST_F(v1, ndma_is_shown_to_who_knows_it)
{
	NEED(has_ndma(variant->family), "has no NDMA");
	ASSERT_EQ(0, v1_set(&self->ra, 0));
	EXPECT_STATE(0);
	ASSERT_EQ(0, v1_set(&self->ra, V1_N));
	EXPECT_STATE(V1_N);
	ASSERT_EQ(0, v1_set(&self->ra, V1_N | V1_R));
	EXPECT_STATE(V1_N | V1_R);
	ASSERT_EQ(0, v1_set(&self->ra, V1_N | V1_R | V1_S));
	EXPECT_STATE(V1_N | V1_R | V1_S);
	ASSERT_EQ(0, v1_set(&self->ra, V1_N | V1_S));
	EXPECT_STATE(V1_N | V1_S);
	ASSERT_EQ(0, vdev_reset(&self->a));
	EXPECT_STATE(V1_R);
	ASSERT_EQ(0, v1_set(&self->ra, V1_R | V1_S));
	ASSERT_EQ(0, v1_set(&self->ra, V1_S));
	EXPECT_STATE(V1_S);
}

/* A change that fails leaves the state before, as the protocol wants it, or ERROR. */
TEST_F(v1, failed_change_leaves_the_state_before)
{
	static const char *const how[] = { "fail", "hang" };
	uint32_t state;

	NEED(model_has_fault(&self->m, "pause"), "the model has no fault point pause");
	ASSERT_EQ(0, guest_boot(&self->g, &self->a));
	ASSERT_EQ(0, guest_work(&self->g, 1));
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t before = i / 2 ? V1_R | V1_S : V1_R;
		int err;

		ASSERT_EQ(0, v1_set(&self->ra, before));
		ASSERT_EQ(0, model_cmd(&self->m, "fault pause %s", how[i % 2]));
		err = v1_set(&self->ra, before & ~V1_R);
		EXPECT_GT(0, err);
		ASSERT_EQ(0, v1_get(&self->ra, &state));
		TH_LOG("pause: %s: error %d, state %#x", how[i % 2], err, state);
		EXPECT_EQ(err == -EIO ? V1_S | V1_L : before, state);
		ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
		if (state == (V1_S | V1_L)) {
			EXPECT_EQ(-EIO, v1_set(&self->ra, V1_R));
			ASSERT_EQ(0, vdev_reset(&self->a));
			EXPECT_STATE(V1_R);
			ASSERT_EQ(0, guest_boot(&self->g, &self->a));
		}
		EXPECT_EQ(0, v1_set(&self->ra, V1_R));
		EXPECT_EQ(0, guest_work(&self->g, 2 + i));
	}
}

/* ---- Streams ---- */

static void round_trip(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self, bool precopy,
		       bool mapped)
{
	ASSERT_EQ(0, open_other(_metadata, self, "v1"));
	if (mapped) {
		ASSERT_EQ(0, v1_map(&self->ra));
		ASSERT_EQ(0, v1_map(&self->rb));
	}
	ASSERT_EQ(0, guest_boot(&self->g, &self->a));
	ASSERT_EQ(0, guest_work(&self->g, 1));
	ASSERT_EQ(0, v1_save(&self->ra, &self->blob, precopy));
	ASSERT_EQ(0, v1_load(&self->rb, &self->blob, 0));
	ASSERT_EQ(0, guest_on(&self->g, &self->b));
	ASSERT_EQ(0, v1_set(&self->rb, V1_R));
	EXPECT_EQ(0, guest_work(&self->g, 2));
	EXPECT_STATE(0);
}

TEST_F(v1, moves_by_accesses)
{
	round_trip(_metadata, self, true, false);
}

TEST_F(v1, moves_by_mapping)
{
	round_trip(_metadata, self, true, true);
}

TEST_F(v1, moves_without_pre_copy)
{
	round_trip(_metadata, self, false, true);
}

/* The bytes are the same: what one dialect has saved the other one loads. */
TEST_F(v1, saved_by_v1_loaded_by_v2)
{
	ASSERT_EQ(0, open_other(_metadata, self, "v2"));
	ASSERT_EQ(0, guest_boot(&self->g, &self->a));
	ASSERT_EQ(0, guest_work(&self->g, 1));
	ASSERT_EQ(0, v1_save(&self->ra, &self->blob, true));
	ASSERT_EQ(0, mig_load(&self->b, &self->blob, STOP));
	ASSERT_EQ(0, guest_on(&self->g, &self->b));
	ASSERT_EQ(0, mig_set(&self->b, RUNNING, NULL));
	EXPECT_EQ(0, guest_work(&self->g, 2));
}

TEST_F(v1, saved_by_v2_loaded_by_v1)
{
	bool precopy = variant->family->migration & VFIO_MIGRATION_PRE_COPY;

	ASSERT_EQ(0, open_other(_metadata, self, "v2"));
	ASSERT_EQ(0, guest_boot(&self->g, &self->b));
	ASSERT_EQ(0, guest_work(&self->g, 1));
	ASSERT_EQ(0, mig_save(&self->b, &self->blob, precopy));
	ASSERT_EQ(0, v1_load(&self->ra, &self->blob, 0));
	ASSERT_EQ(0, guest_on(&self->g, &self->a));
	ASSERT_EQ(0, v1_set(&self->ra, V1_R));
	EXPECT_EQ(0, guest_work(&self->g, 2));
}

/* Any piece sizes, also of single bytes. */
TEST_F(v1, loads_in_any_pieces)
{
	static const size_t chunks[] = { 1, 7, 4096 };

	ASSERT_EQ(0, v1_save(&self->ra, &self->blob, false));
	for (unsigned int i = 0; i < 3; i++) {
		if (chunks[i] < 100 && self->blob.bytes > 16384)
			continue;
		ASSERT_EQ(0, v1_set(&self->ra, V1_L));
		ASSERT_EQ(0, v1_push(&self->ra, &self->blob, 0, self->blob.bytes, chunks[i]));
		ASSERT_EQ(0, v1_set(&self->ra, V1_R));
	}
	EXPECT_STATE(V1_R);
}

/* Each piece stays until pending_bytes is read; at the end that is 0, again and again. */
TEST_F(v1, pieces_stay_until_they_are_given_back)
{
	uint64_t pending, pos[2], bytes[2], sum = 0;

	ASSERT_EQ(0, v1_set(&self->ra, V1_S));
	for (;;) {
		ASSERT_EQ(0, v1_pending(&self->ra, &pending));
		if (!pending)
			break;
		/* Reading it twice has no effect. */
		ASSERT_EQ(0, v1_pending(&self->ra, &pending));
		ASSERT_NE(0, pending);
		EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes[0]));
		for (unsigned int i = 0; i < 2; i++) {
			ASSERT_EQ(0, v1_offset(&self->ra, &pos[i]));
			ASSERT_EQ(0, v1_size(&self->ra, &bytes[i]));
		}
		EXPECT_EQ(pos[0], pos[1]);
		EXPECT_EQ(bytes[0], bytes[1]);
		/* What is announced is there. */
		ASSERT_NE(0, bytes[0]);
		sum += bytes[0];
	}
	EXPECT_LT(0, sum);
	EXPECT_EQ(0, v1_pending(&self->ra, &pending));
	EXPECT_EQ(0, pending);
	EXPECT_EQ(0, v1_offset(&self->ra, &pos[0]));
	EXPECT_EQ(0, v1_size(&self->ra, &bytes[0]));
	EXPECT_EQ(0, bytes[0]);
}

/* What pre-copy has put into the window is still read after the guest was stopped. */
TEST_F(v1, a_piece_outlasts_the_end_of_pre_copy)
{
	uint64_t bytes;

	ASSERT_EQ(0, v1_set(&self->ra, V1_R | V1_S));
	ASSERT_EQ(0, v1_offset(&self->ra, &bytes));
	ASSERT_EQ(0, v1_set(&self->ra, V1_S));
	ASSERT_EQ(0, v1_size(&self->ra, &bytes));
	EXPECT_LT(0, bytes);
	ASSERT_LT(0, v1_read_piece(&self->ra, &self->blob));
	ASSERT_EQ(0, v1_drain(&self->ra, &self->blob));
	ASSERT_EQ(0, v1_set(&self->ra, 0));
	EXPECT_EQ(0, v1_load(&self->ra, &self->blob, V1_R));
}

/* Damage is refused as by a data file, and by a state that only a reset leaves. */
TEST_F(v1, damaged_stream)
{
	ASSERT_EQ(0, v1_save(&self->ra, &self->blob, false));
	self->blob.data[3] ^= 1;
	ASSERT_EQ(0, v1_set(&self->ra, V1_L));
	EXPECT_EQ(-EINVAL, v1_push(&self->ra, &self->blob, 0, self->blob.bytes, 0));
	EXPECT_EQ(-EINVAL, v1_push(&self->ra, &self->blob, 0, 1, 0));
	EXPECT_STATE(V1_L);
	EXPECT_EQ(-EINVAL, v1_set(&self->ra, 0));
	EXPECT_STATE(V1_S | V1_L);
	EXPECT_EQ(-EIO, v1_set(&self->ra, V1_R));
	ASSERT_EQ(0, vdev_reset(&self->a));
	EXPECT_STATE(V1_R);
	self->blob.data[3] ^= 1;
	EXPECT_EQ(0, v1_load(&self->ra, &self->blob, V1_R));
}

/* The window may be written to while it is parsed: a stream that was checked is the one taken. */
static void *scribble(void *arg)
{
	struct v1 *r = arg;
	volatile uint8_t *p = r->window;

	while (!__atomic_load_n(&r->sparse_bytes, __ATOMIC_RELAXED))
		for (unsigned int i = 0; i < 4096; i++)
			p[i] ^= 0xff;
	return NULL;
}

TEST_F(v1, window_that_changes_while_it_is_taken)
{
	pthread_t thread;

	ASSERT_EQ(0, v1_save(&self->ra, &self->blob, false));
	ASSERT_EQ(0, v1_map(&self->ra));
	self->ra.sparse_bytes = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &self->ra));
	for (unsigned int i = 0; i < 20; i++) {
		int err = v1_load(&self->ra, &self->blob, V1_R);

		if (err)
			ASSERT_EQ(0, vdev_reset(&self->a));
		EXPECT_STATE(V1_R);
	}
	__atomic_store_n(&self->ra.sparse_bytes, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, v1_load(&self->ra, &self->blob, V1_R));
}

/* ---- Accesses that make no sense ---- */

static const struct {
	uint64_t pos;
	size_t bytes;
	int read;		/* 0: works */
	int write;
} bad[] = {
	{ 0, 1, -EMSGSIZE, -EMSGSIZE }, { 0, 2, -EMSGSIZE, -EMSGSIZE },
	{ 4, 2, -EMSGSIZE, -EMSGSIZE }, { 8, 4, -EMSGSIZE, -EMSGSIZE },
	{ 24, 4, -EMSGSIZE, -EMSGSIZE },
	{ 1, 4, -EINVAL, -EINVAL }, { 2, 2, -EINVAL, -EINVAL }, { 12, 4, -EINVAL, -EINVAL },
	{ 20, 8, -EINVAL, -EINVAL },
	{ 0, 8, -E2BIG, -E2BIG }, { 0, 32, -E2BIG, -E2BIG }, { 8, 16, -E2BIG, -E2BIG },
	{ 24, 64, -E2BIG, -E2BIG },
	{ 32, 8, -ENXIO, -ENXIO }, { 4088, 16, -ENXIO, -ENXIO },
	{ 8, 8, 0, -EPERM }, { 16, 8, -EPROTO, -EPERM },
	{ 24, 8, -EPROTO, -EPROTO },
	{ 4096, 8, -EPROTO, -EPROTO },
	{ 4, 4, 0, 0 },
	{ VPV_V1_REGION_BYTES, 4, -EINVAL, -EINVAL },
};

TEST_F(v1, bad_accesses)
{
	uint8_t buf[64] = { 0x5a };
	uint64_t val = ~0ULL;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		long n = vdev_pread(&self->a, self->ra.index, bad[i].pos, buf, bad[i].bytes);

		EXPECT_EQ(bad[i].read ? bad[i].read : (long)bad[i].bytes, n) {
			TH_LOG("read of %zu bytes at %lu", bad[i].bytes, bad[i].pos);
		}
		memset(buf, 0, sizeof(buf));
		n = vdev_pwrite(&self->a, self->ra.index, bad[i].pos, buf, bad[i].bytes);
		EXPECT_EQ(bad[i].write ? bad[i].write : (long)bad[i].bytes, n) {
			TH_LOG("write of %zu bytes at %lu", bad[i].bytes, bad[i].pos);
		}
		EXPECT_STATE(V1_R);
	}
	EXPECT_EQ(4, vdev_pwrite(&self->a, self->ra.index, VPV_V1_RESERVED, &val, 4));
	EXPECT_EQ(4, vdev_pread(&self->a, self->ra.index, VPV_V1_RESERVED, &val, 4));
	EXPECT_EQ(0, (uint32_t)val);
	EXPECT_EQ(-EFAULT, vdev_pread(&self->a, self->ra.index, 0, (void *)8, 4));
	EXPECT_EQ(-EFAULT, vdev_pwrite(&self->a, self->ra.index, 0, (void *)8, 4));
	/* Clipped at the end, as every region. */
	ASSERT_EQ(0, v1_set(&self->ra, V1_L));
	EXPECT_EQ(4, vdev_pwrite(&self->a, self->ra.index, VPV_V1_REGION_BYTES - 4, buf, 16));
}

TEST_F(v1, out_of_order)
{
	uint64_t big = VPV_V1_WINDOW_BYTES + 1, huge = ~0ULL, none = 0, bytes;
	unsigned int index = self->ra.index;

	ASSERT_EQ(0, v1_set(&self->ra, V1_S));
	EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes));
	EXPECT_EQ(-EPROTO, vdev_pwrite(&self->a, index, VPV_V1_DATA_SIZE, &none, 8));
	EXPECT_EQ(-EPROTO, vdev_pwrite(&self->a, index, VPV_V1_WINDOW, &none, 8));
	EXPECT_EQ(8, vdev_pread(&self->a, index, VPV_V1_WINDOW, &bytes, 8));
	ASSERT_EQ(0, v1_set(&self->ra, 0));
	EXPECT_EQ(-EPROTO, v1_offset(&self->ra, &bytes));
	EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes));
	EXPECT_EQ(0, v1_pending(&self->ra, &bytes));
	EXPECT_EQ(0, bytes);

	ASSERT_EQ(0, v1_set(&self->ra, V1_L));
	EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes));
	EXPECT_EQ(0, v1_pending(&self->ra, &bytes));
	EXPECT_EQ(0, bytes);
	EXPECT_EQ(-EINVAL, vdev_pwrite(&self->a, index, VPV_V1_DATA_SIZE, &big, 8));
	EXPECT_EQ(-EINVAL, vdev_pwrite(&self->a, index, VPV_V1_DATA_SIZE, &huge, 8));
	EXPECT_EQ(8, vdev_pwrite(&self->a, index, VPV_V1_DATA_SIZE, &none, 8));
	EXPECT_STATE(V1_L);
}

TEST_F(v1, mappings)
{
	struct vfio_region_info info;
	size_t page = 4096;
	char text[7] = "";
	void *p;

	ASSERT_EQ(0, vdev_region(&self->a, self->ra.index, &info));
	/* The head; over either end; private. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_SHARED, self->a.fd, info.offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, self->a.fd,
				   info.offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, self->a.fd,
				   info.offset + VPV_V1_REGION_BYTES - page));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_SHARED, self->a.fd,
				   info.offset + VPV_V1_REGION_BYTES));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_PRIVATE, self->a.fd,
				   info.offset + VPV_V1_WINDOW));
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, self->a.fd,
		 info.offset + VPV_V1_REGION_BYTES - page);
	ASSERT_NE(MAP_FAILED, p);
	/* It is the window. */
	EXPECT_EQ(0, v1_set(&self->ra, V1_L));
	memcpy(p, "window", 7);
	EXPECT_EQ(7, vdev_pread(&self->a, self->ra.index, VPV_V1_REGION_BYTES - page, text, 7));
	EXPECT_STREQ("window", text);
	EXPECT_EQ(0, munmap(p, page));
	EXPECT_EQ(0, vdev_reset(&self->a));
}

/* What one user has left in the window the next one does not see. */
TEST_F(v1, window_is_empty_at_first)
{
	uint8_t *buf = calloc(1, VPV_V1_WINDOW_BYTES);
	size_t i;

	ASSERT_NE(NULL, buf);
	for (unsigned int round = 0; round < 2; round++) {
		ASSERT_EQ(0, v1_map(&self->ra));
		for (i = 0; i < VPV_V1_WINDOW_BYTES && !self->ra.window[i]; i++)
			;
		EXPECT_EQ(VPV_V1_WINDOW_BYTES, i);
		memset(self->ra.window, 0xa5, VPV_V1_WINDOW_BYTES);
		v1_unmap(&self->ra);
		vdev_close(&self->a);
		ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
		ASSERT_EQ(0, v1_find(&self->ra, &self->a));
	}
	free(buf);
}

/* ---- The end of things ---- */

TEST_F(v1, reset_in_each_state)
{
	static const uint32_t states[] = { V1_R, V1_R | V1_S, V1_S, 0, V1_L };

	for (unsigned int i = 0; i < 5; i++) {
		uint64_t val;

		ASSERT_EQ(0, v1_set(&self->ra, states[i]));
		ASSERT_EQ(0, vdev_reset(&self->a));
		EXPECT_STATE(V1_R);
		/* Who was in the middle of a session is told so. */
		if (states[i] & V1_S) {
			EXPECT_EQ(-ENODEV, v1_pending(&self->ra, &val));
			EXPECT_EQ(-ENODEV, v1_offset(&self->ra, &val));
		}
		if (states[i] & V1_L) {
			EXPECT_EQ(1, vdev_pwrite(&self->a, self->ra.index, VPV_V1_WINDOW, "V", 1));
			val = 1;
			EXPECT_EQ(-ENODEV, vdev_pwrite(&self->a, self->ra.index,
						       VPV_V1_DATA_SIZE, &val, 8));
		}
		EXPECT_EQ(0, v1_set(&self->ra, V1_R));
		EXPECT_EQ(-EPROTO, v1_offset(&self->ra, &val));
	}
}

TEST_F(v1, close_in_each_state)
{
	static const uint32_t states[] = { V1_R, V1_R | V1_S, V1_S, 0, V1_L };

	for (unsigned int i = 0; i < 5; i++) {
		uint64_t val;

		ASSERT_EQ(0, v1_set(&self->ra, states[i]));
		if (states[i] & V1_S)
			ASSERT_EQ(0, v1_offset(&self->ra, &val));
		vdev_close(&self->a);
		ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
		ASSERT_EQ(0, v1_find(&self->ra, &self->a));
		EXPECT_STATE(V1_R);
		EXPECT_EQ(-EPROTO, v1_size(&self->ra, &val));
	}
}

static void *unbinder(void *arg)
{
	return (void *)(intptr_t)vdev_unbind(arg);
}

/* The region answers ENODEV while the user still has it, whatever he was doing. */
TEST_F(v1, unbind_in_each_state)
{
	static const uint32_t states[] = { V1_R, V1_R | V1_S, V1_S, 0, V1_L };

	for (unsigned int i = 0; i < 5; i++) {
		uint64_t end = now_ms() + 20000, val;
		uint32_t state;
		pthread_t thread;
		void *ret;

		ASSERT_EQ(0, v1_set(&self->ra, states[i]));
		ASSERT_EQ(0, pthread_create(&thread, NULL, unbinder, self->slot[0].bdf));
		while (v1_get(&self->ra, &state) != -ENODEV && now_ms() < end)
			usleep(10000);
		EXPECT_EQ(-ENODEV, v1_get(&self->ra, &state));
		EXPECT_EQ(-ENODEV, v1_set(&self->ra, V1_R));
		EXPECT_EQ(-ENODEV, v1_pending(&self->ra, &val));
		EXPECT_EQ(-ENODEV, v1_offset(&self->ra, &val));
		vdev_close(&self->a);
		ASSERT_EQ(0, pthread_join(thread, &ret));
		EXPECT_EQ(NULL, ret);
		ASSERT_EQ(0, vdev_bind(self->slot[0].bdf, variant->family->driver));
		ASSERT_EQ(0, v1_dialect(self->slot[0].bdf, "v1"));
		ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
		ASSERT_EQ(0, v1_find(&self->ra, &self->a));
	}
}

/* ---- All at once ---- */

/* Of the number of the step: a run that failed can be looked at again. */
static uint32_t mix(unsigned long n, uint32_t salt)
{
	uint64_t x = (n + 1) * 0x9e3779b97f4a7c15ULL + salt;

	x ^= x >> 31;
	x *= 0xbf58476d1ce4e5b9ULL;
	return x >> 32;
}

static int set_states(void *arg, unsigned long n)
{
	struct v1 *r = arg;

	return v1_set(r, mix(n, 1) % 8 ? mix(n, 2) % 16 : mix(n, 3));
}

static int iterate(void *arg, unsigned long n)
{
	struct v1 *r = arg;
	struct blob b = {};
	uint64_t pending;
	long got = mix(n, 4) % 2 ? v1_pending(r, &pending) : v1_read_piece(r, &b);

	blob_free(&b);
	return got < 0 ? got : 0;
}

/* Bytes that make no sense, at any place; also by the mapping. */
static int access_anything(void *arg, unsigned long n)
{
	struct v1 *r = arg;
	uint64_t pos = mix(n, 5) % 2 ? mix(n, 6) % 40 : 4090 + mix(n, 7) % 32;
	size_t bytes = 1 + mix(n, 8) % 16;
	uint8_t buf[16];
	long got;

	memset(buf, mix(n, 9), sizeof(buf));
	if (mix(n, 10) % 3 == 0) {
		uint64_t much = mix(n, 11) % (VPV_V1_WINDOW_BYTES + 4096);

		got = vdev_pwrite(r->v, r->index, VPV_V1_DATA_SIZE, &much, 8);
	} else if (mix(n, 10) % 3 == 1) {
		got = vdev_pwrite(r->v, r->index, pos, buf, bytes);
	} else {
		got = vdev_pread(r->v, r->index, pos, buf, bytes);
	}
	r->window[mix(n, 12) % VPV_V1_WINDOW_BYTES] = n;
	return got < 0 ? got : 0;
}

static int reset_now_and_then(void *arg, unsigned long n)
{
	struct v1 *r = arg;

	usleep(20000);
	return vdev_reset(r->v);
}

TEST_F(v1, everything_at_once)
{
	struct race_job jobs[] = {
		RACE_JOB(set_states, &self->ra), RACE_JOB(iterate, &self->ra),
		RACE_JOB(access_anything, &self->ra), RACE_JOB(access_anything, &self->ra),
		RACE_JOB(reset_now_and_then, &self->ra),
	};

	ASSERT_EQ(0, v1_map(&self->ra));
	EXPECT_TRUE(race_run(jobs, 5));
	for (unsigned int i = 0; i < 5; i++)
		TH_LOG("%s: %lu, of which %lu worked, last error %d", jobs[i].name, jobs[i].steps,
		       jobs[i].done, jobs[i].last_err);
	ASSERT_EQ(0, vdev_reset(&self->a));
	EXPECT_STATE(V1_R);
	EXPECT_EQ(0, v1_set(&self->ra, V1_R));
	EXPECT_EQ(0, v1_save(&self->ra, &self->blob, true));
	EXPECT_EQ(0, v1_load(&self->ra, &self->blob, V1_R));
	EXPECT_EQ(0, guest_boot(&self->g, &self->a));
	EXPECT_EQ(0, guest_work(&self->g, 1));
}

TEST_HARNESS_MAIN
