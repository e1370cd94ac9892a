// SPDX-License-Identifier: GPL-2.0
/*
 * A function that its driver needs while its user has put it to sleep.
 *
 * It is in D0 then, with bus mastering off, and the D state of the user is kept in
 * vpv_state.asleep.  To the user it sleeps: vpv_memory_enabled() says no, config space
 * shows what was written (vpv_asleep_view()), and no DMA and no message leaves it.  What the
 * user writes meanwhile, a D state or COMMAND, counts in the end.
 *
 * A function without No_Soft_Reset loses its internal state on the way to D0, and COMMAND for
 * a moment.  The user would lose that state in any case by waking it; a driver that sets up
 * something in the function that has to last keeps it awake for so long.
 */
#include <linux/export.h>

#include "vpv.h"
#include "vpv/reach.h"

/* What a function may lose that the user has set. */
#define LOST_BITS	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_PARITY | \
			 PCI_COMMAND_SERR)

/* COMMAND of the hardware is the user's again.  Context: where @asleep is changed. */
void vpv_asleep_done(struct vpv_state *st)
{
	/* A reader that read the hardware before this sees the new number, and reads again. */
	atomic_inc(&st->asleep_seq);
	/* Pairs with config.c's host_read(). */
	smp_store_release(&st->asleep_command, 0);
}

static void go_asleep(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;

	/* A reset by somebody else may have ended it. */
	if (st->asleep == PCI_D0)
		return;
	vpv_power_enter(vpv, st->asleep);
	/* Bus mastering is shown as it is again when it is. */
	WRITE_ONCE(st->asleep_command, st->asleep_command | PCI_COMMAND_MASTER);
	WRITE_ONCE(st->asleep, PCI_D0);
	vpv_command_restore(vpv);
	vpv_asleep_done(st);
}

static int go_awake(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct pci_dev *pdev = vpv->pdev;
	u16 cmd;

	if (pdev->current_state == PCI_D0)
		return 0;

	if (pci_read_config_word(pdev, PCI_COMMAND, &cmd) || PCI_POSSIBLE_ERROR(cmd))
		cmd = 0;
	WRITE_ONCE(st->asleep_command, PCI_COMMAND_MASTER | (cmd & LOST_BITS));
	/* In this order: it must not do DMA when it is awake. */
	WRITE_ONCE(st->asleep, pdev->current_state == PCI_D3cold ? PCI_D3hot :
								   pdev->current_state);
	vpv_command_restore(vpv);
	if (!vpv_power_enter(vpv, PCI_D0) && pdev->current_state == PCI_D0)
		return 0;
	go_asleep(vpv);
	return vpv_gone(pdev) || !pci_device_is_present(pdev) ? -ENODEV : -EIO;
}

/* Context: memory_lock held for writing, runtime PM active. */
int vpv_wake(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	int ret;

	lockdep_assert_held_write(&st->memory_lock);

	/* Of a function that is open nobody but us ends D0. */
	if (st->awake++ || vpv->pdev->current_state == PCI_D0)
		return 0;
	scoped_guard(vpv_cfg_access, vpv->pdev)
		ret = go_awake(vpv);
	if (!ret)
		return 0;
	st->awake--;
	vpv_memory_back(vpv);
	return ret;
}

/* Undo vpv_wake(). */
void vpv_rest(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;

	lockdep_assert_held_write(&st->memory_lock);

	if (--st->awake || st->asleep == PCI_D0)
		return;
	scoped_guard(vpv_cfg_access, vpv->pdev)
		go_asleep(vpv);
	/* If it does not sleep: quirks. */
	vpv_memory_back(vpv);
}

/* Bus mastering in hardware as the user has it. */
static void master_back(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	u16 cmd;

	lockdep_assert_held(&st->irqlock);
	vpv_cfg_access_assert(vpv->pdev);

	pci_read_config_word(vpv->pdev, PCI_COMMAND, &cmd);
	if (PCI_POSSIBLE_ERROR(cmd))
		return;
	cmd |= READ_ONCE(st->user_command) & PCI_COMMAND_MASTER;
	pci_write_config_word(vpv->pdev, PCI_COMMAND, cmd);
}

/* What a reset leaves is awake and not held.  As reset_done(): takes no memory_lock. */
void vpv_asleep_forget(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	unsigned long flags;

	vpv_cfg_access_assert(vpv->pdev);

	if (!vpv_dma_is_off(st))
		return;
	spin_lock_irqsave(&st->irqlock, flags);
	WRITE_ONCE(st->asleep, PCI_D0);
	master_back(vpv);
	vpv_asleep_done(st);
	/* Pairs with config.c's host_read(). */
	smp_store_release(&st->dma_held, false);
	spin_unlock_irqrestore(&st->irqlock, flags);
}

