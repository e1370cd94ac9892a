// SPDX-License-Identifier: GPL-2.0
/*
 * Resets of coherent_gpu while its memory is migrated: it is gone then for as long as the function
 * likes, pre-copy begins again with it, and nobody has to wait for it in order to give up.  And
 * whoever opens the function, or begins a migration, before there is any.
 *
 * Groups: coherent-gpu
 */
#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define PAGE		4096UL
#define FAR		(64UL << 20)
#define LONG_MS		20000
#define AT_ONCE_MS	3000

FIXTURE(late)
{
	struct slot slot;
	struct vdev v;
	struct model m;
	struct blob blob;
	int fd;
};

/* By a VMM that can be told that what it has sent is worthless. */
static int precopy_begins(FIXTURE_DATA(late) *self)
{
	int err = vdev_open(&self->v, &self->slot, any_mode());

	err = err ?: vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET |
					    VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL, 0);
	err = err ?: mig_set(&self->v, VFIO_DEVICE_STATE_PRE_COPY, &self->fd);
	return err ?: blob_pull(&self->blob, self->fd, 0);
}

FIXTURE_SETUP(late)
{
	int ret;

	self->v.fd = -1;
	self->m.fd = -1;
	self->fd = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, &self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ret = precopy_begins(self);
	if (ret == -ENOTTY)
		SKIP(return, "this kernel has no second version of PRECOPY_INFO");
	ASSERT_EQ(-ENOMSG, ret);
}

FIXTURE_TEARDOWN(late)
{
	if (self->m.fd > 0) {
		model_cmd(&self->m, "fault clear");
		model_cmd(&self->m, "ready_ms 0");
		model_cmd(&self->m, "soft_reset 0");
		model_close(&self->m);
	}
	if (self->fd >= 0)
		close(self->fd);
	if (self->v.fd >= 0)
		vdev_close(&self->v);
	blob_free(&self->blob);
}

/* Bytes that pre-copy has for a page that was written. */
static uint64_t page_sent(FIXTURE_DATA(late) *self)
{
	uint8_t page[PAGE];
	size_t before = self->blob.bytes;

	memset(page, 0x5a, sizeof(page));
	if (vdev_pwrite(&self->v, GPU_MAIN_BAR, FAR, page, PAGE) != PAGE ||
	    blob_pull(&self->blob, self->fd, 0) != -ENOMSG)
		return ~0UL;
	return self->blob.bytes - before;
}

/* Registers say nothing of the log either, before the function is ready. */
TEST_F_TIMEOUT(late, pre_copy_goes_on_with_a_function_that_is_late, 120)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault reset delay=800 count=1"));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_EQ(VFIO_DEVICE_STATE_PRE_COPY, mig_get(&self->v));
	ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, self->fd, 0));
	/* What is written is known. */
	EXPECT_LE(PAGE, page_sent(self));
	EXPECT_GE(2 * PAGE, page_sent(self));
	ASSERT_EQ(0, mig_stop_copy(&self->v, &self->blob, self->fd));
	self->fd = -1;
}

/* It would forget its log when it sleeps, and be READY some time after it is awake. */
TEST_F_TIMEOUT(late, guest_that_sleeps_and_wakes_up_ends_nothing, 120)
{
	/* It is looked at when the function is opened. */
	close(self->fd);
	self->fd = -1;
	vdev_close(&self->v);
	blob_free(&self->blob);
	ASSERT_EQ(0, model_cmd(&self->m, "soft_reset 1"));
	ASSERT_EQ(-ENOMSG, precopy_begins(self));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));

	ASSERT_EQ(0, model_cmd(&self->m, "fault reset delay=80"));
	ASSERT_EQ(0, gpu_set_power(&self->v, 3));
	EXPECT_EQ(-ENOMSG, blob_pull(&self->blob, self->fd, 0));
	EXPECT_EQ(VFIO_DEVICE_STATE_PRE_COPY, mig_get(&self->v));
	ASSERT_EQ(0, gpu_set_power(&self->v, 0));
	EXPECT_EQ(-ENOMSG, blob_pull(&self->blob, self->fd, 0));
	EXPECT_EQ(VFIO_DEVICE_STATE_PRE_COPY, mig_get(&self->v));
	/* Nor is all of the memory sent again. */
	EXPECT_LE(PAGE, page_sent(self));
	EXPECT_GE(2 * PAGE, page_sent(self));
	ASSERT_EQ(0, mig_stop_copy(&self->v, &self->blob, self->fd));
	self->fd = -1;
}

