// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps a coherent_gpu function busy and checks every result, driven by interrupts, while
 * threads write the same memory by the CPU.  It is not told of migrations.
 *
 * Reports go to the control line (-c, a serial port) as lines that start with "GPU"; the line
 * "stop" ends the run: what was submitted is awaited, totals are compared with the device's own
 * counters and the last report says ok=1 or ok=0.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu.h"
#include "line.h"
#include "workload.h"

#define STALL_MS	3000
#define LOST_MS		60000

const char line_tag[] = "GPU";

static struct {
	const char *path;
	uint64_t base;
	unsigned int mib, cpu_mib, set_mib, walk_mib, interval_ms, seconds;
} opt = { "/dev/vpv_uio0", 0, 256, 16, 16, 8, 200, 0 };

static struct gpu_dev dev;
static int64_t began_ms, alive_ms, report_ms;
static uint64_t irqs, missed, longest_ms;
static bool ending, lost;

static void report(const char *kind, const char *more)
{
	const struct gpu_round_stats *g = gpu_round_stats();
	struct gpu_cpu_stats c = gpu_cpu_stats();

	line_report("%s t=%lld rounds=%llu done=%llu checks=%llu bad=%llu written_mib=%llu "
		    "cpu_rounds=%llu cpu_bad=%llu cpu_mib=%llu irqs=%llu missed=%llu longest=%llu%s",
		    kind, (long long)(line_now_ms() - began_ms), (unsigned long long)g->rounds,
		    (unsigned long long)g->commands, (unsigned long long)g->checks,
		    (unsigned long long)g->wrong, (unsigned long long)(g->written / MIB),
		    (unsigned long long)c.rounds, (unsigned long long)c.wrong,
		    (unsigned long long)(c.written / MIB), (unsigned long long)irqs,
		    (unsigned long long)missed, (unsigned long long)longest_ms, more);
}

static void read_command(void)
{
	const char *line = line_command();

	if (!strncmp(line, "report", 6))
		report("progress", "");
	ending = ending || !strncmp(line, "stop", 4);
}

static void count_irqs(void)
{
	static uint32_t seen[CGPU_MAX_QUEUES];
	uint32_t counts[CGPU_MAX_QUEUES];
	ssize_t n = read(dev.uio.fd, counts, sizeof(counts));
	unsigned int i;

	for (i = 0; n > 0 && i < n / sizeof(*counts); i++) {
		irqs += counts[i] - seen[i];
		seen[i] = counts[i];
	}
}

static bool all_idle(void)
{
	return gpu_idle(&dev, 0) && gpu_idle(&dev, 1);
}

/*
 * Until the round is complete.  Fences are looked at only after an interrupt; those found by
 * looking after a long silence are an interrupt that got lost.
 */
static bool await_round(void)
{
	struct pollfd fds[2] = { { dev.uio.fd, POLLIN, 0 }, { line_fd(), POLLIN, 0 } };
	int64_t tried_ms = line_now_ms();

	for (;;) {
		int64_t now = line_now_ms();

		if (now >= report_ms) {
			report("progress", "");
			report_ms = now + opt.interval_ms;
		}
		if (now - alive_ms > LOST_MS)
			return false;
		if (poll(fds, 2, report_ms - now) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents & (POLLERR | POLLHUP))
			return false;
		if (fds[1].revents & POLLIN)
			read_command();
		if (fds[0].revents & POLLIN) {
			count_irqs();
			tried_ms = line_now_ms();
			if (all_idle())
				return true;
		} else if (line_now_ms() - tried_ms > STALL_MS) {
			tried_ms = line_now_ms();
			if (all_idle()) {
				missed++;
				line_log("fences without an interrupt");
				return true;
			}
		}
	}
}

static void run(void)
{
	alive_ms = line_now_ms();
	while (!ending) {
		int64_t now;

		gpu_round_begin(&dev);
		if (!await_round()) {
			lost = true;
			return;
		}
		gpu_round_end(&dev);
		now = line_now_ms();
		if ((uint64_t)(now - alive_ms) > longest_ms)
			longest_ms = now - alive_ms;
		alive_ms = now;
		if (opt.seconds && now - began_ms > opt.seconds * 1000LL)
			return;
	}
}

/* Compare our books with the device's counters. */
static int finish(void)
{
	const struct gpu_round_stats *g = gpu_round_stats();
	uint64_t done = uio_read64(&dev.uio, CGPU_OPS_DONE), failed = uio_read64(&dev.uio, CGPU_OPS_FAILED);
	struct gpu_cpu_stats c;
	char more[96];
	bool ok;

	gpu_cpu_stop();
	if (!lost)
		gpu_round_check(&dev);
	c = gpu_cpu_stats();
	ok = g->rounds && !g->wrong && done == g->commands && !failed && c.rounds && !c.wrong &&
	     !missed && !lost;
	snprintf(more, sizeof(more), " device_done=%llu device_failed=%llu ok=%d",
		 (unsigned long long)done, (unsigned long long)failed, ok);
	report("final", more);
	return ok ? 0 : 1;
}

static int start(void)
{
	const struct gpu_round_opts round = {
		.bytes = opt.mib * MIB, .cpu_bytes = opt.cpu_mib * MIB,
		.set_bytes = opt.set_mib * MIB, .walk_bytes = opt.walk_mib * MIB,
	};
	unsigned int i;
	char more[64];
	int err;

	err = gpu_dev_open(&dev, opt.path, opt.base);
	if (err)
		return err;
	if (dev.uio.info.vectors < GPU_QUEUES)
		return -ERANGE;
	/* Of memory that nobody has touched; in the place of what CPUs and the device write. */
	if (dev.bytes < GPU_CPU_AT + GPU_SPEED_BYTES)
		return -ERANGE;
	err = gpu_speed_report(&dev);
	if (!err)
		err = gpu_round_init(&dev, &round);
	for (i = 0; i < GPU_QUEUES && !err; i++)
		err = gpu_queue_start(&dev, i);
	if (!err)
		err = gpu_round_fill(&dev);
	if (!err)
		err = gpu_cpu_start(dev.mem + GPU_CPU_AT, round.cpu_bytes);
	if (err)
		return err;
	began_ms = line_now_ms();
	snprintf(more, sizeof(more), " mib=%u cpu=%u set=%u walk=%u avx=%d", opt.mib,
		 opt.cpu_mib, opt.set_mib, opt.walk_mib, gpu_cpu_avx());
	report("start", more);
	return 0;
}

static const struct workload_option options[] = {
	{ 'd', .text = &opt.path },
	{ 'p', .large = &opt.base },
	{ 'm', .number = &opt.mib },
	{ 'w', .number = &opt.cpu_mib },
	{ 'x', .number = &opt.set_mib },
	{ 'y', .number = &opt.walk_mib },
	{ 'i', .number = &opt.interval_ms },
	{ 's', .number = &opt.seconds },
	{ 0 },
};

static bool valid(int argc, char **argv)
{
	(void)argv;
	return !argc && opt.mib && opt.cpu_mib && opt.walk_mib && opt.interval_ms;
}

static const struct workload workload = {
	.usage = "usage: gpu_workload [-d FILE] [-p PHYSICAL] [-c TTY] [-m MIB] [-w CPU_MIB] [-x SET_MIB] "
		 "[-y WALK_MIB] [-i REPORT_MS] [-s SECONDS]\n",
	.options = options,
	.valid = valid,
	.start = start,
	.run = run,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return workload_main(&workload, argc, argv);
}
