// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: queues: doorbells, fetching, carrying out, completions.
 *
 * A command is fetched only when its completion queue has room for one more than what is
 * owed there, so that whatever was fetched can be completed without the host's help.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nvme_cf.h"

#define BURST		8u	/* commands fetched from a queue before the next one */
#define BUDGET		64u	/* commands a call */
#define AGAIN_NS	200000u

void nvcf_queue_reset(struct nvcf_ctrl *c)
{
	const struct nvcf_cmd *cmd;

	TAILQ_FOREACH(cmd, &c->active, link)
		c->dropped++;
	TAILQ_INIT(&c->active);
	TAILQ_INIT(&c->idle);
	for (unsigned int i = 0; i < NVCF_COMMANDS; i++)
		TAILQ_INSERT_TAIL(&c->idle, &c->cmds[i], link);
	memset(c->sq, 0, sizeof(c->sq));
	memset(c->cq, 0, sizeof(c->cq));
	memset(c->vector, 0, sizeof(c->vector));
	c->cursor = NULL;
	c->fetch_begun = false;
	c->next_sq = 0;
}

/* ---- doorbells ---- */

static uint32_t distance(uint32_t from, uint32_t to, uint32_t entries)
{
	return to >= from ? to - from : to + entries - from;
}

static bool sq_doorbell(struct nvcf_sq *sq, uint32_t val)
{
	if (val >= sq->entries)
		return false;
	sq->tail = val;
	return true;
}

static bool cq_doorbell(struct nvcf_cq *cq, uint32_t val)
{
	if (val >= cq->entries ||
	    distance(cq->head, val, cq->entries) > distance(cq->head, cq->tail, cq->entries))
		return false;
	cq->head = val;
	return true;
}

/* Doorbells rung while suspended count from the resume on. */
void nvcf_doorbell(struct nvcf_ctrl *c, unsigned int n, uint32_t val)
{
	unsigned int q = n / 2;
	bool is_cq = n & 1;

	if (!(c->csts & NVS_CSTS_RDY))
		return;
	if (is_cq ? !c->cq[q].live : !c->sq[q].live)
		nvcf_event(c, NVS_EVENT_ERROR, NVS_ERROR_DOORBELL_REGISTER);
	else if (is_cq ? !cq_doorbell(&c->cq[q], val) : !sq_doorbell(&c->sq[q], val))
		nvcf_event(c, NVS_EVENT_ERROR, NVS_ERROR_DOORBELL_VALUE);
	if (is_cq)
		nvcf_intx_update(c);
	vu_kick(c->dev);
}

/* ---- completions ---- */

bool nvcf_cq_room(const struct nvcf_cq *cq)
{
	return distance(cq->head, cq->tail, cq->entries) + cq->owed + 1 < cq->entries;
}

int nvcf_post(struct nvcf_ctrl *c, const struct nvcf_completion *what, uint32_t dw0,
	      uint32_t dw1)
{
	const struct nvcf_sq *sq = &c->sq[what->qid];
	struct nvcf_cq *cq = &c->cq[sq->cqid];
	struct nvs_cqe e = {
		.dw0 = htole32(dw0), .dw1 = htole32(dw1), .cid = htole16(what->cid),
		.sq_head = htole16((uint16_t)sq->head), .sqid = htole16(what->qid),
		.status = htole16((uint16_t)(what->status << 1 | cq->phase)),
	};
	const size_t last = offsetof(struct nvs_cqe, cid);
	uint64_t at = cq->base + cq->tail * sizeof(e);
	int err;

	/* The phase tag goes last: the host may look at any time. */
	err = nvcf_dma_write(c, at, &e, last);
	if (!err)
		err = nvcf_dma_write(c, at + last, (const uint8_t *)&e + last, sizeof(e) - last);
	if (err == -ECANCELED)
		return err;
	if (err) {
		nvcf_fatal(c);
		c->dropped++;
		return 0;
	}
	if (++cq->tail == cq->entries) {
		cq->tail = 0;
		cq->phase = !cq->phase;
	}
	c->completed++;
	c->failed += what->status != 0;
	nvcf_record_add(&c->record, what);
	nvcf_irq_post(c, cq, cq != &c->cq[0]);
	return 0;
}

void nvcf_cmd_free(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	if (c->cursor == cmd)
		c->cursor = TAILQ_NEXT(cmd, link);
	TAILQ_REMOVE(&c->active, cmd, link);
	TAILQ_INSERT_HEAD(&c->idle, cmd, link);
	c->cq[c->sq[cmd->sqid].cqid].owed--;
}

