// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of a BAR of 4 GiB by pages of every size, with a hidden half and a trapped
 * page (kunit/vfio_pci_core/vpv_test_variant.c), and of regions like a BAR.
 *
 * Groups: functions stable
 */
#include "lib/mapping.h"
#include "lib/sigbus.h"
#include "lib/stock.h"
#include "lib/test.h"

#define TEST_DRIVER	"vpv_test_variant"
#define BAR		VFIO_PCI_BAR2_REGION_INDEX
#define KB4		0x1000UL
#define MB2		0x200000UL
#define GB		0x40000000UL
#define TRAP		(GB + 5 * MB2 + 3 * KB4)
#define LIKE_BAR	9
#define NOT_LIKE_BAR	10

FIXTURE(mapping)
{
	struct slot slot;
	struct vdev v;
	struct trace trace;
};

static bool thp_off(void)
{
	char mode[64] = "";

	return sysfs_read("/sys/kernel/mm/transparent_hugepage/enabled", mode, sizeof(mode)) ||
	       strstr(mode, "[never]");
}

FIXTURE_SETUP(mapping)
{
	self->v.fd = -1;
	if (access("/sys/bus/pci/drivers/" TEST_DRIVER, F_OK))
		SKIP(return, "%s is not loaded", TEST_DRIVER);
	if (slots_find("testdev", &self->slot, 1) != 1)
		SKIP(return, "no pci-testdev in /vpv/stock");
	if (thp_off())
		SKIP(return, "this kernel makes no huge mappings");
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, TEST_DRIVER));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot,
			       access("/dev/iommu", R_OK) ? VDEV_GROUP : VDEV_CDEV));
	ASSERT_EQ(0, trace_open(&self->trace, "vpv_core/vpv_fault"));
	/* Memory enable is as firmware left it. */
	ASSERT_EQ(0, vdev_bus_master(&self->v, false));
}

FIXTURE_TEARDOWN(mapping)
{
	trace_close(&self->trace);
	vdev_close(&self->v);
}

static int set_memory(struct vdev *v, bool on)
{
	uint32_t cmd = vdev_cfg(v, PCI_COMMAND, 2);

	cmd = on ? cmd | PCI_COMMAND_MEMORY : cmd & ~PCI_COMMAND_MEMORY;
	return vdev_cfg_set(v, PCI_COMMAND, 2, cmd);
}

static bool load_faults(volatile uint8_t *p)
{
	return sigbus_load(p, NULL).code;
}

/* What the function holds at @pos, not through the mapping. */
static uint32_t stored(struct vdev *v, uint64_t pos)
{
	uint32_t val = 0;

	return vdev_pread(v, BAR, pos, &val, 4) == 4 ? val : ~0U;
}

/* One place for each order; the second GiB ends in the trapped page. */
static const struct {
	uint64_t pos;
	unsigned int order;
} places[] = {
	{ 0, 18 },
	{ GB / 2 + 0x1234, 18 },
	{ GB + 8, 9 },
	{ GB + 4 * MB2 + 0x100000, 9 },
	{ GB + 5 * MB2, 0 },
	{ TRAP - 4, 0 },
};

TEST_F(mapping, largest_page_that_fits)
{
	struct vdev *v = &self->v;
	uint8_t *p = map_at(v, BAR, 0, TRAP, 0);

	ASSERT_NE(NULL, p);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t pos = places[i].pos & ~3UL;

		*(volatile uint32_t *)(p + pos) = 0xabc00000 + i;
		EXPECT_EQ(0xabc00000 + i, stored(v, pos))
			TH_LOG("place %u", i);
	}
	/* Each order once, but single pages where a block would reach the trapped one. */
	EXPECT_EQ(1, orders_mapped(&self->trace, 18));
	EXPECT_EQ(2, orders_mapped(&self->trace, 9));
	EXPECT_EQ(2, orders_mapped(&self->trace, 0));
	munmap(p, TRAP);
}

TEST_F(mapping, small_pages_where_addresses_do_not_agree)
{
	uint8_t *p = map_at(&self->v, BAR, 0, 4 * MB2, KB4);

	ASSERT_NE(NULL, p);
	*(volatile uint32_t *)(p + MB2) = 0x5a5a;
	EXPECT_EQ(0x5a5aU, stored(&self->v, MB2));
	EXPECT_EQ(0, orders_mapped(&self->trace, 9));
	EXPECT_EQ(1, orders_mapped(&self->trace, 0));
	munmap(p, 4 * MB2);

	p = map_at(&self->v, BAR, 0, GB, MB2);
	ASSERT_NE(NULL, p);
	EXPECT_FALSE(load_faults(p + 3 * MB2));
	EXPECT_EQ(0, orders_mapped(&self->trace, 18));
	EXPECT_EQ(1, orders_mapped(&self->trace, 9));
	munmap(p, GB);
}

