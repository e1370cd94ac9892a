// SPDX-License-Identifier: GPL-2.0
/*
 * The admin queues of nvme_cf's managing controller, variants/nvme_cf/ctrl_queue.c and
 * ctrl_slot.c, on a function of the test's own.  A task is the device: it sets CSTS as CC wants it,
 * and completes commands as the test says.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include <vpv/ctrl_life.h>

#include "../fake_function.h"

static void fake_died(struct vpv_ctrl_life *life);

#define vpv_ctrl_life_died fake_died

#include "../../variants/nvme_cf/ctrl_queue.c"
#include "../../variants/nvme_cf/ctrl_slot.c"
#include "../../variants/nvme_cf/ctrl_wire.c"

#define REGS_BYTES	0x2000
#define LONG_MS		5000	/* a machine may be busy */

/**
 * struct queue_test - A function and its queue
 * @fn: The function.
 * @regs: Its registers.
 * @life: Its life.
 * @q: The queue.
 * @deaths: How often it has died.
 * @events: Calls of event().
 * @device: The task.
 * @head: What it has taken of the submission queue.
 * @tail: What it has put into the completion queue.
 * @phase: Likewise.
 * @stuck: Commands but Abort are not completed.
 * @stuck_abort: Abort is not, either.
 * @keeps: It is, and aborts nothing.
 * @late: When @held is completed all the same, in jiffies; 0: never.
 * @slow_abort: The command that an Abort names ends by itself, and the Abort is carried out so
 *	many jiffies later.
 * @abort_at: When that is; 0: there is none.
 * @victim: Which it names.
 * @invent: So many completions of commands that are not in work come first.
 * @ones: Registers read all ones: the task does nothing.
 * @held: Id of the command that is not completed.
 * @aborts: Abort commands that it has seen.
 */
struct queue_test {
	struct fake_function fn;
	u32 *regs;
	struct vpv_ctrl_life life;
	struct nvcf_queue q;
	unsigned int deaths;
	unsigned int events;
	struct task_struct *device;
	u16 head;
	u16 tail;
	bool phase;
	bool stuck;
	bool stuck_abort;
	bool keeps;
	unsigned long late;
	unsigned long slow_abort;
	unsigned long abort_at;
	u16 victim;
	unsigned int invent;
	bool ones;
	u16 held;
	unsigned int aborts;
};

static void fake_died(struct vpv_ctrl_life *life)
{
	container_of(life, struct queue_test, life)->deaths++;
}

static bool life_disable(struct vpv_ctrl_life *life)
{
	return nvcf_queue_disable(&container_of(life, struct queue_test, life)->q);
}

static const struct vpv_ctrl_life_ops life_ops = { .disable = life_disable };

static void fake_event(struct nvcf_queue *q, u32 dw0)
{
	container_of(q, struct queue_test, q)->events++;
}

/* ---- The device ---- */

static void device_complete(struct queue_test *t, u16 cid, u32 dw0, u16 status)
{
	struct nvs_cqe *cqe = &t->q.cqes[t->tail];

	cqe->dw0 = cpu_to_le32(dw0);
	cqe->cid = cpu_to_le16(cid);
	/* The phase is the last that is seen. */
	smp_wmb();
	WRITE_ONCE(cqe->status, cpu_to_le16(status << 1 | t->phase));
	t->tail = (t->tail + 1) % NVCF_ENTRIES;
	if (!t->tail)
		t->phase = !t->phase;
}

static void device_take(struct queue_test *t, const struct nvs_sqe *sqe)
{
	u16 cid = le16_to_cpu(sqe->cid);

	for (; t->invent; t->invent--)
		device_complete(t, t->invent & 1 ? 7 : 0xfffe, 0, 0);
	if (sqe->opcode == NVS_ADMIN_ASYNC_EVENT)
		return;
	if (sqe->opcode == NVS_ADMIN_ABORT) {
		t->aborts++;
		if (t->stuck_abort)
			return;
		if (t->slow_abort) {
			t->victim = le32_to_cpu(sqe->cdw10) >> 16;
			t->abort_at = jiffies + t->slow_abort;
			device_complete(t, t->held, 0, 0);
			t->held = NVCF_IDS;
			return;
		}
		if (!t->keeps)
			device_complete(t, t->held, 0, NVS_SC_ABORT_REQUESTED);
	} else if (t->stuck) {
		t->held = cid;
		return;
	} else if (sqe->opcode == NVS_ADMIN_IDENTIFY) {
		memset(t->q.slot[cid].buf, le32_to_cpu(sqe->cdw10), NVCF_PAGE);
	}
	device_complete(t, cid, le32_to_cpu(sqe->cdw10), 0);
}

