/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A controlling function that does not work: who resets it, and when.  Pure.
 *
 * One that has died is reset by its driver: at once, then after pauses that double, and not
 * any more after VPV_RECOVERY_ATTEMPTS of them.  One that an error of the bus has cut off
 * belongs to the PCI core until that has reset it; the driver touches no register then.  If
 * the core gives it up, or does not come to an end, it is left to the operator.
 */
#ifndef VPV_CTRL_RECOVERY_H
#define VPV_CTRL_RECOVERY_H

#include <vpv/channel.h>
#include <vpv/pure.h>

/* At once, then after 1/2 second, 1, 2 ... 128: more than four minutes. */
#define VPV_RECOVERY_ATTEMPTS	10
#define VPV_RECOVERY_PAUSE_MS	250U
/* One that dies sooner after an attempt has not recovered. */
#define VPV_RECOVERY_STABLE_MS	2000U

/**
 * struct vpv_recovery - What was tried
 * @channel: What errors have left.
 * @frozen: When it became VPV_CHANNEL_FROZEN.
 * @stopped: The driver goes away: nothing is tried any more.
 * @self_reset: Bringing the function up resets it, which is tried first.
 * @resetting: Somebody resets it, who brings it up after that.
 * @left: It was given up, which was told.
 * @attempts: How often its driver has tried to recover it, of late.
 * @trying: It is doing so.
 * @tried: When the last attempt has ended.
 *
 * Times are in milliseconds, of one clock.  Zeroed, but for @self_reset, it is that of a
 * function that works.
 */
struct vpv_recovery {
	enum vpv_channel channel;
	u64 frozen;
	bool stopped;
	bool self_reset;
	bool resetting;
	bool left;
	unsigned int attempts;
	bool trying;
	u64 tried;
};

/**
 * enum vpv_recovery_step - What to do with a function
 * @VPV_RECOVERY_NOTHING: It works, it is being reset, or its driver is being unbound.
 * @VPV_RECOVERY_WAIT: Take it down; the PCI core has it.  Ask again in VPV_RECOVERY_MOST_MS.
 * @VPV_RECOVERY_UP: Bring it up; if that fails, as with @VPV_RECOVERY_RESET.
 * @VPV_RECOVERY_RESET: Reset it, and bring it up; if that fails, ask again after
 *	vpv_recovery_pause().
 * @VPV_RECOVERY_LOST: The PCI core has not recovered it: say so, and leave it alone.
 * @VPV_RECOVERY_GIVE_UP: It does not recover: likewise.
 *
 * It is down during all but the first.
 */
enum vpv_recovery_step {
	VPV_RECOVERY_NOTHING,
	VPV_RECOVERY_WAIT,
	VPV_RECOVERY_UP,
	VPV_RECOVERY_RESET,
	VPV_RECOVERY_LOST,
	VPV_RECOVERY_GIVE_UP,
};

/**
 * vpv_recovery_error() - The PCI core has reported an error, or a reset after one
 * @r: State.
 * @channel: What is left; not VPV_CHANNEL_NORMAL.
 * @now: The time.
 */
void vpv_recovery_error(struct vpv_recovery *r, enum vpv_channel channel, u64 now);

/**
 * vpv_recovery_stop() - The driver goes away
 * @r: State.
 */
void vpv_recovery_stop(struct vpv_recovery *r);

/**
 * vpv_recovery_reachable() - May the driver touch registers?
 * @r: State.
 *
 * Return: false while the PCI core recovers the function.  A driver that is unbound does not
 * wait for that: if the function answers, it is kept from accessing memory.
 */
bool vpv_recovery_reachable(const struct vpv_recovery *r);

/**
 * vpv_recovery_pause() - How long to wait before the next attempt
 * @r: State.
 *
 * Return: milliseconds.
 */
unsigned int vpv_recovery_pause(const struct vpv_recovery *r);

/**
 * vpv_recovery_died() - The function does not work any more
 * @r: State.
 * @now: The time.
 *
 * Return: after how many milliseconds to ask what to do.
 */
unsigned int vpv_recovery_died(struct vpv_recovery *r, u64 now);

/**
 * vpv_recovery_tried() - The attempt that vpv_recovery_next() has told, if any, has ended
 * @r: State.
 * @now: The time.
 */
void vpv_recovery_tried(struct vpv_recovery *r, u64 now);

/**
 * vpv_recovery_reset_begin() - Somebody resets the function
 * @r: State.
 */
void vpv_recovery_reset_begin(struct vpv_recovery *r);

/**
 * vpv_recovery_reset_done() - Somebody has reset the function, and its config space is restored
 * @r: State.
 * @now: The time.
 *
 * Return: may it be brought up?  Not before the end of a recovery that goes on.
 */
bool vpv_recovery_reset_done(struct vpv_recovery *r, u64 now);

/**
 * vpv_recovery_next() - What is to be done now
 * @r: State.
 * @works: The function is up, and takes commands.
 * @now: The time.
 *
 * The caller does it, and tells vpv_recovery_tried() after it: an attempt is counted.
 *
 * Return: what to do.
 */
enum vpv_recovery_step vpv_recovery_next(struct vpv_recovery *r, bool works, u64 now);

#endif /* VPV_CTRL_RECOVERY_H */
