// SPDX-License-Identifier: GPL-2.0
/*
 * Migration as user space sees it: states and their paths, data files, pre-copy,
 * and operations that go on in another function, each exactly once.
 */
#include <sys/time.h>

#include "lib/states.h"
#include "lib/test.h"

/* ---- one function ---- */

FIXTURE(one)
{
	struct slot slot;
	struct vdev v;
	struct hisil h;
	struct model m;
	struct blob blob;
};

VARIANTS_OF_OPENING(one);

FIXTURE_SETUP(one)
{
	NEED_MODE(variant->mode);
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(0, hisil_share(&self->h, &self->v));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	ASSERT_EQ(0, hisil_enable(&self->h));
}

FIXTURE_TEARDOWN(one)
{
	model_cmd(&self->m, "fault clear");
	hisil_free(&self->h);
	vdev_close(&self->v);
	model_close(&self->m);
	blob_free(&self->blob);
}

TEST_F(one, flags)
{
	uint64_t flags;

	ASSERT_EQ(0, mig_flags(&self->v, &flags));
	EXPECT_EQ((uint64_t)(VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
			     VFIO_MIGRATION_PRE_COPY), flags);
	EXPECT_EQ(RUNNING, mig_get(&self->v));
}

static bool saves(unsigned int state)
{
	return state == STOP_COPY || state == PRE_COPY || state == PRE_COPY_P2P;
}

/* Does this path begin a session, so that a file is returned? */
static bool begins(unsigned int from, unsigned int to)
{
	if (to == RESUMING)
		return from != RESUMING;
	return saves(to) && !saves(from);
}

static bool legal(unsigned int from, unsigned int to)
{
	return from != STOP_COPY || (to != PRE_COPY && to != PRE_COPY_P2P);
}

/* From RUNNING; a stream is loaded at once when it ends in RESUMING. */
static int go_to(struct vdev *v, unsigned int state, const struct blob *stream)
{
	int fd = -1, err = state == RUNNING ? 0 : mig_set(v, state, &fd);

	if (!err && state == RESUMING)
		err = blob_push(stream, fd, 0, stream->bytes, 0);
	if (fd >= 0)
		close(fd);
	return err;
}

/* A closed data file ends no session: the state stays. */
TEST_F(one, every_pair_of_states)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, hisil_work(&self->h, 0, 1));
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));

	for (unsigned int from = STOP; from < MIG_STATES; from++) {
		for (unsigned int to = STOP; to < MIG_STATES; to++) {
			int fd = -1;

			ASSERT_EQ(0, go_to(&self->v, from, &self->blob));
			ASSERT_EQ(from, mig_get(&self->v));
			if (!legal(from, to)) {
				EXPECT_EQ(-EINVAL, mig_set(&self->v, to, &fd));
				EXPECT_EQ(from, mig_get(&self->v));
			} else {
				EXPECT_EQ(0, mig_set(&self->v, to, &fd))
					TH_LOG("%s -> %s", mig_state_name(from),
					       mig_state_name(to));
				EXPECT_EQ(to, mig_get(&self->v));
				EXPECT_EQ(begins(from, to), fd >= 0)
					TH_LOG("%s -> %s gives file %d", mig_state_name(from),
					       mig_state_name(to), fd);
			}
			if (fd >= 0)
				close(fd);
			/* RESUMING without a stream does not end well: reset. */
			if (to == RESUMING && from != RESUMING) {
				ASSERT_EQ(0, vdev_reset(&self->v));
			} else {
				ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
			}
			ASSERT_EQ(RUNNING, mig_get(&self->v));
		}
	}
}

TEST_F(one, works_after_every_round_trip)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		if (state == RESUMING)
			continue;
		hisil_batch_put(&self->h, 0, 3, 10 * state);
		hisil_ring(&self->h, 0);
		ASSERT_EQ(0, go_to(&self->v, state, NULL));
		ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
		EXPECT_EQ(0, hisil_batch_check(&self->h, 0, 3, 10 * state))
			TH_LOG("after %s", mig_state_name(state));
	}
}

