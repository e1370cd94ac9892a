// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: identity profiles: what makes a migratable controller the same to its user,
 * whatever subsystem it is in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nvme_cf.h"

/* ASCII fields are filled with spaces. */
static void put_text(uint8_t *out, size_t bytes, const char *text)
{
	size_t len = strnlen(text, bytes);

	memset(out, ' ', bytes);
	memcpy(out, text, len);
}

/* Locally administered ids: the seed, the number of the function and that of the namespace. */
static void make_namespace(uint64_t seed, unsigned int fn, unsigned int n,
			   struct nvcf_profile_ns *ns)
{
	const uint8_t eui[8] = {
		0x52, 0x54, 0x00, (uint8_t)(seed >> 24), (uint8_t)(seed >> 16),
		(uint8_t)(seed >> 8), (uint8_t)seed, (uint8_t)(fn << 4 | (n + 1)),
	};

	ns->nsid = htole32(n + 1);
	memcpy(ns->eui64, eui, sizeof(eui));
	memcpy(ns->nguid, eui, sizeof(eui));
	memcpy(ns->nguid + 8, eui, sizeof(eui));
	memcpy(ns->uuid, ns->nguid, sizeof(ns->uuid));
	/* Version 8: made as its maker likes. */
	ns->uuid[6] = 0x80 | (ns->uuid[6] & 0xf);
	ns->uuid[8] = 0x80 | (ns->uuid[8] & 0x3f);
}

void nvcf_profile_make(const struct nvcf *sub, unsigned int index, uint64_t seed,
		       struct nvcf_profile *p)
{
	const unsigned int fn = index ? index - 1 : 0;
	char text[64];

	memset(p, 0, sizeof(*p));
	p->magic = htole32(NVCF_PROFILE_MAGIC);
	p->version = htole16(NVCF_PROFILE_VERSION);
	p->cntlid = htole16((uint16_t)(NVCF_CNTLID_MANAGING + index));
	p->vid = htole16(NVCF_VENDOR);
	p->ssvid = htole16(NVCF_VENDOR);
	memcpy(p->ieee, "\x00\x54\x52", 3);
	p->mdts = (uint8_t)sub->opt.mdts;
	p->queues = htole16((uint16_t)sub->opt.queues);
	p->entries = htole16((uint16_t)sub->opt.entries);
	p->options = htole32(index ? NVCF_OPT_ALL : NVCF_OPT_TIMESTAMP);
	snprintf(text, sizeof(text), "VPV%016llx%x", (unsigned long long)seed, fn);
	put_text(p->sn, sizeof(p->sn), text);
	put_text(p->mn, sizeof(p->mn), "nvme_cf");
	/* What the user of a migratable controller sees does not come from what is below. */
	snprintf(text, sizeof(text), "%u.0", index ? 1 : (unsigned int)sub->opt.firmware);
	put_text(p->fr, sizeof(p->fr), text);
	snprintf((char *)p->subnqn, sizeof(p->subnqn), "nqn.2022-12.org.example:nvme_cf:%llx.%x",
		 (unsigned long long)seed, fn);
	for (unsigned int i = 0; index && i < sub->disks_each; i++) {
		make_namespace(seed, fn, i, &p->ns[i]);
		p->ns[i].disk = htole32(fn * sub->disks_each + i + 1);
	}
}

static bool text_ok(const uint8_t *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

static bool nqn_ok(const uint8_t *nqn, size_t bytes)
{
	size_t len = strnlen((const char *)nqn, bytes);

	if (len < sizeof("nqn.") || len > 223 || memcmp(nqn, "nqn.", 4))
		return false;
	for (size_t i = len; i < bytes; i++)
		if (nqn[i])
			return false;
	return true;
}

static bool namespaces_ok(const struct nvcf *sub, const struct nvcf_profile *p)
{
	uint32_t last = 0;
	bool ended = false;

	for (unsigned int i = 0; i < NVCF_MAX_NS; i++) {
		uint32_t nsid = le32toh(p->ns[i].nsid), disk = le32toh(p->ns[i].disk);

		ended = ended || !nsid;
		if (ended ? nsid != 0 : nsid <= last || nsid > NVCF_MAX_NS || !disk ||
					disk > sub->num_disks)
			return false;
		last = nsid;
	}
	return true;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

bool nvcf_profile_ok(const struct nvcf *sub, const struct nvcf_profile *p)
{
	uint16_t queues = le16toh(p->queues), entries = le16toh(p->entries);

	return le32toh(p->magic) == NVCF_PROFILE_MAGIC &&
	       le16toh(p->version) == NVCF_PROFILE_VERSION && le16toh(p->cntlid) < 0xfff0 &&
	       p->mdts && p->mdts <= sub->opt.mdts && queues && queues <= sub->opt.queues &&
	       entries >= 2 && entries <= sub->opt.entries &&
	       !(le32toh(p->options) & ~NVCF_OPT_ALL) && text_ok(p->sn, sizeof(p->sn)) &&
	       text_ok(p->mn, sizeof(p->mn)) && text_ok(p->fr, sizeof(p->fr)) &&
	       nqn_ok(p->subnqn, sizeof(p->subnqn)) && namespaces_ok(sub, p) &&
	       all_zero(p->reserved540, sizeof(p->reserved540)) &&
	       all_zero(p->reserved, sizeof(p->reserved));
}

/* ---- claims ---- */

const struct vu_claim nvcf_claims[] = {
	{ "version", offsetof(struct nvcf_profile, version), 2 },
	{ "queues", offsetof(struct nvcf_profile, queues), 2 },
	{ "entries", offsetof(struct nvcf_profile, entries), 2 },
	{ "mdts", offsetof(struct nvcf_profile, mdts), 1 }, { NULL, 0, 0 },
};

void nvcf_profile_show(const struct nvcf_ctrl *c, struct nvcf_profile *p)
{
	*p = c->profile;
	vu_claims_put(&c->claims, 0, sizeof(*p), p);
	for (unsigned int i = 0; i < NVCF_MAX_NS && p->ns[i].nsid; i++) {
		const struct nvcf_disk *d = nvcf_ns_disk(c, &p->ns[i]);

		p->disks[i].blocks = htole64(d->bytes >> d->block_log2);
		p->disks[i].block_bytes = htole32(1u << d->block_log2);
		p->disks[i].flags = htole32(d->readonly ? NVCF_DISK_READONLY : 0);
	}
}

bool nvcf_has_option(const struct nvcf_ctrl *c, uint32_t option)
{
	return !option || (le32toh(c->profile.options) & option);
}

const struct nvcf_profile_ns *nvcf_ns(const struct nvcf_ctrl *c, uint32_t nsid)
{
	for (unsigned int i = 0; i < NVCF_MAX_NS && nsid; i++)
		if (le32toh(c->profile.ns[i].nsid) == nsid)
			return &c->profile.ns[i];
	return NULL;
}

struct nvcf_disk *nvcf_ns_disk(const struct nvcf_ctrl *c, const struct nvcf_profile_ns *ns)
{
	return c->sub->disk[le32toh(ns->disk) - 1];
}
