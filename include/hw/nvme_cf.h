/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is particular to nvme_cf (Documentation/hardware/nvme_cf.rst), for its model, its
 * drivers and their tests: ids, the identity capability, profiles and vendor specific
 * state.  All are little-endian.  What the specification defines is in nvme_cf_spec.h.
 *
 * Function of vpv_nvme_cf: NVCF_VENDOR, NVCF_FN_DEVICE
 */
#ifndef HW_NVME_CF_H
#define HW_NVME_CF_H

#include <linux/types.h>

#define NVCF_VENDOR		0x1234
#define NVCF_CTRL_DEVICE	0x7640
#define NVCF_FN_DEVICE		0x7641

#define NVCF_BAR		0
#define NVCF_BAR_BYTES		0x4000
#define NVCF_MSIX_TABLE		0x2000
#define NVCF_MSIX_PBA		0x3000

/* Identity capability. */
#define NVCF_CAP_ID		0x09
#define NVCF_CAP_BYTES		24
#define NVCF_CAP_LENGTH		2
#define NVCF_CAP_TYPE		3
#define NVCF_CAP_VERSION	4
#define NVCF_CAP_ROLE		5
#define NVCF_CAP_CNTLID		6
#define NVCF_CAP_SERIAL		8
#define NVCF_CAP_TYPE_VALUE	0xf6
#define NVCF_CAP_VERSION_NOW	1

enum nvcf_role { NVCF_ROLE_MANAGING, NVCF_ROLE_MIGRATABLE };

/* Limits of the device. */
#define NVCF_MAX_FUNCTIONS	16
#define NVCF_MAX_IOQ		64	/* pairs of I/O queues */
#define NVCF_MAX_ENTRIES	1024	/* of a queue */
#define NVCF_MAX_MDTS		7	/* 2^7 pages of 4 KiB */
#define NVCF_MAX_NS		4	/* namespaces of a controller */

/* The managing controller is the first; migratable ones follow. */
#define NVCF_CNTLID_MANAGING	1
#define NVCF_CNTLID_FIRST	2

/* Vendor specific commands of the managing controller: CDW11[15:0] is the CNTLID. */
#define NVCF_ADMIN_PROFILE_SEND		0xc1
#define NVCF_ADMIN_PROFILE_RECEIVE	0xc2

enum { NVCF_PROFILE_GIVE, NVCF_PROFILE_REMOVE };	/* CDW10[7:0] of send */

#define NVCF_PROFILE_GIVEN	0x1U	/* dword 0 of receive */

#define NVCF_PROFILE_MAGIC	0x4650564e	/* "NVPF" */
#define NVCF_PROFILE_VERSION	1

/* Optional features that a profile may hide. */
#define NVCF_OPT_WRITE_CACHE	0x01U
#define NVCF_OPT_COMPARE	0x02U
#define NVCF_OPT_DSM		0x04U
#define NVCF_OPT_WRITE_ZEROES	0x08U
#define NVCF_OPT_VERIFY		0x10U
#define NVCF_OPT_SGL		0x20U
#define NVCF_OPT_TIMESTAMP	0x40U
#define NVCF_OPT_ALL		0x7fU

/**
 * struct nvcf_profile_ns - a namespace of a profile
 * @nsid: 1 to NVCF_MAX_NS, each once, ascending; zero ends the list.
 * @disk: Number of the disk behind it, from 1.
 * @eui64: IEEE extended unique identifier.
 * @nguid: Namespace globally unique identifier.
 * @uuid: Namespace UUID.
 */
struct nvcf_profile_ns {
	__le32 nsid;
	__le32 disk;
	__u8 eui64[8];
	__u8 nguid[16];
	__u8 uuid[16];
};

/* A namespace cannot be written to. */
#define NVCF_DISK_READONLY	0x1U

/**
 * struct nvcf_profile_disk - what the disk of a namespace is like
 * @blocks: Size.
 * @block_bytes: Of a block.
 * @flags: NVCF_DISK_*.
 */
struct nvcf_profile_disk {
	__le64 blocks;
	__le32 block_bytes;
	__le32 flags;
};

/**
 * struct nvcf_profile - what makes a migratable controller the same to its user anywhere
 * @magic: NVCF_PROFILE_MAGIC.
 * @version: NVCF_PROFILE_VERSION.
 * @cntlid: Controller id that the user reads; commands go by the id of the identity
 *	capability.
 * @vid: PCI vendor id of Identify.
 * @ssvid: PCI subsystem vendor id of Identify.
 * @ieee: OUI.
 * @mdts: Largest transfer, 1 to NVCF_MAX_MDTS.
 * @queues: Most pairs of I/O queues, 1 to NVCF_MAX_IOQ.
 * @entries: Most entries of a queue, 2 to NVCF_MAX_ENTRIES.
 * @options: NVCF_OPT_*.
 * @sn: Serial number, ASCII and spaces.
 * @mn: Model number, likewise.
 * @fr: Firmware revision, likewise.
 * @subnqn: NQN of the subsystem, ends with zeroes.
 * @ns: Namespaces.
 * @reserved540: Zero.
 * @disks: Of each of them, as Profile Receive finds it.  Not looked at when a profile is given;
 *	zero where the checksum of a profile is taken.
 * @reserved: Zero.
 */
