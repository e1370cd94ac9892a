// SPDX-License-Identifier: GPL-2.0
/*
 * Config space: what the engine (vpv_config) needs from the device, and the
 * copies between it and user space.
 */

#include "chunk.h"
#include "trace.h"
#include "vpv.h"

static int hw_read(struct vpv_device *vpv, unsigned int pos, unsigned int bytes, u32 *val)
{
	u16 word;
	u8 byte;
	int ret;

	switch (bytes) {
	case 1:
		ret = pci_user_read_config_byte(vpv->pdev, pos, &byte);
		*val = byte;
		return ret;
	case 2:
		ret = pci_user_read_config_word(vpv->pdev, pos, &word);
		*val = word;
		return ret;
	case 4:
		return pci_user_read_config_dword(vpv->pdev, pos, val);
	}
	return -EINVAL;
}

static int host_read(void *host, unsigned int pos, unsigned int bytes, u32 *val)
{
	struct vpv_device *vpv = host;
	int seq, ret;
	u32 hw;

	do {
		/* Pairs with vpv_asleep_done(). */
		seq = atomic_read_acquire(&vpv->state->asleep_seq);
		ret = hw_read(host, pos, bytes, &hw);
		if (ret)
			return ret;
		*val = vpv_asleep_view(vpv, pos, bytes, hw);
		/* If it was seen to have ended, so was its number. */
		smp_rmb();
	} while (unlikely(seq != atomic_read(&vpv->state->asleep_seq)));
	return 0;
}

static int host_write(void *host, unsigned int pos, unsigned int bytes, u32 val)
{
	struct vpv_device *vpv = host;

	val = vpv_asleep_write(vpv, pos, bytes, val);
	switch (bytes) {
	case 1:
		return pci_user_write_config_byte(vpv->pdev, pos, val);
	case 2:
		return pci_user_write_config_word(vpv->pdev, pos, val);
	case 4:
		return pci_user_write_config_dword(vpv->pdev, pos, val);
	}
	return -EINVAL;
}

/*
 * The user's COMMAND to hardware, but for Interrupt Disable, which is ours: as it has to
 * be, not as it is, since the function may have been reset unnoticed.  No DMA by a
 * function that sleeps as far as the user knows.
 */
static int write_command(struct vpv_device *vpv, u16 val)
{
	struct pci_dev *pdev = vpv->pdev;
	unsigned long flags;
	bool keep = !vpv_intx_decides(vpv);
	u16 cmd = 0, out, hw = val;
	int ret = 0;

	/* Not into the middle of a reset by somebody else. */
	guard(vpv_cfg_access)(pdev);
	spin_lock_irqsave(&vpv->state->irqlock, flags);
	if (vpv_dma_is_off(vpv->state))
		hw &= ~PCI_COMMAND_MASTER;
	/* Spare the read of what is not kept. */
	if (keep)
		ret = pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if (!ret) {
		out = (cmd & PCI_COMMAND_INTX_DISABLE) | (hw & ~PCI_COMMAND_INTX_DISABLE);
		out = vpv_intx_command(vpv, out);
		if (!keep || out != cmd)
			ret = pci_write_config_word(pdev, PCI_COMMAND, out);
	}
	/* Under this lock: code that restores bus mastering does not see the older value. */
	if (!ret)
		WRITE_ONCE(vpv->state->user_command, val);
	spin_unlock_irqrestore(&vpv->state->irqlock, flags);
	return pcibios_err_to_errno(ret);
}

static int host_command(void *host, u16 old, u16 val)
{
	struct vpv_device *vpv = host;
	struct vpv_state *st = vpv->state;
	int ret;

	down_write(&st->memory_lock);
	if (!(val & PCI_COMMAND_MEMORY))
		vpv_memory_zap(vpv);
	ret = write_command(vpv, val);
	vpv_memory_back(vpv);
	up_write(&st->memory_lock);
	if (ret)
		return ret;

	if ((old ^ val) & PCI_COMMAND_INTX_DISABLE)
		vpv_intx_virq(vpv, val & PCI_COMMAND_INTX_DISABLE);
	return 0;
}

/*
 * Is the function awake, and not only for its driver?  D0 changes nothing then.  Who puts it to
 * sleep, or wakes it for the driver, has memory_lock for writing, or wakes it for a reset.
 */
static bool is_awake(struct vpv_device *vpv)
{
	guard(rwsem_read)(&vpv->state->memory_lock);

	return vpv->pdev->current_state == PCI_D0 && vpv->state->asleep == PCI_D0;
}