TEST_F(one, unknown_states)
{
	int fd;

	EXPECT_EQ(-EINVAL, mig_set(&self->v, ERROR, &fd));
	EXPECT_EQ(-EINVAL, mig_set(&self->v, MIG_STATES, &fd));
	EXPECT_EQ(-EINVAL, mig_set(&self->v, UINT32_MAX, &fd));
	EXPECT_EQ(RUNNING, mig_get(&self->v));
}

TEST_F(one, feature_checks)
{
	struct vfio_device_feature_mig_state s = { .device_state = STOP };
	const uint32_t state = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;

	EXPECT_EQ(0, vdev_feature(&self->v, VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET |
					    VFIO_DEVICE_FEATURE_GET | state, NULL, 0));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET | state, &s, 4));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET |
						  VFIO_DEVICE_FEATURE_GET | state, &s, sizeof(s)));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET |
						  VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, &s, 8));
	EXPECT_EQ(RUNNING, mig_get(&self->v));
}

TEST_F(one, data_size_in_every_state)
{
	uint64_t bytes;

	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		bytes = 0;
		ASSERT_EQ(0, go_to(&self->v, state, &self->blob));
		EXPECT_EQ(0, mig_data_size(&self->v, &bytes));
		EXPECT_GT(bytes, 0U);
		EXPECT_LT(bytes, 1U << 20);
		ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	}
	/* Nor does it fail in ERROR. */
	ASSERT_EQ(0, mig_set(&self->v, RESUMING, NULL));
	ASSERT_NE(0, mig_set(&self->v, STOP, NULL));
	EXPECT_EQ(ERROR, mig_get(&self->v));
	EXPECT_EQ(0, mig_data_size(&self->v, &bytes));
	ASSERT_EQ(0, vdev_reset(&self->v));
}

TEST_F(one, error_is_left_by_reset_only)
{
	int fd;

	ASSERT_EQ(0, mig_set(&self->v, RESUMING, &fd));
	ASSERT_EQ(-ENODATA, mig_set(&self->v, STOP, NULL));
	ASSERT_EQ(ERROR, mig_get(&self->v));
	for (unsigned int state = 0; state < MIG_STATES; state++) {
		int other;

		EXPECT_GT(0, mig_set(&self->v, state, &other))
			TH_LOG("to %s", mig_state_name(state));
		EXPECT_EQ(ERROR, mig_get(&self->v));
	}
	EXPECT_EQ(-1, write(fd, "x", 1));
	close(fd);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(RUNNING, mig_get(&self->v));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	ASSERT_EQ(0, hisil_enable(&self->h));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 5));
}

TEST_F(one, reset_aborts_resuming)
{
	int fd;

	ASSERT_EQ(0, mig_set(&self->v, RESUMING, &fd));
	ASSERT_EQ(8, write(fd, VPV_STREAM_MAGIC, 8));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(RUNNING, mig_get(&self->v));
	EXPECT_EQ(-1, write(fd, "x", 1));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
}

/* ---- data files ---- */

/* Nothing is mapped there; the compiler must not know. */
static void *volatile bad_address = (void *)8;

static short polled(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

TEST_F(one, precopy_ends_in_enomsg)
{
	uint8_t byte;
	int fd;

	ASSERT_EQ(0, mig_set(&self->v, PRE_COPY, &fd));
	ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, fd, 0));
	EXPECT_GT(self->blob.bytes, sizeof(struct vpv_stream_header));
	EXPECT_EQ(0, polled(fd, POLLIN) & (POLLIN | POLLERR));
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(ENOMSG, errno);
	ASSERT_EQ(0, mig_set(&self->v, PRE_COPY_P2P, NULL));
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(ENOMSG, errno);
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, NULL));
	EXPECT_EQ(0, blob_pull(&self->blob, fd, 0));
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_EQ(0, read(fd, &byte, 1));
		EXPECT_EQ(POLLIN, polled(fd, POLLIN) & (POLLIN | POLLERR));
	}
	/* A file of a session that was left is dead. */
	ASSERT_EQ(0, mig_set(&self->v, STOP, NULL));
	EXPECT_GE(0, read(fd, &byte, 1));
	close(fd);
	ASSERT_EQ(0, mig_load(&self->v, &self->blob, RUNNING));
}

