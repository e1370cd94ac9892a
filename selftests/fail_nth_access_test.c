// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and user copy in the use of an open function is made to fail in
 * turn (lib/failnth.h): accesses, mappings and faults, ioeventfds, low power, resets.
 * SET_IRQS: fail_nth_irq_test.c.
 *
 * Groups: faults
 */
#include "lib/failnth.h"
#include "lib/look.h"
#include "lib/race.h"
#include "lib/stock.h"
#include "lib/test.h"

#define GB		0x40000000UL
#define SET		VFIO_DEVICE_FEATURE_SET
#define TESTDEV_BAR	2

struct access {
	struct vdev v;
	unsigned int bar, region;
	size_t bytes;		/* of a read, of a mapping */
	uint64_t pos;
	volatile uint8_t *map;
	void *room;
	int fd;
	struct looks looks;
};

static int read_run(void *arg)
{
	struct access *a = arg;
	uint8_t buf[2048];
	long n = vdev_pread(&a->v, a->region, a->pos, buf, a->bytes);

	return n < 0 ? n : n == a->bytes ? 0 : -EFAULT;
}

static int write_run(void *arg)
{
	struct access *a = arg;
	const uint32_t val = 0;
	long n = vdev_pwrite(&a->v, a->region, a->pos, &val, a->bytes);

	return n < 0 ? n : n == a->bytes ? 0 : -EFAULT;
}

