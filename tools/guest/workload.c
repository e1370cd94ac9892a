// SPDX-License-Identifier: GPL-2.0
/* What all workloads of guests do: see workload.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "workload.h"

#define OPTIONS_MAX 16

static char **all_args;

static const struct workload_option *find(const struct workload_option *options, int letter)
{
	while (options->letter && options->letter != letter)
		options++;
	return options->letter ? options : NULL;
}

static bool take(const struct workload_option *option, const char *value)
{
	char *end = "";

	if (option->text)
		*option->text = value;
	else if (option->large)
		*option->large = strtoull(value, &end, 0);
	else
		*option->number = strtoul(value, &end, 10);
	return !*end;
}

static bool parse(const struct workload *w, const char **control, int argc, char **argv)
{
	char letters[2 * OPTIONS_MAX + 3] = "c:";
	size_t n = 2;
	int letter;

	for (size_t i = 0; w->options[i].letter && i < OPTIONS_MAX; i++) {
		letters[n++] = w->options[i].letter;
		letters[n++] = ':';
	}
	while ((letter = getopt(argc, argv, letters)) != -1) {
		const struct workload_option *option = find(w->options, letter);

		if (letter == 'c')
			*control = optarg;
		else if (!option || !take(option, optarg))
			return false;
	}
	return w->valid(argc - optind, argv + optind);
}

int workload_main(const struct workload *w, int argc, char **argv)
{
	const char *control = NULL;
	int err;

	all_args = argv;
	if (!parse(w, &control, argc, argv)) {
		fputs(w->usage, stderr);
		return 2;
	}
	if (control && line_open(control)) {
		perror(control);
		return 2;
	}
	err = w->start();
	if (err) {
		line_log("cannot start: %s", strerror(-err));
		return 2;
	}
	w->run();
	return w->finish();
}

void workload_restart(void)
{
	execv("/proc/self/exe", all_args);
	line_log("cannot begin anew: %s", strerror(errno));
}
