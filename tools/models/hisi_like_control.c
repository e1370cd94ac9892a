// SPDX-License-Identifier: GPL-2.0
/*
 * hisi_like: the control page (section 3): pause and drain, freeze, and the contexts.
 * Nothing that the user does to the lower half may disturb what is here.
 */
#include <string.h>

#include "hisi_like.h"

void hisil_control_reset(struct hisil *h)
{
	memset(&h->cp, 0, sizeof(h->cp));
}

/* ---- contexts ---- */

static uint32_t context_len(const struct hisil *h, uint32_t sel)
{
	if (sel == HISIL_SEL_GLOBAL)
		return HISIL_CTX_BYTES;
	if (sel >= h->queues)
		return 0;
	return HISIL_CTX_BYTES + h->q[sel].regs.parked * HISIL_SQE_BYTES;
}

static void read_global(struct hisil *h)
{
	struct hisil_global_ctx g = {
		.magic = HISIL_GLOBAL_MAGIC, .version = h->version, .ctrl = h->ctrl,
		.status = h->status, .ops_done = h->ops_done, .ops_failed = h->ops_failed,
	};

	memcpy(h->cp.window, &g, sizeof(g));
}

static void read_queue(struct hisil *h, uint32_t n)
{
	const struct hisil_queue *q = &h->q[n];
	struct hisil_queue_ctx r = q->regs;

	r.magic = HISIL_QUEUE_MAGIC;
	r.queue = n;
	if (vu_msix_pending(h->dev, n))
		r.irq_owed = 1;
	memcpy(h->cp.window, &r, sizeof(r));
	memcpy(h->cp.window + sizeof(r), q->entries, r.parked * HISIL_SQE_BYTES);
}

static uint32_t run_read(struct hisil *h, uint32_t sel)
{
	if (!context_len(h, sel))
		return HISIL_ERR_BAD_SELECT;
	memset(h->cp.window, 0, sizeof(h->cp.window));
	if (sel == HISIL_SEL_GLOBAL)
		read_global(h);
	else
		read_queue(h, sel);
	return 0;
}

static uint32_t write_global(struct hisil *h)
{
	static const uint8_t zero[32];
	struct hisil_global_ctx g;

	if (h->cp.wlen != sizeof(g))
		return HISIL_ERR_BAD_LENGTH;
	memcpy(&g, h->cp.window, sizeof(g));
	if (g.magic != HISIL_GLOBAL_MAGIC || g.version < h->oldest || g.version > h->version ||
	    (g.ctrl & ~HISIL_CTRL_ENABLE) ||
	    (g.status & ~(HISIL_STATUS_READY | HISIL_STATUS_FATAL)) ||
	    g.ops_failed > g.ops_done || memcmp(g.reserved, zero, sizeof(zero)))
		return HISIL_ERR_BAD_CONTEXT;
	h->ctrl = g.ctrl;
	h->status = (h->status & HISIL_STATUS_READY) | (g.status & HISIL_STATUS_FATAL);
	h->ops_done = g.ops_done;
	h->ops_failed = g.ops_failed;
	return 0;
}

static bool status_ok(const struct hisil_queue_ctx *r)
{
	uint32_t code = r->qstatus >> 8 & 0xff;
	bool error = r->qstatus & HISIL_QSTATUS_ERROR;

	if (r->qstatus & ~(0xff00u | HISIL_QSTATUS_ENABLED | HISIL_QSTATUS_ERROR))
		return false;
	if (error && (r->qstatus & HISIL_QSTATUS_ENABLED))
		return false;
	return error ? code >= HISIL_Q_BAD_RING && code <= HISIL_Q_DMA : !code;
}

/*
 * What the registers would refuse.  SQ_HEAD is a 32-bit counter: after it has wrapped,
 * it may be smaller than the number of parked entries that precede it.
 */
static bool queue_ctx_ok(const struct hisil *h, const struct hisil_queue_ctx *r)
{
	uint32_t unread = r->cq_tail - r->cq_head;
	uint32_t queued = r->sq_tail - r->sq_head;
	bool wrapped = r->seq >> 32 || r->seq + r->parked > UINT32_MAX;

	if ((r->qctrl & ~(HISIL_QCTRL_ENABLE | HISIL_QCTRL_IRQ)) || !status_ok(r) ||
	    r->irq_owed > 1)
		return false;
	if (!(r->qstatus & HISIL_QSTATUS_ENABLED))
		return !r->parked;
	return (r->qctrl & HISIL_QCTRL_ENABLE) && hisil_queue_bases_ok(h, r) && queued <= r->size &&
	       unread <= r->size && r->parked <= r->size - unread &&
	       (r->parked <= r->sq_head || wrapped);
}

