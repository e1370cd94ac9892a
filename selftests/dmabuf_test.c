// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of BARs (VFIO_DEVICE_FEATURE_DMA_BUF): which are made, and that another
 * device reaches the BAR by them exactly while the user could.  The other device is an
 * edu, its driver kunit/vfio_pci_core/vpv_test_importer.c.
 *
 * Groups: functions
 */
#include <pthread.h>
#include <sys/resource.h>

#include "lib/importer.h"
#include "lib/stock.h"
#include "lib/test.h"
#include "lib/vf.h"

#define TEST_DRIVER	"vpv_test_variant"
#define SRIOV_PARAM	"/sys/module/vpv_pci/parameters/enable_sriov"
#define FEATURE		VFIO_DEVICE_FEATURE_DMA_BUF
#define GET		VFIO_DEVICE_FEATURE_GET
#define SET		VFIO_DEVICE_FEATURE_SET
#define PROBE		VFIO_DEVICE_FEATURE_PROBE
/* For a loaded machine: each opens a device with a reset before and after. */
#define SECONDS		120
#define PAGE		0x1000ULL
#define GB		0x40000000ULL

/* BAR 2 of pci-testdev: memory, 4 GiB.  BAR 0 of e1000e: registers, 128 KiB. */
#define BAR		VFIO_PCI_BAR2_REGION_INDEX
#define BAR_BYTES	(4 * GB)
#define E1000E_BYTES	0x20000ULL

/* What vpv_test_variant shows of BAR 2, and its trapped page. */
#define SHOWN_BYTES	(2 * GB)
#define TRAP		(GB + 5 * 0x200000 + 3 * PAGE)
#define LIKE_BAR	9

/* ---- What every test needs ---- */

FIXTURE(dmabuf)
{
	struct slot slot;
	struct slot edu;
	struct vdev v;
	int imp;
};

FIXTURE_VARIANT(dmabuf)
{
	const char *device;
	unsigned int bar;
	enum vdev_mode mode;
};

FIXTURE_VARIANT_ADD(dmabuf, memory) {
	.device = "testdev", .bar = BAR, .mode = VDEV_CDEV,
};

FIXTURE_VARIANT_ADD(dmabuf, registers) {
	.device = "e1000e", .bar = 0, .mode = VDEV_GROUP,
};

FIXTURE_SETUP(dmabuf)
{
	self->v.fd = -1;
	self->imp = -1;
	NEED_MODE(variant->mode);
	NEED_STOCK(variant->device, &self->slot, 1);
	NEED_IMPORTER(self->imp, &self->edu);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	NEED_FEATURE(&self->v);
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
}

FIXTURE_TEARDOWN(dmabuf)
{
	close(self->imp);
	vdev_close(&self->v);
}

static int set_memory(struct vdev *v, bool on)
{
	uint32_t cmd = vdev_cfg(v, PCI_COMMAND, 2);

	cmd = on ? cmd | PCI_COMMAND_MEMORY : cmd & ~PCI_COMMAND_MEMORY;
	return vdev_cfg_set(v, PCI_COMMAND, 2, cmd);
}

/* ---- Making one ---- */

static unsigned int open_files(void)
{
	unsigned int num = 0;

	for (int fd = 0; fd < 256; fd++)
		num += fcntl(fd, F_GETFD) >= 0;
	return num;
}

