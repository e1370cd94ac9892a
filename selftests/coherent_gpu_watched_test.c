// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of coherent_gpu, mapped by entries of every size, while the kernel watches which pages of
 * a process are written.  The debug kernel cannot do that, and 6.12 has no huge entries there.
 *
 * Groups: throughput
 */
#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/mapping.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define KB4		0x1000UL
#define MB2		0x200000UL
#define GB		0x40000000UL
#define WORD(i)		(0x50f70000U + (i))

static const uint64_t places[] = { 0, 3 * MB2 + 5 * KB4, GB / 2 - 4, GB - KB4 };

FIXTURE_VARIANT(watched)
{
	unsigned int order;	/* of the entries */
	size_t shift;		/* of the mapping, which decides that */
};

FIXTURE(watched)
{
	struct slot slot;
	struct vdev v;
	struct trace trace;
};

FIXTURE_VARIANT_ADD(watched, pages_of_1_gib) { 18, 0 };
FIXTURE_VARIANT_ADD(watched, pages_of_2_mib) { 9, MB2 };
FIXTURE_VARIANT_ADD(watched, pages_of_4_kib) { 0, KB4 };

FIXTURE_SETUP(watched)
{
	self->v.fd = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, &self->slot, 1);
	NEED(kernel_watches_writes(), "this kernel does not watch which pages are written");
	ASSERT_EQ(0, trace_open(&self->trace, "vpv_core/vpv_fault"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
}

FIXTURE_TEARDOWN(watched)
{
	trace_close(&self->trace);
	vdev_close(&self->v);
}

static void store(volatile uint8_t *p, uint32_t val)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		*(volatile uint32_t *)(p + places[i]) = val + i;
}

/* In a process of its own, which ends with 0 when all stores have come to an end. */
static int store_while_watched(struct vdev *v, size_t shift)
{
	uint8_t *p = map_at(v, GPU_MAIN_BAR, 0, GB, shift);

	if (!p)
		return 1;
	store(p, 0);
	/* All entries are read-only now, until they are written again. */
	if (sysfs_write("/proc/self/clear_refs", "4"))
		return 2;
	store(p, WORD(0));
	return 0;
}

TEST_F_TIMEOUT(watched, stores_come_to_an_end, 120)
{
	int status = 0;
	pid_t pid;

	ASSERT_EQ(0, trace_clear(&self->trace));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Ends a store that faults again and again. */
		alarm(30);
		_exit(store_while_watched(&self->v, variant->shift));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status))
		TH_LOG("the child's status is %#x", status);
	EXPECT_LE(1, orders_mapped(&self->trace, variant->order));
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		uint32_t val = 0;

		EXPECT_EQ(4, vdev_pread(&self->v, GPU_MAIN_BAR, places[i], &val, 4));
		EXPECT_EQ(WORD(i), val);
	}
}

TEST_HARNESS_MAIN
