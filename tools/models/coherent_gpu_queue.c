// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu: the life of a queue (3.2 to 3.4).
 *
 * A queue fetches a command, carries it out a tile at a time, and writes its fence.  Every
 * step is bounded, so the poll loop stays responsive; time that passes is a timer, never a
 * sleep.  While guest memory is accessed the user may stop the queue: its life changes then.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "coherent_gpu.h"

static bool paused(const struct cgpu *g)
{
	return g->cp.pause & CGPU_PAUSE;
}

static bool in_d0(const struct cgpu *g)
{
	unsigned int ctrl = g->dev->cfg.pm + PCI_PM_CTRL;

	return !(vu_config_get(g->dev, ctrl, 2) & PCI_PM_CTRL_STATE_MASK);
}

bool cgpu_idle(const struct cgpu *g)
{
	for (unsigned int n = 0; n < g->queues; n++)
		if (g->q[n].s.in_work && g->q[n].is_held && g->q[n].held.hang &&
		    vu_fault_hanging(g->dev, CGPU_FAULT_OP))
			return false;
	return !g->touching;
}

void cgpu_queues_clear(struct cgpu *g)
{
	g->epoch++;
	g->ctrl = 0;
	g->ops_done = 0;
	g->ops_failed = 0;
	memset(g->q, 0, sizeof(g->q));
}

/* ---- start and stop ---- */

bool cgpu_ring_ok(const struct cgpu *g, uint64_t ring, uint32_t size)
{
	uint64_t bytes = (uint64_t)size * CGPU_CMD_BYTES;

	if (size < 2 || size > 1u << g->log2 || size & (size - 1) || ring % CGPU_CMD_BYTES)
		return false;
	if (ring & CGPU_ADDR_DEVICE)
		return cgpu_mem_exists(g, ring & ~CGPU_ADDR_DEVICE, bytes);
	return !((ring + (bytes - 1)) & CGPU_ADDR_DEVICE);
}

bool cgpu_queue_enabled(const struct cgpu_queue *q)
{
	return q->s.status & CGPU_QSTATUS_ENABLED;
}

static void drop_command(struct cgpu_queue *q)
{
	q->s.in_work = 0;
	memset(&q->s.cmd, 0, sizeof(q->s) - offsetof(struct cgpu_state_queue, cmd));
	q->is_held = false;
	q->abort = 0;
}

static void queue_stop(struct cgpu_queue *q, uint32_t status)
{
	drop_command(q);
	q->s.status = status;
	q->life++;
}

static void queue_error(struct cgpu_queue *q, enum cgpu_queue_error code)
{
	queue_stop(q, CGPU_QSTATUS_ERROR | (uint32_t)code << 8);
}

void cgpu_queue_ctrl(struct cgpu *g, struct cgpu_queue *q, uint32_t val)
{
	bool was = q->s.ctrl & CGPU_QCTRL_ENABLE, now = val & CGPU_QCTRL_ENABLE;

	q->s.ctrl = val & (CGPU_QCTRL_ENABLE | CGPU_QCTRL_IRQ);
	if (was == now)
		return;
	if (!now) {
		if (cgpu_queue_enabled(q))
			queue_stop(q, 0);
		return;
	}
	q->s.head = 0;
	q->s.tail = 0;
	q->s.fence = 0;
	q->s.done = 0;
	if (cgpu_ring_ok(g, q->s.ring, q->s.size))
		queue_stop(q, CGPU_QSTATUS_ENABLED);
	else
		queue_error(q, CGPU_Q_BAD_RING);
}

void cgpu_queue_tail(struct cgpu_queue *q, uint32_t val)
{
	if (!cgpu_queue_enabled(q))
		return;
	if (val - q->s.head > q->s.size)
		queue_error(q, CGPU_Q_BAD_DOORBELL);
	else
		q->s.tail = val;
}

/*
 * Memory is accessed from here on, or no more.  A fetch, a tile or a fence that has begun is ended:
 * none of them can be done by halves, and none is lost when bus mastering goes off.
 */
static void touch(struct cgpu *g, bool touching)
{
	g->touching = touching;
	vu_dma_begun(g->dev, touching);
}

/* ---- the end of a command ---- */

static int write_fence(struct cgpu *g, const struct cgpu_cmd *c, uint32_t status)
{
	const struct cgpu_fence f = { .status = status, .value = c->fence_value };

	if (!(c->flags & CGPU_CMD_FENCE))
		return 0;
	if (c->fence % CGPU_FENCE_BYTES)
		return CGPU_DMA_FAULT;
	return cgpu_write(g, c->fence, &f, offsetof(struct cgpu_fence, value)) ?:
	       cgpu_write(g, c->fence + offsetof(struct cgpu_fence, value), &f.value,
			  sizeof(f.value));
}

