/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver of hisi_like functions (module vpv_hisi_like), inside.
 */
#ifndef HISI_LIKE_H
#define HISI_LIKE_H

#include <vpv/core.h>
#include <vpv/migration.h>
#include "match.h"

/**
 * struct hisil_staged - Contexts of a stream, until it is complete
 * @global: The global context has come.
 * @queues: Which queue contexts have come.
 * @bytes: Size of each.
 * @ctx: The queue contexts.
 * @global_ctx: The global context.
 */
struct hisil_staged {
	bool global;
	u64 queues;
	u16 bytes[HISIL_MAX_QUEUES];
	u8 ctx[HISIL_MAX_QUEUES][HISIL_MAX_CTX_BYTES];
	struct hisil_global_ctx global_ctx;
};

/**
 * struct hisil_dev - One function
 * @vpv: What the core knows; first.
 * @mig: What the migration library knows.
 * @id: What the control page says of the function; set by open.
 * @cp_lock: Guards the selector, the command and the window of the control
 *	page.  Innermost but for the core's memory_lock, taken under it by
 *	vpv_mmio_begin(); never held while a record is emitted.
 * @staged: Between load_begin and load_end; only hooks touch it, and the library
 *	never runs two of them at a time.
 */
struct hisil_dev {
	struct vpv_device vpv;
	struct vmig_dev mig;
	struct hisil_ident id;
	struct mutex cp_lock;	/* selector, command, window */
	struct hisil_staged *staged;
};

static inline struct hisil_dev *hisil_from_vpv(struct vpv_device *vpv)
{
	return container_of(vpv, struct hisil_dev, vpv);
}

static inline struct hisil_dev *hisil_from_mig(struct vmig_dev *mig)
{
	return container_of(mig, struct hisil_dev, mig);
}

/* hw.c */
int hisil_hw_identify(struct hisil_dev *hd, struct hisil_ident *id);
int hisil_hw_pause(struct hisil_dev *hd);
int hisil_hw_resume(struct hisil_dev *hd);
int hisil_hw_freeze(struct hisil_dev *hd);
int hisil_hw_thaw(struct hisil_dev *hd);
int hisil_hw_ctx_read(struct hisil_dev *hd, u32 sel, void *buf, size_t room, size_t *bytes);
int hisil_hw_ctx_bytes(struct hisil_dev *hd, u32 sel, u32 *bytes);
int hisil_hw_ctx_write(struct hisil_dev *hd, u32 sel, const void *buf, size_t bytes);
int hisil_hw_ctx_clear(struct hisil_dev *hd);

/* migrate.c */
extern const struct vmig_ops hisil_mig_ops;
extern const struct vmig_desc hisil_mig_desc;
void hisil_unstage(struct hisil_dev *hd);

#endif /* HISI_LIKE_H */
