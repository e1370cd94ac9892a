// SPDX-License-Identifier: GPL-2.0
/*
 * Check vfio-user requests and turn them into their typed form.
 *
 * Pure: bytes in, struct vu_req or errno out.  Everything that a request says about
 * sizes, indices and flags is checked here; the rest of the server trusts it.
 */
#include <errno.h>
#include <string.h>

#include "vu_msg.h"

int vu_hdr_check(const struct vu_hdr *hdr)
{
	uint32_t type = hdr->flags & VU_FLAG_TYPE_MASK;

	if (hdr->size < sizeof(*hdr))
		return -EPROTO;
	if (hdr->size - sizeof(*hdr) > VU_MAX_PAYLOAD)
		return -EMSGSIZE;
	if (type != VU_FLAG_COMMAND && type != VU_FLAG_REPLY)
		return -EINVAL;
	return 0;
}

static int check_access(const struct vu_shape *shape, uint32_t region, uint64_t off,
			uint32_t count)
{
	uint64_t bytes;

	if (region >= VU_NUM_REGIONS)
		return -EINVAL;
	bytes = shape->region_bytes[region];
	if (!count || count > shape->max_xfer || off >= bytes || count > bytes - off)
		return -EINVAL;
	return 0;
}

int vu_write_multi_check(const struct vu_shape *shape, const struct vu_write_multi_msg *wr)
{
	if (wr->count > sizeof(wr->data))
		return -EINVAL;
	return check_access(shape, wr->region, wr->offset, wr->count);
}

static int parse_version(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)fds;
	if (shape->version_done)
		return -EINVAL;
	if (req->data_len && req->data[req->data_len - 1])
		return -EINVAL;
	return 0;
}

static int parse_dma_map(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	const struct vu_dma_map_msg *m = &req->map;
	uint32_t mode = m->flags & (VU_DMA_MODE_MMAP | VU_DMA_MODE_FILE);
	uint64_t mask = 4095;

	(void)shape;
	if (m->argsz < sizeof(*m) || (m->flags & ~0xfu) || !(m->flags & 3))
		return -EINVAL;
	if (mode == (VU_DMA_MODE_MMAP | VU_DMA_MODE_FILE) || (mode && !fds))
		return -EINVAL;
	if (!m->size || ((m->size | m->iova | m->offset) & mask))
		return -EINVAL;
	if (m->iova + (m->size - 1) < m->iova || m->offset + (m->size - 1) < m->offset)
		return -EOVERFLOW;
	return 0;
}

static int parse_dma_unmap(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	const struct vu_dma_unmap_msg *m = &req->unmap;

	(void)shape;
	(void)fds;
	if (m->argsz < sizeof(*m))
		return -EINVAL;
	if (m->flags == VFIO_DMA_UNMAP_FLAG_ALL)
		return m->iova || m->size ? -EINVAL : 0;
	if (m->flags || !m->size || ((m->size | m->iova) & 4095))
		return -EINVAL;
	if (m->iova + (m->size - 1) < m->iova)
		return -EOVERFLOW;
	return 0;
}

static int parse_info(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)shape;
	(void)fds;
	return req->info.argsz < 16 ? -EINVAL : 0;
}

static int parse_region_info(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)shape;
	(void)fds;
	if (req->region.argsz < sizeof(req->region) || req->region.index >= VU_NUM_REGIONS)
		return -EINVAL;
	return 0;
}

static int parse_irq_info(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)shape;
	(void)fds;
	if (req->irq_info.argsz < sizeof(req->irq_info) || req->irq_info.index >= VU_NUM_IRQS)
		return -EINVAL;
	return 0;
}

static bool one_bit(uint32_t v)
{
	return v && !(v & (v - 1));
}

static int parse_set_irqs(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	const struct vfio_irq_set *s = &req->irq_set;
	uint32_t data = s->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	uint32_t action = s->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	uint32_t total;

	if (s->argsz < sizeof(*s) || s->flags != (data | action) || !one_bit(data) ||
	    !one_bit(action) || s->index >= VU_NUM_IRQS)
		return -EINVAL;
	total = shape->irq_count[s->index];
	if (s->start > total || s->count > total - s->start)
		return -EINVAL;
	if (data != VFIO_IRQ_SET_DATA_EVENTFD && fds)
		return -EINVAL;
	if (!s->count && (data != VFIO_IRQ_SET_DATA_NONE || s->start ||
			  action != VFIO_IRQ_SET_ACTION_TRIGGER))
		return -EINVAL;
	if (data == VFIO_IRQ_SET_DATA_EVENTFD && fds && fds != s->count)
		return -EINVAL;
	if (data == VFIO_IRQ_SET_DATA_BOOL && req->data_len < s->count)
		return -EINVAL;
	return 0;
}

