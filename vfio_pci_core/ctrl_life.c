// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a controlling function: see vpv/ctrl_life.h.
 *
 * Locks: the lock of the life is taken in resets under the device lock, and never
 * by error callbacks, which run under pci_bus_sem: these note what has become of the
 * function, and a work does the rest.  It waits for commands, which end: by themselves, by
 * their time-out, or, where the function is cut off, by what ops->cut_off() has scheduled.
 */
#include <linux/cleanup.h>
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <vpv/ctrl_buf.h>
#include <vpv/ctrl_life.h>
#include <vpv/controlling.h>

#include "error.h"

static u64 now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

/* ---- Asking about functions ---- */

/* The one that waits for longest, of those not asked about since a question. */
static struct vpv_controlled *ask_next(struct vpv_ctrl_life *life, u64 since)
{
	struct vpv_controlled *fn, *next = NULL;

	list_for_each_entry(fn, &life->set.fns, node)
		if (READ_ONCE(fn->news) && fn->asked <= since &&
		    (!next || fn->asked < next->asked))
			next = fn;
	return next;
}

/*
 * One that is not there is news when it comes.  A driver that has one open finds out by itself:
 * asking again with each news of others would hold these up, again and again.
 */
static bool asked_in_vain(struct vpv_ctrl_life *life, const struct vpv_controlled *fn, int err)
{
	return err == -ENXIO ||
	       (err == -ETIMEDOUT && fn->control &&
		vpv_control_watched(&fn->pdev->dev, life->set.family));
}

static int ask_one(struct vpv_ctrl_life *life, struct vpv_controlled *fn)
{
	int err;

	fn->asked = ++life->questions;
	/* News that come meanwhile are another question. */
	WRITE_ONCE(fn->news, false);
	err = life->ops->ask(life, fn);
	if (!err && fn->enabled) {
		vpv_controlled_publish(&life->set, fn);
		err = fn->pdev && !fn->control ? -EAGAIN : 0;
	}
	if (err && !asked_in_vain(life, fn, err))
		vpv_controlled_news(fn);
	return err;
}

/*
 * The lock is held meanwhile, for which resets and removals wait.  So no question is begun when
 * the time of one command is over, or one has had no answer in time: the others have their turn
 * after those who wait, and so has one whose question was ended by another command.  If nothing
 * was answered there is one more turn, since the first question may have been the only one that
 * the device cannot answer; then it is left alone until there are other news, and is asked about
 * the others first.
 */
static void ask_all(struct vpv_ctrl_life *life)
{
	const unsigned long end = jiffies + life->limit;
	const u64 since = life->questions;
	bool over = false, asked = false, answered = false, again;
	struct vpv_controlled *fn;
	int err = 0;

	while (!over && (fn = ask_next(life, since))) {
		err = ask_one(life, fn);
		asked |= err != -ENXIO;
		answered |= !err;
		over = time_after(jiffies, end) || err == -ETIMEDOUT || err == -ECONNABORTED;
	}
	if (!asked)
		return;
	again = (ask_next(life, since) || err == -ECONNABORTED) && (answered || !life->silent);
	if (again)
		vpv_ctrl_life_announce(life);
	life->silent = again && !answered;
}

/* ---- Up and down ---- */

/* What commands named that have not ended by the function's doing. */
static void life_quiet(struct vpv_ctrl_life *life)
{
	if (life->set.dma && life->ops->quiet(life))
		vpv_ctrl_dma_quiet(life->set.dma);
}

static void life_down(struct vpv_ctrl_life *life)
{
	lockdep_assert_held(&life->lock);

	if (!life->up)
		return;
	life->up = false;
	life->ops->stop(life);
	vpv_controlled_withdraw(&life->set, NULL);
	life_quiet(life);
}

static int life_up(struct vpv_ctrl_life *life)
{
	struct vpv_controlled *fn;
	int err;

	lockdep_assert_held(&life->lock);

	err = life->ops->start(life);
	life_quiet(life);
	if (err)
		return err;
	life->up = true;
	/* Whatever was known of them was before it came up. */
	list_for_each_entry(fn, &life->set.fns, node) {
		fn->enabled = false;
		vpv_controlled_news(fn);
	}
	vpv_controlled_scan(&life->set);
	ask_all(life);
	vpv_ctrl_life_announce(life);
	return 0;
}

static void announce_work(struct work_struct *work)
{
	struct vpv_ctrl_life *life = container_of(work, struct vpv_ctrl_life, announce);

	scoped_guard(mutex, &life->lock) {
		if (!life->up)
			return;
		vpv_controlled_scan(&life->set);
		ask_all(life);
	}
	vpv_controlled_attach(&life->set);
}

void vpv_ctrl_life_announce(struct vpv_ctrl_life *life)
{
	queue_work(life->wq, &life->announce);
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_announce);

