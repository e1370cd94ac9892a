// SPDX-License-Identifier: GPL-2.0
/*
 * hisi_like: registers of the lower half, reset and options.
 * Contract: Documentation/hardware/hisi_like.rst.  Queues: hisi_like_queue.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hisi_like.h"

uint32_t hisil_queues_reg(const struct hisil *h)
{
	return h->log2 << 16 | h->queues;
}

static void ready_work(struct hisil *h)
{
	if (!(h->status & HISIL_STATUS_READY) && vu_wait_over(h->dev, &h->ready))
		h->status |= HISIL_STATUS_READY;
}

static void hisil_work(struct vu_dev *dev)
{
	struct hisil *h = vu_priv(dev);

	ready_work(h);
	for (unsigned int i = 0; i < h->queues; i++) {
		unsigned int n = (h->next_queue + i) % h->queues;

		if (hisil_queue_work(h, &h->q[n]))
			vu_kick(dev);
	}
	h->next_queue = (h->next_queue + 1) % h->queues;
	hisil_control_work(h);
}

/* ---- registers ---- */

static void queue_write(struct hisil *h, struct hisil_queue *q, uint32_t off, uint32_t val)
{
	bool set_up = !hisil_queue_enabled(q) && !q->in_work;

	switch (off) {
	case HISIL_SQ_BASE:
	case HISIL_SQ_BASE + 4:
		if (set_up)
			q->regs.sq_base = vu_with_half(q->regs.sq_base, off, val);
		break;
	case HISIL_CQ_BASE:
	case HISIL_CQ_BASE + 4:
		if (set_up)
			q->regs.cq_base = vu_with_half(q->regs.cq_base, off, val);
		break;
	case HISIL_SIZE:
		if (set_up)
			q->regs.size = val;
		break;
	case HISIL_QCTRL: hisil_queue_ctrl(h, q, val); break;
	case HISIL_SQ_TAIL: hisil_queue_sq_tail(q, val); break;
	case HISIL_CQ_HEAD: hisil_queue_cq_head(q, val); break;
	}
	vu_kick(h->dev);
}

static uint32_t queue_read(const struct hisil *h, const struct hisil_queue *q, uint32_t off)
{
	const struct hisil_queue_ctx *r = &q->regs;

	switch (off) {
	case HISIL_SQ_BASE:
	case HISIL_SQ_BASE + 4: return vu_half(r->sq_base, off);
	case HISIL_CQ_BASE:
	case HISIL_CQ_BASE + 4: return vu_half(r->cq_base, off);
	case HISIL_SIZE: return r->size;
	case HISIL_QCTRL: return r->qctrl;
	case HISIL_QSTATUS: return r->qstatus;
	case HISIL_VECTOR: return (uint32_t)(q - h->q);
	case HISIL_SQ_TAIL: return r->sq_tail;
	case HISIL_SQ_HEAD: return r->sq_head;
	case HISIL_CQ_HEAD: return r->cq_head;
	case HISIL_CQ_TAIL: return r->cq_tail;
	}
	return 0;
}

static uint32_t global_read(const struct hisil *h, uint32_t off)
{
	switch (off) {
	case HISIL_ID: return HISIL_ID_VALUE;
	case HISIL_REV: return h->rev;
	case HISIL_QUEUES: return hisil_queues_reg(h);
	case HISIL_ALGS: return h->algs;
	case HISIL_STATUS: return h->status;
	case HISIL_CTRL: return h->ctrl;
	case HISIL_MAX_XFER: return HISIL_XFER_BYTES;
	case HISIL_OPS_DONE:
	case HISIL_OPS_DONE + 4: return vu_half(h->ops_done, off);
	case HISIL_OPS_FAILED:
	case HISIL_OPS_FAILED + 4: return vu_half(h->ops_failed, off);
	}
	return 0;
}

static struct hisil_queue *queue_at(struct hisil *h, uint32_t off)
{
	uint32_t n = (off - HISIL_Q(0)) / HISIL_Q_STRIDE;

	return off >= HISIL_Q(0) && n < h->queues ? &h->q[n] : NULL;
}

static uint32_t read32(struct vu_dev *dev, uint32_t off)
{
	struct hisil *h = vu_priv(dev);
	struct hisil_queue *q;

	if (off >= h->cp_base)
		return hisil_control_read(h, off - h->cp_base);
	if (off < HISIL_Q(0))
		return global_read(h, off);
	q = queue_at(h, off);
	return q ? queue_read(h, q, off % HISIL_Q_STRIDE) : 0;
}

