// SPDX-License-Identifier: GPL-2.0
/*
 * A device: life cycle, reset, and the routing of region accesses to config space, MSI-X
 * table, mappable memory or the model.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vu_dev.h"

const struct vu_option vu_common_options[] = {
	{ "d1d2", "0, or 1: it has the states D1 and D2 (0)" },
	{ NULL, NULL },
};

static bool is_one_of(const struct vu_option *o, const char *text)
{
	for (; o && o->name; o++) {
		size_t len = strlen(o->name);

		if (!strncmp(text, o->name, len) && text[len] == '=')
			return true;
	}
	return false;
}

static int take_options(struct vu_dev *dev, char **options, unsigned int num)
{
	for (unsigned int i = 0; i < num; i++) {
		if ((!is_one_of(dev->model->options, options[i]) &&
		     !is_one_of(vu_common_options, options[i])) || i == VU_MAX_OPTIONS) {
			fprintf(stderr, "vpv-model: %s has no option '%s'\n", dev->model->name,
				options[i]);
			return -EINVAL;
		}
		dev->options[i].key = options[i];
		dev->options[i].value = strchr(options[i], '=') + 1;
		dev->num_options++;
	}
	return 0;
}

/* ---- life cycle ---- */

static bool areas_ok(const struct vu_bar *bar)
{
	uint64_t end = 0;

	if (bar->num_areas > VU_MAX_AREAS)
		return false;
	for (unsigned int i = 0; i < bar->num_areas; i++) {
		const struct vu_area *a = &bar->areas[i];

		if (((a->offset | a->bytes) & (VU_PAGE_BYTES - 1)) || !a->bytes ||
		    a->offset < end || a->offset > bar->bytes ||
		    a->bytes > bar->bytes - a->offset)
			return false;
		end = a->offset + a->bytes;
	}
	return true;
}

