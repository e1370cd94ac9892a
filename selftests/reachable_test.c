// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM changes the migration state of a function that its guest has put to sleep, or has
 * left with memory, bus mastering or interrupts off: that works, loses nothing, and leaves
 * the function as the guest has left it.
 */
#include "lib/left.h"
#include "lib/states.h"
#include "lib/test.h"

#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define BATCH	12
/* For a loaded machine. */
#define SECONDS	180

static bool stands(unsigned int state)
{
	return state != RUNNING && state != PRE_COPY;
}

FIXTURE(left)
{
	struct slot slot[2];
	struct vdev a, b;
	struct model m[2];
	struct hisil h;
	struct blob blob;
	struct left left[2];
};

FIXTURE_VARIANT(left)
{
	enum left_how how;
	bool soft_reset;	/* D3hot to D0 resets the function */
};

FIXTURE_VARIANT_ADD(left, awake) { .how = LEFT_AWAKE };
FIXTURE_VARIANT_ADD(left, d3hot) { .how = LEFT_D3HOT };
FIXTURE_VARIANT_ADD(left, low_power) { .how = LEFT_LOW_POWER };
FIXTURE_VARIANT_ADD(left, no_memory) { .how = LEFT_NO_MEMORY };
FIXTURE_VARIANT_ADD(left, no_master) { .how = LEFT_NO_MASTER };
FIXTURE_VARIANT_ADD(left, half_irq) { .how = LEFT_HALF_IRQ };
FIXTURE_VARIANT_ADD(left, d3hot_off) { .how = LEFT_D3HOT_OFF };
FIXTURE_VARIANT_ADD(left, d3hot_soft_reset) { .how = LEFT_D3HOT, .soft_reset = true };

FIXTURE_SETUP(left)
{
	NEED_SLOTS(self->slot, 2);
	self->left[0].bar = self->left[1].bar = HISIL_BAR;
	/* A guest sees which of the two it is: both are of one kind. */
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, model_open(&self->m[i], &self->slot[i]));
		if (variant->soft_reset)
			ASSERT_EQ(0, model_cmd(&self->m[i], "soft_reset 1"));
	}
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], VDEV_GROUP));
	ASSERT_EQ(0, vdev_open(&self->b, &self->slot[1], VDEV_GROUP));
	ASSERT_EQ(0, hisil_share(&self->h, &self->a));
	ASSERT_EQ(0, hisil_share(&self->h, &self->b));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->a));
	ASSERT_EQ(0, hisil_enable(&self->h));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 32, false));
}

FIXTURE_TEARDOWN(left)
{
	model_cmd(&self->m[0], "fault clear");
	hisil_free(&self->h);
	vdev_close(&self->a);
	vdev_close(&self->b);
	for (unsigned int i = 0; i < 2; i++) {
		model_cmd(&self->m[i], "soft_reset 0");
		model_close(&self->m[i]);
	}
	blob_free(&self->blob);
}

/* A stream is loaded at once, if there is one, when it ends in RESUMING. */
static int go_with(struct vdev *v, unsigned int state, const struct blob *stream)
{
	int fd = -1, err = mig_set(v, state, &fd);

	if (!err && state == RESUMING && fd >= 0 && stream)
		err = blob_push(stream, fd, 0, stream->bytes, 0);
	if (fd >= 0)
		close(fd);
	return err;
}

static int go(struct vdev *v, unsigned int state)
{
	return go_with(v, state, NULL);
}

static bool no_way(unsigned int from, unsigned int to)
{
	return from == STOP_COPY && (to == PRE_COPY || to == PRE_COPY_P2P);
}

/* Without a stream RESUMING does not end well. */
static int run_again(struct vdev *v, struct left *left)
{
	int err;

	if (mig_get(v) != RESUMING)
		return go(v, RUNNING);
	err = vdev_reset(v);
	err = err ? err : left_back(v, left);
	return err ? err : left_leave(v, left, left->how);
}

