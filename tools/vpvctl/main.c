// SPDX-License-Identifier: GPL-2.0
/* vpvctl: the table of commands, and the options before a command. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vpvctl.h"

#ifndef VPVCTL_VERSION
#define VPVCTL_VERSION "unknown"
#endif

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "bind",	cmd_bind,	"give a function to a VFIO driver" },
	{ "compat",	cmd_compat,	"would a migration from A to B be accepted?" },
	{ "describe",	cmd_describe,	"print the migration identity of a function" },
	{ "doctor",	cmd_doctor,	"look for what is wrong, and say how to mend it" },
	{ "list",	cmd_list,	"list functions, their drivers and migration state" },
	{ "persona",	cmd_persona,	"config-space personas" },
	{ "plot",	cmd_plot,	"draw a recorded migration" },
	{ "record",	cmd_record,	"keep a migration, for plot" },
	{ "stream",	cmd_stream,	"print or check a captured migration stream" },
	{ "unbind",	cmd_unbind,	"give a function back to the kernel's driver" },
	{ "watch",	cmd_watch,	"follow states, bytes and rates of migrations" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option options[] = {
	{ "version", no_argument, NULL, 'V' },
	OPTIONS_COMMON
};

static void help(void)
{
	printf("usage: vpvctl [--json] COMMAND ...\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].help);
	printf("\nvpvctl COMMAND --help tells more, and so does vpvctl(8).\n");
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* The options before the command; returns the number of words they take. */
static int own_options(int argc, char **argv)
{
	int opt;

	while ((opt = next_option(argc, argv, options, NULL)) != -1) {
		if (opt == 'V') {
			printf("vpvctl %s\n", VPVCTL_VERSION);
			exit(0);
		}
		help();
		exit(0);
	}
	return optind;
}

int main(int argc, char **argv)
{
	const char *term = getenv("TERM");
	const char *root = getenv("VPVCTL_ROOT");
	const struct command *cmd;
	int words, ret;

	if (root)
		vpvctl.root = root;
	vpvctl.terminal = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
	vpvctl.colour = vpvctl.terminal && !getenv("NO_COLOR");
	words = own_options(argc, argv);
	if (words == argc)
		usage_error("no command given; vpvctl --help lists them");

	cmd = find(argv[words]);
	if (!cmd)
		usage_error("unknown command '%s'; vpvctl --help lists them", argv[words]);
	vpvctl.command = cmd->name;
	optind = 0;
	ret = cmd->run(argc - words, argv + words);
	if (fflush(stdout) || ferror(stdout))
		return fail("cannot write the output");
	return ret;
}
