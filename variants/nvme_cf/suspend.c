// SPDX-License-Identifier: GPL-2.0
/*
 * Is the controller suspended?  Hooks that suspend and resume it, and what ends a suspension
 * meanwhile: a reset of the controller, and a reset or the loss of the managing one.
 *
 * While it is suspended bus mastering is off as well (vpv_dma_hold()): a reset of the managing
 * controller resumes all others without a word to their drivers, and this one would go on with its
 * queues while it is reported as stopped.
 */
#include <linux/delay.h>
#include <linux/ktime.h>

#include "nvme_cf.h"

static void held_put(struct nvcf_dev *nd)
{
	lockdep_assert_held(&nd->power);

	vpv_control_put(nd->held);
	nd->held = NULL;
}

/* A reset has ended what we held.  A command that it overtook is left to the work. */
static void refresh(struct nvcf_dev *nd)
{
	lockdep_assert_held(&nd->power);

	if (!nd->stale)
		return;
	WRITE_ONCE(nd->stale, false);
	held_put(nd);
}

/* See that it runs.  Without an answer it is tried again until there is one. */
static int settle(struct nvcf_dev *nd)
{
	struct vpv_control *control;
	int err;

	lockdep_assert_held(&nd->power);

	control = nvcf_control_get(nd);
	err = PTR_ERR_OR_ZERO(control);
	if (!err) {
		err = nvcf_hw_resume(nd, control);
		vpv_control_put(control);
	}
	if (err == -EALREADY)
		err = 0;
	nd->issued = err;
	return err;
}

/* ---- Suspend ---- */

/**
 * nvcf_suspend() - Suspend it, also one that is suspended
 * @nd: Device.
 *
 * After a command whose result is not known the controller is told to run: it does so already,
 * or does at once, or, if there is no answer, as soon as there is one.  Until then it may
 * stand still: its user sees commands that take long, and a driver that gives up waiting
 * resets the controller, which ends a suspension, too.
 *
 * Context: process; bounded by the time-outs of two commands.
 * Return: 0; a negative errno, and it runs, or will as soon as it can be told to.
 */
int nvcf_suspend(struct nvcf_dev *nd)
{
	struct vpv_control *control;
	u32 resets;
	bool issued;
	int err;

	guard(mutex)(&nd->power);
	resets = vmig_resets(&nd->m.mig);
	refresh(nd);
	control = nvcf_control_get(nd);
	if (IS_ERR(control))
		return PTR_ERR(control);
	issued = nd->issued;
	nd->issued = true;
	err = nvcf_hw_suspend(nd, control);
	if (!err) {
		held_put(nd);
		nd->held = control;
		nd->resets = resets;
		return 0;
	}
	vpv_control_put(control);
	/* Refused; of an earlier one the end may still be unknown. */
	if (!nvcf_uncertain(err))
		nd->issued = issued;
	else if (settle(nd))
		schedule_delayed_work(&nd->look, NVCF_LOOK_JIFFIES);
	return err;
}

/**
 * nvcf_quiesce() - The quiesce hook: Suspend
 * @mig: Device.
 *
 * Registers answer and doorbells are kept from here on.
 *
 * Return: as nvcf_suspend().
 */
int nvcf_quiesce(struct vmig_dev *mig)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);
	int err = nvcf_suspend(nd);

	if (!err)
		vpv_dma_hold(&nd->m.vpv);
	return err;
}

/* ---- Resume ---- */

/* The disks are the other host's until it has suspended or reset its controller. */
static int resume_exec(struct nvcf_dev *nd, struct vpv_control *control)
{
	ktime_t until = ktime_add_ms(ktime_get(), NVCF_DISK_MS);
	int err;

	while ((err = nvcf_hw_resume(nd, control)) == -EAGAIN) {
		if (ktime_after(ktime_get(), until)) {
			dev_warn_ratelimited(&nd->m.vpv.pdev->dev,
					     "another host has a disk still after %u ms\n",
					     NVCF_DISK_MS);
			return -EBUSY;
		}
		msleep(NVCF_DISK_POLL_MS);
	}
	return err;
}

