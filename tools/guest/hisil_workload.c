// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps the queues of a hisi_like function busy and checks every result, driven by
 * interrupts. It is not told of migrations.
 *
 * Reports go to the control line (-c, a serial port) as lines that start with "HISIL".
 * It obeys these words:
 *
 * report	how far it is
 * config	what registers of config space are; it has set them at its start
 * sleep	the function goes to D3hot, whatever it has to do, until the word "wake"
 * stop		ends the run: what was submitted is awaited, totals are compared with the
 *		device's own counters and the last report says ok=1 or ok=0
 * rest		the same, but the function stays open and idle until the next word
 * reload	the same, but begins anew: the function is reset, by FLR, when it is closed
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hisil.h"
#include "line.h"
#include "workload.h"

#define STALL_MS	3000
#define LOST_MS		60000
#define D3HOT		3
#define QUIET_MS	200

const char line_tag[] = "HISIL";

static struct {
	const char *path;
	unsigned int queues, depth, block, interval_ms, seconds;
} opt = { "/dev/vpv_uio0", 4, 16, 4096, 200, 0 };

static struct hisil_dev dev;
static struct hisil_queue queues[HISIL_MAX_QUEUES];
static int64_t began_ms, alive_ms, tried_ms;
static uint64_t irqs, missed, longest_ms;
/* What is to be done at the end. */
static enum { STOP, REST, RELOAD } end;

static struct hisil_queue total(void)
{
	struct hisil_queue sum = { 0 };
	unsigned int i, op;

	for (i = 0; i < opt.queues; i++) {
		sum.submitted += queues[i].submitted;
		sum.completed += queues[i].completed;
		sum.failed += queues[i].failed;
		sum.lost += queues[i].lost;
		sum.duplicated += queues[i].duplicated;
		sum.corrupted += queues[i].corrupted;
		for (op = 0; op < HISIL_NUM_OPS; op++)
			sum.by_opcode[op] += queues[i].by_opcode[op];
	}
	return sum;
}

static void report(const char *kind, const char *more)
{
	struct hisil_queue sum = total();

	line_report("%s t=%lld sub=%llu done=%llu lost=%llu dup=%llu bad=%llu fail=%llu "
		    "irqs=%llu missed=%llu longest=%llu%s", kind,
		    (long long)(line_now_ms() - began_ms), (unsigned long long)sum.submitted,
		    (unsigned long long)sum.completed, (unsigned long long)sum.lost,
		    (unsigned long long)sum.duplicated, (unsigned long long)sum.corrupted,
		    (unsigned long long)sum.failed, (unsigned long long)irqs,
		    (unsigned long long)missed, (unsigned long long)longest_ms, more);
}

static bool is_word(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

static void report_power(unsigned int dstate)
{
	char more[16];

	snprintf(more, sizeof(more), " d=%u", hisil_config_power(dstate));
	report("power", more);
}

/* Nothing of the function is touched meanwhile.  A function that sleeps is not late. */
static void sleep_until_woken(void)
{
	report_power(D3HOT);
	while (!is_word(line_command(), "wake"))
		;
	report_power(0);
	alive_ms = line_now_ms();
	tried_ms = alive_ms;
}

static void report_config(void)
{
	char more[256];

	hisil_config_show(more, sizeof(more));
	line_report("config%s", more);
}

/* True when the run is to end. */
static bool read_command(void)
{
	const char *line = line_command();

	if (is_word(line, "report"))
		report("progress", "");
	else if (is_word(line, "config"))
		report_config();
	else if (is_word(line, "sleep"))
		sleep_until_woken();
	else if (is_word(line, "reload"))
		end = RELOAD;
	else if (is_word(line, "rest"))
		end = REST;
	else
		return is_word(line, "stop");
	return end != STOP;
}

static void count_irqs(void)
{
	static uint32_t seen[HISIL_MAX_QUEUES];
	uint32_t counts[HISIL_MAX_QUEUES];
	ssize_t n = read(dev.uio.fd, counts, sizeof(counts));
	unsigned int i;

	for (i = 0; n > 0 && i < n / sizeof(*counts); i++) {
		irqs += counts[i] - seen[i];
		seen[i] = counts[i];
	}
}

static unsigned int serve(bool submit)
{
	unsigned int i, done = 0;

	for (i = 0; i < opt.queues; i++) {
		done += hisil_queue_reap(&dev, &queues[i]);
		if (submit)
			hisil_queue_submit(&dev, &queues[i]);
	}
	if (done) {
		uint64_t gap = line_now_ms() - alive_ms;

		longest_ms = gap > longest_ms ? gap : longest_ms;
		alive_ms += gap;
	}
	return done;
}

static unsigned int pending(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < opt.queues; i++)
		n += hisil_queue_pending(&queues[i]);
	return n;
}

/*
 * Serve the queues until something asks for the end. Work is looked for only after an
 * interrupt; work found by looking after a long silence is an interrupt that got lost.
 */
