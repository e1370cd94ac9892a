// SPDX-License-Identifier: GPL-2.0
/*
 * Save sessions: what every stream begins with, for the destination to refuse by.
 */
#include <linux/slab.h>

#include "session_priv.h"

static int emit_header(struct vmig_session *s)
{
	struct vpv_stream_header header;

	vmig_emit_header(&s->writer, &s->m->id, &header);
	return vmig_emit_raw(s, &header, sizeof(header));
}

static int emit_match(struct vmig_session *s)
{
	void *match = vmig_match_own(s->m);
	int err;

	if (IS_ERR(match))
		return PTR_ERR(match);
	err = vmig_emit_own(s, VPV_RECORD_MATCH, 0, match, s->m->mig->desc->match_bytes);
	kfree(match);
	return err;
}

/**
 * vmig_begin_save() - Queue what every stream begins with
 * @s: Save session.
 *
 * Return: 0 or a negative errno.
 */
int vmig_begin_save(struct vmig_session *s)
{
	int err = emit_header(s);

	if (!err)
		err = emit_match(s);
	if (!err)
		err = vmig_config_save_view(s);
	return err < 0 ? err : vmig_pages_save_begin(s);
}
