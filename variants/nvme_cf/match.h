/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a stream of nvme_cf holds, and what of it may be loaded where: match data and the
 * state of a controller.  Documentation/nvme_cf.rst has both.  Pure.
 */
#ifndef NVCF_MATCH_H
#define NVCF_MATCH_H

#include <vpv/match.h>

#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

#define NVCF_RECORD_STATE	0x100U	/* the controller state of Migration Receive, once */

#define NVCF_MATCH_MAGIC	0x4d43564e	/* "NVCM" */

/* Bounds of the state of a controller: the largest is what the driver keeps, and sends. */
#define NVCF_STATE_LEAST	(sizeof(struct nvs_state_header) + sizeof(struct nvs_state) + \
				 sizeof(struct nvcf_state))
#define NVCF_STATE_MOST		131072U

/**
 * struct nvcf_match_ns - A namespace in match data, as struct nvcf_profile_ns and its disk
 * @nsid: Zero: there is none.
 * @disk: Number of its disk.
 * @eui64: As there; likewise @nguid and @uuid.
 * @nguid: The same.
 * @uuid: The same.
 * @blocks: As struct nvcf_profile_disk; likewise @block_bytes and @flags.
 * @block_bytes: The same.
 * @flags: The same.
 */
struct nvcf_match_ns {
	__le32 nsid;
	__le32 disk;
	__le64 eui64;
	__le64 nguid[2];
	__le64 uuid[2];
	__le64 blocks;
	__le32 block_bytes;
	__le32 flags;
};

/**
 * struct nvcf_match - Match data: the format of the state, and the identity of the controller
 * @magic: NVCF_MATCH_MAGIC.
 * @version: Of the standard state.
 * @cntlid: As struct nvcf_profile; likewise those down to @options.
 * @format: UUID of the vendor specific state.
 * @vid: PCI vendor id.
 * @ssvid: PCI subsystem vendor id.
 * @ieee: OUI.
 * @options: NVCF_OPT_*.
 * @queues: Most pairs of I/O queues.
 * @entries: Most entries of a queue.
 * @mdts: Largest transfer.
 * @reserved: Zero.
 * @sn: Serial number, without the spaces at its end; likewise @mn (model) and @fr (firmware).
 * @mn: Model.
 * @fr: Firmware.
 * @subnqn: NQN of the subsystem.
 * @ns: Namespaces.
 * @profile: CRC-32 (as of zlib) of the profile, by which the device compares it.
 * @reserved2: Zero.
 */
struct nvcf_match {
	__le32 magic;
	__le16 version;
	__le16 cntlid;
	__le64 format[2];
	__le16 vid;
	__le16 ssvid;
	__le32 ieee;
	__le32 options;
	__le16 queues;
	__le16 entries;
	__le32 mdts;
	__le32 reserved;
	char sn[24];
	char mn[48];
	char fr[16];
	char subnqn[224];
	struct nvcf_match_ns ns[NVCF_MAX_NS];
	__le32 profile;
	__le32 reserved2;
};

#define NVCF_NUM_FIELDS		56
extern const struct vmig_match_field nvcf_fields[NVCF_NUM_FIELDS];

/**
 * nvcf_profile_check() - Is this a profile?
 * @p: What Profile Receive gave; untrusted.
 * @diff: Receives what is wrong.
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int nvcf_profile_check(const struct nvcf_profile *p, struct vmig_diff *diff);

/**
 * nvcf_match_write() - Describe a controller
 * @p: Its profile; nvcf_profile_check().
 * @crc: CRC-32 of the profile, without disks.
 * @match: Receives the match data.
 */
void nvcf_match_write(const struct nvcf_profile *p, u32 crc, struct nvcf_match *match);

/**
 * nvcf_match_same() - Is a controller still who it was?
 * @now: What it says of itself; nvcf_match_write().
 * @before: What it has said to the same user.
 * @diff: Receives what differs.
 *
 * The user has seen the profile, which must not change while it is used.  Disks may be resized.
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int nvcf_match_same(const struct nvcf_match *now, const struct nvcf_match *before,
		    struct vmig_diff *diff);

/**
 * nvcf_state_bytes() - How large is the state of a controller?
 * @h: Its header; untrusted.
 * @bytes: Receives the size, with the header.
 * @diff: Receives what is wrong.
 *
 * Return: 0; -EINVAL for a header that makes no sense; -EFBIG beyond NVCF_STATE_MOST.
 */
int nvcf_state_bytes(const struct nvs_state_header *h, u32 *bytes, struct vmig_diff *diff);

/**
 * nvcf_state_check() - Could a controller have come to this state?
 * @fn: Match data of the controller.
 * @buf: State; untrusted, any alignment.
 * @bytes: Its size.
 * @diff: Receives what is wrong.
 *
 * All that the hardware page says; what only the device knows it checks itself.
 *
 * Return: 0 or -EINVAL; -EFBIG for one that is too large.
 */
int nvcf_state_check(const struct nvcf_match *fn, const void *buf, size_t bytes,
		     struct vmig_diff *diff);

/**
 * nvcf_state_vendor() - The vendor specific state within a state
 * @buf: State; nvcf_state_check().
 * @bytes: Its size.
 *
 * Return: its address, of any alignment.
 */
static inline const void *nvcf_state_vendor(const void *buf, size_t bytes)
{
	return (const u8 *)buf + bytes - sizeof(struct nvcf_state);
}

#endif /* NVCF_MATCH_H */
