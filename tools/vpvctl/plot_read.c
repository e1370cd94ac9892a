// SPDX-License-Identifier: GPL-2.0
/*
 * Records of migrations: lines of JSON, each with a time "t" in seconds since the "start" of
 * its first line.  Members that are not known here are skipped.  The file is somebody else's
 * bytes and may be anything.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "plot.h"
#include "vpvctl.h"

/* More than a year: that is no migration. */
#define TIME_MAX 4e7
#define POINTS_MAX (1u << 20)
/* So many lines of ten functions. */
#define RECORD_MAX_BYTES (1u << 30)

static const char * const states[] = {
	"RUNNING", "RUNNING_P2P", "PRE_COPY", "PRE_COPY_P2P", "STOP", "STOP_COPY", "RESUMING",
	"ERROR", "gone",
};

#define STATES ((int)(sizeof(states) / sizeof(states[0])))

enum { RUNNING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P, STOP, STOP_COPY, RESUMING };

/* What is being read, for messages; @late: begin of this record after the first one's. */
struct reader {
	struct plot *plot;
	const char *path;
	unsigned int line;
	double late;
};

const char *plot_state_name(int state)
{
	return state < STATES ? states[state] : NULL;
}

static void wrong(const struct reader *r, const char *what)
{
	exit(fail("%s: line %u: %s", r->path, r->line, what));
}

static double number_of(const struct reader *r, struct json_object *obj, const char *key)
{
	struct json_object *value = NULL;
	double number;

	json_object_object_get_ex(obj, key, &value);
	if (!json_object_is_type(value, json_type_double) &&
	    !json_object_is_type(value, json_type_int))
		wrong(r, "a number is missing");
	number = json_object_get_double(value);
	if (!isfinite(number) || number < 0 || number > 1e19)
		wrong(r, "a number is out of its bounds");
	return number;
}

/* A copy of the text of a member, or NULL. */
static char *text_of(struct json_object *obj, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return printable(xformat("%.200s", json_object_get_string(value)));
}

static bool has(struct json_object *obj, const char *key)
{
	return json_object_object_get_ex(obj, key, NULL);
}

static void add_point(const struct reader *r, struct series *series, double t, double value)
{
	if (series->n && t < series->points[series->n - 1].t)
		wrong(r, "its time is before that of an earlier line");
	if (series->n == POINTS_MAX)
		wrong(r, "too many lines");
	if (!(series->n & (series->n + 1)))
		series->points = xgrow(series->points,
				       2 * (series->n + 1) * sizeof(*series->points));
	series->points[series->n++] = (struct point){ t, value };
}

static struct lane *lane_of(const struct reader *r, char *name)
{
	struct plot *plot = r->plot;
	struct lane *lane;

	for (int i = 0; i < plot->n_lanes; i++) {
		lane = &plot->lanes[i];
		if (lane->record != plot->records || strcmp(lane->name, name))
			continue;
		free(name);
		return lane;
	}
	if (plot->n_lanes == PLOT_LANES)
		wrong(r, "too many functions");
	lane = &plot->lanes[plot->n_lanes++];
	*lane = (struct lane){ .record = plot->records, .name = name };
	return lane;
}

static void add_state(const struct reader *r, struct lane *lane, double t, const char *name)
{
	struct span *last = lane->n_spans ? &lane->spans[lane->n_spans - 1] : NULL;
	int state = 0;

	while (state < STATES && strcmp(states[state], name))
		state++;
	if (state == STATES)
		wrong(r, "no state has this name");
	if (last && t < last->start)
		wrong(r, "its time is before that of an earlier line");
	if (lane->n_spans == POINTS_MAX)
		wrong(r, "too many lines");
	if (last)
		last->end = t;
	if (!(lane->n_spans & (lane->n_spans + 1)))
		lane->spans = xgrow(lane->spans, 2 * (lane->n_spans + 1) * sizeof(*lane->spans));
	lane->spans[lane->n_spans++] = (struct span){ t, t, state };
}

static void read_function(const struct reader *r, struct json_object *obj, double t,
			  char *device)
{
	struct lane *lane = lane_of(r, device);
	const struct {
		const char *key;
		struct series *series;
	} numbers[] = {
		{ "saved", &lane->saved }, { "loaded", &lane->loaded },
		{ "round", &lane->rounds }, { "work", &lane->work },
		{ "dirty", &lane->dirty },
	};
	char *text = text_of(obj, "state");

	if (text)
		add_state(r, lane, t, text);
	free(text);
	if (!lane->label)
		lane->label = text_of(obj, "label");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (has(obj, numbers[i].key))
			add_point(r, numbers[i].series, t, number_of(r, obj, numbers[i].key));
}

