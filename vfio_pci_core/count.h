/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a device, shown by debugfs.c.  They count while the static key is on;
 * otherwise each is a jump over nothing.
 */
#ifndef VPV_COUNT_H
#define VPV_COUNT_H

#include <linux/jump_label.h>

/* The first of four are for accesses of 1, 2, 4 and 8 bytes. */
enum vpv_counter {
	VPV_COUNT_READ,
	VPV_COUNT_WRITE = VPV_COUNT_READ + 4,
	VPV_COUNT_CONFIG_READ = VPV_COUNT_WRITE + 4,
	VPV_COUNT_CONFIG_WRITE,
	VPV_COUNT_FAULT,
	VPV_COUNT_FAULT_PMD,
	VPV_COUNT_FAULT_PUD,
	VPV_COUNT_FAULT_REFUSED,
	VPV_COUNT_ZAP,
	VPV_COUNT_RESET,
	VPV_COUNT_SET_IRQS,
	VPV_COUNT_LOW_POWER,
	VPV_COUNTERS,
};

DECLARE_STATIC_KEY_FALSE(vpv_counting);

#define vpv_count(vpv, nr) do {						\
	if (static_branch_unlikely(&vpv_counting))			\
		atomic64_inc(&(vpv)->state->counters[nr]);		\
} while (0)

#endif /* VPV_COUNT_H */
