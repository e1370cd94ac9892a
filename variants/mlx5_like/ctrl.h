/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver of the controlling function (module vpv_mlx5_ctrl), inside.
 *
 * Locks, outer to inner:
 *
 *   device lock of a controlled function	only tried, by disable
 *   mlxl_ctrl.life.lock	functions, up and down
 *   the registry's	(a withdrawal waits for those inside, who take what follows);
 *				inside is that of buffers (vpv/ctrl_buf.h)
 *   mlxl_queue.lock	spinlock; slots
 */
#ifndef MLXL_CTRL_H
#define MLXL_CTRL_H

#include <linux/bitmap.h>
#include <linux/configfs.h>
#include <linux/dmapool.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <vpv/controlled.h>
#include <vpv/controlling.h>
#include <vpv/ctrl_buf.h>
#include <vpv/ctrl_life.h>

#include "control.h"
#include "ctrl_wire.h"

#define MLXL_CTRL_NAME	"vpv_mlx5_ctrl"

/**
 * struct mlxl_work - A slot in use
 * @cmd: Its command.
 * @wire: What was written.
 * @in: Input mailboxes.
 * @out: Output mailboxes.
 * @deadline: In jiffies.
 * @waiter: Of exec; else cmd->done() is called.
 * @err: What exec returns.
 */
struct mlxl_work {
	struct mlxl_command *cmd;
	struct mlxl_wire wire;
	struct mlxl_chain in;
	struct mlxl_chain out;
	unsigned long deadline;
	struct completion *waiter;
	int *err;
};

enum mlxl_queue_state {
	MLXL_QUEUE_DOWN,	/* commands are refused */
	MLXL_QUEUE_RESTART,	/* they wait */
	MLXL_QUEUE_UP,
};

/**
 * struct mlxl_queue - The command queue
 * @pdev: Controlling function.
 * @regs: Its registers.
 * @life: Told when only a reset of the function can help; the queue is down.
 * @slots: Slots in host memory.
 * @slots_dma: Where the firmware finds them.
 * @boxes: Memory for mailboxes.
 * @num: Slots used.
 * @limit: Longest time that a command may take, in jiffies.
 * @lock: Guards what follows.
 * @state: Are commands accepted?
 * @tag: Next tag.
 * @used: Slots that have an owner here.
 * @active: Slots of these that were given to the firmware.
 * @lost: Slots of @used whose command has ended here while the firmware could not be kept
 *	from writing to memory any more: what it was told of stays allocated.
 * @wild: The same for the queue itself.
 * @work: What is in each slot; belongs to the task that set the bit in @used.
 * @room: For those who wait for a slot, or for none to be used.
 * @watch: Looks for completions, time-outs and death; not queued while the queue is down.
 * @health: Last value of HEALTH; only @watch uses it.
 * @healthy: When it changed, in jiffies.
 */
struct mlxl_queue {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct vpv_ctrl_life *life;
	struct mlxl_slot *slots;
	dma_addr_t slots_dma;
	struct dma_pool *boxes;
	unsigned int num;
	unsigned long limit;

	spinlock_t lock;
	enum mlxl_queue_state state;
	u32 tag;
	unsigned long used;
	unsigned long active;
	unsigned long lost;
	bool wild;
	struct mlxl_work work[MLXL_MAX_SLOTS];

	wait_queue_head_t room;
	struct delayed_work watch;
	u32 health;
	unsigned long healthy;
};

/**
 * struct mlxl_fn - A controlled function
 * @c: The function, and its number.
 * @ctrl: Who controls it.
 * @want: What PROVISION will be told; ctrl->life.lock.
 * @group: Its folder in configfs.
 */
struct mlxl_fn {
	struct vpv_controlled c;
	struct mlxl_ctrl *ctrl;
	struct mlxl_provision want;
	struct config_group group;
};

/**
 * struct mlxl_ctrl - A controlling function
 * @life: Its life, and its functions.
 * @q: Its queue.
 * @caps: What the firmware can do; constant while something is published.
 * @serial: Of the device.
 * @num_fns: Controlled functions, at most MLXL_MAX_FUNCTIONS.
 * @fn: The functions.
 * @dma: For buffers of the drivers of its functions.
 * @group: Its folder in configfs.
 */
struct mlxl_ctrl {
	struct vpv_ctrl_life life;
	struct mlxl_queue q;
	struct mlxl_caps caps;
	u64 serial;
	unsigned int num_fns;
	struct mlxl_fn fn[MLXL_MAX_FUNCTIONS];
	struct vpv_ctrl_dma *dma;
	struct config_group group;
};

static inline struct mlxl_ctrl *mlxl_ctrl_of(struct vpv_ctrl_life *life)
{
	return container_of(life, struct mlxl_ctrl, life);
}

/* ctrl_queue.c */
int mlxl_queue_init(struct mlxl_queue *q, struct vpv_ctrl_life *life, void __iomem *regs);
void mlxl_queue_fini(struct mlxl_queue *q);
int mlxl_queue_up(struct mlxl_queue *q);
void mlxl_queue_down(struct mlxl_queue *q);
bool mlxl_queue_disable(struct mlxl_queue *q);
void mlxl_queue_look(struct mlxl_queue *q);
bool mlxl_queue_events(struct mlxl_queue *q, unsigned long *events);

/* How soon to look for completions; interrupts may get lost. */
static inline unsigned long mlxl_queue_tick(const struct mlxl_queue *q)
{
	return q->life->irqs ? msecs_to_jiffies(20) : 1;
}

/* ctrl_slot.c */
void mlxl_queue_reap(struct mlxl_queue *q);
int mlxl_queue_submit(struct mlxl_queue *q, u16 function, struct mlxl_command *cmd);
int mlxl_queue_exec(struct mlxl_queue *q, u16 function, struct mlxl_command *cmd);
void mlxl_slots_end(struct mlxl_queue *q, unsigned long which, int err);
unsigned long mlxl_slots_late(struct mlxl_queue *q);
void mlxl_slots_quiet(struct mlxl_queue *q);

/* ctrl_fn.c */
int mlxl_fn_query(struct mlxl_fn *fn, struct mlxl_function *out);
int mlxl_fn_enable(struct vpv_controlled *c);
int mlxl_fn_disable(struct vpv_controlled *c);
void mlxl_fns_prepare(struct mlxl_ctrl *ctrl);
int mlxl_fn_ask(struct vpv_ctrl_life *life, struct vpv_controlled *c);
void mlxl_fns_events(struct mlxl_ctrl *ctrl, const unsigned long *events);

/* ctrl_configfs.c */
int mlxl_configfs_init(void);
void mlxl_configfs_exit(void);
int mlxl_configfs_add(struct vpv_ctrl_life *life);
void mlxl_configfs_remove(struct vpv_ctrl_life *life);

#endif /* MLXL_CTRL_H */
