// SPDX-License-Identifier: GPL-2.0
/* The list of answers (answers.h). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "../lib/sigbus.h"
#include "answers.h"

void answer(struct answers *a, long long result, const char *request, ...)
{
	struct answer *now = &a->list[a->num];
	va_list args;

	if (a->num == ANSWERS_MAX) {
		fprintf(stderr, "more than %d answers\n", ANSWERS_MAX);
		abort();
	}
	va_start(args, request);
	vsnprintf(now->request, sizeof(now->request), request, args);
	va_end(args);
	now->result = result;
	a->num++;
}

long long ask(struct answers *a, unsigned long request, void *arg)
{
	int ret = ioctl(a->v->fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int touch(volatile uint32_t *p)
{
	return sigbus_faults(p) ? SIGBUS : 0;
}
