/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one header that a pure file includes for its environment: types, errnos,
 * byte order, bounds helpers and checksums, in the kernel and on the host.
 *
 * A pure file takes no lock, does no I/O, allocates nothing and exports nothing.
 * It is compiled into its module, into its KUnit suite (which includes the .c
 * file) and on the host under ASan and UBSan (tests, fuzzers, vpvctl).
 */
#ifndef VPV_PURE_H
#define VPV_PURE_H

#ifdef __KERNEL__

#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#else
#include "vpv_host.h"
#endif

#endif /* VPV_PURE_H */
