// SPDX-License-Identifier: GPL-2.0
/* nvme_cf: Get Log Page. */
#include <string.h>

#include "nvme_cf.h"

#define SUPPORTED_BYTES	1024u
#define FIRMWARE_BYTES	512u
#define CHANGED_BYTES	4096u
#define EFFECTS_BYTES	4096u
#define LOG_BYTES	4096u	/* the largest */
#define NSEC_PER_MINUTE	60000000000ull

/* Newest first. */
void nvcf_log_error(struct nvcf_ctrl *c, const struct nvcf_cmd *cmd, uint16_t status)
{
	struct nvs_error_entry *e = c->errors;

	memmove(&e[1], &e[0], sizeof(c->errors) - sizeof(e[0]));
	e[0] = (struct nvs_error_entry) {
		.count = htole64(++c->health.errors), .sqid = htole16(cmd->sqid), .cid =
			cmd->sqe.cid,
		.status = htole16((uint16_t)(status << 1)), .location = htole16(0xffff),
		.nsid = cmd->sqe.nsid,
	};
	if (cmd->sqid)
		e[0].lba =
			htole64(le32toh(cmd->sqe.cdw10) | (uint64_t)le32toh(cmd->sqe.cdw11) << 32);
}

static void fill_error(struct nvcf_ctrl *c, uint8_t *out)
{
	memcpy(out, c->errors, sizeof(c->errors));
}

static void fill_health(struct nvcf_ctrl *c, uint8_t *out)
{
	const struct nvcf_health *h = &c->health;
	uint64_t minutes = (vu_now() - c->powered) / NSEC_PER_MINUTE;
	struct nvs_health s = {
		.spare = 100, .spare_threshold = 10,
		.temperature = { (uint8_t)c->temperature, (uint8_t)(c->temperature >> 8) },
		.units_read = { htole64((h->read_units + 999) / 1000) },
		.units_written = { htole64((h->written_units + 999) / 1000) },
		.reads = { htole64(h->reads) }, .writes = { htole64(h->writes) },
		.power_cycles = { htole64(h->power_cycles) },
		.power_hours = { htole64(minutes / 60) },
		.unsafe_shutdowns = { htole64(h->unsafe_shutdowns) },
		.media_errors = { htole64(h->media_errors) },
		.error_entries = { htole64(h->errors) },
	};

	if (c->temperature >= c->feat.threshold[0] || c->temperature <= c->feat.threshold[1])
		s.warning |= NVS_WARNING_TEMPERATURE;
	memcpy(out, &s, sizeof(s));
}

/* Slot 1 is active. */
static void fill_firmware(struct nvcf_ctrl *c, uint8_t *out)
{
	out[0] = 1;
	memcpy(out + 8, c->profile.fr, sizeof(c->profile.fr));
}

static void fill_changed(struct nvcf_ctrl *c, uint8_t *out)
{
	uint32_t n = 0;

	for (uint32_t nsid = 1; nsid <= NVCF_MAX_NS; nsid++) {
		uint32_t le = htole32(nsid);

		if (c->changed_ns >> (nsid - 1) & 1)
			memcpy(out + 4 * n++, &le, sizeof(le));
	}
}

static void put_effects(const struct nvcf_ctrl *c, const struct nvcf_command *table, uint8_t *out)
{
	nvcf_for_each_command(w, table) {
		uint32_t le = htole32(w->effects);

		if ((w->kinds & c->kind) && nvcf_has_option(c, w->option))
			memcpy(out + 4 * w->opcode, &le, sizeof(le));
	}
}

static void fill_effects(struct nvcf_ctrl *c, uint8_t *out)
{
	put_effects(c, nvcf_admin_commands, out);
	put_effects(c, nvcf_io_commands, out + 1024);
}

/*
 * @event: the type whose next event may be told when this was read; or NVS_EVENT_TYPES
 * @fill: NULL for the list of these
 */
static const struct log {
	uint8_t id;
	uint32_t bytes;
	enum nvs_event_type event;
	void (*fill)(struct nvcf_ctrl *c, uint8_t *out);
} logs[] = {
	{ NVS_LOG_SUPPORTED, SUPPORTED_BYTES, NVS_EVENT_TYPES, NULL },
	{ NVS_LOG_ERROR, sizeof(((struct nvcf_ctrl *)0)->errors), NVS_EVENT_ERROR, fill_error },
	{ NVS_LOG_HEALTH, sizeof(struct nvs_health), NVS_EVENT_HEALTH, fill_health },
	{ NVS_LOG_FIRMWARE, FIRMWARE_BYTES, NVS_EVENT_TYPES, fill_firmware },
	{ NVS_LOG_CHANGED_NS, CHANGED_BYTES, NVS_EVENT_NOTICE, fill_changed },
	{ NVS_LOG_EFFECTS, EFFECTS_BYTES, NVS_EVENT_TYPES, fill_effects },
};

#define NUM_LOGS	(sizeof(logs) / sizeof(logs[0]))

static void fill_supported(uint8_t *out)
{
	for (size_t i = 0; i < NUM_LOGS; i++)
		out[4 * logs[i].id] = 1;
}

static const struct log *find(uint8_t id)
{
	for (size_t i = 0; i < NUM_LOGS; i++)
		if (logs[i].id == id)
			return &logs[i];
	return NULL;
}

/* Beyond its end a page reads as zero, but an offset beyond it is refused. */
int nvcf_get_log(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t cdw10 = le32toh(cmd->sqe.cdw10), cdw11 = le32toh(cmd->sqe.cdw11);
	uint64_t bytes = (((uint64_t)(cdw11 & 0xffff) << 16 | cdw10 >> 16) + 1) * 4;
	uint64_t off = le32toh(cmd->sqe.cdw12) | (uint64_t)le32toh(cmd->sqe.cdw13) << 32;
	const struct log *log = find(cdw10 & 0xff);
	uint8_t page[LOG_BYTES] = { 0 };
	int st;

	if (!log)
		return NVS_SC_INVALID_LOG | NVS_SC_DNR;
	/* No page belongs to a namespace. */
	if (cmd->sqe.nsid && le32toh(cmd->sqe.nsid) != NVS_NSID_ALL)
		return NVS_SC_INVALID_FIELD | NVS_SC_DNR;
	if (off & 3 || off > log->bytes || bytes > 4096u << c->profile.mdts)
		return NVS_SC_INVALID_FIELD | NVS_SC_DNR;
	if (log->fill)
		log->fill(c, page);
	else
		fill_supported(page);
	memset(c->buf, 0, bytes);
	memcpy(c->buf, page + off, bytes < log->bytes - off ? bytes : log->bytes - off);
	st = nvcf_data(c, &cmd->sqe, true, (uint32_t)bytes);
	if (st || (cdw10 & NVS_LOG_RAE) || log->event == NVS_EVENT_TYPES)
		return st;
	if (log->id == NVS_LOG_CHANGED_NS)
		c->changed_ns = 0;
	nvcf_event_seen(c, log->event);
	return 0;
}
