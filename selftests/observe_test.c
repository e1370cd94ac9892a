// SPDX-License-Identifier: GPL-2.0
/*
 * Every counter in debugfs and every trace event: something is done, the counters that
 * are named went up by that much and no other did, and these events were recorded.  A
 * counter or an event that is in no row fails a test, but for those of a short list.
 *
 * Groups: self stable
 */
#include <dirent.h>
#include <fnmatch.h>

#include "lib/importer.h"
#include "lib/sigbus.h"
#include "lib/test.h"
#include "lib/trace.h"

#define ROOT		"/sys/kernel/debug/vpv_core"
#define EVENTS		"/sys/kernel/tracing/events"
#define FEATURE_SET	VFIO_DEVICE_FEATURE_SET
#define ENTRY		VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define WAKEUP		VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT		VFIO_DEVICE_FEATURE_LOW_POWER_EXIT
#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define MB2		0x200000UL
#define GB		0x40000000UL
#define LINES		64
#define LINES_ROW	6
#define COUNTERS	32
#define D3HOT		3
/* For a loaded machine. */
#define SECONDS		120

struct scene {
	struct slot slot;
	struct vdev v;
	struct trace trace;
	int dmabuf;
	struct blob blob;
};

/**
 * struct row - Something that is done, and what is seen of it
 * @device: Which does it.
 * @what: In words.
 * @act: Does it; 0 or a negative errno.
 * @arg: For @act.
 * @counts: Counters that change, each with by how much: "zap 1, reset 1".
 * @lines: Events without the function's name, "*" for any text, in their order.
 * @among: Other events lie between them.
 */
struct row {
	const char *device;
	const char *what;
	int (*act)(struct scene *s, unsigned long arg);
	unsigned long arg;
	const char *counts;
	const char *lines[LINES_ROW];
	bool among;
};

/* ---- What is done ---- */

static int short_if_not(long done, long bytes)
{
	return done == bytes ? 0 : done < 0 ? done : -EIO;
}

static const uint64_t pattern = 0x1122334455667788ULL;

static int write_bar(struct scene *s, unsigned long bytes)
{
	return short_if_not(vdev_pwrite(&s->v, BAR2, 0x10, &pattern, bytes), bytes);
}

static int read_bar(struct scene *s, unsigned long bytes)
{
	uint64_t val = 0;
	int err = short_if_not(vdev_pread(&s->v, BAR2, 0x10, &val, bytes), bytes);

	return err ?: memcmp(&val, &pattern, bytes) ? -EIO : 0;
}

static int read_across(struct scene *s, unsigned long pos)
{
	uint8_t buf[9];

	return short_if_not(vdev_pread(&s->v, BAR2, pos, buf, sizeof(buf)), sizeof(buf));
}

static int read_config(struct scene *s, unsigned long pos)
{
	uint32_t val;

	return short_if_not(vdev_pread(&s->v, VFIO_PCI_CONFIG_REGION_INDEX, pos, &val, 4), 4);
}

static int write_line(struct scene *s, unsigned long line)
{
	uint8_t val = line;

	return short_if_not(vdev_pwrite(&s->v, VFIO_PCI_CONFIG_REGION_INDEX, PCI_INTERRUPT_LINE,
					&val, 1), 1);
}

static int command(struct scene *s, unsigned long bits)
{
	return vdev_cfg_set(&s->v, PCI_COMMAND, 2, bits);
}

static int read_refused(struct scene *s, unsigned long bytes)
{
	return read_bar(s, bytes) == -EIO ? 0 : -EPROTO;
}

/* The first @bytes of the BAR, at an address that is a multiple of that. */
static uint8_t *map(struct vdev *v, size_t bytes)
{
	uint8_t *room = mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			     -1, 0);
	uint8_t *at = (uint8_t *)(((uintptr_t)room + bytes - 1) / bytes * bytes);

	if (room == MAP_FAILED)
		return NULL;
	munmap(room, 2 * bytes);
	at = mmap(at, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, v->fd, (off_t)BAR2 << 40);
	if (at == MAP_FAILED)
		return NULL;
	madvise(at, bytes, MADV_HUGEPAGE);
	return at;
}

static int fault(struct scene *s, unsigned long bytes)
{
	uint8_t *p = map(&s->v, bytes);
	bool faulted;

	if (!p)
		return -errno;
	faulted = sigbus_faults(p);
	munmap(p, bytes);
	return faulted ? -EFAULT : 0;
}

