// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: interrupts.  MSI-X vectors with coalescing, or INTx with its mask; the level of
 * INTx says that a completion queue with interrupts has entries not yet consumed.
 */
#include <linux/pci_regs.h>

#include "nvme_cf.h"

#define COALESCING_UNIT_NS	100000u

bool nvcf_msix_enabled(const struct nvcf_ctrl *c)
{
	return vu_config_get(c->dev, c->msix_cap + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_ENABLE;
}

void nvcf_intx_update(struct nvcf_ctrl *c)
{
	bool level = false;

	for (unsigned int i = 0; i < NVCF_QUEUES && !level; i++)
		level = c->cq[i].live && c->cq[i].ien && c->cq[i].head != c->cq[i].tail;
	vu_intx_set(c->dev, level && !(c->intms & 1) && c->run != NVCF_SUSPENDED &&
			    !nvcf_msix_enabled(c));
}

void nvcf_irq_post(struct nvcf_ctrl *c, const struct nvcf_cq *cq, bool io)
{
	uint32_t feature = nvcf_feature(c, NVS_FEAT_COALESCING);
	struct nvcf_vector *v = &c->vector[cq->vector];

	if (!cq->ien)
		return;
	if (!io || !(feature >> 8 & 0xff) || c->feat.no_coalescing[cq->vector]) {
		v->raise = true;
		return;
	}
	if (!v->held++)
		v->since = vu_now();
	/* The threshold is 0's based. */
	if (v->held > (feature & 0xff))
		v->raise = true;
}

void nvcf_irq_work(struct nvcf_ctrl *c)
{
	uint64_t time = (nvcf_feature(c, NVS_FEAT_COALESCING) >> 8 & 0xff) * COALESCING_UNIT_NS;
	uint64_t now = vu_now();
	bool msix = nvcf_msix_enabled(c);

	for (unsigned int i = 0; i < NVCF_VECTORS; i++) {
		struct nvcf_vector *v = &c->vector[i];

		if (!v->raise && v->held && now - v->since < time) {
			vu_wake_at(c->dev, v->since + time);
			continue;
		}
		if ((v->raise || v->held) && msix)
			vu_msix_raise(c->dev, i);
		v->raise = false;
		v->held = 0;
	}
	nvcf_intx_update(c);
}
