// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: INTx, MSI, MSI-X, ERR and REQ, delivered through the eventfds that the
 * client sets with SET_IRQS.
 *
 * A message that may not be sent now (function or vector masked, bus mastering off, no
 * eventfd yet) stays pending and is sent when the obstacle goes away.  Vector masks in
 * the MSI-X table belong to the client: QEMU emulates the table and keeps a masked
 * vector's eventfd away from the guest itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vu_dev.h"

int vu_irq_setup(struct vu_dev *dev, unsigned int index, uint32_t count)
{
	struct vu_vector *vec = calloc(count, sizeof(*vec));

	if (!vec)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		vec[i].trigger = -1;
	dev->irq.vec[index] = vec;
	dev->irq.count[index] = count;
	return 0;
}

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vu_irq_disconnect(struct vu_dev *dev)
{
	struct vu_irqs *irq = &dev->irq;

	for (unsigned int i = 0; i < VU_NUM_IRQS; i++) {
		for (uint32_t v = 0; v < irq->count[i]; v++) {
			drop_fd(&irq->vec[i][v].trigger);
			irq->vec[i][v].masked = false;
		}
	}
	drop_fd(&irq->intx_unmask);
}

void vu_irq_reset(struct vu_dev *dev)
{
	struct vu_irqs *irq = &dev->irq;

	irq->intx_level = false;
	irq->hold = false;
	for (unsigned int i = 0; i < VU_NUM_IRQS; i++)
		for (uint32_t v = 0; v < irq->count[i]; v++)
			irq->vec[i][v].pending = false;
	if (irq->count[VFIO_PCI_INTX_IRQ_INDEX])
		irq->vec[VFIO_PCI_INTX_IRQ_INDEX]->masked = false;
	if (!irq->msix_entries)
		return;
	for (uint32_t v = 0; v < irq->count[VFIO_PCI_MSIX_IRQ_INDEX]; v++) {
		memset(irq->msix_entries + 16 * v, 0, 16);
		irq->msix_entries[16 * v + 12] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	}
}

void vu_irq_free(struct vu_dev *dev)
{
	vu_irq_disconnect(dev);
	for (unsigned int i = 0; i < VU_NUM_IRQS; i++)
		free(dev->irq.vec[i]);
	free(dev->irq.msix_entries);
}

void vu_irq_info(const struct vu_dev *dev, struct vfio_irq_info *info)
{
	uint32_t flags = VFIO_IRQ_INFO_EVENTFD;

	if (info->index == VFIO_PCI_INTX_IRQ_INDEX)
		flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	info->argsz = sizeof(*info);
	info->count = dev->irq.count[info->index];
	info->flags = info->count ? flags : 0;
}

/* ---- delivery ---- */

/* Messages of the index may leave the function now. */
static bool index_enabled(const struct vu_dev *dev, unsigned int index)
{
	const struct vu_config *c = &dev->cfg;
	uint32_t flags;

	if (index == VFIO_PCI_MSIX_IRQ_INDEX) {
		flags = vu_config_get(dev, c->msix + PCI_MSIX_FLAGS, 2);
		return flags & PCI_MSIX_FLAGS_ENABLE;
	}
	if (index == VFIO_PCI_MSI_IRQ_INDEX) {
		flags = vu_config_get(dev, c->msi + PCI_MSI_FLAGS, 2);
		return flags & PCI_MSI_FLAGS_ENABLE;
	}
	return true;
}

