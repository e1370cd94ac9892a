// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the command queue (section 3): slots and mailboxes in host memory, doorbells,
 * completions.  What commands do is in mlx5_like_cmd.c.
 *
 * Access to host memory may wait, and the queue may be disabled or the function reset
 * meanwhile: m->epoch tells.  Commands abandoned so are freed later, not under those who use
 * them.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mlx5_like.h"

#define SLOT_FIELD(field)	(0x1000u + (uint32_t)offsetof(struct mlxl_slot, field))
#define HEAD_BYTES		offsetof(struct mlxl_box, data)

enum { INJECT_ACTION_FAIL, INJECT_ACTION_DELAY, INJECT_ACTION_NEVER };

static void cmd_free(struct mlxl_cmd *cmd)
{
	free(cmd->in);
	free(cmd->out);
	memset(cmd, 0, sizeof(*cmd));
}

void mlxl_cmdq_reap(struct mlxl *m)
{
	for (unsigned int i = 0; i < MLXL_MAX_SLOTS; i++)
		if (m->cmds[i].dead)
			cmd_free(&m->cmds[i]);
}

void mlxl_cmdq_stop(struct mlxl *m)
{
	m->epoch++;
	m->status &= ~MLXL_STATUS_CMDQ;
	m->doorbells = 0;
	m->fetch_hang = false;
	for (unsigned int i = 0; i < MLXL_MAX_SLOTS; i++)
		if (m->cmds[i].active)
			m->cmds[i].dead = true;
}

static void queue_error(struct mlxl *m, uint32_t syndrome)
{
	mlxl_cmdq_stop(m);
	m->status |= MLXL_STATUS_CMDQ_ERROR;
	m->syndrome = syndrome;
}

void mlxl_cmdq_ctrl(struct mlxl *m, uint32_t val)
{
	bool was = m->cmdq_ctrl & MLXL_CTRL_ENABLE;

	m->cmdq_ctrl = val & (MLXL_CTRL_ENABLE | MLXL_CTRL_IRQ);
	if (!(val & MLXL_CTRL_ENABLE)) {
		mlxl_cmdq_stop(m);
		return;
	}
	if (was || (m->status & MLXL_STATUS_FATAL))
		return;
	m->status &= ~MLXL_STATUS_CMDQ_ERROR;
	m->syndrome = 0;
	if ((m->cmdq_base & (MLXL_PAGE - 1)) || m->cmdq_log2 > MLXL_MAX_SLOTS_LOG2)
		queue_error(m, MLXL_SYN_BAD_QUEUE);
	else
		m->status |= MLXL_STATUS_CMDQ;
}

void mlxl_cmdq_doorbell(struct mlxl *m, uint32_t bits)
{
	struct vu_fault_hit hit;

	if (!(m->status & MLXL_STATUS_CMDQ))
		return;
	if (vu_fault_take(m->dev, MLXL_FAULT_FATAL, &hit)) {
		mlxl_fatal(m, MLXL_SYN_INJECTED);
		return;
	}
	if (m->cmdq_log2 < MLXL_MAX_SLOTS_LOG2)
		bits &= (1u << (1u << m->cmdq_log2)) - 1;
	m->doorbells |= bits;
	vu_kick(m->dev);
}

void mlxl_cmdq_abort(struct mlxl *m, const struct mlxl_fn *fn)
{
	for (unsigned int i = 0; i < MLXL_MAX_SLOTS; i++) {
		struct mlxl_cmd *cmd = &m->cmds[i];

		if (!cmd->active || cmd->fn != fn || !cmd->op)
			continue;
		if (cmd->op->opcode != MLXL_SAVE_CHUNK && cmd->op->opcode != MLXL_SAVE_END &&
		    cmd->op->opcode != MLXL_LOAD_CHUNK && cmd->op->opcode != MLXL_LOAD_END)
			continue;
		cmd->forced = MLXL_ABORTED;
		cmd->wait = (struct vu_wait){ 0 };
		vu_kick(m->dev);
	}
}