static int fault_refused(struct scene *s, unsigned long bytes)
{
	return fault(s, bytes) == -EFAULT ? 0 : -EPROTO;
}

static int export(struct scene *s, unsigned long bytes)
{
	struct {
		struct vfio_device_feature f;
		struct vfio_device_feature_dma_buf arg;
		struct vfio_region_dma_range range;
	} req = {
		.f = { .argsz = sizeof(req),
		       .flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF },
		.arg = { .region_index = BAR2, .open_flags = O_RDWR | O_CLOEXEC, .nr_ranges = 1 },
		.range = { .length = bytes },
	};

	s->dmabuf = ioctl(s->v.fd, VFIO_DEVICE_FEATURE, &req);
	return s->dmabuf < 0 ? -errno : 0;
}

static int release(struct scene *s, unsigned long unused)
{
	return close(s->dmabuf) ? -errno : 0;
}

static int no_req(struct scene *s, unsigned long unused)
{
	return vdev_irq_eventfds(&s->v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, (int[]){ -1 });
}

static int mask_of_nothing(struct scene *s, unsigned long unused)
{
	int err = vdev_irq_one(&s->v, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_DATA_NONE |
			       VFIO_IRQ_SET_ACTION_MASK, 0);

	return err == -ENOTTY ? 0 : -EPROTO;
}

static int reset(struct scene *s, unsigned long unused)
{
	return vdev_reset(&s->v);
}

/* The whole register: no capability is looked for while that is counted. */
static int power(struct scene *s, unsigned long ctrl)
{
	return vdev_cfg_set(&s->v, ctrl >> 8, 2, ctrl & 0xff);
}

static int low_power(struct scene *s, unsigned long entry)
{
	struct vfio_device_low_power_entry_with_wakeup arg = { .wakeup_eventfd = eventfd_new() };
	int err = vdev_feature(&s->v, FEATURE_SET | entry, &arg,
			       entry == WAKEUP ? sizeof(arg) : 0);

	close(arg.wakeup_eventfd);
	if (err)
		return err;
	return vdev_pm_becomes(s->v.slot.bdf, "suspended") ? 0 : -ETIMEDOUT;
}

static int wake(struct scene *s, unsigned long unused)
{
	return vdev_feature(&s->v, FEATURE_SET | EXIT, NULL, 0);
}

static int reopen(struct scene *s, unsigned long unused)
{
	enum vdev_mode mode = s->v.mode;

	vdev_close(&s->v);
	return vdev_open(&s->v, &s->slot, mode);
}

static int hot_reset(struct scene *s, unsigned long unused)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fd;
	} req = { .reset = { .argsz = sizeof(req), .count = 1 }, .fd = s->v.group };

	return ioctl(s->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &req) ? -errno : 0;
}

static const char *const steps[] = { "normal", "mmio", "frozen", "reset", "resume" };

static int error(struct scene *s, unsigned long step)
{
	return vdev_error(s->slot.bdf, steps[step]);
}

static int save(struct scene *s, unsigned long unused)
{
	return mig_save(&s->v, &s->blob, true);
}

static int load(struct scene *s, unsigned long unused)
{
	return mig_load(&s->v, &s->blob, VFIO_DEVICE_STATE_STOP);
}

static int load_refused(struct scene *s, unsigned long unused)
{
	s->blob.data[0] ^= 1;
	return mig_load(&s->v, &s->blob, VFIO_DEVICE_STATE_STOP) == -EINVAL ? 0 : -EPROTO;
}

/* ---- What is seen ---- */

