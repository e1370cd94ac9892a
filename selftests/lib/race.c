// SPDX-License-Identifier: GPL-2.0
/* Jobs that run against each other (race.h). */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "device.h"
#include "race.h"

#define JOBS_MAX	16
#define MORE_MS		60000

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

/* The only writer of what it counts. */
static void *job_thread(void *arg)
{
	struct race_job *job = arg;

	while (!stop) {
		int err = job->step(job->arg, job->steps++);

		if (err)
			job->last_err = err;
		else
			__atomic_fetch_add(&job->done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool all_done(struct race_job *jobs, unsigned int num)
{
	bool all = true;

	for (unsigned int i = 0; i < num; i++)
		all &= __atomic_load_n(&jobs[i].done, __ATOMIC_RELAXED) > 0;
	return all;
}

/* On a busy machine a job may not have had its turn when the time is up. */
static void race_wait(struct race_job *jobs, unsigned int num, unsigned int ms)
{
	uint64_t end = now_ms() + ms;

	while (now_ms() < end)
		usleep(10000);
	end += MORE_MS;
	while (!all_done(jobs, num) && now_ms() < end)
		usleep(10000);
}

bool race_run_ms(struct race_job *jobs, unsigned int num, unsigned int ms)
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
		race_wait(jobs, num, ms);
	stop = true;
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < num; i++) {
		const struct race_job *job = &jobs[i];

		printf("# %s: %lu of %lu, last error %d\n", job->name, job->done, job->steps,
		       job->last_err);
	}
	return ok && all_done(jobs, num);
}

bool race_run(struct race_job *jobs, unsigned int num)
{
	const char *text = getenv("RACE_SECONDS");
	int n = text ? atoi(text) : 0;

	return race_run_ms(jobs, num, 1000 * (n > 0 ? n : 2));
}
