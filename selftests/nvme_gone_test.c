// SPDX-License-Identifier: GPL-2.0
/*
 * The managing controller of nvme_cf goes away and comes back, in every state of a migration and
 * while commands are in work.  Calls end in time, with the errors of Documentation/nvme_cf.rst;
 * controllers go on or are in ERROR; afterwards a whole migration works.
 *
 * Groups: nvme-cf-fault
 */
#include <linux/pci_regs.h>

#include "lib/dmalog.h"
#include "lib/gone.h"
#include "lib/left.h"
#include "lib/log.h"
#include "lib/nvmesweep.h"
#include "lib/states.h"
#include "lib/test.h"

#define PROMPT_MS	20000
/* Of a command in work: longer than it takes to notice that nobody answers. */
#define SLOW_MS		4000
/* Longer than VPV_RECOVERY_STABLE_MS. */
#define STABLE_MS	3000

FIXTURE(nvme_gone)
{
	struct nvme_sweep n;
	struct sweep *s;
	enum way way;
};

VARIANTS_OF_WAYS(nvme_gone);

FIXTURE_SETUP(nvme_gone)
{
	int err = nvme_sweep_open(&self->n.s);

	self->s = &self->n.s;
	self->way = variant->way;
	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
	/* One that dies sooner after its recovery is recovered later each time, in the end by nobody. */
	if (self->way == SILENCE)
		usleep(STABLE_MS * 1000);
}

FIXTURE_TEARDOWN(nvme_gone)
{
	nvme_sweep_close(&self->n.s);
}

/* Until its driver says that it works, or that it does not. */
static int wait_managing(struct sweep *s, unsigned int fn, bool works)
{
	uint64_t end = now_ms() + PROMPT_MS;
	char given[16];

	while (works == (nvme_profile_read(&nvme_sweep_pair(s)->slots[fn], "enable", given,
					   sizeof(given)) != 0)) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(20000);
	}
	return 0;
}

static int go_away(struct sweep *s, unsigned int fn, enum way way)
{
	struct nvme_pair *p = nvme_sweep_pair(s);
	int err = gone_away(&p->managing[fn], &p->ctrl[fn], way);

	return err || way != SILENCE ? err : wait_managing(s, fn, false);
}

/* Back, and the controllers published: then one can be suspended, or is in ERROR. */
static int come_back(struct sweep *s, unsigned int fn, enum way way)
{
	struct slot managing[SLOT_MAX];
	int err = gone_back(&nvme_sweep_pair(s)->ctrl[fn], way);

	if (!err && nvme_managing(managing, SLOT_MAX) < 2)
		err = -ENODEV;
	return err ? err : wait_managing(s, fn, true);
}

#define GO_AWAY(fn) do {							\
	uint64_t _begin = now_ms();						\
										\
	ASSERT_EQ(0, go_away(self->s, fn, self->way));				\
	EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - _begin);			\
} while (0)

#define COME_BACK(fn) ASSERT_EQ(0, come_back(self->s, fn, self->way))

static int state_of(struct sweep *s, unsigned int fn)
{
	return mig_get(&nvme_sweep_pair(s)->v[fn]);
}

static int wait_state(struct sweep *s, unsigned int fn, int state)
{
	uint64_t end = now_ms() + PROMPT_MS;

	while (state_of(s, fn) != state) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(10000);
	}
	return 0;
}

/* A state change that needs a command, once there is somebody for it. */
static int wait_suspend(struct sweep *s)
{
	uint64_t end = now_ms() + PROMPT_MS;
	int err;

	while ((err = sweep_to_p2p(s)) == -ENOTCONN && now_ms() < end)
		usleep(10000);
	return err;
}

/* ---- Between commands ---- */

