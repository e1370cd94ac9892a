// SPDX-License-Identifier: GPL-2.0
/*
 * The end of things, of each family and in every state of a migration: close, reset, unbind,
 * death of the owner, faults of the hardware.  Data files outlive all of it and only fail.
 *
 * Groups: self families stable
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

/* Long enough for a slow machine, too short for anything that hangs. */
#define PROMPT_MS	20000

FIXTURE(life)
{
	struct slot slot;
	struct vdev v;
	struct guest g;
	struct model m;
};

VARIANTS_OF_FAMILIES(life, one_way);

FIXTURE_SETUP(life)
{
	NEED_FAMILY(variant->family, &self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(0, guest_share(&self->g, &self->v));
}

FIXTURE_TEARDOWN(life)
{
	model_cmd(&self->m, "fault clear");
	guest_free(&self->g);
	vdev_close(&self->v);
	model_close(&self->m);
}

#define for_each_state(state) \
	for (unsigned int state = STOP; state < MIG_STATES; state++) \
		if (family_has_state(variant->family, state))

/* Give the function something to do, then go to @state; the session's file or -1. */
static int enter(struct vdev *v, struct guest *g, unsigned int state, int *data_fd)
{
	int err = guest_boot(g, v);

	err = err ? err : guest_start(g, 1);
	*data_fd = -1;
	return err || state == RUNNING ? err : mig_set(v, state, data_fd);
}

static bool data_file_is_dead(int fd, unsigned int state)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	uint8_t buf[64] = {};
	ssize_t n;

	if (fd < 0)
		return true;
	n = state == RESUMING ? write(fd, buf, sizeof(buf)) : read(fd, buf, sizeof(buf));
	if (n != -1 || errno != ENODEV)
		return false;
	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

/* The function is as new and does its work. */
static int works(struct vdev *v, struct guest *g)
{
	int err;

	if (mig_get(v) != RUNNING)
		return -EPROTO;
	err = guest_boot(g, v);
	return err ? err : guest_work(g, 77);
}

/* A mapping would keep the device open. */
static void shut(struct vdev *v, struct guest *g)
{
	guest_off(g);
	vdev_close(v);
}

static int reopen(struct vdev *v, struct guest *g)
{
	struct slot slot = v->slot;
	enum vdev_mode mode = v->mode;
	int err;

	shut(v, g);
	err = vdev_open(v, &slot, mode);
	return err ? err : guest_share(g, v);
}

TEST_F(life, close_in_every_state)
{
	for_each_state(state) {
		int fd;

		ASSERT_EQ(0, enter(&self->v, &self->g, state, &fd));
		ASSERT_EQ(0, reopen(&self->v, &self->g));
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->g)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		close(fd);
	}
}

TEST_F(life, reset_ioctl_in_every_state)
{
	for_each_state(state) {
		int fd;

		ASSERT_EQ(0, enter(&self->v, &self->g, state, &fd));
		ASSERT_EQ(0, vdev_reset(&self->v));
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->g)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		close(fd);
	}
}

TEST_F(life, sysfs_reset_in_every_state)
{
	for_each_state(state) {
		struct blob saved = {};
		int fd;

		ASSERT_EQ(0, enter(&self->v, &self->g, state, &fd));
		/* A save that reads contexts while this reset goes on fails by itself. */
		if (state == STOP_COPY) {
			ASSERT_EQ(0, blob_pull(&saved, fd, 0));
		}
		blob_free(&saved);
		ASSERT_EQ(0, vdev_sysfs_write(self->slot.bdf, "reset", "1"));
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->g)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		close(fd);
	}
}

/* ---- unbind ---- */

static void *unbinder(void *arg)
{
	return (void *)(intptr_t)vdev_unbind(arg);
}

TEST_F_TIMEOUT(life, unbind_in_every_state, 60)
{
	for_each_state(state) {
		int fd, req = eventfd_new();
		uint64_t resets[2];
		pthread_t thread;
		void *ret;

		ASSERT_GE(req, 0);
		ASSERT_EQ(0, enter(&self->v, &self->g, state, &fd));
		ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &req));
		ASSERT_EQ(0, pthread_create(&thread, NULL, unbinder, self->slot.bdf));
		EXPECT_EQ(1, eventfd_wait(req, PROMPT_MS)) {
			TH_LOG("nobody asked for the device in %s", mig_state_name(state));
		}
		/* The device is still held, but its sessions are over. */
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(-ENODEV, mig_set(&self->v, RUNNING, NULL));
		ASSERT_EQ(0, model_value(&self->m, "stats", "resets", &resets[0]));
		shut(&self->v, &self->g);
		ASSERT_EQ(0, pthread_join(thread, &ret));
		EXPECT_EQ(0, (intptr_t)ret);
		/* The next driver does not find what the user has left. */
		ASSERT_EQ(0, model_value(&self->m, "stats", "resets", &resets[1]));
		EXPECT_LT(resets[0], resets[1]) {
			TH_LOG("not reset in %s", mig_state_name(state));
		}
		EXPECT_TRUE(data_file_is_dead(fd, state));
		close(req);

		ASSERT_EQ(0, vdev_bind(self->slot.bdf, variant->family->driver));
		ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
		ASSERT_EQ(0, guest_share(&self->g, &self->v));
		EXPECT_EQ(0, works(&self->v, &self->g));
		/* The file belongs to a device that is gone, not to the new one. */
		EXPECT_TRUE(data_file_is_dead(fd, state));
		close(fd);
	}
}

