// SPDX-License-Identifier: GPL-2.0
/*
 * The command queue: slots in and out, in any order; interrupts, and polling in case
 * there are none; time-outs; and the death of the firmware.
 *
 * Every command that was submitted ends: by the firmware, by its time-out, after
 * which the queue is restarted, or when the queue is taken down.
 *
 * Nothing that the firmware may still write is freed or given back: before a command of
 * its ends here, the firmware says that it uses nothing any more, or the function
 * cannot reach memory.  If neither can be had from it, which takes a function that does
 * not even answer to config space, or one that the PCI core is recovering from an error, the
 * memory stays allocated until it can: see @lost.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>

#include "ctrl.h"

#define TICK_BUSY	msecs_to_jiffies(20)	/* interrupts may get lost */
#define TICK_POLL	1
#define TICK_IDLE	msecs_to_jiffies(500)
#define HEALTH_LIMIT	(3 * HZ)
#define MARGIN_MS	1000
#define TIMEOUT_MOST_MS	10000U		/* others wait meanwhile, with locks held */
#define READY_LIMIT_US	(5 * 1000 * 1000)
#define DISABLE_LIMIT_US (5 * MLXL_DISABLE_MS * 1000)

static u32 reg_read(struct mlxl_queue *q, u32 reg)
{
	return ioread32(q->regs + reg);
}

static void reg_write(struct mlxl_queue *q, u32 reg, u32 val)
{
	iowrite32(val, q->regs + reg);
}

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
	err = q->state == MLXL_QUEUE_UP ? 0 :
	      q->state == MLXL_QUEUE_DOWN ? -ENOTCONN : -EAGAIN;
	idle = !q->active;
	if (!err) {
		q->work[i].deadline = jiffies + q->limit;
		__set_bit(i, &q->active);
		dma_wmb();
		WRITE_ONCE(q->slots[i].owner, cpu_to_le32(MLXL_OWNER_FW));
		reg_write(q, MLXL_REG_DOORBELL, BIT(i));
	}
	/* Not at each command: a stream of them would put it off for ever. */
	if (!err && idle)
		mod_delayed_work(mlxl_ctrl_wq, &q->watch,
				 q->irq ? TICK_BUSY : TICK_POLL);
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

/* ---- Up, down, and again ---- */

/**
 * mlxl_queue_disable() - Have the firmware stop using all of it
 * @q: Queue.
 *
 * Context: process; may sleep for DISABLE_LIMIT_US.
 * Return: false when it does not say that it has.
 */
bool mlxl_queue_disable(struct mlxl_queue *q)
{
	u32 status;

	reg_write(q, MLXL_REG_CMDQ_CTRL, 0);
	/* All ones is no answer: the function may be anything but idle. */
	return !read_poll_timeout(ioread32, status,
				  status == U32_MAX || !(status & MLXL_STATUS_CMDQ),
				  1000, DISABLE_LIMIT_US, false,
				  q->regs + MLXL_REG_STATUS) && status != U32_MAX;
}

static void lost_free(struct mlxl_queue *q)
{
	unsigned long lost = q->lost;
	unsigned int i;

	q->lost = 0;
	q->wild = false;
	for_each_set_bit(i, &lost, MLXL_MAX_SLOTS)
		slot_give(q, i);
}

/* Nothing reaches memory any more, or what the firmware knows of is lost.  Queue down. */
static void queue_cut_off(struct mlxl_queue *q)
{
	if (vpv_ctrl_life_quiesce(q->life)) {
		lost_free(q);
		return;
	}
	pci_err(q->pdev, "cannot be kept from writing to memory: keeping what it knows of\n");
	spin_lock(&q->lock);
	q->wild = true;
	spin_unlock(&q->lock);
}

static int queue_enable(struct mlxl_queue *q)
{
	u32 status;

	reg_write(q, MLXL_REG_CMDQ_BASE, lower_32_bits(q->slots_dma));
	reg_write(q, MLXL_REG_CMDQ_BASE + 4, upper_32_bits(q->slots_dma));
	reg_write(q, MLXL_REG_CMDQ_LOG2, ilog2(q->num));
	reg_write(q, MLXL_REG_CMDQ_CTRL, MLXL_CTRL_ENABLE | (q->irq ? MLXL_CTRL_IRQ : 0));
	status = reg_read(q, MLXL_REG_STATUS);
	if (status != U32_MAX && (status & MLXL_STATUS_CMDQ))
		return 0;
	pci_err(q->pdev, "command queue is not enabled: status %#x, syndrome %u\n", status,
		reg_read(q, MLXL_REG_SYNDROME));
	return -EIO;
}

static void queue_set(struct mlxl_queue *q, enum mlxl_queue_state state)
{
	spin_lock(&q->lock);
	q->state = state;
	spin_unlock(&q->lock);
	wake_up_all(&q->room);
}

