/* SPDX-License-Identifier: GPL-2.0 */
/* Plain SVG: lines, boxes, text. */
#ifndef VPVCTL_SVG_H
#define VPVCTL_SVG_H

#include <stddef.h>
#include <stdio.h>

#define SVG_WIDTH 1000

/* Head and end of the document; @style is CSS. */
void svg_begin(FILE *out, const char *title, double height, const char *style);
void svg_end(FILE *out);

/* Text with its anchor: "start", "middle" or "end". */
void svg_text(FILE *out, double x, double y, const char *kind, const char *anchor,
	      const char *text);

/* A box of a class (or, without one, in a colour) with a text for the pointer, or NULL. */
void svg_box(FILE *out, double x, double y, double width, double height, const char *kind,
	     const char *fill, const char *title);

void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *kind);

/* A line through points, given one by one between begin and end. */
void svg_curve_begin(FILE *out);
void svg_curve_point(FILE *out, double x, double y);
void svg_curve_end(FILE *out, const char *kind);

/* A step of 1, 2 or 5 times a power of ten that divides @span into at most @most parts. */
double svg_step(double span, int most);

#endif /* VPVCTL_SVG_H */
