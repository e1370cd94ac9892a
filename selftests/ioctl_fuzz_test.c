// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer of what a user of VFIO can call: libFuzzer makes inputs, which are sequences of calls
 * to the functions of each family that the machine has and to one of vpv_pci; blocks of our
 * modules that a call reaches are its coverage (kunit/cover/).  From the environment: SEED,
 * MINUTES, CALLS; it ends when one of the two is reached.  Arguments are files of inputs to run
 * once.
 *
 * Groups: ioctl-fuzz
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/family.h"
#include "lib/v1.h"

#define TARGETS_MAX	16
/* An input has many calls of so many bytes each: what surrounds it costs as much as some of them. */
#define CALL_BYTES	32
#define INPUT_CALLS	1024
#define INPUT_MAX	(CALL_BYTES * INPUT_CALLS)
#define COUNTERS	65536
#define STREAM_MAX	(2U << 20)
#define ERRNOS		256
#define EVENTFDS	8
/* A function is opened anew after so many inputs that have used it, if there is time. */
#define REOPEN_EVERY	32
/* Of one kind are no more calls than take one part in so many of the time, resets a larger one. */
#define PARTS		16
#define RESET_PARTS	4
/* Who takes that long, and is not expected to, has woken the function, as the next call would. */
#define WOKEN_US	5000
/* Inputs that are kept for a report: the last one may need what others left. */
#define KEPT		16
#define OUT		"/vpv/out/"
#define CORPUS		OUT "corpus"
/* Of earlier runs, if there were any. */
#define OLD_CORPUS	"/vpv/corpus"

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t most_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most_bytes, unsigned int seed);
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t bytes));

/* libFuzzer looks at what is in this section; the kernel's counters are mapped there. */
static uint8_t counters[COUNTERS] __attribute__((section("__libfuzzer_extra_counters"),
						 aligned(COUNTERS)));

/**
 * struct target - A function under test
 * @family: Its family; NULL for vpv_pci.
 * @v: The function, open.
 * @region: Of v1, if it was opened so.
 * @v1: Was it?
 * @used: By the input before.
 * @uses: Inputs that have used it since it was opened.
 * @data: File of the last session, or -1.
 * @stream: What was saved last of its family, and may be loaded.
 * @fresh: The next bytes to be read begin a stream.
 * @at: How much of it was loaded.
 * @map: A page of a region, or NULL.
 */
static struct target {
	const struct family *family;
	struct vdev v;
	struct v1 region;
	bool v1;
	bool used;
	unsigned int uses;
	int data;
	struct blob *stream;
	bool fresh;
	size_t at;
	void *map;
} targets[TARGETS_MAX];
static unsigned int num_targets;
static struct blob streams[TARGETS_MAX];

static const uint8_t *in, *in_end;
static unsigned long calls, errors[ERRNOS], inputs, most;
static uint64_t began;
/* Inputs that are given are executed as they are. */
static bool given_inputs;
static int events[EVENTFDS], kmsg, scratch;
static struct kept {
	uint8_t data[INPUT_MAX];
	size_t bytes;
} kept[KEPT];

/* ---- Time ---- */

enum {
	OP_CONFIG_READ, OP_CONFIG_WRITE, OP_REGION_READ, OP_REGION_WRITE, OP_IRQS, OP_FEATURE,
	OP_STATE, OP_LOGGING, OP_DATA_READ, OP_DATA_WRITE, OP_DATA_OTHER, OP_ANY, OP_INFO,
	OP_IOEVENTFD, OP_MAP, OP_SLOW, NUM_OPS
};

static const char *const names[NUM_OPS] = {
	"config reads", "config writes", "region reads", "region writes", "interrupts", "features",
	"states", "logging", "data reads", "data writes", "data files", "any", "infos", "ioeventfds",
	"mappings", "resets",
};

/* Of each kind: how many there were, and how long they took. */
static unsigned long times[NUM_OPS];
static uint64_t spent_us[NUM_OPS];

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

