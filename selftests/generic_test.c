// SPDX-License-Identifier: GPL-2.0
/*
 * What of the contract needs a device that the models are not: ROM, ioeventfds of
 * every width, reset of a bus, errors that are reported and recovered from.  With
 * vpv_pci on QEMU's own devices.
 *
 * Groups: self stable
 */
#include <pthread.h>

#include "lib/sigbus.h"
#include "lib/test.h"
#include "lib/stock.h"

#define NUM(a)		(sizeof(a) / sizeof((a)[0]))
#define SOON_MS		5000
#define NEVER_MS	100

static int set_memory(struct vdev *v, bool on)
{
	uint32_t cmd = vdev_cfg(v, PCI_COMMAND, 2);

	cmd = on ? cmd | PCI_COMMAND_MEMORY : cmd & ~PCI_COMMAND_MEMORY;
	return vdev_cfg_set(v, PCI_COMMAND, 2, cmd);
}

FIXTURE(generic)
{
	struct slot slot;
	struct vdev v;
};

FIXTURE_SETUP(generic)
{
	NEED_STOCK("e1000e", &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
}

FIXTURE_TEARDOWN(generic)
{
	vdev_close(&self->v);
}

/* ---- What the PCI core knows of the function ---- */

/* How often it was enabled: a digit. */
static char enabled(const struct slot *slot)
{
	int fd = vdev_sysfs_open(slot->bdf, "enable", O_RDONLY);
	char c = '?';

	if (read(fd, &c, 1) != 1)
		c = '?';
	close(fd);
	return c;
}

/* The PCI core enables it once, but each user finds what enabling does. */
TEST_F(generic, enabled_until_unbound)
{
	const uint32_t decode = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	const uint16_t off = PCI_COMMAND_INTX_DISABLE;
	uint32_t first = vdev_cfg(&self->v, PCI_COMMAND, 2) & (decode | off);
	int fd;

	ASSERT_EQ(decode, first & decode);
	EXPECT_EQ('1', enabled(&self->slot));
	vdev_close(&self->v);
	EXPECT_EQ('1', enabled(&self->slot));

	fd = vdev_sysfs_open(self->slot.bdf, "config", O_RDWR);
	ASSERT_EQ(2, pwrite(fd, &off, 2, PCI_COMMAND));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	EXPECT_EQ(first, vdev_cfg(&self->v, PCI_COMMAND, 2) & (decode | off));
	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(1)));
	EXPECT_EQ(E1000E_IVAR_OTHER(1), bar_get(&self->v, 0, E1000E_IVAR));
	vdev_close(&self->v);
	EXPECT_EQ('1', enabled(&self->slot));

	ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
	EXPECT_EQ('0', enabled(&self->slot));
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, "vpv_pci"));
	EXPECT_EQ('0', enabled(&self->slot));
	close(fd);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
}

/* ---- COMMAND of the hardware, when somebody restores it as it was ---- */

#define E1000E_PORTS	2	/* its BAR in I/O space */

static uint16_t hw_command(const struct slot *slot)
{
	int fd = vdev_sysfs_open(slot->bdf, "config", O_RDONLY);
	uint16_t cmd = 0xffff;

	if (pread(fd, &cmd, sizeof(cmd), PCI_COMMAND) != sizeof(cmd))
		cmd = 0xffff;
	close(fd);
	return cmd;
}

static int intx_action(struct vdev *v, uint32_t action)
{
	return vdev_irq_one(v, VFIO_PCI_INTX_IRQ_INDEX, action, 0);
}

