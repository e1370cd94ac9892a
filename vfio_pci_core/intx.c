// SPDX-License-Identifier: GPL-2.0
/*
 * The legacy interrupt.  It is level triggered: the handler masks it and tells
 * the user, who unmasks it by SET_IRQS, by an eventfd, or by Interrupt Disable
 * in COMMAND.  What masks is the function's own Interrupt Disable where that
 * works, otherwise the interrupt controller, and the line is ours alone then.
 *
 * A function that can be masked is masked whenever no handler of ours listens, be
 * it open or closed: one that holds a shared line would otherwise have the kernel
 * give up the line of its neighbours.  The next driver's pci_enable_device() ends it.
 * A reset that only the function knows of clears Interrupt Disable: it is set again by the
 * next write of COMMAND, and by the handler if the function raises its line before.
 *
 * What masks and may sleep writes COMMAND under the config access lock.  What may not, and all
 * that unmasks, uses pci_check_and_mask_intx() and its like, which leave what a reset by
 * somebody else writes meanwhile; reset_done() mends the rest.
 *
 * irqlock guards the mask state.  Whether to signal is decided under it, and
 * signalled after it: the unmask eventfd calls us with its wait queue locked.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>

#include "vpv.h"

/* Functions whose Interrupt Disable works but whose Interrupt Status does not. */
static const struct pci_device_id broken_intx[] = {
	{ PCI_VDEVICE(INTEL, 0x1563) },	/* X550 */
	{ PCI_VDEVICE(INTEL, 0x1572) },	/* X710, XL710, XXV710 and relatives */
	{ PCI_VDEVICE(INTEL, 0x1574) },
	{ PCI_VDEVICE(INTEL, 0x1580) },
	{ PCI_VDEVICE(INTEL, 0x1581) },
	{ PCI_VDEVICE(INTEL, 0x1583) },
	{ PCI_VDEVICE(INTEL, 0x1584) },
	{ PCI_VDEVICE(INTEL, 0x1585) },
	{ PCI_VDEVICE(INTEL, 0x1586) },
	{ PCI_VDEVICE(INTEL, 0x1587) },
	{ PCI_VDEVICE(INTEL, 0x1588) },
	{ PCI_VDEVICE(INTEL, 0x1589) },
	{ PCI_VDEVICE(INTEL, 0x158a) },
	{ PCI_VDEVICE(INTEL, 0x158b) },
	{ PCI_VDEVICE(INTEL, 0x37d0) },
	{ PCI_VDEVICE(INTEL, 0x37d1) },
	{ PCI_VDEVICE(INTEL, 0x37d2) },
	{ }
};

/* Is Interrupt Disable of the hardware what we want it to be, or does it stay as it is? */
bool vpv_intx_decides(const struct vpv_device *vpv)
{
	return vpv->state->intx_maskable || (vpv->state->nointx && !vpv->pdev->is_virtfn);
}

/*
 * COMMAND with Interrupt Disable as it has to be by now.  @cmd has the one of the hardware,
 * which stays where INTx is masked at the interrupt controller.
 */
u16 vpv_intx_command(struct vpv_device *vpv, u16 cmd)
{
	struct vpv_state *st = vpv->state;
	bool off = true;

	lockdep_assert_held(&st->irqlock);

	if (!vpv_intx_decides(vpv))
		return cmd;
	if (st->intx_maskable)
		off = !st->intx.active || st->intx.masked || st->intx.suspended;
	return off ? cmd | PCI_COMMAND_INTX_DISABLE : cmd & ~PCI_COMMAND_INTX_DISABLE;
}

/* Find out how INTx can be masked, if at all.  The function is enabled. */
void vpv_intx_probe(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct pci_dev *pdev = vpv->pdev;
	bool again = vpv_intx_decides(vpv);

	st->intx_maskable = false;
	st->nointx = pdev->is_virtfn || !pdev->irq || pdev->irq == IRQ_NOTCONNECTED;
	/* At the interrupt controller even the broken ones can be masked. */
	if (vpv->options.no_intx_mask)
		return;
	if (pci_match_id(broken_intx, pdev))
		st->nointx = true;
	else if (!st->nointx)
		st->intx_maskable = pci_intx_mask_supported(pdev);
	/* At later opens COMMAND has been written as was found out at the first. */
	if (!again)
		vpv_intx_restore(vpv);
}

static void signal_user(struct vpv_device *vpv)
{
	vpv_eventfd_signal(&vpv->state->intx.trigger);
}

/* Always, not only when something is pending as the handler does. */
static void hw_mask(struct vpv_device *vpv)
{
	vpv_cfg_access_assert(vpv->pdev);

	if (vpv->state->intx.suspended)
		return;
	if (vpv->state->intx_maskable)
		pci_intx(vpv->pdev, 0);
	else
		disable_irq_nosync(vpv->pdev->irq);
}

