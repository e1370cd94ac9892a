// SPDX-License-Identifier: GPL-2.0
/*
 * What of coherent_gpu is not in the tests of all families: memory that CPUs cache, shown as
 * a BAR, and its readiness (Documentation/coherent_gpu.rst).
 *
 * Groups: coherent-gpu coherent-gpu-stable
 */
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/mapping.h"
#include "lib/sigbus.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define KB4		0x1000UL
#define MB2		0x200000UL
#define GB		0x40000000UL
#define MB128		0x8000000UL
#define MB384		0x18000000UL
#define MB512		0x20000000UL
#define READY_MS	1500
#define AT_ONCE_MS	3000

/*
 * Of the machine in families/coherent_gpu.c: 384 MiB with a carve-out of 128 MiB, and 1 GiB, on
 * a multiple of that.
 */
enum { ODD = 2, LARGE, SLOTS };

FIXTURE(coherent)
{
	struct slot slot[SLOTS];
	struct vdev v;
	struct model m;
	struct gpu g;
	struct trace trace;
};

static int open_function(FIXTURE_DATA(coherent) *self, unsigned int nr)
{
	int err = vdev_open(&self->v, &self->slot[nr], any_mode());

	err = err ? err : model_open(&self->m, &self->slot[nr]);
	err = err ? err : vdev_dma_map(&self->v, self->g.mem, GPU_MEM_IOVA, GPU_MEM_BYTES);
	return err ? err : gpu_attach(&self->g, &self->v);
}

static void close_function(FIXTURE_DATA(coherent) *self)
{
	gpu_detach(&self->g);
	if (self->m.fd > 0)
		model_close(&self->m);
	self->m.fd = -1;
	vdev_close(&self->v);
}

FIXTURE_SETUP(coherent)
{
	self->v.fd = -1;
	self->m.fd = -1;
	if (slots_find("coherent_gpu", self->slot, SLOTS) != SLOTS)
		SKIP(return, "needs %d coherent_gpu functions", SLOTS);
	for (unsigned int i = ODD; i < SLOTS; i++)
		ASSERT_EQ(0, vdev_bind(self->slot[i].bdf, GPU_DRIVER));
	self->g.mem = mmap(NULL, GPU_MEM_BYTES, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->g.mem);
	ASSERT_EQ(0, trace_open(&self->trace, "vpv_core/vpv_fault"));
	ASSERT_EQ(0, open_function(self, LARGE));
}

FIXTURE_TEARDOWN(coherent)
{
	trace_close(&self->trace);
	if (self->m.fd > 0) {
		model_cmd(&self->m, "fault clear");
		model_cmd(&self->m, "ready_ms 0");
	}
	close_function(self);
	munmap(self->g.mem, GPU_MEM_BYTES);
}

/* ---- Size and type ---- */

static uint64_t bar_size(struct vdev *v, unsigned int bar)
{
	unsigned int pos = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint32_t low = vdev_cfg(v, pos, 4), high = vdev_cfg(v, pos + 4, 4);
	uint64_t mask;

	vdev_cfg_set(v, pos, 4, ~0U);
	vdev_cfg_set(v, pos + 4, 4, ~0U);
	mask = (vdev_cfg(v, pos, 4) & ~0xfU) | (uint64_t)vdev_cfg(v, pos + 4, 4) << 32;
	vdev_cfg_set(v, pos, 4, low);
	vdev_cfg_set(v, pos + 4, 4, high);
	return ~mask + 1;
}

