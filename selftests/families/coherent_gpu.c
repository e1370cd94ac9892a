// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu (Documentation/hardware/coherent_gpu.rst): fills and copies in two queues, in
 * its own memory and the guest's, and what the CPU has written there itself.  Of the machine's
 * functions the first two are alike; the next one has those behind it begin at a whole GiB.
 *
 * Machine coherent-gpu families: coherent_gpu:2:carveout=32:d1d2=1
 *	coherent_gpu:1:size=512:carveout=128:log_min=21:d1d2=1 coherent_gpu:2:size=1024:d1d2=1
 * Machine coherent-gpu-fault allocations: coherent_gpu:1
 * Machine coherent-gpu-death death: coherent_gpu:7
 * Machine soak: coherent_gpu:2:carveout=32
 * Machine coherent-gpu-special: coherent_gpu:2:carveout=32 coherent_gpu:1:size=512:carveout=128
 *	coherent_gpu:2:size=1024 coherent_gpu:1:at=128 coherent_gpu:1:at=16384
 *	qemu:edu
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "../lib/family.h"
#include "../lib/gpu.h"
#include "../lib/records.h"

#define QUEUES		2
#define OPS		4
#define PIECE		0x8000u
#define MIB		0x100000u

/* Where queue @q puts things for @tag: twice in the device, once in the guest. */
static uint64_t area(unsigned int q, uint32_t tag)
{
	return (1 + q) * MIB + tag % 8 * 2 * PIECE;
}

static uint64_t out(unsigned int q)
{
	return GPU_MEM_DATA + q * 2 * PIECE;
}

/* Where the CPU puts something, far from all that. */
static uint64_t cpu_area(uint32_t tag)
{
	return 128 * MIB + tag % 8 * 3 * PIECE;
}

static uint32_t word(unsigned int q, uint32_t tag)
{
	return 0x01010101u * (1 + q) + (tag << 8);
}

static int attach(struct guest *g)
{
	struct gpu *gpu = g->own;

	gpu->mem = g->mem;
	return gpu_attach(gpu, g->v);
}

static void detach(struct guest *g)
{
	gpu_detach(g->own);
}

static int begin(struct guest *g)
{
	struct gpu *gpu = g->own;
	int err = gpu_enable(gpu);

	for (unsigned int q = 0; q < QUEUES && !err; q++)
		err = gpu_queue_start(gpu, q, !q);
	return err;
}

static void fill_words(uint32_t *buf, uint32_t first)
{
	for (unsigned int i = 0; i < PIECE / sizeof(*buf); i++)
		buf[i] = htole32(first + i);
}

static int start(struct guest *g, uint32_t tag)
{
	static uint32_t buf[PIECE / sizeof(uint32_t)];
	struct gpu *gpu = g->own;

	fill_words(buf, word(7, tag));
	if (vdev_pwrite(g->v, GPU_MAIN_BAR, cpu_area(tag), buf, PIECE) != PIECE)
		return -EIO;
	for (unsigned int q = 0; q < QUEUES; q++) {
		uint64_t at = GPU_AT(area(q, tag)), to = GPU_GUEST(out(q));
		struct cgpu_cmd last = gpu_copy(to + PIECE, at + PIECE, PIECE);

		if (!q)
			last.flags = CGPU_CMD_IRQ;
		gpu_put(gpu, q, gpu_fill(at, PIECE, word(q, tag)));
		gpu_put(gpu, q, gpu_copy(at + PIECE, at, PIECE));
		gpu_put(gpu, q, gpu_copy(to, GPU_AT(cpu_area(tag)), PIECE));
		gpu_put(gpu, q, last);
	}
	for (unsigned int q = 0; q < QUEUES; q++)
		gpu_ring(gpu, q);
	return 0;
}

static int all_are(const uint32_t *buf, uint32_t val)
{
	for (unsigned int i = 0; i < PIECE / sizeof(*buf); i++)
		if (le32toh(buf[i]) != val)
			return -EBADMSG;
	return 0;
}

