// SPDX-License-Identifier: GPL-2.0
/*
 * Commands as bytes: what goes into a slot and its mailboxes, and what comes back.
 * Nothing that the firmware wrote is trusted.  Pure.
 */
#include "ctrl_wire.h"

unsigned int mlxl_boxes(u32 bytes)
{
	return bytes > MLXL_INLINE_BYTES ? DIV_ROUND_UP(bytes, MLXL_BOX_DATA) : 0;
}

static u32 box_bytes(u32 bytes, unsigned int index)
{
	return min_t(u32, bytes - index * MLXL_BOX_DATA, MLXL_BOX_DATA);
}

/* Link a chain; with @data it is an input, and full. */
static void chain_build(const struct mlxl_chain *c, u32 tag, const void *data, u32 bytes)
{
	for (unsigned int i = 0; i < c->num; i++) {
		struct mlxl_box *box = c->box[i];
		u32 here = data ? box_bytes(bytes, i) : 0;

		box->next = cpu_to_le64(i + 1 < c->num ? c->iova[i + 1] : 0);
		box->tag = cpu_to_le32(tag);
		box->index = cpu_to_le16(i);
		box->bytes = cpu_to_le16(here);
		if (here)
			memcpy(box->data, (const u8 *)data + i * MLXL_BOX_DATA, here);
		memset(box->data + here, 0, MLXL_BOX_DATA - here);
	}
}

int mlxl_wire_build(const struct mlxl_wire *w, const struct mlxl_chain *in,
		    const struct mlxl_chain *out, struct mlxl_slot *slot)
{
	if (w->in_bytes > MLXL_MAX_BYTES || w->out_bytes > MLXL_MAX_BYTES)
		return -EMSGSIZE;
	if (in->num != mlxl_boxes(w->in_bytes) || out->num != mlxl_boxes(w->out_bytes))
		return -EINVAL;

	*slot = (struct mlxl_slot){
		.opcode = cpu_to_le16(w->opcode),
		.function = cpu_to_le16(w->function),
		.tag = cpu_to_le32(w->tag),
		.in_bytes = cpu_to_le32(w->in_bytes),
		.out_bytes = cpu_to_le32(w->out_bytes),
		.in_box = cpu_to_le64(in->num ? in->iova[0] : 0),
		.out_box = cpu_to_le64(out->num ? out->iova[0] : 0),
	};
	if (!in->num && w->in_bytes)
		memcpy(slot->in, w->in, w->in_bytes);
	chain_build(in, w->tag, w->in, w->in_bytes);
	chain_build(out, w->tag, NULL, 0);
	return 0;
}

static int chain_parse(const struct mlxl_chain *c, u32 tag, u8 *out, u32 bytes)
{
	for (unsigned int i = 0; i < mlxl_boxes(bytes); i++) {
		const struct mlxl_box *box = c->box[i];
		u32 here = box_bytes(bytes, i);

		if (le32_to_cpu(box->tag) != tag || le16_to_cpu(box->index) != i ||
		    le16_to_cpu(box->bytes) != here)
			return -EPROTO;
		memcpy(out + i * MLXL_BOX_DATA, box->data, here);
	}
	return 0;
}

int mlxl_wire_parse(const struct mlxl_wire *w, const struct mlxl_slot *slot,
		    const struct mlxl_chain *chain, void *out, struct mlxl_reply *reply)
{
	u32 len = le32_to_cpu(slot->out_len);

	*reply = (struct mlxl_reply){
		.status = le32_to_cpu(slot->status),
		.syndrome = le32_to_cpu(slot->syndrome),
	};
	if (le32_to_cpu(slot->tag_out) != w->tag)
		return -EPROTO;
	if (reply->status != MLXL_OK)
		return len ? -EPROTO : 0;
	if (len > w->out_bytes)
		return -EPROTO;
	reply->out_len = len;
	if (!chain->num) {
		if (len)
			memcpy(out, slot->out, len);
		return 0;
	}
	/* A short output is in the mailboxes, too, if they were given. */
	if (len && len <= MLXL_INLINE_BYTES) {
		if (le32_to_cpu(chain->box[0]->tag) != w->tag ||
		    le16_to_cpu(chain->box[0]->bytes) != len)
			return -EPROTO;
		memcpy(out, chain->box[0]->data, len);
		return 0;
	}
	return chain_parse(chain, w->tag, out, len);
}