TEST_F_TIMEOUT(dmabuf, size_and_flags, SECONDS)
{
	static const struct range two[] = { { 5 * PAGE, 2 * PAGE }, { PAGE, PAGE } };
	uint64_t whole = variant->bar ? BAR_BYTES : E1000E_BYTES;
	int fd = dmabuf_one(&self->v, variant->bar, 0, whole);

	ASSERT_LE(0, fd);
	EXPECT_EQ((off_t)whole, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	/* For devices, not for CPUs. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	close(fd);
	fd = dmabuf_get(&self->v, variant->bar, 2, two);
	ASSERT_LE(0, fd);
	EXPECT_EQ((off_t)(3 * PAGE), lseek(fd, 0, SEEK_END));
	close(fd);
	EXPECT_EQ(-EINVAL, vdev_feature(&self->v, PROBE | SET | FEATURE, NULL, 0));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->v, GET | FEATURE, NULL, 0));
}

TEST_F_TIMEOUT(dmabuf, refused, SECONDS)
{
	uint64_t whole = variant->bar ? BAR_BYTES : E1000E_BYTES;
	const struct {
		int err;
		uint32_t index;
		uint32_t num;
		struct range ranges[2];
	} rows[] = {
		{ EINVAL, variant->bar, 0, { { 0, PAGE } } },
		{ EINVAL, variant->bar, 1, { { 0, 0 } } },
		{ EINVAL, variant->bar, 2, { { 0, PAGE }, { PAGE, 0 } } },
		{ EINVAL, variant->bar, 1, { { 0x10, PAGE } } },
		{ EINVAL, variant->bar, 1, { { 0, PAGE - 1 } } },
		{ EINVAL, variant->bar, 1, { { 0, whole + PAGE } } },
		{ EINVAL, variant->bar, 1, { { whole, PAGE } } },
		{ EINVAL, variant->bar, 2, { { 0, PAGE }, { whole - PAGE, 2 * PAGE } } },
		{ EINVAL, variant->bar, 1, { { 0, 1ULL << 63 } } },
		{ EINVAL, variant->bar, 2, { { 0, 1ULL << 63 }, { 0, 1ULL << 63 } } },
		{ EOVERFLOW, variant->bar, 1, { { -PAGE, PAGE } } },
		{ EOVERFLOW, variant->bar, 1, { { -2 * PAGE, 4 * PAGE } } },
		{ ENODEV, 5, 1, { { 0, PAGE } } },
		{ ENODEV, VFIO_PCI_ROM_REGION_INDEX, 1, { { 0, PAGE } } },
		{ ENODEV, VFIO_PCI_CONFIG_REGION_INDEX, 1, { { 0, PAGE } } },
		{ ENODEV, UINT32_MAX, 1, { { 0, PAGE } } },
		{ ENOMEM, variant->bar, UINT32_MAX, { { 0, PAGE } } },
	};
	unsigned int before = open_files();

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(-rows[i].err, dmabuf_get(&self->v, rows[i].index, rows[i].num, rows[i].ranges))
			TH_LOG("row %u", i);
	}
	EXPECT_EQ(before, open_files());
}

/* It is made before there is no place for it in the table of files. */
TEST_F_TIMEOUT(dmabuf, no_descriptor, SECONDS)
{
	struct rlimit old, none;
	int fd, ret;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	ret = dmabuf_one(&self->v, variant->bar, 0, PAGE);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(-EMFILE, ret);

	/* What is left of it is in nobody's way. */
	EXPECT_EQ(0, set_memory(&self->v, false));
	EXPECT_EQ(0, set_memory(&self->v, true));
	fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, import_once(fd, &self->edu));
	close(fd);
}

/* Ranges that cannot be read: at the end of what is mapped. */
TEST_F_TIMEOUT(dmabuf, unreadable, SECONDS)
{
	size_t head = sizeof(struct vfio_device_feature) + sizeof(struct vfio_device_feature_dma_buf);
	uint8_t *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vfio_device_feature_dma_buf *arg;
	struct vfio_device_feature *f;
	unsigned int before;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p + PAGE, PAGE));
	before = open_files();
	f = (void *)(p + PAGE - head);
	arg = (void *)f->data;
	f->argsz = head + sizeof(struct range);
	f->flags = GET | FEATURE;
	arg->region_index = variant->bar;
	arg->nr_ranges = 1;
	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_FEATURE, f));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(before, open_files());
	munmap(p, PAGE);
}

/* ---- What another device reaches by it ---- */

TEST_F_TIMEOUT(dmabuf, importers_that_cannot_let_go, SECONDS)
{
	int fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, import_attach(self->imp, fd, &self->edu, "static"));
	EXPECT_EQ(-EOPNOTSUPP, import_attach(self->imp, fd, &self->edu, "pages"));
	EXPECT_EQ(0, import_attach(self->imp, fd, &self->edu, ""));
	close(fd);
}

/* A device writes by it what the user then reads, in the order of the ranges. */
TEST_F_TIMEOUT(dmabuf, dma_by_another_device, SECONDS)
{
	static const struct range two[] = { { 5 * PAGE, PAGE }, { 2 * PAGE, PAGE } };
	int fd = dmabuf_get(&self->v, variant->bar, 2, two);
	struct import state;

	if (variant->bar != BAR)
		SKIP(return, "registers");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->imp, fd, &self->edu, ""));
	ASSERT_EQ(0, importer_tell(self->imp, "map"));
	state = import_state(self->imp);
	EXPECT_EQ(2 * PAGE, state.bytes);
	EXPECT_NE(0ULL, state.phys);

	ASSERT_EQ(0, bar_set(&self->v, BAR, 5 * PAGE + 8, 0));
	ASSERT_EQ(0, bar_set(&self->v, BAR, 2 * PAGE + 8, 0));
	ASSERT_EQ(0, import_store(self->imp, 8, 0x600d0001));
	ASSERT_EQ(0, import_store(self->imp, PAGE + 8, 0x600d0002));
	EXPECT_EQ(0x600d0001U, bar_get(&self->v, BAR, 5 * PAGE + 8));
	EXPECT_EQ(0x600d0002U, bar_get(&self->v, BAR, 2 * PAGE + 8));

	/* Again after it was taken away. */
	ASSERT_EQ(0, set_memory(&self->v, false));
	EXPECT_EQ(0ULL, import_state(self->imp).phys);
	ASSERT_EQ(0, set_memory(&self->v, true));
	ASSERT_EQ(0, importer_tell(self->imp, "map"));
	ASSERT_EQ(0, import_store(self->imp, 12, 0x600d0003));
	EXPECT_EQ(0x600d0003U, bar_get(&self->v, BAR, 5 * PAGE + 12));
	close(fd);
}

