/* SPDX-License-Identifier: GPL-2.0 */
/* What every driver of ours answers the PCI core about errors. */
#ifndef VPV_ERROR_H
#define VPV_ERROR_H

#include <linux/pci.h>

/* Of error_detected(): one that is frozen has to be reset. */
pci_ers_result_t vpv_error_answer(pci_channel_state_t state);

/* Callbacks.  An error that broke nothing, or not of this function: nothing to look at. */
pci_ers_result_t vpv_error_mmio_enabled(struct pci_dev *pdev);
void vpv_error_resume(struct pci_dev *pdev);

#endif /* VPV_ERROR_H */