TEST_F(coherent, bar_has_a_power_of_two)
{
	static const uint64_t sizes[] = { [LARGE] = GB, [ODD] = MB512 };

	for (unsigned int i = ODD; i < SLOTS; i++) {
		struct vfio_region_info info;

		close_function(self);
		ASSERT_EQ(0, open_function(self, i));
		ASSERT_EQ(0, vdev_region(&self->v, GPU_MAIN_BAR, &info));
		EXPECT_EQ(sizes[i], info.size);
		EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
			  VFIO_REGION_INFO_FLAG_MMAP,
			  info.flags & ~VFIO_REGION_INFO_FLAG_CAPS);
		EXPECT_EQ(sizes[i], bar_size(&self->v, GPU_MAIN_BAR));
		/* 64 bits, prefetchable. */
		EXPECT_EQ(0xc, vdev_cfg(&self->v, PCI_BASE_ADDRESS_2, 4) & 0xf);
		ASSERT_EQ(0, vdev_region(&self->v, GPU_MAIN_BAR + 1, &info));
		EXPECT_EQ(0, info.size);
		ASSERT_EQ(0, vdev_region(&self->v, GPU_CARVE_BAR, &info));
		EXPECT_EQ(i == ODD ? MB128 : 0, info.size);
		EXPECT_EQ(i == ODD ? 0xc : 0, vdev_cfg(&self->v, PCI_BASE_ADDRESS_4, 4));
		if (i == ODD)
			EXPECT_EQ(MB128, bar_size(&self->v, GPU_CARVE_BAR));
	}
}

/* GET_REGION_INFO of the memory, with its one area that can be mapped. */
struct sparse_info {
	struct vfio_region_info info;
	struct vfio_region_info_cap_sparse_mmap cap;
	struct vfio_region_sparse_mmap_area area;
};

TEST_F(coherent, what_is_beyond_cannot_be_mapped)
{
	struct sparse_info is = { .info.argsz = sizeof(is), .info.index = GPU_MAIN_BAR };

	close_function(self);
	ASSERT_EQ(0, open_function(self, ODD));
	ASSERT_EQ(0, ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO, &is));
	ASSERT_NE(0, is.info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	ASSERT_EQ(sizeof(is.info), is.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_SPARSE_MMAP, is.cap.header.id);
	EXPECT_EQ(0, is.cap.header.next);
	EXPECT_EQ(1, is.cap.nr_areas);
	EXPECT_EQ(0, is.area.offset);
	EXPECT_EQ(MB384, is.area.size);
	EXPECT_EQ(NULL, gpu_map(&self->v, GPU_MAIN_BAR, MB384, KB4));
	EXPECT_EQ(NULL, gpu_map(&self->v, GPU_MAIN_BAR, MB384 - KB4, 2 * KB4));
	EXPECT_EQ(NULL, gpu_map(&self->v, GPU_MAIN_BAR, 0, MB512));
}

TEST_F(coherent, beyond_are_ones)
{
	uint8_t buf[64], back[64];

	close_function(self);
	ASSERT_EQ(0, open_function(self, ODD));
	memset(buf, 0x5a, sizeof(buf));
	/* Half of it is there. */
	ASSERT_EQ(64, vdev_pwrite(&self->v, GPU_MAIN_BAR, MB384 - 32, buf, 64));
	ASSERT_EQ(64, vdev_pread(&self->v, GPU_MAIN_BAR, MB384 - 32, back, 64));
	EXPECT_EQ(0, memcmp(buf, back, 32));
	memset(buf, 0xff, sizeof(buf));
	EXPECT_EQ(0, memcmp(buf, back + 32, 32));
	ASSERT_EQ(64, vdev_pread(&self->v, GPU_MAIN_BAR, MB512 - 64, back, 64));
	EXPECT_EQ(0, memcmp(buf, back, 64));
	EXPECT_EQ(1, vdev_pread(&self->v, GPU_MAIN_BAR, MB512 - 1, back, 64));
	EXPECT_GT(0, vdev_pread(&self->v, GPU_MAIN_BAR, MB512, back, 1));
}

/* ---- Read and write ---- */

TEST_F(coherent, any_width_and_length)
{
	static uint8_t want[3 * KB4], have[3 * KB4];
	const uint64_t base = 3 * MB2 - KB4;

	for (unsigned int i = 0; i < sizeof(want); i++)
		want[i] = i * 7 + i / 256;
	ASSERT_EQ(sizeof(want), vdev_pwrite(&self->v, GPU_MAIN_BAR, base, want, sizeof(want)));
	for (unsigned int bytes = 1; bytes < 300; bytes += bytes < 20 ? 1 : 93)
		for (unsigned int pos = 0; pos < 9; pos++) {
			uint64_t at = pos * 257 % KB4;

			memset(want + at, bytes ^ pos, bytes);
			ASSERT_EQ(bytes, vdev_pwrite(&self->v, GPU_MAIN_BAR, base + at, want + at,
						     bytes));
			ASSERT_EQ(bytes, vdev_pread(&self->v, GPU_MAIN_BAR, base + at, have,
						    bytes));
			EXPECT_EQ(0, memcmp(want + at, have, bytes));
		}
	ASSERT_EQ(sizeof(have), vdev_pread(&self->v, GPU_MAIN_BAR, base, have, sizeof(have)));
	EXPECT_EQ(0, memcmp(want, have, sizeof(want)));
}

