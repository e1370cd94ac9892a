// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that declares what no variant of the tree does, for selftests: parts of a
 * large BAR hidden and trapped, and regions of its own that can be mapped.  It takes
 * any function by driver_override; the declarations are for QEMU's pci-testdev with a
 * memory BAR of 4 GiB.
 *
 *	BAR 2	0 .. 2 GiB shown; the page at TRAP answers TRAP_VALUE
 *	region 9	the 4 MiB from the middle on, like a BAR
 *	region 10	the same memory, not like a BAR
 */
#include <linux/module.h>
#include <linux/sizes.h>

#include "vpv/core.h"

#define NAME		"vpv_test_variant"
#define BAR		2
#define TRAP		(SZ_1G + 5 * SZ_2M + 3 * SZ_4K)
#define TRAP_VALUE	0x7a
#define REGION_BYTES	SZ_4M
#define REGION_TYPE	(VFIO_REGION_TYPE_PCI_VENDOR_TYPE | 0x1b36)

static int trap_read(struct vpv_device *vpv, struct vpv_region *region, u64 pos, void *buf,
		     unsigned int bytes)
{
	memset(buf, TRAP_VALUE, bytes);
	return 0;
}

static int trap_write(struct vpv_device *vpv, struct vpv_region *region, u64 pos,
		      const void *buf, unsigned int bytes)
{
	return 0;
}

static const struct vpv_region_ops trap_ops = {
	.read = trap_read,
	.write = trap_write,
};

static const struct vpv_bar_rule rules[] = {
	{ .bar = BAR, .kind = VPV_BAR_HIDE_ABOVE, .shift = 1 },
	{ .bar = BAR, .kind = VPV_BAR_TRAP, .offset = TRAP, .bytes = SZ_4K, .ops = &trap_ops },
};

static phys_addr_t hidden_half(struct vpv_device *vpv)
{
	return pci_resource_start(vpv->pdev, BAR) + vpv_bar_bytes(vpv, BAR) / 2;
}

static vm_fault_t region_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vpv_device *vpv = vmf->vma->vm_private_data;
	u64 pos = ((u64)vmf->pgoff << PAGE_SHIFT) & VPV_OFFSET_MASK;

	return vpv_fault_insert(vpv, vmf, order, PHYS_PFN(hidden_half(vpv) + pos));
}

static vm_fault_t region_fault(struct vm_fault *vmf)
{
	return region_huge_fault(vmf, 0);
}

static const struct vm_operations_struct region_vm_ops = {
	.open = vpv_vma_open,
	.fault = region_fault,
	.huge_fault = region_huge_fault,
};

static int region_mmap(struct vpv_device *vpv, struct vpv_region *region,
		       struct vm_area_struct *vma)
{
	u64 pos = ((u64)vma->vm_pgoff << PAGE_SHIFT) & VPV_OFFSET_MASK;

	if (pos >= region->bytes || vma->vm_end - vma->vm_start > region->bytes - pos)
		return -EINVAL;
	vma->vm_private_data = vpv;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &region_vm_ops;
	return 0;
}

static int region_read(struct vpv_device *vpv, struct vpv_region *region, u64 pos, void *buf,
		       unsigned int bytes)
{
	if (region->like_bar)
		memcpy_fromio(buf, vpv_bar(vpv, BAR) + vpv_bar_bytes(vpv, BAR) / 2 + pos, bytes);
	else
		memset(buf, TRAP_VALUE, bytes);
	return 0;
}

static const struct vpv_region_ops region_ops = {
	.read = region_read,
	.mmap = region_mmap,
};

static int test_open(struct vpv_device *vpv)
{
	u32 flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_MMAP;
	int ret;

	ret = vpv_region_add(vpv, REGION_TYPE, 1, REGION_BYTES, flags | VPV_REGION_LIKE_BAR,
			     &region_ops, NULL);
	if (ret >= 0)
		ret = vpv_region_add(vpv, REGION_TYPE, 2, REGION_BYTES, flags, &region_ops, NULL);
	return min(ret, 0);
}

static const struct vfio_device_ops test_vfio_ops = {
	VPV_VFIO_OPS(NAME)
};

static const struct vpv_variant test_variant = {
	.vfio_ops = &test_vfio_ops,
	.device_bytes = sizeof(struct vpv_device),
	.rules = rules,
	.num_rules = ARRAY_SIZE(rules),
	.open = test_open,
};

static int test_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return vpv_probe(pdev, &test_variant);
}

static const struct pci_device_id test_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};

static struct pci_driver test_driver = {
	.name = NAME,
	.id_table = test_ids,
	.probe = test_probe,
	.remove = vpv_remove,
	.err_handler = &vpv_err_handlers,
	.driver.pm = &vpv_pm_ops,
	.driver_managed_dma = true,
};
module_pci_driver(test_driver);

MODULE_DESCRIPTION("Declarations that selftests look at");
MODULE_LICENSE("GPL");
