// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and user copy in changes of the migration state, saving and loading
 * is made to fail in turn (lib/failnth.h).
 *
 * Groups: faults allocations
 */
#include "lib/failnth.h"
#include "lib/look.h"
#include "lib/test.h"
#include "lib/family_test.h"

struct mig {
	struct vdev v;
	struct blob blob, first;	/* a saved state; as it was the first time */
	unsigned int state;
	int fd;
	bool alike;	/* two saves have the same bytes */
	struct looks looks;
};

/* In RUNNING, whatever was before. */
static int running(void *arg)
{
	struct mig *m = arg;
	int err = 0;

	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	/* What was loaded by half must not run. */
	if (mig_set(&m->v, VFIO_DEVICE_STATE_RUNNING, NULL))
		err = vdev_reset(&m->v);
	return err ?: mig_get(&m->v) == VFIO_DEVICE_STATE_RUNNING ? 0 : -EIO;
}

static void to_running(void *arg)
{
	running(arg);
}

static int state_run(void *arg)
{
	struct mig *m = arg;

	return mig_set(&m->v, m->state, &m->fd);
}

static int state_works(void *arg)
{
	struct mig *m = arg;
	struct blob b = {};
	int err = mig_get(&m->v) == m->state ? 0 : -EIO;

	if (!err && m->state == VFIO_DEVICE_STATE_STOP_COPY)
		err = blob_pull(&b, m->fd, 1 << 20);
	blob_free(&b);
	return err;
}

static int save_prepare(void *arg)
{
	int err = running(arg);

	return err ?: state_run(arg);
}

static int save_run(void *arg)
{
	struct mig *m = arg;

	m->blob.bytes = 0;
	return blob_pull(&m->blob, m->fd, 4096);
}

static bool same_bytes(const struct mig *m)
{
	return m->blob.bytes == m->first.bytes &&
	       !memcmp(m->blob.data, m->first.data, m->first.bytes);
}

/* As much as the first time, in whatever pieces; the same, if the device gives no image a name. */
static int save_works(void *arg)
{
	struct mig *m = arg;

	return m->alike ? same_bytes(m) ? 0 : -EILSEQ :
	       m->blob.bytes == m->first.bytes ? 0 : -ENODATA;
}

/* Twice without failures. */
static int save_first(struct mig *m)
{
	int err = 0;

	for (unsigned int i = 0; i < 2 && !err; i++) {
		err = save_prepare(m);
		err = err ?: save_run(m);
		if (!i)
			err = err ?: blob_append(&m->first, m->blob.data, m->blob.bytes);
	}
	m->alike = same_bytes(m);
	return err;
}

static int load_run(void *arg)
{
	struct mig *m = arg;

	return mig_load(&m->v, &m->blob, VFIO_DEVICE_STATE_RUNNING);
}

static int mig_works(void *arg)
{
	struct mig *m = arg;
	int err = running(m);

	return err ?: look_again(&m->v, &m->looks);
}

static const struct failnth_op state_op = {
	.name = "state", .prepare = running, .run = state_run, .works = state_works,
	.undo = to_running,
};
/* A copy that fails half-way makes a read or write short, and the next one goes on. */
static const struct failnth_op save_op = {
	.name = "save", .prepare = save_prepare, .run = save_run, .works = save_works,
	.undo = to_running, .mute = true,
};
static const struct failnth_op load_op = {
	.name = "load", .prepare = running, .run = load_run, .works = mig_works, .mute = true,
};

FIXTURE(migration)
{
	struct mig m;
};

VARIANTS_OF_FAMILIES(migration, one_way);

FIXTURE_SETUP(migration)
{
	struct mig *m = &self->m;
	struct slot slot;

	m->v.fd = m->v.group = m->v.iommu = m->fd = -1;
	NEED_FAILURES();
	NEED_FAMILY(variant->family, &slot, 1);
	ASSERT_EQ(0, vdev_open(&m->v, &slot, VDEV_GROUP));
	ASSERT_EQ(0, look_again(&m->v, &m->looks));
}

FIXTURE_TEARDOWN(migration)
{
	blob_free(&self->m.blob);
	blob_free(&self->m.first);
	vdev_close(&self->m.v);
}

TEST_F_TIMEOUT(migration, states, SWEEP_S)
{
	struct mig *m = &self->m;
	static const unsigned int states[] = {
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_PRE_COPY,
		VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_RESUMING,
	};

	for (unsigned int i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (!family_has_state(variant->family, states[i]))
			continue;
		m->state = states[i];
		SWEEP(&state_op, m)
			TH_LOG("%s", mig_state_name(m->state));
	}
}

/* All of it is saved and loaded again for each failure: memory of a device is too much for that. */
#define SWEEP_BYTES	(64 << 20)

TEST_F_TIMEOUT(migration, save_and_load, SWEEP_S)
{
	struct mig *m = &self->m;
	uint64_t bytes;

	ASSERT_EQ(0, mig_data_size(&m->v, &bytes));
	if (bytes > SWEEP_BYTES)
		SKIP(return, "its state has %llu MiB", (unsigned long long)bytes >> 20);
	m->state = VFIO_DEVICE_STATE_STOP_COPY;
	ASSERT_EQ(0, save_first(m));
	SWEEP(&save_op, m);
	ASSERT_EQ(0, save_prepare(m));
	ASSERT_EQ(0, save_run(m));
	SWEEP(&load_op, m);
	EXPECT_EQ(0, running(m));
}

TEST_HARNESS_MAIN