static void set_added(struct vpv_controlled_set *set)
{
	vpv_ctrl_life_announce(container_of(set, struct vpv_ctrl_life, set));
}

/* ---- Memory ---- */

bool vpv_ctrl_life_reachable(struct vpv_ctrl_life *life)
{
	bool reachable;

	scoped_guard(spinlock, &life->recovery_lock)
		reachable = vpv_recovery_reachable(&life->recovery);
	return reachable;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_reachable);

/* Bus mastering is off, and what was under way has arrived; or the function is not there. */
static bool master_off(struct pci_dev *pdev)
{
	u16 cmd;

	pci_clear_master(pdev);
	if (READ_ONCE(pdev->error_state) == pci_channel_io_perm_failure)
		return true;
	/* The answer comes after the writes that the function has sent before. */
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	return !PCI_POSSIBLE_ERROR(cmd) && !(cmd & PCI_COMMAND_MASTER) &&
	       pci_wait_for_pending_transaction(pdev);
}

bool vpv_ctrl_life_quiesce(struct vpv_ctrl_life *life)
{
	bool quiet;

	if (!vpv_ctrl_life_reachable(life))
		return false;
	quiet = life->ops->disable(life);
	/* Off in any case: that it stays disabled is not checked. */
	return master_off(life->pdev) || quiet;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_quiesce);

/* ---- Recovery ---- */

static void recover_in(struct vpv_ctrl_life *life, unsigned int ms)
{
	queue_delayed_work(life->wq, &life->recover, msecs_to_jiffies(ms));
}

void vpv_ctrl_life_died(struct vpv_ctrl_life *life)
{
	unsigned int ms;

	scoped_guard(spinlock, &life->recovery_lock)
		ms = vpv_recovery_died(&life->recovery, now_ms());
	recover_in(life, ms);
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_died);

bool vpv_ctrl_life_cut_off(struct vpv_ctrl_life *life)
{
	bool cut_off;

	scoped_guard(spinlock, &life->recovery_lock)
		cut_off = life->recovery.channel != VPV_CHANNEL_NORMAL;
	return cut_off;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_cut_off);

/* What to do.  The function is down after it, unless that is nothing, or it came up. */
static enum vpv_recovery_step recover_begin(struct vpv_ctrl_life *life)
{
	enum vpv_recovery_step step;
	bool works;

	guard(mutex)(&life->lock);
	works = life->up && life->ops->works(life);
	scoped_guard(spinlock, &life->recovery_lock)
		step = vpv_recovery_next(&life->recovery, works, now_ms());
	if (step == VPV_RECOVERY_NOTHING)
		return step;
	life_down(life);
	if (step == VPV_RECOVERY_UP)
		return life_up(life) ? VPV_RECOVERY_RESET : VPV_RECOVERY_NOTHING;
	return step;
}

/*
 * The reset ends in reset_done(), which brings the function up.  The PCI core would wait
 * for a minute for one that is not there.
 */
static void recover_by_reset(struct vpv_ctrl_life *life)
{
	int err = pci_device_is_present(life->pdev) ? pci_try_reset_function(life->pdev) : -ENODEV;
	unsigned int ms;

	scoped_guard(mutex, &life->lock)
		if (!err && life->up)
			return;
	scoped_guard(spinlock, &life->recovery_lock)
		ms = vpv_recovery_pause(&life->recovery);
	recover_in(life, ms);
}

static void recover_step(struct vpv_ctrl_life *life)
{
	switch (recover_begin(life)) {
	case VPV_RECOVERY_NOTHING:
	case VPV_RECOVERY_UP:
		break;
	case VPV_RECOVERY_WAIT:
		recover_in(life, VPV_RECOVERY_MOST_MS);
		break;
	case VPV_RECOVERY_RESET:
		recover_by_reset(life);
		break;
	case VPV_RECOVERY_LOST:
		pci_err(life->pdev, "was not recovered from an error: reset it, or bind the driver anew\n");
		break;
	case VPV_RECOVERY_GIVE_UP:
		pci_err(life->pdev, "does not recover: bind the driver anew\n");
		break;
	}
}

static void recover_work(struct work_struct *work)
{
	struct vpv_ctrl_life *life = container_of(to_delayed_work(work), struct vpv_ctrl_life,
						  recover);

	recover_step(life);
	scoped_guard(spinlock, &life->recovery_lock)
		vpv_recovery_tried(&life->recovery, now_ms());
}

/* ---- Callbacks of the PCI core ---- */

/* Not what the PCI core saved last: the function may not have answered, or was reset. */
static void restore_config(struct vpv_ctrl_life *life)
{
	pci_load_saved_state(life->pdev, life->saved);
	pci_restore_state(life->pdev);
}

