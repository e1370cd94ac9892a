/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a controlling function: up while it takes commands, down otherwise.
 *
 * Its death, its reset and errors of the bus take it down: all commands end, and its
 * functions are withdrawn (vpv/controlled.h).  It comes up again when it works, and
 * publishes them anew, with new handles: older ones fail.  When it is reset,
 * and by whom, is in vpv/ctrl_recovery.h.
 *
 * The driver knows how to bring its function up and down, and whether it works.  The rest is
 * here: attempts to recover, the callbacks of the PCI core, and telling drivers of functions.
 */
#ifndef VPV_CTRL_LIFE_H
#define VPV_CTRL_LIFE_H

#include <linux/interrupt.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <vpv/controlled.h>
#include <vpv/ctrl_recovery.h>

struct pci_dev;
struct pci_error_handlers;
struct pci_saved_state;
struct vpv_ctrl_life;

/**
 * struct vpv_ctrl_life_ops - What a controlling driver does
 * @bar: Where the registers of the function are.
 * @regs_bytes: Least size of that.
 * @threads: Threads that handle interrupts, one for each vector of MSI-X from 0 on; their second
 *	argument is the struct vpv_ctrl_life.
 * @vectors: Their number.
 */
struct vpv_ctrl_life_ops {
	unsigned int bar;
	unsigned int regs_bytes;
	const irq_handler_t *threads;
	unsigned int vectors;

	/**
	 * @init: Allocate what commands need.
	 *
	 * May sleep.  The driver is being bound: @regs of the life is mapped, the function is no
	 * bus master, and no other hook has been called.
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*init)(struct vpv_ctrl_life *life);

	/**
	 * @fini: Undo @init.
	 *
	 * May sleep.  The driver is being unbound: no command is taken, and no interrupt is
	 * handled any more.
	 */
	void (*fini)(struct vpv_ctrl_life *life);

	/**
	 * @show: Let users see the functions, and provision them.
	 *
	 * May sleep; the function has come up.
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*show)(struct vpv_ctrl_life *life);

	/** @hide: Undo @show, and wait for its users; may sleep. */
	void (*hide)(struct vpv_ctrl_life *life);

	/**
	 * @start: Make the function take commands, and find out what it can do.
	 *
	 * Lock of the life held; may sleep.  The function is down.  After an error it is,
	 * too.
	 *
	 * Return: 0 or a negative errno.
	 */
	int (*start)(struct vpv_ctrl_life *life);

	/**
	 * @stop: End all commands, and take none.
	 *
	 * Lock of the life held; may sleep.  Also when no command is taken.  No register is
	 * touched while vpv_ctrl_life_reachable() is false.
	 */
	void (*stop)(struct vpv_ctrl_life *life);

	/**
	 * @cut_off: End all commands soon, and tell vpv_ctrl_life_died().
	 *
	 * An error has cut the function off, or it was reset.  A task that waits for a command
	 * may hold the lock of the life, which is not taken here: a work does it, as when
	 * the function dies.  Does not sleep.
	 */
	void (*cut_off)(struct vpv_ctrl_life *life);

	/**
	 * @works: Are commands taken?  Lock of the life held.
	 *
	 * Return: false from when the function is known to be dead.
	 */
	bool (*works)(struct vpv_ctrl_life *life);

	/**
	 * @disable: Have the function stop accessing memory, and say that it has.
	 *
	 * See vpv_ctrl_life_quiesce(); may sleep.
	 *
	 * Return: false when it does not.
	 */
	bool (*disable)(struct vpv_ctrl_life *life);

	/**
	 * @quiet: Does the function provably access no memory?  After @stop, or @start; lock
	 * of the life held.
	 *
	 * Return: false if it may.
	 */
	bool (*quiet)(struct vpv_ctrl_life *life);

	/**
	 * @ask: Ask the device about one of the functions that there is news of.
	 *
	 * Lock of the life held; may sleep for as long as one command takes, and waits for its
	 * turn.  The function is up.  The other one need not be there; one that is not is never
	 * published.
	 *
	 * Return: 0, with @enabled of the other one set: it is published if it is; -ENXIO: nobody
	 * was asked, there are news when it comes; or a negative errno: it is asked about again
	 * with other news, but for one that a driver has open and that had no answer in time:
	 * the driver finds out.  After -ETIMEDOUT and -ECONNABORTED no other question is asked
	 * for now.
	 */
	int (*ask)(struct vpv_ctrl_life *life, struct vpv_controlled *fn);

	/**
	 * @enable_fn: Provision a function as its user wants, and publish it.
	 *
	 * No lock is held; may sleep.  Also one that is enabled, and one that is not there.
	 *
	 * Return: 0; -ENOTCONN when the controlling function does not work; or another negative
	 * errno.
	 */
	int (*enable_fn)(struct vpv_controlled *fn);

	/**
	 * @disable_fn: Undo @enable_fn.
	 *
	 * No lock is held; may sleep.
	 *
	 * Return: 0; -EBUSY while a driver is bound to the function; or another negative errno.
	 */
	int (*disable_fn)(struct vpv_controlled *fn);
};

