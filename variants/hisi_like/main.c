// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO driver of hisi_like accelerators: its control page, the migration hooks and the
 * declarations.  What a context may hold is decided in match.c.
 */
#include <linux/slab.h>

#include <vpv/mailbox.h>
#include <vpv/pause.h>
#include <vpv/variant.h>
#include <vpv/window.h>

#include "match.h"
#include "persona_v1.h"

#define HISIL_NAME		"vpv_hisi_like"

/* The most that hardware may ask for. */
#define HISIL_DRAIN_MAX_MS	10000

/**
 * struct hisil_dev - One function
 * @m: What the core and the migration library know; first.
 * @ctl: The control page; set by open.
 * @fn: What it said of the function then.
 *
 * No locks: hooks of the library use all of this, of which one runs at a time, and open and
 * close, when none does.
 */
struct hisil_dev {
	struct vpv_migratable m;
	struct vpv_window ctl;
	struct hisil_match fn;
};

static struct hisil_dev *hisil_from_mig(struct vmig_dev *mig)
{
	return container_of(mig, struct hisil_dev, m.mig);
}

static struct device *hisil_device(const struct hisil_dev *hd)
{
	return &hd->m.vpv.pdev->dev;
}

/* ---- What the function is ---- */

/* After a reset the control page says nothing of the function before it is READY. */
static int identify(struct hisil_dev *hd, struct hisil_match *fn)
{
	const struct vpv_window user = { .vpv = &hd->m.vpv, .bar = HISIL_BAR };
	struct hisil_ident id;
	int err;

	err = vpv_window_ready(&user, HISIL_STATUS, HISIL_STATUS_READY, 2 * HISIL_READY_MS);
	if (!err)
		err = vpv_window_read(&hd->ctl, HISIL_CP_REV, (__le32 *)&id, sizeof(id));
	if (!err)
		hisil_match_write(&id, fn);
	return err;
}

static int hisil_open(struct vpv_device *vpv)
{
	struct hisil_dev *hd = container_of(vpv, struct hisil_dev, m.vpv);
	int err;

	/* The upper half of what the hardware has, whatever the user is shown of it. */
	hd->ctl = (struct vpv_window){
		.vpv = vpv,
		.bar = HISIL_BAR,
		.offset = max(vpv_bar_bytes(vpv, HISIL_BAR) / 2, HISIL_USER_BYTES),
		.bytes = HISIL_CP_WINDOW + HISIL_CP_WINDOW_BYTES,
		.id = HISIL_CP_ID,
		.id_value = HISIL_CP_ID_VALUE,
	};
	err = vpv_window_open(&hd->ctl);
	return err ?: identify(hd, &hd->fn);
}

static int hisil_match(struct vmig_dev *mig, void *buf)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	struct hisil_match *fn = buf;
	struct vmig_diff diff;
	int err;

	err = identify(hd, fn);
	if (err)
		return err;
	err = hisil_match_sane(fn, &hd->fn, &diff);
	if (!err && fn->isolation)
		err = vmig_differs(&diff, -EOPNOTSUPP, "isolation of this function", 0,
				   le32_to_cpu(fn->isolation));
	return err ? vmig_refuse(mig, err, &diff) : 0;
}

/* ---- Pause and go on ---- */

static const struct vpv_pause hisil_pause = {
	.request = HISIL_CP_PAUSE,
	.pause = HISIL_PAUSE,
	.freeze = HISIL_FREEZE,
	.state = HISIL_CP_DRAIN,
	.running = HISIL_RUNNING,
	.drained = HISIL_DRAINED,
	.limit = HISIL_CP_DRAIN_MS,
	.limit_most_ms = HISIL_DRAIN_MAX_MS,
};

/* Operations that do not end in time are parked, to run again, if the hardware can do that. */
static int hisil_quiesce(struct vmig_dev *mig)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	u32 caps;
	int err = vpv_reg_read(&hd->ctl, HISIL_CP_CAPS, &caps);

	static_assert((HISIL_DRAIN_FAILED & HISIL_DRAINED) == HISIL_DRAINED);
	if (err)
		return err;
	return vpv_pause(&hd->ctl, &hisil_pause, caps & HISIL_CAP_REVOKE ? HISIL_REVOKE : 0);
}

/* Parked operations run first. */
static int hisil_unquiesce(struct vmig_dev *mig)
{
	return vpv_unpause(&hisil_from_mig(mig)->ctl, &hisil_pause);
}

static int hisil_freeze(struct vmig_dev *mig)
{
	return vpv_pause_freeze(&hisil_from_mig(mig)->ctl, &hisil_pause, true);
}

static int hisil_thaw(struct vmig_dev *mig)
{
	return vpv_pause_freeze(&hisil_from_mig(mig)->ctl, &hisil_pause, false);
}

