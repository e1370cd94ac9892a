// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: the life of a controller: enabled, disabled, shut down, reset.  CC says what is
 * wanted, CSTS what is.
 */
#include <string.h>

#include "nvme_cf.h"

void nvcf_fatal(struct nvcf_ctrl *c)
{
	c->csts |= NVS_CSTS_CFS;
}

bool nvcf_ctrl_working(const struct nvcf_ctrl *c)
{
	return (c->csts & (NVS_CSTS_RDY | NVS_CSTS_CFS | NVS_CSTS_SHST_MASK)) == NVS_CSTS_RDY &&
	       !c->fell && !c->nssr;
}

/* What every reset of a controller ends; AQA, ASQ and ACQ survive where CC.EN was cleared. */
static void level_reset(struct nvcf_ctrl *c)
{
	c->enabled = false;
	c->run = NVCF_RUNNING;
	c->suspend_failed = false;
	nvcf_blob_drop(&c->get);
	nvcf_blob_drop(&c->set);
	vu_irq_hold(c->dev, false);
	c->csts &= NVS_CSTS_NSSRO;
	c->intms = 0;
	nvcf_queue_reset(c);
	nvcf_feature_reset(c);
	c->dropped += c->events.outstanding;
	memset(&c->events, 0, sizeof(c->events));
	nvcf_intx_update(c);
	nvcf_release_all(c);
	if (c->kind == NVCF_MANAGING)
		nvcf_managing_reset(c->sub);
}

void nvcf_ctrl_reset(struct nvcf_ctrl *c)
{
	level_reset(c);
	c->cc = 0;
	c->csts = 0;
	c->aqa = 0;
	c->asq = 0;
	c->acq = 0;
	c->fell = false;
	c->nssr = false;
}

static bool cc_ok(const struct nvcf_ctrl *c)
{
	unsigned int css = NVS_CC_CSS(c->cc), mps = 12 + NVS_CC_MPS(c->cc);
	bool set = css == NVS_CC_CSS_NVM || css == NVS_CC_CSS_IOCSS ||
		   (css == NVS_CC_CSS_ADMIN && c->kind == NVCF_MANAGING);

	return set && mps <= NVCF_MAX_PAGE_LOG2 && !NVS_CC_AMS(c->cc) &&
	       NVS_AQA_ASQS(c->aqa) && NVS_AQA_ACQS(c->aqa) &&
	       !((c->asq | c->acq) & ((1ull << mps) - 1));
}

static void enable(struct nvcf_ctrl *c)
{
	struct vu_fault_hit hit;

	c->enabled = true;
	/* One that was shut down while it was not enabled begins anew. */
	c->csts &= ~NVS_CSTS_SHST_MASK;
	vu_wait_begin(c->dev, &c->ready, NVCF_FAULT_READY, 0, &hit);
	if (hit.fail || !cc_ok(c)) {
		nvcf_fatal(c);
		return;
	}
	c->page = 4096u << NVS_CC_MPS(c->cc);
	c->sq[0] = (struct nvcf_sq) {
		.live = true, .base = c->asq, .entries = NVS_AQA_ASQS(c->aqa) + 1u,
	};
	c->cq[0] = (struct nvcf_cq) {
		.live = true, .base = c->acq, .entries = NVS_AQA_ACQS(c->aqa) + 1u,
		.ien = true, .phase = true,
	};
}

static void shut_down(struct nvcf_ctrl *c)
{
	struct vu_fault_hit hit;

	if (!(c->csts & NVS_CSTS_SHST_MASK)) {
		c->csts |= NVS_CSTS_SHST_BUSY;
		vu_wait_begin(c->dev, &c->shutdown, NVCF_FAULT_SHUTDOWN, 0, &hit);
		if (hit.fail)
			nvcf_fatal(c);
	}
	if ((c->csts & NVS_CSTS_SHST_BUSY) && vu_wait_over(c->dev, &c->shutdown)) {
		if (NVS_CC_SHN(c->cc) == NVS_CC_SHN_ABRUPT)
			c->health.unsafe_shutdowns++;
		if (nvcf_release_all(c))
			nvcf_fatal(c);
		c->csts = (c->csts & ~NVS_CSTS_SHST_MASK) | NVS_CSTS_SHST_DONE;
	}
}

void nvcf_ctrl_work(struct nvcf_ctrl *c)
{
	if (c->nssr) {
		nvcf_ctrl_reset(c);
		c->csts = NVS_CSTS_NSSRO;
	}
	if (c->fell) {
		c->fell = false;
		c->cc &= ~NVS_CC_SHN_MASK;
		level_reset(c);
	}
	if ((c->cc & NVS_CC_EN) && !c->enabled)
		enable(c);
	if (c->enabled && c->provisioned && !(c->csts & (NVS_CSTS_RDY | NVS_CSTS_CFS)) &&
	    vu_wait_over(c->dev, &c->ready))
		c->csts |= NVS_CSTS_RDY;
	/* One that has begun ends, whatever CC says meanwhile. */
	if (NVS_CC_SHN(c->cc) == NVS_CC_SHN_NORMAL || NVS_CC_SHN(c->cc) == NVS_CC_SHN_ABRUPT ||
	    (c->csts & NVS_CSTS_SHST_MASK) == NVS_CSTS_SHST_BUSY)
		shut_down(c);
}
