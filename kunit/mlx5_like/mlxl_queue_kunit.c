// SPDX-License-Identifier: GPL-2.0
/*
 * The command queue of mlx5_like, variants/mlx5_like/ctrl_queue.c and ctrl_slot.c, on a function
 * of the test's own: registers are memory, but for EVENTS, config space is a COMMAND register, and
 * either can read all ones.  No memory goes back while such a function may still write it.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/module.h>

#include <vpv/ctrl_life.h>

#include "../fake_function.h"

static void fake_died(struct vpv_ctrl_life *life);
static bool fake_mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
				  unsigned long delay);
static void fake_iowrite32(u32 val, void __iomem *reg);

#undef iowrite32
#define iowrite32 fake_iowrite32
#define vpv_ctrl_life_died fake_died
#define mod_delayed_work(wq, work, delay) fake_mod_delayed_work(wq, work, delay)

#include "../../variants/mlx5_like/ctrl_queue.c"
#include "../../variants/mlx5_like/ctrl_slot.c"
#include "../../variants/mlx5_like/ctrl_wire.c"

static struct queue_test *current_test;

/**
 * struct queue_test - A function and its queue
 * @fn: The function.
 * @regs: Its registers.
 * @life: Its life.
 * @q: The queue.
 * @deaths: How often it has died.
 * @dma: For buffers.
 * @control: A function that it controls, which is itself.
 * @cmd: A command that the firmware does not end.
 * @page: Memory that it names.
 * @freed: How often that was given back.
 * @in: Its input; more than fits into a slot.
 * @err: How it ended here.
 * @master: Bus mastering was on then.
 * @ended: It has.
 * @down_in_restart: Somebody begins to take the queue down when the command ends.
 * @down_before_watch: Somebody takes it down before the watch is queued, if he can.
 * @ends_in_cut_off: The firmware ends the command while it is being cut off.
 */
struct queue_test {
	struct fake_function fn;
	u32 *regs;
	struct vpv_ctrl_life life;
	struct mlxl_queue q;
	unsigned int deaths;
	struct vpv_ctrl_dma *dma;
	struct vpv_control *control;
	struct mlxl_command cmd;
	void *page;
	unsigned int freed;
	u8 in[2 * MLXL_INLINE_BYTES];
	int err;
	bool master;
	struct completion ended;
	bool down_in_restart;
	bool down_before_watch;
	bool ends_in_cut_off;
};

static void fake_died(struct vpv_ctrl_life *life)
{
	current_test->deaths++;
}

static bool fake_mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
				  unsigned long delay)
{
	struct queue_test *t = current_test;

	if (t->down_before_watch && spin_trylock(&t->q.lock)) {
		t->q.state = MLXL_QUEUE_DOWN;
		spin_unlock(&t->q.lock);
		cancel_delayed_work(work);
	}
	return (mod_delayed_work)(wq, work, delay);
}

/* EVENTS are cleared by ones. */
static void fake_iowrite32(u32 val, void __iomem *reg)
{
	u32 *at = (__force u32 *)reg, *events = &current_test->regs[MLXL_REG_EVENTS / 4];

	*at = at == events || at == events + 1 ? *at & ~val : val;
}

static bool life_disable(struct vpv_ctrl_life *life)
{
	struct mlxl_queue *q = &current_test->q;

	if (current_test->ends_in_cut_off) {
		q->slots[0].tag_out = cpu_to_le32(q->work[0].wire.tag);
		WRITE_ONCE(q->slots[0].owner, 0);
	}
	return mlxl_queue_disable(q);
}

static const struct vpv_ctrl_life_ops life_ops = { .disable = life_disable };

static void fake_done(struct mlxl_command *cmd, int err)
{
	struct queue_test *t = container_of(cmd, struct queue_test, cmd);

	t->err = err;
	t->master = t->fn.command & PCI_COMMAND_MASTER;
	if (t->down_in_restart) {
		queue_set(&t->q, MLXL_QUEUE_DOWN);
		t->regs[MLXL_REG_STATUS / 4] = MLXL_STATUS_READY | MLXL_STATUS_CMDQ;
	}
	complete(&t->ended);
}