static int check(struct guest *g, uint32_t tag)
{
	static uint32_t buf[PIECE / sizeof(uint32_t)], want[PIECE / sizeof(uint32_t)];
	struct gpu *gpu = g->own;
	int err = 0;

	fill_words(want, word(7, tag));
	for (unsigned int q = 0; q < QUEUES && !err; q++) {
		err = gpu_wait(gpu, q);
		if (!err && memcmp(g->mem + out(q), want, PIECE))
			err = -EBADMSG;
		err = err ? err : all_are((uint32_t *)(g->mem + out(q) + PIECE), word(q, tag));
		if (!err && vdev_pread(g->v, GPU_MAIN_BAR, area(q, tag) + PIECE, buf, PIECE) != PIECE)
			err = -EIO;
		err = err ? err : all_are(buf, word(q, tag));
		if (!err && gpu_read64(gpu, CGPU_Q(q) + CGPU_Q_DONE) != gpu->tail[q])
			err = -EPROTO;
	}
	return err;
}

enum { W_REV, W_VERSION, W_QUEUES, W_OPS, W_MEM, W_CARVE, NUM_WORDS };

static const char *const words[NUM_WORDS] = {
	[W_REV] = "CP_REV", [W_VERSION] = "CP_VERSION", [W_QUEUES] = "CP_QUEUES", [W_OPS] = "CP_OPS",
	[W_MEM] = "CP_MEM", [W_CARVE] = "CP_CARVE",
};

/* Of a BAR with so much memory; the user sees it, and without a persona it is the same elsewhere. */
static uint64_t shown(uint64_t bytes)
{
	uint64_t size = 1;

	while (size < bytes)
		size *= 2;
	return bytes ? size : 0;
}

/* The rule of Documentation/coherent_gpu.rst, written a second time. */
static int fits(struct model *src, struct model *dst)
{
	uint64_t a[NUM_WORDS], b[NUM_WORDS];

	if (model_values(src, "regs", words, NUM_WORDS, a) || model_values(dst, "regs", words, NUM_WORDS, b))
		return -EIO;
	return a[W_REV] >> 16 == b[W_REV] >> 16 &&
	       (a[W_VERSION] & 0xffff) <= (b[W_VERSION] & 0xffff) &&
	       (a[W_VERSION] & 0xffff) >= b[W_VERSION] >> 16 &&
	       (a[W_QUEUES] & 0xffff) == (b[W_QUEUES] & 0xffff) &&
	       (a[W_QUEUES] >> 16 & 0xff) <= (b[W_QUEUES] >> 16 & 0xff) &&
	       !(a[W_OPS] & ~b[W_OPS]) && a[W_MEM] <= b[W_MEM] && a[W_CARVE] <= b[W_CARVE] &&
	       shown(a[W_MEM]) == shown(b[W_MEM]) && shown(a[W_CARVE]) == shown(b[W_CARVE]) ? 0 : -EOPNOTSUPP;
}

/* The order of its records: LAYOUT, PAGES, then the state. */
#define LAYOUT		REC_FAMILY
#define PAGES		(REC_FAMILY + 1)
#define STATE(s)	(REC_CONFIG(s) - 1)

static void no_state(struct stream *s) { rec_remove(s, STATE(s)); }
static void state_twice(struct stream *s) { rec_repeat(s, STATE(s)); }
static void match_magic(struct stream *s) { rec_copy(s, REC_MATCH)[0]++; }
static void match_revision(struct stream *s) { rec_put32(s, REC_MATCH, 4, 0x990000); }
static void match_version(struct stream *s) { rec_put32(s, REC_MATCH, 8, 0xffff); }
static void match_queues(struct stream *s) { rec_put32(s, REC_MATCH, 12, 10 << 16 | 7); }
static void match_rings(struct stream *s) { rec_put32(s, REC_MATCH, 12, 99 << 16 | 8); }
static void match_ops(struct stream *s) { rec_put32(s, REC_MATCH, 16, 0x7fffffff); }
static void match_memory(struct stream *s) { rec_put32(s, REC_MATCH, 28, 1); }
static void match_carve(struct stream *s) { rec_put32(s, REC_MATCH, 36, 1); }
static void no_layout(struct stream *s) { rec_remove(s, LAYOUT); }
static void layout_twice(struct stream *s) { rec_repeat(s, LAYOUT); }
static void layout_larger(struct stream *s) { rec_put32(s, LAYOUT, 20, 1); }
static void pages_missing(struct stream *s) { rec_remove(s, PAGES); }
static void pages_beyond(struct stream *s) { rec_put32(s, PAGES, 12, 1); }
static void state_magic(struct stream *s) { rec_copy(s, STATE(s))[0]++; }
static void state_version(struct stream *s) { rec_put32(s, STATE(s), 4, 1000); }
static void state_bytes(struct stream *s) { rec_put32(s, STATE(s), 8, 64); }
static void state_size(struct stream *s) { s->rec[STATE(s)].bytes -= 8; }
static void state_queues(struct stream *s) { rec_put32(s, STATE(s), 24, 1 << 20); }
static void state_sum(struct stream *s) { rec_put32(s, STATE(s), 12, 0x12345678); }
static void state_ctrl(struct stream *s) { rec_put32(s, STATE(s), 16, 0xff); }

