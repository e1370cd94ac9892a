/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two functions of a family and a guest that is on one of them, in any dialect and any mode.
 * Functions return 0 or a negative errno.
 */
#ifndef SELFTEST_PAIR_H
#define SELFTEST_PAIR_H

#include "family.h"
#include "v1.h"

/**
 * struct side - One of the two
 * @slot: The function.
 * @m: Its model.
 * @v: The function, open.
 * @v1: It speaks v1, by @region.
 * @region: See lib/v1.h.
 */
struct side {
	struct slot slot;
	struct model m;
	struct vdev v;
	bool v1;
	struct v1 region;
};

/**
 * struct pair - Both
 * @family: Of the two.
 * @side: The two.
 * @on: Which one the guest is on.
 * @g: The guest.
 * @tag: Of its last work.
 * @mute: Another process talks to the models.
 * @at: What was tried last, for who reports a failure.
 */
struct pair {
	const struct family *family;
	struct side side[2];
	unsigned int on;
	struct guest g;
	uint32_t tag;
	bool mute;
	const char *at;
};

/* Find and bind them; TOO_FEW if there are no two.  Closed on return. */
int pair_init(struct pair *p, const struct family *f);
void pair_exit(struct pair *p);

/* Open one, and share the guest's memory with it.  The dialect is chosen before. */
int side_open(struct pair *p, unsigned int which, enum vdev_mode mode, bool v1);
void side_close(struct pair *p, unsigned int which);

/* Into a state of v2, in either dialect; a session's file is closed by v2. */
int side_set(struct side *s, unsigned int state);
/* The state by the numbers of v2, or a negative errno. */
int side_get(struct side *s);
/* Whole streams: see mig_save() and mig_load(), in either dialect. */
int side_save(struct side *s, struct blob *b, bool precopy);
int side_load(struct side *s, const struct blob *b, unsigned int end);

/* Whatever became of them: both reset, without faults, the guest started anew where it is. */
int pair_restart(struct pair *p);
/* Work that is done here. */
int pair_work(struct pair *p);
/* The guest, at work, goes to the other one, and finds its work done there. */
int pair_move(struct pair *p, bool precopy);

#endif /* SELFTEST_PAIR_H */
