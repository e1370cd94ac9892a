// SPDX-License-Identifier: GPL-2.0
/*
 * The admin queues: up and down; completions that no interrupt tells of; and the death of the
 * controller.  Commands are in ctrl_slot.c.
 *
 * Every command ends: by the device, by its time-out, or when the queue is taken down.  If
 * one does not end when it is aborted, the controller is reset (vpv/ctrl_life.h), which ends all
 * others.
 *
 * The memory of the queue is freed if the device provably does not access it: it says that it is
 * disabled, or it cannot reach memory.  Neither is certain of a function that does not even answer
 * to config space, or that the PCI core is recovering from an error: then the memory is kept, or
 * leaked, see @wild.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include "ctrl.h"

#define TICK_IDLE	msecs_to_jiffies(500)
#define MARGIN_MS	1000

#define CAP_DSTRD(cap)	((unsigned int)((cap) >> 32) & 0xf)
#define CAP_MPSMIN(cap)	((unsigned int)((cap) >> 48) & 0xf)
#define CRTO_CRWMT(crto)	((crto) & 0xffff)

static u32 reg_read(struct nvcf_queue *q, u32 reg)
{
	return ioread32(q->regs + reg);
}

static void reg_write(struct nvcf_queue *q, u32 reg, u32 val)
{
	iowrite32(val, q->regs + reg);
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
	return (min(units, NVCF_READY_UNITS_MAX) * NVS_TO_MS + MARGIN_MS) * 1000UL;
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
	/* All ones: it does not answer, and need not be idle. */
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
	nvcf_slots_end(q);
	vpv_ctrl_life_died(q->life);
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
		if (!nvcf_slots_abort_late(q))
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
		tick = nvcf_queue_tick(q);
	if (q->up)
		queue_delayed_work(q->life->wq, &q->watch, tick);
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
	queue_delayed_work(q->life->wq, &q->watch, TICK_IDLE);
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
	nvcf_slots_end(q);
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
		mod_delayed_work(q->life->wq, &q->watch, 0);
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
