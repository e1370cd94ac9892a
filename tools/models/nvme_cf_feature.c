// SPDX-License-Identifier: GPL-2.0
/* nvme_cf: Set Features and Get Features.  No feature can be saved. */
#include <string.h>

#include "nvme_cf.h"

#define OVER_DEFAULT	373u
#define TIMESTAMP_MASK	0xffffffffffffull
#define TIMESTAMP_SET	0x2u	/* origin: a host has set it */

/*
 * struct feature - a feature
 * @mask: bits of the value; others have to be zero
 * @option: NVCF_OPT_* without which it does not exist
 * @set, @get: where there is more to it than a dword; NULL otherwise.  @get answers with
 *             cmd->dw0 and fills c->buf with @bytes of data
 */
struct feature {
	uint8_t fid;
	uint8_t kinds;
	uint8_t bytes;
	uint32_t mask, def, option;
	int (*set)(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t val);
	int (*get)(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, unsigned int select);
};

#define BAD_FIELD	(NVS_SC_INVALID_FIELD | NVS_SC_DNR)

static int set_power(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t val)
{
	(void)c;
	(void)cmd;
	return (val & 0x1f) < NVCF_POWER_STATES ? 0 : BAD_FIELD;
}

/* Only the composite temperature has thresholds; "all sensors" is the same. */
static bool sensor_ok(uint32_t val, bool set)
{
	uint32_t sensor = val >> 16 & 0xf;

	return (!sensor || (set && sensor == 0xf)) && (val >> 20 & 3) < 2;
}

static int set_temperature(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t val)
{
	(void)cmd;
	if (!sensor_ok(val, true))
		return BAD_FIELD;
	c->feat.threshold[val >> 20 & 1] = val & 0xffff;
	nvcf_temperature(c, c->temperature);
	return 0;
}

static int get_temperature(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, unsigned int select)
{
	uint32_t val = le32toh(cmd->sqe.cdw11);

	if (!sensor_ok(val, false))
		return BAD_FIELD;
	if (select == NVS_SELECT_CURRENT)
		cmd->dw0 = c->feat.threshold[val >> 20 & 1];
	else
		cmd->dw0 = val >> 20 & 1 ? 0 : OVER_DEFAULT;
	return 0;
}

static int set_write_cache(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t val)
{
	(void)cmd;
	return !(val & 1) && nvcf_flush_all(c) ? NVS_SC_WRITE_FAULT : 0;
}

/* As the feature has it: 0's based, and without a profile none beyond the first. */
static uint32_t most_queues(const struct nvcf_ctrl *c)
{
	uint32_t queues = le16toh(c->profile.queues);

	return queues ? queues - 1 : 0;
}

/* Both counts are the same, and what is granted is told. */
static int set_queues(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t val)
{
	uint32_t sqs = val & 0xffff, cqs = val >> 16, max = most_queues(c);

	if (sqs == 0xffff || cqs == 0xffff)
		return BAD_FIELD;
	for (unsigned int i = 1; i < NVCF_QUEUES; i++)
		if (c->sq[i].live || c->cq[i].live)
			return NVS_SC_COMMAND_SEQUENCE | NVS_SC_DNR;
	sqs = sqs > cqs ? sqs : cqs;
	cmd->dw0 = (sqs < max ? sqs : max) * 0x10001u;
	return 0;
}

static int get_queues(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, unsigned int select)
{
	if (select != NVS_SELECT_CURRENT)
		cmd->dw0 = most_queues(c) * 0x10001u;
	else
		cmd->dw0 = nvcf_feature(c, NVS_FEAT_QUEUES);
	return 0;
}

static int set_vector(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t val)
{
	(void)cmd;
	if ((val & 0xffff) >= NVCF_VECTORS)
		return BAD_FIELD;
	c->feat.no_coalescing[val & 0xffff] = val >> 16 & 1;
	return 0;
}

static int get_vector(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, unsigned int select)
{
	uint32_t vector = le32toh(cmd->sqe.cdw11) & 0xffff;

	if (vector >= NVCF_VECTORS)
		return BAD_FIELD;
	cmd->dw0 = vector;
	if (select == NVS_SELECT_CURRENT)
		cmd->dw0 |= (uint32_t)c->feat.no_coalescing[vector] << 16;
	return 0;
}

static int set_timestamp(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t val)
{
	uint64_t ms;

	(void)cmd;
	(void)val;
	memcpy(&ms, c->buf, sizeof(ms));
	c->feat.timestamp = le64toh(ms) & TIMESTAMP_MASK;
	c->feat.timestamp_at = vu_now();
	c->feat.timestamp_set = true;
	return 0;
}

/* The timestamp has gone on since it was set, until the controller was suspended. */
static uint64_t now(const struct nvcf_ctrl *c)
{
	uint64_t ns = c->run == NVCF_SUSPENDED ? c->suspended_at : vu_now();

	/* One that was loaded since. */
	ns = ns > c->feat.timestamp_at ? ns - c->feat.timestamp_at : 0;
	return (ns / 1000000u + c->feat.timestamp) & TIMESTAMP_MASK;
}

