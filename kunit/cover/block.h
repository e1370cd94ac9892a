/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included first in every file that is built with COVER=1: what the compiler calls at the
 * beginning of each block is ours, also if the kernel has KCOV, which knows the name, too.
 */
#ifndef VPV_COVER_BLOCK_H
#define VPV_COVER_BLOCK_H

asm(".set __sanitizer_cov_trace_pc, vpv_cover_block");

#endif
