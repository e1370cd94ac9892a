/* SPDX-License-Identifier: GPL-2.0 */
/* The end of a buffer, which may come in either of the drivers. */
#ifndef MLXL_BUF_H
#define MLXL_BUF_H

#include <linux/slab.h>

#include <vpv/migration.h>

#include "control.h"

/* Drop a reference to a buffer; the last one frees it, and it must not be mapped. */
static inline void mlxl_buf_put(struct mlxl_buf *buf)
{
	if (!refcount_dec_and_test(&buf->refs))
		return;
	sg_free_table(&buf->sgt);
	vmig_chunk_put(buf->chunk);
	kfree(buf);
}

#endif /* MLXL_BUF_H */
