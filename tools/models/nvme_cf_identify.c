// SPDX-License-Identifier: GPL-2.0
/* nvme_cf: Identify.  What the user of a migratable controller sees comes from its profile. */
#include <string.h>

#include "nvme_cf.h"

#define BAD_FIELD	(NVS_SC_INVALID_FIELD | NVS_SC_DNR)
#define BAD_NAMESPACE	(NVS_SC_INVALID_NAMESPACE | NVS_SC_DNR)
#define CSI_NVM		0
#define WARNING_KELVIN	358
#define CRITICAL_KELVIN	373

/* ---- claims ---- */

/* Fields of structures of a managing controller, each of which has its range here. */
enum { OF_CONTROLLER = 0x0, OF_FORMATS = 0x1000, OF_SECONDARIES = 0x2000 };

#define FIRST_SECONDARY	32

const struct vu_claim nvcf_managing_claims[] = {
	{ "oacs", OF_CONTROLLER + offsetof(struct nvs_id_ctrl, oacs), 2 },
	{ "mdts", OF_CONTROLLER + offsetof(struct nvs_id_ctrl, mdts), 1 },
	{ "ranges", OF_CONTROLLER + NVS_ID_CMMRTD, 2 },
	{ "track_min", OF_CONTROLLER + NVS_ID_MINMRTG, 1 },
	{ "track_max", OF_CONTROLLER + NVS_ID_MAXMRTG, 1 },
	{ "tracks", OF_CONTROLLER + NVS_ID_TRATTR, 1 },
	{ "versions", OF_FORMATS + 0, 1 }, { "formats", OF_FORMATS + 1, 1 },
	{ "secondaries", OF_SECONDARIES + 0, 1 },
	{ "secondary", OF_SECONDARIES + FIRST_SECONDARY + offsetof(struct nvs_secondary, scid), 2 },
	{ NULL, 0, 0 },
};

static void claim(const struct nvcf_ctrl *c, uint32_t structure, void *out)
{
	vu_claims_put(&c->claims, structure, NVS_IDENTIFY_BYTES, out);
}

/* What a CNS value is asked with. */
struct asked {
	uint32_t nsid;
	uint16_t cntid;
	uint8_t csi;
};

static void put16(uint8_t *at, uint16_t val)
{
	val = htole16(val);
	memcpy(at, &val, sizeof(val));
}

static void put32(uint8_t *at, uint32_t val)
{
	val = htole32(val);
	memcpy(at, &val, sizeof(val));
}

/* ---- controllers ---- */

static uint16_t oncs(const struct nvcf_ctrl *c)
{
	static const struct {
		uint32_t option;
		uint16_t bit;
	} bits[] = {
		{ NVCF_OPT_COMPARE, NVS_ONCS_COMPARE }, { NVCF_OPT_DSM, NVS_ONCS_DSM },
		{ NVCF_OPT_WRITE_ZEROES, NVS_ONCS_WRITE_ZEROES },
			{ NVCF_OPT_VERIFY, NVS_ONCS_VERIFY },
		{ NVCF_OPT_TIMESTAMP, NVS_ONCS_TIMESTAMP },
	};
	uint16_t val = NVS_ONCS_SELECT;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (nvcf_has_option(c, bits[i].option))
			val |= bits[i].bit;
	return val;
}

static void fill_io_ctrl(const struct nvcf_ctrl *c, struct nvs_id_ctrl *id)
{
	uint8_t *bytes = (uint8_t *)id;

	id->cntrltype = NVS_TYPE_IO;
	bytes[NVS_ID_SQES] = NVS_SQES << 4 | NVS_SQES;
	bytes[NVS_ID_CQES] = NVS_CQES << 4 | NVS_CQES;
	put16(bytes + NVS_ID_MAXCMD, le16toh(c->profile.entries));
	id->nn = htole32(NVCF_MAX_NS);
	id->mnan = htole32(NVCF_MAX_NS);
	id->oncs = htole16(oncs(c));
	id->vwc = NVS_VWC_FLUSH_ALL |
		(nvcf_has_option(c, NVCF_OPT_WRITE_CACHE) ? NVS_VWC_PRESENT : 0);
	if (nvcf_has_option(c, NVCF_OPT_SGL))
		id->sgls = htole32(NVS_SGLS_SUPPORTED | NVS_SGLS_BIT_BUCKET);
}

