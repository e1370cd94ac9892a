// SPDX-License-Identifier: GPL-2.0
/*
 * What a device has: GET_INFO, GET_REGION_INFO, GET_IRQ_INFO.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vpv.h"

static const struct {
	u32 devcap2;
	u32 flag;
} atomics[] = {
	{ PCI_EXP_DEVCAP2_ATOMIC_COMP32, VFIO_PCI_ATOMIC_COMP32 },
	{ PCI_EXP_DEVCAP2_ATOMIC_COMP64, VFIO_PCI_ATOMIC_COMP64 },
	{ PCI_EXP_DEVCAP2_ATOMIC_COMP128, VFIO_PCI_ATOMIC_COMP128 },
};

/*
 * Which AtomicOps the device can do to memory, through its root port; they are on
 * from now on.  Neither of the two changes: asked once, at open, and switched on again
 * after what restores config space as it was before.
 */
void vpv_atomics_open(struct vpv_device *vpv)
{
	struct pci_dev *pf = pci_physfn(vpv->pdev);
	u32 devcap2 = 0, flags = 0;

	pcie_capability_read_dword(pf, PCI_EXP_DEVCAP2, &devcap2);
	for (unsigned int i = 0; i < ARRAY_SIZE(atomics); i++)
		if ((devcap2 & atomics[i].devcap2) &&
		    !pci_enable_atomic_ops_to_root(pf, atomics[i].devcap2))
			flags |= atomics[i].flag;
	vpv->state->atomics = flags;
}

static int add_atomic_cap(struct vpv_device *vpv, struct vfio_info_cap *caps)
{
	struct vfio_device_info_cap_pci_atomic_comp cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP,
		.header.version = 1,
		.flags = vpv->state->atomics,
	};

	return cap.flags ? vfio_info_add_capability(caps, &cap.header, sizeof(cap)) : 0;
}

static int copy_info(struct vfio_device_info __user *arg, struct vfio_device_info *info,
		     struct vfio_info_cap *caps)
{
	size_t bytes = info->argsz;

	if (caps->size) {
		info->flags |= VFIO_DEVICE_FLAGS_CAPS;
		if (info->argsz < sizeof(*info) + caps->size) {
			/* Not an error: the user comes again with this size. */
			info->argsz = sizeof(*info) + caps->size;
		} else {
			vfio_info_cap_shift(caps, sizeof(*info));
			if (copy_to_user(arg + 1, caps->buf, caps->size))
				return -EFAULT;
			info->cap_offset = sizeof(*info);
		}
	}
	if (bytes < sizeof(*info))
		return copy_to_user(arg, info, bytes) ? -EFAULT : 0;
	return copy_to_user(arg, info, sizeof(*info)) ? -EFAULT : 0;
}

int vpv_get_info(struct vpv_device *vpv, void __user *arg)
{
	struct vfio_device_info info = {};
	struct vfio_info_cap caps = {};
	int ret;

	if (copy_from_user(&info, arg, offsetofend(struct vfio_device_info, num_irqs)))
		return -EFAULT;
	if (info.argsz < offsetofend(struct vfio_device_info, num_irqs))
		return -EINVAL;

	info.flags = VFIO_DEVICE_FLAGS_PCI;
	if (vpv->state->reset_works)
		info.flags |= VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VPV_PCI_REGIONS + vpv->state->num_dev_regions;
	info.num_irqs = VFIO_PCI_NUM_IRQS;

	ret = add_atomic_cap(vpv, &caps);
	if (!ret)
		ret = copy_info(arg, &info, &caps);
	kfree(caps.buf);
	return ret;
}

/*
 * The areas of a BAR between its trapped pages, in order.  With @areas NULL they
 * are only counted.
 */
static unsigned int sparse_areas(const struct vpv_bar_state *bar,
				 struct vfio_region_sparse_mmap_area *areas)
{
	u64 pos = 0, bytes = PAGE_ALIGN(bar->region.bytes);
	unsigned int num = 0;

