/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two functions of coherent_gpu that are alike: the first one is migrated to the second one while
 * its memory is written, and in the end both memories are compared.  Functions return 0 or a
 * negative errno.
 */
#ifndef SELFTEST_GPUPAIR_H
#define SELFTEST_GPUPAIR_H

#include <sys/types.h>

#include "gpu.h"

#define GPUPAIR_MAIN	(224UL << 20)
#define GPUPAIR_CARVE	(32UL << 20)
#define GPUPAIR_BYTES	(GPUPAIR_MAIN + GPUPAIR_CARVE)

/**
 * struct gpupair - Source and destination
 * @slot: Functions, which the test has found.
 * @v: Likewise, open.
 * @g: "Guest" of the source; queues 0 and 1 have begun.
 * @main: Main memory of the source, by pages of 2 MiB where the kernel has them.
 * @carve: Its carve-out, likewise.
 * @from: Data fd of the source; negative: none.
 * @to: That of the destination.
 * @sent: Bytes that went from one to the other.
 */
struct gpupair {
	struct slot slot[2];
	struct vdev v[2];
	struct gpu g;
	uint8_t *main;
	uint8_t *carve;
	int from, to;
	uint64_t sent;
};

/* For a test's setup, before anything can fail. */
void gpupair_init(struct gpupair *p);
/* Open both, map the memory of the source and start its queues. */
int gpupair_open(struct gpupair *p, enum vdev_mode mode);
void gpupair_close(struct gpupair *p);

/* RESUMING and PRE_COPY. */
int gpupair_begin(struct gpupair *p);
/* Move some to the other side.  Return: bytes; 0 at the end of the stream, -ENOMSG when drained. */
ssize_t gpupair_piece(struct gpupair *p);
/* All that there is, with the return value of the last piece; for a source that nobody writes meanwhile. */
int gpupair_pump(struct gpupair *p);
/* At most so many bytes, and a piece. */
int gpupair_pump_some(struct gpupair *p, uint64_t bytes);
/* STOP_COPY, all that is left, and STOP of the destination. */
int gpupair_finish(struct gpupair *p);
/* Pages that are not the same on both sides. */
unsigned long gpupair_differing(struct gpupair *p);

#endif /* SELFTEST_GPUPAIR_H */