/* ---- Mappings ---- */

/* Has memory of a BAR huge entries?  Not on the oldest kernel. */
static bool has_huge(void)
{
	struct utsname name;

	return !uname(&name) && strncmp(name.release, "6.12.", 5);
}

TEST_F(coherent, pages_of_every_size)
{
	uint8_t *all = map_at(&self->v, GPU_MAIN_BAR, 0, GB, 0);
	uint8_t *part = map_at(&self->v, GPU_MAIN_BAR, 2 * MB2, 4 * MB2, 2 * MB2);
	uint8_t *page = map_at(&self->v, GPU_MAIN_BAR, KB4, KB4, KB4);

	ASSERT_NE(NULL, all);
	ASSERT_NE(NULL, part);
	ASSERT_NE(NULL, page);
	ASSERT_EQ(0, trace_clear(&self->trace));
	memcpy(all + 5 * MB2 + 3, "one", 4);
	EXPECT_EQ(has_huge(), orders_mapped(&self->trace, 18));
	EXPECT_STREQ("one", (char *)part + 3 * MB2 + 3);
	EXPECT_EQ(has_huge(), orders_mapped(&self->trace, 9));
	memcpy(page + 5, "two", 4);
	EXPECT_LE(1, orders_mapped(&self->trace, 0));
	EXPECT_STREQ("two", (char *)all + KB4 + 5);

	/* A part goes, the rest stays usable, and so do the others. */
	ASSERT_EQ(0, munmap(all + 4 * MB2 + KB4, KB4));
	EXPECT_STREQ("one", (char *)all + 5 * MB2 + 3);
	EXPECT_STREQ("one", (char *)part + 3 * MB2 + 3);
	all[4 * MB2] = 0x77;
	EXPECT_EQ(0x77, part[2 * MB2]);
	ASSERT_EQ(0, munmap(part, 4 * MB2));
	EXPECT_EQ(0x77, all[4 * MB2]);
	munmap(page, KB4);
	munmap(all, GB);
}

static int read_all(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0);
	close(fd);
	return n;
}

static int write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, word, strlen(word)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* The kernel walks page tables for reasons of its own, and finds no struct pages there. */
TEST_F(coherent, kernel_may_look_at_mappings)
{
	static const int advices[] = {
		MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_DONTNEED, MADV_SEQUENTIAL,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_COLLAPSE,
	};
	uint8_t *p = map_at(&self->v, GPU_MAIN_BAR, 0, 4 * MB2, 0);
	unsigned long nodes = 1;
	uint64_t entry[8];
	void *page = p;
	int status, fd;

	ASSERT_NE(NULL, p);
	p[MB2] = 0x5a;
	p[3 * MB2] = 0xa5;
	fd = open("/proc/self/pagemap", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(sizeof(entry), pread(fd, entry, sizeof(entry),
				       (uintptr_t)(p + MB2) / KB4 * sizeof(*entry)));
	close(fd);
	EXPECT_EQ(0, read_all("/proc/self/smaps"));
	EXPECT_EQ(0, read_all("/proc/self/smaps_rollup"));
	read_all("/proc/self/numa_maps");
	/* Which of them make sense is not for us to say. */
	for (unsigned int i = 0; i < ARRAY_SIZE(advices); i++) {
		madvise(p, 4 * MB2, advices[i]);
		p[MB2] = 0x5a;
	}
	syscall(SYS_mbind, p, 4 * MB2, 2 /* MPOL_BIND */, &nodes, 8, 1 /* MPOL_MF_STRICT */);
	p[MB2] = 0x5a;
	syscall(SYS_mbind, p, 4 * MB2, 0, NULL, 0, 3 /* with MPOL_MF_MOVE */);
	p[MB2] = 0x5a;
	syscall(SYS_move_pages, 0, 1, &page, NULL, &status, 0);
	mlock(p, 4 * MB2);
	munlock(p, 4 * MB2);
	for (const char *word = "1345"; *word; word++) {
		char one[2] = { *word };

		p[MB2] = 0x5a;
		write_word("/proc/self/clear_refs", one);
		p[MB2] = 0x5b;
		EXPECT_EQ(0x5b, p[MB2]);
	}
	mprotect(p, 4 * MB2, PROT_READ);
	EXPECT_EQ(0xa5, *(volatile uint8_t *)(p + 3 * MB2));
	mprotect(p, 4 * MB2, PROT_READ | PROT_WRITE);
	p[3 * MB2] = 0xa6;
	EXPECT_EQ(0xa6, *(volatile uint8_t *)(p + 3 * MB2));
	munmap(p, 4 * MB2);
}

static bool memtype_is(uint64_t at, const char *type)
{
	char line[160];
	uint64_t first, last;
	bool found = false;
	FILE *f = fopen("/sys/kernel/debug/x86/pat_memtype_list", "r");

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "PAT: [mem 0x%lx-0x%lx]", &first, &last) == 2 &&
			first <= at && at < last && strstr(line, type);
	if (f)
		fclose(f);
	return found;
}

