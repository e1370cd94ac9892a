// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: config space.  Firmware 2 has the capabilities at other places than firmware 1,
 * has more of them, and other vendor-specific bytes (7.3).
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "mlx5_like.h"

#define VSEC_ID		0x7620u

static int add_msix(struct vu_dev *dev)
{
	return vu_add_msix(dev, vu_controlling(dev) ? MLXL_MAX_VECTORS : 2, 4, 0, 4, 0x2000);
}

static int add_pcie(struct vu_dev *dev)
{
	return vu_add_pcie(dev, true);
}

/* One structure in BAR 0. */
static int add_virtio(struct vu_dev *dev, uint8_t type, uint32_t off, uint32_t bytes)
{
	unsigned int len = type == VIRTIO_PCI_CAP_NOTIFY_CFG || type == VIRTIO_PCI_CAP_PCI_CFG ?
			   20 : 16;
	int at = vu_cap_add(dev, PCI_CAP_ID_VNDR, len);
	unsigned int cap = (unsigned int)at;

	if (at < 0)
		return at;
	vu_config_init(dev, cap + VIRTIO_PCI_CAP_LEN, 1, len, 0, 0);
	vu_config_init(dev, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1, type, 0, 0);
	vu_config_init(dev, cap + VIRTIO_PCI_CAP_BAR, 4, 0, 0, 0);
	vu_config_init(dev, cap + VIRTIO_PCI_CAP_OFFSET, 4, off, 0, 0);
	vu_config_init(dev, cap + VIRTIO_PCI_CAP_LENGTH, 4, bytes, 0, 0);
	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		vu_config_init(dev, cap + VIRTIO_PCI_NOTIFY_CAP_MULT, 4, 4, 0, 0);
	return at;
}

static int add_common(struct vu_dev *dev)
{
	return add_virtio(dev, VIRTIO_PCI_CAP_COMMON_CFG, 0, 64);
}

static int add_isr(struct vu_dev *dev)
{
	return add_virtio(dev, VIRTIO_PCI_CAP_ISR_CFG, 0x1000, 4);
}

static int add_device(struct vu_dev *dev)
{
	return add_virtio(dev, VIRTIO_PCI_CAP_DEVICE_CFG, 0x2000, 12);
}

static int add_notify(struct vu_dev *dev)
{
	return add_virtio(dev, VIRTIO_PCI_CAP_NOTIFY_CFG, 0x3000, 0x1000);
}

/* The window: BAR, offset and length are written, and then the data. */
static int add_window(struct vu_dev *dev)
{
	struct mlxl_fn *fn = vu_priv(dev);
	int at = add_virtio(dev, VIRTIO_PCI_CAP_PCI_CFG, 0, 0);
	unsigned int cap = (unsigned int)at;

	if (at < 0)
		return at;
	fn->cfg_window = cap;
	vu_config_init(dev, cap + VIRTIO_PCI_CAP_BAR, 1, 0, 0xff, 0);
	vu_config_init(dev, cap + VIRTIO_PCI_CAP_OFFSET, 4, 0, ~0u, 0);
	vu_config_init(dev, cap + VIRTIO_PCI_CAP_LENGTH, 4, 0, ~0u, 0);
	vu_config_init(dev, cap + MLXL_WINDOW_DATA, 4, 0, ~0u, 0);
	return at;
}

void mlxl_window_get(const struct mlxl_fn *fn, struct mlxl_window *w)
{
	const unsigned int cap = fn->cfg_window;

	*w = (struct mlxl_window){
		.bar = vu_config_get(fn->dev, cap + VIRTIO_PCI_CAP_BAR, 1),
		.offset = vu_config_get(fn->dev, cap + VIRTIO_PCI_CAP_OFFSET, 4),
		.length = vu_config_get(fn->dev, cap + VIRTIO_PCI_CAP_LENGTH, 4),
		.data = vu_config_get(fn->dev, cap + MLXL_WINDOW_DATA, 4),
	};
}

/* No access follows: that is what a read or a write of the data by the user begins. */
void mlxl_window_set(struct mlxl_fn *fn, const struct mlxl_window *w)
{
	const unsigned int cap = fn->cfg_window;

	vu_config_set(fn->dev, cap + VIRTIO_PCI_CAP_BAR, 1, w->bar);
	vu_config_set(fn->dev, cap + VIRTIO_PCI_CAP_OFFSET, 4, w->offset);
	vu_config_set(fn->dev, cap + VIRTIO_PCI_CAP_LENGTH, 4, w->length);
	vu_config_set(fn->dev, cap + MLXL_WINDOW_DATA, 4, w->data);
}

/* All registers take any value. */
bool mlxl_window_ok(const struct mlxl_window *w)
{
	return w->bar <= 0xff;
}

static int add_identity(struct vu_dev *dev)
{
	const struct mlxl_fn *fn = vu_priv(dev);
	uint8_t bytes[21] = { 0xf5, 0xff, 1 };
	uint32_t fw = mlxl_fw_version(fn->m);
	uint16_t n = (uint16_t)fn->n;

	memcpy(bytes + 3, &n, 2);
	memcpy(bytes + 5, &fn->m->opt.serial, 8);
	memcpy(bytes + 13, &fw, 4);
	return vu_add_vendor(dev, bytes, sizeof(bytes));
}

static int add_vsec(struct vu_dev *dev, uint64_t firmware)
{
	unsigned int bytes = firmware == 1 ? 16 : 24;
	int at = vu_ext_cap_add(dev, PCI_EXT_CAP_ID_VNDR, 1, 8 + bytes);
	unsigned int cap = (unsigned int)at;

	if (at < 0)
		return at;
	vu_config_init(dev, cap + 4, 4, VSEC_ID | (uint32_t)firmware << 16 | (8 + bytes) << 20,
		       0, 0);
	vu_config_init(dev, cap + 8, 4, firmware == 1 ? 0x412d5746 : 0x422d5746, 0, 0);
	for (unsigned int i = 4; i < bytes; i++)
		vu_config_init(dev, cap + 8 + i, 1, (uint32_t)(i * 37 * firmware) & 0xff, 0, 0);
	return at;
}

typedef int (*add_fn)(struct vu_dev *dev);

static int add_all(struct vu_dev *dev, const add_fn *list)
{
	int off = 0;

	for (; *list && off >= 0; list++)
		off = (*list)(dev);
	return off < 0 ? off : 0;
}

int mlxl_fn_capabilities(struct mlxl_fn *fn)
{
	static const add_fn first[] = {
		vu_add_pm, add_msix, add_pcie, add_common, add_notify, add_isr, add_device,
		add_window, add_identity, NULL,
	};
	static const add_fn second[] = {
		add_pcie, vu_add_pm, add_notify, add_common, add_device, add_isr, add_window,
		add_msix, add_identity, NULL,
	};
	uint64_t firmware = fn->m->opt.firmware;
	int err = add_all(fn->dev, firmware == 1 ? first : second);

	if (!err && firmware == 2)
		err = vu_add_aer(fn->dev);
	if (err >= 0)
		err = add_vsec(fn->dev, firmware);
	return err < 0 ? err : 0;
}

int mlxl_ctrl_capabilities(struct mlxl *m)
{
	static const add_fn list[] = { add_pcie, vu_add_pm, add_msix, NULL };

	return add_all(m->dev, list);
}
