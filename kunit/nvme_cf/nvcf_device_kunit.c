// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of migratable controllers, variants/nvme_cf, with a managing controller of the
 * test's own: how commands end, and what becomes of the controller then.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include <vpv/window.h>

#include "fake_managing.h"

/* ---- What the libraries do ---- */

/**
 * struct seen - What the driver has done besides commands
 * @held: DMA is held.
 * @faults: Faults that were reported.
 * @resets: How often the library was told of a reset, before the driver is.
 * @field: Of the last refusal.
 * @emitted: Bytes of the record.
 * @pushed: Ranges of written memory.
 * @num_pushed: Their number.
 * @cc: Register of the controller.
 * @csts: Likewise.
 */
static struct seen {
	bool held;
	unsigned int faults;
	u32 resets;
	char field[48];
	size_t emitted;
	struct vmig_range pushed[8];
	unsigned int num_pushed;
	u32 cc, csts;
} seen;

static struct fake *the_fake;

static int fake_refuse(struct vmig_dev *mig, int err, const struct vmig_diff *diff)
{
	strscpy(seen.field, diff->field);
	return err;
}

static int fake_reg_read(const struct vpv_window *win, u32 reg, u32 *val)
{
	*val = reg == NVS_REG_CC ? seen.cc : reg == NVS_REG_CAP ? NVS_CAP_TO(1) : seen.csts;
	return 0;
}

/* A controller level reset ends a suspension. */
static int fake_reg_write(const struct vpv_window *win, u32 reg, u32 val)
{
	seen.cc = val;
	seen.csts = 0;
	the_fake->suspended = false;
	return 0;
}

static int fake_reg_poll(const struct vpv_window *win, u32 reg, u32 mask, u32 want,
			 unsigned int limit_ms, u32 *val)
{
	return (seen.csts & mask) == want ? 0 : -ETIMEDOUT;
}

static void fake_fault(struct vmig_dev *mig, u32 resets, const char *why)
{
	seen.faults += resets == seen.resets;
}

static int fake_emit(struct vmig_emit *em, u32 type, u32 flags, const void *data, size_t bytes)
{
	seen.emitted = bytes;
	return 0;
}

static void fake_push(struct vmig_dirty *dirty, u64 first, u64 last)
{
	if (seen.num_pushed < ARRAY_SIZE(seen.pushed))
		seen.pushed[seen.num_pushed++] = (struct vmig_range){ first, last };
}

#undef NVCF_DISK_MS
#define NVCF_DISK_MS	100

#define vpv_reg_read(...)			fake_reg_read(__VA_ARGS__)
#define vpv_reg_write(...)			fake_reg_write(__VA_ARGS__)
#define vpv_reg_poll(...)			fake_reg_poll(__VA_ARGS__)
#define vpv_dma_hold(vpv)			((void)(vpv), seen.held = true)
#define vpv_dma_release(vpv)			((void)(vpv), seen.held = false)
#define vmig_refuse(...)			fake_refuse(__VA_ARGS__)
#define vmig_resets(mig)				((void)(mig), seen.resets)
#define vmig_fault_of(...)			fake_fault(__VA_ARGS__)
#define vmig_dirty_push(...)			fake_push(__VA_ARGS__)
#define vmig_emit(...)				fake_emit(__VA_ARGS__)

#include "../../variants/nvme_cf/match.c"
#include "../../variants/nvme_cf/state.c"
#include "../../variants/nvme_cf/hw.c"
#include "../../variants/nvme_cf/suspend.c"
#include "../../variants/nvme_cf/dirty.c"
#include "../../variants/nvme_cf/migrate.c"

struct device_test {
	struct fake f;
	struct nvcf_dev nd;
};

static void make_profile(struct nvcf_profile *p)
{
	*p = (struct nvcf_profile){
		.magic = cpu_to_le32(NVCF_PROFILE_MAGIC),
		.version = cpu_to_le16(NVCF_PROFILE_VERSION),
		.mdts = 5, .queues = cpu_to_le16(4), .entries = cpu_to_le16(256),
		.subnqn = "nqn.2022-12.org.example:nvme_cf:7",
	};
	memset(p->sn, ' ', sizeof(p->sn) + sizeof(p->mn) + sizeof(p->fr));
}

static void device_test_exit(struct kunit *test)
{
	struct device_test *t = test->priv;

	if (!t)
		return;
	vpv_control_unwatch(&t->nd.watch);
	nvcf_forget(&t->nd);
	kvfree(t->nd.report);
	vpv_control_withdraw(t->f.control);
	kvfree(t->f.state);
	put_device(&t->f.pdev.dev);
}

