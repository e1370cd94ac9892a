// SPDX-License-Identifier: GPL-2.0
/* The control socket of a device model (model.h). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"

#define REPLY_MS	10000
#define BUSY_MS		2000

static void drain(int fd)
{
	char junk[256];

	while (read(fd, junk, sizeof(junk)) > 0)
		;
}

void model_close(struct model *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}

static void wait_for(struct model *m, short events)
{
	struct pollfd p = { .fd = m->fd, .events = events };

	poll(&p, 1, 100);
}

static int send_line(struct model *m, const char *line, size_t bytes)
{
	uint64_t end = now_ms() + REPLY_MS;

	while (bytes) {
		ssize_t n = write(m->fd, line, bytes);

		if (n > 0) {
			line += n;
			bytes -= n;
		} else if (n < 0 && errno != EAGAIN) {
			return -errno;
		} else if (now_ms() > end) {
			return -ETIMEDOUT;
		} else {
			wait_for(m, POLLOUT);
		}
	}
	return 0;
}

/* 1 when @reply ends in a line "ok" or "err ...", which @last is set to. */
static int complete(char *reply, size_t bytes, char **last)
{
	size_t end = bytes;

	if (!bytes || reply[bytes - 1] != '\n')
		return 0;
	for (end--; end && reply[end - 1] != '\n'; end--)
		;
	*last = reply + end;
	return !strcmp(*last, "ok\n") || !strncmp(*last, "err ", 4);
}

static int receive(struct model *m)
{
	uint64_t end = now_ms() + REPLY_MS;
	size_t bytes = 0;
	char *last;

	for (;;) {
		ssize_t n = read(m->fd, m->reply + bytes, sizeof(m->reply) - 1 - bytes);

		if (n > 0)
			bytes += n;
		m->reply[bytes] = 0;
		if (complete(m->reply, bytes, &last))
			break;
		if (bytes == sizeof(m->reply) - 1)
			return -EMSGSIZE;
		if (!n)
			return -EPIPE;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (now_ms() > end)
			return -ETIMEDOUT;
		if (n < 0)
			wait_for(m, POLLIN);
	}
	if (*last == 'e') {
		fprintf(stderr, "# model: %s", last);
		return -EINVAL;
	}
	*last = 0;
	return 0;
}

int model_cmd(struct model *m, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n, err;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(line) - 1)
		return -E2BIG;
	line[n++] = '\n';
	err = send_line(m, line, n);
	return err ? err : receive(m);
}

int model_open(struct model *m, const struct slot *slot)
{
	uint64_t end = now_ms() + BUSY_MS;

	/* A port has one user at a time; the one before may still be going. */
	do {
		m->fd = open(slot->ctl, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (m->fd >= 0 || errno != EBUSY)
			break;
		usleep(20000);
	} while (now_ms() < end);
	if (m->fd < 0)
		return -errno;
	drain(m->fd);
	return model_cmd(m, "fault clear");
}

int model_value(struct model *m, const char *cmd, const char *name, uint64_t *val)
{
	size_t len = strlen(name);
	int err = model_cmd(m, "%s", cmd);
	char *line = m->reply;

	if (err)
		return err;
	for (; *line; line += strcspn(line, "\n") + 1)
		if (!strncmp(line, name, len) && line[len] == ' ') {
			*val = strtoull(line + len + 1, NULL, 0);
			return 0;
		}
	fprintf(stderr, "# model: %s prints no %s\n", cmd, name);
	return -ENOENT;
}

int model_values(struct model *m, const char *cmd, const char *const names[], size_t num, uint64_t *vals)
{
	int err = 0;

	for (size_t i = 0; i < num && !err; i++)
		err = model_value(m, cmd, names[i], &vals[i]);
	return err;
}

int model_fault_taken(struct model *m, const char *point, uint64_t *taken)
{
	int err = model_cmd(m, "faults");
	char *line = m->reply;
	size_t len = strlen(point);

	for (; !err && *line; line += strcspn(line, "\n") + 1) {
		char *at = strstr(line, " taken=");

		if (strncmp(line, point, len) || line[len] != ' ' || !at)
			continue;
		*taken = strtoull(at + 7, NULL, 10);
		return 0;
	}
	return err ? err : -ENOENT;
}

int model_kill(struct model *m)
{
	return send_line(m, "exit\n", 5);
}