/* ---- death of the owner ---- */

static int fd_of(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), ret;

	if (pidfd < 0)
		return -errno;
	ret = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (ret < 0)
		ret = -errno;
	close(pidfd);
	return ret;
}

/* Opens the device, goes to @state, tells about it and waits to be killed. */
static void owner(const struct slot *slot, const struct family *f, unsigned int state, int tell)
{
	struct {
		int err, fd;
	} said = { .fd = -1 };
	struct guest g;
	struct vdev v;

	said.err = guest_init(&g, f);
	if (!said.err)
		said.err = vdev_open(&v, slot, any_mode());
	if (!said.err)
		said.err = guest_share(&g, &v);
	if (!said.err)
		said.err = enter(&v, &g, state, &said.fd);
	if (write(tell, &said, sizeof(said)) != sizeof(said))
		_exit(1);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(life, kill_of_the_owner_in_every_state, 60)
{
	for_each_state(state) {
		struct {
			int err, fd;
		} said = {};
		int tell[2], fd = -1, status;
		pid_t pid;

		shut(&self->v, &self->g);
		ASSERT_EQ(0, pipe(tell));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			owner(&self->slot, variant->family, state, tell[1]);
		ASSERT_EQ((ssize_t)sizeof(said), read(tell[0], &said, sizeof(said)));
		EXPECT_EQ(0, said.err);
		if (said.fd >= 0) {
			fd = fd_of(pid, said.fd);
			EXPECT_GE(fd, 0);
		}
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		close(tell[0]);
		close(tell[1]);

		ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
		ASSERT_EQ(0, guest_share(&self->g, &self->v));
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->g)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		if (fd >= 0)
			close(fd);
	}
}

/* ---- a reader that waits ---- */

struct reader {
	int fd;
	int err;
};

static void *read_on(void *arg)
{
	struct reader *r = arg;
	uint8_t buf[4096];
	ssize_t n;

	do
		n = read(r->fd, buf, sizeof(buf));
	while (n > 0);
	r->err = n ? errno : 0;
	return NULL;
}

TEST_F(life, reset_wakes_a_reader)
{
	struct reader r;
	pthread_t thread;

	NEED(model_has_fault(&self->m, "save"), "there is nothing to wait for in a save");
	ASSERT_EQ(0, enter(&self->v, &self->g, RUNNING, &r.fd));
	ASSERT_EQ(0, model_cmd(&self->m, "fault save delay=90"));
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &r.fd));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, &r));
	/* Less than the first delay: there may be two only. */
	usleep(50000);
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(ENODEV, r.err);
	close(r.fd);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, works(&self->v, &self->g));
}

/* Resets while states change: whatever wins, the device is well afterwards. */
static void *resetter(void *arg)
{
	struct vdev *v = arg;

	for (unsigned int i = 0; i < 8; i++)
		vdev_reset(v);
	return NULL;
}

TEST_F(life, resets_while_states_change)
{
	static const unsigned int path[] = { PRE_COPY, STOP_COPY, STOP, RESUMING, RUNNING };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, resetter, &self->v));
	for (unsigned int i = 0; i < 60; i++) {
		uint8_t buf[256];
		int fd;

		if (!mig_set(&self->v, path[i % ARRAY_SIZE(path)], &fd) && fd >= 0) {
			while (read(fd, buf, sizeof(buf)) > 0)
				;
			close(fd);
		}
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, works(&self->v, &self->g));
}

/* ---- faults of the hardware ---- */

/* Where a fault ends a migration. */
enum step { STOPPING, SAVING, LOADING };

