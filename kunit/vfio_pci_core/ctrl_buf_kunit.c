// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers at a controlling function, vfio_pci_core/ctrl_buf.c, with a DMA API and memory of
 * the test's own.  Nothing is unmapped or freed that a command may still access, and
 * everything else is.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <vpv/ctrl_buf.h>

#define FAMILY	"kunit"
#define BYTES	(3 * PAGE_SIZE)
#define RACERS	3
#define ROUNDS	200

enum step { STEP_NONE, STEP_BUF, STEP_PAGES, STEP_TABLE, STEP_MAP };

/* One test runs at a time. */
static struct {
	enum step fail;
	unsigned int segment;	/* most that the device takes */
	size_t mapping;		/* most that can be mapped at once */
	atomic_t mapped;
	atomic_t allocated;
	atomic_t freed;
	atomic_t wrong;		/* unmapped while a command may access it */
	atomic_t to_cpu;
} fake;

static int fake_map(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		    unsigned long attrs)
{
	if (fake.fail == STEP_MAP)
		return -EIO;
	atomic_inc(&fake.mapped);
	return 0;
}

static void fake_unmap(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs)
{
	const struct vpv_ctrl_buf *buf = container_of(sgt, struct vpv_ctrl_buf, sgt);

	if (buf->busy || buf->lost)
		atomic_inc(&fake.wrong);
	atomic_dec(&fake.mapped);
}

static void fake_sync_for_device(struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir)
{
}

static void fake_sync_for_cpu(struct device *dev, struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	atomic_inc(&fake.to_cpu);
}

#define dma_map_sgtable			fake_map
#define dma_unmap_sgtable		fake_unmap
#define dma_sync_sgtable_for_device	fake_sync_for_device
#define dma_sync_sgtable_for_cpu	fake_sync_for_cpu
#define dma_get_max_seg_size(dev)	((void)(dev), fake.segment)
#define dma_max_mapping_size(dev)	((void)(dev), fake.mapping)
#define sg_alloc_table_from_pages_segment(...) \
	(fake.fail == STEP_TABLE ? -ENOMEM : \
	 sg_alloc_table_from_pages_segment(__VA_ARGS__))
#undef kzalloc_obj
#define kzalloc_obj(what, gfp) \
	((typeof(what) *)(fake.fail == STEP_BUF ? NULL : kzalloc(sizeof(what), gfp)))
#undef kvmalloc_array
#define kvmalloc_array(num, bytes, gfp) \
	(fake.fail == STEP_PAGES ? NULL : kvmalloc(array_size(num, bytes), gfp))
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(name) extern typeof(name) name

#include "../../vfio_pci_core/controlling.c"
#include "../../vfio_pci_core/ctrl_buf.c"

static void mem_put(void *mem)
{
	atomic_inc(&fake.freed);
	kvfree(mem);
}

static const struct vpv_mem_ops mem_ops = {
	.owner = THIS_MODULE,
	.put = mem_put,
};

/**
 * struct buf_test - A controlling and a controlled function
 * @dev: Both.
 * @dma: Of the controlling one.
 * @control: What it has published.
 * @found: The same, found by the driver of the controlled one.
 */
struct buf_test {
	struct device *dev;
	struct vpv_ctrl_dma *dma;
	struct vpv_control *control;
	struct vpv_control *found;
};

static bool try_publish(struct buf_test *t)
{
	t->control = vpv_control_publish(t->dev, FAMILY, &mem_ops, t, t->dma);
	t->found = vpv_control_get(t->dev, FAMILY);
	return !IS_ERR_OR_NULL(t->control) && !IS_ERR_OR_NULL(t->found);
}

static void publish(struct kunit *test)
{
	struct buf_test *t = test->priv;

	KUNIT_ASSERT_TRUE(test, try_publish(t));
}

static void withdraw(struct kunit *test)
{
	struct buf_test *t = test->priv;

	vpv_control_withdraw(t->control);
	t->control = NULL;
}