/* A function without No_Soft_Reset gets back what it had before D3hot. */
TEST_F(generic, what_is_changed_in_d3hot_counts)
{
	const uint32_t on = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	const uint32_t off = PCI_COMMAND_INTX_DISABLE;
	unsigned int ctrl = vdev_find_cap(&self->v, PCI_CAP_ID_PM) + PCI_PM_CTRL;
	int event = eventfd_new();

	ASSERT_FALSE(vdev_cfg(&self->v, ctrl, 2) & PCI_PM_CTRL_NO_SOFT_RESET);
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &event));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, 0));
	EXPECT_EQ(0U, hw_command(&self->slot) & (on | off));

	ASSERT_EQ(0, vdev_cfg_set(&self->v, ctrl, 2, 3));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, on));
	ASSERT_EQ(0, intx_action(&self->v, VFIO_IRQ_SET_ACTION_MASK));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, ctrl, 2, 0));
	EXPECT_EQ(on | off, hw_command(&self->slot) & (on | off));
	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(1)));
	EXPECT_EQ(E1000E_IVAR_OTHER(1), bar_get(&self->v, 0, E1000E_IVAR));

	ASSERT_EQ(0, vdev_cfg_set(&self->v, ctrl, 2, 3));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, 0));
	ASSERT_EQ(0, intx_action(&self->v, VFIO_IRQ_SET_ACTION_UNMASK));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, ctrl, 2, 0));
	EXPECT_EQ(0U, hw_command(&self->slot) & (on | off));
	close(event);
}

static void *reset(void *arg)
{
	struct vdev *v = arg;

	return ioctl(v->fd, VFIO_DEVICE_RESET) ? arg : NULL;
}

/* The PCI core saves COMMAND, waits for the reset, and restores it. */
TEST_F(generic, intx_masked_during_a_reset_is_masked)
{
	int event = eventfd_new();
	pthread_t thread;
	void *failed;

	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &event));
	for (int i = 0; i < 4; i++) {
		bool mask = !(i % 2);

		ASSERT_EQ(0, pthread_create(&thread, NULL, reset, &self->v));
		usleep(30000);
		EXPECT_EQ(0, intx_action(&self->v, mask ? VFIO_IRQ_SET_ACTION_MASK :
						   VFIO_IRQ_SET_ACTION_UNMASK));
		ASSERT_EQ(0, pthread_join(thread, &failed));
		EXPECT_EQ(NULL, failed);
		EXPECT_EQ(mask, !!(hw_command(&self->slot) & PCI_COMMAND_INTX_DISABLE));
	}
	close(event);
}

/* ---- ROM: the image that the lab gives to e1000e (tools/lab/labkit/devices.py) ---- */

#define ROM		VFIO_PCI_ROM_REGION_INDEX
#define ROM_BYTES	2048
#define ROM_KNOWN	0x34	/* from here on each byte tells where it is */

static int rom_wrong(const uint8_t *rom, unsigned int pos, unsigned int bytes)
{
	int wrong = 0;

	for (unsigned int i = 0; i < bytes; i++) {
		unsigned int at = pos + i;

		wrong += at >= ROM_KNOWN && rom[i] != (uint8_t)(at * 7 + (at >> 8));
	}
	return wrong;
}

/* As the host's own reader sees it. */
static int host_rom(const struct slot *slot, uint8_t *rom)
{
	int fd = vdev_sysfs_open(slot->bdf, "rom", O_RDWR);
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, "1", 1) == 1)
		n = pread(fd, rom, ROM_BYTES, 0);
	close(fd);
	return n == ROM_BYTES ? 0 : -EIO;
}

