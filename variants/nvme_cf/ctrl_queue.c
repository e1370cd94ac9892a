// SPDX-License-Identifier: GPL-2.0
/*
 * The admin queues: commands in any order; interrupts, and polling in case there are none;
 * time-outs; and the death of the controller.
 *
 * Every command ends: by the device, by its time-out, or when the queue is taken down.  One
 * whose time is over is aborted; if it does not end then, the controller is dead, and is
 * reset (vpv/ctrl_life.h), which ends all others.
 *
 * Data are copied: the device knows nothing but the memory of the queue, which is used again
 * when a command has ended, or after a reset.  It is freed if the device provably does not
 * access it: it says that it is disabled, or it cannot reach memory.  If neither can be had
 * from it, which takes a function that does not even answer to config space, or one that the
 * PCI core is recovering from an error, the memory is kept, or leaked: see @wild.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/moduleparam.h>

#include "ctrl.h"

#define TICK_BUSY	msecs_to_jiffies(20)	/* interrupts may get lost */
#define TICK_POLL	1
#define TICK_IDLE	msecs_to_jiffies(500)
#define ABORT_LIMIT	HZ
#define READY_UNITS_MAX	60U		/* 30 s */
#define MARGIN_MS	1000

#define CAP_DSTRD(cap)	((unsigned int)((cap) >> 32) & 0xf)
#define CAP_MPSMIN(cap)	((unsigned int)((cap) >> 48) & 0xf)
#define CRTO_CRWMT(crto)	((crto) & 0xffff)

static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "Milliseconds after which a command is aborted, 100 to 60000");

static unsigned long queue_limit(void)
{
	return msecs_to_jiffies(clamp(READ_ONCE(timeout_ms), 100U, 60000U));
}

static u32 reg_read(struct nvcf_queue *q, u32 reg)
{
	return ioread32(q->regs + reg);
}

static void reg_write(struct nvcf_queue *q, u32 reg, u32 val)
{
	iowrite32(val, q->regs + reg);
}

/* ---- Slots ---- */

static int slot_take(struct nvcf_queue *q)
{
	unsigned int i;
	int ret;

	spin_lock(&q->lock);
	i = find_first_zero_bit(&q->used, NVCF_SLOTS);
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

	/* Bounded: every command ends. */
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
	reg_write(q, q->doorbells[0], q->tail);
}

static int slot_start(struct nvcf_queue *q, unsigned int i, struct nvcf_admin *cmd)
{
	struct nvcf_slot *slot = &q->slot[i];
	unsigned long limit = queue_limit();
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
		 * lock: nvcf_queue_down() cancels it once it is sure that nobody queues it.
		 */
		if (idle)
			mod_delayed_work(nvcf_ctrl_wq, &q->watch, q->irq ? TICK_BUSY : TICK_POLL);
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
	bool event = false, any = false;
	struct nvs_cqe cqe;
	u32 dw0 = 0;

	spin_lock(&q->lock);
	for (unsigned int i = 0; i < NVCF_ENTRIES && cqe_take(q, &cqe); i++) {
		any = true;
		if (cqe_finish(q, &cqe)) {
			event = true;
			dw0 = le32_to_cpu(cqe.dw0);
		}
	}
	if (any && vpv_ctrl_life_reachable(q->life))
		reg_write(q, q->doorbells[1], q->head);
	spin_unlock(&q->lock);
	if (event)
		q->event(q, dw0);
}

static bool slot_late(const struct nvcf_queue *q, unsigned int i)
{
	return time_after(jiffies, q->slot[i].deadline);
}

/* Commands that the device will not end any more. */
static void active_end(struct nvcf_queue *q)
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

/* ---- Up and down ---- */

static u64 cap_read(struct nvcf_queue *q)
{
	return lo_hi_readq(q->regs + NVS_REG_CAP);
}

