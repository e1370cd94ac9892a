// SPDX-License-Identifier: GPL-2.0
/*
 * The end of things, in every state of a migration: close, reset, unbind, death of
 * the owner, faults of the hardware.  Data files outlive all of it and only fail.
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "lib/states.h"
#include "lib/test.h"

/* Long enough for a slow machine, too short for anything that hangs. */
#define PROMPT_MS	20000

FIXTURE(life)
{
	struct slot slot;
	struct vdev v;
	struct hisil h;
	struct model m;
	enum vdev_mode mode;
};

FIXTURE_SETUP(life)
{
	self->mode = access("/dev/iommu", R_OK) ? VDEV_GROUP : VDEV_CDEV;
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, self->mode));
	ASSERT_EQ(0, hisil_share(&self->h, &self->v));
}

FIXTURE_TEARDOWN(life)
{
	model_cmd(&self->m, "fault clear");
	hisil_free(&self->h);
	vdev_close(&self->v);
	model_close(&self->m);
}

/* Give the guest's queue something to do, then go to @state; the session's file or -1. */
static int enter(struct vdev *v, struct hisil *h, unsigned int state, int *data_fd)
{
	int err = hisil_attach(h, v);

	if (!err)
		err = hisil_enable(h);
	if (!err)
		err = hisil_queue_start(h, 0, 16, false);
	if (err)
		return err;
	hisil_batch_put(h, 0, 4, 1);
	hisil_ring(h, 0);
	*data_fd = -1;
	return state == RUNNING ? 0 : mig_set(v, state, data_fd);
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
static int works(struct vdev *v, struct hisil *h)
{
	int err;

	if (mig_get(v) != RUNNING)
		return -EPROTO;
	err = hisil_attach(h, v);
	if (!err)
		err = hisil_enable(h);
	if (!err)
		err = hisil_queue_start(h, 1, 16, false);
	return err ? err : hisil_work(h, 1, 77);
}

/* A mapping would keep the device open. */
static void shut(struct vdev *v, struct hisil *h)
{
	hisil_detach(h);
	vdev_close(v);
}

static int reopen(struct vdev *v, struct hisil *h)
{
	struct slot slot = v->slot;
	enum vdev_mode mode = v->mode;
	int err;

	shut(v, h);
	err = vdev_open(v, &slot, mode);
	return err ? err : hisil_share(h, v);
}

TEST_F(life, close_in_every_state)
{
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		int fd;

		ASSERT_EQ(0, enter(&self->v, &self->h, state, &fd));
		ASSERT_EQ(0, reopen(&self->v, &self->h));
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->h)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		close(fd);
	}
}

TEST_F(life, reset_ioctl_in_every_state)
{
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		int fd;

		ASSERT_EQ(0, enter(&self->v, &self->h, state, &fd));
		ASSERT_EQ(0, vdev_reset(&self->v));
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->h)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		close(fd);
	}
}

TEST_F(life, sysfs_reset_in_every_state)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", self->slot.bdf);
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		struct blob saved = {};
		int fd;

		ASSERT_EQ(0, enter(&self->v, &self->h, state, &fd));
		/* A save that reads contexts while this reset goes on fails by itself. */
		if (state == STOP_COPY) {
			ASSERT_EQ(0, blob_pull(&saved, fd, 0));
		}
		blob_free(&saved);
		ASSERT_EQ(0, sysfs_write(path, "1"));
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->h)) {
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
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		int fd, req = eventfd_new();
		pthread_t thread;
		void *ret;

		ASSERT_GE(req, 0);
		ASSERT_EQ(0, enter(&self->v, &self->h, state, &fd));
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
		shut(&self->v, &self->h);
		ASSERT_EQ(0, pthread_join(thread, &ret));
		EXPECT_EQ(0, (intptr_t)ret);
		EXPECT_TRUE(data_file_is_dead(fd, state));
		close(req);

		ASSERT_EQ(0, vdev_bind(self->slot.bdf, DRIVER));
		ASSERT_EQ(0, vdev_open(&self->v, &self->slot, self->mode));
		ASSERT_EQ(0, hisil_share(&self->h, &self->v));
		EXPECT_EQ(0, works(&self->v, &self->h));
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
static void owner(const struct slot *slot, enum vdev_mode mode, unsigned int state, int tell)
{
	struct {
		int err, fd;
	} said = { .fd = -1 };
	struct vdev v;
	struct hisil h;

	said.err = hisil_init(&h);
	if (!said.err)
		said.err = vdev_open(&v, slot, mode);
	if (!said.err)
		said.err = hisil_share(&h, &v);
	if (!said.err)
		said.err = enter(&v, &h, state, &said.fd);
	if (write(tell, &said, sizeof(said)) != sizeof(said))
		_exit(1);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(life, kill_of_the_owner_in_every_state, 60)
{
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		struct {
			int err, fd;
		} said = {};
		int tell[2], fd = -1, status;
		pid_t pid;

		shut(&self->v, &self->h);
		ASSERT_EQ(0, pipe(tell));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			owner(&self->slot, self->mode, state, tell[1]);
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

		ASSERT_EQ(0, vdev_open(&self->v, &self->slot, self->mode));
		ASSERT_EQ(0, hisil_share(&self->h, &self->v));
		EXPECT_TRUE(data_file_is_dead(fd, state)) {
			TH_LOG("in %s", mig_state_name(state));
		}
		EXPECT_EQ(0, works(&self->v, &self->h)) {
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

	ASSERT_EQ(0, enter(&self->v, &self->h, RUNNING, &r.fd));
	ASSERT_EQ(0, model_cmd(&self->m, "fault ctx_read delay=90"));
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &r.fd));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, &r));
	usleep(200000);
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(ENODEV, r.err);
	close(r.fd);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, works(&self->v, &self->h));
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
	EXPECT_EQ(0, works(&self->v, &self->h));
}

