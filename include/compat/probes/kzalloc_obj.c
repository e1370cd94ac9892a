// SPDX-License-Identifier: GPL-2.0
/* linux/slab.h: allocation by type (after 6.12). */
#include <linux/slab.h>

int *probe(void)
{
	return kzalloc_obj(int, GFP_KERNEL);
}
