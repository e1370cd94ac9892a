// SPDX-License-Identifier: GPL-2.0
/* DMA logging. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mig.h"

#define START	(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START)
#define REPORT	(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT)
#define PAGE	4096ull
#define PAGES	(MEM_BYTES / PAGE)

typedef struct vfio_device_feature_dma_logging_range range_t;

static int start(struct dev *d, uint64_t *page_size, const range_t *ranges, uint32_t num)
{
	struct vfio_device_feature_dma_logging_control m = {
		.page_size = *page_size, .num_ranges = num, .ranges = (uintptr_t)ranges,
	};
	int err = feature(d, START, &m, sizeof(m));

	*page_size = m.page_size;
	return err;
}

static int start_mem(struct dev *d)
{
	const range_t range = { MEM_IOVA, MEM_BYTES };
	uint64_t page_size = PAGE;

	return start(d, &page_size, &range, 1);
}

static int report(struct dev *d, uint64_t iova, uint64_t bytes, uint64_t page_size,
		  uint64_t *bitmap)
{
	struct vfio_device_feature_dma_logging_report m = {
		.iova = iova, .length = bytes, .page_size = page_size, .bitmap = (uintptr_t)bitmap,
	};

	return feature(d, REPORT, &m, sizeof(m));
}

static int report_mem(struct dev *d)
{
	uint64_t bitmap[PAGES / 64] = {};

	return report(d, MEM_IOVA, MEM_BYTES, PAGE, bitmap);
}

static enum outcome start_stop(struct ctx *c)
{
	for (unsigned int i = 0; i < 3; i++) {
		int err = start_mem(&c->a);

		CHECK(!err, "START number %u: %d", i + 1, err);
		err = report_mem(&c->a);
		CHECK(!err, "REPORT: %d", err);
		err = stop_logging(&c->a);
		CHECK(!err, "STOP: %d", err);
	}
	return PASS;
}

static enum outcome page_size(struct ctx *c)
{
	const range_t range = { MEM_IOVA, 1u << 21 };

	for (uint64_t want = PAGE; want <= 1u << 21; want <<= 3) {
		uint64_t page_size = want;
		int err = start(&c->a, &page_size, &range, 1);

		CHECK(!err, "START with pages of %#llx: %d", (unsigned long long)want, err);
		CHECK(page_size && !(page_size & (page_size - 1)), "it chooses %#llx for %#llx",
		      (unsigned long long)page_size, (unsigned long long)want);
		CHECK(!stop_logging(&c->a), "STOP");
	}
	return PASS;
}

/**
 * struct bad - START that must fail
 * @what: In words.
 * @page_size: Of it.
 * @num: Number of ranges.
 * @ranges: They.
 * @err: How it fails; 0: somehow.
 */
struct bad {
	const char *what;
	uint64_t page_size;
	uint32_t num;
	range_t ranges[2];
	int err;
};

static enum outcome fails(struct ctx *c, const struct bad *bad)
{
	uint64_t page_size = bad->page_size;
	int err = start(&c->a, &page_size, bad->ranges, bad->num);

	CHECK(err, "START succeeds");
	CHECK(!bad->err || err == bad->err, "%d instead of %d", err, bad->err);
	/* It is off: */
	err = start_mem(&c->a);
	CHECK(!err, "a good START after it: %d", err);
	return PASS;
}

static enum outcome none(struct ctx *c)
{
	return fails(c, &(struct bad){ .page_size = PAGE, .err = -EINVAL });
}

static enum outcome unaligned(struct ctx *c)
{
	return fails(c, &(struct bad){ .page_size = PAGE, .num = 1, .err = -EINVAL,
				       .ranges = { { MEM_IOVA + 512, PAGE } } });
}

static enum outcome overlap(struct ctx *c)
{
	return fails(c, &(struct bad){ .page_size = PAGE, .num = 2, .err = -EINVAL,
				       .ranges = { { MEM_IOVA, 4 * PAGE },
						   { MEM_IOVA + 3 * PAGE, 4 * PAGE } } });
}

