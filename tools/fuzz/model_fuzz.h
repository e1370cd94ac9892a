/* SPDX-License-Identifier: GPL-2.0 */
/* What fuzzers of models share: numbers of the input, work that is done directly, and no client. */
#ifndef MODEL_FUZZ_H
#define MODEL_FUZZ_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "vu_front.h"

#define ROUNDS	8

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next number of so many bytes; what is missing of it is zero. */
static inline uint64_t take(struct input *in, size_t bytes)
{
	uint64_t val = 0;

	for (size_t i = 0; i < bytes && in->left; i++, in->left--)
		val |= (uint64_t)*in->at++ << (8 * i);
	return val;
}

/* Do the work of functions, and the work which that gave others. */
static inline void settle(struct vu_dev *const *dev, unsigned int num)
{
	bool any = true;

	for (int i = 0; i < ROUNDS && any; i++) {
		any = false;
		for (unsigned int n = 0; n < num; n++) {
			if (!vu_dev_work_due(dev[n]))
				continue;
			any = true;
			dev[n]->model->work(dev[n]);
		}
	}
}

/* Nobody to wait for: all memory is mapped, and no wait is armed. */
static inline int front_wait(struct vu_front *front, unsigned int fault, const struct vu_fault_hit *hit)
{
	(void)front;
	(void)fault;
	(void)hit;
	return 0;
}

static inline int front_dma(struct vu_front *front, bool write, uint64_t iova, void *buf, size_t *len)
{
	(void)front;
	(void)write;
	(void)iova;
	(void)buf;
	(void)len;
	return -EFAULT;
}

static struct vu_front no_client = { .wait = front_wait, .dma = front_dma };

#endif