static int device_test_init(struct kunit *test)
{
	struct device_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	seen = (struct seen){};
	the_fake = &t->f;
	device_initialize(&t->f.pdev.dev);
	t->f.pdev.dev.release = fake_release;
	dev_set_name(&t->f.pdev.dev, "vpv-nvme-cf");
	t->f.state = kvzalloc(2 * NVCF_STATE_MOST, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->f.state);
	t->f.managing = (struct nvcf_managing){
		.max_data = NVCF_MAX_DATA, .csvi = 1, .csuuidi = 2, .tracks = true,
		.pow2_ranges = true, .ranges = 8, .granule_max = 9,
	};
	make_profile(&t->f.profile);
	t->f.profiled = true;
	KUNIT_ASSERT_EQ(test, fake_publish(&t->f), 0);
	t->nd.m.vpv.pdev = &t->f.pdev;
	mutex_init(&t->nd.power);
	INIT_DELAYED_WORK(&t->nd.look, nvcf_look);
	t->nd.watch = (struct vpv_control_watch){
		.controlled = &t->f.pdev.dev, .family = NVCF_FAMILY, .changed = nvcf_changed,
	};
	vpv_control_watch(&t->nd.watch);
	test->priv = t;
	return 0;
}

static struct vmig_dev *mig_of(struct device_test *t)
{
	return &t->nd.m.mig;
}

/* Let the work run, and run it once more as if it were time. */
static void look(struct device_test *t)
{
	flush_delayed_work(&t->nd.look);
	nvcf_look(&t->nd.look.work);
	cancel_delayed_work_sync(&t->nd.look);
}

static void script(struct fake *f, u8 opcode, const struct fake_end *ends, unsigned int num)
{
	f->ends_opcode = opcode;
	f->num_ends = num;
	memcpy(f->ends, ends, num * sizeof(*ends));
}

/* ---- Suspend and resume ---- */

static void a_controller_that_stands_still_does_no_dma(struct kunit *test)
{
	struct device_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, nvcf_still(mig_of(t)), -EIO);
	KUNIT_EXPECT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	KUNIT_EXPECT_TRUE(test, t->f.suspended);
	KUNIT_EXPECT_EQ(test, t->f.cdw11[0], 1U << 16);
	KUNIT_EXPECT_TRUE(test, seen.held);
	KUNIT_EXPECT_EQ(test, nvcf_still(mig_of(t)), 0);
	look(t);
	KUNIT_EXPECT_TRUE(test, t->f.suspended);
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), 0);
	KUNIT_EXPECT_FALSE(test, t->f.suspended);
	KUNIT_EXPECT_FALSE(test, seen.held);
	look(t);
	KUNIT_EXPECT_EQ(test, t->f.num, 2U);
	KUNIT_EXPECT_EQ(test, seen.faults, 0U);
}

struct end_case {
	const char *name;
	struct fake_end ends[2];
	unsigned int num;
	int err;
	bool suspended;		/* after the hook */
	bool later;		/* after the work */
	bool held;
};

static void end_describe(const struct end_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

static const struct end_case suspend_cases[] = {
	{ "refused", { { -EREMOTEIO, 6 } }, 1, -EREMOTEIO },
	{ "not_given", { { -ENOTCONN } }, 1, -ENOTCONN },
	{ "stuck", { { -ETIMEDOUT } }, 1, -ETIMEDOUT },
	{ "stuck_and_done", { { -ETIMEDOUT, 0, true } }, 1, -ETIMEDOUT },
	{ "aborted_and_done", { { -ECONNABORTED, 0, true } }, 1, -ECONNABORTED },
	{ "stuck_and_nobody_answers", { { -ETIMEDOUT, 0, true }, { -ETIMEDOUT } }, 2,
	  -ETIMEDOUT, true, false },
	{ "stuck_and_gone", { { -ETIMEDOUT, 0, true }, { -ENOTCONN } }, 2, -ETIMEDOUT, true,
	  false },
};

KUNIT_ARRAY_PARAM(suspend, suspend_cases, end_describe);

/* It runs, or will: everybody is told so. */
static void a_suspend_that_fails_leaves_it_running(struct kunit *test)
{
	const struct end_case *c = test->param_value;
	struct device_test *t = test->priv;

	script(&t->f, NVS_ADMIN_MIGRATION_SEND, c->ends, c->num);
	KUNIT_EXPECT_EQ(test, nvcf_quiesce(mig_of(t)), c->err);
	KUNIT_EXPECT_EQ(test, t->f.suspended, c->suspended);
	KUNIT_EXPECT_FALSE(test, seen.held);
	look(t);
	KUNIT_EXPECT_EQ(test, t->f.suspended, c->later);
	/* And it can be suspended as ever. */
	KUNIT_EXPECT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	look(t);
	KUNIT_EXPECT_TRUE(test, t->f.suspended);
	KUNIT_EXPECT_EQ(test, seen.faults, 0U);
}

static const struct end_case resume_cases[] = {
	{ "refused", { { -EREMOTEIO, 6 } }, 1, -EREMOTEIO, true, true, true },
	{ "not_given", { { -ENOTCONN } }, 1, -EIO, true, true, true },
	{ "stuck", { { -ETIMEDOUT } }, 1, 0 },
	{ "stuck_and_done", { { -ETIMEDOUT, 0, true } }, 1, 0 },
	{ "aborted_and_done", { { -ECONNABORTED, 0, true } }, 1, 0 },
	{ "stuck_twice", { { -ETIMEDOUT }, { -ETIMEDOUT } }, 2, -EIO, true, true, true },
	{ "stuck_and_done_and_gone", { { -ETIMEDOUT, 0, true }, { -ENOTCONN } }, 2, -EIO,
	  false, false, true },
};

KUNIT_ARRAY_PARAM(resume, resume_cases, end_describe);

static void a_resume_that_fails_is_told_apart(struct kunit *test)
{
	const struct end_case *c = test->param_value;
	struct device_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	script(&t->f, NVS_ADMIN_MIGRATION_SEND, c->ends, c->num);
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), c->err);
	KUNIT_EXPECT_EQ(test, t->f.suspended, c->suspended);
	KUNIT_EXPECT_EQ(test, seen.held, c->held);
	look(t);
	KUNIT_EXPECT_EQ(test, t->f.suspended, c->later);
	KUNIT_EXPECT_EQ(test, seen.faults, 0U);
	/* Once more, unless nobody knows what became of it. */
	if (c->err && c->err != -EIO) {
		KUNIT_EXPECT_EQ(test, nvcf_still(mig_of(t)), 0);
		KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), 0);
	}
}