TEST_F(generic, rom)
{
	struct vfio_region_info info;
	uint8_t rom[ROM_BYTES + 16], host[ROM_BYTES];

	ASSERT_EQ(0, vdev_region(&self->v, ROM, &info));
	EXPECT_EQ((uint32_t)VFIO_REGION_INFO_FLAG_READ, info.flags);
	EXPECT_EQ((unsigned long long)ROM_BYTES, info.size);

	ASSERT_EQ(ROM_BYTES, vdev_pread(&self->v, ROM, 0, rom, sizeof(rom)));
	EXPECT_EQ(0x55, rom[0]);
	EXPECT_EQ(0xaa, rom[1]);
	EXPECT_EQ(0, rom_wrong(rom, 0, ROM_BYTES));
	EXPECT_EQ(0, host_rom(&self->slot, host));
	EXPECT_EQ(0, memcmp(rom, host, ROM_BYTES));
	for (unsigned int bytes = 1; bytes < 24; bytes++) {
		ASSERT_EQ(bytes, vdev_pread(&self->v, ROM, 0x101, rom, bytes));
		EXPECT_EQ(0, rom_wrong(rom, 0x101, bytes));
	}
	EXPECT_EQ(3, vdev_pread(&self->v, ROM, ROM_BYTES - 3, rom, 8));

	EXPECT_EQ(-EINVAL, vdev_pread(&self->v, ROM, ROM_BYTES, rom, 1));
	EXPECT_EQ(-EINVAL, vdev_pwrite(&self->v, ROM, 0, rom, 4));
	ASSERT_EQ(0, set_memory(&self->v, false));
	EXPECT_EQ(-EIO, vdev_pread(&self->v, ROM, 0, rom, 4));
	ASSERT_EQ(0, set_memory(&self->v, true));
	EXPECT_EQ(4, vdev_pread(&self->v, ROM, 0, rom, 4));
}

TEST_F(generic, rom_bar_is_the_users)
{
	uint8_t rom[4];

	/* Sizing, and an address that the hardware never gets. */
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_ROM_ADDRESS, 4, 0xffffffff));
	EXPECT_EQ((uint32_t)(-ROM_BYTES | PCI_ROM_ADDRESS_ENABLE),
		  vdev_cfg(&self->v, PCI_ROM_ADDRESS, 4));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_ROM_ADDRESS, 4, 0xfe000000));
	EXPECT_EQ(0xfe000000U, vdev_cfg(&self->v, PCI_ROM_ADDRESS, 4));
	ASSERT_EQ(4, vdev_pread(&self->v, ROM, 0, rom, 4));
	EXPECT_EQ(0x55, rom[0]);
}

/* ---- Ioeventfds ---- */

static int ioeventfd(struct vdev *v, uint32_t flags, uint64_t offset, uint64_t data, int fd)
{
	struct vfio_device_ioeventfd set = {
		.argsz = sizeof(set), .flags = flags, .offset = offset, .data = data, .fd = fd,
	};

	return ioctl(v->fd, VFIO_DEVICE_IOEVENTFD, &set) ? -errno : 0;
}

static uint64_t bar(unsigned int index, uint64_t pos)
{
	return (uint64_t)index << 40 | pos;
}

TEST_F(generic, ioeventfd_of_each_width)
{
	const uint64_t data = 0x8877665544332211ULL;
	struct slot slot;
	struct vdev v;
	int fd = eventfd_new();
	uint64_t one = 1;

	NEED_STOCK("testdev", &slot, 1);
	ASSERT_EQ(0, vdev_open(&v, &slot, VDEV_GROUP));
	ASSERT_EQ(0, set_memory(&v, true));

	for (unsigned int bytes = 1; bytes <= 8; bytes *= 2) {
		uint64_t mem, want = ~0ULL, pos = 0x1000 + 0x100 * bytes;

		memcpy(&want, &data, bytes);
		mem = ~0ULL;
		ASSERT_EQ(8, vdev_pwrite(&v, 2, pos, &mem, 8));
		ASSERT_EQ(0, ioeventfd(&v, bytes, bar(2, pos), data, fd));

		/* Dropped while memory is disabled. */
		ASSERT_EQ(0, set_memory(&v, false));
		ASSERT_EQ(8, write(fd, &one, 8));
		usleep(10000);
		ASSERT_EQ(0, set_memory(&v, true));
		ASSERT_EQ(8, vdev_pread(&v, 2, pos, &mem, 8));
		EXPECT_EQ(~0ULL, mem);

		ASSERT_EQ(8, write(fd, &one, 8));
		for (int i = 0; i < SOON_MS && mem != want; i++) {
			usleep(1000);
			ASSERT_EQ(8, vdev_pread(&v, 2, pos, &mem, 8));
		}
		EXPECT_EQ(want, mem)
			TH_LOG("%u bytes", bytes);
		EXPECT_EQ(0, ioeventfd(&v, bytes, bar(2, pos), data, -1));
	}
	vdev_close(&v);
	close(fd);
}