/* Both ends of every arc; where there is none, -EINVAL as always. */
TEST_F_TIMEOUT(left, every_arc, SECONDS)
{
	struct left *left = &self->left[0];

	ASSERT_EQ(0, mig_save(&self->a, &self->blob, false));
	ASSERT_EQ(0, go(&self->a, RUNNING));
	ASSERT_EQ(0, left_leave(&self->a, left, variant->how));
	for (unsigned int from = STOP; from < MIG_STATES; from++) {
		for (unsigned int to = STOP; to < MIG_STATES; to++) {
			uint64_t bytes;

			ASSERT_EQ(0, from == RUNNING ? 0 : go_with(&self->a, from, &self->blob));
			ASSERT_EQ(no_way(from, to) ? -EINVAL : 0, go(&self->a, to))
				TH_LOG("%s -> %s", mig_state_name(from), mig_state_name(to));
			EXPECT_EQ(0, mig_data_size(&self->a, &bytes));
			ASSERT_EQ(0, left_check(&self->a, left, !stands(mig_get(&self->a))))
				TH_LOG("in %s", mig_state_name(mig_get(&self->a)));
			ASSERT_EQ(0, run_again(&self->a, left));
			ASSERT_EQ(0, left_check(&self->a, left, true))
				TH_LOG("after %s", mig_state_name(to));
		}
	}
	ASSERT_EQ(0, left_back(&self->a, left));
	ASSERT_EQ(0, hisil_enable(&self->h));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 32, false));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 1));
}

/* Both functions are left so, with operations under way; then the guest goes on. */
static void data_moves(struct __test_metadata *_metadata, FIXTURE_DATA(left) *self,
		       const FIXTURE_VARIANT(left) *variant, bool precopy)
{
	ASSERT_EQ(0, vdev_bus_master(&self->b, true));
	ASSERT_EQ(0, vdev_cfg_set(&self->b, PCI_COMMAND, 2, vdev_cfg(&self->a, PCI_COMMAND, 2)));
	ASSERT_EQ(0, model_cmd(&self->m[0], "fault op delay=10"));
	hisil_batch_put(&self->h, 0, BATCH, 1);
	hisil_ring(&self->h, 0);
	ASSERT_EQ(0, left_leave(&self->a, &self->left[0], variant->how));
	ASSERT_EQ(0, left_leave(&self->b, &self->left[1], variant->how));

	ASSERT_EQ(0, mig_save(&self->a, &self->blob, precopy));
	ASSERT_EQ(0, left_check(&self->a, &self->left[0], false));
	ASSERT_EQ(0, mig_load(&self->b, &self->blob, RUNNING));
	ASSERT_EQ(0, left_check(&self->b, &self->left[1], true));
	if (variant->soft_reset)
		return;		/* to wake it up is to forget what it was doing */
	ASSERT_EQ(0, left_back(&self->b, &self->left[1]));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->b));
	EXPECT_EQ(0, hisil_batch_check(&self->h, 0, BATCH, 1));
	EXPECT_EQ((uint64_t)BATCH, hisil_read64(&self->h, HISIL_OPS_DONE));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 2));
}

TEST_F_TIMEOUT(left, data_moves, SECONDS)
{
	data_moves(_metadata, self, variant, false);
}

TEST_F_TIMEOUT(left, data_moves_with_pre_copy, SECONDS)
{
	data_moves(_metadata, self, variant, true);
}

