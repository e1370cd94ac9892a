// SPDX-License-Identifier: GPL-2.0
/* nvme_cf: config space. */
#include <string.h>

#include "nvme_cf.h"

static int add_identity(struct nvcf_ctrl *c)
{
	uint8_t cap[NVCF_CAP_BYTES] = { 0 };
	uint64_t serial = htole64(c->sub->opt.serial);
	uint16_t cntlid = htole16(c->cntlid);

	cap[NVCF_CAP_TYPE] = NVCF_CAP_TYPE_VALUE;
	cap[NVCF_CAP_VERSION] = NVCF_CAP_VERSION_NOW;
	cap[NVCF_CAP_ROLE] = c->kind == NVCF_MANAGING ? NVCF_ROLE_MANAGING : NVCF_ROLE_MIGRATABLE;
	memcpy(cap + NVCF_CAP_CNTLID, &cntlid, sizeof(cntlid));
	memcpy(cap + NVCF_CAP_SERIAL, &serial, sizeof(serial));
	/* Id, next pointer and length are the runtime's. */
	return vu_add_vendor(c->dev, cap + NVCF_CAP_TYPE, sizeof(cap) - NVCF_CAP_TYPE);
}

int nvcf_capabilities(struct nvcf_ctrl *c)
{
	int at =
		vu_add_msix(c->dev, NVCF_VECTORS, NVCF_BAR, NVCF_MSIX_TABLE, NVCF_BAR,
			    NVCF_MSIX_PBA);
	int err = at;

	if (err >= 0)
		err = vu_add_pcie(c->dev, true);
	if (err >= 0)
		err = vu_add_pm(c->dev);
	if (err >= 0)
		err = add_identity(c);
	if (err >= 0)
		err = vu_add_aer(c->dev);
	c->msix_cap = (unsigned int)at;
	return err < 0 ? err : 0;
}
