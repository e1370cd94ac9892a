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

#define ID_VALUE	0x314c5348u

enum {
	R_ID = 0x00, R_REV = 0x04, R_QUEUES = 0x08, R_ALGS = 0x0c, R_STATUS = 0x10,
	R_CTRL = 0x14, R_MAX_XFER = 0x18, R_OPS_DONE = 0x20, R_OPS_FAILED = 0x28,
};

enum {
	Q_SQ_BASE = 0x00, Q_CQ_BASE = 0x08, Q_SIZE = 0x10, Q_QCTRL = 0x14, Q_QSTATUS = 0x18,
	Q_VECTOR = 0x1c, Q_SQ_TAIL = 0x20, Q_SQ_HEAD = 0x24, Q_CQ_HEAD = 0x28, Q_CQ_TAIL = 0x2c,
};

uint32_t hsl_queues_reg(const struct hsl *h)
{
	return h->log2 << 16 | h->queues;
}

static void ready_work(struct hsl *h)
{
	if (h->status & HSL_STATUS_READY)
		return;
	if (h->ready_hang && vu_fault_hanging(h->dev, HSL_FAULT_RESET))
		return;
	if (h->ready_at > vu_now())
		vu_wake_at(h->dev, h->ready_at);
	else
		h->status |= HSL_STATUS_READY;
}

static void hsl_work(struct vu_dev *dev)
{
	struct hsl *h = vu_priv(dev);

	ready_work(h);
	for (unsigned int i = 0; i < h->queues; i++) {
		unsigned int n = (h->next_queue + i) % h->queues;

		if (hsl_queue_work(h, &h->q[n]))
			vu_kick(dev);
	}
	h->next_queue = (h->next_queue + 1) % h->queues;
	hsl_control_work(h);
}

/* ---- registers ---- */

static void set_half(uint64_t *reg, bool high, uint32_t val)
{
	if (high)
		*reg = (*reg & UINT32_MAX) | (uint64_t)val << 32;
	else
		*reg = (*reg & ~(uint64_t)UINT32_MAX) | val;
}

static void queue_write(struct hsl *h, struct hsl_queue *q, uint32_t off, uint32_t val)
{
	bool set_up = !hsl_queue_enabled(q) && !q->in_work;

	switch (off) {
	case Q_SQ_BASE:
	case Q_SQ_BASE + 4:
		if (set_up)
			set_half(&q->regs.sq_base, off & 4, val);
		break;
	case Q_CQ_BASE:
	case Q_CQ_BASE + 4:
		if (set_up)
			set_half(&q->regs.cq_base, off & 4, val);
		break;
	case Q_SIZE:
		if (set_up)
			q->regs.size = val;
		break;
	case Q_QCTRL: hsl_queue_ctrl(h, q, val); break;
	case Q_SQ_TAIL: hsl_queue_sq_tail(q, val); break;
	case Q_CQ_HEAD: hsl_queue_cq_head(q, val); break;
	}
	vu_kick(h->dev);
}

static uint32_t queue_read(const struct hsl *h, const struct hsl_queue *q, uint32_t off)
{
	const struct hsl_queue_ctx *r = &q->regs;

	switch (off) {
	case Q_SQ_BASE: return (uint32_t)r->sq_base;
	case Q_SQ_BASE + 4: return (uint32_t)(r->sq_base >> 32);
	case Q_CQ_BASE: return (uint32_t)r->cq_base;
	case Q_CQ_BASE + 4: return (uint32_t)(r->cq_base >> 32);
	case Q_SIZE: return r->size;
	case Q_QCTRL: return r->qctrl;
	case Q_QSTATUS: return r->qstatus;
	case Q_VECTOR: return (uint32_t)(q - h->q);
	case Q_SQ_TAIL: return r->sq_tail;
	case Q_SQ_HEAD: return r->sq_head;
	case Q_CQ_HEAD: return r->cq_head;
	case Q_CQ_TAIL: return r->cq_tail;
	}
	return 0;
}

static uint32_t global_read(const struct hsl *h, uint32_t off)
{
	switch (off) {
	case R_ID: return ID_VALUE;
	case R_REV: return h->rev;
	case R_QUEUES: return hsl_queues_reg(h);
	case R_ALGS: return h->algs;
	case R_STATUS: return h->status;
	case R_CTRL: return h->ctrl;
	case R_MAX_XFER: return HSL_MAX_XFER;
	case R_OPS_DONE: return (uint32_t)h->ops_done;
	case R_OPS_DONE + 4: return (uint32_t)(h->ops_done >> 32);
	case R_OPS_FAILED: return (uint32_t)h->ops_failed;
	case R_OPS_FAILED + 4: return (uint32_t)(h->ops_failed >> 32);
	}
	return 0;
}