static void page_put(void *mem)
{
	current_test->freed++;
}

static const struct vpv_mem_ops page_ops = {
	.owner = THIS_MODULE,
	.put = page_put,
};

static void buffer_add(struct kunit *test, struct queue_test *t)
{
	const struct vpv_mem mem = { &page_ops, t->page, t->page, PAGE_SIZE };

	t->dma = vpv_ctrl_dma_new(&t->fn.pdev->dev);
	KUNIT_ASSERT_NOT_NULL(test, t->dma);
	t->control = vpv_control_publish(&t->fn.pdev->dev, MLXL_FAMILY, &page_ops, t, t->dma);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->control);
	t->cmd.buf = vpv_ctrl_buf_new(t->control, &mem, DMA_FROM_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->cmd.buf);
}

/* The owner has done with the buffer, and the function is withdrawn: is it still there? */
static bool buffer_is_kept(struct queue_test *t)
{
	vpv_ctrl_buf_put(t->cmd.buf);
	t->cmd.buf = NULL;
	vpv_control_withdraw(t->control);
	t->control = NULL;
	return !t->freed;
}

/* The queue is up, as if the firmware had enabled it, has a command in work, and is not watched. */
static int queue_test_init(struct kunit *test)
{
	struct queue_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	current_test = t;
	init_completion(&t->ended);
	t->life.wq = alloc_workqueue("vpv-mlx5-kunit", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, t->life.wq);
	t->regs = kunit_kzalloc(test, MLXL_REGS_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->regs);
	t->page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->page);
	fake_function_add(test, &t->fn, "vpv-mlx5-queue");
	t->life.pdev = t->fn.pdev;
	t->life.ops = &life_ops;
	spin_lock_init(&t->life.recovery_lock);
	KUNIT_ASSERT_EQ(test, mlxl_queue_init(&t->q, &t->life, (void __force __iomem *)t->regs), 0);
	t->q.num = 4;
	t->q.limit = 60 * HZ;
	t->q.healthy = jiffies;
	t->regs[MLXL_REG_STATUS / 4] = MLXL_STATUS_READY | MLXL_STATUS_CMDQ;
	pci_set_master(t->fn.pdev);
	KUNIT_ASSERT_TRUE(test, t->fn.command & PCI_COMMAND_MASTER);
	queue_set(&t->q, MLXL_QUEUE_UP);

	t->cmd = (struct mlxl_command){
		.opcode = MLXL_SAVE_CHUNK, .in = t->in, .in_bytes = sizeof(t->in),
		.done = fake_done,
	};
	buffer_add(test, t);
	KUNIT_ASSERT_EQ(test, mlxl_queue_submit(&t->q, 0, &t->cmd), 0);
	cancel_delayed_work_sync(&t->q.watch);
	return 0;
}

static void queue_test_exit(struct kunit *test)
{
	struct queue_test *t = test->priv;

	if (!t || !t->fn.pdev)
		return;
	t->fn.deaf = false;
	t->regs[MLXL_REG_STATUS / 4] = 0;
	mlxl_queue_down(&t->q);
	if (t->cmd.buf)
		vpv_ctrl_buf_put(t->cmd.buf);
	vpv_control_withdraw(t->control);
	vpv_ctrl_dma_quiet(t->dma);
	KUNIT_EXPECT_EQ(test, t->freed, 1U);
	vpv_ctrl_dma_free(t->dma);
	mlxl_queue_fini(&t->q);
	destroy_workqueue(t->life.wq);
	device_unregister(&t->fn.pdev->dev);
}

static void expect_ended(struct kunit *test, int err)
{
	struct queue_test *t = test->priv;

	KUNIT_EXPECT_TRUE(test, try_wait_for_completion(&t->ended));
	KUNIT_EXPECT_EQ(test, t->err, err);
}

static void firmware_that_lets_go_is_believed(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_STATUS / 4] = MLXL_STATUS_READY;
	mlxl_queue_down(&t->q);
	expect_ended(test, -ECONNABORTED);
	KUNIT_EXPECT_FALSE(test, buffer_is_kept(t));
	KUNIT_EXPECT_EQ(test, t->q.used, 0UL);
}

