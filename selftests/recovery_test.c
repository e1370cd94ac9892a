// SPDX-License-Identifier: GPL-2.0
/*
 * Errors of a slot with two functions, recovered from by the PCI core itself: what the
 * user finds during and after it, and that none of it takes locks in an order that can
 * hang the PCI core, which a kernel with lockdep says.  Then functions that answer
 * nothing any more.  On the pair of igb functions that the lab puts into one slot.
 *
 * Groups: functions stable
 */
#include <pthread.h>

#include "lib/race.h"
#include "lib/stock.h"
#include "lib/test.h"

#define FUNCTIONS	2
#define LEDCTL		0xe00	/* BAR 0: readable, writable, reset to a default */
#define BYTES		0x20000
#define SOON_MS		5000
/* For a loaded machine. */
#define SECONDS		120

FIXTURE(recovery)
{
	struct slot slot[FUNCTIONS];
	struct vdev v[FUNCTIONS];
	unsigned int pm;
	int log;
};

static int all_open(struct vdev *v, const struct slot *slot)
{
	int err = 0;

	for (int i = 0; i < FUNCTIONS && !err; i++) {
		err = vdev_open(&v[i], &slot[i], VDEV_GROUP);
		if (!err)
			err = vdev_bus_master(&v[i], false);
	}
	return err;
}

static void all_close(struct vdev *v)
{
	for (int i = 0; i < FUNCTIONS; i++)
		vdev_close(&v[i]);
}

FIXTURE_SETUP(recovery)
{
	for (int i = 0; i < FUNCTIONS; i++)
		self->v[i].fd = self->v[i].group = self->v[i].iommu = -1;
	self->log = log_mark();
	NEED_STOCK("igb-pair", self->slot, FUNCTIONS);
	if (!vdev_error_works())
		SKIP(return, "vpv_test_error is not loaded");
	ASSERT_EQ(0, all_open(self->v, self->slot));
	self->pm = vdev_find_cap(&self->v[0], PCI_CAP_ID_PM);
	ASSERT_NE(0U, self->pm);
	race_catch_faults();
}

FIXTURE_TEARDOWN(recovery)
{
	vdev_error(self->slot[0].bdf, "heard");
	all_close(self->v);
	EXPECT_EQ(0, log_count(self->log, "possible circular locking", NULL, 0));
	EXPECT_EQ(0, log_count(self->log, "possible recursive locking", NULL, 0));
	close(self->log);
}

static int hot_reset(struct vdev *v)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t fds[FUNCTIONS];
	} b = { .reset = { .argsz = sizeof(b), .count = FUNCTIONS } };

	for (int i = 0; i < FUNCTIONS; i++)
		b.fds[i] = v[i].group;
	return ioctl(v[0].fd, VFIO_DEVICE_PCI_HOT_RESET, &b) ? -errno : 0;
}

static int power(struct vdev *v, unsigned int pm, unsigned int dstate)
{
	return vdev_cfg_set(v, pm + PCI_PM_CTRL, 2, dstate);
}

/* Set a register to what no reset leaves in it. */
static uint32_t mark(struct vdev *v)
{
	uint32_t val = bar_get(v, 0, LEDCTL) ^ 1;

	return bar_set(v, 0, LEDCTL, val) ? 0 : val;
}

static bool has_mark(struct vdev *v, uint32_t val)
{
	return bar_get(v, 0, LEDCTL) == val;
}

/* Memory is there, and the function was reset: its register has a value, and not @old. */
static bool is_fresh(struct vdev *v, uint32_t old)
{
	uint32_t val = bar_get(v, 0, LEDCTL);

	return val && val != UINT32_MAX && val != old;
}

/* Before 7.3 modules cannot have the PCI core recover anything. */
#define NEED_RECOVERY(slot)								\
	do {										\
		if (vdev_error((slot)->bdf, "recover-normal") == -EOPNOTSUPP)		\
			SKIP(return, "the kernel does not export its error recovery");	\
	} while (0)

/* ---- By the PCI core, in one boot with all that takes its locks the other way round ---- */

