// SPDX-License-Identifier: GPL-2.0
/*
 * Which memory a controller writes: hooks of the library on Track Send and Track Receive.
 * Addresses are those that its user puts into commands: IOVAs.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "nvme_cf.h"

#define UNIT_LOG2	ilog2(NVS_TRACK_UNIT)
#define GRANULE_MOST	(62 - UNIT_LOG2)

static_assert(sizeof(struct nvs_track_request) == 8);
static_assert(sizeof(struct nvs_track_report) == 16 && sizeof(struct nvs_track_written) == 16);

/* As many as fit into the data of the command. */
static u32 ranges_most(u32 bytes)
{
	return (bytes - sizeof(struct nvs_track_request)) / sizeof(struct nvs_track_range);
}

/**
 * nvcf_track_limits() - The track_limits hook
 * @mig: Device.
 * @limits: Receives the limits.
 */
int nvcf_track_limits(struct vmig_dev *mig, struct vmig_track_limits *limits)
{
	struct nvcf_managing managing;
	int err;

	err = nvcf_hw_managing(nvcf_from_mig(mig), &managing);
	if (err)
		return err;
	if (!managing.tracks)
		return -EOPNOTSUPP;
	*limits = (struct vmig_track_limits){
		.ranges = min_t(u32, managing.ranges, ranges_most(managing.max_data)),
		.page_min_log2 = UNIT_LOG2 + min(managing.granule_min, GRANULE_MOST),
		.page_max_log2 = UNIT_LOG2 + min(managing.granule_max, GRANULE_MOST),
		.address_bits = 64,
		.pow2_ranges = managing.pow2_ranges,
		.unfiltered = true,
		/* The device does not say how many; lengths of ranges have 32 bits. */
		.pages = U32_MAX,
	};
	return 0;
}

/*
 * What the device offers instead.  An offer of nothing, or of what was asked for, does not lead
 * any further.
 */
static int offer(const struct vmig_track *what, struct vmig_track_limits *limits, u32 granule,
		 u32 ranges)
{
	if (!ranges || granule > limits->page_max_log2 - UNIT_LOG2 ||
	    (ranges >= what->num && UNIT_LOG2 + granule <= what->page_log2))
		return -EBUSY;
	limits->ranges = min(limits->ranges, ranges);
	limits->page_min_log2 = max_t(u8, limits->page_min_log2, UNIT_LOG2 + granule);
	return -ENOSPC;
}

static u64 units_of(const struct vmig_track *what)
{
	u64 units = 0;

	for (u32 i = 0; i < what->num; i++)
		units += ((what->ranges[i].last - what->ranges[i].first) >> UNIT_LOG2) + 1;
	return units;
}

/* The next command would wait as long, and the managing controller may be reset each time. */
static bool hangs(int err)
{
	return err == -ETIMEDOUT || err == -ECONNABORTED;
}

static int start(struct nvcf_dev *nd, const struct vmig_track *what,
		 struct vmig_track_limits *limits)
{
	u32 granule, ranges;
	int err;

	err = nvcf_hw_untrack(nd);
	if (hangs(err))
		return err;
	if (fatal_signal_pending(current))
		return -EINTR;
	nd->tracked = units_of(what);
	err = nvcf_hw_track(nd, what, &granule, &ranges);
	return err == -ENOSPC ? offer(what, limits, granule, ranges) : err;
}

static void report_free(struct nvcf_dev *nd)
{
	kvfree(nd->report);
	nd->report = NULL;
}

/**
 * nvcf_track_start() - The track_start hook
 * @mig: Device.
 * @what: What to record.
 * @limits: What the device can do; receives less if it offers less.
 *
 * What is recorded already is given up first: the device takes no second request.  So is what
 * it may record after an error, unless the managing controller hangs: then the next start does
 * that, and nothing else is tried now.
 */
int nvcf_track_start(struct vmig_dev *mig, const struct vmig_track *what,
		     struct vmig_track_limits *limits)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);
	int err;

	if (!nd->report)
		nd->report = kvmalloc(NVCF_MAX_DATA, GFP_KERNEL_ACCOUNT);
	if (!nd->report)
		return -ENOMEM;
	err = start(nd, what, limits);
	if (!err || err == -ENOSPC)
		return err;
	if (!hangs(err) && !fatal_signal_pending(current))
		nvcf_hw_untrack(nd);
	report_free(nd);
	return err;
}

/**
 * nvcf_track_stop() - The track_stop hook
 * @mig: Device.
 */
void nvcf_track_stop(struct vmig_dev *mig)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);

	nvcf_hw_untrack(nd);
	report_free(nd);
}

/* Granules from @first on; those beyond the end of the address space do not exist. */
static u64 last_byte(u64 first, u32 granules, u8 log2)
{
	u64 bytes = (u64)granules << log2;

	if (granules > U64_MAX >> log2 || bytes - 1 > U64_MAX - first)
		return U64_MAX;
	return first + bytes - 1;
}

/*
 * A report has each byte once: of entries that have more memory together than is tracked, and a
 * granule each, the number would not be bounded.
 */
static int push(const struct nvcf_dev *nd, u32 bytes, struct vmig_dirty *dirty)
{
	const struct nvs_track_report *r = nd->report;
	const struct nvs_track_written *w = (const void *)(r + 1);
	u32 count = le32_to_cpu(r->count), granule = le16_to_cpu(r->mrtg);
	u64 most;

	if (r->ver || count > (bytes - sizeof(*r)) / sizeof(*w) || granule > GRANULE_MOST)
		return -EPROTO;
	most = (nd->tracked >> granule) + count;
	for (; count; count--, w++) {
		u64 first = le64_to_cpu(w->addr);
		u32 granules = le32_to_cpu(w->length);

		if (granules > most)
			return -EPROTO;
		most -= granules;
		if (granules)
			vmig_dirty_push(dirty, first,
					last_byte(first, granules, UNIT_LOG2 + granule));
		cond_resched();
	}
	return 0;
}

/**
 * nvcf_track_report() - The track_report hook
 * @mig: Device.
 * @part: Not used: a report is of all that was written.
 * @dirty: Receives what was written.
 *
 * A controller that is suspended writes nothing: a last report without NVS_TRACK_MORE is all.
 */
int nvcf_track_report(struct vmig_dev *mig, const struct vmig_range *part,
		      struct vmig_dirty *dirty)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);
	u32 bytes;
	int err;

	err = nvcf_hw_report(nd, nd->report, &bytes);
	err = err ?: push(nd, bytes, dirty);
	if (err)
		return err;
	return nd->report->attr & NVS_TRACK_MORE ? 1 : 0;
}
