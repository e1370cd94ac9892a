/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CGPU_PRIVATE_H
#define CGPU_PRIVATE_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <vpv/bar_memory.h>
#include <vpv/mailbox.h>
#include <vpv/pause.h>
#include <vpv/variant.h>
#include <vpv/window.h>

#include "match.h"

/* BARs as which memory is shown. */
#define CGPU_MAIN_BAR	2
#define CGPU_CARVE_BAR	4

/**
 * struct cgpu_dev - One function
 * @m: What the core and the migration library know; first.
 * @place: Where its memory is; constant.
 * @ctl: The control page; set by open.
 * @fn: What it said of the function then.
 * @log_log2: Size of the pages of the function's log, as a power of two.
 * @log_lost: It was not read, and has not begun anew since.
 * @cmd_lock: A command of the control page, from its operands to its answer.  Inside of locks
 *	of the libraries, and under it nobody waits for the memory.
 * @cmd_err: CP_ERR of the last command, 0 if the function did not refuse it.  @cmd_lock.
 * @bad: Pages that the function knew to be bad when it was last asked.  @cmd_lock.
 * @num_bad: Their number.  @cmd_lock.
 * @bad_seq: CP_POISON_SEQ, before it was asked.  @cmd_lock.
 * @watch: Asks whether there are others, while the device is open.
 * @watch_ms: How long it waits, more after a question that failed.  @watch.
 *
 * The rest without locks: hooks of the library use it, of which one runs at a time, and open
 * and close, when none does.  The memory is read and written in several threads.
 */
struct cgpu_dev {
	struct vpv_migratable m;
	struct cgpu_place place;
	struct vpv_window ctl;
	struct cgpu_match fn;
	u8 log_log2;
	bool log_lost;
	struct mutex cmd_lock;	/* one command */
	u32 cmd_err;
	struct cgpu_poison bad[CGPU_POISON_MAX];
	u32 num_bad;
	u32 bad_seq;
	struct delayed_work watch;
	unsigned int watch_ms;
};

static inline struct cgpu_dev *cgpu_from_vpv(struct vpv_device *vpv)
{
	return container_of(vpv, struct cgpu_dev, m.vpv);
}

static inline struct cgpu_dev *cgpu_from_mig(struct vmig_dev *mig)
{
	return container_of(mig, struct cgpu_dev, m.mig);
}

static inline struct device *cgpu_device(const struct cgpu_dev *cd)
{
	return &cd->m.vpv.pdev->dev;
}

static inline u64 cgpu_main_bytes(const struct cgpu_dev *cd)
{
	return cd->place.bytes - cd->place.carve;
}

/* hw.c */

/**
 * cgpu_identify() - What is the function?
 * @cd: Function, whose control page is there.
 * @fn: Receives it.
 *
 * Waits until it is READY after a reset.
 * Return: 0; -ETIMEDOUT; an error of vpv/window.h.
 */
int cgpu_identify(struct cgpu_dev *cd, struct cgpu_match *fn);

/* For struct vpv_variant.  After -ETIMEDOUT or -ENOTRECOVERABLE the log says so. */
int cgpu_memory_ready(struct vpv_device *vpv);

/**
 * cgpu_healthy() - May the function be loaded?
 * @cd: Function.
 *
 * Return: 0; -ENOTRECOVERABLE: it has failed, and the log says so; an error of vpv/window.h.
 */
int cgpu_healthy(struct cgpu_dev *cd);

/**
 * cgpu_idle() - Wait for a command that was given up
 * @cd: Function.
 *
 * Context: cgpu_dev.cmd_lock; before operands are written.
 * Return: 0, -ETIMEDOUT, or why the function cannot be asked.
 */
int cgpu_idle(struct cgpu_dev *cd);

/**
 * cgpu_command() - Carry out a command of the control page
 * @cd: Function.
 * @cmd: Which one.
 * @buf: Goes into the window first; or NULL.
 * @bytes: Its size.
 *
 * Context: cgpu_dev.cmd_lock, until the answer was read.
 * Return: 0; left to the caller to say: -EINVAL: the function refuses what is in the window;
 * -ENODATA: its log was lost; an error that the log of the kernel has.
 */
int cgpu_command(struct cgpu_dev *cd, enum cgpu_cp_cmd cmd, const void *buf, size_t bytes);

/**
 * cgpu_log_read() - Have LOG_READ put which pages were written into the window
 * @cd: Function.
 * @first: Device address of the first one.
 * @pages: Their number.
 *
 * Context, Return: as cgpu_command().
 */
int cgpu_log_read(struct cgpu_dev *cd, u64 first, u32 pages);

/**
 * cgpu_answer() - Copy what a command has left in the window
 * @cd: Function.
 * @buf: Receives it.
 * @bytes: Its size.
 *
 * Return: 0; -EPROTO: it has another size; an error of vpv/window.h.
 */
int cgpu_answer(struct cgpu_dev *cd, void *buf, size_t bytes);

/**
 * cgpu_window() - Copy the begin of the window, whatever CP_BYTES says
 * @cd: Function.
 * @buf: Receives it.
 * @bytes: Size.
 *
 * Return: 0 or an error of vpv/window.h.
 */
int cgpu_window(struct cgpu_dev *cd, void *buf, size_t bytes);

/* dirty.c: of struct vmig_pages_ops. */
int cgpu_track_start(struct vmig_dev *mig);
void cgpu_track_stop(struct vmig_dev *mig);
int cgpu_harvest(struct vmig_dev *mig, struct vmig_dirty *dirty);
int cgpu_protect(struct vmig_dev *mig, const struct vmig_range *part);

/* poison.c */

/**
 * cgpu_bad_update() - Ask the function for bad pages, and tell the core
 * @cd: Function.
 * @anew: Also if there seem to be no others.
 *
 * Return: 0; -EPROTO: the list makes no sense; an error of cgpu_command().
 */
int cgpu_bad_update(struct cgpu_dev *cd, bool anew);

/**
 * cgpu_bad_list() - Which pages are bad, by the function and the kernel
 * @cd: Function; cgpu_bad_update().
 * @list: Receives CGPU_POISON_MAX of them, ascending, without flags; NULL: they are counted.
 *
 * Return: how many there are, which may be more than CGPU_POISON_MAX.
 */
u32 cgpu_bad_list(struct cgpu_dev *cd, struct cgpu_poison *list);

/* While the device is open: ask periodically. */
void cgpu_watch_init(struct cgpu_dev *cd);
void cgpu_watch_start(struct cgpu_dev *cd);
void cgpu_watch_stop(struct cgpu_dev *cd);

/* migrate.c */

/**
 * cgpu_memory_wait() - Wait until the memory is there, in a hook that may have to end
 * @mig: Function.
 *
 * Return: as vpv_bar_memory_wait_unless().
 */
int cgpu_memory_wait(struct vmig_dev *mig);

extern const struct vmig_ops cgpu_ops;
extern const struct vmig_desc cgpu_desc;

#endif /* CGPU_PRIVATE_H */