static int buf_test_init(struct kunit *test)
{
	struct buf_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	memset(&fake, 0, sizeof(fake));
	fake.segment = UINT_MAX;
	fake.mapping = SIZE_MAX;
	test->priv = t;
	t->dev = root_device_register("vpv-ctrl-buf");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->dev);
	t->dma = vpv_ctrl_dma_new(t->dev);
	KUNIT_ASSERT_NOT_NULL(test, t->dma);
	publish(test);
	return 0;
}

static void buf_test_exit(struct kunit *test)
{
	struct buf_test *t = test->priv;

	if (!t || IS_ERR_OR_NULL(t->dev))
		return;
	vpv_control_withdraw(t->control);
	vpv_control_put(t->found);
	vpv_ctrl_dma_free(t->dma);
	root_device_unregister(t->dev);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake.mapped), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake.freed), atomic_read(&fake.allocated));
	KUNIT_EXPECT_EQ(test, atomic_read(&fake.wrong), 0);
}

static struct vpv_ctrl_buf *buf_try(struct vpv_control *control)
{
	struct vpv_mem mem = { .ops = &mem_ops, .mem = vzalloc(BYTES), .bytes = BYTES };
	struct vpv_ctrl_buf *buf;

	mem.data = mem.mem;
	if (!mem.mem)
		return ERR_PTR(-ENOMEM);
	buf = vpv_ctrl_buf_new(control, &mem, DMA_FROM_DEVICE);
	if (IS_ERR(buf))
		vfree(mem.mem);
	else
		atomic_inc(&fake.allocated);
	return buf;
}

static struct vpv_ctrl_buf *buf_new(struct kunit *test)
{
	struct buf_test *t = test->priv;
	struct vpv_ctrl_buf *buf = buf_try(t->found);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
	return buf;
}

static void expect(struct kunit *test, int mapped, int freed)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&fake.mapped), mapped);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake.freed), freed);
}

/* ---- Making one ---- */

static const struct fail_case {
	const char *name;
	enum step fail;
	int err;
} fail_cases[] = {
	{ "buffer", STEP_BUF, -ENOMEM },
	{ "pages", STEP_PAGES, -ENOMEM },
	{ "table", STEP_TABLE, -ENOMEM },
	{ "map", STEP_MAP, -EIO },
};

static void fail_describe(const struct fail_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(fail, fail_cases, fail_describe);

/* The memory is still the caller's; and the next one is as good as any. */
static void failed_step_leaves_nothing(struct kunit *test)
{
	const struct fail_case *c = test->param_value;
	struct buf_test *t = test->priv;

	fake.fail = c->fail;
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(buf_try(t->found)), c->err);
	expect(test, 0, 0);
	fake.fail = STEP_NONE;
	vpv_ctrl_buf_put(buf_new(test));
	expect(test, 0, 1);
}

static void dead_handle_maps_nothing(struct kunit *test)
{
	struct buf_test *t = test->priv;

	withdraw(test);
	KUNIT_EXPECT_EQ(test, PTR_ERR(buf_try(t->found)), (long)-ENOTCONN);
	expect(test, 0, 0);
}

static void handle_without_dma_maps_nothing(struct kunit *test)
{
	struct buf_test *t = test->priv;
	struct vpv_control *control;

	withdraw(test);
	control = vpv_control_publish(t->dev, FAMILY, &mem_ops, t, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, control);
	KUNIT_EXPECT_EQ(test, PTR_ERR(buf_try(control)), (long)-EOPNOTSUPP);
	vpv_control_withdraw(control);
}

static void only_whole_pages_are_mapped(struct kunit *test)
{
	struct buf_test *t = test->priv;
	u8 *data = kunit_kzalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	const struct vpv_mem bad[] = {
		{ &mem_ops, data, data, 0 },
		{ &mem_ops, data, data, PAGE_SIZE + 1 },
		{ &mem_ops, data, data + 64, PAGE_SIZE },
	};

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, PTR_ERR(vpv_ctrl_buf_new(t->found, &bad[i],
							       DMA_TO_DEVICE)), (long)-EINVAL);
}

