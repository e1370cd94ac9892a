// SPDX-License-Identifier: GPL-2.0
/* The kernel's log (log.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

int log_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

int log_count(int fd, const char *text, char *line, unsigned int room)
{
	char rec[4096];
	int found = 0;

	for (;;) {
		ssize_t n = read(fd, rec, sizeof(rec) - 1);
		char *msg;

		if (n < 0 && errno == EPIPE)
			continue;	/* overtaken by the ring: go on with what is there */
		if (n <= 0)
			return found;
		rec[n] = 0;
		rec[strcspn(rec, "\n")] = 0;
		msg = strchr(rec, ';');
		if (!msg || !strstr(msg, text))
			continue;
		found++;
		if (line)
			snprintf(line, room, "%s", msg + 1);
	}
}
