// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses to the region of v1 that make no sense, of each family, and mappings of its window.
 *
 * Groups: self families stable
 */
#include "lib/test.h"
#include "lib/v1_test.h"

static const struct {
	uint64_t pos;
	size_t bytes;
	int read;		/* 0: works */
	int write;
} bad[] = {
	{ 0, 1, -EMSGSIZE, -EMSGSIZE }, { 0, 2, -EMSGSIZE, -EMSGSIZE },
	{ 4, 2, -EMSGSIZE, -EMSGSIZE }, { 8, 4, -EMSGSIZE, -EMSGSIZE },
	{ 24, 4, -EMSGSIZE, -EMSGSIZE },
	{ 1, 4, -EINVAL, -EINVAL }, { 2, 2, -EINVAL, -EINVAL }, { 12, 4, -EINVAL, -EINVAL },
	{ 20, 8, -EINVAL, -EINVAL },
	{ 0, 8, -E2BIG, -E2BIG }, { 0, 32, -E2BIG, -E2BIG }, { 8, 16, -E2BIG, -E2BIG },
	{ 24, 64, -E2BIG, -E2BIG },
	{ 32, 8, -ENXIO, -ENXIO }, { 4088, 16, -ENXIO, -ENXIO },
	{ 8, 8, 0, -EPERM }, { 16, 8, -EPROTO, -EPERM },
	{ 24, 8, -EPROTO, -EPROTO },
	{ 4096, 8, -EPROTO, -EPROTO },
	{ 4, 4, 0, 0 },
	{ VPV_V1_REGION_BYTES, 4, -EINVAL, -EINVAL },
};

TEST_F(v1, bad_accesses)
{
	uint8_t buf[64] = { 0x5a };
	uint64_t val = ~0ULL;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		long n = vdev_pread(&self->a, self->ra.index, bad[i].pos, buf, bad[i].bytes);

		EXPECT_EQ(bad[i].read ? bad[i].read : (long)bad[i].bytes, n) {
			TH_LOG("read of %zu bytes at %lu", bad[i].bytes, bad[i].pos);
		}
		memset(buf, 0, sizeof(buf));
		n = vdev_pwrite(&self->a, self->ra.index, bad[i].pos, buf, bad[i].bytes);
		EXPECT_EQ(bad[i].write ? bad[i].write : (long)bad[i].bytes, n) {
			TH_LOG("write of %zu bytes at %lu", bad[i].bytes, bad[i].pos);
		}
		EXPECT_STATE(V1_R);
	}
	EXPECT_EQ(4, vdev_pwrite(&self->a, self->ra.index, VPV_V1_RESERVED, &val, 4));
	EXPECT_EQ(4, vdev_pread(&self->a, self->ra.index, VPV_V1_RESERVED, &val, 4));
	EXPECT_EQ(0, (uint32_t)val);
	EXPECT_EQ(-EFAULT, vdev_pread(&self->a, self->ra.index, 0, (void *)8, 4));
	EXPECT_EQ(-EFAULT, vdev_pwrite(&self->a, self->ra.index, 0, (void *)8, 4));
	/* Clipped at the end, as every region. */
	ASSERT_EQ(0, v1_set(&self->ra, V1_L));
	EXPECT_EQ(4, vdev_pwrite(&self->a, self->ra.index, VPV_V1_REGION_BYTES - 4, buf, 16));
}

TEST_F(v1, out_of_order)
{
	uint64_t big = VPV_V1_WINDOW_BYTES + 1, huge = ~0ULL, none = 0, bytes;
	unsigned int index = self->ra.index;

	ASSERT_EQ(0, v1_set(&self->ra, V1_S));
	EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes));
	EXPECT_EQ(-EPROTO, vdev_pwrite(&self->a, index, VPV_V1_DATA_SIZE, &none, 8));
	EXPECT_EQ(-EPROTO, vdev_pwrite(&self->a, index, VPV_V1_WINDOW, &none, 8));
	EXPECT_EQ(8, vdev_pread(&self->a, index, VPV_V1_WINDOW, &bytes, 8));
	ASSERT_EQ(0, v1_set(&self->ra, 0));
	EXPECT_EQ(-EPROTO, v1_offset(&self->ra, &bytes));
	EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes));
	EXPECT_EQ(0, v1_pending(&self->ra, &bytes));
	EXPECT_EQ(0, bytes);

	ASSERT_EQ(0, v1_set(&self->ra, V1_L));
	EXPECT_EQ(-EPROTO, v1_size(&self->ra, &bytes));
	EXPECT_EQ(0, v1_pending(&self->ra, &bytes));
	EXPECT_EQ(0, bytes);
	EXPECT_EQ(-EINVAL, vdev_pwrite(&self->a, index, VPV_V1_DATA_SIZE, &big, 8));
	EXPECT_EQ(-EINVAL, vdev_pwrite(&self->a, index, VPV_V1_DATA_SIZE, &huge, 8));
	EXPECT_EQ(8, vdev_pwrite(&self->a, index, VPV_V1_DATA_SIZE, &none, 8));
	EXPECT_STATE(V1_L);
}

TEST_F(v1, mappings)
{
	struct vfio_region_info info;
	size_t page = 4096;
	char text[7] = "";
	void *p;

	ASSERT_EQ(0, vdev_region(&self->a, self->ra.index, &info));
	/* The head; over either end; private. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_SHARED, self->a.fd, info.offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, self->a.fd,
				   info.offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, self->a.fd,
				   info.offset + VPV_V1_REGION_BYTES - page));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_SHARED, self->a.fd,
				   info.offset + VPV_V1_REGION_BYTES));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_PRIVATE, self->a.fd,
				   info.offset + VPV_V1_WINDOW));
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, self->a.fd,
		 info.offset + VPV_V1_REGION_BYTES - page);
	ASSERT_NE(MAP_FAILED, p);
	/* It is the window. */
	EXPECT_EQ(0, v1_set(&self->ra, V1_L));
	memcpy(p, "window", 7);
	EXPECT_EQ(7, vdev_pread(&self->a, self->ra.index, VPV_V1_REGION_BYTES - page, text, 7));
	EXPECT_STREQ("window", text);
	EXPECT_EQ(0, munmap(p, page));
	EXPECT_EQ(0, vdev_reset(&self->a));
}

/* What one user has left in the window the next one does not see. */
TEST_F(v1, window_is_empty_at_first)
{
	uint8_t *buf = calloc(1, VPV_V1_WINDOW_BYTES);
	size_t i;

	ASSERT_NE(NULL, buf);
	for (unsigned int round = 0; round < 2; round++) {
		ASSERT_EQ(0, v1_map(&self->ra));
		for (i = 0; i < VPV_V1_WINDOW_BYTES && !self->ra.window[i]; i++)
			;
		EXPECT_EQ(VPV_V1_WINDOW_BYTES, i);
		memset(self->ra.window, 0xa5, VPV_V1_WINDOW_BYTES);
		v1_unmap(&self->ra);
		vdev_close(&self->a);
		ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
		ASSERT_EQ(0, v1_find(&self->ra, &self->a));
	}
	free(buf);
}

TEST_HARNESS_MAIN
