/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfio-user messages: wire layout and the typed form of a request.
 *
 * Pure: no I/O, no allocation.  Spec: QEMU docs, interop/vfio-user; structures of
 * the kernel's <linux/vfio.h> are used where the protocol refers to them.
 */
#ifndef VU_MSG_H
#define VU_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

enum vu_cmd {
	VU_VERSION		= 1,
	VU_DMA_MAP		= 2,
	VU_DMA_UNMAP		= 3,
	VU_GET_INFO		= 4,
	VU_GET_REGION_INFO	= 5,
	VU_GET_REGION_IO_FDS	= 6,
	VU_GET_IRQ_INFO		= 7,
	VU_SET_IRQS		= 8,
	VU_REGION_READ		= 9,
	VU_REGION_WRITE		= 10,
	VU_DMA_READ		= 11,	/* server to client */
	VU_DMA_WRITE		= 12,	/* server to client */
	VU_DEVICE_RESET		= 13,
	VU_REGION_WRITE_MULTI	= 15,
	VU_DEVICE_FEATURE	= 16,
	VU_MIG_DATA_READ	= 17,
	VU_MIG_DATA_WRITE	= 18,
};

#define VU_FLAG_TYPE_MASK	0xfu
#define VU_FLAG_COMMAND		0x0u
#define VU_FLAG_REPLY		0x1u
#define VU_FLAG_NO_REPLY	0x10u
#define VU_FLAG_ERROR		0x20u

#define VU_MAJOR		0u
#define VU_MINOR		1u
#define VU_MAX_FDS		16u		/* descriptors in one message */
#define VU_MAX_XFER		(1u << 20)	/* data bytes in one message */
#define VU_MAX_PAYLOAD		(VU_MAX_XFER + 64u)
#define VU_MAX_DMA_MAPS		65535u
#define VU_MAX_VERSION_BYTES	4096u

#define VU_NUM_REGIONS		((unsigned int)VFIO_PCI_NUM_REGIONS)
#define VU_NUM_IRQS		((unsigned int)VFIO_PCI_NUM_IRQS)

#define VU_DMA_READABLE		0x1u
#define VU_DMA_WRITABLE		0x2u
#define VU_DMA_MODE_MMAP	0x4u
#define VU_DMA_MODE_FILE	0x8u

struct vu_hdr {
	uint16_t id;
	uint16_t cmd;
	uint32_t size;		/* of the message, with this header */
	uint32_t flags;
	uint32_t error;
};

struct vu_dma_map_msg {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t iova;
	uint64_t size;
};

struct vu_dma_unmap_msg {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};

struct vu_region_rw_msg {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

struct vu_write_multi_msg {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	uint8_t data[8];
};

struct vu_dma_rw_msg {
	uint64_t iova;
	uint64_t count;
};

struct vu_version_msg {
	uint16_t major;
	uint16_t minor;
};

/**
 * struct vu_shape - what the messages are checked against
 * @version_done: VERSION was exchanged on this connection
 * @write_multi: REGION_WRITE_MULTI was negotiated
 * @max_xfer: most data bytes of a region access
 * @region_bytes: size of each region
 * @irq_count: vectors of each interrupt index
 */
struct vu_shape {
	bool version_done;
	bool write_multi;
	uint32_t max_xfer;
	uint64_t region_bytes[VFIO_PCI_NUM_REGIONS];
	uint32_t irq_count[VFIO_PCI_NUM_IRQS];
};

/**
 * struct vu_req - a request that passed all checks
 * @cmd: enum vu_cmd, tells which member of the union is set
 * @data: bytes behind the fixed part, in the receive buffer
 * @data_len: their number
 */
struct vu_req {
	uint16_t cmd;
	const uint8_t *data;
	size_t data_len;
	union {
		uint8_t fixed[32];
		struct vu_version_msg version;
		struct vu_dma_map_msg map;
		struct vu_dma_unmap_msg unmap;
		struct vfio_device_info info;
		struct vfio_region_info region;
		struct vfio_irq_info irq_info;
		struct vfio_irq_set irq_set;
		struct vu_region_rw_msg rw;
		struct vfio_device_feature feature;
		uint64_t write_count;
	};
};

/**
 * vu_hdr_check() - judge a header before anything else is read
 *
 * Return: 0; -EPROTO when the length cannot be trusted (the stream is lost);
 * -EMSGSIZE when the message is too long to be taken (it can be skipped); -EINVAL
 * for an unknown message type.
 */
int vu_hdr_check(const struct vu_hdr *hdr);

/**
 * vu_req_parse() - turn a message into a request
 * @shape: the device and the state of the connection
 * @payload: bytes behind the header, @len of them
 * @num_fds: descriptors that came with it
 *
 * Return: 0 with @req filled, or a negative errno for the error reply.
 */
int vu_req_parse(const struct vu_shape *shape, uint16_t cmd, const void *payload, size_t len,
		 unsigned int num_fds, struct vu_req *req);

/**
 * vu_write_multi_check() - check one element of REGION_WRITE_MULTI
 */
int vu_write_multi_check(const struct vu_shape *shape, const struct vu_write_multi_msg *wr);

/**
 * struct vu_session - capabilities in force after VERSION
 */
struct vu_session {
	uint32_t max_fds;
	uint32_t max_xfer;
	uint32_t max_maps;
	uint64_t pgsizes;
	bool write_multi;
	uint16_t minor;
};

/**
 * vu_version_parse() - read the client's VERSION request
 * @json: text with its NUL, or NULL when there is none
 *
 * Return: 0 with @ses holding the agreed values, -EPROTONOSUPPORT for another major
 * version, -EINVAL for malformed or unusable capabilities, -ENOMEM.
 */
int vu_version_parse(const struct vu_version_msg *msg, const char *json,
		     struct vu_session *ses);

/**
 * vu_version_format() - write the capabilities of the reply
 *
 * Return: bytes written with the NUL, or -ENOSPC.
 */
int vu_version_format(const struct vu_session *ses, char *buf, size_t len);

#endif /* VU_MSG_H */
