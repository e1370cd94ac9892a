/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an NVMe host has sent and got back, to be compared with what models say that they have
 * completed: each command is completed once, on one side.
 */
#ifndef SELFTEST_NVMELOG_H
#define SELFTEST_NVMELOG_H

#include "model.h"
#include "nvme.h"

#define NVME_LOG_MAX	16384
#define NVME_LOG_SIDES	2

/**
 * struct nvme_command - A command
 * @qid: Its queue.
 * @cid: Its id; no other command of this log has both.
 * @opcode: What it was.
 * @status: How the host saw it end.
 * @done: How often the host saw that; once is right.
 * @by: How often each side says that it has completed it.
 * @lba: First block of an I/O command.
 * @stamp: The first eight bytes of its data.
 * @data: Where they are.
 */
struct nvme_command {
	uint16_t qid;
	uint16_t cid;
	uint8_t opcode;
	uint16_t status;
	uint8_t done;
	uint8_t by[NVME_LOG_SIDES];
	uint64_t lba;
	uint64_t stamp;
	const void *data;
};

/**
 * struct nvme_log - All commands since it was empty
 * @num: How many.
 * @at: Number of the command with this id, counted from 1.
 * @cmd: They.
 */
struct nvme_log {
	unsigned int num;
	uint16_t at[NVME_QUEUES][65536];
	struct nvme_command cmd[NVME_LOG_MAX];
};

/* @data: the first of it. */
void nvme_log_put(struct nvme_log *log, unsigned int q, uint16_t cid, const struct nvs_sqe *e,
		  const void *data);
/* -EPROTO: nobody waits for it. */
int nvme_log_done(struct nvme_log *log, unsigned int q, const struct nvs_cqe *c);
/* Have a model forget what it has completed so far. */
int nvme_log_begin(struct model *m);
/*
 * Read what both models have completed (which they forget) and compare: -EILSEQ after lines
 * that say what is wrong.  Commands in @open may be without an end: event requests.  @count:
 * completed on each side.
 */
int nvme_log_join(struct nvme_log *log, struct model *a, struct model *b, unsigned int open,
		  unsigned int count[NVME_LOG_SIDES]);

#endif /* SELFTEST_NVMELOG_H */