/* As when a VM is paused and goes on: nothing is lost, nothing is done twice. */
TEST_F_TIMEOUT(left, pause_and_go_on, SECONDS)
{
	ASSERT_EQ(0, model_cmd(&self->m[0], "fault op delay=10"));
	for (unsigned int i = 0; i < 3; i++) {
		hisil_batch_put(&self->h, 0, BATCH, 100 * i);
		hisil_ring(&self->h, 0);
		ASSERT_EQ(0, left_leave(&self->a, &self->left[0], variant->how));
		ASSERT_EQ(0, go(&self->a, RUNNING_P2P));
		ASSERT_EQ(0, go(&self->a, STOP));
		ASSERT_EQ(0, go(&self->a, RUNNING));
		ASSERT_EQ(0, left_check(&self->a, &self->left[0], true));
		ASSERT_EQ(0, left_back(&self->a, &self->left[0]));
		if (variant->soft_reset)
			return;
		EXPECT_EQ(0, hisil_batch_check(&self->h, 0, BATCH, 100 * i));
	}
	EXPECT_EQ(3U * BATCH, hisil_read64(&self->h, HISIL_OPS_DONE));
}

/* ---- what a user and a host see of a function that is kept awake ---- */

FIXTURE(asleep)
{
	struct slot slot;
	struct vdev v;
	struct model m;
	struct hisil h;
	unsigned int ctrl;
};

FIXTURE_SETUP(asleep)
{
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, hisil_share(&self->h, &self->v));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	ASSERT_EQ(0, hisil_enable(&self->h));
	self->ctrl = vdev_find_cap(&self->v, PCI_CAP_ID_PM) + PCI_PM_CTRL;
}

FIXTURE_TEARDOWN(asleep)
{
	hisil_free(&self->h);
	vdev_close(&self->v);
	model_close(&self->m);
}

static bool in_hardware(struct vdev *v, const char *power, bool master)
{
	char now[16] = "";

	left_power_state(v, now, sizeof(now));
	if (!strcmp(now, power) && !!(left_hw_command(v) & PCI_COMMAND_MASTER) == master)
		return true;
	fprintf(stderr, "# in %s, COMMAND %#x\n", now, left_hw_command(v));
	return false;
}

static uint32_t dstate(struct vdev *v, unsigned int ctrl)
{
	return vdev_cfg(v, ctrl, 2) & PCI_PM_CTRL_STATE_MASK;
}

TEST_F(asleep, does_no_dma_and_shows_nothing)
{
	struct vdev *v = &self->v;
	uint32_t word, cmd = vdev_cfg(v, PCI_COMMAND, 2);

	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
	ASSERT_TRUE(in_hardware(v, "D3hot", true));
	ASSERT_EQ(0, go(v, RUNNING_P2P));
	EXPECT_TRUE(in_hardware(v, "D0", false));

	/* By bytes, words and dwords. */
	EXPECT_EQ(3U, dstate(v, self->ctrl));
	EXPECT_EQ(3U, vdev_cfg(v, self->ctrl, 1) & 3);
	EXPECT_EQ(3U, vdev_cfg(v, self->ctrl & ~3U, 4) >> 8 * (self->ctrl & 3) & 3);
	EXPECT_EQ(cmd, vdev_cfg(v, PCI_COMMAND, 2));
	EXPECT_EQ(cmd, vdev_cfg(v, PCI_COMMAND, 4) & 0xffff);
	EXPECT_EQ(-EIO, vdev_pread(v, HISIL_BAR, HISIL_ID, &word, 4));

	/* Bus mastering is the user's, but not now. */
	ASSERT_EQ(0, vdev_bus_master(v, false));
	EXPECT_EQ(0U, vdev_cfg(v, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
	ASSERT_EQ(0, vdev_bus_master(v, true));
	EXPECT_EQ(cmd, vdev_cfg(v, PCI_COMMAND, 2));
	EXPECT_TRUE(in_hardware(v, "D0", false));
	ASSERT_EQ(0, go(v, RUNNING));
	EXPECT_TRUE(in_hardware(v, "D3hot", true));
}

TEST_F(asleep, what_the_user_writes_counts_in_the_end)
{
	struct vdev *v = &self->v;
	uint32_t word;

	/* Woken while it is awake. */
	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
	ASSERT_EQ(0, go(v, STOP));
	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 0));
	EXPECT_EQ(0U, dstate(v, self->ctrl));
	EXPECT_TRUE(in_hardware(v, "D0", true));
	EXPECT_EQ(4, vdev_pread(v, HISIL_BAR, HISIL_ID, &word, 4));
	ASSERT_EQ(0, go(v, RUNNING));
	EXPECT_TRUE(in_hardware(v, "D0", true));

	/* Put to sleep while it has to be awake. */
	ASSERT_EQ(0, go(v, STOP));
	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
	EXPECT_EQ(3U, dstate(v, self->ctrl));
	EXPECT_TRUE(in_hardware(v, "D0", false));
	EXPECT_EQ(-EIO, vdev_pread(v, HISIL_BAR, HISIL_ID, &word, 4));
	ASSERT_EQ(0, go(v, RUNNING));
	EXPECT_TRUE(in_hardware(v, "D3hot", true));
	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 0));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 1));
}

