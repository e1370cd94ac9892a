/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mlx5_like: what the files of the model share.
 * Contract: Documentation/hardware/mlx5_like.rst; section numbers refer to it.
 */
#ifndef MODEL_MLX5_LIKE_H
#define MODEL_MLX5_LIKE_H

#include <hw/mlx5_like.h>
#include "vu.h"

#define MLXL_PAGE		4096u
#define MLXL_NO_VECTOR		0xffffu
#define MLXL_MAX_PAIRS		4u
#define MLXL_MAX_QUEUES		(2 * MLXL_MAX_PAIRS + 1)
#define MLXL_MAX_VECTORS	9u
#define MLXL_MAX_QUEUE_SIZE	256u
#define MLXL_MAX_RANGES		64u
#define MLXL_SCRATCH_BYTES	0x10000u
#define MLXL_FRAME_BYTES	1514u
#define MLXL_BACKLOG		256u
#define MLXL_PARKED		16u

_Static_assert(MLXL_MAX_FUNCTIONS == VU_MAX_CONTROLLED, "controlled functions");

/* Section 9: fault points of the controlling function, then of a controlled one */
enum mlxl_fault {
	MLXL_FAULT_QUERY_CAPS = VU_FAULT_MODEL, MLXL_FAULT_QUERY_FUNCTION, MLXL_FAULT_PROVISION,
	MLXL_FAULT_ENABLE, MLXL_FAULT_DISABLE, MLXL_FAULT_SUSPEND_INITIATOR,
	MLXL_FAULT_SUSPEND_RESPONDER, MLXL_FAULT_RESUME_INITIATOR, MLXL_FAULT_RESUME_RESPONDER,
	MLXL_FAULT_QUERY_IMAGE, MLXL_FAULT_SAVE_BEGIN, MLXL_FAULT_SAVE_CHUNK,
	MLXL_FAULT_SAVE_END, MLXL_FAULT_LOAD_BEGIN, MLXL_FAULT_LOAD_CHUNK, MLXL_FAULT_LOAD_END,
	MLXL_FAULT_TRACKER_CREATE, MLXL_FAULT_TRACKER_ARM, MLXL_FAULT_TRACKER_QUERY,
	MLXL_FAULT_TRACKER_DESTROY, MLXL_FAULT_INJECT, MLXL_FAULT_FETCH, MLXL_FAULT_FATAL,
	MLXL_FAULT_RESET,
};

enum mlxl_fn_fault {
	MLXL_FAULT_PAUSE = VU_FAULT_MODEL, MLXL_FAULT_SAVE, MLXL_FAULT_LOAD, MLXL_FAULT_OP,
	MLXL_FAULT_RX, MLXL_FAULT_RING, MLXL_FAULT_TRACK,
};

struct mlxl_options {
	uint64_t firmware, image_bytes, dirty_rate, pairs, serial, enabled, incremental, tracker;
	uint64_t chunk, segments, ranges, page_min, page_max, addr_bits, track_pages, query_pages;
	uint64_t version, oldest, timeout_ms, cmd_us;
};

struct mlxl;
struct mlxl_fn;
struct mlxl_op;
struct mlxl_peer;
struct mlxl_save;
struct mlxl_load;
struct mlxl_track;

/*
 * A command in work.  @in, @out: its whole input and output.  @boxes: its output chain.
 * @wait: until it is carried out, @forced: the status to end with.  @done: bytes of a transfer,
 * @seg and @seg_done: place in its segment list.  @dead: abandoned; freed by the next round of work.
 */
struct mlxl_cmd {
	bool active, dead, stuck;
	struct mlxl_slot slot;
	const struct mlxl_op *op;
	struct mlxl_fn *fn;
	uint8_t *in, *out;
	uint64_t boxes[MLXL_MAX_BOXES];
	struct vu_wait wait;
	uint32_t forced;
	uint32_t status, syndrome, out_len;
	uint64_t done;
	uint32_t seg, seg_done;
	bool clear;			/* TRACKER_QUERY: clear what was reported */
};