static enum outcome overflow(struct ctx *c)
{
	return fails(c, &(struct bad){ .page_size = PAGE, .num = 1, .err = -EOVERFLOW,
				       .ranges = { { -PAGE, 2 * PAGE } } });
}

static enum outcome empty_range(struct ctx *c)
{
	return fails(c, &(struct bad){ .page_size = PAGE, .num = 1, .ranges =
				       { { MEM_IOVA, 0 } } });
}

/* A hint: the driver may choose another size, but not this one. */
static enum outcome odd_hint(struct ctx *c, uint64_t hint)
{
	/* As the kernel's core looks at it, this range is aligned to 12 KiB. */
	const range_t range = { hint ? MEM_IOVA : 0, hint ? PAGE : 0 };
	uint64_t page_size = hint;
	int err = start(&c->a, &page_size, &range, 1);

	CHECK(err || (page_size && !(page_size & (page_size - 1))), "START chooses pages of %#llx",
	      (unsigned long long)page_size);
	stop_logging(&c->a);
	err = start_mem(&c->a);
	CHECK(!err, "a good START after it: %d", err);
	return PASS;
}

static enum outcome page_zero(struct ctx *c) { return odd_hint(c, 0); }
static enum outcome page_odd(struct ctx *c) { return odd_hint(c, 3 * PAGE); }

static enum outcome pointer(struct ctx *c)
{
	uint64_t page_size = PAGE;
	int err = start(&c->a, &page_size, (range_t *)8, 1);

	CHECK(err == -EFAULT, "%d", err);
	CHECK(!start_mem(&c->a), "a good START after it");
	return PASS;
}

static int many(struct ctx *c, uint32_t num)
{
	range_t *ranges = calloc(num, sizeof(*ranges));
	uint64_t page_size = PAGE;

	for (uint32_t i = 0; i < num; i++)
		ranges[i] = (range_t){ MEM_IOVA + i * 4 * PAGE, PAGE };
	return start(&c->a, &page_size, ranges, num);
}

static enum outcome many_ranges(struct ctx *c)
{
	uint32_t num = sysconf(_SC_PAGESIZE) / sizeof(range_t);
	int err = many(c, num);

	CHECK(!err, "%u ranges: %d", num, err);
	return PASS;
}

static enum outcome too_many(struct ctx *c)
{
	/* What is beyond a page may be supported, or fails; nothing in between. */
	int err = many(c, 1 << 16);

	CHECK(!err || err == -E2BIG || err == -ENOSPC || err == -ENOMEM, "%d", err);
	CHECK(err || !stop_logging(&c->a), "STOP");
	CHECK(!start_mem(&c->a), "a good START after it");
	return PASS;
}

static enum outcome twice(struct ctx *c)
{
	int err;

	CHECK(!start_mem(&c->a), "START");
	CHECK(start_mem(&c->a), "a second START succeeds");
	err = report_mem(&c->a);
	CHECK(!err, "the first one is gone: REPORT gives %d", err);
	CHECK(!stop_logging(&c->a), "STOP");
	return PASS;
}

static enum outcome report_off(struct ctx *c)
{
	CHECK(report_mem(&c->a), "REPORT before START succeeds");
	CHECK(!start_mem(&c->a) && !stop_logging(&c->a), "START, STOP");
	CHECK(report_mem(&c->a), "REPORT after STOP succeeds");
	return PASS;
}

static enum outcome stop_off(struct ctx *c)
{
	stop_logging(&c->a);
	CHECK(!start_mem(&c->a), "START after a STOP too many");
	CHECK(!stop_logging(&c->a), "STOP");
	stop_logging(&c->a);
	CHECK(!start_mem(&c->a) && !report_mem(&c->a), "START after two STOPs");
	return PASS;
}

static enum outcome report_pages(struct ctx *c)
{
	uint64_t bitmap[PAGES / 64] = {};
	int err;