/* How long the controller may take to become ready, or not ready. */
static unsigned long ready_us(struct nvcf_queue *q)
{
	u64 cap = cap_read(q);
	unsigned int units = NVS_CAP_TO_GET(cap);

	if (cap & NVS_CAP_CRWMS)
		units = max(units, CRTO_CRWMT(reg_read(q, NVS_REG_CRTO)));
	return (min(units, READY_UNITS_MAX) * NVS_TO_MS + MARGIN_MS) * 1000UL;
}

/**
 * nvcf_queue_disable() - Reset the controller by CC.EN
 * @q: Queue.
 *
 * Context: process; may sleep for as long as the controller asks for.
 * Return: false when it does not say that it is reset.
 */
bool nvcf_queue_disable(struct nvcf_queue *q)
{
	u32 csts;

	reg_write(q, NVS_REG_CC, reg_read(q, NVS_REG_CC) & ~NVS_CC_EN);
	/* All ones is no answer: the function may be anything but idle. */
	return !read_poll_timeout(ioread32, csts, csts == U32_MAX || !(csts & NVS_CSTS_RDY),
				  1000, ready_us(q), false, q->regs + NVS_REG_CSTS) &&
	       csts != U32_MAX;
}

static void queue_cut_off(struct nvcf_queue *q)
{
	q->wild = !vpv_ctrl_life_quiesce(q->life);
	if (q->wild)
		dev_err_ratelimited(&q->pdev->dev, "cannot be kept from accessing memory\n");
}

static void queue_set(struct nvcf_queue *q, bool up)
{
	spin_lock(&q->lock);
	q->up = up;
	spin_unlock(&q->lock);
	wake_up_all(&q->room);
}

/*
 * Ends all commands here, not where the queue is taken down: who waits for one may hold the
 * lock that taking it down needs.
 */
static void queue_end(struct nvcf_queue *q)
{
	queue_set(q, false);
	nvcf_queue_reap(q);
	queue_cut_off(q);
	nvcf_queue_reap(q);
	active_end(q);
	vpv_ctrl_life_died(q->life);
}

/* The controller need not abort it: others do not pay for the haste of its sender. */
static unsigned long abort_deadline(const struct nvcf_slot *slot)
{
	unsigned long least = jiffies + ABORT_LIMIT;

	return time_after(slot->patience, least) ? slot->patience : least;
}