static bool has_time(unsigned int op, uint64_t now)
{
	unsigned int parts = op == OP_SLOW ? RESET_PARTS : PARTS;

	return given_inputs || spent_us[op] * parts <= now - began;
}

static uint64_t spend(unsigned int op, uint64_t since)
{
	uint64_t now = now_us();

	spent_us[op] += now - since;
	return now;
}

/* ---- The input ---- */

static uint32_t take(unsigned int bytes)
{
	uint32_t val = 0;

	for (; bytes; bytes--)
		val = val << 8 | (in < in_end ? *in++ : 0);
	return val;
}

static void take_bytes(void *to, size_t bytes)
{
	size_t n = in_end - in;

	n = n < bytes ? n : bytes;
	memset(to, 0, bytes);
	memcpy(to, in, n);
	in += n;
}

/* Most accesses are of a register; each of its words is a message to the model. */
static size_t take_size(size_t most)
{
	unsigned int how = take(1);

	return how < 0xe0 ? 1U << how % 4 : how % (most + 1);
}

static long did(long ret)
{
	calls++;
	if (ret < 0)
		errors[errno % ERRNOS]++;
	return ret;
}

/* ---- Calls ---- */

static void access_region(struct target *t, unsigned int index, uint64_t pos, bool write)
{
	uint8_t bytes[64];
	size_t n = take_size(sizeof(bytes));

	pos |= (uint64_t)index << 40;
	if (write) {
		take_bytes(bytes, n);
		did(pwrite(t->v.fd, bytes, n, pos));
	} else {
		did(pread(t->v.fd, bytes, n, pos));
	}
}

static void op_config_read(struct target *t)
{
	access_region(t, VFIO_PCI_CONFIG_REGION_INDEX, take(2) % 4352, false);
}

static void op_config_write(struct target *t)
{
	access_region(t, VFIO_PCI_CONFIG_REGION_INDEX, take(2) % 4352, true);
}

static void op_region_read(struct target *t)
{
	unsigned int index = take(1) % 12;

	access_region(t, index, take(2), false);
}

static void op_region_write(struct target *t)
{
	unsigned int index = take(1) % 12;

	access_region(t, index, take(2), true);
}

/* An eventfd, none, or any other file. */
static int take_event(void)
{
	unsigned int which = take(1);

	return which < 200 ? events[which % EVENTFDS] : which < 240 ? -1 : which - 240;
}

static void op_irqs(struct target *t)
{
	struct {
		struct vfio_irq_set set;
		int32_t data[20];
	} r = {};
	unsigned int how = take(1);

	/* One kind of data and one action; sometimes anything. */
	r.set.flags = how < 0xf0 ? 1U << how % 3 | 8U << how / 3 % 3 : take(1);
	r.set.index = take(1) % 6;
	r.set.start = how < 0xf8 ? take(1) % 20 : take(4);
	r.set.count = how < 0xf8 ? take(1) % 20 : take(4);
	if (r.set.flags & VFIO_IRQ_SET_DATA_EVENTFD)
		for (unsigned int i = 0; i < 20 && i < r.set.count; i++)
			r.data[i] = take_event();
	else if (r.set.flags & VFIO_IRQ_SET_DATA_BOOL)
		take_bytes(r.data, 20);
	r.set.argsz = how < 0xf4 ? sizeof(r) : take(1);
	did(ioctl(t->v.fd, VFIO_DEVICE_SET_IRQS, &r));
}

/* What a state change has returned. */
static void adopt(struct target *t, int fd)
{
	if (fd < 0)
		return;
	if (t->data >= 0)
		close(t->data);
	t->data = fd;
	t->fresh = true;
	t->at = 0;
}