static void fill_managing(const struct nvcf_ctrl *c, struct nvs_id_ctrl *id)
{
	const struct nvcf_options *o = &c->sub->opt;
	uint8_t *bytes = (uint8_t *)id;

	id->cntrltype = NVS_TYPE_ADMIN;
	id->oacs = htole16(NVS_OACS_HMLMS);
	put16(bytes + NVS_ID_CMMRTD, (uint16_t)o->ranges);
	put16(bytes + NVS_ID_NMMRTD, (uint16_t)o->all_ranges);
	bytes[NVS_ID_MINMRTG] = (uint8_t)o->track_min;
	bytes[NVS_ID_MAXMRTG] = (uint8_t)o->track_max;
	bytes[NVS_ID_TRATTR] = NVS_TRATTR_MEMORY | (o->track_power ? NVS_TRATTR_POWER_OF_TWO : 0);
	claim(c, OF_CONTROLLER, id);
}

static int id_controller(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	struct nvs_id_ctrl *id = (struct nvs_id_ctrl *)out;
	const struct nvcf_profile *p = &c->profile;

	(void)a;
	id->vid = p->vid;
	id->ssvid = p->ssvid;
	memcpy(id->sn, p->sn, sizeof(id->sn));
	memcpy(id->mn, p->mn, sizeof(id->mn));
	memcpy(id->fr, p->fr, sizeof(id->fr));
	memcpy(id->ieee, p->ieee, sizeof(id->ieee));
	memcpy(id->subnqn, p->subnqn, sizeof(id->subnqn));
	id->cmic = NVS_CMIC_PORTS | NVS_CMIC_CONTROLLERS;
	id->mdts = p->mdts;
	id->cntlid = p->cntlid;
	id->ver = htole32(NVS_VERSION_2_1);
	id->oaes = htole32(NVS_OAES_NS_CHANGED);
	id->ctratt = htole32(NVS_CTRATT_HOST_ID_128);
	id->acl = 3;
	id->aerl = NVCF_AER_LIMIT - 1;
	id->frmw = 1 << 1 | 1;		/* one slot, which is read only */
	id->lpa = NVS_LPA_EFFECTS | NVS_LPA_EXTENDED;
	id->elpe = NVCF_ERRORS - 1;
	id->npss = NVCF_POWER_STATES - 1;
	id->wctemp = htole16(WARNING_KELVIN);
	id->cctemp = htole16(CRITICAL_KELVIN);
	id->psd[0].max_power = htole16(2500);
	id->psd[1].max_power = htole16(1000);
	if (c->kind == NVCF_MIGRATABLE)
		fill_io_ctrl(c, id);
	else
		fill_managing(c, id);
	return 0;
}

/* All zero: there are no limits. */
static int id_csi_controller(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	(void)c;
	(void)out;
	return a->csi == CSI_NVM ? 0 : BAD_FIELD;
}

static int list_controllers(struct nvcf_ctrl *c, uint16_t from, uint8_t *out)
{
	uint16_t n = 0;

	for (unsigned int i = 0; i < c->sub->num_ctrls; i++)
		if (c->sub->ctrl[i]->cntlid >= from)
			put16(out + 2 * ++n, c->sub->ctrl[i]->cntlid);
	put16(out, n);
	return 0;
}

/* A user knows of nobody but itself. */
static int id_controllers(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	if (c->kind == NVCF_MANAGING)
		return list_controllers(c, a->cntid, out);
	if (le16toh(c->profile.cntlid) < a->cntid)
		return 0;
	put16(out, 1);
	memcpy(out + 2, &c->profile.cntlid, 2);
	return 0;
}

static int id_attached(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	return nvcf_ns(c, a->nsid) ? id_controllers(c, a, out) : BAD_NAMESPACE;
}

