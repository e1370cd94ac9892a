/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions of a controlling driver: found, published in the registry
 * (vpv/controlling.h), and given back when they go away.
 *
 * A controlling driver knows how many functions its device has, and how to tell which one
 * a PCI function is: by an identity capability, never by its address.  It keeps them in a
 * set, under a lock of its own, and has the rest from here.
 */
#ifndef VPV_CONTROLLED_H
#define VPV_CONTROLLED_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/types.h>

struct pci_dev;
struct vpv_control;
struct vpv_controlled;
struct vpv_ctrl_dma;

/**
 * struct vpv_controlled_set - Functions of a controlling function
 * @pdev: The controlling function.
 * @vendor: PCI vendor id of the functions.
 * @device: PCI device id of the functions.
 * @sub_vendor: PCI subsystem vendor id of the functions; 0: any.
 * @sub_device: PCI subsystem device id of the functions; 0: any.
 * @family: See vpv_control_publish().
 * @ops: Likewise; their first argument is the struct vpv_controlled.
 * @dma: Likewise.
 * @lock: Guards the functions.
 * @identify: Which one a function of these ids is, or NULL.  @lock is held.
 * @added: A function of these ids was added: scan soon.
 * @fns: The functions; constant once the driver is bound.
 * @nb: For the library alone.
 */
struct vpv_controlled_set {
	struct pci_dev *pdev;
	u16 vendor;
	u16 device;
	u16 sub_vendor;
	u16 sub_device;
	const char *family;
	const void *ops;
	struct vpv_ctrl_dma *dma;
	struct mutex *lock;
	struct vpv_controlled *(*identify)(struct vpv_controlled_set *set, struct pci_dev *pdev);
	void (*added)(struct vpv_controlled_set *set);
	struct list_head fns;
	struct notifier_block nb;
};

/**
 * struct vpv_controlled - One of them
 * @node: In the list of the set.
 * @nr: Its number, for the log.
 * @pdev: The function, if it is there; referenced.
 * @control: What is published, or NULL.
 * @fresh: No driver has looked at it since then.
 * @enabled: The device has it ready for a user, as was heard last; not since the controlling
 *	function came up, before it was asked.
 * @news: The device has to be asked about it, see vpv_controlled_news().
 * @asked: Number of the last question about it; for the library alone.
 */
struct vpv_controlled {
	struct list_head node;
	unsigned int nr;
	struct pci_dev *pdev;
	struct vpv_control *control;
	bool fresh;
	bool enabled;
	bool news;
	u64 asked;
};

/**
 * vpv_controlled_news() - What is known of a function may have changed
 * @fn: Function.
 *
 * The device is asked about it when functions are published the next time.
 *
 * Context: any.
 */
static inline void vpv_controlled_news(struct vpv_controlled *fn)
{
	WRITE_ONCE(fn->news, true);
}

/**
 * vpv_controlled_add() - There may be one more function
 * @set: Set; its list is initialized.
 * @fn: Function; zeroed, but for @fn->nr.
 */
void vpv_controlled_add(struct vpv_controlled_set *set, struct vpv_controlled *fn);

/**
 * vpv_controlled_listen() - Learn of functions that come and go
 * @set: Set.
 *
 * Those that go are forgotten.  One that came before this is found, too: @set->added is called
 * once.
 *
 * Return: 0 or a negative errno.
 */
int vpv_controlled_listen(struct vpv_controlled_set *set);

/**
 * vpv_controlled_unlisten() - Undo vpv_controlled_listen()
 * @set: Set.
 */
void vpv_controlled_unlisten(struct vpv_controlled_set *set);

/**
 * vpv_controlled_scan() - Find the functions that were not found yet
 * @set: Set; its lock is held.
 *
 * There is news of each that is found.
 */
void vpv_controlled_scan(struct vpv_controlled_set *set);

/**
 * vpv_controlled_publish() - Publish a function, if it is there and is not published
 * @set: Set; its lock is held.
 * @fn: Function.
 *
 * One line of the log says so, or why it cannot be.  The driver of the function is told: it may
 * have been open all the time, while it was not controlled.
 */
void vpv_controlled_publish(struct vpv_controlled_set *set, struct vpv_controlled *fn);

/**
 * vpv_controlled_withdraw() - Undo vpv_controlled_publish()
 * @set: Set; its lock is held.
 * @fn: Function; NULL: all of them.
 *
 * See vpv_control_withdraw() for whom it waits.
 */
void vpv_controlled_withdraw(struct vpv_controlled_set *set, struct vpv_controlled *fn);

/**
 * vpv_controlled_attach() - Let drivers look at what was published
 * @set: Set.
 *
 * Once each time: a function that was unbound since stays so.
 *
 * Context: process; no lock is held: drivers probe.
 */
void vpv_controlled_attach(struct vpv_controlled_set *set);

/**
 * vpv_controlled_forget() - Functions go away, or the controlling driver does
 * @set: Set; its lock is held.
 * @pdev: Which; NULL: all.
 */
void vpv_controlled_forget(struct vpv_controlled_set *set, struct pci_dev *pdev);

/**
 * vpv_controlled_unbound() - Do something while no driver is bound to a function
 * @set: Set; its lock is not held.
 * @fn: Function; also one that is not there.
 * @what: Called with the lock of the set held, and with that of the function's device, if it is
 *	there.
 *
 * Return: what @what does; -EBUSY when a driver is bound, or is just binding, or the function
 * is just coming or going.
 */
int vpv_controlled_unbound(struct vpv_controlled_set *set, struct vpv_controlled *fn,
			   int (*what)(struct vpv_controlled *fn));

/**
 * vpv_controlled_capability() - Read an identity capability
 * @pdev: Function.
 * @cap: Receives the capability that is accepted.
 * @bytes: Its size, a multiple of 4.
 * @accepts: Is this vendor-specific capability the one?  It may be any other.
 *
 * Return: false if there is none.
 */
bool vpv_controlled_capability(struct pci_dev *pdev, u8 *cap, unsigned int bytes,
			       bool (*accepts)(const u8 *cap));

#endif /* VPV_CONTROLLED_H */
