// SPDX-License-Identifier: GPL-2.0
/* Who resets a controlling function, and when: vfio_pci_core/ctrl_recovery.c. */
#include <kunit/test.h>

#include "../../vfio_pci_core/ctrl_recovery.c"

#define BOOT	1000000ULL	/* the clock does not begin at 0 */

enum event { END, ASK, TRIED, DIED, FROZEN, RESET, FAILED, RESET_BEGIN, RESET_DONE, STOP };

/**
 * struct recovery_step - Something happens, and what comes of it
 * @event: What happens.
 * @after: So many milliseconds after the step before.
 * @works: ASK: does the function work?
 * @want: ASK: the step; DIED: the pause; RESET_DONE: may it be brought up?
 */
struct recovery_step {
	enum event event;
	u64 after;
	bool works;
	unsigned int want;
};

struct recovery_case {
	const char *name;
	bool self_reset;
	struct recovery_step step[24];
};

#define NOTHING	VPV_RECOVERY_NOTHING
#define WAIT	VPV_RECOVERY_WAIT
#define UP	VPV_RECOVERY_UP
#define TRY	VPV_RECOVERY_RESET
#define LOST	VPV_RECOVERY_LOST
#define GIVE_UP	VPV_RECOVERY_GIVE_UP

static const struct recovery_case recovery_cases[] = {
	{ "one_that_died_is_reset_at_once", false, {
	  { DIED, 0, false, 0 }, { ASK, 0, false, TRY } } },
	{ "one_that_resets_itself_is_brought_up_first", true, {
	  { DIED, 0, false, 0 }, { ASK, 0, false, UP }, { DIED, 1, false, 500 },
	  { ASK, 500, false, TRY } } },
	{ "one_that_works_again_is_left_alone", false, {
	  { DIED, 0, false, 0 }, { ASK, 0, true, NOTHING }, { DIED, 0, false, 0 },
	  { ASK, 0, false, TRY }, { DIED, 1, false, 500 }, { RESET_DONE, 100, false, true },
	  { ASK, 400, true, NOTHING } } },
	{ "pauses_double_and_end", false, {
	  { DIED, 0, false, 0 }, { ASK, 0, false, TRY }, { DIED, 0, false, 500 },
	  { ASK, 500, false, TRY }, { DIED, 0, false, 1000 }, { ASK, 1000, false, TRY },
	  { DIED, 0, false, 2000 }, { ASK, 2000, false, TRY }, { DIED, 0, false, 4000 },
	  { ASK, 4000, false, TRY }, { DIED, 0, false, 8000 }, { ASK, 8000, false, TRY },
	  { DIED, 0, false, 16000 }, { ASK, 16000, false, TRY }, { DIED, 0, false, 32000 },
	  { ASK, 32000, false, TRY }, { DIED, 0, false, 64000 }, { ASK, 64000, false, TRY },
	  { DIED, 0, false, 128000 }, { ASK, 128000, false, TRY }, { ASK, 0, false, GIVE_UP } } },
	/* Somebody has reset it after all. */
	{ "one_that_was_stable_begins_anew", false, {
	  { DIED, 0, false, 0 }, { ASK, 0, false, TRY }, { TRIED, 100, false, 0 },
	  { DIED, 2000, false, 500 }, { ASK, 500, false, TRY }, { TRIED, 100, false, 0 },
	  { DIED, 2001, false, 0 }, { ASK, 0, false, TRY } } },
	{ "one_that_takes_long_to_fail_is_not_tried_for_ever", false, {
	  { DIED, 0, false, 0 }, { ASK, 0, false, TRY }, { DIED, 5000, false, 500 },
	  { TRIED, 0, false, 0 }, { ASK, 500, false, TRY }, { DIED, 5000, false, 1000 },
	  { TRIED, 0, false, 0 }, { ASK, 1000, false, TRY }, { TRIED, 5000, false, 0 },
	  { DIED, 1, false, 2000 } } },
	{ "one_that_does_nothing_has_not_tried", false, {
	  { DIED, 0, false, 0 }, { ASK, 0, false, TRY }, { TRIED, 0, false, 0 },
	  { ASK, 3000, true, NOTHING }, { TRIED, 0, false, 0 }, { DIED, 0, false, 0 } } },
	{ "whoever_resets_a_dead_one_brings_it_up", true, {
	  { DIED, 0, false, 0 }, { RESET_BEGIN, 0, false, 0 }, { ASK, 0, false, NOTHING },
	  { RESET_DONE, 100, false, true }, { DIED, 0, false, 0 }, { ASK, 0, false, UP } } },
	{ "whoever_resets_one_after_its_slot_brings_it_up", false, {
	  { RESET, 0, false, 0 }, { RESET_BEGIN, 0, false, 0 }, { ASK, 0, false, NOTHING },
	  { RESET_DONE, 100, false, true }, { ASK, 0, true, NOTHING } } },
	{ "a_reset_of_a_frozen_one_leaves_it_to_the_core", false, {
	  { FROZEN, 0, false, 0 }, { RESET_BEGIN, 0, false, 0 }, { ASK, 0, false, WAIT },
	  { RESET_DONE, 100, false, false }, { RESET, 0, false, 0 }, { ASK, 0, false, UP } } },
	{ "a_frozen_one_is_the_core_s", false, {
	  { FROZEN, 0, false, 0 }, { ASK, 0, true, WAIT }, { DIED, 0, false, 0 },
	  { ASK, 10, false, WAIT }, { RESET, 2000, false, 0 }, { ASK, 0, false, UP },
	  { ASK, 0, true, NOTHING } } },
	{ "a_dead_one_that_is_frozen_is_the_core_s", false, {
	  { DIED, 0, false, 0 }, { ASK, 0, false, TRY }, { DIED, 0, false, 500 },
	  { FROZEN, 100, false, 0 }, { ASK, 400, false, WAIT }, { RESET, 1, false, 0 },
	  { ASK, 0, false, UP } } },
	{ "a_reset_of_the_slot_is_noticed_by_one_that_works", false, {
	  { RESET, 0, false, 0 }, { ASK, 0, true, UP }, { ASK, 0, true, NOTHING } } },
	{ "a_second_reset_of_the_slot_is_not_missed", false, {
	  { RESET, 0, false, 0 }, { ASK, 0, true, UP }, { RESET, 0, false, 0 },
	  { ASK, 0, true, UP } } },
	{ "one_that_does_not_come_up_after_an_error_is_tried_again", false, {
	  { FROZEN, 0, false, 0 }, { RESET, 0, false, 0 }, { ASK, 0, false, UP },
	  { DIED, 1, false, 500 }, { ASK, 500, false, TRY } } },
	{ "nobody_else_s_reset_ends_a_recovery", false, {
	  { FROZEN, 0, false, 0 }, { RESET_DONE, 10, false, false }, { ASK, 0, false, WAIT } } },
	{ "a_lost_one_is_told_once_and_left", false, {
	  { FROZEN, 0, false, 0 }, { FAILED, 5, false, 0 }, { ASK, 0, false, LOST },
	  { DIED, 0, false, 0 }, { ASK, 0, false, NOTHING }, { ASK, 999999, false, NOTHING } } },
	{ "a_reset_helps_a_lost_one", false, {
	  { FROZEN, 0, false, 0 }, { FAILED, 0, false, 0 }, { ASK, 0, false, LOST },
	  { RESET_DONE, 60000, false, true }, { ASK, 0, true, NOTHING },
	  { DIED, 9999, false, 0 }, { ASK, 0, false, TRY } } },
	{ "a_lost_one_is_reset_with_its_slot", false, {
	  { FROZEN, 0, false, 0 }, { FAILED, 0, false, 0 }, { ASK, 0, false, LOST },
	  { RESET, 0, false, 0 }, { ASK, 0, false, UP } } },
	{ "a_recovery_that_does_not_end_has_failed", false, {
	  { FROZEN, 0, false, 0 }, { ASK, VPV_RECOVERY_MOST_MS - 1, false, WAIT },
	  { ASK, 1, false, LOST }, { RESET_DONE, 0, false, true }, { ASK, 0, true, NOTHING } } },
	{ "a_reset_may_come_before_that_was_noticed", false, {
	  { FROZEN, 0, false, 0 }, { RESET_DONE, VPV_RECOVERY_MOST_MS, false, true },
	  { ASK, 0, true, NOTHING } } },
	{ "a_driver_that_goes_away_does_nothing", false, {
	  { DIED, 0, false, 0 }, { STOP, 0, false, 0 }, { ASK, 0, false, NOTHING },
	  { FROZEN, 0, false, 0 }, { ASK, 0, false, NOTHING }, { RESET, 0, false, 0 },
	  { ASK, 0, false, NOTHING } } },
};

