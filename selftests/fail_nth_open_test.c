// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and user copy in bind, open, close and unbind is made to fail in
 * turn (lib/failnth.h).  A function that can be opened all the same is whole: it is
 * compared with what it was when nothing failed.
 *
 * Groups: faults
 */
#include "lib/failnth.h"
#include "lib/look.h"
#include "lib/test.h"

#define PLAIN	"plain"		/* its BAR is smaller than a page */

/**
 * struct life - A function that is bound, opened, closed, unbound again and again
 * @slot: Which.
 * @driver: Its driver.
 * @v: When it is open.
 * @node: Its character device.
 * @looks: What it is when nothing fails.
 */
struct life {
	struct slot slot;
	const char *driver;
	struct vdev v;
	char node[128];
	struct looks looks;
};

/* ---- Bind and unbind ---- */

static int bind_run(void *arg)
{
	struct life *l = arg;
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", l->driver);
	return sysfs_write(path, l->slot.bdf);
}

static int unbind_run(void *arg)
{
	struct life *l = arg;

	return vdev_unbind(l->slot.bdf);
}

/* Binds it if it is not, and waits for its nodes. */
static int bound(void *arg)
{
	struct life *l = arg;

	return vdev_bind(l->slot.bdf, l->driver);
}

static int whole(void *arg)
{
	struct life *l = arg;

	return look_again(&l->v, &l->looks);
}

/* One that is bound can be opened. */
static int bind_works(void *arg)
{
	struct life *l = arg;
	int err = bound(l);

	if (!err)
		err = vdev_open(&l->v, &l->slot, VDEV_GROUP);
	if (!err)
		err = whole(l);
	vdev_close(&l->v);
	return err;
}

static int unbind_works(void *arg)
{
	struct life *l = arg;
	char driver[64] = "?";
	int err = vdev_driver(l->slot.bdf, driver, sizeof(driver));

	return err ?: driver[0] ? -EBUSY : 0;
}

/*
 * What ACPI gets no memory for, it takes for not there: an interrupt has no route, and
 * a name that is being looked up (Linux 7.3) loses its value for good.
 */
#define ROUTING "acpi_pci_irq_lookup"

/* A group that cannot be announced is freed with a warning, and its iommu_group is not put. */
#define NEW_GROUP "vfio_create_group"

static const struct failnth_op bind_op = {
	.name = "bind", .prepare = unbind_run, .run = bind_run, .works = bind_works,
	.spared = NEW_GROUP,
};
static const struct failnth_op unbind_op = {
	.name = "unbind", .prepare = bound, .run = unbind_run, .works = unbind_works,
	.spared = ROUTING, .mute = true,
};

/* ---- Open and close ---- */

static int open_run(void *arg)
{
	struct life *l = arg;

	l->v.fd = ioctl(l->v.group, VFIO_GROUP_GET_DEVICE_FD, l->slot.bdf);
	return l->v.fd < 0 ? -errno : 0;
}

static void open_undo(void *arg)
{
	struct life *l = arg;

	close(l->v.fd);
	l->v.fd = -1;
}

static int close_run(void *arg)
{
	open_undo(arg);
	return 0;
}

/* A closed one can be opened. */
static int close_works(void *arg)
{
	int err = open_run(arg);

	if (!err) {
		err = whole(arg);
		open_undo(arg);
	}
	return err;
}

/* Another context of iommufd each time. */
static int cdev_run(void *arg)
{
	struct life *l = arg;
	int err = vdev_bind_iommufd(&l->v, l->node, NULL);

	if (err)
		vdev_close(&l->v);
	return err;
}

static void cdev_undo(void *arg)
{
	struct life *l = arg;

	vdev_close(&l->v);
}

static int cdev_close_run(void *arg)
{
	cdev_undo(arg);
	return 0;
}

static int cdev_close_works(void *arg)
{
	int err = cdev_run(arg);

	if (!err) {
		err = whole(arg);
		cdev_undo(arg);
	}
	return err;
}

