// SPDX-License-Identifier: GPL-2.0
/*
 * hisi_like: the life of a queue (sections 2.2 to 2.4).
 *
 * A queue fetches entries into a small buffer (the ones that a pause parks), begins one,
 * lets its time pass, carries it out and completes it.  Every step is bounded, so the
 * poll loop stays responsive; time that passes is a timer, never a sleep.
 */
#include <errno.h>
#include <string.h>

#include "hisi_like.h"

static bool paused(const struct hisil *h)
{
	return h->cp.pause & HISIL_PAUSE;
}

bool hisil_idle(const struct hisil *h)
{
	for (unsigned int n = 0; n < h->queues; n++)
		if (h->q[n].in_work)
			return false;
	return !h->touching;
}

void hisil_contexts_clear(struct hisil *h)
{
	h->epoch++;
	h->ctrl = 0;
	h->status &= HISIL_STATUS_READY;
	h->ops_done = 0;
	h->ops_failed = 0;
	memset(h->q, 0, sizeof(h->q));
}

/* ---- start and stop of a queue ---- */

static bool ring_ok(uint64_t base, uint64_t bytes)
{
	return !(base & 63) && base + (bytes - 1) >= base;
}

bool hisil_queue_bases_ok(const struct hisil *h, const struct hisil_queue_ctx *r)
{
	uint32_t size = r->size;

	return size >= 2 && size <= 1u << h->log2 && !(size & (size - 1)) &&
	       ring_ok(r->sq_base, (uint64_t)size * HISIL_SQE_BYTES) &&
	       ring_ok(r->cq_base, (uint64_t)size * HISIL_CQE_BYTES);
}

bool hisil_queue_enabled(const struct hisil_queue *q)
{
	return q->regs.qstatus & HISIL_QSTATUS_ENABLED;
}

/* Entries that were fetched and not begun count as not fetched. */
static void queue_stop(struct hisil_queue *q, uint32_t qstatus)
{
	q->regs.sq_head -= q->regs.parked;
	q->regs.parked = 0;
	q->regs.qstatus = qstatus;
	q->hold = false;
	q->life++;
}

static void queue_error(struct hisil_queue *q, enum hisil_queue_error code)
{
	queue_stop(q, HISIL_QSTATUS_ERROR | (uint32_t)code << 8);
}

static void queue_start(struct hisil *h, struct hisil_queue *q)
{
	q->restart = false;
	queue_stop(q, 0);
	q->regs.sq_tail = 0;
	q->regs.sq_head = 0;
	q->regs.cq_head = 0;
	q->regs.cq_tail = 0;
	q->regs.seq = 0;
	q->regs.irq_owed = 0;
	if (hisil_queue_bases_ok(h, &q->regs))
		q->regs.qstatus = HISIL_QSTATUS_ENABLED;
	else
		queue_error(q, HISIL_Q_BAD_RING);
}

void hisil_queue_ctrl(struct hisil *h, struct hisil_queue *q, uint32_t val)
{
	bool was = q->regs.qctrl & HISIL_QCTRL_ENABLE;
	bool now = val & HISIL_QCTRL_ENABLE;

	q->regs.qctrl = val & (HISIL_QCTRL_ENABLE | HISIL_QCTRL_IRQ);
	if (was == now)
		return;
	if (now && q->in_work)
		q->restart = true;
	else if (now)
		queue_start(h, q);
	else if (q->in_work && hisil_queue_enabled(q))
		queue_stop(q, HISIL_QSTATUS_ENABLED);
	else if (hisil_queue_enabled(q))
		queue_stop(q, 0);
	if (!now)
		q->restart = false;
}

/* ---- carrying out ---- */

static void raise_irq(struct hisil *h, const struct hisil_queue *q)
{
	vu_msix_raise(h->dev, (unsigned int)(q - h->q));
}