	CHECK(!start_mem(&c->a), "START");
	for (uint64_t size = PAGE; size <= MEM_BYTES; size <<= 2) {
		err = report(&c->a, MEM_IOVA, MEM_BYTES, size, bitmap);
		CHECK(!err, "pages of %#llx: %d", (unsigned long long)size, err);
	}
	err = report(&c->a, MEM_IOVA, MEM_BYTES, 3 * PAGE, bitmap);
	CHECK(err == -EINVAL, "pages of 12 KiB: %d", err);
	err = report(&c->a, MEM_IOVA, MEM_BYTES, 0, bitmap);
	CHECK(err == -EINVAL, "pages of 0: %d", err);
	return PASS;
}

static enum outcome report_sets(struct ctx *c)
{
	uint64_t bitmap[PAGES / 64];

	memset(bitmap, 0xff, sizeof(bitmap));
	CHECK(!start_mem(&c->a), "START");
	CHECK(!report(&c->a, MEM_IOVA, MEM_BYTES, PAGE, bitmap), "REPORT");
	for (unsigned int i = 0; i < PAGES / 64; i++)
		CHECK(bitmap[i] == UINT64_MAX, "word %u is %#llx", i,
		      (unsigned long long)bitmap[i]);
	return PASS;
}

static enum outcome report_bounds(struct ctx *c)
{
	uint64_t bitmap[3] = {};

	CHECK(!start_mem(&c->a), "START");
	CHECK(!report(&c->a, MEM_IOVA, 64 * PAGE, PAGE, bitmap + 1), "REPORT");
	CHECK(!bitmap[0] && !bitmap[2], "words around the bitmap: %#llx, %#llx",
	      (unsigned long long)bitmap[0], (unsigned long long)bitmap[2]);
	return PASS;
}

/* Kernels find it when there is a bit to be set, and some do not even say so (iova_bitmap_set()). */
static enum outcome report_fault(struct ctx *c)
{
	int err;

	CHECK(!start_mem(&c->a), "START");
	err = report(&c->a, MEM_IOVA, MEM_BYTES, PAGE, (uint64_t *)8);
	CHECK(!err || err == -EFAULT, "a bad bitmap: %d", err);
	CHECK(!report_mem(&c->a) && !stop_logging(&c->a), "it does not go on");
	return PASS;
}

static enum outcome report_overflow(struct ctx *c)
{
	uint64_t bitmap[1] = {};

	CHECK(!start_mem(&c->a), "START");
	CHECK(report(&c->a, -PAGE, 2 * PAGE, PAGE, bitmap), "REPORT beyond 2^64 succeeds");
	CHECK(!report_mem(&c->a) && !stop_logging(&c->a), "it does not go on");
	return PASS;
}

/* What it says is its own; that nothing breaks is not. */
static enum outcome report_outside(struct ctx *c)
{
	uint64_t bitmap[PAGES / 64] = {};

	CHECK(!start_mem(&c->a), "START");
	report(&c->a, MEM_IOVA + MEM_BYTES, MEM_BYTES, PAGE, bitmap);
	report(&c->a, MEM_IOVA - MEM_BYTES / 2, MEM_BYTES, PAGE, bitmap);
	CHECK(!report_mem(&c->a) && !stop_logging(&c->a), "it does not go on");
	return PASS;
}

static enum outcome closed(struct ctx *c)
{
	CHECK(!sys->open(&c->a) && !start_mem(&c->a), "START");
	sys->close(&c->a);
	CHECK(!sys->open(&c->a), "open");
	CHECK(report_mem(&c->a), "REPORT works after close and open");
	CHECK(!start_mem(&c->a) && !stop_logging(&c->a), "START after close and open");
	return PASS;
}

/* QEMU asks once more when it has stopped the device. */
static enum outcome states(struct ctx *c)
{
	CHECK(!start_mem(&c->a), "START");
	for (unsigned int state = STOP; state < STATES; state++) {
		int err;

		if (!has_state(c, state) || state == RESUMING)
			continue;
		CHECK(!set_state(&c->a, state, NULL), "to %s", state_name(state));
		err = report_mem(&c->a);
		CHECK(!err, "REPORT in %s: %d", state_name(state), err);
		CHECK(!set_state(&c->a, RUNNING, NULL), "back to RUNNING");
	}
	CHECK(!stop_logging(&c->a), "STOP");
	return PASS;
}