TEST_F(one, data_files_only_stream)
{
	uint8_t byte = 0;
	int fd;

	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &fd));
	EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_EQ(-1, pread(fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, write(fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, read(fd, bad_address, 100));
	EXPECT_EQ(EFAULT, errno);
	close(fd);
	ASSERT_EQ(0, mig_set(&self->v, RESUMING, &fd));
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, pwrite(fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, write(fd, bad_address, 100));
	EXPECT_EQ(EFAULT, errno);
	close(fd);
	ASSERT_EQ(0, vdev_reset(&self->v));
}

TEST_F(one, fault_in_a_read_loses_nothing)
{
	struct blob whole = {};
	int fd;

	ASSERT_EQ(0, mig_save(&self->v, &whole, false));
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &fd));
	EXPECT_EQ(-1, read(fd, bad_address, 64));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, blob_pull(&self->blob, fd, 0));
	close(fd);
	EXPECT_EQ(whole.bytes, self->blob.bytes);
	EXPECT_EQ(0, memcmp(whole.data, self->blob.data, whole.bytes));
	blob_free(&whole);
}

TEST_F(one, one_byte_at_a_time)
{
	struct blob whole = {};
	int fd;

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, hisil_work(&self->h, 0, 1));
	ASSERT_EQ(0, mig_save(&self->v, &whole, false));
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &fd));
	ASSERT_EQ(0, blob_pull(&self->blob, fd, 1));
	close(fd);
	EXPECT_EQ(whole.bytes, self->blob.bytes);
	EXPECT_EQ(0, memcmp(whole.data, self->blob.data, whole.bytes));
	blob_free(&whole);

	ASSERT_EQ(0, mig_set(&self->v, RESUMING, &fd));
	ASSERT_EQ(0, blob_push(&self->blob, fd, 0, self->blob.bytes, 1));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	close(fd);
	EXPECT_EQ(0, hisil_work(&self->h, 0, 2));
}

TEST_F(one, splice)
{
	int fd, pipefd[2];
	uint8_t buf[4096];
	ssize_t n, in;

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, hisil_work(&self->h, 0, 1));
	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &fd));
	while ((n = splice(fd, NULL, pipefd[1], NULL, sizeof(buf), 0)) > 0) {
		ASSERT_EQ(n, read(pipefd[0], buf, n));
		ASSERT_EQ(0, blob_append(&self->blob, buf, n));
	}
	EXPECT_EQ(0, n) TH_LOG("splice: %s", strerror(errno));
	close(fd);

	ASSERT_EQ(0, mig_set(&self->v, RESUMING, &fd));
	for (size_t pos = 0; pos < self->blob.bytes; pos += n) {
		n = self->blob.bytes - pos < 1000 ? self->blob.bytes - pos : 1000;
		ASSERT_EQ(n, write(pipefd[1], self->blob.data + pos, n));
		for (ssize_t left = n; left > 0; left -= in) {
			in = splice(pipefd[0], NULL, fd, NULL, left, 0);
			ASSERT_GT(in, 0) TH_LOG("splice: %s", strerror(errno));
		}
	}
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	close(fd);
	close(pipefd[0]);
	close(pipefd[1]);
	EXPECT_EQ(0, hisil_work(&self->h, 0, 2));
}

TEST_F(one, nonblocking_read_does_not_wait)
{
	uint8_t buf[4096];
	unsigned int again = 0;
	ssize_t n;
	int fd;

	ASSERT_EQ(0, model_cmd(&self->m, "fault ctx_read delay=60 count=4"));
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &fd));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	while ((n = read(fd, buf, sizeof(buf)))) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (n > 0) {
			ASSERT_EQ(0, blob_append(&self->blob, buf, n));
			continue;
		}
		ASSERT_EQ(EAGAIN, errno);
		again++;
		ASSERT_EQ(1, poll(&p, 1, 5000));
	}
	close(fd);
	EXPECT_GT(again, 0U);
	EXPECT_EQ(0, mig_load(&self->v, &self->blob, RUNNING));
}