static void a_resume_waits_for_disks(struct kunit *test)
{
	struct device_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	t->f.busy = 2;
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), 0);
	KUNIT_EXPECT_EQ(test, t->f.num, 4U);

	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	t->f.busy = UINT_MAX;
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), -EBUSY);
	KUNIT_EXPECT_TRUE(test, seen.held);
	KUNIT_EXPECT_EQ(test, nvcf_still(mig_of(t)), 0);
	t->f.busy = 0;
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), 0);
}

static void a_suspension_that_somebody_ended_is_an_error(struct kunit *test)
{
	struct device_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	t->f.suspended = false;
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), -EIO);
	KUNIT_EXPECT_TRUE(test, seen.held);
}

static void a_managing_controller_that_goes_ends_a_suspension(struct kunit *test)
{
	struct device_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	fake_withdraw(&t->f);
	look(t);
	KUNIT_EXPECT_EQ(test, seen.faults, 1U);
	/* The controller may run, but does no DMA before it is reset. */
	KUNIT_EXPECT_TRUE(test, seen.held);
	KUNIT_EXPECT_EQ(test, nvcf_still(mig_of(t)), -EIO);
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), -EIO);
	KUNIT_ASSERT_EQ(test, fake_publish(&t->f), 0);
	vpv_control_changed(t->f.control);
	look(t);
	KUNIT_EXPECT_EQ(test, seen.faults, 1U);
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), -EIO);
	nvcf_reset(mig_of(t));
	KUNIT_EXPECT_FALSE(test, seen.held);
	look(t);
	KUNIT_EXPECT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
}

/* The reset is reported before the loss is noticed, and the hook has not run yet. */
static void one_that_was_reset_has_lost_nothing(struct kunit *test)
{
	struct device_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	seen.resets++;
	fake_withdraw(&t->f);
	look(t);
	KUNIT_EXPECT_EQ(test, seen.faults, 0U);
	nvcf_reset(mig_of(t));
	look(t);
	KUNIT_ASSERT_EQ(test, fake_publish(&t->f), 0);
	/* Of another suspension it is. */
	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	fake_withdraw(&t->f);
	look(t);
	KUNIT_EXPECT_EQ(test, seen.faults, 1U);
}

static void a_controller_that_runs_needs_no_managing_one(struct kunit *test)
{
	struct device_test *t = test->priv;

	fake_withdraw(&t->f);
	look(t);
	KUNIT_EXPECT_EQ(test, nvcf_quiesce(mig_of(t)), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, nvcf_awaken(&t->nd), 0);
	KUNIT_EXPECT_EQ(test, seen.faults, 0U);
	KUNIT_ASSERT_EQ(test, fake_publish(&t->f), 0);
	KUNIT_EXPECT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), 0);
}

/* A command that the reset has overtaken is carried out after it. */
static void after_a_reset_it_runs(struct kunit *test)
{
	struct device_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	nvcf_reset(mig_of(t));
	KUNIT_EXPECT_FALSE(test, seen.held);
	look(t);
	KUNIT_EXPECT_FALSE(test, t->f.suspended);
	KUNIT_EXPECT_EQ(test, seen.faults, 0U);
	KUNIT_EXPECT_EQ(test, nvcf_still(mig_of(t)), -EIO);

	/* One that is suspended before the work runs stays so. */
	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	t->f.suspended = false;
	WRITE_ONCE(t->nd.stale, true);
	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	look(t);
	KUNIT_EXPECT_TRUE(test, t->f.suspended);
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), 0);
}