static int host_power(void *host, unsigned int dstate)
{
	static const pci_power_t states[] = { PCI_D0, PCI_D1, PCI_D2, PCI_D3hot };
	struct vpv_device *vpv = host;

	if (dstate >= ARRAY_SIZE(states))
		return -EINVAL;
	if (!dstate && is_awake(vpv))
		return 0;

	down_write(&vpv->state->memory_lock);
	if (dstate)
		vpv_memory_zap(vpv);
	/* As in hardware: a state that is not supported is not entered. */
	vpv_power_set(vpv, states[dstate]);
	vpv_memory_back(vpv);
	up_write(&vpv->state->memory_lock);
	return 0;
}

/*
 * PCI core knows what bridges cannot, and tells of each refusal in the log: do not let a
 * user ask for what is known to be refused.
 */
static int host_readrq(void *host, unsigned int bytes)
{
	struct pci_dev *pdev = ((struct vpv_device *)host)->pdev;
	int ret = 0;

	/* Not into the middle of a reset by somebody else. */
	guard(vpv_cfg_access)(pdev);
	if (!pci_find_host_bridge(pdev->bus)->no_inc_mrrs || bytes <= pcie_get_readrq(pdev))
		ret = pcie_set_readrq(pdev, bytes);
	return ret == -EINVAL ? 0 : ret;
}

static int host_flr(void *host)
{
	return vpv_function_reset(host);
}

static enum vcfg_irq host_irq(void *host, unsigned int *vectors)
{
	struct vpv_device *vpv = host;

	*vectors = READ_ONCE(vpv->state->irq_vectors);
	switch (READ_ONCE(vpv->state->irq_type)) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return VCFG_IRQ_INTX;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return VCFG_IRQ_MSI;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return VCFG_IRQ_MSIX;
	}
	return VCFG_IRQ_NONE;
}

/* What the user has chosen for the messages that SET_IRQS has set up. */
static int host_msi(void *host, bool enable, unsigned int log2_vectors)
{
	struct vpv_device *vpv = host;
	struct vpv_state *st = vpv->state;
	u16 flags;
	int ret;

	guard(mutex)(&st->igate);

	if (st->irq_type != VFIO_PCI_MSI_IRQ_INDEX)
		return 0;
	ret = pci_user_read_config_word(vpv->pdev, vpv->pdev->msi_cap + PCI_MSI_FLAGS, &flags);
	if (ret)
		return ret;
	/* One that does not answer is given nothing back. */
	if (PCI_POSSIBLE_ERROR(flags))
		return 0;
	/* The engine has asked for the number before it came here: SET_IRQS may have been since. */
	log2_vectors = min_t(unsigned int, log2_vectors, order_base_2(st->irq_vectors));
	flags &= ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	flags |= log2_vectors << 4;
	if (enable)
		flags |= PCI_MSI_FLAGS_ENABLE;
	return pci_user_write_config_word(vpv->pdev, vpv->pdev->msi_cap + PCI_MSI_FLAGS, flags);
}

/* A dword of the vital product data. */
static int host_vpd(void *host, unsigned int addr, bool write, u32 *data)
{
	struct vpv_device *vpv = host;
	__le32 le = cpu_to_le32(*data);
	ssize_t ret;

	if (write) {
		ret = pci_write_vpd(vpv->pdev, addr, sizeof(le), &le);
		return ret == sizeof(le) ? 0 : ret < 0 ? ret : -EIO;
	}
	/* Nothing is read beyond the end: zeroes. */
	le = 0;
	ret = pci_read_vpd(vpv->pdev, addr, sizeof(le), &le);
	*data = le32_to_cpu(le);
	return min_t(ssize_t, ret, 0);
}

static unsigned int bar_pos(unsigned int nr)
{
	return nr < VPV_BARS ? PCI_BASE_ADDRESS_0 + 4 * nr : PCI_ROM_ADDRESS;
}

static int host_restore_bars(void *host)
{
	struct vpv_device *vpv = host;
	int ret = 0;

	if (vpv->pdev->is_virtfn)
		return 0;

	pci_info_ratelimited(vpv->pdev, "BARs were lost in a reset, restoring them\n");
	down_write(&vpv->state->memory_lock);
	for (unsigned int i = 0; i <= VPV_BARS && !ret; i++)
		ret = pci_user_write_config_dword(vpv->pdev, bar_pos(i), vpv->state->rbar[i]);
	up_write(&vpv->state->memory_lock);
	return ret;
}

static const struct vcfg_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.command = host_command,
	.power = host_power,
	.readrq = host_readrq,
	.flr = host_flr,
	.irq = host_irq,
	.msi = host_msi,
	.vpd = host_vpd,
	.restore_bars = host_restore_bars,
};

