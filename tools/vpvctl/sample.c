// SPDX-License-Identifier: GPL-2.0
/* Functions that are looked at again and again, from debugfs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files.h"
#include "sample.h"
#include "vpvctl.h"

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

double clock_now(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double clock_wall(void)
{
	return seconds_of(CLOCK_REALTIME);
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

void watched_sample(struct watched *w, double now, double seconds)
{
	struct mig_info before = w->mig;

	mig_load(&w->fn, &w->mig);
	w->save_rate = w->again ? rate(&before.save, &w->mig.save, seconds) : 0;
	w->load_rate = w->again ? rate(&before.load, &w->mig.load, seconds) : 0;
	if (!w->again || strcmp(before.state, w->mig.state))
		w->since = now;
	w->again = true;
}

double session_seconds(const struct mig_session *s, uint64_t rate)
{
	return s->result == -EINPROGRESS && s->rest && rate ? (double)s->rest / rate : -1;
}

const char *session_result(const struct mig_session *s)
{
	if (!s->any)
		return "none";
	if (s->result == -EINPROGRESS)
		return "running";
	if (s->result == -ECANCELED)
		return "left";
	return s->result ? strerror(-s->result) : "complete";
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

static void no_state(const char *dev)
{
	const char *trouble = mig_debugfs_trouble();

	if (!trouble && dev)
		trouble = "its driver is no migrating one, or does not show it";
	if (!trouble)
		trouble = "no function has a migrating driver";
	fail("%s%sno migration state: %s", dev ? dev : "", dev ? ": " : "", trouble);
}

int watched_find(const char *dev, struct watched *all)
{
	int n = 0;

	if (dev) {
		pci_operand(dev, &all[0].fn);
		add(all, &n, all[0].fn.bdf);
		dev = all[0].fn.bdf;
	} else {
		n = find_all(all);
	}
	if (!n)
		no_state(dev);
	return n;
}

bool wait_until(double *next, double interval)
{
	double left;

	*next += interval;
	left = *next - clock_now();
	if (left <= 0) {
		*next = clock_now();
		return true;
	}
	return !nanosleep(&(struct timespec){ .tv_sec = left,
					      .tv_nsec = (left - (long)left) * 1e9 }, NULL);
}
