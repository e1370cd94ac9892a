// SPDX-License-Identifier: GPL-2.0
/*
 * Commands in the admin queues: in and out, in any order; how they end.
 *
 * One whose time is over is aborted; if it does not end then, ctrl_queue.c has the controller
 * reset.
 *
 * Data are copied: the device knows nothing but the memory of the queue, which is used again
 * when a command has ended, or after a reset.
 */
#include <linux/moduleparam.h>

#include "ctrl.h"

#define ABORT_LIMIT	HZ

static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "Milliseconds after which a command is aborted, 100 to 60000");

/**
 * nvcf_queue_limit() - Longest time that a command may take
 *
 * Return: it, in jiffies.
 */
unsigned long nvcf_queue_limit(void)
{
	return msecs_to_jiffies(clamp(READ_ONCE(timeout_ms), 100U, 60000U));
}

/* ---- Slots ---- */

static bool aborting(const struct nvcf_queue *q)
{
	return q->active & BIT(NVCF_ID_ABORT);
}

static int slot_take(struct nvcf_queue *q)
{
	unsigned long taken;
	unsigned int i;
	int ret;

	spin_lock(&q->lock);
	taken = q->used | (aborting(q) ? BIT(q->victim) : 0);
	i = find_first_zero_bit(&taken, NVCF_SLOTS);
	ret = !q->up ? -ENOTCONN : i < NVCF_SLOTS ? (int)i : -EAGAIN;
	if (ret >= 0)
		__set_bit(i, &q->used);
	spin_unlock(&q->lock);
	return ret;
}

static void slot_give(struct nvcf_queue *q, unsigned int i)
{
	spin_lock(&q->lock);
	__clear_bit(i, &q->used);
	spin_unlock(&q->lock);
	wake_up_all(&q->room);
}

static int slot_wait(struct nvcf_queue *q)
{
	int i;

	/* Bounded: every command ends, and so does an Abort. */
	wait_event(q->room, (i = slot_take(q)) != -EAGAIN);
	return i;
}

/* The queue does not get full: it has more entries than there are ids. */
static void queue_push(struct nvcf_queue *q, unsigned int id, struct nvs_sqe *sqe)
{
	lockdep_assert_held(&q->lock);

	sqe->cid = cpu_to_le16(id);
	q->sqes[q->tail] = *sqe;
	q->tail = (q->tail + 1) % NVCF_ENTRIES;
	__set_bit(id, &q->active);
	dma_wmb();
	iowrite32(q->tail, q->regs + q->doorbells[0]);
}

static int slot_start(struct nvcf_queue *q, unsigned int i, struct nvcf_admin *cmd)
{
	struct nvcf_slot *slot = &q->slot[i];
	unsigned long limit = nvcf_queue_limit();
	bool up, idle;

	spin_lock(&q->lock);
	up = q->up && vpv_ctrl_life_reachable(q->life);
	if (up) {
		idle = !(q->active & ~BIT(NVCF_ID_EVENT));
		slot->patience = jiffies + limit;
		slot->deadline = jiffies + min(cmd->limit ?: limit, limit);
		queue_push(q, i, &cmd->sqe);
		/*
		 * Not at each command: a stream of them would put it off for ever.  With the
		 * lock: nvcf_queue_down() cancels it when it cannot be queued any more.
		 */
		if (idle)
			mod_delayed_work(q->life->wq, &q->watch, nvcf_queue_tick(q));
	}
	spin_unlock(&q->lock);
	return up ? 0 : -ENOTCONN;
}

/* The slot is this task's again. */
static int slot_result(struct nvcf_queue *q, unsigned int i, struct nvcf_admin *cmd)
{
	struct nvcf_slot *slot = &q->slot[i];

	if (slot->err)
		return slot->err;
	cmd->dw0 = le32_to_cpu(slot->cqe.dw0);
	cmd->dw1 = le32_to_cpu(slot->cqe.dw1);
	cmd->status = le16_to_cpu(slot->cqe.status) >> 1;
	if (slot->aborted && (cmd->status & NVS_SC_MASK) == NVS_SC_ABORT_REQUESTED)
		return -ETIMEDOUT;
	if (cmd->status & NVS_SC_MASK)
		return -EREMOTEIO;
	if (cmd->bytes && (cmd->sqe.opcode & NVS_DIR_TO_HOST))
		memcpy(cmd->data, slot->buf, cmd->bytes);
	return 0;
}

/**
 * nvcf_queue_exec() - Carry a command out
 * @q: Queue.
 * @cmd: Command.
 *
 * Context: process; may sleep for the time-out and ABORT_LIMIT, for a slot and for the command.
 * Return: see struct nvcf_control_ops.
 */
int nvcf_queue_exec(struct nvcf_queue *q, struct nvcf_admin *cmd)
{
	struct nvcf_slot *slot;
	int i, err;

	if (cmd->bytes > q->max_data)
		return -EMSGSIZE;
	i = slot_wait(q);
	if (i < 0)
		return i;
	slot = &q->slot[i];
	slot->aborted = false;
	reinit_completion(&slot->done);
	nvcf_wire_prp(&cmd->sqe, slot->buf_dma, slot->list_dma, cmd->bytes);
	/* What the device does not write is no other command's data. */
	if (cmd->bytes && (cmd->sqe.opcode & NVS_DIR_TO_CTRL))
		memcpy(slot->buf, cmd->data, cmd->bytes);
	else
		memset(slot->buf, 0, max(cmd->bytes, NVCF_PAGE));
	err = slot_start(q, i, cmd);
	if (!err) {
		wait_for_completion(&slot->done);
		err = slot_result(q, i, cmd);
	}
	slot_give(q, i);
	return err;
}

