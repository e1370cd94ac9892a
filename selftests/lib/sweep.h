/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps of a migration of two functions, each of which a test has go wrong.  A test embeds
 * struct sweep in what it knows of its functions.  Functions return 0 or a negative errno.
 */
#ifndef SELFTEST_SWEEP_H
#define SELFTEST_SWEEP_H

#include "migration.h"

/**
 * struct sweep - One step under test
 * @v: The functions; 0 is the source.
 * @fd: Data file of the step, or -1.
 */
struct sweep {
	struct vdev *v;
	int fd;
};

void sweep_init(struct sweep *s, struct vdev *v);
void sweep_fd_close(struct sweep *s);
/* Of function @fn; its data file, if there is a new one, is s->fd. */
int sweep_set(struct sweep *s, unsigned int fn, unsigned int state);

/**
 * struct sweep_step - One step
 * @name: As the documentation has it.
 * @fn: Whose state is looked at.
 * @begin: Bring the functions where it begins.
 * @run: The step.
 * @state: Where it leads.
 */
struct sweep_step {
	const char *name;
	unsigned int fn;
	int (*begin)(struct sweep *s);
	int (*run)(struct sweep *s);
	unsigned int state;
};

/* Nothing to look at: the function is not open. */
#define SWEEP_CLOSED	99

unsigned int sweep_state(const struct sweep *s, const struct sweep_step *step);
const char *sweep_state_name(unsigned int state);

/* What steps begin with, or are. */
int sweep_nothing(struct sweep *s);
int sweep_to_p2p(struct sweep *s);
int sweep_to_stop(struct sweep *s);
int sweep_to_running(struct sweep *s);

#endif /* SELFTEST_SWEEP_H */
