// SPDX-License-Identifier: GPL-2.0
/*
 * Migration hooks of hisi_like: match data, contexts out, contexts in.  States,
 * files and the stream are the library's; registers are in hw.c.
 */
#include <linux/slab.h>

#include <vpv/config_travel.h>
#include <vpv/reach.h>

#include "hisi_like.h"

static int hisil_quiesce(struct vmig_dev *mig)
{
	return hisil_hw_pause(hisil_from_mig(mig));
}

static int hisil_unquiesce(struct vmig_dev *mig)
{
	int err = hisil_hw_resume(hisil_from_mig(mig));

	return err == -ETIMEDOUT ? -EIO : err;
}

static int hisil_freeze(struct vmig_dev *mig)
{
	return hisil_hw_freeze(hisil_from_mig(mig));
}

static int hisil_thaw(struct vmig_dev *mig)
{
	return hisil_hw_thaw(hisil_from_mig(mig));
}

/* What the function is, which must be what it was, and what this driver knows. */
static int identify(struct hisil_dev *hd, struct hisil_ident *id)
{
	struct vmig_diff diff;
	int err;

	err = hisil_hw_identify(hd, id);
	if (err)
		return err;
	err = hisil_ident_check(id, &hd->id, &diff);
	return err ? vmig_refuse(&hd->mig, err, &diff) : 0;
}

static int hisil_match(struct vmig_dev *mig, void *buf)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	struct hisil_ident id;
	int err;

	err = identify(hd, &id);
	if (err)
		return err;
	if (id.isolation)
		return vmig_refuse(mig, -EOPNOTSUPP,
				   VMIG_DIFF("isolation of this function", 0, id.isolation));
	hisil_match_write(&id, buf);
	return 0;
}

static int hisil_verify(struct vmig_dev *mig, const void *buf, size_t bytes)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	struct vmig_diff diff;
	struct hisil_ident id;
	int err;

	err = identify(hd, &id);
	if (err)
		return err;
	err = hisil_match_check(&id, buf, bytes, &diff);
	return err ? vmig_refuse(mig, err, &diff) : 0;
}

/* The destination would refuse it: say so while the source can still run on. */
static int check_saved(struct hisil_dev *hd, u32 sel, const void *buf, size_t bytes)
{
	struct vmig_diff diff;
	u32 queue = sel;
	int err;

	if (sel == HISIL_SEL_GLOBAL)
		err = hisil_ctx_check_global(&hd->id, buf, bytes, &diff);
	else
		err = hisil_ctx_check_queue(&hd->id, buf, bytes, &queue, &diff);
	if (!err && queue != sel)
		err = vmig_differs(&diff, -EINVAL, "queue of a context", sel, queue);
	return err ? vmig_refuse(&hd->mig, -EPROTO, &diff) : 0;
}

static int save_context(struct hisil_dev *hd, struct vmig_emit *em, u32 sel, void *buf)
{
	bool global = sel == HISIL_SEL_GLOBAL;
	size_t bytes;
	int err;

	err = hisil_hw_ctx_read(hd, sel, buf, HISIL_MAX_CTX_BYTES, &bytes);
	if (!err)
		err = check_saved(hd, sel, buf, bytes);
	if (err)
		return err;
	if (!global && bytes == sizeof(struct hisil_queue_ctx) && hisil_ctx_is_reset(buf))
		return 0;
	return vmig_emit(em, global ? HISIL_RECORD_GLOBAL : HISIL_RECORD_QUEUE, 0, buf,
			 bytes);
}

/* A function with more queues than it says would lose them. */
static int check_last(struct hisil_dev *hd, u32 queues)
{
	u32 bytes;
	int err = hisil_hw_ctx_bytes(hd, queues, &bytes);

	if (err || !bytes)
		return err;
	return vmig_refuse(&hd->mig, -EPROTO,
			   VMIG_DIFF("bytes of the context behind the last queue", 0, bytes));
}

static int hisil_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	u32 queues = HISIL_LIMITS_QUEUES(hd->id.limits);
	void *buf;
	int err;

	buf = kzalloc(HISIL_MAX_CTX_BYTES, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	err = save_context(hd, em, HISIL_SEL_GLOBAL, buf);
	for (u32 queue = 0; queue < queues && !err; queue++)
		err = save_context(hd, em, queue, buf);
	err = err ?: check_last(hd, queues);
	kfree(buf);
	return err;
}

/**
 * hisil_unstage() - Forget contexts that were received
 * @hd: Device; no hook runs.
 */
