// SPDX-License-Identifier: GPL-2.0
/* The checksums of a stream: of a record, and of all of it. */
#include <kunit/test.h>

#include "../../migration/stream.c"

static void checksum_is_that_of_iscsi(struct kunit *test)
{
	u8 bytes[32];
	u32 first;
	int i;

	/* RFC 3720, B.4: zeros, ones, incrementing. */
	memset(bytes, 0, sizeof(bytes));
	KUNIT_EXPECT_EQ(test, vmig_crc(0, bytes, 32), 0x8a9136aaU);
	memset(bytes, 0xff, sizeof(bytes));
	KUNIT_EXPECT_EQ(test, vmig_crc(0, bytes, 32), 0x62a8ab43U);
	for (i = 0; i < 32; i++)
		bytes[i] = i;
	KUNIT_EXPECT_EQ(test, vmig_crc(0, bytes, 32), 0x46dd794eU);
	first = vmig_crc(0, bytes, 11);
	KUNIT_EXPECT_EQ(test, vmig_crc(first, bytes + 11, 21), 0x46dd794eU);
}

static u64 sum_of(const u8 *data, size_t bytes)
{
	struct vmig_sum sum = {};

	vmig_sum_add(&sum, data, bytes);
	return vmig_sum_end(&sum);
}

/* The definition, word by word. */
static u64 sum_by_the_book(const u8 *data, size_t bytes)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < bytes; i += 8) {
		u8 part[8] = {};

		memcpy(part, data + i, min_t(size_t, bytes - i, 8));
		sum += get_unaligned_le64(part) * VPV_STREAM_SUM_WORD;
		sum = (sum << 31 | sum >> 33) * VPV_STREAM_SUM_STEP;
	}
	return sum;
}

static void sum_is_as_documented_however_it_is_cut(struct kunit *test)
{
	u8 data[97];
	size_t i, k;

	KUNIT_EXPECT_EQ(test, sum_of(NULL, 0), 0ULL);
	for (i = 0; i < sizeof(data); i++)
		data[i] = 7 * i + 255;
	for (i = 0; i <= sizeof(data); i++)
		KUNIT_EXPECT_EQ(test, sum_of(data, i), sum_by_the_book(data, i));
	for (i = 0; i < sizeof(data); i++) {
		for (k = i; k < sizeof(data); k++) {
			struct vmig_sum sum = {};

			vmig_sum_add(&sum, data, i);
			vmig_sum_add(&sum, data + i, k - i);
			vmig_sum_add(&sum, data + k, sizeof(data) - k);
			if (vmig_sum_end(&sum) != sum_of(data, sizeof(data)))
				KUNIT_FAIL(test, "cut at %zu and %zu", i, k);
		}
	}
}

/* What is copied by the way, and what goes before and comes behind it. */
static void sum_is_the_same_if_bytes_are_copied(struct kunit *test)
{
	u8 data[8 + 96 + 3] __aligned(8), copy[96 + 1] __aligned(8) = {};
	struct vmig_sum sum = {};
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = 13 * i + 255;
	vmig_sum_add(&sum, data, 8);
	vmig_sum_copy(&sum, copy, data + 8, 32);
	vmig_sum_copy(&sum, copy + 32, data + 40, 56);
	vmig_sum_copy(&sum, copy + 88, data + 96, 8);
	vmig_sum_copy(&sum, copy + 96, data + 104, 0);
	vmig_sum_add(&sum, data + 104, 3);
	KUNIT_EXPECT_EQ(test, vmig_sum_end(&sum), sum_by_the_book(data, sizeof(data)));
	KUNIT_EXPECT_EQ(test, memcmp(copy, data + 8, 96), 0);
	KUNIT_EXPECT_EQ(test, copy[96], 0);
}

/* Every change of one word is seen; and these of two are. */
static void sum_sees_changes(struct kunit *test)
{
	u8 data[97], before[97];
	u64 good;
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = 31 * i;
	memcpy(before, data, sizeof(data));
	good = sum_of(data, sizeof(data));
	for (i = 0; i < sizeof(data); i++) {
		unsigned int val;

		for (val = 0; val < 256; val++) {
			data[i] = val;
			if (val != before[i] && sum_of(data, sizeof(data)) == good)
				KUNIT_FAIL(test, "byte %zu as %u", i, val);
		}
		data[i] = before[i];
	}
	for (i = 0; i + 16 <= sizeof(data); i += 8) {
		memcpy(data + i, before + i + 8, 8);
		memcpy(data + i + 8, before + i, 8);
		KUNIT_EXPECT_NE(test, sum_of(data, sizeof(data)), good);
		memcpy(data + i, before + i, 16);
	}
}

/* In a plain sum, two highest bits make up for each other. */
static void sum_sees_any_two_bits(struct kunit *test)
{
	u8 data[32] = {};
	u64 good = sum_of(data, sizeof(data));
	size_t i, k;

	for (i = 0; i < 8 * sizeof(data); i++) {
		data[i / 8] ^= 1 << i % 8;
		for (k = 0; k < i; k++) {
			data[k / 8] ^= 1 << k % 8;
			if (sum_of(data, sizeof(data)) == good)
				KUNIT_FAIL(test, "bits %zu and %zu", k, i);
			data[k / 8] ^= 1 << k % 8;
		}
		data[i / 8] ^= 1 << i % 8;
	}
}

static struct kunit_case stream_sum_cases[] = {
	KUNIT_CASE(checksum_is_that_of_iscsi),
	KUNIT_CASE(sum_is_as_documented_however_it_is_cut),
	KUNIT_CASE(sum_is_the_same_if_bytes_are_copied),
	KUNIT_CASE(sum_sees_changes),
	KUNIT_CASE(sum_sees_any_two_bits),
	{}
};

static struct kunit_suite stream_sum_suite = {
	.name = "migration_stream_sum",
	.test_cases = stream_sum_cases,
};

kunit_test_suite(stream_sum_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit: checksums of migration streams");
