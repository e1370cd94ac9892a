// SPDX-License-Identifier: GPL-2.0
/*
 * Migration of one function, of each family: states and their paths, data files, pre-copy.
 *
 * Groups: self families stable
 */
#include <sys/time.h>

#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

/* ---- one function ---- */

FIXTURE(one)
{
	struct slot slot;
	struct vdev v;
	struct guest g;
	struct model m;
	struct blob blob;
};

VARIANTS_OF_FAMILIES(one, one_way);

FIXTURE_SETUP(one)
{
	NEED_FAMILY(variant->family, &self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(0, guest_share(&self->g, &self->v));
	ASSERT_EQ(0, guest_boot(&self->g, &self->v));
}

FIXTURE_TEARDOWN(one)
{
	model_cmd(&self->m, "fault clear");
	guest_free(&self->g);
	vdev_close(&self->v);
	model_close(&self->m);
	blob_free(&self->blob);
}

TEST_F(one, flags)
{
	uint64_t flags;

	ASSERT_EQ(0, mig_flags(&self->v, &flags));
	EXPECT_EQ(variant->family->migration, flags);
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

static bool legal(const struct family *f, unsigned int from, unsigned int to)
{
	if (from == STOP_COPY && (to == PRE_COPY || to == PRE_COPY_P2P))
		return false;
	return family_has_state(f, to);
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
	const struct family *f = variant->family;

	ASSERT_EQ(0, guest_work(&self->g, 1));
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));

	for (unsigned int from = STOP; from < MIG_STATES; from++) {
		for (unsigned int to = STOP; family_has_state(f, from) && to < MIG_STATES; to++) {
			int fd = -1;

			ASSERT_EQ(0, go_to(&self->v, from, &self->blob));
			ASSERT_EQ(from, mig_get(&self->v));
			if (!legal(f, from, to)) {
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
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		if (state == RESUMING || !family_has_state(variant->family, state))
			continue;
		ASSERT_EQ(0, guest_start(&self->g, state));
		ASSERT_EQ(0, go_to(&self->v, state, NULL));
		ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
		EXPECT_EQ(0, guest_check(&self->g, state))
			TH_LOG("after %s", mig_state_name(state));
	}
}

TEST_F(one, what_is_hidden_cannot_be_reached)
{
	const struct family *f = variant->family;
	struct vfio_region_info info = { .argsz = sizeof(info) };
	uint32_t val;

	ASSERT_EQ(0, vdev_region(&self->v, f->bar, &info));
	EXPECT_EQ(f->bar_bytes, info.size);
	EXPECT_GT(0, vdev_pread(&self->v, f->bar, f->bar_bytes, &val, sizeof(val)));
}

/* Vendor-specific capabilities are the device's own, and the next user's like the last one's. */
TEST_F(one, what_is_written_to_vendor_capabilities_ends_with_its_user)
{
	uint8_t before[256], after[256], at;
	bool any = false;

	guest_off(&self->g);
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(sizeof(before), vdev_pread(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, 0, before,
					     sizeof(before)));
	for (at = before[PCI_CAPABILITY_LIST]; at; at = before[at + PCI_CAP_LIST_NEXT]) {
		if (before[at] != PCI_CAP_ID_VNDR)
			continue;
		any = true;
		for (unsigned int i = 4; i < before[at + 2]; i += 4)
			ASSERT_EQ(0, vdev_cfg_set(&self->v, at + i, 4, 0x01010101));
	}
	if (!any)
		SKIP(return, "has no vendor-specific capability");
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(sizeof(after), vdev_pread(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, 0, after,
					    sizeof(after)));
	for (unsigned int i = 0; i < sizeof(before); i++) {
		EXPECT_EQ(before[i], after[i])
			TH_LOG("at %#x", i);
	}
	ASSERT_EQ(0, guest_share(&self->g, &self->v));
	ASSERT_EQ(0, guest_boot(&self->g, &self->v));
	EXPECT_EQ(0, guest_work(&self->g, 1));
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
		if (!family_has_state(variant->family, state))
			continue;
		bytes = 0;
		ASSERT_EQ(0, go_to(&self->v, state, &self->blob));
		EXPECT_EQ(0, mig_data_size(&self->v, &bytes));
		EXPECT_GT(bytes, 0U);
		EXPECT_LT(bytes, variant->family->state_max);
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
	ASSERT_EQ(0, guest_boot(&self->g, &self->v));
	EXPECT_EQ(0, guest_work(&self->g, 5));
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

	NEED(variant->family->migration & VFIO_MIGRATION_PRE_COPY, "has no pre-copy");
	ASSERT_EQ(0, mig_set(&self->v, PRE_COPY, &fd));
	ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, fd, 0));
	EXPECT_GT(self->blob.bytes, sizeof(struct vpv_stream_header));
	EXPECT_EQ(0, polled(fd, POLLIN) & (POLLIN | POLLERR));
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(ENOMSG, errno);
	if (family_has_state(variant->family, PRE_COPY_P2P)) {
		ASSERT_EQ(0, mig_set(&self->v, PRE_COPY_P2P, NULL));
		EXPECT_EQ(-1, read(fd, &byte, 1));
		EXPECT_EQ(ENOMSG, errno);
	}
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

/* Two streams of one state, unless it has changed meanwhile. */
static void expect_same(struct __test_metadata *_metadata, const struct family *f,
			const struct blob *a, const struct blob *b)
{
	EXPECT_EQ(a->bytes, b->bytes);
	if (!f->rounds && a->bytes == b->bytes)
		EXPECT_EQ(0, memcmp(a->data, b->data, a->bytes));
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
	expect_same(_metadata, variant->family, &whole, &self->blob);
	blob_free(&whole);
	EXPECT_EQ(0, mig_load(&self->v, &self->blob, RUNNING));
	EXPECT_EQ(0, guest_work(&self->g, 1));
}

/* Or a few, of a state that is large. */
TEST_F(one, one_byte_at_a_time)
{
	struct blob whole = {};
	size_t step;
	int fd;

	ASSERT_EQ(0, guest_work(&self->g, 1));
	ASSERT_EQ(0, mig_save(&self->v, &whole, false));
	step = whole.bytes < 1U << 16 ? 1 : 4093;
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, &fd));
	ASSERT_EQ(0, blob_pull(&self->blob, fd, step));
	close(fd);
	expect_same(_metadata, variant->family, &whole, &self->blob);
	blob_free(&whole);

	ASSERT_EQ(0, mig_set(&self->v, RESUMING, &fd));
	ASSERT_EQ(0, blob_push(&self->blob, fd, 0, self->blob.bytes, step));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	close(fd);
	EXPECT_EQ(0, guest_work(&self->g, 2));
}

