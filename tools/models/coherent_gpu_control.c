// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu: the control page (section 4).
 * Nothing that the user does to the lower half may disturb what is here.
 */
#include <string.h>

#include "coherent_gpu.h"

void cgpu_control_reset(struct cgpu *g)
{
	memset(&g->cp, 0, sizeof(g->cp));
}

static uint8_t *window_of(struct cgpu *g)
{
	return (uint8_t *)vu_bar_memory(g->dev, CGPU_BAR) + CGPU_USER_BYTES + CGPU_CP_WINDOW;
}

/* ---- commands ---- */

/* The window is memory: what is judged is a copy. */
static uint32_t set_state(struct cgpu *g)
{
	uint8_t buf[CGPU_STATE_MAX_BYTES] __attribute__((aligned(8)));

	if (g->cp.bytes != cgpu_state_bytes(g))
		return CGPU_ERR_BAD_LENGTH;
	memcpy(buf, window_of(g), g->cp.bytes);
	return cgpu_state_set(g, (struct cgpu_state *)buf, g->cp.bytes);
}

static uint32_t set_poison(struct cgpu *g)
{
	struct cgpu_poison list[CGPU_POISON_MAX];

	if (g->cp.bytes % sizeof(*list) || g->cp.bytes > sizeof(list))
		return CGPU_ERR_BAD_LENGTH;
	memcpy(list, window_of(g), g->cp.bytes);
	return cgpu_poison_set(g, list, g->cp.bytes / sizeof(*list), CGPU_POISON_INHERITED);
}

static uint32_t get_state(struct cgpu *g)
{
	cgpu_state_get(g, (struct cgpu_state *)window_of(g));
	g->cp.bytes = cgpu_state_bytes(g);
	return 0;
}

static uint32_t get_poison(struct cgpu *g)
{
	g->cp.bytes = g->mem.num_poison * (uint32_t)sizeof(g->mem.poison[0]);
	memcpy(window_of(g), g->mem.poison, g->cp.bytes);
	return 0;
}

static uint32_t read_log(struct cgpu *g)
{
	return cgpu_log_read(g, g->cp.addr, g->cp.pages, window_of(g));
}

static uint32_t clear_state(struct cgpu *g)
{
	cgpu_queues_clear(g);
	return 0;
}

static const struct {
	unsigned int fault;
	bool frozen;
	uint32_t (*run)(struct cgpu *g);
} commands[] = {
	[CGPU_STATE_GET] = { CGPU_FAULT_SAVE, true, get_state },
	[CGPU_STATE_SET] = { CGPU_FAULT_LOAD, true, set_state },
	[CGPU_STATE_CLEAR] = { CGPU_FAULT_CLEAR, false, clear_state },
	[CGPU_LOG_READ] = { CGPU_FAULT_LOG_READ, false, read_log },
	[CGPU_POISON_READ] = { CGPU_FAULT_POISON, false, get_poison },
	[CGPU_POISON_SET] = { CGPU_FAULT_POISON, false, set_poison },
};

#define NUM_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void end_command(struct cgpu *g, uint32_t err)
{
	g->cp.stat = err ? CGPU_FAILED : CGPU_IDLE;
	if (err)
		g->cp.err = err;
	g->cp.cmd = 0;
}

static void command_work(struct cgpu *g)
{
	struct cgpu_control *cp = &g->cp;

	if (cp->stat != CGPU_BUSY || !vu_wait_over(g->dev, &cp->busy))
		return;
	if (cp->fail)
		end_command(g, cp->fail);
	else if (commands[cp->cmd].frozen && !(cp->pause & CGPU_FREEZE))
		end_command(g, CGPU_ERR_NOT_FROZEN);
	else
		end_command(g, commands[cp->cmd].run(g));
}

