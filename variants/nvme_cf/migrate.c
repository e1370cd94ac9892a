// SPDX-License-Identifier: GPL-2.0
/*
 * Migration hooks of nvme_cf: match data, saving and loading.  suspend.c has the states of the
 * controller, dirty.c what it writes, hw.c the commands.
 */
#include <linux/crc32.h>
#include <linux/slab.h>

#include <vpv/window.h>

#include "nvme_cf.h"

/* As of zlib. */
static u32 checksum(const void *data, size_t bytes)
{
	return ~crc32_le(~0, data, bytes);
}

/* As the device takes it. */
static u32 profile_checksum(const struct nvcf_profile *p)
{
	static const u8 none[sizeof_field(struct nvcf_profile, disks)];
	const size_t from = offsetof(struct nvcf_profile, disks);
	u32 crc = crc32_le(~0, (const u8 *)p, from);

	crc = crc32_le(crc, none, sizeof(none));
	return ~crc32_le(crc, p->reserved, sizeof(p->reserved));
}

/* ---- Match data ---- */

static int read_profile(struct nvcf_dev *nd, struct nvcf_profile *p)
{
	struct vmig_diff diff;
	int err = nvcf_hw_profile(nd, p);

	if (err == -ENODEV)
		return vmig_refuse(&nd->m.mig, err, VMIG_DIFF("profiles of the controller", 1, 0));
	if (err)
		return err;
	err = nvcf_profile_check(p, &diff);
	if (err)
		return vmig_refuse(&nd->m.mig, err, &diff);
	nvcf_match_write(p, profile_checksum(p), &nd->match);
	if (!nd->known.magic)
		nd->known = nd->match;
	err = nvcf_match_same(&nd->match, &nd->known, &diff);
	return err ? vmig_refuse(&nd->m.mig, err, &diff) : 0;
}

/* At the begin of a save session, and on a destination for what a source has sent. */
static int nvcf_match(struct vmig_dev *mig, void *buf)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);
	struct nvcf_managing managing;
	struct nvcf_profile *p;
	int err;

	err = nvcf_hw_managing(nd, &managing);
	if (err)
		return err;
	if (!managing.csvi)
		return vmig_refuse(mig, -EOPNOTSUPP, VMIG_DIFF("CSVI of version 0", 1, 0));
	if (!managing.csuuidi)
		return vmig_refuse(mig, -EOPNOTSUPP,
				   VMIG_DIFF("CSUUIDI of the vendor state", 1, 0));
	p = kzalloc_obj(*p, GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	err = read_profile(nd, p);
	kfree(p);
	if (!err)
		memcpy(buf, &nd->match, sizeof(nd->match));
	return err;
}

/* ---- State ---- */

static int check_state(struct vmig_dev *mig, const void *state, size_t bytes, u32 *index,
		       struct vmig_diff *diff)
{
	const size_t from = offsetof(struct nvcf_state, profile);
	const u8 *vendor = nvcf_state_vendor(state, bytes);
	u32 want, got;
	int err;

	err = nvcf_state_check(&nvcf_from_mig(mig)->match, state, bytes, diff);
	if (err)
		return err;
	want = checksum(vendor + from, sizeof(struct nvcf_state) - from);
	got = get_unaligned_le32(vendor + offsetof(struct nvcf_state, crc));
	return got == want ? 0 : vmig_differs(diff, -EINVAL, "checksum of the vendor state",
					      want, got);
}

/* What a destination would refuse is refused here, while the source can still run on. */
static int nvcf_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);
	struct vmig_diff diff;
	u32 bytes, index;
	void *state;
	int err;

	err = nvcf_hw_get_state(nd, &state, &bytes);
	if (err)
		return err;
	if (check_state(mig, state, bytes, &index, &diff))
		err = vmig_refuse(mig, -EPROTO, &diff);
	err = err ?: vmig_emit(em, NVCF_RECORD_STATE, 0, state, bytes);
	kvfree(state);
	return err;
}

/* I/O queues of an earlier user would be in the way: the controller is disabled, and waits. */
static int disable(struct nvcf_dev *nd)
{
	const struct vpv_window regs = { .vpv = &nd->m.vpv, .bar = NVCF_BAR };
	u32 cc, cap;
	int err;

	err = vpv_reg_read(&regs, NVS_REG_CC, &cc);
	if (err || !(cc & NVS_CC_EN))
		return err;
	err = vpv_reg_read(&regs, NVS_REG_CAP, &cap);
	err = err ?: vpv_reg_write(&regs, NVS_REG_CC, 0);
	err = err ?: vpv_reg_poll(&regs, NVS_REG_CSTS, NVS_CSTS_RDY, 0,
				  min(NVS_CAP_TO_GET(cap) + 1, NVCF_READY_UNITS_MAX) * NVS_TO_MS,
				  NULL);
	return err ?: nvcf_suspend(nd);
}

static int nvcf_load_begin(struct vmig_dev *mig)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);

	nd->match = (struct nvcf_match){};
	return disable(nd);
}

static int commit_state(struct vmig_dev *mig, u32 index, const void *state, size_t bytes)
{
	u16 status;
	int err = nvcf_hw_set_state(nvcf_from_mig(mig), state, bytes, &status);

	if (err == -EREMOTEIO)
		return vmig_refuse(mig, -EINVAL, VMIG_DIFF("status of Set State", 0, status));
	return err;
}

static const struct vmig_staged_record nvcf_records[] = {
	{
		.name = "controller state",
		.type = NVCF_RECORD_STATE,
		.min_bytes = NVCF_STATE_LEAST,
		.max_bytes = NVCF_STATE_MOST,
		.most = 1,
		.mandatory = true,
		.check = check_state,
		.commit = commit_state,
	},
};

const struct vmig_ops nvcf_mig_ops = {
	.quiesce = nvcf_quiesce,
	.unquiesce = nvcf_unquiesce,
	.freeze = nvcf_still,
	.thaw = nvcf_still,
	.match = nvcf_match,
	.save = nvcf_save,
	.load_begin = nvcf_load_begin,
	.reset = nvcf_reset,
	.track_limits = nvcf_track_limits,
	.track_start = nvcf_track_start,
	.track_stop = nvcf_track_stop,
	.track_report = nvcf_track_report,
};

const struct vmig_desc nvcf_mig_desc = {
	.family = NVCF_FAMILY,
	.state_version = 1,
	.state_oldest = 1,
	.state_accepts = 1,
	.match_bytes = sizeof(struct nvcf_match),
	.match_fields = nvcf_fields,
	.num_match_fields = NVCF_NUM_FIELDS,
	.staged = nvcf_records,
	.num_staged = ARRAY_SIZE(nvcf_records),
	.max_payload = NVCF_STATE_MOST,
	/* All queues. */
	.typical_bytes = NVCF_STATE_LEAST + NVCF_MAX_IOQ * (sizeof(struct nvs_state_sq) +
							    sizeof(struct nvs_state_cq)),
	.config = &vpv_config_state_ops,
	.reach = &vpv_reach,
};
