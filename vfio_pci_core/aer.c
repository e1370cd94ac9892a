// SPDX-License-Identifier: GPL-2.0
/*
 * What the PCI core reports about errors and resets.  All of it runs under the
 * device lock, of devices that are open and of others.
 *
 * From the time that the channel is frozen until the function has been reset and
 * restored the user reaches no memory: see vpv_memory_enabled().  An error that freezes
 * nothing takes no memory away, even if a neighbour then wants the bus to be reset:
 * most are harmless, and a user whose mapping is gone dies of a fault.  What is restored
 * is config space as it was when the function was opened, interrupts as they are
 * now, and what the user has enabled in COMMAND since.
 */
#include "trace.h"
#include "vpv.h"

static void trace_error(struct pci_dev *pdev, const char *step, pci_channel_state_t state,
			pci_ers_result_t answer)
{
	trace_vpv_error(pdev, step, (__force unsigned int)state, (__force int)answer);
}

static pci_ers_result_t answer_to(pci_channel_state_t state)
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
	pci_ers_result_t answer = answer_to(state);

	if (!vpv)
		return answer;

	trace_error(pdev, "detected", state, answer);
	if (state != pci_channel_io_normal) {
		down_write(&vpv->state->memory_lock);
		vpv->state->frozen = true;
		vpv_memory_zap(vpv);
		up_write(&vpv->state->memory_lock);
	}
	vpv_eventfd_signal(&vpv->state->err);
	return answer;
}

/* An error that broke nothing, or not of this function: nothing to look at. */
static pci_ers_result_t mmio_enabled(struct pci_dev *pdev)
{
	trace_error(pdev, "mmio_enabled", pci_channel_io_normal, PCI_ERS_RESULT_RECOVERED);
	return PCI_ERS_RESULT_RECOVERED;
}

static void tell_variant(struct vpv_device *vpv)
{
	vpv_asleep_forget(vpv);
	vpv_variant_reset_done(vpv);
}

static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct vpv_device *vpv = pci_get_drvdata(pdev);
	pci_ers_result_t answer = PCI_ERS_RESULT_DISCONNECT;

	if (!vpv)
		return answer;
	if (pci_device_is_present(pdev)) {
		down_write(&vpv->state->memory_lock);
		vpv_config_restore(vpv);
		vpv->state->frozen = false;
		vpv_memory_back(vpv);
		up_write(&vpv->state->memory_lock);
		tell_variant(vpv);
		answer = PCI_ERS_RESULT_RECOVERED;
	}
	trace_error(pdev, "slot_reset", pci_channel_io_frozen, answer);
	return answer;
}

static void resume(struct pci_dev *pdev)
{
	trace_error(pdev, "resume", pci_channel_io_normal, PCI_ERS_RESULT_RECOVERED);
	pci_info_ratelimited(pdev, "recovered from an error\n");
}

/* Also when the function is closed, and when the reset comes from elsewhere (sysfs). */
static void reset_prepare(struct pci_dev *pdev)
{
	struct vpv_device *vpv = pci_get_drvdata(pdev);

	if (vpv && vpv->variant->reset_prepare)
		vpv->variant->reset_prepare(vpv);
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
	.mmio_enabled = mmio_enabled,
	.slot_reset = slot_reset,
	.resume = resume,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};
EXPORT_SYMBOL_GPL(vpv_err_handlers);
