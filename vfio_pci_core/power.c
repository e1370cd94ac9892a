// SPDX-License-Identifier: GPL-2.0
/*
 * D states.  A function without No_Soft_Reset forgets its config space on the
 * way from D3hot to D0; it is kept here, apart from what pci_dev keeps, because
 * resets overwrite that.  COMMAND can be written in D3hot, and INTx masked: that counts.
 */
#include "trace.h"
#include "vpv.h"

void vpv_power_probe(struct vpv_device *vpv)
{
	struct pci_dev *pdev = vpv->pdev;
	u16 ctrl;

	vpv->state->no_soft_reset = true;
	if (!pdev->pm_cap)
		return;
	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &ctrl);
	vpv->state->no_soft_reset = ctrl & PCI_PM_CTRL_NO_SOFT_RESET;
}

static bool is_d3(pci_power_t power)
{
	return power == PCI_D3hot || power == PCI_D3cold;
}

/* The function itself. */
int vpv_power_enter(struct vpv_device *vpv, pci_power_t power)
{
	struct vpv_state *st = vpv->state;
	struct pci_dev *pdev = vpv->pdev;
	pci_power_t old = pdev->current_state;
	bool save = !st->no_soft_reset && !is_d3(old) && is_d3(power);
	bool restore = !st->no_soft_reset && is_d3(old) && power == PCI_D0;
	int ret;

	vpv_cfg_access_assert(pdev);

	if (save)
		pci_save_state(pdev);

	ret = pci_set_power_state(pdev, power);
	trace_vpv_power(pdev, (__force int)old, (__force int)pdev->current_state, ret);
	if (ret)
		return ret;
	if (restore)
		vpv_memory_lost(vpv);

	/* Quirks may have kept it out of D3hot. */
	if (save && is_d3(pdev->current_state)) {
		kfree(st->pm_saved);
		st->pm_saved = pci_store_saved_state(pdev);
	} else if (restore && st->pm_saved) {
		pci_load_and_free_saved_state(pdev, &st->pm_saved);
		pci_restore_state(pdev);
		vpv_command_restore(vpv);
	} else if (restore && st->saved) {
		/* No memory was left to keep it: as after an error. */
		vpv_config_restore(vpv);
	}
	return 0;
}

/*
 * Somebody resets a function that its user may have put to sleep.  The PCI core would wake it
 * without what is kept here, and save what is left: COMMAND would be off to the end.  As
 * reset_prepare(): takes no memory_lock.
 */
void vpv_power_resetting(struct vpv_device *vpv)
{
	vpv_cfg_access_assert(vpv->pdev);

	if (vpv->state->pm_saved)
		vpv_power_enter(vpv, PCI_D0);
}

/*
 * For its user, or D0 for close and for the recovery from an error.  A function that is kept awake
 * enters the state later.
 */
int vpv_power_set_locked(struct vpv_device *vpv, pci_power_t power)
{
	struct vpv_state *st = vpv->state;
	bool later = st->awake && power != PCI_D0;

	lockdep_assert_held_write(&st->memory_lock);
	vpv_cfg_access_assert(vpv->pdev);

	if (power != PCI_D0 && READ_ONCE(st->sriov.active))
		return -EBUSY;
	if (later || st->asleep != PCI_D0) {
		WRITE_ONCE(st->asleep, power);
		vpv_command_restore(vpv);
		if (power == PCI_D0)
			vpv_asleep_done(st);
	}
	return later ? 0 : vpv_power_enter(vpv, power);
}

/* The same, but not in the middle of a reset by somebody else. */
int vpv_power_set(struct vpv_device *vpv, pci_power_t power)
{
	guard(vpv_cfg_access)(vpv->pdev);

	return vpv_power_set_locked(vpv, power);
}
