// SPDX-License-Identifier: GPL-2.0
/*
 * The command queue: up and down; completions that no interrupt tells of; time-outs; and the
 * death of the firmware.  Commands are in ctrl_slot.c.  EVENTS is here, too, as the registers are.
 *
 * A command whose time is over ends, and the queue is restarted; all others end with it, or when
 * the queue is taken down.
 *
 * Nothing that the firmware may still write is freed or given back: before a command of
 * its ends here, the firmware says that it uses nothing any more, or the function
 * cannot reach memory.  Neither is certain of a function that does not even answer to config
 * space, or that the PCI core is recovering from an error: then the memory stays allocated until
 * one of them is, see @lost.
 */
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>

#include "ctrl.h"

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
	/* All ones: it does not answer, and need not be idle. */
	return !read_poll_timeout(ioread32, status,
				  status == U32_MAX || !(status & MLXL_STATUS_CMDQ),
				  1000, DISABLE_LIMIT_US, false,
				  q->regs + MLXL_REG_STATUS) && status != U32_MAX;
}

/* Nothing reaches memory any more, or what the firmware knows of is lost.  Queue down. */
static void queue_cut_off(struct mlxl_queue *q)
{
	if (vpv_ctrl_life_quiesce(q->life)) {
		mlxl_slots_quiet(q);
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
	reg_write(q, MLXL_REG_CMDQ_CTRL, MLXL_CTRL_ENABLE | (q->life->irqs ? MLXL_CTRL_IRQ : 0));
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

/* False when it is in another state: it may be taken down at any time. */
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
 * Ends all commands here, not where the queue is taken down: who waits for one may
 * hold the lock that taking it down needs.
 */
static void queue_end(struct mlxl_queue *q)
{
	queue_set(q, MLXL_QUEUE_DOWN);
	mlxl_queue_reap(q);
	queue_cut_off(q);
	mlxl_queue_reap(q);
	mlxl_slots_end(q, ~0UL, -ECONNABORTED);
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
	mlxl_slots_end(q, late, -ETIMEDOUT);
	mlxl_slots_end(q, ~0UL, -ECONNABORTED);
	if (READ_ONCE(q->state) == MLXL_QUEUE_DOWN)
		return false;
	if (queue_enable(q)) {
		queue_dead(q, "command queue cannot be enabled");
		return false;
	}
	/* If it was taken down meanwhile, it is disabled when the watch has ended. */
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
	/* It has begun anew: whether it still has sessions and suspensions is not known. */
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
	late = mlxl_slots_late(q);
	if (late || (status & MLXL_STATUS_CMDQ_ERROR))
		return queue_restart(q, late);
	return true;
}

/* Not once the queue is down: the watch was cancelled when it was taken down. */
static void queue_watch_in(struct mlxl_queue *q, unsigned long tick)
{
	spin_lock(&q->lock);
	if (q->state != MLXL_QUEUE_DOWN)
		queue_delayed_work(q->life->wq, &q->watch, tick);
	spin_unlock(&q->lock);
}

static void queue_watch(struct work_struct *work)
{
	struct mlxl_queue *q = container_of(to_delayed_work(work), struct mlxl_queue, watch);
	unsigned long tick = TICK_IDLE;

	if (!queue_check(q))
		return;
	if (READ_ONCE(q->active))
		tick = mlxl_queue_tick(q);
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
	mlxl_slots_quiet(q);
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
	mlxl_slots_end(q, ~0UL, -ECONNABORTED);
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
		mod_delayed_work(q->life->wq, &q->watch, 0);
	spin_unlock(&q->lock);
}

/**
 * mlxl_queue_events() - Read and clear EVENTS
 * @q: Queue.
 * @events: Receives a bit for each function that there is news of.
 *
 * None is touched while the PCI core recovers the function from an error, before which the
 * interrupt may have come.  No news is lost: all functions are published anew after it.
 *
 * Return: false then, and if the function does not answer: all ones could be events as well.
 */
bool mlxl_queue_events(struct mlxl_queue *q, unsigned long *events)
{
	u32 words[2];

	if (!vpv_ctrl_life_reachable(q->life))
		return false;
	words[0] = reg_read(q, MLXL_REG_EVENTS);
	words[1] = reg_read(q, MLXL_REG_EVENTS + 4);
	if (reg_read(q, MLXL_REG_STATUS) == U32_MAX)
		return false;
	reg_write(q, MLXL_REG_EVENTS, words[0]);
	reg_write(q, MLXL_REG_EVENTS + 4, words[1]);
	bitmap_from_arr32(events, words, MLXL_MAX_FUNCTIONS);
	return true;
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