static const struct {
	unsigned int segment;
	size_t mapping;
	unsigned int num;
} segment_cases[] = {
	{ UINT_MAX, SIZE_MAX, 1 },
	{ 2 * PAGE_SIZE, SIZE_MAX, 2 },
	{ 3 * PAGE_SIZE - 1, SIZE_MAX, 2 },
	{ UINT_MAX, PAGE_SIZE + 512, 4 },
};

/* Pages that are neighbours are one segment, if the device takes it, and it can be bounced. */
static void segments_are_as_long_as_can_be_mapped(struct kunit *test)
{
	struct buf_test *t = test->priv;

	for (unsigned int i = 0; i < ARRAY_SIZE(segment_cases); i++) {
		void *data = kzalloc(4 * PAGE_SIZE, GFP_KERNEL);
		struct vpv_mem mem = { &mem_ops, data, data, 4 * PAGE_SIZE };
		struct vpv_ctrl_buf *buf;

		KUNIT_ASSERT_NOT_NULL(test, data);
		fake.segment = segment_cases[i].segment;
		fake.mapping = segment_cases[i].mapping;
		buf = vpv_ctrl_buf_new(t->found, &mem, DMA_TO_DEVICE);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buf);
		atomic_inc(&fake.allocated);
		KUNIT_EXPECT_EQ(test, buf->sgt.orig_nents, segment_cases[i].num);
		vpv_ctrl_buf_put(buf);
	}
}

/* ---- Its end ---- */

static void last_reference_unmaps_and_frees(struct kunit *test)
{
	struct buf_test *t = test->priv;
	struct vpv_ctrl_buf *buf = buf_new(test);

	KUNIT_EXPECT_TRUE(test, vpv_ctrl_buf_usable(buf, t->found));
	KUNIT_ASSERT_EQ(test, vpv_ctrl_buf_begin(buf), 0);
	vpv_ctrl_buf_end(buf, false);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake.to_cpu), 1);
	expect(test, 1, 0);
	vpv_ctrl_buf_put(buf);
	expect(test, 0, 1);
}

static void withdrawal_unmaps_and_the_owner_frees(struct kunit *test)
{
	struct buf_test *t = test->priv;
	struct vpv_control *old = t->found;
	struct vpv_ctrl_buf *buf = buf_new(test);

	withdraw(test);
	expect(test, 0, 0);
	KUNIT_EXPECT_FALSE(test, vpv_ctrl_buf_usable(buf, t->found));
	KUNIT_EXPECT_EQ(test, vpv_ctrl_buf_begin(buf), -ENOTCONN);
	publish(test);
	KUNIT_EXPECT_FALSE(test, vpv_ctrl_buf_usable(buf, t->found));
	vpv_control_put(old);
	vpv_ctrl_buf_put(buf);
	expect(test, 0, 1);
}

static void other_handles_are_not_touched(struct kunit *test)
{
	struct buf_test *t = test->priv;
	struct device *other = root_device_register("vpv-ctrl-buf-other");
	struct vpv_ctrl_buf *buf = buf_new(test);
	struct vpv_control *control;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	control = vpv_control_publish(other, FAMILY, &mem_ops, t, t->dma);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, control);
	KUNIT_EXPECT_FALSE(test, vpv_ctrl_buf_usable(buf, control));
	vpv_control_withdraw(control);
	root_device_unregister(other);
	KUNIT_EXPECT_TRUE(test, vpv_ctrl_buf_usable(buf, t->found));
	expect(test, 1, 0);
	vpv_ctrl_buf_put(buf);
}

/* ---- Late completions ---- */

