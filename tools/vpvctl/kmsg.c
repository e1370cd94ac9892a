// SPDX-License-Identifier: GPL-2.0
/* The kernel's log, record by record. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "kmsg.h"
#include "vpvctl.h"

#define RECORD_BYTES 8192
/* So many records at most: others write to the log, too. */
#define RECORDS 4096

int kmsg_begin(void)
{
	int fd = open(at("/dev/kmsg").s, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* "PRIORITY,...;DRIVER BDF: text"; what follows the first line is not text. */
static char *about(char *record, const char *bdf)
{
	char *text = strchr(record, ';'), *place;

	if (!text)
		return NULL;
	text[strcspn(text, "\n")] = 0;
	place = strstr(text, bdf);
	if (!place)
		return NULL;
	place += strlen(bdf);
	place += strspn(place, ": ");
	return *place ? xformat("%s", place) : NULL;
}

char *kmsg_last(int fd, const char *bdf)
{
	char *record = xalloc(RECORD_BYTES), *last = NULL;

	for (int i = 0; fd >= 0 && i < RECORDS; i++) {
		ssize_t n = read(fd, record, RECORD_BYTES - 1);
		char *found;

		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;	/* overwritten: the next one is there */
		if (n <= 0)
			break;
		record[n] = 0;
		found = about(record, bdf);
		if (!found)
			continue;
		free(last);
		last = printable(found);
	}
	if (fd >= 0)
		close(fd);
	free(record);
	return last;
}
