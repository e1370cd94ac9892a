// SPDX-License-Identifier: GPL-2.0
/*
 * The picture of a migration: the states of each function, memory and device state sent,
 * the progress of the workload, and below the time while the guest was stopped, larger.
 * Colours suit light and dark pages; the page's colour scheme decides the background.
 */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"
#include "svg.h"
#include "vpvctl.h"

#define LEFT 150
#define WIDTH (SVG_WIDTH - LEFT - 70)
#define LANE 30
#define LANE_GAP 10
#define CHART 90
#define CHART_GAP 34
#define TICK 14

static const char style[] =
	"\n"
	"text { font: 13px system-ui, sans-serif; fill: #24292f }\n"
	".title { font-size: 18px; font-weight: 600 } .head { font-weight: 600 }\n"
	".small { font-size: 11.5px; fill: #57606a }\n"
	".bar { font-size: 12px; fill: #fff; font-weight: 600 } .page { fill: #fff }\n"
	".axis { stroke: #8c959f; fill: none } .grid { stroke: #d0d7de; stroke-dasharray: 2 3 }\n"
	".down { fill: #cf3f52; opacity: .16 }\n"
	".edge { stroke: #cf3f52; stroke-width: 1.2; stroke-dasharray: 5 3 }\n"
	"polyline, .key { stroke-width: 2; fill: none } .round { fill: #8058cf; opacity: .8 }\n"
	".saved { stroke: #3f78d8 } .loaded { stroke: #8058cf; stroke-dasharray: 6 3 }\n"
	".dirty { stroke: #d9752b; stroke-dasharray: 2 2 }\n"
	".work { stroke: #2f9e63 } .work2 { stroke: #b8901d }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"text { fill: #e6edf3 } .small { fill: #9aa4af } .bar { fill: #fff }\n"
	".page { fill: #0d1117 } .axis { stroke: #6e7681 } .grid { stroke: #30363d }\n"
	".down { opacity: .30 } .saved { stroke: #6ea0f7 } .loaded { stroke: #b08df5 }\n"
	".work { stroke: #4cc38a } .work2 { stroke: #e0b93f }\n"
	"}\n";

/* In the order of plot_state_name(). */
static const char * const colours[] = {
	"#2f9e63", "#1f9aa3", "#3f78d8", "#8058cf", "#7b828c", "#d9752b", "#b8901d", "#cf3f52",
	"#555",
};

/* The seconds that the width stands for. */
struct scale {
	double first;
	double last;
};

static struct scale scale_of(double first, double last)
{
	return (struct scale){ first, last > first + 1e-3 ? last : first + 1e-3 };
}

static double at_x(const struct scale *s, double t)
{
	return LEFT + WIDTH * (fmin(fmax(t, s->first), s->last) - s->first) / (s->last - s->first);
}

static void text_at(FILE *out, double x, double y, const char *kind, const char *anchor,
		    const char *format, ...)
	__attribute__((format(printf, 6, 7)));

static void text_at(FILE *out, double x, double y, const char *kind, const char *anchor,
		    const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	svg_text(out, x, y, kind, anchor, text);
}

static void duration_text(double seconds, char *text, size_t size)
{
	if (seconds < 1)
		snprintf(text, size, "%.0f ms", seconds * 1000);
	else
		snprintf(text, size, "%.1f s", seconds);
}

/* Unit in which so many bytes are told. */
static const char *unit_of(double bytes, double *factor)
{
	*factor = bytes >= 16 * 1048576.0 ? 1048576 : bytes >= 16 * 1024 ? 1024 : 1;
	return *factor == 1 ? "bytes" : *factor == 1024 ? "KiB" : "MiB";
}

static void time_axis(FILE *out, const struct scale *s, double top, double y)
{
	double unit = s->last - s->first < 2 ? 1000 : 1;
	double step = svg_step((s->last - s->first) * unit, 10);

	for (double tick = ceil(s->first * unit / step) * step; tick <= s->last * unit + 1e-9;
	     tick += step) {
		double x = at_x(s, tick / unit);

		svg_line(out, x, top, x, y, "grid");
		text_at(out, x, y + 16, "small", "middle", "%.6g", fabs(tick));
	}
	svg_line(out, LEFT, y, LEFT + WIDTH, y, "axis");
	text_at(out, LEFT + WIDTH / 2, y + 34, "small", "middle",
		"time since the start of the record [%s]", unit == 1 ? "s" : "ms");
}

static void draw_span(FILE *out, const struct scale *s, const struct lane *lane,
		      const struct span *span, double y)
{
	double x = at_x(s, span->start), end = at_x(s, span->end);
	const char *name = plot_state_name(span->state);
	char lasted[24], title[320];

	if (span->end < s->first || span->start > s->last)
		return;
	duration_text(span->end - span->start, lasted, sizeof(lasted));
	snprintf(title, sizeof(title), "%s: %s for %s", lane->name, name, lasted);
	svg_box(out, x, y, fmax(end - x, 1.5), LANE, NULL, colours[span->state], title);
	if (end - x >= 8.4 * strlen(name))
		svg_text(out, (x + end) / 2, y + LANE / 2 + 4, "bar", "middle", name);
}

static void draw_lanes(FILE *out, const struct plot *plot, const struct scale *s, double y)
{
	for (int i = 0; i < plot->n_lanes; i++, y += LANE + LANE_GAP) {
		const struct lane *lane = &plot->lanes[i];

		if (lane->label)
			text_at(out, LEFT - 12, y + LANE / 2 - 2, "head", "end", "%.16s",
				lane->label);
		text_at(out, LEFT - 12, y + LANE / 2 + (lane->label ? 12 : 5), "small", "end",
			"%.20s", lane->name);
		for (size_t k = 0; k < lane->n_spans; k++)
			draw_span(out, s, lane, &lane->spans[k], y);
	}
}

static void draw_pause(FILE *out, const struct plot *plot, const struct scale *s, double top,
		       double bottom)
{
	double x, end;

	if (plot->stopped < 0)
		return;
	x = at_x(s, plot->stopped);
	end = at_x(s, plot->resumed < 0 ? plot->end : plot->resumed);
	svg_box(out, x, top, fmax(end - x, 1), bottom - top, "down", NULL, NULL);
	svg_line(out, x, top, x, bottom, "edge");
	svg_line(out, end, top, end, bottom, "edge");
}

static void value_axis(FILE *out, double y, double top, const char *label, const char *unit,
		       double factor)
{
	double step = svg_step(top / factor, 4);

	svg_line(out, LEFT, y - CHART, LEFT, y, "axis");
	for (double tick = step; tick * factor <= top; tick += step) {
		double height = y - CHART * tick * factor / top;

		svg_line(out, LEFT, height, LEFT + WIDTH, height, "grid");
		text_at(out, LEFT - 6, height + 4, "small", "end", "%.6g", tick);
	}
	text_at(out, 24, y - CHART - 8, "head", "start", "%.60s [%s]", label, unit);
	svg_line(out, LEFT, y, LEFT + WIDTH, y, "axis");
}

static double largest(const struct series *series, double so_far)
{
	for (size_t i = 0; i < series->n; i++)
		so_far = fmax(so_far, series->points[i].value);
	return so_far;
}

/* A counter that holds its value (@steps) or grows from point to point. */
static void curve(FILE *out, const struct scale *s, const struct series *series, double y,
		  double low, double span, bool steps, const char *kind)
{
	double last = low;

	if (!series->n)
		return;
	svg_curve_begin(out);
	for (size_t i = 0; i < series->n; i++) {
		const struct point *point = &series->points[i];
		double x = at_x(s, point->t);

		if (steps)
			svg_curve_point(out, x, y - CHART * (last - low) / span);
		last = point->value;
		svg_curve_point(out, x, y - CHART * (last - low) / span);
	}
	if (steps)
		svg_curve_point(out, at_x(s, s->last), y - CHART * (last - low) / span);
	svg_curve_end(out, kind);
}

static bool draw_memory(FILE *out, const struct plot *plot, const struct scale *s, double y)
{
	double top = largest(&plot->memory, 1) * 1.1, factor;
	const char *unit = unit_of(top, &factor);

	if (!plot->memory.n)
		return false;
	value_axis(out, y, top, "Memory sent", unit, factor);
	curve(out, s, &plot->memory, y, 0, top, false, "saved");
	return true;
}

static bool draw_state(FILE *out, const struct plot *plot, const struct scale *s, double y)
{
	double top = 1, factor;
	const char *unit;

	for (int i = 0; i < plot->n_lanes; i++) {
		top = largest(&plot->lanes[i].loaded, largest(&plot->lanes[i].saved, top));
		top = largest(&plot->lanes[i].dirty, top);
	}
	top *= 1.2;
	unit = unit_of(top, &factor);
	value_axis(out, y, top, "Device state", unit, factor);
	for (int i = 0; i < plot->n_lanes; i++) {
		const struct series *rounds = &plot->lanes[i].rounds;

		for (size_t k = 0; k < rounds->n; k++) {
			char title[64];

			snprintf(title, sizeof(title), "round of pre-copy, %.0f bytes",
				 rounds->points[k].value);
			svg_box(out, at_x(s, rounds->points[k].t) - 0.75, y - TICK, 1.5, TICK,
				"round", NULL, title);
		}
		curve(out, s, &plot->lanes[i].saved, y, 0, top, true, "saved");
		curve(out, s, &plot->lanes[i].loaded, y, 0, top, true, "loaded");
		curve(out, s, &plot->lanes[i].dirty, y, 0, top, true, "dirty");
	}
	return true;
}

static bool draw_work(FILE *out, const struct plot *plot, const struct scale *s, double y)
{
	double low = INFINITY, top = 0, span;
	int drawn = 0;

	for (int i = 0; i < plot->n_lanes; i++) {
		const struct series *work = &plot->lanes[i].work;

		for (size_t k = 0; k < work->n; k++)
			low = fmin(low, work->points[k].value);
		top = largest(work, top);
	}
	if (isinf(low))
		return false;
	/* Of large counters not even the next number is another double. */
	span = fmax(top - low + 1, (top - low) * 1.1);
	value_axis(out, y, span, plot->work_name ?: "Work", "count", 1);
	for (int i = 0; i < plot->n_lanes; i++)
		if (plot->lanes[i].work.n)
			curve(out, s, &plot->lanes[i].work, y, low, span, false,
			      drawn++ ? "work2" : "work");
	return true;
}

static bool (* const charts[])(FILE *out, const struct plot *plot, const struct scale *s,
			       double y) = { draw_memory, draw_state, draw_work };

#define CHARTS (sizeof(charts) / sizeof(charts[0]))

static bool has_dirty(const struct plot *plot)
{
	for (int i = 0; i < plot->n_lanes; i++)
		if (plot->lanes[i].dirty.n)
			return true;
	return false;
}

static bool state_used(const struct plot *plot, int state)
{
	for (int i = 0; i < plot->n_lanes; i++)
		for (size_t k = 0; k < plot->lanes[i].n_spans; k++)
			if (plot->lanes[i].spans[k].state == state)
				return true;
	return false;
}

static double key(FILE *out, double x, double y, const char *kind, const char *text)
{
	svg_line(out, x, y - 4, x + 16, y - 4, kind);
	svg_text(out, x + 22, y, "", "start", text);
	return x + 44 + 6.8 * strlen(text);
}

static void draw_legend(FILE *out, const struct plot *plot, double y)
{
	const char *name;
	double x = LEFT;

	for (int state = 0; (name = plot_state_name(state)); state++) {
		if (!state_used(plot, state))
			continue;
		svg_box(out, x, y - 11, 14, 14, NULL, colours[state], NULL);
		svg_text(out, x + 20, y, "", "start", name);
		x += 34 + 8.8 * strlen(name);
	}
	y += 24;
	x = key(out, LEFT, y, "key saved", "sent, saved");
	x = key(out, x, y, "key loaded", "loaded");
	if (has_dirty(plot))
		x = key(out, x, y, "key dirty", "dirty");
	if (plot->work_name) {
		x = key(out, x, y, "key work", "work at the source");
		x = key(out, x, y, "key work2", "at the destination");
	}
	svg_box(out, x, y - 11, 14, 14, "down", NULL, NULL);
	svg_text(out, x + 20, y, "", "start", "guest stopped");
	svg_box(out, x + 130, y - 11, 2, 14, "round", NULL, NULL);
	svg_text(out, x + 140, y, "", "start", "round of pre-copy");
}

static void draw_head(FILE *out, const struct plot *plot)
{
	double saved = 0, factor;
	char lasted[24];
	const char *unit;

	svg_text(out, 24, 32, "title", "start", plot->title ?: "Live migration");
	if (plot->note) {
		svg_text(out, 24, 54, "small", "start", plot->note);
		return;
	}
	for (int i = 0; i < plot->n_lanes; i++)
		saved = largest(&plot->lanes[i].saved, saved);
	unit = unit_of(saved, &factor);
	duration_text(fmax(plot->resumed - plot->stopped, 0), lasted, sizeof(lasted));
	text_at(out, 24, 54, "small", "start", "%.2f s, %s%s%sdevice state %.1f %s", plot->end,
		plot->resumed < 0 ? "" : "guest stopped for ", plot->resumed < 0 ? "" : lasted,
		plot->resumed < 0 ? "" : ", ", saved / factor, unit);
}

/* The same lanes, with a bit of what was before and after. */
static double draw_zoom(FILE *out, const struct plot *plot, double top)
{
	double pause = fmax(plot->resumed - plot->stopped, 0.02);
	double lanes = top + 12, bottom = lanes + plot->n_lanes * (LANE + LANE_GAP);
	struct scale zoom = scale_of(fmax(0, plot->stopped - 0.25 * pause),
				     fmin(plot->end, plot->resumed + 0.25 * pause));
	char lasted[24];

	duration_text(pause, lasted, sizeof(lasted));
	text_at(out, 24, top, "head", "start", "Device states while the guest is stopped (%s)",
		lasted);
	time_axis(out, &zoom, lanes, bottom);
	draw_pause(out, plot, &zoom, top + 6, bottom);
	draw_lanes(out, plot, &zoom, lanes);
	return bottom + 66;
}

/* Everything below the head line; returns where it ends. */
static double draw_body(FILE *out, const struct plot *plot)
{
	struct scale whole = scale_of(0, plot->end);
	double top = 84, lanes = top + 12, n = 1 + !!plot->memory.n, y;

	for (int i = 0; i < plot->n_lanes; i++) {
		if (!plot->lanes[i].work.n)
			continue;
		n++;
		break;
	}
	y = lanes + plot->n_lanes * (LANE + LANE_GAP) + 24 - CHART_GAP;
	svg_text(out, 24, top, "head", "start", "Device states");
	time_axis(out, &whole, lanes, y + n * (CHART_GAP + CHART));
	draw_pause(out, plot, &whole, top + 6, y + n * (CHART_GAP + CHART));
	draw_lanes(out, plot, &whole, lanes);
	for (size_t i = 0; i < CHARTS; i++)
		if (charts[i](out, plot, &whole, y + CHART_GAP + CHART))
			y += CHART_GAP + CHART;
	y += 76;
	if (plot->resumed >= 0)
		y = draw_zoom(out, plot, y);
	draw_legend(out, plot, y);
	return y + 44;
}

void plot_draw(const struct plot *plot, FILE *out)
{
	char *body = NULL;
	size_t bytes;
	FILE *memory = open_memstream(&body, &bytes);
	double height;

	if (!memory)
		exit(fail("out of memory"));
	draw_head(memory, plot);
	height = draw_body(memory, plot);
	if (fclose(memory))
		exit(fail("out of memory"));
	svg_begin(out, plot->title ?: "Live migration", height, style);
	fwrite(body, 1, bytes, out);
	svg_end(out);
	free(body);
}
