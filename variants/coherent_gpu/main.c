// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO driver of coherent_gpu functions: where their memory is, open, declarations.
 */
#include <linux/property.h>

#include "coherent_gpu.h"
#include "persona_256m_v1.h"

#define CGPU_NAME	"vpv_coherent_gpu"

/* ---- Memory, as firmware describes it ---- */

static int read_bytes(struct device *dev, const char *name, u64 *bytes)
{
	u32 words[2];
	int err = device_property_read_u32_array(dev, name, words, ARRAY_SIZE(words));

	if (!err)
		*bytes = (u64)words[1] << 32 | words[0];
	return err;
}

static int read_place(struct cgpu_dev *cd)
{
	struct device *dev = cgpu_device(cd);
	struct cgpu_place *place = &cd->place;
	struct vmig_diff diff;
	int err;

	err = read_bytes(dev, CGPU_DSD_BASE, &place->base);
	if (!err)
		err = read_bytes(dev, CGPU_DSD_BYTES, &place->bytes);
	if (err) {
		dev_err(dev, "firmware does not say where the memory is: error %d\n", err);
		return -ENODEV;
	}
	/* Not there: there is none. */
	if (device_property_present(dev, CGPU_DSD_CARVE))
		err = read_bytes(dev, CGPU_DSD_CARVE, &place->carve);
	if (err) {
		dev_err(dev, "firmware says no size of the carve-out: error %d\n", err);
		return -ENODEV;
	}
	err = cgpu_place_check(place, &diff);
	if (err)
		dev_err(dev, "firmware: %s is %#llx, may be %#llx\n", diff.field, diff.got,
			diff.want);
	return err;
}

/* What is sent at a time is one page that CPUs map, or several. */
static int check_pages(struct cgpu_dev *cd)
{
	if (PAGE_SIZE == CGPU_POISON_PAGE)
		return 0;
	dev_err(cgpu_device(cd), "the kernel has pages of %lu bytes and not of %u\n", PAGE_SIZE,
		CGPU_POISON_PAGE);
	return -EOPNOTSUPP;
}

static int cgpu_init(struct vpv_device *vpv)
{
	struct cgpu_dev *cd = cgpu_from_vpv(vpv);
	struct vpv_bar_memory mem;
	int err;

	mutex_init(&cd->cmd_lock);
	cgpu_watch_init(cd);
	err = check_pages(cd);
	err = err ?: read_place(cd);
	if (err)
		return err;
	mem = (struct vpv_bar_memory){ .phys = cd->place.base, .bytes = cgpu_main_bytes(cd) };
	err = vpv_bar_memory_add(vpv, CGPU_MAIN_BAR, &mem);
	if (err || !cd->place.carve)
		return err;
	mem = (struct vpv_bar_memory){
		.phys = cd->place.base + cgpu_main_bytes(cd),
		.bytes = cd->place.carve,
		.write_combined = true,
	};
	return vpv_bar_memory_add(vpv, CGPU_CARVE_BAR, &mem);
}

/* Is it the function that firmware has described? */
static int identify(struct cgpu_dev *cd)
{
	struct vmig_diff diff;
	int err = cgpu_identify(cd, &cd->fn);

	if (err)
		return err;
	err = cgpu_match_place(&cd->fn, &cd->place, &diff);
	if (err)
		dev_warn_ratelimited(cgpu_device(cd), "%s is %#llx, by firmware %#llx\n",
				     diff.field, diff.got, diff.want);
	return err;
}

static int cgpu_open(struct vpv_device *vpv)
{
	struct cgpu_dev *cd = cgpu_from_vpv(vpv);
	int err;

	cd->ctl = (struct vpv_window){
		.vpv = vpv,
		.bar = CGPU_BAR,
		.offset = CGPU_USER_BYTES,
		.bytes = CGPU_CP_WINDOW + CGPU_CP_WINDOW_BYTES,
		.id = CGPU_CP_ID,
		.id_value = CGPU_CP_ID_VALUE,
	};
	err = vpv_window_open(&cd->ctl);
	if (!err)
		err = identify(cd);
	if (!err)
		err = vpv_bar_memory_wait(vpv);
	if (!err)
		cgpu_watch_start(cd);
	return err;
}

static void cgpu_close(struct vpv_device *vpv)
{
	cgpu_watch_stop(cgpu_from_vpv(vpv));
	vpv_bar_memory_untrack(vpv);
}

/* ---- Declarations ---- */

/* The control page is the upper half of its BAR: a user must not reach it. */
static const struct vpv_bar_rule cgpu_rules[] = {
	{ .bar = CGPU_BAR, .kind = VPV_BAR_HIDE_ABOVE, .shift = 1 },
};

static const struct vpv_persona_blob cgpu_personas[] = {
	{ cgpu_persona_256m, sizeof(cgpu_persona_256m) },
};

static const struct vpv_variant cgpu_variant = {
	VPV_VARIANT_OF(CGPU_NAME, struct cgpu_dev),
	VPV_MIGRATES_BY(&cgpu_ops, &cgpu_desc),
	.rules = cgpu_rules,
	.num_rules = ARRAY_SIZE(cgpu_rules),
	.personas = cgpu_personas,
	.num_personas = ARRAY_SIZE(cgpu_personas),
	.init = cgpu_init,
	.open = cgpu_open,
	.close = cgpu_close,
	.memory_ready = cgpu_memory_ready,
};

static const struct pci_device_id cgpu_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(CGPU_VENDOR, CGPU_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, cgpu_ids);

vpv_module_variant(CGPU_NAME, cgpu_variant, cgpu_ids);

MODULE_DESCRIPTION("VFIO driver of coherent_gpu functions, with live migration");
MODULE_LICENSE("GPL");
