// SPDX-License-Identifier: GPL-2.0
/*
 * What the PCI core reports about errors and resets, of devices that are open and of
 * others.
 *
 * All of it runs under the device lock.  Error recovery calls from within pci_walk_bus(),
 * under pci_bus_sem, which changes of the D state and resets of a bus take inside
 * memory_lock.  So these callbacks take no lock of ours: they note in vpv_state.channel
 * what has become of the function, which every access looks at, take the mappings of CPUs
 * away, and leave the rest to settle(), which may wait: for memory_lock, and for importers
 * of dma-bufs, which may be in the same recovery.
 *
 * From the time that the channel is frozen until the function has been reset and
 * restored the user reaches no memory: see vpv_memory_enabled().  An error that freezes
 * nothing takes no memory away, even if a neighbour then wants the bus to be reset:
 * most are harmless, and a user whose mapping is gone dies of a fault.  What is restored
 * is config space as it was when the function was opened, interrupts as they are
 * now, and what the user has enabled in COMMAND since.
 */
#include "error.h"
#include "trace.h"
#include "vpv.h"

/* When the function, or the PF of a VF, is busy with something else. */
#define RETRY_MS	20

static struct workqueue_struct *settle_wq;

static void trace_error(struct pci_dev *pdev, const char *step, pci_channel_state_t state,
			pci_ers_result_t answer)
{
	trace_vpv_error(pdev, step, (__force unsigned int)state, (__force int)answer);
}

static void tell_variant(struct vpv_device *vpv)
{
	vpv_asleep_forget(vpv);
	vpv_memory_resetting(vpv, false);
	vpv_variant_reset_done(vpv);
}

/* ---- What follows from it, later ---- */

static void settle_in(struct vpv_device *vpv, unsigned int ms)
{
	struct device *dev = &vpv->pdev->dev;

	/* The PCI core must not save and put to sleep what is still to be restored. */
	pm_runtime_get_noresume(dev);
	if (!queue_delayed_work(settle_wq, &vpv->state->settle, msecs_to_jiffies(ms)))
		pm_runtime_put(dev);
}

/* Have settle() called.  Any context that may not wait. */
void vpv_settle_later(struct vpv_device *vpv)
{
	settle_in(vpv, 0);
}

/*
 * Restore a function that was reset.  By trylock: an unbind holds the device lock while it
 * waits for the user, and for settle().
 *
 * Return: false if it has to be tried again.
 */
static bool restore(struct vpv_device *vpv)
{
	struct vpv_device *pf = vpv->state->sriov.pf;
	struct pci_dev *pdev = vpv->pdev;

	/* A VF is not there before its PF is what it was, nor if that never happens. */
	if (pf && atomic_read(&pf->state->channel) == VPV_CHANNEL_FAILED) {
		atomic_cmpxchg(&vpv->state->channel, VPV_CHANNEL_RESET, VPV_CHANNEL_FAILED);
		return true;
	}
	if (pf && !vpv_channel_normal(pf))
		return false;
	if (!vpv_dev_trylock(pdev))
		return false;
	/* A reset has made it D0, which the PCI core has not noticed. */
	vpv_power_set_locked(vpv, PCI_D0);
	vpv_config_restore(vpv);
	tell_variant(vpv);
	/* Another error may have come. */
	atomic_cmpxchg(&vpv->state->channel, VPV_CHANNEL_RESET, VPV_CHANNEL_NORMAL);
	pci_dev_unlock(pdev);
	return true;
}

static void settle(struct work_struct *work)
{
	struct vpv_state *st = container_of(work, struct vpv_state, settle.work);
	struct vpv_device *vpv = st->sriov.self;
	bool done = true;

	down_write(&st->memory_lock);
	/* Nothing is mapped meanwhile, so another attempt has nothing to zap. */
	if (atomic_xchg(&st->to_zap, 0) && !vpv_channel_normal(vpv))
		vpv_memory_zap(vpv);
	if (atomic_read(&st->channel) == VPV_CHANNEL_RESET)
		done = restore(vpv);
	vpv_memory_back(vpv);
	up_write(&st->memory_lock);

	if (!done)
		settle_in(vpv, RETRY_MS);
	pm_runtime_put(&vpv->pdev->dev);
}