static struct hsl_queue *queue_at(struct hsl *h, uint32_t off)
{
	uint32_t n = (off - HSL_Q_BASE) / HSL_Q_STRIDE;

	return off >= HSL_Q_BASE && n < h->queues ? &h->q[n] : NULL;
}

static uint32_t read32(struct hsl *h, uint32_t off)
{
	struct hsl_queue *q;

	if (off >= h->cp_base)
		return hsl_control_read(h, off - h->cp_base);
	if (off < HSL_Q_BASE)
		return global_read(h, off);
	q = queue_at(h, off);
	return q ? queue_read(h, q, off % HSL_Q_STRIDE) : 0;
}

static void write32(struct hsl *h, uint32_t off, uint32_t val)
{
	struct hsl_queue *q;

	if (off >= h->cp_base) {
		hsl_control_write(h, off - h->cp_base, val);
		return;
	}
	if (h->cp.pause & HSL_FREEZE)
		return;
	if (off == R_CTRL) {
		h->ctrl = val & HSL_CTRL_ENABLE;
		vu_kick(h->dev);
	}
	q = queue_at(h, off);
	if (q)
		queue_write(h, q, off % HSL_Q_STRIDE, val);
}

/* Registers marked 64 may be accessed at once. */
static bool is_wide(uint32_t off)
{
	if (off == R_OPS_DONE || off == R_OPS_FAILED)
		return true;
	return off >= HSL_Q_BASE && off < HSL_Q_END &&
	       (off % HSL_Q_STRIDE == Q_SQ_BASE || off % HSL_Q_STRIDE == Q_CQ_BASE);
}

static bool access_ok(uint64_t off, size_t len)
{
	return (len == 4 && !(off & 3)) || (len == 8 && is_wide((uint32_t)off));
}