TEST_F(coherent, memory_is_cached)
{
	uint64_t at = gpu_claimed(GB);
	uint8_t *p = map_at(&self->v, GPU_MAIN_BAR, 0, GB, 0);

	ASSERT_NE(0, at);
	ASSERT_NE(NULL, p);
	*(volatile uint8_t *)p = 1;
	EXPECT_TRUE(memtype_is(at, "write-back"));
	EXPECT_TRUE(memtype_is(at + GB - KB4, "write-back"));
	munmap(p, GB);
	close_function(self);
	EXPECT_TRUE(memtype_is(at, "write-back"));
	ASSERT_EQ(0, vdev_unbind(self->slot[LARGE].bdf));
	EXPECT_FALSE(memtype_is(at, "write-back"));
	EXPECT_NE(at, gpu_claimed(GB));
	ASSERT_EQ(0, vdev_bind(self->slot[LARGE].bdf, GPU_DRIVER));
	ASSERT_EQ(0, open_function(self, LARGE));
}

TEST_F(coherent, carve_out_is_write_combining)
{
	uint64_t at = gpu_claimed(MB128);
	uint8_t *p;

	close_function(self);
	ASSERT_EQ(0, open_function(self, ODD));
	ASSERT_NE(0, at);
	EXPECT_EQ(gpu_claimed(MB384) + MB384, at);
	EXPECT_TRUE(memtype_is(at, "write-combining"));
	p = gpu_map(&self->v, GPU_CARVE_BAR, 0, MB2);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, gpu_enable(&self->g));
	ASSERT_EQ(0, gpu_queue_start(&self->g, 0, false));
	memset(p, 0x66, KB4);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ASSERT_EQ(0, gpu_run(&self->g, gpu_copy(GPU_AT(0), GPU_AT(CGPU_CARVE_BASE), KB4)));
	ASSERT_EQ(0, gpu_run(&self->g, gpu_copy(GPU_GUEST(GPU_MEM_DATA), GPU_AT(0), KB4)));
	for (unsigned int i = 0; i < KB4; i++)
		ASSERT_EQ(0x66, self->g.mem[GPU_MEM_DATA + i]);
	munmap(p, MB2);
}

/* Nobody could take it away again, or see what is written. */
TEST_F(coherent, other_devices_cannot_have_it)
{
	static const enum vdev_mode modes[] = { VDEV_GROUP, VDEV_CDEV };

	for (unsigned int i = 0; i < 2; i++) {
		void *p;

		if (modes[i] == VDEV_CDEV && access("/dev/iommu", F_OK))
			continue;
		close_function(self);
		ASSERT_EQ(0, vdev_open(&self->v, &self->slot[LARGE], modes[i]));
		p = gpu_map(&self->v, GPU_MAIN_BAR, 0, MB2);
		ASSERT_NE(NULL, p);
		EXPECT_EQ(-EFAULT, vdev_dma_map(&self->v, p, GPU_MEM_IOVA, MB2));
		*(volatile uint8_t *)p = 1;
		EXPECT_EQ(-EFAULT, vdev_dma_map(&self->v, p, GPU_MEM_IOVA, MB2));
		munmap(p, MB2);
	}
}