static void device_step(struct queue_test *t)
{
	u32 *csts = &t->regs[NVS_REG_CSTS / 4];
	bool enabled = READ_ONCE(t->regs[NVS_REG_CC / 4]) & NVS_CC_EN;
	u16 tail;

	if (enabled != !!(*csts & NVS_CSTS_RDY)) {
		t->head = 0;
		t->tail = 0;
		t->phase = true;
		t->regs[NVS_REG_DOORBELLS / 4] = 0;
		WRITE_ONCE(*csts, enabled ? NVS_CSTS_RDY : 0);
	}
	tail = READ_ONCE(t->regs[NVS_REG_DOORBELLS / 4]);
	while (enabled && t->head != tail) {
		device_take(t, &t->q.sqes[t->head]);
		t->head = (t->head + 1) % NVCF_ENTRIES;
	}
	if (t->abort_at && time_after(jiffies, t->abort_at)) {
		t->abort_at = 0;
		if (t->held == t->victim)
			device_complete(t, t->held, 0, NVS_SC_ABORT_REQUESTED);
		device_complete(t, NVCF_ID_ABORT, 0, 0);
	}
	if (t->late && t->held < NVCF_IDS && time_after(jiffies, t->late)) {
		t->late = 0;
		device_complete(t, t->held, 0, 0);
	}
}

static int device_run(void *data)
{
	struct queue_test *t = data;

	while (!kthread_should_stop()) {
		if (!READ_ONCE(t->ones))
			device_step(t);
		usleep_range(100, 200);
	}
	return 0;
}

/* It falls silent; config space, too, if it is @deaf. */
static void device_silence(struct queue_test *t, bool deaf)
{
	WRITE_ONCE(t->ones, true);
	msleep(20);
	memset(t->regs, 0xff, REGS_BYTES);
	t->fn.deaf = deaf;
}

static void device_hears(struct queue_test *t)
{
	memset(t->regs, 0, REGS_BYTES);
	t->regs[NVS_REG_CAP / 4] = NVCF_ENTRIES - 1;
	t->fn.deaf = false;
	WRITE_ONCE(t->ones, false);
}