/* Pulled out: nobody knows what is read there, and on a link it may stop the machine. */
TEST_F_TIMEOUT(late, nothing_is_sent_of_memory_that_is_gone, 120)
{
	const char *bdf = self->slot.bdf;
	static uint8_t buf[256 * PAGE];
	ssize_t n = 0;

	if (!vdev_error_works())
		SKIP(return, "vpv_test_error is not loaded");
	memset(buf, 0x5a, sizeof(buf));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	ASSERT_EQ(sizeof(buf), vdev_pwrite(&self->v, GPU_MAIN_BAR, FAR, buf, sizeof(buf)));
	ASSERT_EQ(-ENOMSG, blob_pull(&self->blob, self->fd, 0));
	ASSERT_EQ(0, vdev_error(bdf, "unplugged"));
	/* Otherwise all of it, which is more than that, again and again. */
	for (unsigned int i = 0; i < 64 && n >= 0; i++)
		n = read(self->fd, buf, 64 << 10);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(ENODEV, errno);
	ASSERT_EQ(0, vdev_error(bdf, "resume"));
}

static void lose_memory(struct __test_metadata *_metadata, FIXTURE_DATA(late) *self)
{
	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms %u", LONG_MS));
	ASSERT_EQ(0, vdev_reset(&self->v));
	/* The worker waits for it by then. */
	usleep(500000);
}

TEST_F_TIMEOUT(late, who_changes_the_state_does_not_wait, 120)
{
	static const unsigned int states[] = {
		VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_PRE_COPY_P2P,
		VFIO_DEVICE_STATE_STOP_COPY,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++) {
		uint64_t begin;

		lose_memory(_metadata, self);
		begin = now_ms();
		EXPECT_EQ(0, mig_set(&self->v, states[i], NULL)) TH_LOG("state %u", states[i]);
		EXPECT_GE(AT_ONCE_MS, now_ms() - begin) TH_LOG("state %u", states[i]);
		/* The rest of it needs the memory, too. */
		usleep(300000);
		begin = now_ms();
		EXPECT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_RUNNING, NULL));
		EXPECT_GE(AT_ONCE_MS, now_ms() - begin) TH_LOG("state %u", states[i]);
		close(self->fd);
		self->fd = -1;
		ASSERT_EQ(0, model_cmd(&self->m, "ready_ms 0"));
		ASSERT_EQ(0, vdev_reset(&self->v));
		ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_PRE_COPY, &self->fd));
	}
}

TEST_F_TIMEOUT(late, who_closes_does_not_wait, 120)
{
	uint64_t begin;

	lose_memory(_metadata, self);
	begin = now_ms();
	close(self->fd);
	self->fd = -1;
	vdev_close(&self->v);
	self->v.fd = -1;
	EXPECT_GE(AT_ONCE_MS, now_ms() - begin);
}

TEST_F_TIMEOUT(late, who_reads_can_be_killed, 120)
{
	uint64_t begin;
	int status;
	pid_t pid;

	lose_memory(_metadata, self);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		blob_pull(&self->blob, self->fd, 0);
		_exit(0);
	}
	usleep(300000);
	begin = now_ms();
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_GE(AT_ONCE_MS, now_ms() - begin);
}

/* ---- Who begins, with memory that is not there ---- */

#define CLAIM_MS	1000	/* that the function says it takes at most */

FIXTURE(absent)
{
	struct slot slot;
	struct vdev v;
	struct model m;
	int fd;
};

FIXTURE_SETUP(absent)
{
	self->v.fd = -1;
	self->m.fd = -1;
	self->fd = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, &self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
}

FIXTURE_TEARDOWN(absent)
{
	if (self->m.fd > 0) {
		model_cmd(&self->m, "fault clear");
		model_cmd(&self->m, "claim clear");
		model_cmd(&self->m, "ready_ms 0");
		model_close(&self->m);
	}
	if (self->fd >= 0)
		close(self->fd);
	if (self->v.fd >= 0)
		vdev_close(&self->v);
}

static int opens(FIXTURE_DATA(absent) *self)
{
	return vdev_open(&self->v, &self->slot, any_mode());
}

static int saves(FIXTURE_DATA(absent) *self)
{
	return mig_set(&self->v, VFIO_DEVICE_STATE_PRE_COPY, &self->fd);
}

static int loads(FIXTURE_DATA(absent) *self)
{
	return mig_set(&self->v, VFIO_DEVICE_STATE_RESUMING, &self->fd);
}

static const struct beginning {
	const char *name;
	int (*begin)(FIXTURE_DATA(absent) *self);
	bool needs_open;
} beginnings[] = {
	{ "open", opens, false },
	{ "PRE_COPY", saves, true },
	{ "RESUMING", loads, true },
};

/* Everything up to where it begins, with a function that is told @what before its reset. */
static void prepare(struct __test_metadata *_metadata, FIXTURE_DATA(absent) *self,
		    const struct beginning *b, const char *what)
{
	if (b->needs_open)
		ASSERT_EQ(0, opens(self));
	ASSERT_EQ(0, model_cmd(&self->m, "%s", what));
	/* Open does so by itself. */
	if (b->needs_open)
		ASSERT_EQ(0, vdev_reset(&self->v));
}