static void feature(struct target *t, uint32_t flags, void *data, size_t bytes, size_t told)
{
	uint64_t room[(sizeof(struct vfio_device_feature) + 64) / sizeof(uint64_t)] = {};
	struct vfio_device_feature *f = (void *)room;
	long ret;

	f->argsz = sizeof(*f) + told;
	f->flags = flags;
	memcpy(f->data, data, bytes);
	ret = did(ioctl(t->v.fd, VFIO_DEVICE_FEATURE, f));
	if (ret > 0)
		close(ret);
	if (!ret && flags == (VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE))
		adopt(t, ((struct vfio_device_feature_mig_state *)f->data)->data_fd);
}

static void op_feature(struct target *t)
{
	uint32_t flags = take(1) % 14;
	unsigned int how = take(1);
	uint8_t data[64];

	/* GET, SET, and PROBE of either; sometimes any of their bits. */
	flags |= how < 0xf0 ? (1U << how % 2 | (how & 2) << 1) << 16 : (how & 0xf) << 16;
	how = take(1);
	take_bytes(data, sizeof(data));
	feature(t, flags, data, sizeof(data), how < 0xf0 ? 64 : how % 65);
}

static void op_state(struct target *t)
{
	unsigned int how = take(1);
	struct vfio_device_feature_mig_state m = {
		.device_state = how < 0xf8 ? how % MIG_STATES : take(4), .data_fd = -1,
	};

	feature(t, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &m, sizeof(m),
		sizeof(m));
}

static void op_logging(struct target *t)
{
	static uint64_t bitmap[8192];
	struct vfio_device_feature_dma_logging_range ranges[8];
	struct vfio_device_feature_dma_logging_control c = { .ranges = (uintptr_t)ranges };
	struct vfio_device_feature_dma_logging_report r = { .bitmap = (uintptr_t)bitmap };
	unsigned int what = take(1);

	/* Sizes of pages are powers of two, most of the time; sums may overflow. */
	c.page_size = what < 0xf0 ? 1ULL << what / 3 % 64 : take(4);
	r.page_size = c.page_size;
	r.iova = (uint64_t)take(2) << (what & 31);
	r.length = (uint64_t)take(2) << 12;
	if (r.page_size && r.length / r.page_size > sizeof(bitmap) * 8)
		r.length = sizeof(bitmap) * 8 * r.page_size;
	c.num_ranges = take(1) % 10 % 9;
	for (unsigned int i = 0; i < c.num_ranges; i++) {
		ranges[i].iova = (uint64_t)take(2) << (take(1) & 63);
		ranges[i].length = (uint64_t)take(2) << (take(1) & 63);
	}
	if (what % 3 == 0)
		feature(t, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START, &c,
			sizeof(c), sizeof(c));
	else if (what % 3 == 1)
		feature(t, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &r,
			sizeof(r), sizeof(r));
	else
		feature(t, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, &c, 0, 0);
}

static void op_data_read(struct target *t)
{
	static uint8_t bytes[1 << 20];
	long n = did(read(t->data, bytes, take(2) << 4));

	if (n <= 0)
		return;
	if (t->fresh)
		t->stream->bytes = 0;
	t->fresh = false;
	if (t->stream->bytes + n <= STREAM_MAX)
		blob_append(t->stream, bytes, n);
}

/* Bytes of the input, or what was saved, sometimes with one byte changed. */
static void op_data_write(struct target *t)
{
	unsigned int how = take(1);
	uint8_t bytes[64], *from = bytes;
	size_t n = take(2) << 4, at = take(2), left;
	uint8_t by = how < 0xf0 ? 0 : 1U << how % 8;
	long ret;

	if (how < 0x40) {
		n %= sizeof(bytes) + 1;
		take_bytes(bytes, n);
	} else {
		/* Another function may have saved a shorter one since. */
		left = t->at < t->stream->bytes ? t->stream->bytes - t->at : 0;
		from = t->stream->data + t->at;
		n = n < left ? n : left;
	}
	if (!n)
		by = 0;
	if (by)
		from[at % n] ^= by;
	ret = did(write(t->data, from, n));
	if (by)
		from[at % n] ^= by;
	if (ret > 0 && from != bytes)
		t->at += ret;
}

