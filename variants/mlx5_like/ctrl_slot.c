// SPDX-License-Identifier: GPL-2.0
/*
 * Commands in the slots of the command queue: in and out, in any order.
 *
 * Every command that was submitted ends: by the firmware, or when ctrl_queue.c ends it.  What it
 * names is given back then, unless the firmware may still write it: see @lost.
 */
#include <linux/dma-mapping.h>

#include "ctrl.h"

/* ---- Mailboxes ---- */

static void chain_free(struct mlxl_queue *q, struct mlxl_chain *c)
{
	while (c->num) {
		c->num--;
		dma_pool_free(q->boxes, c->box[c->num], c->iova[c->num]);
	}
}

static int chain_alloc(struct mlxl_queue *q, struct mlxl_chain *c, u32 bytes)
{
	unsigned int want = mlxl_boxes(bytes);

	for (c->num = 0; c->num < want; c->num++) {
		dma_addr_t iova;

		c->box[c->num] = dma_pool_alloc(q->boxes, GFP_KERNEL, &iova);
		if (!c->box[c->num]) {
			chain_free(q, c);
			return -ENOMEM;
		}
		c->iova[c->num] = iova;
	}
	return 0;
}

/* ---- Slots ---- */

static int slot_take(struct mlxl_queue *q)
{
	unsigned int i;
	int ret = -EAGAIN;

	spin_lock(&q->lock);
	i = find_first_zero_bit(&q->used, q->num);
	if (q->state == MLXL_QUEUE_DOWN)
		ret = -ENOTCONN;
	else if (q->state == MLXL_QUEUE_UP && i < q->num)
		ret = i;
	if (ret >= 0)
		__set_bit(i, &q->used);
	spin_unlock(&q->lock);
	return ret;
}

static void slot_give(struct mlxl_queue *q, unsigned int i)
{
	if (q->lost & BIT(i)) {
		wake_up_all(&q->room);
		return;
	}
	chain_free(q, &q->work[i].in);
	chain_free(q, &q->work[i].out);
	spin_lock(&q->lock);
	__clear_bit(i, &q->used);
	spin_unlock(&q->lock);
	wake_up_all(&q->room);
}

static int slot_wait(struct mlxl_queue *q)
{
	int i;

	/* Bounded: every command ends. */
	wait_event(q->room, (i = slot_take(q)) != -EAGAIN);
	return i;
}

static int slot_fill(struct mlxl_queue *q, unsigned int i, u16 function,
		     struct mlxl_command *cmd)
{
	struct mlxl_work *w = &q->work[i];
	int err;

	w->cmd = cmd;
	w->wire = (struct mlxl_wire){
		.opcode = cmd->opcode,
		.function = function,
		.in = cmd->in,
		.in_bytes = cmd->in_bytes,
		.out_bytes = cmd->out_bytes,
	};
	if (cmd->in_bytes > MLXL_MAX_BYTES || cmd->out_bytes > MLXL_MAX_BYTES)
		return -EMSGSIZE;
	spin_lock(&q->lock);
	w->wire.tag = q->tag++;
	spin_unlock(&q->lock);

	err = chain_alloc(q, &w->in, cmd->in_bytes);
	if (!err)
		err = chain_alloc(q, &w->out, cmd->out_bytes);
	if (!err)
		err = mlxl_wire_build(&w->wire, &w->in, &w->out, &q->slots[i]);
	return err;
}

/* The firmware's from here on; -EAGAIN while the queue begins again. */
static int slot_try_start(struct mlxl_queue *q, unsigned int i)
{
	bool idle;
	int err;

	spin_lock(&q->lock);
	err = q->state == MLXL_QUEUE_DOWN || !vpv_ctrl_life_reachable(q->life) ? -ENOTCONN :
	      q->state == MLXL_QUEUE_UP ? 0 : -EAGAIN;
	idle = !q->active;
	if (!err) {
		q->work[i].deadline = jiffies + q->limit;
		__set_bit(i, &q->active);
		dma_wmb();
		WRITE_ONCE(q->slots[i].owner, cpu_to_le32(MLXL_OWNER_FW));
		iowrite32(BIT(i), q->regs + MLXL_REG_DOORBELL);
	}
	/* Not at each command: a stream of them would put it off for ever. */
	if (!err && idle)
		mod_delayed_work(q->life->wq, &q->watch, mlxl_queue_tick(q));
	spin_unlock(&q->lock);
	return err;
}

static int slot_start(struct mlxl_queue *q, unsigned int i)
{
	struct mlxl_command *cmd = q->work[i].cmd;
	int err;

	if (cmd->buf) {
		err = vpv_ctrl_buf_begin(cmd->buf);
		if (err)
			return err;
	}
	wait_event(q->room, (err = slot_try_start(q, i)) != -EAGAIN);
	if (err && cmd->buf)
		vpv_ctrl_buf_end(cmd->buf, false);
	return err;
}