/* ---- the truth ---- */

/**
 * struct written - What the device has written to its memory
 * @page: Numbers of pages.
 * @num: Of them.
 */
struct written {
	unsigned int page[PAGES];
	unsigned int num;
};

/*
 * The truth is in the memory: each page that changes after --busy has returned was written
 * by the device.  It is logged, and in STOP afterwards.
 */
static enum outcome log_work(struct ctx *c, struct written *w)
{
	uint8_t *before = malloc(MEM_BYTES);

	w->num = 0;
	if (!c->mem)
		return rule_skip(c, "the device has no memory");
	CHECK(!start_mem(&c->a), "START");
	CHECK(!sys->plug(&c->a, "busy"), "--busy fails");
	memcpy(before, c->mem, MEM_BYTES);
	sys->pause(300);
	CHECK(!set_state(&c->a, STOP, NULL), "STOP");
	for (unsigned int i = 0; i < PAGES; i++)
		if (memcmp(before + i * PAGE, c->mem + i * PAGE, PAGE))
			w->page[w->num++] = i;
	free(before);
	if (!w->num)
		return rule_skip(c, "the device wrote nothing after --busy had returned");
	return PASS;
}

static bool is_set(const uint64_t *bitmap, unsigned int bit)
{
	return bitmap[bit / 64] >> (bit % 64) & 1;
}

static enum outcome tracks(struct ctx *c)
{
	uint64_t bitmap[PAGES / 64] = {};
	static struct written w;
	enum outcome outcome = log_work(c, &w);

	if (outcome != PASS)
		return outcome;
	CHECK(!report(&c->a, MEM_IOVA, MEM_BYTES, PAGE, bitmap), "REPORT");
	for (unsigned int i = 0; i < w.num; i++)
		CHECK(is_set(bitmap, w.page[i]), "page %u was written, not reported", w.page[i]);
	return PASS;
}

/* Whatever START has chosen. */
static enum outcome tracks_large(struct ctx *c)
{
	uint64_t bitmap[PAGES / 16 / 64] = {};
	static struct written w;
	enum outcome outcome = log_work(c, &w);

	if (outcome != PASS)
		return outcome;
	CHECK(!report(&c->a, MEM_IOVA, MEM_BYTES, 16 * PAGE, bitmap), "REPORT");
	for (unsigned int i = 0; i < w.num; i++)
		CHECK(is_set(bitmap, w.page[i] / 16), "page %u was written, not reported",
		      w.page[i]);
	return PASS;
}

/* The device stands still. */
static enum outcome report_clears(struct ctx *c)
{
	uint64_t bitmap[PAGES / 64] = {}, again[PAGES / 64] = {};
	static struct written w;
	enum outcome outcome = log_work(c, &w);

	if (outcome != PASS)
		return outcome;
	CHECK(!report(&c->a, MEM_IOVA, MEM_BYTES, PAGE, bitmap) &&
	      !report(&c->a, MEM_IOVA, MEM_BYTES, PAGE, again), "REPORT");
	for (unsigned int i = 0; i < PAGES; i++)
		CHECK(!is_set(again, i), "page %u is reported once more in STOP", i);
	return PASS;
}

/* Of the last page by a report of its own, after those before it. */
static enum outcome report_keeps(struct ctx *c)
{
	uint64_t bitmap[PAGES / 64] = {}, rest[PAGES / 64] = {}, bytes;
	static struct written w;
	enum outcome outcome = log_work(c, &w);

