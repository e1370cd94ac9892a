// SPDX-License-Identifier: GPL-2.0
/*
 * Streams through the region of v1, of each family: whole ones, from and to v2 also, in pieces,
 * and damaged ones.
 *
 * Groups: self families stable
 */
#include <pthread.h>

#include "lib/test.h"
#include "lib/v1_test.h"

static void round_trip(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self, bool precopy,
		       bool mapped)
{
	ASSERT_EQ(0, v1_open_other(_metadata, self, "v1"));
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
	ASSERT_EQ(0, v1_open_other(_metadata, self, "v2"));
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

	ASSERT_EQ(0, v1_open_other(_metadata, self, "v2"));
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

static bool same(const struct blob *a, const struct blob *b)
{
	return a->bytes == b->bytes && !memcmp(a->data, b->data, a->bytes);
}

/* What is saved of the same state twice; false: a family whose streams differ each time. */
static bool saved_alike(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self,
			struct blob *first)
{
	struct blob second = {};
	bool alike;

	EXPECT_EQ(0, v1_load(&self->ra, &self->blob, 0));
	EXPECT_EQ(0, v1_save(&self->ra, first, false));
	EXPECT_EQ(0, v1_load(&self->ra, &self->blob, 0));
	EXPECT_EQ(0, v1_save(&self->ra, &second, false));
	alike = same(first, &second);
	blob_free(&second);
	return alike;
}

TEST_F(v1, window_that_changes_while_it_is_taken)
{
	unsigned int taken = 0;
	struct blob want = {};
	pthread_t thread;
	bool alike;

	ASSERT_EQ(0, guest_boot(&self->g, &self->a));
	ASSERT_EQ(0, guest_work(&self->g, 1));
	ASSERT_EQ(0, v1_save(&self->ra, &self->blob, false));
	alike = saved_alike(_metadata, self, &want);
	ASSERT_EQ(0, v1_map(&self->ra));
	for (unsigned int i = 0; i < 20; i++) {
		struct blob got = {};
		int err;

		self->ra.sparse_bytes = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &self->ra));
		err = v1_load(&self->ra, &self->blob, 0);
		__atomic_store_n(&self->ra.sparse_bytes, 1, __ATOMIC_RELAXED);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		if (err) {
			ASSERT_EQ(0, vdev_reset(&self->a));
		} else if (alike) {
			EXPECT_EQ(0, v1_save(&self->ra, &got, false));
			EXPECT_TRUE(same(&want, &got));
			blob_free(&got);
			taken++;
		}
	}
	TH_LOG("%u streams were taken and compared", taken);
	EXPECT_EQ(0, v1_load(&self->ra, &self->blob, V1_R));
	blob_free(&want);
}

TEST_HARNESS_MAIN