static void write32(struct vu_dev *dev, uint32_t off, uint32_t val)
{
	struct hisil *h = vu_priv(dev);
	struct hisil_queue *q;

	if (off >= h->cp_base) {
		hisil_control_write(h, off - h->cp_base, val);
		return;
	}
	if (h->cp.pause & HISIL_FREEZE)
		return;
	if (off == HISIL_CTRL) {
		h->ctrl = val & HISIL_CTRL_ENABLE;
		vu_kick(h->dev);
	}
	q = queue_at(h, off);
	if (q)
		queue_write(h, q, off % HISIL_Q_STRIDE, val);
}

/* Registers marked 64 may be accessed at once. */
static bool is_wide(uint32_t off)
{
	if (off == HISIL_OPS_DONE || off == HISIL_OPS_FAILED)
		return true;
	return off >= HISIL_Q(0) && off < HISIL_Q(HISIL_MAX_QUEUES) &&
	       (off % HISIL_Q_STRIDE == HISIL_SQ_BASE || off % HISIL_Q_STRIDE == HISIL_CQ_BASE);
}

static const struct vu_regs bar_regs = { is_wide, read32, write32 };

/* ---- reset, options, control commands ---- */

static void hisil_reset(struct vu_dev *dev, enum vu_reset why)
{
	struct hisil *h = vu_priv(dev);
	struct vu_fault_hit hit;

	(void)why;
	hisil_contexts_clear(h);
	hisil_control_reset(h);
	vu_wait_begin(dev, &h->ready, HISIL_FAULT_RESET, 0, &hit);
	h->status = hit.fail ? HISIL_STATUS_FATAL : 0;
	ready_work(h);
}

static int take_options(struct hisil *h)
{
	uint64_t queues = HISIL_MAX_QUEUES, log2 = HISIL_MAX_LOG2, algs = (1u << HISIL_NUM_OPS) - 1;
	uint64_t version = 1, oldest = 1, isolated = 0, revoke = 1;
	int err = vu_option_rev(h->dev, &h->rev);

	h->cp_base = (uint32_t)(hisil_bar_bytes(h->dev) / 2);
	h->drain_ms = 1000;
	err = err ? err : vu_option_u64(h->dev, "version", 1, 0xffff, &version);
	err = err ? err : vu_option_u64(h->dev, "oldest", 1, version, &oldest);
	err = err ? err : vu_option_u64(h->dev, "queues", 1, HISIL_MAX_QUEUES, &queues);
	err = err ? err : vu_option_u64(h->dev, "log2", 1, HISIL_MAX_LOG2, &log2);
	err = err ? err : vu_option_u64(h->dev, "algs", 0, algs, &algs);
	err = err ? err : vu_option_u64(h->dev, "isolated", 0, 1, &isolated);
	err = err ? err : vu_option_u64(h->dev, "revoke", 0, 1, &revoke);
	err = err ? err : vu_option_u64(h->dev, "drain_ms", 1, 60000, &h->drain_ms);
	err = err ? err : vu_option_u64(h->dev, "op_us", 0, 60000000, &h->op_us);
	h->version = (uint32_t)version;
	h->oldest = (uint32_t)oldest;
	h->queues = (uint32_t)queues;
	h->log2 = (uint32_t)log2;
	h->algs = (uint32_t)algs;
	h->isolated = (uint32_t)isolated;
	h->revoke = revoke;
	return err;
}

static int hisil_init(struct vu_dev *dev)
{
	struct hisil *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	h->dev = dev;
	h->claims.table = hisil_claims;
	vu_set_priv(dev, h);
	h->src = malloc(HISIL_XFER_BYTES);
	h->dst = malloc(HISIL_XFER_BYTES);
	if (!h->src || !h->dst)
		return -ENOMEM;
	err = take_options(h);
	return err ? err : hisil_add_capabilities(dev);
}

static void hisil_fini(struct vu_dev *dev)
{
	struct hisil *h = vu_priv(dev);

	if (!h)
		return;
	free(h->src);
	free(h->dst);
	free(h);
}

#define REG(name, wide) { #name, HISIL_##name, wide }

static const struct vu_reg global_regs[] = {
	REG(ID, false), REG(REV, false), REG(QUEUES, false), REG(ALGS, false), REG(STATUS, false),
	REG(CTRL, false), REG(MAX_XFER, false), REG(OPS_DONE, true), REG(OPS_FAILED, true),
}, control_regs[] = {
	REG(CP_ID, false), REG(CP_REV, false), REG(CP_VERSION, false), REG(CP_LIMITS, false),
	REG(CP_ALGS, false), REG(CP_ISOLATION, false), REG(CP_MAX_XFER, false),
	REG(CP_DRAIN_MS, false), REG(CP_PAUSE, false), REG(CP_DRAIN, false), REG(CP_ERR, false),
	REG(CP_SEL, false), REG(CP_LEN, false), REG(CP_STAT, false), REG(CP_WLEN, false),
	REG(CP_CAPS, false),
}, queue_regs[] = {
	REG(SQ_BASE, true), REG(CQ_BASE, true), REG(SIZE, false), REG(QCTRL, false),
	REG(QSTATUS, false), REG(VECTOR, false), REG(SQ_TAIL, false), REG(SQ_HEAD, false),
	REG(CQ_HEAD, false), REG(CQ_TAIL, false),
};