/* ---- mailboxes ---- */

static bool head_ok(const struct mlxl_box *b, const struct mlxl_cmd *cmd, uint32_t index,
		    uint16_t bytes, bool last)
{
	return b->tag == cmd->slot.tag && b->index == index && b->bytes == bytes &&
	       (last ? !b->next : b->next && !(b->next & (MLXL_PAGE - 1)));
}

/* 0, an errno of the runtime, or -EBADMSG. */
static int read_input(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t left = cmd->slot.in_bytes, index = 0;
	uint64_t iova = cmd->slot.in_box;
	struct mlxl_box box;

	if (left <= MLXL_INLINE_BYTES) {
		memcpy(cmd->in, cmd->slot.in, left);
		return 0;
	}
	if (iova & (MLXL_PAGE - 1))
		return -EBADMSG;
	for (; left; index++) {
		uint32_t n = left < MLXL_BOX_DATA ? left : MLXL_BOX_DATA;
		int err = vu_dma_read(m->dev, iova, &box, HEAD_BYTES + n);

		if (err)
			return err;
		if (!head_ok(&box, cmd, index, (uint16_t)n, n == left))
			return -EBADMSG;
		memcpy(cmd->in + index * MLXL_BOX_DATA, box.data, n);
		left -= n;
		iova = box.next;
	}
	return 0;
}

static int read_output_chain(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t left = cmd->slot.out_bytes, index = 0;
	uint64_t iova = cmd->slot.out_box;
	struct mlxl_box box;

	if (left <= MLXL_INLINE_BYTES)
		return 0;
	if (iova & (MLXL_PAGE - 1))
		return -EBADMSG;
	for (; left; index++) {
		uint32_t n = left < MLXL_BOX_DATA ? left : MLXL_BOX_DATA;
		int err = vu_dma_read(m->dev, iova, &box, HEAD_BYTES);

		if (err)
			return err;
		if (!head_ok(&box, cmd, index, 0, n == left))
			return -EBADMSG;
		cmd->boxes[index] = iova;
		left -= n;
		iova = box.next;
	}
	return 0;
}

static int write_output(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t left = cmd->out_len;

	if (cmd->slot.out_bytes <= MLXL_INLINE_BYTES) {
		memcpy(cmd->slot.out, cmd->out, left);
		return 0;
	}
	for (uint32_t index = 0; left; index++) {
		uint16_t n = (uint16_t)(left < MLXL_BOX_DATA ? left : MLXL_BOX_DATA);
		int err = vu_dma_write(m->dev, cmd->boxes[index] + HEAD_BYTES,
				       cmd->out + index * MLXL_BOX_DATA, n);

		if (!err)
			err = vu_dma_write(m->dev, cmd->boxes[index] +
					   offsetof(struct mlxl_box, bytes), &n, sizeof(n));
		if (err)
			return err;
		left -= n;
	}
	return 0;
}

/* ---- segment lists ---- */

bool mlxl_segments_ok(struct mlxl_cmd *cmd, uint32_t list_at, uint32_t count, uint64_t bytes)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = list_at + i * (uint32_t)sizeof(struct mlxl_segment);
		uint64_t iova = mlxl_get64(cmd, at);
		uint32_t n = mlxl_get32(cmd, at + 8);

		if (!n || iova + n < iova)
			return !mlxl_end(cmd, MLXL_BAD_INPUT, at + 8);
		if (mlxl_get32(cmd, at + 12))
			return !mlxl_end(cmd, MLXL_BAD_INPUT, at + 12);
		sum += n;
	}
	if (sum != bytes)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, list_at);
	return true;
}

