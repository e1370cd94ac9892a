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

	if (!qid || qid >= NVCF_QUEUES || qid > most_queues(c) + 1 ||
	    (taken_sq ? c->sq[qid].live : c->cq[qid].live))
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
	if (vector >= NVCF_VECTORS || (vector && !nvcf_msix_enabled(c)))
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
	if (!cqid || cqid >= NVCF_QUEUES || cqid > most_queues(c) + 1)
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

/* The end of the last command that waits for a suspension calls the suspension off. */
static int abort_one(struct nvcf_ctrl *c, struct nvcf_cmd *one)
{
	struct nvcf_ctrl *target = one->waits ? nvcf_target(c, one) : NULL;
	int err = nvcf_finish(c, one, NVS_SC_ABORT_REQUESTED);

	if (!err && target)
		nvcf_suspend_abandoned(c, target);
	return err;
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
		return abort_one(c, one);
	}
	if (!sqid && nvcf_cq_room(&c->cq[0]) && nvcf_event_withdraw(c, cid)) {
		const struct nvcf_completion what = {
			.cid = cid, .opcode = NVS_ADMIN_ASYNC_EVENT,
			.status = NVS_SC_ABORT_REQUESTED,
		};
		int err = nvcf_post(c, &what, 0, 0);

		cmd->dw0 = 0;
		c->dropped += err != 0;
		return err;
	}
	return 0;
}

const struct nvcf_command nvcf_admin_commands[] = {
	NVCF_COMMAND("delete_sq", NVS_ADMIN_DELETE_SQ, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, 0,
		     NVCF_FAULT_DELETE_SQ, nvcf_delete_sq),
	NVCF_COMMAND("create_sq", NVS_ADMIN_CREATE_SQ, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, 0,
		     NVCF_FAULT_CREATE_SQ, nvcf_create_sq),
	NVCF_COMMAND("get_log", NVS_ADMIN_GET_LOG, NVS_DIR_TO_HOST, NVCF_BOTH, 0, 0,
		     NVCF_FAULT_GET_LOG, nvcf_get_log),
	NVCF_COMMAND("delete_cq", NVS_ADMIN_DELETE_CQ, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, 0,
		     NVCF_FAULT_DELETE_CQ, nvcf_delete_cq),
	NVCF_COMMAND("create_cq", NVS_ADMIN_CREATE_CQ, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, 0,
		     NVCF_FAULT_CREATE_CQ, nvcf_create_cq),
	NVCF_COMMAND("identify", NVS_ADMIN_IDENTIFY, NVS_DIR_TO_HOST, NVCF_BOTH, 0, 0,
		     NVCF_FAULT_IDENTIFY, nvcf_identify),
	NVCF_COMMAND("abort", NVS_ADMIN_ABORT, NVS_DIR_NONE, NVCF_BOTH, 0, 0,
		     NVCF_FAULT_ABORT, abort_command),
	NVCF_COMMAND("set_features", NVS_ADMIN_SET_FEATURES, NVS_DIR_TO_CTRL, NVCF_BOTH, 0, 0,
		     NVCF_FAULT_SET_FEATURES, nvcf_set_features),
	NVCF_COMMAND("get_features", NVS_ADMIN_GET_FEATURES, NVS_DIR_TO_HOST, NVCF_BOTH, 0, 0,
		     NVCF_FAULT_GET_FEATURES, nvcf_get_features),
	NVCF_COMMAND("async_event", NVS_ADMIN_ASYNC_EVENT, NVS_DIR_NONE, NVCF_BOTH, 0, 0,
		     NVCF_FAULT_ASYNC_EVENT, nvcf_async_event),
	NVCF_COMMAND_SEL("suspend", NVS_ADMIN_MIGRATION_SEND, NVS_SEND_SUSPEND, NVS_DIR_NONE,
			 NVCF_MANAGING, 0,
			 NVCF_FAULT_SUSPEND, nvcf_suspend),
	NVCF_COMMAND_SEL("resume", NVS_ADMIN_MIGRATION_SEND, NVS_SEND_RESUME, NVS_DIR_NONE,
			 NVCF_MANAGING, 0,
			 NVCF_FAULT_RESUME, nvcf_resume),
	NVCF_COMMAND_SEL("set_state", NVS_ADMIN_MIGRATION_SEND, NVS_SEND_SET_STATE,
			 NVS_DIR_TO_CTRL, NVCF_MANAGING, 0,
			 NVCF_FAULT_SET_STATE, nvcf_set_state),
	NVCF_COMMAND_SEL("get_state", NVS_ADMIN_MIGRATION_RECEIVE, NVS_RECEIVE_STATE,
			 NVS_DIR_TO_HOST, NVCF_MANAGING, 0,
			 NVCF_FAULT_GET_STATE, nvcf_get_state),
	NVCF_COMMAND_SEL("track_send", NVS_ADMIN_TRACK_SEND, NVS_TRACK_MEMORY, NVS_DIR_TO_CTRL,
			 NVCF_MANAGING, 0,
			 NVCF_FAULT_TRACK_SEND, nvcf_track_send),
	NVCF_COMMAND_SEL("track_receive", NVS_ADMIN_TRACK_RECEIVE, NVS_TRACK_RECEIVE_MEMORY,
			 NVS_DIR_TO_HOST, NVCF_MANAGING, 0,
			 NVCF_FAULT_TRACK_RECEIVE, nvcf_track_receive),
	NVCF_COMMAND("profile_send", NVCF_ADMIN_PROFILE_SEND, NVS_DIR_TO_CTRL, NVCF_MANAGING, 0, 0,
		     NVCF_FAULT_PROFILE_SEND, nvcf_profile_send),
	NVCF_COMMAND("profile_receive", NVCF_ADMIN_PROFILE_RECEIVE, NVS_DIR_TO_HOST, NVCF_MANAGING,
		     0, 0,
		     NVCF_FAULT_PROFILE_RECEIVE, nvcf_profile_receive),
	{ .name = NULL }
};

const struct nvcf_command *nvcf_command_find(const struct nvcf_ctrl *c, bool io,
					     const struct nvs_sqe *sqe, bool *known)
{
	uint8_t sel = (uint8_t)le32toh(sqe->cdw10);

	*known = false;
	nvcf_for_each_command(w, io ? nvcf_io_commands : nvcf_admin_commands) {
		if (w->opcode != sqe->opcode || !(w->kinds & c->kind) ||
		    !nvcf_has_option(c, w->option))
			continue;
		if (!w->by_sel || w->sel == sel)
			return w;
		*known = true;
	}
	return NULL;
}