/* Return: false if something is pending, which stays masked then. */
static bool hw_unmask(struct vpv_device *vpv)
{
	if (vpv->state->intx.suspended)
		return true;
	if (vpv->state->intx_maskable)
		return pci_check_and_unmask_intx(vpv->pdev);
	enable_irq(vpv->pdev->irq);
	return true;
}

static void mask_locked(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;

	lockdep_assert_held(&st->irqlock);

	if (!st->intx.active || st->intx.masked)
		return;
	hw_mask(vpv);
	st->intx.masked = true;
}

/* Return: whether the user is to be told, because it is still pending. */
static bool unmask_locked(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;

	lockdep_assert_held(&st->irqlock);

	if (!st->intx.active || !st->intx.masked || st->intx.virq_disabled)
		return false;
	/* An interrupt would come at once and mask again; spare the detour. */
	if (!hw_unmask(vpv))
		return true;
	st->intx.masked = false;
	return false;
}

static void mask(struct vpv_device *vpv)
{
	guard(vpv_cfg_access)(vpv->pdev);
	scoped_guard(spinlock_irqsave, &vpv->state->irqlock)
		mask_locked(vpv);
}

static void unmask(struct vpv_device *vpv)
{
	bool pending;

	scoped_guard(spinlock_irqsave, &vpv->state->irqlock)
		pending = unmask_locked(vpv);
	if (pending)
		signal_user(vpv);
}

/* Unmask eventfd, its wait queue locked.  Return: 1 to have the thread called. */
static int unmask_eventfd(void *opaque, void *data)
{
	struct vpv_device *vpv = opaque;
	bool pending;

	scoped_guard(spinlock_irqsave, &vpv->state->irqlock)
		pending = unmask_locked(vpv);
	return pending;
}

static void unmask_eventfd_thread(void *opaque, void *data)
{
	signal_user(opaque);
}

/* The user has changed Interrupt Disable in COMMAND. */
void vpv_intx_virq(struct vpv_device *vpv, bool disabled)
{
	struct vpv_state *st = vpv->state;
	bool pending = false;

	pci_cfg_access_lock(vpv->pdev);
	scoped_guard(spinlock_irqsave, &st->irqlock) {
		st->intx.virq_disabled = disabled;
		if (disabled)
			mask_locked(vpv);
		else
			pending = unmask_locked(vpv);
	}
	pci_cfg_access_unlock(vpv->pdev);
	if (pending)
		signal_user(vpv);
}

/* Runtime suspend: silent, and its registers are not looked at. */
void vpv_intx_suspend(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;

	guard(vpv_cfg_access)(vpv->pdev);
	scoped_guard(spinlock_irqsave, &st->irqlock) {
		if (st->intx.active && !st->intx.masked)
			hw_mask(vpv);
		st->intx.suspended = true;
	}
}

/* Runtime resume: as masked as the user wants it by now. */
void vpv_intx_resume(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	bool pending = false;

	scoped_guard(spinlock_irqsave, &st->irqlock) {
		if (!st->intx.suspended)
			break;
		st->intx.suspended = false;
		if (st->intx.active && !st->intx.masked)
			pending = !hw_unmask(vpv);
		if (pending)
			st->intx.masked = true;
	}
	if (pending)
		signal_user(vpv);
}

/* Somebody else has written the physical bit: as it has to be now. */
void vpv_intx_restore(struct vpv_device *vpv)
{
	u16 now, cmd;

	vpv_cfg_access_assert(vpv->pdev);

	scoped_guard(spinlock_irqsave, &vpv->state->irqlock) {
		pci_read_config_word(vpv->pdev, PCI_COMMAND, &now);
		cmd = vpv_intx_command(vpv, now);
		if (!PCI_POSSIBLE_ERROR(now) && cmd != now)
			pci_write_config_word(vpv->pdev, PCI_COMMAND, cmd);
	}
}

/*
 * The function is masked and may raise nothing, but a reset that was not reported may
 * have cleared Interrupt Disable.  Return: whether it was that, and was mended.
 */
static bool mask_again(struct vpv_device *vpv)
{
	u16 cmd;

	pci_read_config_word(vpv->pdev, PCI_COMMAND, &cmd);
	return !(cmd & PCI_COMMAND_INTX_DISABLE) && pci_check_and_mask_intx(vpv->pdev);
}

static irqreturn_t intx_handler(int irq, void *dev_id)
{
	struct vpv_device *vpv = dev_id;
	struct vpv_state *st = vpv->state;
	bool ours = false;

	scoped_guard(spinlock_irqsave, &st->irqlock) {
		if (!st->intx.active || st->intx.suspended)
			break;
		/*
		 * Of a neighbour, or masked while we waited for the lock, or it should not
		 * have come at all: it comes again when it is unmasked.
		 */
		if (st->intx.masked)
			return !st->intx_maskable || mask_again(vpv) ? IRQ_HANDLED : IRQ_NONE;
		if (st->intx_maskable) {
			ours = pci_check_and_mask_intx(vpv->pdev);
		} else {
			disable_irq_nosync(irq);
			ours = true;
		}
		st->intx.masked = ours;
	}

	if (!ours)
		return IRQ_NONE;
	signal_user(vpv);
	return IRQ_HANDLED;
}