static void op_data_other(struct target *t)
{
	struct vfio_precopy_info info = {};
	struct pollfd p = { .fd = t->data, .events = POLLIN | POLLOUT };

	switch (take(1) % 6) {
	case 0:
		did(poll(&p, 1, 0));
		break;
	case 1:
		did(fcntl(t->data, F_SETFL, take(1) % 2 ? O_NONBLOCK : 0));
		break;
	case 2:
		if (t->data >= 0)
			did(close(t->data));
		t->data = -1;
		break;
	case 3:
		did(lseek(t->data, take(1), SEEK_SET));
		break;
	default:
		info.argsz = take(1) % 4 ? sizeof(info) : take(1);
		did(ioctl(t->data, VFIO_MIG_GET_PRECOPY_INFO, &info));
	}
}

/* Any request but those that others make, or that take long. */
static void op_any(struct target *t)
{
	unsigned int nr = take(1) % 24;
	uint32_t args[32];

	take_bytes(args, sizeof(args));
	args[0] = take(1) % 4 ? sizeof(args) : args[0];
	if (VFIO_BASE + nr != _IOC_NR(VFIO_DEVICE_RESET) &&
	    VFIO_BASE + nr != _IOC_NR(VFIO_DEVICE_PCI_HOT_RESET) &&
	    VFIO_BASE + nr != _IOC_NR(VFIO_DEVICE_FEATURE))
		did(ioctl(t->v.fd, _IO(VFIO_TYPE, VFIO_BASE + nr), args));
}

static void op_info(struct target *t)
{
	static const unsigned long which[] = {
		VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO, VFIO_DEVICE_GET_IRQ_INFO,
		VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
	};
	uint32_t args[32] = {};
	unsigned int nr = take(1) % 4;

	args[0] = take(1) % (sizeof(args) + 1);
	args[2] = take(1) % 16;
	did(ioctl(t->v.fd, which[nr], args));
}

static void op_ioeventfd(struct target *t)
{
	struct vfio_device_ioeventfd i = { .argsz = sizeof(i), .flags = 1U << take(1) % 5 };

	i.offset = (uint64_t)(take(1) % 10) << 40 | take(2);
	i.data = take(4);
	i.fd = take_event();
	did(ioctl(t->v.fd, VFIO_DEVICE_IOEVENTFD, &i));
}

static void unmap(struct target *t)
{
	if (t->map)
		munmap(t->map, 4096);
	t->map = NULL;
}

/* The kernel copies from or to the mapping, since a fault would be a signal for us. */
static void op_map(struct target *t)
{
	uint64_t pos = (uint64_t)(take(1) % 12) << 40 | take(1) << 12;
	void *p;

	if (!t->map) {
		p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, t->v.fd, pos);
		did(p == MAP_FAILED ? -1 : 0);
		t->map = p == MAP_FAILED ? NULL : p;
	}
	if (t->map && take(1) % 4)
		did(pwrite(scratch, t->map + (take(1) << 2), 4, 0));
	else if (t->map)
		did(pread(scratch, t->map + (take(1) << 2), 4, 0));
}

static int reopen(struct target *t, enum vdev_mode mode, bool v1)
{
	const struct slot slot = t->v.slot;
	int err;

	unmap(t);
	if (t->data >= 0)
		close(t->data);
	t->data = -1;
	vdev_close(&t->v);
	v1 = v1 && t->family && !v1_dialect(slot.bdf, "v1");
	if (t->family && !v1)
		v1_dialect(slot.bdf, "v2");
	t->v1 = v1;
	t->uses = 0;
	calls++;
	err = vdev_open(&t->v, &slot, mode);
	if (!err && v1)
		err = v1_find(&t->region, &t->v);
	return err;
}

static void op_slow(struct target *t)
{
	struct vfio_pci_hot_reset r = { .argsz = sizeof(r) };
	unsigned int what = take(1);
	int err = 0;

	if (what < 0x80) {
		did(ioctl(t->v.fd, VFIO_DEVICE_RESET));
	} else if (what < 0xa0) {
		did(ioctl(t->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &r));
	} else {
		err = reopen(t, what & 1 ? VDEV_CDEV : VDEV_GROUP, what & 2);
	}
	if (err) {
		printf("# %s: %s\n", t->v.slot.bdf, strerror(-err));
		abort();
	}
}

