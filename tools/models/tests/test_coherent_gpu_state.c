// SPDX-License-Identifier: GPL-2.0
/* coherent_gpu: pause and state, against section 4 of Documentation/hardware/coherent_gpu.rst. */
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "gpu_guest.h"

#define USED_BYTES	0x800000u	/* of device memory */
#define NUM_QUEUES	4u

/* One command for each kind of half-done item; all take several tiles. */
static const struct cgpu_cmd long_commands[NUM_QUEUES] = {
	{ .opcode = CGPU_SGEMM, .src = GDEV(0x100000), .src2 = GMEM_IOVA + 0x200000,
	  .dst = GDEV(0x700000), .m = 150, .n = 130, .k = 200, .lda = 200, .ldb = 130, .ldc = 133,
	  .alpha = 0x3f000000, .beta = 0x3fc00000 },
	{ .opcode = CGPU_REDUCE, .src = GDEV(0x100000), .dst = GMEM_IOVA + 0x180000,
	  .bytes = 0x4c0004 },
	{ .opcode = CGPU_HISTOGRAM, .src = GDEV(0x100001), .dst = GDEV(0x80000),
	  .bytes = 0x4c0003 },
	{ .opcode = CGPU_COPY, .src = GMEM_IOVA + 0x200004, .dst = GDEV(0x600000),
	  .bytes = 0xc0004 },
};

static void fill_memory(struct gpu *g)
{
	for (uint32_t i = 0; i < USED_BYTES / 4; i++) {
		float f = (float)(int32_t)(i * 2654435761u) * 1e-5f;

		memcpy(g->dev + i * 4, &f, 4);
	}
	for (uint32_t i = 0; i < 0x80000; i++) {
		float f = (float)(int32_t)(i * 40503u * 65537u) * 1e-8f;

		memcpy(g->mem + 0x200000 + i * 4, &f, 4);
	}
}

static void start_all(struct gpu *g)
{
	fill_memory(g);
	for (uint32_t n = 0; n < NUM_QUEUES; n++) {
		gpu_queue(g, n, 8);
		gpu_put(g, n, long_commands[n]);
		gpu_put(g, n, (struct cgpu_cmd) { .opcode = CGPU_FILL, .value = n,
						  .dst = GDEV(n * 0x1000), .bytes = 0x1000 });
	}
}

static bool all_done(struct gpu *g)
{
	for (uint32_t n = 0; n < NUM_QUEUES; n++)
		if (gpu_rd64(g, GQ(n, DONE)) != 2)
			return false;
	return true;
}

/* Suspend @from, and go on with its memory and state in @to. */
static void move(struct gpu *from, struct gpu *to)
{
	static uint8_t state[GSTATE_ROOM], again[GSTATE_ROOM];
	uint32_t bytes;
	uint64_t tiles;

	gpu_freeze(from);
	tiles = ((struct cgpu *)vu_priv(from->r->dev))->tiles;
	bytes = gpu_state_get(from, state);
	memcpy(to->dev, from->dev, USED_BYTES);
	memcpy(to->mem, from->mem, GMEM_BYTES);
	memcpy(to->fence, from->fence, sizeof(to->fence));
	gpu_freeze(to);
	CHECK_EQ(gpu_state_set(to, state, bytes), 0);
	CHECK_EQ(gpu_state_get(to, again), bytes);
	CHECK_EQ(memcmp(state, again, bytes), 0);
	rig_run(to->r, 1);
	rig_run(from->r, 1);
	CHECK_EQ(memcmp(to->dev, from->dev, USED_BYTES), 0);
	CHECK_EQ(memcmp(to->mem, from->mem, GMEM_BYTES), 0);
	CHECK_EQ(((struct cgpu *)vu_priv(from->r->dev))->tiles, tiles);
	gpu_wr(to, GCP(PAUSE), 0);
	CHECK_EQ(gpu_rd(to, GCP(DRAIN)), CGPU_RUNNING);
}