static int setup_bar_memory(struct vu_dev *dev, int n)
{
	const struct vu_bar *bar = &dev->model->bars[n];
	void *mem;

	if (!bar->num_areas)
		return 0;
	if (!areas_ok(bar))
		return -EINVAL;
	dev->bar[n].fd = memfd_create("vpv-model-bar", MFD_CLOEXEC);
	if (dev->bar[n].fd < 0 || ftruncate(dev->bar[n].fd, (off_t)bar->bytes))
		return -errno;
	mem = mmap(NULL, bar->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dev->bar[n].fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	dev->bar[n].mem = mem;
	return 0;
}

static int setup(struct vu_dev *dev)
{
	int err = vu_config_setup(dev);

	for (int n = 0; n < VU_NUM_BARS && !err; n++)
		err = setup_bar_memory(dev, n);
	if (!err && dev->model->intx)
		err = vu_irq_setup(dev, VFIO_PCI_INTX_IRQ_INDEX, 1);
	if (!err)
		err = vu_irq_setup(dev, VFIO_PCI_ERR_IRQ_INDEX, 1);
	if (!err)
		err = vu_irq_setup(dev, VFIO_PCI_REQ_IRQ_INDEX, 1);
	if (!err)
		err = vu_fault_setup(dev);
	if (!err && dev->model->init)
		err = dev->model->init(dev);
	return err;
}

static struct vu_dev *dev_new(const struct vu_model *model, char **options,
			      unsigned int num_options, struct vu_dev *controlling)
{
	struct vu_dev *dev = calloc(1, sizeof(*dev));
	int err;

	if (!dev)
		return NULL;
	dev->controlling = controlling;
	dev->function = controlling ? controlling->num_controlled : 0;
	dev->own = *model;
	dev->model = &dev->own;
	dev->irq.intx_unmask = -1;
	for (int n = 0; n < VU_NUM_BARS; n++)
		dev->bar[n].fd = -1;
	err = take_options(dev, options, num_options);
	if (!err && model->revise)
		err = model->revise(dev, &dev->own);
	if (!err) {
		err = setup(dev);
		if (err)
			fprintf(stderr, "vpv-model: %s cannot be set up: %s\n", model->name,
				strerror(-err));
	}
	if (err) {
		vu_dev_free(dev);
		return NULL;
	}
	return dev;
}

static bool add_controlled(struct vu_dev *dev)
{
	uint64_t count = 1;

	if (!dev->model->controlled)
		return true;
	if (vu_option_u64(dev, "functions", 1, VU_MAX_CONTROLLED, &count))
		return false;
	while (dev->num_controlled < count) {
		struct vu_dev *fn = dev_new(dev->model->controlled, NULL, 0, dev);

		if (!fn)
			return false;
		dev->controlled[dev->num_controlled++] = fn;
	}
	return true;
}

struct vu_dev *vu_dev_new(const struct vu_model *model, char **options, unsigned int num_options)
{
	struct vu_dev *dev = dev_new(model, options, num_options, NULL);

	if (!dev)
		return NULL;
	if (!add_controlled(dev)) {
		vu_dev_free(dev);
		return NULL;
	}
	vu_dev_reset(dev, VU_RESET_POWER_ON);
	for (unsigned int n = 0; n < dev->num_controlled; n++)
		vu_dev_reset(dev->controlled[n], VU_RESET_POWER_ON);
	return dev;
}

void vu_dev_free(struct vu_dev *dev)
{
	while (dev->num_controlled)
		vu_dev_free(dev->controlled[--dev->num_controlled]);
	if (dev->model->fini)
		dev->model->fini(dev);
	vu_dma_clear(dev);
	vu_ledger_clear(&dev->ledger);
	vu_irq_free(dev);
	for (int n = 0; n < VU_NUM_BARS; n++) {
		if (dev->bar[n].mem)
			munmap(dev->bar[n].mem, dev->model->bars[n].bytes);
		if (dev->bar[n].fd >= 0)
			close(dev->bar[n].fd);
	}
	free(dev);
}

void vu_dev_reset(struct vu_dev *dev, enum vu_reset why)
{
	dev->reset_count++;
	dev->stats.resets++;
	dev->kicked = false;
	dev->wake = 0;
	vu_fault_reset(dev);
	vu_config_reset(dev);
	vu_irq_reset(dev);
	if (dev->model->reset)
		dev->model->reset(dev, why);
}

/* ---- regions ---- */

void vu_dev_shape(const struct vu_dev *dev, struct vu_shape *shape)
{
	memset(shape, 0, sizeof(*shape));
	shape->max_xfer = VU_MAX_XFER;
	for (int n = 0; n < VU_NUM_BARS; n++)
		shape->region_bytes[n] = dev->model->bars[n].bytes;
	shape->region_bytes[VFIO_PCI_CONFIG_REGION_INDEX] = dev->cfg.bytes;
	memcpy(shape->irq_count, dev->irq.count, sizeof(shape->irq_count));
}

void *vu_bar_memory(struct vu_dev *dev, int bar)
{
	return bar >= 0 && bar < VU_NUM_BARS ? dev->bar[bar].mem : NULL;
}

static bool whole_bar(const struct vu_bar *bar)
{
	return bar->num_areas == 1 && bar->areas[0].bytes == bar->bytes;
}

/* Sparse-mmap capability behind the region info; returns its length. */
static size_t sparse_cap(const struct vu_bar *bar, uint8_t *out)
{
	struct vfio_region_info_cap_sparse_mmap cap = {
		.header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
		.nr_areas = bar->num_areas,
	};

	memcpy(out, &cap, sizeof(cap));
	for (unsigned int i = 0; i < bar->num_areas; i++) {
		struct vfio_region_sparse_mmap_area area = {
			.offset = bar->areas[i].offset, .size = bar->areas[i].bytes,
		};

		memcpy(out + sizeof(cap) + i * sizeof(area), &area, sizeof(area));
	}
	return sizeof(cap) + bar->num_areas * sizeof(struct vfio_region_sparse_mmap_area);
}

size_t vu_dev_region_info(struct vu_dev *dev, const struct vfio_region_info *req, bool can_fd,
			  void *out, size_t max, int *fd)
{
	struct vfio_region_info info = { .index = req->index };
	size_t limit = req->argsz < max ? req->argsz : max, need = sizeof(info);
	struct vu_shape shape;

	*fd = -1;
	vu_dev_shape(dev, &shape);
	info.size = shape.region_bytes[req->index];
	if (info.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (req->index < VU_NUM_BARS && dev->bar[req->index].mem && can_fd) {
		const struct vu_bar *bar = &dev->model->bars[req->index];

		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
		if (!whole_bar(bar)) {
			info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
			need += sparse_cap(bar, (uint8_t *)out + sizeof(info));
		}
		if (need <= limit)
			*fd = dev->bar[req->index].fd;
	}
	/* QEMU 11.1 refuses an info with capabilities that are nowhere, even when it asks for the size. */
	if (info.flags & VFIO_REGION_INFO_FLAG_CAPS)
		info.cap_offset = sizeof(info);
	info.argsz = (uint32_t)need;
	memcpy(out, &info, sizeof(info));
	return need <= limit ? need : sizeof(info);
}

static bool bar_enabled(const struct vu_dev *dev, uint32_t bar)
{
	if (dev->model->bars[bar].flags & VU_BAR_IO)
		return vu_config_get(dev, PCI_COMMAND, 2) & PCI_COMMAND_IO;
	return vu_mem_enabled(dev);
}

/*
 * Length of the leading part of [off, off + len) that is served in one way; *mem tells
 * whether that is the mappable memory.
 */
static size_t bar_piece(const struct vu_bar *bar, uint64_t off, size_t len, bool *mem)
{
	*mem = false;
	for (unsigned int i = 0; i < bar->num_areas; i++) {
		const struct vu_area *a = &bar->areas[i];
		uint64_t left;

		if (off >= a->offset + a->bytes)
			continue;
		*mem = off >= a->offset;
		left = *mem ? a->offset + a->bytes - off : a->offset - off;
		return left < len ? (size_t)left : len;
	}
	return len;
}

static void access_bar(struct vu_dev *dev, int n, uint64_t off, uint8_t *buf, size_t len,
		       bool write)
{
	while (len) {
		bool mem;
		size_t part = bar_piece(&dev->model->bars[n], off, len, &mem);

		if (mem && write)
			memcpy(dev->bar[n].mem + off, buf, part);
		else if (mem)
			memcpy(buf, dev->bar[n].mem + off, part);
		else if (vu_msix_access(dev, n, off, buf, part, write))
			;
		else if (dev->model->bars[n].regs)
			vu_regs_access(dev, dev->model->bars[n].regs, off, buf, part, write);
		else if (write && dev->model->bar_write)
			dev->model->bar_write(dev, n, off, buf, part);
		else if (!write && dev->model->bar_read)
			dev->model->bar_read(dev, n, off, buf, part);
		else if (!write)
			memset(buf, 0, part);
		off += part;
		buf += part;
		len -= part;
	}
}

static void write_config(struct vu_dev *dev, uint64_t off, const void *buf, size_t len)
{
	if (vu_config_write(dev, off, buf, len)) {
		vu_dev_reset(dev, VU_RESET_FLR);
		return;
	}
	vu_irq_refresh(dev);
	if (dev->model->config_changed)
		dev->model->config_changed(dev);
	if (dev->model->config_access)
		dev->model->config_access(dev, off, len, true);
}

void vu_dev_region_access(struct vu_dev *dev, uint32_t region, uint64_t off, void *buf,
			  size_t len, bool write)
{
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (write)
			write_config(dev, off, buf, len);
		else
			vu_config_read(dev, off, buf, len);
		return;
	}
	if (!bar_enabled(dev, region)) {
		if (!write)
			memset(buf, 0xff, len);
		return;
	}
	access_bar(dev, (int)region, off, buf, len, write);
}