static void on_alarm(int sig)
{
	(void)sig;
}

TEST_F(one, signal_interrupts_a_read_that_waits)
{
	/* Again and again: one that comes between two reads interrupts none. */
	const struct itimerval every = { { .tv_usec = 50000 }, { .tv_usec = 50000 } }, off = {};
	struct sigaction sa = { .sa_handler = on_alarm };
	uint8_t buf[4096];
	ssize_t n;
	int fd;

	sigaction(SIGALRM, &sa, NULL);
	ASSERT_EQ(0, model_cmd(&self->m, "fault ctx_read delay=90 count=20"));
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &fd));
	setitimer(ITIMER_REAL, &every, NULL);
	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EINTR, errno);
	setitimer(ITIMER_REAL, &off, NULL);
	close(fd);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, mig_set(&self->v, RUNNING, NULL));
}

/* ---- pre-copy ---- */

TEST_F(one, precopy_info)
{
	struct vfio_precopy_info info = {};
	uint64_t before;
	uint8_t buf[16];
	int fd;

	ASSERT_EQ(0, mig_set(&self->v, PRE_COPY, &fd));
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	EXPECT_GT(info.initial_bytes, 0U);
	EXPECT_EQ(0U, info.dirty_bytes);
	before = info.initial_bytes;
	ASSERT_EQ(16, read(fd, buf, 16));
	/* What the caller left in the fields must not come back. */
	info.initial_bytes = UINT64_MAX;
	info.dirty_bytes = UINT64_MAX;
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	EXPECT_EQ(before - 16, info.initial_bytes);
	EXPECT_EQ(0U, info.dirty_bytes);
	ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, fd, 0));
	EXPECT_EQ(before - 16, self->blob.bytes);
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	EXPECT_EQ(0U, info.initial_bytes);
	EXPECT_EQ(0U, info.dirty_bytes);

	info.argsz = sizeof(info) - 1;
	EXPECT_EQ(-1, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(fd, _IO(VFIO_TYPE, VFIO_BASE + 99), &info));
	EXPECT_EQ(ENOTTY, errno);
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, NULL));
	EXPECT_EQ(-EINVAL, mig_precopy_info(fd, &info));
	close(fd);
	ASSERT_EQ(0, mig_set(&self->v, RESUMING, &fd));
	EXPECT_EQ(-ENOTTY, mig_precopy_info(fd, &info));
	close(fd);
	ASSERT_EQ(0, vdev_reset(&self->v));
}

TEST_F(one, precopy_info_v2)
{
	struct vfio_precopy_info info = { .flags = 0xffffffff };
	int fd, err = vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET |
					     VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0);

	if (err == -ENOTTY)
		SKIP(return, "this kernel has no second version of PRECOPY_INFO");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, mig_set(&self->v, PRE_COPY, &fd));
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	EXPECT_EQ(0U, info.flags & ~VFIO_PRECOPY_INFO_REINIT);
	EXPECT_GT(info.initial_bytes, 0U);
	close(fd);
}

TEST_F(one, aborted_precopy_goes_on_running)
{
	int fd;

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	for (unsigned int i = 0; i < 3; i++) {
		ASSERT_EQ(0, mig_set(&self->v, i == 1 ? PRE_COPY_P2P : PRE_COPY, &fd));
		if (i != 1) {
			ASSERT_EQ(0, hisil_work(&self->h, 0, i));
		}
		ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
		EXPECT_EQ(0, hisil_work(&self->h, 0, 10 + i));
		close(fd);
	}
}

/* ---- P2P ---- */