#define TESTDEV "testdev"
#define NIC "e1000e"
#define HISIL "hisi_like"
#define WIDTH(n, val)									\
	{ TESTDEV, "write of " #n, write_bar, n, "write_" #n " 1",			\
	  { "vpv_access: region=2 write pos=0x10 bytes=" #n " val=" val " err=0" } },	\
	{ TESTDEV, "read of " #n, read_bar, n, "read_" #n " 1",				\
	  { "vpv_access: region=2 read pos=0x10 bytes=" #n " val=" val " err=0" } }

static const struct row rows[] = {
	WIDTH(1, "0x88"),
	WIDTH(2, "0x7788"),
	WIDTH(4, "0x55667788"),
	WIDTH(8, "0x1122334455667788"),
	{ TESTDEV, "read of 9 bytes", read_across, 0x27, "read_1 1, read_8 1",
	  { "vpv_access: region=2 read pos=0x27 bytes=1 val=* err=0",
	    "vpv_access: region=2 read pos=0x28 bytes=8 val=* err=0" } },
	{ TESTDEV, "config read", read_config, 0, "config_read 1",
	  { "vpv_config: read pos=0x0 bytes=4 err=0" } },
	{ TESTDEV, "config write", write_line, 7, "config_write 1",
	  { "vpv_config: write pos=0x3c bytes=1 err=0" } },
	{ TESTDEV, "fault of a page", fault, 0x1000, "fault_page 1",
	  { "vpv_fault: region=2 pos=0x0 order=0 ret=0x100" } },
	{ TESTDEV, "fault of 2 MiB", fault, MB2, "fault_pmd 1",
	  { "vpv_fault: region=2 pos=0x0 order=9 ret=0x100" } },
	{ TESTDEV, "fault of 1 GiB", fault, GB, "fault_pud 1",
	  { "vpv_fault: region=2 pos=0x0 order=18 ret=0x100" } },
	{ TESTDEV, "export", export, 0x2000, "", { "vpv_dmabuf: export bytes=0x2000 ranges=1" } },
	{ TESTDEV, "memory off", command, 0, "config_write 1, zap 1",
	  { "vpv_zap:", "vpv_dmabuf: revoke bytes=0x2000 ranges=1",
	    "vpv_config: write pos=0x4 bytes=2 err=0" } },
	{ TESTDEV, "fault with memory off", fault_refused, 0x1000, "fault_refused 1",
	  { "vpv_fault: region=2 pos=0x0 order=0 ret=0x2" } },
	{ TESTDEV, "read with memory off", read_refused, 4, "read_4 1",
	  { "vpv_access: region=2 read pos=0x10 bytes=4 val=* err=-5" } },
	{ TESTDEV, "memory on", command, PCI_COMMAND_MEMORY, "config_write 1",
	  { "vpv_dmabuf: restore bytes=0x2000 ranges=1",
	    "vpv_config: write pos=0x4 bytes=2 err=0" } },
	{ TESTDEV, "release", release, 0, "", { NULL } },

	{ NIC, "SET_IRQS", no_req, 0, "set_irqs 1",
	  { "vpv_set_irqs: irq=4 flags=0x24 start=0 count=1 err=0" } },
	{ NIC, "SET_IRQS refused", mask_of_nothing, 0, "set_irqs 1",
	  { "vpv_set_irqs: irq=2 flags=0x9 start=0 count=1 err=-25" } },
	{ NIC, "reset", reset, 0, "reset 1, zap 1",
	  { "vpv_zap:", "vpv_power: D0 -> D0 err=0", "vpv_reset: function err=0" } },
	{ NIC, "into D3hot", power, 0xcc00 | D3HOT, "config_write 1, zap 1",
	  { "vpv_zap:", "vpv_power: D0 -> D3 err=0", "vpv_config: write pos=0xcc bytes=2 err=0" } },
	{ NIC, "into D0", power, 0xcc00, "config_write 1",
	  { "vpv_power: D3 -> D0 err=0", "vpv_config: write pos=0xcc bytes=2 err=0" } },
	{ NIC, "low power", low_power, ENTRY, "low_power 1, zap 1",
	  { "vpv_zap:", "vpv_low_power: enter", "vpv_power: D0 -> D0 err=0" } },
	{ NIC, "low power left", wake, 0, "", { "vpv_low_power: exit" } },
	{ NIC, "low power with wakeup", low_power, WAKEUP, "low_power 1, zap 1",
	  { "vpv_zap:", "vpv_low_power: enter with wakeup", "vpv_power: D0 -> D0 err=0" } },
	{ NIC, "access that wakes", read_config, 0, "config_read 1",
	  { "vpv_low_power: exit with wakeup", "vpv_config: read pos=0x0 bytes=4 err=0" } },
	{ NIC, "hot reset", hot_reset, 0, "zap 1", { "vpv_zap:", "vpv_reset: hot err=0" }, true },
	{ NIC, "error that breaks nothing", error, 0, "",
	  { "vpv_error: detected channel=1 answer=2" } },
	{ NIC, "memory works", error, 1, "", { "vpv_error: mmio_enabled channel=1 answer=5" } },
	{ NIC, "error that needs a reset", error, 2, "zap 1",
	  { "vpv_error: detected channel=2 answer=3", "vpv_zap:" } },
	{ NIC, "reset of the link", error, 3, "zap 1",
	  { "vpv_error: slot_reset channel=2 answer=5", "vpv_zap:",
	    "vpv_power: D0 -> D0 err=0" } },
	{ NIC, "recovery", error, 4, "", { "vpv_error: resume channel=1 answer=5" }, true },
	{ NIC, "close and open", reopen, 0, "",
	  { "vpv_reset: close err=0", "vpv_reset: open err=0" }, true },

	{ HISIL, "save", save, 0, "",
	  { "vmig_session_begin: save", "vmig_step: RUNNING -> PRE_COPY err=0 us=*",
	    "vmig_session_end: save err=0 bytes=* records=*" }, true },
	{ HISIL, "load", load, 0, "",
	  { "vmig_session_begin: load", "vmig_session_end: load err=0 bytes=* records=*",
	    "vmig_step: RESUMING -> STOP err=0 us=*" }, true },
	{ HISIL, "load that is refused", load_refused, 0, "",
	  { "vmig_session_begin: load", "vmig_refusal: magic err=-22 want=* got=*" }, true },
	{ HISIL, "reset", reset, 0, "reset 1, zap 1", { "vmig_reset: done", "vpv_reset: function err=0" },
	  true },
};

/* Events that no function of this machine has. */
static const struct {
	const char *name;
	const char *why;
} elsewhere[] = {
	{ "vmig_round", "hisi_like saves nothing while it runs, mlx5_like does" },
	{ "vmig_fault", "hisi_like has no fault that comes by itself, mlx5_like does" },
	{ "vmig_pages", "hisi_like has no memory of its own that migrates, coherent_gpu does" },
	{ "cgpu_harvest", "only coherent_gpu has it: gpu_test.py" },
	{ "vpv_bad_page", "no BAR here is memory that can be bad: coherent_gpu_poison_test" },
};

/* "vpv_zap: 0000:00:05.0 ..." is @expected, which has no name of a function? */
static bool line_is(const char *line, const char *bdf, const char *expected)
{
	char all[TRACE_CHARS];
	size_t event = strcspn(expected, ":") + 1;

	snprintf(all, sizeof(all), "%.*s %s%s", (int)event, expected, bdf, expected + event);
	return !fnmatch(all, line, 0);
}

/* Faults that come again with a smaller order are the kernel's affair. */
static bool falls_back(const char *line)
{
	return !strncmp(line, "vpv_fault:", 10) && strstr(line, "ret=0x800");
}

static bool lines_are(struct scene *s, const struct row *row)
{
	static char lines[LINES][TRACE_CHARS];
	int num = trace_lines(&s->trace, s->slot.bdf, lines, LINES);
	unsigned int at = 0;
	bool right = num >= 0 && num < LINES;

	for (int i = 0; i < num; i++) {
		const char *next = at < LINES_ROW ? row->lines[at] : NULL;

		if (next && line_is(lines[i], s->slot.bdf, next))
			at++;
		else if (!row->among && !falls_back(lines[i]))
			right = false;
	}
	right = right && (at == LINES_ROW || !row->lines[at]);
	for (int i = 0; i < num && !right; i++)
		printf("# %s: %s\n", row->what, lines[i]);
	return right;
}

struct count {
	char name[32];
	long long val;
};

static int read_counts(const struct slot *slot, struct count *counts)
{
	char path[128];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), ROOT "/%s/counters", slot->bdf);
	f = fopen(path, "r");
	if (!f)
		return -errno;
	while (n < COUNTERS && fscanf(f, "%31s %lld", counts[n].name, &counts[n].val) == 2)
		n++;
	fclose(f);
	return n;
}

/* By how much @name goes up in a row. */
static long expected_count(const struct row *row, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = row->counts; (at = strstr(at, name)); at += len)
		if ((at == row->counts || at[-1] == ' ') && at[len] == ' ')
			return strtol(at + len, NULL, 10);
	return 0;
}

static void check_row(struct __test_metadata *_metadata, struct scene *s, const struct row *row)
{
	struct count before[COUNTERS], after[COUNTERS];
	int num;

	ASSERT_EQ(0, trace_clear(&s->trace));
	num = read_counts(&s->slot, before);
	ASSERT_GT(num, 0);
	EXPECT_EQ(0, row->act(s, row->arg))
		TH_LOG("%s", row->what);
	ASSERT_EQ(num, read_counts(&s->slot, after));
	for (int i = 0; i < num; i++) {
		EXPECT_EQ(expected_count(row, after[i].name), after[i].val - before[i].val)
			TH_LOG("%s: %s", row->what, after[i].name);
	}
	EXPECT_TRUE(lines_are(s, row))
		TH_LOG("%s", row->what);
}

FIXTURE(observe)
{
	struct scene s;
};

FIXTURE_VARIANT(observe)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(observe, testdev) { .device = TESTDEV };
FIXTURE_VARIANT_ADD(observe, e1000e) { .device = NIC };
FIXTURE_VARIANT_ADD(observe, hisi_like) { .device = HISIL };

FIXTURE_SETUP(observe)
{
	struct scene *s = &self->s;

	s->v.fd = -1;
	if (access(ROOT, F_OK))
		SKIP(return, "no " ROOT);
	if (!strcmp(variant->device, HISIL))
		NEED_SLOTS(&s->slot, 1);
	else
		NEED_STOCK(variant->device, &s->slot, 1);
	if (!vdev_error_works())
		SKIP(return, "vpv_test_error is not loaded");
	ASSERT_EQ(0, vdev_open(&s->v, &s->slot, VDEV_GROUP));
	/* The rows of one export a dma-buf. */
	if (!strcmp(variant->device, TESTDEV))
		NEED_FEATURE(&s->v);
	ASSERT_EQ(0, vdev_bus_master(&s->v, false));
	ASSERT_EQ(0, trace_open(&s->trace, "vpv_core"));
	ASSERT_EQ(0, trace_add(&s->trace, "vpv_migration"));
	ASSERT_EQ(0, sysfs_write(ROOT "/counting", "1"));
}

FIXTURE_TEARDOWN(observe)
{
	sysfs_write(ROOT "/counting", "0");
	trace_close(&self->s.trace);
	vdev_close(&self->s.v);
	blob_free(&self->s.blob);
}

TEST_F_TIMEOUT(observe, counters_and_events, SECONDS)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].device, variant->device))
			check_row(_metadata, &self->s, &rows[i]);
}

