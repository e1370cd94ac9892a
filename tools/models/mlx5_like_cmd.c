// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: the table of commands (section 5), and the short ones.  Images, and trackers,
 * are in files of their own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mlx5_like.h"

#define STATE(s)	(1u << MLXL_##s)
#define ANY_STATE	(STATE(UNPROVISIONED) | STATE(PROVISIONED) | STATE(ENABLED))

bool mlxl_end(struct mlxl_cmd *cmd, uint32_t status, uint32_t syndrome)
{
	cmd->status = status;
	cmd->syndrome = syndrome;
	cmd->out_len = cmd->op ? cmd->op->out_bytes : 0;
	return true;
}

uint32_t mlxl_get32(const struct mlxl_cmd *cmd, uint32_t off)
{
	uint32_t val;

	memcpy(&val, cmd->in + off, sizeof(val));
	return val;
}

uint64_t mlxl_get64(const struct mlxl_cmd *cmd, uint32_t off)
{
	uint64_t val;

	memcpy(&val, cmd->in + off, sizeof(val));
	return val;
}

void mlxl_put(struct mlxl_cmd *cmd, uint32_t off, uint64_t val, unsigned int bytes)
{
	memcpy(cmd->out + off, &val, bytes);
}

uint32_t mlxl_flags(const struct mlxl_fn *fn)
{
	return fn->flags | mlxl_track_flags(fn) | (fn->save ? MLXL_FN_SAVING : 0) |
	       (fn->load ? MLXL_FN_LOADING : 0) | (fn->base.valid ? MLXL_FN_BASE : 0);
}

/* ---- claims ---- */

/* Fields of outputs, as in sections 5.1, 5.2, 5.5 and 5.7, each of which has its range here. */
enum { OF_CAPS = 0x0, OF_FUNCTION = 0x1000, OF_SAVE_BEGIN = 0x2000, OF_TRACKER_QUERY = 0x3000 };

const struct vu_claim mlxl_claims[] = {
	{ "functions", OF_CAPS + 0x08, 2 }, { "pairs", OF_CAPS + 0x0a, 2 },
	{ "vectors", OF_CAPS + 0x0c, 2 }, { "queue_size", OF_CAPS + 0x0e, 2 },
	{ "image", OF_CAPS + 0x10, 8 }, { "chunk", OF_CAPS + 0x18, 4 },
	{ "unit", OF_CAPS + 0x1c, 4 }, { "segments", OF_CAPS + 0x20, 4 },
	{ "version", OF_CAPS + 0x24, 2 }, { "oldest", OF_CAPS + 0x26, 2 },
	{ "ranges", OF_CAPS + 0x28, 4 }, { "page_min", OF_CAPS + 0x2c, 1 },
	{ "page_max", OF_CAPS + 0x2d, 1 }, { "addr_bits", OF_CAPS + 0x2e, 1 },
	{ "track_pages", OF_CAPS + 0x30, 8 }, { "query_pages", OF_CAPS + 0x38, 8 },
	{ "serial", OF_CAPS + 0x40, 8 }, { "fn_pairs", OF_FUNCTION + 0x1e, 2 },
	{ "fn_image", OF_FUNCTION + 0x30, 8 }, { "save", OF_SAVE_BEGIN + 8, 8 },
	{ "track_set", OF_TRACKER_QUERY + 0, 8 },
	{ NULL, 0, 0 },
};

void mlxl_claim_save(const struct mlxl *m, struct mlxl_cmd *cmd)
{
	vu_claims_put(&m->claims, OF_SAVE_BEGIN, cmd->op->out_bytes, cmd->out);
}

void mlxl_claim_track(const struct mlxl *m, struct mlxl_cmd *cmd)
{
	vu_claims_put(&m->claims, OF_TRACKER_QUERY, cmd->op->out_bytes, cmd->out);
}

/* ---- queries ---- */