static void (*const ops[NUM_OPS])(struct target *t) = {
	[OP_CONFIG_READ] = op_config_read,	[OP_CONFIG_WRITE] = op_config_write,
	[OP_REGION_READ] = op_region_read,	[OP_REGION_WRITE] = op_region_write,
	[OP_IRQS] = op_irqs,			[OP_FEATURE] = op_feature,
	[OP_STATE] = op_state,			[OP_LOGGING] = op_logging,
	[OP_DATA_READ] = op_data_read,		[OP_DATA_WRITE] = op_data_write,
	[OP_DATA_OTHER] = op_data_other,	[OP_ANY] = op_any,
	[OP_INFO] = op_info,			[OP_IOEVENTFD] = op_ioeventfd,
	[OP_MAP] = op_map,			[OP_SLOW] = op_slow,
};

/* ---- One input ---- */

/* Without a data file a call would end in the kernel's table of descriptors. */
static bool makes_sense(unsigned int op, const struct target *t)
{
	return t->data >= 0 || (op != OP_DATA_READ && op != OP_DATA_WRITE && op != OP_DATA_OTHER);
}

static void wake(struct target *t)
{
	unsigned int pm = vdev_find_cap(&t->v, PCI_CAP_ID_PM);

	vdev_feature(&t->v, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0);
	if (pm)
		vdev_cfg_set(&t->v, pm + PCI_PM_CTRL, 2, 0);
}

/*
 * A function that runs, for the next input; what else was changed stays until it is reopened.  One
 * that only a reset makes run stays as it is until there is time for that.
 */
static void settle(struct target *t)
{
	uint64_t now;
	int err = 0;

	unmap(t);
	if (t->data >= 0)
		close(t->data);
	t->data = -1;
	wake(t);
	if (t->v1)
		err = v1_set(&t->region, V1_R);
	else if (t->family)
		err = mig_set(&t->v, VFIO_DEVICE_STATE_RUNNING, NULL);
	now = now_us();
	t->uses++;
	if (!has_time(OP_SLOW, now) || (!err && t->uses < REOPEN_EVERY))
		return;
	if (t->uses < REOPEN_EVERY)
		err = vdev_reset(&t->v);
	if (err || t->uses >= REOPEN_EVERY)
		err = reopen(t, VDEV_CDEV, false);
	spend(OP_SLOW, now);
	if (err) {
		printf("# %s cannot be opened: %s\n", t->v.slot.bdf, strerror(-err));
		abort();
	}
}

static void finish(void)
{
	double seconds = (now_us() - began) / 1e6;
	unsigned long failed = 0;

	for (unsigned int i = 0; i < ERRNOS; i++)
		failed += errors[i];
	printf("\n# figures: %lu calls in %.0f s, %.0f a second, of %lu inputs; %lu errors:", calls,
	       seconds, calls / seconds, inputs, failed);
	for (unsigned int i = 0; i < ERRNOS; i++)
		if (errors[i])
			printf(" %s %lu", strerrorname_np(i) ?: "?", errors[i]);
	printf("; us each:");
	for (unsigned int i = 0; i < NUM_OPS; i++)
		if (times[i])
			printf(" %lu %s %lu", times[i], names[i], (unsigned long)(spent_us[i] / times[i]));
	printf("\nok 1 ioctl_fuzz\n");
	fflush(stdout);
}

static void keep(const char *name, const struct kept *k)
{
	char path[64];
	FILE *to;

	snprintf(path, sizeof(path), OUT "%s", name);
	to = fopen(path, "w");
	if (to) {
		fwrite(k->data, k->bytes, 1, to);
		fclose(to);
	}
}

