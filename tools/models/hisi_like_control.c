// SPDX-License-Identifier: GPL-2.0
/*
 * hisi_like: the control page (section 3): pause and drain, freeze, and the contexts.
 * Nothing that the user does to the lower half may disturb what is here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_like.h"

#define CP_ID_VALUE	0x434c5348u
#define NSEC_PER_MSEC	1000000ull

enum {
	CP_ID = 0x00, CP_REV = 0x04, CP_VERSION = 0x08, CP_LIMITS = 0x0c, CP_ALGS = 0x10,
	CP_ISOLATION = 0x14, CP_MAX_XFER = 0x18, CP_DRAIN_MS = 0x1c, CP_PAUSE = 0x20,
	CP_DRAIN = 0x24, CP_ERR = 0x28, CP_SEL = 0x30, CP_LEN = 0x34, CP_CMD = 0x38,
	CP_STAT = 0x3c, CP_WLEN = 0x40, CP_CAPS = 0x44,
};

void hsl_control_reset(struct hsl *h)
{
	memset(&h->cp, 0, sizeof(h->cp));
}

/* ---- contexts ---- */

static uint32_t context_len(const struct hsl *h, uint32_t sel)
{
	if (sel == HSL_SEL_GLOBAL)
		return HSL_CTX_BYTES;
	if (sel >= h->queues)
		return 0;
	return HSL_CTX_BYTES + h->q[sel].regs.parked * HSL_SQE_BYTES;
}

static void read_global(struct hsl *h)
{
	struct hsl_global_ctx g = {
		.magic = HSL_GLOBAL_MAGIC, .version = h->version, .ctrl = h->ctrl,
		.status = h->status, .ops_done = h->ops_done, .ops_failed = h->ops_failed,
	};

	memcpy(h->cp.window, &g, sizeof(g));
}

static void read_queue(struct hsl *h, uint32_t n)
{
	const struct hsl_queue *q = &h->q[n];
	struct hsl_queue_ctx r = q->regs;

	r.magic = HSL_QUEUE_MAGIC;
	r.queue = n;
	if (vu_msix_pending(h->dev, n))
		r.irq_owed = 1;
	memcpy(h->cp.window, &r, sizeof(r));
	memcpy(h->cp.window + sizeof(r), q->entries, r.parked * HSL_SQE_BYTES);
}

static uint32_t run_read(struct hsl *h, uint32_t sel)
{
	if (!context_len(h, sel))
		return HSL_ERR_BAD_SELECT;
	memset(h->cp.window, 0, sizeof(h->cp.window));
	if (sel == HSL_SEL_GLOBAL)
		read_global(h);
	else
		read_queue(h, sel);
	return 0;
}

static uint32_t write_global(struct hsl *h)
{
	static const uint8_t zero[32];
	struct hsl_global_ctx g;

	if (h->cp.wlen != sizeof(g))
		return HSL_ERR_BAD_LENGTH;
	memcpy(&g, h->cp.window, sizeof(g));
	if (g.magic != HSL_GLOBAL_MAGIC || g.version < h->oldest || g.version > h->version ||
	    (g.ctrl & ~HSL_CTRL_ENABLE) ||
	    (g.status & ~(HSL_STATUS_READY | HSL_STATUS_FATAL)) ||
	    g.ops_failed > g.ops_done || memcmp(g.reserved, zero, sizeof(zero)))
		return HSL_ERR_BAD_CONTEXT;
	h->ctrl = g.ctrl;
	h->status = (h->status & HSL_STATUS_READY) | (g.status & HSL_STATUS_FATAL);
	h->ops_done = g.ops_done;
	h->ops_failed = g.ops_failed;
	return 0;
}

static bool status_ok(const struct hsl_queue_ctx *r)
{
	uint32_t code = r->qstatus >> 8 & 0xff;
	bool error = r->qstatus & HSL_QSTATUS_ERROR;

	if (r->qstatus & ~(0xff00u | HSL_QSTATUS_ENABLED | HSL_QSTATUS_ERROR))
		return false;
	if (error && (r->qstatus & HSL_QSTATUS_ENABLED))
		return false;
	return error ? code >= HSL_Q_BAD_RING && code <= HSL_Q_DMA : !code;
}

