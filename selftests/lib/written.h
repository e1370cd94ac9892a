/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of config space that a guest sets and that no VMM restores: of PCI Express and of AER,
 * as far as its user sees them.
 */
#ifndef SELFTEST_WRITTEN_H
#define SELFTEST_WRITTEN_H

#include "device.h"

/* Set them; how many there are. */
unsigned int written_set(struct vdev *v);
/* How many hold what was set. */
unsigned int written_left(struct vdev *v);

#endif /* SELFTEST_WRITTEN_H */
