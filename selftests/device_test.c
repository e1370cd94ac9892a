// SPDX-License-Identifier: GPL-2.0
/*
 * What a user relies on who opens a function: binding, info, regions, config
 * space, interrupts, reset and error codes.  Not migration.
 *
 * Groups: self stable
 */
#include "lib/sigbus.h"
#include "lib/test.h"

FIXTURE(device)
{
	struct slot slot;
	struct vdev v;
	struct hisil h;
};

VARIANTS_OF_OPENING(device);

FIXTURE_SETUP(device)
{
	NEED_MODE(variant->mode);
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(0, hisil_share(&self->h, &self->v));
}

FIXTURE_TEARDOWN(device)
{
	hisil_free(&self->h);
	vdev_close(&self->v);
}

TEST_F(device, driver_override_binds_and_unbinds)
{
	char name[64];

	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
	ASSERT_EQ(0, vdev_driver(self->slot.bdf, name, sizeof(name)));
	EXPECT_STREQ("", name);

	/* Without an override no driver of ours takes the function. */
	ASSERT_EQ(0, vdev_override(self->slot.bdf, "\n"));
	sysfs_write("/sys/bus/pci/drivers_probe", self->slot.bdf);
	ASSERT_EQ(0, vdev_driver(self->slot.bdf, name, sizeof(name)));
	EXPECT_STREQ("", name);

	ASSERT_EQ(0, vdev_bind(self->slot.bdf, DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
}

TEST_F(device, info)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	ASSERT_EQ(0, ioctl(self->v.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_RESET);
	EXPECT_GE(info.num_regions, (unsigned int)VFIO_PCI_NUM_REGIONS);
	EXPECT_EQ((unsigned int)VFIO_PCI_NUM_IRQS, info.num_irqs);
	info.argsz = 8;
	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(device, region_info)
{
	struct vfio_region_info info;
	const uint32_t rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;

	ASSERT_EQ(0, vdev_region(&self->v, VFIO_PCI_BAR0_REGION_INDEX, &info));
	EXPECT_EQ(0U, info.size);
	ASSERT_EQ(0, vdev_region(&self->v, VFIO_PCI_BAR2_REGION_INDEX, &info));
	EXPECT_EQ((unsigned long long)HISIL_USER_BYTES, info.size);
	EXPECT_EQ(rw | VFIO_REGION_INFO_FLAG_MMAP, info.flags & (rw | VFIO_REGION_INFO_FLAG_MMAP));
	EXPECT_EQ(2ULL << 40, info.offset);
	ASSERT_EQ(0, vdev_region(&self->v, VFIO_PCI_BAR4_REGION_INDEX, &info));
	EXPECT_EQ(0x4000ULL, info.size);
	EXPECT_TRUE(info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	EXPECT_GT(info.argsz, sizeof(info));
	ASSERT_EQ(0, vdev_region(&self->v, VFIO_PCI_ROM_REGION_INDEX, &info));
	EXPECT_EQ(0U, info.size);
	ASSERT_EQ(0, vdev_region(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, &info));
	EXPECT_EQ(4096ULL, info.size);
	EXPECT_EQ(-EINVAL, vdev_region(&self->v, VFIO_PCI_VGA_REGION_INDEX, &info));
	EXPECT_EQ(-EINVAL, vdev_region(&self->v, VFIO_PCI_NUM_REGIONS, &info));
	EXPECT_EQ(-EINVAL, vdev_region(&self->v, UINT32_MAX, &info));
	info = (struct vfio_region_info){ .argsz = sizeof(info) - 1, .index = 2 };
	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO, &info));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(device, msix_table_bar_can_be_mapped)
{
	struct {
		struct vfio_region_info info;
		uint8_t room[256];
	} b = { .info = { .argsz = sizeof(b), .index = VFIO_PCI_BAR4_REGION_INDEX } };
	struct vfio_info_cap_header *cap;

	ASSERT_EQ(0, ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO, &b));
	ASSERT_NE(0U, b.info.cap_offset);
	ASSERT_LE(b.info.cap_offset + sizeof(*cap), sizeof(b));
	cap = (void *)((uint8_t *)&b + b.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, cap->id);
}

TEST_F(device, irq_info)
{
	static const unsigned int count[VFIO_PCI_NUM_IRQS] = {
		[VFIO_PCI_MSIX_IRQ_INDEX] = HISIL_VECTORS,
		[VFIO_PCI_ERR_IRQ_INDEX] = 1,
		[VFIO_PCI_REQ_IRQ_INDEX] = 1,
	};
	struct vfio_irq_info info;

	for (unsigned int i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		ASSERT_EQ(0, vdev_irq(&self->v, i, &info));
		EXPECT_EQ(count[i], info.count);
		EXPECT_TRUE(info.flags & VFIO_IRQ_INFO_EVENTFD);
	}
	EXPECT_EQ(-EINVAL, vdev_irq(&self->v, VFIO_PCI_NUM_IRQS, &info));
	EXPECT_EQ(-EINVAL, vdev_irq(&self->v, UINT32_MAX, &info));
	info = (struct vfio_irq_info){ .argsz = 8 };
	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_GET_IRQ_INFO, &info));
	EXPECT_EQ(EINVAL, errno);
}

