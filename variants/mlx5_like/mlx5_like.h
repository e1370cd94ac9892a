/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver of controlled functions of mlx5_like (module vpv_mlx5_like), inside.
 */
#ifndef MLX5_LIKE_H
#define MLX5_LIKE_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <vpv/controlling.h>
#include <vpv/ctrl_buf.h>
#include <vpv/variant.h>

#include "control.h"
#include "match.h"

/*
 * Buffers.  Saving: two that the firmware fills, two that wait for the reader.  Loading:
 * one that user space fills, the others with the firmware.
 */
#define MLXL_IOS		4
#define MLXL_AHEAD		2
#define MLXL_TRACK_PAGES	(256U << 10)
/* Buffers are whole pages, which may be 64 KiB. */
#define MLXL_TRACK_BYTES	PAGE_ALIGN(MLXL_TRACK_PAGES / BITS_PER_BYTE)

/* How often a function that may stand still is looked after. */
#define MLXL_SETTLE_JIFFIES	(HZ / 2)

/**
 * struct mlxl_session - A save or load session of the firmware, or a tracker
 * @control: Handle by which it was begun; referenced.  NULL: there is none.
 * @id: Its id.
 * @bytes: Size of the image.
 */
struct mlxl_session {
	struct vpv_control *control;
	u32 id;
	u64 bytes;
};

/**
 * struct mlxl_io - A buffer, and the command that fills or reads it
 * @chunk: Memory.
 * @buf: The same for the firmware; NULL: there is none.
 * @busy: A command was begun and not waited for.
 * @skip: Where in the buffer its part begins.
 * @offset: Where in the image.
 * @bytes: How much.
 * @cmd: Command.
 * @in: Its input, with the segments.
 * @out: Its output.
 * @done: It has ended.
 * @err: How.
 */
struct mlxl_io {
	struct vmig_chunk *chunk;
	struct vpv_ctrl_buf *buf;
	bool busy;
	u32 skip;
	u64 offset;
	u32 bytes;
	struct mlxl_command cmd;
	void *in;
	__le32 out[2];
	struct completion done;
	int err;
};

/**
 * struct mlxl_save - A save session of the library
 * @session: Image that is being sent.
 * @mode: Its kind.
 * @final: It is the last one.
 * @begun: Its first record was emitted.
 * @dropped: It was given up, and the reader has not been told.
 * @pos: Bytes of it that were emitted.
 * @base: The reader has an image that an incremental one can build on.
 * @degraded: Something went wrong with pre-copy: all that follows is one full image.
 */
struct mlxl_save {
	struct mlxl_session session;
	u32 mode;
	bool final;
	bool begun;
	bool dropped;
	u64 pos;
	bool base;
	bool degraded;
};

/**
 * struct mlxl_load - A load session of the library
 * @session: Image that is being loaded.
 * @so_far: What has come.
 * @at: Buffer of the piece that comes, or came.
 */
struct mlxl_load {
	struct mlxl_session session;
	struct mlxl_loading so_far;
	unsigned int at;
};

/**
 * struct mlxl_tracker - What the firmware tracks
 * @session: The tracker.
 * @page_log2: Size of its pages.
 * @io: Buffer for bitmaps.
 */
struct mlxl_tracker {
	struct mlxl_session session;
	u8 page_log2;
	struct mlxl_io io;
};

/**
 * struct mlxl_dev - One controlled function
 * @m: What the core and the migration library know; first.
 * @caps: What the firmware can do; set at the begin of a session.
 * @full_bytes: Of a full image of the function, as the destination was told in match
 *	data; a reset in pre-copy, which begins @save anew, does not change it.
 * @stale: The function was reset: the firmware has forgotten the sessions.
 * @power: Held while the function is told to stop; guards the next five.  Taken under
 *	memory_lock when the function is reset: inside are the registry's and the
 *	controlling driver's locks, and nothing of the core's.
 * @resetting: Between the two hooks of a reset; cleared without the lock.
 * @reset_ahead: From the first of them until the library has been told.
 * @suspended: A half of it was told to stop since the last reset.
 * @unsettled: It may have been told to stop before a reset and have stopped after it.
 * @unknown: The end of a command that has told it to stop is not known, and it was not
 *	told to run since: the firmware may carry that out whenever it likes.
 * @settle: See that it runs.
 * @halves: What was suspended, and is not being resumed: MLXL_FN_ flags.
 * @changes: How often that has changed.
 * @watch: Hears of news of the function while it is open.
 * @check: After news: see that it is still suspended.
 * @io: Buffers of a session.
 * @save: Save session.
 * @load: Load session.
 * @track: Tracker.
 *
 * No other locks: all but @track is used by migration hooks, of which only one runs at a
 * time, @track by track hooks, for which the same is true.  The works read @halves and
 * @changes, and ask again if these have changed meanwhile.
 */