/**
 * nvcf_queue_ask_event() - Ask for an asynchronous event
 * @q: Queue.
 *
 * There is one request at most.
 */
void nvcf_queue_ask_event(struct nvcf_queue *q)
{
	struct nvs_sqe sqe = { .opcode = NVS_ADMIN_ASYNC_EVENT };

	spin_lock(&q->lock);
	if (q->up && !(q->active & BIT(NVCF_ID_EVENT)))
		queue_push(q, NVCF_ID_EVENT, &sqe);
	spin_unlock(&q->lock);
}

/* ---- Completions ---- */

static bool cqe_take(struct nvcf_queue *q, struct nvs_cqe *cqe)
{
	const struct nvs_cqe *next = &q->cqes[q->head];

	if ((le16_to_cpu(READ_ONCE(next->status)) & 1) != q->phase)
		return false;
	dma_rmb();
	*cqe = *next;
	q->head = (q->head + 1) % NVCF_ENTRIES;
	if (!q->head)
		q->phase = !q->phase;
	return true;
}

/* Has an event been reported? */
static bool cqe_finish(struct nvcf_queue *q, const struct nvs_cqe *cqe)
{
	unsigned int id = le16_to_cpu(cqe->cid);

	if (id >= NVCF_IDS || !(q->active & BIT(id))) {
		dev_warn_ratelimited(&q->pdev->dev, "completes command %u, which is not in work\n",
				     id);
		return false;
	}
	__clear_bit(id, &q->active);
	q->slot[id].cqe = *cqe;
	q->slot[id].err = 0;
	if (id < NVCF_SLOTS)
		complete(&q->slot[id].done);
	return id == NVCF_ID_EVENT && !(le16_to_cpu(cqe->status) >> 1 & NVS_SC_MASK);
}

/**
 * nvcf_queue_reap() - End the commands that the device has finished
 * @q: Queue.
 *
 * Context: process; several may do it at a time.
 */
void nvcf_queue_reap(struct nvcf_queue *q)
{
	bool event = false, any = false, aborted;
	struct nvs_cqe cqe;
	u32 dw0 = 0;

	spin_lock(&q->lock);
	aborted = aborting(q);
	for (unsigned int i = 0; i < NVCF_ENTRIES && cqe_take(q, &cqe); i++) {
		any = true;
		if (cqe_finish(q, &cqe)) {
			event = true;
			dw0 = le32_to_cpu(cqe.dw0);
		}
	}
	if (any && vpv_ctrl_life_reachable(q->life))
		iowrite32(q->head, q->regs + q->doorbells[1]);
	aborted = aborted && !aborting(q);
	spin_unlock(&q->lock);
	if (aborted)
		wake_up_all(&q->room);
	if (event)
		q->event(q, dw0);
}

static bool slot_late(const struct nvcf_queue *q, unsigned int i)
{
	return time_after(jiffies, q->slot[i].deadline);
}

/**
 * nvcf_slots_end() - End the commands that the device will not end any more
 * @q: Queue that is down; the device does not access it, or @q->wild is set.
 */
void nvcf_slots_end(struct nvcf_queue *q)
{
	unsigned int i;

	spin_lock(&q->lock);
	for_each_set_bit(i, &q->active, NVCF_SLOTS) {
		q->slot[i].err = q->slot[i].aborted && slot_late(q, i) ? -ETIMEDOUT : -ECONNABORTED;
		complete(&q->slot[i].done);
	}
	q->active = 0;
	spin_unlock(&q->lock);
}

/*
 * The controller need not abort it in time.  A short time limit of its sender must not get the
 * controller reset, which ends the commands of others.
 */
static unsigned long abort_deadline(const struct nvcf_slot *slot)
{
	unsigned long least = jiffies + ABORT_LIMIT;

	return time_after(slot->patience, least) ? slot->patience : least;
}

/**
 * nvcf_slots_abort_late() - Abort a command whose time is over
 * @q: Queue.
 *
 * One at a time.
 * Return: false when a command, or the Abort itself, does not end.
 */
bool nvcf_slots_abort_late(struct nvcf_queue *q)
{
	struct nvs_sqe sqe = { .opcode = NVS_ADMIN_ABORT };
	unsigned int i, late = NVCF_IDS;
	bool stuck = false;

	spin_lock(&q->lock);
	stuck = aborting(q) && slot_late(q, NVCF_ID_ABORT);
	for_each_set_bit(i, &q->active, NVCF_SLOTS) {
		if (!slot_late(q, i))
			continue;
		if (q->slot[i].aborted)
			stuck = true;
		else if (late == NVCF_IDS)
			late = i;
	}
	if (!stuck && late < NVCF_IDS && !aborting(q)) {
		q->victim = late;
		q->slot[late].aborted = true;
		q->slot[late].deadline = abort_deadline(&q->slot[late]);
		q->slot[NVCF_ID_ABORT].deadline = jiffies + ABORT_LIMIT;
		sqe.cdw10 = cpu_to_le32(late << 16);
		queue_push(q, NVCF_ID_ABORT, &sqe);
	} else {
		late = NVCF_IDS;
	}
	spin_unlock(&q->lock);
	if (late < NVCF_IDS)
		dev_warn_ratelimited(&q->pdev->dev, "command %u has not ended in time: aborting it\n",
				     late);
	return !stuck;
}