TEST_F(one, no_dma_in_running_p2p)
{
	uint64_t writes[2], reads[2];

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 64, false));
	ASSERT_EQ(0, model_cmd(&self->m, "fault op delay=5"));
	hisil_batch_put(&self->h, 0, 40, 1);
	hisil_ring(&self->h, 0);
	ASSERT_EQ(0, mig_set(&self->v, RUNNING_P2P, NULL));
	ASSERT_EQ(0, model_value(&self->m, "stats", "dma_writes", &writes[0]));
	ASSERT_EQ(0, model_value(&self->m, "stats", "dma_reads", &reads[0]));

	/* Registers answer and doorbells are taken. */
	EXPECT_EQ(HISIL_ID_VALUE, hisil_read(&self->h, HISIL_ID));
	hisil_batch_put(&self->h, 0, 5, 100);
	hisil_ring(&self->h, 0);
	EXPECT_EQ(45U, hisil_read(&self->h, HISIL_Q(0) + HISIL_SQ_TAIL));
	usleep(200000);
	ASSERT_EQ(0, model_value(&self->m, "stats", "dma_writes", &writes[1]));
	ASSERT_EQ(0, model_value(&self->m, "stats", "dma_reads", &reads[1]));
	EXPECT_EQ(writes[0], writes[1]);
	EXPECT_EQ(reads[0], reads[1]);
	EXPECT_LT(hisil_read64(&self->h, HISIL_OPS_DONE), 40U);

	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	/* Slots 0 to 4 of the batch were written again: check order and tags only. */
	for (unsigned int i = 0; i < 45; i++) {
		struct hisil_cqe c;

		ASSERT_EQ(0, hisil_next(&self->h, 0, &c, 5000));
		EXPECT_EQ(i < 40 ? 1 + i : 100 + i - 40, c.tag);
		EXPECT_EQ(HISIL_OK, c.status);
	}
}

TEST_F(one, registers_stand_still_when_stopped)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, mig_set(&self->v, STOP, NULL));
	hisil_batch_put(&self->h, 0, 2, 1);
	hisil_ring(&self->h, 0);
	EXPECT_EQ(0U, hisil_read(&self->h, HISIL_Q(0) + HISIL_SQ_TAIL));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	hisil_ring(&self->h, 0);
	EXPECT_EQ(0, hisil_batch_check(&self->h, 0, 2, 1));
}

/* The user may do what it likes to config space while the state is read. */
TEST_F(one, saving_does_not_need_memory_enable)
{
	uint32_t cmd = vdev_cfg(&self->v, PCI_COMMAND, 2);

	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, cmd & ~PCI_COMMAND_MEMORY));
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, true));
	EXPECT_EQ(0U, vdev_cfg(&self->v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, cmd));
}

/* An operation that never ends: it is parked, and done once, here or there. */
TEST_F(one, work_that_does_not_end_is_kept)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, model_cmd(&self->m, "fault op hang count=1 skip=1"));
	hisil_batch_put(&self->h, 0, 4, 1);
	hisil_ring(&self->h, 0);
	usleep(100000);
	ASSERT_EQ(0, mig_set(&self->v, STOP, NULL));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	EXPECT_EQ(0, hisil_batch_check(&self->h, 0, 4, 1));
	EXPECT_EQ(4U, hisil_read64(&self->h, HISIL_OPS_DONE));
}

/* Nothing helps: it goes on as if nobody had asked. */
TEST_F(one, a_drain_that_fails_leaves_it_running)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, model_cmd(&self->m, "fault pause hang"));
	EXPECT_EQ(-ETIMEDOUT, mig_set(&self->v, STOP, NULL));
	EXPECT_EQ(RUNNING, mig_get(&self->v));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 1));
}

/* ---- from one function to another ---- */

FIXTURE(two)
{
	struct slot slot[2];
	struct vdev a, b;
	struct model ma, mb;
	struct hisil h;
	struct blob blob;
};

VARIANTS_OF_OPENING(two);

FIXTURE_SETUP(two)
{
	NEED_MODE(variant->mode);
	NEED_SLOTS(self->slot, 2);
	ASSERT_EQ(0, model_open(&self->ma, &self->slot[0]));
	ASSERT_EQ(0, model_open(&self->mb, &self->slot[1]));
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], variant->mode));
	ASSERT_EQ(0, vdev_open(&self->b, &self->slot[1], variant->mode));
	ASSERT_EQ(0, hisil_share(&self->h, &self->a));
	ASSERT_EQ(0, hisil_share(&self->h, &self->b));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->a));
	ASSERT_EQ(0, hisil_enable(&self->h));
}

