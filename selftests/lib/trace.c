// SPDX-License-Identifier: GPL-2.0
/* Trace events of one test (trace.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "trace.h"

#define INSTANCES "/sys/kernel/tracing/instances"

int trace_open(struct trace *t, const char *event)
{
	char path[256];
	int err;

	snprintf(t->dir, sizeof(t->dir), INSTANCES "/vpv-%d", getpid());
	if (mkdir(t->dir, 0700) && errno != EEXIST) {
		t->dir[0] = 0;
		return -errno;
	}
	snprintf(path, sizeof(path), "%s/events/%s/enable", t->dir, event);
	err = sysfs_write(path, "1");
	if (err)
		trace_close(t);
	return err;
}

void trace_close(struct trace *t)
{
	char path[128];

	if (!t->dir[0])
		return;
	snprintf(path, sizeof(path), "%s/events/enable", t->dir);
	sysfs_write(path, "0");
	rmdir(t->dir);
	t->dir[0] = 0;
}

int trace_clear(struct trace *t)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/trace", t->dir);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int trace_count(struct trace *t, const char *word, const char *other)
{
	char path[128], line[512];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", t->dir);
	f = fopen(path, "r");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		n += line[0] != '#' && (!word || strstr(line, word)) &&
		     (!other || strstr(line, other));
	fclose(f);
	return n;
}
