// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu: memory, readiness, log and poison, against sections 2 and 4 of
 * Documentation/hardware/coherent_gpu.rst.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gpu_guest.h"

#define MIB	(1ull << 20)

static int fill(struct gpu *g, uint64_t dst, uint64_t bytes)
{
	return gpu_run(g, (struct cgpu_cmd) { .opcode = CGPU_FILL, .dst = GDEV(dst),
					      .bytes = bytes, .value = 0x5a5a5a5a });
}

/* The log of @pages pages from @addr; CP_ERR if that failed. */
static uint32_t log_read(struct gpu *g, uint64_t addr, uint32_t pages, uint64_t *bits)
{
	uint32_t err;

	gpu_wr64(g, GCP(ADDR), addr);
	gpu_wr(g, GCP(PAGES), pages);
	err = gpu_command(g, CGPU_LOG_READ);
	if (!err) {
		CHECK_EQ(gpu_rd(g, GCP(BYTES)), pages / 8);
		gpu_window_read(g, bits, pages / 8);
	}
	return err;
}

static void log_start(struct gpu *g, unsigned int log2)
{
	gpu_wr(g, GCP(LOG), CGPU_LOG_ON | CGPU_LOG_PAGE(log2));
	CHECK_EQ(gpu_rd(g, GCP(LOG_STAT)), CGPU_LOG_ON);
}

static void log_has_what_was_written(void)
{
	static uint64_t bits[65536 / 64];
	struct gpu g;

	gpu_open(&g, NULL);
	CHECK_EQ(gpu_rd(&g, GCP(CAPS)), CGPU_CAPS_LOG);
	CHECK_EQ(gpu_rd(&g, GCP(LOG_SIZES)), 12 | 21 << 8);
	gpu_queue(&g, 0, 8);
	CHECK_EQ(log_read(&g, 0, 64, bits), CGPU_ERR_LOG_OFF);
	fill(&g, 0x3000, 4);				/* before it begins */
	log_start(&g, 12);
	CHECK_EQ(log_read(&g, 0, 65536, bits), 0);
	CHECK_EQ(gpu_rd(&g, GCP(SET)), 0);
	/* what fills, copies and counts write; a fence in device memory; never what is read */
	fill(&g, 0x5ffc, 0x1008);
	gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_COPY, .src = GDEV(0x100000),
					.dst = GDEV(256 * MIB - 4096), .bytes = 4096 });
	gpu_run(&g, (struct cgpu_cmd) { .opcode = CGPU_HISTOGRAM, .src = GDEV(0x100000),
					.dst = GDEV(0x20ff8), .bytes = 4096 });
	gpu_put(&g, 0, (struct cgpu_cmd) { .flags = CGPU_CMD_FENCE, .fence = GDEV(0x40ff0) });
	rig_step(g.r);
	CHECK_EQ(log_read(&g, 0, 65536, bits), 0);
	CHECK_EQ(gpu_rd(&g, GCP(SET)), 7);
	CHECK_EQ(bits[0], 7ull << 5 | 3ull << 32);
	CHECK_EQ(bits[1], 1);				/* page 0x40 */
	CHECK_EQ(bits[1023], 1ull << 63);
	/* what was read is forgotten, and reads of a part forget that part */
	CHECK_EQ(log_read(&g, 0, 65536, bits), 0);
	CHECK_EQ(gpu_rd(&g, GCP(SET)), 0);
	fill(&g, 0x0, 4);
	fill(&g, 0x40000, 4);
	CHECK_EQ(log_read(&g, 0x40000, 64, bits), 0);
	CHECK_EQ(bits[0], 1);
	CHECK_EQ(log_read(&g, 0, 128, bits), 0);
	CHECK_EQ(bits[0], 1);
	CHECK_EQ(bits[1], 0);
	/* starting again forgets all, ending too */
	fill(&g, 0x0, 4);
	log_start(&g, 12);
	CHECK_EQ(log_read(&g, 0, 64, bits), 0);
	CHECK_EQ(bits[0], 0);
	gpu_wr(&g, GCP(LOG), 0);
	CHECK_EQ(gpu_rd(&g, GCP(LOG_STAT)), 0);
	CHECK_EQ(log_read(&g, 0, 64, bits), CGPU_ERR_LOG_OFF);
	gpu_close(&g);
}