static void one_that_is_opened_is_not_suspended(struct kunit *test)
{
	struct device_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, nvcf_awaken(&t->nd), 0);
	t->f.suspended = true;
	KUNIT_EXPECT_EQ(test, nvcf_awaken(&t->nd), 0);
	KUNIT_EXPECT_FALSE(test, t->f.suspended);
	t->f.suspended = true;
	t->f.busy = 1;
	KUNIT_EXPECT_EQ(test, nvcf_awaken(&t->nd), -EAGAIN);
}

/* News, or the reset of the next one who tries, do not go on with what it was opened for. */
static void one_that_could_not_be_opened_is_left_alone(struct kunit *test)
{
	static const struct fake_end ends[] = { { -EREMOTEIO, 6 }, { -ETIMEDOUT } };
	struct device_test *t = test->priv;

	for (int i = 0; i < ARRAY_SIZE(ends); i++) {
		script(&t->f, NVS_ADMIN_MIGRATION_SEND, &ends[i], 1);
		KUNIT_EXPECT_EQ(test, nvcf_awaken(&t->nd), ends[i].err);
		t->f.suspended = true;
		t->f.num = 0;
		nvcf_changed(&t->nd.watch);
		look(t);
		nvcf_reset(mig_of(t));
		look(t);
		KUNIT_EXPECT_EQ(test, t->f.num, 0U);
		KUNIT_EXPECT_TRUE(test, t->f.suspended);
	}
	KUNIT_EXPECT_EQ(test, nvcf_awaken(&t->nd), 0);
	KUNIT_EXPECT_FALSE(test, t->f.suspended);
}

/* ---- Match data and state ---- */

static void match_needs_formats_and_a_profile(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct nvcf_match *match = kunit_kzalloc(test, sizeof(*match), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, match);
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(match->magic), (u32)NVCF_MATCH_MAGIC);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(match->profile),
			~crc32_le(~0, (u8 *)&t->f.profile, sizeof(t->f.profile)));
	/* Disks are not a part of it. */
	t->f.profile.disks[0].blocks = cpu_to_le64(1);
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), 0);
	t->f.profile.disks[0].blocks = 0;
	KUNIT_EXPECT_EQ(test, le32_to_cpu(match->profile),
			~crc32_le(~0, (u8 *)&t->f.profile, sizeof(t->f.profile)));

	t->f.profile.mdts = 0;
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, seen.field, "MDTS of the profile");
	t->f.profiled = false;
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -ENODEV);
	KUNIT_EXPECT_STREQ(test, seen.field, "profiles of the controller");
	t->f.managing.csuuidi = 0;
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, seen.field, "CSUUIDI of the vendor state");
	t->f.managing.csvi = 0;
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, seen.field, "CSVI of version 0");
	fake_withdraw(&t->f);
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -ENOTCONN);
}

/* Its user has seen it; a disk may be resized meanwhile. */
static void who_it_is_does_not_change_under_its_user(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct nvcf_match *match = kunit_kzalloc(test, sizeof(*match), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, match);
	KUNIT_ASSERT_EQ(test, nvcf_match(mig_of(t), match), 0);
	t->f.profile.queues = cpu_to_le16(3);
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, seen.field, "pairs of I/O queues before");
	t->f.profile.queues = cpu_to_le16(4);
	t->f.profile.sn[0] = 'x';
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, seen.field, "checksum of the profile before");
	/* Nor on a destination, whose user may have looked at it. */
	KUNIT_EXPECT_EQ(test, nvcf_load_begin(mig_of(t)), 0);
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -EOPNOTSUPP);
	t->f.profile.sn[0] = ' ';
	t->f.profile.disks[0].blocks = cpu_to_le64(1);
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), 0);
}

/* A command of somebody else was stuck: once more. */
static void a_question_is_put_again(struct kunit *test)
{
	static const struct fake_end ends[] = { { -ECONNABORTED }, { -ECONNABORTED } };
	struct device_test *t = test->priv;
	struct nvcf_match *match = kunit_kzalloc(test, sizeof(*match), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, match);
	script(&t->f, NVCF_ADMIN_PROFILE_RECEIVE, ends, 1);
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), 0);
	script(&t->f, NVCF_ADMIN_PROFILE_RECEIVE, ends, 2);
	KUNIT_EXPECT_EQ(test, nvcf_match(mig_of(t), match), -ECONNABORTED);
}