static void start_command(struct cgpu *g, uint32_t cmd)
{
	struct cgpu_control *cp = &g->cp;
	struct vu_fault_hit hit;

	if (cp->stat == CGPU_BUSY)
		return;
	if (!(g->status & CGPU_STATUS_READY)) {
		end_command(g, CGPU_ERR_NOT_READY);
		return;
	}
	if (cmd >= NUM_COMMANDS || !commands[cmd].run) {
		end_command(g, CGPU_ERR_BAD_COMMAND);
		return;
	}
	cp->cmd = cmd;
	cp->stat = CGPU_BUSY;
	vu_wait_begin(g->dev, &cp->busy, commands[cmd].fault, 0, &hit);
	cp->fail = hit.fail ? hit.code ?: CGPU_ERR_INTERNAL : 0;
	command_work(g);
}

/* ---- pause ---- */

static void drain_failed(struct cgpu *g, uint32_t err)
{
	g->cp.drain = CGPU_DRAIN_FAILED;
	g->cp.err = err;
}

static void drain_work(struct cgpu *g)
{
	struct cgpu_control *cp = &g->cp;

	if (cp->drain != CGPU_DRAINING)
		return;
	if (vu_wait_over(g->dev, &cp->draining) && cgpu_idle(g)) {
		cp->drain = CGPU_DRAINED;
		vu_irq_hold(g->dev, true);
	} else if (vu_now() >= cp->drain_deadline) {
		drain_failed(g, CGPU_ERR_DRAIN_TIMEOUT);
	} else {
		vu_wake_at(g->dev, cp->drain_deadline);
	}
}

static void start_pause(struct cgpu *g)
{
	struct cgpu_control *cp = &g->cp;
	struct vu_fault_hit hit;

	cp->drain = CGPU_DRAINING;
	cp->drain_deadline = vu_now() + g->drain_ms * NSEC_PER_MSEC;
	vu_wait_begin(g->dev, &cp->draining, CGPU_FAULT_PAUSE, 0, &hit);
	if (hit.fail)
		drain_failed(g, hit.code ?: CGPU_ERR_DRAIN_TIMEOUT);
	else
		drain_work(g);
}

/* What is still pending joins the one interrupt of the resume. */
static void end_pause(struct cgpu *g)
{
	g->cp.drain = CGPU_RUNNING;
	for (unsigned int n = 0; n < g->queues; n++) {
		vu_msix_take_pending(g->dev, n);
		g->q[n].resume = true;
	}
	vu_irq_hold(g->dev, false);
	vu_kick(g->dev);
}

static void write_pause(struct cgpu *g, uint32_t val)
{
	struct cgpu_control *cp = &g->cp;
	bool was = cp->pause & CGPU_PAUSE;

	if (!(val & CGPU_PAUSE)) {
		cp->pause = 0;
		if (was)
			end_pause(g);
		return;
	}
	cp->pause = CGPU_PAUSE;
	if (!was)
		start_pause(g);
	if (val & CGPU_FREEZE && cp->drain == CGPU_DRAINED)
		cp->pause |= CGPU_FREEZE;
}

void cgpu_control_work(struct cgpu *g)
{
	drain_work(g);
	command_work(g);
}

/* ---- registers ---- */

const struct vu_claim cgpu_claims[] = {
	{ "rev", CGPU_CP_REV, 4 }, { "version", CGPU_CP_VERSION, 4 },
	{ "queues", CGPU_CP_QUEUES, 4 }, { "ops", CGPU_CP_OPS, 4 },
	{ "ready_ms", CGPU_CP_READY_MS, 4 }, { "drain_ms", CGPU_CP_DRAIN_MS, 4 },
	{ "caps", CGPU_CP_CAPS, 4 }, { "mem", CGPU_CP_MEM_BYTES, 8 },
	{ "carve", CGPU_CP_CARVE_BYTES, 8 }, { "state_bytes", CGPU_CP_STATE_BYTES, 4 },
	{ "log_sizes", CGPU_CP_LOG_SIZES, 4 }, { "poison", CGPU_CP_POISON, 4 },
	{ "set", CGPU_CP_SET, 4 }, { NULL, 0, 0 },
};

