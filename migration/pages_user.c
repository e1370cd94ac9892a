// SPDX-License-Identifier: GPL-2.0
/*
 * Load sessions: content of memory on its way to the device, from a buffer of the library or
 * straight from pages of the user.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "session_priv.h"

static bool all_good(const struct vmig_content *c)
{
	for (int i = 0; i < c->pages; i++)
		if (is_page_hwpoison(c->page[i]))
			return false;
	return true;
}

/**
 * vmig_content_hold() - Take the next piece of content from where the user has it
 * @s: Load session; io_lock is held.
 * @from: What the user writes; not advanced.
 *
 * Only if all of the piece is there, in whole words, the pages can be had without waiting for a
 * page fault, and none is known to be bad.  Otherwise it is collected in the session's buffer.
 * The user may write the pages while they are held: every word is read once.
 *
 * Return: bytes, to be released by vmig_content_release(); or 0.
 */
size_t vmig_content_hold(struct vmig_session *s, const struct iov_iter *from)
{
	struct vmig_content *c = &s->content;
	size_t bytes = vmig_parse_piece(&s->parser);
	unsigned long at;
	int got;

	if (!bytes || !iter_is_ubuf(from) || iov_iter_count(from) < bytes)
		return 0;
	at = (unsigned long)from->ubuf + from->iov_offset;
	if (!IS_ALIGNED(at, sizeof(u64)))
		return 0;
	c->pos = offset_in_page(at);
	c->pages = DIV_ROUND_UP(c->pos + bytes, PAGE_SIZE);
	got = get_user_pages_fast_only(at - c->pos, c->pages, 0, c->page);
	if (got == c->pages && all_good(c))
		return bytes;
	c->pages = max(got, 0);
	vmig_content_release(s);
	return 0;
}

/**
 * vmig_content_release() - Release pages of the user
 * @s: Load session; there may be none.
 */
void vmig_content_release(struct vmig_session *s)
{
	struct vmig_content *c = &s->content;

	while (c->pages)
		put_page(c->page[--c->pages]);
}

/* @to: NULL: only the sum. */
static void move(struct vmig_content *c, struct vmig_sum *sum, void *to, const void *from,
		 size_t bytes)
{
	if (to)
		vmig_sum_copy(sum, to, from, bytes);
	else
		vmig_sum_add(sum, from, bytes);
	c->pos += bytes;
}

/*
 * The same from a page that is held.  It may have become bad while the device was waited for: an
 * error that the kernel meets at an address of its own ends the kernel.
 */
static void move_held(struct vmig_content *c, struct vmig_sum *sum, void *to, size_t bytes)
{
	struct page *page = c->page[c->pos >> PAGE_SHIFT];
	const void *from;

	if (is_page_hwpoison(page)) {
		c->bad = true;
		c->pos += bytes;
		if (to)
			memset(to, 0, bytes);
		return;
	}
	from = kmap_local_page(page);
	move(c, sum, to, from + offset_in_page(c->pos), bytes);
	kunmap_local(from);
}

/**
 * vmig_content_move() - Move the next bytes of a piece to where they belong
 * @s: Load session with a piece; state_lock is held.
 * @to: Kernel memory; NULL: nowhere, only the sum is made.
 * @bytes: Their number, whole words.
 *
 * Context: does not sleep.
 */
void vmig_content_move(struct vmig_session *s, void *to, size_t bytes)
{
	struct vmig_content *c = &s->content;
	struct vmig_sum *sum = &s->parser.sum;

	if (!c->pages) {
		move(c, sum, to, s->piece + c->pos, bytes);
		return;
	}
	for (size_t n, left = bytes; left; left -= n) {
		n = min_t(size_t, left, PAGE_SIZE - offset_in_page(c->pos));
		move_held(c, sum, to, n);
		to = to ? to + n : NULL;
	}
}