static void put_state(struct device_test *t)
{
	struct nvs_state_header h = {
		.csattr = NVS_CSUP,
		.nvmecss = { cpu_to_le64(sizeof(struct nvs_state) / 4) },
		.vss = { cpu_to_le64(sizeof(struct nvcf_state) / 4) },
	};
	struct nvcf_state v = {
		.magic = cpu_to_le32(NVCF_STATE_MAGIC),
		.version = cpu_to_le16(NVCF_STATE_VERSION),
		.bytes = cpu_to_le16(sizeof(v)),
		.profile = t->nd.match.profile,
		.features = {
			{ .fid = 1 }, { .fid = 2 }, { .fid = 5 },
			{ .fid = 7, .value = cpu_to_le32(0x30003) }, { .fid = 8 }, { .fid = 10 },
			{ .fid = 11 },
		},
	};
	const size_t from = offsetof(struct nvcf_state, profile);

	v.crc = cpu_to_le32(checksum((u8 *)&v + from, sizeof(v) - from));
	memcpy(t->f.state, &h, sizeof(h));
	memcpy(t->f.state + NVCF_STATE_LEAST - sizeof(v), &v, sizeof(v));
}

static struct device_test *ready_to_save(struct kunit *test)
{
	struct nvcf_match *match = kunit_kzalloc(test, sizeof(*match), GFP_KERNEL);
	struct device_test *t = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, match);
	KUNIT_ASSERT_EQ(test, nvcf_match(mig_of(t), match), 0);
	put_state(t);
	KUNIT_ASSERT_EQ(test, nvcf_quiesce(mig_of(t)), 0);
	t->f.num = 0;
	return t;
}

static void state_is_read_by_its_header(struct kunit *test)
{
	struct device_test *t = ready_to_save(test);

	KUNIT_EXPECT_EQ(test, nvcf_save(mig_of(t), NULL), 0);
	KUNIT_EXPECT_EQ(test, seen.emitted, NVCF_STATE_LEAST);
	KUNIT_EXPECT_EQ(test, t->f.num, 2U);
	KUNIT_EXPECT_EQ(test, t->f.log[0], 0x4200010000ULL);
	KUNIT_EXPECT_EQ(test, t->f.cdw11[0], 2U << 16);
	KUNIT_EXPECT_EQ(test, t->f.cdw12[0], 0U);
	KUNIT_EXPECT_EQ(test, t->f.cdw15[0], 11U);
	KUNIT_EXPECT_EQ(test, t->f.cdw12[1], 48U);
	KUNIT_EXPECT_EQ(test, t->f.cdw15[1], (u32)(NVCF_STATE_LEAST - 48) / 4 - 1);
}

