/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's log: what was said since a mark. */
#ifndef SELFTEST_LOG_H
#define SELFTEST_LOG_H

/* A descriptor that will see later lines only, or a negative errno. */
int log_mark(void);
/*
 * Number of lines since the mark (or the last call) that contain @text; the last
 * of them is copied into @line (@room bytes) when that is not NULL.
 */
int log_count(int fd, const char *text, char *line, unsigned int room);

#endif /* SELFTEST_LOG_H */