static const int errnos[MLXL_STATUSES] = {
	[MLXL_OK]		= 0,
	[MLXL_BAD_OPCODE]	= -EOPNOTSUPP,
	[MLXL_BAD_INPUT]	= -EINVAL,
	[MLXL_BAD_MAILBOX]	= -EPROTO,
	[MLXL_BAD_FUNCTION]	= -ENODEV,
	[MLXL_BAD_STATE]	= -EBADFD,
	[MLXL_BUSY]		= -EBUSY,
	[MLXL_NO_RESOURCES]	= -ENOMEM,
	[MLXL_LIMIT]		= -ERANGE,
	[MLXL_DMA]		= -EREMOTEIO,
	[MLXL_BAD_IMAGE]	= -EBADMSG,
	[MLXL_ABORTED]		= -ESTALE,
	[MLXL_UNSUPPORTED]	= -EOPNOTSUPP,
	[MLXL_INTERNAL]		= -EREMOTEIO,
};

int mlxl_status_errno(u32 status)
{
	return status < MLXL_STATUSES ? errnos[status] : -EPROTO;
}

static bool within(u64 val, u64 min, u64 max)
{
	return val >= min && val <= max;
}

int mlxl_caps_check(const struct mlxl_caps *caps, const struct mlxl_caps *before,
		    const char **field, u64 *value)
{
	const bool tracks = le32_to_cpu(caps->flags) & MLXL_CAPS_TRACKER;
	const u64 image = le64_to_cpu(caps->image_bytes);
	const u16 queue = le16_to_cpu(caps->queue_size), version = le16_to_cpu(caps->image_version);
	const struct {
		const char *field;
		u64 value;
		bool fits;
	} rules[] = {
		{ "serial", le64_to_cpu(caps->serial), !before || caps->serial == before->serial },
		{ "functions", le16_to_cpu(caps->functions),
		  within(le16_to_cpu(caps->functions), 1, MLXL_MAX_FUNCTIONS) &&
		  (!before || caps->functions == before->functions) },
		{ "queue pairs", le16_to_cpu(caps->pairs), !!caps->pairs },
		{ "vectors", le16_to_cpu(caps->vectors), !!caps->vectors },
		{ "queue size", queue, queue >= 8 && !(queue & (queue - 1)) },
		{ "image size", image, within(image, MLXL_UNIT, MLXL_IMAGE_MAX) &&
		  !(image % MLXL_UNIT) },
		{ "chunk size", le32_to_cpu(caps->chunk_bytes),
		  le32_to_cpu(caps->chunk_bytes) >= MLXL_UNIT },
		{ "chunk unit", le32_to_cpu(caps->chunk_unit),
		  le32_to_cpu(caps->chunk_unit) == MLXL_UNIT },
		{ "segments", le32_to_cpu(caps->segments), !!caps->segments },
		{ "image version", version, version },
		{ "oldest image version", le16_to_cpu(caps->image_oldest),
		  le16_to_cpu(caps->image_oldest) <= version },
		{ "ranges of a tracker", le32_to_cpu(caps->ranges), !tracks || caps->ranges },
		{ "smallest page of a tracker", caps->page_min_log2,
		  !tracks || within(caps->page_min_log2, 12, 62) },
		{ "largest page of a tracker", caps->page_max_log2,
		  !tracks || within(caps->page_max_log2, caps->page_min_log2, 62) },
		{ "address width of a tracker", caps->address_bits,
		  !tracks || within(caps->address_bits, caps->page_max_log2, 64) },
		{ "pages of a tracker", le64_to_cpu(caps->track_pages),
		  !tracks || caps->track_pages },
		{ "pages of a query", le64_to_cpu(caps->query_pages),
		  !tracks || le64_to_cpu(caps->query_pages) >= 64 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!rules[i].fits) {
			*field = rules[i].field;
			*value = rules[i].value;
			return -EPROTO;
		}
	return 0;
}
