// SPDX-License-Identifier: GPL-2.0
/*
 * Carry out client requests and answer them.  Requests arrive here checked by
 * vu_req_parse(); the device side is in vu_dev.c, vu_dma.c and vu_irq.c.
 */
#include <errno.h>
#include <string.h>

#include "vu_front.h"

/*
 * Answer of a handler: @head and @tail go behind the header; @fd is passed with them.
 */
struct answer {
	uint8_t head[64];
	size_t head_len;
	const void *tail;
	size_t tail_len;
	int fd;
};

static void answer_head(struct answer *ans, const void *data, size_t len)
{
	memcpy(ans->head, data, len);
	ans->head_len = len;
}

static int do_version(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	const char *json = req->data_len ? (const char *)req->data : NULL;
	struct vu_version_msg msg = { .major = VU_MAJOR };
	struct vu_session ses;
	int n, err;

	err = vu_version_parse(&req->version, json, &ses);
	if (err)
		return err;
	n = vu_version_format(&ses, (char *)srv->reply, VU_MAX_PAYLOAD);
	if (n < 0)
		return n;
	msg.minor = ses.minor;
	srv->ses = ses;
	srv->version_done = true;
	answer_head(ans, &msg, sizeof(msg));
	ans->tail = srv->reply;
	ans->tail_len = (size_t)n;
	return 0;
}

static int do_dma_map(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	int fd = srv->conn.num_fds ? srv->conn.fds[0] : -1;

	(void)ans;
	srv->conn.num_fds = 0;
	return vu_dma_map(srv->dev, &req->map, fd, srv->ses.max_maps);
}

static int do_dma_unmap(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	int err = vu_dma_unmap(srv->dev, &req->unmap);

	answer_head(ans, &req->unmap, sizeof(req->unmap));
	return err;
}

static int do_get_info(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	uint32_t info[4] = {
		sizeof(info), VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		VU_NUM_REGIONS, VU_NUM_IRQS,
	};

	(void)srv;
	(void)req;
	answer_head(ans, info, sizeof(info));
	return 0;
}

static int do_region_info(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	ans->tail = srv->reply;
	ans->tail_len = vu_dev_region_info(srv->dev, &req->region, srv->ses.max_fds > 0,
					   srv->reply, VU_MAX_PAYLOAD, &ans->fd);
	return 0;
}

static int do_irq_info(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	struct vfio_irq_info info = { .index = req->irq_info.index };

	vu_irq_info(srv->dev, &info);
	answer_head(ans, &info, sizeof(info));
	return 0;
}

static int do_set_irqs(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	(void)ans;
	return vu_irq_set(srv->dev, req, srv->conn.fds, srv->conn.num_fds);
}

/*
 * The generic region faults: a function that does not answer reads as all ones and loses
 * writes; with a code, the message itself fails.
 */
static int region_fault(struct vu_server *srv, uint32_t region, bool write, bool *dead)
{
	unsigned int id = region == VFIO_PCI_CONFIG_REGION_INDEX ? VU_FAULT_CONFIG :
			  write ? VU_FAULT_REGION_WRITE : VU_FAULT_REGION_READ;
	struct vu_fault_hit hit;
	int err;

	*dead = false;
	if (id != VU_FAULT_CONFIG && region > VFIO_PCI_BAR5_REGION_INDEX)
		return 0;
	if (!vu_fault_take(srv->dev, id, &hit))
		return 0;
	err = srv->front.wait(&srv->front, id, &hit);
	if (err == -ECANCELED)
		err = 0;
	if (!err && hit.fail && hit.code)
		err = -(int)hit.code;
	*dead = hit.fail;
	return err;
}

static int do_region_read(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	bool dead;
	int err = region_fault(srv, req->rw.region, false, &dead);

	if (err)
		return err;
	srv->dev->stats.region_reads++;
	if (dead)
		memset(srv->reply, 0xff, req->rw.count);
	else
		vu_dev_region_access(srv->dev, req->rw.region, req->rw.offset, srv->reply,
				     req->rw.count, false);
	answer_head(ans, &req->rw, sizeof(req->rw));
	ans->tail = srv->reply;
	ans->tail_len = req->rw.count;
	return 0;
}

static int write_region(struct vu_server *srv, uint32_t region, uint64_t off, const void *data,
			uint32_t len)
{
	bool dead;
	int err = region_fault(srv, region, true, &dead);

	if (err)
		return err;
	srv->dev->stats.region_writes++;
	if (!dead)
		vu_dev_region_access(srv->dev, region, off, (void *)(uintptr_t)data, len, true);
	return 0;
}

static int do_region_write(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	answer_head(ans, &req->rw, sizeof(req->rw));
	return write_region(srv, req->rw.region, req->rw.offset, req->data, req->rw.count);
}

static int do_write_multi(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	struct vu_write_multi_msg wr;
	struct vu_shape shape;
	int err = 0;

	vu_dev_shape(srv->dev, &shape);
	for (uint64_t i = 0; i < req->write_count && !err; i++) {
		memcpy(&wr, req->data + i * sizeof(wr), sizeof(wr));
		err = vu_write_multi_check(&shape, &wr);
		if (!err)
			err = write_region(srv, wr.region, wr.offset, wr.data, wr.count);
	}
	answer_head(ans, &req->write_count, sizeof(req->write_count));
	return err;
}

