/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver of the managing controller (module vpv_nvme_ctrl), inside.
 *
 * Locks, outer to inner:
 *
 *   device lock of a migratable controller	only tried, by disable
 *   nvcf_cdev.sem	the driver stays, while a user's command is in work
 *   nvcf_ctrl.user	one command of a user at a time
 *   nvcf_ctrl.life.lock	functions, up and down; not taken inside of what follows
 *   the registry's	(a withdrawal waits for those inside, who take what follows)
 *   nvcf_fn.sem	commands about a function: those of its driver, or one of a user
 *   nvcf_queue.lock	spinlock; queue and slots
 */
#ifndef NVCF_CTRL_H
#define NVCF_CTRL_H

#include <linux/completion.h>
#include <linux/configfs.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <vpv/controlled.h>
#include <vpv/controlling.h>
#include <vpv/ctrl_life.h>

#include "control.h"
#include "ctrl_wire.h"
#include "identity.h"

#define NVCF_CTRL_NAME	"vpv_nvme_ctrl"

#define NVCF_ENTRIES	32	/* of either queue; more than NVCF_IDS, so neither gets full */
#define NVCF_SLOTS	8

/* Command ids: a slot is one, and so are the driver's own two commands. */
enum { NVCF_ID_ABORT = NVCF_SLOTS, NVCF_ID_EVENT, NVCF_IDS };

/**
 * struct nvcf_admin - An admin command
 * @sqe: The command; its id and PRP entries are filled in.
 * @data: Kernel memory, copied; NULL: none.
 * @bytes: Its size.
 * @limit: Longest time that it may take, in jiffies; 0: as long as any may.
 * @dw0: Dword 0 of the completion.
 * @dw1: Dword 1 of the completion.
 * @status: Status of the completion, with the bits above type and code.
 */
struct nvcf_admin {
	struct nvs_sqe sqe;
	void *data;
	u32 bytes;
	unsigned long limit;
	u32 dw0;
	u32 dw1;
	u16 status;
};

/**
 * struct nvcf_slot - What a command id is used for
 * @buf: NVCF_MAX_DATA for its data, at the device since the driver was bound.
 * @buf_dma: Its address there.
 * @list: PRP list of @buf.
 * @list_dma: Its address there.
 * @deadline: In jiffies.
 * @patience: When the usual time-out is over, also if its sender has asked for a shorter one.
 * @aborted: Its time was over, an Abort was sent.
 * @err: How it ended.
 * @cqe: Its completion, if @err is 0.
 * @done: It has ended.
 */
struct nvcf_slot {
	void *buf;
	dma_addr_t buf_dma;
	__le64 *list;
	dma_addr_t list_dma;
	unsigned long deadline;
	unsigned long patience;
	bool aborted;
	int err;
	struct nvs_cqe cqe;
	struct completion done;
};

/**
 * struct nvcf_queue - The pair of admin queues
 * @pdev: Managing controller.
 * @regs: Its registers.
 * @life: Told when only a reset of the controller can help; the queue is down.
 * @event: Called when an asynchronous event was reported, with dword 0; not for longer than
 *	it takes to schedule a work.
 * @sqes: Submission queue.
 * @sqes_dma: Its address at the device.
 * @cqes: Completion queue.
 * @cqes_dma: Its address at the device.
 * @max_data: Most data of a command.
 * @wild: The device could not be kept from accessing memory: nothing of it is freed.
 * @doorbells: Registers of the tail and of the head.
 * @lock: Guards what follows.
 * @up: Commands are accepted.
 * @tail: Of the submission queue.
 * @head: Of the completion queue.
 * @phase: Of the next completion.
 * @used: Slots that have an owner here.
 * @active: Command ids that the device has.
 * @victim: Slot that the Abort names, if that is one of these: an id says nothing about which
 *	command it was, so the slot has no other one before the Abort has ended.
 * @slot: Belongs to the task that set the bit in @used; to the queue while the bit in @active
 *	is set.
 * @room: For those who wait for a slot, or for none to be used.
 * @watch: Looks for completions, time-outs and death; not queued while the queue is down.
 */
struct nvcf_queue {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct vpv_ctrl_life *life;
	void (*event)(struct nvcf_queue *q, u32 dw0);
	struct nvs_sqe *sqes;
	dma_addr_t sqes_dma;
	struct nvs_cqe *cqes;
	dma_addr_t cqes_dma;
	u32 max_data;
	bool wild;
	u32 doorbells[2];