static void command_keeps_it_after_the_owner(struct kunit *test)
{
	struct vpv_ctrl_buf *buf = buf_new(test);

	KUNIT_ASSERT_EQ(test, vpv_ctrl_buf_begin(buf), 0);
	vpv_ctrl_buf_put(buf);
	expect(test, 1, 0);
	vpv_ctrl_buf_end(buf, false);
	expect(test, 0, 1);
}

static void command_keeps_it_after_a_withdrawal(struct kunit *test)
{
	struct vpv_ctrl_buf *buf = buf_new(test);

	KUNIT_ASSERT_EQ(test, vpv_ctrl_buf_begin(buf), 0);
	KUNIT_ASSERT_EQ(test, vpv_ctrl_buf_begin(buf), 0);
	withdraw(test);
	expect(test, 1, 0);
	vpv_ctrl_buf_end(buf, false);
	expect(test, 1, 0);
	vpv_ctrl_buf_end(buf, false);
	expect(test, 0, 0);
	vpv_ctrl_buf_put(buf);
	expect(test, 0, 1);
}

static void command_keeps_it_after_both(struct kunit *test)
{
	struct buf_test *t = test->priv;
	struct vpv_ctrl_buf *buf = buf_new(test);

	KUNIT_ASSERT_EQ(test, vpv_ctrl_buf_begin(buf), 0);
	vpv_ctrl_buf_put(buf);
	withdraw(test);
	/* It is quiet but for this command. */
	vpv_ctrl_dma_quiet(t->dma);
	expect(test, 1, 0);
	vpv_ctrl_buf_end(buf, false);
	expect(test, 0, 1);
}

/* ---- Silence ---- */

enum order { OWNER_FIRST, WITHDRAWAL_FIRST, LATE };

static const struct lost_case {
	const char *name;
	enum order order;
} lost_cases[] = {
	{ "owner_first", OWNER_FIRST },
	{ "withdrawal_first", WITHDRAWAL_FIRST },
	{ "completion_last", LATE },
};

static void lost_describe(const struct lost_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(lost, lost_cases, lost_describe);

/* A command ends without the device, its owner has done with it, its handle is withdrawn. */
static struct vpv_ctrl_buf *lose(struct kunit *test, enum order order)
{
	struct buf_test *t = test->priv;
	struct vpv_ctrl_buf *buf = buf_new(test);

	KUNIT_ASSERT_EQ(test, vpv_ctrl_buf_begin(buf), 0);
	if (order != LATE) {
		vpv_ctrl_buf_end(buf, true);
		KUNIT_EXPECT_FALSE(test, vpv_ctrl_buf_usable(buf, t->found));
		KUNIT_EXPECT_EQ(test, vpv_ctrl_buf_begin(buf), -ENOTCONN);
	}
	if (order == WITHDRAWAL_FIRST)
		withdraw(test);
	vpv_ctrl_buf_put(buf);
	if (order != WITHDRAWAL_FIRST)
		withdraw(test);
	if (order == LATE)
		vpv_ctrl_buf_end(buf, true);
	expect(test, 1, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake.to_cpu), 0);
	return buf;
}

static void lost_one_is_freed_when_the_device_is_quiet(struct kunit *test)
{
	const struct lost_case *c = test->param_value;
	struct buf_test *t = test->priv;

	lose(test, c->order);
	vpv_ctrl_dma_quiet(t->dma);
	expect(test, 0, 1);
}

/* Its owner still has it: unmapped it is, freed it is not. */
static void quiet_device_leaves_the_owner_his_reference(struct kunit *test)
{
	struct buf_test *t = test->priv;
	struct vpv_ctrl_buf *buf = buf_new(test);

	KUNIT_ASSERT_EQ(test, vpv_ctrl_buf_begin(buf), 0);
	vpv_ctrl_buf_end(buf, true);
	withdraw(test);
	expect(test, 1, 0);
	vpv_ctrl_dma_quiet(t->dma);
	expect(test, 0, 0);
	vpv_ctrl_buf_put(buf);
	expect(test, 0, 1);
}

