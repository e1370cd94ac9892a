// SPDX-License-Identifier: GPL-2.0
/* The migration region of v1 against the table and the text of its page. */
#include <kunit/test.h>

#include "../../migration/v1_regs.c"

#define ALL	(VPV_V1_STATE_RUNNING | VPV_V1_STATE_SAVING | VPV_V1_STATE_RESUMING | \
		 VPV_V1_STATE_NDMA)

#define R	VMIG_RUNNING
#define N	VMIG_NDMA
#define S	VMIG_SAVING
#define L	VMIG_RESUMING

/*
 * What may be written, as NDMA RESUMING SAVING RUNNING counts it, and what it is to the
 * machine; -1: refused.  Written down by hand.
 */
static const int written[16] = {
	/* 0000 */ 0,
	/* 0001 */ R,
	/* 0010 */ S,
	/* 0011 */ R | S,
	/* 0100 */ L,
	/* 0101 */ -1,
	/* 0110 */ -1,
	/* 0111 */ -1,
	/* 1000 */ 0,
	/* 1001 */ R | N,
	/* 1010 */ S,
	/* 1011 */ R | S | N,
	/* 1100 */ L,
	/* 1101 */ -1,
	/* 1110 */ -1,
	/* 1111 */ -1,
};

static void v1_every_row(struct kunit *test)
{
	u8 bits;

	for (u32 word = 0; word < 16; word++) {
		int err = vmig_v1_bits(word, ALL, &bits);

		KUNIT_EXPECT_EQ_MSG(test, err, written[word] < 0 ? -EINVAL : 0, "word %#x", word);
		if (!err)
			KUNIT_EXPECT_EQ_MSG(test, bits, written[word], "word %#x", word);
	}
}

static void v1_ndma_only_when_offered(struct kunit *test)
{
	u32 states = vmig_v1_states(VMIG_CAP_PRE_COPY);
	u8 bits = 0x55;

	KUNIT_EXPECT_EQ(test, vmig_v1_states(VMIG_CAP_PRE_COPY | VMIG_CAP_P2P), ALL);
	KUNIT_EXPECT_EQ(test, states, ALL & ~VPV_V1_STATE_NDMA);
	for (u32 word = VPV_V1_STATE_NDMA; word < 16; word++)
		KUNIT_EXPECT_EQ(test, vmig_v1_bits(word, states, &bits), -EINVAL);
	KUNIT_EXPECT_EQ(test, bits, 0x55);
	KUNIT_EXPECT_EQ(test, vmig_v1_bits(VPV_V1_STATE_RUNNING, states, &bits), 0);
}

static void v1_unknown_bits(struct kunit *test)
{
	u8 bits = 0x55;

	for (unsigned int bit = 4; bit < 32; bit++)
		for (u32 word = 0; word < 16; word++)
			KUNIT_EXPECT_EQ(test, vmig_v1_bits(word | BIT(bit), ALL, &bits), -EINVAL);
	KUNIT_EXPECT_EQ(test, bits, 0x55);
}

/* What is read can be written back, and then means the same. */
static void v1_read_modify_write(struct kunit *test)
{
	for (u32 word = 0; word < 16; word++) {
		bool ndma = word & VPV_V1_STATE_NDMA;
		u8 bits, again;
		u32 seen;

		if (vmig_v1_bits(word, ALL, &bits))
			continue;
		/* The machine of a device with P2P keeps NDMA while it does not run. */
		if (!(bits & R))
			bits |= N;
		seen = vmig_v1_word(bits, ndma);
		KUNIT_EXPECT_EQ(test, seen, word);
		KUNIT_EXPECT_EQ(test, vmig_v1_bits(seen, ALL, &again), 0);
		KUNIT_EXPECT_EQ(test, again | (again & R ? 0 : N), bits);
		/* Who does not know it does not see it. */
		KUNIT_EXPECT_EQ(test, vmig_v1_word(bits, false), word & ~VPV_V1_STATE_NDMA);
	}
	KUNIT_EXPECT_EQ(test, vmig_v1_word(R, true), VPV_V1_STATE_RUNNING);
	KUNIT_EXPECT_EQ(test, vmig_v1_word(VMIG_ERROR, true),
			VPV_V1_STATE_SAVING | VPV_V1_STATE_RESUMING);
}

struct access {
	u64 pos;
	u64 bytes;
	int read;
	int write;
};