/**
 * struct vpv_ctrl_life - A controlling function
 * @pdev: The function, whose driver data this is.
 * @ops: What its driver does.
 * @regs: Its registers; while the driver is bound.
 * @wq: For works; the driver may use it, too.
 * @lock: Guards @up, @set, and what the driver says.
 * @up: The function takes commands, as far as is known; @lock.
 * @set: Its functions.
 * @limit: Longest time that a command may take, in jiffies; @ops->start sets it.
 * @questions: How often @ops->ask was called; @lock.
 * @silent: It had no answer in the last turn, and there is to be one more; @lock.
 * @announce: Looks for functions, publishes them, and lets drivers bind.
 * @recover: Does what @recovery says.
 * @irqs: Vectors that have a handler; without any the driver polls.
 * @saved: Config space as it was when the driver was bound, for a reset after an error.
 * @recovery_lock: Spinlock; guards @recovery; inside are locks of the workqueue alone.
 * @recovery: Attempts to recover, and errors.
 */
struct vpv_ctrl_life {
	struct pci_dev *pdev;
	const struct vpv_ctrl_life_ops *ops;
	void __iomem *regs;
	struct workqueue_struct *wq;
	struct mutex lock;	/* functions, up and down */
	bool up;
	struct vpv_controlled_set set;
	unsigned long limit;
	u64 questions;
	bool silent;
	struct work_struct announce;
	struct delayed_work recover;
	unsigned int irqs;
	struct pci_saved_state *saved;
	spinlock_t recovery_lock;	/* recovery */
	struct vpv_recovery recovery;
};

/**
 * vpv_ctrl_life_init() - Prepare a function that is down
 * @life: Zeroed, but for @pdev, @ops and @recovery.self_reset.
 *
 * Then the driver fills in what is particular to it of @set: ids, family, ops, dma and
 * identify.
 *
 * Return: 0 or -ENOMEM.
 */
int vpv_ctrl_life_init(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_bind() - Bring the function up, and publish what it controls
 * @life: Function, prepared; becomes the driver data of its PCI function.
 *
 * The function is a bus master by @ops->start only, whatever it was before.  What its config
 * space is now is restored after errors, and by vpv_ctrl_life_unbind() if it does not work then.
 * Without interrupts, which the log tells, the driver polls.
 *
 * Context: process; in probe.
 * Return: 0 or a negative errno: all is undone.
 */
int vpv_ctrl_life_bind(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_unbind() - Undo vpv_ctrl_life_bind(): no command, no function any more
 * @life: Function; also one that is down.
 *
 * Works may still be scheduled, which do nothing.
 *
 * Context: process; in remove.
 */
void vpv_ctrl_life_unbind(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_fini() - Undo vpv_ctrl_life_init()
 * @life: Function that was unbound, or never bound.  Its works are not scheduled any more.
 */
void vpv_ctrl_life_fini(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_announce() - Something has become of the functions: publish them soon
 * @life: Function.
 *
 * They are looked for, the device is asked about those that there is news of
 * (vpv_controlled_news()), and drivers may bind to those that are published.  Drivers of those
 * that were published already are not told: for that the caller has vpv_control_changed().
 *
 * Context: any.
 */
void vpv_ctrl_life_announce(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_died() - Only a reset can help the function
 * @life: Function; all its commands have ended, or it does not come up.
 *
 * Context: any that has interrupts on.
 */
void vpv_ctrl_life_died(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_reachable() - May registers and config space be touched?
 * @life: Function.
 *
 * Context: any that has interrupts on; a snapshot: a reset may come at any time.
 * Return: false while the PCI core recovers the function from an error.
 */
bool vpv_ctrl_life_reachable(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_cut_off() - Has an error, or the reset after one, ended all commands?
 * @life: Function.
 *
 * Context: any that has interrupts on; a snapshot.
 * Return: true from then until the function is brought up.
 */
bool vpv_ctrl_life_cut_off(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_quiesce() - Keep the function from accessing memory
 * @life: Function.
 *
 * It is disabled, and not a bus master any more.
 *
 * Context: process; may sleep.
 * Return: true if it provably accesses none: it says so, or is no bus master, or not there.
 */
bool vpv_ctrl_life_quiesce(struct vpv_ctrl_life *life);

/**
 * vpv_ctrl_life_show_address() - Where a function is, for a file
 * @life: Controlling function.
 * @fn: Function.
 * @page: Receives its PCI address and a newline; if it is not there the newline alone.
 *
 * Context: process; may sleep.
 * Return: length or -EINTR.
 */
ssize_t vpv_ctrl_life_show_address(struct vpv_ctrl_life *life, const struct vpv_controlled *fn,
				   char *page);

/**
 * vpv_ctrl_life_show_enabled() - Is a function ready for a user?  For a file
 * @life: Controlling function.
 * @fn: Function.
 * @page: Receives 0 or 1.
 *
 * The device is not asked: any user may read the file, and a device that does not answer is
 * reset, which ends the commands of others.
 *
 * Context: process; may sleep.
 * Return: length; -ENOTCONN while the controlling function is down; or -EINTR.
 */
ssize_t vpv_ctrl_life_show_enabled(struct vpv_ctrl_life *life, const struct vpv_controlled *fn,
				   char *page);

/**
 * vpv_ctrl_life_store_enabled() - Enable or disable a function, for a file
 * @life: Controlling function.
 * @fn: Function.
 * @page: A text that kstrtobool() takes.
 * @count: Its length.
 *
 * Drivers may bind to one that was enabled.
 *
 * Context: process; may sleep; no lock is held.
 * Return: @count; -EINVAL; or what @ops->enable_fn and @ops->disable_fn return.
 */
ssize_t vpv_ctrl_life_store_enabled(struct vpv_ctrl_life *life, struct vpv_controlled *fn,
				    const char *page, size_t count);

/* For drivers whose driver data is a struct vpv_ctrl_life. */
extern const struct pci_error_handlers vpv_ctrl_life_err_handlers;

#endif /* VPV_CTRL_LIFE_H */