/* ---- Contexts of a frozen function ---- */

static const struct vpv_mailbox hisil_mailbox = {
	.cmd = HISIL_CP_CMD,
	.stat = HISIL_CP_STAT,
	.idle = HISIL_IDLE,
	.busy = HISIL_BUSY,
	.err = HISIL_CP_ERR,
	.limit_ms = 2 * HISIL_CMD_MS,
};

/* Carry out a command; @buf, if any, goes into the window first. */
static int run_command(struct hisil_dev *hd, u32 sel, enum hisil_cmd cmd, const __le32 *buf,
		       size_t bytes)
{
	u32 code;
	int err;

	err = vpv_mailbox_begin(&hd->ctl, &hisil_mailbox);
	if (err)
		return err;
	vpv_window_put(&hd->ctl, HISIL_CP_SEL, sel);
	if (buf)
		vpv_window_put(&hd->ctl, HISIL_CP_WLEN, bytes);
	for (size_t i = 0; i < bytes; i += sizeof(*buf))
		vpv_window_put(&hd->ctl, HISIL_CP_WINDOW + i, le32_to_cpu(*buf++));
	err = vpv_mailbox_run(&hd->ctl, &hisil_mailbox, cmd, &code);
	if (err == -EREMOTEIO && code == HISIL_ERR_BAD_CONTEXT)
		return -EINVAL;		/* the caller knows where it came from */
	if (err)
		dev_warn_ratelimited(hisil_device(hd),
				     "control command %u on context %#x failed: code %u, error %d\n",
				     cmd, sel, code, err);
	return err;
}

static int read_context(struct hisil_dev *hd, u32 sel, __le32 *buf, size_t *bytes)
{
	u32 len;
	int err;

	err = run_command(hd, sel, HISIL_CMD_READ, NULL, 0);
	if (!err)
		err = vpv_window_begin(&hd->ctl);
	if (err)
		return err;
	len = vpv_window_get(&hd->ctl, HISIL_CP_LEN);
	for (size_t i = 0; i < min(len, HISIL_MAX_CTX_BYTES); i += sizeof(*buf))
		*buf++ = cpu_to_le32(vpv_window_get(&hd->ctl, HISIL_CP_WINDOW + i));
	/* A function that went away reads as ones, which a window may hold, too. */
	if (!vpv_window_answers(&hd->ctl))
		err = -EIO;
	vpv_window_end(&hd->ctl);
	if (err)
		return err;

	if (!len || len > HISIL_MAX_CTX_BYTES || !IS_ALIGNED(len, sizeof(*buf))) {
		dev_warn_ratelimited(hisil_device(hd), "context %#x has %u bytes\n", sel, len);
		return -EPROTO;
	}
	*bytes = len;
	return 0;
}

static int check_global(struct vmig_dev *mig, const void *data, size_t bytes, u32 *index,
			struct vmig_diff *diff)
{
	return hisil_ctx_check_global(&hisil_from_mig(mig)->fn, data, bytes, diff);
}

static int check_queue(struct vmig_dev *mig, const void *data, size_t bytes, u32 *queue,
		       struct vmig_diff *diff)
{
	return hisil_ctx_check_queue(&hisil_from_mig(mig)->fn, data, bytes, queue, diff);
}

static int write_context(struct hisil_dev *hd, u32 sel, const void *data, size_t bytes)
{
	int err = run_command(hd, sel, HISIL_CMD_WRITE, data, bytes);

	if (err == -EINVAL)
		vmig_refuse(&hd->m.mig, err,
			    VMIG_DIFF("CP_ERR of a context", 0, HISIL_ERR_BAD_CONTEXT));
	return err;
}

/* The first one: nothing of what the function had stays. */
static int commit_global(struct vmig_dev *mig, u32 index, const void *data, size_t bytes)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	int err = run_command(hd, HISIL_SEL_GLOBAL, HISIL_CMD_CLEAR, NULL, 0);

	return err ?: write_context(hd, HISIL_SEL_GLOBAL, data, bytes);
}

static int commit_queue(struct vmig_dev *mig, u32 queue, const void *data, size_t bytes)
{
	return write_context(hisil_from_mig(mig), queue, data, bytes);
}

enum { HISIL_GLOBAL, HISIL_QUEUE };

static const struct vmig_staged_record hisil_records[] = {
	[HISIL_GLOBAL] = {
		.name = "global context",
		.type = HISIL_RECORD_GLOBAL,
		.min_bytes = HISIL_CTX_BYTES,
		.max_bytes = HISIL_CTX_BYTES,
		.most = 1,
		.mandatory = true,
		.check = check_global,
		.commit = commit_global,
	},
	[HISIL_QUEUE] = {
		.name = "queue context",
		.type = HISIL_RECORD_QUEUE,
		.min_bytes = HISIL_CTX_BYTES,
		.max_bytes = HISIL_MAX_CTX_BYTES,
		.most = HISIL_MAX_QUEUES,
		.check = check_queue,
		.commit = commit_queue,
	},
};

