// SPDX-License-Identifier: GPL-2.0
/*
 * MSI and MSI-X.  A vector has a handler from the time that it is first armed (MSI:
 * from the time that the type is enabled) until the type is disabled; MSI-X may get
 * more vectors later where the platform can.
 *
 * To free an interrupt is to write a message of zeroes: a function that sends it
 * writes to address 0 of its user's memory.  MSI cannot always be masked, and all its
 * vectors share a message.  So nothing is freed while the function can send: arming,
 * re-arming and disarming exchange the eventfd and switch the interrupt on and off in
 * Linux, which remembers one that comes meanwhile.
 *
 * The kernel writes the MSI-X table, so memory space is enabled around that.  It writes config
 * space as well, and notes what is in either: a reset by somebody else, after which the PCI core
 * restores both, may not come between.  vpv_memory_force() does both: all vectors of a
 * request are set up, or exchanged, in one go.
 */
#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqbypass.h>
#include <linux/msi.h>
#include <linux/slab.h>

#include "vpv.h"

/* The interrupt is enabled while @trigger is set.  Written under igate. */
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

static irqreturn_t msi_handler(int irq, void *dev_id)
{
	struct vpv_vector *vec = dev_id;

	eventfd_signal(READ_ONCE(vec->trigger));
	return IRQ_HANDLED;
}

/* ---- Vectors ---- */

/* Linux's number of a vector, which is allocated if it can be. */
static int vector_get_irq(struct vpv_device *vpv, unsigned int nr)
{
	int irq = pci_irq_vector(vpv->pdev, nr);
	struct msi_map map;

	if (irq > 0 || !is_msix(vpv) || !vpv->state->msix_dynamic)
		return irq ?: -EINVAL;

	map = pci_msix_alloc_irq_at(vpv->pdev, nr, NULL);
	return map.index < 0 ? map.index : map.virq;
}

static struct vpv_vector *vector_alloc(struct vpv_device *vpv, unsigned int nr)
{
	struct vpv_vector *vec;

	vec = kzalloc_obj(*vec, GFP_KERNEL_ACCOUNT);
	if (!vec)
		return NULL;

	vec->name = kasprintf(GFP_KERNEL_ACCOUNT, "vpv-msi%s[%u](%s)",
			      is_msix(vpv) ? "x" : "", nr, pci_name(vpv->pdev));
	if (!vec->name) {
		kfree(vec);
		return NULL;
	}
	return vec;
}

static void vector_free(struct vpv_vector *vec)
{
	kfree(vec->name);
	kfree(vec);
}

/* A handler, whose interrupt is off.  Off has to mean masked where the function can. */
static int vector_request(struct vpv_vector *vec)
{
	int ret;

	irq_modify_status(vec->irq, 0, IRQ_DISABLE_UNLAZY);
	ret = request_irq(vec->irq, msi_handler, IRQF_NO_AUTOEN, vec->name, vec);
	if (ret)
		irq_modify_status(vec->irq, IRQ_DISABLE_UNLAZY, 0);
	return ret;
}

/* Let there be a vector, armed or not. */
static int vector_add(struct vpv_device *vpv, unsigned int nr)
{
	struct vpv_vector *vec;
	int ret;

	vpv_memory_forced_assert(vpv);

	if (xa_load(&vpv->state->vectors, nr))
		return 0;

	ret = vector_get_irq(vpv, nr);
	if (ret < 0)
		return ret;
	vec = vector_alloc(vpv, nr);
	if (!vec)
		return -ENOMEM;
	vec->irq = ret;

	ret = xa_err(xa_store(&vpv->state->vectors, nr, vec, GFP_KERNEL_ACCOUNT));
	if (ret)
		goto free;
	ret = vector_request(vec);
	if (!ret)
		return 0;

	xa_erase(&vpv->state->vectors, nr);
free:
	vector_free(vec);
	return ret;
}

/*
 * A reset that only the function knows of clears the table, and masks its entries.  One that
 * is in use is not written otherwise: it would be masked meanwhile, for nothing.
 *
 * The kernel moves an interrupt, masks and unmasks it under its descriptor's lock: without it
 * the address could be of one CPU and the data of another's, or both of one that the
 * interrupt has just left.
 */
