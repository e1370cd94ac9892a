// SPDX-License-Identifier: GPL-2.0
/*
 * What a device is and does, for people: vpv_core/<device>/ in debugfs.
 * Documentation/ABI/debugfs-vpv-core describes the files.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "vpv.h"

DEFINE_STATIC_KEY_FALSE(vpv_counting);

static struct dentry *debug_root;

static const char *const counter_names[VPV_COUNTERS] = {
	[VPV_COUNT_READ] = "read_1", "read_2", "read_4", "read_8",
	[VPV_COUNT_WRITE] = "write_1", "write_2", "write_4", "write_8",
	[VPV_COUNT_CONFIG_READ] = "config_read",
	[VPV_COUNT_CONFIG_WRITE] = "config_write",
	[VPV_COUNT_FAULT] = "fault_page",
	[VPV_COUNT_FAULT_PMD] = "fault_pmd",
	[VPV_COUNT_FAULT_PUD] = "fault_pud",
	[VPV_COUNT_FAULT_REFUSED] = "fault_refused",
	[VPV_COUNT_ZAP] = "zap",
	[VPV_COUNT_RESET] = "reset",
	[VPV_COUNT_SET_IRQS] = "set_irqs",
	[VPV_COUNT_LOW_POWER] = "low_power",
};

static const char *irq_type_name(unsigned int type)
{
	switch (type) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return "intx";
	case VFIO_PCI_MSI_IRQ_INDEX:
		return "msi";
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return "msix";
	}
	return "none";
}

static void yes_no(struct seq_file *s, const char *name, bool yes)
{
	seq_printf(s, "%s %s\n", name, yes ? "yes" : "no");
}

static const char *const channel_names[] = {
	[VPV_CHANNEL_NORMAL] = "normal",
	[VPV_CHANNEL_FROZEN] = "frozen",
	[VPV_CHANNEL_RESET] = "reset",
	[VPV_CHANNEL_FAILED] = "failed",
};

static int state_show(struct seq_file *s, void *unused)
{
	struct vpv_device *vpv = s->private;
	struct vpv_state *st = vpv->state;

	guard(mutex)(&vpv->vdev.dev_set->lock);

	yes_no(s, "open", st->cfg);
	seq_printf(s, "power %s\n", pci_power_name(vpv->pdev->current_state));
	down_read(&st->memory_lock);
	yes_no(s, "low_power", st->low_power);
	yes_no(s, "memory", st->cfg && vpv_memory_enabled(vpv));
	up_read(&st->memory_lock);
	seq_printf(s, "channel %s\n", channel_names[atomic_read(&st->channel)]);
	yes_no(s, "settled", !work_busy(&st->settle.work));
	seq_printf(s, "interrupt %s %u\n", irq_type_name(READ_ONCE(st->irq_type)),
		   READ_ONCE(st->irq_vectors));
	yes_no(s, "reset_works", st->reset_works);
	yes_no(s, "needs_reset", st->needs_reset);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int parameters_show(struct seq_file *s, void *unused)
{
	struct vpv_device *vpv = s->private;
	struct vpv_state *st = vpv->state;

	guard(mutex)(&vpv->vdev.dev_set->lock);

	yes_no(s, "disable_idle_d3", vpv->options.no_idle_d3);
	yes_no(s, "nointxmask", vpv->options.no_intx_mask);
	yes_no(s, "intx_masked_by_function", st->intx_maskable);
	yes_no(s, "intx_hidden", st->nointx);
	yes_no(s, "state_kept_in_d3hot", st->no_soft_reset);
	yes_no(s, "msix_dynamic", st->msix_dynamic);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(parameters);

static void show_bar(struct seq_file *s, const struct vpv_bar_state *bar)
{
	if (!bar->region.bytes)
		return;
	seq_printf(s, "%u bytes %#llx of %#llx%s%s%s", bar->region.index, bar->region.bytes,
		   bar->hw_bytes, bar->mem ? "" : " io", bar->memory ? " memory" : "",
		   bar->mmap ? " mmap" : "");
	if (bar->err)
		seq_printf(s, " error %d", bar->err);
	for (unsigned int i = 0; i < bar->num_parts; i++)
		seq_printf(s, " %s %#llx-%#llx", bar->parts[i].ops ? "trap" :
			   bar->memory ? "beyond" : "msix",
			   bar->parts[i].start, bar->parts[i].end - 1);
	seq_putc(s, '\n');
}

static int regions_show(struct seq_file *s, void *unused)
{
	struct vpv_device *vpv = s->private;
	struct vpv_state *st = vpv->state;

	guard(mutex)(&vpv->vdev.dev_set->lock);

	for (unsigned int i = 0; st->bars && i < VPV_BARS; i++)
		show_bar(s, &st->bars[i]);
	for (unsigned int i = 0; i < st->num_dev_regions; i++) {
		const struct vpv_region *region = &st->dev_regions[i];

		seq_printf(s, "%u bytes %#llx type %#x:%#x flags %#x%s\n", region->index,
			   region->bytes, region->type, region->subtype, region->flags,
			   region->like_bar ? " like_bar" : "");
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(regions);

static int counters_show(struct seq_file *s, void *unused)
{
	struct vpv_device *vpv = s->private;

	for (unsigned int i = 0; i < VPV_COUNTERS; i++)
		seq_printf(s, "%s %lld\n", counter_names[i],
			   (s64)atomic64_read(&vpv->state->counters[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int bad_pages_show(struct seq_file *s, void *unused)
{
	vpv_memory_show_bad(s->private, s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bad_pages);

/*
 * The function is open, for the first time or once more: its files may be looked at from the
 * first time on.  Most functions that are bound at boot are not opened at all.
 */
void vpv_debugfs_add(struct vpv_device *vpv)
{
	struct dentry *dir;

	lockdep_assert_held(&vpv->vdev.dev_set->lock);

	if (!IS_ERR_OR_NULL(vpv->state->debug_dir))
		return;
	dir = debugfs_create_dir(pci_name(vpv->pdev), debug_root);
	debugfs_create_file("state", 0400, dir, vpv, &state_fops);
	debugfs_create_file("parameters", 0400, dir, vpv, &parameters_fops);
	debugfs_create_file("regions", 0400, dir, vpv, &regions_fops);
	debugfs_create_file("counters", 0400, dir, vpv, &counters_fops);
	if (vpv->state->memories)
		debugfs_create_file("bad_pages", 0400, dir, vpv, &bad_pages_fops);
	vpv->state->debug_dir = dir;
}

/* Waits for readers.  Before anything that they look at goes. */
void vpv_debugfs_remove(struct vpv_device *vpv)
{
	debugfs_remove(vpv->state->debug_dir);
	vpv->state->debug_dir = NULL;
}

static int counting_get(void *data, u64 *val)
{
	*val = static_key_enabled(&vpv_counting);
	return 0;
}

static int counting_set(void *data, u64 val)
{
	if (val > 1)
		return -EINVAL;
	if (val)
		static_branch_enable(&vpv_counting);
	else
		static_branch_disable(&vpv_counting);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(counting_fops, counting_get, counting_set, "%llu\n");

void vpv_debugfs_init(void)
{
	debug_root = debugfs_create_dir("vpv_core", NULL);
	debugfs_create_file_unsafe("counting", 0600, debug_root, NULL, &counting_fops);
}

void vpv_debugfs_exit(void)
{
	debugfs_remove(debug_root);
}