static int try_map(struct vdev *v, uint64_t pos, size_t bytes, int flags)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, v->fd, (2ULL << 40) + pos);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, bytes);
	return 0;
}

TEST_F(device, upper_half_cannot_be_mapped)
{
	EXPECT_EQ(0, try_map(&self->v, 0, HISIL_USER_BYTES, MAP_SHARED));
	EXPECT_EQ(0, try_map(&self->v, HISIL_USER_BYTES - 4096, 4096, MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(&self->v, 0, 2 * HISIL_USER_BYTES, MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(&self->v, HISIL_USER_BYTES, 4096, MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(&self->v, HISIL_USER_BYTES - 4096, 8192, MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(&self->v, HISIL_USER_BYTES + 0x1000, 4096, MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(&self->v, (1ULL << 40) - 4096, 4096, MAP_SHARED));
	EXPECT_EQ(-EINVAL, try_map(&self->v, 0, 4096, MAP_PRIVATE));
}

TEST_F(device, upper_half_cannot_be_grown_into)
{
	uint8_t *p = vdev_bar_map(&self->v, HISIL_BAR, HISIL_USER_BYTES);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(MAP_FAILED, mremap(p, HISIL_USER_BYTES, 2 * HISIL_USER_BYTES, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	munmap(p, HISIL_USER_BYTES);
}

TEST_F(device, upper_half_cannot_be_read_or_written)
{
	uint8_t buf[16] = {};

	EXPECT_EQ(0, vdev_bus_master(&self->v, false));
	EXPECT_EQ(4, vdev_pread(&self->v, HISIL_BAR, HISIL_USER_BYTES - 4, buf, 8));
	EXPECT_EQ(4, vdev_pwrite(&self->v, HISIL_BAR, HISIL_USER_BYTES - 4, buf, 8));
	for (uint64_t pos = HISIL_USER_BYTES; pos < (1ULL << 40); pos = pos * 4 + 0x20) {
		EXPECT_EQ(-EINVAL, vdev_pread(&self->v, HISIL_BAR, pos, buf, 4));
		EXPECT_EQ(-EINVAL, vdev_pwrite(&self->v, HISIL_BAR, pos, buf, 4));
	}
}

TEST_F(device, bar_is_sized_as_half)
{
	uint32_t old = vdev_cfg(&self->v, PCI_BASE_ADDRESS_2, 4);

	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_BASE_ADDRESS_2, 4, UINT32_MAX));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_BASE_ADDRESS_3, 4, UINT32_MAX));
	EXPECT_EQ((uint32_t)~(HISIL_USER_BYTES - 1) | PCI_BASE_ADDRESS_MEM_TYPE_64,
		  vdev_cfg(&self->v, PCI_BASE_ADDRESS_2, 4));
	EXPECT_EQ(UINT32_MAX, vdev_cfg(&self->v, PCI_BASE_ADDRESS_3, 4));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_BASE_ADDRESS_2, 4, old));
	/* The real BAR did not move. */
	EXPECT_EQ(0, hisil_attach(&self->h, &self->v));
}

TEST_F(device, config_space)
{
	struct vdev *v = &self->v;
	uint32_t val;

	EXPECT_EQ(0x1234U, vdev_cfg(v, PCI_VENDOR_ID, 2));
	EXPECT_EQ(0x7610U, vdev_cfg(v, PCI_DEVICE_ID, 2));
	EXPECT_EQ(0x120000U, vdev_cfg(v, PCI_CLASS_REVISION, 4) >> 8);
	EXPECT_EQ(0U, vdev_cfg(v, PCI_BASE_ADDRESS_0, 4));
	EXPECT_EQ(0U, vdev_cfg(v, PCI_INTERRUPT_PIN, 1));
	EXPECT_NE(0U, vdev_find_cap(v, PCI_CAP_ID_PM));
	EXPECT_NE(0U, vdev_find_cap(v, PCI_CAP_ID_EXP));
	EXPECT_NE(0U, vdev_find_cap(v, PCI_CAP_ID_MSIX));
	EXPECT_EQ(0U, vdev_find_cap(v, PCI_CAP_ID_MSI));
	EXPECT_EQ((uint32_t)PCI_EXT_CAP_ID_DSN, vdev_cfg(v, 0x100, 4) & 0xffff);

	/* Identity is not writable. */
	EXPECT_EQ(0, vdev_cfg_set(v, PCI_VENDOR_ID, 4, 0));
	EXPECT_EQ(0x76101234U, vdev_cfg(v, PCI_VENDOR_ID, 4));
	/* The interrupt line is the user's own. */
	EXPECT_EQ(0, vdev_cfg_set(v, PCI_INTERRUPT_LINE, 1, 0x5a));
	EXPECT_EQ(0x5aU, vdev_cfg(v, PCI_INTERRUPT_LINE, 1));

	EXPECT_EQ(-EFAULT, vdev_pread(v, VFIO_PCI_CONFIG_REGION_INDEX, 4096, &val, 4));
	EXPECT_EQ(-EFAULT, vdev_pread(v, VFIO_PCI_CONFIG_REGION_INDEX, 4094, &val, 4));
	EXPECT_EQ(-EFAULT, vdev_pwrite(v, VFIO_PCI_CONFIG_REGION_INDEX, 4096, &val, 1));
}

TEST_F(device, config_space_takes_every_access)
{
	uint8_t all[4096], part[4096];

	ASSERT_EQ(4096, vdev_pread(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, 0, all, 4096));
	for (unsigned int pos = 0; pos < 256; pos += 3) {
		ASSERT_EQ(7, vdev_pread(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, pos,
					part + pos, 7));
	}
	EXPECT_EQ(0, memcmp(all, part, 255));
}

TEST_F(device, disabled_memory_does_not_answer)
{
	struct vdev *v = &self->v;
	uint32_t cmd, val;

	ASSERT_EQ(0, hisil_attach(&self->h, v));
	EXPECT_FALSE(sigbus_faults(self->h.regs));
	cmd = vdev_cfg(v, PCI_COMMAND, 2);
	ASSERT_EQ(0, vdev_cfg_set(v, PCI_COMMAND, 2, cmd & ~PCI_COMMAND_MEMORY));
	EXPECT_EQ(-EIO, vdev_pread(v, HISIL_BAR, HISIL_ID, &val, 4));
	EXPECT_EQ(-EIO, vdev_pwrite(v, HISIL_BAR, HISIL_CTRL, &val, 4));
	EXPECT_TRUE(sigbus_faults(self->h.regs));
	EXPECT_EQ(0U, vdev_cfg(v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, vdev_cfg_set(v, PCI_COMMAND, 2, cmd | PCI_COMMAND_MEMORY));
	EXPECT_FALSE(sigbus_faults(self->h.regs));
	EXPECT_EQ(4, vdev_pread(v, HISIL_BAR, HISIL_ID, &val, 4));
	EXPECT_EQ(HISIL_ID_VALUE, val);
}

TEST_F(device, memory_in_d3_does_not_answer)
{
	struct vdev *v = &self->v;
	unsigned int pm = vdev_find_cap(v, PCI_CAP_ID_PM);
	uint32_t val;

	ASSERT_NE(0U, pm);
	ASSERT_EQ(0, hisil_attach(&self->h, v));
	ASSERT_EQ(0, vdev_cfg_set(v, pm + PCI_PM_CTRL, 2, 3));
	EXPECT_EQ(3U, vdev_cfg(v, pm + PCI_PM_CTRL, 2) & 3);
	EXPECT_EQ(-EIO, vdev_pread(v, HISIL_BAR, HISIL_ID, &val, 4));
	EXPECT_TRUE(sigbus_faults(self->h.regs));
	ASSERT_EQ(0, vdev_cfg_set(v, pm + PCI_PM_CTRL, 2, 0));
	EXPECT_EQ(4, vdev_pread(v, HISIL_BAR, HISIL_ID, &val, 4));
}

TEST_F(device, operations_raise_their_vector)
{
	struct hisil *h = &self->h;
	struct hisil_cqe c;

	ASSERT_EQ(0, hisil_attach(h, &self->v));
	ASSERT_EQ(0, hisil_irq_enable(h, 3));
	ASSERT_EQ(0, hisil_enable(h));
	for (unsigned int q = 0; q < 3; q++) {
		struct hisil_sqe e = hisil_op(HISIL_NOP, 100 + q, 0, 0, 0, 0);

		ASSERT_EQ(0, hisil_queue_start(h, q, 4, true));
		ASSERT_EQ(0, hisil_do(h, q, &e, &c));
		EXPECT_EQ(0, eventfd_wait(h->irq[q], 50));
		e.flags = HISIL_SQE_IRQ;
		ASSERT_EQ(0, hisil_do(h, q, &e, &c));
		EXPECT_EQ(1, eventfd_wait(h->irq[q], 2000));
		for (unsigned int other = 0; other < 3; other++) {
			EXPECT_EQ(0, eventfd_wait(h->irq[other], 0));
		}
	}
	/* Without its eventfd a vector is silent, the others are not. */
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 1, 1, (int[]){ -1 }));
	for (unsigned int q = 0; q < 3; q++) {
		struct hisil_sqe e = hisil_op(HISIL_NOP, 200 + q, 0, 0, 0, 0);

		e.flags = HISIL_SQE_IRQ;
		ASSERT_EQ(0, hisil_do(h, q, &e, &c));
		EXPECT_EQ(q != 1, eventfd_wait(h->irq[q], q == 1 ? 50 : 2000));
	}
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, NULL));
}