/* ---- faults of the hardware ---- */

struct fault {
	const char *spec;
	int pause_err;		/* RUNNING -> RUNNING_P2P, or 0 */
	bool save_fails;
	bool load_fails;
};

static const struct fault faults[] = {
	{ "pause fail", .pause_err = -ETIMEDOUT },
	{ "pause hang", .pause_err = -ETIMEDOUT },
	{ "ctx_read fail", .save_fails = true },
	{ "ctx_read fail skip=1", .save_fails = true },
	{ "ctx_read hang", .save_fails = true },
	{ "ctx_write fail", .load_fails = true },
	{ "ctx_write fail skip=1", .load_fails = true },
	{ "ctx_write hang", .load_fails = true },
	{ "clear fail", .load_fails = true },
	{ "clear hang", .load_fails = true },
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

TEST_F_TIMEOUT(life, faults_at_every_step, 90)
{
	struct blob good = {}, b = {};

	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	ASSERT_EQ(0, hisil_enable(&self->h));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, hisil_work(&self->h, 0, 1));
	ASSERT_EQ(0, mig_save(&self->v, &good, false));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));

	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct fault *f = &faults[i];
		uint64_t start;

		ASSERT_EQ(0, model_cmd(&self->m, "fault %s", f->spec));
		start = now_ms();
		EXPECT_EQ(f->pause_err, mig_set(&self->v, RUNNING_P2P, NULL)) {
			TH_LOG("fault %s", f->spec);
		}
		if (f->pause_err) {
			/* Nothing was lost: the function runs as before. */
			EXPECT_EQ(RUNNING, mig_get(&self->v));
			ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
			EXPECT_EQ(0, hisil_work(&self->h, 0, 20 + i)) {
				TH_LOG("fault %s", f->spec);
			}
			continue;
		}
		b.bytes = 0;
		EXPECT_EQ(f->save_fails, mig_save(&self->v, &b, true) != 0) {
			TH_LOG("fault %s", f->spec);
		}
		if (f->save_fails) {
			ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
			EXPECT_EQ(0, recovers(&self->v)) {
				TH_LOG("fault %s", f->spec);
			}
		} else {
			EXPECT_EQ(f->load_fails, mig_load(&self->v, &good, STOP) != 0) {
				TH_LOG("fault %s", f->spec);
			}
			EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, mig_get(&self->v));
			ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
			EXPECT_EQ(0, recovers(&self->v)) {
				TH_LOG("fault %s", f->spec);
			}
		}
		EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - start);
		ASSERT_EQ(0, vdev_reset(&self->v));
		ASSERT_EQ(0, works(&self->v, &self->h));
		ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	}
	blob_free(&good);
	blob_free(&b);
}

/* Registers that read as ones for a while, as after a surprise removal. */
TEST_F_TIMEOUT(life, registers_gone_for_a_while, 60)
{
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		uint64_t start = now_ms();
		int fd;

		ASSERT_EQ(0, enter(&self->v, &self->h, state, &fd));
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
		EXPECT_EQ(0, works(&self->v, &self->h)) {
			TH_LOG("after %s", mig_state_name(state));
		}
	}
}

TEST_HARNESS_MAIN
