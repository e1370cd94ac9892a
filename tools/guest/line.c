// SPDX-License-Identifier: GPL-2.0
/* The control line of a workload, see line.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "line.h"

static int fd = STDOUT_FILENO;
static unsigned int logged;

int64_t line_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int line_open(const char *path)
{
	struct termios tty;

	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!tcgetattr(fd, &tty)) {
		cfmakeraw(&tty);
		tty.c_lflag |= ICANON;
		tcsetattr(fd, TCSANOW, &tty);
	}
	return 0;
}

int line_fd(void)
{
	return fd;
}

static void put(const char *line, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, line, bytes);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			line += n;
			bytes -= n;
		}
	}
}

/* What does not fit is cut off. */
static void send_line(const char *kind, const char *format, va_list args)
{
	char line[512];
	int n;

	n = snprintf(line, sizeof(line), "%s %s", line_tag, kind);
	n += vsnprintf(line + n, sizeof(line) - n - 1, format, args);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	put(line, n);
}

void line_report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send_line("", format, args);
	va_end(args);
}

void line_log(const char *format, ...)
{
	va_list args;

	/* Enough to tell what happened; a broken device would write for ever. */
	if (logged++ >= 50)
		return;
	va_start(args, format);
	send_line("log ", format, args);
	va_end(args);
}

const char *line_command(void)
{
	static char line[64];
	ssize_t n = read(fd, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = 0;
	return line;
}