TEST_F_TIMEOUT(recovery, of_open_functions, SECONDS)
{
	int err[FUNCTIONS] = { eventfd_new(), eventfd_new() };
	const uint32_t on = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
	uint32_t old[FUNCTIONS];
	uint8_t *map[FUNCTIONS];

	NEED_RECOVERY(self->slot);
	ASSERT_EQ(0, hot_reset(self->v));
	ASSERT_EQ(0, power(&self->v[0], self->pm, 3));
	ASSERT_EQ(0, power(&self->v[0], self->pm, 0));
	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, vdev_bus_master(&self->v[i], true));
		ASSERT_EQ(0, vdev_irq_eventfds(&self->v[i], VFIO_PCI_ERR_IRQ_INDEX, 0, 1, &err[i]));
		map[i] = vdev_bar_map(&self->v[i], 0, BYTES);
		ASSERT_NE(NULL, map[i]);
		EXPECT_FALSE(race_load_faults(map[i]));
		old[i] = mark(&self->v[i]);
		ASSERT_NE(0U, old[i]);
	}

	ASSERT_EQ(0, vdev_error(self->slot[0].bdf, "recover"));
	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_TRUE(vdev_settles(self->slot[i].bdf));
		EXPECT_TRUE(eventfd_wait(err[i], SOON_MS));
		EXPECT_TRUE(is_fresh(&self->v[i], old[i]));
		EXPECT_FALSE(race_load_faults(map[i]));
		EXPECT_EQ(on, vdev_cfg(&self->v[i], PCI_COMMAND, 2) & on);
		munmap(map[i], BYTES);
		close(err[i]);
	}
	EXPECT_EQ(0, hot_reset(self->v));
}