TEST_F(device, loopback_raises_eventfds)
{
	static const uint8_t raise[4] = { 1, 0, 0, 1 };

	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	ASSERT_EQ(0, hisil_irq_enable(&self->h, 4));
	ASSERT_EQ(0, vdev_irq_bool(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 4, raise));
	for (unsigned int i = 0; i < 4; i++) {
		EXPECT_EQ(raise[i], eventfd_wait(self->h.irq[i], 0));
	}
}

TEST_F(device, err_and_req_eventfds)
{
	static const uint8_t one = 1;

	for (unsigned int i = VFIO_PCI_ERR_IRQ_INDEX; i <= VFIO_PCI_REQ_IRQ_INDEX; i++) {
		int fd = eventfd_new();

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, vdev_irq_eventfds(&self->v, i, 0, 1, &fd));
		ASSERT_EQ(0, vdev_irq_bool(&self->v, i, 0, 1, &one));
		EXPECT_EQ(1, eventfd_wait(fd, 0));
		ASSERT_EQ(0, vdev_irq_eventfds(&self->v, i, 0, 1, (int[]){ -1 }));
		EXPECT_EQ(0, eventfd_wait(fd, 0));
		close(fd);
	}
}

static int set_irqs(struct vdev *v, struct vfio_irq_set set, int fd)
{
	struct {
		struct vfio_irq_set set;
		int fd[4];
	} b = { .set = set, .fd = { fd, fd, fd, fd } };

	return ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &b) < 0 ? -errno : 0;
}