TEST_F(mapping, trapped_and_hidden_pages_cannot_be_mapped)
{
	struct {
		struct vfio_region_info info;
		uint8_t caps[128];
	} b = { .info = { .argsz = sizeof(b), .index = BAR } };
	const struct {
		uint64_t pos, bytes;
		bool fits;
	} rows[] = {
		{ 0, TRAP, true },
		{ 0, TRAP + KB4, false },
		{ TRAP, KB4, false },
		{ GB, GB, false },
		{ TRAP + KB4, 2 * GB - TRAP - KB4, true },
		{ TRAP + KB4, 2 * GB - TRAP, false },
		{ 2 * GB, KB4, false },
		{ 4 * GB, KB4, false },
	};
	struct vfio_region_info_cap_sparse_mmap *cap;
	uint8_t byte = 0;

	ASSERT_EQ(0, ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO, &b));
	EXPECT_EQ(2 * GB, b.info.size);
	ASSERT_TRUE(b.info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	cap = (void *)((uint8_t *)&b + b.info.cap_offset);
	ASSERT_EQ(VFIO_REGION_INFO_CAP_SPARSE_MMAP, cap->header.id);
	ASSERT_EQ(2U, cap->nr_areas);
	EXPECT_EQ(TRAP, cap->areas[0].size);
	EXPECT_EQ(TRAP + KB4, cap->areas[1].offset);

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *p = map_at(&self->v, BAR, rows[i].pos, rows[i].bytes, 0);

		EXPECT_EQ(rows[i].fits, p != NULL)
			TH_LOG("row %u", i);
		if (p)
			munmap(p, rows[i].bytes);
	}
	EXPECT_EQ(1, vdev_pread(&self->v, BAR, TRAP, &byte, 1));
	EXPECT_EQ(0x7a, byte);
}

TEST_F(mapping, memory_enable_at_every_order)
{
	uint8_t *p = map_at(&self->v, BAR, 0, TRAP, 0);

	ASSERT_NE(NULL, p);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		*(volatile uint32_t *)(p + (places[i].pos & ~3UL)) = 0x77 + i;
	ASSERT_EQ(0, set_memory(&self->v, false));
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_TRUE(load_faults(p + (places[i].pos & ~3UL)))
			TH_LOG("place %u", i);
	}
	ASSERT_EQ(0, set_memory(&self->v, true));
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(0x77 + i, *(volatile uint32_t *)(p + (places[i].pos & ~3UL)))
			TH_LOG("place %u", i);
	}
	munmap(p, TRAP);
}

/* Nobody answers for a while: ones at every place, and then what was there before. */
TEST_F(mapping, an_error_at_every_order)
{
	uint8_t *p = map_at(&self->v, BAR, 0, TRAP, 0);
	uint8_t *like = map_at(&self->v, LIKE_BAR, 0, 2 * MB2, 0);
	uint8_t *other = map_at(&self->v, NOT_LIKE_BAR, 0, 2 * MB2, 0);
	uint32_t val = 0;

	if (access(ERROR_STEP, W_OK))
		SKIP(return, "vpv_test_error is not loaded");
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, like);
	ASSERT_NE(NULL, other);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		*(volatile uint32_t *)(p + (places[i].pos & ~3UL)) = 0x99 + i;
	*(volatile uint32_t *)(like + MB2) = 0xfeed;

	ASSERT_EQ(0, error_step(&self->slot, "frozen"));
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		volatile uint32_t *at = (uint32_t *)(p + (places[i].pos & ~3UL));

		ASSERT_FALSE(load_faults((void *)at));
		EXPECT_EQ(UINT32_MAX, *at)
			TH_LOG("place %u", i);
	}
	ASSERT_FALSE(load_faults(like + MB2));
	EXPECT_EQ(UINT32_MAX, *(volatile uint32_t *)(like + MB2));
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		*(volatile uint32_t *)(p + (places[i].pos & ~3UL)) = 0xdead;
	*(volatile uint32_t *)(like + MB2) = 0xdead;
	EXPECT_EQ(4, vdev_pread(&self->v, LIKE_BAR, MB2, &val, 4));
	EXPECT_EQ(UINT32_MAX, val);
	val = 0;
	EXPECT_EQ(4, vdev_pread(&self->v, BAR, TRAP, &val, 4));
	EXPECT_EQ(UINT32_MAX, val);
	/* What nobody could take away again is not mapped at all. */
	EXPECT_TRUE(load_faults(other));
	/* Disabled, they are refused. */
	ASSERT_EQ(0, set_memory(&self->v, false));
	EXPECT_TRUE(load_faults(p));
	EXPECT_TRUE(load_faults(like));
	ASSERT_EQ(0, set_memory(&self->v, true));
	EXPECT_FALSE(load_faults(p));
	EXPECT_EQ(UINT32_MAX, *(volatile uint32_t *)p);

	ASSERT_EQ(0, error_step(&self->slot, "reset"));
	ASSERT_EQ(0, error_step(&self->slot, "resume"));
	/* This device keeps its memory over a reset of the link. */
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(0x99 + i, *(volatile uint32_t *)(p + (places[i].pos & ~3UL)))
			TH_LOG("place %u", i);
	}
	EXPECT_EQ(0xfeedU, *(volatile uint32_t *)(like + MB2));
	EXPECT_FALSE(load_faults(other));
	munmap(p, TRAP);
	munmap(like, 2 * MB2);
	munmap(other, 2 * MB2);
}