TEST_F(generic, ioeventfd_refusals)
{
	struct vfio_region_info info;
	int fd = eventfd_new();

	ASSERT_EQ(0, vdev_region(&self->v, 0, &info));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 0, bar(0, 0), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 3, bar(0, 0), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 16, bar(0, 0), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, bar(0, 0), 0, -2));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, bar(0, 2), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, bar(0, info.size), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 8, bar(0, info.size - 4), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, bar(0, ~0ULL >> 24), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, bar(5, 0), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, bar(7, 0), 0, fd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, ~0ULL << 32, 0, fd));
	/* e1000e's MSI-X table is at the begin of BAR 3. */
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, bar(3, 0x10), 0, fd));
	EXPECT_EQ(-EBADF, ioeventfd(&self->v, 4, bar(0, 0x10), 0, 1 << 20));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 4, bar(0, 0x10), 0, 0));

	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, 4, bar(0, 0x10), 1, -1));
	ASSERT_EQ(0, ioeventfd(&self->v, 4, bar(0, 0x10), 1, fd));
	EXPECT_EQ(-EEXIST, ioeventfd(&self->v, 4, bar(0, 0x10), 1, fd));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, 2, bar(0, 0x10), 1, -1));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, 4, bar(0, 0x10), 2, -1));
	EXPECT_EQ(0, ioeventfd(&self->v, 4, bar(0, 0x10), 1, -1));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, 4, bar(0, 0x10), 1, -1));
	close(fd);
}

TEST_F(generic, ioeventfds_are_bounded_and_end_with_the_device)
{
	int fd = eventfd_new();
	uint64_t one = 1;

	for (int i = 0; i < 1000; i++)
		ASSERT_EQ(0, ioeventfd(&self->v, 4, bar(0, E1000E_IVAR), i, fd));
	EXPECT_EQ(-ENOSPC, ioeventfd(&self->v, 4, bar(0, E1000E_IVAR), 1000, fd));
	EXPECT_EQ(0, ioeventfd(&self->v, 4, bar(0, E1000E_IVAR), 500, -1));
	EXPECT_EQ(0, ioeventfd(&self->v, 4, bar(0, E1000E_IVAR), 1000, fd));
	ASSERT_EQ(8, write(fd, &one, 8));
	vdev_close(&self->v);
	ASSERT_EQ(8, write(fd, &one, 8));
	close(fd);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, 4, bar(0, E1000E_IVAR), 1, -1));
}

/* ---- Reset of a bus ---- */

static int hot_reset(struct vdev *v, uint32_t flags, uint32_t count, const int *fds)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fds[4];
	} b = { .reset = { .argsz = sizeof(b), .flags = flags, .count = count } };

	if (fds)
		memcpy(b.fds, fds, (count < 4 ? count : 4) * sizeof(int));
	return ioctl(v->fd, VFIO_DEVICE_PCI_HOT_RESET, &b) ? -errno : 0;
}

FIXTURE(bus)
{
	struct slot slot;
	struct vdev v;
};

/* Who owns what is said differently in the two. */
VARIANTS_OF_OPENING(bus);

