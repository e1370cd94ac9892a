// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu: registers of the lower half, reset, readiness and options.
 * Contract: Documentation/hardware/coherent_gpu.rst.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coherent_gpu.h"

#define TILE_MOST_US	10000000

uint32_t cgpu_queues_reg(const struct cgpu *g)
{
	return g->log2 << 16 | g->queues;
}

/* ---- readiness and reset ---- */

static void ready_work(struct cgpu *g)
{
	if (!(g->status & CGPU_STATUS_READY)) {
		if (!vu_wait_over(g->dev, &g->ready))
			return;
		g->status |= CGPU_STATUS_READY;
	}
	if (g->status & CGPU_STATUS_MEM_READY)
		return;
	if (g->mem_never || g->status & CGPU_STATUS_FATAL ||
	    !vu_wait_over(g->dev, &g->mem_ready)) {
		g->mem_late = true;
		return;
	}
	if (g->mem_late)
		cgpu_mem_ready(g);
	g->status |= CGPU_STATUS_MEM_READY;
}

static void cgpu_reset(struct vu_dev *dev, enum vu_reset why)
{
	struct cgpu *g = vu_priv(dev);
	struct vu_fault_hit hit;

	(void)why;
	cgpu_queues_clear(g);
	cgpu_control_reset(g);
	cgpu_mem_reset(g);
	memset((uint8_t *)vu_bar_memory(dev, CGPU_BAR) + CGPU_USER_BYTES + CGPU_CP_WINDOW, 0,
	       CGPU_CP_WINDOW_BYTES);
	g->mem_late = false;
	vu_wait_begin(dev, &g->ready, CGPU_FAULT_RESET, 0, &hit);
	g->status = hit.fail ? CGPU_STATUS_FATAL : 0;
	vu_wait_begin(dev, &g->mem_ready, CGPU_FAULT_READY, g->ready_ms * NSEC_PER_MSEC, &hit);
	g->mem_never = hit.fail;
	ready_work(g);
}

static void cgpu_work(struct vu_dev *dev)
{
	struct cgpu *g = vu_priv(dev);

	ready_work(g);
	for (unsigned int n = 0; n < g->queues; n++)
		if (cgpu_queue_work(g, &g->q[n]))
			vu_kick(dev);
	cgpu_control_work(g);
}

/* ---- registers ---- */

static uint32_t queue_read(const struct cgpu *g, const struct cgpu_queue *q, uint32_t off)
{
	switch (off) {
	case CGPU_Q_RING:
	case CGPU_Q_RING + 4: return vu_half(q->s.ring, off);
	case CGPU_Q_SIZE: return q->s.size;
	case CGPU_Q_CTRL: return q->s.ctrl;
	case CGPU_Q_STATUS: return q->s.status;
	case CGPU_Q_VECTOR: return (uint32_t)(q - g->q);
	case CGPU_Q_TAIL: return q->s.tail;
	case CGPU_Q_HEAD: return q->s.head;
	case CGPU_Q_FENCE:
	case CGPU_Q_FENCE + 4: return vu_half(q->s.fence, off);
	case CGPU_Q_DONE:
	case CGPU_Q_DONE + 4: return vu_half(q->s.done, off);
	}
	return 0;
}

static void queue_write(struct cgpu *g, struct cgpu_queue *q, uint32_t off, uint32_t val)
{
	bool set_up = !cgpu_queue_enabled(q);

	switch (off) {
	case CGPU_Q_RING:
	case CGPU_Q_RING + 4:
		if (set_up)
			q->s.ring = vu_with_half(q->s.ring, off, val);
		break;
	case CGPU_Q_SIZE:
		if (set_up)
			q->s.size = val;
		break;
	case CGPU_Q_CTRL: cgpu_queue_ctrl(g, q, val); break;
	case CGPU_Q_TAIL: cgpu_queue_tail(q, val); break;
	}
}

