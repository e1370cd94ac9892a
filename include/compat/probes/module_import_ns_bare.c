// SPDX-License-Identifier: GPL-2.0
/* linux/module.h: a namespace is a bare word, not a string (6.12 and before). */
#include <linux/module.h>

MODULE_IMPORT_NS(IOMMUFD);
