// SPDX-License-Identifier: GPL-2.0
/*
 * The exports of vpv_config: memory and lock around the pure engine.
 *
 * Lock order: vcfg_dev.lock, then whatever the host's operations take, which for
 * vpv_core is memory_lock and the lock of the interrupts.  So vcfg_read() and
 * vcfg_write() must not be called with one of these held, and a reset that the user
 * asks for through config space runs inside vcfg_dev.lock.  vcfg_command() and
 * vcfg_find_cap() take no lock.
 *
 * vcfg_command() may lag behind the host's command operation: for decisions about
 * mappings the host keeps a copy of its own under memory_lock.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "persona_load.h"
#include "vcfg.h"

struct vcfg_dev {
	/* Guards @space and @mem; @space.command may be read without it. */
	struct mutex lock;
	struct vcfg_space space;
	struct vcfg_persona *persona;
	void *mem;
};

static bool desc_valid(const struct vcfg_desc *desc, const struct vcfg_host_ops *ops)
{
	return (desc->bytes == VCFG_STD_BYTES || desc->bytes == VCFG_MAX_BYTES) &&
	       desc->num_callbacks <= VPV_PERSONA_MAX_CALLBACKS &&
	       ops->read && ops->write && ops->command && ops->power && ops->readrq &&
	       ops->flr && ops->irq && ops->restore_bars;
}

static int persona_init(struct vcfg_dev *cfg, const struct vcfg_desc *desc,
			const struct vcfg_host_ops *ops, void *host, char *why)
{
	struct vcfg_fitting *fit = kvzalloc_obj(*fit, GFP_KERNEL_ACCOUNT);
	int err;

	if (!fit)
		return -ENOMEM;
	err = vcfg_persona_probe(desc, ops, host, fit);
	if (!err)
		err = vcfg_persona_space(&cfg->space, desc, ops, host, cfg->mem, fit);
	if (err && fit->why.text)
		vcfg_persona_explain(&fit->why, why);
	kvfree(fit);
	return err;
}

/* Reads of a function that has gone have no error, and say nothing but ones. */
static bool is_gone(const struct vcfg_host_ops *ops, void *host)
{
	u32 val = 0;

	return !ops->read(host, PCI_CACHE_LINE_SIZE, 4, &val) && val == ~0U;
}

static int space_init(struct vcfg_dev *cfg, const struct vcfg_desc *desc,
		      const struct vcfg_host_ops *ops, void *host, char *why)
{
	int err;

	if (desc->persona)
		err = persona_init(cfg, desc, ops, host, why);
	else
		err = vcfg_space_init(&cfg->space, desc, ops, host, cfg->mem);
	if (err && cfg->space.why)
		strscpy(why, cfg->space.why, VCFG_WHY_BYTES);
	if (!err && desc->view)
		err = vcfg_view_build(&cfg->space);
	/* Whatever was made of what it said: it has gone meanwhile. */
	if (err != -ENODEV && is_gone(ops, host)) {
		strscpy(why, "device does not answer any more", VCFG_WHY_BYTES);
		err = -ENODEV;
	}
	return err;
}

/* Much less memory for most; all of it is good as well. */
static void space_pack(struct vcfg_dev *cfg)
{
	size_t bytes = vcfg_space_packed(&cfg->space);
	void *mem = bytes ? kvmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN) : NULL;

	if (!mem)
		return;
	vcfg_space_pack(&cfg->space, mem);
	kvfree(cfg->mem);
	cfg->mem = mem;
}

struct vcfg_dev *vcfg_create(const struct vcfg_desc *desc,
			     const struct vcfg_host_ops *ops, void *host,
			     char why[VCFG_WHY_BYTES])
{
	gfp_t zero = desc->persona || desc->view ? __GFP_ZERO : 0;
	struct vcfg_dev *cfg;
	int err = -ENOMEM;

	why[0] = 0;
	if (!desc_valid(desc, ops))
		return ERR_PTR(-EINVAL);
	cfg = kzalloc_obj(*cfg, GFP_KERNEL_ACCOUNT);
	if (!cfg)
		return ERR_PTR(-ENOMEM);
	mutex_init(&cfg->lock);
	if (desc->persona)
		cfg->persona = vcfg_persona_get(desc->persona);
	cfg->mem = kvmalloc(vcfg_space_mem(desc), GFP_KERNEL_ACCOUNT | zero);
	if (cfg->mem)
		err = space_init(cfg, desc, ops, host, why);
	if (err) {
		vcfg_destroy(cfg);
		return ERR_PTR(err);
	}
	space_pack(cfg);
	return cfg;
}
EXPORT_SYMBOL_GPL(vcfg_create);

void vcfg_destroy(struct vcfg_dev *cfg)
{
	if (!cfg)
		return;
	vcfg_persona_put(cfg->persona);
	mutex_destroy(&cfg->lock);
	kvfree(cfg->mem);
	kfree(cfg);
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

/* Constant after creation. */
unsigned int vcfg_bytes(const struct vcfg_dev *cfg)
{
	return cfg->space.bytes;
}
EXPORT_SYMBOL_GPL(vcfg_bytes);

/* The view is constant after creation, too: no lock. */
int vcfg_view(struct vcfg_dev *cfg, void *buf, size_t room)
{
	return cfg->space.known ? vcfg_view_write(&cfg->space, buf, room) : -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(vcfg_view);

int vcfg_check_view(struct vcfg_dev *cfg, const void *buf, size_t bytes,
		    struct vmig_diff *diff)
{
	if (!cfg->space.known)
		return vcfg_words_differ(diff, -EOPNOTSUPP, "view of config space",
					 VCFG_NOWHERE, 0, 1);
	return vcfg_view_check(&cfg->space, buf, bytes, diff);
}
EXPORT_SYMBOL_GPL(vcfg_check_view);

/* What a persona says is constant. */
bool vcfg_emulates(const struct vcfg_dev *cfg)
{
	return vcfg_state_needed(&cfg->space);
}
EXPORT_SYMBOL_GPL(vcfg_emulates);

int vcfg_save(struct vcfg_dev *cfg, void *buf, size_t room)
{
	if (!cfg->space.state)
		return -EOPNOTSUPP;
	guard(mutex)(&cfg->lock);
	return vcfg_state_write(&cfg->space, buf, room);
}
EXPORT_SYMBOL_GPL(vcfg_save);

int vcfg_load(struct vcfg_dev *cfg, const void *buf, size_t bytes,
	      struct vmig_diff *diff)
{
	if (!cfg->space.state)
		return vcfg_words_differ(diff, -EOPNOTSUPP, "state of config space",
					 VCFG_NOWHERE, 0, 1);
	guard(mutex)(&cfg->lock);
	return vcfg_state_load(&cfg->space, buf, bytes, diff);
}
EXPORT_SYMBOL_GPL(vcfg_load);

MODULE_DESCRIPTION("Configuration space of assigned PCI devices, as the user sees it");
MODULE_LICENSE("GPL");