/* There are no flexible resources. */
static int id_primary(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	(void)a;
	put16(out, c->cntlid);
	return 0;
}

static int id_secondaries(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	struct nvs_secondary *s = (struct nvs_secondary *)(out + FIRST_SECONDARY);
	unsigned int n = 0;

	for (unsigned int i = 1; i < c->sub->num_ctrls; i++) {
		const struct nvcf_ctrl *one = c->sub->ctrl[i];

		if (one->cntlid < a->cntid)
			continue;
		s[n++] = (struct nvs_secondary) {
			.scid = htole16(one->cntlid), .pcid = htole16(c->cntlid),
			.scs = one->provisioned ? NVS_SECONDARY_ONLINE : 0,
			.nvq = htole16(one->provisioned ? le16toh(one->profile.queues) : 0),
			.nvi = htole16(NVCF_VECTORS),
		};
	}
	out[0] = (uint8_t)n;
	claim(c, OF_SECONDARIES, out);
	return 0;
}

static int id_command_sets(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	if (a->cntid != 0xffff && a->cntid != le16toh(c->profile.cntlid))
		return BAD_FIELD;
	out[0] = c->kind == NVCF_MIGRATABLE;	/* combination 0: the NVM command set */
	return 0;
}

/* One version, and one format of vendor specific data; their indices begin with 1. */
static int id_state_formats(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	static const uint8_t uuid[16] = NVCF_STATE_UUID;

	(void)a;
	out[0] = 1;
	out[1] = 1;
	put16(out + 2, 0);
	memcpy(out + 4, uuid, sizeof(uuid));
	claim(c, OF_FORMATS, out);
	return 0;
}

/* ---- namespaces ---- */

static int fill_namespace(const struct nvcf_ctrl *c, const struct nvcf_profile_ns *ns, uint8_t *out)
{
	const struct nvcf_disk *d = nvcf_ns_disk(c, ns);
	struct nvs_id_ns *id = (struct nvs_id_ns *)out;
	uint64_t blocks = d->bytes >> d->block_log2;

	id->nsze = htole64(blocks);
	id->ncap = htole64(blocks);
	id->nuse = htole64(blocks);
	id->nsfeat = NVS_NSFEAT_UUID;
	id->nmic = NVS_NMIC_SHARED;
	id->dlfeat = NVS_DLFEAT_ZEROES;
	id->nsattr = d->readonly ? NVS_NSATTR_PROTECTED : 0;
	memcpy(id->nguid, ns->nguid, sizeof(id->nguid));
	memcpy(id->eui64, ns->eui64, sizeof(id->eui64));
	id->lbaf[0].lbads = (uint8_t)d->block_log2;
	return 0;
}

/* The data structure of a namespace that is valid, but is not there, is zero. */
static int id_namespace(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	const struct nvcf_profile_ns *ns = nvcf_ns(c, a->nsid);

	if (!a->nsid || a->nsid > NVCF_MAX_NS)
		return BAD_NAMESPACE;
	return ns ? fill_namespace(c, ns, out) : 0;
}

static int id_csi_namespace(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	(void)c;
	(void)out;
	if (a->csi != CSI_NVM)
		return BAD_FIELD;
	return a->nsid && a->nsid <= NVCF_MAX_NS ? 0 : BAD_NAMESPACE;
}

static int id_independent(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	struct nvs_id_ns_independent *id = (struct nvs_id_ns_independent *)out;
	const struct nvcf_profile_ns *ns = nvcf_ns(c, a->nsid);

	if (!a->nsid || a->nsid > NVCF_MAX_NS)
		return BAD_NAMESPACE;
	if (!ns)
		return 0;
	id->nsfeat = NVS_NSFEAT_UUID;
	id->nmic = NVS_NMIC_SHARED;
	id->nsattr = nvcf_ns_disk(c, ns)->readonly ? NVS_NSATTR_PROTECTED : 0;
	id->nstat = NVS_NSTAT_READY;
	return 0;
}