/*
 * What the registers would refuse.  SQ_HEAD is a 32-bit counter: after it has wrapped,
 * it may be smaller than the number of parked entries that precede it.
 */
static bool queue_ctx_ok(const struct hsl *h, const struct hsl_queue_ctx *r)
{
	uint32_t unread = r->cq_tail - r->cq_head;
	uint32_t queued = r->sq_tail - r->sq_head;
	bool wrapped = r->seq >> 32 || r->seq + r->parked > UINT32_MAX;

	if ((r->qctrl & ~(HSL_QCTRL_ENABLE | HSL_QCTRL_IRQ)) || !status_ok(r) || r->irq_owed > 1)
		return false;
	if (!(r->qstatus & HSL_QSTATUS_ENABLED))
		return !r->parked;
	return (r->qctrl & HSL_QCTRL_ENABLE) && hsl_queue_bases_ok(h, r) && queued <= r->size &&
	       unread <= r->size && r->parked <= r->size - unread &&
	       (r->parked <= r->sq_head || wrapped);
}

static uint32_t write_queue(struct hsl *h, uint32_t n)
{
	struct hsl_queue *q = &h->q[n];
	struct hsl_queue_ctx r;

	if (h->cp.wlen < sizeof(r))
		return HSL_ERR_BAD_LENGTH;
	memcpy(&r, h->cp.window, sizeof(r));
	if (r.magic != HSL_QUEUE_MAGIC || r.queue != n || r.parked > HSL_MAX_PARKED)
		return HSL_ERR_BAD_CONTEXT;
	if (h->cp.wlen != HSL_CTX_BYTES + r.parked * HSL_SQE_BYTES)
		return HSL_ERR_BAD_LENGTH;
	if (!queue_ctx_ok(h, &r))
		return HSL_ERR_BAD_CONTEXT;
	memset(q, 0, sizeof(*q));
	q->regs = r;
	memcpy(q->entries, h->cp.window + sizeof(r), r.parked * HSL_SQE_BYTES);
	return 0;
}

static uint32_t run_write(struct hsl *h, uint32_t sel)
{
	if (!context_len(h, sel))
		return HSL_ERR_BAD_SELECT;
	return sel == HSL_SEL_GLOBAL ? write_global(h) : write_queue(h, sel);
}

/* ---- commands ---- */

static uint32_t run_command(struct hsl *h)
{
	struct hsl_control *cp = &h->cp;

	if (cp->cmd_fail)
		return cp->cmd_fail;
	if (cp->cmd == HSL_CMD_CLEAR) {
		hsl_contexts_clear(h);
		return 0;
	}
	if (!(cp->pause & HSL_FREEZE))
		return HSL_ERR_NOT_FROZEN;
	if (h->isolated)
		return HSL_ERR_ISOLATED;
	return cp->cmd == HSL_CMD_READ ? run_read(h, cp->cmd_sel) : run_write(h, cp->cmd_sel);
}

static void end_command(struct hsl *h, uint32_t err)
{
	h->cp.stat = err ? HSL_FAILED : HSL_IDLE;
	if (err)
		h->cp.err = err;
	h->cp.cmd = 0;
}

static void start_command(struct hsl *h, uint32_t cmd)
{
	static const unsigned int points[] = {
		[HSL_CMD_READ] = HSL_FAULT_CTX_READ,
		[HSL_CMD_WRITE] = HSL_FAULT_CTX_WRITE,
		[HSL_CMD_CLEAR] = HSL_FAULT_CLEAR,
	};
	struct hsl_control *cp = &h->cp;
	struct vu_fault_hit hit;

	if (cp->stat == HSL_BUSY)
		return;
	if (cmd < HSL_CMD_READ || cmd > HSL_CMD_CLEAR) {
		end_command(h, HSL_ERR_BAD_COMMAND);
		return;
	}
	vu_fault_take(h->dev, points[cmd], &hit);
	cp->cmd = cmd;
	cp->cmd_sel = cp->sel;
	cp->cmd_fault = points[cmd];
	cp->cmd_hang = hit.hang;
	cp->cmd_fail = hit.fail ? (hit.code ? hit.code : HSL_ERR_INTERNAL) : 0;
	if (!hit.hang && !hit.delay_ns) {
		end_command(h, run_command(h));
		return;
	}
	cp->stat = HSL_BUSY;
	cp->cmd_due = vu_now() + hit.delay_ns;
	vu_wake_at(h->dev, cp->cmd_due);
}

