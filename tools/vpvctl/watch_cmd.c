// SPDX-License-Identifier: GPL-2.0
/* vpvctl watch: states, bytes and rates of migrations; lines, where there is no terminal. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sample.h"
#include "screen.h"
#include "vpvctl.h"

static void print_session(const char *kind, const struct mig_session *s, uint64_t per_second)
{
	if (!s->any)
		return;
	printf("  %s %s %" PRIu64 " bytes", kind, session_result(s), s->bytes);
	if (s->result == -EINPROGRESS)
		printf(" %" PRIu64 " bytes/s", per_second);
	if (s->rest)
		printf(" %" PRIu64 " to come", s->rest);
	if (s->dirty)
		printf(" (%" PRIu64 " dirty)", s->dirty);
	if (session_seconds(s, per_second) >= 0)
		printf(" in %.1f s", session_seconds(s, per_second));
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
	put_text(obj, "result", session_result(s));
	json_object_object_add(obj, "errno", json_object_new_int(s->result));
	put_number(obj, "bytes", s->bytes);
	put_number(obj, "records", s->records);
	put_number(obj, "bytes_per_second", per_second);
	put_number(obj, "bytes_to_come", s->rest);
	put_number(obj, "bytes_dirty", s->dirty);
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

static void follow(struct watched *all, int n, uint64_t count, double interval)
{
	bool screen = isatty(STDOUT_FILENO) && !vpvctl.json && vpvctl.terminal;
	double next = clock_now(), last = next;

	if (screen)
		screen_open();
	for (uint64_t i = 0; !count || i < count; i++) {
		double t;

		if (i && !(screen ? screen_wait : wait_until)(&next, interval))
			break;
		t = clock_now();
		for (int k = 0; k < n; k++)
			watched_sample(&all[k], t, t - last);
		last = t;
		(screen ? screen_draw : print_all)(all, n);
		if (fflush(stdout))
			break;
	}
	if (screen)
		screen_close();
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
	int n, opt;

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
	n = watched_find(optind < argc ? argv[optind] : NULL, all);
	if (n)
		follow(all, n, count, interval_ms / 1000.0);
	free(all);
	return !n;
}