/* ---- Taking it away ---- */

static int power(struct vdev *v, unsigned int state)
{
	unsigned int pm = vdev_find_cap(v, PCI_CAP_ID_PM);

	return pm ? vdev_cfg_set(v, pm + PCI_PM_CTRL, 2, state) : -ENOENT;
}

static int flr(struct vdev *v)
{
	unsigned int exp = vdev_find_cap(v, PCI_CAP_ID_EXP);

	if (!exp || !(vdev_cfg(v, exp + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR))
		return -ENOENT;
	return vdev_cfg_set(v, exp + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
}

static int hot_reset(struct vdev *v)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fd;
	} b = { .reset = { .argsz = sizeof(b) } };

	if (v->mode == VDEV_GROUP) {
		b.reset.count = 1;
		b.fd = v->group;
	}
	return ioctl(v->fd, VFIO_DEVICE_PCI_HOT_RESET, &b) ? -errno : 0;
}

static int low_power(struct vdev *v, uint32_t feature)
{
	return vdev_feature(v, SET | feature, NULL, 0);
}

static int off(struct vdev *v) { return set_memory(v, false); }
static int on(struct vdev *v) { return set_memory(v, true); }
static int d3(struct vdev *v) { return power(v, 3); }
static int d0(struct vdev *v) { return power(v, 0); }
static int frozen(struct vdev *v) { return vdev_error(v->slot.bdf, "frozen"); }
static int recovered(struct vdev *v) { return vdev_error(v->slot.bdf, "reset"); }
static int enter(struct vdev *v) { return low_power(v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY); }
static int leave(struct vdev *v) { return low_power(v, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT); }

/* What takes it away, and what gives it back; NULL: it is back at once. */
static const struct {
	const char *name;
	int (*away)(struct vdev *v);
	int (*back)(struct vdev *v);
} ways[] = {
	{ "memory enable", off, on },
	{ "D3hot", d3, d0 },
	{ "RESET", vdev_reset, NULL },
	{ "FLR", flr, NULL },
	{ "hot reset", hot_reset, NULL },
	{ "low power", enter, leave },
	{ "error", frozen, recovered },
};

TEST_F_TIMEOUT(dmabuf, goes_with_memory, SECONDS)
{
	int fd = dmabuf_one(&self->v, variant->bar, PAGE, PAGE), late;
	unsigned int told = 0, done = 0;
	struct import state;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->imp, fd, &self->edu, ""));
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		int ret;

		ASSERT_EQ(0, importer_tell(self->imp, "map"))
			TH_LOG("before %s", ways[i].name);
		EXPECT_NE(0ULL, import_state(self->imp).phys);
		ret = ways[i].away(&self->v);
		if (ret) {
			TH_LOG("%s: no, %s", ways[i].name, strerror(-ret));
			ASSERT_EQ(0, importer_tell(self->imp, "unmap"));
			told = import_state(self->imp).told;
			continue;
		}
		done++;
		state = import_state(self->imp);
		EXPECT_EQ(told + 1, state.told)
			TH_LOG("%s", ways[i].name);
		EXPECT_EQ(0U, state.mapped);
		EXPECT_EQ(0ULL, state.phys);
		told = state.told;
		if (!ways[i].back)
			continue;

		EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"))
			TH_LOG("%s", ways[i].name);
		EXPECT_EQ(-ENODEV, import_once(fd, &self->edu));
		/* One that is made now is no better. */
		late = dmabuf_one(&self->v, variant->bar, 0, PAGE);
		ASSERT_LE(0, late);
		EXPECT_EQ(-ENODEV, import_once(late, &self->edu));
		ASSERT_EQ(0, ways[i].back(&self->v))
			TH_LOG("back after %s", ways[i].name);
		EXPECT_EQ(0, import_once(late, &self->edu))
			TH_LOG("back after %s", ways[i].name);
		close(late);
	}
	/* QEMU's e1000e has no FLR (below), pci-testdev no capability at all. */
	EXPECT_LE(variant->bar ? 5U : 6U, done);
	EXPECT_EQ(0, importer_tell(self->imp, "map"));
	close(fd);
}

