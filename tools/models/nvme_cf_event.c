// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: asynchronous events.  Of each type one is told, and the next one after its log
 * page has been read.
 */
#include <string.h>

#include "nvme_cf.h"

static const struct {
	uint8_t log;
	uint32_t infos;		/* a bit for each that this controller has */
} types[NVS_EVENT_TYPES] = {
	[NVS_EVENT_ERROR] = {
		NVS_LOG_ERROR, 1u << NVS_ERROR_DOORBELL_REGISTER | 1u << NVS_ERROR_DOORBELL_VALUE,
	},
	[NVS_EVENT_HEALTH] = { NVS_LOG_HEALTH, 1u << NVS_HEALTH_TEMPERATURE },
	[NVS_EVENT_NOTICE] = { NVS_LOG_CHANGED_NS, 1u << NVS_NOTICE_NS_CHANGED },
};

bool nvcf_events_known(enum nvs_event_type type, uint32_t pending)
{
	return !(pending & ~types[type].infos);
}

void nvcf_event(struct nvcf_ctrl *c, enum nvs_event_type type, unsigned int info)
{
	c->events.pending[type] |= 1u << info;
	vu_kick(c->dev);
}

void nvcf_event_seen(struct nvcf_ctrl *c, enum nvs_event_type type)
{
	c->events.masked[type] = false;
	vu_kick(c->dev);
}

int nvcf_async_event(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	struct nvcf_events *e = &c->events;

	if (e->outstanding == NVCF_AER_LIMIT)
		return NVS_SC_ASYNC_EVENT_LIMIT | NVS_SC_DNR;
	for (unsigned int i = 0; i < e->outstanding; i++)
		if (e->aer[i] == le16toh(cmd->sqe.cid))
			return NVS_SC_CID_CONFLICT | NVS_SC_DNR;
	e->aer[e->outstanding++] = le16toh(cmd->sqe.cid);
	cmd->parked = true;
	return 0;
}

static void take(struct nvcf_events *e, unsigned int at)
{
	memmove(&e->aer[at], &e->aer[at + 1], (--e->outstanding - at) * sizeof(e->aer[0]));
}

bool nvcf_event_withdraw(struct nvcf_ctrl *c, uint16_t cid)
{
	for (unsigned int i = 0; i < c->events.outstanding; i++) {
		if (c->events.aer[i] != cid)
			continue;
		take(&c->events, i);
		return true;
	}
	return false;
}

int nvcf_event_work(struct nvcf_ctrl *c)
{
	struct nvcf_events *e = &c->events;

	for (unsigned int t = 0; t < NVS_EVENT_TYPES; t++) {
		struct nvcf_completion what = { .opcode = NVS_ADMIN_ASYNC_EVENT };
		uint32_t info = 0;
		int err;

		if (!e->pending[t] || e->masked[t] || !e->outstanding || !nvcf_cq_room(&c->cq[0]))
			continue;
		while (!(e->pending[t] >> info & 1))
			info++;
		what.cid = e->aer[0];
		take(e, 0);
		e->pending[t] &= ~(1u << info);
		e->masked[t] = true;
		err = nvcf_post(c, &what, t | info << 8 | (uint32_t)types[t].log << 16, 0);
		if (err) {
			c->dropped++;
			return err;
		}
	}
	return 0;
}

/* The thresholds are for the composite temperature; crossing one is an event if it is wanted. */
void nvcf_temperature(struct nvcf_ctrl *c, uint16_t kelvin)
{
	c->temperature = kelvin;
	if ((kelvin >= c->feat.threshold[0] || kelvin <= c->feat.threshold[1]) &&
	    (nvcf_feature(c, NVS_FEAT_ASYNC_EVENT) & NVS_AEC_TEMPERATURE))
		nvcf_event(c, NVS_EVENT_HEALTH, NVS_HEALTH_TEMPERATURE);
}

void nvcf_ns_changed(struct nvcf_ctrl *c, uint32_t nsid)
{
	c->changed_ns |= 1u << (nsid - 1);
	if (nvcf_feature(c, NVS_FEAT_ASYNC_EVENT) & NVS_AEC_NS_CHANGED)
		nvcf_event(c, NVS_EVENT_NOTICE, NVS_NOTICE_NS_CHANGED);
}