static void half_done_items_move(void)
{
	char *slow[] = { "tile_us=20000", NULL };
	struct gpu pair[2], whole;
	unsigned int at = 0, moves = 0;

	gpu_open(&whole, NULL);
	start_all(&whole);
	while (!all_done(&whole))
		rig_step(whole.r);
	gpu_open(&pair[0], slow);
	gpu_open(&pair[1], slow);
	gpu_wr(&pair[0], GCP(PAUSE), CGPU_PAUSE);
	start_all(&pair[0]);
	gpu_wr(&pair[0], GCP(PAUSE), 0);
	while (!all_done(&pair[at]) && moves < 200) {
		move(&pair[at], &pair[!at]);
		at = !at;
		moves++;
		rig_run(pair[at].r, 1);
	}
	CHECK(all_done(&pair[at]));
	CHECK(moves > 5);
	CHECK_EQ(memcmp(pair[at].dev, whole.dev, USED_BYTES), 0);
	CHECK_EQ(memcmp(pair[at].mem, whole.mem, GMEM_BYTES), 0);
	CHECK_EQ(gpu_rd64(&pair[at], CGPU_OPS_DONE), 8);
	gpu_close(&pair[0]);
	gpu_close(&pair[1]);
	gpu_close(&whole);
}

/* Queues that their driver was about to set up. */
static void half_set_up_queue_moves(void)
{
	struct gpu a, b;

	gpu_open(&a, NULL);
	gpu_open(&b, NULL);
	gpu_wr(&a, GQ(3, RING) + 4, 0x80000001);
	gpu_wr(&a, GQ(2, RING), 0x12345);
	gpu_wr(&a, GQ(2, SIZE), 5);
	move(&a, &b);
	CHECK_EQ(gpu_rd64(&b, GQ(3, RING)), 0x80000001ull << 32);
	CHECK_EQ(gpu_rd64(&b, GQ(2, RING)), 0x12345);
	CHECK_EQ(gpu_rd(&b, GQ(2, SIZE)), 5);
	gpu_close(&b);
	gpu_close(&a);
}

/* A command that would take an hour does not hold a drain up. */
static void drain_is_bounded(void)
{
	char *slow[] = { "tile_us=10000000", "drain_ms=60", NULL };
	struct gpu g;

	gpu_open(&g, slow);
	gpu_queue(&g, 0, 8);
	gpu_put(&g, 0, (struct cgpu_cmd) { .opcode = CGPU_FILL, .dst = GDEV(0),
					   .bytes = 128u << 20 });
	rig_run(g.r, 5);
	CHECK_EQ(gpu_rd(&g, GCP(DRAIN_MS)), 60);
	gpu_freeze(&g);
	CHECK(strstr(rig_control(g.r, "stats"), "in_work 1\n"));
	gpu_close(&g);
}

static void pause_and_freeze(void)
{
	struct gpu g;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	gpu_wr(&g, GCP(PAUSE), CGPU_FREEZE);		/* without PAUSE */
	CHECK_EQ(gpu_rd(&g, GCP(PAUSE)), 0);
	CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .flags = CGPU_CMD_IRQ }), CGPU_OK);
	CHECK_EQ(event_count(g.ev[0]), 1);
	/* doorbells are taken, and nothing else happens */
	gpu_wr(&g, GCP(PAUSE), CGPU_PAUSE);
	gpu_put(&g, 0, (struct cgpu_cmd) { .flags = CGPU_CMD_IRQ });
	rig_run(g.r, 3);
	CHECK_EQ(gpu_rd(&g, GQ(0, TAIL)), 2);
	CHECK_EQ(gpu_rd(&g, GQ(0, HEAD)), 1);
	CHECK_EQ(gpu_done(&g, 0), -1);
	CHECK_EQ(event_count(g.ev[0]), 0);
	/* frozen, not even doorbells */
	gpu_wr(&g, GCP(PAUSE), CGPU_PAUSE | CGPU_FREEZE);
	gpu_wr(&g, GQ(0, TAIL), 3);
	gpu_wr(&g, CGPU_CTRL, 0);
	CHECK_EQ(gpu_rd(&g, GQ(0, TAIL)), 2);
	CHECK_EQ(gpu_rd(&g, CGPU_CTRL), CGPU_CTRL_ENABLE);
	CHECK_EQ(gpu_rd64(&g, GQ(0, DONE)), 1);
	/* thaw; registers move again */
	gpu_wr(&g, GCP(PAUSE), CGPU_PAUSE);
	gpu_wr(&g, GQ(0, TAIL), 2);
	/* the interrupt of the resume, of queues that have completed something */
	gpu_queue(&g, 1, 8);
	gpu_wr(&g, GCP(PAUSE), 0);
	rig_step(g.r);
	CHECK_EQ(gpu_done(&g, 0), CGPU_OK);
	CHECK(event_count(g.ev[0]) >= 1);
	CHECK_EQ(event_count(g.ev[1]), 0);
	gpu_close(&g);
}