/* By its user, and by somebody else. */
TEST_F(asleep, a_reset_wakes_it_up)
{
	struct vdev *v = &self->v;
	char path[128], power[16];
	uint64_t end;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", self->slot.bdf);
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
		ASSERT_EQ(0, go(v, i ? STOP : STOP_COPY));
		ASSERT_EQ(0, i ? sysfs_write(path, "1") : vdev_reset(v));
		EXPECT_EQ(RUNNING, mig_get(v));
		EXPECT_EQ(0U, dstate(v, self->ctrl));
		EXPECT_TRUE(in_hardware(v, "D0", true));

		/* What kept it awake has ended: it can sleep again. */
		ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
		end = now_ms() + 5000;
		do {
			ASSERT_EQ(0, left_power_state(v, power, sizeof(power)));
		} while (strcmp(power, "D3hot") && now_ms() < end);
		EXPECT_TRUE(in_hardware(v, "D3hot", true));
		ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 0));
	}
}

/* Closed in any state: the next user finds it awake. */
TEST_F(asleep, closed_while_it_is_kept_awake)
{
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		uint32_t id;

		ASSERT_EQ(0, vdev_cfg_set(&self->v, self->ctrl, 2, 3));
		ASSERT_EQ(0, state == RUNNING ? 0 : go(&self->v, state));
		hisil_detach(&self->h);
		vdev_close(&self->v);
		ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
		EXPECT_EQ(0U, dstate(&self->v, self->ctrl));
		EXPECT_EQ(4, vdev_pread(&self->v, HISIL_BAR, HISIL_ID, &id, 4));
		EXPECT_EQ(HISIL_ID_VALUE, id);
	}
}

/* Low power neither ends nor begins while the function stands. */
TEST_F(asleep, low_power_waits)
{
	struct vdev *v = &self->v;

	ASSERT_EQ(0, go(v, STOP));
	ASSERT_EQ(0, vdev_feature(v, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, NULL, 0));
	usleep(300000);
	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "active"));
	ASSERT_EQ(0, go(v, RUNNING));
	EXPECT_TRUE(vdev_pm_becomes(self->slot.bdf, "suspended"));
	ASSERT_EQ(0, vdev_feature(v, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 1));
}

/* The kernel writes the table of a function that is awake only. */
TEST_F(asleep, interrupts_set_up_meanwhile_arrive)
{
	struct hisil_sqe e = hisil_op(HISIL_NOP, 7, 0, 0, 0, 0);
	struct hisil_cqe c;

	e.flags = HISIL_SQE_IRQ;
	ASSERT_EQ(0, vdev_cfg_set(&self->v, self->ctrl, 2, 3));
	ASSERT_EQ(0, hisil_irq_enable(&self->h, 1));
	EXPECT_TRUE(in_hardware(&self->v, "D3hot", true));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, self->ctrl, 2, 0));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, true));
	ASSERT_EQ(0, hisil_do(&self->h, 0, &e, &c));
	EXPECT_EQ(1, eventfd_wait(self->h.irq[0], 3000));
}

TEST_HARNESS_MAIN