static void run(bool submit)
{
	struct pollfd fds[2] = { { dev.uio.fd, POLLIN, 0 }, { line_fd(), POLLIN, 0 } };
	int64_t end_ms = opt.seconds ? began_ms + opt.seconds * 1000LL : INT64_MAX;
	int64_t report_ms = line_now_ms();

	alive_ms = line_now_ms();
	tried_ms = alive_ms;
	serve(submit);
	while (submit || pending()) {
		int64_t now = line_now_ms();

		if (now >= report_ms) {
			report("progress", "");
			report_ms = now + opt.interval_ms;
		}
		if ((submit && now >= end_ms) || now - alive_ms > LOST_MS)
			return;
		if (poll(fds, 2, report_ms - now) < 0 && errno != EINTR)
			return;
		if (fds[0].revents & (POLLERR | POLLHUP))
			return;
		if (fds[0].revents & POLLIN) {
			count_irqs();
			serve(submit);
			tried_ms = line_now_ms();
		} else if (line_now_ms() - tried_ms > STALL_MS) {
			if (serve(submit)) {
				missed++;
				line_log("completions without an interrupt");
			}
			tried_ms = line_now_ms();
		}
		if (fds[1].revents & POLLIN && read_command() && submit)
			return;
	}
}

/* Compare our books with the device's counters; it must be idle for good. */
static int finish(void)
{
	struct hisil_queue sum;
	uint64_t device, failed;
	unsigned int i;
	char more[256];
	bool ok;

	run(false);
	usleep(QUIET_MS * 1000);
	for (i = 0; i < opt.queues; i++) {
		queues[i].lost += hisil_queue_pending(&queues[i]);
		queues[i].duplicated += uio_read32(&dev.uio, HISIL_Q(i) + HISIL_CQ_TAIL) -
					queues[i].cq_head;
	}
	sum = total();
	device = uio_read64(&dev.uio, HISIL_OPS_DONE);
	failed = uio_read64(&dev.uio, HISIL_OPS_FAILED);
	ok = sum.submitted && sum.completed == sum.submitted && device == sum.completed &&
	     failed == 0 && !sum.failed && !sum.lost && !sum.duplicated && !sum.corrupted &&
	     !missed;
	snprintf(more, sizeof(more),
		 " device_done=%llu device_failed=%llu nop=%llu copy=%llu fill=%llu crc32c=%llu "
		 "deflate=%llu inflate=%llu ok=%d", (unsigned long long)device,
		 (unsigned long long)failed, (unsigned long long)sum.by_opcode[HISIL_NOP],
		 (unsigned long long)sum.by_opcode[HISIL_COPY],
		 (unsigned long long)sum.by_opcode[HISIL_FILL],
		 (unsigned long long)sum.by_opcode[HISIL_CRC32C],
		 (unsigned long long)sum.by_opcode[HISIL_DEFLATE],
		 (unsigned long long)sum.by_opcode[HISIL_INFLATE], ok);
	report("final", more);
	if (end == REST && is_word(line_command(), "reload"))
		end = RELOAD;
	if (end == RELOAD)
		workload_restart();
	return ok ? 0 : 1;
}

static int start(void)
{
	unsigned int i;
	char more[64];
	int err;

	err = hisil_dev_open(&dev, opt.path);
	err = err ? err : hisil_config_open(&dev);
	if (err)
		return err;
	hisil_config_set();
	if (opt.queues > dev.queues || opt.queues > dev.uio.info.vectors || opt.depth > dev.ring_max)
		return -ERANGE;
	for (i = 0; i < opt.queues; i++) {
		err = hisil_queue_start(&dev, &queues[i], i, opt.depth, opt.block);
		if (err)
			return err;
	}
	began_ms = line_now_ms();
	snprintf(more, sizeof(more), " queues=%u depth=%u block=%u", opt.queues, opt.depth,
		 opt.block);
	report("start", more);
	return 0;
}

static const struct workload_option options[] = {
	{ 'd', .text = &opt.path },
	{ 'q', .number = &opt.queues },
	{ 'n', .number = &opt.depth },
	{ 'b', .number = &opt.block },
	{ 'i', .number = &opt.interval_ms },
	{ 's', .number = &opt.seconds },
	{ 0 },
};

static bool valid(int argc, char **argv)
{
	(void)argv;
	return !argc && opt.queues >= 1 && opt.queues <= HISIL_MAX_QUEUES && opt.depth >= 2 &&
	       opt.depth <= HISIL_DEPTH_MAX && !(opt.depth & (opt.depth - 1)) &&
	       opt.block >= 1 && opt.block <= HISIL_BLOCK_MAX && opt.interval_ms;
}

static void work(void)
{
	run(true);
}

static const struct workload workload = {
	.usage = "usage: hisil_workload [-d FILE] [-c TTY] [-q QUEUES] [-n DEPTH] [-b BYTES] "
		 "[-i REPORT_MS] [-s SECONDS]\n",
	.options = options,
	.valid = valid,
	.start = start,
	.run = work,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return workload_main(&workload, argc, argv);
}