/* Has the kernel complained? */
static void look(void)
{
	static const char *const words[] = {
		"BUG: ", "WARNING: ", "UBSAN: ", "KASAN: ", "Call Trace:", "possible recursive",
		"suspicious RCU usage", "refcount_t: ", "INFO: task ", "general protection",
	};
	char line[2048], name[16];
	bool bad = false;
	ssize_t n;

	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n < 0 ? 0 : n] = 0;
		for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			bad = bad || strstr(line, words[i]);
	}
	if (!bad)
		return;
	for (unsigned int i = 0; i < KEPT && i < inputs; i++) {
		snprintf(name, sizeof(name), "input-%02u", i);
		keep(name, &kept[(inputs - 1 - i) % KEPT]);
	}
	printf("# the kernel complains; input-00 is the last one\n");
	abort();
}

static int one(const uint8_t *data, size_t bytes)
{
	struct kept *k = &kept[inputs++ % KEPT];
	uint64_t now;

	k->bytes = bytes < INPUT_MAX ? bytes : INPUT_MAX;
	memcpy(k->data, data, k->bytes);
	for (unsigned int i = 0; i < num_targets; i++) {
		if (targets[i].used)
			settle(&targets[i]);
		targets[i].used = false;
	}
	memset(counters, 0, sizeof(counters));
	now = now_us();
	for (size_t at = 0; at < k->bytes; at += CALL_BYTES) {
		unsigned int what = data[at], op = what % NUM_OPS;
		struct target *t = &targets[what / NUM_OPS % num_targets];
		uint64_t before = now;

		in = data + at + 1;
		in_end = data + (at + CALL_BYTES < k->bytes ? at + CALL_BYTES : k->bytes);
		if (!has_time(op, now) || !makes_sense(op, t))
			continue;
		t->used = true;
		ops[op](t);
		times[op]++;
		now = spend(op, now);
		if (op != OP_SLOW && op != OP_STATE && now - before > WOKEN_US && !given_inputs)
			wake(t);
	}
	look();
	if (calls >= most) {
		finish();
		_exit(0);
	}
	return 0;
}

/* One call is changed, or one more inserted; an input that is short is filled up with any calls. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most_bytes, unsigned int seed)
{
	uint64_t x = seed + 1;
	uint8_t *call, *other;
	size_t n;

	for (; bytes < INPUT_MAX && bytes < most_bytes; bytes++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		data[bytes] = x >> 56;
	}
	call = data + seed / 4 % (bytes / CALL_BYTES) * CALL_BYTES;
	other = data + seed / 1024 % (bytes / CALL_BYTES) * CALL_BYTES;
	if (seed % 4 == 0)
		memmove(call, other, CALL_BYTES);
	else if (seed % 4 == 1)
		memmove(call + CALL_BYTES, call, data + bytes - call - CALL_BYTES);
	n = LLVMFuzzerMutate(call, CALL_BYTES, CALL_BYTES);
	memset(call + n, 0, CALL_BYTES - n);
	return bytes;
}

/* ---- Begin ---- */

/* A whole migration and logging, so that they need not be found. */
static void sow(unsigned int target)
{
#define OP(op) ((op) + NUM_OPS * target)
	const uint8_t seed[][CALL_BYTES] = {
		{ OP(OP_STATE), VFIO_DEVICE_STATE_PRE_COPY }, { OP(OP_DATA_OTHER), 4, 1 },
		{ OP(OP_DATA_READ), 0xff, 0xff }, { OP(OP_STATE), VFIO_DEVICE_STATE_STOP_COPY },
		{ OP(OP_DATA_READ), 0xff, 0xff }, { OP(OP_DATA_READ), 0xff, 0xff },
		{ OP(OP_DATA_READ), 0xff, 0xff }, { OP(OP_STATE), VFIO_DEVICE_STATE_RESUMING },
		{ OP(OP_DATA_WRITE), 0x40, 0xff, 0xff, 0, 0 },
		{ OP(OP_DATA_WRITE), 0x40, 0xff, 0xff, 0, 0 },
		{ OP(OP_STATE), VFIO_DEVICE_STATE_RUNNING },
		{ OP(OP_LOGGING), 36, 0, 0, 0, 0, 1, 0, 1, 12, 0, 64, 12 },
		{ OP(OP_LOGGING), 37, 0, 1, 0, 64, 0 }, { OP(OP_LOGGING), 38, 0, 0, 0, 0, 0 },
		{ OP(OP_IRQS), 8, VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, 0, 1 },
	};
	char path[64];
	FILE *to;

	snprintf(path, sizeof(path), CORPUS "/%u", target);
	to = fopen(path, "w");
	if (to) {
		fwrite(seed, sizeof(seed), 1, to);
		fclose(to);
	}
}