/* What the next commands of an opcode are to do (5.8, kind 5). */
struct mlxl_inject {
	uint16_t opcode;
	uint8_t action;
	uint8_t status;
	uint32_t delay_ms;
	uint32_t count;
};

/* @port: MLXL_MAX_FUNCTIONS is the peer's. */
struct mlxl_switch {
	struct {
		uint8_t mac[6];
		bool used;
		uint8_t port;
	} table[64];
	unsigned int next;
	uint64_t flooded, moved;
};

#define MLXL_PEER_PORT		MLXL_MAX_FUNCTIONS

/*
 * The device.  @epoch: changes when the queue is disabled or the firmware is reset; work
 * that waited in between is void.  @bounce: for transfers; the controlling function's work
 * only.
 */
struct mlxl {
	struct vu_dev *dev;
	struct mlxl_options opt;
	struct vu_claims claims;
	unsigned int num_fns;
	struct mlxl_fn *fn[MLXL_MAX_FUNCTIONS];
	uint32_t status, syndrome;
	uint64_t cmdq_base;
	uint32_t cmdq_log2, cmdq_ctrl;
	uint32_t doorbells;
	uint64_t events;
	struct vu_wait ready;
	bool fetch_hang;
	uint64_t epoch;
	struct mlxl_cmd cmds[MLXL_MAX_SLOTS];
	struct mlxl_inject inject;
	uint32_t pick;
	uint32_t next_id;
	uint64_t next_image;
	uint64_t doorbells_ignored, completed;
	uint32_t health;
	struct mlxl_switch sw;
	struct mlxl_peer *peer;
	uint8_t *bounce;
};

#define MLXL_BOUNCE_BYTES	65536u

/* ---- Controlled functions ---- */

/* The state of a queue, in the form in which it migrates. */
struct mlxl_queue {
	uint16_t size;
	uint16_t vector;
	uint16_t enabled;
	uint16_t avail;			/* next entry of the available ring to fetch */
	uint16_t used;			/* index of the used ring */
	uint16_t parked;		/* chains that were fetched and not begun */
	uint32_t reserved;
	uint64_t desc, driver, device;
	uint16_t heads[MLXL_PARKED];
};

/* What PROVISION sets and the user sees. */
struct mlxl_config {
	uint8_t mac[6];
	uint16_t pairs;
	uint16_t vectors;
	uint16_t queue_size;
	uint32_t reserved;
	uint64_t features;
};

/* All of a function that is in its image, but for the scratch memory and the content. */
struct mlxl_virtio {
	struct mlxl_config cfg;
	uint64_t driver_features;
	uint32_t device_select, driver_select;
	uint16_t config_vector, queue_select;
	uint8_t status, generation;
	uint16_t active_pairs;
	uint64_t rx_frames, tx_frames, rx_bytes, tx_bytes, rx_dropped;
	uint8_t flows[64];		/* queue pair that last sent in a flow */
	struct mlxl_queue q[MLXL_MAX_QUEUES];
	uint64_t reserved;
};

_Static_assert(sizeof(struct mlxl_queue) == 72, "no padding in an image");
_Static_assert(sizeof(struct mlxl_virtio) == 160 + MLXL_MAX_QUEUES * 72, "no padding in an image");

/*
 * What the user has selected in the PCI configuration access capability, and the data, in the
 * form in which it migrates.
 */
struct mlxl_window {
	uint32_t bar, offset, length, data;
};

#define MLXL_WINDOW_DATA	16u	/* offset in the capability */

/*
 * Pages that firmware keeps for the function.  The content of one follows from @seed, its
 * number and its version.  @due: the time up to which the pages have changed.
 */
struct mlxl_content {
	uint64_t seed;
	uint32_t pages;
	uint32_t *version;
	uint64_t random;
	uint64_t due;
};

struct mlxl_base {
	bool valid, reinit;
	uint64_t id;
	uint32_t *version;
};

struct mlxl_frame {
	uint16_t bytes;
	uint8_t data[MLXL_FRAME_BYTES];
};

