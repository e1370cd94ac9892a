// SPDX-License-Identifier: GPL-2.0
/*
 * Gives a range of physical addresses struct pages for selftests, as the driver of a memory device
 * does, but claims no resource: only the struct pages tell that somebody has it.
 *
 *	echo "0x140000000 0x200000" > /sys/module/vpv_test_pages/parameters/range
 *
 * Address and size are multiples of 2 MiB.  The next range replaces it; "0 0" is none.
 */
#include <linux/memremap.h>
#include <linux/module.h>
#include <linux/numa.h>

static struct dev_pagemap pages;

static void give_back(void)
{
	if (pages.nr_range)
		memunmap_pages(&pages);
	memset(&pages, 0, sizeof(pages));
}

/* Under the lock of the module's parameters. */
static int range_set(const char *val, const struct kernel_param *kp)
{
	u64 first, bytes;
	void *at;

	if (sscanf(val, "%lli %lli", &first, &bytes) != 2)
		return -EINVAL;
	give_back();
	if (!bytes)
		return 0;
	pages.type = MEMORY_DEVICE_GENERIC;
	pages.nr_range = 1;
	pages.range.start = first;
	pages.range.end = first + bytes - 1;
	at = memremap_pages(&pages, NUMA_NO_NODE);
	if (!IS_ERR(at))
		return 0;
	pages.nr_range = 0;
	return PTR_ERR(at);
}

static const struct kernel_param_ops range_ops = { .set = range_set };
module_param_cb(range, &range_ops, NULL, 0200);
MODULE_PARM_DESC(range, "address and size of what has struct pages");

static int __init pages_init(void)
{
	return 0;
}
module_init(pages_init);

static void __exit pages_exit(void)
{
	give_back();
}
module_exit(pages_exit);

MODULE_DESCRIPTION("Struct pages of memory that nobody has claimed, for selftests");
MODULE_LICENSE("GPL");
