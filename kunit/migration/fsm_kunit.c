// SPDX-License-Identifier: GPL-2.0
/* The state machine against the contract: every pair, legal and not. */
#include <kunit/test.h>

#include "../../migration/fsm.c"

#define PAIR_STATES 7

/*
 * The next state on the way, from row to column, as the contract of VFIO has it for
 * a device that can do all.  Written down by hand, not derived from the table.
 *   S STOP  R RUNNING  C STOP_COPY  L RESUMING  P RUNNING_P2P  Y PRE_COPY
 *   Z PRE_COPY_P2P  - no way
 */
static const char columns[PAIR_STATES + 1] = "SRCLPYZ";
static const char next_hop[PAIR_STATES][PAIR_STATES + 1] = {
	/*	 SRCLPYZ */
	/* S */	"SPCLPPP",
	/* R */	"PRPPPYP",
	/* C */	"SSCSS--",
	/* L */	"SSSLSSS",
	/* P */	"SRSSPRZ",
	/* Y */	"RRZRRYZ",
	/* Z */	"PPCPPYZ",
};

static const enum vmig_v2 state_of[PAIR_STATES] = {
	VMIG_V2_STOP, VMIG_V2_RUNNING, VMIG_V2_STOP_COPY, VMIG_V2_RESUMING,
	VMIG_V2_RUNNING_P2P, VMIG_V2_PRE_COPY, VMIG_V2_PRE_COPY_P2P,
};

static bool can(unsigned int i, u8 caps)
{
	if (columns[i] == 'P')
		return caps & VMIG_CAP_P2P;
	if (columns[i] == 'Y')
		return caps & VMIG_CAP_PRE_COPY;
	if (columns[i] == 'Z')
		return (caps & VMIG_CAP_PRE_COPY) && (caps & VMIG_CAP_P2P);
	return true;
}

/* Index of the next state; what a device cannot do is passed over.  -1: no way. */
static int want_next(unsigned int from, unsigned int to, u8 caps)
{
	do {
		const char *hop = strchr(columns, next_hop[from][to]);

		if (!hop)
			return -1;
		from = hop - columns;
	} while (!can(from, caps));
	return from;
}

static void check_pair(struct kunit *test, unsigned int from, unsigned int to, u8 caps)
{
	struct vmig_path path;
	unsigned int at = from, n = 0;
	u8 from_bits, to_bits;
	int ret;

	KUNIT_ASSERT_EQ(test, vmig_fsm_bits(state_of[from], caps, &from_bits), 0);
	KUNIT_ASSERT_EQ(test, vmig_fsm_bits(state_of[to], caps, &to_bits), 0);
	ret = vmig_fsm_path(from_bits, to_bits, caps, &path);

	if (want_next(from, to, caps) < 0) {
		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "%c to %c caps %u", columns[from],
				    columns[to], caps);
		return;
	}
	KUNIT_ASSERT_EQ_MSG(test, ret, 0, "%c to %c caps %u", columns[from], columns[to],
			    caps);
	while (at != to) {
		at = want_next(at, to, caps);
		KUNIT_ASSERT_EQ_MSG(test, n < path.steps, true, "%c to %c caps %u",
				    columns[from], columns[to], caps);
		KUNIT_EXPECT_EQ_MSG(test, (int)vmig_fsm_v2(path.step[n]->to),
				    (int)state_of[at], "%c to %c caps %u step %u",
				    columns[from], columns[to], caps, n);
		n++;
	}
	KUNIT_EXPECT_EQ(test, path.steps, n);
}

static void every_pair_goes_the_way_of_the_contract(struct kunit *test)
{
	unsigned int from, to;
	u8 caps;

	for (caps = 0; caps < 4; caps++)
		for (from = 0; from < PAIR_STATES; from++)
			for (to = 0; to < PAIR_STATES; to++)
				if (can(from, caps) && can(to, caps))
					check_pair(test, from, to, caps);
}

static void what_a_device_cannot_do_is_no_state(struct kunit *test)
{
	unsigned int i;
	u8 caps, bits;

	for (caps = 0; caps < 4; caps++)
		for (i = 0; i < PAIR_STATES; i++)
			KUNIT_EXPECT_EQ_MSG(test, vmig_fsm_bits(state_of[i], caps, &bits),
					    can(i, caps) ? 0 : -EINVAL, "%c caps %u",
					    columns[i], caps);
}

static void unknown_states_are_refused(struct kunit *test)
{
	static const unsigned int bad[] = { VMIG_V2_ERROR, 8, 9, 255, 256, 0x7fffffff,
					    0x80000000, 0xffffffff };
	unsigned int i;
	u8 caps, bits;

	for (caps = 0; caps < 4; caps++)
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			KUNIT_EXPECT_EQ_MSG(test, vmig_fsm_bits(bad[i], caps, &bits),
					    -EINVAL, "%u", bad[i]);
}