int mlxl_cmd_transfer(struct mlxl *m, struct mlxl_cmd *cmd, uint32_t list_at, bool to_host,
		      void *buf, size_t bytes)
{
	uint64_t epoch = m->epoch;
	uint8_t *at = buf;

	while (bytes) {
		uint32_t entry = list_at + cmd->seg * (uint32_t)sizeof(struct mlxl_segment);
		uint64_t iova = mlxl_get64(cmd, entry) + cmd->seg_done;
		uint32_t left = mlxl_get32(cmd, entry + 8) - cmd->seg_done;
		size_t n = left < bytes ? left : bytes;
		int err = to_host ? vu_dma_write(m->dev, iova, at, n) :
				    vu_dma_read(m->dev, iova, at, n);

		if (m->epoch != epoch)
			return -ECANCELED;
		if (err)
			return err;
		cmd->seg_done += (uint32_t)n;
		if (n == left) {
			cmd->seg++;
			cmd->seg_done = 0;
		}
		at += n;
		bytes -= n;
	}
	return 0;
}

/* ---- completion ---- */

static void undo(struct mlxl_cmd *cmd)
{
	switch (cmd->op->opcode) {
	case MLXL_SAVE_BEGIN: mlxl_save_drop(cmd->fn); break;
	case MLXL_LOAD_BEGIN: mlxl_load_drop(cmd->fn); break;
	case MLXL_TRACKER_CREATE: mlxl_track_drop(cmd->fn); break;
	case MLXL_TRACKER_QUERY: cmd->clear = false; break;
	}
}

static int write_slot(struct mlxl *m, struct mlxl_cmd *cmd, uint64_t iova)
{
	struct mlxl_slot *s = &cmd->slot;
	size_t from = offsetof(struct mlxl_slot, out);
	int err;

	s->status = cmd->status;
	s->syndrome = cmd->syndrome;
	s->out_len = cmd->status == MLXL_OK ? cmd->out_len : 0;
	s->tag_out = s->tag;
	s->owner = 0;
	err = vu_dma_write(m->dev, iova + from, (uint8_t *)s + from,
			   offsetof(struct mlxl_slot, reserved) - from);
	if (!err)
		err = vu_dma_write(m->dev, iova + offsetof(struct mlxl_slot, owner), &s->owner,
				   sizeof(s->owner));
	return err;
}

static void complete(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint64_t iova = m->cmdq_base + (uint64_t)(cmd - m->cmds) * sizeof(struct mlxl_slot);
	uint64_t epoch = m->epoch;

	if (cmd->status == MLXL_OK && write_output(m, cmd) && m->epoch == epoch) {
		undo(cmd);
		cmd->status = MLXL_DMA;
		cmd->syndrome = 0;
	}
	if (m->epoch != epoch)
		return;
	if (write_slot(m, cmd, iova)) {
		if (m->epoch == epoch)
			queue_error(m, MLXL_SYN_QUEUE_DMA);
		return;
	}
	if (m->epoch != epoch)
		return;
	if (cmd->status == MLXL_OK && cmd->op && cmd->op->opcode == MLXL_TRACKER_QUERY)
		mlxl_tracker_reported(cmd);
	m->completed++;
	cmd_free(cmd);
	if (m->cmdq_ctrl & MLXL_CTRL_IRQ)
		vu_msix_raise(m->dev, MLXL_VECTOR_CMD);
}

/* ---- taking a command ---- */