static void life_error(struct vpv_ctrl_life *life, enum vpv_channel channel)
{
	scoped_guard(spinlock, &life->recovery_lock)
		vpv_recovery_error(&life->recovery, channel, now_ms());
	life->ops->cut_off(life);
	mod_delayed_work(life->wq, &life->recover, 0);
}

static pci_ers_result_t error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct vpv_ctrl_life *life = pci_get_drvdata(pdev);

	if (state == pci_channel_io_normal)
		return vpv_error_answer(state);
	pci_warn(pdev, "cut off by an error: its functions are not controlled\n");
	life_error(life, state == pci_channel_io_frozen ? VPV_CHANNEL_FROZEN : VPV_CHANNEL_FAILED);
	return vpv_error_answer(state);
}

static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct vpv_ctrl_life *life = pci_get_drvdata(pdev);

	if (!pci_device_is_present(pdev)) {
		life_error(life, VPV_CHANNEL_FAILED);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	restore_config(life);
	life_error(life, VPV_CHANNEL_RESET);
	return PCI_ERS_RESULT_RECOVERED;
}

static void reset_prepare(struct pci_dev *pdev)
{
	struct vpv_ctrl_life *life = pci_get_drvdata(pdev);

	guard(mutex)(&life->lock);
	scoped_guard(spinlock, &life->recovery_lock)
		vpv_recovery_reset_begin(&life->recovery);
	life_down(life);
}

static void reset_done(struct pci_dev *pdev)
{
	struct vpv_ctrl_life *life = pci_get_drvdata(pdev);
	bool lost = vpv_ctrl_life_cut_off(life), may;
	int err;

	guard(mutex)(&life->lock);
	scoped_guard(spinlock, &life->recovery_lock) {
		/* It may have been without power: then the PCI core has saved nothing of use. */
		lost |= life->recovery.trying;
		may = vpv_recovery_reset_done(&life->recovery, now_ms());
		/*
		 * An attempt that is due later would put off the next one.  Not after it has come
		 * up: it may die at once, and the attempt is that one then.
		 */
		if (may)
			cancel_delayed_work(&life->recover);
	}
	if (!may)
		return;
	if (lost)
		restore_config(life);
	if (life->up)
		return;
	err = life_up(life);
	if (err) {
		pci_err(pdev, "does not work after its reset: error %d\n", err);
		vpv_ctrl_life_died(life);
	}
}

const struct pci_error_handlers vpv_ctrl_life_err_handlers = {
	.error_detected = error_detected,
	.mmio_enabled = vpv_error_mmio_enabled,
	.slot_reset = slot_reset,
	.resume = vpv_error_resume,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};
EXPORT_SYMBOL_GPL(vpv_ctrl_life_err_handlers);

/* ---- What users see ---- */