/* Memory space may be off, for instance: nothing says that the function is idle. */
static void all_ones_in_a_restart_cut_off_dma_first(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_STATUS / 4] = U32_MAX;
	KUNIT_EXPECT_FALSE(test, queue_restart(&t->q, 0));
	expect_ended(test, -ECONNABORTED);
	KUNIT_EXPECT_FALSE(test, t->master);
	KUNIT_EXPECT_FALSE(test, buffer_is_kept(t));
	KUNIT_EXPECT_EQ(test, t->q.used, 0UL);
	KUNIT_EXPECT_EQ(test, t->deaths, 1U);
}

/* Neither registers nor config space: what it knows of stays until it answers again. */
static void all_ones_everywhere_keep_the_memory(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_STATUS / 4] = U32_MAX;
	t->fn.deaf = true;
	mlxl_queue_down(&t->q);
	expect_ended(test, -ECONNABORTED);
	KUNIT_EXPECT_TRUE(test, buffer_is_kept(t));
	KUNIT_EXPECT_EQ(test, t->q.used, BIT(0));
	KUNIT_EXPECT_NE(test, t->q.work[0].in.num, 0U);

	t->fn.deaf = false;
	mlxl_queue_down(&t->q);
	KUNIT_EXPECT_EQ(test, t->q.used, 0UL);
	KUNIT_EXPECT_EQ(test, t->q.work[0].in.num, 0U);
	KUNIT_EXPECT_FALSE(test, t->fn.command & PCI_COMMAND_MASTER);
}

static void one_that_was_pulled_out_writes_nothing(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_STATUS / 4] = U32_MAX;
	t->fn.deaf = true;
	t->fn.pdev->error_state = pci_channel_io_perm_failure;
	mlxl_queue_down(&t->q);
	expect_ended(test, -ECONNABORTED);
	KUNIT_EXPECT_FALSE(test, buffer_is_kept(t));
	KUNIT_EXPECT_EQ(test, t->q.used, 0UL);
	t->fn.pdev->error_state = pci_channel_io_normal;
}

/* While the PCI core recovers it from an error: what it knows of stays until that is over. */
static void a_frozen_function_is_not_touched(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_STATUS / 4] = MLXL_STATUS_READY;
	t->regs[MLXL_REG_CMDQ_CTRL / 4] = MLXL_CTRL_ENABLE;
	t->life.recovery.channel = VPV_CHANNEL_FROZEN;
	KUNIT_EXPECT_FALSE(test, queue_check(&t->q));
	KUNIT_EXPECT_EQ(test, t->deaths, 1U);
	expect_ended(test, -ECONNABORTED);
	mlxl_queue_down(&t->q);
	KUNIT_EXPECT_EQ(test, t->regs[MLXL_REG_CMDQ_CTRL / 4], MLXL_CTRL_ENABLE);
	KUNIT_EXPECT_TRUE(test, t->fn.command & PCI_COMMAND_MASTER);
	KUNIT_EXPECT_TRUE(test, buffer_is_kept(t));
	KUNIT_EXPECT_EQ(test, t->q.used, BIT(0));

	t->life.recovery.channel = VPV_CHANNEL_RESET;
	mlxl_queue_down(&t->q);
	KUNIT_EXPECT_EQ(test, t->regs[MLXL_REG_CMDQ_CTRL / 4], 0U);
	KUNIT_EXPECT_FALSE(test, t->fn.command & PCI_COMMAND_MASTER);
	KUNIT_EXPECT_EQ(test, t->q.used, 0UL);
}

/* Before the queue is taken down. */
static void nothing_is_rung_in_a_recovery(struct kunit *test)
{
	struct mlxl_command other = { .opcode = MLXL_QUERY_CAPS, .done = fake_done };
	struct queue_test *t = test->priv;
	u32 *doorbell = &t->regs[MLXL_REG_DOORBELL / 4];

	*doorbell = 0;
	t->life.recovery.channel = VPV_CHANNEL_FROZEN;
	KUNIT_EXPECT_EQ(test, mlxl_queue_submit(&t->q, 0, &other), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, *doorbell, 0U);
	KUNIT_EXPECT_EQ(test, t->q.active, BIT(0));
	KUNIT_EXPECT_EQ(test, t->q.used, BIT(0));
	t->life.recovery.channel = VPV_CHANNEL_NORMAL;
}

