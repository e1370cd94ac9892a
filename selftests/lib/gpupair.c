// SPDX-License-Identifier: GPL-2.0
/* Two functions of coherent_gpu that are alike (gpupair.h). */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "gpupair.h"
#include "migration.h"

#define PAGE	4096UL
#define PIECE	(1 << 20)

void gpupair_init(struct gpupair *p)
{
	*p = (struct gpupair){ .from = -1, .to = -1 };
	p->v[0].fd = -1;
	p->v[1].fd = -1;
}

static int queues_start(struct gpu *g)
{
	int err = gpu_enable(g);

	for (unsigned int q = 0; q < 2 && !err; q++)
		err = gpu_queue_start(g, q, false);
	return err;
}

int gpupair_open(struct gpupair *p, enum vdev_mode mode)
{
	int err;

	p->g.mem = mmap(NULL, GPU_MEM_BYTES, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p->g.mem == MAP_FAILED) {
		p->g.mem = NULL;
		return -errno;
	}
	for (unsigned int i = 0; i < 2; i++) {
		err = vdev_open(&p->v[i], &p->slot[i], mode);
		if (err)
			return err;
	}
	err = vdev_dma_map(&p->v[0], p->g.mem, GPU_MEM_IOVA, GPU_MEM_BYTES);
	err = err ? err : gpu_attach(&p->g, &p->v[0]);
	err = err ? err : queues_start(&p->g);
	if (err)
		return err;
	p->main = gpu_map_aligned(&p->v[0], GPU_MAIN_BAR, GPUPAIR_MAIN, 0);
	p->carve = gpu_map_aligned(&p->v[0], GPU_CARVE_BAR, GPUPAIR_CARVE, 0);
	return p->main && p->carve ? 0 : -ENOMEM;
}

void gpupair_close(struct gpupair *p)
{
	if (p->from >= 0)
		close(p->from);
	if (p->to >= 0)
		close(p->to);
	if (p->main)
		munmap(p->main, GPUPAIR_MAIN);
	if (p->carve)
		munmap(p->carve, GPUPAIR_CARVE);
	gpu_detach(&p->g);
	for (unsigned int i = 0; i < 2; i++)
		vdev_close(&p->v[i]);
	if (p->g.mem)
		munmap(p->g.mem, GPU_MEM_BYTES);
}

int gpupair_begin(struct gpupair *p)
{
	int err = mig_set(&p->v[1], VFIO_DEVICE_STATE_RESUMING, &p->to);

	return err ? err : mig_set(&p->v[0], VFIO_DEVICE_STATE_PRE_COPY, &p->from);
}

ssize_t gpupair_piece(struct gpupair *p)
{
	static uint8_t buf[PIECE];
	ssize_t n = read(p->from, buf, sizeof(buf));

	if (n < 0)
		return -errno;
	p->sent += n;
	for (ssize_t at = 0, w; at < n; at += w) {
		w = write(p->to, buf + at, n - at);
		if (w < 0)
			return -errno;
	}
	return n;
}

int gpupair_pump(struct gpupair *p)
{
	ssize_t n;

	do
		n = gpupair_piece(p);
	while (n > 0);
	return n;
}

int gpupair_pump_some(struct gpupair *p, uint64_t bytes)
{
	uint64_t end = p->sent + bytes;
	ssize_t n;

	do
		n = gpupair_piece(p);
	while (n > 0 && p->sent < end);
	return n < 0 && n != -ENOMSG ? n : 0;
}

int gpupair_finish(struct gpupair *p)
{
	int err = mig_set(&p->v[0], VFIO_DEVICE_STATE_STOP_COPY, NULL);

	err = err ? err : gpupair_pump(p);
	err = err ? err : mig_set(&p->v[1], VFIO_DEVICE_STATE_STOP, NULL);
	return err ? err : vdev_cfg_set(&p->v[1], PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static unsigned long differing(struct vdev *v, unsigned int bar, const uint8_t *p, uint64_t bytes)
{
	uint8_t *q = gpu_map(v, bar, 0, bytes);
	unsigned long num = 0;

	if (!q)
		return bytes / PAGE;
	for (uint64_t pos = 0; pos < bytes; pos += PAGE)
		num += !!memcmp(p + pos, q + pos, PAGE);
	munmap(q, bytes);
	return num;
}

unsigned long gpupair_differing(struct gpupair *p)
{
	return differing(&p->v[1], GPU_MAIN_BAR, p->main, GPUPAIR_MAIN) +
	       differing(&p->v[1], GPU_CARVE_BAR, p->carve, GPUPAIR_CARVE);
}