static void lost_one_outlives_the_controlling_driver(struct kunit *test)
{
	const struct lost_case *c = test->param_value;
	struct buf_test *t = test->priv;
	struct vpv_ctrl_buf *buf = lose(test, c->order);

	vpv_ctrl_dma_free(t->dma);
	t->dma = NULL;
	expect(test, 1, 0);

	/* What nobody does but a test. */
	__module_get(THIS_MODULE);
	buf->lost = false;
	vpv_ctrl_buf_put(buf);
	expect(test, 0, 1);
}

/* ---- All at once ---- */

struct racer {
	struct device *dev;
	struct task_struct *task;
	unsigned long used;
};

static int race_thread(void *arg)
{
	struct racer *r = arg;

	while (!kthread_should_stop()) {
		struct vpv_control *control = vpv_control_get(r->dev, FAMILY);
		struct vpv_ctrl_buf *buf;

		cond_resched();
		if (IS_ERR(control))
			continue;
		buf = buf_try(control);
		if (!IS_ERR(buf)) {
			for (int i = 0; i < 3 && !vpv_ctrl_buf_begin(buf); i++) {
				cond_resched();
				vpv_ctrl_buf_end(buf, i == 2 && !(r->used % 8));
			}
			vpv_ctrl_buf_put(buf);
			r->used++;
		}
		vpv_control_put(control);
	}
	return 0;
}

static void owners_and_withdrawals_race(struct kunit *test)
{
	struct buf_test *t = test->priv;
	struct racer racers[RACERS] = {};

	for (int i = 0; i < RACERS; i++) {
		racers[i].dev = t->dev;
		racers[i].task = kthread_run(race_thread, &racers[i], "vpv-race");
	}
	for (int round = 0; round < ROUNDS; round++) {
		usleep_range(50, 200);
		withdraw(test);
		vpv_ctrl_dma_quiet(t->dma);
		vpv_control_put(t->found);
		/* Nothing may end the test while others use its memory. */
		if (!try_publish(t))
			break;
	}
	for (int i = 0; i < RACERS; i++) {
		if (IS_ERR(racers[i].task))
			continue;
		kthread_stop(racers[i].task);
		KUNIT_EXPECT_GT(test, racers[i].used, 0UL);
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->control);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->found);
	withdraw(test);
	vpv_ctrl_dma_quiet(t->dma);
}

static struct kunit_case buf_cases[] = {
	KUNIT_CASE_PARAM(failed_step_leaves_nothing, fail_gen_params),
	KUNIT_CASE(dead_handle_maps_nothing),
	KUNIT_CASE(handle_without_dma_maps_nothing),
	KUNIT_CASE(only_whole_pages_are_mapped),
	KUNIT_CASE(segments_are_as_long_as_can_be_mapped),
	KUNIT_CASE(last_reference_unmaps_and_frees),
	KUNIT_CASE(withdrawal_unmaps_and_the_owner_frees),
	KUNIT_CASE(other_handles_are_not_touched),
	KUNIT_CASE(command_keeps_it_after_the_owner),
	KUNIT_CASE(command_keeps_it_after_a_withdrawal),
	KUNIT_CASE(command_keeps_it_after_both),
	KUNIT_CASE_PARAM(lost_one_is_freed_when_the_device_is_quiet, lost_gen_params),
	KUNIT_CASE(quiet_device_leaves_the_owner_his_reference),
	KUNIT_CASE_PARAM(lost_one_outlives_the_controlling_driver, lost_gen_params),
	KUNIT_CASE(owners_and_withdrawals_race),
	{ }
};

static struct kunit_suite buf_suite = {
	.name = "vpv_ctrl_buf",
	.init = buf_test_init,
	.exit = buf_test_exit,
	.test_cases = buf_cases,
};

kunit_test_suite(buf_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of buffers at a controlling function");