/* The function and its driver are none the worse for it. */
static void works_again(struct __test_metadata *_metadata, FIXTURE_DATA(absent) *self,
			const struct beginning *b)
{
	if (b->needs_open) {
		EXPECT_NE(VFIO_DEVICE_STATE_ERROR, mig_get(&self->v)) TH_LOG("%s", b->name);
		ASSERT_EQ(0, vdev_reset(&self->v)) TH_LOG("%s", b->name);
	}
	ASSERT_EQ(0, b->begin(self)) TH_LOG("%s", b->name);
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	vdev_close(&self->v);
	self->v.fd = -1;
}

/* What it is told before its reset, and how, and after how long, that ends. */
static const struct lateness {
	const char *what;
	int err;
	unsigned int least_ms;
} latenesses[] = {
	{ "fault ready fail", -ETIMEDOUT, CLAIM_MS },
	{ "fault reset hang", -ETIMEDOUT, CGPU_READY_MS },
	{ "fault reset fail", -ENOTRECOVERABLE, 0 },
};

TEST_F_TIMEOUT(absent, who_begins_is_told, 180)
{
	ASSERT_EQ(0, model_cmd(&self->m, "claim ready_ms %u", CLAIM_MS));
	for (unsigned int i = 0; i < ARRAY_SIZE(beginnings) * ARRAY_SIZE(latenesses); i++) {
		const struct beginning *b = &beginnings[i % ARRAY_SIZE(beginnings)];
		const struct lateness *l = &latenesses[i / ARRAY_SIZE(beginnings)];
		uint64_t begin;

		prepare(_metadata, self, b, l->what);
		begin = now_ms();
		EXPECT_EQ(l->err, b->begin(self)) TH_LOG("%s, %s", b->name, l->what);
		EXPECT_LE(l->least_ms, now_ms() - begin) TH_LOG("%s, %s", b->name, l->what);
		/* It does not come before the next reset. */
		EXPECT_EQ(l->err, b->begin(self)) TH_LOG("%s, again, %s", b->name, l->what);
		ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
		works_again(_metadata, self, b);
	}
}

/* It was reset, and has no memory yet.  Open does that in its own time. */
static int waits(struct model *m)
{
	uint64_t status = 0, end = now_ms() + 20000;
	int err;

	do
		err = model_value(m, "regs", "STATUS", &status);
	while (!err && status != CGPU_STATUS_READY && now_ms() < end && !usleep(10000));
	return err ? err : status == CGPU_STATUS_READY ? 0 : -ETIMEDOUT;
}

/* A process that begins, waits, and is to be told @err. */
static pid_t waiter(struct __test_metadata *_metadata, FIXTURE_DATA(absent) *self,
		    const struct beginning *b, int err)
{
	int status;
	pid_t pid;

	prepare(_metadata, self, b, "ready_ms 20000");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(b->begin(self) != err);
	ASSERT_EQ(0, waits(&self->m)) TH_LOG("%s", b->name);
	sleep(1);
	ASSERT_EQ(0, waitpid(pid, &status, WNOHANG)) TH_LOG("%s", b->name);
	return pid;
}

/* It ends at once, and memory comes again.  Return: how it has ended. */
static int ends(struct __test_metadata *_metadata, FIXTURE_DATA(absent) *self,
		const struct beginning *b, pid_t pid)
{
	uint64_t begin = now_ms();
	int status;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_GE(AT_ONCE_MS, now_ms() - begin) TH_LOG("%s", b->name);
	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms 0"));
	works_again(_metadata, self, b);
	return status;
}

/* The function fails while somebody waits. */
TEST_F_TIMEOUT(absent, who_waits_is_told, 120)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(beginnings); i++) {
		const struct beginning *b = &beginnings[i];
		pid_t pid = waiter(_metadata, self, b, -ENOTRECOVERABLE);

		ASSERT_EQ(0, model_cmd(&self->m, "fatal"));
		EXPECT_EQ(0, ends(_metadata, self, b, pid)) TH_LOG("%s", b->name);
	}
}

/* Memory that was there before stays, and can be saved; nothing is loaded into such a function. */
TEST_F_TIMEOUT(absent, function_that_has_failed_is_not_loaded, 60)
{
	ASSERT_EQ(0, opens(self));
	ASSERT_EQ(0, model_cmd(&self->m, "fatal"));
	EXPECT_EQ(-ENOTRECOVERABLE, loads(self));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, model_cmd(&self->m, "fatal"));
	EXPECT_EQ(0, saves(self));
	close(self->fd);
	self->fd = -1;
	works_again(_metadata, self, &beginnings[2]);
}

TEST_F_TIMEOUT(absent, who_begins_can_be_killed, 120)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(beginnings); i++) {
		const struct beginning *b = &beginnings[i];
		pid_t pid = waiter(_metadata, self, b, 0);
		int status;

		kill(pid, SIGKILL);
		status = ends(_metadata, self, b, pid);
		EXPECT_TRUE(WIFSIGNALED(status)) TH_LOG("%s", b->name);
	}
}

TEST_HARNESS_MAIN