FIXTURE_SETUP(bus)
{
	NEED_MODE(variant->mode);
	NEED_STOCK("e1000e", &self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
}

FIXTURE_TEARDOWN(bus)
{
	vdev_close(&self->v);
}

TEST_F(bus, hot_reset)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device device[8];
	} b = { .info.argsz = sizeof(b.info) };
	unsigned int devfn, bus;
	int fds[2] = { self->v.group, self->v.group };

	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &b));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(1U, b.info.count);
	b.info.argsz = sizeof(b);
	ASSERT_EQ(0, ioctl(self->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &b));
	ASSERT_EQ(1U, b.info.count);
	ASSERT_EQ(2, sscanf(self->slot.bdf, "%*x:%x:%x.", &bus, &devfn));
	EXPECT_EQ(bus, b.device[0].bus);
	EXPECT_EQ(devfn << 3, b.device[0].devfn);

	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(1)));
	EXPECT_EQ(-EINVAL, hot_reset(&self->v, 1, 1, fds));
	if (variant->mode == VDEV_GROUP) {
		EXPECT_EQ(0U, b.info.flags);
		EXPECT_EQ(-EINVAL, hot_reset(&self->v, 0, 0, NULL));
		EXPECT_EQ(-EINVAL, hot_reset(&self->v, 0, 2, fds));
		EXPECT_EQ(-EBADF, hot_reset(&self->v, 0, 1, &(int){ 1 << 20 }));
		EXPECT_EQ(-EINVAL, hot_reset(&self->v, 0, 1, &self->v.iommu));
		EXPECT_NE(0U, bar_get(&self->v, 0, E1000E_IVAR));
		ASSERT_EQ(0, hot_reset(&self->v, 0, 1, fds));
	} else {
		EXPECT_EQ((uint32_t)(VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
				     VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED), b.info.flags);
		EXPECT_LT(0, (int)b.device[0].devid);
		EXPECT_EQ(-EINVAL, hot_reset(&self->v, 0, 1, &self->v.iommu));
		EXPECT_NE(0U, bar_get(&self->v, 0, E1000E_IVAR));
		ASSERT_EQ(0, hot_reset(&self->v, 0, 0, NULL));
	}
	/* The device is new, its config space is not. */
	EXPECT_EQ(0U, bar_get(&self->v, 0, E1000E_IVAR));
	EXPECT_TRUE(vdev_cfg(&self->v, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

/* ---- Errors, one step of their recovery at a time ---- */

#define NEED_ERRORS() do {							\
	if (access(ERROR_STEP, W_OK))						\
		SKIP(return, "vpv_test_error is not loaded");			\
} while (0)

TEST_F(generic, error_that_breaks_nothing)
{
	int err = eventfd_new();
	volatile uint32_t *regs;

	NEED_ERRORS();
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0, 1, &err));
	regs = vdev_bar_map(&self->v, 0, 4096);
	ASSERT_NE(NULL, regs);
	regs[E1000E_IVAR / 4] = E1000E_IVAR_OTHER(2);

	ASSERT_EQ(0, error_step(&self->slot, "normal"));
	EXPECT_TRUE(eventfd_wait(err, SOON_MS));
	EXPECT_EQ(E1000E_IVAR_OTHER(2), regs[E1000E_IVAR / 4]);
	EXPECT_EQ(E1000E_IVAR_OTHER(2), bar_get(&self->v, 0, E1000E_IVAR));
	ASSERT_EQ(0, error_step(&self->slot, "mmio"));
	ASSERT_EQ(0, error_step(&self->slot, "resume"));
	EXPECT_FALSE(eventfd_wait(err, NEVER_MS));
	munmap((void *)regs, 4096);
	close(err);
}