/* Memory space on before, off after. */
static int write_prepare(void *arg)
{
	struct access *a = arg;

	return vdev_cfg_set(&a->v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static int write_works(void *arg)
{
	struct access *a = arg;

	return vdev_cfg(&a->v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY ? -EIO : 0;
}

static int ioeventfd(struct access *a, int fd)
{
	struct vfio_device_ioeventfd set = {
		.argsz = sizeof(set), .flags = 4, .offset = (uint64_t)a->bar << 40 | 0x40, .fd = fd,
	};

	return ioctl(a->v.fd, VFIO_DEVICE_IOEVENTFD, &set) ? -errno : 0;
}

static int ioeventfd_run(void *arg)
{
	struct access *a = arg;

	return ioeventfd(a, a->fd);
}

static int ioeventfd_works(void *arg)
{
	struct access *a = arg;

	return ioeventfd(a, a->fd) == -EEXIST ? 0 : -EIO;
}

static void ioeventfd_undo(void *arg)
{
	ioeventfd(arg, -1);
}

static int map_run(void *arg)
{
	struct access *a = arg;
	void *p = mmap(a->room, a->bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | (a->room ? MAP_FIXED : 0), a->v.fd, (off_t)a->bar << 40);

	a->map = p == MAP_FAILED ? NULL : p;
	return a->map ? 0 : -errno;
}

static void map_undo(void *arg)
{
	struct access *a = arg;

	munmap((void *)a->map, a->bytes);
	a->map = NULL;
}

/* No memory for page tables: the kernel tries again. */
static int fault_run(void *arg)
{
	struct access *a = arg;

	return race_load_faults(a->map) ? -EIO : 0;
}

static int fault_works(void *arg)
{
	struct access *a = arg;
	uint32_t val = *(volatile uint32_t *)a->map;

	return val == a->looks.first.region[a->bar].first ? 0 : -EIO;
}

static int low_power(struct access *a, bool enter)
{
	return vdev_feature(&a->v, SET | (enter ? VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY :
						  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT), NULL, 0);
}

static int sleep_run(void *arg)
{
	return low_power(arg, true);
}

static void sleep_undo(void *arg)
{
	low_power(arg, false);
}

/* From the same state each time: entering it twice is an error. */
static int wake_prepare(void *arg)
{
	int err = low_power(arg, false);

	return err ?: low_power(arg, true);
}

static int wake_run(void *arg)
{
	return low_power(arg, false);
}

static int wakeup_run(void *arg)
{
	struct access *a = arg;
	struct vfio_device_low_power_entry_with_wakeup wakeup = { .wakeup_eventfd = a->fd };

	return vdev_feature(&a->v, SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, &wakeup,
			    sizeof(wakeup));
}

static int wakeup_works(void *arg)
{
	struct access *a = arg;

	/* Nobody is told of an access that comes before it is asleep. */
	if (!vdev_pm_becomes(a->v.slot.bdf, "suspended"))
		return -EBUSY;
	vdev_cfg(&a->v, PCI_VENDOR_ID, 2);
	return eventfd_wait(a->fd, 5000) == 1 ? 0 : -ETIMEDOUT;
}

static int access_works(void *arg)
{
	struct access *a = arg;

	return look_again(&a->v, &a->looks);
}

static int reset_run(void *arg)
{
	struct access *a = arg;

	return vdev_reset(&a->v);
}

static int hot_reset_run(void *arg)
{
	struct access *a = arg;
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fd;
	} b = { .reset = { .argsz = sizeof(b), .count = a->v.mode == VDEV_GROUP }, .fd = a->v.group };

	return ioctl(a->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &b) ? -errno : 0;
}

static int hot_reset_info_run(void *arg)
{
	struct access *a = arg;
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device dev[8];
	} b = { .info = { .argsz = sizeof(b) } };

	return ioctl(a->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &b) ? -errno : 0;
}

static const struct failnth_op read_op = { .name = "read", .run = read_run };
static const struct failnth_op write_op = {
	.name = "write", .prepare = write_prepare, .run = write_run, .works = write_works,
};
static const struct failnth_op ioeventfd_op = {
	.name = "ioeventfd", .run = ioeventfd_run, .works = ioeventfd_works,
	.undo = ioeventfd_undo,
};
static const struct failnth_op map_op = {
	.name = "mmap", .run = map_run, .works = fault_works, .undo = map_undo,
};
static const struct failnth_op fault_op = {
	.name = "fault", .prepare = map_run, .run = fault_run, .works = fault_works,
	.undo = map_undo, .mute = true,
};
static const struct failnth_op sleep_op = {
	.name = "into low power", .run = sleep_run, .undo = sleep_undo,
};
static const struct failnth_op wake_op = {
	.name = "out of low power", .prepare = wake_prepare, .run = wake_run, .works = access_works,
};
static const struct failnth_op wakeup_op = {
	.name = "low power with wakeup", .run = wakeup_run, .works = wakeup_works,
	.undo = sleep_undo,
};
static const struct failnth_op reset_op = {
	.name = "reset", .run = reset_run, .works = access_works, .bare = true,
};
static const struct failnth_op hot_reset_op = {
	.name = "hot reset", .run = hot_reset_run, .works = access_works,
};
static const struct failnth_op hot_reset_info_op = {
	.name = "hot reset info", .run = hot_reset_info_run,
};

FIXTURE(access)
{
	struct access a;
};

FIXTURE_VARIANT(access)
{
	const char *device;
	enum vdev_mode mode;
	bool rom, bus;		/* it has a ROM; it has a bus of its own */
};

FIXTURE_VARIANT_ADD(access, hisi_like) { .device = MODEL, .mode = VDEV_CDEV };
FIXTURE_VARIANT_ADD(access, e1000e) {
	.device = "e1000e", .mode = VDEV_GROUP, .rom = true, .bus = true,
};
FIXTURE_VARIANT_ADD(access, e1000e_cdev) {
	.device = "e1000e", .mode = VDEV_CDEV, .rom = true, .bus = true,
};

FIXTURE_SETUP(access)
{
	struct slot slot;

	self->a.v.fd = self->a.v.group = self->a.v.iommu = -1;
	NEED_FAILURES();
	NEED_MODE(variant->mode);
	if (strcmp(variant->device, MODEL))
		NEED_STOCK(variant->device, &slot, 1);
	else
		NEED_SLOTS(&slot, 1);
	race_catch_faults();
	self->a.bar = strcmp(variant->device, MODEL) ? 0 : HISIL_BAR;
	self->a.fd = eventfd_new();
	ASSERT_EQ(0, vdev_open(&self->a.v, &slot, variant->mode));
	ASSERT_EQ(0, access_works(&self->a));
}

FIXTURE_TEARDOWN(access)
{
	vdev_close(&self->a.v);
	close(self->a.fd);
}

TEST_F_TIMEOUT(access, read_and_write, SWEEP_S)
{
	struct access *a = &self->a;

	a->region = VFIO_PCI_CONFIG_REGION_INDEX;
	a->bytes = 256;
	SWEEP(&read_op, a);
	a->pos = PCI_COMMAND;
	a->bytes = 2;
	SWEEP(&write_op, a);
	ASSERT_EQ(0, access_works(a));
	a->region = a->bar;
	a->pos = 0;
	a->bytes = 64;
	SWEEP(&read_op, a);
}

TEST_F_TIMEOUT(access, rom_read, SWEEP_S)
{
	struct access *a = &self->a;

	if (!variant->rom)
		SKIP(return, "%s has no ROM", variant->device);
	a->region = VFIO_PCI_ROM_REGION_INDEX;
	a->bytes = 2048;
	SWEEP(&read_op, a);
}

TEST_F_TIMEOUT(access, mmap_fault_and_ioeventfd, SWEEP_S)
{
	struct access *a = &self->a;

	a->bytes = 4096;
	SWEEP(&map_op, a);
	SWEEP(&fault_op, a);
	SWEEP(&ioeventfd_op, a);
}

TEST_F_TIMEOUT(access, low_power, SWEEP_S)
{
	SWEEP(&sleep_op, &self->a);
	SWEEP(&wake_op, &self->a);
	SWEEP(&wakeup_op, &self->a);
}

TEST_F_TIMEOUT(access, reset, SWEEP_S)
{
	SWEEP(&reset_op, &self->a);
}

TEST_F_TIMEOUT(access, hot_reset, SWEEP_S)
{
	if (!variant->bus)
		SKIP(return, "%s is on the root bus, which cannot be reset", variant->device);
	SWEEP(&hot_reset_info_op, &self->a);
	SWEEP(&hot_reset_op, &self->a);
}

/* Where the kernel maps 1 GiB at once. */
FIXTURE(huge)
{
	struct access a;
	void *room;
};

FIXTURE_SETUP(huge)
{
	struct slot slot;

	self->a = (struct access){ .bar = TESTDEV_BAR, .bytes = GB,
				   .v = { .fd = -1, .group = -1, .iommu = -1 } };
	NEED_FAILURES();
	if (access("/sys/bus/pci/drivers/vpv_test_variant", F_OK))
		SKIP(return, "vpv_test_variant is not loaded");
	if (slots_find("testdev", &slot, 1) != 1)
		SKIP(return, "no pci-testdev in /vpv/stock");
	race_catch_faults();
	ASSERT_EQ(0, vdev_bind(slot.bdf, "vpv_test_variant"));
	ASSERT_EQ(0, vdev_open(&self->a.v, &slot, VDEV_GROUP));
	ASSERT_EQ(0, access_works(&self->a));
	self->room = mmap(NULL, 2 * GB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);
	ASSERT_NE(MAP_FAILED, self->room);
	self->a.room = (void *)(((uintptr_t)self->room + GB - 1) / GB * GB);
}

FIXTURE_TEARDOWN(huge)
{
	munmap(self->room, 2 * GB);
	vdev_close(&self->a.v);
}

TEST_F_TIMEOUT(huge, fault, SWEEP_S)
{
	SWEEP(&fault_op, &self->a);
}

TEST_HARNESS_MAIN