	if (outcome != PASS)
		return outcome;
	bytes = w.page[w.num - 1] * PAGE;
	if (!bytes)
		return rule_skip(c, "the device wrote to the first page only");
	CHECK(!report(&c->a, MEM_IOVA, bytes, PAGE, bitmap), "REPORT of the first %llu bytes",
	      (unsigned long long)bytes);
	CHECK(!report(&c->a, MEM_IOVA + bytes, MEM_BYTES - bytes, PAGE, rest), "REPORT");
	CHECK(is_set(rest, 0), "page %u was written, and is not reported after those before it",
	      w.page[w.num - 1]);
	return PASS;
}

/* ---- two threads ---- */

#define RACE_ROUNDS	20

/**
 * struct reporter - A thread that asks for reports
 * @d: The device.
 * @thread: Itself.
 * @off_is_fine: Logging is off at times, or was ended: errors are no failure.
 * @wrong: What REPORT must not have given.
 * @rounds: How often it has asked.
 * @stop: It has to end.
 */
struct reporter {
	struct dev *d;
	pthread_t thread;
	bool off_is_fine;
	int wrong;
	volatile unsigned int rounds;
	volatile bool stop;
};

static void *ask(void *arg)
{
	struct reporter *r = arg;

	while (!r->stop) {
		uint64_t bitmap[1] = {};
		int err = report(r->d, MEM_IOVA, 64 * PAGE, PAGE, bitmap);

		if (err && !(r->off_is_fine && err != -EPERM))
			r->wrong = err;
		r->rounds++;
	}
	return NULL;
}

/* What was begun after this call was asked about before and meanwhile. */
static void ask_more(struct reporter *r)
{
	for (unsigned int asked = r->rounds; r->rounds - asked < 2;)
		usleep(100);
}

static enum outcome end_race(struct ctx *c, struct reporter *r, int err)
{
	r->stop = true;
	pthread_join(r->thread, NULL);
	stop_logging(&c->a);
	CHECK(!err, "%d after %u reports", err, r->rounds);
	CHECK(!r->wrong, "REPORT gives %d", r->wrong);
	CHECK(!start_mem(&c->a) && !report_mem(&c->a) && !stop_logging(&c->a),
	      "it does not work afterwards");
	return PASS;
}

static enum outcome report_and_start(struct ctx *c)
{
	struct reporter r = { .d = &c->a, .off_is_fine = true };
	int err = 0;

	CHECK(!pthread_create(&r.thread, NULL, ask, &r), "no thread");
	for (unsigned int i = 0; !err && i < RACE_ROUNDS; i++) {
		err = start_mem(&c->a);
		ask_more(&r);
		err = err ?: stop_logging(&c->a);
	}
	return end_race(c, &r, err);
}

static enum outcome report_and_walk(struct ctx *c)
{
	static const unsigned int path[] = { STOP, RUNNING, STOP_COPY, RUNNING, PRE_COPY, RUNNING };
	struct reporter r = { .d = &c->a };
	int err = 0;

	CHECK(!start_mem(&c->a), "START");
	CHECK(!pthread_create(&r.thread, NULL, ask, &r), "no thread");
	for (unsigned int i = 0; !err && i < RACE_ROUNDS * 2; i++) {
		unsigned int to = path[i % 6];

		err = has_state(c, to) ? set_state(&c->a, to, NULL) : 0;
		ask_more(&r);
	}
	return end_race(c, &r, err);
}

/* Whether RESET ends logging is not said. */
static enum outcome report_and_reset(struct ctx *c)
{
	struct reporter r = { .d = &c->a, .off_is_fine = true };
	int err = 0;

	CHECK(!pthread_create(&r.thread, NULL, ask, &r), "no thread");
	for (unsigned int i = 0; !err && i < RACE_ROUNDS / 4; i++) {
		err = start_mem(&c->a);
		ask_more(&r);
		err = err ?: device_reset(&c->a);
		ask_more(&r);
		stop_logging(&c->a);
	}
	return end_race(c, &r, err);
}

#define CONTROL	"uAPI: vfio_device_feature_dma_logging_control"
#define REPORTS	"uAPI: vfio_device_feature_dma_logging_report"
#define CORE	"kernel: vfio_ioctl_device_feature_logging_start"
#define NODES	"kernel: drivers get ranges as an interval tree"

