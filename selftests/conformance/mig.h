/* SPDX-License-Identifier: GPL-2.0 */
/*
 * States, data files and streams, in the words of rules.  Functions return 0 (or what
 * they name) or a negative errno.
 */
#ifndef CONFORMANCE_MIG_H
#define CONFORMANCE_MIG_H

#include <errno.h>
#include <linux/vfio.h>

#include "rule.h"

/* linux/vfio.h, after 6.12 */
#ifndef VFIO_PRECOPY_INFO_REINIT
#define VFIO_PRECOPY_INFO_REINIT (1 << 0)
#endif
#ifndef VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2
#define VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 12
#endif

enum {
	ERROR		= VFIO_DEVICE_STATE_ERROR,
	STOP		= VFIO_DEVICE_STATE_STOP,
	RUNNING		= VFIO_DEVICE_STATE_RUNNING,
	STOP_COPY	= VFIO_DEVICE_STATE_STOP_COPY,
	RESUMING	= VFIO_DEVICE_STATE_RESUMING,
	RUNNING_P2P	= VFIO_DEVICE_STATE_RUNNING_P2P,
	PRE_COPY	= VFIO_DEVICE_STATE_PRE_COPY,
	PRE_COPY_P2P	= VFIO_DEVICE_STATE_PRE_COPY_P2P,
	STATES,
};

const char *state_name(int state);
/* enum need of a state. */
unsigned int state_needs(unsigned int state);
static inline bool state_saves(unsigned int state)
{
	return state == STOP_COPY || state == PRE_COPY || state == PRE_COPY_P2P;
}

bool has_state(const struct ctx *c, unsigned int state);

/* VFIO_DEVICE_FEATURE with @bytes of @data after the header; argsz is right. */
int feature(struct dev *d, uint32_t flags, void *data, size_t bytes);
int get_flags(struct dev *d, uint64_t *flags);
int get_state(struct dev *d);
/* The file in *@fd, -1 if there is none; it is closed if @fd is NULL. */
int set_state(struct dev *d, unsigned int state, int *fd);
int data_size(struct dev *d, uint64_t *bytes);
int device_reset(struct dev *d);
/* Bytes that a caller has left in the counts must not come back: they are all ones. */
int precopy_info(int fd, struct vfio_precopy_info *info);
int opt_in_v2(struct dev *d);
int stop_logging(struct dev *d);

/* RUNNING, from wherever it is; resets, and opens again, if it must. */
int settle(struct ctx *c, struct dev *d);
/* Likewise, of a driver that cannot be trusted any more. */
int settle_by_reset(struct ctx *c, struct dev *d);

struct blob {
	uint8_t *data;
	size_t bytes;
	size_t room;
};

int blob_add(struct blob *b, const void *data, size_t bytes);
void blob_free(struct blob *b);
/* Read @step bytes at a time: 0 at the end, -ENOMSG when pre-copy is drained. */
int blob_read(struct blob *b, int fd, size_t step);
/* Read at most so many bytes. */
int blob_read_some(struct blob *b, int fd, size_t bytes);
/* Write it, @step bytes at a time; the first error. */
int blob_write(const struct blob *b, int fd, size_t step);
/* The stream that was saved before all others. */
struct blob sample(const struct ctx *c);
/* A size of steps that divides a stream into many, but not too many. */
size_t small_step(size_t bytes);

/* STOP_COPY, read all, STOP. */
int save(struct dev *d, struct blob *b, bool precopy);
/* RESUMING, write all, @end; *@refused: where, if it was refused. */
enum where { NOWHERE, AT_RESUMING, AT_WRITE, AT_END };
int load(struct dev *d, const struct blob *b, unsigned int end, enum where *refused);
/* A rule's end: what was read is a stream, it can be loaded. */
enum outcome loads(struct ctx *c, struct dev *d, struct blob *b);
/* RESUMING, 64 bytes that are no stream, STOP; the file in *@fd, or closed. */
int fail_load(struct ctx *c, int *fd);
/* While no descriptor is free. */
int set_state_without_file(struct dev *d, unsigned int state);
/* RESUMING gets the sample, so that it can be left. */
int go_to(struct ctx *c, struct dev *d, unsigned int state, int *fd);

#endif /* CONFORMANCE_MIG_H */
