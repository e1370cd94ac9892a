/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps of a migration between two nvme_cf controllers, a guest that works on the first one, and a
 * call that a thread is in while something happens.  Functions return 0 or a negative errno.
 */
#ifndef SELFTEST_NVMESWEEP_H
#define SELFTEST_NVMESWEEP_H

#include <pthread.h>

#include "nvmepair.h"
#include "sweep.h"

/**
 * struct nvme_sweep - What is under test
 * @s: The step.
 * @p: The controllers.
 * @thread: Who is in a call.
 * @call: The call; NULL: there is none.
 * @err: How it ended.
 */
struct nvme_sweep {
	struct sweep s;
	struct nvme_pair p;
	pthread_t thread;
	int (*call)(struct sweep *s);
	int err;
};

struct nvme_sweep *nvme_sweep_of(struct sweep *s);
struct nvme_pair *nvme_sweep_pair(struct sweep *s);

/* TOO_FEW without two subsystems. */
int nvme_sweep_open(struct sweep *s);
void nvme_sweep_close(struct sweep *s);

/* The guest has an I/O queue, which is made if @fresh; what it writes it reads again. */
int nvme_sweep_work(struct sweep *s, bool fresh);
/* Everything is there, bound, open and runs; the guest is on the first one. */
int nvme_sweep_restore(struct sweep *s);
/* And a whole migration works. */
int nvme_sweep_migrate(struct sweep *s);

/* Of the source; what is saved is kept. */
int nvme_to_precopy(struct sweep *s);
int nvme_to_precopy_p2p(struct sweep *s);
int nvme_to_stop_copy(struct sweep *s);
/* Of the destination, with all that comes before. */
int nvme_dst_stop(struct sweep *s);
int nvme_dst_resuming(struct sweep *s);
int nvme_dst_loaded(struct sweep *s);
int nvme_dst_ready(struct sweep *s);
/* One step of it alone. */
int nvme_load(struct sweep *s);
int nvme_dst_end(struct sweep *s);
int nvme_dst_run(struct sweep *s);

/* Logging of what the source writes. */
int nvme_log_on(struct sweep *s);
int nvme_log_off(struct sweep *s);
/* Work, and a report that has all that it wrote: -EILSEQ.  @pages: how many it has; may be NULL. */
int nvme_log_written(struct sweep *s, unsigned int *pages);
/* Likewise, for nvme_sweep_call(). */
int nvme_log_report(struct sweep *s);

/*
 * Begin a call in a thread; every @command of function @fn's subsystem takes @ms from here on.  On
 * return one that the call needs is in work.
 */
int nvme_sweep_call(struct sweep *s, unsigned int fn, int (*call)(struct sweep *s),
		    const char *command, unsigned int ms);
int nvme_sweep_join(struct sweep *s);

#endif /* SELFTEST_NVMESWEEP_H */
