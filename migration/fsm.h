/* SPDX-License-Identifier: GPL-2.0 */
/* The migration state machine: names, steps and paths.  Pure. */
#ifndef VMIG_FSM_H
#define VMIG_FSM_H

#include <vpv/migration_bits.h>

/* The states as the v2 ioctls number them. */
enum vmig_v2 {
	VMIG_V2_ERROR,
	VMIG_V2_STOP,
	VMIG_V2_RUNNING,
	VMIG_V2_STOP_COPY,
	VMIG_V2_RESUMING,
	VMIG_V2_RUNNING_P2P,
	VMIG_V2_PRE_COPY,
	VMIG_V2_PRE_COPY_P2P,
	VMIG_V2_STATES,
};

/* What a device can do; decides which rows of the table apply. */
#define VMIG_CAP_P2P		BIT(0)
#define VMIG_CAP_PRE_COPY	BIT(1)

/* What has to be done for one step. */
enum vmig_action {
	VMIG_QUIESCE,
	VMIG_UNQUIESCE,
	VMIG_FREEZE,
	VMIG_THAW,
	VMIG_SAVE_RUNNING,	/* open a save session of a running device */
	VMIG_SAVE_STOPPED,	/* open a save session of a frozen device */
	VMIG_SAVE_FREEZE,	/* freeze, and save the rest in the same session */
	VMIG_SAVE_END,
	VMIG_LOAD_BEGIN,
	VMIG_LOAD_END,
	VMIG_ACTIONS,
};

/**
 * struct vmig_step - One row of the table: one bit changes
 * @from: State before, VMIG_ bits.
 * @to: State after.
 * @need: Only for devices with all these capabilities.
 * @without: Only for devices with none of these.
 * @action: What to do, enum vmig_action.
 */
struct vmig_step {
	u8 from;
	u8 to;
	u8 need;
	u8 without;
	u8 action;
};

/* RESUMING -> STOP -> RUNNING_P2P -> RUNNING -> PRE_COPY */
#define VMIG_PATH_MAX 4

/**
 * struct vmig_path - How to get from one state to another
 * @steps: Number of steps; 0 if there is nothing to do.
 * @step: The steps, in order.
 */
struct vmig_path {
	unsigned int steps;
	const struct vmig_step *step[VMIG_PATH_MAX];
};

/**
 * vmig_fsm_bits() - The bits of a v2 state
 * @v2: Any number.
 * @caps: VMIG_CAP_ bits of the device.
 * @bits: Where to put them.
 *
 * Return: 0, or -EINVAL for what is not a state that such a device can be set to.
 */
int vmig_fsm_bits(unsigned int v2, u8 caps, u8 *bits);

/**
 * vmig_fsm_v2() - The v2 state that bits stand for
 * @bits: VMIG_ bits.  NDMA makes no difference to a device that does not run.
 *
 * Return: the state; VMIG_V2_ERROR for what is none.
 */
enum vmig_v2 vmig_fsm_v2(u8 bits);

/**
 * vmig_fsm_name() - Name of a v2 state, for people
 * @v2: State.
 */
const char *vmig_fsm_name(enum vmig_v2 v2);

/**
 * vmig_fsm_path() - Shortest legal way from one state to another
 * @from: VMIG_ bits as vmig_fsm_bits() gives them.
 * @to: Likewise.
 * @caps: VMIG_CAP_ bits of the device.
 * @path: Result.
 *
 * No session is opened or closed on the way: only the last step can open one and
 * only the first can close one.
 *
 * Return: 0, or -EINVAL if there is no way.
 */
int vmig_fsm_path(u8 from, u8 to, u8 caps, struct vmig_path *path);

#endif /* VMIG_FSM_H */