static int get_timestamp(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, unsigned int select)
{
	uint64_t ms = now(c);

	(void)cmd;
	if (select != NVS_SELECT_CURRENT)
		ms = 0;
	else if (c->feat.timestamp_set)
		ms |= (uint64_t)TIMESTAMP_SET << 48;
	ms = htole64(ms);
	memcpy(c->buf, &ms, sizeof(ms));
	return 0;
}

/* Only the 128-bit format. */
static int set_host_id(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint32_t val)
{
	(void)cmd;
	if (!(val & 1))
		return BAD_FIELD;
	memcpy(c->feat.host_id, c->buf, sizeof(c->feat.host_id));
	return 0;
}

static int get_host_id(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, unsigned int select)
{
	if (!(le32toh(cmd->sqe.cdw11) & 1))
		return BAD_FIELD;
	memset(c->buf, 0, sizeof(c->feat.host_id));
	if (select == NVS_SELECT_CURRENT)
		memcpy(c->buf, c->feat.host_id, sizeof(c->feat.host_id));
	return 0;
}

static const struct feature table[] = {
	{ NVS_FEAT_ARBITRATION, NVCF_BOTH, 0, 0xffffff07, 0, 0, NULL, NULL },
	{ NVS_FEAT_POWER, NVCF_BOTH, 0, 0x1f, 0, 0, set_power, NULL },
	{ NVS_FEAT_TEMPERATURE, NVCF_BOTH, 0, 0x003fffff, 0, 0, set_temperature,
	  get_temperature },
	{ NVS_FEAT_ERROR_RECOVERY, NVCF_MIGRATABLE, 0, 0xffff, 0, 0, NULL, NULL },
	{ NVS_FEAT_WRITE_CACHE, NVCF_MIGRATABLE, 0, 0x1, 1, NVCF_OPT_WRITE_CACHE, set_write_cache,
	  NULL },
	{ NVS_FEAT_QUEUES, NVCF_MIGRATABLE, 0, 0xffffffff, 0, 0, set_queues, get_queues },
	{ NVS_FEAT_COALESCING, NVCF_MIGRATABLE, 0, 0xffff, 0, 0, NULL, NULL },
	{ NVS_FEAT_VECTOR, NVCF_MIGRATABLE, 0, 0x1ffff, 0, 0, set_vector, get_vector },
	{ NVS_FEAT_ATOMICITY, NVCF_MIGRATABLE, 0, 0x1, 0, 0, NULL, NULL },
	{ NVS_FEAT_ASYNC_EVENT, NVCF_BOTH, 0, 0x1ff, 0, 0, NULL, NULL },
	{ NVS_FEAT_TIMESTAMP, NVCF_BOTH, 8, 0, 0, NVCF_OPT_TIMESTAMP, set_timestamp,
	  get_timestamp },
	{ NVS_FEAT_HOST_ID, NVCF_BOTH, 16, 0x1, 0, 0, set_host_id, get_host_id },
};

#define NUM_FEATURES	(sizeof(table) / sizeof(table[0]))

_Static_assert(NUM_FEATURES <= NVCF_FEATURES, "values of features");

static const struct feature *find(const struct nvcf_ctrl *c, uint8_t fid)
{
	for (size_t i = 0; i < NUM_FEATURES; i++)
		if (table[i].fid == fid && (table[i].kinds & c->kind) &&
		    nvcf_has_option(c, table[i].option))
			return &table[i];
	return NULL;
}

uint32_t nvcf_feature_in(const struct nvcf_ctrl *c, const struct nvcf_features *feat, uint8_t fid)
{
	const struct feature *f = find(c, fid);

	return f ? feat->value[f - table] : 0;
}

uint32_t nvcf_feature(const struct nvcf_ctrl *c, uint8_t fid)
{
	return nvcf_feature_in(c, &c->feat, fid);
}

void nvcf_feature_reset(struct nvcf_ctrl *c)
{
	memset(&c->feat, 0, sizeof(c->feat));
	for (size_t i = 0; i < NUM_FEATURES; i++)
		c->feat.value[i] = table[i].def;
	if (c->kind == NVCF_MIGRATABLE && c->provisioned)
		c->feat.value[find(c, NVS_FEAT_QUEUES) - table] = most_queues(c) * 0x10001u;
	c->feat.threshold[0] = OVER_DEFAULT;
	c->feat.timestamp_at = vu_now();
}

/* Its value is in the list of the state; others have fields of their own there. */
static bool in_list(const struct nvcf_ctrl *c, const struct feature *f)
{
	return find(c, f->fid) && !f->bytes && f->get != get_vector && f->get != get_temperature;
}