void hisil_unstage(struct hisil_dev *hd)
{
	kvfree(hd->staged);
	hd->staged = NULL;
}

static int hisil_load_begin(struct vmig_dev *mig)
{
	struct hisil_dev *hd = hisil_from_mig(mig);

	hisil_unstage(hd);
	hd->staged = kvzalloc_obj(*hd->staged, GFP_KERNEL_ACCOUNT);
	return hd->staged ? 0 : -ENOMEM;
}

static int load_global(struct hisil_dev *hd, const struct vmig_record *rec,
		       struct vmig_diff *diff)
{
	struct hisil_staged *staged = hd->staged;
	int err;

	err = hisil_ctx_check_global(&hd->id, rec->data, rec->bytes, diff);
	if (err)
		return err;
	if (staged->global)
		return vmig_differs(diff, -EINVAL, "global contexts", 1, 2);
	memcpy(&staged->global_ctx, rec->data, sizeof(staged->global_ctx));
	staged->global = true;
	return 0;
}

static int load_queue(struct hisil_dev *hd, const struct vmig_record *rec,
		      struct vmig_diff *diff)
{
	struct hisil_staged *staged = hd->staged;
	u32 queue;
	int err;

	err = hisil_ctx_check_queue(&hd->id, rec->data, rec->bytes, &queue, diff);
	if (err)
		return err;
	if (staged->queues & BIT_ULL(queue))
		return vmig_differs(diff, -EINVAL, "repeated queue", queue, queue);
	memcpy(staged->ctx[queue], rec->data, rec->bytes);
	staged->bytes[queue] = rec->bytes;
	staged->queues |= BIT_ULL(queue);
	return 0;
}

static int hisil_load(struct vmig_dev *mig, const struct vmig_record *rec)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	struct vmig_diff diff;
	int err;

	switch (rec->type) {
	case HISIL_RECORD_GLOBAL:
		err = load_global(hd, rec, &diff);
		break;
	case HISIL_RECORD_QUEUE:
		err = load_queue(hd, rec, &diff);
		break;
	default:
		return -EOPNOTSUPP;
	}
	return err ? vmig_refuse(mig, err, &diff) : 0;
}

static int write_contexts(struct hisil_dev *hd)
{
	struct hisil_staged *staged = hd->staged;
	int err;

	err = hisil_hw_ctx_clear(hd);
	if (!err)
		err = hisil_hw_ctx_write(hd, HISIL_SEL_GLOBAL, &staged->global_ctx,
					 sizeof(staged->global_ctx));
	for (u32 queue = 0; queue < HISIL_MAX_QUEUES && !err; queue++)
		if (staged->queues & BIT_ULL(queue))
			err = hisil_hw_ctx_write(hd, queue, staged->ctx[queue],
						 staged->bytes[queue]);
	return err;
}

static int hisil_load_end(struct vmig_dev *mig)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	int err = -EINVAL;

	if (!hd->staged->global) {
		vmig_refuse(mig, err, VMIG_DIFF("global contexts", 1, 0));
	} else {
		err = write_contexts(hd);
		if (err == -EINVAL)
			vmig_refuse(mig, err, VMIG_DIFF("CP_ERR of a context", 0,
							HISIL_ERR_BAD_CONTEXT));
	}
	hisil_unstage(hd);
	return err;
}

/* Every queue in use, nothing parked. */
static u64 hisil_estimate(struct vmig_dev *mig)
{
	u32 queues = HISIL_LIMITS_QUEUES(hisil_from_mig(mig)->id.limits);

	return sizeof(struct hisil_global_ctx) + queues * sizeof(struct hisil_queue_ctx);
}

const struct vmig_ops hisil_mig_ops = {
	.quiesce = hisil_quiesce,
	.unquiesce = hisil_unquiesce,
	.freeze = hisil_freeze,
	.thaw = hisil_thaw,
	.match = hisil_match,
	.verify = hisil_verify,
	.save = hisil_save,
	.load_begin = hisil_load_begin,
	.load = hisil_load,
	.load_end = hisil_load_end,
	.estimate = hisil_estimate,
};

const struct vmig_desc hisil_mig_desc = {
	.family = "hisi_like",
	.state_version = 1,
	.state_oldest = 1,
	.state_accepts = 1,
	.match_bytes = sizeof(struct hisil_match),
	.max_payload = HISIL_MAX_CTX_BYTES,
	.config = &vpv_config_travel,
	.reach = &vpv_reach,
};