/* While it sleeps, waking it for a write of COMMAND does not bring it back. */
TEST_F_TIMEOUT(dmabuf, low_power_is_the_stronger, SECONDS)
{
	int fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, enter(&self->v));
	ASSERT_EQ(0, set_memory(&self->v, false));
	ASSERT_EQ(0, set_memory(&self->v, true));
	EXPECT_EQ(-ENODEV, import_once(fd, &self->edu));
	ASSERT_EQ(0, leave(&self->v));
	EXPECT_EQ(0, import_once(fd, &self->edu));
	close(fd);
}

/* Who takes it away waits until the other device has it no more. */
TEST_F_TIMEOUT(dmabuf, waits_for_slow_importers, SECONDS)
{
	int fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);
	uint64_t start;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->imp, fd, &self->edu, ""));
	ASSERT_EQ(0, importer_tell(self->imp, "map"));
	ASSERT_EQ(0, importer_tell(self->imp, "slow 300"));
	start = now_ms();
	ASSERT_EQ(0, set_memory(&self->v, false));
	EXPECT_LE(290ULL, now_ms() - start);
	EXPECT_EQ(0U, import_state(self->imp).mapped);
	ASSERT_EQ(0, set_memory(&self->v, true));
	close(fd);
}

/* ---- How long it lives ---- */

TEST_F_TIMEOUT(dmabuf, outlives_the_open_device, SECONDS)
{
	int fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->imp, fd, &self->edu, ""));
	ASSERT_EQ(0, importer_tell(self->imp, "map"));
	vdev_close(&self->v);
	EXPECT_EQ(0U, import_state(self->imp).mapped);
	EXPECT_EQ(0ULL, import_state(self->imp).phys);
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	EXPECT_EQ(-ENODEV, import_once(fd, &self->edu));

	/* The next user's memory is not that of the last one. */
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(0, set_memory(&self->v, true));
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	EXPECT_EQ(-ENODEV, import_once(fd, &self->edu));
	close(fd);
}

TEST_F_TIMEOUT(dmabuf, outlives_the_driver, SECONDS)
{
	int fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->imp, fd, &self->edu, ""));
	ASSERT_EQ(0, importer_tell(self->imp, "map"));
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
	EXPECT_EQ(-ENODEV, importer_tell(self->imp, "map"));
	EXPECT_EQ(-ENODEV, import_once(fd, &self->edu));
	close(fd);
}

/* Its file is closed, its name is still held: there is nothing to reach by it. */
TEST_F_TIMEOUT(dmabuf, path_without_a_file, SECONDS)
{
	int fd = dmabuf_one(&self->v, variant->bar, 0, PAGE), path;
	char name[32];

	ASSERT_LE(0, fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	path = open(name, O_PATH);
	ASSERT_LE(0, path);
	close(fd);
	ASSERT_EQ(0, set_memory(&self->v, false));
	ASSERT_EQ(0, set_memory(&self->v, true));
	fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, import_once(fd, &self->edu));
	close(path);
	ASSERT_EQ(0, set_memory(&self->v, false));
	ASSERT_EQ(0, set_memory(&self->v, true));
	EXPECT_EQ(0, import_once(fd, &self->edu));
	close(fd);
	fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);
	ASSERT_LE(0, fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	path = open(name, O_PATH);
	close(fd);
	vdev_close(&self->v);
	close(path);
}

/* ---- All of it at the same time ---- */

#define ROUNDS 100

struct racer {
	struct vdev *v;
	const struct slot *edu;
	unsigned int bar;
	volatile bool stop;
	unsigned int bad;
};

/* Made, mapped and closed, in any order with the others. */
static void *race_import(void *arg)
{
	struct racer *r = arg;

	while (!r->stop) {
		int imp = open(IMPORTER, O_RDWR), fd = dmabuf_one(r->v, r->bar, 0, 2 * PAGE), ret;

		r->bad += fd < 0 || imp < 0;
		ret = import_attach(imp, fd, r->edu, "");
		close(fd);
		for (unsigned int i = 0; !ret && i < 4; i++) {
			ret = importer_tell(imp, "map");
			if (ret == -EBUSY)
				ret = importer_tell(imp, "unmap");
		}
		r->bad += ret && ret != -ENODEV;
		close(imp);
	}
	return NULL;
}