const struct rule log_rules[] = {
	{ "log.start-stop", "START, REPORT, STOP, again and again", CONTROL, NEED_LOGGING,
	  start_stop },
	{ "log.page-size", "any page size is a hint, a power of two comes back", CONTROL,
	  NEED_LOGGING, page_size },
	{ "log.no-range", "no range gives EINVAL", CORE, NEED_LOGGING, none },
	{ "log.unaligned", "a range that is not aligned gives EINVAL", CORE, NEED_LOGGING,
	  unaligned },
	{ "log.overlap", "ranges that overlap give EINVAL", CORE, NEED_LOGGING, overlap },
	{ "log.overflow", "a range beyond 2^64 gives EOVERFLOW", CORE, NEED_LOGGING, overflow },
	{ "log.empty-range", "an empty range is refused", NODES, NEED_LOGGING, empty_range },
	{ "log.page-zero", "pages of 0 bytes are refused, or others chosen", CONTROL, NEED_LOGGING,
	  page_zero },
	{ "log.page-odd", "pages of 12 KiB are refused, or others chosen", CONTROL, NEED_LOGGING,
	  page_odd },
	{ "log.pointer", "ranges that cannot be read give EFAULT", CORE, NEED_LOGGING, pointer },
	{ "log.many", "as many ranges as fit into a page work", CONTROL, NEED_LOGGING,
	  many_ranges },
	{ "log.too-many", "more work, or are refused", CONTROL, NEED_LOGGING, too_many },
	{ "log.twice", "a second START fails, and the first goes on", CONTROL, NEED_LOGGING,
	  twice },
	{ "log.report-off", "REPORT without START fails", REPORTS, NEED_LOGGING, report_off },
	{ "log.stop-off", "STOP without START does no harm", CONTROL, NEED_LOGGING, stop_off },
	{ "log.report-pages", "REPORT takes any power of two from 4 KiB on", REPORTS, NEED_LOGGING,
	  report_pages },
	{ "log.report-sets", "REPORT clears no bit of the bitmap", REPORTS, NEED_LOGGING,
	  report_sets },
	{ "log.report-bounds", "REPORT keeps to the bitmap", REPORTS, NEED_LOGGING, report_bounds },
	{ "log.report-fault", "a bad bitmap gives EFAULT at most, and logging goes on", REPORTS,
	  NEED_LOGGING, report_fault },
	{ "log.report-overflow", "REPORT beyond 2^64 fails",
	  "kernel: vfio_ioctl_device_feature_logging_report", NEED_LOGGING, report_overflow },
	{ "log.report-outside", "REPORT of what is not logged does no harm", REPORTS, NEED_LOGGING,
	  report_outside },
	{ "log.closed", "close ends logging", "kernel: close_device of all drivers",
	  NEED_LOGGING | OWN, closed },
	{ "log.states", "REPORT works in every state that QEMU asks in",
	  "QEMU: vfio_save_complete_precopy, last sync", NEED_LOGGING, states },
	{ "log.tracks", "each page that the device writes is reported", REPORTS,
	  NEED_LOGGING | NEED_PLUG, tracks },
	{ "log.tracks-large", "likewise by a bitmap of larger pages", REPORTS,
	  NEED_LOGGING | NEED_PLUG, tracks_large },
	{ "log.report-clears", "REPORT clears what it was asked about", REPORTS,
	  NEED_LOGGING | NEED_PLUG, report_clears },
	{ "log.report-keeps", "and nothing else", REPORTS, NEED_LOGGING | NEED_PLUG, report_keeps },
	{ "log.report-start", "START and STOP while a thread asks for reports", CONTROL,
	  NEED_LOGGING, report_and_start },
	{ "log.report-walk", "REPORT works while another thread changes the state", REPORTS,
	  NEED_LOGGING, report_and_walk },
	{ "log.report-reset", "RESET while a thread asks for reports",
	  "uAPI: VFIO_DEVICE_RESET, at any time", NEED_LOGGING | NEED_RESET, report_and_reset },
	{}
};