static const struct damage damage[] = {
	DAMAGE(match_queues, -EOPNOTSUPP, .says = "queues"),
	DAMAGE(match_magic, -EINVAL),
	DAMAGE(match_revision, -EOPNOTSUPP),
	DAMAGE(match_version, -EOPNOTSUPP),
	DAMAGE(match_rings, -EOPNOTSUPP),
	DAMAGE(match_ops, -EOPNOTSUPP),
	DAMAGE(match_memory, -EOPNOTSUPP, .says = "main memory"),
	DAMAGE(match_carve, -EOPNOTSUPP, .says = "carve-out"),
	DAMAGE(no_layout, -EPROTO),
	DAMAGE(layout_twice, -EPROTO),
	DAMAGE(layout_larger, -EOPNOTSUPP),
	DAMAGE(pages_missing, -ENODATA, true),
	DAMAGE(pages_beyond, -EINVAL),
	DAMAGE(no_state, -EINVAL, true),
	DAMAGE(state_twice, -EINVAL),
	DAMAGE(state_magic, -EINVAL, .says = "state magic"),
	DAMAGE(state_version, -EINVAL),
	DAMAGE(state_bytes, -EINVAL),
	DAMAGE(state_size, -EINVAL),
	DAMAGE(state_queues, -EINVAL),
	/* These are for the function to judge, when everything is there. */
	DAMAGE(state_sum, -EINVAL, true),
	DAMAGE(state_ctrl, -EINVAL, true),
};

/* The size of rings, as a power of two, in the upper half; the number of queues in the lower. */
static const struct claim claims[] = {
	{ "queues 0x00000000", -EOPNOTSUPP },
	{ "queues 0x000a0000", -EOPNOTSUPP },
	{ "queues 0x000a0007", -EOPNOTSUPP, .sane = true, .less = true },
	{ "queues 0x000a0009", -EOPNOTSUPP },
	{ "queues 0x000affff", -EOPNOTSUPP },
	{ "queues 0x00ff0008", -EOPNOTSUPP },
	{ "version 0", -EOPNOTSUPP },
	{ "version 0x00020001", -EOPNOTSUPP },
	/* Firmware has described them, too. */
	{ "mem 0", -EOPNOTSUPP, .open = -EINVAL },
	{ "mem 0x20000000", -EOPNOTSUPP, .open = -EINVAL },
	{ "carve 0x200000", -EOPNOTSUPP, .open = -EINVAL },
	{ "rev 0x00630000", -EOPNOTSUPP, .sane = true },
	{ "ops 0", -EOPNOTSUPP, .sane = true },
	/* Without a log everything is sent at the end. */
	{ "caps 0", .sane = true },
	{ "log_sizes 0", .sane = true },
	{ "log_sizes 0x00ff00ff", .sane = true },
	/* Times are bounded; the size of the state is known. */
	{ "drain_ms 0x7fffffff", .sane = true },
	{ "ready_ms 0x7fffffff", .sane = true },
	{ "state_bytes 0", .sane = true },
};

FAMILY(coherent_gpu) = {
	.name = "coherent_gpu", .driver = "vpv_coherent_gpu",
	.migration = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY,
	.bar = CGPU_BAR, .bar_bytes = CGPU_USER_BYTES, .record_max = CGPU_STATE_MAX_BYTES,
	.state_max = 300 << 20, .rounds = true,
	.mem_bytes = GPU_MEM_BYTES, .own_bytes = sizeof(struct gpu),
	.irq_index = VFIO_PCI_MSIX_IRQ_INDEX,
	.slow = "fault op delay=60", .late = "fault reset delay=80",
	.counter = "ops_done", .counts = QUEUES * OPS, .counter_moves = true,
	.pause_fails = -ETIMEDOUT, .load_fails = -EREMOTEIO,
	.damage = damage, .num_damage = sizeof(damage) / sizeof(damage[0]),
	.claims = claims, .num_claims = sizeof(claims) / sizeof(claims[0]),
	.begin = begin, .attach = attach, .detach = detach, .start = start, .check = check,
	.fits = fits,
};
