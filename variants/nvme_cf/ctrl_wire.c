// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of the managing controller: what it can do, PRP entries, and which
 * commands of users are taken.  Nothing that the device or a user wrote is trusted.  Pure.
 */
#include "ctrl_wire.h"

#define SECONDARY_FIRST	32
#define SECONDARIES_MAX	127
#define GRANULE_MAX	(63 - 12)	/* log2 of pages in 2^63 bytes */

/* ---- What a managing controller can do ---- */

/* Indices begin with 1; 0: there is none. */
static int parse_formats(const u8 *formats, struct nvcf_managing *out)
{
	static const u8 uuid[16] = NVCF_STATE_UUID;
	unsigned int versions = formats[0], uuids = formats[1];
	const u8 *first = formats + 2 + 2 * versions;

	if (2 + 2 * versions + sizeof(uuid) * uuids > NVS_IDENTIFY_BYTES)
		return -EPROTO;
	out->csvi = 0;
	out->csuuidi = 0;
	for (unsigned int i = 0; i < versions && !out->csvi; i++)
		if (!get_unaligned_le16(formats + 2 + 2 * i))
			out->csvi = i + 1;
	for (unsigned int i = 0; i < uuids && !out->csuuidi; i++)
		if (!memcmp(first + sizeof(uuid) * i, uuid, sizeof(uuid)))
			out->csuuidi = i + 1;
	return 0;
}

static int parse_tracking(const u8 *id, struct nvcf_managing *out)
{
	u8 attr = id[NVS_ID_TRATTR];

	out->tracks = attr & NVS_TRATTR_MEMORY;
	out->pow2_ranges = attr & NVS_TRATTR_POWER_OF_TWO;
	out->ranges = get_unaligned_le16(id + NVS_ID_CMMRTD);
	out->granule_min = id[NVS_ID_MINMRTG];
	out->granule_max = id[NVS_ID_MAXMRTG];
	if (!out->tracks)
		return 0;
	return out->ranges && out->granule_min <= out->granule_max &&
	       out->granule_max <= GRANULE_MAX ? 0 : -EPROTO;
}

int nvcf_wire_managing(const struct nvs_id_ctrl *id, const u8 *formats,
		       struct nvcf_managing *out, const char **why)
{
	*why = "no host managed live migration (OACS)";
	if (!(le16_to_cpu(id->oacs) & NVS_OACS_HMLMS))
		return -EOPNOTSUPP;
	*why = "formats of state (CNS 20h)";
	if (parse_formats(formats, out))
		return -EPROTO;
	*why = "ranges or granules of memory tracking";
	return parse_tracking((const u8 *)id, out);
}

int nvcf_wire_secondaries(const u8 *list, u16 primary, u16 *cntlid, unsigned int max)
{
	unsigned int num = list[0], found = 0;
	int last = -1;

	if (num > SECONDARIES_MAX)
		return -EPROTO;
	for (unsigned int i = 0; i < num; i++) {
		const u8 *s = list + SECONDARY_FIRST + i * sizeof(struct nvs_secondary);
		u16 scid = get_unaligned_le16(s + offsetof(struct nvs_secondary, scid));
		u16 pcid = get_unaligned_le16(s + offsetof(struct nvs_secondary, pcid));

		if (scid <= last || scid == primary)
			return -EPROTO;
		last = scid;
		if (pcid != primary)
			continue;
		if (found == max)
			return -E2BIG;
		cntlid[found++] = scid;
	}
	return found;
}

/* ---- Profiles ---- */

static void put_text(u8 *out, size_t bytes, const char *text)
{
	memset(out, ' ', bytes);
	memcpy(out, text, strlen(text));
}

void nvcf_wire_default(struct nvcf_profile *want, u16 cntlid)
{
	memset(want, 0, sizeof(*want));
	want->magic = cpu_to_le32(NVCF_PROFILE_MAGIC);
	want->version = cpu_to_le16(NVCF_PROFILE_VERSION);
	want->cntlid = cpu_to_le16(cntlid);
	want->vid = cpu_to_le16(NVCF_VENDOR);
	want->ssvid = cpu_to_le16(NVCF_VENDOR);
	want->mdts = 5;
	want->queues = cpu_to_le16(4);
	want->entries = cpu_to_le16(256);
	want->options = cpu_to_le32(NVCF_OPT_ALL);
	put_text(want->sn, sizeof(want->sn), "");
	put_text(want->mn, sizeof(want->mn), "nvme_cf");
	put_text(want->fr, sizeof(want->fr), "1.0");
}

void nvcf_wire_pack(struct nvcf_profile *out, const struct nvcf_profile *want)
{
	unsigned int num = 0;

	*out = *want;
	memset(out->ns, 0, sizeof(out->ns));
	for (u32 i = 0; i < NVCF_MAX_NS; i++) {
		if (!want->ns[i].disk)
			continue;
		out->ns[num] = want->ns[i];
		out->ns[num++].nsid = cpu_to_le32(i + 1);
	}
}

int nvcf_wire_unpack(struct nvcf_profile *want, const struct nvcf_profile *in)
{
	*want = *in;
	memset(want->ns, 0, sizeof(want->ns));
	for (unsigned int i = 0; i < NVCF_MAX_NS && in->ns[i].nsid; i++) {
		u32 nsid = le32_to_cpu(in->ns[i].nsid);

		if (nsid > NVCF_MAX_NS || want->ns[nsid - 1].nsid)
			return -EPROTO;
		want->ns[nsid - 1] = in->ns[i];
	}
	return 0;
}

/* ---- PRP ---- */