void nvcf_feature_save(const struct nvcf_ctrl *c, struct nvcf_state *s)
{
	unsigned int n = 0;

	for (size_t i = 0; i < NUM_FEATURES; i++) {
		const struct feature *f = &table[i];

		if (in_list(c, f))
			s->features[n++] = (struct nvcf_state_feature) {
				.fid = f->fid, .value = htole32(c->feat.value[i]),
			};
	}
	for (unsigned int i = 0; i < 2; i++)
		s->threshold[i] = htole16(c->feat.threshold[i]);
	for (unsigned int i = 0; i < NVCF_VECTORS; i++)
		s->no_coalescing[i / 8] |= (uint8_t)(c->feat.no_coalescing[i] << i % 8);
	s->timestamp = htole64(now(c));
	s->flags |= c->feat.timestamp_set ? NVCF_STATE_TIMESTAMP : 0;
	memcpy(s->host_id, c->feat.host_id, sizeof(s->host_id));
}

static bool value_ok(const struct nvcf_ctrl *c, const struct feature *f, uint32_t val)
{
	if (val & ~f->mask)
		return false;
	if (f->fid == NVS_FEAT_QUEUES)
		return (val & 0xffff) == val >> 16 && val >> 16 <= most_queues(c);
	return f->fid != NVS_FEAT_POWER || val < NVCF_POWER_STATES;
}

/* There are no bits of other vectors. */
static bool vectors_ok(const struct nvcf_state *s)
{
	for (unsigned int i = NVCF_VECTORS; i < 8 * sizeof(s->no_coalescing); i++)
		if (s->no_coalescing[i / 8] >> i % 8 & 1)
			return false;
	return true;
}

bool nvcf_feature_load(const struct nvcf_ctrl *c, const struct nvcf_state *s,
		       struct nvcf_features *out)
{
	const struct nvcf_state_feature *one = s->features;

	*out = c->feat;
	for (size_t i = 0; i < NUM_FEATURES; i++) {
		if (!in_list(c, &table[i]))
			continue;
		if (one->fid != table[i].fid || one->reserved[0] || one->reserved[1] ||
		    one->reserved[2] || !value_ok(c, &table[i], le32toh(one->value)))
			return false;
		out->value[i] = le32toh(one++->value);
	}
	for (; one < s->features + NVCF_STATE_FEATURES; one++)
		if (one->fid || one->reserved[0] || one->reserved[1] || one->reserved[2] ||
		    one->value)
			return false;
	for (unsigned int i = 0; i < 2; i++)
		out->threshold[i] = le16toh(s->threshold[i]);
	if (!vectors_ok(s) || le64toh(s->timestamp) & ~TIMESTAMP_MASK ||
	    (s->flags & NVCF_STATE_TIMESTAMP && !nvcf_has_option(c, NVCF_OPT_TIMESTAMP)))
		return false;
	for (unsigned int i = 0; i < NVCF_VECTORS; i++)
		out->no_coalescing[i] = s->no_coalescing[i / 8] >> i % 8 & 1;
	out->timestamp = le64toh(s->timestamp);
	out->timestamp_at = vu_now();
	out->timestamp_set = s->flags & NVCF_STATE_TIMESTAMP;
	memcpy(out->host_id, s->host_id, sizeof(out->host_id));
	return true;
}

/* No feature belongs to a namespace: only none or all may be named. */
static int check_ns(const struct nvcf_ctrl *c, const struct nvcf_cmd *cmd, bool set)
{
	uint32_t nsid = le32toh(cmd->sqe.nsid);

	if (!nsid || nsid == NVS_NSID_ALL)
		return 0;
	if (!nvcf_ns(c, nsid))
		return NVS_SC_INVALID_NAMESPACE | NVS_SC_DNR;
	return set ? NVS_SC_NOT_NS_SPECIFIC | NVS_SC_DNR : 0;
}

int nvcf_set_features(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t cdw10 = le32toh(cmd->sqe.cdw10), val = le32toh(cmd->sqe.cdw11);
	const struct feature *f = find(c, cdw10 & 0xff);
	int st;

	if (!f)
		return BAD_FIELD;
	if (cdw10 & NVS_FEAT_SAVE)
		return NVS_SC_NOT_SAVEABLE | NVS_SC_DNR;
	st = check_ns(c, cmd, true);
	if (!st && (val & ~f->mask))
		st = BAD_FIELD;
	if (!st)
		st = nvcf_data(c, &cmd->sqe, false, f->bytes);
	if (!st && f->set)
		st = f->set(c, cmd, val);
	if (!st)
		c->feat.value[f - table] = f->fid == NVS_FEAT_QUEUES ? cmd->dw0 : val;
	return st;
}

int nvcf_get_features(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t cdw10 = le32toh(cmd->sqe.cdw10), select = NVS_FEAT_SELECT(cdw10);
	const struct feature *f = find(c, cdw10 & 0xff);
	int st = f && select <= NVS_SELECT_SUPPORTED ? check_ns(c, cmd, false) : BAD_FIELD;

	if (st)
		return st;
	if (select == NVS_SELECT_SUPPORTED) {
		cmd->dw0 = NVS_CAPABLE_CHANGE;
		return 0;
	}
	if (f->get)
		st = f->get(c, cmd, select);
	else
		cmd->dw0 = select == NVS_SELECT_CURRENT ? c->feat.value[f - table] : f->def;
	return st ? st : nvcf_data(c, &cmd->sqe, true, f->bytes);
}
