// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM changes the migration state of a function, of each family, that its guest has put to
 * sleep, or has left with memory, bus mastering or interrupts off: that works, loses nothing,
 * and leaves the function as the guest has left it.
 *
 * Groups: self families stable
 */
#include <pthread.h>
#include <stdatomic.h>

#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

/* For a loaded machine. */
#define SECONDS	180

static bool stands(unsigned int state)
{
	return state != RUNNING;
}

FIXTURE(left)
{
	struct slot slot[2];
	struct vdev a, b;
	struct model m[2];
	struct guest g;
	struct blob blob;
	struct left left[2];
};

/* As it runs, awake, is migration_test's. */
static const struct way ways[] = {
	{ .name = "d1", .how = LEFT_D1 },
	{ .name = "d2", .how = LEFT_D2 },
	{ .name = "d3hot", .how = LEFT_D3HOT },
	{ .name = "low_power", .how = LEFT_LOW_POWER },
	{ .name = "no_memory", .how = LEFT_NO_MEMORY },
	{ .name = "no_master", .how = LEFT_NO_MASTER },
	{ .name = "half_irq", .how = LEFT_HALF_IRQ },
	{ .name = "intx_masked", .how = LEFT_INTX_MASKED },
	{ .name = "d3hot_off", .how = LEFT_D3HOT_OFF },
	{ .name = "d3hot_soft_reset", .how = LEFT_D3HOT, .soft_reset = true },
};

VARIANTS_OF_FAMILIES(left, ways);

FIXTURE_SETUP(left)
{
	NEED_FAMILY(variant->family, self->slot, 2);
	if (!left_may(&self->slot[0], variant->way->how))
		SKIP(return, "has no such D state or interrupt");
	self->left[0].bar = self->left[1].bar = variant->family->bar;
	/* A guest sees which of the two it is: both are of one kind. */
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, model_open(&self->m[i], &self->slot[i]));
		if (variant->way->soft_reset)
			ASSERT_EQ(0, model_cmd(&self->m[i], "soft_reset 1"));
	}
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], VDEV_GROUP));
	ASSERT_EQ(0, vdev_open(&self->b, &self->slot[1], VDEV_GROUP));
	if (!left_can(&self->a, variant->way->how))
		SKIP(return, "has no such D state or interrupt");
	ASSERT_EQ(0, guest_share(&self->g, &self->a));
	ASSERT_EQ(0, guest_share(&self->g, &self->b));
	ASSERT_EQ(0, guest_boot(&self->g, &self->a));
}