static uint32_t write_queue(struct hisil *h, uint32_t n)
{
	struct hisil_queue *q = &h->q[n];
	struct hisil_queue_ctx r;

	if (h->cp.wlen < sizeof(r))
		return HISIL_ERR_BAD_LENGTH;
	memcpy(&r, h->cp.window, sizeof(r));
	if (r.magic != HISIL_QUEUE_MAGIC || r.queue != n || r.parked > HISIL_MAX_PARKED)
		return HISIL_ERR_BAD_CONTEXT;
	if (h->cp.wlen != HISIL_CTX_BYTES + r.parked * HISIL_SQE_BYTES)
		return HISIL_ERR_BAD_LENGTH;
	if (!queue_ctx_ok(h, &r))
		return HISIL_ERR_BAD_CONTEXT;
	memset(q, 0, sizeof(*q));
	q->regs = r;
	memcpy(q->entries, h->cp.window + sizeof(r), r.parked * HISIL_SQE_BYTES);
	return 0;
}

static uint32_t run_write(struct hisil *h, uint32_t sel)
{
	if (!context_len(h, sel))
		return HISIL_ERR_BAD_SELECT;
	return sel == HISIL_SEL_GLOBAL ? write_global(h) : write_queue(h, sel);
}

/* ---- commands ---- */

static uint32_t run_command(struct hisil *h)
{
	struct hisil_control *cp = &h->cp;

	if (cp->cmd_fail)
		return cp->cmd_fail;
	if (cp->cmd == HISIL_CMD_CLEAR) {
		hisil_contexts_clear(h);
		return 0;
	}
	if (!(cp->pause & HISIL_FREEZE))
		return HISIL_ERR_NOT_FROZEN;
	if (h->isolated)
		return HISIL_ERR_ISOLATED;
	return cp->cmd == HISIL_CMD_READ ? run_read(h, cp->cmd_sel) : run_write(h, cp->cmd_sel);
}

static void end_command(struct hisil *h, uint32_t err)
{
	h->cp.stat = err ? HISIL_FAILED : HISIL_IDLE;
	if (err)
		h->cp.err = err;
	h->cp.cmd = 0;
}

static void command_work(struct hisil *h)
{
	if (h->cp.stat == HISIL_BUSY && vu_wait_over(h->dev, &h->cp.busy))
		end_command(h, run_command(h));
}

static void start_command(struct hisil *h, uint32_t cmd)
{
	static const unsigned int points[] = {
		[HISIL_CMD_READ] = HISIL_FAULT_SAVE,
		[HISIL_CMD_WRITE] = HISIL_FAULT_LOAD,
		[HISIL_CMD_CLEAR] = HISIL_FAULT_CLEAR,
	};
	struct hisil_control *cp = &h->cp;
	struct vu_fault_hit hit;

	if (cp->stat == HISIL_BUSY)
		return;
	if (cmd < HISIL_CMD_READ || cmd > HISIL_CMD_CLEAR) {
		end_command(h, HISIL_ERR_BAD_COMMAND);
		return;
	}
	cp->cmd = cmd;
	cp->cmd_sel = cp->sel;
	cp->stat = HISIL_BUSY;
	vu_wait_begin(h->dev, &cp->busy, points[cmd], 0, &hit);
	cp->cmd_fail = hit.fail ? (hit.code ? hit.code : HISIL_ERR_INTERNAL) : 0;
	command_work(h);
}

/* ---- pause ---- */

static void drain_failed(struct hisil *h, uint32_t err)
{
	h->cp.drain = HISIL_DRAIN_FAILED;
	h->cp.err = err;
}

static void drain_work(struct hisil *h)
{
	struct hisil_control *cp = &h->cp;

	if (cp->drain != HISIL_DRAINING)
		return;
	if (cp->draining.hang && vu_fault_hanging(h->dev, HISIL_FAULT_PAUSE))
		return;
	if (vu_wait_over(h->dev, &cp->draining) && hisil_idle(h)) {
		cp->drain = HISIL_DRAINED;
		vu_irq_hold(h->dev, true);
	} else if (vu_now() >= cp->drain_deadline) {
		drain_failed(h, HISIL_ERR_DRAIN_TIMEOUT);
	} else {
		vu_wake_at(h->dev, cp->drain_deadline);
	}
}

static void start_pause(struct hisil *h)
{
	struct hisil_control *cp = &h->cp;
	struct vu_fault_hit hit;

	cp->drain = HISIL_DRAINING;
	cp->drain_deadline = vu_now() + h->drain_ms * NSEC_PER_MSEC;
	vu_wait_begin(h->dev, &cp->draining, HISIL_FAULT_PAUSE, 0, &hit);
	if (hit.fail)
		drain_failed(h, hit.code ? hit.code : HISIL_ERR_DRAIN_TIMEOUT);
	else
		drain_work(h);
}