static int do_reset(struct vu_server *srv, const struct vu_req *req, struct answer *ans)
{
	(void)req;
	(void)ans;
	vu_dev_reset(srv->dev, VU_RESET_DEVICE);
	return 0;
}

static int (*const handlers[])(struct vu_server *, const struct vu_req *, struct answer *) = {
	[VU_VERSION] = do_version,
	[VU_DMA_MAP] = do_dma_map,
	[VU_DMA_UNMAP] = do_dma_unmap,
	[VU_GET_INFO] = do_get_info,
	[VU_GET_REGION_INFO] = do_region_info,
	[VU_GET_IRQ_INFO] = do_irq_info,
	[VU_SET_IRQS] = do_set_irqs,
	[VU_REGION_READ] = do_region_read,
	[VU_REGION_WRITE] = do_region_write,
	[VU_DEVICE_RESET] = do_reset,
	[VU_REGION_WRITE_MULTI] = do_write_multi,
};

static void send_answer(struct vu_server *srv, int err, const struct answer *ans)
{
	struct vu_conn *conn = &srv->conn;
	struct vu_hdr hdr = { .id = conn->hdr.id, .cmd = conn->hdr.cmd, .flags = VU_FLAG_REPLY };

	if (err) {
		srv->dev->stats.errors++;
		vu_server_log(srv, "request %u refused: %s", hdr.cmd, strerror(-err));
	}
	if (conn->hdr.flags & VU_FLAG_NO_REPLY)
		return;
	hdr.size = sizeof(hdr);
	if (err) {
		hdr.flags |= VU_FLAG_ERROR;
		hdr.error = (uint32_t)-err;
		err = vu_conn_send(conn, &hdr, NULL, 0, NULL, 0, -1);
	} else {
		hdr.size += (uint32_t)(ans->head_len + ans->tail_len);
		err = vu_conn_send(conn, &hdr, ans->head, ans->head_len, ans->tail,
				   ans->tail_len, ans->fd);
	}
	if (err)
		vu_server_drop_client(srv, strerror(-err));
}

static int run_request(struct vu_server *srv, struct answer *ans)
{
	struct vu_conn *conn = &srv->conn;
	struct vu_shape shape;
	struct vu_req req;
	int err;

	if (conn->fds_lost)
		return -EINVAL;
	vu_dev_shape(srv->dev, &shape);
	shape.version_done = srv->version_done;
	shape.write_multi = srv->ses.write_multi;
	shape.max_xfer = srv->version_done ? srv->ses.max_xfer : 0;
	err = vu_req_parse(&shape, conn->hdr.cmd, conn->payload, conn->hdr.size - sizeof(conn->hdr),
			   conn->num_fds, &req);
	return err ? err : handlers[req.cmd](srv, &req, ans);
}

/* The answer to our DMA_READ or DMA_WRITE; anything else is dropped. */
static void take_reply(struct vu_server *srv)
{
	const struct vu_conn *conn = &srv->conn;
	size_t len = conn->hdr.size - sizeof(conn->hdr);
	uint16_t cmd = srv->dma.write ? VU_DMA_WRITE : VU_DMA_READ;
	struct vu_dma_rw_msg msg;
	size_t data;

	if (!srv->dma.active || srv->dma.done || conn->hdr.id != srv->dma.id ||
	    conn->hdr.cmd != cmd) {
		srv->dev->stats.errors++;
		vu_server_log(srv, "unexpected reply %u dropped", conn->hdr.cmd);
		return;
	}
	srv->dma.done = true;
	srv->dma.err = -EIO;
	if ((conn->hdr.flags & VU_FLAG_ERROR) || len < sizeof(msg))
		return;
	memcpy(&msg, conn->payload, sizeof(msg));
	data = srv->dma.write ? 0 : len - sizeof(msg);
	if (!msg.count || msg.count > srv->dma.len || (!srv->dma.write && msg.count != data))
		return;
	if (!srv->dma.write)
		memcpy(srv->dma.buf, conn->payload + sizeof(msg), data);
	srv->dma.len = (size_t)msg.count;
	srv->dma.err = 0;
}

void vu_request_handle(struct vu_server *srv)
{
	struct answer ans = { .fd = -1 };
	int err;

	if ((srv->conn.hdr.flags & VU_FLAG_TYPE_MASK) == VU_FLAG_REPLY) {
		take_reply(srv);
		return;
	}
	srv->dev->stats.requests++;
	srv->in_request = true;
	err = run_request(srv, &ans);
	srv->in_request = false;
	if (srv->client_gone) {
		vu_server_drop_client(srv, "gone during a request");
		return;
	}
	send_answer(srv, err, &ans);
	if (err == -EPROTONOSUPPORT && !srv->version_done)
		vu_server_drop_client(srv, "other protocol version");
}
