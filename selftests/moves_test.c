// SPDX-License-Identifier: GPL-2.0
/*
 * From one function to another, of each family: work goes on there, and every piece of it is
 * done exactly once.
 *
 * Groups: self families stable
 */
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"
#include "lib/written.h"

FIXTURE(moves)
{
	struct slot slot[2];
	struct vdev a, b;
	struct model ma, mb;
	struct guest g;
	struct blob blob;
	bool precopy;
};

VARIANTS_OF_FAMILIES(moves, both_openings);

FIXTURE_SETUP(moves)
{
	NEED_MODE(variant->way->mode);
	NEED_FAMILY(variant->family, self->slot, 2);
	ASSERT_EQ(0, model_open(&self->ma, &self->slot[0]));
	ASSERT_EQ(0, model_open(&self->mb, &self->slot[1]));
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], variant->way->mode));
	ASSERT_EQ(0, vdev_open(&self->b, &self->slot[1], variant->way->mode));
	ASSERT_EQ(0, guest_share(&self->g, &self->a));
	ASSERT_EQ(0, guest_share(&self->g, &self->b));
	ASSERT_EQ(0, guest_boot(&self->g, &self->a));
	self->precopy = variant->family->migration & VFIO_MIGRATION_PRE_COPY;
}

FIXTURE_TEARDOWN(moves)
{
	model_cmd(&self->ma, "fault clear");
	guest_free(&self->g);
	vdev_close(&self->a);
	vdev_close(&self->b);
	model_close(&self->ma);
	model_close(&self->mb);
	blob_free(&self->blob);
}

/* Load what was saved; the guest sees the new function before it runs. */
static int arrive(struct guest *g, struct vdev *v, const struct blob *b)
{
	int err = mig_load(v, b, STOP);

	err = err ? err : guest_on(g, v);
	return err ? err : mig_set(v, RUNNING, NULL);
}

TEST_F(moves, idle_function)
{
	ASSERT_EQ(0, guest_work(&self->g, 1));
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, self->precopy));
	ASSERT_EQ(0, arrive(&self->g, &self->b, &self->blob));
	EXPECT_EQ(VFIO_DEVICE_STATE_STOP, mig_get(&self->a));
	EXPECT_EQ(0, guest_work(&self->g, 2));
}

/* What the model says that it has done. */
static uint64_t done(struct model *m, const struct family *f)
{
	uint64_t val = 0;

	return f->counter && model_value(m, "stats", f->counter, &val) ? UINT64_MAX : val;
}

/* Work is under way when the source stops: a pass over much memory takes longer than any. */
static int save_at_work(FIXTURE_DATA(moves) *self, const struct family *f)
{
	bool first = self->precopy && f->rounds;
	int fd = -1, err = first ? mig_precopy(&self->a, &self->blob, &fd) : 0;

	err = err ? err : guest_start(&self->g, 1);
	if (!err)
		usleep(20000);
	if (!err && self->precopy && !first)
		err = mig_precopy(&self->a, &self->blob, &fd);
	return err ? err : mig_stop_copy(&self->a, &self->blob, fd);
}

/* What the source has not done is done by the destination, and nothing twice. */
static void work_moves(struct __test_metadata *_metadata, FIXTURE_DATA(moves) *self,
		       const struct family *f, const char *how)
{
	uint64_t base[2] = { done(&self->ma, f), done(&self->mb, f) }, here, there, writes[2];

	if (how)
		ASSERT_EQ(0, model_cmd(&self->ma, "%s", how));
	ASSERT_EQ(0, save_at_work(self, f));
	here = done(&self->ma, f) - base[0];
	if (f->counter && how)
		EXPECT_GT(f->counts, here);		/* there is something left to do */
	ASSERT_EQ(0, model_value(&self->ma, "stats", "dma_writes", &writes[0]));
	ASSERT_EQ(0, arrive(&self->g, &self->b, &self->blob));
	EXPECT_EQ(0, guest_check(&self->g, 1));
	there = done(&self->mb, f) - base[f->counter_moves ? 0 : 1];
	TH_LOG("%s: %lu here, %lu %s", f->counter ?: "nothing counted", here, there,
	       f->counter_moves ? "in all" : "there");
	if (f->counter)
		EXPECT_EQ(f->counts, f->counter_moves ? there : here + there);
	EXPECT_EQ(here, done(&self->ma, f) - base[0]);
	ASSERT_EQ(0, model_value(&self->ma, "stats", "dma_writes", &writes[1]));
	EXPECT_EQ(writes[0], writes[1]);
	EXPECT_EQ(0, guest_work(&self->g, 2));
}