static void slot_finish(struct mlxl_queue *q, unsigned int i, int err)
{
	struct mlxl_work *w = &q->work[i];
	struct mlxl_command *cmd = w->cmd;
	struct completion *waiter = w->waiter;
	bool lost = q->lost & BIT(i);
	int *result = w->err;
	struct mlxl_slot slot;
	struct mlxl_reply reply;

	if (cmd->buf)
		vpv_ctrl_buf_end(cmd->buf, lost);
	if (!err) {
		slot = q->slots[i];
		err = mlxl_wire_parse(&w->wire, &slot, &w->out, cmd->out, &reply);
		cmd->status = reply.status;
		cmd->syndrome = reply.syndrome;
		cmd->out_len = reply.out_len;
		if (!err)
			err = mlxl_status_errno(reply.status);
	}
	/* The command may be gone as soon as its end was told. */
	slot_give(q, i);
	if (waiter) {
		*result = err;
		complete(waiter);
	} else {
		cmd->done(cmd, err);
	}
}

/* Slots in @which are not the firmware's any more. */
static void slots_finish(struct mlxl_queue *q, unsigned long which, int err)
{
	unsigned int i;

	for_each_set_bit(i, &which, q->num)
		slot_finish(q, i, err);
}

/**
 * mlxl_queue_reap() - End the commands that the firmware has finished
 * @q: Queue.
 *
 * Context: process; several may do it at a time.
 */
void mlxl_queue_reap(struct mlxl_queue *q)
{
	unsigned long done = 0;
	unsigned int i;

	spin_lock(&q->lock);
	for_each_set_bit(i, &q->active, q->num)
		if (!READ_ONCE(q->slots[i].owner))
			__set_bit(i, &done);
	q->active &= ~done;
	spin_unlock(&q->lock);

	dma_rmb();
	slots_finish(q, done, 0);
}

static int queue_start(struct mlxl_queue *q, u16 function, struct mlxl_command *cmd,
		       struct completion *waiter, int *result)
{
	int i, err;

	i = slot_wait(q);
	if (i < 0)
		return i;
	q->work[i].waiter = waiter;
	q->work[i].err = result;
	err = slot_fill(q, i, function, cmd);
	if (!err)
		err = slot_start(q, i);
	if (err)
		slot_give(q, i);
	return err;
}

/**
 * mlxl_queue_submit() - Begin a command; see struct mlxl_control_ops
 * @q: Queue.
 * @function: What it is about.
 * @cmd: Command; done() is called if this returns 0.
 */
int mlxl_queue_submit(struct mlxl_queue *q, u16 function, struct mlxl_command *cmd)
{
	return queue_start(q, function, cmd, NULL, NULL);
}

/**
 * mlxl_queue_exec() - Carry a command out; see struct mlxl_control_ops
 * @q: Queue.
 * @function: What it is about.
 * @cmd: Command.
 */
int mlxl_queue_exec(struct mlxl_queue *q, u16 function, struct mlxl_command *cmd)
{
	DECLARE_COMPLETION_ONSTACK(done);
	int err, result;

	err = queue_start(q, function, cmd, &done, &result);
	if (err)
		return err;
	wait_for_completion(&done);
	return result;
}

/*
 * Commands that end here, and not by the firmware's doing.  Those that it has ended are not
 * lost: another thread may be giving back what they had.
 */
static unsigned long active_take(struct mlxl_queue *q, unsigned long which)
{
	unsigned int i;

	spin_lock(&q->lock);
	which &= q->active;
	q->active &= ~which;
	if (q->wild)
		q->lost |= which;
	for_each_set_bit(i, &which, q->num)
		q->slots[i].owner = 0;
	spin_unlock(&q->lock);
	return which;
}

/**
 * mlxl_slots_end() - End commands that the firmware has not ended
 * @q: Queue.
 * @which: Their slots; of these, those that are the firmware's.
 * @err: How.
 *
 * The firmware writes nothing of theirs any more, or @q->wild is set.
 */
void mlxl_slots_end(struct mlxl_queue *q, unsigned long which, int err)
{
	slots_finish(q, active_take(q, which), err);
}

/**
 * mlxl_slots_late() - Whose time is over?
 * @q: Queue.
 *
 * Return: a bit for each slot.
 */
unsigned long mlxl_slots_late(struct mlxl_queue *q)
{
	unsigned long late = 0;
	unsigned int i;

	spin_lock(&q->lock);
	for_each_set_bit(i, &q->active, q->num)
		if (time_after(jiffies, q->work[i].deadline))
			__set_bit(i, &late);
	spin_unlock(&q->lock);
	return late;
}

/**
 * mlxl_slots_quiet() - The firmware writes nothing any more: give back what was lost
 * @q: Queue that is down.
 */
void mlxl_slots_quiet(struct mlxl_queue *q)
{
	unsigned long lost = q->lost;
	unsigned int i;

	q->lost = 0;
	q->wild = false;
	for_each_set_bit(i, &lost, MLXL_MAX_SLOTS)
		slot_give(q, i);
}