/*
 * One controlled function.  @prov: what PROVISION said, @v.cfg: what the user sees.
 * @epoch: changes whenever work that waited for guest memory is void.  @scratch: BAR 2, which
 * may be mapped by anybody; @frozen: what it holds while the responder is suspended.  @held: id of the
 * image that was loaded last and still is what the function holds, 0 = none.
 */
struct mlxl_fn {
	struct vu_dev *dev;
	struct mlxl *m;
	unsigned int n;
	enum mlxl_fn_state state;
	uint32_t flags;
	uint32_t fail_reason;
	uint32_t resets;
	uint64_t epoch;
	struct mlxl_config prov;
	struct mlxl_virtio v;
	uint8_t *scratch, *frozen;
	struct mlxl_content content;
	struct mlxl_base base;
	uint64_t held;
	struct mlxl_save *save;
	struct mlxl_load *load;
	struct mlxl_track *track;
	struct mlxl_frame *backlog;
	unsigned int backlog_head, backlog_count;
	unsigned int cfg_window;		/* offset of the PCI access capability */
	uint8_t *buffer;			/* one frame with its header */
	struct vu_wait sending;			/* of the next frame to send, if it has begun */
	struct vu_fault_hit sending_hit;
	bool sending_begun;
};

/* mlx5_like.c */
/* An event of the function (section 6). */
void mlxl_event(struct mlxl *m, unsigned int n);
uint32_t mlxl_fw_version(const struct mlxl *m);
/* The firmware dies. */
void mlxl_fatal(struct mlxl *m, uint32_t syndrome);
uint32_t mlxl_new_id(struct mlxl *m);

/* mlx5_like_cmdq.c */
void mlxl_cmdq_work(struct mlxl *m);
void mlxl_cmdq_ctrl(struct mlxl *m, uint32_t val);
void mlxl_cmdq_doorbell(struct mlxl *m, uint32_t bits);
/* Abandon all commands; the queue is disabled. */
void mlxl_cmdq_stop(struct mlxl *m);
/* Free what is abandoned.  Context: work of the controlling function, or the end. */
void mlxl_cmdq_reap(struct mlxl *m);
/* The session or the function that commands work for is gone. */
void mlxl_cmdq_abort(struct mlxl *m, const struct mlxl_fn *fn);

/*
 * mlxl_cmd_transfer() - move bytes between @buf and the segments, where the last call ended
 * Return: 0 or the negative errno of the runtime.
 */
int mlxl_cmd_transfer(struct mlxl *m, struct mlxl_cmd *cmd, uint32_t list_at, bool to_host,
		      void *buf, size_t bytes);

/* Is the list at @list_at right, with @bytes in all?  If not, the command has ended. */
bool mlxl_segments_ok(struct mlxl_cmd *cmd, uint32_t list_at, uint32_t count, uint64_t bytes);

/* mlx5_like_cmd.c */
/* What the firmware can be told to lie about. */
extern const struct vu_claim mlxl_claims[];
/* In the output of SAVE_BEGIN. */
void mlxl_claim_save(const struct mlxl *m, struct mlxl_cmd *cmd);
/* In that of TRACKER_QUERY. */
void mlxl_claim_track(const struct mlxl *m, struct mlxl_cmd *cmd);

/**
 * struct mlxl_op - one command
 * @in_bytes: length of the input without its list
 * @list_at: offset of the u32 number of list entries (0: no list)
 * @list_bytes: size of an entry
 * @out_bytes: length of the output
 * @global: belongs to no function; @both: may name one or none
 * @states: mask of enum mlxl_fn_state
 * @fault: fault point
 * @run: Carry out (a bounded part of) the command: set status, syndrome and out.
 *       Return true when done, false to be called again.
 */
struct mlxl_op {
	uint16_t opcode;
	uint32_t in_bytes, list_at, list_bytes, out_bytes;
	bool global, both;
	uint32_t states;
	unsigned int fault;
	bool (*run)(struct mlxl *m, struct mlxl_cmd *cmd);
};