TEST_F(mapping, pieces_of_a_huge_page)
{
	uint8_t *p = map_at(&self->v, BAR, 0, GB, 0), *moved;

	ASSERT_NE(NULL, p);
	*(volatile uint32_t *)(p + 7 * MB2) = 0x70;
	ASSERT_EQ(1, orders_mapped(&self->trace, 18));
	/* What is split comes again by what fits. */
	ASSERT_EQ(0, munmap(p + 6 * MB2, KB4));
	EXPECT_EQ(0x70U, *(volatile uint32_t *)(p + 7 * MB2));
	EXPECT_EQ(1, orders_mapped(&self->trace, 9));

	moved = mremap(p + 7 * MB2, MB2, MB2, MREMAP_MAYMOVE | MREMAP_FIXED, p + 3 * GB);
	ASSERT_NE(MAP_FAILED, moved);
	EXPECT_EQ(0x70U, *(volatile uint32_t *)moved);
	ASSERT_EQ(0, mprotect(p + 8 * MB2, KB4, PROT_READ));
	EXPECT_FALSE(load_faults(p + 8 * MB2));
	ASSERT_EQ(0, set_memory(&self->v, false));
	EXPECT_TRUE(load_faults(moved));
	EXPECT_TRUE(load_faults(p + 8 * MB2));
	ASSERT_EQ(0, set_memory(&self->v, true));
	munmap(p, GB);
	munmap(moved, MB2);
}

TEST_F(mapping, moved_as_a_whole)
{
	uint8_t *p = map_at(&self->v, BAR, 0, GB, 0), *moved;

	ASSERT_NE(NULL, p);
	*(volatile uint32_t *)(p + 5 * MB2) = 0x50;
	ASSERT_EQ(1, orders_mapped(&self->trace, 18));
	/* Whether the new address has the same alignment or not. */
	moved = mremap(p, GB, GB, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4 * GB);
	ASSERT_EQ(p + 4 * GB, moved);
	EXPECT_EQ(0x50U, *(volatile uint32_t *)(moved + 5 * MB2));
	EXPECT_EQ(2, orders_mapped(&self->trace, 18));
	p = mremap(moved, GB, GB, MREMAP_MAYMOVE | MREMAP_FIXED, moved - 2 * GB + KB4);
	ASSERT_EQ(moved - 2 * GB + KB4, p);
	EXPECT_EQ(0x50U, *(volatile uint32_t *)(p + 5 * MB2));
	EXPECT_EQ(1, orders_mapped(&self->trace, 0));
	munmap(p, GB);
}

TEST_F(mapping, forked)
{
	uint8_t *p = map_at(&self->v, BAR, 0, GB, 0);
	int status;
	pid_t pid;

	ASSERT_NE(NULL, p);
	*(volatile uint32_t *)p = 0xf0;
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		bool same = *(volatile uint32_t *)p == 0xf0;

		/* The child's half is not the parent's. */
		munmap(p, MB2 + KB4);
		_exit(!same || *(volatile uint32_t *)(p + 4 * MB2) == 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0xf0U, *(volatile uint32_t *)p);
	munmap(p, GB);
}

