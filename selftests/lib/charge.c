// SPDX-License-Identifier: GPL-2.0
/* A memory control group of its own: see charge.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "charge.h"
#include "device.h"

#define ROOT	"/run/vpv-cgroup"
#define GROUP	ROOT "/session"
#define WAIT_MS	20000

static int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

long long charge_bytes(void)
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

int charge_enter(void)
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

void charge_leave(void)
{
	put_text(ROOT "/cgroup.procs", "0");
	rmdir(GROUP);
	umount(ROOT);
}

bool charge_wait(bool more, long long bytes)
{
	uint64_t end = now_ms() + WAIT_MS;

	while (now_ms() < end) {
		long long now = charge_bytes();

		if (now >= 0 && more == (now > bytes))
			return true;
		usleep(20000);
	}
	return false;
}
