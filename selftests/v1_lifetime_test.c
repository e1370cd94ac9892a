// SPDX-License-Identifier: GPL-2.0
/*
 * The region of v1, of each family, when its function is reset, closed or unbound, or everything
 * happens at once.
 *
 * Groups: self families stable
 */
#include <pthread.h>

#include "lib/race.h"
#include "lib/test.h"
#include "lib/v1_test.h"

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

/* Whatever there is to read: what it gets in the end. */
static void *read_on(void *arg)
{
	uint64_t end = now_ms() + 20000, pending;
	struct v1 *r = arg;
	long got;

	do {
		struct blob b = {};

		got = v1_pending(r, &pending);
		if (!got && pending)
			got = v1_read_piece(r, &b);
		blob_free(&b);
	} while (got != -ENODEV && now_ms() < end);
	return (void *)(intptr_t)got;
}

/* The region answers ENODEV while the user still has it, whatever he was doing. */
TEST_F(v1, unbind_in_each_state)
{
	static const uint32_t states[] = { V1_R, V1_R | V1_S, V1_S, 0, V1_L };

	for (unsigned int i = 0; i < 5; i++) {
		uint64_t end = now_ms() + 20000, val;
		pthread_t thread, reader;
		uint32_t state;
		void *ret;

		ASSERT_EQ(0, v1_set(&self->ra, states[i]));
		ASSERT_EQ(0, pthread_create(&reader, NULL, read_on, &self->ra));
		ASSERT_EQ(0, pthread_create(&thread, NULL, unbinder, self->slot[0].bdf));
		while (v1_get(&self->ra, &state) != -ENODEV && now_ms() < end)
			usleep(10000);
		EXPECT_EQ(-ENODEV, v1_get(&self->ra, &state));
		EXPECT_EQ(-ENODEV, v1_set(&self->ra, V1_R));
		EXPECT_EQ(-ENODEV, v1_pending(&self->ra, &val));
		EXPECT_EQ(-ENODEV, v1_offset(&self->ra, &val));
		ASSERT_EQ(0, pthread_join(reader, &ret));
		EXPECT_EQ(-ENODEV, (int)(intptr_t)ret);
		vdev_close(&self->a);
		ASSERT_EQ(0, pthread_join(thread, &ret));
		EXPECT_EQ(NULL, ret);
		ASSERT_EQ(0, vdev_bind(self->slot[0].bdf, variant->family->driver));
		ASSERT_EQ(0, v1_dialect(self->slot[0].bdf, "v1"));
		ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
		ASSERT_EQ(0, v1_find(&self->ra, &self->a));
	}
}

#define RESETS	20

struct resets {
	char path[128];
	int err;
	volatile bool done;
};

static void *reset_by_others(void *arg)
{
	struct resets *r = arg;

	for (unsigned int i = 0; i < RESETS && !r->err; i++)
		r->err = sysfs_write(r->path, "1");
	r->done = true;
	return NULL;
}

/* Whoever binds, removes or resets the function has its lock meanwhile: nothing is changed then. */
TEST_F(v1, dialect_is_not_changed_behind_the_device_lock)
{
	unsigned int refused = 0, other = 0;
	struct resets r = {};
	pthread_t thread;

	snprintf(r.path, sizeof(r.path), "/sys/bus/pci/devices/%s/reset", self->slot[0].bdf);
	vdev_close(&self->a);
	ASSERT_EQ(0, pthread_create(&thread, NULL, reset_by_others, &r));
	while (!r.done) {
		int err = v1_dialect(self->slot[0].bdf, "v1");

		refused += err == -EAGAIN;
		other += err && err != -EAGAIN;
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, r.err);
	EXPECT_LT(0, refused);
	EXPECT_EQ(0, other);
	EXPECT_EQ(0, v1_dialect(self->slot[0].bdf, "v1"));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	ASSERT_EQ(0, v1_find(&self->ra, &self->a));
	EXPECT_STATE(V1_R);
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
