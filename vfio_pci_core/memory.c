// SPDX-License-Identifier: GPL-2.0
/*
 * Memory space: when registers may be accessed, by the user and by the driver,
 * and taking it away (zap, reset).  Owns memory_lock.
 */
#include <linux/fs.h>
#include <linux/mm.h>

#include "trace.h"
#include "vpv.h"

static bool user_enabled(struct vpv_device *vpv)
{
	return vpv->pdev->no_command_memory ||
	       (vpv->state->user_command & PCI_COMMAND_MEMORY);
}

/* May the user access BARs?  Says so for read, write, fault alike. */
bool vpv_memory_enabled(struct vpv_device *vpv)
{
	struct pci_dev *pdev = vpv->pdev;

	lockdep_assert_held(&vpv->state->memory_lock);

	if (pdev->current_state != PCI_D0 || vpv->state->asleep != PCI_D0 ||
	    vpv_gone(pdev) || !vpv_channel_normal(vpv))
		return false;
	return user_enabled(vpv);
}

/*
 * Or else: do BARs read as ones and drop what is written?  So it is while the function does not
 * answer although the user has enabled memory.  Without memory enable, and in D3hot, accesses are
 * refused.
 */
bool vpv_memory_ones(struct vpv_device *vpv)
{
	pci_power_t power = vpv->state->asleep;

	if (vpv_memory_enabled(vpv) || !user_enabled(vpv))
		return false;
	if (power == PCI_D0)
		power = vpv->pdev->current_state;
	/* One that is gone may be taken for asleep. */
	return vpv_gone(vpv->pdev) || power == PCI_D0 || power == PCI_D1 || power == PCI_D2;
}

/* And this BAR?  As with vfio-pci, COMMAND does not switch off I/O space. */
bool vpv_bar_enabled(struct vpv_device *vpv, const struct vpv_bar_state *bar)
{
	if (bar->mem)
		return vpv_memory_enabled(vpv);
	return !vpv_gone(vpv->pdev) && vpv_channel_normal(vpv);
}

bool vpv_bar_ones(struct vpv_device *vpv, const struct vpv_bar_state *bar)
{
	return bar->mem ? vpv_memory_ones(vpv) : !vpv_bar_enabled(vpv, bar);
}

/* May BARs be reached without asking each time: by mappings, by other devices? */
bool vpv_memory_mappable(struct vpv_device *vpv)
{
	return !READ_ONCE(vpv->state->low_power) && vpv_memory_enabled(vpv);
}

static void unmap_regions(struct vpv_device *vpv, unsigned int first, unsigned int num)
{
	unmap_mapping_range(vpv->vdev.inode->i_mapping, vpv_index_to_offset(first),
			    vpv_index_to_offset(num), true);
}

/*
 * Take away all mappings of BARs by CPUs, and of regions that are like one.  Without
 * memory_lock a fault that is under way may make one more: see insert_block().
 *
 * Context: may sleep, but not for long.
 */
void vpv_memory_unmap(struct vpv_device *vpv)
{
	unsigned long like_bar = READ_ONCE(vpv->state->like_bar);
	unsigned int i;

	unmap_regions(vpv, VFIO_PCI_BAR0_REGION_INDEX, VPV_BARS);
	for_each_set_bit(i, &like_bar, VPV_MAX_REGIONS)
		unmap_regions(vpv, i, 1);
}

/*
 * Take all user mappings of BARs, and of regions that are like one, away; they come
 * back by faults.  The same with dma-bufs, which come back by vpv_memory_back().
 */
void vpv_memory_zap(struct vpv_device *vpv)
{
	lockdep_assert_held_write(&vpv->state->memory_lock);

	vpv_count(vpv, VPV_COUNT_ZAP);
	trace_vpv_zap(vpv->pdev);
	vpv_memory_unmap(vpv);
	vpv_dmabufs_revoke(vpv);
	vpv_ones_free(vpv);
}

