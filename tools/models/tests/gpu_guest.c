// SPDX-License-Identifier: GPL-2.0
/* A guest that drives coherent_gpu: both kinds of memory, rings and vectors. */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <zlib.h>

#include "gpu_guest.h"

#define MAX_OPTIONS	15
#define WINDOW_PIECE	4096u

uint32_t gpu_rd(struct gpu *g, uint32_t off)
{
	return rig_read32(g->r, CGPU_BAR, off);
}

uint64_t gpu_rd64(struct gpu *g, uint32_t off)
{
	uint64_t val = 0;

	CHECK_EQ(rig_read(g->r, CGPU_BAR, off, &val, 8), 0);
	return val;
}

void gpu_wr(struct gpu *g, uint32_t off, uint32_t val)
{
	rig_write32(g->r, CGPU_BAR, off, val);
}

void gpu_wr64(struct gpu *g, uint32_t off, uint64_t val)
{
	CHECK_EQ(rig_write(g->r, CGPU_BAR, off, &val, 8), 0);
}

void gpu_enable(struct gpu *g)
{
	uint16_t enable = PCI_MSIX_FLAGS_ENABLE;

	rig_enable(g->r);
	CHECK_EQ(rig_write(g->r, VFIO_PCI_CONFIG_REGION_INDEX, g->r->dev->cfg.msix + 2, &enable, 2),
		 0);
}

