/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The users of mlx5_like: a host that gives commands to the controlling function, and a guest
 * with a virtio driver on a controlled one.
 */
#ifndef MLXL_HOST_H
#define MLXL_HOST_H

#include "../mlx5_like.h"
#include "test.h"

#define HOST_IOVA	0x10000000ull
#define HOST_BYTES	0x4000000u
#define BOXES_OFF	0x10000u	/* 2 * 33 mailboxes */
#define DATA_OFF	0x100000u

struct host {
	struct rig *r;
	uint8_t *mem;
	int fd, ev[2];
	uint32_t tag;
	/* of the last command */
	uint32_t status, syndrome, out_len;
};

/* The queue is set up, with all slots, and interrupts are on. */
void host_open(struct host *h, char **options);
void host_close(struct host *h);
struct mlxl_slot *host_slot(struct host *h, unsigned int n);
/* Fill in slot @n, and mailboxes if needed; room for @out_bytes. */
void host_fill(struct host *h, unsigned int n, uint16_t opcode, uint16_t function,
	       const void *in, uint32_t in_bytes, uint32_t out_bytes);
void host_ring(struct host *h, uint32_t bits);
/* Output of the completed command in slot @n. */
void host_output(struct host *h, unsigned int n, void *out, uint32_t bytes);
/* One command in slot 0; its status. */
uint32_t host_cmd(struct host *h, uint16_t opcode, uint16_t function, const void *in,
		  uint32_t in_bytes, void *out, uint32_t out_bytes);
/* Commands whose input is one or two u32. */
uint32_t host_cmd1(struct host *h, uint16_t opcode, uint16_t function, uint32_t a);
uint32_t host_cmd2(struct host *h, uint16_t opcode, uint16_t function, uint32_t a, uint32_t b);
uint32_t host_flags(struct host *h, uint16_t function);
void host_provision(struct host *h, uint16_t function, uint16_t pairs, uint16_t queue_size);
void host_suspend(struct host *h, uint16_t function);
/* SAVE_CHUNK or LOAD_CHUNK between @off of the image and @at of host memory, two segments. */
uint32_t host_chunk(struct host *h, uint16_t opcode, uint16_t function, uint32_t session,
		    uint64_t off, uint32_t bytes, uint64_t at);
/* SAVE_BEGIN to SAVE_END; the image is at DATA_OFF.  Its length, 0 = failed. */
uint64_t host_save(struct host *h, uint16_t function, uint32_t mode, bool track);
/* LOAD_BEGIN to LOAD_END from DATA_OFF; status of the last command. */
uint32_t host_load(struct host *h, uint16_t function, uint64_t bytes);

/* ---- a guest ---- */

#define NIC_IOVA	0x40000000ull
#define NIC_BYTES	0x200000u
#define NIC_SIZE	16u		/* of a ring */
#define NIC_BUFFER	2048u

struct nic_queue {
	uint16_t avail, used;		/* as the driver counts */
};

struct nic {
	struct rig *r;
	uint8_t *mem;
	int fd, ev[4];
	bool shared;
	struct nic_queue q[5];
	uint8_t frame[2048];		/* received last */
};

/* Opens controlled function @n; memory is shared with @share, or new. */
void nic_open(struct nic *nic, struct host *h, unsigned int n, struct nic *share);
void nic_close(struct nic *nic);
/* Drive the function up to DRIVER_OK, and post receive buffers. */
void nic_start(struct nic *nic, uint64_t features, uint16_t pairs);
uint64_t nic_reg(struct nic *nic, uint32_t off, unsigned int bytes);
void nic_set(struct nic *nic, uint32_t off, unsigned int bytes, uint64_t val);
/* Make @count chains of receive queue @q available. */
void nic_post(struct nic *nic, unsigned int q, unsigned int count);
void nic_notify(struct nic *nic, unsigned int q);
/* Put a frame on transmit queue @q, without doorbell. */
void nic_put(struct nic *nic, unsigned int q, const void *frame, size_t bytes);
void nic_send(struct nic *nic, const void *frame, size_t bytes);
/* The next frame of receive queue @q in nic->frame, which is posted again; 0 = none. */
size_t nic_get(struct nic *nic, unsigned int q);
/* Raw parts of a ring: descriptor @i, available entry, used index. */
void nic_desc(struct nic *nic, unsigned int q, unsigned int i, uint64_t addr, uint32_t len,
	      uint16_t flags, uint16_t next);
void nic_avail(struct nic *nic, unsigned int q, uint16_t head);
uint16_t nic_used(struct nic *nic, unsigned int q);
uint64_t nic_buffer(unsigned int q, unsigned int i);

#define C_STATUS	20u
#define STATUS_OK	15u
#define F_BASIC		(1ull << 32 | 1ull << 33 | 1ull << 5)
#define F_MRG		(1ull << 15)

#endif /* MLXL_HOST_H */