static void check_step(struct kunit *test, const struct recovery_case *c, unsigned int i,
		       struct vpv_recovery *r, u64 now)
{
	const struct recovery_step *s = &c->step[i];
	unsigned int got = s->want;

	switch (s->event) {
	case END:
		break;
	case ASK:
		got = vpv_recovery_next(r, s->works, now);
		break;
	case TRIED:
		vpv_recovery_tried(r, now);
		break;
	case DIED:
		got = vpv_recovery_died(r, now);
		break;
	case FROZEN:
		vpv_recovery_error(r, VPV_CHANNEL_FROZEN, now);
		break;
	case RESET:
		vpv_recovery_error(r, VPV_CHANNEL_RESET, now);
		break;
	case FAILED:
		vpv_recovery_error(r, VPV_CHANNEL_FAILED, now);
		break;
	case RESET_BEGIN:
		vpv_recovery_reset_begin(r);
		break;
	case RESET_DONE:
		got = vpv_recovery_reset_done(r, now);
		break;
	case STOP:
		vpv_recovery_stop(r);
		break;
	}
	KUNIT_EXPECT_EQ_MSG(test, got, s->want, "step %u", i);
}

static void recovery_desc(const struct recovery_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(recovery, recovery_cases, recovery_desc);

static void recovery_step(struct kunit *test)
{
	const struct recovery_case *c = test->param_value;
	struct vpv_recovery r = { .self_reset = c->self_reset };
	u64 now = BOOT;

	for (unsigned int i = 0; c->step[i].event != END; i++) {
		now += c->step[i].after;
		check_step(test, c, i, &r, now);
	}
}

static void registers_are_the_core_s_while_it_recovers(struct kunit *test)
{
	struct vpv_recovery r = {};

	KUNIT_EXPECT_TRUE(test, vpv_recovery_reachable(&r));
	vpv_recovery_error(&r, VPV_CHANNEL_FROZEN, BOOT);
	KUNIT_EXPECT_FALSE(test, vpv_recovery_reachable(&r));
	vpv_recovery_error(&r, VPV_CHANNEL_RESET, BOOT);
	KUNIT_EXPECT_TRUE(test, vpv_recovery_reachable(&r));
	vpv_recovery_error(&r, VPV_CHANNEL_FAILED, BOOT);
	KUNIT_EXPECT_TRUE(test, vpv_recovery_reachable(&r));
	/* Whoever goes away must not leave it with memory. */
	vpv_recovery_error(&r, VPV_CHANNEL_FROZEN, BOOT);
	vpv_recovery_stop(&r);
	KUNIT_EXPECT_TRUE(test, vpv_recovery_reachable(&r));
}

static struct kunit_case recovery_kunit_cases[] = {
	KUNIT_CASE_PARAM(recovery_step, recovery_gen_params),
	KUNIT_CASE(registers_are_the_core_s_while_it_recovers),
	{ }
};

static struct kunit_suite recovery_suite = {
	.name = "vpv_ctrl_recovery",
	.test_cases = recovery_kunit_cases,
};

kunit_test_suite(recovery_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of the recovery of controlling functions");
