// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for the model coherent_gpu: the input is a sequence of register writes, commands,
 * contents of memory, resets and faults for two functions.  There is no client: registers are
 * accessed and work is done directly.  State is changed, its checksum mended, and loaded into the
 * same function or the other one.  Besides what the sanitizers find, these are failures: anything
 * that a paused function does, a page that was written and is not in the log, and a state that a
 * function has come to and does not take.
 */
#include <linux/pci_regs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "coherent_gpu.h"
#include "model_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEM_IOVA	0x100000u
#define MEM_BYTES	0x40000u
#define RING_SIZE	8u
#define NUM_FUNCTIONS	2u
#define NUM_QUEUES	2u
#define DEV(off)	(CGPU_ADDR_DEVICE | (off))
#define CP(off)		(CGPU_USER_BYTES + (off))

/* What a function has done until now. */
struct done {
	uint64_t drained, reads, writes, irqs, tiles, epoch, written;
};

/* @seen: pages of main memory that the log has had since it began. */
struct target {
	struct vu_dev *dev[NUM_FUNCTIONS];
	struct done before[NUM_FUNCTIONS];
	uint64_t *seen[NUM_FUNCTIONS];
	uint8_t *mem;
	int fd;
};

static void write_reg(struct vu_dev *dev, uint64_t off, uint64_t val, size_t len)
{
	vu_dev_region_access(dev, CGPU_BAR, off, &val, len, true);
}

static uint8_t *window(struct vu_dev *dev)
{
	return (uint8_t *)vu_bar_memory(dev, CGPU_BAR) + CP(CGPU_CP_WINDOW);
}

/* ---- steps ---- */

static void step_register(struct target *t, struct input *in, unsigned int n)
{
	uint64_t which = take(in, 1);
	uint64_t off = which & 0x80 ? take(in, 3) % CGPU_BAR_BYTES :
		       which & 0x40 ? CGPU_Q(which & 1) + (which >> 1 & 15) * 4 :
		       CP((which & 63) * 4);
	uint64_t how = take(in, 1), val = take(in, how & 8 ? 8 : how & 1 ? 1 : 4);
	uint8_t sink[64];

	/* A log of another beginning is not what is judged. */
	if (off == CP(CGPU_CP_LOG))
		return;
	if (how & 2 && off < CGPU_BAR_BYTES - sizeof(sink))
		vu_dev_region_access(t->dev[n], CGPU_BAR, off, sink, how % 8 + 1, false);
	else
		write_reg(t->dev[n], how & 4 ? off : off & ~3ull, val, how & 8 ? 8 : 4);
}

static uint64_t take_addr(struct input *in)
{
	uint64_t how = take(in, 1), off = take(in, 2);

	switch (how % 8) {
	case 0: return MEM_IOVA + (off & 0x3fff) * 16;
	case 1: return DEV(off * 16);
	case 2: return DEV(off * 4096);
	case 3: return DEV(CGPU_CARVE_BASE + off * 4096);
	case 4: return take(in, 8);
	case 5: return DEV((256ull << 20) - off % 64 * 4);
	}
	return DEV(off * 256);
}

static uint32_t take_dim(struct input *in)
{
	uint64_t how = take(in, 1);

	return how < 0xf0 ? (uint32_t)how % 80 : (uint32_t)take(in, 2);
}

static void step_command(struct target *t, struct input *in, unsigned int n)
{
	struct cgpu *g = vu_priv(t->dev[n]);
	uint64_t how = take(in, 1);
	struct cgpu_queue *q = &g->q[how % NUM_QUEUES];
	struct cgpu_cmd c = {
		.opcode = (uint8_t)(how >> 2 & 7), .flags = (uint8_t)(how >> 5 & 3),
		.value = (uint32_t)take(in, 1), .src = take_addr(in), .src2 = take_addr(in),
		.dst = take_addr(in), .bytes = take(in, 3) << (how & 0x80 ? 2 : 0),
		.m = take_dim(in), .n = take_dim(in), .k = take_dim(in),
		.fence = take_addr(in), .fence_value = take(in, 1),
		.alpha = 0x3f800000, .beta = how & 0x80 ? 0x40000000 : 0,
	};
	uint8_t *ring;

	c.lda = c.k + (uint32_t)take(in, 1) % 4;
	c.ldb = c.n + (uint32_t)take(in, 1) % 4;
	c.ldc = c.n;
	if (take(in, 1) == 0xff)
		((uint8_t *)&c)[take(in, 1) % sizeof(c)] = (uint8_t)take(in, 1);
	if (!cgpu_queue_enabled(q))
		return;
	ring = q->s.ring & CGPU_ADDR_DEVICE ? g->mem.map : t->mem;
	memcpy(ring + (how % NUM_QUEUES) * 0x1000 + (q->s.tail & (RING_SIZE - 1)) * CGPU_CMD_BYTES,
	       &c, sizeof(c));
	write_reg(t->dev[n], CGPU_Q(how % NUM_QUEUES) + CGPU_Q_TAIL, q->s.tail + 1, 4);
}