static void command_work(struct hsl *h)
{
	struct hsl_control *cp = &h->cp;

	if (cp->stat != HSL_BUSY)
		return;
	if (cp->cmd_hang && vu_fault_hanging(h->dev, cp->cmd_fault))
		return;
	if (vu_now() < cp->cmd_due)
		vu_wake_at(h->dev, cp->cmd_due);
	else
		end_command(h, run_command(h));
}

/* ---- pause ---- */

static void drain_failed(struct hsl *h, uint32_t err)
{
	h->cp.drain = HSL_DRAIN_FAILED;
	h->cp.err = err;
}

static void drain_work(struct hsl *h)
{
	struct hsl_control *cp = &h->cp;
	uint64_t now = vu_now();

	if (cp->drain != HSL_DRAINING)
		return;
	if (cp->drain_hang && vu_fault_hanging(h->dev, HSL_FAULT_PAUSE))
		return;
	if (hsl_idle(h) && now >= cp->drain_not_before) {
		cp->drain = HSL_DRAINED;
		vu_irq_hold(h->dev, true);
	} else if (now >= cp->drain_deadline) {
		drain_failed(h, HSL_ERR_DRAIN_TIMEOUT);
	} else {
		vu_wake_at(h->dev, cp->drain_deadline);
		if (now < cp->drain_not_before)
			vu_wake_at(h->dev, cp->drain_not_before);
	}
}

static void start_pause(struct hsl *h)
{
	struct hsl_control *cp = &h->cp;
	struct vu_fault_hit hit;
	uint64_t now = vu_now();

	vu_fault_take(h->dev, HSL_FAULT_PAUSE, &hit);
	cp->drain = HSL_DRAINING;
	cp->drain_hang = hit.hang;
	cp->drain_not_before = now + hit.delay_ns;
	cp->drain_deadline = now + h->drain_ms * NSEC_PER_MSEC;
	if (hit.fail)
		drain_failed(h, hit.code ? hit.code : HSL_ERR_DRAIN_TIMEOUT);
	else
		drain_work(h);
}

static void end_pause(struct hsl *h)
{
	h->cp.drain = HSL_RUNNING;
	/* What is still pending joins the one interrupt of the resume. */
	for (unsigned int n = 0; n < h->queues; n++) {
		h->q[n].resume = true;
		if (vu_msix_take_pending(h->dev, n))
			h->q[n].regs.irq_owed = 1;
	}
	vu_irq_hold(h->dev, false);
	vu_kick(h->dev);
}

static void write_pause(struct hsl *h, uint32_t val)
{
	struct hsl_control *cp = &h->cp;
	bool was = cp->pause & HSL_PAUSE;

	if (!(val & HSL_PAUSE)) {
		cp->pause = 0;
		if (was)
			end_pause(h);
		return;
	}
	cp->pause |= HSL_PAUSE;
	if (!was) {
		start_pause(h);
	} else if ((val & HSL_REVOKE) && h->revoke && cp->drain != HSL_DRAINED) {
		hsl_revoke(h);
		start_pause(h);
	}
	cp->pause &= ~HSL_FREEZE;
	if ((val & HSL_FREEZE) && cp->drain == HSL_DRAINED)
		cp->pause |= HSL_FREEZE;
}

void hsl_control_work(struct hsl *h)
{
	drain_work(h);
	command_work(h);
}

/* ---- registers ---- */

static const struct {
	const char *name;
	uint32_t off;
} claims[HSL_CLAIMS] = {
	{ "rev", CP_REV }, { "version", CP_VERSION }, { "limits", CP_LIMITS },
	{ "algs", CP_ALGS }, { "isolation", CP_ISOLATION }, { "max_xfer", CP_MAX_XFER },
	{ "drain_ms", CP_DRAIN_MS }, { "len", CP_LEN },
};