/* The link is reset: the function is new, and works with the user's set-up. */
TEST_F(generic, error_that_needs_a_reset)
{
	int err = eventfd_new(), event = eventfd_new();
	const uint32_t on = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
	volatile uint32_t *regs;
	struct vfio_region_info ports;
	uint32_t val;

	NEED_ERRORS();
	ASSERT_EQ(0, vdev_region(&self->v, E1000E_PORTS, &ports));
	ASSERT_NE(0U, ports.size);
	EXPECT_EQ(4, vdev_pread(&self->v, E1000E_PORTS, 0, &val, 4));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0, 1, &err));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 3, 1, &event));
	regs = vdev_bar_map(&self->v, 0, 4096);
	ASSERT_NE(NULL, regs);
	regs[E1000E_IVAR / 4] = E1000E_IVAR_OTHER(2);

	ASSERT_EQ(0, error_step(&self->slot, "frozen"));
	EXPECT_TRUE(eventfd_wait(err, SOON_MS));
	/* Nobody answers, and nobody dies of it. */
	EXPECT_EQ(4, vdev_pread(&self->v, 0, E1000E_IVAR, &val, 4));
	EXPECT_EQ(UINT32_MAX, val);
	EXPECT_EQ(4, vdev_pread(&self->v, E1000E_PORTS, 0, &val, 4));
	EXPECT_EQ(UINT32_MAX, val);
	val = 0;
	EXPECT_EQ(4, vdev_pwrite(&self->v, 0, E1000E_IVAR, &val, 4));
	EXPECT_FALSE(sigbus_faults(regs + E1000E_IVAR / 4));
	EXPECT_EQ(UINT32_MAX, regs[E1000E_IVAR / 4]);
	regs[E1000E_IVAR / 4] = E1000E_IVAR_OTHER(1);

	ASSERT_EQ(0, error_step(&self->slot, "reset"));
	EXPECT_FALSE(sigbus_faults(regs + E1000E_IVAR / 4));
	EXPECT_EQ(0U, regs[E1000E_IVAR / 4]);
	EXPECT_EQ(on, vdev_cfg(&self->v, PCI_COMMAND, 2) & on);
	ASSERT_EQ(0, error_step(&self->slot, "resume"));

	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(3)));
	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IMS, E1000E_LSC | E1000E_OTHER));
	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_ICS, E1000E_LSC | E1000E_OTHER));
	EXPECT_TRUE(eventfd_wait(event, SOON_MS));
	EXPECT_FALSE(eventfd_wait(err, 0));
	munmap((void *)regs, 4096);
	close(err);
	close(event);
}

/* Nothing comes back for this user, but the next one finds a function that works. */
TEST_F(generic, error_that_is_not_recovered_from)
{
	int err = eventfd_new();
	uint32_t val;

	NEED_ERRORS();
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_ERR_IRQ_INDEX, 0, 1, &err));
	ASSERT_EQ(0, error_step(&self->slot, "frozen"));
	EXPECT_TRUE(eventfd_wait(err, SOON_MS));
	ASSERT_EQ(0, error_step(&self->slot, "failed"));
	EXPECT_TRUE(eventfd_wait(err, SOON_MS));
	EXPECT_EQ(4, vdev_pread(&self->v, 0, E1000E_IVAR, &val, 4));
	EXPECT_EQ(UINT32_MAX, val);
	/* Without memory enable he is refused, as at any time. */
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, 0));
	EXPECT_EQ(-EIO, vdev_pread(&self->v, 0, E1000E_IVAR, &val, 4));
	vdev_close(&self->v);
	close(err);

	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(3)));
	EXPECT_EQ(E1000E_IVAR_OTHER(3), bar_get(&self->v, 0, E1000E_IVAR));
}

/* As hotplug does it: returns when the last user has closed the function. */
static void *removal(void *slot)
{
	return vdev_sysfs_write(((struct slot *)slot)->bdf, "remove", "1") ? slot : NULL;
}

/* Hotplug waits for the user, who finds out by what he reads. */
TEST_F(generic, pulled_out)
{
	volatile uint32_t *regs;
	int req = eventfd_new();
	pthread_t thread;
	char path[128];
	void *failed;
	uint32_t val;

	NEED_ERRORS();
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &req));
	regs = vdev_bar_map(&self->v, 0, 2 * 4096);
	ASSERT_NE(NULL, regs);
	regs[E1000E_IVAR / 4] = E1000E_IVAR_OTHER(2);

	ASSERT_EQ(0, error_step(&self->slot, "unplugged"));
	EXPECT_EQ(4, vdev_pread(&self->v, 0, E1000E_IVAR, &val, 4));
	EXPECT_EQ(UINT32_MAX, val);
	ASSERT_EQ(0, pthread_create(&thread, NULL, removal, &self->slot));
	ASSERT_TRUE(eventfd_wait(req, SOON_MS));

	/* A page that was there, and one that was not. */
	EXPECT_FALSE(sigbus_faults(regs + E1000E_IVAR / 4));
	EXPECT_EQ(UINT32_MAX, regs[E1000E_IVAR / 4]);
	EXPECT_FALSE(sigbus_faults(regs + 1024));
	EXPECT_EQ(UINT32_MAX, regs[1024]);
	regs[E1000E_IVAR / 4] = 0;
	EXPECT_EQ(UINT32_MAX, regs[E1000E_IVAR / 4 + 1]);
	EXPECT_EQ(UINT32_MAX, regs[1024 + E1000E_IVAR / 4]);
	val = 0;
	EXPECT_EQ(4, vdev_pwrite(&self->v, 0, E1000E_IVAR, &val, 4));
	EXPECT_EQ(4, vdev_pread(&self->v, E1000E_PORTS, 0, &val, 4));
	EXPECT_EQ(UINT32_MAX, val);
	munmap((void *)regs, 2 * 4096);
	vdev_close(&self->v);
	close(req);
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", self->slot.bdf);
	EXPECT_NE(0, access(path, F_OK));
	ASSERT_EQ(0, sysfs_write("/sys/bus/pci/rescan", "1"));
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, "vpv_pci"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(3)));
	EXPECT_EQ(E1000E_IVAR_OTHER(3), bar_get(&self->v, 0, E1000E_IVAR));
}