/* The interrupt may have come before the error. */
static void events_of_a_frozen_function_are_not_touched(struct kunit *test)
{
	DECLARE_BITMAP(events, MLXL_MAX_FUNCTIONS) = {};
	struct queue_test *t = test->priv;
	u32 *reg = &t->regs[MLXL_REG_EVENTS / 4];

	reg[0] = BIT(0) | BIT(2);
	reg[1] = BIT(31);
	t->life.recovery.channel = VPV_CHANNEL_FROZEN;
	KUNIT_EXPECT_FALSE(test, mlxl_queue_events(&t->q, events));
	KUNIT_EXPECT_EQ(test, reg[0], BIT(0) | BIT(2));
	KUNIT_EXPECT_EQ(test, reg[1], BIT(31));
	KUNIT_EXPECT_TRUE(test, bitmap_empty(events, MLXL_MAX_FUNCTIONS));

	t->life.recovery.channel = VPV_CHANNEL_NORMAL;
	KUNIT_EXPECT_TRUE(test, mlxl_queue_events(&t->q, events));
	KUNIT_EXPECT_EQ(test, reg[0], 0U);
	KUNIT_EXPECT_EQ(test, reg[1], 0U);
	KUNIT_EXPECT_EQ(test, bitmap_weight(events, MLXL_MAX_FUNCTIONS), 3U);
	KUNIT_EXPECT_TRUE(test, test_bit(63, events));
}

/* A look at one that is down finds nothing, nor does it begin to watch it again. */
static void one_that_is_down_is_not_watched(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_STATUS / 4] = MLXL_STATUS_READY;
	mlxl_queue_down(&t->q);
	t->life.recovery.channel = VPV_CHANNEL_FAILED;
	mlxl_queue_look(&t->q);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&t->q.watch));
	KUNIT_EXPECT_EQ(test, t->deaths, 0U);
	expect_ended(test, -ECONNABORTED);
	KUNIT_EXPECT_FALSE(test, buffer_is_kept(t));
}

/* Who takes it down waits for the restart, and whoever is told of an end may come back at once. */
static void one_that_is_taken_down_does_not_come_up_again(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_STATUS / 4] = MLXL_STATUS_READY;
	t->down_in_restart = true;
	KUNIT_EXPECT_FALSE(test, queue_restart(&t->q, BIT(0)));
	t->down_in_restart = false;
	expect_ended(test, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, (int)t->q.state, (int)MLXL_QUEUE_DOWN);
	KUNIT_EXPECT_EQ(test, t->regs[MLXL_REG_CMDQ_CTRL / 4], 0U);
	KUNIT_EXPECT_EQ(test, t->deaths, 0U);
	KUNIT_EXPECT_EQ(test, mlxl_queue_submit(&t->q, 0, &t->cmd), -ENOTCONN);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&t->q.watch));
}

static void one_that_is_down_does_not_begin_again(struct kunit *test)
{
	struct queue_test *t = test->priv;

	queue_set(&t->q, MLXL_QUEUE_DOWN);
	KUNIT_EXPECT_FALSE(test, queue_restart(&t->q, BIT(0)));
	KUNIT_EXPECT_EQ(test, (int)t->q.state, (int)MLXL_QUEUE_DOWN);
	KUNIT_EXPECT_EQ(test, t->deaths, 0U);
}

/* Otherwise the watch would be left over: it was cancelled before. */
static void watch_is_not_queued_when_it_was_cancelled(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->q.slots[0].owner = 0;
	mlxl_queue_reap(&t->q);
	KUNIT_ASSERT_TRUE(test, try_wait_for_completion(&t->ended));
	t->down_before_watch = true;
	KUNIT_ASSERT_EQ(test, mlxl_queue_submit(&t->q, 0, &t->cmd), 0);
	t->down_before_watch = false;
	if (t->q.state == MLXL_QUEUE_DOWN)
		KUNIT_EXPECT_FALSE(test, delayed_work_pending(&t->q.watch));
}