/* All 256 x 256 combinations: a path or an errno, and every path is sound. */
static void check_path(struct kunit *test, u8 from, u8 to, const struct vmig_path *path)
{
	unsigned int i;
	u8 at = from;

	KUNIT_ASSERT_LE(test, path->steps, (unsigned int)VMIG_PATH_MAX);
	for (i = 0; i < path->steps; i++) {
		const struct vmig_step *step = path->step[i];
		u8 change = step->from ^ step->to;
		bool opens = step->to & ~step->from & (VMIG_SAVING | VMIG_RESUMING);
		bool closes = step->from & ~step->to & (VMIG_SAVING | VMIG_RESUMING);

		KUNIT_EXPECT_EQ(test, step->from, at);
		KUNIT_EXPECT_TRUE_MSG(test, is_power_of_2(change), "%x to %x", step->from,
				      step->to);
		if (opens)
			KUNIT_EXPECT_EQ(test, i, path->steps - 1);
		if (closes)
			KUNIT_EXPECT_EQ(test, i, 0U);
		at = step->to;
	}
	KUNIT_EXPECT_EQ(test, at, to);
}

static void no_bits_break_the_search(struct kunit *test)
{
	unsigned int from, to;
	struct vmig_path path;
	u8 caps;

	for (caps = 0; caps < 4; caps++)
		for (from = 0; from < 256; from++)
			for (to = 0; to < 256; to++)
				if (!vmig_fsm_path(from, to, caps, &path))
					check_path(test, from, to, &path);
}

static void error_has_no_way_out(struct kunit *test)
{
	struct vmig_path path;
	unsigned int i;
	u8 caps, bits;

	for (caps = 0; caps < 4; caps++) {
		for (i = 0; i < PAIR_STATES; i++) {
			if (vmig_fsm_bits(state_of[i], caps, &bits))
				continue;
			KUNIT_EXPECT_EQ(test, vmig_fsm_path(VMIG_ERROR, bits, caps, &path),
					-EINVAL);
			KUNIT_EXPECT_EQ(test, vmig_fsm_path(bits, VMIG_ERROR, caps, &path),
					-EINVAL);
		}
	}
}

/* NDMA says nothing of a device that is stopped; illegal bits are ERROR. */
static void bits_have_the_names_of_the_table(struct kunit *test)
{
	static const enum vmig_v2 want[16] = {
		[0]						= VMIG_V2_STOP,
		[VMIG_NDMA]					= VMIG_V2_STOP,
		[VMIG_RUNNING]					= VMIG_V2_RUNNING,
		[VMIG_RUNNING | VMIG_NDMA]			= VMIG_V2_RUNNING_P2P,
		[VMIG_SAVING]					= VMIG_V2_STOP_COPY,
		[VMIG_SAVING | VMIG_NDMA]			= VMIG_V2_STOP_COPY,
		[VMIG_SAVING | VMIG_RUNNING]			= VMIG_V2_PRE_COPY,
		[VMIG_SAVING | VMIG_RUNNING | VMIG_NDMA]	= VMIG_V2_PRE_COPY_P2P,
		[VMIG_RESUMING]					= VMIG_V2_RESUMING,
		[VMIG_RESUMING | VMIG_NDMA]			= VMIG_V2_RESUMING,
	};
	unsigned int bits;

	for (bits = 0; bits < 16; bits++)
		KUNIT_EXPECT_EQ_MSG(test, (int)vmig_fsm_v2(bits), (int)want[bits],
				    "bits %u", bits);
	KUNIT_EXPECT_STREQ(test, vmig_fsm_name(VMIG_V2_PRE_COPY_P2P), "PRE_COPY_P2P");
	KUNIT_EXPECT_STREQ(test, vmig_fsm_name(VMIG_V2_STATES), "?");
}

static struct kunit_case fsm_cases[] = {
	KUNIT_CASE(every_pair_goes_the_way_of_the_contract),
	KUNIT_CASE(what_a_device_cannot_do_is_no_state),
	KUNIT_CASE(unknown_states_are_refused),
	KUNIT_CASE(no_bits_break_the_search),
	KUNIT_CASE(error_has_no_way_out),
	KUNIT_CASE(bits_have_the_names_of_the_table),
	{}
};

static struct kunit_suite fsm_suite = {
	.name = "migration_fsm",
	.test_cases = fsm_cases,
};

kunit_test_suite(fsm_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit: migration state machine");