static int parse_region_read(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)fds;
	return check_access(shape, req->rw.region, req->rw.offset, req->rw.count);
}

static int parse_region_write(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)fds;
	if (req->data_len != req->rw.count)
		return -EINVAL;
	return check_access(shape, req->rw.region, req->rw.offset, req->rw.count);
}

static int parse_write_multi(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)fds;
	if (!shape->write_multi)
		return -EOPNOTSUPP;
	if (!req->write_count ||
	    req->write_count > VU_MAX_PAYLOAD / sizeof(struct vu_write_multi_msg) ||
	    req->data_len != req->write_count * sizeof(struct vu_write_multi_msg))
		return -EINVAL;
	return 0;
}

/* Only migration and DMA logging are defined for vfio-user, and models have neither. */
static int parse_feature(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	uint32_t ops = req->feature.flags & ~VFIO_DEVICE_FEATURE_MASK;
	uint32_t dir = ops & (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET);

	(void)shape;
	(void)fds;
	if (req->feature.argsz < sizeof(req->feature) || !ops ||
	    (ops & ~(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET |
		     VFIO_DEVICE_FEATURE_PROBE)))
		return -EINVAL;
	if (!(ops & VFIO_DEVICE_FEATURE_PROBE) && !one_bit(dir))
		return -EINVAL;
	return -ENOTTY;
}

static int parse_nothing(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)shape;
	(void)req;
	(void)fds;
	return 0;
}

static int parse_unsupported(const struct vu_shape *shape, struct vu_req *req, unsigned int fds)
{
	(void)shape;
	(void)req;
	(void)fds;
	return -EOPNOTSUPP;
}

/*
 * @fixed bytes are copied to the union, the payload may have up to @max bytes and
 * the message up to @max_fds descriptors.
 */
static const struct msg_rule {
	uint32_t fixed;
	uint32_t max;
	unsigned int max_fds;
	int (*parse)(const struct vu_shape *shape, struct vu_req *req, unsigned int fds);
} rules[] = {
	[VU_VERSION] = { 4, VU_MAX_VERSION_BYTES, 0, parse_version },
	[VU_DMA_MAP] = { 32, 32, 1, parse_dma_map },
	[VU_DMA_UNMAP] = { 24, 24, 0, parse_dma_unmap },
	[VU_GET_INFO] = { 16, 64, 0, parse_info },
	[VU_GET_REGION_INFO] = { 32, 4096, 0, parse_region_info },
	[VU_GET_REGION_IO_FDS] = { 16, 4096, 0, parse_unsupported },
	[VU_GET_IRQ_INFO] = { 16, 64, 0, parse_irq_info },
	[VU_SET_IRQS] = { 20, 20 + 65536, VU_MAX_FDS, parse_set_irqs },
	[VU_REGION_READ] = { 16, 16, 0, parse_region_read },
	[VU_REGION_WRITE] = { 16, 16 + VU_MAX_XFER, 0, parse_region_write },
	[VU_DEVICE_RESET] = { 0, 0, 0, parse_nothing },
	[VU_REGION_WRITE_MULTI] = { 8, VU_MAX_PAYLOAD, 0, parse_write_multi },
	[VU_DEVICE_FEATURE] = { 8, VU_MAX_PAYLOAD, 0, parse_feature },
	[VU_MIG_DATA_READ] = { 8, 8, 0, parse_unsupported },
	[VU_MIG_DATA_WRITE] = { 8, VU_MAX_PAYLOAD, 0, parse_unsupported },
};

int vu_req_parse(const struct vu_shape *shape, uint16_t cmd, const void *payload, size_t len,
		 unsigned int num_fds, struct vu_req *req)
{
	const struct msg_rule *rule;

	if (cmd >= sizeof(rules) / sizeof(rules[0]) || !rules[cmd].parse)
		return -EINVAL;
	if (!shape->version_done && cmd != VU_VERSION)
		return -EPROTO;
	rule = &rules[cmd];
	if (len < rule->fixed || len > rule->max || num_fds > rule->max_fds)
		return -EINVAL;
	memset(req, 0, sizeof(*req));
	req->cmd = cmd;
	if (rule->fixed)
		memcpy(req->fixed, payload, rule->fixed);
	req->data = (const uint8_t *)payload + rule->fixed;
	req->data_len = len - rule->fixed;
	return rule->parse(shape, req, num_fds);
}
