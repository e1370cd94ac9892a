// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO driver of edu_like, the smallest device that migrates.  This is the driver that
 * Documentation/adding-a-variant.rst explains; the device is described in
 * Documentation/hardware/edu_like.rst.
 */
#include <hw/edu_like.h>
#include <vpv/variant.h>
#include <vpv/window.h>

#define EDUL_NAME		"vpv_edu_like"
#define EDUL_RECORD_STATE	VPV_RECORD_FAMILY

/* What a destination must be able to match. */
struct edul_match {
	__le32 version;
	__le32 max_words;
};

/**
 * struct edul_dev - One function
 * @m: What the core and the migration library know; first.
 * @ctl: The control window; set by open.
 * @max_words: The largest operation; set by open.
 */
struct edul_dev {
	struct vpv_migratable m;
	struct vpv_window ctl;
	u32 max_words;
};

static struct edul_dev *edul_from_mig(struct vmig_dev *mig)
{
	return container_of(mig, struct edul_dev, m.mig);
}

static int edul_open(struct vpv_device *vpv)
{
	struct edul_dev *ed = container_of(vpv, struct edul_dev, m.vpv);
	int err;

	ed->ctl = (struct vpv_window){
		.vpv = vpv,
		.bar = EDUL_BAR,
		.offset = EDUL_CTL,
		.bytes = EDUL_BAR_BYTES - EDUL_CTL,
		.id = EDUL_ID,
		.id_value = EDUL_ID_VALUE,
	};
	err = vpv_window_open(&ed->ctl);
	return err ?: vpv_reg_read(&ed->ctl, EDUL_MAX_WORDS, &ed->max_words);
}

static int edul_thaw(struct vmig_dev *mig)
{
	return vpv_reg_write(&edul_from_mig(mig)->ctl, EDUL_PAUSE, 0);
}

static int edul_freeze(struct vmig_dev *mig)
{
	struct edul_dev *ed = edul_from_mig(mig);
	int err;

	err = vpv_reg_write(&ed->ctl, EDUL_PAUSE, EDUL_PAUSE_REQUEST);
	if (!err)
		err = vpv_reg_poll(&ed->ctl, EDUL_PAUSE, EDUL_PAUSED, EDUL_PAUSED, EDUL_PAUSE_MS,
				   NULL);
	/* The device goes on as before. */
	if (err == -ETIMEDOUT && edul_thaw(mig))
		err = -EIO;
	return err;
}

static int edul_match(struct vmig_dev *mig, void *buf)
{
	struct edul_dev *ed = edul_from_mig(mig);
	u32 version, max_words;
	int err;

	err = vpv_reg_read(&ed->ctl, EDUL_VERSION, &version);
	if (!err)
		err = vpv_reg_read(&ed->ctl, EDUL_MAX_WORDS, &max_words);
	if (err)
		return err;
	if (version != EDUL_VERSION_NOW)
		return vmig_refuse(mig, -EOPNOTSUPP, VMIG_DIFF("state format of this function",
				   EDUL_VERSION_NOW, version));
	/* A user may have begun what is larger than what it says now. */
	if (!max_words || max_words != ed->max_words)
		return vmig_refuse(mig, -EOPNOTSUPP, VMIG_DIFF("largest operation before",
				   ed->max_words, max_words));
	*(struct edul_match *)buf = (struct edul_match){
		.version = cpu_to_le32(version),
		.max_words = cpu_to_le32(max_words),
	};
	return 0;
}

/* The user of the source may use all that it offered. */
static const struct vmig_match_field edul_fields[] = {
	VMIG_MATCH_FIELD("state format", VMIG_MATCH_EQUAL, struct edul_match, version),
	VMIG_MATCH_FIELD("largest operation", VMIG_MATCH_AT_MOST, struct edul_match, max_words),
};

static int edul_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	struct edul_dev *ed = edul_from_mig(mig);
	__le32 state[sizeof(struct edul_state) / sizeof(__le32)];
	int err;

	err = vpv_window_read(&ed->ctl, EDUL_WINDOW, state, sizeof(state));
	if (err)
		return err;
	return vmig_emit(em, EDUL_RECORD_STATE, 0, state, sizeof(state));
}

/* The device looks at every field and takes all of them or none. */
static int edul_commit(struct vmig_dev *mig, u32 index, const void *data, size_t bytes)
{
	struct edul_dev *ed = edul_from_mig(mig);
	u32 result;
	int err;

	err = vpv_window_write(&ed->ctl, EDUL_WINDOW, data, bytes);
	if (!err)
		err = vpv_reg_write(&ed->ctl, EDUL_COMMIT, 1);
	if (!err)
		err = vpv_reg_poll(&ed->ctl, EDUL_COMMIT, EDUL_COMMITTING, 0, EDUL_COMMIT_MS,
				   &result);
	if (err || result == EDUL_COMMITTED)
		return err;
	return vmig_refuse(mig, -EINVAL,
			   VMIG_DIFF("content of the state", EDUL_COMMITTED, result));
}

static const struct vmig_staged_record edul_records[] = {
	{
		.name = "state",
		.type = EDUL_RECORD_STATE,
		.min_bytes = sizeof(struct edul_state),
		.max_bytes = sizeof(struct edul_state),
		.most = 1,
		.mandatory = true,
		.commit = edul_commit,
	},
};

static const struct vmig_ops edul_ops = {
	.freeze = edul_freeze,
	.thaw = edul_thaw,
	.match = edul_match,
	.save = edul_save,
};

static const struct vmig_desc edul_desc = {
	.family = "edu_like",
	.state_version = 1,
	.state_oldest = 1,
	.state_accepts = 1,
	.match_bytes = sizeof(struct edul_match),
	.match_fields = edul_fields,
	.num_match_fields = ARRAY_SIZE(edul_fields),
	.staged = edul_records,
	.num_staged = ARRAY_SIZE(edul_records),
	.max_payload = sizeof(struct edul_state),
	.typical_bytes = sizeof(struct edul_state),
	.config = &vpv_config_state_ops,
	.reach = &vpv_reach,
	.undone_by_reset = true,
};

/* The control window is the upper half of the BAR: a user must not reach it. */
static const struct vpv_bar_rule edul_rules[] = {
	{ .bar = EDUL_BAR, .kind = VPV_BAR_HIDE_ABOVE, .shift = 1 },
};

static const struct vpv_variant edul_variant = {
	VPV_VARIANT_OF(EDUL_NAME, struct edul_dev),
	VPV_MIGRATES_BY(&edul_ops, &edul_desc),
	.rules = edul_rules,
	.num_rules = ARRAY_SIZE(edul_rules),
	.open = edul_open,
};

static const struct pci_device_id edul_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(EDUL_VENDOR, EDUL_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edul_ids);

vpv_module_variant(EDUL_NAME, edul_variant, edul_ids);

MODULE_DESCRIPTION("VFIO driver of edu_like devices, with live migration");
MODULE_LICENSE("GPL");
