// SPDX-License-Identifier: GPL-2.0
/* When a controlling function is reset, and by whom: see vpv/ctrl_recovery.h.  Pure. */
#include <vpv/ctrl_recovery.h>

static bool recovering(const struct vpv_recovery *r, u64 now)
{
	return r->channel == VPV_CHANNEL_FROZEN && now - r->frozen < VPV_RECOVERY_MOST_MS;
}

void vpv_recovery_error(struct vpv_recovery *r, enum vpv_channel channel, u64 now)
{
	if (channel == VPV_CHANNEL_FROZEN)
		r->frozen = now;
	r->channel = channel;
	r->left = false;
}

void vpv_recovery_stop(struct vpv_recovery *r)
{
	r->stopped = true;
}

bool vpv_recovery_reachable(const struct vpv_recovery *r)
{
	return r->stopped || r->channel != VPV_CHANNEL_FROZEN;
}

unsigned int vpv_recovery_pause(const struct vpv_recovery *r)
{
	return r->attempts ? VPV_RECOVERY_PAUSE_MS << r->attempts : 0;
}

/* One that dies as soon as it was reset, or does not come up, is left alone in the end. */
unsigned int vpv_recovery_died(struct vpv_recovery *r, u64 now)
{
	if (!r->trying && now - r->tried > VPV_RECOVERY_STABLE_MS)
		r->attempts = 0;
	return vpv_recovery_pause(r);
}

void vpv_recovery_tried(struct vpv_recovery *r, u64 now)
{
	if (r->trying)
		r->tried = now;
	r->trying = false;
}

void vpv_recovery_reset_begin(struct vpv_recovery *r)
{
	r->resetting = true;
}

bool vpv_recovery_reset_done(struct vpv_recovery *r, u64 now)
{
	r->resetting = false;
	if (recovering(r, now))
		return false;
	r->channel = VPV_CHANNEL_NORMAL;
	r->left = false;
	return true;
}

static enum vpv_recovery_step try_it(struct vpv_recovery *r)
{
	if (r->attempts == VPV_RECOVERY_ATTEMPTS)
		return VPV_RECOVERY_GIVE_UP;
	r->attempts++;
	r->trying = true;
	return r->attempts == 1 && r->self_reset ? VPV_RECOVERY_UP : VPV_RECOVERY_RESET;
}

enum vpv_recovery_step vpv_recovery_next(struct vpv_recovery *r, bool works, u64 now)
{
	if (r->stopped || r->left)
		return VPV_RECOVERY_NOTHING;
	if (recovering(r, now))
		return VPV_RECOVERY_WAIT;
	if (r->resetting)
		return VPV_RECOVERY_NOTHING;
	switch (r->channel) {
	case VPV_CHANNEL_NORMAL:
		/* Somebody else may have reset it meanwhile. */
		return works ? VPV_RECOVERY_NOTHING : try_it(r);
	case VPV_CHANNEL_RESET:
		r->channel = VPV_CHANNEL_NORMAL;
		r->attempts = 1;
		r->trying = true;
		return VPV_RECOVERY_UP;
	default:
		r->channel = VPV_CHANNEL_FAILED;
		r->left = true;
		return VPV_RECOVERY_LOST;
	}
}