int hsl_control_claim(struct hsl *h, int argc, char **argv)
{
	char *end;

	if (argc == 2 && !strcmp(argv[1], "clear")) {
		memset(h->claims, 0, sizeof(h->claims));
		return 0;
	}
	for (unsigned int i = 0; argc == 3 && i < HSL_CLAIMS; i++) {
		unsigned long long val;

		if (strcmp(argv[1], claims[i].name))
			continue;
		errno = 0;
		val = strtoull(argv[2], &end, 0);
		if (errno || end == argv[2] || *end || val > UINT32_MAX)
			return -EINVAL;
		h->claims[i].made = true;
		h->claims[i].val = (uint32_t)val;
		return 0;
	}
	return -EINVAL;
}

static bool claimed(const struct hsl *h, uint32_t off, uint32_t *val)
{
	for (unsigned int i = 0; i < HSL_CLAIMS; i++)
		if (claims[i].off == off && h->claims[i].made) {
			*val = h->claims[i].val;
			return true;
		}
	return false;
}

uint32_t hsl_control_read(struct hsl *h, uint32_t off)
{
	const struct hsl_control *cp = &h->cp;
	uint32_t val = 0;

	if (off >= HSL_WINDOW && off < HSL_WINDOW + HSL_WINDOW_BYTES) {
		memcpy(&val, cp->window + (off - HSL_WINDOW), sizeof(val));
		return val;
	}
	if (claimed(h, off, &val))
		return val;
	/* Not known yet. */
	if (off >= CP_REV && off <= CP_DRAIN_MS && !(h->status & HSL_STATUS_READY))
		return 0;
	switch (off) {
	case CP_ID: return CP_ID_VALUE;
	case CP_REV: return h->rev;
	case CP_VERSION: return h->oldest << 16 | h->version;
	case CP_LIMITS: return hsl_queues_reg(h);
	case CP_ALGS: return h->algs;
	case CP_ISOLATION: return h->isolated;
	case CP_MAX_XFER: return HSL_MAX_XFER;
	case CP_DRAIN_MS: return (uint32_t)h->drain_ms;
	case CP_PAUSE: return cp->pause;
	case CP_DRAIN: return cp->drain;
	case CP_ERR: return cp->err;
	case CP_SEL: return cp->sel;
	case CP_LEN: return context_len(h, cp->sel);
	case CP_STAT: return cp->stat;
	case CP_WLEN: return cp->wlen;
	case CP_CAPS: return h->revoke ? HSL_CAP_REVOKE : 0;
	}
	return 0;
}

void hsl_control_write(struct hsl *h, uint32_t off, uint32_t val)
{
	struct hsl_control *cp = &h->cp;

	/* A command under way owns its window. */
	if (off >= HSL_WINDOW && off < HSL_WINDOW + HSL_WINDOW_BYTES) {
		if (cp->stat != HSL_BUSY)
			memcpy(cp->window + (off - HSL_WINDOW), &val, sizeof(val));
		return;
	}
	switch (off) {
	case CP_PAUSE: write_pause(h, val); break;
	case CP_ERR: cp->err = 0; break;
	case CP_SEL: cp->sel = val; break;
	case CP_CMD: start_command(h, val); break;
	case CP_WLEN: cp->wlen = val; break;
	}
}

void hsl_control_regs(struct hsl *h, FILE *out)
{
	static const struct {
		const char *name;
		uint32_t off;
	} regs[] = {
		{ "CP_ID", CP_ID }, { "CP_REV", CP_REV }, { "CP_VERSION", CP_VERSION },
		{ "CP_LIMITS", CP_LIMITS }, { "CP_ALGS", CP_ALGS },
		{ "CP_ISOLATION", CP_ISOLATION }, { "CP_MAX_XFER", CP_MAX_XFER },
		{ "CP_DRAIN_MS", CP_DRAIN_MS }, { "CP_PAUSE", CP_PAUSE },
		{ "CP_DRAIN", CP_DRAIN }, { "CP_ERR", CP_ERR }, { "CP_SEL", CP_SEL },
		{ "CP_LEN", CP_LEN }, { "CP_STAT", CP_STAT }, { "CP_WLEN", CP_WLEN },
		{ "CP_CAPS", CP_CAPS },
	};

	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		fprintf(out, "%s 0x%" PRIx32 "\n", regs[i].name, hsl_control_read(h, regs[i].off));
}