static uint32_t global_read(const struct cgpu *g, uint32_t off)
{
	switch (off) {
	case CGPU_ID: return CGPU_ID_VALUE;
	case CGPU_REV: return g->rev;
	case CGPU_QUEUES: return cgpu_queues_reg(g);
	case CGPU_OPS: return g->ops;
	case CGPU_STATUS: return g->status;
	case CGPU_CTRL: return g->ctrl;
	case CGPU_MEM_BYTES:
	case CGPU_MEM_BYTES + 4: return vu_half(g->mem.part[CGPU_MAIN].bytes, off);
	case CGPU_CARVE_BYTES:
	case CGPU_CARVE_BYTES + 4: return vu_half(g->mem.part[CGPU_CARVE].bytes, off);
	case CGPU_OPS_DONE:
	case CGPU_OPS_DONE + 4: return vu_half(g->ops_done, off);
	case CGPU_OPS_FAILED:
	case CGPU_OPS_FAILED + 4: return vu_half(g->ops_failed, off);
	}
	return 0;
}

static struct cgpu_queue *queue_at(struct cgpu *g, uint32_t off)
{
	uint32_t n = (off - CGPU_Q(0)) / CGPU_Q_STRIDE;

	return off >= CGPU_Q(0) && n < g->queues ? &g->q[n] : NULL;
}

static uint32_t read32(struct vu_dev *dev, uint32_t off)
{
	struct cgpu *g = vu_priv(dev);
	struct cgpu_queue *q;

	if (off >= CGPU_USER_BYTES)
		return cgpu_control_read(g, off - CGPU_USER_BYTES);
	q = queue_at(g, off);
	return q ? queue_read(g, q, off % CGPU_Q_STRIDE) : global_read(g, off);
}

static void write32(struct vu_dev *dev, uint32_t off, uint32_t val)
{
	struct cgpu *g = vu_priv(dev);
	struct cgpu_queue *q;

	if (off >= CGPU_USER_BYTES) {
		cgpu_control_write(g, off - CGPU_USER_BYTES, val);
	} else if (!(g->cp.pause & CGPU_FREEZE)) {
		q = queue_at(g, off);
		if (q)
			queue_write(g, q, off % CGPU_Q_STRIDE, val);
		else if (off == CGPU_CTRL)
			g->ctrl = val & CGPU_CTRL_ENABLE;
	}
	vu_kick(g->dev);
}

/* Registers marked 64 may be accessed at once. */
static bool is_wide(uint32_t off)
{
	static const uint32_t global[] = {
		CGPU_MEM_BYTES, CGPU_CARVE_BYTES, CGPU_OPS_DONE, CGPU_OPS_FAILED,
		CGPU_USER_BYTES + CGPU_CP_MEM_BYTES, CGPU_USER_BYTES + CGPU_CP_CARVE_BYTES,
		CGPU_USER_BYTES + CGPU_CP_ADDR,
	}, queue[] = { CGPU_Q_RING, CGPU_Q_FENCE, CGPU_Q_DONE };

	for (size_t i = 0; i < sizeof(global) / sizeof(global[0]); i++)
		if (off == global[i])
			return true;
	for (size_t i = 0; i < sizeof(queue) / sizeof(queue[0]); i++)
		if (off >= CGPU_Q(0) && off < CGPU_Q(CGPU_MAX_QUEUES) &&
		    off % CGPU_Q_STRIDE == queue[i])
			return true;
	return false;
}

static const struct vu_regs bar_regs = { is_wide, read32, write32 };

/* ---- options ---- */

