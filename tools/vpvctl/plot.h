/* SPDX-License-Identifier: GPL-2.0 */
/* A migration as vpvctl record keeps it, and its picture. */
#ifndef VPVCTL_PLOT_H
#define VPVCTL_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Value of "vpvctl_record": the format of the lines. */
#define RECORD_FORMAT 1

#define PLOT_LANES 64

/* A value from a time on. */
struct point {
	double t;
	double value;
};

struct series {
	struct point *points;
	size_t n;
};

/**
 * struct span - A time in one state
 * @state: Number of the state, as plot_state_name() knows it.
 */
struct span {
	double start;
	double end;
	int state;
};

/**
 * struct lane - One function
 * @record: Number of the record that it is of.
 * @name: Its address.
 * @label: What it is called, or NULL.
 * @spans: Its states.
 * @n_spans: Their number.
 * @saved: Bytes of device state.
 * @loaded: The same.
 * @rounds: Rounds of pre-copy, and their bytes.
 * @work: What the workload counted.
 * @dirty: Bytes of device state that would be sent once more.
 */
struct lane {
	int record;
	char *name;
	char *label;
	struct span *spans;
	size_t n_spans;
	struct series saved;
	struct series loaded;
	struct series rounds;
	struct series work;
	struct series dirty;
};

/**
 * struct plot - All that is drawn
 * @title: Head line, or NULL.
 * @note: Line below it, or NULL.
 * @work_name: What the workload counts, or NULL.
 * @lanes: Functions.
 * @n_lanes: Their number.
 * @memory: Bytes of memory that were sent.
 * @stopped: When the guest was stopped; negative if it is not known.
 * @resumed: When it went on; negative if it did not.
 * @start: Start of the first record by the calendar.
 * @records: Number of records.
 * @end: Last time of all.
 */
struct plot {
	char *title;
	char *note;
	char *work_name;
	struct lane lanes[PLOT_LANES];
	int n_lanes;
	struct series memory;
	double stopped;
	double resumed;
	double start;
	int records;
	double end;
};

/* Read one more record; what is wrong ends the program. */
void plot_read(struct plot *plot, const char *path);

/* Close what is open, and find out when the guest was stopped if no record says so. */
void plot_finish(struct plot *plot);

/* "PRE_COPY", or NULL behind the last one. */
const char *plot_state_name(int state);

/* The picture, as SVG. */
void plot_draw(const struct plot *plot, FILE *out);

void plot_put(struct plot *plot);

#endif /* VPVCTL_PLOT_H */