/* Status of what does not depend on the function's state, with cmd->syndrome. */
static bool slot_ok(struct mlxl *m, struct mlxl_cmd *cmd)
{
	const struct mlxl_slot *s = &cmd->slot;
	bool none = s->function == MLXL_NO_FUNCTION;

	if (!cmd->op)
		return !mlxl_end(cmd, MLXL_BAD_OPCODE, 0);
	if (s->reserved[0] || s->reserved[1] || s->reserved[2])
		return !mlxl_end(cmd, MLXL_BAD_INPUT, SLOT_FIELD(reserved));
	if (none ? !cmd->op->global : s->function >= m->num_fns ||
	    (cmd->op->global && !cmd->op->both))
		return !mlxl_end(cmd, MLXL_BAD_FUNCTION, 0);
	cmd->fn = none ? NULL : m->fn[s->function];
	if (s->in_bytes > MLXL_MAX_BYTES || s->in_bytes < cmd->op->in_bytes ||
	    (!cmd->op->list_at && s->in_bytes != cmd->op->in_bytes))
		return !mlxl_end(cmd, MLXL_BAD_INPUT, SLOT_FIELD(in_bytes));
	if (s->out_bytes > MLXL_MAX_BYTES || s->out_bytes < cmd->op->out_bytes)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, SLOT_FIELD(out_bytes));
	if (s->in_bytes <= MLXL_INLINE_BYTES ? s->in_box : !s->in_box)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, SLOT_FIELD(in_box));
	if (s->out_bytes <= MLXL_INLINE_BYTES ? s->out_box : !s->out_box)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, SLOT_FIELD(out_box));
	return true;
}

static bool list_ok(struct mlxl_cmd *cmd)
{
	const struct mlxl_op *op = cmd->op;
	uint64_t count;

	if (!op->list_at)
		return true;
	count = mlxl_get32(cmd, op->list_at);
	if (!count)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, op->list_at);
	if (cmd->slot.in_bytes != op->in_bytes + count * op->list_bytes)
		return !mlxl_end(cmd, MLXL_BAD_INPUT, SLOT_FIELD(in_bytes));
	return true;
}

static bool boxes_ok(struct mlxl *m, struct mlxl_cmd *cmd)
{
	int err = read_input(m, cmd);

	if (err)
		return !mlxl_end(cmd, err == -EBADMSG ? MLXL_BAD_MAILBOX : MLXL_DMA, 0);
	err = read_output_chain(m, cmd);
	if (err)
		return !mlxl_end(cmd, err == -EBADMSG ? MLXL_BAD_MAILBOX : MLXL_DMA,
				 err == -EBADMSG);
	return true;
}

static void take_injected(struct mlxl *m, struct mlxl_cmd *cmd)
{
	struct mlxl_inject *in = &m->inject;

	if (!in->count || in->opcode != cmd->slot.opcode)
		return;
	in->count--;
	if (in->action == INJECT_ACTION_FAIL)
		cmd->forced = in->status;
	else if (in->action == INJECT_ACTION_DELAY)
		cmd->wait.due += in->delay_ms * NSEC_PER_MSEC;
	else
		cmd->stuck = true;
}

static void take_fault(struct vu_dev *dev, struct mlxl_cmd *cmd, unsigned int point)
{
	struct vu_fault_hit hit;

	vu_wait_more(dev, &cmd->wait, point, &hit);
	if (hit.fail)
		cmd->forced = hit.code ? hit.code : MLXL_INTERNAL;
}

/* A point of the function itself: migration stops, saves and loads it by commands. */
static unsigned int point_of_fn(uint16_t opcode)
{
	switch (opcode) {
	case MLXL_SUSPEND: return MLXL_FAULT_PAUSE;
	case MLXL_SAVE_CHUNK: return MLXL_FAULT_SAVE;
	case MLXL_LOAD_CHUNK: return MLXL_FAULT_LOAD;
	}
	return 0;
}

static void take_faults(struct mlxl *m, struct mlxl_cmd *cmd)
{
	bool half = cmd->op->opcode == MLXL_SUSPEND || cmd->op->opcode == MLXL_RESUME;
	bool responder = half && mlxl_get32(cmd, 0) == MLXL_RESPONDER;
	unsigned int of_fn = point_of_fn(cmd->op->opcode);

	cmd->wait = (struct vu_wait){ .due = vu_now() + m->opt.cmd_us * NSEC_PER_USEC };
	cmd->forced = 0;
	take_fault(m->dev, cmd, cmd->op->fault + responder);
	if (of_fn)
		take_fault(cmd->fn->dev, cmd, of_fn);
	take_injected(m, cmd);
}