/* As other BARs: who has it mapped goes on, and finds it again. */
TEST_F(coherent, ones_while_it_is_gone)
{
	const char *bdf = self->slot[LARGE].bdf;
	volatile uint32_t *p = gpu_map(&self->v, GPU_MAIN_BAR, 0, MB2);

	if (!vdev_error_works())
		SKIP(return, "vpv_test_error is not loaded");
	ASSERT_NE(NULL, p);
	p[5] = 0x12345678;
	ASSERT_EQ(0, gpu_set_memory(&self->v, false));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	ASSERT_EQ(0, vdev_error(bdf, "unplugged"));
	EXPECT_EQ(~0U, p[5]);
	p[5] = 1;
	EXPECT_EQ(~0U, p[KB4 / 4]);
	ASSERT_EQ(0, vdev_error(bdf, "resume"));
	ASSERT_EQ(0, gpu_set_memory(&self->v, false));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_EQ(0x12345678, p[5]);
	munmap((void *)p, MB2);
}

/* What the CPU writes by a mapping or by write() the device reads, and the other way round. */
TEST_F(coherent, device_and_cpu_share_it)
{
	uint8_t *p = gpu_map(&self->v, GPU_MAIN_BAR, 0, MB2);
	uint32_t val = 0;

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, gpu_enable(&self->g));
	ASSERT_EQ(0, gpu_queue_start(&self->g, 0, false));
	memset(p + KB4, 0x3c, KB4);
	ASSERT_EQ(KB4, vdev_pwrite(&self->v, GPU_MAIN_BAR, 2 * KB4, p + KB4, KB4));
	ASSERT_EQ(0, gpu_run(&self->g, gpu_copy(GPU_GUEST(GPU_MEM_DATA), GPU_AT(KB4), 2 * KB4)));
	for (unsigned int i = 0; i < 2 * KB4; i++)
		ASSERT_EQ(0x3c, self->g.mem[GPU_MEM_DATA + i]);
	ASSERT_EQ(0, gpu_run(&self->g, gpu_fill(GPU_AT(5 * KB4), KB4, 0x11223344)));
	EXPECT_EQ(0x11223344, *(volatile uint32_t *)(p + 6 * KB4 - 4));
	ASSERT_EQ(4, vdev_pread(&self->v, GPU_MAIN_BAR, 5 * KB4, &val, 4));
	EXPECT_EQ(0x11223344, val);
	munmap(p, MB2);
}

/* Other devices may still be at it, and the guest's CPUs are until it is frozen. */
TEST_F(coherent, memory_answers_in_p2p)
{
	static const unsigned int states[] = {
		VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_PRE_COPY_P2P,
	};
	uint8_t *p = gpu_map(&self->v, GPU_MAIN_BAR, 0, MB2);

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++) {
		uint32_t val = 0x11220000 + i, back = 0;
		int fd = -1;

		ASSERT_EQ(0, mig_set(&self->v, states[i], &fd));
		ASSERT_EQ(4, vdev_pwrite(&self->v, GPU_MAIN_BAR, 2 * KB4 - 2, &val, 4));
		ASSERT_EQ(4, vdev_pread(&self->v, GPU_MAIN_BAR, 2 * KB4 - 2, &back, 4));
		EXPECT_EQ(val, back);
		/* A page that nobody has mapped yet, and once more. */
		*(volatile uint32_t *)(p + (8 + i) * KB4) = val;
		*(volatile uint32_t *)(p + (8 + i) * KB4) += 1;
		ASSERT_EQ(4, vdev_pread(&self->v, GPU_MAIN_BAR, (8 + i) * KB4, &back, 4));
		EXPECT_EQ(val + 1, back);
		ASSERT_EQ(0, mig_set(&self->v, VFIO_DEVICE_STATE_RUNNING, NULL));
		if (fd >= 0)
			close(fd);
	}
	munmap(p, MB2);
}

