/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver of migratable controllers of nvme_cf (module vpv_nvme_cf), inside.
 */
#ifndef NVME_CF_H
#define NVME_CF_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <vpv/controlling.h>
#include <vpv/variant.h>

#include "control.h"
#include "match.h"

/* Bounds, in milliseconds: Documentation/nvme_cf.rst. */
#define NVCF_DISK_MS		3000	/* a resume waits for the disks of the other host */
#define NVCF_DISK_POLL_MS	20
#define NVCF_LOOK_JIFFIES	(HZ / 2)

/**
 * struct nvcf_dev - One migratable controller
 * @m: What the core and the migration library know; first.
 * @power: Held while the controller is suspended or resumed; guards the next four.  Under
 *	state_lock of the library; inside are the registry's and the managing driver's locks.
 * @held: Handle by which the controller was suspended, referenced; it stays suspended as long as
 *	that is live.  NULL: it is not suspended, as far as we know.
 * @resets: vmig_resets() when that began.
 * @issued: Suspend was sent, and nothing that surely ends a suspension since.  Without
 *	@held: it must be resumed, since it is reported as running.
 * @stale: It was reset, and @held and @issued are of before.  Set without the lock.
 * @watch: Hears of news of the controller while it is open.
 * @look: After news: see that @held and @issued are true.
 * @match: Match data, as written last; all zeroes when a load session begins.
 * @known: The first that was written since the controller was opened; all zeroes: none was.
 * @report: Buffer for reports of written memory; there is one while memory is tracked.
 * @tracked: How much memory that is, in units of NVS_TRACK_UNIT bytes.
 *
 * No other locks: @match and @known are used by migration hooks, of which only one runs at a time,
 * @report by track hooks, for which the same is true.
 */
struct nvcf_dev {
	struct vpv_migratable m;
	struct mutex power;	/* see above */
	struct vpv_control *held;
	u32 resets;
	bool issued;
	bool stale;
	struct vpv_control_watch watch;
	struct delayed_work look;
	struct nvcf_match match;
	struct nvcf_match known;
	struct nvs_track_report *report;
	u64 tracked;
};

static inline struct nvcf_dev *nvcf_from_vpv(struct vpv_device *vpv)
{
	return container_of(vpv, struct nvcf_dev, m.vpv);
}

static inline struct nvcf_dev *nvcf_from_mig(struct vmig_dev *mig)
{
	return container_of(mig, struct nvcf_dev, m.mig);
}

static inline struct vpv_control *nvcf_control_get(struct nvcf_dev *nd)
{
	return vpv_control_get(&nd->m.vpv.pdev->dev, NVCF_FAMILY);
}

/**
 * nvcf_uncertain() - Is it not known whether a command was carried out?
 * @err: How it ended.
 */
static inline bool nvcf_uncertain(int err)
{
	return err == -ETIMEDOUT || err == -ECONNABORTED;
}

/* hw.c */
int nvcf_hw_managing(struct nvcf_dev *nd, struct nvcf_managing *managing);
int nvcf_hw_profile(struct nvcf_dev *nd, struct nvcf_profile *profile);
int nvcf_hw_suspend(struct nvcf_dev *nd, struct vpv_control *control);
int nvcf_hw_resume(struct nvcf_dev *nd, struct vpv_control *control);
int nvcf_hw_get_state(struct nvcf_dev *nd, void **state, u32 *bytes);
int nvcf_hw_set_state(struct nvcf_dev *nd, const void *state, u32 bytes, u16 *status);
int nvcf_hw_track(struct nvcf_dev *nd, const struct vmig_track *what, u32 *granule,
		  u32 *ranges);
int nvcf_hw_untrack(struct nvcf_dev *nd);
int nvcf_hw_report(struct nvcf_dev *nd, struct nvs_track_report *report, u32 *bytes);

/* suspend.c */
int nvcf_suspend(struct nvcf_dev *nd);
int nvcf_quiesce(struct vmig_dev *mig);
int nvcf_unquiesce(struct vmig_dev *mig);
int nvcf_still(struct vmig_dev *mig);
int nvcf_awaken(struct nvcf_dev *nd);
void nvcf_forget(struct nvcf_dev *nd);
void nvcf_reset(struct vmig_dev *mig);
void nvcf_look(struct work_struct *work);
void nvcf_changed(struct vpv_control_watch *watch);

/* migrate.c */
extern const struct vmig_ops nvcf_mig_ops;
extern const struct vmig_desc nvcf_mig_desc;

/* dirty.c */
int nvcf_track_limits(struct vmig_dev *mig, struct vmig_track_limits *limits);
int nvcf_track_start(struct vmig_dev *mig, const struct vmig_track *what,
		     struct vmig_track_limits *limits);
void nvcf_track_stop(struct vmig_dev *mig);
int nvcf_track_report(struct vmig_dev *mig, const struct vmig_range *part,
		      struct vmig_dirty *dirty);

#endif /* NVME_CF_H */