static void large_state_comes_in_pieces(struct kunit *test)
{
	struct device_test *t = ready_to_save(test);
	struct nvs_state_header *h = (struct nvs_state_header *)t->f.state;
	void *state;
	u32 bytes;

	h->nvmecss[0] = cpu_to_le64((NVCF_STATE_MOST - 48) / 4 - 128);
	KUNIT_ASSERT_EQ(test, nvcf_hw_get_state(&t->nd, &state, &bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, NVCF_STATE_MOST);
	KUNIT_EXPECT_EQ(test, memcmp(state, t->f.state, bytes), 0);
	kvfree(state);
	KUNIT_EXPECT_EQ(test, t->f.num, 3U);
	KUNIT_EXPECT_EQ(test, t->f.cdw12[2], 48U + NVCF_MAX_DATA);
	KUNIT_EXPECT_EQ(test, t->f.cdw15[2], (NVCF_MAX_DATA - 48U) / 4 - 1);
	t->f.managing.max_data = SZ_4K;
	t->f.num = 0;
	KUNIT_ASSERT_EQ(test, nvcf_hw_get_state(&t->nd, &state, &bytes), 0);
	KUNIT_EXPECT_EQ(test, memcmp(state, t->f.state, bytes), 0);
	kvfree(state);
	KUNIT_EXPECT_EQ(test, t->f.num, 1 + NVCF_STATE_MOST / SZ_4K);
	h->nvmecss[0] = cpu_to_le64((NVCF_STATE_MOST - 48) / 4 - 127);
	KUNIT_EXPECT_EQ(test, nvcf_hw_get_state(&t->nd, &state, &bytes), -EPROTO);
	KUNIT_EXPECT_STREQ(test, seen.field, "dwords of the state");
}

static void what_could_not_be_loaded_is_not_saved(struct kunit *test)
{
	static const struct fake_end end = { -EREMOTEIO, NVS_SC_INTERNAL };
	struct device_test *t = ready_to_save(test);

	t->f.state[NVCF_STATE_LEAST - 1] = 1;
	KUNIT_EXPECT_EQ(test, nvcf_save(mig_of(t), NULL), -EPROTO);
	KUNIT_EXPECT_STREQ(test, seen.field, "reserved bytes of the vendor state");
	put_state(t);
	t->f.state[NVCF_STATE_LEAST - sizeof(struct nvcf_state) +
		   offsetof(struct nvcf_state, host_id)] = 1;
	KUNIT_EXPECT_EQ(test, nvcf_save(mig_of(t), NULL), -EPROTO);
	KUNIT_EXPECT_STREQ(test, seen.field, "checksum of the vendor state");
	put_state(t);
	/* Somebody has resumed it. */
	t->f.unstable = true;
	KUNIT_EXPECT_EQ(test, nvcf_save(mig_of(t), NULL), -EIO);
	t->f.unstable = false;
	script(&t->f, NVS_ADMIN_MIGRATION_RECEIVE, &end, 1);
	KUNIT_EXPECT_EQ(test, nvcf_save(mig_of(t), NULL), -EREMOTEIO);
	t->f.managing.csvi = 0;
	KUNIT_EXPECT_EQ(test, nvcf_save(mig_of(t), NULL), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, seen.emitted, 0UL);
}

static void state_is_set_in_a_sequence(struct kunit *test)
{
	static const struct {
		u32 bytes;
		unsigned int num;
		u64 log[3];
	} sets[] = {
		{ 4, 1, { 0x4100030002 } },
		{ NVCF_MAX_DATA, 1, { 0x4100030002 } },
		{ NVCF_MAX_DATA + 4, 2, { 0x4100010002, 0x4100020002 } },
		{ 2 * NVCF_MAX_DATA, 2, { 0x4100010002, 0x4100020002 } },
		{ 2 * NVCF_MAX_DATA + 4, 3, { 0x4100010002, 0x4100000002, 0x4100020002 } },
	};
	struct device_test *t = ready_to_save(test);
	u8 *state = kunit_kzalloc(test, 3 * NVCF_MAX_DATA, GFP_KERNEL);
	u16 status;

	KUNIT_ASSERT_NOT_NULL(test, state);
	for (int i = 0; i < 3 * NVCF_MAX_DATA; i++)
		state[i] = i * 7 >> 3;
	for (int i = 0; i < ARRAY_SIZE(sets); i++) {
		t->f.num = 0;
		KUNIT_EXPECT_EQ(test, nvcf_hw_set_state(&t->nd, state, sets[i].bytes, &status), 0);
		KUNIT_EXPECT_EQ(test, t->f.num, sets[i].num);
		KUNIT_EXPECT_EQ(test, memcmp(t->f.log, sets[i].log,
					     sets[i].num * sizeof(u64)), 0);
		KUNIT_EXPECT_EQ(test, t->f.cdw11[0], 2U << 24 | 1 << 16);
		KUNIT_EXPECT_EQ(test, t->f.cdw12[t->f.num - 1] +
				4 * t->f.cdw15[t->f.num - 1], sets[i].bytes);
		KUNIT_EXPECT_EQ(test, t->f.state_bytes, sets[i].bytes);
		KUNIT_EXPECT_EQ(test, memcmp(t->f.state, state, sets[i].bytes), 0);
	}
}

static void a_state_that_the_device_refuses_is_named(struct kunit *test)
{
	static const struct fake_end end = { -EREMOTEIO, NVS_SC_INVALID_FIELD };
	struct device_test *t = ready_to_save(test);

	script(&t->f, NVS_ADMIN_MIGRATION_SEND, &end, 1);
	KUNIT_EXPECT_EQ(test, commit_state(mig_of(t), 0, t->f.state, NVCF_STATE_LEAST), -EINVAL);
	KUNIT_EXPECT_STREQ(test, seen.field, "status of Set State");
	fake_withdraw(&t->f);
	KUNIT_EXPECT_EQ(test, commit_state(mig_of(t), 0, t->f.state, NVCF_STATE_LEAST),
			-ENOTCONN);
}

static void one_that_was_used_is_emptied_before_it_is_loaded(struct kunit *test)
{
	struct device_test *t = ready_to_save(test);

	KUNIT_EXPECT_EQ(test, nvcf_load_begin(mig_of(t)), 0);
	KUNIT_EXPECT_EQ(test, t->f.num, 0U);
	KUNIT_EXPECT_EQ(test, t->nd.match.magic, 0U);
	seen.cc = NVS_CC_EN;
	seen.csts = NVS_CSTS_RDY;
	KUNIT_EXPECT_EQ(test, nvcf_load_begin(mig_of(t)), 0);
	KUNIT_EXPECT_EQ(test, seen.cc, 0U);
	KUNIT_EXPECT_TRUE(test, t->f.suspended);
	KUNIT_EXPECT_EQ(test, nvcf_unquiesce(mig_of(t)), 0);
}

/* ---- Tracking ---- */

static const struct vmig_range tracked[] = { { 0x1000, 0x1fff }, { 0x100000, 0x2fffff } };

static int start_tracking(struct device_test *t, u8 page_log2, struct vmig_track_limits *limits)
{
	const struct vmig_track what = { tracked, ARRAY_SIZE(tracked), page_log2 };
	int err = nvcf_track_limits(mig_of(t), limits);

	return err ?: nvcf_track_start(mig_of(t), &what, limits);
}

static void a_tracker_offers_less(struct kunit *test)
{
	static const struct {
		u32 granule, ranges;
		int err;
		u8 page_min_log2;
		u32 most;
	} offers[] = {
		{ 0, 1, -ENOSPC, 12, 1 },
		{ 3, 8, -ENOSPC, 15, 8 },
		{ 3, 1, -ENOSPC, 15, 1 },
		{ 0, 8, -EBUSY, 12, 8 },
		{ 10, 8, -EBUSY, 12, 8 },
		{ 0xffff, 1, -EBUSY, 12, 8 },
	};
	struct device_test *t = test->priv;
	struct vmig_track_limits limits;

	KUNIT_EXPECT_EQ(test, sizeof(struct nvs_track_range), 12UL);
	KUNIT_EXPECT_EQ(test, start_tracking(t, 12, &limits), 0);
	KUNIT_EXPECT_TRUE(test, limits.unfiltered && limits.pow2_ranges);
	KUNIT_EXPECT_EQ(test, limits.page_max_log2, 21);
	/* Again: what there is goes first. */
	KUNIT_EXPECT_EQ(test, start_tracking(t, 12, &limits), 0);
	for (int i = 0; i < ARRAY_SIZE(offers); i++) {
		t->f.offer[0] = offers[i].granule;
		t->f.offer[1] = offers[i].ranges;
		KUNIT_EXPECT_EQ(test, start_tracking(t, 12, &limits), offers[i].err);
		KUNIT_EXPECT_EQ(test, limits.page_min_log2, offers[i].page_min_log2);
		KUNIT_EXPECT_EQ(test, limits.ranges, offers[i].most);
	}
	t->f.managing.tracks = false;
	KUNIT_EXPECT_EQ(test, nvcf_track_limits(mig_of(t), &limits), -EOPNOTSUPP);
	fake_withdraw(&t->f);
	KUNIT_EXPECT_EQ(test, nvcf_track_limits(mig_of(t), &limits), -ENOTCONN);
	nvcf_track_stop(mig_of(t));
}

/* A managing controller that hangs costs the time of one command, whichever that is. */
static void one_that_hangs_is_asked_once(struct kunit *test)
{
	static const struct {
		struct fake_end ends[2];
		unsigned int num, commands;
	} hangs[] = {
		{ { { -ETIMEDOUT } }, 1, 1 },
		{ { {}, { -ETIMEDOUT } }, 2, 2 },
		{ { {}, { -ETIMEDOUT, .carried = true } }, 2, 2 },
		{ { {}, { -ECONNABORTED } }, 2, 2 },
	};
	struct device_test *t = test->priv;
	struct vmig_track_limits limits;

	t->f.ends_opcode = NVS_ADMIN_TRACK_SEND;
	for (int i = 0; i < ARRAY_SIZE(hangs); i++) {
		const int err = hangs[i].ends[hangs[i].num - 1].err;

		memcpy(t->f.ends, hangs[i].ends, sizeof(hangs[i].ends));
		t->f.num_ends = hangs[i].num;
		t->f.num = 0;
		KUNIT_EXPECT_EQ(test, start_tracking(t, 12, &limits), err);
		KUNIT_EXPECT_EQ_MSG(test, t->f.num, hangs[i].commands, "case %d", i);
		t->f.num_ends = 0;
	}
	/* What it may have begun to record all the same is given up by the next start. */
	KUNIT_EXPECT_EQ(test, start_tracking(t, 12, &limits), 0);
	nvcf_track_stop(mig_of(t));
	KUNIT_EXPECT_FALSE(test, t->f.tracking);
}

static const struct {
	u8 ver, attr;
	u32 count;
	u16 mrtg;
	u64 addr;
	u32 length;
	int ret;
	unsigned int pushed;
	u64 last;
} reports[] = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0 },
	{ 0, NVS_TRACK_SUSPENDED, 1, 0, 0x1000, 1, 0, 1, 0x1fff },
	{ 0, NVS_TRACK_MORE, 1, 2, 0x4000, 3, 1, 1, 0xffff },
	{ 0, 0, 2, 0, 0x1000, 1, 0, 1, 0x1fff },
	{ 0, 0, 1, 0, 0x1000, 0, 0, 0, 0 },
	{ 0, 0, 1, 0, U64_MAX - 0xfff, 1, 0, 1, U64_MAX },
	{ 0, 0, 1, 0, U64_MAX - 0xfff, 2, 0, 1, U64_MAX },
	{ 0, 0, 1, 50, 0x1000, 1, 0, 1, 0x1000 + BIT_ULL(62) - 1 },
	{ 0, 0, 1, 50, 0x1000, U32_MAX, -EPROTO, 0, 0 },
	{ 0, 0, 1, 51, 0x1000, 1, -EPROTO, 0, 0 },
	{ 1, 0, 1, 0, 0x1000, 1, -EPROTO, 0, 0 },
	{ 0, 0, 4096, 0, 0x1000, 1, -EPROTO, 0, 0 },
	{ 0, 0, U32_MAX, 0, 0x1000, 1, -EPROTO, 0, 0 },
};

