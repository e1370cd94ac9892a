// SPDX-License-Identifier: GPL-2.0
/*
 * MSI and MSI-X.  Vectors are allocated when the type is enabled, MSI-X may get
 * more later where the platform can; each one with an eventfd has a handler.
 *
 * The kernel writes the MSI-X table, so memory space is enabled around that.
 */
#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/irqbypass.h>
#include <linux/msi.h>
#include <linux/slab.h>

#include "vpv.h"

struct vpv_vector {
	struct eventfd_ctx *trigger;
	char *name;
	int irq;
	struct irq_bypass_producer producer;
};

static bool is_msix(struct vpv_device *vpv)
{
	return vpv->state->irq_type == VFIO_PCI_MSIX_IRQ_INDEX;
}

static irqreturn_t msi_handler(int irq, void *trigger)
{
	eventfd_signal(trigger);
	return IRQ_HANDLED;
}

static void vector_free(struct vpv_vector *vec)
{
	if (vec->trigger)
		eventfd_ctx_put(vec->trigger);
	kfree(vec->name);
	kfree(vec);
}

static struct vpv_vector *vector_alloc(struct vpv_device *vpv, unsigned int nr, int fd)
{
	struct eventfd_ctx *trigger;
	struct vpv_vector *vec;

	vec = kzalloc_obj(*vec, GFP_KERNEL_ACCOUNT);
	if (!vec)
		return ERR_PTR(-ENOMEM);

	vec->name = kasprintf(GFP_KERNEL_ACCOUNT, "vpv-msi%s[%u](%s)",
			      is_msix(vpv) ? "x" : "", nr, pci_name(vpv->pdev));
	if (!vec->name) {
		vector_free(vec);
		return ERR_PTR(-ENOMEM);
	}

	trigger = eventfd_ctx_fdget(fd);
	if (IS_ERR(trigger)) {
		vector_free(vec);
		return ERR_CAST(trigger);
	}
	vec->trigger = trigger;
	return vec;
}

/* Linux's number of a vector, which is allocated if it can be. */
static int vector_get_irq(struct vpv_device *vpv, unsigned int nr)
{
	int irq = pci_irq_vector(vpv->pdev, nr);
	struct msi_map map;

	if (irq > 0 || !is_msix(vpv) || !vpv->state->msix_dynamic)
		return irq ?: -EINVAL;

	vpv_memory_force(vpv);
	map = pci_msix_alloc_irq_at(vpv->pdev, nr, NULL);
	vpv_memory_unforce(vpv);
	return map.index < 0 ? map.index : map.virq;
}

static int vector_request(struct vpv_device *vpv, struct vpv_vector *vec)
{
	struct msi_msg msg;
	int ret;

	vpv_memory_force(vpv);
	if (is_msix(vpv)) {
		/* A reset behind our back may have cleared the table. */
		get_cached_msi_msg(vec->irq, &msg);
		pci_write_msi_msg(vec->irq, &msg);
	}
	ret = request_irq(vec->irq, msi_handler, 0, vec->name, vec->trigger);
	vpv_memory_unforce(vpv);
	if (ret)
		return ret;

	ret = vpv_compat_irq_bypass_register(&vec->producer, vec->trigger, vec->irq);
	if (ret)
		pci_info_ratelimited(vpv->pdev, "interrupt %d goes the long way: %d\n",
				     vec->irq, ret);
	return 0;
}

static void vector_remove(struct vpv_device *vpv, unsigned int nr)
{
	struct vpv_vector *vec = xa_erase(&vpv->state->vectors, nr);

	if (!vec)
		return;
	vpv_compat_irq_bypass_unregister(&vec->producer);
	vpv_memory_force(vpv);
	free_irq(vec->irq, vec->trigger);
	vpv_memory_unforce(vpv);
	vector_free(vec);
}