static bool message_blocked(const struct vu_dev *dev, unsigned int index, uint32_t v)
{
	const struct vu_config *c = &dev->cfg;

	if (dev->irq.hold || !vu_bus_master(dev))
		return true;
	if (index == VFIO_PCI_MSIX_IRQ_INDEX)
		return vu_config_get(dev, c->msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_MASKALL;
	if (vu_config_get(dev, c->msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_MASKBIT)
		return vu_config_get(dev, c->msi + PCI_MSI_MASK_64, 4) >> v & 1;
	return false;
}

static void signal_vector(struct vu_dev *dev, struct vu_vector *vec)
{
	uint64_t one = 1;
	ssize_t n = write(vec->trigger, &one, sizeof(one));

	/* A full counter (EAGAIN) means that the client will see the event anyway. */
	if (n == (ssize_t)sizeof(one) || errno == EAGAIN)
		dev->stats.irqs++;
	else
		dev->stats.irqs_dropped++;
}

static bool fault_drops(struct vu_dev *dev)
{
	struct vu_fault_hit hit;

	if (!vu_fault_take(dev, VU_FAULT_IRQ, &hit) || !(hit.fail || hit.hang))
		return false;
	dev->stats.irqs_dropped++;
	return true;
}

static void send_message(struct vu_dev *dev, unsigned int index, uint32_t v)
{
	struct vu_vector *vec = &dev->irq.vec[index][v];

	if (!index_enabled(dev, index)) {
		vec->pending = false;
		return;
	}
	if (vec->trigger < 0 || vec->masked || message_blocked(dev, index, v)) {
		if (!vec->pending)
			dev->stats.irqs_pending++;
		vec->pending = true;
		return;
	}
	vec->pending = false;
	signal_vector(dev, vec);
}

static void raise_message(struct vu_dev *dev, unsigned int index, unsigned int vector)
{
	if (vector >= dev->irq.count[index] || fault_drops(dev))
		return;
	if (!index_enabled(dev, index)) {
		dev->stats.irqs_dropped++;
		return;
	}
	send_message(dev, index, vector);
}

void vu_msix_raise(struct vu_dev *dev, unsigned int vector)
{
	raise_message(dev, VFIO_PCI_MSIX_IRQ_INDEX, vector);
}

void vu_msi_raise(struct vu_dev *dev, unsigned int vector)
{
	raise_message(dev, VFIO_PCI_MSI_IRQ_INDEX, vector);
}

bool vu_msix_pending(const struct vu_dev *dev, unsigned int vector)
{
	return vector < dev->irq.count[VFIO_PCI_MSIX_IRQ_INDEX] &&
	       dev->irq.vec[VFIO_PCI_MSIX_IRQ_INDEX][vector].pending;
}

bool vu_msix_take_pending(struct vu_dev *dev, unsigned int vector)
{
	bool was = vu_msix_pending(dev, vector);

	if (was)
		dev->irq.vec[VFIO_PCI_MSIX_IRQ_INDEX][vector].pending = false;
	return was;
}

/* INTx is a level: signal once, then stay masked until the client unmasks. */
static void intx_update(struct vu_dev *dev)
{
	struct vu_vector *vec = dev->irq.vec[VFIO_PCI_INTX_IRQ_INDEX];

	if (!vec || !dev->irq.intx_level || vec->masked || vec->trigger < 0 ||
	    (vu_config_get(dev, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE))
		return;
	vec->masked = true;
	signal_vector(dev, vec);
}

void vu_intx_set(struct vu_dev *dev, bool level)
{
	if (level && !dev->irq.intx_level && fault_drops(dev))
		return;
	dev->irq.intx_level = level;
	intx_update(dev);
}

void vu_irq_intx_unmask(struct vu_dev *dev)
{
	uint64_t value;

	if (dev->irq.intx_unmask < 0 ||
	    read(dev->irq.intx_unmask, &value, sizeof(value)) != (ssize_t)sizeof(value))
		return;
	if (dev->irq.count[VFIO_PCI_INTX_IRQ_INDEX])
		dev->irq.vec[VFIO_PCI_INTX_IRQ_INDEX]->masked = false;
	intx_update(dev);
}

static void raise_plain(struct vu_dev *dev, unsigned int index)
{
	struct vu_vector *vec = dev->irq.vec[index];

	if (!fault_drops(dev) && vec && vec->trigger >= 0)
		signal_vector(dev, vec);
}

void vu_err_raise(struct vu_dev *dev)
{
	raise_plain(dev, VFIO_PCI_ERR_IRQ_INDEX);
}

void vu_req_raise(struct vu_dev *dev)
{
	raise_plain(dev, VFIO_PCI_REQ_IRQ_INDEX);
}

void vu_irq_refresh(struct vu_dev *dev)
{
	static const unsigned int messages[] = {
		VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
	};

	intx_update(dev);
	for (unsigned int m = 0; m < 2; m++) {
		unsigned int i = messages[m];

		for (uint32_t v = 0; v < dev->irq.count[i]; v++)
			if (dev->irq.vec[i][v].pending)
				send_message(dev, i, v);
	}
}

void vu_irq_hold(struct vu_dev *dev, bool on)
{
	dev->irq.hold = on;
	if (!on)
		vu_irq_refresh(dev);
}

/* ---- SET_IRQS ---- */

static bool selected(const struct vu_req *req, uint32_t i)
{
	if (req->irq_set.flags & VFIO_IRQ_SET_DATA_BOOL)
		return req->data[i];
	return true;
}

/* Whatever the client calls an eventfd: nobody waits for it. */
static int take_fd(int *from)
{
	int fd = *from;

	*from = -1;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

static void set_trigger(struct vu_dev *dev, const struct vu_req *req, int *fds,
			unsigned int num_fds)
{
	const struct vfio_irq_set *s = &req->irq_set;
	struct vu_vector *vec = dev->irq.vec[s->index];

	if (!(s->flags & VFIO_IRQ_SET_DATA_EVENTFD)) {
		for (uint32_t i = 0; i < s->count; i++)
			if (selected(req, i) && vec[s->start + i].trigger >= 0)
				signal_vector(dev, &vec[s->start + i]);
		return;
	}
	for (uint32_t i = 0; i < s->count; i++) {
		drop_fd(&vec[s->start + i].trigger);
		if (i < num_fds)
			vec[s->start + i].trigger = take_fd(&fds[i]);
	}
	vu_irq_refresh(dev);
}

static void disable_index(struct vu_dev *dev, unsigned int index)
{
	struct vu_vector *vec = dev->irq.vec[index];

	for (uint32_t v = 0; v < dev->irq.count[index]; v++) {
		drop_fd(&vec[v].trigger);
		vec[v].masked = false;
	}
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		drop_fd(&dev->irq.intx_unmask);
}

static int set_mask(struct vu_dev *dev, const struct vu_req *req, int *fds,
		    unsigned int num_fds)
{
	const struct vfio_irq_set *s = &req->irq_set;
	bool mask = s->flags & VFIO_IRQ_SET_ACTION_MASK;

	if (s->index == VFIO_PCI_ERR_IRQ_INDEX || s->index == VFIO_PCI_REQ_IRQ_INDEX)
		return -ENOTTY;
	if (s->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		/* Only the resampling eventfd of INTx has a use. */
		if (s->index != VFIO_PCI_INTX_IRQ_INDEX || mask)
			return -ENOTTY;
		drop_fd(&dev->irq.intx_unmask);
		if (num_fds)
			dev->irq.intx_unmask = take_fd(&fds[0]);
		return 0;
	}
	for (uint32_t i = 0; i < s->count; i++)
		if (selected(req, i))
			dev->irq.vec[s->index][s->start + i].masked = mask;
	if (!mask)
		vu_irq_refresh(dev);
	return 0;
}

int vu_irq_set(struct vu_dev *dev, const struct vu_req *req, int *fds, unsigned int num_fds)
{
	const struct vfio_irq_set *s = &req->irq_set;

	if (!(s->flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		return set_mask(dev, req, fds, num_fds);
	if (!s->count)
		disable_index(dev, s->index);
	else
		set_trigger(dev, req, fds, num_fds);
	return 0;
}

/* ---- MSI-X table and pending bits ---- */

static void pba_byte(const struct vu_dev *dev, uint64_t byte, uint8_t *out)
{
	*out = 0;
	for (unsigned int bit = 0; bit < 8; bit++)
		if (vu_msix_pending(dev, (unsigned int)(byte * 8 + bit)))
			*out |= (uint8_t)(1u << bit);
}

bool vu_msix_access(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len, bool write)
{
	struct vu_irqs *irq = &dev->irq;
	uint32_t vectors = irq->count[VFIO_PCI_MSIX_IRQ_INDEX];
	uint64_t table = 16ull * vectors, pba = (vectors + 63ull) / 64 * 8;
	uint8_t *bytes = buf;

	if (!irq->msix_entries)
		return false;
	if (bar == irq->msix_table_bar && off >= irq->msix_table &&
	    off - irq->msix_table < table && len <= table - (off - irq->msix_table)) {
		if (write)
			memcpy(irq->msix_entries + (off - irq->msix_table), buf, len);
		else
			memcpy(buf, irq->msix_entries + (off - irq->msix_table), len);
		return true;
	}
	if (bar == irq->msix_pba_bar && off >= irq->msix_pba && off - irq->msix_pba < pba &&
	    len <= pba - (off - irq->msix_pba)) {
		for (size_t i = 0; i < len && !write; i++)
			pba_byte(dev, off - irq->msix_pba + i, &bytes[i]);
		return true;
	}
	return false;
}
