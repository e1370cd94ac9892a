// SPDX-License-Identifier: GPL-2.0
/*
 * What a user must not be able to do to a function, and what a user who is gone
 * must leave behind: races, moved mappings, unbinding, SIGKILL, and config space
 * beside what the kernel's vfio-pci shows of the same function.
 *
 * Groups: self stable
 */
#include <pthread.h>

#include "lib/race.h"
#include "lib/test.h"

FIXTURE(core)
{
	struct slot slot;
	struct vdev v;
};

VARIANTS_OF_OPENING(core);

FIXTURE_SETUP(core)
{
	NEED_MODE(variant->mode);
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
}

FIXTURE_TEARDOWN(core)
{
	vdev_close(&self->v);
}

static int set_memory(struct vdev *v, bool on)
{
	uint32_t cmd = vdev_cfg(v, PCI_COMMAND, 2);

	cmd = on ? cmd | PCI_COMMAND_MEMORY : cmd & ~PCI_COMMAND_MEMORY;
	return vdev_cfg_set(v, PCI_COMMAND, 2, cmd);
}

TEST_F(core, config_is_what_vfio_pci_shows)
{
	uint8_t ours[4096], theirs[4096];

	if (access("/sys/bus/pci/drivers/vfio-pci", F_OK) &&
	    system("modprobe vfio-pci >/dev/null 2>&1"))
		SKIP(return, "vfio-pci cannot be loaded");

	ASSERT_EQ(4096, vdev_pread(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, 0, ours, 4096));
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, "vfio-pci"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	ASSERT_EQ(4096, vdev_pread(&self->v, VFIO_PCI_CONFIG_REGION_INDEX, 0, theirs, 4096));
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));

	for (unsigned int i = 0; i < 4096; i++) {
		EXPECT_EQ(theirs[i], ours[i])
			TH_LOG("byte 0x%x", i);
	}
}

TEST_F(core, pieces_of_a_mapping_follow_memory_enable)
{
	uint8_t *p, *moved;

	race_catch_faults();
	p = vdev_bar_map(&self->v, HISIL_BAR, 4 * 4096);
	ASSERT_NE(NULL, p);
	moved = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, moved);

	/* Cut out page 1, move page 2 elsewhere: offsets change, contents must not. */
	ASSERT_EQ(0, munmap(p + 4096, 4096));
	ASSERT_EQ(moved, mremap(p + 2 * 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, moved));
	EXPECT_FALSE(race_load_faults(p));
	EXPECT_FALSE(race_load_faults(moved));
	EXPECT_EQ(HISIL_ID_VALUE, *(volatile uint32_t *)(p + HISIL_ID));

	ASSERT_EQ(0, set_memory(&self->v, false));
	EXPECT_TRUE(race_load_faults(p));
	EXPECT_TRUE(race_load_faults(moved));
	EXPECT_TRUE(race_load_faults(p + 3 * 4096));
	ASSERT_EQ(0, set_memory(&self->v, true));
	EXPECT_FALSE(race_load_faults(moved));
	EXPECT_EQ(HISIL_ID_VALUE, *(volatile uint32_t *)(p + HISIL_ID));
	munmap(p, 4096);
	munmap(p + 3 * 4096, 4096);
	munmap(moved, 4096);
}

TEST_F(core, interrupts_need_no_memory_enable)
{
	static const uint8_t one = 1;
	int fd = eventfd_new();

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, set_memory(&self->v, false));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &fd));
	/* The driver wrote the table, and left the bit as the user has it. */
	EXPECT_EQ(0U, vdev_cfg(&self->v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, vdev_irq_bool(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &one));
	EXPECT_EQ(1, eventfd_wait(fd, 1000));
	ASSERT_EQ(0, set_memory(&self->v, true));
	close(fd);
}

TEST_F(core, msix_table_is_the_hosts)
{
	uint32_t ones[4], zero[4] = {};

	EXPECT_EQ(16, vdev_pread(&self->v, VFIO_PCI_BAR4_REGION_INDEX, 0, ones, 16));
	for (unsigned int i = 0; i < 4; i++) {
		EXPECT_EQ(UINT32_MAX, ones[i]);
	}
	EXPECT_EQ(16, vdev_pwrite(&self->v, VFIO_PCI_BAR4_REGION_INDEX, 0, zero, 16));
}

/* ---- Everything at once ---- */

struct storm {
	struct vdev *v;
	volatile bool stop;
	unsigned long loads, resets, irqs;
};

static void *storm_loads(void *arg)
{
	struct storm *s = arg;

	while (!s->stop) {
		uint8_t *p = vdev_bar_map(s->v, HISIL_BAR, 8 * 4096);

		for (unsigned int i = 0; p && i < 64; i++) {
			race_load_faults(p + (i % 8) * 4096);
			s->loads++;
		}
		if (p)
			munmap(p, 8 * 4096);
	}
	return NULL;
}

static void *storm_command(void *arg)
{
	struct storm *s = arg;

	for (unsigned int i = 0; !s->stop; i++) {
		set_memory(s->v, i % 2);
		vdev_bus_master(s->v, i % 3);
	}
	return NULL;
}

