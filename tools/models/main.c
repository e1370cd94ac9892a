// SPDX-License-Identifier: GPL-2.0
/* vpv-model: run one device model behind a vfio-user socket. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vu_front.h"

#define CLIENT_TIMEOUT_MS	5000

struct args {
	const char *model;
	struct vu_server_opts opts;
	char *options[VU_MAX_OPTIONS];
	unsigned int num_options;
};

static bool has_option(const struct vu_model *m, const char *name)
{
	for (const struct vu_option *o = m->options; o && o->name; o++)
		if (!strcmp(o->name, name))
			return true;
	return false;
}

/* Name, ids, its controlling function, memory outside of BARs, and what it is. */
static void list_models(void)
{
	vu_for_each_model(m)
		printf("%s\t%04x:%04x\t%s\t%s\t%s\n", (*m)->name, (*m)->vendor, (*m)->device,
		       (*m)->control ?: "-", has_option(*m, VU_MEMORY) ? VU_MEMORY : "-",
		       (*m)->summary);
}

static void print_options(const struct vu_option *o)
{
	for (; o && o->name; o++)
		printf("  %-12s %s\n", o->name, o->help);
}

static void print_help(void)
{
	puts("usage: vpv-model --model NAME --socket PATH --control PATH [--option KEY=VALUE]...\n"
	     "  --model NAME        device model (--list)\n"
	     "  --socket PATH       vfio-user socket to listen on\n"
	     "  --control PATH      control socket to listen on\n"
	     "  --option KEY=VALUE  option of the model, may be repeated\n"
	     "  --verbose           log refused requests to stderr\n"
	     "  --list              list the models\n"
	     "  --help              this text\n"
	     "Controlled function N of a model that has some listens on PATH.N.\n"
	     "Prints \"ready\" when all sockets listen; ends with status 0 on SIGTERM.");
	puts("\noptions of all models:");
	print_options(vu_common_options);
	vu_for_each_model(m) {
		printf("\noptions of %s:\n", (*m)->name);
		print_options((*m)->options);
	}
}

static int usage_error(const char *what)
{
	fprintf(stderr, "vpv-model: %s (see --help)\n", what);
	return 2;
}

/* -1: go on, otherwise the exit status. */
static int parse_args(int argc, char **argv, struct args *a)
{
	static const struct option longs[] = {
		{ "model", required_argument, NULL, 'm' },
		{ "socket", required_argument, NULL, 's' },
		{ "control", required_argument, NULL, 'c' },
		{ "option", required_argument, NULL, 'o' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'm': a->model = optarg; break;
		case 's': a->opts.socket_path = optarg; break;
		case 'c': a->opts.control_path = optarg; break;
		case 'v': a->opts.verbose = true; break;
		case 'l': list_models(); return 0;
		case 'h': print_help(); return 0;
		case 'o':
			if (a->num_options == VU_MAX_OPTIONS)
				return usage_error("too many options");
			a->options[a->num_options++] = optarg;
			break;
		default:
			return 2;
		}
	}
	if (optind < argc || !a->model || !a->opts.socket_path || !a->opts.control_path)
		return usage_error("need --model, --socket and --control");
	return -1;
}

/* The sockets of controlled function @n (-1: of the controlling one). */
static bool fill_paths(struct vu_server_opts *opts, const struct args *a, int n, char *paths[2])
{
	*opts = a->opts;
	if (n < 0)
		return true;
	opts->signals = false;
	for (int i = 0; i < 2; i++)
		if (asprintf(&paths[i], "%s.%d", i ? a->opts.control_path : a->opts.socket_path,
			     n) < 0)
			return false;
	opts->socket_path = paths[0];
	opts->control_path = paths[1];
	return true;
}

static struct vu_server *serve(struct vu_dev *dev, const struct args *a, int n,
			       char *paths[2], struct vu_server *ring)
{
	struct vu_server *srv = NULL;
	struct vu_server_opts opts;

	if (fill_paths(&opts, a, n, paths))
		srv = vu_server_new(dev, &opts);
	if (srv && ring)
		vu_server_join(srv, ring);
	return srv;
}

static int run(struct vu_dev *dev, const struct args *a)
{
	struct vu_server *srv[1 + VU_MAX_CONTROLLED] = { NULL };
	char *paths[1 + VU_MAX_CONTROLLED][2] = { { NULL } };
	unsigned int n = 0, count = 1;
	int status = 1;

	while (vu_controlled(dev, count - 1))
		count++;
	for (; n < count; n++) {
		srv[n] = serve(n ? vu_controlled(dev, n - 1) : dev, a, (int)n - 1, paths[n], srv[0]);
		if (!srv[n])
			break;
	}
	if (n == count) {
		puts("ready");
		fflush(stdout);
		status = vu_server_run(srv[0]) ? 1 : 0;
	}
	for (n = count; n-- > 0;) {
		if (srv[n])
			vu_server_free(srv[n]);
		free(paths[n][0]);
		free(paths[n][1]);
	}
	return status;
}

int main(int argc, char **argv)
{
	struct args a = { .opts = { .timeout_ms = CLIENT_TIMEOUT_MS, .signals = true } };
	const struct vu_model *model;
	struct vu_dev *dev;
	int status = parse_args(argc, argv, &a);

	if (status >= 0)
		return status;
	model = vu_model_find(a.model);
	if (!model)
		return usage_error("no such model");
	dev = vu_dev_new(model, a.options, a.num_options);
	if (!dev)
		return 1;
	status = run(dev, &a);
	vu_dev_free(dev);
	return status;
}