/* A model has those that there is something to wait for. */
static const struct standard {
	const char *point, *how;
	enum step step;
	int err;			/* 0: the family says it */
} standard[] = {
	{ "pause", "fail", STOPPING, 0 },
	{ "pause", "hang", STOPPING, -ETIMEDOUT },
	{ "save", "fail", SAVING, -EREMOTEIO },
	{ "save", "hang", SAVING, -ETIMEDOUT },
	{ "load", "fail", LOADING, 0 },
	{ "load", "hang", LOADING, -ETIMEDOUT },
};

/* RUNNING, or ERROR and then RUNNING after a reset. */
static int recovers(struct vdev *v)
{
	int state = mig_get(v), err;

	if (state != VFIO_DEVICE_STATE_ERROR) {
		err = mig_set(v, RUNNING, NULL);
		if (!err)
			return 0;
		state = mig_get(v);
	}
	if (state != VFIO_DEVICE_STATE_ERROR)
		return -EPROTO;
	err = vdev_reset(v);
	return err ? err : mig_get(v) == RUNNING ? 0 : -EPROTO;
}

/* One fault: the step that it fails, and how, after which the function is well again. */
static void fault(struct __test_metadata *_metadata, FIXTURE_DATA(life) *self,
		  const char *spec, int want, int want_err, const struct blob *good)
{
	uint64_t start = now_ms();
	struct blob b = {};
	int err, at;

	ASSERT_EQ(0, works(&self->v, &self->g));
	ASSERT_EQ(0, model_cmd(&self->m, "fault %s", spec));
	err = mig_set(&self->v, STOP, NULL);
	at = STOPPING;
	if (err) {
		/* Nothing was lost: the function runs as before. */
		EXPECT_EQ(RUNNING, mig_get(&self->v));
	} else {
		err = mig_save(&self->v, &b, false);
		at = SAVING;
	}
	if (!err) {
		err = mig_load(&self->v, good, STOP);
		at = LOADING;
		/* A write() that failed is known to the next change of state. */
		if (mig_get(&self->v) == RESUMING)
			EXPECT_GT(0, mig_set(&self->v, STOP, NULL));
		EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, mig_get(&self->v));
	}
	EXPECT_EQ(want_err, err) TH_LOG("fault %s", spec);
	if (want >= 0)
		EXPECT_EQ(want, at) TH_LOG("fault %s", spec);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	/* What was not saved is in the source still. */
	if (at == SAVING)
		EXPECT_NE(VFIO_DEVICE_STATE_ERROR, mig_get(&self->v)) TH_LOG("fault %s", spec);
	EXPECT_EQ(0, recovers(&self->v)) TH_LOG("fault %s", spec);
	if (at != LOADING)
		EXPECT_EQ(0, guest_work(&self->g, 20)) TH_LOG("fault %s", spec);
	EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - start);
	TH_LOG("fault %s: %d", spec, err);
	blob_free(&b);
	ASSERT_EQ(0, vdev_reset(&self->v));
}

TEST_F_TIMEOUT(life, faults_at_every_step, 180)
{
	const struct family *f = variant->family;
	struct blob good = {};
	unsigned int num = 0;

	ASSERT_EQ(0, works(&self->v, &self->g));
	ASSERT_EQ(0, mig_save(&self->v, &good, false));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	for (unsigned int i = 0; i < ARRAY_SIZE(standard); i++) {
		const struct standard *s = &standard[i];
		int err = s->err ?: s->step == LOADING ? f->load_fails : f->pause_fails;
		char spec[32];

		if (!model_has_fault(&self->m, s->point))
			continue;
		snprintf(spec, sizeof(spec), "%s %s", s->point, s->how);
		fault(_metadata, self, spec, s->step, err, &good);
		num++;
	}
	for (unsigned int i = 0; i < f->num_faults; i++, num++)
		fault(_metadata, self, f->faults[i].spec, -1, f->faults[i].err, &good);
	EXPECT_EQ(0, works(&self->v, &self->g));
	blob_free(&good);
	EXPECT_LT(0U, num);
}

/* Registers that read as ones for a while, as after a surprise removal. */
TEST_F_TIMEOUT(life, registers_gone_for_a_while, 60)
{
	for_each_state(state) {
		uint64_t start = now_ms();
		int fd;

		ASSERT_EQ(0, enter(&self->v, &self->g, state, &fd));
		ASSERT_EQ(0, model_cmd(&self->m, "fault region_read fail"));
		for (unsigned int to = STOP; to < MIG_STATES; to++) {
			int other = -1;

			mig_set(&self->v, to, &other);
			if (other >= 0)
				close(other);
		}
		ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
		close(fd);
		EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - start);
		ASSERT_EQ(0, vdev_reset(&self->v)) {
			TH_LOG("after %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->g)) {
			TH_LOG("after %s", mig_state_name(state));
		}
	}
}

TEST_HARNESS_MAIN