/* Things that the user or the host does while the device waits for guest memory. */
static struct gpu *busy_gpu;
static void (*busy_action)(struct gpu *g);

static void poke(struct gpu *g, uint32_t off, uint32_t val)
{
	vu_dev_region_access(g->r->dev, CGPU_BAR, off, &val, 4, true);
}

static uint32_t peek(struct gpu *g, uint32_t off)
{
	uint32_t val;

	vu_dev_region_access(g->r->dev, CGPU_BAR, off, &val, 4, false);
	return val;
}

static void busy_reset(struct gpu *g)
{
	vu_dev_reset(g->r->dev, VU_RESET_FLR);
}

static void busy_clear(struct gpu *g)
{
	poke(g, GCP(CMD), CGPU_STATE_CLEAR);
}

static void busy_disable(struct gpu *g)
{
	poke(g, GQ(0, CTRL), 0);
}

static void busy_restart(struct gpu *g)
{
	poke(g, GQ(0, CTRL), 0);
	poke(g, GQ(0, CTRL), CGPU_QCTRL_ENABLE);
}

static void busy_overrun(struct gpu *g)
{
	poke(g, GQ(0, TAIL), 100);
}

static void busy_pause(struct gpu *g)
{
	poke(g, GCP(PAUSE), CGPU_PAUSE);
	CHECK_EQ(peek(g, GCP(DRAIN)), CGPU_DRAINING);
	poke(g, GCP(PAUSE), CGPU_PAUSE | CGPU_FREEZE);
	CHECK_EQ(peek(g, GCP(PAUSE)), CGPU_PAUSE);
}

static void busy_no_master(struct gpu *g)
{
	uint16_t cmd = PCI_COMMAND_MEMORY;

	vu_dev_region_access(g->r->dev, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &cmd, 2, true);
}

static void set_power(struct gpu *g, uint16_t state)
{
	unsigned int ctrl = g->r->dev->cfg.pm + PCI_PM_CTRL;

	vu_dev_region_access(g->r->dev, VFIO_PCI_CONFIG_REGION_INDEX, ctrl, &state, 2, true);
}

static void busy_d3hot(struct gpu *g)
{
	set_power(g, 3);
}

static int act(struct vu_front *front, unsigned int fault, const struct vu_fault_hit *hit)
{
	(void)front;
	(void)fault;
	(void)hit;
	busy_action(busy_gpu);
	return 0;
}

/* Of a copy from guest memory: its fetch, its first tile, its second one, its fence. */
static const char *const busy_moments[] = {
	"fault dma_read delay=1 count=1", "fault dma_read delay=1 skip=1 count=1",
	"fault dma_read delay=1 skip=2 count=1", "fault dma_write delay=1 count=1",
};

static void act_at(struct gpu *g, const char *moment, void (*action)(struct gpu *g))
{
	struct vu_front was;

	gpu_open(g, NULL);
	gpu_queue(g, 0, 8);
	busy_gpu = g;
	busy_action = action;
	was = *g->r->dev->front;
	CHECK(strstr(rig_control(g->r, moment), "ok"));
	g->r->dev->front->wait = act;
	gpu_put(g, 0, (struct cgpu_cmd) { .opcode = CGPU_COPY, .src = GMEM_IOVA + 0x200000,
					  .dst = GDEV(0), .bytes = 2 * CGPU_TILE_BYTES });
	for (int i = 0; i < 10; i++)
		rig_step(g->r);
	*g->r->dev->front = was;
}

