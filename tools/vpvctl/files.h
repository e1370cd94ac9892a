/* SPDX-License-Identifier: GPL-2.0 */
/* Files of the kernel, below the root that tests move. */
#ifndef VPVCTL_FILES_H
#define VPVCTL_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct path {
	char s[1024];
};

#define FILES_MAX_BYTES (16u << 20)

/* An absolute path with the root before it. */
struct path at(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * read_bytes() - A whole file, unpacked if gzip packed it
 * @path: From at(), or of the user.
 * @bytes: Set to its size, unless NULL; a zero follows the last byte.
 *
 * Return: Memory for the caller to free; NULL with errno, EFBIG above FILES_MAX_BYTES.
 */
char *read_bytes(const char *path, size_t *bytes);

/* The same of a file that may be larger; @most: a power of two. */
char *read_at_most(const char *path, size_t most, size_t *bytes);

/* The first line of a small file into @text, without its end; 0 or -errno. */
int read_line(const char *path, char *text, size_t size);

/* One write(); 0 or -errno. */
int write_text(const char *path, const char *text);

/* Last part of what a link points to; false (and an empty @name) if it is none. */
bool link_name(const char *path, char *name, size_t size);

bool exists(const char *path);

/**
 * list_dir() - Names in a folder, sorted
 * @path: The folder.
 * @names: Set to an array for free_names().
 *
 * Return: Their number, or -errno.
 */
int list_dir(const char *path, char ***names);
void free_names(char **names, int n);

/* Wait a moment: 20 ms. */
void nap(void);

#endif /* VPVCTL_FILES_H */