static void hsl_bar_read(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len)
{
	struct hsl *h = vu_priv(dev);

	if (bar != HSL_BAR) {
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

static void hsl_bar_write(struct vu_dev *dev, int bar, uint64_t off, const void *buf, size_t len)
{
	struct hsl *h = vu_priv(dev);

	if (bar != HSL_BAR || !access_ok(off, len))
		return;
	for (size_t at = 0; at < len; at += 4) {
		uint32_t val;

		memcpy(&val, (const uint8_t *)buf + at, sizeof(val));
		write32(h, (uint32_t)(off + at), val);
	}
}

/* ---- reset, options, control commands ---- */

static void hsl_reset(struct vu_dev *dev, enum vu_reset why)
{
	struct hsl *h = vu_priv(dev);
	struct vu_fault_hit hit;

	(void)why;
	hsl_contexts_clear(h);
	hsl_control_reset(h);
	vu_fault_take(dev, HSL_FAULT_RESET, &hit);
	h->status = hit.fail ? HSL_STATUS_FATAL : 0;
	h->ready_hang = hit.hang;
	h->ready_at = vu_now() + hit.delay_ns;
	ready_work(h);
}

static void hsl_config_changed(struct vu_dev *dev)
{
	vu_kick(dev);
}

static int take_rev(struct hsl *h)
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

static int take_options(struct hsl *h)
{
	uint64_t queues = HSL_MAX_QUEUES, log2 = HSL_MAX_LOG2, algs = (1u << HSL_NUM_OPS) - 1;
	uint64_t version = 1, oldest = 1, isolated = 0, revoke = 1;
	int err = take_rev(h);

	h->cp_base = (uint32_t)(hsl_bar_bytes(h->dev) / 2);
	h->drain_ms = 1000;
	err = err ? err : vu_option_u64(h->dev, "version", 1, 0xffff, &version);
	err = err ? err : vu_option_u64(h->dev, "oldest", 1, version, &oldest);
	err = err ? err : vu_option_u64(h->dev, "queues", 1, HSL_MAX_QUEUES, &queues);
	err = err ? err : vu_option_u64(h->dev, "log2", 1, HSL_MAX_LOG2, &log2);
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

static int hsl_init(struct vu_dev *dev)
{
	struct hsl *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	h->dev = dev;
	vu_set_priv(dev, h);
	h->src = malloc(HSL_MAX_XFER);
	h->dst = malloc(HSL_MAX_XFER);
	if (!h->src || !h->dst)
		return -ENOMEM;
	err = take_options(h);
	return err ? err : hsl_add_capabilities(dev);
}

static void hsl_fini(struct vu_dev *dev)
{
	struct hsl *h = vu_priv(dev);

	if (!h)
		return;
	free(h->src);
	free(h->dst);
	free(h);
}

static void hsl_regs(struct vu_dev *dev, FILE *out)
{
	static const struct {
		const char *name;
		uint32_t off;
		bool wide;
	} global[] = {
		{ "ID", R_ID, false }, { "REV", R_REV, false }, { "QUEUES", R_QUEUES, false },
		{ "ALGS", R_ALGS, false }, { "STATUS", R_STATUS, false },
		{ "CTRL", R_CTRL, false }, { "MAX_XFER", R_MAX_XFER, false },
		{ "OPS_DONE", R_OPS_DONE, true }, { "OPS_FAILED", R_OPS_FAILED, true },
	}, queue[] = {
		{ "SQ_BASE", Q_SQ_BASE, true }, { "CQ_BASE", Q_CQ_BASE, true },
		{ "SIZE", Q_SIZE, false }, { "QCTRL", Q_QCTRL, false },
		{ "QSTATUS", Q_QSTATUS, false }, { "VECTOR", Q_VECTOR, false },
		{ "SQ_TAIL", Q_SQ_TAIL, false }, { "SQ_HEAD", Q_SQ_HEAD, false },
		{ "CQ_HEAD", Q_CQ_HEAD, false }, { "CQ_TAIL", Q_CQ_TAIL, false },
	};
	struct hsl *h = vu_priv(dev);

	for (size_t i = 0; i < sizeof(global) / sizeof(global[0]); i++) {
		uint64_t val = global_read(h, global[i].off);

		if (global[i].wide)
			val |= (uint64_t)global_read(h, global[i].off + 4) << 32;
		fprintf(out, "%s 0x%" PRIx64 "\n", global[i].name, val);
	}
	hsl_control_regs(h, out);
	for (unsigned int n = 0; n < h->queues; n++) {
		for (size_t i = 0; i < sizeof(queue) / sizeof(queue[0]); i++) {
			uint64_t val = queue_read(h, &h->q[n], queue[i].off);

			if (queue[i].wide)
				val |= (uint64_t)queue_read(h, &h->q[n], queue[i].off + 4) << 32;
			fprintf(out, "Q%u.%s 0x%" PRIx64 "\n", n, queue[i].name, val);
		}
	}
}

static void hsl_stats(struct vu_dev *dev, FILE *out)
{
	const struct hsl *h = vu_priv(dev);
	unsigned int in_work = 0, parked = 0, on = 0;

	for (unsigned int n = 0; n < h->queues; n++) {
		in_work += h->q[n].in_work;
		parked += h->q[n].regs.parked;
		on += hsl_queue_enabled(&h->q[n]);
	}
	fprintf(out, "ops_done %" PRIu64 "\nops_failed %" PRIu64 "\nfetches %" PRIu64
		"\nqueues_enabled %u\nin_work %u\nparked %u\n", h->ops_done, h->ops_failed,
		h->fetches, on, in_work, parked);
}

static int hsl_command(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	struct hsl *h = vu_priv(dev);

	(void)out;
	if (argc == 1 && !strcmp(argv[0], "fatal")) {
		h->status |= HSL_STATUS_FATAL;
		return 0;
	}
	if (!strcmp(argv[0], "isolate")) {
		if (argc != 2 || (strcmp(argv[1], "0") && strcmp(argv[1], "1")))
			return -EINVAL;
		h->isolated = argv[1][0] == '1';
		return 0;
	}
	if (!strcmp(argv[0], "claim"))
		return hsl_control_claim(h, argc, argv);
	return -ENOENT;
}

static const struct vu_option hsl_options[] = {
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

static const char *const hsl_faults[] = {
	"pause", "ctx_read", "ctx_write", "clear", "fetch", "op", "reset", NULL,
};

static const struct vu_model hisi_like_model = {
	.name = "hisi_like",
	.summary = "accelerator with a host control page in its own BAR",
	.vendor = 0x1234,
	.device = 0x7610,
	.subvendor = 0x1234,
	.subdevice = 0x7610,
	.revision = 1,
	.class_code = 0x120000,
	.config_bytes = 4096,
	.bars = {
		[HSL_BAR] = { .bytes = HSL_BAR_BYTES, .flags = VU_BAR_64 },
		[4] = { .bytes = 0x4000, .flags = VU_BAR_64 },
	},
	.options = hsl_options,
	.faults = hsl_faults,
	.revise = hsl_revise,
	.init = hsl_init,
	.fini = hsl_fini,
	.reset = hsl_reset,
	.bar_read = hsl_bar_read,
	.bar_write = hsl_bar_write,
	.work = hsl_work,
	.config_changed = hsl_config_changed,
	.regs = hsl_regs,
	.stats = hsl_stats,
	.commands = "isolate 0|1              set CP_ISOLATION\n"
		    "fatal                    set STATUS.FATAL\n"
		    "claim NAME VALUE         what a register says from now on; clear: the truth\n",
	.command = hsl_command,
};
VU_MODEL(hisi_like_model);
