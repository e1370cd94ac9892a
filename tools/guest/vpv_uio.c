// SPDX-License-Identifier: GPL-2.0
/*
 * Guest side access to the device models for user-space programs: BARs, DMA
 * memory and MSI-X counters through one file per device (vpv_uio.h).
 *
 * For test guests only: whoever may open the file can make the device write to
 * any memory of the guest.  x86, where DMA memory needs no cache maintenance.
 *
 * A device works while its file is open.  It is reset when the file is closed,
 * also by a kill, before its DMA memory is freed.  When the device is removed
 * all mappings go (SIGBUS) and every call fails with ENODEV.
 *
 * Lock order: mmap_lock -> vpv_uio.lock -> i_mmap_rwsem.  User memory is never
 * touched under the lock.
 */
#include <linux/cleanup.h>
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vpv_uio.h"

#define VECTORS_MAX	64
#define AREA_SHIFT	(40 - PAGE_SHIFT)
#define AREA_MASK	((1UL << AREA_SHIFT) - 1)
#define FIRST_DMA_AREA	(VPV_UIO_DMA_OFFSET(0) >> 40)
#define DMA_BYTES_MAX	SZ_4M

static unsigned int vectors = 8;
module_param(vectors, uint, 0444);
MODULE_PARM_DESC(vectors, "Most MSI-X vectors to use (1 to 64)");

static DEFINE_IDA(uio_ids);

struct vpv_uio;

struct uio_vector {
	struct vpv_uio *uio;
	atomic_t count;
};

struct uio_area {
	struct page *page;
	dma_addr_t iova;
	size_t bytes;
};

struct vpv_uio {
	struct kref ref;
	struct miscdevice misc;
	char name[16];
	int id;
	wait_queue_head_t wait;
	atomic_t total;			/* interrupts since the device was opened */
	struct mutex lock;		/* guards what follows */
	struct pci_dev *pdev;		/* NULL after removal */
	struct file *owner;
	unsigned int nvec;
	u32 seen;			/* total at the last read() */
	struct uio_vector vecs[VECTORS_MAX];
	struct uio_area areas[VPV_UIO_DMA_AREAS];
};

static void uio_free(struct kref *ref)
{
	struct vpv_uio *uio = container_of(ref, struct vpv_uio, ref);

	ida_free(&uio_ids, uio->id);
	mutex_destroy(&uio->lock);
	kfree(uio);
}

static irqreturn_t uio_irq(int irq, void *data)
{
	struct uio_vector *vec = data;

	atomic_inc(&vec->count);
	atomic_inc(&vec->uio->total);
	wake_up_interruptible(&vec->uio->wait);
	return IRQ_HANDLED;
}

static void uio_free_irqs(struct vpv_uio *uio)
{
	while (uio->nvec) {
		uio->nvec--;
		free_irq(pci_irq_vector(uio->pdev, uio->nvec), &uio->vecs[uio->nvec]);
	}
	pci_free_irq_vectors(uio->pdev);
}

static int uio_request_irqs(struct vpv_uio *uio)
{
	int i, n, err;

	n = pci_alloc_irq_vectors(uio->pdev, 1, clamp(vectors, 1U, VECTORS_MAX), PCI_IRQ_MSIX);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		atomic_set(&uio->vecs[i].count, 0);
		err = request_irq(pci_irq_vector(uio->pdev, i), uio_irq, 0, uio->name,
				  &uio->vecs[i]);
		if (err) {
			uio_free_irqs(uio);
			return err;
		}
		uio->nvec++;
	}
	return 0;
}

/* Nothing of the device touches memory after this. */
static void uio_stop(struct vpv_uio *uio)
{
	struct pci_dev *pdev = uio->pdev;
	int i;

	lockdep_assert_held(&uio->lock);
	pci_clear_master(pdev);
	uio_free_irqs(uio);
	pci_save_state(pdev);
	if (pcie_reset_flr(pdev, PCI_RESET_DO_RESET))
		pci_warn(pdev, "function level reset failed\n");
	pci_restore_state(pdev);
	for (i = 0; i < VPV_UIO_DMA_AREAS; i++) {
		struct uio_area *area = &uio->areas[i];

		if (area->page)
			dma_free_pages(&pdev->dev, area->bytes, area->page, area->iova,
				       DMA_BIDIRECTIONAL);
		memset(area, 0, sizeof(*area));
	}
	uio->owner = NULL;
}

