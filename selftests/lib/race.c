// SPDX-License-Identifier: GPL-2.0
/* Jobs that run against each other (race.h). */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "race.h"

#define JOBS_MAX 16

static volatile bool stop;
static __thread sigjmp_buf bus_error;
static __thread volatile bool loading;

static void on_bus_error(int sig)
{
	if (!loading)
		_exit(128 + sig);
	siglongjmp(bus_error, sig);
}

void race_catch_faults(void)
{
	struct sigaction sa = { .sa_handler = on_bus_error };

	sigaction(SIGBUS, &sa, NULL);
}

bool race_load_faults(volatile uint8_t *p)
{
	bool faulted = true;

	loading = true;
	if (!sigsetjmp(bus_error, 1)) {
		(void)*(volatile uint32_t *)p;
		faulted = false;
	}
	loading = false;
	return faulted;
}

static void *job_thread(void *arg)
{
	struct race_job *job = arg;

	while (!stop)
		job->step(job->arg, job->steps++);
	return NULL;
}

static unsigned int seconds(void)
{
	const char *text = getenv("RACE_SECONDS");
	int n = text ? atoi(text) : 0;

	return n > 0 ? n : 2;
}

bool race_run(struct race_job *jobs, unsigned int num)
{
	pthread_t threads[JOBS_MAX];
	unsigned int started;
	bool ok;

	race_catch_faults();
	stop = false;
	for (started = 0; started < num && started < JOBS_MAX; started++)
		if (pthread_create(&threads[started], NULL, job_thread, &jobs[started]))
			break;
	ok = started == num;
	if (ok)
		sleep(seconds());
	stop = true;
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < num; i++) {
		printf("# %s: %lu\n", jobs[i].name, jobs[i].steps);
		ok &= jobs[i].steps > 0;
	}
	return ok;
}