TEST_F(moves, work_under_way_is_done_once)
{
	work_moves(_metadata, self, variant->family, variant->family->slow);
}

TEST_F(moves, work_under_way_is_done_once_without_pre_copy)
{
	self->precopy = false;
	work_moves(_metadata, self, variant->family, variant->family->slow);
}

TEST_F(moves, work_that_does_not_end_moves)
{
	NEED(variant->family->parks, "cannot stop in the middle of such work");
	work_moves(_metadata, self, variant->family, "fault op hang skip=1");
}

TEST_F(moves, owed_interrupts_arrive)
{
	NEED(variant->family->irq_index >= 0 && variant->family->slow, "has no interrupt");
	ASSERT_EQ(0, guest_irq(&self->g));
	ASSERT_EQ(0, model_cmd(&self->ma, "%s", variant->family->slow));
	ASSERT_EQ(0, guest_start(&self->g, 1));
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, false));
	eventfd_wait(self->g.irq, 0);
	ASSERT_EQ(0, arrive(&self->g, &self->b, &self->blob));
	EXPECT_EQ(1, eventfd_wait(self->g.irq, 20000));
	EXPECT_EQ(0, guest_check(&self->g, 1));
}

TEST_F(moves, back_and_forth_at_work)
{
	struct vdev *on = &self->a, *other = &self->b;

	for (unsigned int round = 0; round < 4; round++) {
		struct vdev *tmp = on;

		ASSERT_EQ(0, guest_start(&self->g, round));
		self->blob.bytes = 0;
		ASSERT_EQ(0, mig_save(on, &self->blob, self->precopy && round & 1));
		ASSERT_EQ(0, arrive(&self->g, other, &self->blob));
		ASSERT_EQ(0, guest_check(&self->g, round));
		on = other;
		other = tmp;
	}
}

/* Its interrupts, COMMAND and BARs are the VMM's to restore; nobody does that with these. */
TEST_F(moves, what_a_guest_wrote_to_config_space_moves)
{
	unsigned int regs = written_set(&self->a);

	NEED(regs, "its user sees no PCI Express");
	ASSERT_EQ(0, vdev_cfg_set(&self->a, PCI_CACHE_LINE_SIZE, 1, 0x10));
	EXPECT_EQ(regs, written_left(&self->a));
	EXPECT_EQ(0U, written_left(&self->b));
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, self->precopy));
	ASSERT_EQ(0, arrive(&self->g, &self->b, &self->blob));
	EXPECT_EQ(regs, written_left(&self->b));
	EXPECT_EQ(0x10U, vdev_cfg(&self->b, PCI_CACHE_LINE_SIZE, 1));
	EXPECT_EQ(0, guest_work(&self->g, 1));
}

/* A source that was stopped and is not needed elsewhere goes on. */
TEST_F(moves, source_can_go_on_when_the_destination_fails)
{
	if (variant->family->slow)
		ASSERT_EQ(0, model_cmd(&self->ma, "%s", variant->family->slow));
	ASSERT_EQ(0, guest_start(&self->g, 1));
	ASSERT_EQ(0, mig_save(&self->a, &self->blob, self->precopy));
	self->blob.data[self->blob.bytes / 2] ^= 1;
	EXPECT_EQ(-EBADMSG, mig_load(&self->b, &self->blob, RUNNING));
	ASSERT_EQ(0, mig_set(&self->a, RUNNING, NULL));
	EXPECT_EQ(0, guest_check(&self->g, 1));
	EXPECT_EQ(0, vdev_reset(&self->b));
	EXPECT_EQ(RUNNING, mig_get(&self->b));
}

TEST_HARNESS_MAIN
