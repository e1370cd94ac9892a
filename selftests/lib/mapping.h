/* SPDX-License-Identifier: GPL-2.0 */
/* Mappings of regions, and the sizes of their pages. */
#ifndef SELFTEST_MAPPING_H
#define SELFTEST_MAPPING_H

#include "device.h"
#include "trace.h"

/*
 * Map a part of a region at an address that is @shift behind a multiple of 1 GiB, so that huge
 * pages fit, or do not.  NULL: it cannot be mapped.
 */
uint8_t *map_at(struct vdev *v, unsigned int region, uint64_t pos, size_t bytes, size_t shift);

/* How many pages of this order were mapped by faults, in a trace of vpv_core/vpv_fault. */
int orders_mapped(struct trace *t, unsigned int order);

/* Does the kernel watch which pages are written (soft-dirty bits, by clear_refs)? */
bool kernel_watches_writes(void);

#endif /* SELFTEST_MAPPING_H */