	while (pos < bytes) {
		u64 start, next = bytes, skip = bytes;

		/* The next trap; several may share a page. */
		for (unsigned int i = 0; i < bar->num_traps; i++) {
			start = bar->parts[i].start & PAGE_MASK;
			if (PAGE_ALIGN(bar->parts[i].end) > pos && start < next) {
				next = max(start, pos);
				skip = PAGE_ALIGN(bar->parts[i].end);
			}
		}
		if (next > pos) {
			if (areas)
				areas[num] = (struct vfio_region_sparse_mmap_area){
					.offset = pos, .size = next - pos,
				};
			num++;
		}
		pos = skip;
	}
	return num;
}

static int add_sparse_cap(const struct vpv_bar_state *bar, struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_sparse_mmap *cap;
	unsigned int num = sparse_areas(bar, NULL);
	int ret;

	cap = kzalloc(struct_size(cap, areas, num), GFP_KERNEL);
	if (!cap)
		return -ENOMEM;
	cap->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	cap->header.version = 1;
	cap->nr_areas = num;
	sparse_areas(bar, cap->areas);
	ret = vfio_info_add_capability(caps, &cap->header, struct_size(cap, areas, num));
	kfree(cap);
	return ret;
}

static int bar_info(struct vpv_device *vpv, struct vfio_region_info *info,
		    struct vfio_info_cap *caps)
{
	struct vfio_info_cap_header mappable = {
		.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
		.version = 1,
	};
	const struct vpv_bar_state *bar;
	int ret;

	bar = &vpv->state->bars[array_index_nospec(info->index, VPV_BARS)];
	info->size = bar->region.bytes;
	info->flags = bar->region.flags;
	if (!bar->mmap)
		return 0;

	if (bar->num_parts > bar->num_traps) {
		ret = vfio_info_add_capability(caps, &mappable, sizeof(mappable));
		if (ret)
			return ret;
	}
	return bar->num_traps ? add_sparse_cap(bar, caps) : 0;
}

static void rom_info(struct vpv_device *vpv, struct vfio_region_info *info)
{
	info->size = vpv->state->rom.bytes;
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ : 0;
}

static int dev_region_info(struct vpv_device *vpv, struct vfio_region_info *info,
			   struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_type type = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
	};
	struct vpv_region *region;
	u32 nr = info->index - VPV_PCI_REGIONS;
	int ret;

	if (nr >= vpv->state->num_dev_regions)
		return -EINVAL;
	region = &vpv->state->dev_regions[array_index_nospec(nr, VPV_DEV_REGIONS)];
	info->size = region->bytes;
	info->flags = region->flags;
	type.type = region->type;
	type.subtype = region->subtype;
	ret = vfio_info_add_capability(caps, &type.header, sizeof(type));
	if (!ret && region->ops->caps)
		ret = region->ops->caps(vpv, region, caps);
	return ret;
}

int vpv_op_get_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
			   struct vfio_info_cap *caps)
{
	struct vpv_device *vpv = vpv_from_vdev(vdev);

	info->offset = vpv_index_to_offset(info->index);
	if (info->index < VPV_BARS)
		return bar_info(vpv, info, caps);

	switch (info->index) {
	case VFIO_PCI_ROM_REGION_INDEX:
		rom_info(vpv, info);
		return 0;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		info->size = vpv->state->config_bytes;
		info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
		return 0;
	case VFIO_PCI_VGA_REGION_INDEX:
		return -EINVAL;
	}
	return dev_region_info(vpv, info, caps);
}
EXPORT_SYMBOL_GPL(vpv_op_get_region_info);

int vpv_get_irq_info(struct vpv_device *vpv, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;

	info.index = array_index_nospec(info.index, VFIO_PCI_NUM_IRQS);
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	info.count = vpv->state->irq_count[info.index];

	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	else if (info.index != VFIO_PCI_MSIX_IRQ_INDEX || !vpv->state->msix_dynamic)
		info.flags |= VFIO_IRQ_INFO_NORESIZE;

	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}
