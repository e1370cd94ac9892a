// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of mlx5_like and their commands, variants/mlx5_like/io.c, with a controlling
 * driver of the test's own: completions that come early, and a withdrawal that takes long.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "../../variants/mlx5_like/mlx5_like.h"

#define ROOM	(2 * PAGE_SIZE)
#define BYTES	SZ_4K

static atomic_t chunks_freed;

static struct vmig_chunk *fake_chunk_alloc(struct vmig_dev *mig, size_t bytes)
{
	struct vmig_chunk *chunk = kzalloc(sizeof(*chunk), GFP_KERNEL);

	if (!chunk)
		return NULL;
	chunk->data = vzalloc(bytes);
	if (!chunk->data) {
		kfree(chunk);
		return NULL;
	}
	chunk->bytes = bytes;
	return chunk;
}

static void fake_chunk_put(struct vmig_chunk *chunk)
{
	atomic_inc(&chunks_freed);
	vfree(chunk->data);
	kfree(chunk);
}

#define vmig_chunk_alloc(mig, bytes)	fake_chunk_alloc(mig, bytes)
#define vmig_chunk_put(chunk)		fake_chunk_put(chunk)
#define vmig_chunk_shared(chunk)	((void)(chunk), false)

#include "../../variants/mlx5_like/io.c"

/**
 * struct fake - A controlling driver
 * @dev: The function that it controls.
 * @control: What it has published.
 * @ends: How the next commands end: one errno each, then always success.
 * @num_ends: Their number.
 * @refuse_from: Commands from this one on are not accepted.
 * @next: Number of the next command.
 * @len: Bytes of output of a command that succeeds.
 * @mapped: Buffer that is mapped, or NULL.
 * @undoing: Its withdrawal has begun to undo.
 * @undo: It may go on.
 */
struct fake {
	struct device *dev;
	struct vpv_control *control;
	const int *ends;
	unsigned int num_ends;
	unsigned int refuse_from;
	unsigned int next;
	u32 len;
	struct mlxl_buf *mapped;
	struct completion undoing;
	struct completion undo;
};

/* Ends before it returns: an interrupt may be as fast as that. */
static int fake_submit(void *priv, struct mlxl_command *cmd)
{
	struct fake *f = priv;
	unsigned int nr = f->next++;
	int err = nr < f->num_ends ? f->ends[nr] : 0;
	struct mlxl_chunk chunk;

	if (nr >= f->refuse_from)
		return -ENOTCONN;
	cmd->out_len = 0;
	if (!err) {
		memcpy(&chunk, cmd->in, sizeof(chunk));
		cmd->out_len = f->len;
		if (f->len)
			memcpy(cmd->out, &chunk.bytes, sizeof(chunk.bytes));
	}
	cmd->done(cmd, err);
	return 0;
}

static int fake_map(void *priv, struct mlxl_buf *buf)
{
	((struct fake *)priv)->mapped = buf;
	buf->mapped = true;
	return 0;
}

static void fake_unmap(void *priv, struct mlxl_buf *buf)
{
	((struct fake *)priv)->mapped = NULL;
	buf->mapped = false;
}

static const struct mlxl_control_ops fake_ops = {
	.submit = fake_submit,
	.map = fake_map,
	.unmap = fake_unmap,
};

static void fake_undo(void *priv)
{
	struct fake *f = priv;

	complete(&f->undoing);
	wait_for_completion(&f->undo);
	if (f->mapped)
		fake_unmap(f, f->mapped);
}

struct io_test {
	struct fake f;
	struct mlxl_dev md;
	struct mlxl_session s;
	struct mlxl_io io;
	struct work_struct withdraw;
	struct work_struct free;
};

static int io_test_init(struct kunit *test)
{
	struct io_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	atomic_set(&chunks_freed, 0);
	init_completion(&t->f.undoing);
	init_completion(&t->f.undo);
	t->f.len = sizeof(t->io.out);
	t->f.refuse_from = UINT_MAX;
	t->f.dev = root_device_register("vpv-mlx5-io");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->f.dev);
	t->f.control = vpv_control_publish(t->f.dev, MLXL_FAMILY, &fake_ops, &t->f);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->f.control);
	t->s.control = vpv_control_get(t->f.dev, MLXL_FAMILY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->s.control);
	KUNIT_ASSERT_EQ(test, mlxl_io_prepare(&t->md, &t->io, &t->s, ROOM, DMA_FROM_DEVICE), 0);
	return 0;
}

static void io_test_exit(struct kunit *test)
{
	struct io_test *t = test->priv;

	if (!t)
		return;
	complete_all(&t->f.undo);
	if (t->f.control)
		vpv_control_withdraw(t->f.control, fake_undo);
	mlxl_io_free(&t->io);
	vpv_control_put(t->s.control);
	root_device_unregister(t->f.dev);
}

