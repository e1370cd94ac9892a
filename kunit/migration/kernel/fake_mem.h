/* SPDX-License-Identifier: GPL-2.0 */
/* A fake device with memory that is written while it is migrated, and a destination. */
#ifndef FAKE_MEM_H
#define FAKE_MEM_H

#include <linux/bitmap.h>

#include "fake_dev.h"

#define E(state)	VFIO_DEVICE_STATE_##state
#define PAGE		((u64)VPV_PAGE_BYTES)
#define PIECE_BYTES	50000
#define PAGES		701U
#define MAX_QUEUED	(4 * VPV_PAGES_DATA_BYTES)	/* less than these have */
#define MOST_PAGES	(PAGES + 20)
/* Where the content of a PAGES record with one run begins. */
#define CONTENT		(sizeof(struct vpv_stream_pages) + sizeof(struct vpv_stream_run))

/**
 * struct mem - Memory of a fake device
 * @fake: The device.
 * @extra: Pages more in the last range.
 * @data: Content, range after range.
 * @copied: What reads gave last, page by page; NULL: nobody wants to know.  Then each read leaves
 *	something else there.
 * @lock: Guards what follows.
 * @log: Pages that were written and not reported.
 * @armed: Pages of which a write is seen, if @by_cpu.
 * @by_cpu: Writes are seen from protect on, and once; otherwise all of them.
 * @tracking: Between start and stop.
 * @frozen: Nothing writes.
 * @seed: Of what is written.
 * @burst: Most writes before and behind each read.
 * @layouts, @starts, @stops, @harvests, @reads: Calls of hooks.
 * @pages_read: Pages that were read.
 * @busy, @most_busy: Reads at the same time.
 * @meet: A read waits for another one.
 * @stall: Reads wait for @go, and say @there.
 * @read_err, @write_err, @start_err, @layout_err: What hooks return.
 * @harvest_err: Likewise, once.
 */
struct mem {
	struct fake *fake;
	unsigned int extra;
	u8 *data;
	u8 *copied;
	spinlock_t lock;
	unsigned long log[BITS_TO_LONGS(MOST_PAGES)];
	unsigned long armed[BITS_TO_LONGS(MOST_PAGES)];
	bool by_cpu;
	bool tracking;
	bool frozen;
	u32 seed;
	unsigned int burst;
	unsigned int layouts;
	unsigned int starts;
	unsigned int stops;
	unsigned int harvests;
	unsigned int reads;
	unsigned int pages_read;
	unsigned int busy;
	unsigned int most_busy;
	bool meet;
	bool stall;
	struct completion there;
	struct completion go;
	int read_err;
	int write_err;
	int start_err;
	int layout_err;
	int harvest_err;
};

extern struct mem src, dst;

extern u8 *piece;	/* of a stream */
extern struct vmig_ops mem_ops;		/* those of fake_ops, without pre-copy of its own */
extern struct vmig_pages_ops pages_ops;
extern struct vmig_desc mem_desc;

int memory_init(struct kunit *test);
void memory_exit(struct kunit *test);
struct fake *mem_new(struct kunit *test, struct mem *mem, const char *name,
		     const struct vmig_desc *desc);
void both_new(struct kunit *test);
u32 random_of(struct mem *mem, u32 below);
void mem_write(struct mem *mem);
int mem_protect(struct vmig_dev *mig, const struct vmig_range *part);
ssize_t pump(struct kunit *test, struct file *from, struct file *to, size_t most);
void expect_same(struct kunit *test, u32 seed);
void finish(struct kunit *test, struct file *from, struct file *to, u32 seed);
void read_all(struct kunit *test, struct file *from, void *to, size_t bytes);
u32 move_front(struct kunit *test, struct file *from, struct file *to);

#endif /* FAKE_MEM_H */