static int take_options(struct cgpu *g)
{
	uint64_t version = CGPU_STATE_VERSION, oldest = 1, queues = CGPU_MAX_QUEUES;
	uint64_t log2 = CGPU_MAX_LOG2, ops = (1u << CGPU_NUM_OPS) - 1, log = 1;
	uint64_t log_min = CGPU_LOG_MIN_LOG2, log_max = CGPU_LOG_MAX_LOG2;
	int err = vu_option_rev(g->dev, &g->rev);

	g->drain_ms = CGPU_DRAIN_MS;
	g->ready_max_ms = CGPU_MEM_READY_MS;
	err = err ?: vu_option_u64(g->dev, "version", 1, 0xffff, &version);
	err = err ?: vu_option_u64(g->dev, "oldest", 1, version, &oldest);
	err = err ?: vu_option_u64(g->dev, "queues", 1, CGPU_MAX_QUEUES, &queues);
	err = err ?: vu_option_u64(g->dev, "log2", 1, CGPU_MAX_LOG2, &log2);
	err = err ?: vu_option_u64(g->dev, "ops", 0, ops, &ops);
	err = err ?: vu_option_u64(g->dev, "log", 0, 1, &log);
	err = err ?: vu_option_u64(g->dev, "log_min", CGPU_LOG_MIN_LOG2, log_max, &log_min);
	err = err ?: vu_option_u64(g->dev, "log_max", log_min, CGPU_LOG_MAX_LOG2, &log_max);
	err = err ?: vu_option_u64(g->dev, "drain_ms", 1, CGPU_DRAIN_MS, &g->drain_ms);
	err = err ?: vu_option_u64(g->dev, "ready_ms", 0, CGPU_MEM_READY_MS, &g->ready_ms);
	err = err ?: vu_option_u64(g->dev, "ready_max_ms", 0, CGPU_MEM_READY_MS, &g->ready_max_ms);
	err = err ?: vu_option_u64(g->dev, "tile_us", 0, TILE_MOST_US, &g->tile_us);
	g->version = (uint32_t)version;
	g->oldest = (uint32_t)oldest;
	g->queues = (uint32_t)queues;
	g->log2 = (uint32_t)log2;
	g->ops = (uint32_t)ops;
	g->caps = log ? CGPU_CAPS_LOG : 0;
	g->log_sizes = (uint32_t)(log_min | log_max << 8);
	return err;
}

static int add_capabilities(struct vu_dev *dev)
{
	int off = vu_add_pcie(dev, true);

	off = off < 0 ? off : vu_add_pm(dev);
	off = off < 0 ? off : vu_add_msix(dev, CGPU_MAX_QUEUES, CGPU_BAR, CGPU_MSIX_TABLE, CGPU_BAR,
					  CGPU_MSIX_PBA);
	off = off < 0 ? off : vu_add_aer(dev);
	return off < 0 ? off : 0;
}

static int cgpu_init(struct vu_dev *dev)
{
	struct cgpu *g = calloc(1, sizeof(*g));
	const size_t strip = CGPU_TILE_DIM * CGPU_MAX_DIM;
	int err;

	if (!g)
		return -ENOMEM;
	g->dev = dev;
	g->mem.fd = -1;
	g->claims.table = cgpu_claims;
	vu_set_priv(dev, g);
	g->buf = malloc(CGPU_TILE_BYTES);
	g->a = calloc(strip, sizeof(*g->a));
	g->b = calloc(strip, sizeof(*g->b));
	if (!g->buf || !g->a || !g->b)
		return -ENOMEM;
	err = take_options(g);
	err = err ?: cgpu_mem_open(g);
	return err ?: add_capabilities(dev);
}

static void cgpu_fini(struct vu_dev *dev)
{
	struct cgpu *g = vu_priv(dev);

	if (!g)
		return;
	cgpu_mem_close(g);
	free(g->buf);
	free(g->a);
	free(g->b);
	free(g);
}

/* ---- control commands ---- */

#define REG(name, wide) { #name, CGPU_##name, wide }