static void end_command(struct cgpu *g, struct cgpu_queue *q, uint32_t status)
{
	struct cgpu_cmd cmd = q->s.cmd;
	uint64_t life = q->life;
	int err;

	touch(g, true);
	err = write_fence(g, &cmd, status);
	touch(g, false);
	if (err < 0 || life != q->life)
		return;
	if (err) {
		queue_error(q, CGPU_Q_DMA);
		return;
	}
	drop_command(q);
	if (cmd.flags & CGPU_CMD_FENCE)
		q->s.fence = cmd.fence_value;
	q->s.done++;
	g->ops_done++;
	g->ops_failed += status != CGPU_OK;
	if ((q->s.ctrl & CGPU_QCTRL_IRQ) && (cmd.flags & CGPU_CMD_IRQ || status != CGPU_OK))
		vu_msix_raise(g->dev, (unsigned int)(q - g->q));
}

/* ---- fetching and tiles ---- */

static bool held(struct cgpu *g, struct cgpu_queue *q)
{
	if (q->is_held && vu_wait_over(g->dev, &q->held))
		q->is_held = false;
	return q->is_held;
}

static bool needs_bus_master(const struct cgpu *g, const struct cgpu_queue *q)
{
	return q->s.in_work ? cgpu_cmd_in_guest(g, &q->s.cmd) : !(q->s.ring & CGPU_ADDR_DEVICE);
}

static bool may_run(const struct cgpu *g, const struct cgpu_queue *q)
{
	return !paused(g) && g->status == (CGPU_STATUS_READY | CGPU_STATUS_MEM_READY) &&
	       (g->ctrl & CGPU_CTRL_ENABLE) && cgpu_queue_enabled(q) && in_d0(g) &&
	       (vu_bus_master(g->dev) || !needs_bus_master(g, q));
}

static bool fetch(struct cgpu *g, struct cgpu_queue *q)
{
	uint64_t addr = q->s.ring + (q->s.head & (q->s.size - 1)) * (uint64_t)CGPU_CMD_BYTES;
	uint64_t life = q->life;
	struct vu_fault_hit hit = { false };
	struct cgpu_cmd cmd;
	int err;

	if (q->s.head == q->s.tail)
		return false;
	touch(g, true);
	err = cgpu_read(g, addr, &cmd, sizeof(cmd));
	touch(g, false);
	g->fetches++;
	if (err < 0 || life != q->life)
		return true;
	if (!err)
		vu_fault_take(g->dev, CGPU_FAULT_FETCH, &hit);
	if (err || hit.fail) {
		queue_error(q, CGPU_Q_DMA);
		return true;
	}
	q->s.head++;
	q->s.cmd = cmd;
	q->s.in_work = 1;
	q->is_held = true;
	vu_wait_begin(g->dev, &q->held, CGPU_FAULT_OP, 0, &hit);
	q->abort = hit.fail ? hit.code ?: CGPU_ABORTED : CGPU_OK;
	return true;
}

/* Progress changes when all of a tile is done: what is half done is done again. */
static bool tile(struct cgpu *g, struct cgpu_queue *q)
{
	uint64_t life = q->life, now = vu_now();
	struct cgpu_state_queue s;
	int err;

	if (q->abort || !cgpu_cmd_ok(g, &q->s.cmd)) {
		end_command(g, q, q->abort ?: CGPU_INVALID);
		return true;
	}
	if (now < q->next_tile) {
		vu_wake_at(g->dev, q->next_tile);
		return false;
	}
	s = q->s;
	touch(g, true);
	err = cgpu_tile(g, &s);
	touch(g, false);
	g->tiles++;
	if (err < 0 || life != q->life)
		return true;
	q->next_tile = now + g->tile_us * NSEC_PER_USEC;
	q->s.sum = s.sum;
	memcpy(q->s.bins, s.bins, sizeof(s.bins));
	q->s.progress++;
	if (err || q->s.progress == cgpu_cmd_tiles(&q->s.cmd))
		end_command(g, q, (uint32_t)err);
	return true;
}

/* After a pause: the interrupt that the user may have missed. */
static void resume_irq(struct cgpu *g, struct cgpu_queue *q)
{
	q->resume = false;
	if (cgpu_queue_enabled(q) && q->s.done && (q->s.ctrl & CGPU_QCTRL_IRQ))
		vu_msix_raise(g->dev, (unsigned int)(q - g->q));
}

bool cgpu_queue_work(struct cgpu *g, struct cgpu_queue *q)
{
	if (q->resume && !paused(g))
		resume_irq(g, q);
	if (held(g, q) || !may_run(g, q))
		return false;
	return q->s.in_work ? tile(g, q) : fetch(g, q);
}