static void step_poke(struct target *t, struct input *in, unsigned int n)
{
	struct cgpu *g = vu_priv(t->dev[n]);
	uint64_t how = take(in, 1), off = take(in, 2), len = take(in, 1) % 64;
	uint8_t *at = how & 1 ? t->mem + off : how & 2 ? g->mem.map + off * 16 :
		      window(t->dev[n]) + off % (CGPU_CP_WINDOW_BYTES - 64);

	for (uint64_t i = 0; i < len; i++)
		at[i] = (uint8_t)take(in, 1);
}

static void start(struct target *t, unsigned int n);

static void step_config(struct target *t, struct input *in, unsigned int n)
{
	struct vu_dev *dev = t->dev[n];
	uint64_t how = take(in, 1);
	uint16_t val = (uint16_t)take(in, 1);

	if (how % 8 == 0) {
		vu_dev_reset(dev, how & 0x10 ? VU_RESET_FLR : VU_RESET_DEVICE);
		start(t, n);
	} else if (how % 8 < 3) {
		val |= PCI_COMMAND_MEMORY;
		vu_dev_region_access(dev, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &val, 2, true);
	} else {
		vu_dev_region_access(dev, VFIO_PCI_CONFIG_REGION_INDEX, dev->cfg.pm + PCI_PM_CTRL,
				     &val, 2, true);
	}
}

/* Waits that only another control command would end are not armed. */
static void step_control(struct target *t, struct input *in, unsigned int n)
{
	static const char *const lines[] = {
		"fault save fail count=1", "fault load fail count=1", "fault log_read fail count=1",
		"fault fetch fail count=1", "fault op fail count=1", "fault dma_read fail count=1",
		"fault dma_write fail count=1", "fault pause fail count=1",
		"fault op hang count=1", "fault pause hang count=1", "fault save hang count=1",
		"fault reset hang count=1", "fault ready hang count=1", "fault ready fail count=1",
		"fault clear", "poison 0x3000", "poison 0x100000", "poison 0x10000000000", "stats",
		"regs", "early", "claim state_bytes 1", "claim clear", "fatal",
	};
	char line[64], *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	snprintf(line, sizeof(line), "%s", lines[take(in, 1) % (sizeof(lines) / sizeof(lines[0]))]);
	vu_ctl_command(t->dev[n], line, out);
	fclose(out);
	free(text);
}

/* The state of a function with some bytes changed, loaded into it or into the other one. */
static void step_state(struct target *t, struct input *in, unsigned int n)
{
	static uint64_t buf[CGPU_STATE_MAX_BYTES / 8], again[CGPU_STATE_MAX_BYTES / 8];
	struct cgpu *from = vu_priv(t->dev[n]), *to = vu_priv(t->dev[take(in, 1) % NUM_FUNCTIONS]);
	struct cgpu_state *s = (struct cgpu_state *)buf;
	uint32_t bytes = cgpu_state_bytes(from);
	uint64_t how = take(in, 1);

	if (from->touching || to->touching)
		return;
	cgpu_state_get(from, s);
	for (uint64_t i = how % 4; i; i--)
		((uint8_t *)buf)[take(in, 2) % bytes] = (uint8_t)take(in, 1);
	if (how & 4 && how % 4)
		s->crc = (uint32_t)crc32(0, (uint8_t *)buf + 16, bytes - 16);
	if (!cgpu_state_set(to, s, bytes)) {
		cgpu_state_get(to, (struct cgpu_state *)again);
		if (memcmp(buf, again, bytes))
			abort();
	} else if (!(how % 4)) {
		abort();
	}
	vu_kick(to->dev);
}

static void read_log(struct target *t, unsigned int n)
{
	struct cgpu *g = vu_priv(t->dev[n]);
	const struct cgpu_part *p = &g->mem.part[CGPU_MAIN];
	uint64_t words = p->bytes / VU_PAGE_BYTES / 64;
	uint8_t *bits = malloc(words * 8);

	if (!bits)
		abort();
	if (!cgpu_log_read(g, 0, (uint32_t)words * 64, bits))
		for (uint64_t i = 0; i < words; i++)
			t->seen[n][i] |= ((uint64_t *)bits)[i];
	free(bits);
}

static void step_pause(struct target *t, struct input *in, unsigned int n)
{
	write_reg(t->dev[n], CP(CGPU_CP_PAUSE), take(in, 1) & 3, 4);
}

static void step_log(struct target *t, struct input *in, unsigned int n)
{
	(void)in;
	read_log(t, n);
}

static void (*const steps[])(struct target *t, struct input *in, unsigned int n) = {
	step_command, step_command, step_command, step_command, step_register, step_register,
	step_poke, step_config, step_control, step_state, step_log, step_pause,
};

