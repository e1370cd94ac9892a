/* SPDX-License-Identifier: GPL-2.0 */
/*
 * coherent_gpu: what the files of the model share.
 * Contract: Documentation/hardware/coherent_gpu.rst; section numbers refer to it.
 */
#ifndef MODEL_COHERENT_GPU_H
#define MODEL_COHERENT_GPU_H

#include <hw/coherent_gpu.h>
#include "vu_dev.h"

#define CGPU_EARLY_MAX	1024u	/* addresses that are kept */

enum cgpu_fault {
	CGPU_FAULT_PAUSE = VU_FAULT_MODEL, CGPU_FAULT_SAVE, CGPU_FAULT_LOAD, CGPU_FAULT_CLEAR,
	CGPU_FAULT_LOG_READ, CGPU_FAULT_POISON, CGPU_FAULT_LOG, CGPU_FAULT_FETCH, CGPU_FAULT_OP,
	CGPU_FAULT_RESET, CGPU_FAULT_READY,
};

/* A part of the memory of the device: main memory or the carve-out. */
struct cgpu_part {
	uint64_t first;		/* device address */
	uint64_t bytes;
	uint8_t *at;
	uint64_t *log;		/* a bit for each page of the log */
};

enum { CGPU_MAIN, CGPU_CARVE, CGPU_PARTS };

/*
 * @early: device addresses of pages that were touched before readiness; @num_early counts
 * also those that are not kept.  @written: pages that the device wrote; the log, which has
 * to agree, knows nothing of it.
 */
struct cgpu_mem {
	int fd;
	uint8_t *map;
	uint64_t bytes;
	struct cgpu_part part[CGPU_PARTS];
	uint32_t log_ctrl;
	bool log_lost;
	unsigned int num_poison;
	uint32_t poison_seq;
	struct cgpu_poison poison[CGPU_POISON_MAX];
	uint64_t early[CGPU_EARLY_MAX], num_early;
	struct vu_ledger written;
};

/*
 * @s: the queue in the form in which it migrates; @s.cmd is in work if @s.in_work.
 * @life: changes when the queue is started or stopped.  @held: what the next step waits for.
 * @abort: status that an armed fault gives the command in work.  @resume: it owes the
 * interrupt of a resume.
 */
struct cgpu_queue {
	struct cgpu_state_queue s;
	uint64_t life;
	bool is_held, resume;
	struct vu_wait held;
	uint32_t abort;
	uint64_t next_tile;
};

struct cgpu_control {
	uint32_t pause, drain, err, stat, bytes, pages, set;
	uint64_t addr, drain_deadline;
	struct vu_wait draining, busy;
	uint32_t cmd, fail;
};

/* @epoch: changes when queues are cleared or the device is reset. */
struct cgpu {
	struct vu_dev *dev;
	uint32_t rev, version, oldest, queues, log2, ops, caps, log_sizes;
	uint64_t drain_ms, ready_ms, ready_max_ms, tile_us;
	uint32_t ctrl, status;
	bool mem_late, mem_never;
	struct vu_wait ready, mem_ready;
	uint64_t ops_done, ops_failed, fetches, tiles, epoch;
	bool touching;
	struct cgpu_mem mem;
	struct cgpu_control cp;
	struct vu_claims claims;
	struct cgpu_queue q[CGPU_MAX_QUEUES];
	uint8_t *buf;		/* CGPU_TILE_BYTES */
	float *a, *b;		/* CGPU_TILE_DIM * CGPU_MAX_DIM each */
};

/* coherent_gpu.c */
uint32_t cgpu_queues_reg(const struct cgpu *g);

/* coherent_gpu_mem.c: addresses are device addresses, without CGPU_ADDR_DEVICE */
int cgpu_mem_open(struct cgpu *g);
void cgpu_mem_close(struct cgpu *g);
void cgpu_mem_reset(struct cgpu *g);
/* Memory is there from now on: find out who could not wait. */
void cgpu_mem_ready(struct cgpu *g);
bool cgpu_mem_exists(const struct cgpu *g, uint64_t addr, uint64_t len);
/* 0 or an enum cgpu_status. */
uint32_t cgpu_mem_read(struct cgpu *g, uint64_t addr, void *buf, size_t len);
uint32_t cgpu_mem_write(struct cgpu *g, uint64_t addr, const void *buf, size_t len);

/* coherent_gpu_log.c: 0 or an enum cgpu_cp_err */
void cgpu_log_write(struct cgpu *g, uint64_t addr, size_t len);
uint32_t cgpu_log_ctrl(struct cgpu *g, uint32_t val);
uint32_t cgpu_log_read(struct cgpu *g, uint64_t addr, uint32_t pages, uint8_t *window);
bool cgpu_poisoned(const struct cgpu *g, uint64_t addr, size_t len);
uint32_t cgpu_poison_set(struct cgpu *g, const struct cgpu_poison *list, unsigned int num,
			 uint32_t flags);
/* Of inherited ones. */
void cgpu_poison_reset(struct cgpu *g);

/* coherent_gpu_ops.c */
bool cgpu_cmd_ok(const struct cgpu *g, const struct cgpu_cmd *cmd);
/* Does the command, valid or not, access guest memory? */
bool cgpu_cmd_in_guest(const struct cgpu *g, const struct cgpu_cmd *cmd);
uint64_t cgpu_cmd_tiles(const struct cgpu_cmd *cmd);
/*
 * Access to an address of a command; 0 or an enum cgpu_status, or a negative errno when
 * what was in work is dropped meanwhile.
 */
int cgpu_read(struct cgpu *g, uint64_t addr, void *buf, size_t len);
int cgpu_write(struct cgpu *g, uint64_t addr, const void *buf, size_t len);
/* Carry out tile @s->progress of @s->cmd, which is valid.  Return: as cgpu_read(). */
int cgpu_tile(struct cgpu *g, struct cgpu_state_queue *s);

/* coherent_gpu_queue.c */
bool cgpu_ring_ok(const struct cgpu *g, uint64_t ring, uint32_t size);
bool cgpu_queue_enabled(const struct cgpu_queue *q);
void cgpu_queue_ctrl(struct cgpu *g, struct cgpu_queue *q, uint32_t val);
void cgpu_queue_tail(struct cgpu_queue *q, uint32_t val);
/* One step; true when there may be more to do at once.  Context: the model's work. */
bool cgpu_queue_work(struct cgpu *g, struct cgpu_queue *q);
/* Back to the state after a reset; what is in work is dropped. */
void cgpu_queues_clear(struct cgpu *g);
/* Neither in the middle of a tile nor accessing memory. */
bool cgpu_idle(const struct cgpu *g);

/* coherent_gpu_state.c */
uint32_t cgpu_state_bytes(const struct cgpu *g);
void cgpu_state_get(const struct cgpu *g, struct cgpu_state *s);
/* 0 or an enum cgpu_cp_err. */
uint32_t cgpu_state_set(struct cgpu *g, const struct cgpu_state *s, uint32_t bytes);

/* coherent_gpu_control.c */
uint32_t cgpu_control_read(struct cgpu *g, uint32_t off);
void cgpu_control_write(struct cgpu *g, uint32_t off, uint32_t val);
void cgpu_control_reset(struct cgpu *g);
void cgpu_control_work(struct cgpu *g);
/* Registers of it that can be told to lie. */
extern const struct vu_claim cgpu_claims[];

#endif /* MODEL_COHERENT_GPU_H */