static bool query_caps(struct mlxl *m, struct mlxl_cmd *cmd)
{
	const struct mlxl_options *o = &m->opt;
	const struct {
		uint32_t off;
		unsigned int bytes;
		uint64_t val;
	} fields[] = {
		{ 0x00, 4, mlxl_fw_version(m) },
		{ 0x04, 4, (o->incremental ? 1 : 0) | (o->tracker ? 2 : 0) },
		{ 0x08, 2, m->num_fns }, { 0x0a, 2, o->pairs }, { 0x0c, 2, MLXL_MAX_VECTORS },
		{ 0x0e, 2, MLXL_MAX_QUEUE_SIZE }, { 0x10, 8, mlxl_image_bytes(m) },
		{ 0x18, 4, o->chunk }, { 0x1c, 4, MLXL_PAGE }, { 0x20, 4, o->segments },
		{ 0x24, 2, o->version }, { 0x26, 2, o->oldest }, { 0x28, 4, o->ranges },
		{ 0x2c, 1, o->page_min }, { 0x2d, 1, o->page_max }, { 0x2e, 1, o->addr_bits },
		{ 0x30, 8, o->track_pages }, { 0x38, 8, o->query_pages }, { 0x40, 8, o->serial },
		{ 0x48, 4, o->timeout_ms },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		mlxl_put(cmd, fields[i].off, fields[i].val, fields[i].bytes);
	vu_claims_put(&m->claims, OF_CAPS, cmd->op->out_bytes, cmd->out);
	return mlxl_end(cmd, MLXL_OK, 0);
}

static bool query_function(struct mlxl *m, struct mlxl_cmd *cmd)
{
	const struct mlxl_fn *fn = cmd->fn;
	const struct mlxl_config *c = fn->state == MLXL_ENABLED ? &fn->v.cfg : &fn->prov;
	const struct mlxl_virtio *v = &fn->v;
	const struct {
		uint32_t off;
		unsigned int bytes;
		uint64_t val;
	} fields[] = {
		{ 0x00, 4, fn->state }, { 0x04, 4, mlxl_flags(fn) }, { 0x08, 4, fn->resets },
		{ 0x0c, 4, mlxl_save_id(fn) }, { 0x10, 4, mlxl_load_id(fn) },
		{ 0x14, 4, mlxl_track_id(fn) }, { 0x1e, 2, c->pairs }, { 0x20, 2, c->vectors },
		{ 0x22, 2, c->queue_size }, { 0x24, 4, fn->fail_reason }, { 0x28, 8, c->features },
		{ 0x30, 8, mlxl_image_bytes(m) }, { 0x38, 8, v->rx_frames },
		{ 0x40, 8, v->tx_frames }, { 0x48, 8, v->rx_bytes }, { 0x50, 8, v->tx_bytes },
		{ 0x58, 8, v->rx_dropped }, { 0x60, 8, m->opt.serial },
		{ 0x68, 2, fn->prov.vectors }, { 0x6a, 2, fn->prov.queue_size },
		{ 0x70, 8, fn->prov.features },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		mlxl_put(cmd, fields[i].off, fields[i].val, fields[i].bytes);
	vu_claims_put(&m->claims, OF_FUNCTION, cmd->op->out_bytes, cmd->out);
	memcpy(cmd->out + 0x18, c->mac, sizeof(c->mac));
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- provisioning ---- */

static bool provision(struct mlxl *m, struct mlxl_cmd *cmd)
{
	static const uint8_t none[6];
	struct mlxl_fn *fn = cmd->fn;
	struct mlxl_config c = { .reserved = 0 };

	memcpy(c.mac, cmd->in, 6);
	memcpy(&c.pairs, cmd->in + 6, 2);
	memcpy(&c.vectors, cmd->in + 8, 2);
	memcpy(&c.queue_size, cmd->in + 10, 2);
	if (mlxl_get32(cmd, 12))
		return mlxl_end(cmd, MLXL_BAD_INPUT, 12);
	if (!c.pairs) {
		memset(&fn->prov, 0, sizeof(fn->prov));
		fn->state = MLXL_UNPROVISIONED;
		return mlxl_end(cmd, MLXL_OK, 0);
	}
	if ((c.mac[0] & 1) || !memcmp(c.mac, none, sizeof(none)))
		return mlxl_end(cmd, MLXL_BAD_INPUT, 0);
	if (c.pairs > m->opt.pairs)
		return mlxl_end(cmd, MLXL_LIMIT, 6);
	if (!c.vectors || c.vectors > MLXL_MAX_VECTORS)
		return mlxl_end(cmd, MLXL_LIMIT, 8);
	if (c.queue_size < 8 || c.queue_size > MLXL_MAX_QUEUE_SIZE ||
	    (c.queue_size & (c.queue_size - 1)))
		return mlxl_end(cmd, MLXL_LIMIT, 10);
	c.features = mlxl_fn_features(c.pairs);
	fn->prov = c;
	fn->state = MLXL_PROVISIONED;
	return mlxl_end(cmd, MLXL_OK, 0);
}

static bool enable(struct mlxl *m, struct mlxl_cmd *cmd)
{
	struct mlxl_fn *fn = cmd->fn;

	(void)m;
	fn->v.cfg = fn->prov;
	fn->state = MLXL_ENABLED;
	mlxl_fn_clear(fn);
	mlxl_scratch_clear(fn);
	mlxl_content_reset(fn);
	return mlxl_end(cmd, MLXL_OK, 0);
}

static bool disable(struct mlxl *m, struct mlxl_cmd *cmd)
{
	struct mlxl_fn *fn = cmd->fn;

	mlxl_fn_stop(fn);
	mlxl_base_drop(fn, false);
	mlxl_track_drop(fn);
	mlxl_switch_forget(m, fn->n);
	fn->state = MLXL_PROVISIONED;
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- suspending ---- */

static bool suspend(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t half = mlxl_get32(cmd, 0);
	struct mlxl_fn *fn = cmd->fn;

	(void)m;
	if (half != MLXL_INITIATOR && half != MLXL_RESPONDER)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 0);
	if (half == MLXL_RESPONDER) {
		if (!(fn->flags & MLXL_FN_INITIATOR))
			return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
		if (!(fn->flags & MLXL_FN_RESPONDER))
			mlxl_scratch_freeze(fn);
		fn->flags |= MLXL_FN_RESPONDER;
	} else if (!(fn->flags & MLXL_FN_INITIATOR)) {
		mlxl_fn_suspend(fn);
	}
	return mlxl_end(cmd, MLXL_OK, 0);
}

static bool resume(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t half = mlxl_get32(cmd, 0);
	struct mlxl_fn *fn = cmd->fn;
	uint32_t flags = mlxl_flags(fn);

	(void)m;
	if (half != MLXL_INITIATOR && half != MLXL_RESPONDER)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 0);
	if ((flags & (MLXL_FN_LOADING | MLXL_FN_NOT_FINAL)) ||
	    (half == MLXL_INITIATOR && (flags & MLXL_FN_RESPONDER)))
		return mlxl_end(cmd, MLXL_BAD_STATE, flags);
	if (half == MLXL_RESPONDER) {
		if (flags & MLXL_FN_RESPONDER)
			mlxl_scratch_thaw(fn);
		fn->flags &= ~MLXL_FN_RESPONDER;
		fn->held = 0;
	} else if (flags & MLXL_FN_INITIATOR) {
		mlxl_fn_resume(fn);
	}
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- injection ---- */

static bool inject_command(struct mlxl *m, struct mlxl_cmd *cmd)
{
	struct mlxl_inject in = { .delay_ms = mlxl_get32(cmd, 8), .count = mlxl_get32(cmd, 12) };

	memcpy(&in.opcode, cmd->in + 4, 2);
	in.action = cmd->in[6];
	in.status = cmd->in[7];
	if (!mlxl_op_find(in.opcode))
		return mlxl_end(cmd, MLXL_BAD_INPUT, 4);
	if (in.action > 2)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 6);
	if ((in.action == 0) != (in.status != 0))
		return mlxl_end(cmd, MLXL_BAD_INPUT, 7);
	if (in.delay_ms > 60000 || (in.action != 1 && in.delay_ms))
		return mlxl_end(cmd, MLXL_BAD_INPUT, 8);
	if (!in.count)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 12);
	m->inject = in;
	return mlxl_end(cmd, MLXL_OK, 0);
}

static bool inject_error(struct mlxl *m, struct mlxl_cmd *cmd)
{
	uint32_t kind = mlxl_get32(cmd, 0);
	bool global = kind == MLXL_INJECT_FATAL || kind == MLXL_INJECT_COMMAND;
	struct mlxl_fn *fn = cmd->fn;

	if (kind < MLXL_INJECT_FAIL || kind > MLXL_INJECT_COMMAND)
		return mlxl_end(cmd, MLXL_BAD_INPUT, 0);
	if (global == (fn != NULL))
		return mlxl_end(cmd, MLXL_BAD_FUNCTION, 0);
	if (kind == MLXL_INJECT_COMMAND)
		return inject_command(m, cmd);
	if (mlxl_get32(cmd, 4) || mlxl_get64(cmd, 8))
		return mlxl_end(cmd, MLXL_BAD_INPUT, 4);
	if (fn && fn->state != MLXL_ENABLED)
		return mlxl_end(cmd, MLXL_BAD_STATE, mlxl_flags(fn));
	switch (kind) {
	case MLXL_INJECT_FAIL: mlxl_fn_failed(fn, MLXL_FAIL_INJECTED); break;
	case MLXL_INJECT_TRACKER: mlxl_track_poison(fn); break;
	case MLXL_INJECT_BASE: mlxl_base_drop(fn, true); break;
	case MLXL_INJECT_FATAL: mlxl_fatal(m, MLXL_SYN_INJECTED); break;
	}
	return mlxl_end(cmd, MLXL_OK, 0);
}

/* ---- the table ---- */

#define OP(name, in, list, entry, out, where, point, fn) \
	{ MLXL_##name, in, list, entry, out, false, false, where, MLXL_FAULT_##point, fn }
#define GLOBAL_OP(name, in, out, any, fn) \
	{ MLXL_##name, in, 0, 0, out, true, any, ANY_STATE, MLXL_FAULT_##name, fn }

static const struct mlxl_op ops[] = {
	GLOBAL_OP(QUERY_CAPS, 0, 128, false, query_caps),
	OP(QUERY_FUNCTION, 0, 0, 0, 128, ANY_STATE, QUERY_FUNCTION, query_function),
	OP(PROVISION, 16, 0, 0, 0, STATE(UNPROVISIONED) | STATE(PROVISIONED), PROVISION,
	   provision),
	OP(ENABLE, 0, 0, 0, 0, STATE(PROVISIONED), ENABLE, enable),
	OP(DISABLE, 0, 0, 0, 0, STATE(ENABLED), DISABLE, disable),
	OP(SUSPEND, 4, 0, 0, 0, STATE(ENABLED), SUSPEND_INITIATOR, suspend),
	OP(RESUME, 4, 0, 0, 0, STATE(ENABLED), RESUME_INITIATOR, resume),
	OP(QUERY_IMAGE, 4, 0, 0, 24, STATE(ENABLED), QUERY_IMAGE, mlxl_query_image),
	OP(SAVE_BEGIN, 8, 0, 0, 16, STATE(ENABLED), SAVE_BEGIN, mlxl_save_begin),
	OP(SAVE_CHUNK, 24, 4, 16, 8, STATE(ENABLED), SAVE_CHUNK, mlxl_save_chunk),
	OP(SAVE_END, 8, 0, 0, 0, STATE(ENABLED), SAVE_END, mlxl_save_end),
	OP(LOAD_BEGIN, 8, 0, 0, 8, STATE(ENABLED), LOAD_BEGIN, mlxl_load_begin),
	OP(LOAD_CHUNK, 24, 4, 16, 8, STATE(ENABLED), LOAD_CHUNK, mlxl_load_chunk),
	OP(LOAD_END, 8, 0, 0, 0, STATE(ENABLED), LOAD_END, mlxl_load_end),
	OP(TRACKER_CREATE, 16, 4, 16, 8, STATE(ENABLED), TRACKER_CREATE, mlxl_tracker_create),
	OP(TRACKER_ARM, 4, 0, 0, 0, STATE(ENABLED), TRACKER_ARM, mlxl_tracker_arm),
	OP(TRACKER_QUERY, 32, 24, 16, 16, STATE(ENABLED), TRACKER_QUERY, mlxl_tracker_query),
	OP(TRACKER_DESTROY, 4, 0, 0, 0, STATE(ENABLED), TRACKER_DESTROY, mlxl_tracker_destroy),
	{ MLXL_INJECT_ERROR, 16, 0, 0, 0, true, true, ANY_STATE, MLXL_FAULT_INJECT,
	  inject_error },
};

const struct mlxl_op *mlxl_op_find(uint16_t opcode)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (ops[i].opcode == opcode)
			return &ops[i];
	return NULL;
}