const struct mlxl_op *mlxl_op_find(uint16_t opcode);
/* True; for "return mlxl_end(...)" in @run. */
bool mlxl_end(struct mlxl_cmd *cmd, uint32_t status, uint32_t syndrome);
uint32_t mlxl_get32(const struct mlxl_cmd *cmd, uint32_t off);
uint64_t mlxl_get64(const struct mlxl_cmd *cmd, uint32_t off);
void mlxl_put(struct mlxl_cmd *cmd, uint32_t off, uint64_t val, unsigned int bytes);
uint32_t mlxl_flags(const struct mlxl_fn *fn);

/* mlx5_like_save.c and mlx5_like_load.c */
bool mlxl_query_image(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_save_begin(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_save_chunk(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_save_end(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_load_begin(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_load_chunk(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_load_end(struct mlxl *m, struct mlxl_cmd *cmd);
uint32_t mlxl_save_id(const struct mlxl_fn *fn);
uint32_t mlxl_load_id(const struct mlxl_fn *fn);
/* The function was reset: the snapshot can be sent, but is no base. */
void mlxl_save_stale(struct mlxl_fn *fn);
void mlxl_save_drop(struct mlxl_fn *fn);
/* Is the input of a chunk command right?  If not, the command has ended. */
bool mlxl_chunk_ok(const struct mlxl *m, struct mlxl_cmd *cmd, uint64_t image_bytes);
void mlxl_load_drop(struct mlxl_fn *fn);
uint64_t mlxl_image_bytes(const struct mlxl *m);

/* mlx5_like_content.c */
int mlxl_content_init(struct mlxl_fn *fn);
void mlxl_content_fini(struct mlxl_fn *fn);
/* Let the pages change up to now, if the function runs. */
void mlxl_content_age(struct mlxl_fn *fn);
/* Change @count pages. */
void mlxl_content_dirty(struct mlxl_fn *fn, uint64_t count);
/* Change all pages: the function was reset. */
void mlxl_content_reset(struct mlxl_fn *fn);
/* Fill one page of 4096 bytes. */
void mlxl_content_page(uint64_t seed, uint32_t index, uint32_t version, uint64_t *page);
uint32_t mlxl_content_digest(const struct mlxl_fn *fn);
/* @reinit: its loss is to be told. */
void mlxl_base_drop(struct mlxl_fn *fn, bool reinit);

/* mlx5_like_track.c */
bool mlxl_tracker_create(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_tracker_arm(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_tracker_query(struct mlxl *m, struct mlxl_cmd *cmd);
bool mlxl_tracker_destroy(struct mlxl *m, struct mlxl_cmd *cmd);
/* The function is about to write. */
void mlxl_track_mark(struct mlxl_fn *fn, uint64_t iova, size_t bytes);
/* The host has the report of a TRACKER_QUERY. */
void mlxl_tracker_reported(struct mlxl_cmd *cmd);
void mlxl_track_poison(struct mlxl_fn *fn);
void mlxl_track_drop(struct mlxl_fn *fn);
uint32_t mlxl_track_id(const struct mlxl_fn *fn);
uint32_t mlxl_track_flags(const struct mlxl_fn *fn);

/* mlx5_like_fn.c, mlx5_like_config.c */
extern const struct vu_model mlxl_fn_model;
int mlxl_fn_capabilities(struct mlxl_fn *fn);
void mlxl_window_get(const struct mlxl_fn *fn, struct mlxl_window *w);
void mlxl_window_set(struct mlxl_fn *fn, const struct mlxl_window *w);
/* May it be taken over? */
bool mlxl_window_ok(const struct mlxl_window *w);
int mlxl_ctrl_capabilities(struct mlxl *m);
uint64_t mlxl_fn_features(unsigned int pairs);
/* State of virtio, counters and scratch memory as after a reset. */
void mlxl_fn_clear(struct mlxl_fn *fn);
/* End everything that belongs to an enabled function: sessions, suspension, failure. */
void mlxl_fn_stop(struct mlxl_fn *fn);
void mlxl_fn_failed(struct mlxl_fn *fn, uint32_t reason);
/* Provisioning of power-on (option enabled=1). */
void mlxl_fn_power_on(struct mlxl_fn *fn);
void mlxl_fn_suspend(struct mlxl_fn *fn);
void mlxl_fn_resume(struct mlxl_fn *fn);
void mlxl_scratch_clear(struct mlxl_fn *fn);
/* Keep the content, and put it back: writes in between are undone. */
void mlxl_scratch_freeze(struct mlxl_fn *fn);
void mlxl_scratch_thaw(struct mlxl_fn *fn);
bool mlxl_fn_running(const struct mlxl_fn *fn);

/* mlx5_like_virtio.c: the registers */
void mlxl_virtio_read(struct mlxl_fn *fn, uint64_t off, void *buf, size_t len);
void mlxl_virtio_write(struct mlxl_fn *fn, uint64_t off, const void *buf, size_t len);
unsigned int mlxl_num_queues(const struct mlxl_fn *fn);
/* May a loaded state be taken over? */
bool mlxl_virtio_ok(const struct mlxl_virtio *v);

/* mlx5_like_ring.c: split rings */
#define MLXL_MAX_PARTS		64u

struct mlxl_part {
	uint64_t iova;
	uint32_t bytes;
};

/* Readable parts first, then writable ones. */
struct mlxl_chain {
	uint16_t head;
	unsigned int readable, writable;
	uint64_t read_bytes, write_bytes;
	struct mlxl_part parts[MLXL_MAX_PARTS];
};

/* 0, -EAGAIN (nothing to do), -EBADMSG (the ring makes no sense), or errno of the runtime */
int mlxl_ring_fetch(struct mlxl_fn *fn, struct mlxl_queue *q);
/* Look at the chain @nth of those fetched. */
int mlxl_ring_peek(struct mlxl_fn *fn, struct mlxl_queue *q, unsigned int nth,
		   struct mlxl_chain *chain);
/* Fill in the @nth used entry behind those that the driver knows of. */
int mlxl_ring_used(struct mlxl_fn *fn, struct mlxl_queue *q, unsigned int nth, uint16_t head,
		   uint32_t bytes);
/* Show the driver @count more used entries, for the first @count chains that were fetched. */
int mlxl_ring_publish(struct mlxl_fn *fn, struct mlxl_queue *q, unsigned int count);
int mlxl_ring_interrupt(struct mlxl_fn *fn, struct mlxl_queue *q);
int mlxl_chain_read(struct mlxl_fn *fn, const struct mlxl_chain *chain, void *buf, size_t bytes);
int mlxl_chain_write(struct mlxl_fn *fn, const struct mlxl_chain *chain, const void *buf,
		     size_t bytes);

/* mlx5_like_net.c: what the queues do */
/* True when there is more to do at once. */
bool mlxl_net_work(struct mlxl_fn *fn);

/* mlx5_like_switch.c */
void mlxl_switch_input(struct mlxl *m, unsigned int port, const uint8_t *frame, size_t bytes);
void mlxl_switch_learn(struct mlxl *m, unsigned int port, const uint8_t *mac);
void mlxl_switch_forget(struct mlxl *m, unsigned int port);
void mlxl_switch_print(const struct mlxl *m, FILE *out);
/* The frame at the head of what waits for the function, or NULL. */
const struct mlxl_frame *mlxl_backlog_first(const struct mlxl_fn *fn);
void mlxl_backlog_pop(struct mlxl_fn *fn);

/* mlx5_like_peer.c: ARP, ICMP, UDP; mlx5_like_tcp.c: TCP */
int mlxl_peer_init(struct mlxl *m);
void mlxl_peer_fini(struct mlxl *m);
void mlxl_peer_input(struct mlxl *m, const uint8_t *frame, size_t bytes);
/* Time-outs. */
void mlxl_peer_work(struct mlxl *m);
void mlxl_peer_reset(struct mlxl *m);
void mlxl_peer_print(const struct mlxl *m, FILE *out);

#endif /* MODEL_MLX5_LIKE_H */