static const struct access accesses[] = {
	{ 0, 4, VMIG_V1_DEVICE_STATE, VMIG_V1_DEVICE_STATE },
	{ 4, 4, VMIG_V1_RESERVED, VMIG_V1_RESERVED },
	{ 8, 8, VMIG_V1_PENDING_BYTES, -EPERM },
	{ 16, 8, VMIG_V1_DATA_OFFSET, -EPERM },
	{ 24, 8, VMIG_V1_DATA_SIZE, VMIG_V1_DATA_SIZE },
	{ 4096, 1, VMIG_V1_WINDOW, VMIG_V1_WINDOW },
	{ 4099, 1000, VMIG_V1_WINDOW, VMIG_V1_WINDOW },
	{ 4096, 1 << 20, VMIG_V1_WINDOW, VMIG_V1_WINDOW },
	{ 4096 + (1 << 20) - 1, 1, VMIG_V1_WINDOW, VMIG_V1_WINDOW },
	/* short */
	{ 0, 1, -EMSGSIZE, -EMSGSIZE },
	{ 0, 3, -EMSGSIZE, -EMSGSIZE },
	{ 8, 4, -EMSGSIZE, -EMSGSIZE },
	{ 24, 7, -EMSGSIZE, -EMSGSIZE },
	/* misaligned */
	{ 1, 4, -EINVAL, -EINVAL },
	{ 2, 2, -EINVAL, -EINVAL },
	{ 12, 4, -EINVAL, -EINVAL },
	{ 31, 1, -EINVAL, -EINVAL },
	/* overlapping */
	{ 0, 5, -E2BIG, -E2BIG },
	{ 0, 8, -E2BIG, -E2BIG },
	{ 8, 16, -E2BIG, -E2BIG },
	{ 24, 9, -E2BIG, -E2BIG },
	{ 0, 4096 + 8, -E2BIG, -E2BIG },
	{ 4096, (1 << 20) + 1, -E2BIG, -E2BIG },
	{ 4097, U64_MAX, -E2BIG, -E2BIG },
	/* nothing there */
	{ 32, 1, -ENXIO, -ENXIO },
	{ 4095, 2, -ENXIO, -ENXIO },
	{ 4096 + (1 << 20), 1, -ENXIO, -ENXIO },
	{ U64_MAX, 8, -ENXIO, -ENXIO },
};

static void v1_accesses(struct kunit *test)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(accesses); i++) {
		const struct access *a = &accesses[i];

		KUNIT_EXPECT_EQ_MSG(test, vmig_v1_reg(a->pos, a->bytes, false), a->read,
				    "%llu bytes at %llu", a->bytes, a->pos);
		KUNIT_EXPECT_EQ_MSG(test, vmig_v1_reg(a->pos, a->bytes, true), a->write,
				    "%llu bytes at %llu", a->bytes, a->pos);
	}
}

/* By session: none, saving before data_offset, saving after it, loading.  o: ok, -: EPROTO. */
static const struct {
	enum vmig_v1_reg reg;
	const char *read;
	const char *write;
} orders[] = {
	{ VMIG_V1_DEVICE_STATE,	 "oooo", "oooo" },
	{ VMIG_V1_RESERVED,	 "oooo", "oooo" },
	{ VMIG_V1_PENDING_BYTES, "oooo", "----" },
	{ VMIG_V1_DATA_OFFSET,	 "-ooo", "----" },
	{ VMIG_V1_DATA_SIZE,	 "--o-", "---o" },
	{ VMIG_V1_WINDOW,	 "-ooo", "---o" },
};

static void v1_order(struct kunit *test)
{
	static const struct {
		enum vmig_v1_session session;
		bool there;
	} at[] = {
		{ VMIG_V1_NONE, false }, { VMIG_V1_SAVES, false }, { VMIG_V1_SAVES, true },
		{ VMIG_V1_LOADS, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(orders); i++)
		for (unsigned int j = 0; j < ARRAY_SIZE(at); j++)
			for (int write = 0; write < 2; write++) {
				const char *want = write ? orders[i].write : orders[i].read;

				KUNIT_EXPECT_EQ_MSG(test,
						    vmig_v1_order(orders[i].reg, write,
								  at[j].session, at[j].there),
						    want[j] == 'o' ? 0 : -EPROTO,
						    "field %u, column %u, %s", i, j,
						    write ? "write" : "read");
			}
}

static struct kunit_case v1_cases[] = {
	KUNIT_CASE(v1_every_row),
	KUNIT_CASE(v1_ndma_only_when_offered),
	KUNIT_CASE(v1_unknown_bits),
	KUNIT_CASE(v1_read_modify_write),
	KUNIT_CASE(v1_accesses),
	KUNIT_CASE(v1_order),
	{}
};

static struct kunit_suite v1_suite = {
	.name = "vmig_v1",
	.test_cases = v1_cases,
};

kunit_test_suite(v1_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit: the migration region of the v1 dialect");
