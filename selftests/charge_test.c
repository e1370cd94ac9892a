// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays for the memory of a session: the memory control group of whoever opened it,
 * also for what the driver's worker allocates, and only as long as the session is on.
 *
 * Groups: stable throughput
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/mlx.h"
#include "lib/test.h"

#define ROOT	"/run/vpv-cgroup"
#define GROUP	ROOT "/session"
/* What the driver keeps filled for a reader that does not come: two pieces of an image. */
#define FILLED	(4 << 20)
/* The rest of what this program makes the kernel allocate meanwhile is less. */
#define NOISE	(1 << 20)
#define WAIT_MS	20000

FIXTURE(charge)
{
	struct slot ctrl;
	struct slot slot;
	struct vdev v;
};

static int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* Bytes that the group is charged for, or a negative errno. */
static long long charged(void)
{
	long long bytes = -ENODATA;
	FILE *f = fopen(GROUP "/memory.current", "re");

	if (!f)
		return -errno;
	if (fscanf(f, "%lld", &bytes) != 1)
		bytes = -ENODATA;
	fclose(f);
	return bytes;
}

/* A control group of its own for this process. */
static int enter_group(void)
{
	int err;

	mkdir(ROOT, 0700);
	if (mount("none", ROOT, "cgroup2", 0, NULL) && errno != EBUSY)
		return -errno;
	err = put_text(ROOT "/cgroup.subtree_control", "+memory");
	if (err)
		return err;
	if (mkdir(GROUP, 0700) && errno != EEXIST)
		return -errno;
	return put_text(GROUP "/cgroup.procs", "0");
}

static void leave_group(void)
{
	put_text(ROOT "/cgroup.procs", "0");
	rmdir(GROUP);
	umount(ROOT);
}

FIXTURE_SETUP(charge)
{
	int err = mlx_control(&self->ctrl);

	if (err == TOO_FEW)
		SKIP(return, "no device mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(1, mlx_functions(&self->slot, 1));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	err = enter_group();
	if (err)
		SKIP(return, "this kernel has no memory control groups (%d)", err);
}

FIXTURE_TEARDOWN(charge)
{
	leave_group();
	vdev_close(&self->v);
}

/* Wait until the group is charged for more, or less, than @bytes. */
static bool wait_charged(bool more, long long bytes)
{
	uint64_t end = now_ms() + WAIT_MS;

	while (now_ms() < end) {
		long long now = charged();

		if (now >= 0 && more == (now > bytes))
			return true;
		usleep(20000);
	}
	return false;
}

TEST_F_TIMEOUT(charge, who_opens_a_session_pays_while_it_is_on, 120)
{
	long long before;
	uint8_t byte;
	int fd[8];

	ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_STOP, NULL));
	before = charged();
	ASSERT_LE(0, before);
	for (unsigned int i = 0; i < sizeof(fd) / sizeof(fd[0]); i++) {
		ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_STOP_COPY, &fd[i]));
		ASSERT_EQ(1, read(fd[i], &byte, 1));
		EXPECT_TRUE(wait_charged(true, before + FILLED));
		/* The file stays open, with a piece that was read in part. */
		ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_STOP, NULL));
		EXPECT_TRUE(wait_charged(false, before + NOISE)) {
			TH_LOG("%lld bytes are left of %u sessions", charged() - before, i + 1);
		}
	}
	for (unsigned int i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		close(fd[i]);
}

TEST_HARNESS_MAIN