static const struct vu_reg global_regs[] = {
	REG(ID, false), REG(REV, false), REG(QUEUES, false), REG(OPS, false), REG(STATUS, false),
	REG(CTRL, false), REG(MEM_BYTES, true), REG(CARVE_BYTES, true), REG(OPS_DONE, true),
	REG(OPS_FAILED, true),
}, control_regs[] = {
	REG(CP_ID, false), REG(CP_REV, false), REG(CP_VERSION, false), REG(CP_QUEUES, false),
	REG(CP_OPS, false), REG(CP_READY, false), REG(CP_READY_MS, false),
	REG(CP_DRAIN_MS, false), REG(CP_PAUSE, false), REG(CP_DRAIN, false), REG(CP_ERR, false),
	REG(CP_CAPS, false), REG(CP_STAT, false), REG(CP_BYTES, false),
	REG(CP_STATE_BYTES, false), REG(CP_PAGES, false), REG(CP_SET, false),
	REG(CP_LOG, false), REG(CP_LOG_STAT, false), REG(CP_LOG_SIZES, false),
	REG(CP_POISON, false), REG(CP_POISON_SEQ, false),
	{ "CP_MEM", CGPU_CP_MEM_BYTES, true }, { "CP_CARVE", CGPU_CP_CARVE_BYTES, true },
}, queue_regs[] = {
	{ "_RING", CGPU_Q_RING, true }, { "_SIZE", CGPU_Q_SIZE, false },
	{ "_CTRL", CGPU_Q_CTRL, false }, { "_STATUS", CGPU_Q_STATUS, false },
	{ "_TAIL", CGPU_Q_TAIL, false }, { "_HEAD", CGPU_Q_HEAD, false },
	{ "_FENCE", CGPU_Q_FENCE, true }, { "_DONE", CGPU_Q_DONE, true },
};

#define PRINT(regs, base, prefix) \
	vu_regs_print(dev, read32, base, prefix, regs, sizeof(regs) / sizeof(*(regs)), out)

static void cgpu_regs(struct vu_dev *dev, FILE *out)
{
	const struct cgpu *g = vu_priv(dev);

	PRINT(global_regs, 0, "");
	PRINT(control_regs, CGPU_USER_BYTES, "");
	for (unsigned int n = 0; n < g->queues; n++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "Q%u", n);
		PRINT(queue_regs, CGPU_Q(n), prefix);
	}
}

static void cgpu_stats(struct vu_dev *dev, FILE *out)
{
	const struct cgpu *g = vu_priv(dev);
	unsigned int in_work = 0, on = 0;

	for (unsigned int n = 0; n < g->queues; n++) {
		in_work += g->q[n].s.in_work;
		on += cgpu_queue_enabled(&g->q[n]);
	}
	fprintf(out, "ops_done %" PRIu64 "\nops_failed %" PRIu64 "\nfetches %" PRIu64
		"\ntiles %" PRIu64 "\nqueues_enabled %u\nin_work %u\nearly_pages %" PRIu64
		"\nwritten_pages %zu\npoisoned_pages %u\n", g->ops_done, g->ops_failed, g->fetches,
		g->tiles, on, in_work, g->mem.num_early, g->mem.written.used, g->mem.num_poison);
}

static int take_number(const char *text, uint64_t most, uint64_t *val)
{
	char *end;

	errno = 0;
	*val = strtoull(text, &end, 0);
	return errno || end == text || *end || *text == '-' || *val > most ? -EINVAL : 0;
}

static int poison(struct cgpu *g, const char *text)
{
	struct cgpu_poison p = { 0 };
	uint64_t addr;
	uint32_t err;

	if (take_number(text, UINT64_MAX, &addr))
		return -EINVAL;
	p.address = addr & ~(CGPU_POISON_PAGE - 1ull);
	err = cgpu_poison_set(g, &p, 1, 0);
	return err == CGPU_ERR_POISON_FULL ? -ENOSPC : err ? -EINVAL : 0;
}

static int written(struct cgpu *g, int argc, char **argv, FILE *out)
{
	if (argc == 1)
		vu_ledger_print(&g->mem.written, out);
	else if (argc == 2 && !strcmp(argv[1], "clear"))
		vu_ledger_clear(&g->mem.written);
	else
		return -EINVAL;
	return 0;
}

static void print_early(const struct cgpu_mem *m, FILE *out)
{
	for (uint64_t i = 0; i < m->num_early && i < CGPU_EARLY_MAX; i++)
		fprintf(out, "0x%" PRIx64 "\n", m->early[i]);
}

