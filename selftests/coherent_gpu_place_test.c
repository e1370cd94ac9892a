// SPDX-License-Identifier: GPL-2.0
/*
 * What firmware says of the memory of coherent_gpu, and is not so: the driver claims nothing that
 * anybody else has.
 *
 * Groups: coherent-gpu-special
 */
#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define SAYS		"something else is at"
#define PAGES		"/sys/module/vpv_test_pages/parameters/range"
#define MB2		0x200000UL
#define MB128		0x8000000UL
#define MB384		0x18000000UL

/*
 * Of families/coherent_gpu.c: one has 384 MiB and a carve-out of 128 MiB; by firmware one has RAM of
 * the machine, and one what the first one has.
 */
enum { FIRST, ODD = 2, IN_RAM = 5, SAME, SLOTS };

FIXTURE(place)
{
	struct slot slot[SLOTS];
	int log;
};

FIXTURE_SETUP(place)
{
	if (slots_find("coherent_gpu", self->slot, SLOTS) != SLOTS)
		SKIP(return, "needs %d coherent_gpu functions", SLOTS);
	ASSERT_EQ(0, vdev_bind(self->slot[FIRST].bdf, GPU_DRIVER));
	self->log = log_mark();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(place)
{
	close(self->log);
}

TEST_F(place, memory_of_the_kernel)
{
	EXPECT_EQ(-ENODEV, vdev_bind(self->slot[IN_RAM].bdf, GPU_DRIVER));
	EXPECT_EQ(1, log_count(self->log, SAYS, NULL, 0));
}

TEST_F(place, memory_of_another_function)
{
	struct vdev v;

	EXPECT_EQ(-ENODEV, vdev_bind(self->slot[SAME].bdf, GPU_DRIVER));
	EXPECT_EQ(1, log_count(self->log, SAYS, NULL, 0));
	/* The other one is none the worse. */
	ASSERT_EQ(0, vdev_open(&v, &self->slot[FIRST], any_mode()));
	vdev_close(&v);
	/* Until it gives it back. */
	ASSERT_EQ(0, vdev_unbind(self->slot[FIRST].bdf));
	EXPECT_EQ(0, vdev_bind(self->slot[SAME].bdf, GPU_DRIVER));
	EXPECT_EQ(-ENODEV, vdev_bind(self->slot[FIRST].bdf, GPU_DRIVER));
	ASSERT_EQ(0, vdev_unbind(self->slot[SAME].bdf));
	EXPECT_EQ(0, vdev_bind(self->slot[FIRST].bdf, GPU_DRIVER));
}

static int give_pages(uint64_t first, uint64_t bytes)
{
	char text[64];

	snprintf(text, sizeof(text), "%#lx %#lx", first, bytes);
	return sysfs_write(PAGES, text);
}

/* Somebody has it as memory and has claimed nothing: no resource tells of that. */
TEST_F(place, memory_with_struct_pages)
{
	static const uint64_t at[] = { 0, MB128, MB384 - MB2, MB384, MB384 + MB128 - MB2 };
	const char *bdf = self->slot[ODD].bdf;
	uint64_t base;

	if (access(PAGES, F_OK))
		SKIP(return, "vpv_test_pages is not loaded");
	ASSERT_EQ(0, vdev_bind(bdf, GPU_DRIVER));
	base = gpu_claimed(MB384);
	ASSERT_NE(0, base);
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		ASSERT_EQ(0, vdev_unbind(bdf));
		ASSERT_EQ(0, give_pages(base + at[i], MB2)) TH_LOG("at %#lx", at[i]);
		EXPECT_EQ(-ENODEV, vdev_bind(bdf, GPU_DRIVER)) TH_LOG("at %#lx", at[i]);
		EXPECT_EQ(1, log_count(self->log, SAYS, NULL, 0)) TH_LOG("at %#lx", at[i]);
		EXPECT_EQ(0, gpu_claimed(MB384)) TH_LOG("at %#lx", at[i]);
		ASSERT_EQ(0, give_pages(0, 0));
		ASSERT_EQ(0, vdev_bind(bdf, GPU_DRIVER)) TH_LOG("at %#lx", at[i]);
	}
}

TEST_HARNESS_MAIN