static void table_restore(struct vpv_device *vpv, struct vpv_vector *vec, unsigned int nr)
{
	void __iomem *entry = vpv->pdev->msix_base + nr * PCI_MSIX_ENTRY_SIZE;
	struct irq_desc *desc = irq_data_to_desc(irq_get_irq_data(vec->irq));
	struct msi_msg msg;

	scoped_guard(raw_spinlock_irqsave, &desc->lock) {
		if (!vec->trigger || (readl(entry + PCI_MSIX_ENTRY_VECTOR_CTRL) &
				      PCI_MSIX_ENTRY_CTRL_MASKBIT)) {
			get_cached_msi_msg(vec->irq, &msg);
			pci_write_msi_msg(vec->irq, &msg);
		}
	}
}

/*
 * Exchange the eventfd (NULL: there is none) and switch the interrupt on or off.  Who
 * was told until now is told of nothing more on return, and nothing is lost.
 */
static struct eventfd_ctx *vector_exchange(struct vpv_device *vpv, struct vpv_vector *vec,
					   unsigned int nr, struct eventfd_ctx *trigger)
{
	struct eventfd_ctx *old = vec->trigger;

	vpv_memory_forced_assert(vpv);

	if (trigger && is_msix(vpv))
		table_restore(vpv, vec, nr);
	if (old && !trigger)
		disable_irq(vec->irq);
	WRITE_ONCE(vec->trigger, trigger);
	if (old && trigger)
		synchronize_irq(vec->irq);
	if (!old && trigger)
		enable_irq(vec->irq);
	return old;
}

/* KVM may be told directly. */
static void vector_bypass(struct vpv_device *vpv, struct vpv_vector *vec)
{
	int ret = vpv_compat_irq_bypass_register(&vec->producer, vec->trigger, vec->irq);

	if (ret)
		pci_info_ratelimited(vpv->pdev, "interrupt %d goes the long way: %d\n",
				     vec->irq, ret);
}

/* The function sends nothing more. */
static void vector_remove(struct vpv_device *vpv, struct vpv_vector *vec, unsigned int nr)
{
	xa_erase(&vpv->state->vectors, nr);
	free_irq(vec->irq, vec);
	if (vec->trigger)
		eventfd_ctx_put(vec->trigger);
	vector_free(vec);
}

static void triggers_put(struct eventfd_ctx **triggers, unsigned int num)
{
	while (num--)
		if (triggers[num])
			eventfd_ctx_put(triggers[num]);
}

/* Take the eventfds @fds; NULL for those that are negative. */
static int triggers_get(struct eventfd_ctx **triggers, const s32 *fds, unsigned int num)
{
	for (unsigned int i = 0; i < num; i++) {
		struct eventfd_ctx *trigger = NULL;

		if (fds[i] >= 0)
			trigger = eventfd_ctx_fdget(fds[i]);
		if (IS_ERR(trigger)) {
			triggers_put(triggers, i);
			return PTR_ERR(trigger);
		}
		triggers[i] = trigger;
	}
	return 0;
}

/* Those of a block that @triggers has something for; all of it for NULL. */
static int vectors_add(struct vpv_device *vpv, unsigned int start, unsigned int num,
		       struct eventfd_ctx *const *triggers)
{
	int ret = 0;

	vpv_memory_force(vpv);
	for (unsigned int i = 0; i < num && !ret; i++)
		if (!triggers || triggers[i])
			ret = vector_add(vpv, start + i);
	vpv_memory_unforce(vpv);
	return ret;
}

/* @triggers are those of the block from now on; the old ones are returned there. */
static void vectors_exchange(struct vpv_device *vpv, unsigned int start, unsigned int num,
			     struct eventfd_ctx **triggers)
{
	struct xarray *vectors = &vpv->state->vectors;
	struct vpv_vector *vec;

	/* What KVM was told directly comes to the handler from here on. */
	for (unsigned int i = 0; i < num; i++) {
		vec = xa_load(vectors, start + i);
		if (vec)
			vpv_compat_irq_bypass_unregister(&vec->producer);
	}

	vpv_memory_force(vpv);
	for (unsigned int i = 0; i < num; i++) {
		vec = xa_load(vectors, start + i);
		if (vec)
			triggers[i] = vector_exchange(vpv, vec, start + i, triggers[i]);
	}
	vpv_memory_unforce(vpv);

	for (unsigned int i = 0; i < num; i++) {
		vec = xa_load(vectors, start + i);
		if (vec && vec->trigger)
			vector_bypass(vpv, vec);
	}
}

/*
 * All of a block or nothing of it: what can fail is done before the first vector
 * changes.  One that was added for nothing stays, off, until the type is disabled.
 */
