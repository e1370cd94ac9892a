// SPDX-License-Identifier: GPL-2.0
/* Content of memory is loaded from pages of the user. */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/random.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "../../../migration/machine.h"
#include "../../../migration/session_priv.h"
#include "fake_mem.h"

/* Content of a record: 9 pieces, the last one smaller. */
#define BYTES		(VMIG_JOB_PAGES * PAGE)
#define PIECES		DIV_ROUND_UP(BYTES, VMIG_PIECE_BYTES)
#define BAD_PAGE	16	/* in the second piece */

/**
 * struct writer - Somebody who loads
 * @at: His memory.
 * @page: A page of it, the test's, too,
 * @refs: and how many had it then.
 * @bad_at: It goes bad when so many pieces came to the device; 0: it does not.
 * @pieces: Pieces that came to the device,
 * @held: and so many of them from pages that are held.
 * @write: Gives the device what comes.
 */
static struct writer {
	unsigned long at;
	struct page *page;
	int refs;
	unsigned int bad_at;
	unsigned int pieces;
	unsigned int held;
	int (*write)(struct vmig_dev *mig, u64 first, size_t bytes,
		     void (*put)(void *from, void *to, size_t bytes), void *from);
} writer;

static int user_load(struct vmig_dev *mig, u64 first, size_t bytes,
		     void (*put)(void *from, void *to, size_t bytes), void *from)
{
	writer.pieces++;
	if (mig->m->resuming->content.pages)
		writer.held++;
	if (writer.pieces == writer.bad_at)
		SetPageHWPoison(writer.page);
	return writer.write(mig, first, bytes, put, from);
}

/* The content of a record is in memory of the user, @pos bytes behind the begin of a page. */
static void user_begin(struct kunit *test, unsigned int pos, struct file **from, struct file **to)
{
	u32 bytes;

	both_new(test);
	writer = (struct writer){ .write = pages_ops.write };
	pages_ops.write = user_load;
	get_random_bytes(src.data, BYTES);
	KUNIT_ASSERT_EQ(test, fake_go(dst.fake, E(RESUMING), to), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src.fake, E(STOP_COPY), from), 0);
	bytes = move_front(test, *from, *to);
	KUNIT_ASSERT_EQ(test, bytes, (u32)(CONTENT + BYTES));
	read_all(test, *from, piece, CONTENT);
	KUNIT_ASSERT_EQ(test, fake_write(*to, piece, CONTENT), (ssize_t)CONTENT);

	writer.at = kunit_vm_mmap(test, NULL, 0, BYTES + PAGE, PROT_READ | PROT_WRITE,
				  MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_LT(test, writer.at, (unsigned long)TASK_SIZE);
	writer.at += pos;
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)writer.at, src.data, BYTES), 0UL);
	KUNIT_ASSERT_EQ(test, 1, get_user_pages_fast((writer.at & PAGE_MASK) + BAD_PAGE * PAGE, 1,
						     0, &writer.page));
	writer.refs = page_ref_count(writer.page);
}

static void user_end(struct kunit *test, struct file *from, struct file *to)
{
	fake_close(from);
	fake_close(to);
	KUNIT_EXPECT_LE(test, page_ref_count(writer.page), writer.refs);
	ClearPageHWPoison(writer.page);
	put_page(writer.page);
}

static ssize_t user_write_at(struct file *to, size_t pos, size_t bytes)
{
	struct kiocb iocb;
	struct iov_iter iter;

	init_sync_kiocb(&iocb, to);
	iov_iter_ubuf(&iter, ITER_SOURCE, (void __user *)(writer.at + pos), bytes);
	return to->f_op->write_iter(&iocb, &iter);
}

/* What is at @at, at most @step bytes at once; only the last write may fail. */
static ssize_t user_write(struct kunit *test, struct file *to, size_t step)
{
	ssize_t n = 0;

	for (size_t pos = 0; pos < BYTES && n >= 0; pos += step) {
		size_t bytes = min_t(size_t, step, BYTES - pos);

		n = user_write_at(to, pos, bytes);
		if (n >= 0)
			KUNIT_ASSERT_EQ(test, n, (ssize_t)bytes);
	}
	return n < 0 ? n : 0;
}

static const struct user_case {
	const char *name;
	unsigned int pos;
	size_t step;
	unsigned int held;
} user_cases[] = {
	{ "whole_pages", 0, BYTES, PIECES },
	{ "aligned", sizeof(u64), BYTES, PIECES },
	{ "last_word_of_a_page", PAGE - sizeof(u64), BYTES, PIECES },
	{ "not_aligned", 3, BYTES, 0 },
	{ "in_small_pieces", 0, PAGE, 0 },
	{ "in_pieces", 0, VMIG_PIECE_BYTES, PIECES },
};

