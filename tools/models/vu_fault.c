// SPDX-License-Identifier: GPL-2.0
/*
 * Fault points: named operations that can be told to fail, to take longer or to hang.
 * Arming is done by the control socket; the operation asks with vu_fault_take().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vu_dev.h"

#define MAX_DELAY_MS	(3600u * 1000u)

static const char *const generic[VU_FAULT_MODEL] = {
	[VU_FAULT_DMA_READ] = "dma_read",
	[VU_FAULT_DMA_WRITE] = "dma_write",
	[VU_FAULT_IRQ] = "irq",
	[VU_FAULT_REGION_READ] = "region_read",
	[VU_FAULT_REGION_WRITE] = "region_write",
	[VU_FAULT_CONFIG] = "config",
};

int vu_fault_setup(struct vu_dev *dev)
{
	const char *const *name = dev->model->faults;

	for (unsigned int i = 0; i < VU_FAULT_MODEL; i++)
		dev->faults[i].name = generic[i];
	dev->num_faults = VU_FAULT_MODEL;
	for (; name && *name; name++) {
		if (dev->num_faults == VU_MAX_FAULTS)
			return -ENOSPC;
		dev->faults[dev->num_faults++].name = *name;
	}
	return 0;
}

bool vu_fault_take(struct vu_dev *dev, unsigned int id, struct vu_fault_hit *hit)
{
	struct vu_fault *f = &dev->faults[id];

	memset(hit, 0, sizeof(*hit));
	if (!f->armed)
		return false;
	if (f->skip) {
		f->skip--;
		return false;
	}
	*hit = f->hit;
	f->taken++;
	f->hung = f->hung || hit->hang;
	if (f->count && !--f->count)
		f->armed = false;
	return true;
}

bool vu_fault_hanging(const struct vu_dev *dev, unsigned int id)
{
	return dev->faults[id].hung;
}

void vu_wait_begin(struct vu_dev *dev, struct vu_wait *w, unsigned int id, uint64_t ns,
		   struct vu_fault_hit *hit)
{
	*w = (struct vu_wait){ .due = vu_now() + ns };
	vu_wait_more(dev, w, id, hit);
}

void vu_wait_more(struct vu_dev *dev, struct vu_wait *w, unsigned int id, struct vu_fault_hit *hit)
{
	vu_fault_take(dev, id, hit);
	if (hit->hang)
		w->hang = &dev->faults[id];
	w->due += hit->delay_ns;
}

bool vu_wait_over(struct vu_dev *dev, const struct vu_wait *w)
{
	if (w->hang && w->hang->hung)
		return false;	/* vu_fault_reset() has @work called */
	if (vu_now() >= w->due)
		return true;
	vu_wake_at(dev, w->due);
	return false;
}

void vu_fault_reset(struct vu_dev *dev)
{
	for (unsigned int i = 0; i < dev->num_faults; i++)
		dev->faults[i].hung = false;
	/* A command about this function may have waited for it. */
	if (dev->controlling)
		vu_kick(dev->controlling);
}

void vu_fault_clear(struct vu_dev *dev)
{
	for (unsigned int i = 0; i < dev->num_faults; i++)
		dev->faults[i].armed = false;
	vu_fault_reset(dev);
	vu_kick(dev);
}

static void print_armed(const struct vu_fault *f, FILE *out)
{
	if (f->hit.fail)
		fprintf(out, " fail=%" PRIu32, f->hit.code);
	if (f->hit.hang)
		fprintf(out, " hang");
	if (f->hit.delay_ns)
		fprintf(out, " delay=%" PRIu64, f->hit.delay_ns / 1000000);
	if (f->count)
		fprintf(out, " count=%" PRIu64, f->count);
	if (f->skip)
		fprintf(out, " skip=%" PRIu64, f->skip);
}

void vu_fault_print(const struct vu_dev *dev, FILE *out)
{
	for (unsigned int i = 0; i < dev->num_faults; i++) {
		const struct vu_fault *f = &dev->faults[i];

		fprintf(out, "%s", f->name);
		if (f->armed)
			print_armed(f, out);
		else
			fprintf(out, " off");
		if (f->hung)
			fprintf(out, " hanging");
		fprintf(out, " taken=%" PRIu64 "\n", f->taken);
	}
}

static bool number(const char *text, uint64_t max, uint64_t *val)
{
	char *end;

	errno = 0;
	*val = strtoull(text, &end, 0);
	return !errno && end != text && !*end && *text != '-' && *val <= max;
}

static bool take_setting(struct vu_fault *f, const char *word)
{
	uint64_t val;

	if (!strcmp(word, "fail")) {
		f->hit.fail = true;
	} else if (!strcmp(word, "hang")) {
		f->hit.hang = true;
	} else if (!strncmp(word, "fail=", 5) && number(word + 5, 4095, &val)) {
		f->hit.fail = true;
		f->hit.code = (uint32_t)val;
	} else if (!strncmp(word, "delay=", 6) && number(word + 6, MAX_DELAY_MS, &val)) {
		f->hit.delay_ns = val * 1000000;
	} else if (!strncmp(word, "count=", 6) && number(word + 6, UINT64_MAX, &val) && val) {
		f->count = val;
	} else if (!strncmp(word, "skip=", 5) && number(word + 5, UINT64_MAX, &val)) {
		f->skip = val;
	} else {
		return false;
	}
	return true;
}

int vu_fault_arm(struct vu_dev *dev, int argc, char **argv, const char **why)
{
	struct vu_fault *f = NULL, armed = { .armed = true };

	for (unsigned int i = 0; i < dev->num_faults; i++)
		if (!strcmp(argv[0], dev->faults[i].name))
			f = &dev->faults[i];
	*why = "no such fault point";
	if (!f)
		return -ENOENT;
	for (int i = 1; i < argc; i++) {
		*why = "bad setting";
		if (!take_setting(&armed, argv[i]))
			return -EINVAL;
	}
	*why = "need fail, delay or hang";
	if (!armed.hit.fail && !armed.hit.hang && !armed.hit.delay_ns)
		return -EINVAL;
	armed.name = f->name;
	armed.taken = f->taken;
	armed.hung = f->hung;
	*f = armed;
	return 0;
}