FIXTURE_TEARDOWN(two)
{
	model_cmd(&self->ma, "fault clear");
	hisil_free(&self->h);
	vdev_close(&self->a);
	vdev_close(&self->b);
	model_close(&self->ma);
	model_close(&self->mb);
	blob_free(&self->blob);
}

/* The VMM moves config space and interrupts; then the guest sees the new function. */
static int arrive(struct hisil *h, struct vdev *v, unsigned int vectors)
{
	int err = hisil_attach(h, v);

	if (!err && vectors)
		err = hisil_irq_enable(h, vectors);
	return err ? err : vdev_bus_master(v, true);
}

TEST_F(two, idle_function)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, hisil_work(&self->h, 0, 1));
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, true));
	ASSERT_EQ(0, mig_load(&self->b, &self->blob, STOP));
	ASSERT_EQ(0, arrive(&self->h, &self->b, 0));
	ASSERT_EQ(0, mig_set(&self->b, RUNNING, NULL));
	EXPECT_EQ(6U, hisil_read64(&self->h, HISIL_OPS_DONE));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 2));
	EXPECT_EQ(12U, hisil_read64(&self->h, HISIL_OPS_DONE));
}

/* OPS_DONE of the source in the stream: in the global context. */
static uint64_t ops_in_stream(const struct blob *b)
{
	struct stream s;
	uint64_t done = UINT64_MAX;

	if (stream_split(&s, b))
		return done;
	for (unsigned int i = 0; i < s.num; i++)
		if (s.rec[i].type == VPV_RECORD_FAMILY && s.rec[i].bytes == 64)
			memcpy(&done, (const uint8_t *)s.payload[i] + 16, sizeof(done));
	return done;
}

#define QUEUES 3
#define OPS 20

TEST_F(two, parked_and_pending_operations_run_once)
{
	uint64_t writes[2], a, b, in_stream;
	struct hisil_cqe c;

	ASSERT_EQ(0, hisil_irq_enable(&self->h, QUEUES));
	for (unsigned int q = 0; q < QUEUES; q++) {
		ASSERT_EQ(0, hisil_queue_start(&self->h, q, 32, true));
		hisil_batch_put(&self->h, q, OPS, 1000 * q);
	}
	ASSERT_EQ(0, model_cmd(&self->ma, "fault op delay=10"));
	for (unsigned int q = 0; q < QUEUES; q++)
		hisil_ring(&self->h, q);
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, true));

	/* Some were done, some were not. */
	in_stream = ops_in_stream(&self->blob);
	EXPECT_LT(0U, in_stream);
	EXPECT_GT((uint64_t)QUEUES * OPS, in_stream);
	ASSERT_EQ(0, model_value(&self->ma, "stats", "dma_writes", &writes[0]));
	ASSERT_EQ(0, mig_load(&self->b, &self->blob, STOP));
	ASSERT_EQ(0, arrive(&self->h, &self->b, QUEUES));
	ASSERT_EQ(0, mig_set(&self->b, RUNNING, NULL));
	for (unsigned int q = 0; q < QUEUES; q++) {
		EXPECT_EQ(0, hisil_batch_check(&self->h, q, OPS, 1000 * q));
	}
	for (unsigned int q = 0; q < QUEUES; q++) {
		EXPECT_EQ(-ETIMEDOUT, hisil_next(&self->h, q, &c, 20));
	}

	/* What the source did is what it said it did, and the rest was done here. */
	ASSERT_EQ(0, model_value(&self->ma, "stats", "ops_done", &a));
	ASSERT_EQ(0, model_value(&self->mb, "stats", "ops_done", &b));
	EXPECT_EQ(in_stream, a);
	EXPECT_EQ((uint64_t)QUEUES * OPS, b);
	ASSERT_EQ(0, model_value(&self->ma, "stats", "dma_writes", &writes[1]));
	EXPECT_EQ(writes[0], writes[1]);
}