static int cgpu_command(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	struct cgpu *g = vu_priv(dev);

	if (!strcmp(argv[0], "claim"))
		return vu_claim_set(&g->claims, argc, argv);
	if (!strcmp(argv[0], "written"))
		return written(g, argc, argv, out);
	if (!strcmp(argv[0], "poison"))
		return argc == 2 ? poison(g, argv[1]) : -EINVAL;
	if (!strcmp(argv[0], "ready_ms"))
		return argc == 2 ? take_number(argv[1], CGPU_MEM_READY_MS, &g->ready_ms) : -EINVAL;
	if (!strcmp(argv[0], "tile_us"))
		return argc == 2 ? take_number(argv[1], TILE_MOST_US, &g->tile_us) : -EINVAL;
	if (argc == 1 && !strcmp(argv[0], "fatal"))
		g->status |= CGPU_STATUS_FATAL;
	else if (argc == 1 && !strcmp(argv[0], "early"))
		print_early(&g->mem, out);
	else
		return -ENOENT;
	return 0;
}

static const struct vu_area window_area = {
	CGPU_USER_BYTES + CGPU_CP_WINDOW, CGPU_CP_WINDOW_BYTES,
};

static const struct vu_model coherent_gpu_model = {
	.name = "coherent_gpu",
	.summary = "compute with memory that the CPU caches",
	.vendor = CGPU_VENDOR, .device = CGPU_DEVICE, .revision = 1,
	.subvendor = CGPU_VENDOR, .subdevice = CGPU_DEVICE,
	.class_code = 0x030200, .config_bytes = 4096,
	.bars = {
		[CGPU_BAR] = {
			.bytes = CGPU_BAR_BYTES, .flags = VU_BAR_64,
			.areas = &window_area, .num_areas = 1, .regs = &bar_regs,
		},
	},
	.options = (const struct vu_option[]){
		{ VU_MEMORY, "file of the coherent memory, which the machine maps too (none)" },
		{ "size", "of all of it, in MiB, 256 to 65536 (256)" },
		{ "carveout", "end of it that is write-combining, in MiB (0)" },
		{ "ready_ms", "time from a reset until the memory is there (0)" },
		{ "ready_max_ms", "what CP_READY_MS says (30000)" },
		{ "rev", "hardware revision MAJOR.MINOR (1.0)" },
		{ "version", "state format that is written (1)" },
		{ "oldest", "oldest state format that is accepted (1)" },
		{ "queues", "number of queues, 1 to 8 (8)" },
		{ "log2", "log2 of the most ring entries, 1 to 10 (10)" },
		{ "ops", "bit mask of opcodes that work (0x3f)" },
		{ "log", "0: there is no log of writes (1)" },
		{ "log_min", "log2 of its smallest page (12)" },
		{ "log_max", "log2 of its largest page (21)" },
		{ "drain_ms", "bound of a drain (100)" },
		{ "tile_us", "extra time of each tile (0)" },
		{ NULL, NULL },
	},
	.faults = (const char *const[]){
		"pause", "save", "load", "clear", "log_read", "poison", "log", "fetch", "op",
		"reset", "ready", NULL,
	},
	.init = cgpu_init, .fini = cgpu_fini, .reset = cgpu_reset, .work = cgpu_work,
	.config_changed = vu_kick, .regs = cgpu_regs, .stats = cgpu_stats,
	.commands = "poison ADDRESS           a page becomes bad\n"
		    "written [clear]          pages of its own memory that the device wrote\n"
		    "early                    pages that were touched before readiness\n"
		    "ready_ms N               time from the next reset until readiness\n"
		    "tile_us N                extra time of each tile from now on\n"
		    "fatal                    set STATUS.FATAL\n"
		    "claim NAME VALUE         what a register says from now on; clear: the truth\n",
	.command = cgpu_command,
};
VU_MODEL(coherent_gpu_model);
