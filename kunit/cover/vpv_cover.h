/* SPDX-License-Identifier: GPL-2.0 */
/* What instrumented modules call; no source of theirs names it, see block.h. */
#ifndef VPV_COVER_H
#define VPV_COVER_H

/**
 * vpv_cover_block - A basic block begins
 *
 * Context: Any, with any locks held.
 */
void vpv_cover_block(void);

#endif