static int add_target(const struct family *f, const struct slot *slot, struct blob *stream)
{
	struct target *t = &targets[num_targets];
	int err;

	if (num_targets == TARGETS_MAX)
		return 0;
	num_targets++;
	*t = (struct target){ .family = f, .data = -1, .stream = stream,
			      .v = { .slot = *slot, .fd = -1, .group = -1, .iommu = -1 } };
	err = reopen(t, VDEV_CDEV, false);
	if (err)
		printf("# %s: %s\n", slot->bdf, strerror(-err));
	return err;
}

static int begin(void)
{
	struct slot slots[SLOT_MAX];
	int cover = open("/dev/vpv_cover", O_RDWR | O_CLOEXEC), err = 0, num;
	struct blob *stream = streams;

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(kmsg, 0, SEEK_END);
	scratch = memfd_create("scratch", MFD_CLOEXEC);
	for (unsigned int i = 0; i < EVENTFDS; i++)
		events[i] = eventfd_new();
	if (cover < 0 || mmap(counters, COUNTERS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			      cover, 0) == MAP_FAILED)
		return -errno;
	for_each_family(f) {
		num = family_present(*f) ? family_bind(*f, slots, SLOT_MAX) : 0;
		err = num < 0 ? num : err;
		for (int i = 0; i < num && !err; i++)
			err = add_target(*f, &slots[i], stream);
		stream++;
	}
	num = slots_find("e1000e", slots, 1);
	if (!err && num > 0)
		err = vdev_bind(slots[0].bdf, "vpv_pci");
	if (!err && num > 0)
		err = add_target(NULL, &slots[0], stream);
	mkdir(OUT, 0755);
	mkdir(CORPUS, 0755);
	mkdir(OLD_CORPUS, 0755);
	for (unsigned int i = 0; i < num_targets; i++)
		sow(i);
	return err;
}

int main(int argc, char **argv)
{
	char seed[32], time[48], *args[] = {
		argv[0], "-max_len=32768", "-len_control=0", "-timeout=120", "-detect_leaks=0",
		"-rss_limit_mb=0", "-reload=0", "-use_counters=0", "-artifact_prefix=" OUT, seed,
		time, CORPUS, OLD_CORPUS, NULL,
	}, **given = args;
	const char *text = getenv("MINUTES");
	int num = sizeof(args) / sizeof(args[0]) - 1, err;

	printf("TAP version 13\n1..1\n");
	err = begin();
	if (err || !num_targets) {
		printf("not ok 1 ioctl_fuzz # %u functions, %s\n", num_targets, strerror(-err));
		return 1;
	}
	snprintf(time, sizeof(time), "-max_total_time=%lu", 60 * strtoul(text ?: "5", NULL, 0));
	text = getenv("SEED");
	snprintf(seed, sizeof(seed), "-seed=%u",
		 text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)now_ms());
	text = getenv("CALLS");
	most = text ? strtoul(text, NULL, 0) : ~0UL;
	printf("# %u functions, %s\n", num_targets, seed);
	fflush(stdout);
	began = now_us();
	given_inputs = argc > 1;
	if (given_inputs) {
		given = argv;
		num = argc;
	}
	atexit(finish);
	return LLVMFuzzerRunDriver(&num, &given, one);
}
