/* SPDX-License-Identifier: GPL-2.0 */
/* Trace events of one test: an instance of tracefs of its own. */
#ifndef SELFTEST_TRACE_H
#define SELFTEST_TRACE_H

/**
 * struct trace - Open instance
 * @dir: Its folder; "" if there is none.
 */
struct trace {
	char dir[96];
};

/* Record an event such as "vpv_core/vpv_fault"; 0 or a negative errno. */
int trace_open(struct trace *t, const char *event);
/* Record this one, too. */
int trace_add(struct trace *t, const char *event);
void trace_close(struct trace *t);

/* Forget what was recorded. */
int trace_clear(struct trace *t);
/* Recorded lines that have all of the words (NULL: any word); or a negative errno. */
int trace_count(struct trace *t, const char *word, const char *other);

#define TRACE_CHARS 192

/*
 * Copy the recorded lines that have @word, from the event's name on ("vpv_zap: 0000:00:05.0"),
 * in their order; their number, at most @max, or a negative errno.
 */
int trace_lines(struct trace *t, const char *word, char (*lines)[TRACE_CHARS], int max);

#endif /* SELFTEST_TRACE_H */