/* Its user sees bus mastering as he has set it; in hardware it is off. */
static void does_no_dma(struct __test_metadata *_metadata, struct nvme_pair *p)
{
	EXPECT_NE(0U, vdev_cfg(&p->v[0], PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
	EXPECT_FALSE(left_hw_command(&p->v[0]) & PCI_COMMAND_MASTER);
}

/* In which it is suspended. */
#define GONE_IN(_name, _fn, _begin)						\
TEST_F_TIMEOUT(nvme_gone, _name, 120)						\
{										\
	struct nvme_pair *p = &self->n.p;					\
										\
	ASSERT_EQ(0, _begin(self->s));						\
	GO_AWAY(_fn);								\
	EXPECT_EQ(0, wait_state(self->s, _fn, ERROR));				\
	EXPECT_NE(0, mig_set(&p->v[_fn], RUNNING, NULL));			\
	if (!(_fn))								\
		does_no_dma(_metadata, p);					\
	COME_BACK(_fn);								\
	EXPECT_EQ(ERROR, state_of(self->s, _fn));				\
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));				\
}

GONE_IN(running_p2p, 0, sweep_to_p2p)
GONE_IN(pre_copy_p2p, 0, nvme_to_precopy_p2p)
GONE_IN(stop, 0, sweep_to_stop)
GONE_IN(stop_copy, 0, nvme_to_stop_copy)
GONE_IN(dst_stop, 1, nvme_dst_stop)
GONE_IN(resuming, 1, nvme_dst_resuming)
GONE_IN(loaded, 1, nvme_dst_loaded)
GONE_IN(ready, 1, nvme_dst_ready)

