// SPDX-License-Identifier: GPL-2.0
/* A call that a thread is in: see mlxlscene.h. */
#include <errno.h>
#include <unistd.h>

#include "mlxlscene.h"

#define SOME_BYTES	65536

void scene_fd_close(struct scene *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int scene_set(struct scene *s, unsigned int fn, unsigned int state)
{
	int fd = -1, err = mig_set(&s->p.v[fn], state, &fd);

	if (fd >= 0) {
		scene_fd_close(s);
		s->fd = fd;
	}
	return err;
}

int scene_read_some(struct scene *s)
{
	uint8_t buf[SOME_BYTES];

	return read(s->fd, buf, sizeof(buf)) > 0 ? 0 : -errno;
}

int scene_read_all(struct scene *s)
{
	struct blob b = { 0 };
	int err = blob_pull(&b, s->fd, 0);

	blob_free(&b);
	return err;
}

int scene_load_half(struct scene *s)
{
	return blob_push(&s->image, s->fd, 0, s->image.bytes / 2, 0);
}

int scene_load_rest(struct scene *s)
{
	return blob_push(&s->image, s->fd, s->image.bytes / 2, s->image.bytes, 0);
}

int scene_load_all(struct scene *s)
{
	return blob_push(&s->image, s->fd, 0, s->image.bytes, 0);
}

/* ---- Calls that somebody is in ---- */

static void *call_thread(void *arg)
{
	struct scene *s = arg;

	s->err = s->call(s);
	return NULL;
}

/* Begin a call; on return one of the commands that it needs is in work. */
int scene_call_slow(struct scene *s, int (*call)(struct scene *s), const char *command,
		    unsigned int ms)
{
	uint64_t end = now_ms() + PROMPT_MS, before, after;
	int err = model_fault_taken(&s->p.fw, command, &before);

	err = err ? err : model_cmd(&s->p.fw, "fault %s delay=%u", command, ms);
	s->call = call;
	err = err ? err : -pthread_create(&s->thread, NULL, call_thread, s);
	if (err) {
		s->call = NULL;
		return err;
	}
	do {
		usleep(10000);
		err = model_fault_taken(&s->p.fw, command, &after);
	} while (!err && after == before && now_ms() < end);
	return err ? err : after == before ? -ETIMEDOUT : 0;
}

int scene_call(struct scene *s, int (*call)(struct scene *s), const char *command)
{
	return scene_call_slow(s, call, command, SLOW_MS);
}

int scene_join(struct scene *s)
{
	pthread_join(s->thread, NULL);
	s->call = NULL;
	return s->err;
}

int scene_to_p2p(struct scene *s)
{
	return scene_set(s, 0, VFIO_DEVICE_STATE_RUNNING_P2P);
}

int scene_to_stop(struct scene *s)
{
	return scene_set(s, 0, VFIO_DEVICE_STATE_STOP);
}

int scene_save(struct scene *s)
{
	int err = scene_set(s, 0, VFIO_DEVICE_STATE_STOP_COPY);

	return err ? err : scene_read_all(s);
}

int scene_precopy(struct scene *s)
{
	int err = scene_set(s, 0, VFIO_DEVICE_STATE_PRE_COPY);

	return err ? err : scene_read_all(s);
}

int scene_to_running(struct scene *s)
{
	return scene_set(s, 0, VFIO_DEVICE_STATE_RUNNING);
}

/* ---- Fixture ---- */

int scene_open(struct scene *s)
{
	int err;

	s->fd = -1;
	err = mlxl_pair_open(&s->p);
	err = err ? err : mlxl_pair_reset(&s->p);
	err = err ? err : mig_save(&s->p.v[0], &s->image, false);
	return err ? err : mlxl_pair_reset(&s->p);
}

void scene_close(struct scene *s)
{
	if (s->call)
		scene_join(s);
	scene_fd_close(s);
	blob_free(&s->image);
	mlxl_pair_close(&s->p);
}