/* Without a fault point: of a command whose completion was delayed, or that ends otherwise. */
static int complete(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	const struct nvcf_completion what = {
		.mark = cmd->mark, .qid = cmd->sqid, .cid = le16toh(cmd->sqe.cid),
		.status = cmd->status, .opcode = cmd->sqe.opcode,
	};
	int err = nvcf_post(c, &what, cmd->dw0, cmd->dw1);

	if (!err)
		nvcf_cmd_free(c, cmd);
	return err;
}

int nvcf_finish(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, uint16_t status)
{
	cmd->status = status;
	if (status)
		nvcf_log_error(c, cmd, status);
	return complete(c, cmd);
}

/* ---- carrying out ---- */

static int run(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	bool io = cmd->sqid != 0;
	uint8_t psdt = NVS_PSDT(cmd->sqe.flags);

	if (cmd->forced)
		return cmd->forced;
	if (!cmd->what)
		return (cmd->known ? NVS_SC_INVALID_FIELD : NVS_SC_INVALID_OPCODE) | NVS_SC_DNR;
	/* No fused operations; SGLs only for I/O commands, and not with a metadata SGL. */
	if (NVS_FUSE(cmd->sqe.flags) || psdt == 3 ||
	    (psdt && (!io || !nvcf_has_option(c, NVCF_OPT_SGL))))
		return NVS_SC_INVALID_FIELD | NVS_SC_DNR;
	return cmd->what->run(c, cmd);
}

/* One step of a command that is due: it is carried out, or its delayed completion posted. */
static int advance(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	struct vu_fault_hit hit;
	int st;

	if (cmd->done)
		return complete(c, cmd);
	st = run(c, cmd);
	if (st == -EAGAIN) {
		cmd->wait.due = vu_now() + AGAIN_NS;
		vu_wake_at(c->dev, cmd->wait.due);
		return 0;
	}
	if (st < 0)
		return st;
	if (cmd->parked) {
		nvcf_cmd_free(c, cmd);
		return 0;
	}
	cmd->done = true;
	cmd->status = (uint16_t)st;
	if (st)
		nvcf_log_error(c, cmd, (uint16_t)st);
	vu_wait_begin(c->dev, &cmd->wait, NVCF_FAULT_POST, 0, &hit);
	if (!hit.fail)
		return vu_wait_over(c->dev, &cmd->wait) ? complete(c, cmd) : 0;
	nvcf_fatal(c);
	nvcf_cmd_free(c, cmd);
	c->dropped++;
	return 0;
}

static bool fetching(const struct nvcf_ctrl *c)
{
	return nvcf_ctrl_working(c) && c->run == NVCF_RUNNING;
}

/*
 * Commands that are there, each once, in order; false: the controller was reset.  What one
 * of them ends is left out.
 */
static bool advance_all(struct nvcf_ctrl *c)
{
	struct nvcf_cmd *cmd;

	for (cmd = TAILQ_FIRST(&c->active); cmd && nvcf_ctrl_working(c); cmd = c->cursor) {
		c->cursor = TAILQ_NEXT(cmd, link);
		if (vu_wait_over(c->dev, &cmd->wait) && advance(c, cmd))
			return false;
	}
	c->cursor = NULL;
	return true;
}

/* ---- fetching ---- */

/*
 * What a fault point of @c does to the command if it is armed: one of the controller that has
 * it, or that it is about.  @natural: how it fails by itself; true: it fails.
 */
static bool take_fault(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, unsigned int point,
		       uint16_t natural)
{
	struct vu_fault_hit hit;

	vu_wait_more(c->dev, &cmd->wait, point, &hit);
	if (hit.fail && !cmd->forced)
		cmd->forced = hit.code ? (uint16_t)(hit.code & NVS_SC_MASK) : natural;
	return hit.fail;
}

/* By these commands of the managing controller another one is stopped, saved and loaded. */
static unsigned int point_of_target(unsigned int point)
{
	switch (point) {
	case NVCF_FAULT_SUSPEND: return NVCF_FAULT_PAUSE;
	case NVCF_FAULT_GET_STATE: return NVCF_FAULT_SAVE;
	case NVCF_FAULT_SET_STATE: return NVCF_FAULT_LOAD;
	}
	return 0;
}

