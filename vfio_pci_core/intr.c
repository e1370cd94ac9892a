// SPDX-License-Identifier: GPL-2.0
/*
 * SET_IRQS: what is asked for is checked and copied first, then done under igate
 * by the type of interrupt.  ERR and REQ, plain eventfds, are done here.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "vpv.h"

/* @data: copy of what follows the header, as the flags say; NULL for DATA_NONE. */
typedef int (*vpv_irq_fn)(struct vpv_device *vpv, const struct vfio_irq_set *set,
			  void *data);

/* An eventfd that may be there or not, of which there is one. */
static int set_slot(struct vpv_device *vpv, struct vpv_eventfd *slot,
		    const struct vfio_irq_set *set, void *data)
{
	if (set->start || set->count > 1)
		return -EINVAL;

	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		if (!vpv_eventfd_there(slot))
			return -EINVAL;
		if (!set->count)
			return vpv_eventfd_replace(vpv, slot, -1);
		vpv_eventfd_signal(slot);
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (!set->count)
			return -EINVAL;
		if (*(u8 *)data)
			vpv_eventfd_signal(slot);
		return 0;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		if (!set->count || *(s32 *)data < -1)
			return -EINVAL;
		return vpv_eventfd_replace(vpv, slot, *(s32 *)data);
	}
	return -EINVAL;
}

static int err_trigger(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data)
{
	return set_slot(vpv, &vpv->state->err, set, data);
}

static int req_trigger(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data)
{
	return set_slot(vpv, &vpv->state->req, set, data);
}

enum { ACT_MASK, ACT_UNMASK, ACT_TRIGGER, ACT_NUM };

static const vpv_irq_fn irq_fns[VFIO_PCI_NUM_IRQS][ACT_NUM] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = {
		[ACT_MASK] = vpv_intx_mask,
		[ACT_UNMASK] = vpv_intx_unmask,
		[ACT_TRIGGER] = vpv_intx_trigger,
	},
	[VFIO_PCI_MSI_IRQ_INDEX][ACT_TRIGGER] = vpv_msi_trigger,
	[VFIO_PCI_MSIX_IRQ_INDEX][ACT_TRIGGER] = vpv_msi_trigger,
	[VFIO_PCI_ERR_IRQ_INDEX][ACT_TRIGGER] = err_trigger,
	[VFIO_PCI_REQ_IRQ_INDEX][ACT_TRIGGER] = req_trigger,
};

static vpv_irq_fn find_fn(const struct vfio_irq_set *set)
{
	const vpv_irq_fn *fns = irq_fns[array_index_nospec(set->index, VFIO_PCI_NUM_IRQS)];

	switch (set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_MASK:
		return fns[ACT_MASK];
	case VFIO_IRQ_SET_ACTION_UNMASK:
		return fns[ACT_UNMASK];
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		return fns[ACT_TRIGGER];
	}
	return NULL;
}

static int read_set(struct vpv_device *vpv, struct vfio_irq_set __user *arg,
		    struct vfio_irq_set *set, void **data)
{
	size_t minsz = offsetofend(struct vfio_irq_set, count);
	unsigned int num = 0;
	size_t bytes;
	int ret;

	if (copy_from_user(set, arg, minsz))
		return -EFAULT;
	if (set->index < VFIO_PCI_NUM_IRQS)
		num = vpv->state->irq_count[array_index_nospec(set->index,
							       VFIO_PCI_NUM_IRQS)];

	ret = vfio_set_irqs_validate_and_prepare(set, num, VFIO_PCI_NUM_IRQS, &bytes);
	if (ret)
		return ret;

	*data = NULL;
	if (bytes)
		*data = memdup_user(arg->data, bytes);
	return PTR_ERR_OR_ZERO(*data);
}

/* SET_IRQS.  Return: 0, a negative errno, or how many vectors there could be. */
int vpv_set_irqs(struct vpv_device *vpv, void __user *arg)
{
	struct vfio_irq_set set;
	vpv_irq_fn fn;
	void *data;
	int ret;

	ret = read_set(vpv, arg, &set, &data);
	if (ret)
		return ret;

	fn = find_fn(&set);
	if (!fn) {
		ret = -ENOTTY;
	} else {
		mutex_lock(&vpv->state->igate);
		ret = fn(vpv, &set, data);
		mutex_unlock(&vpv->state->igate);
	}
	vpv_count(vpv, VPV_COUNT_SET_IRQS);
	trace_vpv_set_irqs(vpv->pdev, set.index, set.flags, set.start, set.count, ret);
	kfree(data);
	return ret;
}

static unsigned int msi_vectors(u16 flags)
{
	return 1 << min((flags & PCI_MSI_FLAGS_QMASK) >> 1, 5);
}

static unsigned int msix_vectors(u16 flags)
{
	return (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
}

/*
 * As many vectors as the function has and its user sees: a persona may show fewer,
 * or none.  @hw is where the hardware has the capability, 0 if nowhere.
 */
static int count_vectors(struct vpv_device *vpv, unsigned int index, u8 cap, u8 hw,
			 unsigned int (*vectors)(u16 flags))
{
	unsigned int pos = hw ? vcfg_find_cap(vpv->state->cfg, cap, false) : 0;
	u16 flags;
	__le16 raw;
	int ret;

	BUILD_BUG_ON(PCI_MSI_FLAGS != PCI_MSIX_FLAGS);
	vpv->state->irq_count[index] = 0;
	if (!pos)
		return 0;
	ret = vcfg_read(vpv->state->cfg, pos + PCI_MSI_FLAGS, &raw, sizeof(raw));
	if (ret)
		return ret;
	pci_user_read_config_word(vpv->pdev, hw + PCI_MSI_FLAGS, &flags);
	vpv->state->irq_count[index] = min(vectors(flags), vectors(le16_to_cpu(raw)));
	return 0;
}

/* After the user's config space is there: it says whether there is INTx. */
int vpv_irqs_open(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	u8 pin;
	int ret;

	ret = vcfg_read(st->cfg, PCI_INTERRUPT_PIN, &pin, sizeof(pin));
	if (ret)
		return ret;

	st->irq_count[VFIO_PCI_INTX_IRQ_INDEX] = pin ? 1 : 0;
	st->irq_count[VFIO_PCI_ERR_IRQ_INDEX] = 1;
	st->irq_count[VFIO_PCI_REQ_IRQ_INDEX] = 1;
	st->msix_dynamic = pci_msix_can_alloc_dyn(vpv->pdev);

	ret = count_vectors(vpv, VFIO_PCI_MSI_IRQ_INDEX, PCI_CAP_ID_MSI, vpv->pdev->msi_cap,
			    msi_vectors);
	if (ret)
		return ret;
	return count_vectors(vpv, VFIO_PCI_MSIX_IRQ_INDEX, PCI_CAP_ID_MSIX,
			     vpv->pdev->msix_cap, msix_vectors);
}

void vpv_irqs_close(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;

	mutex_lock(&st->igate);
	if (st->irq_type == VFIO_PCI_INTX_IRQ_INDEX)
		vpv_intx_disable(vpv);
	else if (st->irq_type != VPV_IRQ_NONE)
		vpv_msi_disable(vpv);
	vpv_eventfd_replace(vpv, &st->err, -1);
	vpv_eventfd_replace(vpv, &st->req, -1);
	mutex_unlock(&st->igate);
	memset(st->irq_count, 0, sizeof(st->irq_count));
}