static void *storm_regions(void *arg)
{
	struct storm *s = arg;
	uint8_t buf[64];

	for (unsigned int i = 0; !s->stop; i++)
		vdev_pread(s->v, i % 10, (i * 37) % 0x5000, buf, i % sizeof(buf));
	return NULL;
}

static void *storm_resets(void *arg)
{
	struct storm *s = arg;

	while (!s->stop) {
		s->resets += !vdev_reset(s->v);
		usleep(5000);
	}
	return NULL;
}

static void *storm_irqs(void *arg)
{
	struct storm *s = arg;
	int fd[4];

	for (unsigned int i = 0; i < 4; i++)
		fd[i] = eventfd_new();
	for (unsigned int i = 0; !s->stop; i++) {
		unsigned int index = i % VFIO_PCI_NUM_IRQS;

		vdev_irq_eventfds(s->v, index, 0, index > VFIO_PCI_MSIX_IRQ_INDEX ? 1 : 4, fd);
		vdev_irq_eventfds(s->v, index, 0, 0, NULL);
		s->irqs++;
	}
	for (unsigned int i = 0; i < 4; i++)
		close(fd[i]);
	return NULL;
}

TEST_F_TIMEOUT(core, everything_at_once, 60)
{
	void *(*const jobs[])(void *) = {
		storm_loads, storm_command, storm_regions, storm_resets, storm_irqs, storm_loads,
	};
	pthread_t threads[ARRAY_SIZE(jobs)];
	struct storm s = { .v = &self->v };
	uint32_t id;

	race_catch_faults();
	for (unsigned int i = 0; i < ARRAY_SIZE(jobs); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, jobs[i], &s));
	sleep(4);
	s.stop = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(jobs); i++)
		pthread_join(threads[i], NULL);
	TH_LOG("%lu loads, %lu resets, %lu interrupt changes", s.loads, s.resets, s.irqs);
	EXPECT_NE(0UL, s.loads);
	EXPECT_NE(0UL, s.resets);
	EXPECT_NE(0UL, s.irqs);

	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, set_memory(&self->v, true));
	EXPECT_EQ(4, vdev_pread(&self->v, HISIL_BAR, HISIL_ID, &id, 4));
	EXPECT_EQ(HISIL_ID_VALUE, id);
}

/* ---- Users that go away, or are asked to ---- */

TEST_F(core, unbinding_asks_and_waits)
{
	int fd = eventfd_new(), status;
	uint32_t id = 0;
	pid_t pid;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &fd));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		vdev_close(&self->v);
		_exit(vdev_unbind(self->slot.bdf) ? 1 : 0);
	}
	EXPECT_EQ(1, eventfd_wait(fd, 5000));
	/* It is still ours. */
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	EXPECT_EQ(4, vdev_pread(&self->v, HISIL_BAR, HISIL_ID, &id, 4));
	EXPECT_EQ(HISIL_ID_VALUE, id);
	vdev_close(&self->v);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);

	ASSERT_EQ(0, vdev_bind(self->slot.bdf, DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
	close(fd);
}

TEST_F(core, killed_user_leaves_a_working_function)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	vdev_close(&self->v);
	ASSERT_EQ(0, pipe(ready));
	for (unsigned int i = 0; i < 5; i++) {
		uint32_t id = 0;

		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			int fd[4] = { eventfd_new(), eventfd_new(), eventfd_new(), eventfd_new() };

			if (vdev_open(&self->v, &self->slot, variant->mode))
				_exit(1);
			vdev_bus_master(&self->v, true);
			vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 4, fd);
			if (!vdev_bar_map(&self->v, HISIL_BAR, 8192))
				_exit(1);
			/* In D3, without memory: all the worse for who comes next. */
			set_memory(&self->v, i % 2);
			if (i > 2)
				vdev_cfg_set(&self->v,
					     vdev_find_cap(&self->v, PCI_CAP_ID_PM) + PCI_PM_CTRL,
					     2, 3);
			if (write(ready[1], "r", 1) != 1)
				_exit(1);
			for (;;)
				vdev_reset(&self->v);
		}
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		usleep(20000 * i);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));

		ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
		EXPECT_EQ(0U, vdev_cfg(&self->v, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
		EXPECT_EQ(4, vdev_pread(&self->v, HISIL_BAR, HISIL_ID, &id, 4));
		EXPECT_EQ(HISIL_ID_VALUE, id);
		vdev_close(&self->v);
	}
	close(ready[0]);
	close(ready[1]);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, variant->mode));
}

TEST_F(core, hot_reset_needs_a_bus_of_its_own)
{
	struct vfio_pci_hot_reset_info info = { .argsz = sizeof(info) };
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	/* The lab's functions are on the root bus, which has no reset. */
	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	EXPECT_EQ(ENODEV, errno);

	reset.flags = 1;
	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &reset));
	EXPECT_EQ(EINVAL, errno);
	/* Users of groups name groups, users of cdevs do not. */
	reset.flags = 0;
	EXPECT_EQ(-1, ioctl(self->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &reset));
	EXPECT_EQ(variant->mode == VDEV_CDEV ? ENODEV : EINVAL, errno);
}

TEST_HARNESS_MAIN