void gpu_open(struct gpu *g, char **options)
{
	char mem[80], *all[MAX_OPTIONS + 1] = { mem };
	struct cgpu *c;
	int fd;

	memset(g, 0, sizeof(*g));
	strcpy(g->path, "/dev/shm/gpu-test-XXXXXX");
	fd = mkstemp(g->path);
	CHECK(fd >= 0);
	snprintf(mem, sizeof(mem), "mem=%s", g->path);
	for (int i = 0; options && options[i] && i < MAX_OPTIONS - 1; i++)
		all[i + 1] = options[i];
	g->r = rig_open(vu_model_find("coherent_gpu"), all);
	c = vu_priv(g->r->dev);
	g->dev_bytes = c->mem.bytes;
	g->dev = mmap(NULL, g->dev_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	CHECK(g->dev != MAP_FAILED);
	close(fd);
	g->mem = rig_memory(g->r, GMEM_IOVA, GMEM_BYTES, 3, &g->fd);
	gpu_enable(g);
	for (int i = 0; i < GVECTORS; i++)
		g->ev[i] = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(rig_set_irqs(g->r, VFIO_PCI_MSIX_IRQ_INDEX,
			      VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, GVECTORS,
			      g->ev, GVECTORS), 0);
}

void gpu_close(struct gpu *g)
{
	for (int i = 0; i < GVECTORS; i++)
		close(g->ev[i]);
	munmap(g->mem, GMEM_BYTES);
	munmap(g->dev, g->dev_bytes);
	close(g->fd);
	rig_close(g->r);
	unlink(g->path);
}

void gpu_queue_at(struct gpu *g, uint32_t n, uint64_t ring, uint32_t size)
{
	g->size = size;
	g->tail[n] = 0;
	gpu_wr(g, CGPU_CTRL, CGPU_CTRL_ENABLE);
	gpu_wr64(g, GQ(n, RING), ring);
	gpu_wr(g, GQ(n, SIZE), size);
	gpu_wr(g, GQ(n, CTRL), CGPU_QCTRL_ENABLE | CGPU_QCTRL_IRQ);
	CHECK_EQ(gpu_rd(g, GQ(n, STATUS)), CGPU_QSTATUS_ENABLED);
}

void gpu_queue(struct gpu *g, uint32_t n, uint32_t size)
{
	gpu_queue_at(g, n, GMEM_IOVA + GRING_OFF + n * 0x20000, size);
}

static uint8_t *ring_of(struct gpu *g, uint32_t n)
{
	uint64_t ring = gpu_rd64(g, GQ(n, RING));

	return ring & CGPU_ADDR_DEVICE ? g->dev + (ring & ~CGPU_ADDR_DEVICE) :
	       g->mem + (ring - GMEM_IOVA);
}

void gpu_put(struct gpu *g, uint32_t n, struct cgpu_cmd cmd)
{
	if (!cmd.fence) {
		cmd.flags |= CGPU_CMD_FENCE;
		cmd.fence = GMEM_IOVA + GFENCE_OFF + n * CGPU_FENCE_BYTES;
		cmd.fence_value = ++g->fence[n];
	}
	memcpy(ring_of(g, n) + (g->tail[n] & (g->size - 1)) * CGPU_CMD_BYTES, &cmd, sizeof(cmd));
	gpu_wr(g, GQ(n, TAIL), ++g->tail[n]);
}

int gpu_done(const struct gpu *g, uint32_t n)
{
	struct cgpu_fence f;

	memcpy(&f, g->mem + GFENCE_OFF + n * CGPU_FENCE_BYTES, sizeof(f));
	return f.value == g->fence[n] ? (int)f.status : -1;
}

int gpu_run(struct gpu *g, struct cgpu_cmd cmd)
{
	gpu_put(g, 0, cmd);
	for (int i = 0; i < 20000 && gpu_done(g, 0) < 0 &&
	     gpu_rd(g, GQ(0, STATUS)) == CGPU_QSTATUS_ENABLED; i++)
		rig_step(g->r);
	return gpu_done(g, 0);
}

uint32_t gpu_command(struct gpu *g, uint32_t cmd)
{
	gpu_wr(g, GCP(ERR), 0);
	gpu_wr(g, GCP(CMD), cmd);
	if (gpu_rd(g, GCP(STAT)) == CGPU_IDLE)
		return 0;
	CHECK_EQ(gpu_rd(g, GCP(STAT)), CGPU_FAILED);
	return gpu_rd(g, GCP(ERR));
}

void gpu_freeze(struct gpu *g)
{
	gpu_wr(g, GCP(PAUSE), CGPU_PAUSE);
	CHECK_EQ(gpu_rd(g, GCP(DRAIN)), CGPU_DRAINED);
	gpu_wr(g, GCP(PAUSE), CGPU_PAUSE | CGPU_FREEZE);
	CHECK_EQ(gpu_rd(g, GCP(PAUSE)), CGPU_PAUSE | CGPU_FREEZE);
}

void gpu_window_read(struct gpu *g, void *buf, uint32_t len)
{
	for (uint32_t at = 0, n; at < len; at += n) {
		n = len - at < WINDOW_PIECE ? len - at : WINDOW_PIECE;
		CHECK_EQ(rig_read(g->r, CGPU_BAR, GCP(WINDOW) + at, (uint8_t *)buf + at, n), 0);
	}
}

void gpu_window_write(struct gpu *g, const void *buf, uint32_t len)
{
	for (uint32_t at = 0, n; at < len; at += n) {
		n = len - at < WINDOW_PIECE ? len - at : WINDOW_PIECE;
		CHECK_EQ(rig_write(g->r, CGPU_BAR, GCP(WINDOW) + at, (const uint8_t *)buf + at, n),
			 0);
	}
}

uint32_t gpu_state_get(struct gpu *g, void *buf)
{
	uint32_t bytes;

	CHECK_EQ(gpu_command(g, CGPU_STATE_GET), 0);
	bytes = gpu_rd(g, GCP(BYTES));
	CHECK_EQ(bytes, gpu_rd(g, GCP(STATE_BYTES)));
	CHECK(bytes <= GSTATE_ROOM);
	gpu_window_read(g, buf, bytes);
	return bytes;
}

uint32_t gpu_state_set(struct gpu *g, const void *buf, uint32_t bytes)
{
	gpu_window_write(g, buf, bytes);
	gpu_wr(g, GCP(BYTES), bytes);
	return gpu_command(g, CGPU_STATE_SET);
}

void gpu_state_seal(void *buf)
{
	struct cgpu_state *s = buf;
	const size_t from = offsetof(struct cgpu_state, ctrl);

	s->crc = (uint32_t)crc32(0, (uint8_t *)buf + from, s->bytes - (uint32_t)from);
}