FIXTURE_TEARDOWN(left)
{
	model_cmd(&self->m[0], "fault clear");
	guest_free(&self->g);
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

/*
 * Every arc, and both of its ends.  Paths of several arcs are those arcs, one behind the
 * other (the core of VFIO finds them): every_pair_of_states of migration_test has them all.
 */
static const unsigned int walk[] = {
	PRE_COPY, RUNNING, PRE_COPY, PRE_COPY_P2P, PRE_COPY, PRE_COPY_P2P, RUNNING_P2P,
	PRE_COPY_P2P, STOP_COPY, STOP, STOP_COPY, STOP, RUNNING_P2P, STOP, RUNNING_P2P, RUNNING,
	RUNNING_P2P, STOP, RESUMING, STOP, RUNNING,
};

TEST_F_TIMEOUT(left, every_arc, SECONDS)
{
	struct left *left = &self->left[0];
	struct vdev *v = &self->a;

	ASSERT_EQ(0, mig_save(v, &self->blob, false));
	ASSERT_EQ(0, go(v, RUNNING));
	ASSERT_EQ(0, left_leave(v, left, variant->way->how));
	for (unsigned int i = 0; i < ARRAY_SIZE(walk); i++) {
		unsigned int from = mig_get(v), to = walk[i];
		uint64_t bytes;

		if (from == to || !family_has_state(variant->family, to))
			continue;
		ASSERT_EQ(0, go_with(v, to, &self->blob))
			TH_LOG("%s -> %s", mig_state_name(from), mig_state_name(to));
		EXPECT_EQ(0, mig_data_size(v, &bytes));
		ASSERT_EQ(0, left_check(v, left, !stands(to)))
			TH_LOG("%s -> %s", mig_state_name(from), mig_state_name(to));
	}
	/* Reset where it is kept awake; then it is left so once more. */
	ASSERT_EQ(0, go(v, RESUMING));
	ASSERT_EQ(0, vdev_reset(v));
	ASSERT_EQ(0, left_back(v, left));
	ASSERT_EQ(0, left_leave(v, left, variant->way->how));
	ASSERT_EQ(0, left_check(v, left, true));
	ASSERT_EQ(0, left_back(v, left));
	ASSERT_EQ(0, guest_boot(&self->g, v));
	EXPECT_EQ(0, guest_work(&self->g, 1));
}

/* Both functions are left so, with work under way; then the guest goes on. */
TEST_F_TIMEOUT(left, data_moves, SECONDS)
{
	const struct family *f = variant->family;
	bool precopy = f->migration & VFIO_MIGRATION_PRE_COPY;

	ASSERT_EQ(0, vdev_cfg_set(&self->b, PCI_COMMAND, 2, vdev_cfg(&self->a, PCI_COMMAND, 2)));
	if (f->slow)
		ASSERT_EQ(0, model_cmd(&self->m[0], "%s", f->slow));
	ASSERT_EQ(0, guest_start(&self->g, 1));
	ASSERT_EQ(0, left_leave(&self->a, &self->left[0], variant->way->how));
	ASSERT_EQ(0, left_leave(&self->b, &self->left[1], variant->way->how));

	ASSERT_EQ(0, mig_save(&self->a, &self->blob, precopy));
	ASSERT_EQ(0, left_check(&self->a, &self->left[0], false));
	ASSERT_EQ(0, mig_load(&self->b, &self->blob, RUNNING));
	ASSERT_EQ(0, left_check(&self->b, &self->left[1], true));
	if (variant->way->soft_reset)
		return;		/* to wake it up is to forget what it was doing */
	ASSERT_EQ(0, left_back(&self->b, &self->left[1]));
	ASSERT_EQ(0, guest_on(&self->g, &self->b));
	EXPECT_EQ(0, guest_check(&self->g, 1));
	EXPECT_EQ(0, guest_work(&self->g, 2));
}

/* As when a VM is paused and goes on: nothing is lost, nothing is done twice. */
TEST_F_TIMEOUT(left, pause_and_go_on, SECONDS)
{
	const struct family *f = variant->family;

	if (f->slow)
		ASSERT_EQ(0, model_cmd(&self->m[0], "%s", f->slow));
	for (unsigned int i = 0; i < 3; i++) {
		ASSERT_EQ(0, guest_start(&self->g, i));
		ASSERT_EQ(0, left_leave(&self->a, &self->left[0], variant->way->how));
		ASSERT_EQ(0, go(&self->a, STOP));
		ASSERT_EQ(0, go(&self->a, RUNNING));
		ASSERT_EQ(0, left_check(&self->a, &self->left[0], true));
		ASSERT_EQ(0, left_back(&self->a, &self->left[0]));
		if (variant->way->soft_reset)
			return;
		EXPECT_EQ(0, guest_check(&self->g, i));
	}
}

/* ---- what a user and a host see of a function that is kept awake ---- */

FIXTURE(asleep)
{
	struct slot slot;
	struct vdev v;
	struct guest g;
	unsigned int ctrl;
	unsigned int still;	/* a state in which it does no DMA */
};

VARIANTS_OF_FAMILIES(asleep, one_way);

FIXTURE_SETUP(asleep)
{
	NEED_FAMILY(variant->family, &self->slot, 1);
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, guest_share(&self->g, &self->v));
	ASSERT_EQ(0, guest_boot(&self->g, &self->v));
	self->ctrl = vdev_find_cap(&self->v, PCI_CAP_ID_PM) + PCI_PM_CTRL;
	self->still = family_has_state(variant->family, RUNNING_P2P) ? RUNNING_P2P : STOP;
}

