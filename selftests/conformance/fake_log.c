// SPDX-License-Identifier: GPL-2.0
/* DMA logging of the fake (fake.h): what the kernel's core and a driver check together. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"

typedef struct vfio_device_feature_dma_logging_range range_t;

static int check_range(const range_t *ranges, uint32_t at, uint64_t page_size)
{
	const range_t *r = &ranges[at];
	uint64_t end;

	if ((r->iova | r->length) & (page_size - 1) && !bug(BUG_LOG_UNALIGNED) &&
	    !bug(BUG_LOG_PAGE_ZERO))
		return -EINVAL;
	if (__builtin_add_overflow(r->iova, r->length, &end))
		return bug(BUG_LOG_OVERFLOW) ? 0 : -EOVERFLOW;
	if (!r->length && !bug(BUG_LOG_EMPTY) && !bug(BUG_LOG_PAGE_ZERO))
		return -EINVAL;
	for (uint32_t i = 0; i < at; i++)
		if (r->iova < ranges[i].iova + ranges[i].length && ranges[i].iova < end &&
		    !bug(BUG_LOG_OVERLAP))
			return -EINVAL;
	return 0;
}

static int check_pages(uint64_t page_size)
{
	if (!page_size)
		return bug(BUG_LOG_PAGE_ZERO) ? 0 : -EINVAL;
	return page_size & (page_size - 1) && !bug(BUG_LOG_PAGE_ODD) ? -EINVAL : 0;
}

static int start(struct fake *f, struct vfio_device_feature_dma_logging_control *m)
{
	range_t *ranges;
	int err;

	if (!m->num_ranges && !bug(BUG_LOG_NO_RANGE))
		return -EINVAL;
	if (bug(BUG_LOG_FEW) && m->num_ranges > 100)
		return -ENOSPC;
	if (m->num_ranges > 4096 / sizeof(*ranges)) {
		f->logging |= bug(BUG_LOG_TOO_MANY);
		return -E2BIG;
	}
	if (f->log_broken || (f->logging && !bug(BUG_LOG_TWICE)))
		return -EINVAL;
	err = bug(BUG_LOG_PAGE_ODD) ? 0 : check_pages(m->page_size);
	ranges = calloc(m->num_ranges + 1, sizeof(*ranges));
	if (!err && copy_in(ranges, (void *)(uintptr_t)m->ranges, m->num_ranges * sizeof(*ranges)))
		err = bug(BUG_LOG_POINTER) ? -EINVAL : -EFAULT;
	for (uint32_t i = 0; !err && i < m->num_ranges && !bug(BUG_LOG_PAGE_ODD); i++)
		err = check_range(ranges, i, m->page_size);
	free(ranges);
	if (err)
		return err;
	memset(f->dirty, 0, sizeof(f->dirty));
	f->logging = true;
	f->logger = thread_id();
	if (!bug(BUG_LOG_PAGE_ZERO) && !bug(BUG_LOG_PAGE_ODD))
		m->page_size = bug(BUG_LOG_PAGE) ? 3 * 4096 : 4096;
	return 0;
}

/* Was one of these pages written?  They are clean afterwards. */
static bool take(struct fake *f, uint64_t iova, uint64_t bytes)
{
	bool found = false;

	for (uint64_t at = iova; at - iova < bytes; at += FAKE_PAGE) {
		uint64_t page = (at - MEM_IOVA) / FAKE_PAGE;

		if (at < MEM_IOVA || page >= FAKE_PAGES || !f->dirty[page])
			continue;
		found |= !bug(BUG_LOG_MISSES) || page % 8;
		f->dirty[page] = bug(BUG_LOG_REPEATS);
	}
	return found && (!bug(BUG_LOG_LARGE) || bytes == FAKE_PAGE);
}

static int report(struct fake *f, const struct vfio_device_feature_dma_logging_report *m)
{
	uint64_t pages = m->length / (m->page_size ? m->page_size : 1), end;
	uint8_t *bitmap = (uint8_t *)(uintptr_t)m->bitmap;

	if (m->page_size < 4096 || m->page_size & (m->page_size - 1) ||
	    (bug(BUG_LOG_PAGES) && m->page_size != 4096))
		return -EINVAL;
	if (__builtin_add_overflow(m->iova, m->length, &end))
		return bug(BUG_LOG_WRAPS) ? 0 : -EOVERFLOW;
	if (!f->logging && !bug(BUG_LOG_OFF))
		return -EINVAL;
	if (bug(BUG_LOG_THREAD) && f->logger != thread_id())
		return -EPERM;
	if (bug(BUG_LOG_STATES) && f->state == STOP)
		return -EINVAL;
	if (bug(BUG_LOG_OUTSIDE) && m->iova != MEM_IOVA)
		f->logging = false;
	for (uint64_t i = 0; i < (pages + 7) / 8 + (bug(BUG_LOG_BOUNDS) ? 8 : 0); i++) {
		uint8_t byte;

		if (copy_in(&byte, bitmap + i, 1)) {
			f->logging &= !bug(BUG_LOG_FAULT);
			return -EFAULT;
		}
		if (bug(BUG_LOG_CLEARS))
			byte = 0;
		if (bug(BUG_LOG_BOUNDS) && i == (pages + 7) / 8)
			byte = 1;
		for (unsigned int bit = 0; bit < 8 && i * 8 + bit < pages; bit++)
			if (take(f, m->iova + (i * 8 + bit) * m->page_size, m->page_size))
				byte |= 1 << bit;
		copy_out(bitmap + i, &byte, 1);
	}
	if (bug(BUG_LOG_FORGETS))
		memset(f->dirty, 0, sizeof(f->dirty));
	return 0;
}

static int stop(struct fake *f)
{
	if (!f->logging && bug(BUG_LOG_STOP_OFF))
		f->log_broken = true;
	if (f->logging && bug(BUG_LOG_ONCE))
		f->log_broken = true;
	f->logging = false;
	return 0;
}

int fake_log(struct fake *f, uint32_t flags, void *data, size_t bytes)
{
	union {
		struct vfio_device_feature_dma_logging_control start;
		struct vfio_device_feature_dma_logging_report report;
	} m = {};
	int err;

	if (flags & VFIO_DEVICE_FEATURE_PROBE)
		return 0;
	if (copy_in(&m, data, bytes < sizeof(m) ? bytes : sizeof(m)))
		return -EFAULT;
	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_START:
		err = start(f, &m.start);
		return err ? err : copy_out(data, &m.start, sizeof(m.start));
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT:
		return report(f, &m.report);
	default:
		return stop(f);
	}
}
