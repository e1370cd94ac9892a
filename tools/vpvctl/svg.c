// SPDX-License-Identifier: GPL-2.0
/* Plain SVG. */
#include "svg.h"

static void escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			putc(*text, out);
		}
	}
}

void svg_begin(FILE *out, const char *title, double height, const char *style)
{
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<!-- SPDX-License-Identifier: GPL-2.0 -->\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
		"height=\"%.0f\" role=\"img\">\n<title>", SVG_WIDTH, height, SVG_WIDTH, height);
	escaped(out, title);
	fprintf(out, "</title>\n<style>%s</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" class=\"page\"/>\n", style);
}

void svg_end(FILE *out)
{
	fputs("</svg>\n", out);
}

void svg_text(FILE *out, double x, double y, const char *kind, const char *anchor,
	      const char *text)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y, kind,
		anchor);
	escaped(out, text);
	fputs("</text>\n", out);
}

void svg_box(FILE *out, double x, double y, double width, double height, const char *kind,
	     const char *fill, const char *title)
{
	fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s=\"%s\">", x, y,
		width > 0 ? width : 0, height, kind ? "class" : "fill", kind ? kind : fill);
	if (title) {
		fputs("<title>", out);
		escaped(out, title);
		fputs("</title>", out);
	}
	fputs("</rect>\n", out);
}

void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *kind)
{
	fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1,
		y1, x2, y2, kind);
}

void svg_curve_begin(FILE *out)
{
	fputs("<polyline points=\"", out);
}

void svg_curve_point(FILE *out, double x, double y)
{
	fprintf(out, "%.1f,%.1f ", x, y);
}

void svg_curve_end(FILE *out, const char *kind)
{
	fprintf(out, "\" class=\"%s\"/>\n", kind);
}

double svg_step(double span, int most)
{
	static const int factors[] = { 1, 2, 5 };
	double step = 1e-6;

	for (;; step *= 10)
		for (int i = 0; i < 3; i++)
			if (span / (step * factors[i]) <= most)
				return step * factors[i];
}