/* Do all bridges pass AtomicOps on, and does the root port take any? */
static bool atomics_arrive(struct pci_dev *pdev)
{
	struct pci_dev *bridge = pdev;
	u32 cap, ctl;

	while ((bridge = pci_upstream_bridge(bridge))) {
		if (pcie_capability_read_dword(bridge, PCI_EXP_DEVCAP2, &cap))
			return false;
		if (pci_pcie_type(bridge) == PCI_EXP_TYPE_ROOT_PORT)
			return cap & (PCI_EXP_DEVCAP2_ATOMIC_COMP32 |
				      PCI_EXP_DEVCAP2_ATOMIC_COMP64 |
				      PCI_EXP_DEVCAP2_ATOMIC_COMP128);
		pcie_capability_read_dword(bridge, PCI_EXP_DEVCTL2, &ctl);
		if (!(cap & PCI_EXP_DEVCAP2_ATOMIC_ROUTE) ||
		    (pci_pcie_type(bridge) == PCI_EXP_TYPE_UPSTREAM &&
		     ctl & PCI_EXP_DEVCTL2_ATOMIC_EGRESS_BLOCK))
			return false;
	}
	return true;
}

/* 10-bit tags; younger than the oldest headers that we build with. */
#define DEVCTL2_10BIT_TAG	0x1000

/*
 * Switches that are safe only if all of the way to memory is made for them: where PCI core
 * has left them off, the user does.
 */
static void keep_bits(struct pci_dev *pdev, u16 *kept)
{
	struct pci_dev *root = pcie_find_root_port(pdev);

	if (root && root->dev_flags & PCI_DEV_FLAGS_NO_RELAXED_ORDERING)
		kept[VCFG_KEPT_DEVCTL] |= PCI_EXP_DEVCTL_RELAX_EN;
	if (pci_find_host_bridge(pdev->bus)->no_ext_tags)
		kept[VCFG_KEPT_DEVCTL] |= PCI_EXP_DEVCTL_EXT_TAG;
	/* Nothing prepares the way for these two. */
	kept[VCFG_KEPT_DEVCTL2] = DEVCTL2_10BIT_TAG | PCI_EXP_DEVCTL2_OBFF_WAKE_EN;
	if (!pdev->ltr_path)
		kept[VCFG_KEPT_DEVCTL2] |= PCI_EXP_DEVCTL2_LTR_EN;
	if (!atomics_arrive(pdev))
		kept[VCFG_KEPT_DEVCTL2] |= PCI_EXP_DEVCTL2_ATOMIC_REQ;
	if (pdev->bus->bus_flags & PCI_BUS_FLAGS_NO_MMRBC)
		kept[VCFG_KEPT_PCIX] = PCI_X_CMD_MAX_READ;
}

static void describe(struct vpv_device *vpv, struct vcfg_desc *desc)
{
	struct pci_dev *pdev = vpv->pdev;

	*desc = (struct vcfg_desc){
		.bytes = pdev->cfg_size,
		.rom_bytes = vpv_rom_bytes(pdev),
		.vf = pdev->is_virtfn,
		.vendor = pdev->vendor,
		.device = pdev->device,
		.no_intx = vpv->state->nointx,
		.callbacks = vpv->variant->callbacks,
		.num_callbacks = vpv->variant->num_callbacks,
	};
	keep_bits(pdev, desc->kept);
	/* The BAR registers of a VF are zero. */
	for (unsigned int i = 0; pdev->is_virtfn && i < VPV_BARS; i++)
		desc->bar_flags[i] = pci_resource_flags(pdev, i) & 0xf;
	for (unsigned int i = 0; i < VPV_BARS; i++)
		if (vpv_memory_shown_bytes(vpv, i))
			desc->bar_flags[i] = PCI_BASE_ADDRESS_MEM_TYPE_64 |
					     PCI_BASE_ADDRESS_MEM_PREFETCH;
}

/* Could the device, which is not open but awake, keep what @p promises? */
int vpv_config_check(struct vpv_device *vpv, struct vcfg_persona *p,
		     char why[VCFG_WHY_BYTES])
{
	struct vcfg_desc desc;

	describe(vpv, &desc);
	desc.persona = p;
	for (unsigned int i = 0; i < VPV_BARS; i++)
		desc.bar_bytes[i] = vpv_bar_left(vpv, i);
	return vcfg_persona_check(&desc, &host_ops, vpv, why);
}

/*
 * Build the user's config space.  After the BARs have been cut by the rules; then
 * they are cut by the persona.
 */