#define PRINT(regs, base, prefix) \
	vu_regs_print(dev, read32, base, prefix, regs, sizeof(regs) / sizeof(*(regs)), out)

static void hisil_regs(struct vu_dev *dev, FILE *out)
{
	const struct hisil *h = vu_priv(dev);

	PRINT(global_regs, 0, "");
	PRINT(control_regs, h->cp_base, "");
	for (unsigned int n = 0; n < h->queues; n++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "Q%u.", n);
		PRINT(queue_regs, HISIL_Q(n), prefix);
	}
}

static void hisil_stats(struct vu_dev *dev, FILE *out)
{
	const struct hisil *h = vu_priv(dev);
	unsigned int in_work = 0, parked = 0, on = 0;

	for (unsigned int n = 0; n < h->queues; n++) {
		in_work += h->q[n].in_work;
		parked += h->q[n].regs.parked;
		on += hisil_queue_enabled(&h->q[n]);
	}
	fprintf(out, "ops_done %" PRIu64 "\nops_failed %" PRIu64 "\nfetches %" PRIu64
		"\nqueues_enabled %u\nin_work %u\nparked %u\n", h->ops_done, h->ops_failed,
		h->fetches, on, in_work, parked);
}

static int hisil_command(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	struct hisil *h = vu_priv(dev);

	(void)out;
	if (argc == 1 && !strcmp(argv[0], "fatal")) {
		h->status |= HISIL_STATUS_FATAL;
		return 0;
	}
	if (!strcmp(argv[0], "isolate")) {
		if (argc != 2 || (strcmp(argv[1], "0") && strcmp(argv[1], "1")))
			return -EINVAL;
		h->isolated = argv[1][0] == '1';
		return 0;
	}
	if (!strcmp(argv[0], "claim"))
		return vu_claim_set(&h->claims, argc, argv);
	return -ENOENT;
}

static const struct vu_option hisil_options[] = {
	{ "rev", "hardware revision MAJOR.MINOR (1.0)" },
	{ "version", "state format that is written (1)" },
	{ "oldest", "oldest state format that is accepted (1)" },
	{ "queues", "number of queues, 1 to 64 (64)" },
	{ "log2", "log2 of the most ring entries, 1 to 10 (10)" },
	{ "algs", "bit mask of opcodes that work (0x3f)" },
	{ "isolated", "1: isolated after a hardware error (0)" },
	{ "revoke", "1: operations in work can be taken back (1)" },
	{ "drain_ms", "bound of a drain (1000)" },
	{ "op_us", "extra time of each operation (0)" },
	{ "firmware", "revision of the firmware, 1 or 2: another config space (1)" },
	{ NULL, NULL },
};

static const char *const hisil_faults[] = {
	"pause", "save", "load", "clear", "fetch", "op", "reset", NULL,
};

static const struct vu_model hisi_like_model = {
	.name = "hisi_like",
	.summary = "accelerator with a host control page in its own BAR",
	.vendor = HISIL_VENDOR,
	.device = HISIL_DEVICE,
	.subvendor = 0x1234,
	.subdevice = 0x7610,
	.revision = 1,
	.class_code = 0x120000,
	.config_bytes = 4096,
	.bars = {
		[HISIL_BAR] = { .bytes = HISIL_BAR_BYTES, .flags = VU_BAR_64, .regs = &bar_regs },
		[4] = { .bytes = 0x4000, .flags = VU_BAR_64 },
	},
	.options = hisil_options,
	.faults = hisil_faults,
	.revise = hisil_revise,
	.init = hisil_init,
	.fini = hisil_fini,
	.reset = hisil_reset,
	.work = hisil_work,
	.config_changed = vu_kick,
	.regs = hisil_regs,
	.stats = hisil_stats,
	.commands = "isolate 0|1              set CP_ISOLATION\n"
		    "fatal                    set STATUS.FATAL\n"
		    "claim NAME VALUE         what a register says from now on; clear: the truth\n",
	.command = hisil_command,
};
VU_MODEL(hisi_like_model);