FIXTURE_TEARDOWN(asleep)
{
	guest_free(&self->g);
	vdev_close(&self->v);
}

/* What a read of 32 bits of a BAR returns. */
static long bar_read(struct vdev *v, const struct family *f)
{
	uint32_t word;

	return vdev_pread(v, f->bar, 0, &word, sizeof(word));
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
	uint32_t cmd = vdev_cfg(v, PCI_COMMAND, 2);

	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
	ASSERT_TRUE(in_hardware(v, "D3hot", true));
	ASSERT_EQ(0, go(v, self->still));
	EXPECT_TRUE(in_hardware(v, "D0", false));

	/* By bytes, words and dwords. */
	EXPECT_EQ(3U, dstate(v, self->ctrl));
	EXPECT_EQ(3U, vdev_cfg(v, self->ctrl, 1) & 3);
	EXPECT_EQ(3U, vdev_cfg(v, self->ctrl & ~3U, 4) >> 8 * (self->ctrl & 3) & 3);
	EXPECT_EQ(cmd, vdev_cfg(v, PCI_COMMAND, 2));
	EXPECT_EQ(cmd, vdev_cfg(v, PCI_COMMAND, 4) & 0xffff);
	EXPECT_EQ(-EIO, bar_read(v, variant->family));

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

	/* Woken while it is awake. */
	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
	ASSERT_EQ(0, go(v, STOP));
	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 0));
	EXPECT_EQ(0U, dstate(v, self->ctrl));
	EXPECT_TRUE(in_hardware(v, "D0", !variant->family->holds_dma));
	EXPECT_EQ(4, bar_read(v, variant->family));
	ASSERT_EQ(0, go(v, RUNNING));
	EXPECT_TRUE(in_hardware(v, "D0", true));

	/* Put to sleep while it has to be awake. */
	ASSERT_EQ(0, go(v, STOP));
	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
	EXPECT_EQ(3U, dstate(v, self->ctrl));
	EXPECT_TRUE(in_hardware(v, "D0", false));
	EXPECT_EQ(-EIO, bar_read(v, variant->family));
	ASSERT_EQ(0, go(v, RUNNING));
	EXPECT_TRUE(in_hardware(v, "D3hot", true));
	ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 0));
	EXPECT_EQ(0, guest_work(&self->g, 1));
}

/* By its user, and by somebody else. */
TEST_F(asleep, a_reset_wakes_it_up)
{
	struct vdev *v = &self->v;
	char power[16];
	uint64_t end;

	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
		ASSERT_EQ(0, go(v, i ? STOP : STOP_COPY));
		ASSERT_EQ(0, i ? vdev_sysfs_write(self->slot.bdf, "reset", "1") : vdev_reset(v));
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

/* Have a function forget its config space when it is woken up, and open it once more. */
static void forget_asleep(struct __test_metadata *_metadata, FIXTURE_DATA(asleep) *self,
			  struct model *m)
{
	/* It is looked at when it is opened. */
	guest_off(&self->g);
	vdev_close(&self->v);
	ASSERT_EQ(0, model_open(m, &self->slot));
	ASSERT_EQ(0, model_cmd(m, "soft_reset 1"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v, true));
}

TEST_F(asleep, a_reset_by_somebody_else_loses_no_more)
{
	struct vdev *v = &self->v;
	struct model m;
	uint32_t cmd;

	forget_asleep(_metadata, self, &m);
	cmd = vdev_cfg(v, PCI_COMMAND, 2);

	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(0, vdev_cfg_set(v, self->ctrl, 2, 3));
		EXPECT_EQ(0, vdev_sysfs_write(self->slot.bdf, "reset", "1"));
		EXPECT_EQ(0U, dstate(v, self->ctrl));
		EXPECT_EQ(cmd, vdev_cfg(v, PCI_COMMAND, 2));
		EXPECT_TRUE(in_hardware(v, "D0", true));
		EXPECT_EQ(4, bar_read(v, variant->family));
	}
	EXPECT_EQ(0, model_cmd(&m, "soft_reset 0"));
	model_close(&m);
}