static int id_list(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	if (a->nsid >= NVS_NSID_ALL - 1)
		return BAD_NAMESPACE;
	for (unsigned int i = 0, n = 0; i < NVCF_MAX_NS; i++)
		if (le32toh(c->profile.ns[i].nsid) > a->nsid)
			put32(out + 4 * n++, le32toh(c->profile.ns[i].nsid));
	return 0;
}

static int id_csi_list(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	return a->csi == CSI_NVM ? id_list(c, a, out) : BAD_FIELD;
}

static uint8_t *put_descriptor(uint8_t *out, uint8_t type, const void *id, uint8_t bytes)
{
	struct nvs_ns_descriptor d = { .nidt = type, .nidl = bytes };

	memcpy(out, &d, sizeof(d));
	memcpy(out + sizeof(d), id, bytes);
	return out + sizeof(d) + bytes;
}

static int id_descriptors(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out)
{
	const struct nvcf_profile_ns *ns = nvcf_ns(c, a->nsid);
	const uint8_t csi = CSI_NVM;

	if (!ns)
		return BAD_NAMESPACE;
	out = put_descriptor(out, NVS_NIDT_EUI64, ns->eui64, sizeof(ns->eui64));
	out = put_descriptor(out, NVS_NIDT_NGUID, ns->nguid, sizeof(ns->nguid));
	out = put_descriptor(out, NVS_NIDT_UUID, ns->uuid, sizeof(ns->uuid));
	put_descriptor(out, NVS_NIDT_CSI, &csi, sizeof(csi));
	return 0;
}

static const struct {
	uint8_t cns, kinds;
	int (*fill)(struct nvcf_ctrl *c, const struct asked *a, uint8_t *out);
} structures[] = {
	{ NVS_CNS_NAMESPACE, NVCF_MIGRATABLE, id_namespace },
	{ NVS_CNS_CONTROLLER, NVCF_BOTH, id_controller },
	{ NVS_CNS_ACTIVE_LIST, NVCF_MIGRATABLE, id_list },
	{ NVS_CNS_NS_DESCRIPTORS, NVCF_MIGRATABLE, id_descriptors },
	{ NVS_CNS_CSI_NAMESPACE, NVCF_MIGRATABLE, id_csi_namespace },
	{ NVS_CNS_CSI_CONTROLLER, NVCF_MIGRATABLE, id_csi_controller },
	{ NVS_CNS_CSI_ACTIVE_LIST, NVCF_MIGRATABLE, id_csi_list },
	{ NVS_CNS_INDEPENDENT_NAMESPACE, NVCF_MIGRATABLE, id_independent },
	{ NVS_CNS_ALLOCATED_LIST, NVCF_MIGRATABLE, id_list },
	{ NVS_CNS_ALLOCATED_NAMESPACE, NVCF_MIGRATABLE, id_namespace },
	{ NVS_CNS_ATTACHED_CONTROLLERS, NVCF_MIGRATABLE, id_attached },
	{ NVS_CNS_CONTROLLERS, NVCF_BOTH, id_controllers },
	{ NVS_CNS_PRIMARY, NVCF_MANAGING, id_primary },
	{ NVS_CNS_SECONDARIES, NVCF_MANAGING, id_secondaries },
	{ NVS_CNS_COMMAND_SETS, NVCF_BOTH, id_command_sets },
	{ NVS_CNS_STATE_FORMATS, NVCF_MANAGING, id_state_formats },
};

int nvcf_identify(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t cdw10 = le32toh(cmd->sqe.cdw10);
	const struct asked a = {
		.nsid = le32toh(cmd->sqe.nsid), .cntid = (uint16_t)(cdw10 >> 16),
		.csi = (uint8_t)(le32toh(cmd->sqe.cdw11) >> 24),
	};

	for (size_t i = 0; i < sizeof(structures) / sizeof(structures[0]); i++) {
		int st;

		if (structures[i].cns != (cdw10 & 0xff) || !(structures[i].kinds & c->kind))
			continue;
		memset(c->buf, 0, NVS_IDENTIFY_BYTES);
		st = structures[i].fill(c, &a, c->buf);
		return st ? st : nvcf_data(c, &cmd->sqe, true, NVS_IDENTIFY_BYTES);
	}
	return BAD_FIELD;
}
