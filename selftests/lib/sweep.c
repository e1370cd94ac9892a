// SPDX-License-Identifier: GPL-2.0
/* Steps of a migration: see sweep.h. */
#include <unistd.h>

#include "states.h"
#include "sweep.h"

void sweep_init(struct sweep *s, struct vdev *v)
{
	s->v = v;
	s->fd = -1;
}

void sweep_fd_close(struct sweep *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int sweep_set(struct sweep *s, unsigned int fn, unsigned int state)
{
	int fd = -1, err = mig_set(&s->v[fn], state, &fd);

	if (fd >= 0) {
		sweep_fd_close(s);
		s->fd = fd;
	}
	return err;
}

unsigned int sweep_state(const struct sweep *s, const struct sweep_step *step)
{
	struct vdev *v = &s->v[step->fn];

	return v->fd < 0 ? SWEEP_CLOSED : (unsigned int)mig_get(v);
}

const char *sweep_state_name(unsigned int state)
{
	return state == SWEEP_CLOSED ? "-" : mig_state_name(state);
}

int sweep_nothing(struct sweep *s)
{
	return 0;
}

int sweep_to_p2p(struct sweep *s)
{
	return sweep_set(s, 0, RUNNING_P2P);
}

int sweep_to_stop(struct sweep *s)
{
	return sweep_set(s, 0, STOP);
}

int sweep_to_running(struct sweep *s)
{
	return sweep_set(s, 0, RUNNING);
}