static void stops_in_the_middle(void)
{
	static void (*const actions[])(struct gpu *g) = {
		busy_reset, busy_clear, busy_disable, busy_restart, busy_overrun,
	};
	struct gpu g;

	for (unsigned int a = 0; a < sizeof(actions) / sizeof(actions[0]); a++)
		for (unsigned int m = 0; m < 4; m++) {
			const struct cgpu *c;

			act_at(&g, busy_moments[m], actions[a]);
			c = vu_priv(g.r->dev);
			/* The fence may have been written already, but nobody counts it. */
			CHECK_EQ(c->q[0].s.done, 0);
			CHECK_EQ(c->q[0].s.fence, 0);
			CHECK_EQ(c->q[0].s.in_work, 0);
			CHECK_EQ(c->ops_done, 0);
			CHECK_EQ(event_count(g.ev[0]), 0);
			CHECK(m == 3 || gpu_done(&g, 0) < 0);
			CHECK_EQ(cgpu_queue_enabled(&c->q[0]), actions[a] == busy_restart);
			gpu_enable(&g);
			gpu_wr(&g, GQ(0, CTRL), 0);
			gpu_queue(&g, 0, 8);
			CHECK_EQ(gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_NOP }), CGPU_OK);
			gpu_close(&g);
		}
}

static void pauses_in_the_middle(void)
{
	struct gpu g;

	for (unsigned int m = 0; m < 4; m++) {
		const struct cgpu *c;

		act_at(&g, busy_moments[m], busy_pause);
		c = vu_priv(g.r->dev);
		CHECK_EQ(c->cp.drain, CGPU_DRAINED);
		/* What was begun is ended: the fetch, a tile, all of it. */
		CHECK_EQ(c->q[0].s.in_work, m < 2);
		CHECK_EQ(c->q[0].s.progress, m == 1);
		CHECK_EQ(gpu_done(&g, 0), m < 2 ? -1 : 0);
		gpu_wr(&g, GCP(PAUSE), 0);
		for (int i = 0; i < 10; i++)
			rig_step(g.r);
		CHECK_EQ(gpu_done(&g, 0), CGPU_OK);
		CHECK_EQ(gpu_rd64(&g, GQ(0, DONE)), 1);
		gpu_close(&g);
	}
}

static void held_in_the_middle(void)
{
	static void (*const actions[])(struct gpu *g) = { busy_no_master, busy_d3hot };
	struct gpu g;

	for (unsigned int a = 0; a < sizeof(actions) / sizeof(actions[0]); a++)
		for (unsigned int m = 0; m < 4; m++) {
			const struct cgpu *c;

			act_at(&g, busy_moments[m], actions[a]);
			c = vu_priv(g.r->dev);
			/* What was begun is ended; the rest waits. */
			CHECK(cgpu_queue_enabled(&c->q[0]));
			CHECK_EQ(c->q[0].s.head, 1);
			CHECK_EQ(c->q[0].s.in_work, m < 2);
			CHECK_EQ(c->q[0].s.progress, m == 1);
			CHECK_EQ(c->ops_done, m >= 2);
			CHECK_EQ(c->ops_failed, 0);
			set_power(&g, 0);
			gpu_enable(&g);
			for (int i = 0; i < 10; i++)
				rig_step(g.r);
			CHECK_EQ(gpu_done(&g, 0), CGPU_OK);
			CHECK_EQ(gpu_rd64(&g, GQ(0, DONE)), 1);
			CHECK_EQ(gpu_rd64(&g, CGPU_OPS_FAILED), 0);
			gpu_close(&g);
		}
}