TEST_F(device, set_irqs_refuses_nonsense)
{
	const uint32_t trigger = VFIO_IRQ_SET_ACTION_TRIGGER, eventfd = VFIO_IRQ_SET_DATA_EVENTFD;
	const uint32_t mask = VFIO_IRQ_SET_ACTION_MASK;
	const uint32_t full = sizeof(struct vfio_irq_set) + 16;
	const struct {
		struct vfio_irq_set set;
		int fd;
		int err;
	} rows[] = {
		{ { 4, trigger | eventfd, 2, 0, 1 }, -1, -EINVAL },
		{ { full, trigger | eventfd, 5, 0, 1 }, -1, -EINVAL },
		{ { full, trigger | eventfd, UINT32_MAX, 0, 1 }, -1, -EINVAL },
		{ { full, trigger | eventfd, 2, HISIL_VECTORS, 1 }, -1, -EINVAL },
		{ { full, trigger | eventfd, 2, HISIL_VECTORS - 1, 2 }, -1, -EINVAL },
		{ { full, trigger | eventfd, 2, UINT32_MAX, 2 }, -1, -EINVAL },
		{ { full, trigger | eventfd, 2, 1, UINT32_MAX }, -1, -EINVAL },
		{ { full, trigger | eventfd, 2, 0, 8 }, -1, -EINVAL },
		{ { full, trigger | eventfd | VFIO_IRQ_SET_DATA_BOOL, 2, 0, 1 }, -1, -EINVAL },
		{ { full, 1 << 7, 2, 0, 1 }, -1, -EINVAL },
		{ { full, mask | VFIO_IRQ_SET_DATA_NONE, 2, 0, 1 }, -1, -ENOTTY },
		{ { full, trigger | eventfd, 2, 0, 1 }, 12345, -EBADF },
		{ { full, trigger | eventfd, 2, 0, 1 }, 1, -EINVAL },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(rows[i].err, set_irqs(&self->v, rows[i].set, rows[i].fd))
			TH_LOG("row %u", i);
	}
}