TEST_F(mapping, regions_like_a_bar)
{
	uint8_t *like = map_at(&self->v, LIKE_BAR, 0, 2 * MB2, 0);
	uint8_t *other = map_at(&self->v, NOT_LIKE_BAR, 0, 2 * MB2, 0);
	uint32_t val = 0;

	ASSERT_NE(NULL, like);
	ASSERT_NE(NULL, other);
	*(volatile uint32_t *)(like + MB2) = 0xfeed;
	EXPECT_EQ(0xfeedU, *(volatile uint32_t *)(other + MB2));
	EXPECT_EQ(4, vdev_pread(&self->v, LIKE_BAR, MB2, &val, 4));
	EXPECT_EQ(0xfeedU, val);

	ASSERT_EQ(0, set_memory(&self->v, false));
	EXPECT_TRUE(load_faults(like + MB2));
	EXPECT_TRUE(load_faults(like));
	EXPECT_EQ(-EIO, vdev_pread(&self->v, LIKE_BAR, MB2, &val, 4));
	/* Its page stays where it was; that is what not asking for it means. */
	EXPECT_FALSE(load_faults(other + MB2));
	EXPECT_EQ(4, vdev_pread(&self->v, NOT_LIKE_BAR, MB2, &val, 4));
	ASSERT_EQ(0, set_memory(&self->v, true));
	EXPECT_EQ(0xfeedU, *(volatile uint32_t *)(like + MB2));
	munmap(like, 2 * MB2);
	munmap(other, 2 * MB2);
}

/* As KVM has a page of a guest made (kunit/vfio_pci_core/vpv_test_fault.c). */
static int fault_of_kvm(int fd, const uint8_t *p)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%#lx", (unsigned long)p);

	return write(fd, text, n) == n ? 0 : -errno;
}

/* An entry that was taken away again before it is looked at must not be an error. */
TEST_F(mapping, who_looks_at_an_entry_looks_again)
{
	uint8_t *p = map_at(&self->v, BAR, 0, TRAP, 0);
	uint8_t *like = map_at(&self->v, LIKE_BAR, 0, 2 * MB2, 0);
	int fd = open("/dev/vpv_test_fault", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		SKIP(return, "vpv_test_fault is not loaded");
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, like);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(0, fault_of_kvm(fd, p + places[i].pos)) {
			TH_LOG("at %#lx", places[i].pos);
		}
	}
	EXPECT_EQ(0, fault_of_kvm(fd, like));
	EXPECT_EQ(1, orders_mapped(&self->trace, 18));
	EXPECT_EQ(2, orders_mapped(&self->trace, 9));
	close(fd);
	munmap(p, TRAP);
	munmap(like, 2 * MB2);
}

/* In a process of its own, which ends with 0 when all stores have come to an end. */
static int store_while_watched(struct vdev *v)
{
	uint8_t *p = map_at(v, BAR, 0, TRAP, 0);

	if (!p)
		return 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		*(volatile uint32_t *)(p + (places[i].pos & ~3UL)) = i;
	/* Entries of all orders are read-only now, until they are written again. */
	if (sysfs_write("/proc/self/clear_refs", "4"))
		return 2;
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		*(volatile uint32_t *)(p + (places[i].pos & ~3UL)) = 0x50f70000 + i;
	return 0;
}

TEST_F(mapping, stores_while_the_kernel_watches_them)
{
	int status = 0;
	pid_t pid;

	if (!kernel_watches_writes())
		SKIP(return, "this kernel does not watch which pages are written");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Ends a store that faults again and again. */
		alarm(20);
		_exit(store_while_watched(&self->v));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status))
		TH_LOG("the child's status is %#x", status);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(0x50f70000 + i, stored(&self->v, places[i].pos & ~3UL))
			TH_LOG("place %u", i);
	}
}

TEST_F(mapping, reset_takes_every_order_away)
{
	uint8_t *p = map_at(&self->v, BAR, 0, TRAP, 0);
	uint8_t *like = map_at(&self->v, LIKE_BAR, 0, 2 * MB2, 0);
	struct vfio_device_info info = { .argsz = sizeof(info) };

	ASSERT_EQ(0, ioctl(self->v.fd, VFIO_DEVICE_GET_INFO, &info));
	/* Alone behind its root port: the link resets it. */
	ASSERT_TRUE(info.flags & VFIO_DEVICE_FLAGS_RESET);
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, like);
	for (unsigned int round = 1; round <= 2; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
			load_faults(p + (places[i].pos & ~3UL));
		EXPECT_FALSE(load_faults(like));
		EXPECT_EQ(round, orders_mapped(&self->trace, 18));
		EXPECT_EQ(2 * round, orders_mapped(&self->trace, 9));
		ASSERT_EQ(0, vdev_reset(&self->v));
		ASSERT_EQ(0, set_memory(&self->v, true));
	}
	munmap(p, TRAP);
	munmap(like, 2 * MB2);
}

TEST_HARNESS_MAIN