	spinlock_t lock;
	bool up;
	u16 tail;
	u16 head;
	bool phase;
	unsigned long used;
	unsigned long active;
	unsigned int victim;
	struct nvcf_slot slot[NVCF_IDS];

	wait_queue_head_t room;
	struct delayed_work watch;
};

/**
 * struct nvcf_fn - A migratable controller
 * @c: Its function; the number is the CNTLID by which commands name it.  @c.pdev is also read
 *	under @sem.
 * @ctrl: Who manages it.
 * @want: The profile that it has or will be given; ctrl->life.lock.
 * @sem: Held for writing by a command of a user, for reading by those of its driver.
 * @group: Its folder in configfs.
 * @ns: Folders of its namespaces.
 */
struct nvcf_fn {
	struct vpv_controlled c;
	struct nvcf_ctrl *ctrl;
	struct nvcf_profile want;
	struct rw_semaphore sem;
	struct config_group group;
	struct config_group ns[NVCF_MAX_NS];
};

struct nvcf_cdev;

/**
 * struct nvcf_ctrl - A managing controller
 * @life: Its life, and the functions of migratable controllers.
 * @q: Its queue.
 * @user: See above.
 * @cntlid: Its own.
 * @managing: What it can do; constant while something is published.
 * @num_fns: Migratable controllers; constant from probe on.
 * @known: They are.
 * @fn: These.
 * @group: Its folder in configfs.
 * @cdev: Its character device.
 * @event: Tells of an event, and asks for the next one.
 * @event_dw0: The event.
 */
struct nvcf_ctrl {
	struct vpv_ctrl_life life;
	struct nvcf_queue q;
	struct mutex user;	/* one command of a user at a time */
	u16 cntlid;
	struct nvcf_managing managing;
	unsigned int num_fns;
	bool known;
	struct nvcf_fn fn[NVCF_MAX_FUNCTIONS];
	struct config_group group;
	struct nvcf_cdev *cdev;
	struct work_struct event;
	u32 event_dw0;
};

static inline struct nvcf_ctrl *nvcf_ctrl_of(struct vpv_ctrl_life *life)
{
	return container_of(life, struct nvcf_ctrl, life);
}

/* ctrl_queue.c */
int nvcf_queue_init(struct nvcf_queue *q, struct vpv_ctrl_life *life, void __iomem *regs);
void nvcf_queue_fini(struct nvcf_queue *q);
int nvcf_queue_up(struct nvcf_queue *q);
void nvcf_queue_down(struct nvcf_queue *q);
bool nvcf_queue_disable(struct nvcf_queue *q);
void nvcf_queue_look(struct nvcf_queue *q);

/* How soon to look for completions; interrupts may get lost. */
static inline unsigned long nvcf_queue_tick(const struct nvcf_queue *q)
{
	return q->life->irqs ? msecs_to_jiffies(20) : 1;
}

/* ctrl_slot.c */
unsigned long nvcf_queue_limit(void);
void nvcf_queue_reap(struct nvcf_queue *q);
int nvcf_queue_exec(struct nvcf_queue *q, struct nvcf_admin *cmd);
void nvcf_queue_ask_event(struct nvcf_queue *q);
void nvcf_slots_end(struct nvcf_queue *q);
bool nvcf_slots_abort_late(struct nvcf_queue *q);

/* ctrl_fn.c */
int nvcf_fn_enable(struct vpv_controlled *c);
int nvcf_fn_disable(struct vpv_controlled *c);
int nvcf_fn_user(struct nvcf_ctrl *ctrl, struct nvcf_admin *cmd);
int nvcf_fns_init(struct nvcf_ctrl *ctrl, const u16 *cntlid, int num);
void nvcf_fns_prepare(struct nvcf_ctrl *ctrl);
int nvcf_fn_ask(struct vpv_ctrl_life *life, struct vpv_controlled *c);

/* ctrl_configfs.c */
int nvcf_configfs_init(void);
void nvcf_configfs_exit(void);
int nvcf_configfs_add(struct vpv_ctrl_life *life);
void nvcf_configfs_remove(struct vpv_ctrl_life *life);

/* ctrl_cdev.c */
int nvcf_cdev_init(void);
void nvcf_cdev_exit(void);
int nvcf_cdev_add(struct nvcf_ctrl *ctrl);
void nvcf_cdev_hide(struct nvcf_ctrl *ctrl);
void nvcf_cdev_remove(struct nvcf_ctrl *ctrl);

#endif /* NVCF_CTRL_H */