/* An interrupt that was masked when the function stopped is not lost. */
static void interrupts_are_not_lost(void)
{
	uint16_t on = PCI_MSIX_FLAGS_ENABLE, masked = on | PCI_MSIX_FLAGS_MASKALL;
	static uint8_t state[GSTATE_ROOM];
	struct gpu g;
	uint32_t bytes, msix;

	gpu_open(&g, NULL);
	msix = g.r->dev->cfg.msix + 2;
	gpu_queue(&g, 0, 8);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, msix, &masked, 2), 0);
	gpu_run(&g, (struct cgpu_cmd) { .flags = CGPU_CMD_IRQ });
	/* it joins the one of the resume */
	gpu_wr(&g, GCP(PAUSE), CGPU_PAUSE);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, msix, &on, 2), 0);
	CHECK_EQ(event_count(g.ev[0]), 0);
	gpu_wr(&g, GCP(PAUSE), 0);
	rig_step(g.r);
	CHECK_EQ(event_count(g.ev[0]), 1);
	CHECK_EQ(rig_write(g.r, VFIO_PCI_CONFIG_REGION_INDEX, msix, &masked, 2), 0);
	gpu_run(&g, (struct cgpu_cmd) { .flags = CGPU_CMD_IRQ });
	gpu_freeze(&g);
	bytes = gpu_state_get(&g, state);
	CHECK_EQ(rig_call(g.r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	gpu_enable(&g);
	CHECK_EQ(event_count(g.ev[0]), 0);
	gpu_freeze(&g);
	CHECK_EQ(gpu_state_set(&g, state, bytes), 0);
	gpu_wr(&g, GCP(PAUSE), 0);
	rig_step(g.r);
	CHECK_EQ(event_count(g.ev[0]), 1);
	gpu_close(&g);
}

#define HEAD(field)	offsetof(struct cgpu_state, field), sizeof(((struct cgpu_state *)0)->field)
#define QUEUE(n, field)	CGPU_STATE_HEAD_BYTES + (n) * CGPU_STATE_QUEUE_BYTES + \
			offsetof(struct cgpu_state_queue, field), \
			sizeof(((struct cgpu_state_queue *)0)->field)

/* Of queues 0 to 3 the long commands are in work, queue 4 has an error, 5 was never used. */
static const struct {
	size_t off, bytes;
	uint64_t val;
	bool ok;
} changes[] = {
	{ HEAD(magic), 0, false }, { HEAD(version), 0, false }, { HEAD(version), 2, false },
	{ HEAD(bytes), 64, false }, { HEAD(queues), 7, false }, { HEAD(ctrl), 2, false },
	{ HEAD(ctrl), 0, true }, { HEAD(fatal), 2, false },
	{ HEAD(reserved), 1, false }, { HEAD(ops_failed), 1000, false },
	{ HEAD(reserved2[0]), 1, false }, { HEAD(reserved2[15]), 1, false },
	{ QUEUE(0, ring), GMEM_IOVA + 1, false }, { QUEUE(0, ring), GDEV(1ull << 30), false },
	{ QUEUE(0, ring), GDEV(0), true }, { QUEUE(0, size), 3, false },
	{ QUEUE(0, size), 4096, false }, { QUEUE(0, ctrl), 4, false }, { QUEUE(0, ctrl), 0, false },
	{ QUEUE(0, status), 3, false }, { QUEUE(0, status), 4, false },
	{ QUEUE(0, status), 0x101, false }, { QUEUE(0, status), 0, false },
	{ QUEUE(0, tail), 10, false }, { QUEUE(0, tail), 9, true }, { QUEUE(0, head), 3, false },
	{ QUEUE(0, in_work), 2, false }, { QUEUE(0, in_work), 0, false },
	{ QUEUE(0, reserved[15]), 1, false }, { QUEUE(0, reserved2), 1, false },
	{ QUEUE(0, reserved3[47]), 1, false }, { QUEUE(0, progress), 25, false },
	{ QUEUE(0, progress), UINT64_MAX, false }, { QUEUE(0, progress), 24, true },
	{ QUEUE(0, cmd.opcode), 9, false }, { QUEUE(0, cmd.m), 0, false },
	{ QUEUE(0, cmd.flags), 8, false }, { QUEUE(0, sum), 1, false },
	{ QUEUE(0, bins[3]), 1, false }, { QUEUE(1, bins[0]), 1, false },
	{ QUEUE(1, sum), 0x3f800000, true }, { QUEUE(1, progress), 0, false },
	{ QUEUE(2, bins[255]), 1, false }, { QUEUE(2, bins[0]), UINT64_MAX, false },
	{ QUEUE(2, sum), 1, false }, { QUEUE(2, progress), 0, false },
	{ QUEUE(3, progress), 4, false }, { QUEUE(3, bins[9]), 1, false },
	{ QUEUE(4, status), 0x402, false }, { QUEUE(4, status), 0x002, false },
	{ QUEUE(4, status), 0x302, true }, { QUEUE(4, status), 0x102, true },
	{ QUEUE(4, status), 0x203, false }, { QUEUE(4, in_work), 1, false },
	{ QUEUE(5, ctrl), 1, false }, { QUEUE(5, cmd.value), 1, false },
	{ QUEUE(5, bins[200]), 1, false }, { QUEUE(5, progress), 1, false },
	{ QUEUE(5, ring), 77, true }, { QUEUE(5, status), 1, false },
	/* The last one, since no other state takes it away. */
	{ HEAD(fatal), 1, true },
};

/* One tile of each of the first four queues is done. */
static uint32_t make_state(struct gpu *g, void *state)
{
	start_all(g);
	gpu_queue(g, 4, 8);
	gpu_wr(g, GQ(4, TAIL), 9);
	while (((struct cgpu *)vu_priv(g->r->dev))->tiles < NUM_QUEUES)
		rig_step(g->r);
	gpu_freeze(g);
	return gpu_state_get(g, state);
}

static void bad_states_are_refused(void)
{
	char *slow[] = { "tile_us=10000000", "oldest=1", NULL };
	static uint8_t good[GSTATE_ROOM], bad[GSTATE_ROOM], now[GSTATE_ROOM];
	struct gpu g;
	uint32_t bytes;

	gpu_open(&g, slow);
	bytes = make_state(&g, good);
	CHECK_EQ(bytes, CGPU_STATE_MAX_BYTES);
	for (unsigned int i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint32_t err;

		memcpy(bad, good, bytes);
		memcpy(bad + changes[i].off, &changes[i].val, changes[i].bytes);
		if (changes[i].off != offsetof(struct cgpu_state, bytes))
			gpu_state_seal(bad);
		err = gpu_state_set(&g, bad, bytes);
		if (err != (changes[i].ok ? 0 : CGPU_ERR_BAD_STATE))
			test_fail(__FILE__, (int)i, "error of a changed state", err,
				  changes[i].ok ? 0 : CGPU_ERR_BAD_STATE);
		gpu_state_get(&g, now);
		CHECK_EQ(memcmp(now, changes[i].ok ? bad : good, bytes), 0);
		CHECK_EQ(gpu_state_set(&g, good, bytes), 0);
	}
	/* the checksum, and the length */
	memcpy(bad, good, bytes);
	bad[bytes - 3000] ^= 1;
	CHECK_EQ(gpu_state_set(&g, bad, bytes), CGPU_ERR_BAD_STATE);
	CHECK_EQ(gpu_state_set(&g, good, bytes - 4), CGPU_ERR_BAD_LENGTH);
	gpu_wr(&g, GCP(BYTES), 0xfffffffc);
	CHECK_EQ(gpu_command(&g, CGPU_STATE_SET), CGPU_ERR_BAD_LENGTH);
	gpu_close(&g);
}

static void commands_have_rules(void)
{
	static uint8_t state[GSTATE_ROOM];
	struct gpu g;
	uint32_t bytes;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	CHECK_EQ(gpu_command(&g, CGPU_STATE_GET), CGPU_ERR_NOT_FROZEN);
	CHECK_EQ(gpu_command(&g, CGPU_STATE_SET), CGPU_ERR_NOT_FROZEN);
	CHECK_EQ(gpu_command(&g, 0), CGPU_ERR_BAD_COMMAND);
	CHECK_EQ(gpu_command(&g, 7), CGPU_ERR_BAD_COMMAND);
	CHECK_EQ(gpu_command(&g, 0xffffffff), CGPU_ERR_BAD_COMMAND);
	gpu_wr(&g, GCP(ERR), 0);
	CHECK_EQ(gpu_rd(&g, GCP(ERR)), 0);
	gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_NOP });
	gpu_freeze(&g);
	bytes = gpu_state_get(&g, state);
	CHECK_EQ(gpu_command(&g, CGPU_STATE_CLEAR), 0);
	CHECK_EQ(gpu_rd(&g, GCP(PAUSE)), CGPU_PAUSE | CGPU_FREEZE);
	CHECK_EQ(gpu_rd(&g, GQ(0, STATUS)), 0);
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_DONE), 0);
	CHECK_EQ(gpu_state_set(&g, state, bytes), 0);
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_DONE), 1);
	/* neither of them mends a function that has failed */
	rig_control(g.r, "fatal");
	CHECK_EQ(gpu_command(&g, CGPU_STATE_CLEAR), 0);
	CHECK(gpu_rd(&g, CGPU_STATUS) & CGPU_STATUS_FATAL);
	CHECK_EQ(gpu_state_set(&g, state, bytes), 0);
	CHECK(gpu_rd(&g, CGPU_STATUS) & CGPU_STATUS_FATAL);
	/* while a command is busy its operands do not change, and there is no other one */
	rig_control(g.r, "fault save hang count=1");
	gpu_wr(&g, GCP(CMD), CGPU_STATE_GET);
	CHECK_EQ(gpu_rd(&g, GCP(STAT)), CGPU_BUSY);
	gpu_wr(&g, GCP(CMD), CGPU_STATE_CLEAR);
	gpu_wr(&g, GCP(BYTES), 1);
	CHECK_EQ(gpu_rd(&g, GCP(BYTES)), bytes);
	rig_control(g.r, "fault clear");
	rig_step(g.r);
	CHECK_EQ(gpu_rd(&g, GCP(STAT)), CGPU_IDLE);
	CHECK_EQ(gpu_rd64(&g, CGPU_OPS_DONE), 1);
	gpu_close(&g);
}

