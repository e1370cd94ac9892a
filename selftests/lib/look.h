/* SPDX-License-Identifier: GPL-2.0 */
/* What the user of an open function finds, to compare it with another time. */
#ifndef SELFTEST_LOOK_H
#define SELFTEST_LOOK_H

#include "device.h"

#define LOOK_CONFIG_BYTES	4096
#define LOOK_ROM_BYTES		64

/**
 * struct look - An open function
 * @flags: Of GET_INFO.
 * @num_regions: How many it has.
 * @region: Size and flags of each; of a BAR, also its first bytes.
 * @irq: Count and flags of each index.
 * @config: Config space; zeroes where there is none.
 * @rom: The first bytes of the ROM.
 */
struct look {
	uint32_t flags;
	uint32_t num_regions;
	struct {
		uint64_t bytes;
		uint32_t flags;
		uint32_t first;
	} region[VFIO_PCI_NUM_REGIONS];
	struct {
		uint32_t count;
		uint32_t flags;
	} irq[VFIO_PCI_NUM_IRQS];
	uint8_t config[LOOK_CONFIG_BYTES];
	uint8_t rom[LOOK_ROM_BYTES];
};

/**
 * struct looks - A function that is looked at again and again
 * @first: As it was the first time.
 * @taken: Whether there was a first time.
 */
struct looks {
	struct look first;
	bool taken;
};

/*
 * Look at all of it, with I/O and memory space on.  Return: 0, an errno, or -EILSEQ if
 * it is not as it was the first time; says in which point.
 */
int look_again(struct vdev *v, struct looks *looks);

#endif /* SELFTEST_LOOK_H */