static int resume(struct nvcf_dev *nd)
{
	int err;

	guard(mutex)(&nd->power);
	refresh(nd);
	if (!nd->held || !vpv_control_live(nd->held))
		return -EIO;
	vpv_dma_release(&nd->m.vpv);
	err = resume_exec(nd, nd->held);
	/*
	 * It may be done, or undone: a second command tells.  Or it was resumed before by others,
	 * or the managing controller is dying, and has let it run.
	 */
	if (nvcf_uncertain(err))
		err = settle(nd) ? -EIO : 0;
	else if (err == -EALREADY || err == -ENOTCONN)
		err = -EIO;
	if (err)
		vpv_dma_hold(&nd->m.vpv);
	if (err && err != -EIO)
		return err;
	nd->issued = false;
	held_put(nd);
	return err;
}

/**
 * nvcf_unquiesce() - The unquiesce hook: Resume
 * @mig: Device.
 *
 * Context: process; bounded by NVCF_DISK_MS and the time-outs of two commands.
 * Return: 0; -EIO if it is not suspended any more or that is not known; another negative errno,
 * and it still is: -EBUSY when another host has its disks.
 */
int nvcf_unquiesce(struct vmig_dev *mig)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);
	int err = resume(nd);

	if (err == -EIO)
		dev_warn_ratelimited(&nd->m.vpv.pdev->dev,
				     "suspension was lost before it was resumed\n");
	return err;
}

/**
 * nvcf_still() - The freeze and the thaw hook: is it suspended?
 * @mig: Device.
 *
 * Nothing is left to do: what is suspended changes by accesses of its user alone, who
 * stands still, and what was loaded takes effect when it is resumed.
 *
 * Return: 0 or -EIO.
 */
int nvcf_still(struct vmig_dev *mig)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);

	guard(mutex)(&nd->power);
	refresh(nd);
	return nd->held && vpv_control_live(nd->held) ? 0 : -EIO;
}

/* ---- What happens by itself ---- */

/**
 * nvcf_changed() - There is news of the controller: look at it
 * @watch: Of the controller.
 */
void nvcf_changed(struct vpv_control_watch *watch)
{
	struct nvcf_dev *nd = container_of(watch, struct nvcf_dev, watch);

	schedule_delayed_work(&nd->look, 0);
}

/* A suspension ends with its managing controller, or with a reset of that.  Return: whether. */
static bool lost(struct nvcf_dev *nd)
{
	lockdep_assert_held(&nd->power);

	if (!nd->held || vpv_control_live(nd->held))
		return false;
	held_put(nd);
	nd->issued = false;
	return true;
}

/**
 * nvcf_look() - Is what is believed of the suspension true?
 * @work: Of the device.
 *
 * One that was lost cannot be restored: the controller may have gone on with its queues
 * meanwhile.  One that is not wanted is ended.
 */
void nvcf_look(struct work_struct *work)
{
	struct nvcf_dev *nd = container_of(to_delayed_work(work), struct nvcf_dev, look);
	u32 resets;
	bool fault;

	scoped_guard(mutex, &nd->power) {
		refresh(nd);
		resets = nd->resets;
		fault = lost(nd);
		if (nd->issued && !nd->held && settle(nd))
			schedule_delayed_work(&nd->look, NVCF_LOOK_JIFFIES);
	}
	if (fault)
		vmig_fault_of(&nd->m.mig, resets,
			      "the managing controller has lost its suspension");
}

/**
 * nvcf_reset() - The reset hook
 * @mig: Device, which was reset and runs, unless Suspend was in work and carried out later.
 *
 * Context: any in which hooks run, or under memory_lock: nothing is waited for but another reset.
 */
void nvcf_reset(struct vmig_dev *mig)
{
	struct nvcf_dev *nd = nvcf_from_mig(mig);

	vpv_dma_release(&nd->m.vpv);
	WRITE_ONCE(nd->stale, true);
	schedule_delayed_work(&nd->look, 0);
}

/**
 * nvcf_awaken() - See that a controller that is opened is not suspended
 * @nd: Device.
 *
 * A user may have suspended it by a command, which is waited for if it is in work.
 *
 * Return: 0, also without a managing controller; a negative errno, and it is not opened: then
 * nobody is told that it runs, and it is not tried again.
 */
int nvcf_awaken(struct nvcf_dev *nd)
{
	int err;

	guard(mutex)(&nd->power);
	err = settle(nd);
	if (!err || err == -ENOTCONN)
		return 0;
	nd->issued = false;
	return err;
}

/**
 * nvcf_forget() - The device is closed: what follows is a reset
 * @nd: Device; no hook runs.
 */
void nvcf_forget(struct nvcf_dev *nd)
{
	cancel_delayed_work_sync(&nd->look);
	guard(mutex)(&nd->power);
	WRITE_ONCE(nd->stale, false);
	nd->issued = false;
	held_put(nd);
}