TEST_F(device, reset_clears_the_function)
{
	struct hisil *h = &self->h;

	ASSERT_EQ(0, hisil_attach(h, &self->v));
	ASSERT_EQ(0, hisil_enable(h));
	ASSERT_EQ(0, hisil_queue_start(h, 0, 4, false));
	ASSERT_EQ(0, hisil_work(h, 0, 1));
	ASSERT_NE(0U, hisil_read64(h, HISIL_OPS_DONE));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, hisil_attach(h, &self->v));
	EXPECT_EQ(0U, hisil_read64(h, HISIL_OPS_DONE));
	EXPECT_EQ(0U, hisil_read(h, HISIL_CTRL));
	EXPECT_EQ(0U, hisil_read(h, HISIL_Q(0) + HISIL_QSTATUS));
	EXPECT_EQ(0U, hisil_read(h, HISIL_Q(0) + HISIL_SIZE));
	ASSERT_EQ(0, hisil_enable(h));
	ASSERT_EQ(0, hisil_queue_start(h, 0, 4, false));
	EXPECT_EQ(0, hisil_work(h, 0, 2));
}

TEST_F(device, opening_resets_the_function)
{
	struct hisil *h = &self->h;

	ASSERT_EQ(0, hisil_attach(h, &self->v));
	ASSERT_EQ(0, hisil_enable(h));
	ASSERT_EQ(0, hisil_queue_start(h, 5, 8, false));
	hisil_detach(h);
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(0, hisil_attach(h, &self->v));
	EXPECT_EQ(0U, hisil_read(h, HISIL_CTRL));
	EXPECT_EQ(0U, hisil_read(h, HISIL_Q(5) + HISIL_SIZE));
}

TEST_F(device, flr_through_config_space)
{
	struct hisil *h = &self->h;
	unsigned int exp = vdev_find_cap(&self->v, PCI_CAP_ID_EXP);

	ASSERT_EQ(0, hisil_attach(h, &self->v));
	hisil_write(h, HISIL_CTRL, 1);
	ASSERT_EQ(1U, hisil_read(h, HISIL_CTRL));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, exp + PCI_EXP_DEVCTL, 2,
				  vdev_cfg(&self->v, exp + PCI_EXP_DEVCTL, 2) |
				  PCI_EXP_DEVCTL_BCR_FLR));
	ASSERT_EQ(0, hisil_attach(h, &self->v));
	EXPECT_EQ(0U, hisil_read(h, HISIL_CTRL));
	EXPECT_EQ(0U, vdev_cfg(&self->v, exp + PCI_EXP_DEVCTL, 2) & PCI_EXP_DEVCTL_BCR_FLR);
}

TEST_F(device, hot_reset_info)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device dev[64];
	} b = { .info = { .argsz = sizeof(b) } };
	int ret = ioctl(self->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &b);

	/* A function on the root bus has no bridge that could reset it. */
	if (ret) {
		EXPECT_EQ(ENODEV, errno);
	} else {
		EXPECT_GE(b.info.count, 1U);
		EXPECT_LE(b.info.count, 64U);
	}
	b.info.argsz = 4;
	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &b));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(device, unknown_requests)
{
	uint64_t data = 0;

	EXPECT_EQ(-1, ioctl(self->v.fd, _IO(VFIO_TYPE, VFIO_BASE + 99), &data));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-ENOTTY, vdev_feature(&self->v, VFIO_DEVICE_FEATURE_GET | 0xfff0, &data, 8));
	EXPECT_EQ(-ENOTTY, vdev_feature(&self->v, VFIO_DEVICE_FEATURE_PROBE |
						  VFIO_DEVICE_FEATURE_GET | 0xfff0, NULL, 0));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->v, 1U << 30 | VFIO_DEVICE_FEATURE_GET |
						  VFIO_DEVICE_FEATURE_MIGRATION, &data, 8));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->v, VFIO_DEVICE_FEATURE_SET |
						  VFIO_DEVICE_FEATURE_MIGRATION, &data, 8));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->v, VFIO_DEVICE_FEATURE_GET |
						  VFIO_DEVICE_FEATURE_MIGRATION, NULL, 0));
}

TEST_F(device, only_one_cdev_user)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	char path[128];
	uint32_t val;
	int fd;

	if (variant->mode != VDEV_CDEV)
		SKIP(return, "about character devices");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->v.fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(-1, pread(fd, &val, 4, 7ULL << 40));
	EXPECT_EQ(EINVAL, errno);
	bind.iommufd = self->v.iommu;
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

TEST_HARNESS_MAIN
