// SPDX-License-Identifier: GPL-2.0
/*
 * vpvctl record: what changes of migrations, as lines of JSON for vpvctl plot.  The first
 * line says when it began and where, the last one that it ended.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "plot.h"
#include "sample.h"
#include "vpvctl.h"

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	ended = number;
}

static struct json_object *line_at(double t)
{
	struct json_object *obj = json_object_new_object();
	char text[32];

	snprintf(text, sizeof(text), "%.3f", t);
	json_object_object_add(obj, "t", json_object_new_double_s(t, text));
	return obj;
}

static struct json_object *line_of(double t, const struct watched *w)
{
	struct json_object *obj = line_at(t);

	put_text(obj, "device", w->fn.bdf);
	return obj;
}

static void print_head(void)
{
	struct json_object *obj = json_object_new_object();
	char host[65], start[32];

	read_line(at("/proc/sys/kernel/hostname").s, host, sizeof(host));
	snprintf(start, sizeof(start), "%.3f", clock_wall());
	put_number(obj, "vpvctl_record", RECORD_FORMAT);
	json_object_object_add(obj, "start", json_object_new_double_s(clock_wall(), start));
	put_text(obj, "host", printable(host));
	print_json(obj, true);
}

static void print_session(double t, const struct watched *w, const char *bytes,
			  const char *result, const struct mig_session *before,
			  const struct mig_session *after)
{
	struct json_object *obj;

	if (!after->any || (before->any && before->bytes == after->bytes &&
			    before->result == after->result && before->rest == after->rest &&
			    before->dirty == after->dirty))
		return;
	obj = line_of(t, w);
	put_number(obj, bytes, after->bytes);
	put_text(obj, result, session_result(after));
	/* Until there is none any more. */
	if (before->rest || after->rest) {
		put_number(obj, "to_come", after->rest);
		put_number(obj, "dirty", after->dirty);
	}
	print_json(obj, true);
}

static void print_changes(double t, const struct watched *w, const struct mig_info *before)
{
	struct json_object *obj;

	if (strcmp(before->state, w->mig.state)) {
		obj = line_of(t, w);
		put_text(obj, "state", w->mig.state[0] ? w->mig.state : "gone");
		print_json(obj, true);
	}
	print_session(t, w, "saved", "save", &before->save, &w->mig.save);
	print_session(t, w, "loaded", "load", &before->load, &w->mig.load);
	if (strcmp(before->error, w->mig.error)) {
		obj = line_of(t, w);
		put_text(obj, "last_error", w->mig.error);
		print_json(obj, true);
	}
}

/* So many seconds of rest end a migration: it passes through STOP on its way, too. */
#define REST 1.0

/* Has one of them migrated, and has none done so for a while? */
static bool over(const struct watched *all, int n, double t, double *busy)
{
	static const char * const rest[] = { "RUNNING", "STOP", "ERROR", "" };

	for (int i = 0; i < n; i++) {
		size_t k = 0;

		while (k < sizeof(rest) / sizeof(rest[0]) && strcmp(all[i].mig.state, rest[k]))
			k++;
		if (k == sizeof(rest) / sizeof(rest[0]))
			*busy = t;
	}
	return *busy && t - *busy > REST;
}

/* A session that ended before belongs to another migration. */
static void forget_old(struct mig_info *before, const struct watched *w)
{
	*before = (struct mig_info){ 0 };
	before->save = w->mig.save;
	before->load = w->mig.load;
	memcpy(before->error, w->mig.error, sizeof(before->error));
}

static int record(struct watched *all, int n, double interval, bool once)
{
	struct mig_info *before = xalloc(n * sizeof(*before));
	struct json_object *end;
	double start = clock_now(), next = start, busy = 0;

	print_head();
	for (int i = 0; i < n; i++)
		forget_old(&before[i], &all[i]);
	while (!ended && !ferror(stdout)) {
		double t = clock_now();

		for (int i = 0; i < n; i++) {
			watched_sample(&all[i], t, 0);
			print_changes(t - start, &all[i], &before[i]);
			before[i] = all[i].mig;
		}
		if (fflush(stdout) || (once && over(all, n, t, &busy)))
			break;
		wait_until(&next, interval);
	}
	free(before);
	if (ferror(stdout))
		return 1;
	end = line_at(clock_now() - start);

	put_flag(end, "end", true);
	print_json(end, true);
	return 0;
}

static const struct option options[] = {
	{ "interval", required_argument, NULL, 'i' },
	{ "once", no_argument, NULL, 'o' },
	OPTIONS_COMMON
};

int cmd_record(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	uint64_t interval_ms = 10;
	struct watched *all;
	bool once = false;
	int n, opt, ret = 1;

	while ((opt = next_option(argc, argv, options, "record [--once] [--interval MILLISECONDS] "
				  "[DEV]")) != -1) {
		if (opt == 'i')
			interval_ms = number("--interval", optarg, 1, 3600000);
		else
			once = true;
	}
	if (argc - optind > 1)
		usage_error("give one device or none");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	all = xalloc(MAX_WATCHED * sizeof(*all));
	n = watched_find(optind < argc ? argv[optind] : NULL, all);
	if (n)
		ret = record(all, n, interval_ms / 1000.0, once);
	free(all);
	return ret;
}