/* The PCI core wakes them for it. */
TEST_F_TIMEOUT(recovery, of_functions_that_sleep, SECONDS)
{
	struct vdev *v = &self->v[0];
	const uint32_t set = VFIO_DEVICE_FEATURE_SET;
	struct vfio_device_low_power_entry_with_wakeup entry = { .wakeup_eventfd = eventfd_new() };

	NEED_RECOVERY(self->slot);
	ASSERT_EQ(0, hot_reset(self->v));
	/* One with a user who sleeps, and one that is closed. */
	vdev_close(&self->v[1]);
	ASSERT_EQ(0, vdev_feature(v, set | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, &entry,
				  sizeof(entry)));
	for (int i = 0; i < FUNCTIONS; i++)
		ASSERT_TRUE(vdev_pm_becomes(self->slot[i].bdf, "suspended"));
	ASSERT_EQ(0, vdev_error(self->slot[0].bdf, "recover"));
	for (int i = 0; i < FUNCTIONS; i++)
		ASSERT_TRUE(vdev_settles(self->slot[i].bdf));
	EXPECT_TRUE(eventfd_wait(entry.wakeup_eventfd, SOON_MS));
	EXPECT_TRUE(is_fresh(v, 0));

	EXPECT_TRUE(vdev_pm_becomes(self->slot[1].bdf, "suspended"));
	ASSERT_EQ(0, vdev_open(&self->v[1], &self->slot[1], VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(&self->v[1], false));
	EXPECT_TRUE(is_fresh(&self->v[1], 0));
	EXPECT_EQ(0, hot_reset(self->v));
	close(entry.wakeup_eventfd);
}

/* A reset makes it D0, which the user reads and the kernel has to know. */
TEST_F_TIMEOUT(recovery, of_a_function_in_d3hot, SECONDS)
{
	struct vdev *v = &self->v[0];

	NEED_RECOVERY(self->slot);
	ASSERT_EQ(0, power(v, self->pm, 3));
	ASSERT_EQ(0, vdev_error(self->slot[0].bdf, "recover"));
	ASSERT_TRUE(vdev_settles(self->slot[0].bdf));
	EXPECT_EQ(0U, vdev_cfg(v, self->pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
	EXPECT_TRUE(is_fresh(v, 0));
}

/* ---- The same against users ---- */

struct racer {
	struct vdev *v;
	unsigned int pm;
	uint8_t *map;
	/* Hot resets only try to take what a RESET has for most of the time. */
	pthread_mutex_t resetting;
};

/* The others have it now and then. */
#define PAUSE_US	2000

static int recovers(void *arg, unsigned long n)
{
	struct racer *r = arg;
	int err = vdev_error(r->v[0].slot.bdf, n % 4 ? "recover" : "recover-normal");

	/* Resets fail while it goes on, and shall not always. */
	usleep(500000);
	return err;
}

static int hot_resets(void *arg, unsigned long n)
{
	struct racer *r = arg;
	int err = -EBUSY;

	/* It only tries to take memory_lock, which is a matter of luck. */
	pthread_mutex_lock(&r->resetting);
	for (unsigned int tries = 0; tries < 20 && err == -EBUSY; tries++)
		err = hot_reset(r->v);
	pthread_mutex_unlock(&r->resetting);
	usleep((n % 4 + 1) * 5000);
	return err;
}

static int resets(void *arg, unsigned long n)
{
	struct racer *r = arg;
	int err;

	pthread_mutex_lock(&r->resetting);
	err = ioctl(r->v[n % 2].fd, VFIO_DEVICE_RESET) ? -errno : 0;
	pthread_mutex_unlock(&r->resetting);
	usleep((n % 4 + 1) * 5000);
	return err;
}

static int d_states(void *arg, unsigned long n)
{
	struct racer *r = arg;

	usleep(PAUSE_US);
	return power(&r->v[0], r->pm, n % 3 ? 0 : 3);
}

static int loads(void *arg, unsigned long n)
{
	struct racer *r = arg;

	usleep(PAUSE_US);
	return race_load_faults(r->map + (n * 0x9e3779b1UL % BYTES & ~3UL)) ? -EFAULT : 0;
}

static int reads(void *arg, unsigned long n)
{
	struct racer *r = arg;
	uint32_t val;
	long got;

	usleep(PAUSE_US);
	got = vdev_pread(&r->v[n % 2], 0, LEDCTL, &val, 4);
	return got == 4 ? 0 : -EIO;
}

TEST_F_TIMEOUT(recovery, against_its_users, 300)
{
	struct racer r = { self->v, self->pm, vdev_bar_map(&self->v[0], 0, BYTES),
			   PTHREAD_MUTEX_INITIALIZER };
	struct race_job jobs[] = {
		RACE_JOB(recovers, &r), RACE_JOB(hot_resets, &r), RACE_JOB(resets, &r),
		RACE_JOB(d_states, &r), RACE_JOB(loads, &r), RACE_JOB(loads, &r), RACE_JOB(reads, &r),
	};

	NEED_RECOVERY(self->slot);
	ASSERT_NE(NULL, r.map);
	EXPECT_TRUE(race_run_ms(jobs, sizeof(jobs) / sizeof(jobs[0]), 5000));
	for (int i = 0; i < FUNCTIONS; i++)
		ASSERT_TRUE(vdev_settles(self->slot[i].bdf));
	ASSERT_EQ(0, power(&self->v[0], self->pm, 0));
	ASSERT_EQ(0, hot_reset(self->v));
	for (int i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, vdev_bus_master(&self->v[i], false));
		EXPECT_TRUE(is_fresh(&self->v[i], 0));
	}
	munmap(r.map, BYTES);
}

/* ---- What success of a reset means after an error ---- */

static int reset_one(struct vdev *v)
{
	return vdev_reset(v);
}

static int (*const ways[])(struct vdev *v) = { reset_one, hot_reset };

TEST_F_TIMEOUT(recovery, that_failed_ends_by_a_reset, SECONDS)
{
	NEED_RECOVERY(self->slot);
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct vdev *v = &self->v[0];
		uint32_t old = mark(v);

		ASSERT_NE(0U, old);
		ASSERT_EQ(0, vdev_error(v->slot.bdf, "lose"));
		EXPECT_FALSE(is_fresh(v, 0));
		EXPECT_FALSE(has_mark(v, old));
		ASSERT_EQ(0, ways[i](v));
		EXPECT_TRUE(is_fresh(v, old));
		ASSERT_EQ(0, hot_reset(self->v));
	}
}

TEST_F_TIMEOUT(recovery, that_goes_on_is_not_disturbed, SECONDS)
{
	struct vdev *v = &self->v[0];

	ASSERT_EQ(0, vdev_error(v->slot.bdf, "frozen"));
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		EXPECT_EQ(-EAGAIN, ways[i](v));
		EXPECT_FALSE(is_fresh(v, 0));
	}
	vdev_close(v);
	EXPECT_EQ(-EAGAIN, vdev_open(v, &self->slot[0], VDEV_GROUP));
	vdev_close(v);
	ASSERT_EQ(0, vdev_error(self->slot[0].bdf, "reset"));
	ASSERT_EQ(0, vdev_error(self->slot[0].bdf, "resume"));
	ASSERT_EQ(0, vdev_open(v, &self->slot[0], VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(v, false));
	EXPECT_TRUE(is_fresh(v, 0));
}

/* Kernels before 6.18 do not tell that they have given up. */
TEST_F_TIMEOUT(recovery, that_does_not_end_has_failed, 300)
{
	struct vdev *v = &self->v[0];
	uint32_t old = mark(v);

	ASSERT_NE(0U, old);
	ASSERT_EQ(0, vdev_error(v->slot.bdf, "frozen"));
	EXPECT_EQ(-EAGAIN, reset_one(v));
	sleep(91);
	EXPECT_FALSE(has_mark(v, old));
	EXPECT_EQ(0, reset_one(v));
	EXPECT_TRUE(is_fresh(v, old));
	ASSERT_EQ(0, vdev_error(v->slot.bdf, "resume"));
}

/* ---- Functions that answer all ones ---- */

/*
 * In the guest's time, which goes on while the machine is busy with something else: the best of
 * three counts.  The PCI core waits a minute, each time.
 */
#define PROMPT_MS	2000
#define PROMPT_TRIES	3

static int prompt_ms(uint64_t start, unsigned int tries)
{
	uint64_t ms = now_ms() - start;

	if (ms < PROMPT_MS)
		return 0;
	printf("# took %llu ms\n", (unsigned long long)ms);
	return tries < PROMPT_TRIES ? 1 : -ETIMEDOUT;
}

/* What @call returns, or -ETIMEDOUT; it may be done again. */
#define PROMPT(call) ({								\
	int _ret, _late;							\
	unsigned int _tries = 0;						\
	uint64_t _start;							\
										\
	do {									\
		_start = now_ms();						\
		_ret = (call);							\
		_late = prompt_ms(_start, ++_tries);				\
	} while (_late > 0);							\
	_late ? _late : _ret;							\
})