static void a_report_is_looked_at(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct nvs_track_report *r = kunit_kzalloc(test, NVCF_MAX_DATA, GFP_KERNEL);
	struct nvs_track_written *w = (void *)(r + 1);
	struct vmig_track_limits limits;

	KUNIT_ASSERT_NOT_NULL(test, r);
	t->f.report = r;
	KUNIT_ASSERT_EQ(test, start_tracking(t, 12, &limits), 0);
	for (int i = 0; i < ARRAY_SIZE(reports); i++) {
		*r = (struct nvs_track_report){
			.ver = reports[i].ver, .attr = reports[i].attr,
			.count = cpu_to_le32(reports[i].count),
			.mrtg = cpu_to_le16(reports[i].mrtg),
		};
		w->addr = cpu_to_le64(reports[i].addr);
		w->length = cpu_to_le32(reports[i].length);
		seen.num_pushed = 0;
		KUNIT_EXPECT_EQ_MSG(test, nvcf_track_report(mig_of(t), NULL, NULL),
				    reports[i].ret, "report %d", i);
		KUNIT_EXPECT_EQ_MSG(test, seen.num_pushed, reports[i].pushed, "report %d", i);
		if (reports[i].pushed) {
			KUNIT_EXPECT_EQ(test, seen.pushed[0].first, reports[i].addr);
			KUNIT_EXPECT_EQ(test, seen.pushed[0].last, reports[i].last);
		}
	}
	/* All there is, in each of several entries. */
	*r = (struct nvs_track_report){ .count = cpu_to_le32(3) };
	for (int i = 0; i < 3; i++)
		w[i] = (struct nvs_track_written){ .length = cpu_to_le32(513) };
	seen.num_pushed = 0;
	KUNIT_EXPECT_EQ(test, nvcf_track_report(mig_of(t), NULL, NULL), -EPROTO);
	KUNIT_EXPECT_EQ(test, seen.num_pushed, 1U);
	memset(w, 0, 3 * sizeof(*w));
	/* One that transfers less at a time tells less at a time. */
	t->f.managing.max_data = SZ_4K;
	*r = (struct nvs_track_report){ .count = cpu_to_le32(255) };
	KUNIT_EXPECT_EQ(test, nvcf_track_report(mig_of(t), NULL, NULL), 0);
	r->count = cpu_to_le32(256);
	KUNIT_EXPECT_EQ(test, nvcf_track_report(mig_of(t), NULL, NULL), -EPROTO);
	/* A reset of the managing controller ends tracking. */
	t->f.tracking = false;
	KUNIT_EXPECT_EQ(test, nvcf_track_report(mig_of(t), NULL, NULL), -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, start_tracking(t, 12, &limits), 0);
	nvcf_track_stop(mig_of(t));
	KUNIT_EXPECT_FALSE(test, t->f.tracking);
	KUNIT_EXPECT_NULL(test, t->nd.report);
}