static bool counter_in_rows(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (expected_count(&rows[i], name))
			return true;
	return false;
}

static bool event_in_rows(const char *name)
{
	size_t len = strlen(name);

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned int j = 0; j < LINES_ROW && rows[i].lines[j]; j++)
			if (!strncmp(rows[i].lines[j], name, len) && rows[i].lines[j][len] == ':')
				return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(elsewhere); i++)
		if (!strcmp(elsewhere[i].name, name)) {
			printf("# not looked at: %s: %s\n", name, elsewhere[i].why);
			return true;
		}
	return false;
}

/* Events of @system that no row has; or a negative errno. */
static int events_in_no_row(const char *system)
{
	char path[300];
	struct dirent *entry;
	int bad = 0;
	DIR *dir;

	snprintf(path, sizeof(path), EVENTS "/%s", system);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || event_in_rows(entry->d_name))
			continue;
		printf("# no row has %s/%s\n", system, entry->d_name);
		bad++;
	}
	closedir(dir);
	return bad;
}

TEST(no_name_is_left_out)
{
	struct count counts[COUNTERS];
	struct dirent *entry;
	struct slot slot;
	struct vdev v;
	int num, systems = 0;
	DIR *dir;

	if (access(ROOT, F_OK))
		SKIP(return, "no " ROOT);
	NEED_STOCK(TESTDEV, &slot, 1);
	/* Its files are there from the first time on that it was opened. */
	ASSERT_EQ(0, vdev_open(&v, &slot, VDEV_GROUP));
	vdev_close(&v);
	num = read_counts(&slot, counts);
	ASSERT_GT(num, 0);
	ASSERT_LT(num, COUNTERS);
	for (int i = 0; i < num; i++) {
		EXPECT_TRUE(counter_in_rows(counts[i].name))
			TH_LOG("no row has %s", counts[i].name);
	}

	dir = opendir(EVENTS);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vpv", 3))
			continue;
		systems++;
		EXPECT_EQ(0, events_in_no_row(entry->d_name));
	}
	closedir(dir);
	EXPECT_LE(2, systems);
}

TEST_HARNESS_MAIN