struct mlxl_dev {
	struct vpv_migratable m;
	struct mlxl_caps caps;
	u64 full_bytes;
	bool stale;
	struct mutex power;	/* see above */
	bool resetting;
	bool reset_ahead;
	bool suspended;
	bool unsettled;
	bool unknown;
	struct delayed_work settle;
	u32 halves;
	u32 changes;
	struct vpv_control_watch watch;
	struct delayed_work check;
	struct mlxl_io io[MLXL_IOS];
	struct mlxl_save save;
	struct mlxl_load load;
	struct mlxl_tracker track;
};

static inline struct mlxl_dev *mlxl_from_vpv(struct vpv_device *vpv)
{
	return container_of(vpv, struct mlxl_dev, m.vpv);
}

static inline struct mlxl_dev *mlxl_from_mig(struct vmig_dev *mig)
{
	return container_of(mig, struct mlxl_dev, m.mig);
}

/* The flag of QUERY_FUNCTION for what SUSPEND and RESUME name. */
static inline u32 mlxl_half(u32 what)
{
	return what == MLXL_INITIATOR ? MLXL_FN_INITIATOR : MLXL_FN_RESPONDER;
}

/* hw.c */
int mlxl_hw_caps(struct mlxl_dev *md, struct mlxl_caps *caps);
int mlxl_hw_query(struct mlxl_dev *md, struct mlxl_function *fn);
int mlxl_hw_suspend(struct mlxl_dev *md, u32 what);
int mlxl_hw_resume(struct mlxl_dev *md, u32 what, u32 halves);
int mlxl_hw_run(struct mlxl_dev *md);
int mlxl_hw_image_size(struct mlxl_dev *md, u32 mode, struct mlxl_image_size *size);
int mlxl_hw_save_begin(struct mlxl_dev *md, u32 mode, bool track, struct mlxl_session *s);
int mlxl_hw_save_end(struct mlxl_dev *md, struct mlxl_session *s, bool commit);
int mlxl_hw_load_begin(struct mlxl_dev *md, u64 bytes, struct mlxl_session *s);
int mlxl_hw_load_end(struct mlxl_dev *md, struct mlxl_session *s, bool abort, u32 *reason);
int mlxl_hw_tracker_arm(struct mlxl_dev *md, struct mlxl_session *s);
int mlxl_hw_tracker_create(struct mlxl_dev *md, const struct vmig_track *what,
			   struct mlxl_session *s);
int mlxl_hw_tracker_query(struct mlxl_dev *md, struct mlxl_session *s, struct mlxl_io *io,
			  u64 iova, u64 bytes, u32 bitmap_bytes);
void mlxl_hw_tracker_destroy(struct mlxl_dev *md, struct mlxl_session *s);
void mlxl_hw_forget(struct mlxl_session *s);

/* io.c */
int mlxl_io_prepare(struct mlxl_dev *md, struct mlxl_io *io, struct mlxl_session *s,
		    size_t room, enum dma_data_direction dir);
void mlxl_io_free(struct mlxl_io *io);
u32 mlxl_io_segments(const struct mlxl_io *io, u32 skip, u32 bytes,
		     struct mlxl_segment *seg);
u32 mlxl_io_piece_bytes(const struct mlxl_caps *caps);
u64 mlxl_io_bitmap_pages(const struct mlxl_caps *caps);
int mlxl_io_start(struct mlxl_io *io, struct mlxl_session *s, u16 opcode, u32 skip,
		  u64 offset, u32 bytes);
void mlxl_io_drain(struct mlxl_io *io);
int mlxl_io_wait(struct mlxl_io *io, struct mlxl_session *s);
void mlxl_ios_free(struct mlxl_dev *md);

/* migrate.c */
extern const struct vmig_ops mlxl_mig_ops;
extern const struct vmig_desc mlxl_mig_desc;
void mlxl_forget(struct mlxl_dev *md);
void mlxl_settle(struct work_struct *work);
void mlxl_check(struct work_struct *work);
void mlxl_changed(struct vpv_control_watch *watch);
void mlxl_reset_prepare(struct vpv_device *vpv);
void mlxl_reset_done(struct vpv_device *vpv);

/* save.c */
void mlxl_save_begin(struct mlxl_dev *md);
int mlxl_precopy(struct vmig_dev *mig, struct vmig_emit *em, unsigned int round);
u64 mlxl_dirty_bytes(struct vmig_dev *mig);
int mlxl_save(struct vmig_dev *mig, struct vmig_emit *em);
void mlxl_save_end(struct vmig_dev *mig);
u64 mlxl_estimate(struct vmig_dev *mig);

/* dirty.c */
int mlxl_track_limits(struct vmig_dev *mig, struct vmig_track_limits *limits);
int mlxl_track_start(struct vmig_dev *mig, const struct vmig_track *what,
		     struct vmig_track_limits *limits);
void mlxl_track_stop(struct vmig_dev *mig);
int mlxl_track_report(struct vmig_dev *mig, const struct vmig_range *part,
		      struct vmig_dirty *dirty);

#endif /* MLX5_LIKE_H */