ssize_t vpv_ctrl_life_show_address(struct vpv_ctrl_life *life, const struct vpv_controlled *fn,
				   char *page)
{
	ssize_t ret = mutex_lock_interruptible(&life->lock);

	if (ret)
		return ret;
	ret = sysfs_emit(page, "%s\n", fn->pdev ? pci_name(fn->pdev) : "");
	mutex_unlock(&life->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_show_address);

ssize_t vpv_ctrl_life_show_enabled(struct vpv_ctrl_life *life, const struct vpv_controlled *fn,
				   char *page)
{
	/* Commands that take long may be carried out under it. */
	ssize_t ret = mutex_lock_interruptible(&life->lock);

	if (ret)
		return ret;
	ret = life->up ? sysfs_emit(page, "%d\n", fn->enabled) : -ENOTCONN;
	mutex_unlock(&life->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_show_enabled);

ssize_t vpv_ctrl_life_store_enabled(struct vpv_ctrl_life *life, struct vpv_controlled *fn,
				    const char *page, size_t count)
{
	bool enable;
	int err;

	err = kstrtobool(page, &enable);
	if (err)
		return err;
	/* What was just published is being offered to drivers: that alone is no use of it. */
	flush_work(&life->announce);
	if (!enable)
		return life->ops->disable_fn(fn) ?: count;
	err = life->ops->enable_fn(fn);
	if (err)
		return err;
	vpv_controlled_attach(&life->set);
	return count;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_store_enabled);

/* ---- Beginning and end ---- */

int vpv_ctrl_life_init(struct vpv_ctrl_life *life)
{
	life->wq = alloc_workqueue("%s", WQ_UNBOUND, WQ_MAX_ACTIVE, life->pdev->dev.driver->name);
	if (!life->wq)
		return -ENOMEM;
	mutex_init(&life->lock);
	spin_lock_init(&life->recovery_lock);
	INIT_WORK(&life->announce, announce_work);
	INIT_DELAYED_WORK(&life->recover, recover_work);
	life->set.pdev = life->pdev;
	life->set.lock = &life->lock;
	life->set.added = set_added;
	INIT_LIST_HEAD(&life->set.fns);
	return 0;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_init);

static int life_map(struct vpv_ctrl_life *life)
{
	const struct vpv_ctrl_life_ops *ops = life->ops;
	struct pci_dev *pdev = life->pdev;
	int err;

	/* The PCI core would wait for a minute in a reset of one that is not there. */
	if (!pci_device_is_present(pdev))
		return -ENODEV;
	err = pci_enable_device_mem(pdev);
	if (err)
		return err;
	/* It may have been left one; and what is saved from here on is restored in the end. */
	pci_clear_master(pdev);
	err = pci_request_selected_regions(pdev, BIT(ops->bar), pdev->dev.driver->name);
	if (err)
		goto disable;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto release;
	err = -ENODEV;
	if (pci_resource_len(pdev, ops->bar) < ops->regs_bytes)
		goto release;
	err = -ENOMEM;
	life->regs = pci_iomap(pdev, ops->bar, 0);
	if (life->regs)
		return 0;

release:
	pci_release_selected_regions(pdev, BIT(ops->bar));
disable:
	pci_disable_device(pdev);
	return err;
}

static void life_unmap(struct vpv_ctrl_life *life)
{
	pci_iounmap(life->pdev, life->regs);
	pci_release_selected_regions(life->pdev, BIT(life->ops->bar));
	pci_disable_device(life->pdev);
}

static void irqs_free(struct vpv_ctrl_life *life)
{
	while (life->irqs)
		free_irq(pci_irq_vector(life->pdev, --life->irqs), life);
	pci_free_irq_vectors(life->pdev);
}

static void irqs_request(struct vpv_ctrl_life *life)
{
	const unsigned int num = life->ops->vectors;
	struct pci_dev *pdev = life->pdev;
	int err = pci_alloc_irq_vectors(pdev, num, num, PCI_IRQ_MSIX);

	while (err >= 0 && life->irqs < num) {
		err = request_threaded_irq(pci_irq_vector(pdev, life->irqs), NULL,
					   life->ops->threads[life->irqs], IRQF_ONESHOT,
					   pdev->dev.driver->name, life);
		if (!err)
			life->irqs++;
	}
	if (err >= 0)
		return;
	irqs_free(life);
	pci_info(pdev, "no interrupts (%d), polling\n", err);
}

static int life_start(struct vpv_ctrl_life *life)
{
	pci_save_state(life->pdev);
	life->saved = pci_store_saved_state(life->pdev);
	if (!life->saved)
		return -ENOMEM;
	guard(mutex)(&life->lock);
	return life_up(life);
}

static void life_stop(struct vpv_ctrl_life *life)
{
	bool up;

	guard(mutex)(&life->lock);
	scoped_guard(spinlock, &life->recovery_lock)
		vpv_recovery_stop(&life->recovery);
	up = life->up && READ_ONCE(life->recovery.channel) != VPV_CHANNEL_FAILED;
	life_down(life);
	/* It may answer by now, or have been pulled out. */
	if (!life->ops->quiet(life))
		life->ops->stop(life);
	vpv_controlled_forget(&life->set, NULL);
	life_quiet(life);
	/* For the next driver. */
	if (!up && pci_device_is_present(life->pdev))
		restore_config(life);
}

static void life_end(struct vpv_ctrl_life *life)
{
	life_stop(life);
	irqs_free(life);
	pci_set_drvdata(life->pdev, NULL);
	life->ops->fini(life);
	life_unmap(life);
}

int vpv_ctrl_life_bind(struct vpv_ctrl_life *life)
{
	int err = life_map(life);

	if (err)
		return err;
	err = life->ops->init(life);
	if (err)
		goto unmap;
	pci_set_drvdata(life->pdev, life);
	irqs_request(life);
	err = life_start(life);
	if (err)
		goto end;
	err = life->ops->show(life);
	if (err)
		goto end;
	err = vpv_controlled_listen(&life->set);
	if (err)
		goto hide;
	return 0;

hide:
	life->ops->hide(life);
end:
	life_end(life);
	return err;
unmap:
	life_unmap(life);
	return err;
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_bind);

void vpv_ctrl_life_unbind(struct vpv_ctrl_life *life)
{
	vpv_controlled_unlisten(&life->set);
	life->ops->hide(life);
	life_end(life);
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_unbind);

void vpv_ctrl_life_fini(struct vpv_ctrl_life *life)
{
	cancel_work_sync(&life->announce);
	cancel_delayed_work_sync(&life->recover);
	destroy_workqueue(life->wq);
	mutex_destroy(&life->lock);
	kfree(life->saved);
}
EXPORT_SYMBOL_GPL(vpv_ctrl_life_fini);
