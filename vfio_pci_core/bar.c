// SPDX-License-Identifier: GPL-2.0
/*
 * The BARs of an open device: claimed and mapped once, cut into parts by the
 * variant's declarations and the MSI-X table.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "vpv.h"

static int bar_map(struct pci_dev *pdev, unsigned int nr, struct vpv_bar_state *bar)
{
	if (!bar->hw_bytes || !vpv_compat_bars_mappable(pdev))
		return -ENODEV;
	if (pci_request_selected_regions(pdev, BIT(nr), KBUILD_MODNAME))
		return -EBUSY;

	bar->io = pci_iomap(pdev, nr, 0);
	if (bar->io)
		return 0;
	pci_release_selected_regions(pdev, BIT(nr));
	return -ENOMEM;
}

/* Return: 0, -ENOMEM or -ENOSPC.  One that is busy is tried again when it is used. */
static int bar_open(struct vpv_device *vpv, unsigned int nr)
{
	struct vpv_bar_state *bar = &vpv->state->bars[nr];
	struct pci_dev *pdev = vpv->pdev;

	bar->region.index = nr;
	if (vpv_memory_shown_bytes(vpv, nr))
		return vpv_memory_open_bar(vpv, bar);
	bar->mem = pci_resource_flags(pdev, nr) & IORESOURCE_MEM;
	bar->phys = pci_resource_start(pdev, nr);
	if (bar->phys)
		bar->hw_bytes = pci_resource_len(pdev, nr);
	bar->region.bytes = min_t(u64, bar->hw_bytes, VPV_OFFSET_MASK + 1);
	bar->err = bar_map(pdev, nr, bar);
	return bar->err == -ENOMEM ? -ENOMEM : 0;
}

void vpv_bars_close(struct vpv_device *vpv)
{
	vpv_memory_failures_unregister(vpv);
	for (unsigned int i = 0; i < VPV_BARS; i++) {
		struct vpv_bar_state *bar = &vpv->state->bars[i];

		if (bar->rest) {
			release_resource(bar->rest);
			kfree(bar->rest);
		}
		if (bar->io && !bar->memory) {
			pci_iounmap(vpv->pdev, bar->io);
			pci_release_selected_regions(vpv->pdev, BIT(i));
		}
	}
	vpv_ones_free(vpv);
	kfree(vpv->state->bars);
	vpv->state->bars = NULL;
}

/* Return: 0, -ENOMEM or -ENOSPC. */
int vpv_bars_open(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	int ret = 0;

	st->bars = kcalloc(VPV_BARS, sizeof(*st->bars), GFP_KERNEL_ACCOUNT);
	if (!st->bars)
		return -ENOMEM;
	/* The reset at the last close was not reported. */
	vpv_memory_lost(vpv);
	for (unsigned int i = 0; i < VPV_BARS && !ret; i++)
		ret = bar_open(vpv, i);
	if (ret)
		vpv_bars_close(vpv);
	else
		vpv_memory_failures_register(vpv);
	return ret;
}

/* Somebody wants to use a BAR that could not be mapped: it may be possible by now. */
int vpv_bar_map_again(struct vpv_device *vpv, struct vpv_bar_state *bar)
{
	guard(rwsem_write)(&vpv->state->memory_lock);

	if (bar->err)
		/* Pairs with vpv_bar_error(), which is not under the lock. */
		smp_store_release(&bar->err,
				  bar_map(vpv->pdev, bar->region.index, bar));
	return bar->err;
}

/* While the BAR is being cut: before all parts of the last kind, see @num_traps. */
int vpv_bar_add_part(struct vpv_bar_state *bar, u64 start, u64 bytes,
		     const struct vpv_region_ops *ops)
{
	if (bar->num_parts == VPV_BAR_PARTS)
		return -ENOSPC;
	bar->parts[bar->num_parts++] = (struct vpv_bar_part){
		.start = start, .end = start + bytes, .ops = ops,
	};
	return 0;
}

static int rule_hide_above(struct vpv_bar_state *bar, const struct vpv_bar_rule *rule)
{
	if (!rule->shift || rule->shift >= 64 || !(bar->hw_bytes >> rule->shift))
		return -EINVAL;
	bar->region.bytes = min(bar->region.bytes, bar->hw_bytes >> rule->shift);
	return 0;
}

static int rule_trap(struct vpv_bar_state *bar, const struct vpv_bar_rule *rule)
{
	if (!rule->ops || !rule->bytes || !bar->mem || rule->offset > bar->hw_bytes ||
	    rule->bytes > bar->hw_bytes - rule->offset)
		return -EINVAL;

	for (unsigned int i = 0; i < bar->num_parts; i++)
		if (rule->offset < bar->parts[i].end &&
		    rule->offset + rule->bytes > bar->parts[i].start)
			return -EINVAL;
	return vpv_bar_add_part(bar, rule->offset, rule->bytes, rule->ops);
}

