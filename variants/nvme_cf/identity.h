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

static inline bool nvcf_cap_read(struct pci_dev *pdev, int pos, u8 *cap)
{
	for (int i = 0; i < NVCF_CAP_BYTES; i += 4) {
		u32 val;

		if (pci_read_config_dword(pdev, pos + i, &val))
			return false;
		put_unaligned_le32(val, cap + i);
	}
	return true;
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
	int pos;

	if (pdev->vendor != NVCF_VENDOR)
		return -ENODEV;
	for (pos = pci_find_capability(pdev, NVCF_CAP_ID); pos;
	     pos = pci_find_next_capability(pdev, pos, NVCF_CAP_ID))
		if (nvcf_cap_read(pdev, pos, cap) && nvcf_identity_parse(cap, id))
			return 0;
	return -ENODEV;
}
#endif

#endif /* NVCF_IDENTITY_H */