static void start(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint64_t epoch = m->epoch;
	bool ok;

	cmd->active = true;
	cmd->op = mlxl_op_find(cmd->slot.opcode);
	ok = slot_ok(m, cmd);
	if (ok) {
		cmd->in = calloc(1, cmd->slot.in_bytes + 1);
		cmd->out = calloc(1, cmd->op->out_bytes + 1);
		if (!cmd->in || !cmd->out)
			ok = !mlxl_end(cmd, MLXL_NO_RESOURCES, 0);
	}
	if (ok)
		ok = boxes_ok(m, cmd);
	if (m->epoch != epoch)
		return;
	if (ok)
		ok = list_ok(cmd);
	if (ok)
		take_faults(m, cmd);
	else
		complete(m, cmd);
}

static bool fetch_held(struct mlxl *m)
{
	struct vu_fault_hit hit;

	if (m->fetch_hang && vu_fault_hanging(m->dev, MLXL_FAULT_FETCH))
		return true;
	m->fetch_hang = false;
	if (!vu_fault_take(m->dev, MLXL_FAULT_FETCH, &hit))
		return false;
	m->fetch_hang = hit.hang;
	if (hit.fail)
		queue_error(m, MLXL_SYN_QUEUE_DMA);
	return hit.hang || hit.fail;
}

static void fetch(struct mlxl *m, unsigned int n)
{
	struct mlxl_cmd *cmd = &m->cmds[n];
	uint64_t epoch = m->epoch;
	struct mlxl_slot slot;
	int err;

	if (cmd->active) {
		m->doorbells_ignored++;
		return;
	}
	err = vu_dma_read(m->dev, m->cmdq_base + n * sizeof(slot), &slot, sizeof(slot));
	if (m->epoch != epoch)
		return;
	if (err) {
		queue_error(m, MLXL_SYN_QUEUE_DMA);
	} else if (slot.owner != 1) {
		m->doorbells_ignored++;
	} else {
		memset(cmd, 0, sizeof(*cmd));
		cmd->slot = slot;
		start(m, cmd);
	}
}

/* ---- work ---- */

/* True when there is more to do at once. */
static bool step(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint64_t epoch = m->epoch;
	bool done = true;

	if ((cmd->stuck && !cmd->forced) || !vu_wait_over(m->dev, &cmd->wait))
		return false;
	if (cmd->forced)
		mlxl_end(cmd, cmd->forced, 0);
	else if (cmd->fn && !(cmd->op->states >> cmd->fn->state & 1))
		mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(cmd->fn));
	else
		done = cmd->op->run(m, cmd);
	if (m->epoch != epoch)
		return false;
	if (cmd->forced)
		done = mlxl_end(cmd, cmd->forced, 0);
	if (done)
		complete(m, cmd);
	return !done;
}

static bool queue_works(const struct mlxl *m)
{
	return (m->status & MLXL_STATUS_CMDQ) && (m->status & MLXL_STATUS_READY) &&
	       !(m->status & MLXL_STATUS_FATAL) && vu_bus_master(m->dev);
}

void mlxl_cmdq_work(struct mlxl *m)
{
	unsigned int first;

	mlxl_cmdq_reap(m);
	for (unsigned int n = 0; n < MLXL_MAX_SLOTS && queue_works(m); n++) {
		if (!(m->doorbells >> n & 1))
			continue;
		if (fetch_held(m))
			break;
		m->doorbells &= ~(1u << n);
		fetch(m, n);
	}
	/* Nobody may rely on an order. */
	m->pick = m->pick * 1664525u + 1013904223u;
	first = m->pick >> 27;
	for (unsigned int i = 0; i < MLXL_MAX_SLOTS && queue_works(m); i++) {
		struct mlxl_cmd *cmd = &m->cmds[(first + 11 * i) % MLXL_MAX_SLOTS];

		if (cmd->active && !cmd->dead && step(m, cmd))
			vu_kick(m->dev);
	}
}
