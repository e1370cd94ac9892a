// SPDX-License-Identifier: GPL-2.0
/*
 * What debugfs says about a device, and that its files outlive nothing.
 *
 * Groups: self stable
 */
#include "lib/stock.h"
#include "lib/test.h"

#define ROOT "/sys/kernel/debug/vpv_core"

FIXTURE(debugfs)
{
	struct slot slot;
	struct vdev v;
};

FIXTURE_SETUP(debugfs)
{
	self->v.fd = -1;
	if (access(ROOT, F_OK))
		SKIP(return, "no " ROOT);
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
}

FIXTURE_TEARDOWN(debugfs)
{
	sysfs_write(ROOT "/counting", "0");
	vdev_close(&self->v);
}

/* The rest of the line that begins with @name, or "". */
static const char *field(const struct slot *slot, const char *file, const char *name)
{
	static char line[256];
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), ROOT "/%s/%s", slot->bdf, file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		size_t len = strlen(name);

		if (strncmp(line, name, len) || line[len] != ' ')
			continue;
		line[strcspn(line, "\n")] = 0;
		fclose(f);
		return line + len + 1;
	}
	if (f)
		fclose(f);
	return "";
}

static long counter(const struct slot *slot, const char *name)
{
	const char *text = field(slot, "counters", name);

	return *text ? strtol(text, NULL, 0) : -1;
}

TEST_F(debugfs, state_follows_the_device)
{
	int fd[2] = { eventfd_new(), eventfd_new() };
	struct slot *slot = &self->slot;
	uint32_t cmd;

	EXPECT_STREQ("yes", field(slot, "state", "open"));
	EXPECT_STREQ("D0", field(slot, "state", "power"));
	EXPECT_STREQ("yes", field(slot, "state", "reset_works"));
	EXPECT_STREQ("no", field(slot, "state", "low_power"));
	EXPECT_STREQ("none 0", field(slot, "state", "interrupt"));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, fd));
	EXPECT_STREQ("msix 2", field(slot, "state", "interrupt"));

	cmd = vdev_cfg(&self->v, PCI_COMMAND, 2);
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, cmd & ~PCI_COMMAND_MEMORY));
	EXPECT_STREQ("no", field(slot, "state", "memory"));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, PCI_COMMAND, 2, cmd | PCI_COMMAND_MEMORY));
	EXPECT_STREQ("yes", field(slot, "state", "memory"));
	/* Half of BAR 2 is hidden. */
	EXPECT_STREQ("bytes 0x20000 of 0x40000 mmap", field(slot, "regions", "2"));

	vdev_close(&self->v);
	EXPECT_STREQ("no", field(slot, "state", "open"));
	EXPECT_STREQ("none 0", field(slot, "state", "interrupt"));
	EXPECT_STREQ("", field(slot, "regions", "2"));
	close(fd[0]);
	close(fd[1]);
}

TEST_F(debugfs, counters_count_when_asked)
{
	struct slot *slot = &self->slot;
	long before[6], after[6];
	static const char *const names[] = {
		"read_4", "write_1", "config_read", "fault_page", "zap", "set_irqs",
	};
	volatile uint8_t *p;
	uint32_t val = 0;

	for (unsigned int on = 0; on < 2; on++) {
		ASSERT_EQ(0, sysfs_write(ROOT "/counting", on ? "1" : "0"));
		for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
			before[i] = counter(slot, names[i]);
			ASSERT_GE(before[i], 0)
				TH_LOG("%s", names[i]);
		}
		ASSERT_EQ(0, vdev_bus_master(&self->v, false));
		p = vdev_bar_map(&self->v, HISIL_BAR, 4096);
		ASSERT_NE(NULL, p);
		(void)*p;
		munmap((void *)p, 4096);
		EXPECT_EQ(4, vdev_pread(&self->v, HISIL_BAR, HISIL_ID, &val, 4));
		EXPECT_EQ(1, vdev_pwrite(&self->v, HISIL_BAR, HISIL_ID, &val, 1));
		EXPECT_EQ(0, vdev_irq_eventfds(&self->v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1,
					       (int[]){ -1 }));
		ASSERT_EQ(0, vdev_reset(&self->v));
		for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
			after[i] = counter(slot, names[i]);
			EXPECT_EQ(on * (i == 2 ? after[i] - before[i] : 1), after[i] - before[i])
				TH_LOG("%s, counting is %u", names[i], on);
		}
	}
	EXPECT_LT(before[2], after[2]);
}

TEST_F(debugfs, files_are_there_from_open_to_unbind)
{
	static const char *const files[] = { "state", "parameters", "regions", "counters" };
	int fd[ARRAY_SIZE(files)];
	char path[128], buf[64];

	vdev_close(&self->v);
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), ROOT "/%s/%s", self->slot.bdf, files[i]);
		fd[i] = open(path, O_RDONLY);
		ASSERT_GE(fd[i], 0);
	}
	ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
	snprintf(path, sizeof(path), ROOT "/%s", self->slot.bdf);
	EXPECT_NE(0, access(path, F_OK));
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_EQ(-1, read(fd[i], buf, sizeof(buf)));
		EXPECT_EQ(EIO, errno);
		close(fd[i]);
	}
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, DRIVER));
	/* They are made when somebody opens it. */
	EXPECT_NE(0, access(path, F_OK));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	EXPECT_EQ(0, access(path, F_OK));
}

/* All of the file @name of an open e1000e, with vpv_pci loaded so; "" if that fails. */
static const char *text_of(const char *load, const char *name)
{
	static char text[1024];
	struct vdev v = { .fd = -1, .group = -1, .iommu = -1 };
	struct slot slot = {};
	char path[128];
	int err = vpv_pci_load(load), fd;
	ssize_t bytes = 0;

	if (!err)
		err = slots_find("e1000e", &slot, 1) == 1 ? 0 : -ENOENT;
	if (!err)
		err = vdev_bind(slot.bdf, "vpv_pci") ?: vdev_open(&v, &slot, VDEV_GROUP);
	snprintf(path, sizeof(path), ROOT "/%s/%s", slot.bdf, name);
	fd = err ? -1 : open(path, O_RDONLY);
	if (fd >= 0) {
		bytes = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[bytes < 0 ? 0 : bytes] = 0;
	vdev_close(&v);
	return text;
}

TEST(parameters_are_those_of_the_driver)
{
	struct slot slot;

	if (access(ROOT, F_OK))
		SKIP(return, "no " ROOT);
	NEED_STOCK("e1000e", &slot, 1);
	EXPECT_STREQ("disable_idle_d3 yes\nnointxmask yes\nintx_masked_by_function no\n"
		     "intx_hidden no\nstate_kept_in_d3hot no\nmsix_dynamic yes\n",
		     text_of("disable_idle_d3=1 nointxmask=1", "parameters"));
	EXPECT_STREQ("disable_idle_d3 no\nnointxmask no\nintx_masked_by_function yes\n"
		     "intx_hidden no\nstate_kept_in_d3hot no\nmsix_dynamic yes\n",
		     text_of("", "parameters"));
}

TEST_HARNESS_MAIN