static int queue_test_init(struct kunit *test)
{
	struct queue_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	timeout_ms = 100;
	t->life.wq = alloc_workqueue("vpv-nvme-kunit", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, t->life.wq);
	t->regs = kunit_kzalloc(test, REGS_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->regs);
	fake_function_add(test, &t->fn, "vpv-nvme-queue");
	t->fn.pdev->resource[NVCF_BAR].end = REGS_BYTES - 1;
	t->fn.pdev->resource[NVCF_BAR].flags = IORESOURCE_MEM;
	t->life.pdev = t->fn.pdev;
	t->life.ops = &life_ops;
	spin_lock_init(&t->life.recovery_lock);
	t->q.event = fake_event;
	KUNIT_ASSERT_EQ(test, nvcf_queue_init(&t->q, &t->life, (void __force __iomem *)t->regs), 0);
	device_hears(t);
	t->device = kthread_run(device_run, t, "vpv-nvme-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->device));
	KUNIT_ASSERT_EQ(test, nvcf_queue_up(&t->q), 0);
	return 0;
}

static void queue_test_exit(struct kunit *test)
{
	struct queue_test *t = test->priv;

	if (!t || IS_ERR_OR_NULL(t->device))
		return;
	if (t->ones)
		device_hears(t);
	nvcf_queue_down(&t->q);
	KUNIT_EXPECT_FALSE(test, t->q.wild);
	KUNIT_EXPECT_EQ(test, t->q.used, 0UL);
	KUNIT_EXPECT_FALSE(test, t->fn.command & PCI_COMMAND_MASTER);
	kthread_stop(t->device);
	nvcf_queue_fini(&t->q);
	destroy_workqueue(t->life.wq);
	device_unregister(&t->fn.pdev->dev);
}

static int identify(struct queue_test *t, u8 fill, u8 *data)
{
	struct nvcf_admin cmd = {
		.sqe = { .opcode = NVS_ADMIN_IDENTIFY, .cdw10 = cpu_to_le32(fill) },
		.data = data,
		.bytes = NVCF_PAGE,
	};
	int err = nvcf_queue_exec(&t->q, &cmd);

	return err ?: cmd.dw0 == fill ? 0 : -EPROTO;
}

static bool becomes(const unsigned int *val, unsigned int want)
{
	for (unsigned int ms = 0; READ_ONCE(*val) != want && ms < LONG_MS; ms += 20)
		msleep(20);
	return READ_ONCE(*val) == want;
}

/* ---- Tests ---- */

/* There is no interrupt: they are polled for.  Both rings wrap more than once. */
static void commands_end_with_their_data(struct kunit *test)
{
	struct queue_test *t = test->priv;
	u8 *data = kunit_kzalloc(test, NVCF_PAGE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (unsigned int i = 0; i < 3 * NVCF_ENTRIES; i++) {
		KUNIT_ASSERT_EQ(test, identify(t, i, data), 0);
		KUNIT_EXPECT_EQ(test, data[0], (u8)i);
		KUNIT_EXPECT_EQ(test, data[NVCF_PAGE - 1], (u8)i);
	}
	KUNIT_EXPECT_EQ(test, t->deaths, 0U);
}

static void what_the_device_invents_ends_nothing(struct kunit *test)
{
	struct queue_test *t = test->priv;
	u8 *data = kunit_kzalloc(test, NVCF_PAGE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (unsigned int i = 0; i < 3; i++) {
		t->invent = NVCF_ENTRIES - 8;
		KUNIT_EXPECT_EQ(test, identify(t, i, data), 0);
		KUNIT_EXPECT_EQ(test, data[0], (u8)i);
	}
}

static void a_late_command_is_aborted(struct kunit *test)
{
	struct queue_test *t = test->priv;
	u8 *data = kunit_kzalloc(test, NVCF_PAGE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	t->stuck = true;
	KUNIT_EXPECT_EQ(test, identify(t, 1, data), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, t->aborts, 1U);
	t->stuck = false;
	KUNIT_EXPECT_EQ(test, identify(t, 2, data), 0);
	KUNIT_EXPECT_EQ(test, t->deaths, 0U);
}

/* A user wants an answer soon; the controller may take its time, and need not abort. */
static void haste_of_one_is_not_the_death_of_all(struct kunit *test)
{
	struct nvcf_admin cmd = { .sqe.opcode = NVS_ADMIN_IDENTIFY, .limit = HZ / 20 };
	struct queue_test *t = test->priv;

	timeout_ms = 2 * LONG_MS;
	t->stuck = true;
	t->keeps = true;
	t->late = jiffies + 2 * ABORT_LIMIT;
	KUNIT_EXPECT_EQ(test, nvcf_queue_exec(&t->q, &cmd), 0);
	KUNIT_EXPECT_EQ(test, t->aborts, 1U);
	KUNIT_EXPECT_EQ(test, t->deaths, 0U);
	t->stuck = false;
}

/* The device knows commands by their ids alone. */
static void an_abort_hits_no_later_command(struct kunit *test)
{
	struct nvcf_admin hasty = { .sqe.opcode = NVS_ADMIN_IDENTIFY, .limit = HZ / 20 };
	struct nvcf_admin next = { .sqe.opcode = NVS_ADMIN_IDENTIFY };
	struct queue_test *t = test->priv;

	timeout_ms = 2 * LONG_MS;
	t->stuck = true;
	t->slow_abort = HZ / 4;
	KUNIT_EXPECT_EQ(test, nvcf_queue_exec(&t->q, &hasty), 0);
	KUNIT_EXPECT_EQ(test, t->aborts, 1U);
	t->late = jiffies + HZ / 2;
	KUNIT_EXPECT_EQ(test, nvcf_queue_exec(&t->q, &next), 0);

	/* With no other slot it waits for the Abort. */
	KUNIT_EXPECT_EQ(test, nvcf_queue_exec(&t->q, &hasty), 0);
	KUNIT_EXPECT_EQ(test, t->aborts, 2U);
	t->stuck = false;
	spin_lock(&t->q.lock);
	t->q.used |= GENMASK(NVCF_SLOTS - 1, 1);
	spin_unlock(&t->q.lock);
	KUNIT_EXPECT_EQ(test, nvcf_queue_exec(&t->q, &next), 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(t->abort_at), 0UL);
	spin_lock(&t->q.lock);
	t->q.used = 0;
	spin_unlock(&t->q.lock);
	KUNIT_EXPECT_EQ(test, t->deaths, 0U);
}

static void nothing_is_rung_in_a_recovery(struct kunit *test)
{
	struct queue_test *t = test->priv;
	u8 *data = kunit_kzalloc(test, NVCF_PAGE, GFP_KERNEL);
	u32 rung[2];

	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_EQ(test, identify(t, 1, data), 0);
	for (unsigned int i = 0; i < 2; i++)
		rung[i] = t->regs[t->q.doorbells[i] / 4];
	t->life.recovery.channel = VPV_CHANNEL_FROZEN;
	device_complete(t, 7, 0, 0);
	nvcf_queue_reap(&t->q);
	KUNIT_EXPECT_EQ(test, identify(t, 1, data), -ENOTCONN);
	for (unsigned int i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, t->regs[t->q.doorbells[i] / 4], rung[i]);
	nvcf_queue_look(&t->q);
	KUNIT_EXPECT_TRUE(test, becomes(&t->deaths, 1));
	t->life.recovery.channel = VPV_CHANNEL_NORMAL;
}

static void one_that_cannot_be_aborted_is_the_death(struct kunit *test)
{
	struct queue_test *t = test->priv;
	u8 *data = kunit_kzalloc(test, NVCF_PAGE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	t->stuck = true;
	t->stuck_abort = true;
	KUNIT_EXPECT_EQ(test, identify(t, 1, data), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, becomes(&t->deaths, 1));
	KUNIT_EXPECT_FALSE(test, t->fn.command & PCI_COMMAND_MASTER);
	KUNIT_EXPECT_EQ(test, identify(t, 1, data), -ENOTCONN);
	nvcf_queue_down(&t->q);

	t->stuck = false;
	KUNIT_EXPECT_EQ(test, nvcf_queue_up(&t->q), 0);
	KUNIT_EXPECT_EQ(test, identify(t, 2, data), 0);
	KUNIT_EXPECT_EQ(test, t->deaths, 1U);
}

/* Bus mastering is off and reads back so: nothing of it is lost. */
static void all_ones_cut_off_dma(struct kunit *test)
{
	struct queue_test *t = test->priv;

	device_silence(t, false);
	KUNIT_EXPECT_TRUE(test, becomes(&t->deaths, 1));
	KUNIT_EXPECT_FALSE(test, t->fn.command & PCI_COMMAND_MASTER);
	KUNIT_EXPECT_FALSE(test, t->q.wild);
	KUNIT_EXPECT_EQ(test, nvcf_queue_up(&t->q), -ENODEV);
}

/* Neither registers nor config space: nothing is used again, or freed, before it answers. */
static void all_ones_everywhere_keep_the_memory(struct kunit *test)
{
	struct queue_test *t = test->priv;
	u8 *data = kunit_kzalloc(test, NVCF_PAGE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	device_silence(t, true);
	KUNIT_EXPECT_TRUE(test, becomes(&t->deaths, 1));
	KUNIT_EXPECT_TRUE(test, t->q.wild);
	nvcf_queue_down(&t->q);
	KUNIT_EXPECT_TRUE(test, t->q.wild);
	KUNIT_EXPECT_EQ(test, identify(t, 1, data), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, nvcf_queue_up(&t->q), -ENODEV);
	KUNIT_EXPECT_TRUE(test, t->q.wild);

	device_hears(t);
	KUNIT_EXPECT_EQ(test, nvcf_queue_up(&t->q), 0);
	KUNIT_EXPECT_FALSE(test, t->q.wild);
	KUNIT_EXPECT_EQ(test, identify(t, 2, data), 0);
}

static void one_that_was_pulled_out_accesses_nothing(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->fn.pdev->error_state = pci_channel_io_perm_failure;
	device_silence(t, true);
	nvcf_queue_down(&t->q);
	KUNIT_EXPECT_FALSE(test, t->q.wild);
	t->fn.pdev->error_state = pci_channel_io_normal;
}

/* While the PCI core recovers it from an error; nobody has to wait for the queue's work. */
static void a_frozen_controller_is_not_touched(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->life.recovery.channel = VPV_CHANNEL_FROZEN;
	nvcf_queue_look(&t->q);
	KUNIT_EXPECT_TRUE(test, becomes(&t->deaths, 1));
	nvcf_queue_down(&t->q);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(t->regs[NVS_REG_CC / 4]) & NVS_CC_EN);
	KUNIT_EXPECT_TRUE(test, t->fn.command & PCI_COMMAND_MASTER);
	KUNIT_EXPECT_TRUE(test, t->q.wild);
	nvcf_queue_look(&t->q);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&t->q.watch));

	t->life.recovery.channel = VPV_CHANNEL_NORMAL;
	KUNIT_EXPECT_EQ(test, nvcf_queue_up(&t->q), 0);
	KUNIT_EXPECT_FALSE(test, t->q.wild);
	KUNIT_EXPECT_EQ(test, t->deaths, 1U);
}

static void a_failed_controller_is_dead(struct kunit *test)
{
	struct queue_test *t = test->priv;

	/* The task sees no difference between CC and CSTS. */
	WRITE_ONCE(t->regs[NVS_REG_CSTS / 4], NVS_CSTS_RDY | NVS_CSTS_CFS);
	KUNIT_EXPECT_TRUE(test, becomes(&t->deaths, 1));
	nvcf_queue_down(&t->q);
}

static void too_much_data_is_refused(struct kunit *test)
{
	struct queue_test *t = test->priv;
	struct nvcf_admin cmd = {
		.sqe = { .opcode = NVS_ADMIN_GET_LOG },
		.bytes = NVCF_PAGE + 4,
	};

	/* Until Identify has told how much it may be. */
	KUNIT_EXPECT_EQ(test, nvcf_queue_exec(&t->q, &cmd), -EMSGSIZE);
	t->q.max_data = NVCF_MAX_DATA;
	cmd.bytes = NVCF_MAX_DATA + 4;
	KUNIT_EXPECT_EQ(test, nvcf_queue_exec(&t->q, &cmd), -EMSGSIZE);
}

static void an_event_is_asked_for_once(struct kunit *test)
{
	struct queue_test *t = test->priv;

	nvcf_queue_ask_event(&t->q);
	nvcf_queue_ask_event(&t->q);
	KUNIT_EXPECT_EQ(test, (u16)t->q.tail, (u16)1);
	/* It is no command that could be late. */
	msleep(200);
	KUNIT_EXPECT_EQ(test, t->aborts, 0U);
	device_complete(t, NVCF_ID_EVENT, 0x10002, 0);
	KUNIT_EXPECT_TRUE(test, becomes(&t->events, 1));
	nvcf_queue_ask_event(&t->q);
	KUNIT_EXPECT_EQ(test, (u16)t->q.tail, (u16)2);
	/* One that is refused is not asked for again. */
	device_complete(t, NVCF_ID_EVENT, 0, NVS_SC_ASYNC_EVENT_LIMIT);
	for (unsigned int ms = 0; READ_ONCE(t->q.active) && ms < LONG_MS; ms += 20)
		msleep(20);
	KUNIT_EXPECT_EQ(test, t->q.active, 0UL);
	KUNIT_EXPECT_EQ(test, t->events, 1U);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(commands_end_with_their_data),
	KUNIT_CASE(what_the_device_invents_ends_nothing),
	KUNIT_CASE(a_late_command_is_aborted),
	KUNIT_CASE(haste_of_one_is_not_the_death_of_all),
	KUNIT_CASE(an_abort_hits_no_later_command),
	KUNIT_CASE(nothing_is_rung_in_a_recovery),
	KUNIT_CASE(one_that_cannot_be_aborted_is_the_death),
	KUNIT_CASE(all_ones_cut_off_dma),
	KUNIT_CASE(all_ones_everywhere_keep_the_memory),
	KUNIT_CASE(one_that_was_pulled_out_accesses_nothing),
	KUNIT_CASE(a_frozen_controller_is_not_touched),
	KUNIT_CASE(a_failed_controller_is_dead),
	KUNIT_CASE(too_much_data_is_refused),
	KUNIT_CASE(an_event_is_asked_for_once),
	{ }
};

static struct kunit_suite queue_suite = {
	.name = "nvme_cf_queue",
	.init = queue_test_init,
	.exit = queue_test_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of the admin queues of nvme_cf");