static void user_name(const struct user_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(user, user_cases, user_name);

static void content_comes_from_pages_of_the_user(struct kunit *test)
{
	const struct user_case *c = test->param_value;
	struct file *from = NULL, *to = NULL;

	user_begin(test, c->pos, &from, &to);
	KUNIT_EXPECT_EQ(test, user_write(test, to, c->step), 0L);
	KUNIT_EXPECT_EQ(test, writer.pieces, (unsigned int)PIECES);
	KUNIT_EXPECT_EQ(test, writer.held, c->held);
	KUNIT_EXPECT_EQ(test, memcmp(dst.data, src.data, BYTES), 0);
	KUNIT_EXPECT_EQ(test, dst.fake->mig.m->resuming->content.pages, 0);
	user_end(test, from, to);
}

/* A byte in the middle: the sum is that of what the device got. */
static void damaged_content_of_the_user_is_refused(struct kunit *test)
{
	const struct user_case *c = test->param_value;
	struct file *from = NULL, *to = NULL, *none = NULL;
	const size_t at = BYTES / 2 + 5;
	u8 byte;

	user_begin(test, c->pos, &from, &to);
	byte = src.data[at] ^ 4;
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)(writer.at + at), &byte, 1), 0UL);
	KUNIT_EXPECT_EQ(test, user_write(test, to, c->step), (ssize_t)-EBADMSG);
	KUNIT_EXPECT_EQ(test, dst.data[at], byte);
	KUNIT_EXPECT_EQ(test, fake_go(dst.fake, E(STOP), &none), -EBADMSG);
	user_end(test, from, to);
}

/* A page that is not there is faulted in by whoever copies it, or is missing. */
static void page_of_the_user_that_is_missing_is_not_held(struct kunit *test)
{
	struct file *from = NULL, *to = NULL;
	ssize_t n;

	user_begin(test, 0, &from, &to);
	KUNIT_ASSERT_EQ(test, vm_munmap(writer.at + (BAD_PAGE + 1) * PAGE, PAGE), 0);
	KUNIT_EXPECT_EQ(test, user_write_at(to, 0, VMIG_PIECE_BYTES), (ssize_t)VMIG_PIECE_BYTES);
	n = user_write_at(to, VMIG_PIECE_BYTES, VMIG_PIECE_BYTES);
	KUNIT_EXPECT_TRUE(test, n == -EFAULT || (n > 0 && n < VMIG_PIECE_BYTES));
	KUNIT_EXPECT_EQ(test, writer.pieces, 1U);
	KUNIT_EXPECT_EQ(test, writer.held, 1U);
	KUNIT_EXPECT_EQ(test, dst.fake->mig.m->resuming->content.pages, 0);
	user_end(test, from, to);
}

/* ---- A page of the user is bad ---- */

static void bad_begin(struct kunit *test, struct file **from, struct file **to)
{
	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		kunit_skip(test, "this kernel knows of no bad pages");
	user_begin(test, 0, from, to);
}

/* It is copied on behalf of the user, who dies of the error if there is one. */
static void bad_page_of_the_user_is_not_held(struct kunit *test)
{
	struct file *from = NULL, *to = NULL;

	bad_begin(test, &from, &to);
	SetPageHWPoison(writer.page);
	KUNIT_EXPECT_EQ(test, user_write(test, to, BYTES), 0L);
	KUNIT_EXPECT_EQ(test, writer.held, (unsigned int)PIECES - 1);
	KUNIT_EXPECT_EQ(test, memcmp(dst.data, src.data, BYTES), 0);
	user_end(test, from, to);
}

/* While the device is waited for. */
static void held_page_that_goes_bad_is_not_read(struct kunit *test)
{
	const size_t behind = (BAD_PAGE + 1) * PAGE;
	struct file *from = NULL, *to = NULL, *none = NULL;

	bad_begin(test, &from, &to);
	writer.bad_at = 2;
	KUNIT_EXPECT_EQ(test, user_write(test, to, BYTES), (ssize_t)-EHWPOISON);
	KUNIT_EXPECT_EQ(test, writer.pieces, 2U);
	KUNIT_EXPECT_EQ(test, memcmp(dst.data, src.data, BAD_PAGE * PAGE), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(dst.data + BAD_PAGE * PAGE, 0, PAGE));
	KUNIT_EXPECT_EQ(test, memcmp(dst.data + behind, src.data + behind,
				     2 * VMIG_PIECE_BYTES - behind), 0);
	KUNIT_EXPECT_EQ(test, fake_go(dst.fake, E(STOP), &none), -EHWPOISON);
	KUNIT_EXPECT_EQ(test, fake_get(dst.fake), (int)E(ERROR));
	user_end(test, from, to);
}

static struct kunit_case pages_user_cases[] = {
	KUNIT_CASE_PARAM(content_comes_from_pages_of_the_user, user_gen_params),
	KUNIT_CASE_PARAM(damaged_content_of_the_user_is_refused, user_gen_params),
	KUNIT_CASE(page_of_the_user_that_is_missing_is_not_held),
	KUNIT_CASE(bad_page_of_the_user_is_not_held),
	KUNIT_CASE(held_page_that_goes_bad_is_not_read),
	{}
};

static struct kunit_suite pages_user_suite = {
	.name = "migration_pages_user",
	.init = memory_init,
	.exit = memory_exit,
	.test_cases = pages_user_cases,
};

kunit_test_suite(pages_user_suite);