static void control_faults(void)
{
	static const struct {
		const char *point;
		uint32_t cmd;
	} cases[] = {
		{ "save", CGPU_STATE_GET }, { "load", CGPU_STATE_SET }, { "clear", CGPU_STATE_CLEAR },
		{ "log_read", CGPU_LOG_READ }, { "poison", CGPU_POISON_READ },
		{ "poison", CGPU_POISON_SET },
	};
	struct gpu g;
	char line[64];

	gpu_open(&g, NULL);
	gpu_freeze(&g);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "fault %s fail count=1", cases[i].point);
		rig_control(g.r, line);
		CHECK_EQ(gpu_command(&g, cases[i].cmd), CGPU_ERR_INTERNAL);
		snprintf(line, sizeof(line), "fault %s fail=5 count=1", cases[i].point);
		rig_control(g.r, line);
		CHECK_EQ(gpu_command(&g, cases[i].cmd), 5);
	}
	gpu_wr(&g, GCP(PAUSE), 0);
	rig_control(g.r, "fault pause fail count=1");
	gpu_wr(&g, GCP(PAUSE), CGPU_PAUSE);
	CHECK_EQ(gpu_rd(&g, GCP(DRAIN)), CGPU_DRAIN_FAILED);
	CHECK_EQ(gpu_rd(&g, GCP(ERR)), CGPU_ERR_DRAIN_TIMEOUT);
	gpu_wr(&g, GCP(PAUSE), CGPU_PAUSE | CGPU_FREEZE);
	CHECK_EQ(gpu_rd(&g, GCP(PAUSE)), CGPU_PAUSE);
	gpu_wr(&g, GCP(PAUSE), 0);
	CHECK_EQ(gpu_rd(&g, GCP(DRAIN)), CGPU_RUNNING);
	/* a drain that hangs, and a tile that does */
	for (unsigned int i = 0; i < 2; i++) {
		gpu_queue(&g, i, 8);
		rig_control(g.r, i ? "fault op hang count=1" : "fault pause hang count=1");
		gpu_put(&g, i, (struct cgpu_cmd) { .opcode = CGPU_NOP });
		rig_step(g.r);
		gpu_wr(&g, GCP(PAUSE), CGPU_PAUSE);
		while (gpu_rd(&g, GCP(DRAIN)) == CGPU_DRAINING)
			rig_run(g.r, 10);
		CHECK_EQ(gpu_rd(&g, GCP(DRAIN)), CGPU_DRAIN_FAILED);
		CHECK_EQ(gpu_rd(&g, GCP(ERR)), CGPU_ERR_DRAIN_TIMEOUT);
		gpu_wr(&g, GCP(PAUSE), 0);
		rig_control(g.r, "fault clear");
		rig_step(g.r);
		CHECK_EQ(gpu_done(&g, i), CGPU_OK);
	}
	gpu_close(&g);
}