void vpv_dma_hold(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct pci_dev *pdev = vpv->pdev;
	unsigned long flags;
	u16 cmd;

	/* Not into the middle of a reset by somebody else. */
	guard(vpv_cfg_access)(pdev);
	spin_lock_irqsave(&st->irqlock, flags);
	/* In this order: the user does not see it off. */
	WRITE_ONCE(st->dma_held, true);
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if (!PCI_POSSIBLE_ERROR(cmd))
		pci_write_config_word(pdev, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
	spin_unlock_irqrestore(&st->irqlock, flags);
}
EXPORT_SYMBOL_GPL(vpv_dma_hold);

void vpv_dma_release(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	unsigned long flags;

	/*
	 * The reporter of a reset has ended it, see vpv_asleep_forget(), and still holds the config
	 * access lock, so that it is not held anew.
	 */
	if (!READ_ONCE(st->dma_held))
		return;
	guard(vpv_cfg_access)(vpv->pdev);
	spin_lock_irqsave(&st->irqlock, flags);
	if (st->dma_held) {
		if (st->asleep == PCI_D0)
			master_back(vpv);
		atomic_inc(&st->asleep_seq);
		/* Pairs with config.c's host_read(). */
		smp_store_release(&st->dma_held, false);
	}
	spin_unlock_irqrestore(&st->irqlock, flags);
}
EXPORT_SYMBOL_GPL(vpv_dma_release);

/* @field, of 16 bits, as the lanes that it has in an access to @bytes at @pos. */
static u32 lanes(unsigned int field_pos, u16 field, unsigned int pos, unsigned int bytes)
{
	u64 val = field;

	if (field_pos >= pos + bytes || pos >= field_pos + sizeof(field))
		return 0;
	val = field_pos >= pos ? val << 8 * (field_pos - pos) : val >> 8 * (pos - field_pos);
	return val & GENMASK_ULL(8 * bytes - 1, 0);
}

/*
 * Bits of @bytes of config space at @pos that the hardware may have otherwise than the user,
 * of COMMAND those in @command.  @user receives the user's.
 */
static u32 asleep_bits(struct vpv_device *vpv, unsigned int pos, unsigned int bytes,
		       u16 command, u32 *user)
{
	unsigned int pm = vpv->pdev->pm_cap + PCI_PM_CTRL;
	u16 users = READ_ONCE(vpv->state->user_command) & command;
	u16 state = (__force u16)READ_ONCE(vpv->state->asleep);
	u16 dstate = state ? PCI_PM_CTRL_STATE_MASK : 0;

	*user = lanes(PCI_COMMAND, users, pos, bytes) | lanes(pm, state, pos, bytes);
	return lanes(PCI_COMMAND, command, pos, bytes) | lanes(pm, dstate, pos, bytes);
}

/* vpv_asleep_view() of a function that sleeps. */
u32 vpv_asleep_view_slow(struct vpv_device *vpv, unsigned int pos, unsigned int bytes, u32 hw)
{
	u16 command = READ_ONCE(vpv->state->asleep_command);
	u32 mask, user = 0;

	if (vpv_dma_is_off(vpv->state))
		command |= PCI_COMMAND_MASTER;
	mask = asleep_bits(vpv, pos, bytes, command, &user);
	return (hw & ~mask) | user;
}

/* vpv_asleep_write() of a function that sleeps. */
u32 vpv_asleep_write_slow(struct vpv_device *vpv, unsigned int pos, unsigned int bytes, u32 val)
{
	u32 user;

	return val & ~asleep_bits(vpv, pos, bytes, PCI_COMMAND_MASTER, &user);
}

int vpv_reach_begin(struct vpv_device *vpv)
{
	int ret = vpv_awake_get(vpv);

	if (ret)
		return ret;
	scoped_guard(rwsem_write, &vpv->state->memory_lock)
		ret = vpv_wake(vpv);
	if (ret)
		vpv_awake_put(vpv);
	return ret;
}

void vpv_reach_end(struct vpv_device *vpv)
{
	scoped_guard(rwsem_write, &vpv->state->memory_lock)
		vpv_rest(vpv);
	vpv_awake_put(vpv);
}

static int reach_begin(struct vfio_device *vdev)
{
	return vpv_reach_begin(vpv_from_vdev(vdev));
}

static void reach_end(struct vfio_device *vdev)
{
	vpv_reach_end(vpv_from_vdev(vdev));
}

const struct vpv_reach vpv_reach = {
	.begin = reach_begin,
	.end = reach_end,
};
EXPORT_SYMBOL_GPL(vpv_reach);