/* The handler is in place but disabled or masked: let interrupts come. */
static void intx_activate(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;

	guard(vpv_cfg_access)(vpv->pdev);
	scoped_guard(spinlock_irqsave, &st->irqlock) {
		st->intx.active = true;
		st->intx.masked = st->intx.virq_disabled;
		if (st->intx_maskable)
			pci_intx(vpv->pdev, !st->intx.masked);
		else if (!st->intx.masked)
			enable_irq(vpv->pdev->irq);
	}
}

static int intx_request(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	unsigned long flags = IRQF_SHARED;
	int irq = vpv->pdev->irq;
	int ret;

	if (!st->intx_maskable) {
		flags = IRQF_NO_AUTOEN;
		/* Disabling must mask at once: the line is level triggered. */
		irq_modify_status(irq, 0, IRQ_DISABLE_UNLAZY);
	}

	ret = request_irq(irq, intx_handler, flags, st->intx.name, vpv);
	if (ret && !st->intx_maskable)
		irq_modify_status(irq, IRQ_DISABLE_UNLAZY, 0);
	return ret;
}

static int intx_enable(struct vpv_device *vpv, int fd)
{
	struct vpv_state *st = vpv->state;
	int ret;

	if (st->nointx)
		return -ENODEV;

	snprintf(st->intx.name, sizeof(st->intx.name), "vpv-intx(%s)", pci_name(vpv->pdev));
	ret = vpv_eventfd_replace(vpv, &st->intx.trigger, fd);
	if (ret)
		return ret;

	ret = intx_request(vpv);
	if (ret) {
		vpv_eventfd_replace(vpv, &st->intx.trigger, -1);
		return ret;
	}
	WRITE_ONCE(st->irq_type, VFIO_PCI_INTX_IRQ_INDEX);
	intx_activate(vpv);
	return 0;
}

void vpv_intx_disable(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	int irq = vpv->pdev->irq;

	lockdep_assert_held(&st->igate);

	vfio_virqfd_disable(&st->intx.unmask);
	pci_cfg_access_lock(vpv->pdev);
	scoped_guard(spinlock_irqsave, &st->irqlock) {
		st->intx.active = false;
		if (st->intx_maskable)
			pci_intx(vpv->pdev, 0);
	}
	pci_cfg_access_unlock(vpv->pdev);
	free_irq(irq, vpv);
	if (!st->intx_maskable)
		irq_modify_status(irq, IRQ_DISABLE_UNLAZY, 0);
	vpv_eventfd_replace(vpv, &st->intx.trigger, -1);
	WRITE_ONCE(st->irq_type, VPV_IRQ_NONE);
}

static bool is_intx(struct vpv_device *vpv)
{
	lockdep_assert_held(&vpv->state->igate);
	return vpv->state->irq_type == VFIO_PCI_INTX_IRQ_INDEX;
}

/* SET_IRQS with ACTION_MASK */
int vpv_intx_mask(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data)
{
	if (!is_intx(vpv) || set->start || set->count != 1)
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return -ENOTTY;
	if (!data || *(u8 *)data)
		mask(vpv);
	return 0;
}

/* SET_IRQS with ACTION_UNMASK */
int vpv_intx_unmask(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data)
{
	struct vpv_state *st = vpv->state;

	if (!is_intx(vpv) || set->start || set->count != 1)
		return -EINVAL;

	if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD)) {
		if (!data || *(u8 *)data)
			unmask(vpv);
		return 0;
	}
	if (*(s32 *)data >= 0)
		return vfio_virqfd_enable(vpv, unmask_eventfd, unmask_eventfd_thread, NULL,
					  &st->intx.unmask, *(s32 *)data);
	vfio_virqfd_disable(&st->intx.unmask);
	return 0;
}

/* SET_IRQS with ACTION_TRIGGER */
int vpv_intx_trigger(struct vpv_device *vpv, const struct vfio_irq_set *set, void *data)
{
	struct vpv_state *st = vpv->state;

	if (is_intx(vpv) && !set->count && (set->flags & VFIO_IRQ_SET_DATA_NONE)) {
		vpv_intx_disable(vpv);
		return 0;
	}
	if (set->start || set->count != 1)
		return -EINVAL;

	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		if (is_intx(vpv))
			return vpv_eventfd_replace(vpv, &st->intx.trigger, *(s32 *)data);
		if (st->irq_type != VPV_IRQ_NONE)
			return -EINVAL;
		return intx_enable(vpv, *(s32 *)data);
	}

	if (!is_intx(vpv))
		return -EINVAL;
	/* Loopback, as an interrupt would arrive, but without masking. */
	if ((!data || *(u8 *)data) && !READ_ONCE(st->intx.virq_disabled))
		signal_user(vpv);
	return 0;
}