TEST_F(one, splice)
{
	int fd, pipefd[2];
	uint8_t buf[4096];
	ssize_t n, in;

	ASSERT_EQ(0, guest_work(&self->g, 1));
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
	EXPECT_EQ(0, guest_work(&self->g, 2));
}

TEST_F(one, nonblocking_read_does_not_wait)
{
	uint8_t buf[4096];
	unsigned int again = 0;
	ssize_t n;
	int fd;

	NEED(model_has_fault(&self->m, "save"), "there is nothing to wait for in a save");
	ASSERT_EQ(0, model_cmd(&self->m, "fault save delay=60 count=4"));
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

static void on_alarm(int sig) { }

TEST_F(one, signal_interrupts_a_read_that_waits)
{
	/* Again and again: one that comes between two reads interrupts none. */
	const struct itimerval every = { { .tv_usec = 50000 }, { .tv_usec = 50000 } }, off = {};
	struct sigaction sa = { .sa_handler = on_alarm };
	uint8_t buf[4096];
	ssize_t n;
	int fd;

	NEED(model_has_fault(&self->m, "save"), "there is nothing to wait for in a save");
	sigaction(SIGALRM, &sa, NULL);
	ASSERT_EQ(0, model_cmd(&self->m, "fault save delay=90 count=20"));
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

/* Of a state that does not change while it is sent, to the byte. */
TEST_F(one, precopy_info)
{
	bool exact = !variant->family->rounds;
	struct vfio_precopy_info info = {};
	uint64_t before;
	uint8_t buf[16];
	int fd;

	NEED(variant->family->migration & VFIO_MIGRATION_PRE_COPY, "has no pre-copy");
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
	EXPECT_GE(before, info.initial_bytes);
	EXPECT_EQ(0U, info.dirty_bytes);
	ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, fd, 0));
	EXPECT_GE(before - 16, self->blob.bytes);
	if (exact)
		EXPECT_EQ(before - 16, self->blob.bytes);
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	EXPECT_EQ(0U, info.initial_bytes);
	if (exact)
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

TEST_F(one, debugfs_tells_what_is_to_come)
{
	struct vfio_precopy_info info = {};
	struct mig_session s;
	int fd;

	NEED(variant->family->migration & VFIO_MIGRATION_PRE_COPY, "has no pre-copy");
	ASSERT_EQ(0, mig_set(&self->v, PRE_COPY, &fd));
	ASSERT_EQ(0, mig_precopy_info(fd, &info));
	ASSERT_EQ(0, mig_session(&self->v, "save", &s));
	EXPECT_GT(s.rest, 0U);
	if (!variant->family->rounds) {
		EXPECT_EQ(0U, s.dirty);
		EXPECT_EQ(info.initial_bytes + info.dirty_bytes, s.rest);
	}
	ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, fd, 0));
	ASSERT_EQ(0, mig_session(&self->v, "save", &s));
	if (!variant->family->rounds)
		EXPECT_EQ(0U, s.rest);
	ASSERT_EQ(0, mig_set(&self->v, STOP_COPY, NULL));
	ASSERT_EQ(0, blob_pull(&self->blob, fd, 0));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	ASSERT_EQ(0, mig_session(&self->v, "save", &s));
	EXPECT_EQ(0, s.result);
	EXPECT_EQ(0U, s.rest);
	close(fd);
}

