/* SPDX-License-Identifier: GPL-2.0 */
/* What errors leave of the way to a function. */
#ifndef VPV_CHANNEL_H
#define VPV_CHANNEL_H

/**
 * enum vpv_channel - Can the function be reached after errors?
 * @VPV_CHANNEL_NORMAL: It can be reached.
 * @VPV_CHANNEL_FROZEN: An error has cut it off; the PCI core is recovering it.
 * @VPV_CHANNEL_RESET: It was reset for that; what was set up in it is lost.
 * @VPV_CHANNEL_FAILED: It was not recovered, and no reset has been successful since.
 *
 * In all but the first the user reaches no registers of the function.
 */
enum vpv_channel {
	VPV_CHANNEL_NORMAL,
	VPV_CHANNEL_FROZEN,
	VPV_CHANNEL_RESET,
	VPV_CHANNEL_FAILED,
};

/*
 * No recovery takes so long: a minute for the bus, and a little.  Kernels before 6.18 tell
 * drivers nothing if it fails.
 */
#define VPV_RECOVERY_MOST_MS	90000U

#endif /* VPV_CHANNEL_H */
