/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which controller of which subsystem a function is: the identity capability, for both
 * drivers.  Pure, but for the last function, which is for the kernel.
 */
#ifndef NVCF_IDENTITY_H
#define NVCF_IDENTITY_H

#include <vpv/pure.h>

#include <hw/nvme_cf.h>

/**
 * struct nvcf_identity - An identity capability
 * @role: enum nvcf_role.
 * @cntlid: CNTLID by which commands name the controller.
 * @serial: Of the subsystem.
 */
struct nvcf_identity {
	u8 role;
	u16 cntlid;
	u64 serial;
};

/**
 * nvcf_identity_parse() - Read an identity capability
 * @cap: NVCF_CAP_BYTES of a vendor-specific capability.
 * @id: Receives it.
 *
 * Return: false if it is another one.
 */
static inline bool nvcf_identity_parse(const u8 *cap, struct nvcf_identity *id)
{
	if (cap[NVCF_CAP_LENGTH] != NVCF_CAP_BYTES || cap[NVCF_CAP_TYPE] != NVCF_CAP_TYPE_VALUE ||
	    cap[NVCF_CAP_VERSION] != NVCF_CAP_VERSION_NOW)
		return false;
	*id = (struct nvcf_identity){
		.role = cap[NVCF_CAP_ROLE],
		.cntlid = get_unaligned_le16(cap + NVCF_CAP_CNTLID),
		.serial = get_unaligned_le64(cap + NVCF_CAP_SERIAL),
	};
	return true;
}

#ifdef __KERNEL__
#include <linux/pci.h>

#include <vpv/controlled.h>

static inline bool nvcf_cap_is_identity(const u8 *cap)
{
	struct nvcf_identity id;

	return nvcf_identity_parse(cap, &id);
}

/**
 * nvcf_identify() - Which controller of which subsystem a function is
 * @pdev: Function.
 * @id: Receives it.
 *
 * Return: 0 or -ENODEV.
 */
static inline int nvcf_identify(struct pci_dev *pdev, struct nvcf_identity *id)
{
	u8 cap[NVCF_CAP_BYTES];

	if (pdev->vendor != NVCF_VENDOR ||
	    !vpv_controlled_capability(pdev, cap, sizeof(cap), nvcf_cap_is_identity))
		return -ENODEV;
	nvcf_identity_parse(cap, id);
	return 0;
}
#endif

#endif /* NVCF_IDENTITY_H */