TEST_F(two, work_that_does_not_end_moves)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	ASSERT_EQ(0, model_cmd(&self->ma, "fault op hang skip=1"));
	hisil_batch_put(&self->h, 0, 6, 1);
	hisil_ring(&self->h, 0);
	usleep(100000);
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, true));
	EXPECT_EQ(1U, ops_in_stream(&self->blob));
	ASSERT_EQ(0, mig_load(&self->b, &self->blob, STOP));
	ASSERT_EQ(0, arrive(&self->h, &self->b, 0));
	ASSERT_EQ(0, mig_set(&self->b, RUNNING, NULL));
	EXPECT_EQ(0, hisil_batch_check(&self->h, 0, 6, 1));
	EXPECT_EQ(6U, hisil_read64(&self->h, HISIL_OPS_DONE));
}

TEST_F(two, owed_interrupts_arrive)
{
	struct hisil_sqe e = hisil_op(HISIL_NOP, 7, 0, 0, 0, 0);

	e.flags = HISIL_SQE_IRQ;
	ASSERT_EQ(0, hisil_irq_enable(&self->h, 1));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, true));
	ASSERT_EQ(0, model_cmd(&self->ma, "fault op delay=50"));
	for (unsigned int i = 0; i < 4; i++)
		hisil_put(&self->h, 0, &e);
	hisil_ring(&self->h, 0);
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, false));
	eventfd_wait(self->h.irq[0], 0);
	ASSERT_EQ(0, mig_load(&self->b, &self->blob, STOP));
	ASSERT_EQ(0, arrive(&self->h, &self->b, 1));
	ASSERT_EQ(0, mig_set(&self->b, RUNNING, NULL));
	EXPECT_EQ(1, eventfd_wait(self->h.irq[0], 3000));
	for (unsigned int i = 0; i < 4; i++) {
		struct hisil_cqe c;

		ASSERT_EQ(0, hisil_next(&self->h, 0, &c, 3000));
		EXPECT_EQ(7U, c.tag);
	}
}

TEST_F(two, back_and_forth_at_work)
{
	struct vdev *on = &self->a, *other = &self->b;
	unsigned int done = 0;

	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 32, false));
	for (unsigned int round = 0; round < 4; round++) {
		struct vdev *tmp = on;

		hisil_batch_put(&self->h, 0, 12, 100 * round);
		hisil_ring(&self->h, 0);
		self->blob.bytes = 0;
		ASSERT_EQ(0, mig_save(on, &self->blob, round & 1));
		ASSERT_EQ(0, mig_load(other, &self->blob, STOP));
		ASSERT_EQ(0, arrive(&self->h, other, 0));
		ASSERT_EQ(0, mig_set(other, RUNNING, NULL));
		ASSERT_EQ(0, hisil_batch_check(&self->h, 0, 12, 100 * round));
		done += 12;
		EXPECT_EQ(done, hisil_read64(&self->h, HISIL_OPS_DONE));
		on = other;
		other = tmp;
	}
}

/* A source that was stopped and is not needed elsewhere goes on. */
TEST_F(two, source_can_go_on_when_the_destination_fails)
{
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 32, false));
	ASSERT_EQ(0, model_cmd(&self->ma, "fault op delay=10"));
	hisil_batch_put(&self->h, 0, 10, 1);
	hisil_ring(&self->h, 0);
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, true));
	self->blob.data[self->blob.bytes / 2] ^= 1;
	EXPECT_EQ(-EBADMSG, mig_load(&self->b, &self->blob, RUNNING));
	ASSERT_EQ(0, mig_set(&self->a, RUNNING, NULL));
	EXPECT_EQ(0, hisil_batch_check(&self->h, 0, 10, 1));
	EXPECT_EQ(0, vdev_reset(&self->b));
	EXPECT_EQ(RUNNING, mig_get(&self->b));
}

TEST_HARNESS_MAIN
