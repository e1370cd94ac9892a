// SPDX-License-Identifier: GPL-2.0
/* nvme_cf: the table of admin commands, and those that make and delete queues. */
#include <errno.h>

#include "nvme_cf.h"

static uint32_t cdw10(const struct nvcf_cmd *cmd)
{
	return le32toh(cmd->sqe.cdw10);
}

static uint32_t cdw11(const struct nvcf_cmd *cmd)
{
	return le32toh(cmd->sqe.cdw11);
}

static uint32_t most_queues(const struct nvcf_ctrl *c)
{
	return nvcf_feature(c, NVS_FEAT_QUEUES) & 0xffff;
}

/* What creating either kind of queue has in common; the value of NUMBER OF QUEUES is 0's based. */
static int check_queue(struct nvcf_ctrl *c, const struct nvcf_cmd *cmd, unsigned int entry_log2,
		       bool taken_sq)
{
	uint32_t qid = cdw10(cmd) & 0xffff, entries = (cdw10(cmd) >> 16) + 1;
	uint32_t max = (nvcf_cap(c) & 0xffff) + 1;
	unsigned int size_log2 = taken_sq ? NVS_CC_IOSQES(c->cc) : NVS_CC_IOCQES(c->cc);

	if (!qid || qid > most_queues(c) + 1 || (taken_sq ? c->sq[qid].live : c->cq[qid].live))
		return NVS_SC_INVALID_QID | NVS_SC_DNR;
	if (entries < 2 || entries > max || size_log2 != entry_log2)
		return NVS_SC_INVALID_QUEUE_SIZE | NVS_SC_DNR;
	if (!(cdw11(cmd) & NVS_QUEUE_PC))
		return NVS_SC_INVALID_FIELD | NVS_SC_DNR;
	if (le64toh(cmd->sqe.prp1) & (c->page - 1))
		return NVS_SC_INVALID_PRP_OFFSET | NVS_SC_DNR;
	return 0;
}

int nvcf_create_cq(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t qid = cdw10(cmd) & 0xffff, vector = cdw11(cmd) >> 16;
	int st = check_queue(c, cmd, NVS_CQES, false);

	if (st)
		return st;
	if (vector >= NVCF_VECTORS)
		return NVS_SC_INVALID_VECTOR | NVS_SC_DNR;
	c->cq[qid] = (struct nvcf_cq) {
		.live = true, .base = le64toh(cmd->sqe.prp1), .entries = (cdw10(cmd) >> 16) + 1,
		.ien = cdw11(cmd) & NVS_QUEUE_IEN, .vector = (uint16_t)vector, .phase = true,
	};
	return 0;
}

int nvcf_create_sq(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t qid = cdw10(cmd) & 0xffff, cqid = cdw11(cmd) >> 16;
	int st = check_queue(c, cmd, NVS_SQES, true);

	if (st)
		return st;
	if (!cqid || cqid > most_queues(c) + 1)
		return NVS_SC_INVALID_QID | NVS_SC_DNR;
	if (!c->cq[cqid].live)
		return NVS_SC_CQ_INVALID | NVS_SC_DNR;
	c->sq[qid] = (struct nvcf_sq) {
		.live = true, .base = le64toh(cmd->sqe.prp1), .entries = (cdw10(cmd) >> 16) + 1,
		.cqid = (uint16_t)cqid, .prio = cdw11(cmd) >> 1 & 3,
	};
	return 0;
}

/* Commands of the queue that are in work end before it does. */
int nvcf_delete_sq(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t qid = cdw10(cmd) & 0xffff;
	struct nvcf_cmd *one, *next;

	if (!qid || qid >= NVCF_QUEUES || !c->sq[qid].live)
		return NVS_SC_INVALID_QID | NVS_SC_DNR;
	for (one = TAILQ_FIRST(&c->active); one; one = next) {
		int err = 0;

		next = TAILQ_NEXT(one, link);
		if (one->sqid == qid)
			err = nvcf_finish(c, one, NVS_SC_ABORT_SQ_DELETED);
		if (err)
			return err;
	}
	c->sq[qid].live = false;
	return 0;
}