static void end_pause(struct hisil *h)
{
	h->cp.drain = HISIL_RUNNING;
	/* What is still pending joins the one interrupt of the resume. */
	for (unsigned int n = 0; n < h->queues; n++) {
		h->q[n].resume = true;
		if (vu_msix_take_pending(h->dev, n))
			h->q[n].regs.irq_owed = 1;
	}
	vu_irq_hold(h->dev, false);
	vu_kick(h->dev);
}

static void write_pause(struct hisil *h, uint32_t val)
{
	struct hisil_control *cp = &h->cp;
	bool was = cp->pause & HISIL_PAUSE;

	if (!(val & HISIL_PAUSE)) {
		cp->pause = 0;
		if (was)
			end_pause(h);
		return;
	}
	cp->pause |= HISIL_PAUSE;
	if (!was) {
		start_pause(h);
	} else if ((val & HISIL_REVOKE) && h->revoke && cp->drain != HISIL_DRAINED) {
		hisil_revoke(h);
		start_pause(h);
	}
	cp->pause &= ~HISIL_FREEZE;
	if ((val & HISIL_FREEZE) && cp->drain == HISIL_DRAINED)
		cp->pause |= HISIL_FREEZE;
}

void hisil_control_work(struct hisil *h)
{
	drain_work(h);
	command_work(h);
}

/* ---- registers ---- */

const struct vu_claim hisil_claims[] = {
	{ "rev", HISIL_CP_REV, 4 }, { "version", HISIL_CP_VERSION, 4 },
	{ "limits", HISIL_CP_LIMITS, 4 }, { "algs", HISIL_CP_ALGS, 4 },
	{ "isolation", HISIL_CP_ISOLATION, 4 }, { "max_xfer", HISIL_CP_MAX_XFER, 4 },
	{ "drain_ms", HISIL_CP_DRAIN_MS, 4 }, { "len", HISIL_CP_LEN, 4 }, { NULL, 0, 0 },
};

uint32_t hisil_control_read(struct hisil *h, uint32_t off)
{
	const struct hisil_control *cp = &h->cp;
	uint32_t val = 0;

	if (off >= HISIL_CP_WINDOW && off < HISIL_CP_WINDOW + HISIL_CP_WINDOW_BYTES) {
		memcpy(&val, cp->window + (off - HISIL_CP_WINDOW), sizeof(val));
		return val;
	}
	if (vu_claimed(&h->claims, off, &val))
		return val;
	/* Not known yet. */
	if (off >= HISIL_CP_REV && off <= HISIL_CP_DRAIN_MS && !(h->status & HISIL_STATUS_READY))
		return 0;
	switch (off) {
	case HISIL_CP_ID: return HISIL_CP_ID_VALUE;
	case HISIL_CP_REV: return h->rev;
	case HISIL_CP_VERSION: return h->oldest << 16 | h->version;
	case HISIL_CP_LIMITS: return hisil_queues_reg(h);
	case HISIL_CP_ALGS: return h->algs;
	case HISIL_CP_ISOLATION: return h->isolated;
	case HISIL_CP_MAX_XFER: return HISIL_XFER_BYTES;
	case HISIL_CP_DRAIN_MS: return (uint32_t)h->drain_ms;
	case HISIL_CP_PAUSE: return cp->pause;
	case HISIL_CP_DRAIN: return cp->drain;
	case HISIL_CP_ERR: return cp->err;
	case HISIL_CP_SEL: return cp->sel;
	case HISIL_CP_LEN: return context_len(h, cp->sel);
	case HISIL_CP_STAT: return cp->stat;
	case HISIL_CP_WLEN: return cp->wlen;
	case HISIL_CP_CAPS: return h->revoke ? HISIL_CAP_REVOKE : 0;
	}
	return 0;
}

void hisil_control_write(struct hisil *h, uint32_t off, uint32_t val)
{
	struct hisil_control *cp = &h->cp;

	/* A command under way owns its window. */
	if (off >= HISIL_CP_WINDOW && off < HISIL_CP_WINDOW + HISIL_CP_WINDOW_BYTES) {
		if (cp->stat != HISIL_BUSY)
			memcpy(cp->window + (off - HISIL_CP_WINDOW), &val, sizeof(val));
		return;
	}
	switch (off) {
	case HISIL_CP_PAUSE: write_pause(h, val); break;
	case HISIL_CP_ERR: cp->err = 0; break;
	case HISIL_CP_SEL: cp->sel = val; break;
	case HISIL_CP_CMD: start_command(h, val); break;
	case HISIL_CP_WLEN: cp->wlen = val; break;
	}
}