static void log_ranges(void)
{
	char *options[] = { "carveout=34", "size=384", NULL };
	static uint64_t bits[CGPU_CP_WINDOW_BYTES / 8];
	struct gpu g;

	gpu_open(&g, options);
	gpu_queue(&g, 0, 8);
	/* 175 pages of main memory, 17 of the carve-out: rounded up to 64 */
	log_start(&g, 21);
	fill(&g, 350 * MIB - 4, 4);
	fill(&g, CGPU_CARVE_BASE, 4);
	fill(&g, CGPU_CARVE_BASE + 34 * MIB - 4, 4);
	CHECK_EQ(fill(&g, 350 * MIB, 4), CGPU_BAD_ADDRESS);
	CHECK_EQ(fill(&g, CGPU_CARVE_BASE + 34 * MIB - 4, 8), CGPU_BAD_ADDRESS);
	CHECK_EQ(log_read(&g, 0, 192, bits), 0);
	CHECK_EQ(bits[2], 1ull << (174 - 128));
	CHECK_EQ(gpu_rd(&g, GCP(SET)), 1);
	CHECK_EQ(log_read(&g, CGPU_CARVE_BASE, 64, bits), 0);
	CHECK_EQ(bits[0], 1 | 1 << 16);
	/* bounds and alignment */
	CHECK_EQ(log_read(&g, 0, 256, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, 0, 0, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, 0, 32, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, 2 * MIB, 64, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, 128 * MIB, 192, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, 384 * MIB, 64, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, CGPU_CARVE_BASE - 128 * MIB, 64, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, CGPU_CARVE_BASE, 128, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, ~0ull << 27, 64, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, 0, 0xffffffc0, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(log_read(&g, 128 * MIB, 128, bits), 0);
	/* page sizes */
	for (unsigned int log2 = 0; log2 < 256; log2++) {
		bool ok = log2 >= 12 && log2 <= 21;

		gpu_wr(&g, GCP(ERR), 0);
		gpu_wr(&g, GCP(LOG), CGPU_LOG_ON | CGPU_LOG_PAGE(log2));
		CHECK_EQ(gpu_rd(&g, GCP(LOG_STAT)), ok ? CGPU_LOG_ON : 0);
		CHECK_EQ(gpu_rd(&g, GCP(ERR)), ok ? 0 : CGPU_ERR_BAD_RANGE);
	}
	gpu_close(&g);
}

/* The log against the list of written pages, which is kept apart, with all kinds of commands. */
static void log_misses_nothing(void)
{
	static uint64_t bits[65536 / 64], seen[65536 / 64];
	struct gpu g;
	unsigned int wrong = 0;
	char *save = NULL, *text;
	uint32_t rng = 1;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	log_start(&g, 12);
	for (unsigned int i = 0; i < 300; i++) {
		rng = rng * 1664525 + 1013904223;
		gpu_run(&g, (struct cgpu_cmd) {
			.opcode = (uint8_t)(1 + rng % 5), .src = GDEV((rng & 0xffff0) * 4),
			.src2 = GDEV(0x4000000), .dst = GDEV(0x8000000 + (rng >> 4 & 0xffffff0)),
			.bytes = (rng >> 9 & 0xffff0) + 4, .m = 1 + (rng >> 20 & 63),
			.n = 1 + (rng >> 10 & 63), .k = 8, .lda = 64, .ldb = 64, .ldc = 1024 });
		if (i % 16)
			continue;
		CHECK_EQ(log_read(&g, 0, 65536, bits), 0);
		for (unsigned int w = 0; w < 65536 / 64; w++)
			seen[w] |= bits[w];
	}
	CHECK_EQ(log_read(&g, 0, 65536, bits), 0);
	for (unsigned int w = 0; w < 65536 / 64; w++)
		seen[w] |= bits[w];
	text = strdup(rig_control(g.r, "written"));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint64_t page = strtoull(line, NULL, 16) / 4096;

		if (strncmp(line, "0x", 2))
			continue;
		if (page >= 65536 || !(seen[page / 64] >> page % 64 & 1))
			wrong++;
		else
			seen[page / 64] &= ~(1ull << page % 64);
	}
	CHECK_EQ(wrong, 0);
	for (unsigned int w = 0; w < 65536 / 64; w++)
		wrong += seen[w] != 0;
	CHECK_EQ(wrong, 0);
	free(text);
	rig_control(g.r, "written clear");
	CHECK(strstr(rig_control(g.r, "stats"), "written_pages 0\n"));
	gpu_close(&g);
}

static void log_is_lost(void)
{
	uint64_t bits[1];
	struct gpu g;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	log_start(&g, 12);
	rig_control(g.r, "fault log fail count=1");
	fill(&g, 0, 4);
	CHECK_EQ(gpu_rd(&g, GCP(LOG_STAT)), CGPU_LOG_ON | CGPU_LOG_LOST);
	CHECK_EQ(log_read(&g, 0, 64, bits), CGPU_ERR_LOG_LOST);
	CHECK_EQ(log_read(&g, 0, 64, bits), CGPU_ERR_LOG_LOST);
	log_start(&g, 12);
	CHECK_EQ(log_read(&g, 0, 64, bits), 0);
	/* a reset ends it */
	CHECK_EQ(rig_call(g.r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	rig_enable(g.r);
	CHECK_EQ(gpu_rd(&g, GCP(LOG_STAT)), 0);
	gpu_close(&g);
}

static void functions_without_a_log(void)
{
	char *none[] = { "log=0", NULL }, *few[] = { "log_min=16", "log_max=16", NULL };
	struct gpu g;

	gpu_open(&g, none);
	CHECK_EQ(gpu_rd(&g, GCP(CAPS)), 0);
	CHECK_EQ(gpu_rd(&g, GCP(LOG_SIZES)), 0);
	gpu_wr(&g, GCP(LOG), CGPU_LOG_ON | CGPU_LOG_PAGE(12));
	CHECK_EQ(gpu_rd(&g, GCP(LOG_STAT)), 0);
	gpu_close(&g);
	gpu_open(&g, few);
	CHECK_EQ(gpu_rd(&g, GCP(LOG_SIZES)), 16 | 16 << 8);
	log_start(&g, 16);
	gpu_wr(&g, GCP(LOG), CGPU_LOG_ON | CGPU_LOG_PAGE(12));
	CHECK_EQ(gpu_rd(&g, GCP(LOG_STAT)), 0);
	gpu_close(&g);
}

static unsigned int poison_list(struct gpu *g, struct cgpu_poison *list)
{
	CHECK_EQ(gpu_command(g, CGPU_POISON_READ), 0);
	gpu_window_read(g, list, gpu_rd(g, GCP(BYTES)));
	return gpu_rd(g, GCP(POISON));
}

static uint32_t poison_set(struct gpu *g, const struct cgpu_poison *list, unsigned int num)
{
	gpu_window_write(g, list, num * (uint32_t)sizeof(*list));
	gpu_wr(g, GCP(BYTES), num * (uint32_t)sizeof(*list));
	return gpu_command(g, CGPU_POISON_SET);
}

#define INHERIT(at)	{ .address = (at), .flags = CGPU_POISON_INHERITED }

static void poison(void)
{
	static struct cgpu_poison list[CGPU_POISON_MAX];
	static const struct cgpu_poison bad[] = {
		INHERIT(0x1001), INHERIT(256 * MIB), { .address = 0x1000 },
		{ .address = 0x1000, .flags = 3 },
		{ .address = 0x1000, .flags = 1, .reserved = 1 },
	}, more[] = { INHERIT(0x9000), INHERIT(0x3000), INHERIT(0x9000), INHERIT(0x7000) };
	struct gpu g;
	uint32_t seq;

	gpu_open(&g, NULL);
	gpu_queue(&g, 0, 8);
	CHECK_EQ(poison_list(&g, list), 0);
	seq = gpu_rd(&g, GCP(POISON_SEQ));
	rig_control(g.r, "poison 0x7123");
	rig_control(g.r, "poison 0x7fff");
	rig_control(g.r, "poison 0x1000");
	CHECK(gpu_rd(&g, GCP(POISON_SEQ)) != seq);
	CHECK_EQ(poison_list(&g, list), 2);
	CHECK_EQ(list[0].address, 0x1000);
	CHECK_EQ(list[1].address, 0x7000);
	CHECK_EQ(list[1].flags, 0);
	CHECK_EQ(fill(&g, 0x6ffc, 8), CGPU_POISONED);
	CHECK_EQ(fill(&g, 0x6ffc, 4), CGPU_OK);
	CHECK_EQ(fill(&g, 0x8000, 4), CGPU_OK);
	/* a host adds pages */
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(poison_set(&g, &bad[i], 1), CGPU_ERR_BAD_STATE);
	gpu_wr(&g, GCP(BYTES), 17);
	CHECK_EQ(gpu_command(&g, CGPU_POISON_SET), CGPU_ERR_BAD_LENGTH);
	gpu_wr(&g, GCP(BYTES), CGPU_CP_WINDOW_BYTES);
	CHECK_EQ(gpu_command(&g, CGPU_POISON_SET), CGPU_ERR_BAD_LENGTH);
	CHECK_EQ(poison_list(&g, list), 2);
	CHECK_EQ(poison_set(&g, more, 4), 0);
	CHECK_EQ(poison_list(&g, list), 4);
	CHECK_EQ(list[1].address, 0x3000);
	CHECK_EQ(list[1].flags, CGPU_POISON_INHERITED);
	CHECK_EQ(list[2].address, 0x7000);
	CHECK_EQ(list[2].flags, 0);
	CHECK_EQ(fill(&g, 0x3000, 4), CGPU_POISONED);
	/* a reset forgets those */
	CHECK_EQ(rig_call(g.r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	rig_enable(g.r);
	CHECK_EQ(poison_list(&g, list), 2);
	for (unsigned int i = 0; i < CGPU_POISON_MAX; i++)
		list[i] = (struct cgpu_poison)INHERIT(0x10000 + i * 4096ull);
	CHECK_EQ(poison_set(&g, list, CGPU_POISON_MAX - 1), CGPU_ERR_POISON_FULL);
	CHECK_EQ(gpu_rd(&g, GCP(POISON)), 2);
	CHECK_EQ(poison_set(&g, list, CGPU_POISON_MAX - 2), 0);
	CHECK_EQ(gpu_rd(&g, GCP(POISON)), CGPU_POISON_MAX);
	CHECK(strstr(rig_control(g.r, "poison 0x20000000"), "nvalid"));
	gpu_close(&g);
}

static bool early_has(struct gpu *g, const char *page)
{
	return strstr(rig_control(g->r, "early"), page);
}

static void reset(struct gpu *g)
{
	CHECK_EQ(rig_call(g->r, VU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
	gpu_enable(g);
}

/* Memory that is not there until "fault clear". */
static void reset_late(struct gpu *g)
{
	rig_control(g->r, "fault ready hang count=1");
	reset(g);
	CHECK_EQ(gpu_rd(g, GCP(READY)), CGPU_STATUS_READY);
}

static void await_memory(struct gpu *g)
{
	rig_control(g->r, "fault clear");
	while (gpu_rd(g, GCP(READY)) == CGPU_STATUS_READY)
		rig_run(g->r, 1);
	CHECK_EQ(gpu_rd(g, GCP(READY)), CGPU_STATUS_READY | CGPU_STATUS_MEM_READY);
	CHECK_EQ(gpu_rd(g, CGPU_STATUS), CGPU_STATUS_READY | CGPU_STATUS_MEM_READY);
}

static void readiness_takes_its_time(void)
{
	char *options[] = { "ready_ms=60", "ready_max_ms=500", NULL };
	uint64_t began = vu_now();
	struct gpu g;

	gpu_open(&g, options);
	CHECK_EQ(gpu_rd(&g, GCP(READY_MS)), 500);
	await_memory(&g);
	CHECK(vu_now() - began >= 60000000);
	began = vu_now();
	reset(&g);
	await_memory(&g);
	CHECK(vu_now() - began >= 60000000);
	CHECK(strstr(rig_control(g.r, "ready_ms 30001"), "nvalid"));
	rig_control(g.r, "ready_ms 0");
	reset(&g);
	CHECK_EQ(gpu_rd(&g, GCP(READY)), CGPU_STATUS_READY | CGPU_STATUS_MEM_READY);
	rig_control(g.r, "fault ready fail count=1");
	reset(&g);
	rig_run(g.r, 20);
	CHECK_EQ(gpu_rd(&g, GCP(READY)), CGPU_STATUS_READY);
	CHECK(strstr(rig_control(g.r, "stats"), "early_pages 0\n"));
	gpu_close(&g);
}

static void early_access_is_found(void)
{
	char *options[] = { "carveout=64", NULL };
	volatile uint8_t *dev;
	struct gpu g;

	gpu_open(&g, options);
	dev = g.dev;
	/* who waits is not blamed; content is gone; what was written earlier is not early */
	dev[0x5000] = 1;
	reset_late(&g);
	gpu_queue(&g, 0, 8);
	gpu_put(&g, 0, (struct cgpu_cmd) { .opcode = CGPU_FILL, .dst = GDEV(0), .bytes = 4 });
	rig_run(g.r, 5);
	CHECK_EQ(gpu_done(&g, 0), -1);
	await_memory(&g);
	rig_step(g.r);
	CHECK_EQ(gpu_done(&g, 0), CGPU_OK);
	CHECK_EQ(dev[0x5000], 0);
	CHECK(strstr(rig_control(g.r, "stats"), "early_pages 0\n"));
	/* one that reads, one that writes, in either part */
	reset_late(&g);
	dev[0x7008] = dev[0x3123];
	dev[192 * MIB + 0x1000] = 1;
	await_memory(&g);
	CHECK(strstr(rig_control(g.r, "stats"), "early_pages 3\n"));
	CHECK(early_has(&g, "0x3000\n"));
	CHECK(early_has(&g, "0x7000\n"));
	CHECK(early_has(&g, "0x10000001000\n"));
	gpu_close(&g);
}

static void registers_before_ready(void)
{
	struct gpu g;

	gpu_open(&g, NULL);
	rig_control(g.r, "fault reset hang count=1");
	reset(&g);
	CHECK_EQ(gpu_rd(&g, GCP(ID)), CGPU_CP_ID_VALUE);
	CHECK_EQ(gpu_rd(&g, GCP(READY)), 0);
	CHECK_EQ(gpu_rd64(&g, GCP(MEM_BYTES)), 256 * MIB);
	CHECK_EQ(gpu_rd(&g, GCP(VERSION)), 0);
	CHECK_EQ(gpu_rd(&g, GCP(STATE_BYTES)), 0);
	CHECK_EQ(gpu_command(&g, CGPU_STATE_CLEAR), CGPU_ERR_NOT_READY);
	gpu_wr(&g, GCP(LOG), CGPU_LOG_ON | CGPU_LOG_PAGE(12));
	CHECK_EQ(gpu_rd(&g, GCP(LOG_STAT)), 0);
	rig_control(g.r, "fault clear");
	rig_step(g.r);
	CHECK_EQ(gpu_rd(&g, GCP(VERSION)), 0x10001);
	rig_control(g.r, "fault reset fail count=1");
	reset(&g);
	CHECK_EQ(gpu_rd(&g, GCP(READY)), CGPU_STATUS_READY | CGPU_STATUS_FATAL);
	gpu_close(&g);
}

/* What was there stays; what was not does not come any more. */
static void fatal_before_and_after_memory_is_ready(void)
{
	struct gpu g;

	gpu_open(&g, NULL);
	rig_control(g.r, "fatal");
	rig_step(g.r);
	CHECK_EQ(gpu_rd(&g, GCP(READY)),
		 CGPU_STATUS_READY | CGPU_STATUS_MEM_READY | CGPU_STATUS_FATAL);
	rig_control(g.r, "fault ready hang count=1");
	reset(&g);
	CHECK_EQ(gpu_rd(&g, GCP(READY)), CGPU_STATUS_READY);
	rig_control(g.r, "fatal");
	rig_control(g.r, "fault clear");
	rig_step(g.r);
	CHECK_EQ(gpu_rd(&g, GCP(READY)), CGPU_STATUS_READY | CGPU_STATUS_FATAL);
	reset(&g);
	CHECK_EQ(gpu_rd(&g, GCP(READY)), CGPU_STATUS_READY | CGPU_STATUS_MEM_READY);
	gpu_close(&g);
}

/* 64 GiB of which hardly anything is there. */
static void sparse(void)
{
	char *options[] = { "size=65536", NULL };
	static uint64_t bits[CGPU_CP_WINDOW_BYTES / 8];
	const uint64_t end = 65536 * MIB;
	struct stat st;
	struct gpu g;

	gpu_open(&g, options);
	gpu_queue(&g, 0, 8);
	log_start(&g, 12);
	CHECK_EQ(fill(&g, end - 8, 8), CGPU_OK);
	CHECK_EQ(fill(&g, 0, 8), CGPU_OK);
	CHECK_EQ(fill(&g, end - 4, 8), CGPU_BAD_ADDRESS);
	CHECK_EQ(*(uint32_t *)(g.dev + end - 4), 0x5a5a5a5a);
	CHECK_EQ(log_read(&g, end - 2048 * MIB, CGPU_LOG_MAX_PAGES, bits), 0);
	CHECK_EQ(gpu_rd(&g, GCP(SET)), 1);
	CHECK_EQ(bits[CGPU_LOG_MAX_PAGES / 64 - 1], 1ull << 63);
	CHECK_EQ(log_read(&g, 0, CGPU_LOG_MAX_PAGES + 64, bits), CGPU_ERR_BAD_RANGE);
	CHECK_EQ(stat(g.path, &st), 0);
	CHECK((uint64_t)st.st_blocks * 512 < MIB);
	gpu_close(&g);
}

static bool can_be_made(const char *option, const char *second)
{
	char a[96], b[96], *options[] = { a, b };
	struct vu_dev *dev;

	snprintf(a, sizeof(a), "%s", option);
	snprintf(b, sizeof(b), "%s", second);
	dev = vu_dev_new(vu_model_find("coherent_gpu"), options, 2);
	if (dev)
		vu_dev_free(dev);
	return dev;
}

static void options_are_checked(void)
{
	char path[] = "/dev/shm/gpu-test-XXXXXX", mem[64];
	int fd = mkstemp(path);

	CHECK(can_be_made("size=384", "queues=1"));
	CHECK(!can_be_made("size=128", "queues=1"));
	CHECK(!can_be_made("size=300", "queues=1"));
	CHECK(!can_be_made("size=256", "carveout=3"));
	CHECK(!can_be_made("size=256", "carveout=192"));
	CHECK(!can_be_made("rev=1", "queues=1"));
	CHECK(!can_be_made("drain_ms=101", "queues=1"));
	CHECK(!can_be_made("log_min=14", "log_max=13"));
	/* a file of another size belongs to somebody else */
	snprintf(mem, sizeof(mem), "mem=%s", path);
	CHECK_EQ(ftruncate(fd, 4096), 0);
	CHECK(!can_be_made(mem, "size=256"));
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK(can_be_made(mem, "size=256"));
	CHECK(can_be_made(mem, "size=256"));
	CHECK(!can_be_made(mem, "size=512"));
	close(fd);
	unlink(path);
	CHECK(!can_be_made("mem=/proc/version", "size=256"));
}

static const struct test coherent_gpu_mem_tests[] = {
	{ "coherent_gpu: the log has what was written", log_has_what_was_written },
	{ "coherent_gpu: ranges and page sizes of the log", log_ranges },
	{ "coherent_gpu: the log misses nothing", log_misses_nothing },
	{ "coherent_gpu: a log that is lost", log_is_lost },
	{ "coherent_gpu: no log, or one page size", functions_without_a_log },
	{ "coherent_gpu: poison", poison },
	{ "coherent_gpu: readiness takes its time", readiness_takes_its_time },
	{ "coherent_gpu: early access is found", early_access_is_found },
	{ "coherent_gpu: registers before READY", registers_before_ready },
	{ "coherent_gpu: FATAL before and after memory is ready",
	  fatal_before_and_after_memory_is_ready },
	{ "coherent_gpu: 64 GiB", sparse },
	{ "coherent_gpu: options", options_are_checked },
	{ NULL, NULL },
};
TEST_SUITE(coherent_gpu_mem_tests);
