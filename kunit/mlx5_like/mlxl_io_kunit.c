// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of mlx5_like and their commands, variants/mlx5_like/io.c, with a controlling
 * driver of the test's own, whose completions come early.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define vmig_chunk_mem_ops fake_mem_ops

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

static void fake_mem_put(void *mem)
{
	fake_chunk_put(mem);
}

const struct vpv_mem_ops fake_mem_ops = {
	.owner = THIS_MODULE,
	.put = fake_mem_put,
};

#define vmig_chunk_alloc(mig, bytes)	fake_chunk_alloc(mig, bytes)
#define vmig_chunk_put(chunk)		fake_chunk_put(chunk)
#define vmig_chunk_shared(chunk)	((void)(chunk), false)

#include "../../variants/mlx5_like/io.c"

/**
 * struct fake - A controlling driver
 * @dev: The function that it controls, and the one that it drives.
 * @dma_mask: Of that.
 * @dma: For its buffers.
 * @control: What it has published.
 * @ends: How the next commands end: one errno each, then always success.
 * @num_ends: Their number.
 * @refuse_from: Commands from this one on are not accepted.
 * @next: Number of the next command.
 * @len: Bytes of output of a command that succeeds.
 */
struct fake {
	struct device *dev;
	u64 dma_mask;
	struct vpv_ctrl_dma *dma;
	struct vpv_control *control;
	const int *ends;
	unsigned int num_ends;
	unsigned int refuse_from;
	unsigned int next;
	u32 len;
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

static const struct mlxl_control_ops fake_ops = {
	.submit = fake_submit,
};

struct io_test {
	struct fake f;
	struct mlxl_dev md;
	struct mlxl_session s;
	struct mlxl_io io;
};

static void publish(struct kunit *test, struct io_test *t)
{
	t->f.control = vpv_control_publish(t->f.dev, MLXL_FAMILY, &fake_ops, &t->f, t->f.dma);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->f.control);
	t->s.control = vpv_control_get(t->f.dev, MLXL_FAMILY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->s.control);
	KUNIT_ASSERT_EQ(test, mlxl_io_prepare(&t->md, &t->io, &t->s, ROOM, DMA_FROM_DEVICE), 0);
}

static int io_test_init(struct kunit *test)
{
	struct io_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	atomic_set(&chunks_freed, 0);
	t->f.len = sizeof(t->io.out);
	t->f.refuse_from = UINT_MAX;
	t->f.dev = root_device_register("vpv-mlx5-io");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->f.dev);
	t->f.dma_mask = DMA_BIT_MASK(64);
	t->f.dev->dma_mask = &t->f.dma_mask;
	t->f.dma = vpv_ctrl_dma_new(t->f.dev);
	KUNIT_ASSERT_NOT_NULL(test, t->f.dma);
	publish(test, t);
	return 0;
}

static void io_test_exit(struct kunit *test)
{
	struct io_test *t = test->priv;

	if (!t)
		return;
	vpv_control_withdraw(t->f.control);
	mlxl_io_free(&t->io);
	vpv_control_put(t->s.control);
	vpv_ctrl_dma_free(t->f.dma);
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

struct bitmap_case {
	const char *name;
	u64 query_pages;
	u32 segments;
	u64 pages;
};

static const struct bitmap_case bitmap_cases[] = {
	{ "as_many_as_the_buffer_has_bits", 1ULL << 40, 4096, MLXL_TRACK_PAGES },
	{ "as_many_as_one_query_takes", 4096, 4096, 4096 },
	{ "as_many_as_fit_into_one_segment", 1ULL << 20, 1,
	  MIN(PAGE_SIZE * BITS_PER_BYTE, MLXL_TRACK_PAGES) },
	{ "segments_without_end", U64_MAX, U32_MAX, MLXL_TRACK_PAGES },
};

static void bitmap_describe(const struct bitmap_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(bitmap, bitmap_cases, bitmap_describe);

/* Each page of the buffer may be a segment of its own. */
static void report_fits_into_the_segments_of_a_command(struct kunit *test)
{
	const struct bitmap_case *c = test->param_value;
	const struct mlxl_caps caps = {
		.query_pages = cpu_to_le64(c->query_pages),
		.segments = cpu_to_le32(c->segments),
	};

	KUNIT_EXPECT_EQ(test, mlxl_io_bitmap_pages(&caps), c->pages);
}

/* Whatever the old controlling function may still do to it. */
static void memory_of_another_controller_is_not_used_again(struct kunit *test)
{
	struct io_test *t = test->priv;

	vpv_control_withdraw(t->f.control);
	vpv_control_put(t->s.control);
	publish(test, t);
	KUNIT_EXPECT_EQ(test, atomic_read(&chunks_freed), 1);
	KUNIT_EXPECT_EQ(test, transfer(t), 0);
}

static struct kunit_case io_cases[] = {
	KUNIT_CASE_PARAM(end_of_a_command_that_is_early, end_gen_params),
	KUNIT_CASE(short_output_is_an_error),
	KUNIT_CASE_PARAM(report_fits_into_the_segments_of_a_command, bitmap_gen_params),
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