static int write_completion(struct hisil *h, const struct hisil_queue *q, struct hisil_cqe *c)
{
	uint32_t tail = q->regs.cq_tail;
	uint64_t iova = q->regs.cq_base + (uint64_t)(tail & (q->regs.size - 1)) * HISIL_CQE_BYTES;
	uint16_t phase = (tail / q->regs.size & 1) ^ 1;
	int err;

	/* First all of it with the phase of the pass before, so that the phase comes last. */
	c->phase = phase ^ 1;
	err = vu_dma_write(h->dev, iova, c, sizeof(*c));
	if (err)
		return err;
	c->phase = phase;
	return vu_dma_write(h->dev, iova + offsetof(struct hisil_cqe, phase), &phase,
			    sizeof(phase));
}

/* The operation was not carried out and goes back to the front of the parked ones. */
static void unbegin(struct hisil_queue *q)
{
	if (!hisil_queue_enabled(q) || !(q->regs.qctrl & HISIL_QCTRL_ENABLE))
		return;
	memmove(&q->entries[1], &q->entries[0], q->regs.parked * sizeof(q->entries[0]));
	q->entries[0] = q->current;
	q->regs.parked++;
}

static void after_work(struct hisil *h, struct hisil_queue *q)
{
	q->in_work = false;
	if (q->restart)
		queue_start(h, q);
	else if (hisil_queue_enabled(q) && !(q->regs.qctrl & HISIL_QCTRL_ENABLE))
		queue_stop(q, 0);
}

void hisil_revoke(struct hisil *h)
{
	if (h->touching)
		return;		/* the one that writes is about to end */
	for (unsigned int n = 0; n < h->queues; n++) {
		struct hisil_queue *q = &h->q[n];

		if (!q->in_work)
			continue;
		unbegin(q);
		after_work(h, q);
	}
}

static void count_done(struct hisil *h, struct hisil_queue *q, const struct hisil_cqe *c)
{
	q->regs.seq++;
	q->regs.cq_tail++;
	h->ops_done++;
	if (c->status != HISIL_OK)
		h->ops_failed++;
	if ((q->regs.qctrl & HISIL_QCTRL_IRQ) &&
	    ((q->current.flags & HISIL_SQE_IRQ) || c->status != HISIL_OK))
		raise_irq(h, q);
}

static void finish(struct hisil *h, struct hisil_queue *q)
{
	struct hisil_cqe c = { .tag = q->current.tag, .seq = q->regs.seq + 1 };
	uint64_t epoch = h->epoch;
	int err = 0;

	h->touching = true;
	if (q->abort_status)
		c.status = q->abort_status;
	else
		err = hisil_op_run(h, &q->current, &c);
	c.done = h->ops_done + 1;
	if (!err && h->epoch == epoch)
		err = write_completion(h, q, &c);
	h->touching = false;
	if (h->epoch != epoch)
		return;
	if (!err)
		count_done(h, q, &c);
	else if (err == -EPERM || err == -ENOTCONN || err == -EINTR)
		unbegin(q);
	else
		queue_error(q, HISIL_Q_DMA);
	after_work(h, q);
}

static bool may_run(const struct hisil *h, const struct hisil_queue *q)
{
	return !paused(h) && h->status == HISIL_STATUS_READY && (h->ctrl & HISIL_CTRL_ENABLE) &&
	       hisil_queue_enabled(q) && vu_bus_master(h->dev);
}

static void begin(struct hisil *h, struct hisil_queue *q)
{
	struct vu_fault_hit hit;

	q->current = q->entries[0];
	q->regs.parked--;
	memmove(&q->entries[0], &q->entries[1], q->regs.parked * sizeof(q->entries[0]));
	vu_wait_begin(h->dev, &q->op, HISIL_FAULT_OP, h->op_us * NSEC_PER_USEC, &hit);
	q->in_work = true;
	q->abort_status = hit.fail ? (uint16_t)(hit.code ? hit.code : HISIL_ABORTED) : 0;
}