/* Transfer once, and say how it ended. */
static int transfer(struct io_test *t)
{
	int err = mlxl_io_start(&t->io, &t->s, MLXL_SAVE_CHUNK, 0, 0, BYTES);

	return err ?: mlxl_io_wait(&t->io, &t->s);
}

struct end_case {
	const char *name;
	int ends[2];
	unsigned int num;
	unsigned int refuse_from;
	int err;
};

static const struct end_case end_cases[] = {
	{ "success", { 0 }, 0, UINT_MAX, 0 },
	{ "error", { -EREMOTEIO }, 1, UINT_MAX, -EREMOTEIO },
	{ "success_in_the_second_try", { -ECONNABORTED }, 1, UINT_MAX, 0 },
	{ "error_in_the_second_try", { -ECONNABORTED, -EREMOTEIO }, 2, UINT_MAX, -EREMOTEIO },
	{ "time_out_in_the_second_try", { -ECONNABORTED, -ETIMEDOUT }, 2, UINT_MAX, -ETIMEDOUT },
	{ "aborted_twice", { -ECONNABORTED, -ECONNABORTED }, 2, UINT_MAX, -ECONNABORTED },
	{ "second_try_is_refused", { -ECONNABORTED }, 1, 1, -ENOTCONN },
};

static void end_describe(const struct end_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(end, end_cases, end_describe);

/* What the output of an earlier command says counts for nothing. */
static void end_of_a_command_that_is_early(struct kunit *test)
{
	const struct end_case *c = test->param_value;
	struct io_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, transfer(t), 0);
	t->f.next = 0;
	t->f.ends = c->ends;
	t->f.num_ends = c->num;
	t->f.refuse_from = c->refuse_from;
	KUNIT_EXPECT_EQ(test, transfer(t), c->err);
	KUNIT_EXPECT_FALSE(test, t->io.busy);
}

static void short_output_is_an_error(struct kunit *test)
{
	struct io_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, transfer(t), 0);
	t->f.len = 0;
	KUNIT_EXPECT_EQ(test, transfer(t), -EPROTO);
	t->f.len = sizeof(__le32);
	KUNIT_EXPECT_EQ(test, transfer(t), -EPROTO);
	t->f.len = sizeof(t->io.out);
	KUNIT_EXPECT_EQ(test, transfer(t), 0);
}

static void withdraw_work(struct work_struct *work)
{
	vpv_control_withdraw(container_of(work, struct io_test, withdraw)->f.control, fake_undo);
}

static void free_work(struct work_struct *work)
{
	mlxl_io_free(&container_of(work, struct io_test, free)->io);
}

/* The handle is dead, but the buffer is still mapped. */
static void memory_is_freed_after_it_was_unmapped(struct kunit *test)
{
	struct io_test *t = test->priv;

	INIT_WORK(&t->withdraw, withdraw_work);
	INIT_WORK(&t->free, free_work);
	schedule_work(&t->withdraw);
	wait_for_completion(&t->f.undoing);
	schedule_work(&t->free);
	usleep_range(50000, 60000);
	KUNIT_EXPECT_EQ(test, atomic_read(&chunks_freed), 0);
	KUNIT_EXPECT_NOT_NULL(test, t->f.mapped);
	complete_all(&t->f.undo);
	flush_work(&t->free);
	flush_work(&t->withdraw);
	KUNIT_EXPECT_EQ(test, atomic_read(&chunks_freed), 1);
	KUNIT_EXPECT_NULL(test, t->f.mapped);
	t->f.control = NULL;
}

/* Whatever the old controlling function may still do to it. */
static void memory_of_another_controller_is_not_used_again(struct kunit *test)
{
	struct io_test *t = test->priv;

	complete_all(&t->f.undo);
	vpv_control_withdraw(t->f.control, fake_undo);
	vpv_control_put(t->s.control);
	t->f.control = vpv_control_publish(t->f.dev, MLXL_FAMILY, &fake_ops, &t->f);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->f.control);
	t->s.control = vpv_control_get(t->f.dev, MLXL_FAMILY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->s.control);
	KUNIT_ASSERT_EQ(test, mlxl_io_prepare(&t->md, &t->io, &t->s, ROOM, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&chunks_freed), 1);
	KUNIT_EXPECT_PTR_EQ(test, t->f.mapped, t->io.buf);
	KUNIT_EXPECT_EQ(test, transfer(t), 0);
}

static struct kunit_case io_cases[] = {
	KUNIT_CASE_PARAM(end_of_a_command_that_is_early, end_gen_params),
	KUNIT_CASE(short_output_is_an_error),
	KUNIT_CASE(memory_is_freed_after_it_was_unmapped),
	KUNIT_CASE(memory_of_another_controller_is_not_used_again),
	{ }
};

static struct kunit_suite io_suite = {
	.name = "mlx5_like_io",
	.init = io_test_init,
	.exit = io_test_exit,
	.test_cases = io_cases,
};

kunit_test_suite(io_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of mlx5_like's buffers");
