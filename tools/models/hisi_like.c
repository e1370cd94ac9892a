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

static void set_half(__le64 *reg, bool high, uint32_t val)
{
	if (high)
		*reg = (*reg & UINT32_MAX) | (uint64_t)val << 32;
	else
		*reg = (*reg & ~(uint64_t)UINT32_MAX) | val;
}

static void queue_write(struct hisil *h, struct hisil_queue *q, uint32_t off, uint32_t val)
{
	bool set_up = !hisil_queue_enabled(q) && !q->in_work;

	switch (off) {
	case HISIL_SQ_BASE:
	case HISIL_SQ_BASE + 4:
		if (set_up)
			set_half(&q->regs.sq_base, off & 4, val);
		break;
	case HISIL_CQ_BASE:
	case HISIL_CQ_BASE + 4:
		if (set_up)
			set_half(&q->regs.cq_base, off & 4, val);
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
	case HISIL_SQ_BASE: return (uint32_t)r->sq_base;
	case HISIL_SQ_BASE + 4: return (uint32_t)(r->sq_base >> 32);
	case HISIL_CQ_BASE: return (uint32_t)r->cq_base;
	case HISIL_CQ_BASE + 4: return (uint32_t)(r->cq_base >> 32);
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
	case HISIL_OPS_DONE: return (uint32_t)h->ops_done;
	case HISIL_OPS_DONE + 4: return (uint32_t)(h->ops_done >> 32);
	case HISIL_OPS_FAILED: return (uint32_t)h->ops_failed;
	case HISIL_OPS_FAILED + 4: return (uint32_t)(h->ops_failed >> 32);
	}
	return 0;
}

static struct hisil_queue *queue_at(struct hisil *h, uint32_t off)
{
	uint32_t n = (off - HISIL_Q(0)) / HISIL_Q_STRIDE;

	return off >= HISIL_Q(0) && n < h->queues ? &h->q[n] : NULL;
}

static uint32_t read32(struct hisil *h, uint32_t off)
{
	struct hisil_queue *q;

	if (off >= h->cp_base)
		return hisil_control_read(h, off - h->cp_base);
	if (off < HISIL_Q(0))
		return global_read(h, off);
	q = queue_at(h, off);
	return q ? queue_read(h, q, off % HISIL_Q_STRIDE) : 0;
}

static void write32(struct hisil *h, uint32_t off, uint32_t val)
{
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

static bool access_ok(uint64_t off, size_t len)
{
	return (len == 4 && !(off & 3)) || (len == 8 && is_wide((uint32_t)off));
}

static void hisil_bar_read(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len)
{
	struct hisil *h = vu_priv(dev);

	if (bar != HISIL_BAR) {
		memset(buf, 0, len);
		return;
	}
	if (!access_ok(off, len)) {
		memset(buf, 0xff, len);
		return;
	}
	for (size_t at = 0; at < len; at += 4) {
		uint32_t val = read32(h, (uint32_t)(off + at));

		memcpy((uint8_t *)buf + at, &val, sizeof(val));
	}
}

static void hisil_bar_write(struct vu_dev *dev, int bar, uint64_t off, const void *buf, size_t len)
{
	struct hisil *h = vu_priv(dev);

	if (bar != HISIL_BAR || !access_ok(off, len))
		return;
	for (size_t at = 0; at < len; at += 4) {
		uint32_t val;

		memcpy(&val, (const uint8_t *)buf + at, sizeof(val));
		write32(h, (uint32_t)(off + at), val);
	}
}

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

static void hisil_config_changed(struct vu_dev *dev)
{
	vu_kick(dev);
}

static int take_rev(struct hisil *h)
{
	const char *text = vu_option(h->dev, "rev");
	unsigned int major, minor;
	char rest;

	h->rev = 1u << 16;
	if (!text)
		return 0;
	if (sscanf(text, "%u.%u%c", &major, &minor, &rest) != 2 || major > 0xffff ||
	    minor > 0xffff) {
		fprintf(stderr, "vpv-model: option rev=%s: need MAJOR.MINOR\n", text);
		return -EINVAL;
	}
	h->rev = major << 16 | minor;
	return 0;
}

static int take_options(struct hisil *h)
{
	uint64_t queues = HISIL_MAX_QUEUES, log2 = HISIL_MAX_LOG2, algs = (1u << HISIL_NUM_OPS) - 1;
	uint64_t version = 1, oldest = 1, isolated = 0, revoke = 1;
	int err = take_rev(h);

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

static void hisil_regs(struct vu_dev *dev, FILE *out)
{
	static const struct {
		const char *name;
		uint32_t off;
		bool wide;
	} global[] = {
		REG(ID, false), REG(REV, false), REG(QUEUES, false), REG(ALGS, false),
		REG(STATUS, false), REG(CTRL, false), REG(MAX_XFER, false), REG(OPS_DONE, true),
		REG(OPS_FAILED, true),
	}, queue[] = {
		REG(SQ_BASE, true), REG(CQ_BASE, true), REG(SIZE, false), REG(QCTRL, false),
		REG(QSTATUS, false), REG(VECTOR, false), REG(SQ_TAIL, false),
		REG(SQ_HEAD, false), REG(CQ_HEAD, false), REG(CQ_TAIL, false),
	};
	struct hisil *h = vu_priv(dev);

	for (size_t i = 0; i < sizeof(global) / sizeof(global[0]); i++) {
		uint64_t val = global_read(h, global[i].off);

		if (global[i].wide)
			val |= (uint64_t)global_read(h, global[i].off + 4) << 32;
		fprintf(out, "%s 0x%" PRIx64 "\n", global[i].name, val);
	}
	hisil_control_regs(h, out);
	for (unsigned int n = 0; n < h->queues; n++) {
		for (size_t i = 0; i < sizeof(queue) / sizeof(queue[0]); i++) {
			uint64_t val = queue_read(h, &h->q[n], queue[i].off);

			if (queue[i].wide)
				val |= (uint64_t)queue_read(h, &h->q[n], queue[i].off + 4) << 32;
			fprintf(out, "Q%u.%s 0x%" PRIx64 "\n", n, queue[i].name, val);
		}
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
		return hisil_control_claim(h, argc, argv);
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
		[HISIL_BAR] = { .bytes = HISIL_BAR_BYTES, .flags = VU_BAR_64 },
		[4] = { .bytes = 0x4000, .flags = VU_BAR_64 },
	},
	.options = hisil_options,
	.faults = hisil_faults,
	.revise = hisil_revise,
	.init = hisil_init,
	.fini = hisil_fini,
	.reset = hisil_reset,
	.bar_read = hisil_bar_read,
	.bar_write = hisil_bar_write,
	.work = hisil_work,
	.config_changed = hisil_config_changed,
	.regs = hisil_regs,
	.stats = hisil_stats,
	.commands = "isolate 0|1              set CP_ISOLATION\n"
		    "fatal                    set STATUS.FATAL\n"
		    "claim NAME VALUE         what a register says from now on; clear: the truth\n",
	.command = hisil_command,
};
VU_MODEL(hisi_like_model);