/* Known once the function is ready. */
static uint32_t read_late(const struct cgpu *g, uint32_t off)
{
	switch (off) {
	case CGPU_CP_REV: return g->rev;
	case CGPU_CP_VERSION: return g->oldest << 16 | g->version;
	case CGPU_CP_QUEUES: return cgpu_queues_reg(g);
	case CGPU_CP_OPS: return g->ops;
	case CGPU_CP_CAPS: return g->caps;
	case CGPU_CP_STATE_BYTES: return cgpu_state_bytes(g);
	case CGPU_CP_LOG_SIZES: return g->caps & CGPU_CAPS_LOG ? g->log_sizes : 0;
	}
	return 0;
}

uint32_t cgpu_control_read(struct cgpu *g, uint32_t off)
{
	const struct cgpu_control *cp = &g->cp;
	const struct cgpu_mem *m = &g->mem;
	uint32_t val;

	if (vu_claimed(&g->claims, off, &val))
		return val;
	switch (off) {
	case CGPU_CP_ID: return CGPU_CP_ID_VALUE;
	case CGPU_CP_READY: return g->status;
	case CGPU_CP_READY_MS: return (uint32_t)g->ready_max_ms;
	case CGPU_CP_DRAIN_MS: return (uint32_t)g->drain_ms;
	case CGPU_CP_PAUSE: return cp->pause;
	case CGPU_CP_DRAIN: return cp->drain;
	case CGPU_CP_ERR: return cp->err;
	case CGPU_CP_MEM_BYTES:
	case CGPU_CP_MEM_BYTES + 4: return vu_half(m->part[CGPU_MAIN].bytes, off);
	case CGPU_CP_CARVE_BYTES:
	case CGPU_CP_CARVE_BYTES + 4: return vu_half(m->part[CGPU_CARVE].bytes, off);
	case CGPU_CP_STAT: return cp->stat;
	case CGPU_CP_BYTES: return cp->bytes;
	case CGPU_CP_ADDR:
	case CGPU_CP_ADDR + 4: return vu_half(cp->addr, off);
	case CGPU_CP_PAGES: return cp->pages;
	case CGPU_CP_SET: return cp->set;
	case CGPU_CP_LOG: return m->log_ctrl;
	case CGPU_CP_LOG_STAT:
		return (m->log_ctrl & CGPU_LOG_ON) | (m->log_lost ? CGPU_LOG_LOST : 0);
	case CGPU_CP_POISON: return m->num_poison;
	case CGPU_CP_POISON_SEQ: return m->poison_seq;
	}
	return g->status & CGPU_STATUS_READY ? read_late(g, off) : 0;
}

static void write_log(struct cgpu *g, uint32_t val)
{
	uint32_t err = cgpu_log_ctrl(g, val);

	if (err)
		g->cp.err = err;
}

static void write_operand(struct cgpu_control *cp, uint32_t off, uint32_t val)
{
	switch (off) {
	case CGPU_CP_BYTES: cp->bytes = val; break;
	case CGPU_CP_ADDR:
	case CGPU_CP_ADDR + 4: cp->addr = vu_with_half(cp->addr, off, val); break;
	case CGPU_CP_PAGES: cp->pages = val; break;
	}
}

void cgpu_control_write(struct cgpu *g, uint32_t off, uint32_t val)
{
	switch (off) {
	case CGPU_CP_PAUSE: write_pause(g, val); break;
	case CGPU_CP_ERR: g->cp.err = 0; break;
	case CGPU_CP_CMD: start_command(g, val); break;
	case CGPU_CP_LOG:
		if (g->status & CGPU_STATUS_READY)
			write_log(g, val);
		break;
	default:
		if (g->cp.stat != CGPU_BUSY)
			write_operand(&g->cp, off, val);
	}
}