/* ---- Resets and readiness ---- */

static uint64_t early_pages(struct model *m)
{
	uint64_t val;

	return model_value(m, "stats", "early_pages", &val) ? ~0ULL : val;
}

enum access { BY_READ, BY_WRITE, BY_LOAD, ACCESSES };

static bool accesses(struct vdev *v, uint8_t *p, enum access how)
{
	uint8_t val = 0;

	switch (how) {
	case BY_READ:
		return vdev_pread(v, GPU_MAIN_BAR, MB2 / 2, &val, 1) == 1 && !val;
	case BY_WRITE:
		return vdev_pwrite(v, GPU_MAIN_BAR, MB2 / 2, &val, 1) == 1;
	default:
		return !sigbus_load(p + MB2 / 2, &val).code && !val;
	}
}

static int by_sysfs(struct vdev *v)
{
	return gpu_reset_by_sysfs(&v->slot);
}

/* As the PCI core recovers it from an error. */
static int by_recovery(struct vdev *v)
{
	const char *bdf = v->slot.bdf;
	int err = vdev_error(bdf, "frozen");

	err = err ? err : vdev_error(bdf, "reset");
	return err ? err : vdev_error(bdf, "resume");
}

static const struct {
	const char *name;
	int (*reset)(struct vdev *v);
} resets[] = {
	{ "VFIO_DEVICE_RESET", vdev_reset },
	{ "FLR", gpu_reset_by_flr },
	{ "sysfs", by_sysfs },
	{ "recovery from an error", by_recovery },
};

/* Whoever comes first after a reset, by whomever, waits; and nobody comes early. */
TEST_F_TIMEOUT(coherent, first_access_after_a_reset_waits, 180)
{
	uint8_t *p = gpu_map(&self->v, GPU_MAIN_BAR, 0, MB2);

	ASSERT_NE(NULL, p);
	gpu_detach(&self->g);
	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms %u", READY_MS));
	for (unsigned int i = 0; i < ARRAY_SIZE(resets) * ACCESSES; i++) {
		const char *name = resets[i / ACCESSES].name;
		uint64_t begin;

		if (resets[i / ACCESSES].reset == by_recovery && !vdev_error_works())
			break;
		ASSERT_EQ(0, gpu_set_memory(&self->v, true));
		p[MB2 / 2] = 0x55;
		begin = now_ms();
		ASSERT_EQ(0, resets[i / ACCESSES].reset(&self->v)) TH_LOG("%s", name);
		ASSERT_EQ(0, gpu_set_memory(&self->v, true));
		EXPECT_TRUE(accesses(&self->v, p, i % ACCESSES)) TH_LOG("%s, access %u", name, i);
		EXPECT_LE(READY_MS - 100, now_ms() - begin) TH_LOG("%s, access %u", name, i);
		EXPECT_GE(READY_MS + 5000, now_ms() - begin) TH_LOG("%s, access %u", name, i);
		/* Then nobody. */
		begin = now_ms();
		EXPECT_TRUE(accesses(&self->v, p, BY_LOAD));
		EXPECT_GE(READY_MS / 2, now_ms() - begin);
	}
	EXPECT_EQ(0, early_pages(&self->m));
	munmap(p, MB2);
}

TEST_F_TIMEOUT(coherent, open_waits, 60)
{
	uint64_t begin;

	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms %u", READY_MS));
	close_function(self);
	begin = now_ms();
	ASSERT_EQ(0, open_function(self, LARGE));
	EXPECT_LE(READY_MS - 100, now_ms() - begin);
	EXPECT_EQ(0, early_pages(&self->m));
}

