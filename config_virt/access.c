// SPDX-License-Identifier: GPL-2.0
/*
 * The exports of vpv_config: memory and lock around the pure engine.
 *
 * Lock order: vcfg_dev.lock, then whatever the host's operations take, which for
 * vpv_core is memory_lock and the lock of the interrupts.  So nobody may call
 * vcfg_read() or vcfg_write() with one of these held, and a reset that the user
 * asks for through config space runs inside vcfg_dev.lock.  vcfg_command() and
 * vcfg_find_cap() take no lock.
 *
 * vcfg_command() may lag behind the host's command operation: whoever decides
 * about mappings under memory_lock keeps there what that operation told him.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "vcfg.h"

struct vcfg_dev {
	/* Guards @space and @mem; @space.command may be read without it. */
	struct mutex lock;
	struct vcfg_space space;
	u8 mem[];
};

static bool desc_valid(const struct vcfg_desc *desc, const struct vcfg_host_ops *ops)
{
	return (desc->bytes == VCFG_STD_BYTES || desc->bytes == VCFG_MAX_BYTES) &&
	       ops->read && ops->write && ops->command && ops->power && ops->flr &&
	       ops->irq && ops->restore_bars;
}

struct vcfg_dev *vcfg_create(const struct vcfg_desc *desc,
			     const struct vcfg_host_ops *ops, void *host)
{
	struct vcfg_dev *cfg;
	int err;

	if (!desc_valid(desc, ops))
		return ERR_PTR(-EINVAL);
	cfg = kvzalloc(struct_size(cfg, mem, vcfg_space_mem(desc->bytes)),
		       GFP_KERNEL_ACCOUNT);
	if (!cfg)
		return ERR_PTR(-ENOMEM);
	mutex_init(&cfg->lock);
	err = vcfg_space_init(&cfg->space, desc, ops, host, cfg->mem);
	if (!err)
		return cfg;
	if (cfg->space.why)
		pr_warn_ratelimited("vpv_config: refused: %s\n", cfg->space.why);
	vcfg_destroy(cfg);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(vcfg_create);

void vcfg_destroy(struct vcfg_dev *cfg)
{
	if (!cfg)
		return;
	mutex_destroy(&cfg->lock);
	kvfree(cfg);
}
EXPORT_SYMBOL_GPL(vcfg_destroy);

int vcfg_read(struct vcfg_dev *cfg, unsigned int pos, void *buf, unsigned int bytes)
{
	guard(mutex)(&cfg->lock);
	return vcfg_space_read(&cfg->space, pos, buf, bytes);
}
EXPORT_SYMBOL_GPL(vcfg_read);

int vcfg_write(struct vcfg_dev *cfg, unsigned int pos, const void *buf,
	       unsigned int bytes)
{
	guard(mutex)(&cfg->lock);
	return vcfg_space_write(&cfg->space, pos, buf, bytes);
}
EXPORT_SYMBOL_GPL(vcfg_write);

u16 vcfg_command(const struct vcfg_dev *cfg)
{
	return READ_ONCE(cfg->space.command);
}
EXPORT_SYMBOL_GPL(vcfg_command);

/* Headers do not change after creation. */
unsigned int vcfg_find_cap(const struct vcfg_dev *cfg, unsigned int id, bool ext)
{
	return vcfg_caps_find(&cfg->space, id, ext);
}
EXPORT_SYMBOL_GPL(vcfg_find_cap);

MODULE_DESCRIPTION("Configuration space of assigned PCI devices, as the user sees it");
MODULE_LICENSE("GPL");