/* Warns when it gets no memory, and goes on. */
#define DMA_OWNER "__iommu_release_dma_ownership"

/* EBUSY: the driver needs a BAR and is told that somebody else has it. */
static const struct failnth_op open_op = {
	.name = "open", .run = open_run, .works = whole, .undo = open_undo,
	.spared = ROUTING, .errnos = { EBUSY },
};
static const struct failnth_op close_op = {
	.name = "close", .prepare = open_run, .run = close_run, .works = close_works,
	.spared = ROUTING, .mute = true, .bare = true,
};
static const struct failnth_op cdev_op = {
	.name = "open by cdev", .run = cdev_run, .works = whole, .undo = cdev_undo,
	.spared = ROUTING, .errnos = { EBUSY },
};
static const struct failnth_op cdev_close_op = {
	.name = "close by cdev", .prepare = cdev_run, .run = cdev_close_run,
	.works = cdev_close_works, .spared = DMA_OWNER, .mute = true, .bare = true,
};

FIXTURE(life)
{
	struct life l;
};

FIXTURE_VARIANT(life)
{
	const char *device;
	const char *driver;
	/* The size of this one of its BARs, which can be mapped. */
	unsigned int bar;
	uint64_t bytes;
};

FIXTURE_VARIANT_ADD(life, hisi_like)
{
	.device = MODEL, .driver = DRIVER, .bar = 2, .bytes = 0x20000,
};

FIXTURE_VARIANT_ADD(life, e1000e)
{
	.device = "e1000e", .driver = "vpv_pci", .bar = 0, .bytes = 0x20000,
};

FIXTURE_VARIANT_ADD(life, small_bar)
{
	.device = PLAIN, .driver = "vpv_pci", .bar = 0, .bytes = 0x400,
};

FIXTURE_SETUP(life)
{
	struct life *l = &self->l;

	l->v.fd = l->v.group = l->v.iommu = -1;
	l->driver = variant->driver;
	NEED_FAILURES();
	if (slots_find(variant->device, &l->slot, 1) != 1)
		SKIP(return, "no function of %s in /vpv", variant->device);
	ASSERT_EQ(0, bound(l));
}

FIXTURE_TEARDOWN(life)
{
	vdev_close(&self->l.v);
}

/* What the sweeps compare with is whole: a BAR smaller than a page can be mapped, too. */
TEST_F(life, bar_can_be_mapped)
{
	struct life *l = &self->l;
	struct vfio_region_info info;

	ASSERT_EQ(0, vdev_open(&l->v, &l->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_region(&l->v, variant->bar, &info));
	EXPECT_EQ(variant->bytes, info.size);
	EXPECT_NE(0U, info.flags & VFIO_REGION_INFO_FLAG_MMAP);
}

TEST_F_TIMEOUT(life, bind_and_unbind, SWEEP_S)
{
	SWEEP(&bind_op, &self->l);
	SWEEP(&unbind_op, &self->l);
	EXPECT_EQ(0, bind_works(&self->l));
}

TEST_F_TIMEOUT(life, open_and_close_by_group, SWEEP_S)
{
	struct life *l = &self->l;

	ASSERT_EQ(0, vdev_open(&l->v, &l->slot, VDEV_GROUP));
	open_undo(l);
	SWEEP(&open_op, l);
	SWEEP(&close_op, l);
}

TEST_F_TIMEOUT(life, open_and_close_by_cdev, SWEEP_S)
{
	struct life *l = &self->l;

	NEED_MODE(VDEV_CDEV);
	if (!strcmp(variant->device, "e1000e"))
		SKIP(return, "ROUTING and DMA_OWNER cannot both be spared in its close");
	l->v.slot = l->slot;
	l->v.mode = VDEV_CDEV;
	ASSERT_EQ(0, vdev_cdev_path(l->slot.bdf, l->node, sizeof(l->node)));
	SWEEP(&cdev_op, l);
	SWEEP(&cdev_close_op, l);
}

TEST_HARNESS_MAIN