static int closed(struct vdev *v)
{
	vdev_close(v);
	return 0;
}

static int opened(struct vdev *v, const struct slot *slot)
{
	vdev_close(v);
	return vdev_open(v, slot, VDEV_GROUP);
}

TEST_F_TIMEOUT(recovery, is_not_waited_for, 600)
{
	struct vdev *v = &self->v[0];

	ASSERT_EQ(0, vdev_error(v->slot.bdf, "silent"));
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		EXPECT_EQ(-ENODEV, PROMPT(ways[i](v)));
	EXPECT_EQ(0, PROMPT(reset_one(&self->v[1])));

	/* Nor do those who have the lock of the set keep out others. */
	EXPECT_EQ(0, PROMPT(closed(v)));
	EXPECT_EQ(-ENODEV, PROMPT(opened(v, &self->slot[0])));
	vdev_close(v);
	EXPECT_EQ(0, PROMPT(closed(&self->v[1])));
	EXPECT_EQ(0, PROMPT(opened(&self->v[1], &self->slot[1])));

	ASSERT_EQ(0, vdev_error(self->slot[0].bdf, "heard"));
	ASSERT_EQ(0, vdev_open(v, &self->slot[0], VDEV_GROUP));
	ASSERT_EQ(0, vdev_bus_master(v, false));
	EXPECT_TRUE(is_fresh(v, 0));
	EXPECT_EQ(0, reset_one(v));
}

/* One that has a bus of its own, and no reset but that of the bus. */
FIXTURE(alone)
{
	struct slot slot;
	struct vdev v;
};

FIXTURE_SETUP(alone)
{
	self->v.fd = self->v.group = self->v.iommu = -1;
	NEED_STOCK("e1000e", &self->slot, 1);
	if (!vdev_error_works())
		SKIP(return, "vpv_test_error is not loaded");
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
}

FIXTURE_TEARDOWN(alone)
{
	vdev_error(self->slot.bdf, "heard");
	vdev_close(&self->v);
}

TEST_F_TIMEOUT(alone, is_not_waited_for, 600)
{
	struct vdev *v = &self->v;

	ASSERT_EQ(0, vdev_error(self->slot.bdf, "silent"));
	EXPECT_EQ(-ENODEV, PROMPT(vdev_reset(v)));
	EXPECT_EQ(0, PROMPT(closed(v)));
	EXPECT_EQ(-ENODEV, PROMPT(opened(v, &self->slot)));
	vdev_close(v);
	ASSERT_EQ(0, vdev_error(self->slot.bdf, "heard"));
	ASSERT_EQ(0, vdev_open(v, &self->slot, VDEV_GROUP));
	EXPECT_EQ(0, vdev_reset(v));
	ASSERT_EQ(0, vdev_bus_master(v, true));
	ASSERT_EQ(0, bar_set(v, 0, E1000E_IVAR, E1000E_IVAR_OTHER(3)));
	EXPECT_EQ(E1000E_IVAR_OTHER(3), bar_get(v, 0, E1000E_IVAR));
}

TEST_HARNESS_MAIN
