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

int trace_add(struct trace *t, const char *event)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/events/%s/enable", t->dir, event);
	return sysfs_write(path, "1");
}

int trace_open(struct trace *t, const char *event)
{
	int err;

	snprintf(t->dir, sizeof(t->dir), INSTANCES "/vpv-%d", getpid());
	if (mkdir(t->dir, 0700) && errno != EEXIST) {
		t->dir[0] = 0;
		return -errno;
	}
	err = trace_add(t, event);
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

static FILE *lines_open(const struct trace *t)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/trace", t->dir);
	return fopen(path, "r");
}

int trace_count(struct trace *t, const char *word, const char *other)
{
	FILE *f = lines_open(t);
	char line[512];
	int n = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		n += line[0] != '#' && (!word || strstr(line, word)) &&
		     (!other || strstr(line, other));
	fclose(f);
	return n;
}

int trace_lines(struct trace *t, const char *word, char (*lines)[TRACE_CHARS], int max)
{
	FILE *f = lines_open(t);
	char line[512];
	int n = 0;

	if (!f)
		return -errno;
	while (n < max && fgets(line, sizeof(line), f)) {
		/* "  task-pid  [cpu] flags  time: event: ...", and tasks may be called anything. */
		char *at = line[0] == '#' || !strstr(line, word) ? NULL : strstr(line, "] ");

		at = at ? strstr(at, ": ") : NULL;
		if (!at)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(lines[n++], TRACE_CHARS, "%.*s", TRACE_CHARS - 1, at + 2);
	}
	fclose(f);
	return n;
}
