/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways in which a user may have left a function when a VMM changes its migration state.
 */
#ifndef SELFTEST_LEFT_H
#define SELFTEST_LEFT_H

#include "device.h"

enum left_how {
	LEFT_AWAKE,
	LEFT_D1,
	LEFT_D2,
	LEFT_D3HOT,
	LEFT_LOW_POWER,		/* LOW_POWER_ENTRY: runtime-suspended */
	LEFT_NO_MEMORY,
	LEFT_NO_MASTER,
	LEFT_HALF_IRQ,		/* MSI-X with one vector of some, or MSI with none */
	LEFT_INTX_MASKED,	/* INTx with an eventfd, and masked */
	LEFT_D3HOT_OFF,		/* D3hot, with memory and bus master off */
	LEFT_WAYS,
};

/**
 * struct left - A function that was left so
 * @how: How.
 * @command: COMMAND before.
 * @bar: One that the user may read, for left_check().
 * @irq: Kind of interrupt that was set up.
 */
struct left {
	enum left_how how;
	uint32_t command;
	unsigned int bar;
	unsigned int irq;
};

const char *left_name(enum left_how how);
/*
 * Has the hardware the D state, or INTx?  Known without opening the function: what it does not have
 * its user does not have, either.
 */
bool left_may(const struct slot *slot, enum left_how how);
/* Has the function, for its user, what is needed for that? */
bool left_can(struct vdev *v, enum left_how how);
int left_leave(struct vdev *v, struct left *l, enum left_how how);
/* Is it, for its user and, when it is RUNNING, in hardware, as it was left?  Else -EUCLEAN. */
int left_check(struct vdev *v, const struct left *l, bool hardware);
/* What a guest does when it goes on. */
int left_back(struct vdev *v, const struct left *l);

/* D state of the hardware as the PCI core knows it. */
int left_power_state(const struct vdev *v, char *buf, size_t room);
/* COMMAND of the hardware. */
uint32_t left_hw_command(const struct vdev *v);

#endif /* SELFTEST_LEFT_H */