TEST_F_TIMEOUT(dmabuf, races, SECONDS)
{
	struct racer r = { .v = &self->v, .edu = &self->edu, .bar = variant->bar };
	pthread_t threads[2];
	int fd;

	for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race_import, &r));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(0, set_memory(&self->v, false));
		EXPECT_EQ(0, set_memory(&self->v, true));
	}
	r.stop = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0U, r.bad);
	fd = dmabuf_one(&self->v, variant->bar, 0, PAGE);
	EXPECT_EQ(0, import_once(fd, &self->edu));
	close(fd);
}

/* ---- Functions that are not like those ---- */

FIXTURE(other)
{
	struct slot slot;
	struct vdev v;
};

FIXTURE_SETUP(other)
{
	self->v.fd = self->v.group = self->v.iommu = -1;
}

FIXTURE_TEARDOWN(other)
{
	vdev_close(&self->v);
	/* Without effect where there are none. */
	vf_set_num(&self->slot, 0);
	sysfs_write(SRIOV_PARAM, "0");
}

/* Its user has it sleep, VFs wake it. */
TEST_F_TIMEOUT(other, back_when_vfs_are_made, SECONDS)
{
	struct slot edu;
	int imp, fd;

	NEED_STOCK("igb", &self->slot, 1);
	NEED_IMPORTER(imp, &edu);
	close(imp);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	NEED_FEATURE(&self->v);
	ASSERT_EQ(0, set_memory(&self->v, true));
	fd = dmabuf_one(&self->v, 0, 0, PAGE);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, d3(&self->v));
	EXPECT_EQ(-ENODEV, import_once(fd, &edu));
	ASSERT_EQ(0, sysfs_write(SRIOV_PARAM, "1"));
	EXPECT_EQ(0, vf_set_num(&self->slot, 1));
	EXPECT_EQ(0, import_once(fd, &edu));
	close(fd);
}

/* It resets itself when its user writes a bit of config space; igb can. */
TEST_F_TIMEOUT(other, goes_with_flr, SECONDS)
{
	struct import state;
	struct slot edu;
	int imp, fd;

	NEED_STOCK("igb", &self->slot, 1);
	NEED_IMPORTER(imp, &edu);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	NEED_FEATURE(&self->v);
	ASSERT_EQ(0, set_memory(&self->v, true));
	fd = dmabuf_one(&self->v, 0, 0, PAGE);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(imp, fd, &edu, ""));
	ASSERT_EQ(0, importer_tell(imp, "map"));
	ASSERT_EQ(0, flr(&self->v));
	state = import_state(imp);
	EXPECT_EQ(1U, state.told);
	EXPECT_EQ(0U, state.mapped);
	EXPECT_EQ(0, importer_tell(imp, "map"));
	close(imp);
	close(fd);
}

/* A BAR of which the user has not all. */
TEST_F_TIMEOUT(other, only_what_can_be_mapped, SECONDS)
{
	static const struct {
		uint32_t index;
		uint64_t offset;
		uint64_t bytes;
		int err;
	} rows[] = {
		{ BAR, 0, TRAP, 0 },
		{ BAR, TRAP + PAGE, SHOWN_BYTES - TRAP - PAGE, 0 },
		{ BAR, TRAP, PAGE, EINVAL },
		{ BAR, TRAP - PAGE, 3 * PAGE, EINVAL },
		{ BAR, 0, SHOWN_BYTES, EINVAL },
		{ BAR, SHOWN_BYTES, PAGE, EINVAL },
		{ BAR, SHOWN_BYTES - PAGE, 2 * PAGE, EINVAL },
		{ LIKE_BAR, 0, PAGE, ENODEV },
	};

	if (access("/sys/bus/pci/drivers/" TEST_DRIVER, F_OK))
		SKIP(return, "%s is not loaded", TEST_DRIVER);
	if (slots_find("testdev", &self->slot, 1) != 1)
		SKIP(return, "no pci-testdev in /vpv/stock");
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, TEST_DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	NEED_FEATURE(&self->v);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = dmabuf_one(&self->v, rows[i].index, rows[i].offset, rows[i].bytes);

		if (rows[i].err) {
			EXPECT_EQ(-rows[i].err, fd)
				TH_LOG("row %u", i);
		} else {
			EXPECT_LE(0, fd)
				TH_LOG("row %u", i);
		}
		if (fd >= 0)
			close(fd);
	}
}

TEST_HARNESS_MAIN