static int uio_open(struct inode *inode, struct file *file)
{
	struct vpv_uio *uio = container_of(file->private_data, struct vpv_uio, misc);
	int err;

	guard(mutex)(&uio->lock);
	if (!uio->pdev)
		return -ENODEV;
	if (uio->owner)
		return -EBUSY;
	atomic_set(&uio->total, 0);
	uio->seen = 0;
	err = uio_request_irqs(uio);
	if (err)
		return err;
	pci_set_master(uio->pdev);
	uio->owner = file;
	kref_get(&uio->ref);
	file->private_data = uio;
	return 0;
}

static int uio_close(struct inode *inode, struct file *file)
{
	struct vpv_uio *uio = file->private_data;

	scoped_guard(mutex, &uio->lock)
		if (uio->pdev)
			uio_stop(uio);
	kref_put(&uio->ref, uio_free);
	return 0;
}

static long uio_get_info(struct vpv_uio *uio, void __user *arg)
{
	struct vpv_uio_info info = { };
	int i;

	scoped_guard(mutex, &uio->lock) {
		if (!uio->pdev)
			return -ENODEV;
		info.vendor = uio->pdev->vendor;
		info.device = uio->pdev->device;
		info.vectors = uio->nvec;
		for (i = 0; i < VPV_UIO_BARS; i++)
			if (pci_resource_flags(uio->pdev, i) & IORESOURCE_MEM)
				info.bar_bytes[i] = pci_resource_len(uio->pdev, i);
	}
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long uio_dma_alloc(struct vpv_uio *uio, void __user *arg)
{
	struct vpv_uio_dma dma;
	struct uio_area *area;

	if (copy_from_user(&dma, arg, sizeof(dma)))
		return -EFAULT;
	if (!dma.bytes || dma.bytes > DMA_BYTES_MAX)
		return -EINVAL;
	scoped_guard(mutex, &uio->lock) {
		if (!uio->pdev)
			return -ENODEV;
		for (area = uio->areas; area->page; area++)
			if (area == &uio->areas[VPV_UIO_DMA_AREAS - 1])
				return -ENOSPC;
		area->bytes = PAGE_ALIGN(dma.bytes);
		area->page = dma_alloc_pages(&uio->pdev->dev, area->bytes, &area->iova,
					     DMA_BIDIRECTIONAL, GFP_KERNEL);
		if (!area->page)
			return -ENOMEM;
		dma.iova = area->iova;
		dma.offset = VPV_UIO_DMA_OFFSET(area - uio->areas);
	}
	return copy_to_user(arg, &dma, sizeof(dma)) ? -EFAULT : 0;
}

static long uio_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VPV_UIO_INFO:
		return uio_get_info(file->private_data, (void __user *)arg);
	case VPV_UIO_DMA_ALLOC:
		return uio_dma_alloc(file->private_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* The page frame behind an offset of the file, 0 if there is none. */
static unsigned long uio_pfn(struct vpv_uio *uio, unsigned long pgoff)
{
	unsigned long index = pgoff >> AREA_SHIFT, page = pgoff & AREA_MASK;
	struct uio_area *area;

	lockdep_assert_held(&uio->lock);
	if (!uio->pdev)
		return 0;
	if (index < VPV_UIO_BARS) {
		if (!(pci_resource_flags(uio->pdev, index) & IORESOURCE_MEM) ||
		    page >= pci_resource_len(uio->pdev, index) >> PAGE_SHIFT)
			return 0;
		return PHYS_PFN(pci_resource_start(uio->pdev, index)) + page;
	}
	if (index < FIRST_DMA_AREA || index >= FIRST_DMA_AREA + VPV_UIO_DMA_AREAS)
		return 0;
	area = &uio->areas[index - FIRST_DMA_AREA];
	if (!area->page || page >= area->bytes >> PAGE_SHIFT)
		return 0;
	return page_to_pfn(area->page) + page;
}

static vm_fault_t uio_fault(struct vm_fault *vmf)
{
	struct vpv_uio *uio = vmf->vma->vm_private_data;
	unsigned long pfn;

	guard(mutex)(&uio->lock);
	pfn = uio_pfn(uio, vmf->pgoff);
	return pfn ? vmf_insert_pfn(vmf->vma, vmf->address, pfn) : VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct uio_vm_ops = {
	.fault = uio_fault,
};

static int uio_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	if (vma->vm_pgoff >> AREA_SHIFT < FIRST_DMA_AREA) {
		vm_flags_set(vma, VM_IO);
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	}
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &uio_vm_ops;
	return 0;
}

static bool uio_ready(struct vpv_uio *uio)
{
	return !READ_ONCE(uio->pdev) || (u32)atomic_read(&uio->total) != READ_ONCE(uio->seen);
}

static ssize_t uio_read(struct file *file, char __user *buf, size_t bytes, loff_t *pos)
{
	struct vpv_uio *uio = file->private_data;
	u32 counts[VECTORS_MAX];
	unsigned int i, n;

	if (!(file->f_flags & O_NONBLOCK) &&
	    wait_event_interruptible(uio->wait, uio_ready(uio)))
		return -ERESTARTSYS;
	if (!uio_ready(uio))
		return -EAGAIN;
	scoped_guard(mutex, &uio->lock) {
		if (!uio->pdev)
			return -ENODEV;
		WRITE_ONCE(uio->seen, atomic_read(&uio->total));
		n = min_t(size_t, uio->nvec, bytes / sizeof(*counts));
		for (i = 0; i < n; i++)
			counts[i] = atomic_read(&uio->vecs[i].count);
	}
	return copy_to_user(buf, counts, n * sizeof(*counts)) ? -EFAULT : n * sizeof(*counts);
}

static __poll_t uio_poll(struct file *file, poll_table *wait)
{
	struct vpv_uio *uio = file->private_data;

	poll_wait(file, &uio->wait, wait);
	if (!READ_ONCE(uio->pdev))
		return EPOLLERR | EPOLLHUP;
	return uio_ready(uio) ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations uio_fops = {
	.owner		= THIS_MODULE,
	.open		= uio_open,
	.release	= uio_close,
	.read		= uio_read,
	.poll		= uio_poll,
	.mmap		= uio_mmap,
	.unlocked_ioctl	= uio_ioctl,
};

static struct vpv_uio *uio_new(struct pci_dev *pdev)
{
	struct vpv_uio *uio = kzalloc(sizeof(*uio), GFP_KERNEL);
	int i;

	if (!uio)
		return ERR_PTR(-ENOMEM);
	uio->id = ida_alloc(&uio_ids, GFP_KERNEL);
	if (uio->id < 0) {
		int err = uio->id;

		kfree(uio);
		return ERR_PTR(err);
	}
	kref_init(&uio->ref);
	mutex_init(&uio->lock);
	init_waitqueue_head(&uio->wait);
	for (i = 0; i < VECTORS_MAX; i++)
		uio->vecs[i].uio = uio;
	snprintf(uio->name, sizeof(uio->name), "vpv_uio%d", uio->id);
	uio->misc.minor = MISC_DYNAMIC_MINOR;
	uio->misc.name = uio->name;
	uio->misc.fops = &uio_fops;
	uio->misc.parent = &pdev->dev;
	uio->pdev = pdev;
	return uio;
}

static int uio_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vpv_uio *uio;
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	err = pcim_request_all_regions(pdev, KBUILD_MODNAME);
	if (err)
		return err;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	uio = uio_new(pdev);
	if (IS_ERR(uio))
		return PTR_ERR(uio);
	err = misc_register(&uio->misc);
	if (err) {
		kref_put(&uio->ref, uio_free);
		return err;
	}
	pci_set_drvdata(pdev, uio);
	return 0;
}

static void uio_remove(struct pci_dev *pdev)
{
	struct vpv_uio *uio = pci_get_drvdata(pdev);

	misc_deregister(&uio->misc);
	scoped_guard(mutex, &uio->lock) {
		if (uio->owner) {
			/* The lock keeps faults from mapping anything again. */
			unmap_mapping_range(uio->owner->f_mapping, 0, 0, 1);
			uio_stop(uio);
		}
		WRITE_ONCE(uio->pdev, NULL);
	}
	wake_up_all(&uio->wait);
	kref_put(&uio->ref, uio_free);
}

static const struct pci_device_id uio_pci_ids[] = {
	{ PCI_DEVICE(0x1234, 0x7610) },	/* hisi_like */
	{ PCI_DEVICE(0x1234, 0x7650) },	/* coherent_gpu */
	{ }
};
MODULE_DEVICE_TABLE(pci, uio_pci_ids);

static struct pci_driver uio_driver = {
	.name		= KBUILD_MODNAME,
	.id_table	= uio_pci_ids,
	.probe		= uio_probe,
	.remove		= uio_remove,
};
module_pci_driver(uio_driver);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Device models for user-space programs in a test guest");