/* After a zap, or when memory is there again: for whom nothing asks at a fault. */
void vpv_memory_back(struct vpv_device *vpv)
{
	lockdep_assert_held_write(&vpv->state->memory_lock);

	if (!vpv_memory_mappable(vpv))
		return;
	/* Mappings of what stood in for it. */
	if (vpv_ones_shown(vpv))
		vpv_memory_zap(vpv);
	vpv_dmabufs_restore(vpv);
}

/*
 * Removal begins.  If the function was pulled out, its user may keep it open for any time, but
 * must not have mappings of an address that no function decodes.
 */
void vpv_memory_unplugged(struct vpv_device *vpv)
{
	if (!vpv_gone(vpv->pdev))
		return;
	down_write(&vpv->state->memory_lock);
	vpv_memory_zap(vpv);
	up_write(&vpv->state->memory_lock);
}

/* Set or clear memory space enable in hardware, and no other bit. */
static void write_memory_bit(struct vpv_device *vpv, bool on)
{
	struct pci_dev *pdev = vpv->pdev;
	unsigned long flags;
	u16 cmd;

	spin_lock_irqsave(&vpv->state->irqlock, flags);
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if (!PCI_POSSIBLE_ERROR(cmd)) {
		cmd = on ? cmd | PCI_COMMAND_MEMORY : cmd & ~PCI_COMMAND_MEMORY;
		pci_write_config_word(pdev, PCI_COMMAND, cmd);
	}
	spin_unlock_irqrestore(&vpv->state->irqlock, flags);
}

/*
 * Memory space on in hardware.  Return: whether it was off.  What COMMAND says in the middle
 * of a reset by somebody else is the reset's.
 */
static bool memory_on_locked(struct vpv_device *vpv)
{
	u16 cmd;

	lockdep_assert_held_write(&vpv->state->memory_lock);
	vpv_cfg_access_assert(vpv->pdev);

	if (vpv->pdev->no_command_memory)
		return false;
	pci_read_config_word(vpv->pdev, PCI_COMMAND, &cmd);
	if (!(cmd & PCI_COMMAND_MEMORY))
		write_memory_bit(vpv, true);
	return !(cmd & PCI_COMMAND_MEMORY);
}

bool vpv_memory_on(struct vpv_device *vpv)
{
	guard(vpv_cfg_access)(vpv->pdev);

	return memory_on_locked(vpv);
}

/*
 * Undo vpv_memory_on() when the function wakes up: without locks, since nothing else accesses
 * it yet, a reset by sysfs included.
 */
void vpv_memory_off(struct vpv_device *vpv)
{
	write_memory_bit(vpv, false);
}

static void unforce_locked(struct vpv_device *vpv)
{
	lockdep_assert_held_write(&vpv->state->memory_lock);
	vpv_cfg_access_assert(vpv->pdev);

	/* The user's, by now? */
	if (vpv->state->mmio_forced && !user_enabled(vpv))
		write_memory_bit(vpv, false);
	vpv->state->mmio_forced = false;
}

/*
 * Enable memory space in hardware for an access by the PCI core, and keep resets by
 * another owner out of it.  The user's accesses still depend on the user's own bit: see
 * vpv_memory_enabled().
 */
void vpv_memory_force(struct vpv_device *vpv)
{
	down_write(&vpv->state->memory_lock);
	pci_cfg_access_lock(vpv->pdev);
	vpv->state->mmio_forced = memory_on_locked(vpv);
}

void vpv_memory_unforce(struct vpv_device *vpv)
{
	unforce_locked(vpv);
	pci_cfg_access_unlock(vpv->pdev);
	up_write(&vpv->state->memory_lock);
}

int vpv_mmio_begin(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	int ret;

	ret = vpv_awake_get(vpv);
	if (ret)
		return ret;

	down_write(&st->memory_lock);
	if (vpv_gone(vpv->pdev) || !pci_device_is_present(vpv->pdev))
		ret = -ENODEV;
	else if (!vpv_channel_normal(vpv))
		ret = -EIO;
	else
		ret = vpv_wake(vpv);
	if (!ret) {
		/* As vpv_memory_force(), for the driver. */
		st->mmio_forced = vpv_memory_on(vpv);
		return 0;
	}
	up_write(&st->memory_lock);
	vpv_awake_put(vpv);
	return ret;
}
EXPORT_SYMBOL_GPL(vpv_mmio_begin);