/* Let @fd, or nobody if it is negative, be told of vector @nr. */
static int vector_set(struct vpv_device *vpv, unsigned int nr, int fd)
{
	struct vpv_vector *vec;
	int ret;

	vector_remove(vpv, nr);
	if (fd < 0)
		return 0;

	vec = vector_alloc(vpv, nr, fd);
	if (IS_ERR(vec))
		return PTR_ERR(vec);

	ret = vector_get_irq(vpv, nr);
	if (ret < 0)
		goto free;
	vec->irq = ret;

	ret = xa_err(xa_store(&vpv->state->vectors, nr, vec, GFP_KERNEL_ACCOUNT));
	if (ret)
		goto free;

	ret = vector_request(vpv, vec);
	if (!ret)
		return 0;

	xa_erase(&vpv->state->vectors, nr);
free:
	vector_free(vec);
	return ret;
}

/* All of a block or nothing of it. */
static int vectors_set(struct vpv_device *vpv, const struct vfio_irq_set *set,
		       const s32 *fds)
{
	unsigned int i;
	int ret;

	for (i = 0; i < set->count; i++) {
		ret = vector_set(vpv, set->start + i, fds[i]);
		if (ret)
			break;
	}
	if (i == set->count)
		return 0;

	while (i--)
		vector_remove(vpv, set->start + i);
	return ret;
}

/* Return: 0, a negative errno, or the number of vectors if that is too few. */
static int msi_enable(struct vpv_device *vpv, unsigned int type, unsigned int num)
{
	unsigned int flag = type == VFIO_PCI_MSIX_IRQ_INDEX ? PCI_IRQ_MSIX : PCI_IRQ_MSI;
	struct vpv_state *st = vpv->state;
	int ret;

	vpv_memory_force(vpv);
	ret = pci_alloc_irq_vectors(vpv->pdev, 1, num, flag);
	if (ret > 0 && ret < num)
		pci_free_irq_vectors(vpv->pdev);
	vpv_memory_unforce(vpv);
	if (ret < (int)num) {
		/* To free them has cleared Interrupt Disable. */
		vpv_intx_restore(vpv);
		return ret;
	}

	WRITE_ONCE(st->irq_vectors, num);
	WRITE_ONCE(st->irq_type, type);
	return 0;
}

void vpv_msi_disable(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct vpv_vector *vec;
	unsigned long nr;

	lockdep_assert_held(&st->igate);

	xa_for_each(&st->vectors, nr, vec)
		vector_remove(vpv, nr);

	vpv_memory_force(vpv);
	pci_free_irq_vectors(vpv->pdev);
	vpv_memory_unforce(vpv);

	/* That has cleared Interrupt Disable. */
	vpv_intx_restore(vpv);

	WRITE_ONCE(st->irq_type, VPV_IRQ_NONE);
	WRITE_ONCE(st->irq_vectors, 0);
}

/* Loopback: as if the vectors had been raised. */
static void vectors_signal(struct vpv_device *vpv, const struct vfio_irq_set *set,
			   const u8 *which)
{
	struct vpv_vector *vec;

	for (unsigned int i = 0; i < set->count; i++) {
		vec = xa_load(&vpv->state->vectors, set->start + i);
		if (vec && (!which || which[i]))
			eventfd_signal(vec->trigger);
	}
}

/* SET_IRQS with ACTION_TRIGGER */
int vpv_msi_trigger(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data)
{
	struct vpv_state *st = vpv->state;
	bool enabled = st->irq_type == set->index;
	int ret;

	lockdep_assert_held(&st->igate);

	if (enabled && !set->count && (set->flags & VFIO_IRQ_SET_DATA_NONE)) {
		vpv_msi_disable(vpv);
		return 0;
	}
	if (!enabled && st->irq_type != VPV_IRQ_NONE)
		return -EINVAL;

	if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD)) {
		if (!enabled)
			return -EINVAL;
		vectors_signal(vpv, set, data);
		return 0;
	}

	if (!enabled) {
		ret = msi_enable(vpv, set->index, set->start + set->count);
		if (ret)
			return ret;
	}
	ret = vectors_set(vpv, set, data);
	if (ret && !enabled)
		vpv_msi_disable(vpv);
	return ret;
}
