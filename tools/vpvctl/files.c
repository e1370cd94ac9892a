// SPDX-License-Identifier: GPL-2.0
/* Reading and writing files of the kernel, below the root that tests move. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "files.h"
#include "vpvctl.h"

struct path at(const char *format, ...)
{
	struct path path;
	va_list args;
	int root, n;

	root = snprintf(path.s, sizeof(path.s), "%s", vpvctl.root);
	if (root >= (int)sizeof(path.s))
		usage_error("the root's path is too long");
	va_start(args, format);
	n = vsnprintf(path.s + root, sizeof(path.s) - root, format, args);
	va_end(args);
	if (n >= (int)sizeof(path.s) - root)
		usage_error("a path is too long: %s", path.s);
	return path;
}

static char *read_all(gzFile gz, size_t most, size_t *bytes)
{
	size_t size = 16384, have = 0;
	char *data = xalloc(size);
	int n;

	for (;;) {
		errno = 0;
		n = gzread(gz, data + have, size - have - 1);
		if (n <= 0)
			break;
		have += n;
		if (have < size - 1)
			continue;
		size *= 2;
		if (size > most) {
			free(data);
			errno = EFBIG;
			return NULL;
		}
		data = xgrow(data, size);
	}
	if (n < 0) {
		errno = errno ? errno : EIO;
		free(data);
		return NULL;
	}
	data[have] = 0;
	*bytes = have;
	return data;
}

char *read_bytes(const char *path, size_t *bytes)
{
	return read_at_most(path, FILES_MAX_BYTES, bytes);
}

char *read_at_most(const char *path, size_t most, size_t *bytes)
{
	size_t ignored;
	gzFile gz;
	char *data;
	int err;

	errno = 0;
	gz = gzopen(path, "re");
	if (!gz) {
		errno = errno ? errno : ENOMEM;
		return NULL;
	}
	data = read_all(gz, most, bytes ? bytes : &ignored);
	err = errno;
	gzclose(gz);
	errno = err;
	return data;
}

int read_line(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	text[0] = 0;
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	err = errno;
	close(fd);
	if (n < 0) {
		text[0] = 0;
		return -err;
	}
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

bool link_name(const char *path, char *name, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *last;

	name[0] = 0;
	if (n < 0)
		return false;
	target[n] = 0;
	last = strrchr(target, '/');
	return snprintf(name, size, "%s", last ? last + 1 : target) < (int)size;
}

bool exists(const char *path)
{
	return !access(path, F_OK);
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int list_dir(const char *path, char ***names)
{
	struct dirent **entries;
	int n = scandir(path, &entries, no_dots, alphasort);

	*names = NULL;
	if (n < 0)
		return -errno;
	*names = xalloc((n + 1) * sizeof(**names));
	for (int i = 0; i < n; i++) {
		(*names)[i] = xformat("%s", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return n;
}

void free_names(char **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
}