/* A process that waits in a fault, or in a read, can be killed. */
TEST_F_TIMEOUT(coherent, who_waits_can_be_killed, 120)
{
	uint8_t *p = gpu_map(&self->v, GPU_MAIN_BAR, 0, MB2);

	ASSERT_NE(NULL, p);
	gpu_detach(&self->g);
	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms 20000"));
	for (unsigned int i = 0; i < ACCESSES; i++) {
		uint64_t begin;
		int status;
		pid_t pid;

		ASSERT_EQ(0, vdev_reset(&self->v));
		ASSERT_EQ(0, gpu_set_memory(&self->v, true));
		pid = fork();
		if (!pid) {
			accesses(&self->v, p, i);
			_exit(0);
		}
		usleep(300000);
		ASSERT_EQ(0, waitpid(pid, &status, WNOHANG));
		begin = now_ms();
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_GE(1000, now_ms() - begin) TH_LOG("access %u", i);
	}
	ASSERT_EQ(0, model_cmd(&self->m, "ready_ms 0"));
	ASSERT_EQ(0, vdev_reset(&self->v));
	munmap(p, MB2);
}

/* It does not come: that is said, and does not take for ever. */
TEST_F_TIMEOUT(coherent, memory_that_never_comes, 120)
{
	uint8_t *p = gpu_map(&self->v, GPU_MAIN_BAR, 0, MB2), val;
	int log = log_mark(), told;
	char line[256];

	ASSERT_NE(NULL, p);
	ASSERT_LE(0, log);
	gpu_detach(&self->g);
	ASSERT_EQ(0, model_cmd(&self->m, "fault ready fail"));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_EQ(-ETIMEDOUT, vdev_pread(&self->v, GPU_MAIN_BAR, 0, &val, 1));
	EXPECT_EQ(-ETIMEDOUT, vdev_pread(&self->v, GPU_MAIN_BAR, 0, &val, 1));
	EXPECT_EQ(BUS_ADRERR, sigbus_load(p, NULL).code);
	/* What goes on is told now and then, and the end of it once. */
	told = log_count(log, self->slot[LARGE].bdf, line, sizeof(line));
	EXPECT_LE(4, told);
	EXPECT_GE(7, told);
	EXPECT_NE(NULL, strstr(line, "memory is not ready after 30 s")) TH_LOG("%s", line);
	close(log);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_EQ(0, sigbus_load(p, NULL).code);
	EXPECT_EQ(0, early_pages(&self->m));
	munmap(p, MB2);
}

/* The function says so itself: nobody waits for it, and the log has it once. */
TEST_F_TIMEOUT(coherent, memory_that_cannot_come, 60)
{
	uint8_t *p = gpu_map(&self->v, GPU_MAIN_BAR, 0, MB2), val = 0;
	int log = log_mark();
	char line[256] = "";
	uint64_t begin;

	ASSERT_NE(NULL, p);
	ASSERT_LE(0, log);
	gpu_detach(&self->g);
	ASSERT_EQ(0, model_cmd(&self->m, "fault reset fail"));
	for (unsigned int i = 0; i < ARRAY_SIZE(resets); i++) {
		const char *name = resets[i].name;

		if (resets[i].reset == by_recovery && !vdev_error_works())
			break;
		ASSERT_EQ(0, resets[i].reset(&self->v)) TH_LOG("%s", name);
		ASSERT_EQ(0, gpu_set_memory(&self->v, true));
		begin = now_ms();
		EXPECT_EQ(-ENOTRECOVERABLE, vdev_pread(&self->v, GPU_MAIN_BAR, 0, &val, 1))
			TH_LOG("%s", name);
		EXPECT_EQ(-ENOTRECOVERABLE, vdev_pwrite(&self->v, GPU_MAIN_BAR, 0, &val, 1))
			TH_LOG("%s", name);
		EXPECT_EQ(BUS_ADRERR, sigbus_load(p, NULL).code) TH_LOG("%s", name);
		EXPECT_GE(AT_ONCE_MS, now_ms() - begin) TH_LOG("%s", name);
		EXPECT_EQ(1, log_count(log, "memory does not come: status 0x5", line, sizeof(line)))
			TH_LOG("%s", name);
		EXPECT_NE(NULL, strstr(line, self->slot[LARGE].bdf)) TH_LOG("%s: %s", name, line);
	}
	close(log);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, gpu_set_memory(&self->v, true));
	EXPECT_EQ(0, sigbus_load(p, NULL).code);
	EXPECT_EQ(0, early_pages(&self->m));
	munmap(p, MB2);
}

TEST_HARNESS_MAIN