/* The operation in work; true when it came to an end. */
static bool work_on(struct hisil *h, struct hisil_queue *q)
{
	if (!vu_wait_over(h->dev, &q->op))
		return false;
	finish(h, q);
	return true;
}

/* ---- fetching ---- */

static bool fetch_held(struct hisil *h, struct hisil_queue *q)
{
	struct vu_fault_hit hit;

	if (!q->hold) {
		vu_wait_begin(h->dev, &q->held, HISIL_FAULT_FETCH, 0, &hit);
		if (hit.fail) {
			queue_error(q, HISIL_Q_DMA);
			return true;
		}
	}
	q->hold = !vu_wait_over(h->dev, &q->held);
	return q->hold;
}

/* Entries that may be fetched now: in the ring up to its end, with room to complete. */
static uint32_t fetch_count(const struct hisil_queue *q)
{
	const struct hisil_queue_ctx *r = &q->regs;
	uint32_t n = r->sq_tail - r->sq_head;
	uint32_t room = r->size - (r->cq_tail - r->cq_head);
	uint32_t to_end = r->size - (r->sq_head & (r->size - 1));

	if (n > HISIL_MAX_PARKED)
		n = HISIL_MAX_PARKED;
	if (n > room)
		n = room;
	return n < to_end ? n : to_end;
}

/* Context: nothing fetched, nothing in work.  True when there was something to do. */
static bool fetch(struct hisil *h, struct hisil_queue *q)
{
	struct hisil_sqe entries[HISIL_MAX_PARKED];
	uint32_t n = fetch_count(q);
	uint64_t iova, epoch = h->epoch, life;
	int err;

	if (!n || fetch_held(h, q))
		return false;
	life = q->life;
	iova = q->regs.sq_base + (uint64_t)(q->regs.sq_head & (q->regs.size - 1)) * HISIL_SQE_BYTES;
	h->touching = true;
	err = vu_dma_read(h->dev, iova, entries, n * sizeof(entries[0]));
	h->touching = false;
	h->fetches++;
	if (h->epoch != epoch || q->life != life)
		return true;
	if (err == -EPERM || err == -ENOTCONN || err == -EINTR)
		return false;
	if (err) {
		queue_error(q, HISIL_Q_DMA);
		return true;
	}
	memcpy(q->entries, entries, n * sizeof(entries[0]));
	q->regs.parked = (uint16_t)n;
	q->regs.sq_head += n;
	return true;
}

/* After a pause: the interrupt that the user may have missed. */
static void resume_irq(struct hisil *h, struct hisil_queue *q)
{
	const struct hisil_queue_ctx *r = &q->regs;

	q->resume = false;
	if (r->irq_owed || (r->cq_tail != r->cq_head && (r->qctrl & HISIL_QCTRL_IRQ)))
		raise_irq(h, q);
	q->regs.irq_owed = 0;
}

/* One step of one queue; true when there may be more to do at once. */
bool hisil_queue_work(struct hisil *h, struct hisil_queue *q)
{
	if (q->in_work)
		return work_on(h, q);
	if (q->resume && !paused(h) && (!q->regs.parked || !may_run(h, q)))
		resume_irq(h, q);
	if (!may_run(h, q))
		return false;
	if (!q->regs.parked)
		return fetch(h, q);
	begin(h, q);
	return work_on(h, q);
}

/* ---- doorbells ---- */

void hisil_queue_sq_tail(struct hisil_queue *q, uint32_t val)
{
	if (!hisil_queue_enabled(q))
		return;
	if (val - q->regs.sq_head > q->regs.size)
		queue_error(q, HISIL_Q_BAD_DOORBELL);
	else
		q->regs.sq_tail = val;
}

void hisil_queue_cq_head(struct hisil_queue *q, uint32_t val)
{
	if (!hisil_queue_enabled(q))
		return;
	if (q->regs.cq_tail - val > q->regs.cq_tail - q->regs.cq_head)
		queue_error(q, HISIL_Q_BAD_DOORBELL);
	else
		q->regs.cq_head = val;
}