struct watcher {
	struct vdev *v;
	atomic_bool stop;
	uint32_t want, seen;
	unsigned long reads;
};

/* Reads COMMAND all the time; remembers what it should not have been. */
static void *watch_command(void *arg)
{
	struct watcher *w = arg;

	while (!atomic_load(&w->stop)) {
		uint32_t command = vdev_cfg(w->v, PCI_COMMAND, 2);

		w->reads++;
		if (command != w->want)
			w->seen = command;
	}
	return NULL;
}

/* Whatever is done to the function meanwhile, a guest reads what it has written. */
static void command_stays(struct __test_metadata *_metadata, FIXTURE_DATA(asleep) *self)
{
	struct watcher w = { .v = &self->v };
	pthread_t thread;

	ASSERT_EQ(0, vdev_cfg_set(&self->v, self->ctrl, 2, 3));
	w.want = w.seen = vdev_cfg(&self->v, PCI_COMMAND, 2);
	ASSERT_EQ(0, pthread_create(&thread, NULL, watch_command, &w));
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(0, go(&self->v, PRE_COPY));
		EXPECT_EQ(0, go(&self->v, RUNNING));
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(w.want, w.seen);
	EXPECT_LT(100UL, w.reads);
	ASSERT_EQ(0, vdev_cfg_set(&self->v, self->ctrl, 2, 0));
}

TEST_F_TIMEOUT(asleep, command_stays, SECONDS)
{
	command_stays(_metadata, self);
}

TEST_F_TIMEOUT(asleep, command_stays_where_it_is_forgotten, SECONDS)
{
	struct model m;

	forget_asleep(_metadata, self, &m);
	command_stays(_metadata, self);
	EXPECT_EQ(0, model_cmd(&m, "soft_reset 0"));
	model_close(&m);
}

/* Closed in any state: the next user finds it awake. */
TEST_F(asleep, closed_while_it_is_kept_awake)
{
	for (unsigned int state = STOP; state < MIG_STATES; state++) {
		if (!family_has_state(variant->family, state))
			continue;
		ASSERT_EQ(0, vdev_cfg_set(&self->v, self->ctrl, 2, 3));
		ASSERT_EQ(0, state == RUNNING ? 0 : go(&self->v, state));
		guest_off(&self->g);
		vdev_close(&self->v);
		ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
		EXPECT_EQ(0U, dstate(&self->v, self->ctrl));
		EXPECT_EQ(4, bar_read(&self->v, variant->family));
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
	EXPECT_EQ(0, guest_work(&self->g, 1));
}

/* The kernel writes the table of a function that is awake only. */
TEST_F(asleep, interrupts_set_up_meanwhile_arrive)
{
	NEED(variant->family->irq_index >= 0, "has no interrupt");
	ASSERT_EQ(0, vdev_cfg_set(&self->v, self->ctrl, 2, 3));
	ASSERT_EQ(0, guest_irq(&self->g));
	EXPECT_TRUE(in_hardware(&self->v, "D3hot", true));
	ASSERT_EQ(0, vdev_cfg_set(&self->v, self->ctrl, 2, 0));
	ASSERT_EQ(0, guest_work(&self->g, 1));
	EXPECT_EQ(1, eventfd_wait(self->g.irq, 3000));
}

TEST_HARNESS_MAIN
