// SPDX-License-Identifier: GPL-2.0
/*
 * Which basic blocks of our modules have run.  Modules that are built with COVER=1 call
 * vpv_cover_block() at the beginning of each block (block.h).  KCOV would see what one task does,
 * no interrupts, workers and other processes, and not all kernels have it.  /dev/vpv_cover has
 *
 * - for read(): the address after each such call that was executed since this module was loaded,
 *   by whomever, 64 bits each, with zeroes in between;
 * - for mmap(): one byte a block that counts how often the task that has mapped it came by.  It is
 *   what libFuzzer takes for coverage, and to be cleared by its user.
 */
#include <linux/bits.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "vpv_cover.h"

#define COVER_BITS	16
#define COVER_BLOCKS	BIT(COVER_BITS)

/* A hash table of addresses, which are never removed, and the counter of each. */
static unsigned long cover_blocks[COVER_BLOCKS];
static u8 *cover_counters;
static struct task_struct *cover_task;

void notrace vpv_cover_block(void)
{
	unsigned long block = _RET_IP_;
	u32 at = hash_long(block, COVER_BITS);
	unsigned int left = COVER_BLOCKS;
	unsigned long have;

	/* A full table forgets what comes late. */
	for (; left; left--, at = (at + 1) % COVER_BLOCKS) {
		have = READ_ONCE(cover_blocks[at]);
		if (!have)
			have = cmpxchg(&cover_blocks[at], 0, block) ?: block;
		if (have == block)
			break;
	}
	if (left && in_task() && current == READ_ONCE(cover_task) && cover_counters[at] < U8_MAX)
		cover_counters[at]++;
}
EXPORT_SYMBOL_GPL(vpv_cover_block);

static ssize_t cover_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	return simple_read_from_buffer(buf, count, pos, cover_blocks, sizeof(cover_blocks));
}

static int cover_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err = remap_vmalloc_range(vma, cover_counters, vma->vm_pgoff);

	if (!err)
		WRITE_ONCE(cover_task, current);
	return err;
}

/* The task is compared only, it may be gone; another user may have mapped it since. */
static int cover_release(struct inode *inode, struct file *file)
{
	cmpxchg(&cover_task, current, NULL);
	return 0;
}

static const struct file_operations cover_fops = {
	.owner = THIS_MODULE,
	.read = cover_read,
	.mmap = cover_mmap,
	.release = cover_release,
};

static struct miscdevice cover_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &cover_fops,
	.mode = 0600,
};

static int __init cover_init(void)
{
	int err;

	cover_counters = vmalloc_user(COVER_BLOCKS);
	if (!cover_counters)
		return -ENOMEM;
	err = misc_register(&cover_device);
	if (err)
		vfree(cover_counters);
	return err;
}
module_init(cover_init);

static void __exit cover_exit(void)
{
	misc_deregister(&cover_device);
	vfree(cover_counters);
}
module_exit(cover_exit);

MODULE_DESCRIPTION("Coverage of our modules, for tests");
MODULE_LICENSE("GPL");
