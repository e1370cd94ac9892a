// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: the properties (registers) of a controller.  Writes touch no guest memory: they
 * note what is wanted and have the work hook called.
 */
#include <inttypes.h>
#include <string.h>

#include "nvme_cf.h"

#define READY_TO	20u	/* units of NVS_TO_MS */
#define NO_PROFILE_TO	1u

uint64_t nvcf_cap(const struct nvcf_ctrl *c)
{
	unsigned int entries = c->kind == NVCF_MANAGING ? NVCF_MAX_ENTRIES :
			       c->provisioned ? le16toh(c->profile.entries) : 2;

	return NVS_CAP_MQES(entries - 1) | NVS_CAP_CQR |
	       (c->kind == NVCF_MANAGING ? NVS_CAP_NSSRS : 0) |
	       NVS_CAP_TO(c->provisioned ? READY_TO : NO_PROFILE_TO) |
	       (c->kind == NVCF_MANAGING ? NVS_CAP_CSS_NONE : NVS_CAP_CSS_NVM | NVS_CAP_CSS_IOCSS) |
	       NVS_CAP_MPSMAX(NVCF_MAX_PAGE_LOG2 - 12) | NVS_CAP_CRWMS;
}

static uint32_t read32(struct vu_dev *dev, uint32_t off)
{
	const struct nvcf_ctrl *c = vu_priv(dev);
	uint64_t cap = nvcf_cap(c);

	switch (off) {
	case NVS_REG_CAP:
	case NVS_REG_CAP + 4: return vu_half(cap, off);
	case NVS_REG_VS: return NVS_VERSION_2_1;
	case NVS_REG_INTMS:
	case NVS_REG_INTMC: return c->intms;
	case NVS_REG_CC: return c->cc;
	case NVS_REG_CSTS: return c->csts;
	case NVS_REG_AQA: return c->aqa;
	case NVS_REG_ASQ:
	case NVS_REG_ASQ + 4: return vu_half(c->asq, off);
	case NVS_REG_ACQ:
	case NVS_REG_ACQ + 4: return vu_half(c->acq, off);
	case NVS_REG_CRTO: return NVS_CAP_TO_GET(cap);
	}
	return 0;
}

static void set_intms(struct nvcf_ctrl *c, uint32_t intms)
{
	c->intms = intms;
	nvcf_intx_update(c);
}

/*
 * A controller that is being shut down needs CC.EN cleared before it does anything again.
 * What it was enabled with does not change while it is.
 */
static void set_cc(struct nvcf_ctrl *c, uint32_t val)
{
	const uint32_t live = NVS_CC_EN | NVS_CC_SHN_MASK | NVS_CC_SIZES_MASK;

	if ((c->cc & NVS_CC_EN) && !(val & NVS_CC_EN))
		c->fell = true;
	else if (c->cc & NVS_CC_EN)
		val = (val & live) | (c->cc & ~live);
	c->cc = val & NVS_CC_MASK;
	vu_kick(c->dev);
}

void nvcf_subsystem_reset(struct nvcf *sub)
{
	for (unsigned int i = 0; i < sub->num_ctrls; i++) {
		sub->ctrl[i]->nssr = true;
		vu_kick(sub->ctrl[i]->dev);
	}
}

static void write32(struct nvcf_ctrl *c, uint32_t off, uint32_t val)
{
	bool set_up = !(c->cc & NVS_CC_EN);

	switch (off) {
	case NVS_REG_INTMS: set_intms(c, c->intms | val); break;
	case NVS_REG_INTMC: set_intms(c, c->intms & ~val); break;
	case NVS_REG_CC: set_cc(c, val); break;
	case NVS_REG_CSTS: c->csts &= ~(val & NVS_CSTS_NSSRO); break;
	case NVS_REG_NSSR:
		/* The user of one controller resets no other. */
		if (val == NVS_NSSR_VALUE && c->kind == NVCF_MANAGING)
			nvcf_subsystem_reset(c->sub);
		break;
	case NVS_REG_AQA:
		if (set_up)
			c->aqa = val & NVS_AQA_MASK;
		break;
	case NVS_REG_ASQ:
	case NVS_REG_ASQ + 4:
		if (set_up)
			c->asq = vu_with_half(c->asq, off, off == NVS_REG_ASQ ? val & ~0xfffu : val);
		break;
	case NVS_REG_ACQ:
	case NVS_REG_ACQ + 4:
		if (set_up)
			c->acq = vu_with_half(c->acq, off, off == NVS_REG_ACQ ? val & ~0xfffu : val);
		break;
	default:
		if (off >= NVS_REG_DOORBELLS && off < NVS_REG_DOORBELLS + 8 * NVCF_QUEUES)
			nvcf_doorbell(c, (off - NVS_REG_DOORBELLS) / 4, val);
		break;
	}
}

/* Any part may be read; the rest of what lies beyond 64 bits is for whoever dumps the BAR. */
void nvcf_bar_read(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len)
{
	uint8_t *out = buf;

	(void)bar;
	for (size_t i = 0; i < len; i++) {
		uint64_t at = off + i;

		out[i] = (uint8_t)(read32(dev, (uint32_t)at & ~3u) >> 8 * (at & 3));
	}
}

/* Aligned words and double words; of others the specification says nothing. */
void nvcf_bar_write(struct vu_dev *dev, int bar, uint64_t off, const void *buf, size_t len)
{
	struct nvcf_ctrl *c = vu_priv(dev);

	(void)bar;
	if ((len != 4 && len != 8) || off % 4)
		return;
	for (size_t at = 0; at < len; at += 4) {
		uint32_t val;

		memcpy(&val, (const uint8_t *)buf + at, sizeof(val));
		write32(c, (uint32_t)(off + at), le32toh(val));
	}
}

void nvcf_regs(struct vu_dev *dev, FILE *out)
{
	static const struct vu_reg regs[] = {
		{ "CAP", NVS_REG_CAP, true }, { "VS", NVS_REG_VS, false },
		{ "INTMS", NVS_REG_INTMS, false }, { "CC", NVS_REG_CC, false },
		{ "CSTS", NVS_REG_CSTS, false }, { "AQA", NVS_REG_AQA, false },
		{ "ASQ", NVS_REG_ASQ, true }, { "ACQ", NVS_REG_ACQ, true },
		{ "CRTO", NVS_REG_CRTO, false },
	};
	const struct nvcf_ctrl *c = vu_priv(dev);

	vu_regs_print(dev, read32, 0, "", regs, sizeof(regs) / sizeof(regs[0]), out);
	for (unsigned int i = 0; i < NVCF_QUEUES; i++) {
		const struct nvcf_sq *sq = &c->sq[i];
		const struct nvcf_cq *cq = &c->cq[i];

		if (sq->live)
			fprintf(out, "SQ%u.HEAD 0x%x\nSQ%u.TAIL 0x%x\n", i, sq->head, i, sq->tail);
		if (cq->live)
			fprintf(out, "CQ%u.HEAD 0x%x\nCQ%u.TAIL 0x%x\nCQ%u.PHASE 0x%x\n", i,
				cq->head, i, cq->tail, i, cq->phase);
	}
}
