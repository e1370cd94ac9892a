// SPDX-License-Identifier: GPL-2.0
/*
 * Runtime power management: what the PM core calls for a function that is not used,
 * or whose user has asked for low power, and those requests.
 *
 * Open holds one usage count.  LOW_POWER_ENTRY drops it, LOW_POWER_EXIT takes it
 * again; in between every ioctl (by vfio.ko) and every read and write (by
 * vpv_awake_get()) wakes the function for its duration, and faults get SIGBUS.
 */
#include <linux/eventfd.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "vpv.h"

/* Wake a function whose user has low power, for an access. */
int vpv_awake_slow(struct vpv_device *vpv)
{
	struct device *dev = &vpv->pdev->dev;
	int ret = pm_runtime_resume(dev);

	if (ret >= 0)
		return 0;
	pm_runtime_put_noidle(dev);
	pci_info_ratelimited(vpv->pdev, "does not wake up: %d\n", ret);
	return -EIO;
}

/*
 * The end of low power: by an ioctl of the user, which keeps the function awake meanwhile, or
 * when it wakes up.  The PM core does not run the two at the same time.
 */
static void low_power_end(struct vpv_device *vpv, const struct eventfd_ctx *wake)
{
	pm_runtime_get_noresume(&vpv->pdev->dev);
	WRITE_ONCE(vpv->state->low_power, false);
	trace_vpv_low_power(vpv->pdev, false, wake);
}

static void low_power_exit(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct eventfd_ctx *wake;

	down_write(&st->memory_lock);
	wake = xchg(&st->wake, NULL);
	if (st->low_power) {
		low_power_end(vpv, wake);
		vpv_memory_back(vpv);
	}
	up_write(&st->memory_lock);
	if (wake)
		eventfd_ctx_put(wake);
}

/* Takes over @wake unless it fails. */
static int low_power_enter(struct vpv_device *vpv, struct eventfd_ctx *wake)
{
	struct vpv_state *st = vpv->state;
	int ret = -EINVAL;

	down_write(&st->memory_lock);
	if (!st->low_power) {
		vpv_memory_zap(vpv);
		st->wake = wake;
		WRITE_ONCE(st->low_power, true);
		/*
		 * Pairs with vpv_awake_get(): either it sees low_power or the
		 * suspend sees its count.  That happens when the ioctl, which
		 * holds another count, ends.
		 */
		smp_mb__before_atomic();
		pm_runtime_put_noidle(&vpv->pdev->dev);
		vpv_count(vpv, VPV_COUNT_LOW_POWER);
		trace_vpv_low_power(vpv->pdev, true, wake);
		ret = 0;
	}
	up_write(&st->memory_lock);
	return ret;
}

static int enter_with_wakeup(struct vpv_device *vpv, void __user *arg)
{
	struct vfio_device_low_power_entry_with_wakeup entry;
	struct eventfd_ctx *wake;
	int ret;

	if (copy_from_user(&entry, arg, sizeof(entry)))
		return -EFAULT;
	if (entry.wakeup_eventfd < 0)
		return -EINVAL;
	wake = eventfd_ctx_fdget(entry.wakeup_eventfd);
	if (IS_ERR(wake))
		return PTR_ERR(wake);

	ret = low_power_enter(vpv, wake);
	if (ret)
		eventfd_ctx_put(wake);
	return ret;
}

/* VFIO_DEVICE_FEATURE_LOW_POWER_* */
int vpv_low_power_feature(struct vpv_device *vpv, u32 flags, void __user *arg, size_t argsz)
{
	u32 feature = flags & VFIO_DEVICE_FEATURE_MASK;
	size_t minsz = 0;
	int ret;

	/* Without these callbacks it would not be woken for an ioctl. */
	if (vpv->pdev->dev.driver->pm != &vpv_pm_ops)
		return -ENOTTY;
	if (feature == VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP)
		minsz = sizeof(struct vfio_device_low_power_entry_with_wakeup);
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, minsz);
	if (ret != 1)
		return ret;

	switch (feature) {
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
		return low_power_enter(vpv, NULL);
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
		return enter_with_wakeup(vpv, arg);
	case VFIO_DEVICE_FEATURE_LOW_POWER_EXIT:
		low_power_exit(vpv);
		return 0;
	}
	return -ENOTTY;
}

/* Close: whatever the user has left, the function is awake and in use again. */
void vpv_low_power_close(struct vpv_device *vpv)
{
	struct eventfd_ctx *wake = xchg(&vpv->state->wake, NULL);

	/* Closing is no waking. */
	if (wake)
		eventfd_ctx_put(wake);
	pm_runtime_get_sync(&vpv->pdev->dev);
	low_power_exit(vpv);
	pm_runtime_put(&vpv->pdev->dev);
}

static int runtime_suspend(struct device *dev)
{
	struct vpv_device *vpv = dev_get_drvdata(dev);
	struct vpv_state *st = vpv->state;

	down_write(&st->memory_lock);
	/* The PCI core saves a function in D0, and does not know what we have saved. */
	vpv_power_set(vpv, PCI_D0);
	/* When it restores the MSI-X table, memory has to be on. */
	if (READ_ONCE(st->irq_type) == VFIO_PCI_MSIX_IRQ_INDEX)
		st->pm_forced = vpv_memory_on(vpv);
	vpv_intx_suspend(vpv);
	up_write(&st->memory_lock);
	return 0;
}

/*
 * Without memory_lock: error recovery wakes functions under pci_bus_sem.  Nor is it
 * needed: accesses to registers keep the function awake.
 */
static int runtime_resume(struct device *dev)
{
	struct vpv_device *vpv = dev_get_drvdata(dev);
	struct vpv_state *st = vpv->state;
	struct eventfd_ctx *wake;

	if (st->pm_forced)
		vpv_memory_off(vpv);
	st->pm_forced = false;
	vpv_intx_resume(vpv);
	/* It may have been without power.  Nothing of it is mapped: low power is not over. */
	vpv_memory_lost(vpv);

	/* The eventfd is signalled once, and low power is over. */
	wake = xchg(&st->wake, NULL);
	if (wake) {
		low_power_end(vpv, wake);
		/* For dma-bufs. */
		vpv_settle_later(vpv);
		eventfd_signal(wake);
		eventfd_ctx_put(wake);
	}
	return 0;
}

const struct dev_pm_ops vpv_pm_ops = {
	RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL)
};
EXPORT_SYMBOL_GPL(vpv_pm_ops);
