/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control line of a workload: a serial port that carries its reports, lines "TAG KIND
 * NAME=VALUE...", and the words that it obeys.
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First word of every report; each workload has its own. */
extern const char line_tag[];

int64_t line_now_ms(void);
/* Use this terminal instead of standard output. Returns 0 or a negative errno. */
int line_open(const char *path);
/* For poll(). */
int line_fd(void);
/* Send one report. */
void line_report(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Send one line for the log of the run. */
void line_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Take one command; "" if there is none. */
const char *line_command(void);

#endif