int vpv_config_open(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct pci_dev *pdev = vpv->pdev;
	char why[VCFG_WHY_BYTES];
	struct vcfg_desc desc;
	struct vcfg_dev *cfg;

	describe(vpv, &desc);
	desc.persona = st->persona;
	/* A library that migrates it, by whatever protocol, compares it with a peer's. */
	desc.view = vpv->variant->companion;
	for (unsigned int i = 0; i < VPV_BARS; i++)
		desc.bar_bytes[i] = st->bars[i].region.bytes;
	/* They wait for a reset by somebody else, which would show zeroes. */
	for (unsigned int i = 0; i <= VPV_BARS; i++)
		pci_user_read_config_dword(pdev, bar_pos(i), &st->rbar[i]);

	cfg = vcfg_create(&desc, &host_ops, vpv, why);
	if (IS_ERR(cfg)) {
		if (why[0])
			dev_warn_ratelimited(&pdev->dev, "config space refused: %s\n", why);
		return PTR_ERR(cfg);
	}

	st->config_bytes = vcfg_bytes(cfg);
	scoped_guard(rwsem_write, &st->memory_lock) {
		st->cfg = cfg;
		st->user_command = vcfg_command(cfg);
	}
	st->intx.virq_disabled = st->user_command & PCI_COMMAND_INTX_DISABLE;
	vpv_persona_cut(vpv);
	return 0;
}

void vpv_config_close(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	struct vcfg_dev *cfg = st->cfg;

	scoped_guard(rwsem_write, &st->memory_lock) {
		st->user_command = 0;
		st->cfg = NULL;
	}
	vpv_dma_release(vpv);
	vcfg_destroy(cfg);
}

/*
 * COMMAND has been restored as it once was: if the function is open, make it what its
 * user and our interrupts want by now.
 */
void vpv_command_restore(struct vpv_device *vpv)
{
	struct vpv_state *st = vpv->state;
	unsigned long flags;
	u16 enables = 0;
	u16 wanted;
	u16 cmd;

	vpv_cfg_access_assert(vpv->pdev);

	if (st->cfg)
		enables = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	spin_lock_irqsave(&st->irqlock, flags);
	wanted = st->user_command & enables;
	if (vpv_dma_is_off(st))
		wanted &= ~PCI_COMMAND_MASTER;
	pci_read_config_word(vpv->pdev, PCI_COMMAND, &cmd);
	if (!PCI_POSSIBLE_ERROR(cmd)) {
		cmd = (cmd & ~enables) | wanted;
		cmd = vpv_intx_command(vpv, cmd);
		pci_write_config_word(vpv->pdev, PCI_COMMAND, cmd);
	}
	spin_unlock_irqrestore(&st->irqlock, flags);
}

/* After a reset by which config space was lost and not restored.  Open or not. */
void vpv_config_restore(struct vpv_device *vpv)
{
	lockdep_assert_held_write(&vpv->state->memory_lock);
	vpv_cfg_access_assert(vpv->pdev);

	pci_load_saved_state(vpv->pdev, vpv->state->saved);
	pci_restore_state(vpv->pdev);
	vpv_command_restore(vpv);
	if (vpv->state->cfg)
		vpv_atomics_open(vpv);
}

/* An access beyond the end must not do a part of it. */
static int check_range(struct vpv_device *vpv, u64 pos, size_t count)
{
	u64 size = vpv->state->config_bytes;

	return pos >= size || count > size - pos ? -EFAULT : 0;
}

ssize_t vpv_config_read(struct vpv_device *vpv, u64 pos, char __user *buf,
			size_t count)
{
	/* vcfg_read() fills what is copied, or fails. */
	u8 chunk[VPV_CHUNK] __uninitialized;
	size_t done, bytes;
	int ret;

	vpv_count(vpv, VPV_COUNT_CONFIG_READ);
	ret = check_range(vpv, pos, count);
	if (ret)
		return ret;

	for (done = 0; done < count; done += bytes) {
		bytes = vpv_chunk_bytes(pos + done, count - done);
		ret = vcfg_read(vpv->state->cfg, pos + done, chunk, bytes);
		trace_vpv_config(vpv->pdev, pos + done, bytes, false, ret);
		if (ret)
			return ret;
		if (vpv_chunk_to_user(buf + done, chunk, bytes))
			return -EFAULT;
	}
	return done;
}

ssize_t vpv_config_write(struct vpv_device *vpv, u64 pos, const char __user *buf,
			 size_t count)
{
	u8 chunk[VPV_CHUNK] __uninitialized;
	size_t done, bytes;
	int ret;

	vpv_count(vpv, VPV_COUNT_CONFIG_WRITE);
	ret = check_range(vpv, pos, count);
	if (ret)
		return ret;

	for (done = 0; done < count; done += bytes) {
		bytes = vpv_chunk_bytes(pos + done, count - done);
		if (vpv_chunk_from_user(chunk, buf + done, bytes))
			return -EFAULT;
		ret = vcfg_write(vpv->state->cfg, pos + done, chunk, bytes);
		trace_vpv_config(vpv->pdev, pos + done, bytes, true, ret);
		if (ret)
			return ret;
	}
	return done;
}