static void versions_are_a_range(void)
{
	char *newer[] = { "version=3", "oldest=2", "queues=2", NULL };
	static uint8_t state[GSTATE_ROOM];
	struct cgpu_state *s = (struct cgpu_state *)state;
	struct gpu g;
	uint32_t bytes;

	gpu_open(&g, newer);
	CHECK_EQ(gpu_rd(&g, GCP(VERSION)), 0x20003);
	CHECK_EQ(gpu_rd(&g, GCP(STATE_BYTES)), CGPU_STATE_BYTES(2));
	gpu_freeze(&g);
	bytes = gpu_state_get(&g, state);
	CHECK_EQ(s->version, 3);
	for (uint32_t v = 1; v <= 4; v++) {
		s->version = v;
		gpu_state_seal(state);
		CHECK_EQ(gpu_state_set(&g, state, bytes),
			 v == 2 || v == 3 ? 0 : CGPU_ERR_BAD_STATE);
	}
	gpu_close(&g);
}

static void claims(void)
{
	struct gpu g;

	gpu_open(&g, NULL);
	rig_control(g.r, "claim mem 0x1234567890");
	rig_control(g.r, "claim version 99");
	CHECK_EQ(gpu_rd64(&g, GCP(MEM_BYTES)), 0x1234567890);
	CHECK_EQ(gpu_rd64(&g, CGPU_MEM_BYTES), 256u << 20);
	CHECK_EQ(gpu_rd(&g, GCP(VERSION)), 99);
	CHECK(!strstr(rig_control(g.r, "claim version 0x100000000"), "ok"));
	CHECK(!strstr(rig_control(g.r, "claim nothing 1"), "ok"));
	rig_control(g.r, "claim clear");
	CHECK_EQ(gpu_rd64(&g, GCP(MEM_BYTES)), 256u << 20);
	gpu_close(&g);
}

static const struct test coherent_gpu_state_tests[] = {
	{ "coherent_gpu: half-done items go on in another device", half_done_items_move },
	{ "coherent_gpu: a queue that is half set up moves", half_set_up_queue_moves },
	{ "coherent_gpu: a long command does not hold a drain up", drain_is_bounded },
	{ "coherent_gpu: pause keeps doorbells, freeze does not", pause_and_freeze },
	{ "coherent_gpu: stopped while it waits for guest memory", stops_in_the_middle },
	{ "coherent_gpu: paused while it waits for guest memory", pauses_in_the_middle },
	{ "coherent_gpu: held while it waits for guest memory", held_in_the_middle },
	{ "coherent_gpu: masked interrupts survive a move", interrupts_are_not_lost },
	{ "coherent_gpu: bad states are refused", bad_states_are_refused },
	{ "coherent_gpu: commands of the control page have rules", commands_have_rules },
	{ "coherent_gpu: faults of the control page", control_faults },
	{ "coherent_gpu: versions of the state", versions_are_a_range },
	{ "coherent_gpu: claims", claims },
	{ NULL, NULL },
};
TEST_SUITE(coherent_gpu_state_tests);
