// SPDX-License-Identifier: GPL-2.0
/*
 * Match data of nvme_cf (match.h): who a controller is.  Pure: also a KUnit suite and a host
 * program.  What is looked at here comes from a peer or from the device.
 */
#include "match.h"

static_assert(sizeof(struct nvcf_profile) == 4096);
static_assert(sizeof(struct nvcf_match_ns) == 64);
static_assert(sizeof(struct nvcf_match) == 624);

#define FIELD(name, rule, field) VMIG_MATCH_FIELD(name, rule, struct nvcf_match, field)
#define SAME(name, field) FIELD(name, VMIG_MATCH_EQUAL, field)
#define TEXT(name, field) FIELD(name, VMIG_MATCH_TEXT, field)
#define NAMESPACE(name, n)						\
	SAME(name ": NSID", ns[n].nsid),				\
	SAME(name ": disk", ns[n].disk),				\
	SAME(name ": EUI64", ns[n].eui64),				\
	SAME(name ": NGUID", ns[n].nguid[0]),				\
	SAME(name ": NGUID", ns[n].nguid[1]),				\
	SAME(name ": UUID", ns[n].uuid[0]),				\
	SAME(name ": UUID", ns[n].uuid[1]),				\
	FIELD(name ": blocks", VMIG_MATCH_AT_MOST, ns[n].blocks),	\
	SAME(name ": bytes of a block", ns[n].block_bytes),		\
	SAME(name ": write protection", ns[n].flags)

/* What differs is told by its name; the checksum is of all that there is of a profile. */
const struct vmig_match_field nvcf_fields[NVCF_NUM_FIELDS] = {
	FIELD("match magic", VMIG_MATCH_CONSTANT, magic),
	SAME("version of the standard state", version),
	SAME("format of the vendor state", format[0]),
	SAME("format of the vendor state", format[1]),
	TEXT("subsystem NQN", subnqn),
	TEXT("serial number", sn),
	TEXT("model", mn),
	TEXT("firmware revision", fr),
	SAME("CNTLID", cntlid),
	SAME("VID", vid),
	SAME("SSVID", ssvid),
	SAME("OUI", ieee),
	SAME("MDTS", mdts),
	SAME("pairs of I/O queues", queues),
	SAME("entries of a queue", entries),
	SAME("optional features", options),
	NAMESPACE("namespace 1", 0),
	NAMESPACE("namespace 2", 1),
	NAMESPACE("namespace 3", 2),
	NAMESPACE("namespace 4", 3),
};

/* Printable, so that it can be in the log. */
static bool text_ok(const u8 *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

int nvcf_profile_check(const struct nvcf_profile *p, struct vmig_diff *diff)
{
	size_t nqn = strnlen((const char *)p->subnqn, sizeof(p->subnqn));
	bool texts = text_ok(p->sn, sizeof(p->sn)) && text_ok(p->mn, sizeof(p->mn)) &&
		     text_ok(p->fr, sizeof(p->fr)) && text_ok(p->subnqn, nqn);
	const struct vmig_range_rule rules[] = {
		{ "magic of the profile", le32_to_cpu(p->magic), NVCF_PROFILE_MAGIC,
		  NVCF_PROFILE_MAGIC },
		{ "version of the profile", le16_to_cpu(p->version), NVCF_PROFILE_VERSION,
		  NVCF_PROFILE_VERSION },
		{ "length of the NQN of the profile", nqn, 1,
		  sizeof_field(struct nvcf_match, subnqn) - 1 },
		{ "printable texts of the profile", texts, 1, 1 },
		{ "pairs of I/O queues of the profile", le16_to_cpu(p->queues), 1, NVCF_MAX_IOQ },
		{ "entries of a queue of the profile", le16_to_cpu(p->entries), 2,
		  NVCF_MAX_ENTRIES },
		{ "MDTS of the profile", p->mdts, 1, NVCF_MAX_MDTS },
	};

	return vmig_in_range(rules, ARRAY_SIZE(rules), -EOPNOTSUPP, diff);
}

/* Without the spaces that fill it up; there is room for a zero after it. */
static void put_text(char *to, const u8 *text, size_t bytes)
{
	while (bytes && text[bytes - 1] == ' ')
		bytes--;
	memcpy(to, text, bytes);
}

static void put_namespace(struct nvcf_match_ns *to, const struct nvcf_profile_ns *ns,
			  const struct nvcf_profile_disk *disk)
{
	to->nsid = ns->nsid;
	to->disk = ns->disk;
	memcpy(&to->eui64, ns->eui64, sizeof(to->eui64));
	memcpy(to->nguid, ns->nguid, sizeof(to->nguid));
	memcpy(to->uuid, ns->uuid, sizeof(to->uuid));
	to->blocks = disk->blocks;
	to->block_bytes = disk->block_bytes;
	to->flags = disk->flags;
}

void nvcf_match_write(const struct nvcf_profile *p, u32 crc, struct nvcf_match *match)
{
	static const u8 format[] = NVCF_STATE_UUID;

	*match = (struct nvcf_match){
		.magic = cpu_to_le32(NVCF_MATCH_MAGIC),
		.cntlid = p->cntlid,
		.vid = p->vid,
		.ssvid = p->ssvid,
		.ieee = cpu_to_le32(p->ieee[0] | p->ieee[1] << 8 | p->ieee[2] << 16),
		.options = p->options,
		.queues = p->queues,
		.entries = p->entries,
		.mdts = cpu_to_le32(p->mdts),
		.profile = cpu_to_le32(crc),
	};
	memcpy(match->format, format, sizeof(match->format));
	put_text(match->sn, p->sn, sizeof(p->sn));
	put_text(match->mn, p->mn, sizeof(p->mn));
	put_text(match->fr, p->fr, sizeof(p->fr));
	put_text(match->subnqn, p->subnqn, strnlen((const char *)p->subnqn,
						   sizeof(match->subnqn) - 1));
	for (u32 i = 0; i < NVCF_MAX_NS; i++)
		put_namespace(&match->ns[i], &p->ns[i], &p->disks[i]);
}

/* The checksum is of all of a profile; those before it are told by name. */
int nvcf_match_same(const struct nvcf_match *now, const struct nvcf_match *before,
		    struct vmig_diff *diff)
{
	const u32 queues = le16_to_cpu(before->queues), entries = le16_to_cpu(before->entries);
	const u32 mdts = le32_to_cpu(before->mdts), profile = le32_to_cpu(before->profile);
	const struct vmig_range_rule rules[] = {
		{ "pairs of I/O queues before", le16_to_cpu(now->queues), queues, queues },
		{ "entries of a queue before", le16_to_cpu(now->entries), entries, entries },
		{ "MDTS before", le32_to_cpu(now->mdts), mdts, mdts },
		{ "checksum of the profile before", le32_to_cpu(now->profile), profile, profile },
	};

	return vmig_in_range(rules, ARRAY_SIZE(rules), -EOPNOTSUPP, diff);
}