static void read_guest(const struct reader *r, const char *what, double t)
{
	if (!strcmp(what, "stopped") && r->plot->stopped < 0)
		r->plot->stopped = t;
	else if (!strcmp(what, "running") && r->plot->stopped >= 0)
		r->plot->resumed = t;
}

static void read_head(struct reader *r, struct json_object *obj)
{
	struct plot *plot = r->plot;
	double start;

	if (!has(obj, "vpvctl_record") ||
	    number_of(r, obj, "vpvctl_record") != RECORD_FORMAT)
		exit(fail("%s is no record of format %d", r->path, RECORD_FORMAT));
	start = number_of(r, obj, "start");
	if (!plot->records)
		plot->start = start;
	r->late = start - plot->start;
	if (r->late < 0 || r->late > TIME_MAX)
		exit(fail("%s: it begins before the first record, or long after it", r->path));
	plot->title = plot->title ?: text_of(obj, "title");
	plot->note = plot->note ?: text_of(obj, "note");
	plot->work_name = plot->work_name ?: text_of(obj, "work");
	plot->records++;
}

static void read_object(struct reader *r, struct json_object *obj)
{
	char *device, *guest;
	double t;

	if (!json_object_is_type(obj, json_type_object))
		wrong(r, "no JSON object");
	if (r->line == 1) {
		read_head(r, obj);
		return;
	}
	t = number_of(r, obj, "t") + r->late;
	if (t > TIME_MAX)
		wrong(r, "a number is out of its bounds");
	if (t > r->plot->end)
		r->plot->end = t;
	device = text_of(obj, "device");
	if (device)
		read_function(r, obj, t, device);
	if (has(obj, "memory"))
		add_point(r, &r->plot->memory, t, number_of(r, obj, "memory"));
	guest = text_of(obj, "guest");
	if (guest)
		read_guest(r, guest, t);
	free(guest);
}

/* A record that was cut off ends with a part of a line, and is good up to there. */
static void read_line_of(struct reader *r, const char *text, bool last)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *obj = tok ? json_tokener_parse_ex(tok, text, strlen(text)) : NULL;
	bool part = tok && json_tokener_get_error(tok) == json_tokener_continue;

	if (obj)
		read_object(r, obj);
	else if (r->line == 1)
		exit(fail("%s is no record of format %d", r->path, RECORD_FORMAT));
	else if (!last || !part)
		wrong(r, "no JSON object");
	json_object_put(obj);
	json_tokener_free(tok);
}

void plot_read(struct plot *plot, const char *path)
{
	struct reader r = { .plot = plot, .path = path };
	char *text = read_at_most(path, RECORD_MAX_BYTES, NULL), *rest = text, *line;

	if (!text)
		exit(fail("cannot read %s: %s", path, strerror(errno)));
	while ((line = strsep(&rest, "\n"))) {
		r.line++;
		if (*line || r.line == 1)
			read_line_of(&r, line, !rest);
	}
	free(text);
}

/* The vCPUs do not run while a device is in one of these. */
static bool guest_stands(int state)
{
	return state == RUNNING_P2P || state == PRE_COPY_P2P || state == STOP ||
	       state == STOP_COPY;
}

static void guess_pause(struct plot *plot)
{
	for (int i = 0; i < plot->n_lanes; i++) {
		const struct lane *lane = &plot->lanes[i];

		for (size_t k = 1; k < lane->n_spans; k++) {
			const struct span *span = &lane->spans[k];
			int from = lane->spans[k - 1].state;

			if (guest_stands(span->state) && (from == RUNNING || from == PRE_COPY) &&
			    (plot->stopped < 0 || span->start < plot->stopped))
				plot->stopped = span->start;
			if (span->state == RUNNING && guest_stands(from) &&
			    span->start > plot->resumed)
				plot->resumed = span->start;
		}
	}
}

void plot_finish(struct plot *plot)
{
	for (int i = 0; i < plot->n_lanes; i++) {
		struct lane *lane = &plot->lanes[i];

		if (lane->n_spans)
			lane->spans[lane->n_spans - 1].end = plot->end;
	}
	if (plot->stopped < 0)
		guess_pause(plot);
	if (plot->stopped < 0 || plot->resumed < plot->stopped)
		plot->resumed = -1;
}

void plot_put(struct plot *plot)
{
	for (int i = 0; i < plot->n_lanes; i++) {
		struct lane *lane = &plot->lanes[i];

		free(lane->name);
		free(lane->label);
		free(lane->spans);
		free(lane->saved.points);
		free(lane->loaded.points);
		free(lane->rounds.points);
		free(lane->work.points);
		free(lane->dirty.points);
	}
	free(plot->memory.points);
	free(plot->title);
	free(plot->note);
	free(plot->work_name);
}