/* Firmware that has restarted by itself: nobody knows what it still has of what was. */
static void firmware_that_has_disabled_the_queue_is_dead(struct kunit *test)
{
	static const u32 status[] = { MLXL_STATUS_READY, 0 };
	struct queue_test *t = test->priv;

	for (unsigned int i = 0; i < ARRAY_SIZE(status); i++) {
		queue_set(&t->q, MLXL_QUEUE_UP);
		t->regs[MLXL_REG_STATUS / 4] = status[i];
		KUNIT_EXPECT_FALSE(test, queue_check(&t->q));
		KUNIT_EXPECT_EQ(test, t->deaths, i + 1);
		KUNIT_EXPECT_EQ(test, (int)t->q.state, (int)MLXL_QUEUE_DOWN);
	}
	expect_ended(test, -ECONNABORTED);
}

/* Whoever finishes such a command is waited for: its slot is in use until then. */
static void what_the_firmware_has_ended_is_not_lost(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_STATUS / 4] = U32_MAX;
	t->fn.deaf = true;
	t->ends_in_cut_off = true;
	mlxl_queue_down(&t->q);
	t->ends_in_cut_off = false;
	KUNIT_EXPECT_TRUE(test, t->q.wild);
	KUNIT_EXPECT_EQ(test, t->q.lost, 0UL);
	KUNIT_EXPECT_EQ(test, t->q.used, 0UL);
	expect_ended(test, 0);
	KUNIT_EXPECT_FALSE(test, buffer_is_kept(t));
}

/* Others wait for a command with locks held. */
static void time_out_of_the_firmware_is_bounded(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_TIMEOUT_MS / 4] = 60000;
	queue_limits(&t->q);
	KUNIT_EXPECT_LE(test, t->q.limit, msecs_to_jiffies(11000));
	t->regs[MLXL_REG_TIMEOUT_MS / 4] = 2000;
	queue_limits(&t->q);
	KUNIT_EXPECT_EQ(test, t->q.limit, msecs_to_jiffies(3000));
}

/* READY, but the queue does not come up: nobody knows what it does with its base. */
static void queue_that_is_not_enabled_has_no_bus_master(struct kunit *test)
{
	struct queue_test *t = test->priv;

	t->regs[MLXL_REG_ID / 4] = MLXL_ID_VALUE;
	t->regs[MLXL_REG_INTERFACE / 4] = MLXL_INTERFACE_VALUE;
	t->regs[MLXL_REG_STATUS / 4] = MLXL_STATUS_READY;
	mlxl_queue_down(&t->q);
	KUNIT_EXPECT_EQ(test, mlxl_queue_up(&t->q), -EIO);
	KUNIT_EXPECT_FALSE(test, t->fn.command & PCI_COMMAND_MASTER);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(firmware_that_lets_go_is_believed),
	KUNIT_CASE(all_ones_in_a_restart_cut_off_dma_first),
	KUNIT_CASE(all_ones_everywhere_keep_the_memory),
	KUNIT_CASE(one_that_was_pulled_out_writes_nothing),
	KUNIT_CASE(a_frozen_function_is_not_touched),
	KUNIT_CASE(nothing_is_rung_in_a_recovery),
	KUNIT_CASE(events_of_a_frozen_function_are_not_touched),
	KUNIT_CASE(one_that_is_down_is_not_watched),
	KUNIT_CASE(one_that_is_taken_down_does_not_come_up_again),
	KUNIT_CASE(one_that_is_down_does_not_begin_again),
	KUNIT_CASE(watch_is_not_queued_when_it_was_cancelled),
	KUNIT_CASE(firmware_that_has_disabled_the_queue_is_dead),
	KUNIT_CASE(what_the_firmware_has_ended_is_not_lost),
	KUNIT_CASE(time_out_of_the_firmware_is_bounded),
	KUNIT_CASE(queue_that_is_not_enabled_has_no_bus_master),
	{ }
};

static struct kunit_suite queue_suite = {
	.name = "mlx5_like_queue",
	.init = queue_test_init,
	.exit = queue_test_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of mlx5_like's command queue");