/* False when it is in another state: whoever takes it down may do so at any time. */
static bool queue_change(struct mlxl_queue *q, enum mlxl_queue_state from,
			 enum mlxl_queue_state to)
{
	bool done;

	spin_lock(&q->lock);
	done = q->state == from;
	if (done)
		q->state = to;
	spin_unlock(&q->lock);
	wake_up_all(&q->room);
	return done;
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

static unsigned long slots_late(struct mlxl_queue *q)
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

/*
 * Ends all commands here, not where the queue is taken down: who waits for one may
 * hold the lock that taking it down needs.
 */
static void queue_end(struct mlxl_queue *q)
{
	queue_set(q, MLXL_QUEUE_DOWN);
	mlxl_queue_reap(q);
	queue_cut_off(q);
	mlxl_queue_reap(q);
	slots_finish(q, active_take(q, ~0UL), -ECONNABORTED);
	vpv_ctrl_life_died(q->life);
}

static void queue_dead(struct mlxl_queue *q, const char *why)
{
	pci_err(q->pdev, "%s: status %#x, syndrome %u\n", why,
		reg_read(q, MLXL_REG_STATUS), reg_read(q, MLXL_REG_SYNDROME));
	queue_end(q);
}

/*
 * Some command is stuck, or the queue has stopped: begin again with an empty one.  False when
 * it is dead, or is being taken down.
 */
static bool queue_restart(struct mlxl_queue *q, unsigned long late)
{
	if (!queue_change(q, MLXL_QUEUE_UP, MLXL_QUEUE_RESTART))
		return false;
	dev_warn_ratelimited(&q->pdev->dev, "restarting the command queue: status %#x, slots %#lx late\n",
			     reg_read(q, MLXL_REG_STATUS), late);
	if (!mlxl_queue_disable(q)) {
		queue_dead(q, "command queue cannot be disabled");
		return false;
	}
	mlxl_queue_reap(q);
	slots_finish(q, active_take(q, late), -ETIMEDOUT);
	slots_finish(q, active_take(q, ~0UL), -ECONNABORTED);
	if (READ_ONCE(q->state) == MLXL_QUEUE_DOWN)
		return false;
	if (queue_enable(q)) {
		queue_dead(q, "command queue cannot be enabled");
		return false;
	}
	/* Whoever takes it down disables it when the watch has ended. */
	return queue_change(q, MLXL_QUEUE_RESTART, MLXL_QUEUE_UP);
}

static bool queue_healthy(struct mlxl_queue *q)
{
	u32 health = reg_read(q, MLXL_REG_HEALTH);

	if (health != q->health) {
		q->health = health;
		q->healthy = jiffies;
	}
	return !time_after(jiffies, q->healthy + HEALTH_LIMIT);
}

static const char *queue_why_dead(struct mlxl_queue *q, u32 status)
{
	if (status == U32_MAX)
		return "function does not answer";
	if ((status & MLXL_STATUS_FATAL) || !queue_healthy(q))
		return "firmware has died";
	/* It has begun anew: what it still has of sessions and suspensions nobody knows. */
	if (!(status & (MLXL_STATUS_CMDQ | MLXL_STATUS_CMDQ_ERROR)))
		return "firmware has disabled the command queue";
	return NULL;
}

static bool queue_check(struct mlxl_queue *q)
{
	unsigned long late;
	const char *why;
	u32 status;

	if (vpv_ctrl_life_cut_off(q->life)) {
		queue_end(q);
		return false;
	}
	status = reg_read(q, MLXL_REG_STATUS);
	why = queue_why_dead(q, status);
	if (why) {
		queue_dead(q, why);
		return false;
	}
	mlxl_queue_reap(q);
	late = slots_late(q);
	if (late || (status & MLXL_STATUS_CMDQ_ERROR))
		return queue_restart(q, late);
	return true;
}

/* Not once the queue is down: whoever has taken it down has cancelled the watch. */
static void queue_watch_in(struct mlxl_queue *q, unsigned long tick)
{
	spin_lock(&q->lock);
	if (q->state != MLXL_QUEUE_DOWN)
		queue_delayed_work(mlxl_ctrl_wq, &q->watch, tick);
	spin_unlock(&q->lock);
}

static void queue_watch(struct work_struct *work)
{
	struct mlxl_queue *q = container_of(to_delayed_work(work), struct mlxl_queue, watch);
	unsigned long tick = TICK_IDLE;

	if (!queue_check(q))
		return;
	if (READ_ONCE(q->active))
		tick = q->irq ? TICK_BUSY : TICK_POLL;
	queue_watch_in(q, tick);
}

static int queue_identify(struct mlxl_queue *q)
{
	u32 id = reg_read(q, MLXL_REG_ID), interface = reg_read(q, MLXL_REG_INTERFACE);

	if (id != MLXL_ID_VALUE || interface != MLXL_INTERFACE_VALUE) {
		pci_err(q->pdev, "id %#x, interface %u, not %#x, %u\n", id, interface,
			MLXL_ID_VALUE, MLXL_INTERFACE_VALUE);
		return -ENODEV;
	}
	return 0;
}

/* Before the firmware is READY these say nothing. */
static void queue_limits(struct mlxl_queue *q)
{
	u32 limits = reg_read(q, MLXL_REG_LIMITS);
	u32 timeout = clamp(reg_read(q, MLXL_REG_TIMEOUT_MS), 10U, TIMEOUT_MOST_MS);

	q->num = 1U << min_t(u32, MLXL_LIMITS_LOG2(limits), ilog2(MLXL_MAX_SLOTS));
	q->limit = msecs_to_jiffies(timeout + MARGIN_MS);
}

/**
 * mlxl_queue_up() - Accept commands
 * @q: Queue that is down; its function was reset.
 *
 * Context: process; may sleep for READY_LIMIT_US.
 * Return: 0; -ENODEV if this is not what it should be; -ETIMEDOUT when the firmware
 * does not get ready; -EIO.
 */
int mlxl_queue_up(struct mlxl_queue *q)
{
	u32 status;
	int err;

	err = queue_identify(q);
	if (err)
		return err;
	err = read_poll_timeout(ioread32, status,
				status != U32_MAX && (status & MLXL_STATUS_READY), 1000,
				READY_LIMIT_US, false, q->regs + MLXL_REG_STATUS);
	if (err) {
		pci_err(q->pdev, "firmware does not get ready: status %#x\n", status);
		return err;
	}
	if (!mlxl_queue_disable(q))
		return -EIO;
	queue_limits(q);
	lost_free(q);
	memset(q->slots, 0, MLXL_MAX_SLOTS * sizeof(*q->slots));
	pci_set_master(q->pdev);
	err = queue_enable(q);
	if (err) {
		queue_cut_off(q);
		return err;
	}

	q->health = reg_read(q, MLXL_REG_HEALTH);
	q->healthy = jiffies;
	queue_set(q, MLXL_QUEUE_UP);
	queue_watch_in(q, TICK_IDLE);
	return 0;
}

/**
 * mlxl_queue_down() - End all commands and accept none
 * @q: Queue; also one that is down.
 *
 * On return the firmware does not touch host memory any more that is used for anything
 * else.
 *
 * Context: process; may sleep for DISABLE_LIMIT_US; not from the queue's work.
 */
void mlxl_queue_down(struct mlxl_queue *q)
{
	queue_set(q, MLXL_QUEUE_DOWN);
	cancel_delayed_work_sync(&q->watch);
	mlxl_queue_reap(q);
	queue_cut_off(q);
	mlxl_queue_reap(q);
	slots_finish(q, active_take(q, ~0UL), -ECONNABORTED);
	wait_event(q->room, !(READ_ONCE(q->used) & ~READ_ONCE(q->lost)));
}

/**
 * mlxl_queue_look() - Look now what became of the function
 * @q: Queue.
 *
 * Context: any that has interrupts on.
 */
void mlxl_queue_look(struct mlxl_queue *q)
{
	spin_lock(&q->lock);
	if (q->state != MLXL_QUEUE_DOWN)
		mod_delayed_work(mlxl_ctrl_wq, &q->watch, 0);
	spin_unlock(&q->lock);
}

/**
 * mlxl_queue_init() - Allocate a queue
 * @q: Zeroed.
 * @life: Of the controlling function.
 * @regs: Its registers.
 *
 * Return: 0 or -ENOMEM.
 */
int mlxl_queue_init(struct mlxl_queue *q, struct vpv_ctrl_life *life, void __iomem *regs)
{
	struct pci_dev *pdev = life->pdev;

	q->pdev = pdev;
	q->regs = regs;
	q->life = life;
	q->num = 1;
	spin_lock_init(&q->lock);
	init_waitqueue_head(&q->room);
	INIT_DELAYED_WORK(&q->watch, queue_watch);

	q->slots = dma_alloc_coherent(&pdev->dev, MLXL_MAX_SLOTS * sizeof(*q->slots),
				      &q->slots_dma, GFP_KERNEL);
	if (!q->slots)
		return -ENOMEM;
	q->boxes = dma_pool_create(MLXL_CTRL_NAME, &pdev->dev, MLXL_BOX_BYTES,
				   MLXL_BOX_BYTES, 0);
	if (q->boxes)
		return 0;
	dma_free_coherent(&pdev->dev, MLXL_MAX_SLOTS * sizeof(*q->slots), q->slots,
			  q->slots_dma);
	return -ENOMEM;
}

/**
 * mlxl_queue_fini() - Free a queue
 * @q: Queue that is down.
 *
 * What is lost stays allocated: a pool does not free memory that is in use.
 */
void mlxl_queue_fini(struct mlxl_queue *q)
{
	dma_pool_destroy(q->boxes);
	if (q->wild)
		return;
	dma_free_coherent(&q->pdev->dev, MLXL_MAX_SLOTS * sizeof(*q->slots), q->slots,
			  q->slots_dma);
}