/* ---- the functions ---- */

/* Two queues, one ring in each kind of memory, and a log. */
static void start(struct target *t, unsigned int n)
{
	struct vu_dev *dev = t->dev[n];
	struct cgpu *g = vu_priv(dev);
	uint16_t on = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	vu_dev_region_access(dev, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &on, 2, true);
	write_reg(dev, CGPU_CTRL, CGPU_CTRL_ENABLE, 4);
	for (unsigned int q = 0; q < NUM_QUEUES; q++) {
		write_reg(dev, CGPU_Q(q) + CGPU_Q_RING, (q ? DEV(0) : MEM_IOVA) + q * 0x1000, 8);
		write_reg(dev, CGPU_Q(q) + CGPU_Q_SIZE, RING_SIZE, 4);
		write_reg(dev, CGPU_Q(q) + CGPU_Q_CTRL, CGPU_QCTRL_ENABLE | CGPU_QCTRL_IRQ, 4);
	}
	cgpu_log_ctrl(g, CGPU_LOG_ON | CGPU_LOG_PAGE(12));
	vu_ledger_clear(&g->mem.written);
	memset(t->seen[n], 0, g->mem.part[CGPU_MAIN].bytes / VU_PAGE_BYTES / 8);
}

static void make(struct target *t)
{
	char *options[] = { "carveout=32", "queues=2", "drain_ms=1" };
	const struct vu_dma_map_msg m = {
		.argsz = sizeof(m), .flags = 3, .iova = MEM_IOVA, .size = MEM_BYTES,
	};

	t->fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (t->fd < 0 || ftruncate(t->fd, MEM_BYTES))
		abort();
	t->mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++) {
		t->dev[n] = vu_dev_new(vu_model_find("coherent_gpu"), options, 3);
		t->seen[n] = calloc(1, CGPU_MEM_MIN / VU_PAGE_BYTES / 8);
		if (t->mem == MAP_FAILED || !t->dev[n] || !t->seen[n])
			abort();
		t->dev[n]->front = &no_client;
		if (vu_dma_map(t->dev[n], &m, dup(t->fd), 16))
			abort();
	}
}

static void renew(struct target *t)
{
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++) {
		struct cgpu *g = vu_priv(t->dev[n]);

		vu_fault_clear(t->dev[n]);
		vu_dev_reset(t->dev[n], VU_RESET_POWER_ON);
		vu_ledger_clear(&t->dev[n]->ledger);
		g->mem.num_poison = 0;
		g->mem.num_early = 0;
		memset(g->claims.made, 0, sizeof(g->claims.made));
		t->dev[n]->wake = 0;
		start(t, n);
	}
	memset(t->mem, 0, MEM_BYTES);
}

static struct done now(const struct target *t, unsigned int n)
{
	const struct vu_stats *s = &t->dev[n]->stats;
	const struct cgpu *g = vu_priv(t->dev[n]);

	return (struct done){
		.drained = g->cp.drain == CGPU_DRAINED, .reads = s->dma_reads,
		.writes = s->dma_writes, .irqs = s->irqs, .tiles = g->tiles, .epoch = g->epoch,
		.written = g->mem.written.used,
	};
}

static void check_silence(const struct target *t)
{
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++) {
		struct done is = now(t, n);

		if (is.drained && t->before[n].drained && is.epoch == t->before[n].epoch &&
		    memcmp(&is, &t->before[n], sizeof(is)))
			abort();
	}
}

/* All that was written is in the log, unless a fault has ended it. */
static void check_log(struct target *t, unsigned int n)
{
	struct cgpu *g = vu_priv(t->dev[n]);

	if (g->mem.log_lost || !(g->mem.log_ctrl & CGPU_LOG_ON))
		return;
	read_log(t, n);
	for (size_t i = 0; i < g->mem.written.room; i++) {
		uint64_t page = (g->mem.written.slots[i].iova - 1) / VU_PAGE_BYTES;

		if (g->mem.written.slots[i].iova && page < CGPU_CARVE_BASE / VU_PAGE_BYTES &&
		    !(t->seen[n][page / 64] >> page % 64 & 1))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target t;
	struct input in = { data, size };

	if (!t.mem)
		make(&t);
	renew(&t);
	while (in.left) {
		uint64_t step = take(&in, 1);

		for (unsigned int n = 0; n < NUM_FUNCTIONS; n++)
			t.before[n] = now(&t, n);
		steps[(step & 0x3f) % (sizeof(steps) / sizeof(steps[0]))](&t, &in, step >> 6 & 1);
		if (!(step & 0x80))
			settle(t.dev, NUM_FUNCTIONS);
		check_silence(&t);
	}
	settle(t.dev, NUM_FUNCTIONS);
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++)
		check_log(&t, n);
	return 0;
}