static int apply_rule(struct vpv_device *vpv, const struct vpv_bar_rule *rule)
{
	if (rule->bar >= VPV_BARS)
		return -EINVAL;

	switch (rule->kind) {
	case VPV_BAR_HIDE_ABOVE:
		return rule_hide_above(&vpv->state->bars[rule->bar], rule);
	case VPV_BAR_TRAP:
		return rule_trap(&vpv->state->bars[rule->bar], rule);
	}
	return -EINVAL;
}

static int bar_set_flags(struct vpv_device *vpv, struct vpv_bar_state *bar)
{
	int ret;

	if (!bar->region.bytes)
		return 0;

	bar->region.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	ret = vpv_bar_probe_mmap(vpv, bar);
	bar->mmap = ret > 0;
	if (bar->mmap)
		bar->region.flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return min(ret, 0);
}

/* Cut the BARs as the variant declares.  Return: 0, or -EINVAL or -ENOSPC. */
int vpv_bars_apply_rules(struct vpv_device *vpv)
{
	const struct vpv_variant *variant = vpv->variant;

	for (unsigned int i = 0; i < variant->num_rules; i++) {
		int ret = apply_rule(vpv, &variant->rules[i]);

		if (ret) {
			pci_err(vpv->pdev, "rule %u does not fit BAR %u of %llu bytes\n", i,
				variant->rules[i].bar,
				vpv_bar_bytes(vpv, variant->rules[i].bar));
			return ret;
		}
	}
	return 0;
}

/* Size of a BAR that is left by the rules, while the device is not open. */
u64 vpv_bar_left(struct vpv_device *vpv, unsigned int nr)
{
	u64 hw_bytes = vpv_memory_shown_bytes(vpv, nr) ?: vpv_bar_bytes(vpv, nr);
	u64 bytes = min_t(u64, hw_bytes, VPV_OFFSET_MASK + 1);

	for (unsigned int i = 0; i < vpv->variant->num_rules; i++) {
		const struct vpv_bar_rule *rule = &vpv->variant->rules[i];

		if (rule->bar == nr && rule->kind == VPV_BAR_HIDE_ABOVE && rule->shift < 64)
			bytes = min(bytes, hw_bytes >> rule->shift);
	}
	return bytes;
}

/*
 * The rest, when config space says where the user sees the MSI-X table, which is the
 * host's: the user reads ones there and writes nothing.
 */
int vpv_bars_finish(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct vpv_msix_table table;
	int ret;

	ret = vpv_persona_msix(vpv, &table);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < VPV_BARS; i++)
		st->bars[i].num_traps = st->bars[i].num_parts;
	if (ret)
		ret = vpv_bar_add_part(&st->bars[table.bar], table.pos, table.bytes, NULL);
	for (unsigned int i = 0; i < VPV_BARS && !ret; i++)
		ret = bar_set_flags(vpv, &st->bars[i]);
	return ret;
}

/* Size of the ROM BAR, real or a shadow copy that firmware left; 0: none. */
u64 vpv_rom_bytes(struct pci_dev *pdev)
{
	if (pci_resource_start(pdev, PCI_ROM_RESOURCE))
		return pci_resource_len(pdev, PCI_ROM_RESOURCE);
	if (pdev->rom && pdev->romlen)
		return roundup_pow_of_two(pdev->romlen);
	return 0;
}

/* The part that @pos is in, or NULL, and in @end where that answer stops. */
const struct vpv_bar_part *vpv_bar_part_at(const struct vpv_bar_state *bar, u64 pos,
					   u64 *end)
{
	*end = bar->region.bytes;
	for (unsigned int i = 0; i < bar->num_parts; i++) {
		const struct vpv_bar_part *part = &bar->parts[i];

		if (pos >= part->start && pos < part->end) {
			*end = min(*end, part->end);
			return part;
		}
		if (pos < part->start)
			*end = min(*end, part->start);
	}
	return NULL;
}

void __iomem *vpv_bar(struct vpv_device *vpv, unsigned int bar)
{
	return bar < VPV_BARS && vpv->state->bars ? vpv->state->bars[bar].io : NULL;
}
EXPORT_SYMBOL_GPL(vpv_bar);

u64 vpv_bar_bytes(struct vpv_device *vpv, unsigned int bar)
{
	if (bar >= VPV_BARS || !pci_resource_start(vpv->pdev, bar))
		return 0;
	return pci_resource_len(vpv->pdev, bar);
}
EXPORT_SYMBOL_GPL(vpv_bar_bytes);
