// SPDX-License-Identifier: GPL-2.0
/*
 * Config space in the stream: the persona in the header, what the user sees behind
 * MATCH, what the user has written at the end.  Bytes and decisions are those of
 * vmig_desc.config; nothing here knows PCI.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include <vpv/config_state.h>

#include "session_priv.h"

/**
 * vmig_config_open() - Learn the persona
 * @m: Machine; the device is being opened.
 */
void vmig_config_open(struct vmig_machine *m)
{
	const struct vpv_config_state_ops *config = m->mig->desc->config;
	struct vpv_config_identity id;

	lockdep_assert_held(&m->state_lock);

	if (!config)
		return;
	config->identity(m->mig->vdev, &id);
	memcpy(m->id.persona, id.name, sizeof(m->id.persona));
	m->id.persona_version = id.version;
	memcpy(m->id.persona_digest, id.digest, sizeof(m->id.persona_digest));
}

/* Ask @get for a payload; what it writes becomes a record, nothing does not. */
static int save(struct vmig_session *s, int (*get)(struct vfio_device *, void *, size_t),
		u32 type, u32 flags)
{
	void *buf = kvmalloc(VPV_CONFIG_MAX_BYTES, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!buf)
		return -ENOMEM;
	ret = get(s->m->mig->vdev, buf, VPV_CONFIG_MAX_BYTES);
	if (ret > 0)
		ret = vmig_emit_own(s, type, flags, buf, ret);
	kvfree(buf);
	return ret;
}

/**
 * vmig_config_save_view() - Write what the user sees
 * @s: Save session; MATCH has been queued.
 *
 * Optional, for readers that have nothing to compare it with.
 * Return: 0 or a negative errno.
 */
int vmig_config_save_view(struct vmig_session *s)
{
	const struct vpv_config_state_ops *config = s->m->mig->desc->config;

	return config ? save(s, config->view, VPV_RECORD_VIEW, VPV_RECORD_OPTIONAL) : 0;
}

/**
 * vmig_config_save_state() - Write what the user has written
 * @s: Save session; the device's own state has been queued.
 *
 * Return: 0 or a negative errno.
 */
int vmig_config_save_state(struct vmig_session *s)
{
	const struct vpv_config_state_ops *config = s->m->mig->desc->config;

	return config ? save(s, config->save, VPV_RECORD_CONFIG, 0) : 0;
}

/**
 * vmig_config_load_begin() - Say whether a stream needs a VIEW
 * @m: Machine.
 * @p: Parser, before the first byte.
 *
 * A device whose user sees something takes nothing that it cannot compare with that.
 * Return: 0 or a negative errno.
 */
int vmig_config_load_begin(struct vmig_machine *m, struct vmig_parser *p)
{
	const struct vpv_config_state_ops *config = m->mig->desc->config;
	void *buf;
	int ret;

	lockdep_assert_held(&m->state_lock);

	if (!config)
		return 0;
	buf = kvmalloc(VPV_CONFIG_MAX_BYTES, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	ret = config->view(m->mig->vdev, buf, VPV_CONFIG_MAX_BYTES);
	kvfree(buf);
	if (ret < 0)
		return ret;
	p->view_wanted = ret;
	return 0;
}

/**
 * vmig_config_load() - Take a record of config space
 * @m: Machine.
 * @p: Parser; the record is VIEW or CONFIG.
 *
 * Return: 0; otherwise refused, which was said: see struct vpv_config_state_ops.
 */
int vmig_config_load(struct vmig_machine *m, const struct vmig_parser *p)
{
	const struct vpv_config_state_ops *config = m->mig->desc->config;
	struct vmig_diff diff = {};
	int err;

	lockdep_assert_held(&m->state_lock);

	if (p->type == VPV_RECORD_VIEW) {
		/* Who shows nothing has nothing to compare. */
		err = config ? config->check_view(m->mig->vdev, p->payload,
						  p->record_bytes, &diff) : 0;
	} else if (!config) {
		err = vmig_differs(&diff, -EINVAL, "state of config space", 0, p->record_bytes);
	} else {
		err = config->load(m->mig->vdev, p->payload, p->record_bytes, &diff);
	}
	return err ? vmig_refuse(m->mig, err, &diff) : 0;
}

/**
 * vmig_config_load_end() - Was all of it there?
 * @m: Machine.
 * @p: Parser; the stream is complete.
 *
 * Streams without a record are as old as the record's version 0, which had nothing but
 * what a persona emulates.
 * Return: 0; -EPROTO: the emulated state is missing, which was said.
 */
int vmig_config_load_end(struct vmig_machine *m, const struct vmig_parser *p)
{
	const struct vpv_config_state_ops *config = m->mig->desc->config;

	lockdep_assert_held(&m->state_lock);

	if (!config || p->config_seen || !config->emulates(m->mig->vdev))
		return 0;
	return vmig_refuse(m->mig, -EPROTO,
			   VMIG_DIFF("records of emulated config space", 1, 0));
}