TEST_F_TIMEOUT(nvme_gone, running, 120)
{
	GO_AWAY(0);
	EXPECT_EQ(0, nvme_sweep_work(self->s, false));
	EXPECT_EQ(RUNNING, state_of(self->s, 0));
	if (variant->way != RESET) {
		EXPECT_EQ(-ENOTCONN, sweep_to_p2p(self->s));
		EXPECT_EQ(-ENOTCONN, nvme_to_precopy(self->s));
	}
	COME_BACK(0);
	EXPECT_EQ(0, wait_suspend(self->s));
	EXPECT_EQ(0, sweep_to_running(self->s));
	EXPECT_EQ(0, nvme_sweep_work(self->s, false));
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

TEST_F_TIMEOUT(nvme_gone, pre_copy, 120)
{
	ASSERT_EQ(0, nvme_to_precopy(self->s));
	GO_AWAY(0);
	EXPECT_EQ(0, nvme_sweep_work(self->s, false));
	EXPECT_EQ(PRE_COPY, state_of(self->s, 0));
	COME_BACK(0);
	EXPECT_EQ(0, sweep_to_running(self->s));
	EXPECT_EQ(0, nvme_sweep_work(self->s, false));
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

TEST_F_TIMEOUT(nvme_gone, one_that_was_reset_in_a_suspension_runs, 120)
{
	ASSERT_EQ(0, sweep_to_stop(self->s));
	GO_AWAY(0);
	ASSERT_EQ(0, vdev_reset(&self->n.p.v[0]));
	EXPECT_EQ(RUNNING, state_of(self->s, 0));
	COME_BACK(0);
	EXPECT_EQ(RUNNING, state_of(self->s, 0));
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

#define ALL_PAGES	(NVME_MEM_BYTES / NVME_PAGE)

/* Everything is dirty until tracking works again. */
TEST_F_TIMEOUT(nvme_gone, logging, 120)
{
	uint64_t end = now_ms() + PROMPT_MS;
	unsigned int pages = 0;

	NEED_DMA_LOG();
	ASSERT_EQ(0, nvme_log_on(self->s));
	GO_AWAY(0);
	ASSERT_EQ(0, nvme_log_written(self->s, &pages));
	EXPECT_EQ(ALL_PAGES, pages);
	COME_BACK(0);
	do {
		ASSERT_EQ(0, nvme_log_written(self->s, &pages));
	} while (pages == ALL_PAGES && now_ms() < end);
	EXPECT_GT(ALL_PAGES, pages);
	EXPECT_EQ(0, nvme_log_off(self->s));
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

/* Closing a controller gives back what it has, whether anybody listens or not. */
TEST_F_TIMEOUT(nvme_gone, closed, 120)
{
	if (!access("/dev/iommu", F_OK))
		ASSERT_EQ(0, nvme_log_on(self->s));
	ASSERT_EQ(0, nvme_to_stop_copy(self->s));
	GO_AWAY(0);
	vdev_close(&self->n.p.v[0]);
	sweep_fd_close(self->s);
	ASSERT_EQ(0, nvme_pair_reopen(&self->n.p, 0));
	EXPECT_EQ(RUNNING, state_of(self->s, 0));
	COME_BACK(0);
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

/* ---- While a command is in work ---- */

/* Nobody knows whether it is suspended: it is resumed as soon as somebody can see to it. */
TEST_F_TIMEOUT(nvme_gone, while_suspending, 120)
{
	ASSERT_EQ(0, nvme_sweep_call(self->s, 0, sweep_to_p2p, "suspend", SLOW_MS));
	GO_AWAY(0);
	EXPECT_GT(0, nvme_sweep_join(self->s));
	EXPECT_EQ(RUNNING, state_of(self->s, 0));
	COME_BACK(0);
	EXPECT_EQ(0, nvme_sweep_work(self->s, false));
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

/* After a reset somebody may say that it runs. */
TEST_F_TIMEOUT(nvme_gone, while_resuming, 120)
{
	int err;

	ASSERT_EQ(0, sweep_to_stop(self->s));
	ASSERT_EQ(0, nvme_sweep_call(self->s, 0, sweep_to_running, "resume", SLOW_MS));
	GO_AWAY(0);
	err = nvme_sweep_join(self->s);
	EXPECT_TRUE(err == -EIO || (!err && variant->way == RESET)) TH_LOG("%d", err);
	EXPECT_EQ(err ? ERROR : RUNNING, state_of(self->s, 0));
	COME_BACK(0);
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

TEST_F_TIMEOUT(nvme_gone, while_saving, 120)
{
	ASSERT_EQ(0, sweep_to_stop(self->s));
	ASSERT_EQ(0, nvme_sweep_call(self->s, 0, nvme_to_stop_copy, "get_state", SLOW_MS));
	GO_AWAY(0);
	EXPECT_GT(0, nvme_sweep_join(self->s));
	EXPECT_EQ(0, wait_state(self->s, 0, ERROR));
	does_no_dma(_metadata, &self->n.p);
	COME_BACK(0);
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

TEST_F_TIMEOUT(nvme_gone, while_loading, 120)
{
	ASSERT_EQ(0, nvme_dst_loaded(self->s));
	ASSERT_EQ(0, nvme_sweep_call(self->s, 1, nvme_dst_end, "set_state", SLOW_MS));
	GO_AWAY(1);
	EXPECT_GT(0, nvme_sweep_join(self->s));
	EXPECT_EQ(0, wait_state(self->s, 1, ERROR));
	COME_BACK(1);
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

/* What disturbs nobody is asked again, which a reset may be fast enough for. */
TEST_F_TIMEOUT(nvme_gone, while_asked, 120)
{
	int err;

	ASSERT_EQ(0, nvme_sweep_call(self->s, 0, nvme_to_precopy, "profile_receive", SLOW_MS));
	GO_AWAY(0);
	err = nvme_sweep_join(self->s);
	EXPECT_TRUE(err == -ENOTCONN || (!err && variant->way == RESET)) TH_LOG("%d", err);
	EXPECT_EQ(err ? RUNNING : PRE_COPY, state_of(self->s, 0));
	COME_BACK(0);
	EXPECT_EQ(0, sweep_to_running(self->s));
	EXPECT_EQ(0, nvme_sweep_work(self->s, false));
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

TEST_F_TIMEOUT(nvme_gone, while_reporting, 120)
{
	NEED_DMA_LOG();
	ASSERT_EQ(0, nvme_log_on(self->s));
	ASSERT_EQ(0, nvme_sweep_call(self->s, 0, nvme_log_report, "track_receive", SLOW_MS));
	GO_AWAY(0);
	EXPECT_EQ(0, nvme_sweep_join(self->s));
	EXPECT_EQ(RUNNING, state_of(self->s, 0));
	COME_BACK(0);
	EXPECT_EQ(0, nvme_log_off(self->s));
	EXPECT_EQ(0, nvme_sweep_migrate(self->s));
}

/* ---- Both are reset ---- */

FIXTURE(nvme_both)
{
	struct nvme_sweep n;
	struct sweep *s;
};

FIXTURE_SETUP(nvme_both)
{
	int err = nvme_sweep_open(&self->n.s);

	self->s = &self->n.s;
	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(nvme_both)
{
	model_cmd(&self->n.p.ctrl[0], "claim clear");
	nvme_sweep_close(&self->n.s);
}

struct both {
	const struct slot *managing;
	unsigned int after_ms;
	int err;
};

static void *managing_reset_thread(void *arg)
{
	struct both *b = arg;

	usleep(b->after_ms * 1000);
	b->err = vdev_sysfs_write(b->managing->bdf, "reset", "1");
	return NULL;
}

/* A controller and the managing one, in either order, while state is read. */
TEST_F_TIMEOUT(nvme_both, are_reset_while_saving, 300)
{
	static const struct {
		unsigned int fn_ms, managing_ms;
	} order[] = { { 0, 0 }, { 0, 30 }, { 0, 90 }, { 30, 0 }, { 90, 0 } };
	struct nvme_pair *p = &self->n.p;

	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct both b = { .managing = &p->managing[0], .after_ms = order[i].managing_ms };
		uint64_t begin;
		pthread_t thread;

		ASSERT_EQ(0, sweep_to_stop(self->s));
		ASSERT_EQ(0, nvme_sweep_call(self->s, 0, nvme_to_stop_copy, "get_state", SLOW_MS));
		begin = now_ms();
		ASSERT_EQ(0, pthread_create(&thread, NULL, managing_reset_thread, &b));
		usleep(order[i].fn_ms * 1000);
		EXPECT_EQ(0, vdev_reset(&p->v[0]));
		EXPECT_EQ(RUNNING, state_of(self->s, 0));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0, b.err);
		EXPECT_GT(0, nvme_sweep_join(self->s));
		EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - begin);
		ASSERT_EQ(0, come_back(self->s, 0, RESET));
		/* Nothing of the one is taken for the other. */
		EXPECT_EQ(RUNNING, state_of(self->s, 0));
		EXPECT_EQ(0, nvme_sweep_migrate(self->s));
	}
}

/* The managing one comes back and knows no format of state, or another one than before. */
TEST_F_TIMEOUT(nvme_both, no_format_is_no_migration, 120)
{
	static const char *const lies[] = { "versions", "formats" };

	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, model_cmd(&self->n.p.ctrl[0], "claim %s 0", lies[i]));
		ASSERT_EQ(0, go_away(self->s, 0, RESET));
		ASSERT_EQ(0, come_back(self->s, 0, RESET));
		EXPECT_EQ(-EOPNOTSUPP, nvme_to_precopy(self->s)) TH_LOG("%s", lies[i]);
		EXPECT_EQ(RUNNING, state_of(self->s, 0));
		EXPECT_EQ(0, nvme_sweep_work(self->s, false));
		ASSERT_EQ(0, model_cmd(&self->n.p.ctrl[0], "claim clear"));
		ASSERT_EQ(0, go_away(self->s, 0, RESET));
		ASSERT_EQ(0, come_back(self->s, 0, RESET));
		EXPECT_EQ(0, nvme_sweep_migrate(self->s));
	}
}

/* ---- One that nobody manages ---- */

FIXTURE(nvme_alone)
{
	struct nvme_pair p;
};

FIXTURE_SETUP(nvme_alone)
{
	int err = nvme_pair_open(&self->p, access("/dev/iommu", F_OK) ? VDEV_GROUP :
										 VDEV_CDEV);

	if (err == TOO_FEW)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
	vdev_close(&self->p.v[0]);
	ASSERT_EQ(0, vdev_unbind(self->p.slots[0].bdf));
}

FIXTURE_TEARDOWN(nvme_alone)
{
	struct slot slots[SLOT_MAX];

	nvme_pair_close(&self->p);
	sysfs_write("/sys/bus/pci/rescan", "1");
	nvme_functions(slots, SLOT_MAX);
}

static int probe(const struct slot *fn)
{
	int err = vdev_override(fn->bdf, NVME_DRIVER);

	/* Whether that is put off is no error, or one. */
	sysfs_write("/sys/bus/pci/drivers_probe", fn->bdf);
	return err;
}

/* The link to its driver is there before that has probed it. */
static bool is_bound(const struct slot *fn)
{
	char driver[64] = "", node[128];

	return !vdev_driver(fn->bdf, driver, sizeof(driver)) && !strcmp(driver, NVME_DRIVER) &&
	       !vdev_cdev_path(fn->bdf, node, sizeof(node));
}

/* Its managing controller is there, and nobody has published it yet. */
TEST_F(nvme_alone, users_do_not_get_it_before_it_is_published)
{
	const struct slot *fn = &self->p.slots[0];
	struct slot managing[SLOT_MAX];
	uint64_t end;

	ASSERT_EQ(0, vdev_unbind(self->p.managing[0].bdf));
	ASSERT_EQ(0, probe(fn));
	EXPECT_FALSE(is_bound(fn));
	ASSERT_LE(2, nvme_managing(managing, SLOT_MAX));
	for (end = now_ms() + PROMPT_MS; !is_bound(fn) && now_ms() < end;)
		usleep(20000);
	EXPECT_TRUE(is_bound(fn));
	/* Waits for its node. */
	ASSERT_EQ(0, vdev_bind(fn->bdf, NVME_DRIVER));
	ASSERT_EQ(0, vdev_open(&self->p.v[0], fn, self->p.v[1].mode));
	EXPECT_EQ(RUNNING, mig_get(&self->p.v[0]));
}

/* Without one it works as with vpv_pci. */
TEST_F(nvme_alone, it_works_and_does_not_migrate)
{
	struct nvme_pair *p = &self->p;
	uint64_t flags = 0;
	int log = log_mark();

	ASSERT_LE(0, log);
	ASSERT_EQ(0, vdev_sysfs_write(p->managing[0].bdf, "remove", "1"));
	ASSERT_EQ(0, vdev_bind(p->slots[0].bdf, NVME_DRIVER));
	EXPECT_EQ(1, log_count(log, "will not migrate: no managing controller", NULL, 0));
	close(log);
	ASSERT_EQ(0, nvme_pair_reopen(p, 0));
	EXPECT_EQ(-ENOTTY, vdev_feature(&p->v[0], VFIO_DEVICE_FEATURE_GET |
					VFIO_DEVICE_FEATURE_MIGRATION, &flags, sizeof(flags)));
	ASSERT_EQ(0, vdev_reset(&p->v[1]));
	p->n.log = NULL;
	ASSERT_EQ(0, vdev_reset(&p->v[0]));
	ASSERT_EQ(0, nvme_on(&p->n, &p->v[0]));
	ASSERT_EQ(0, nvme_enable(&p->n));
	ASSERT_EQ(0, nvme_queue_create(&p->n, 1, 64, -1));
	nvme_batch_put(&p->n, 1, NVS_IO_WRITE, 0, 8, 3);
	ASSERT_EQ(0, nvme_ring(&p->n, 1));
	ASSERT_EQ(0, nvme_batch_take(&p->n, 1, 8));
	EXPECT_EQ(0, nvme_batch_check(&p->n, 1, 0, 8, 3));
	vdev_close(&p->v[0]);
	ASSERT_EQ(0, vdev_unbind(p->slots[0].bdf));
}

TEST_HARNESS_MAIN