static struct kunit_case device_cases[] = {
	KUNIT_CASE(a_controller_that_stands_still_does_no_dma),
	KUNIT_CASE_PARAM(a_suspend_that_fails_leaves_it_running, suspend_gen_params),
	KUNIT_CASE_PARAM(a_resume_that_fails_is_told_apart, resume_gen_params),
	KUNIT_CASE(a_resume_waits_for_disks),
	KUNIT_CASE(a_suspension_that_somebody_ended_is_an_error),
	KUNIT_CASE(a_managing_controller_that_goes_ends_a_suspension),
	KUNIT_CASE(one_that_was_reset_has_lost_nothing),
	KUNIT_CASE(a_controller_that_runs_needs_no_managing_one),
	KUNIT_CASE(after_a_reset_it_runs),
	KUNIT_CASE(one_that_is_opened_is_not_suspended),
	KUNIT_CASE(one_that_could_not_be_opened_is_left_alone),
	KUNIT_CASE(match_needs_formats_and_a_profile),
	KUNIT_CASE(who_it_is_does_not_change_under_its_user),
	KUNIT_CASE(a_question_is_put_again),
	KUNIT_CASE(state_is_read_by_its_header),
	KUNIT_CASE(large_state_comes_in_pieces),
	KUNIT_CASE(what_could_not_be_loaded_is_not_saved),
	KUNIT_CASE(state_is_set_in_a_sequence),
	KUNIT_CASE(a_state_that_the_device_refuses_is_named),
	KUNIT_CASE(one_that_was_used_is_emptied_before_it_is_loaded),
	KUNIT_CASE(a_tracker_offers_less),
	KUNIT_CASE(one_that_hangs_is_asked_once),
	KUNIT_CASE(a_report_is_looked_at),
	{}
};

static struct kunit_suite device_suite = {
	.name = "nvme_cf_device",
	.init = device_test_init,
	.exit = device_test_exit,
	.test_cases = device_cases,
};

kunit_test_suite(device_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of the driver of nvme_cf's controllers");