/* One at a time; false when a command, or the Abort itself, does not end. */
static bool queue_abort_late(struct nvcf_queue *q)
{
	struct nvs_sqe sqe = { .opcode = NVS_ADMIN_ABORT };
	unsigned int i, late = NVCF_IDS;
	bool stuck = false;

	spin_lock(&q->lock);
	stuck = (q->active & BIT(NVCF_ID_ABORT)) && slot_late(q, NVCF_ID_ABORT);
	for_each_set_bit(i, &q->active, NVCF_SLOTS) {
		if (!slot_late(q, i))
			continue;
		if (q->slot[i].aborted)
			stuck = true;
		else if (late == NVCF_IDS)
			late = i;
	}
	if (!stuck && late < NVCF_IDS && !(q->active & BIT(NVCF_ID_ABORT))) {
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

static bool queue_check(struct nvcf_queue *q)
{
	const char *why = NULL;
	u32 csts;

	if (vpv_ctrl_life_cut_off(q->life)) {
		queue_end(q);
		return false;
	}
	csts = reg_read(q, NVS_REG_CSTS);
	if (csts == U32_MAX)
		why = "controller does not answer";
	else if (csts & NVS_CSTS_CFS)
		why = "controller has failed";
	else if (!(csts & NVS_CSTS_RDY))
		why = "controller was reset";
	if (!why) {
		nvcf_queue_reap(q);
		if (!queue_abort_late(q))
			why = "controller does not end commands";
	}
	if (!why)
		return true;
	pci_err(q->pdev, "%s: CSTS %#x\n", why, reg_read(q, NVS_REG_CSTS));
	queue_end(q);
	return false;
}

static void queue_watch(struct work_struct *work)
{
	struct nvcf_queue *q = container_of(to_delayed_work(work), struct nvcf_queue, watch);
	unsigned long tick = TICK_IDLE;

	if (!queue_check(q))
		return;
	spin_lock(&q->lock);
	if (q->active & ~BIT(NVCF_ID_EVENT))
		tick = q->irq ? TICK_BUSY : TICK_POLL;
	if (q->up)
		queue_delayed_work(nvcf_ctrl_wq, &q->watch, tick);
	spin_unlock(&q->lock);
}

static int queue_identify(struct nvcf_queue *q)
{
	u64 cap = cap_read(q);
	u32 stride = 4U << CAP_DSTRD(cap);

	if (cap == U64_MAX || CAP_MPSMIN(cap) || (cap & 0xffff) < NVCF_ENTRIES - 1 ||
	    NVS_REG_DOORBELLS + 2 * stride > pci_resource_len(q->pdev, NVCF_BAR)) {
		pci_err(q->pdev, "CAP %#llx is not supported\n", cap);
		return -ENODEV;
	}
	q->doorbells[0] = NVS_REG_DOORBELLS;
	q->doorbells[1] = NVS_REG_DOORBELLS + stride;
	return 0;
}

static int queue_enable(struct nvcf_queue *q)
{
	u64 cap = cap_read(q);
	u32 css = cap & NVS_CAP_CSS_NONE ? NVS_CC_CSS_ADMIN :
		  cap & NVS_CAP_CSS_IOCSS ? NVS_CC_CSS_IOCSS : NVS_CC_CSS_NVM;
	u32 csts;

	reg_write(q, NVS_REG_AQA, (NVCF_ENTRIES - 1) << 16 | (NVCF_ENTRIES - 1));
	lo_hi_writeq(q->sqes_dma, q->regs + NVS_REG_ASQ);
	lo_hi_writeq(q->cqes_dma, q->regs + NVS_REG_ACQ);
	reg_write(q, NVS_REG_CC, NVS_CC_EN | css << 4 | NVS_SQES << 16 | NVS_CQES << 20);
	if (!read_poll_timeout(ioread32, csts, csts & (NVS_CSTS_RDY | NVS_CSTS_CFS), 1000,
			       ready_us(q), false, q->regs + NVS_REG_CSTS) &&
	    !(csts & NVS_CSTS_CFS))
		return 0;
	pci_err(q->pdev, "controller does not get ready: CSTS %#x\n", csts);
	return -EIO;
}

/* An interrupt of before may still look for completions. */
static void queue_empty(struct nvcf_queue *q)
{
	spin_lock(&q->lock);
	memset(q->cqes, 0, NVCF_ENTRIES * sizeof(*q->cqes));
	q->tail = 0;
	q->head = 0;
	q->phase = true;
	spin_unlock(&q->lock);
}

/**
 * nvcf_queue_up() - Reset the controller, and accept commands
 * @q: Queue that is down.
 *
 * Context: process; may sleep for twice the time that the controller asks for.
 * Return: 0; -ENODEV if this is not what it should be; -EIO when it does not get ready.
 */
int nvcf_queue_up(struct nvcf_queue *q)
{
	int err = queue_identify(q);

	if (err)
		return err;
	if (!nvcf_queue_disable(q)) {
		pci_err(q->pdev, "controller cannot be disabled: CSTS %#x\n",
			reg_read(q, NVS_REG_CSTS));
		return -EIO;
	}
	q->wild = false;
	queue_empty(q);
	q->max_data = NVS_IDENTIFY_BYTES;
	pci_set_master(q->pdev);
	err = queue_enable(q);
	if (err) {
		queue_cut_off(q);
		return err;
	}
	queue_set(q, true);
	queue_delayed_work(nvcf_ctrl_wq, &q->watch, TICK_IDLE);
	return 0;
}

/**
 * nvcf_queue_down() - End all commands and accept none
 * @q: Queue; also one that is down.
 *
 * On return the device does not access the queue, or @q->wild is set.
 *
 * Context: process; may sleep for as long as the controller takes to be disabled; not from
 * the queue's work.
 */
void nvcf_queue_down(struct nvcf_queue *q)
{
	queue_set(q, false);
	cancel_delayed_work_sync(&q->watch);
	nvcf_queue_reap(q);
	queue_cut_off(q);
	nvcf_queue_reap(q);
	active_end(q);
	wait_event(q->room, !READ_ONCE(q->used));
}

/**
 * nvcf_queue_look() - Look now what became of the controller
 * @q: Queue.
 *
 * Context: any that has interrupts on.
 */
void nvcf_queue_look(struct nvcf_queue *q)
{
	spin_lock(&q->lock);
	if (q->up)
		mod_delayed_work(nvcf_ctrl_wq, &q->watch, 0);
	spin_unlock(&q->lock);
}

/* ---- Memory ---- */

static void slots_free(struct nvcf_queue *q)
{
	struct device *dev = &q->pdev->dev;

	for (unsigned int i = 0; i < NVCF_SLOTS; i++) {
		struct nvcf_slot *slot = &q->slot[i];

		if (slot->list)
			dma_free_coherent(dev, NVCF_PAGE, slot->list, slot->list_dma);
		if (slot->buf)
			dma_free_coherent(dev, NVCF_MAX_DATA, slot->buf, slot->buf_dma);
	}
}

static int slots_alloc(struct nvcf_queue *q)
{
	struct device *dev = &q->pdev->dev;

	for (unsigned int i = 0; i < NVCF_SLOTS; i++) {
		struct nvcf_slot *slot = &q->slot[i];

		init_completion(&slot->done);
		slot->buf = dma_alloc_coherent(dev, NVCF_MAX_DATA, &slot->buf_dma, GFP_KERNEL);
		slot->list = dma_alloc_coherent(dev, NVCF_PAGE, &slot->list_dma, GFP_KERNEL);
		if (!slot->buf || !slot->list)
			return -ENOMEM;
		nvcf_wire_list(slot->list, slot->buf_dma, NVCF_MAX_DATA);
	}
	return 0;
}

static void queue_free(struct nvcf_queue *q)
{
	struct device *dev = &q->pdev->dev;

	slots_free(q);
	if (q->cqes)
		dma_free_coherent(dev, NVCF_PAGE, q->cqes, q->cqes_dma);
	if (q->sqes)
		dma_free_coherent(dev, NVCF_PAGE, q->sqes, q->sqes_dma);
}

/**
 * nvcf_queue_init() - Allocate a queue
 * @q: Zeroed, but for its callback.
 * @life: Of the managing controller.
 * @regs: Its registers.
 *
 * Return: 0 or -ENOMEM.
 */
int nvcf_queue_init(struct nvcf_queue *q, struct vpv_ctrl_life *life, void __iomem *regs)
{
	struct pci_dev *pdev = life->pdev;
	int err = -ENOMEM;

	BUILD_BUG_ON(NVCF_ENTRIES <= NVCF_IDS);
	BUILD_BUG_ON(NVCF_ENTRIES * sizeof(*q->sqes) > NVCF_PAGE);

	q->pdev = pdev;
	q->life = life;
	q->regs = regs;
	q->phase = true;
	spin_lock_init(&q->lock);
	init_waitqueue_head(&q->room);
	INIT_DELAYED_WORK(&q->watch, queue_watch);
	q->sqes = dma_alloc_coherent(&pdev->dev, NVCF_PAGE, &q->sqes_dma, GFP_KERNEL);
	q->cqes = dma_alloc_coherent(&pdev->dev, NVCF_PAGE, &q->cqes_dma, GFP_KERNEL);
	if (q->sqes && q->cqes)
		err = slots_alloc(q);
	if (err)
		queue_free(q);
	return err;
}

/**
 * nvcf_queue_fini() - Free a queue
 * @q: Queue that is down.
 */
void nvcf_queue_fini(struct nvcf_queue *q)
{
	if (q->wild)
		pci_err(q->pdev, "may still access memory: leaking %u KiB\n",
			(NVCF_SLOTS * (NVCF_MAX_DATA + NVCF_PAGE) + 2 * NVCF_PAGE) >> 10);
	else
		queue_free(q);
}
