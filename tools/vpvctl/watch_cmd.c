// SPDX-License-Identifier: GPL-2.0
/* vpvctl watch: states, bytes and rates of migrations, sampled from debugfs. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "mig.h"
#include "vpvctl.h"

#define MAX_WATCHED 1024

/* One function, and its sample before, for rates. */
struct watched {
	struct pci_fn fn;
	struct mig_info mig;
	uint64_t save_rate;
	uint64_t load_rate;
	bool again;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* A counter that went back belongs to a new session. */
static uint64_t rate(const struct mig_session *before, const struct mig_session *after,
		     double seconds)
{
	uint64_t bytes = after->bytes;

	if (!after->any || seconds <= 0)
		return 0;
	if (before->any && before->bytes <= after->bytes)
		bytes -= before->bytes;
	return bytes / seconds;
}

static void sample(struct watched *w, double seconds)
{
	struct mig_info before = w->mig;

	mig_load(&w->fn, &w->mig);
	w->save_rate = w->again ? rate(&before.save, &w->mig.save, seconds) : 0;
	w->load_rate = w->again ? rate(&before.load, &w->mig.load, seconds) : 0;
	w->again = true;
}

static const char *result_text(const struct mig_session *s)
{
	if (!s->any)
		return "none";
	if (s->result == -EINPROGRESS)
		return "running";
	if (s->result == -ECANCELED)
		return "left";
	return s->result ? strerror(-s->result) : "complete";
}

static void print_session(const char *kind, const struct mig_session *s, uint64_t per_second)
{
	if (!s->any)
		return;
	printf("  %s %s %" PRIu64 " bytes", kind, result_text(s), s->bytes);
	if (s->result == -EINPROGRESS)
		printf(" %" PRIu64 " bytes/s", per_second);
}

static void print_line(const struct watched *w, const char *when)
{
	const char *state = w->mig.state[0] ? w->mig.state : "gone";

	printf("%s %s ", when, w->fn.bdf);
	if (!strcmp(state, "ERROR") || !strcmp(state, "gone"))
		paint(PAINT_BAD, "%s", state);
	else if (strcmp(state, "RUNNING"))
		paint(PAINT_BOLD, "%s", state);
	else
		printf("%s", state);
	if (w->mig.save.any || w->mig.load.any || w->mig.error[0])
		printf("%*s", 12 - (int)strlen(state) > 0 ? 12 - (int)strlen(state) : 0, "");
	print_session("save", &w->mig.save, w->save_rate);
	print_session("load", &w->mig.load, w->load_rate);
	if (w->mig.error[0])
		printf("  last error: %s", w->mig.error);
	putchar('\n');
}

static struct json_object *session_json(const struct mig_session *s, uint64_t per_second)
{
	struct json_object *obj;

	if (!s->any)
		return NULL;
	obj = json_object_new_object();
	put_text(obj, "result", result_text(s));
	json_object_object_add(obj, "errno", json_object_new_int(s->result));
	put_number(obj, "bytes", s->bytes);
	put_number(obj, "records", s->records);
	put_number(obj, "bytes_per_second", per_second);
	return obj;
}

static void print_object(const struct watched *w, const char *when)
{
	struct json_object *obj = json_object_new_object();

	put_text(obj, "time", when);
	put_text(obj, "device", w->fn.bdf);
	put_text_or_null(obj, "state", w->mig.state);
	json_object_object_add(obj, "save", session_json(&w->mig.save, w->save_rate));
	json_object_object_add(obj, "load", session_json(&w->mig.load, w->load_rate));
	put_text_or_null(obj, "last_error", w->mig.error);
	print_json(obj, true);
}

static void print_all(const struct watched *all, int n)
{
	struct timespec t;
	struct tm tm;
	char when[48], day[32];

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when, sizeof(when), "%s.%03ldZ", day, t.tv_nsec / 1000000);
	for (int i = 0; i < n; i++)
		(vpvctl.json ? print_object : print_line)(&all[i], when);
}

static void add(struct watched *all, int *n, const char *bdf)
{
	for (int i = 0; i < *n; i++)
		if (!strcmp(all[i].fn.bdf, bdf))
			return;
	if (*n == MAX_WATCHED || pci_load(bdf, &all[*n].fn))
		return;
	mig_load(&all[*n].fn, &all[*n].mig);
	if (all[*n].mig.state[0])
		(*n)++;
}

/* All functions that debugfs shows a migration state of. */
static int find_all(struct watched *all)
{
	static const char * const roots[] = { "vpv_migration", "vfio" };
	int n = 0;

	for (int r = 0; r < 2; r++) {
		char **names;
		int found = list_dir(at("/sys/kernel/debug/%s", roots[r]).s, &names);

		for (int i = 0; i < found; i++)
			add(all, &n, names[i]);
		free_names(names, found);
	}
	return n;
}

static int no_state(const char *dev)
{
	const char *trouble = mig_debugfs_trouble();

	if (!trouble && dev)
		trouble = "its driver is no migrating one, or does not show it";
	if (!trouble)
		trouble = "no function has a migrating driver";
	return fail("%s%sno migration state: %s", dev ? dev : "", dev ? ": " : "", trouble);
}

static void wait_until(double *next, double interval)
{
	double left;

	*next += interval;
	left = *next - now();
	if (left <= 0) {
		*next = now();
		return;
	}
	nanosleep(&(struct timespec){ .tv_sec = left, .tv_nsec = (left - (long)left) * 1e9 }, NULL);
}

static void follow(struct watched *all, int n, uint64_t count, double interval)
{
	/* On a terminal the lines stay in place. */
	bool place = isatty(STDOUT_FILENO) && !vpvctl.json && vpvctl.colour;
	double next = now(), last = next;

	for (uint64_t i = 0; !count || i < count; i++) {
		double t;

		if (i)
			wait_until(&next, interval);
		t = now();
		for (int k = 0; k < n; k++)
			sample(&all[k], t - last);
		last = t;
		if (place)
			printf(i ? "\033[%dA\033[J" : "\033[J", n);
		print_all(all, n);
		if (fflush(stdout))
			return;
	}
}

static const struct option options[] = {
	{ "count", required_argument, NULL, 'n' },
	{ "interval", required_argument, NULL, 'i' },
	OPTIONS_COMMON
};

int cmd_watch(int argc, char **argv)
{
	uint64_t count = 0, interval_ms = 1000;
	struct watched *all;
	int n = 0, opt;

	while ((opt = next_option(argc, argv, options, "watch [--count N] "
				  "[--interval MILLISECONDS] [--json] [DEV]")) != -1) {
		if (opt == 'n')
			count = number("--count", optarg, 1, UINT32_MAX);
		else
			interval_ms = number("--interval", optarg, 10, 3600000);
	}
	if (argc - optind > 1)
		usage_error("give one device or none");

	all = xalloc(MAX_WATCHED * sizeof(*all));
	if (optind < argc) {
		pci_operand(argv[optind], &all[0].fn);
		mig_load(&all[0].fn, &all[0].mig);
		n = all[0].mig.state[0] ? 1 : 0;
	} else {
		n = find_all(all);
	}
	if (n)
		follow(all, n, count, interval_ms / 1000.0);
	else
		n = -no_state(optind < argc ? all[0].fn.bdf : NULL);
	free(all);
	return n < 0;
}