/* All I/O commands need the disk; it fails before they have done anything. */
static void take_faults(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	const struct nvcf_command *what = cmd->what;
	struct nvcf_ctrl *target;
	unsigned int of_target;
	bool writes;

	if (!what)
		return;
	writes = what->effects & NVS_EFFECTS_LBCC || cmd->sqe.opcode == NVS_IO_FLUSH;
	cmd->wait.due = vu_now();
	take_fault(c, cmd, what->fault, NVS_SC_INTERNAL);
	of_target = c->kind == NVCF_MANAGING ? point_of_target(what->fault) : 0;
	target = of_target ? nvcf_target(c, cmd) : NULL;
	if (target)
		take_fault(target, cmd, of_target, NVS_SC_INTERNAL);
	if (what->dir == NVS_DIR_TO_CTRL)
		take_fault(c, cmd, NVCF_FAULT_DATA_IN, NVS_SC_DATA_TRANSFER);
	else if (what->dir == NVS_DIR_TO_HOST)
		take_fault(c, cmd, NVCF_FAULT_DATA_OUT, NVS_SC_DATA_TRANSFER);
	if (!cmd->sqid)
		return;
	take_fault(c, cmd, NVCF_FAULT_OP, NVS_SC_INTERNAL);
	if (take_fault(c, cmd, NVCF_FAULT_DISK, writes ? NVS_SC_WRITE_FAULT : NVS_SC_READ_ERROR))
		c->health.media_errors++;
}

/* The fault point of the next fetch is passed once, however often it has to wait. */
static bool may_fetch(struct nvcf_ctrl *c)
{
	struct vu_fault_hit hit = { false };

	if (!c->fetch_begun)
		vu_wait_begin(c->dev, &c->fetch, NVCF_FAULT_FETCH, 0, &hit);
	if (hit.fail)
		nvcf_fatal(c);
	c->fetch_begun = !hit.fail && !vu_wait_over(c->dev, &c->fetch);
	return !hit.fail && !c->fetch_begun;
}

/* 1: one was fetched; 0: there is none, or it has to wait; -ECANCELED. */
static int fetch_one(struct nvcf_ctrl *c, uint16_t sqid)
{
	struct nvcf_cmd *cmd = TAILQ_FIRST(&c->idle);
	struct nvcf_sq *sq = &c->sq[sqid];
	struct nvs_sqe sqe;
	int err;

	if (!cmd || !sq->live || sq->head == sq->tail || !nvcf_cq_room(&c->cq[sq->cqid]) ||
	    !may_fetch(c))
		return 0;
	err = nvcf_dma_read(c, sq->base + sq->head * sizeof(sqe), &sqe, sizeof(sqe));
	if (err == -ECANCELED)
		return err;
	if (err) {
		nvcf_fatal(c);
		return 0;
	}
	sq->head = sq->head + 1 == sq->entries ? 0 : sq->head + 1;
	c->fetched++;
	TAILQ_REMOVE(&c->idle, cmd, link);
	*cmd = (struct nvcf_cmd){ .sqe = sqe, .sqid = sqid };
	cmd->what = nvcf_command_find(c, sqid != 0, &sqe, &cmd->known);
	TAILQ_INSERT_TAIL(&c->active, cmd, link);
	c->cq[sq->cqid].owed++;
	take_faults(c, cmd);
	return 1;
}

/* Round robin; true when something was fetched. */
static int fetch_round(struct nvcf_ctrl *c, unsigned int *budget)
{
	int any = 0;

	for (unsigned int i = 0; i < NVCF_QUEUES; i++) {
		unsigned int q = (c->next_sq + i) % NVCF_QUEUES;

		for (unsigned int n = 0; n < BURST && *budget && fetching(c); n++) {
			int got = fetch_one(c, (uint16_t)q);

			if (got < 0)
				return got;
			if (!got)
				break;
			any = 1;
			--*budget;
		}
	}
	c->next_sq = (c->next_sq + 1) % NVCF_QUEUES;
	return any;
}

void nvcf_queue_work(struct nvcf_ctrl *c)
{
	unsigned int budget = BUDGET;
	int got;

	do {
		if (!advance_all(c))
			return;
		got = fetching(c) ? fetch_round(c, &budget) : 0;
		if (got < 0)
			return;
	} while (got && budget);
	if (!advance_all(c))
		return;
	if (fetching(c) && nvcf_event_work(c))
		return;
	if (c->run == NVCF_SUSPENDED)
		return;
	if (!budget)
		vu_kick(c->dev);
	nvcf_irq_work(c);
}