/* What a destination would refuse is refused here, while the source can still run on. */
static int save_context(struct hisil_dev *hd, struct vmig_emit *em,
			const struct vmig_staged_record *rec, u32 sel, void *buf)
{
	struct vmig_diff diff;
	size_t bytes;
	u32 is = sel;
	int err;

	err = read_context(hd, sel, buf, &bytes);
	if (err)
		return err;
	err = rec->check(&hd->m.mig, buf, bytes, &is, &diff);
	if (!err && is != sel)
		err = vmig_differs(&diff, -EPROTO, "queue of a context", sel, is);
	if (err)
		return vmig_refuse(&hd->m.mig, -EPROTO, &diff);
	if (rec->type == HISIL_RECORD_QUEUE && bytes == sizeof(struct hisil_queue_ctx) &&
	    hisil_ctx_is_reset(buf))
		return 0;
	return vmig_emit(em, rec->type, 0, buf, bytes);
}

/* A function with more queues than it says would lose them. */
static int check_last(struct hisil_dev *hd, u32 queues)
{
	u32 bytes;
	int err;

	err = vpv_reg_write(&hd->ctl, HISIL_CP_SEL, queues);
	if (!err)
		err = vpv_reg_read(&hd->ctl, HISIL_CP_LEN, &bytes);
	if (err || !bytes)
		return err;
	return vmig_refuse(&hd->m.mig, -EPROTO,
			   VMIG_DIFF("bytes of the context behind the last queue", 0, bytes));
}

static int hisil_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	struct hisil_dev *hd = hisil_from_mig(mig);
	u32 queues = le16_to_cpu(hd->fn.queues);
	void *buf;
	int err;

	buf = kzalloc(HISIL_MAX_CTX_BYTES, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	err = save_context(hd, em, &hisil_records[HISIL_GLOBAL], HISIL_SEL_GLOBAL, buf);
	for (u32 queue = 0; queue < queues && !err; queue++)
		err = save_context(hd, em, &hisil_records[HISIL_QUEUE], queue, buf);
	err = err ?: check_last(hd, queues);
	kfree(buf);
	return err;
}

/* Every queue in use, nothing parked. */
static u64 hisil_estimate(struct vmig_dev *mig)
{
	return HISIL_CTX_BYTES * (1 + le16_to_cpu(hisil_from_mig(mig)->fn.queues));
}

/* ---- Declarations ---- */

static const struct vmig_ops hisil_ops = {
	.quiesce = hisil_quiesce,
	.unquiesce = hisil_unquiesce,
	.freeze = hisil_freeze,
	.thaw = hisil_thaw,
	.match = hisil_match,
	.save = hisil_save,
	.estimate = hisil_estimate,
};

static const struct vmig_desc hisil_desc = {
	.family = "hisi_like",
	.state_version = 1,
	.state_oldest = 1,
	.state_accepts = 1,
	.match_bytes = sizeof(struct hisil_match),
	.match_fields = hisil_fields,
	.num_match_fields = HISIL_NUM_FIELDS,
	.staged = hisil_records,
	.num_staged = ARRAY_SIZE(hisil_records),
	.max_payload = HISIL_MAX_CTX_BYTES,
	.typical_bytes = HISIL_CTX_BYTES * (1 + HISIL_MAX_QUEUES),
	.config = &vpv_config_state_ops,
	.reach = &vpv_reach,
	.undone_by_reset = true,
};

/* The control page is the upper half of its BAR: a user must not reach it. */
static const struct vpv_bar_rule hisil_rules[] = {
	{ .bar = HISIL_BAR, .kind = VPV_BAR_HIDE_ABOVE, .shift = 1 },
};

static const struct vpv_persona_blob hisil_personas[] = {
	{ hisil_persona_v1, sizeof(hisil_persona_v1) },
};

static const struct vpv_variant hisil_variant = {
	VPV_VARIANT_OF(HISIL_NAME, struct hisil_dev),
	VPV_MIGRATES_BY(&hisil_ops, &hisil_desc),
	.rules = hisil_rules,
	.num_rules = ARRAY_SIZE(hisil_rules),
	.personas = hisil_personas,
	.num_personas = ARRAY_SIZE(hisil_personas),
	.open = hisil_open,
};

static const struct pci_device_id hisil_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(HISIL_VENDOR, HISIL_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, hisil_ids);

vpv_module_variant(HISIL_NAME, hisil_variant, hisil_ids);

MODULE_DESCRIPTION("VFIO driver of hisi_like accelerators, with live migration");
MODULE_LICENSE("GPL");
