// SPDX-License-Identifier: GPL-2.0
/*
 * What the firmware of mlx5_like says is not believed: limits that are zero, too large, other
 * than before, or read before it is ready; functions and images that cannot be.
 *
 * Groups: mlx5-fault
 */
#include "lib/dmalog.h"
#include "lib/mlxscene.h"
#include "lib/states.h"
#include "lib/test.h"

FIXTURE(mlx5_limits)
{
	struct scene s;
};

FIXTURE_SETUP(mlx5_limits)
{
	int err = scene_open(&self->s);

	if (err == TOO_FEW)
		SKIP(return, "no two functions mlx5_like in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(mlx5_limits)
{
	model_cmd(&self->s.p.fw, "claim clear");
	scene_close(&self->s);
}

/* Registers say nothing before READY: a queue of one slot, or a time-out of none. */
TEST_F_TIMEOUT(mlx5_limits, read_when_the_firmware_is_ready, 120)
{
	struct scene *s = &self->s;
	uint64_t before, after;

	ASSERT_EQ(0, model_value(&s->p.fw, "regs", "CMDQ_LOG2", &before));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "fault reset delay=200 count=1"));
	ASSERT_EQ(0, vdev_sysfs_write(s->p.ctrl.bdf, "reset", "1"));
	ASSERT_EQ(0, mlx_pair_controlled(&s->p, true, PROMPT_MS));
	ASSERT_EQ(0, model_value(&s->p.fw, "regs", "CMDQ_LOG2", &after));
	EXPECT_EQ(before, after);
	EXPECT_EQ(0, mlx_pair_migrate(&s->p, true));
}

/* It is left alone until it tells the truth. */
TEST_F_TIMEOUT(mlx5_limits, firmware_with_nonsense_is_not_used, 240)
{
	static const struct {
		const char *name;
		unsigned long long val;
	} lies[] = {
		{ "image", 0 }, { "image", UINT64_MAX }, { "chunk", 0 }, { "unit", 512 },
		{ "segments", 0 }, { "functions", 1 }, { "functions", 0xffff }, { "serial", 1 },
		{ "page_min", 255 }, { "query_pages", 0 },
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim %s %llu", lies[i].name, lies[i].val));
		ASSERT_EQ(0, vdev_sysfs_write(s->p.ctrl.bdf, "reset", "1"));
		EXPECT_EQ(-ENOTCONN, scene_set(s, 0, RUNNING_P2P)) TH_LOG("%s", lies[i].name);
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim clear"));
		ASSERT_EQ(0, mlx_pair_controlled(&s->p, true, PROMPT_MS));
		EXPECT_EQ(0, scene_set(s, 0, RUNNING));
		/* One that is down again at once is tried after a longer pause. */
		usleep(2500000);
	}
	EXPECT_EQ(0, mlx_pair_migrate(&s->p, true));
}

TEST_F_TIMEOUT(mlx5_limits, function_that_cannot_be_is_not_saved, 120)
{
	static const struct {
		const char *name;
		unsigned long long val;
	} lies[] = {
		{ "fn_image", 0 }, { "fn_image", 4097 }, { "fn_image", 1ULL << 50 },
		{ "fn_pairs", 0 },
	};
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim %s %llu", lies[i].name, lies[i].val));
		EXPECT_EQ(-EOPNOTSUPP, scene_set(s, 0, PRE_COPY)) TH_LOG("%s", lies[i].name);
		EXPECT_EQ(-EOPNOTSUPP, scene_set(s, 0, STOP_COPY)) TH_LOG("%s", lies[i].name);
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim clear"));
		ASSERT_EQ(0, scene_set(s, 0, RUNNING));
	}
	EXPECT_EQ(0, mlx_pair_migrate(&s->p, true));
}

/* In pre-copy one full image follows, which is wrong, too; so nothing is migrated. */
TEST_F_TIMEOUT(mlx5_limits, image_that_is_too_small_is_not_sent, 120)
{
	static const unsigned long long sizes[] = { 0, 4096, 4097, 1ULL << 40, UINT64_MAX };
	struct scene *s = &self->s;

	for (unsigned int i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct blob b = { 0 };

		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim save %llu", sizes[i / 2]));
		EXPECT_GT(0, mig_save(&s->p.v[0], &b, i % 2)) TH_LOG("%llu", sizes[i / 2]);
		blob_free(&b);
		ASSERT_EQ(0, model_cmd(&s->p.fw, "claim clear"));
		ASSERT_EQ(0, scene_set(s, 0, RUNNING));
	}
	EXPECT_EQ(0, mlx_pair_migrate(&s->p, true));
}

/* A bitmap that has not come, or not all of it, is no report: everything may have been written. */
TEST_F_TIMEOUT(mlx5_limits, report_that_is_another_than_the_firmware_says_counts_for_nothing, 120)
{
	uint64_t bitmap[VNET_PAGES / 64] = { 0 };
	struct scene *s = &self->s;

	NEED_DMA_LOG();
	ASSERT_EQ(0, mlx_log_start(&s->p.v[0]));
	ASSERT_EQ(0, mlx_log_report(&s->p.v[0], bitmap));
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "claim track_set 4000000000"));
	ASSERT_EQ(0, mlx_log_report(&s->p.v[0], bitmap));
	EXPECT_TRUE(mlx_log_is_all(bitmap));
	ASSERT_EQ(0, model_cmd(&s->p.fw, "claim clear"));
	/* One more that knows nothing of the time before. */
	ASSERT_EQ(0, mlx_log_report(&s->p.v[0], bitmap));
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_EQ(0, mlx_log_report(&s->p.v[0], bitmap));
	EXPECT_EQ(0U, bitmap[VNET_PAGES / 64 - 1]);
	EXPECT_EQ(0, dma_log_stop(&s->p.v[0]));
}

TEST_HARNESS_MAIN
