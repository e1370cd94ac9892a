/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two mlx5_like functions, and a call that a thread is in while something happens to
 * them.  Functions return 0 or a negative errno.
 */
#ifndef SELFTEST_MLXLSCENE_H
#define SELFTEST_MLXLSCENE_H

#include <pthread.h>

#include "mlxlpair.h"

/* Every call ends in that time, with or without success. */
#define PROMPT_MS	15000

/**
 * struct scene - Two functions, and a call that somebody is in
 * @p: The functions.
 * @image: A stream that the destination takes.
 * @fd: Data file, or -1.
 * @thread: Who is in the call.
 * @call: The call.
 * @err: How it ended.
 */
struct scene {
	struct mlxl_pair p;
	struct blob image;
	int fd;
	pthread_t thread;
	int (*call)(struct scene *s);
	int err;
};

int scene_open(struct scene *s);
void scene_close(struct scene *s);

/* Of function @fn; its data file, if there is a new one, is s->fd. */
int scene_set(struct scene *s, unsigned int fn, unsigned int state);
void scene_fd_close(struct scene *s);
/* Of s->fd: a first part of what the source gives; all of it, as blob_pull(). */
int scene_read_some(struct scene *s);
int scene_read_all(struct scene *s);
/* Into s->fd: the first half, the other half, or all of a stream. */
int scene_load_half(struct scene *s);
int scene_load_rest(struct scene *s);
int scene_load_all(struct scene *s);

/* Calls for scene_call(). */
int scene_to_p2p(struct scene *s);
int scene_to_stop(struct scene *s);
int scene_to_running(struct scene *s);
int scene_save(struct scene *s);
int scene_precopy(struct scene *s);

/*
 * Begin a call in a thread; every @command takes SLOW_MS from here on.  On return one
 * that the call needs is in work.
 */
#define SLOW_MS		1000
int scene_call(struct scene *s, int (*call)(struct scene *s), const char *command);
/* The same, with the time that the command takes. */
int scene_call_slow(struct scene *s, int (*call)(struct scene *s), const char *command,
		    unsigned int ms);
/* How it ended. */
int scene_join(struct scene *s);

#endif /* SELFTEST_MLXLSCENE_H */