void vpv_mmio_end(struct vpv_device *vpv)
{
	if (vpv->state->mmio_forced) {
		scoped_guard(vpv_cfg_access, vpv->pdev)
			unforce_locked(vpv);
	}
	vpv_rest(vpv);
	up_write(&vpv->state->memory_lock);
	vpv_awake_put(vpv);
}
EXPORT_SYMBOL_GPL(vpv_mmio_end);

static int recovery_state(struct vpv_state *st)
{
	if (time_after(jiffies, READ_ONCE(st->cut_off_at) +
			 msecs_to_jiffies(VPV_RECOVERY_MOST_MS)))
		atomic_cmpxchg(&st->channel, VPV_CHANNEL_FROZEN, VPV_CHANNEL_FAILED);
	return atomic_read(&st->channel);
}

/*
 * Keep others from resetting the function.  Return: false if one of them is at it, or has it
 * for something else.
 */
bool vpv_dev_trylock(struct pci_dev *pdev)
{
	/* Removal has it, and waits for our user. */
	if (!device_trylock(&pdev->dev))
		return false;
	/* Resets have the other one, too: no one has this for long. */
	pci_cfg_access_lock(pdev);
	return true;
}

/*
 * Before each reset of ours.  Return: 0, and only the caller resets it until vpv_reset_end();
 * -EAGAIN if somebody else resets the function, or recovers it from an error; -ENODEV if it
 * does not answer.
 */
int vpv_reset_begin(struct vpv_device *vpv)
{
	int channel = recovery_state(vpv->state);

	if (channel == VPV_CHANNEL_FROZEN || channel == VPV_CHANNEL_RESET)
		return -EAGAIN;
	/* In a reset by somebody else nothing answers, either. */
	if (!vpv_dev_trylock(vpv->pdev))
		return -EAGAIN;
	if (vpv_answers(vpv->pdev))
		return 0;
	vpv_reset_end(vpv);
	return -ENODEV;
}

void vpv_reset_end(struct vpv_device *vpv)
{
	pci_dev_unlock(vpv->pdev);
}

/* Before what comes before a reset. */
int vpv_reset_check(struct vpv_device *vpv)
{
	int ret = vpv_reset_begin(vpv);

	if (!ret)
		vpv_reset_end(vpv);
	return ret;
}

/*
 * After each successful reset of ours: a recovery that failed is made good by it.
 * Return: 0 if the function can be reached, -EAGAIN if another error has come.
 */
int vpv_reset_settle(struct vpv_device *vpv)
{
	atomic_t *channel = &vpv->state->channel;

	lockdep_assert_held_write(&vpv->state->memory_lock);
	vpv_cfg_access_assert(vpv->pdev);

	if (atomic_read(channel) == VPV_CHANNEL_FAILED) {
		vpv_config_restore(vpv);
		atomic_cmpxchg(channel, VPV_CHANNEL_FAILED, VPV_CHANNEL_NORMAL);
	}
	return vpv_channel_normal(vpv) ? 0 : -EAGAIN;
}

/* Reset for the user: the RESET ioctl and FLR written to config space. */
int vpv_function_reset(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	int ret;

	if (!st->reset_works)
		return -EINVAL;

	down_write(&st->memory_lock);
	vpv_memory_zap(vpv);
	ret = vpv_reset_check(vpv);
	if (!ret) {
		/* Not left to the PCI core, which does not know what we saved for D3hot. */
		vpv_power_set(vpv, PCI_D0);
		ret = vpv_reset_begin(vpv);
	}
	if (!ret) {
		ret = pci_reset_function_locked(vpv->pdev) ?: vpv_reset_settle(vpv);
		vpv_reset_end(vpv);
	}
	vpv_memory_back(vpv);
	up_write(&st->memory_lock);

	vpv_count(vpv, VPV_COUNT_RESET);
	trace_vpv_reset(vpv->pdev, "function", ret);
	return ret;
}
