// SPDX-License-Identifier: GPL-2.0
/*
 * linux/leafops.h: who walks page tables asks what an entry is (after 6.12).  Such kernels take no
 * struct page from a huge entry before they know that there is one.
 */
#include <linux/leafops.h>

int probe(pmd_t pmd);

int probe(pmd_t pmd)
{
	return pmd_is_valid_softleaf(pmd);
}