TEST_F(one, precopy_info_v2)
{
	struct vfio_precopy_info info = { .flags = 0xffffffff };
	int fd, err = vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET |
					     VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0);

	NEED(variant->family->migration & VFIO_MIGRATION_PRE_COPY, "has no pre-copy");
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

	NEED(variant->family->migration & VFIO_MIGRATION_PRE_COPY, "has no pre-copy");
	for (unsigned int i = 0; i < 3; i++) {
		if (i == 1 && !family_has_state(variant->family, PRE_COPY_P2P))
			continue;
		ASSERT_EQ(0, mig_set(&self->v, i == 1 ? PRE_COPY_P2P : PRE_COPY, &fd));
		if (i != 1) {
			ASSERT_EQ(0, guest_work(&self->g, i));
		}
		ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
		EXPECT_EQ(0, guest_work(&self->g, 10 + i));
		close(fd);
	}
}

/* ---- no DMA ---- */

/* Neither what was begun before nor, where it is taken, what is given meanwhile. */
static void no_dma_in(struct __test_metadata *_metadata, FIXTURE_DATA(one) *self,
		      const struct family *f, unsigned int state)
{
	uint64_t writes[2], reads[2];
	uint32_t val;

	if (f->slow)
		ASSERT_EQ(0, model_cmd(&self->m, "%s", f->slow));
	ASSERT_EQ(0, guest_start(&self->g, 1));
	ASSERT_EQ(0, mig_set(&self->v, state, NULL));
	ASSERT_EQ(0, model_value(&self->m, "stats", "dma_writes", &writes[0]));
	ASSERT_EQ(0, model_value(&self->m, "stats", "dma_reads", &reads[0]));
	EXPECT_EQ(4, vdev_pread(&self->v, f->bar, 0, &val, 4));
	usleep(200000);
	ASSERT_EQ(0, model_value(&self->m, "stats", "dma_writes", &writes[1]));
	ASSERT_EQ(0, model_value(&self->m, "stats", "dma_reads", &reads[1]));
	EXPECT_EQ(writes[0], writes[1]);
	EXPECT_EQ(reads[0], reads[1]);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	EXPECT_EQ(0, guest_check(&self->g, 1));
}

TEST_F(one, no_dma_in_running_p2p)
{
	NEED(variant->family->migration & VFIO_MIGRATION_P2P, "has no P2P states");
	no_dma_in(_metadata, self, variant->family, RUNNING_P2P);
}

TEST_F(one, no_dma_in_stop)
{
	no_dma_in(_metadata, self, variant->family, STOP);
}

/* The user may do what it likes to config space while the state is read. */
TEST_F(one, saving_does_not_need_memory_enable)
{
	bool precopy = variant->family->migration & VFIO_MIGRATION_PRE_COPY;
	uint32_t cmd = vdev_cfg(&self->v, PCI_COMMAND, 2);

	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, cmd & ~PCI_COMMAND_MEMORY));
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, precopy));
	EXPECT_EQ(0U, vdev_cfg(&self->v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, cmd));
}

/* An operation that never ends: it is parked, and done once, here or there. */
TEST_F(one, work_that_does_not_end_is_kept)
{
	NEED(variant->family->parks, "cannot stop in the middle of such work");
	ASSERT_EQ(0, model_cmd(&self->m, "fault op hang count=1 skip=1"));
	ASSERT_EQ(0, guest_start(&self->g, 1));
	usleep(100000);
	ASSERT_EQ(0, mig_set(&self->v, STOP, NULL));
	ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	EXPECT_EQ(0, guest_check(&self->g, 1));
}

/* Nothing helps: it goes on as if nobody had asked, and stops when it is asked again. */
TEST_F(one, a_drain_that_fails_leaves_it_running)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault pause hang"));
	ASSERT_EQ(0, guest_start(&self->g, 1));
	EXPECT_EQ(-ETIMEDOUT, mig_set(&self->v, STOP, NULL));
	EXPECT_EQ(RUNNING, mig_get(&self->v));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, guest_check(&self->g, 1));
	EXPECT_EQ(0, mig_set(&self->v, STOP, NULL));
	EXPECT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	EXPECT_EQ(0, guest_work(&self->g, 2));
}

TEST_HARNESS_MAIN