struct nvcf_profile {
	__le32 magic;
	__le16 version;
	__le16 cntlid;
	__le16 vid;
	__le16 ssvid;
	__u8 ieee[3];
	__u8 mdts;
	__le16 queues;
	__le16 entries;
	__le32 options;
	__u8 sn[20];
	__u8 mn[40];
	__u8 fr[8];
	__u8 subnqn[256];
	struct nvcf_profile_ns ns[NVCF_MAX_NS];
	__u8 reserved540[4];
	struct nvcf_profile_disk disks[NVCF_MAX_NS];
	__u8 reserved[3488];
};

/* The format of vendor specific state, as CNS 20h names it. */
#define NVCF_STATE_UUID { \
	0x7d, 0x3c, 0x1f, 0x0e, 0x52, 0xa4, 0x4c, 0x8b, \
	0x9e, 0x61, 0x0b, 0x6f, 0x2a, 0x9d, 0x4e, 0x70, \
}

#define NVCF_STATE_MAGIC	0x5453564e	/* "NVST" */
#define NVCF_STATE_VERSION	1
#define NVCF_STATE_FEATURES	16
#define NVCF_POWER_STATES	2U
#define NVCF_STATE_AERS		4
#define NVCF_STATE_EVENTS	3

#define NVCF_STATE_PHASE	0x1	/* of the next completion of the admin queue */
#define NVCF_STATE_TIMESTAMP	0x2	/* a host has set it */

/**
 * struct nvcf_state_feature - the value of a feature
 * @fid: Feature identifier; zero ends the list.
 * @reserved: Zero.
 * @value: As Get Features returns it in dword 0.
 */
struct nvcf_state_feature {
	__u8 fid;
	__u8 reserved[3];
	__le32 value;
};

/**
 * struct nvcf_state - what the standard state of a controller leaves out
 * @magic: NVCF_STATE_MAGIC.
 * @version: NVCF_STATE_VERSION.
 * @bytes: Of this structure.
 * @crc: CRC-32 (as of zlib) of all bytes behind this field.
 * @profile: CRC-32 of the controller's profile, which has to be the same where it is set.
 * @cc: CC; likewise @csts, @aqa, @intms, @asq and @acq.
 * @csts: CSTS.
 * @aqa: AQA.
 * @intms: INTMS.
 * @asq: ASQ.
 * @acq: ACQ.
 * @sq_head: Of the admin submission queue, likewise @sq_tail.
 * @sq_tail: Tail.
 * @cq_head: Of the admin completion queue, likewise @cq_tail.
 * @cq_tail: Tail.
 * @flags: NVCF_STATE_*.
 * @outstanding: Number of asynchronous event requests.
 * @masked: Event types whose log page has to be read before the next one, a bit for each.
 * @reserved: Zero.
 * @aer: Their command ids.
 * @pending: Of each event type, a bit for each event that was not told yet.
 * @changed_ns: Namespaces of the log page, a bit for each, from 1.
 * @threshold: Temperature thresholds: over, under.
 * @features: Features with a value, ascending.
 * @no_coalescing: A bit for each vector.
 * @timestamp: In milliseconds, when it was suspended.
 * @host_id: Host identifier.
 * @reserved2: Zero.
 */
struct nvcf_state {
	__le32 magic;
	__le16 version;
	__le16 bytes;
	__le32 crc;
	__le32 profile;
	__le32 cc;
	__le32 csts;
	__le32 aqa;
	__le32 intms;
	__le64 asq;
	__le64 acq;
	__le16 sq_head;
	__le16 sq_tail;
	__le16 cq_head;
	__le16 cq_tail;
	__u8 flags;
	__u8 outstanding;
	__u8 masked;
	__u8 reserved;
	__le16 aer[NVCF_STATE_AERS];
	__le32 pending[NVCF_STATE_EVENTS];
	__le32 changed_ns;
	__le16 threshold[2];
	struct nvcf_state_feature features[NVCF_STATE_FEATURES];
	__u8 no_coalescing[16];
	__le64 timestamp;
	__u8 host_id[16];
	__u8 reserved2[256];
};

#endif /* HW_NVME_CF_H */