int nvcf_delete_cq(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t qid = cdw10(cmd) & 0xffff;

	if (!qid || qid >= NVCF_QUEUES || !c->cq[qid].live)
		return NVS_SC_INVALID_QID | NVS_SC_DNR;
	for (unsigned int i = 1; i < NVCF_QUEUES; i++)
		if (c->sq[i].live && c->sq[i].cqid == qid)
			return NVS_SC_INVALID_QUEUE_DELETION | NVS_SC_DNR;
	c->cq[qid].live = false;
	nvcf_intx_update(c);
	return 0;
}

/* Dword 0 is 0 when the command was aborted; one that is being completed is not. */
static int abort_command(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint16_t sqid = cdw10(cmd) & 0xffff, cid = (uint16_t)(cdw10(cmd) >> 16);
	struct nvcf_cmd *one;

	cmd->dw0 = 1;
	if (sqid >= NVCF_QUEUES || !c->sq[sqid].live)
		return NVS_SC_INVALID_FIELD | NVS_SC_DNR;
	TAILQ_FOREACH(one, &c->active, link) {
		if (one == cmd || one->sqid != sqid || le16toh(one->sqe.cid) != cid || one->done)
			continue;
		cmd->dw0 = 0;
		return nvcf_finish(c, one, NVS_SC_ABORT_REQUESTED);
	}
	if (!sqid && nvcf_cq_room(&c->cq[0]) && nvcf_event_withdraw(c, cid)) {
		cmd->dw0 = 0;
		return nvcf_post(c, 0, cid, 0, 0, NVS_SC_ABORT_REQUESTED);
	}
	return 0;
}

const struct nvcf_command nvcf_admin_commands[] = {
	{ "delete_sq", NVS_ADMIN_DELETE_SQ, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_DELETE_SQ, nvcf_delete_sq },
	{ "create_sq", NVS_ADMIN_CREATE_SQ, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_CREATE_SQ, nvcf_create_sq },
	{ "get_log", NVS_ADMIN_GET_LOG, NVS_DIR_TO_HOST, NVCF_BOTH, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_GET_LOG, nvcf_get_log },
	{ "delete_cq", NVS_ADMIN_DELETE_CQ, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_DELETE_CQ, nvcf_delete_cq },
	{ "create_cq", NVS_ADMIN_CREATE_CQ, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_CREATE_CQ, nvcf_create_cq },
	{ "identify", NVS_ADMIN_IDENTIFY, NVS_DIR_TO_HOST, NVCF_BOTH, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_IDENTIFY, nvcf_identify },
	{ "abort", NVS_ADMIN_ABORT, NVS_DIR_NONE, NVCF_BOTH, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_ABORT, abort_command },
	{ "set_features", NVS_ADMIN_SET_FEATURES, NVS_DIR_TO_CTRL, NVCF_BOTH, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_SET_FEATURES, nvcf_set_features },
	{ "get_features", NVS_ADMIN_GET_FEATURES, NVS_DIR_TO_HOST, NVCF_BOTH, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_GET_FEATURES, nvcf_get_features },
	{ "async_event", NVS_ADMIN_ASYNC_EVENT, NVS_DIR_NONE, NVCF_BOTH, 0, NVS_EFFECTS_CSUPP,
	  NVCF_FAULT_ASYNC_EVENT, nvcf_async_event },
	{ 0 }
};

const struct nvcf_command *nvcf_command_find(const struct nvcf_ctrl *c, bool io, uint8_t opcode)
{
	nvcf_for_each_command(w, io ? nvcf_io_commands : nvcf_admin_commands)
		if (w->opcode == opcode && (w->kinds & c->kind) && nvcf_has_option(c, w->option))
			return w;
	return NULL;
}
