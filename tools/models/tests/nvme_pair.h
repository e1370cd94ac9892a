/* SPDX-License-Identifier: GPL-2.0 */
/* Two hosts with a subsystem each, between which the controller of a guest moves, for tests. */
#ifndef NVME_PAIR_H
#define NVME_PAIR_H

#include "nvme_host.h"

#define NVMH_CNTLID		NVCF_CNTLID_FIRST
#define NVMH_STATE_BYTES	4096u

/* A host: its managing controller, and the controller of the guest. */
struct nvmh_host {
	struct rig *owner;
	struct nvmh m, fn;
	char disk[80];
};

/* Two hosts, one guest, one disk. */
struct nvmh_pair {
	struct nvmh_host a, b;
	char path[64];
	int fd;
};

/* The controller of @a runs, with one pair of queues; @option: one more of @b. */
void nvmh_open_pair(struct nvmh_pair *p, const char *option);
/* With an option, or NULL, of both. */
void nvmh_open_pair_both(struct nvmh_pair *p, const char *both, const char *option);
void nvmh_close_pair(struct nvmh_pair *p);

/* Commands of the managing controller; a status each. */
int nvmh_send_op(struct nvmh_host *h, uint32_t sel, uint32_t cdw11);
int nvmh_suspend(struct nvmh_host *h);
int nvmh_resume(struct nvmh_host *h);
/* @cdw11: CSUUIDI and CNTLID where Get State has them. */
int nvmh_get_part(struct nvmh_host *h, uint32_t csvi, uint32_t cdw11, uint64_t off,
		  uint32_t dwords);
int nvmh_set_part(struct nvmh_host *h, uint32_t seq, uint32_t indices, uint64_t off,
		  const uint8_t *in, uint32_t bytes);
int nvmh_set_state(struct nvmh_host *h, const uint8_t *in, uint32_t bytes);
/* Bytes of the state that begins at @state. */
uint32_t nvmh_state_bytes(const uint8_t *state);
/* All of it, as a driver reads it: the header, and then the rest. */
uint32_t nvmh_get_state(struct nvmh_host *h, uint8_t *out);
/* The guest goes on elsewhere: its driver's view comes along. */
void nvmh_move(struct nvmh_host *from, struct nvmh_host *to);
/* An I/O command of the guest, in blocks of 512 bytes. */
int nvmh_io(struct nvmh_host *h, uint8_t opcode, uint64_t slba, uint32_t nlb);

#endif /* NVME_PAIR_H */
