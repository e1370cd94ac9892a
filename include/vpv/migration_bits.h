/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bits that the migration state of a device is made of, and ranges of IOVAs; for
 * pure files too.
 */
#ifndef VPV_MIGRATION_BITS_H
#define VPV_MIGRATION_BITS_H

#include "pure.h"

#define VMIG_RUNNING	BIT(0)	/* the device changes its state by itself */
#define VMIG_NDMA	BIT(1)	/* it initiates neither DMA nor interrupts */
#define VMIG_SAVING	BIT(2)	/* a save session is open */
#define VMIG_RESUMING	BIT(3)	/* a load session is open */

/* ERROR: both sessions at once, which no device can have. */
#define VMIG_ERROR	(VMIG_SAVING | VMIG_RESUMING)

/**
 * struct vmig_range - A range of IOVAs
 * @first: First byte.
 * @last: Last byte; a range that ends with the address space has no size in 64 bits.
 */
struct vmig_range {
	u64 first;
	u64 last;
};

#endif /* VPV_MIGRATION_BITS_H */
