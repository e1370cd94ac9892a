// SPDX-License-Identifier: GPL-2.0
/* vpvctl plot: records of a migration, of one host or of two, to a picture. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"
#include "vpvctl.h"

static int write_picture(const struct plot *plot, const char *path)
{
	FILE *out = path ? fopen(path, "w") : stdout;

	if (!out)
		return fail("cannot write %s: %s", path, strerror(errno));
	plot_draw(plot, out);
	if (!path)
		return 0;
	if (ferror(out) | fclose(out))
		return fail("cannot write %s", path);
	return 0;
}

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "title", required_argument, NULL, 't' },
	OPTIONS_COMMON
};

int cmd_plot(int argc, char **argv)
{
	const char *output = NULL, *title = NULL;
	struct plot *plot;
	int opt, ret;

	while ((opt = next_option(argc, argv, options, "plot [--title TEXT] [--output FILE] "
				  "RECORD...")) != -1) {
		if (opt == 'o')
			output = optarg;
		else
			title = optarg;
	}
	if (argc == optind)
		usage_error("give a record, or one of each host: that of the source first");
	plot = xalloc(sizeof(*plot));
	plot->stopped = -1;
	plot->resumed = -1;
	if (title)
		plot->title = printable(xformat("%s", title));
	for (; optind < argc; optind++)
		plot_read(plot, argv[optind]);
	plot_finish(plot);
	ret = write_picture(plot, output);
	plot_put(plot);
	free(plot);
	return ret;
}