static int vectors_set(struct vpv_device *vpv, const struct vfio_irq_set *set,
		       const s32 *fds)
{
	struct eventfd_ctx **triggers;
	int ret;

	triggers = kcalloc(set->count, sizeof(*triggers), GFP_KERNEL_ACCOUNT);
	if (!triggers)
		return -ENOMEM;
	ret = triggers_get(triggers, fds, set->count);
	if (ret)
		goto free;

	ret = vectors_add(vpv, set->start, set->count, triggers);
	if (!ret)
		vectors_exchange(vpv, set->start, set->count, triggers);
	triggers_put(triggers, set->count);
free:
	kfree(triggers);
	return ret;
}

/* ---- The type ---- */

/* Not by the PCI core, which does so only when no interrupt has a handler any more. */
static void messages_off(struct vpv_device *vpv)
{
	struct pci_dev *pdev = vpv->pdev;
	unsigned int pos = is_msix(vpv) ? pdev->msix_cap : pdev->msi_cap;
	u16 enable = is_msix(vpv) ? PCI_MSIX_FLAGS_ENABLE : PCI_MSI_FLAGS_ENABLE;
	u16 flags;

	BUILD_BUG_ON(PCI_MSI_FLAGS != PCI_MSIX_FLAGS);
	pci_read_config_word(pdev, pos + PCI_MSI_FLAGS, &flags);
	if (!PCI_POSSIBLE_ERROR(flags))
		pci_write_config_word(pdev, pos + PCI_MSI_FLAGS, flags & ~enable);
}

void vpv_msi_disable(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct vpv_vector *vec;
	unsigned long nr;

	lockdep_assert_held(&st->igate);

	xa_for_each(&st->vectors, nr, vec)
		vpv_compat_irq_bypass_unregister(&vec->producer);

	/* A reset by somebody else would enable messages again, with what is in them by then. */
	vpv_memory_force(vpv);
	messages_off(vpv);
	xa_for_each(&st->vectors, nr, vec)
		vector_remove(vpv, vec, nr);
	pci_free_irq_vectors(vpv->pdev);
	/* That has cleared Interrupt Disable. */
	vpv_intx_restore(vpv);
	vpv_memory_unforce(vpv);

	WRITE_ONCE(st->irq_type, VPV_IRQ_NONE);
	WRITE_ONCE(st->irq_vectors, 0);
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
	/* To free them has cleared Interrupt Disable. */
	if (ret < (int)num)
		vpv_intx_restore(vpv);
	vpv_memory_unforce(vpv);
	if (ret < (int)num)
		return ret;

	WRITE_ONCE(st->irq_vectors, num);
	WRITE_ONCE(st->irq_type, type);

	/* Those of MSI have one message: the function may send all of them from now on. */
	ret = is_msix(vpv) ? 0 : vectors_add(vpv, 0, num, NULL);
	if (ret)
		vpv_msi_disable(vpv);
	return ret;
}

/* Loopback: as if the vectors had been raised. */
static void vectors_signal(struct vpv_device *vpv, const struct vfio_irq_set *set,
			   const u8 *which)
{
	struct vpv_vector *vec;

	for (unsigned int i = 0; i < set->count; i++) {
		vec = xa_load(&vpv->state->vectors, set->start + i);
		if (vec && vec->trigger && (!which || which[i]))
			eventfd_signal(vec->trigger);
	}
}

/* Vectors are masked in the table, asleep or not; one that cannot be woken is not there. */
static void user_disable(struct vpv_device *vpv)
{
	bool awake = !vpv_reach_begin(vpv);

	vpv_msi_disable(vpv);
	if (awake)
		vpv_reach_end(vpv);
}

/* SET_IRQS with ACTION_TRIGGER */
int vpv_msi_trigger(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data)
{
	struct vpv_state *st = vpv->state;
	bool enabled = st->irq_type == set->index;
	int ret;

	lockdep_assert_held(&st->igate);

	if (enabled && !set->count && (set->flags & VFIO_IRQ_SET_DATA_NONE)) {
		user_disable(vpv);
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

	if (!vpv_channel_normal(vpv))
		return -EIO;
	/* The kernel does not write the table of a function that sleeps. */
	ret = vpv_reach_begin(vpv);
	if (ret)
		return ret;
	if (!enabled)
		ret = msi_enable(vpv, set->index, set->start + set->count);
	if (!ret) {
		ret = vectors_set(vpv, set, data);
		if (ret && !enabled)
			vpv_msi_disable(vpv);
	}
	vpv_reach_end(vpv);
	return ret;
}