void nvcf_wire_list(__le64 *list, u64 iova, u32 bytes)
{
	for (u32 i = 1; i < DIV_ROUND_UP(bytes, NVCF_PAGE); i++)
		list[i - 1] = cpu_to_le64(iova + (u64)i * NVCF_PAGE);
}

void nvcf_wire_prp(struct nvs_sqe *sqe, u64 iova, u64 list, u32 bytes)
{
	sqe->prp1 = cpu_to_le64(iova);
	sqe->prp2 = bytes <= NVCF_PAGE ? 0 :
		    cpu_to_le64(bytes <= 2 * NVCF_PAGE ? iova + NVCF_PAGE : list);
}

/* ---- Commands of users ---- */

#define ANY		(-1)
#define FEAT_HMB	0x0d
#define FEAT_CDQ	0x21

static u64 no_bytes(const struct nvs_sqe *sqe, const u8 *data, u32 len)
{
	return 0;
}

/* How much it is depends on the feature, but it is a page at most. */
static u64 feature_bytes(const struct nvs_sqe *sqe, const u8 *data, u32 len)
{
	return min(len, NVCF_PAGE);
}

static u64 page_bytes(const struct nvs_sqe *sqe, const u8 *data, u32 len)
{
	return NVS_IDENTIFY_BYTES;
}

static u64 log_bytes(const struct nvs_sqe *sqe, const u8 *data, u32 len)
{
	u32 low = le32_to_cpu(sqe->cdw10) >> 16, high = le32_to_cpu(sqe->cdw11) & 0xffff;

	return ((u64)(high << 16 | low) + 1) * 4;
}

static u64 set_state_bytes(const struct nvs_sqe *sqe, const u8 *data, u32 len)
{
	return (u64)le32_to_cpu(sqe->cdw15) * 4;
}

static u64 get_state_bytes(const struct nvs_sqe *sqe, const u8 *data, u32 len)
{
	return ((u64)le32_to_cpu(sqe->cdw15) + 1) * 4;
}

/* The device goes by the number of ranges in the data. */
static u64 track_send_bytes(const struct nvs_sqe *sqe, const u8 *data, u32 len)
{
	u32 count = 0;

	if (len >= sizeof(struct nvs_track_request))
		count = get_unaligned_le32(data + offsetof(struct nvs_track_request, count));
	return sizeof(struct nvs_track_request) + (u64)count * sizeof(struct nvs_track_range);
}

static u64 track_receive_bytes(const struct nvs_sqe *sqe, const u8 *data, u32 len)
{
	return ((u64)le32_to_cpu(sqe->cdw12) + 1) * 4;
}

/**
 * struct nvcf_user_rule - A command that a user may or may not send
 * @opcode: Opcode.
 * @sel: CDW10[7:0], or ANY.
 * @about: It does something to the controller that it names.
 * @bytes: How much it transfers; NULL: it is refused.
 */
struct nvcf_user_rule {
	u8 opcode;
	s16 sel;
	bool about;
	u64 (*bytes)(const struct nvs_sqe *sqe, const u8 *data, u32 len);
};

/* The first one that matches; what is not here is refused. */
static const struct nvcf_user_rule user_rules[] = {
	{ NVS_ADMIN_IDENTIFY, ANY, false, page_bytes },
	{ NVS_ADMIN_GET_LOG, ANY, false, log_bytes },
	{ NVS_ADMIN_GET_FEATURES, ANY, false, feature_bytes },
	{ NVS_ADMIN_SET_FEATURES, NVS_FEAT_QUEUES, false, NULL },
	{ NVS_ADMIN_SET_FEATURES, FEAT_HMB, false, NULL },
	{ NVS_ADMIN_SET_FEATURES, FEAT_CDQ, false, NULL },
	{ NVS_ADMIN_SET_FEATURES, ANY, false, feature_bytes },
	{ NVS_ADMIN_TRACK_SEND, NVS_TRACK_MEMORY, true, track_send_bytes },
	{ NVS_ADMIN_TRACK_RECEIVE, ANY, true, track_receive_bytes },
	{ NVS_ADMIN_MIGRATION_SEND, NVS_SEND_SET_STATE, true, set_state_bytes },
	{ NVS_ADMIN_MIGRATION_SEND, ANY, true, no_bytes },
	{ NVS_ADMIN_MIGRATION_RECEIVE, ANY, true, get_state_bytes },
	{ NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_GIVE, true, page_bytes },
	{ NVCF_ADMIN_PROFILE_SEND, ANY, true, no_bytes },
	{ NVCF_ADMIN_PROFILE_RECEIVE, ANY, false, page_bytes },
};

static const struct nvcf_user_rule *user_rule(const struct nvs_sqe *sqe)
{
	u8 sel = le32_to_cpu(sqe->cdw10) & 0xff;

	for (unsigned int i = 0; i < ARRAY_SIZE(user_rules); i++)
		if (user_rules[i].opcode == sqe->opcode &&
		    (user_rules[i].sel == ANY || user_rules[i].sel == sel))
			return &user_rules[i];
	return NULL;
}

bool nvcf_wire_about(const struct nvs_sqe *sqe)
{
	const struct nvcf_user_rule *rule = user_rule(sqe);

	return rule && rule->about;
}

int nvcf_wire_user_bytes(const struct nvs_sqe *sqe, const void *data, u32 data_len)
{
	const struct nvcf_user_rule *rule = user_rule(sqe);
	u64 bytes;

	if (!rule || !rule->bytes)
		return -EOPNOTSUPP;
	bytes = rule->bytes(sqe, data, data_len);
	if (bytes > NVCF_MAX_DATA)
		return -EMSGSIZE;
	return bytes > data_len ? -EINVAL : (int)bytes;
}
