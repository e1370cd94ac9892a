// SPDX-License-Identifier: GPL-2.0
/*
 * Displays of the host: the framebuffer driver that shows the console on one goes when it
 * is bound, and the host's arbiter of the legacy VGA ranges knows that it needs none.
 *
 * Groups: display display-other
 */
#include "lib/stock.h"
#include "lib/test.h"

#define FB		"/sys/class/graphics/fb0"
#define ARBITER		"/dev/vga_arbiter"

FIXTURE(display)
{
	struct slot slot;
	struct vdev v;
};

FIXTURE_SETUP(display)
{
	self->v.fd = self->v.group = self->v.iommu = -1;
}

FIXTURE_TEARDOWN(display)
{
	vdev_close(&self->v);
	if (self->slot.bdf[0])
		vdev_unbind(self->slot.bdf);
}

/* Does @name hold any address? */
static bool holds_memory(const char *name)
{
	FILE *file = fopen("/proc/iomem", "r");
	bool found = false;
	char line[128];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, name);
	if (file)
		fclose(file);
	return found;
}

TEST_F(display, framebuffer_driver_goes)
{
	volatile uint32_t *pixels;
	char name[32] = "";

	if (slots_find("vga", &self->slot, 1) != 1 &&
	    slots_find("bochs-display", &self->slot, 1) != 1)
		SKIP(return, "no vga or bochs-display in /vpv/stock");
	if (sysfs_read(FB "/name", name, sizeof(name)))
		SKIP(return, "the host has no framebuffer: boot it with vga=");
	/* By its usual name there and in /proc/iomem. */
	TH_LOG("framebuffer: %s", name);
	ASSERT_TRUE(holds_memory("vesafb"));

	ASSERT_EQ(0, vdev_bind(self->slot.bdf, "vpv_pci"));
	EXPECT_NE(0, access(FB, F_OK));
	EXPECT_FALSE(holds_memory("vesafb"));

	/* The BAR is the user's. */
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
	ASSERT_EQ(0, bar_set(&self->v, 0, 0x1000, 0x00c0ffee));
	EXPECT_EQ(0x00c0ffeeU, bar_get(&self->v, 0, 0x1000));
	pixels = vdev_bar_map(&self->v, 0, 0x2000);
	ASSERT_NE(NULL, pixels);
	EXPECT_EQ(0x00c0ffeeU, pixels[0x400]);
	munmap((void *)pixels, 0x2000);
}

/* Which legacy ranges it decodes, in the words of the arbiter. */
static int decodes(const struct slot *slot, char *what, size_t room)
{
	int fd = open(ARBITER, O_RDWR | O_CLOEXEC), n;
	char text[256] = "", *at, *end;

	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "target PCI:%s", slot->bdf);
	n = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	if (!n)
		n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return n;
	text[n] = 0;
	at = strstr(text, "decodes=");
	end = at ? strchr(at, ',') : NULL;
	if (!end)
		return -EPROTO;
	*end = 0;
	snprintf(what, room, "%s", at + strlen("decodes="));
	return 0;
}

/* On the root bus nothing keeps the ranges from it, behind a port of its own the port does. */
static const struct {
	const char *name;
	const char *bound;
} places[] = {
	{ "vga", "io+mem" },
	{ "vga-port", "none" },
};

TEST_F(display, legacy_ranges_are_left_to_others)
{
	char what[32] = "";

	if (access(ARBITER, F_OK))
		SKIP(return, "this kernel has no " ARBITER);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		if (slots_find(places[i].name, &self->slot, 1) != 1)
			SKIP(return, "no %s in /vpv/stock", places[i].name);
		ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
		ASSERT_EQ(0, decodes(&self->slot, what, sizeof(what)));
		EXPECT_STREQ("io+mem", what);
		ASSERT_EQ(0, vdev_bind(self->slot.bdf, "vpv_pci"));
		ASSERT_EQ(0, decodes(&self->slot, what, sizeof(what)));
		EXPECT_STREQ(places[i].bound, what)
			TH_LOG("%s", places[i].name);
		ASSERT_EQ(0, vdev_unbind(self->slot.bdf));
		ASSERT_EQ(0, decodes(&self->slot, what, sizeof(what)));
		EXPECT_STREQ("io+mem", what);
	}
}

TEST_HARNESS_MAIN