void vpv_settle_init(struct vpv_device *vpv)
{
	INIT_DELAYED_WORK(&vpv->state->settle, settle);
}

/* When no callback comes any more. */
void vpv_settle_stop(struct vpv_device *vpv)
{
	if (cancel_delayed_work_sync(&vpv->state->settle))
		pm_runtime_put(&vpv->pdev->dev);
}

int vpv_aer_module_init(void)
{
	/* Unbound: one that waits for an importer does not hold up others. */
	settle_wq = alloc_workqueue("vpv_core", WQ_UNBOUND, 0);
	return settle_wq ? 0 : -ENOMEM;
}

void vpv_aer_module_exit(void)
{
	destroy_workqueue(settle_wq);
}

/* ---- Callbacks ---- */

/* From here on no new access reaches the function; those by CPUs end now. */
static void cut_off(struct vpv_device *vpv, enum vpv_channel channel)
{
	WRITE_ONCE(vpv->state->cut_off_at, jiffies);
	/* A barrier, too: see insert_block(). */
	atomic_xchg(&vpv->state->channel, channel);
	atomic_set(&vpv->state->to_zap, 1);
	vpv_memory_lost(vpv);
	vpv_memory_unmap(vpv);
	vpv_settle_later(vpv);
}

pci_ers_result_t vpv_error_answer(pci_channel_state_t state)
{
	switch (state) {
	case pci_channel_io_frozen:
		return PCI_ERS_RESULT_NEED_RESET;
	case pci_channel_io_perm_failure:
		return PCI_ERS_RESULT_DISCONNECT;
	default:
		return PCI_ERS_RESULT_CAN_RECOVER;
	}
}

static pci_ers_result_t error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct vpv_device *vpv = pci_get_drvdata(pdev);
	pci_ers_result_t answer = vpv_error_answer(state);

	if (!vpv)
		return answer;

	trace_error(pdev, "detected", state, answer);
	if (state != pci_channel_io_normal)
		cut_off(vpv, state == pci_channel_io_frozen ? VPV_CHANNEL_FROZEN :
							      VPV_CHANNEL_FAILED);
	vpv_eventfd_signal(&vpv->state->err);
	return answer;
}

pci_ers_result_t vpv_error_mmio_enabled(struct pci_dev *pdev)
{
	trace_error(pdev, "mmio_enabled", pci_channel_io_normal, PCI_ERS_RESULT_RECOVERED);
	return PCI_ERS_RESULT_RECOVERED;
}

static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct vpv_device *vpv = pci_get_drvdata(pdev);
	bool present = pci_device_is_present(pdev);
	pci_ers_result_t answer = PCI_ERS_RESULT_DISCONNECT;

	if (!vpv)
		return answer;
	if (present)
		answer = PCI_ERS_RESULT_RECOVERED;
	trace_error(pdev, "slot_reset", pci_channel_io_frozen, answer);
	cut_off(vpv, present ? VPV_CHANNEL_RESET : VPV_CHANNEL_FAILED);
	return answer;
}

void vpv_error_resume(struct pci_dev *pdev)
{
	trace_error(pdev, "resume", pci_channel_io_normal, PCI_ERS_RESULT_RECOVERED);
	pci_info_ratelimited(pdev, "recovered from an error\n");
}

/* Also when the function is closed, and when the reset comes from elsewhere (sysfs). */
static void reset_prepare(struct pci_dev *pdev)
{
	struct vpv_device *vpv = pci_get_drvdata(pdev);

	if (!vpv)
		return;
	vpv_memory_resetting(vpv, true);
	vpv_power_resetting(vpv);
	vpv_variant_reset_prepare(vpv);
}

static void reset_done(struct pci_dev *pdev)
{
	struct vpv_device *vpv = pci_get_drvdata(pdev);

	if (!vpv)
		return;
	/* The user may have masked or unmasked it after the PCI core saved COMMAND. */
	vpv_intx_restore(vpv);
	tell_variant(vpv);
}

const struct pci_error_handlers vpv_err_handlers = {
	.error_detected = error_detected,
	.mmio_enabled = vpv_error_mmio_enabled,
	.slot_reset = slot_reset,
	.resume = vpv_error_resume,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};
EXPORT_SYMBOL_GPL(vpv_err_handlers);
