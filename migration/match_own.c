// SPDX-License-Identifier: GPL-2.0
/*
 * Match data of this device: its hook writes it for every session, and what it wrote last is
 * kept for debugfs.
 */
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>

#include "machine.h"
#include "match.h"

static size_t own_bytes(const struct vmig_desc *desc)
{
	return desc->match_bytes + desc->match_local_bytes;
}

/**
 * vmig_match_own() - Have the device write its match data
 * @m: Machine.
 *
 * Context: state_lock, where vmig_ops.match may be called.
 * Return: what the hook wrote, for kfree(); NULL for a family without match data; or an
 * ERR_PTR().
 */
void *vmig_match_own(struct vmig_machine *m)
{
	size_t bytes = own_bytes(m->mig->desc);
	void *own;
	int err;

	if (!bytes)
		return NULL;
	own = kzalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!own)
		return ERR_PTR(-ENOMEM);
	err = m->mig->ops->match(m->mig, own);
	if (err) {
		kfree(own);
		return ERR_PTR(err);
	}
	spin_lock(&m->lock);
	memcpy(m->match, own, bytes);
	m->match_known = true;
	spin_unlock(&m->lock);
	return own;
}

static void put_value(struct seq_file *s, const struct vmig_match_field *f, const void *own,
		      u32 offset)
{
	if (f->rule == VMIG_MATCH_TEXT)
		seq_escape_mem(s, own + offset, strnlen(own + offset, f->bytes),
			       ESCAPE_NP | ESCAPE_HEX | ESCAPE_APPEND, "\\");
	else
		seq_printf(s, "%llu", vmig_match_value(own, offset, f->bytes));
}

/**
 * vmig_match_print() - Print the match data that the device wrote last
 * @m: Machine.
 * @s: Receives a line for each field of it; nothing before the first session.
 *
 * Return: 0 or -ENOMEM.
 */
int vmig_match_print(struct vmig_machine *m, struct seq_file *s)
{
	const struct vmig_desc *desc = m->mig->desc;
	void *own = kzalloc(own_bytes(desc), GFP_KERNEL);
	bool known;

	if (!own)
		return -ENOMEM;
	spin_lock(&m->lock);
	known = m->match_known;
	if (known)
		memcpy(own, m->match, own_bytes(desc));
	spin_unlock(&m->lock);
	for (unsigned int i = 0; known && i < desc->num_match_fields; i++) {
		const struct vmig_match_field *f = &desc->match_fields[i];

		seq_printf(s, "%s\t%s\t", vmig_match_rule_name(f->rule), f->name);
		put_value(s, f, own, f->offset);
		seq_putc(s, '\t');
		put_value(s, f, own, f->here);
		seq_putc(s, '\n');
	}
	kfree(own);
	return 0;
}