/* While nobody has the function open. */
TEST_F(generic, error_of_an_unused_function)
{
	NEED_ERRORS();
	vdev_close(&self->v);
	ASSERT_EQ(0, error_step(&self->slot, "frozen"));
	ASSERT_EQ(0, error_step(&self->slot, "reset"));
	ASSERT_EQ(0, error_step(&self->slot, "resume"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(3)));
	EXPECT_EQ(E1000E_IVAR_OTHER(3), bar_get(&self->v, 0, E1000E_IVAR));
}

/* ---- MSI control, in config space ---- */

TEST_F(generic, msi_enable_in_config_space)
{
	unsigned int msi = vdev_find_cap(&self->v, PCI_CAP_ID_MSI);
	int fd = vdev_sysfs_open(self->slot.bdf, "config", O_RDONLY);
	int event = eventfd_new();
	uint16_t flags;

	ASSERT_NE(0U, msi);
	ASSERT_LE(0, fd);

	/* Not before SET_IRQS has set messages up. */
	flags = vdev_cfg(&self->v, msi + PCI_MSI_FLAGS, 2);
	ASSERT_EQ(0, vdev_cfg_set(&self->v, msi + PCI_MSI_FLAGS, 2,
				  flags | PCI_MSI_FLAGS_ENABLE));
	EXPECT_FALSE(vdev_cfg(&self->v, msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE);

	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &event));
	ASSERT_EQ(2, pread(fd, &flags, 2, msi + PCI_MSI_FLAGS));
	EXPECT_TRUE(flags & PCI_MSI_FLAGS_ENABLE);
	ASSERT_EQ(0, vdev_cfg_set(&self->v, msi + PCI_MSI_FLAGS, 2, flags));
	EXPECT_TRUE(vdev_cfg(&self->v, msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE);

	/* Then the hardware follows the user. */
	ASSERT_EQ(0, vdev_cfg_set(&self->v, msi + PCI_MSI_FLAGS, 2,
				  flags & ~PCI_MSI_FLAGS_ENABLE));
	ASSERT_EQ(2, pread(fd, &flags, 2, msi + PCI_MSI_FLAGS));
	EXPECT_FALSE(flags & PCI_MSI_FLAGS_ENABLE);
	ASSERT_EQ(0, vdev_cfg_set(&self->v, msi + PCI_MSI_FLAGS, 2,
				  flags | PCI_MSI_FLAGS_ENABLE));
	ASSERT_EQ(2, pread(fd, &flags, 2, msi + PCI_MSI_FLAGS));
	EXPECT_TRUE(flags & PCI_MSI_FLAGS_ENABLE);

	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_IMS, E1000E_LSC));
	ASSERT_EQ(0, bar_set(&self->v, 0, E1000E_ICS, E1000E_LSC));
	EXPECT_TRUE(eventfd_wait(event, SOON_MS));
	close(fd);
	close(event);
}

TEST_HARNESS_MAIN
