/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket of a device model, as the lab hands it into L1 (a port that
 * takes lines of text; Documentation of tools/models).
 */
#ifndef SELFTEST_MODEL_H
#define SELFTEST_MODEL_H

#include "device.h"

#define MODEL_REPLY (256 << 10)

struct model {
	int fd;
	char reply[MODEL_REPLY];
};

/* Also clears faults that an earlier test left armed. */
int model_open(struct model *m, const struct slot *slot);
void model_close(struct model *m);

/*
 * Send a command, wait for its end; what it printed is in m->reply.  -EINVAL when
 * the model refused it, -ETIMEDOUT, or -EPIPE when the model is gone.
 */
int model_cmd(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Value of a line "NAME VALUE" of the command's output; -ENOENT without one. */
int model_value(struct model *m, const char *cmd, const char *name, uint64_t *val);

/* The same for @num names, by one command each. */
int model_values(struct model *m, const char *cmd, const char *const names[], size_t num, uint64_t *vals);

/* How often a fault point was taken. */
int model_fault_taken(struct model *m, const char *point, uint64_t *taken);

/* The process ends at once; nothing answers for the function any more. */
int model_kill(struct model *m);

#endif /* SELFTEST_MODEL_H */
