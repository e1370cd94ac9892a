// SPDX-License-Identifier: GPL-2.0
/*
 * mlx5_like: a controlled function as a PCI function: accesses, resets, and what commands
 * do to it as a whole.  Registers: mlx5_like_virtio.c, queues: mlx5_like_net.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>

#include "mlx5_like.h"

#define BAR_REGS	0
#define BAR_SCRATCH	2

bool mlxl_fn_running(const struct mlxl_fn *fn)
{
	return fn->state == MLXL_ENABLED && !(fn->flags & (MLXL_FN_INITIATOR | MLXL_FN_FAILED));
}

/* ---- state ---- */

void mlxl_scratch_clear(struct mlxl_fn *fn)
{
	memset(fn->scratch, 0, MLXL_SCRATCH_BYTES);
}

void mlxl_scratch_freeze(struct mlxl_fn *fn)
{
	memcpy(fn->frozen, fn->scratch, MLXL_SCRATCH_BYTES);
}

void mlxl_scratch_thaw(struct mlxl_fn *fn)
{
	memcpy(fn->scratch, fn->frozen, MLXL_SCRATCH_BYTES);
}

void mlxl_fn_clear(struct mlxl_fn *fn)
{
	struct mlxl_config cfg = fn->v.cfg;

	fn->epoch++;
	memset(&fn->v, 0, sizeof(fn->v));
	fn->v.cfg = cfg;
	fn->v.config_vector = MLXL_NO_VECTOR;
	fn->v.active_pairs = 1;
	for (unsigned int i = 0; i < MLXL_MAX_QUEUES; i++) {
		fn->v.q[i].size = cfg.queue_size;
		fn->v.q[i].vector = MLXL_NO_VECTOR;
	}
	fn->flags &= ~MLXL_FN_FAILED;
	fn->fail_reason = 0;
	fn->backlog_head = 0;
	fn->backlog_count = 0;
	fn->sending_begun = false;
	/* Messages of the time before are void, whether they were held back or not. */
	for (unsigned int i = 0; i < MLXL_MAX_VECTORS; i++)
		vu_msix_take_pending(fn->dev, i);
}

void mlxl_fn_stop(struct mlxl_fn *fn)
{
	mlxl_save_drop(fn);
	mlxl_load_drop(fn);
	mlxl_cmdq_abort(fn->m, fn);
	mlxl_base_drop(fn, true);
	fn->held = 0;
	fn->flags = 0;
	mlxl_fn_clear(fn);
	vu_irq_hold(fn->dev, false);
}

void mlxl_fn_failed(struct mlxl_fn *fn, uint32_t reason)
{
	if (fn->state != MLXL_ENABLED || (fn->flags & MLXL_FN_FAILED))
		return;
	mlxl_content_age(fn);
	fn->flags |= MLXL_FN_FAILED;
	fn->fail_reason = reason;
	fn->v.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (fn->v.config_vector != MLXL_NO_VECTOR)
		vu_msix_raise(fn->dev, fn->v.config_vector);
	mlxl_event(fn->m, fn->n);
}

void mlxl_fn_suspend(struct mlxl_fn *fn)
{
	mlxl_content_age(fn);
	fn->flags |= MLXL_FN_INITIATOR;
	vu_irq_hold(fn->dev, true);
}

/* Each queue interrupts once: what was held back, or owed by the function it came from. */
void mlxl_fn_resume(struct mlxl_fn *fn)
{
	const struct mlxl_virtio *v = &fn->v;

	mlxl_content_age(fn);
	fn->flags &= ~MLXL_FN_INITIATOR;
	fn->held = 0;
	for (unsigned int i = 0; i < MLXL_MAX_VECTORS; i++)
		vu_msix_take_pending(fn->dev, i);
	vu_irq_hold(fn->dev, false);
	for (unsigned int i = 0; i < mlxl_num_queues(fn); i++)
		if (v->q[i].enabled && v->q[i].vector != MLXL_NO_VECTOR)
			vu_msix_raise(fn->dev, v->q[i].vector);
	if ((v->status & VIRTIO_CONFIG_S_NEEDS_RESET) && v->config_vector != MLXL_NO_VECTOR)
		vu_msix_raise(fn->dev, v->config_vector);
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		mlxl_switch_learn(fn->m, fn->n, v->cfg.mac);
	vu_kick(fn->dev);
}

void mlxl_fn_power_on(struct mlxl_fn *fn)
{
	mlxl_fn_stop(fn);
	mlxl_track_drop(fn);
	mlxl_base_drop(fn, false);
	mlxl_switch_forget(fn->m, fn->n);
	fn->state = MLXL_UNPROVISIONED;
	memset(&fn->prov, 0, sizeof(fn->prov));
	if (fn->m->opt.enabled) {
		const uint8_t mac[6] = { 2, 0x76, 0x20, 0, 0, (uint8_t)(fn->n + 1) };

		memcpy(fn->prov.mac, mac, sizeof(mac));
		fn->prov.pairs = (uint16_t)fn->m->opt.enabled;
		fn->prov.vectors = MLXL_MAX_VECTORS;
		fn->prov.queue_size = MLXL_MAX_QUEUE_SIZE;
		fn->prov.features = mlxl_fn_features(fn->prov.pairs);
		fn->state = MLXL_ENABLED;
	}
	fn->v.cfg = fn->prov;
	mlxl_fn_clear(fn);
}

/* FLR, device reset: the function runs afterwards; provisioning and tracker stay. */
static void fn_reset(struct vu_dev *dev, enum vu_reset why)
{
	struct mlxl_fn *fn = vu_priv(dev);

	fn->resets += why != VU_RESET_POWER_ON;
	mlxl_fn_stop(fn);
	mlxl_content_reset(fn);
	mlxl_scratch_clear(fn);
	if (why != VU_RESET_POWER_ON && fn->state == MLXL_ENABLED)
		mlxl_event(fn->m, fn->n);
}

/* ---- accesses ---- */

static void fn_bar_read(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len)
{
	struct mlxl_fn *fn = vu_priv(dev);

	if (fn->state != MLXL_ENABLED)
		memset(buf, 0, len);
	else if (bar == BAR_REGS)
		mlxl_virtio_read(fn, off, buf, len);
	else
		memset(buf, 0, len);
}

static void fn_bar_write(struct vu_dev *dev, int bar, uint64_t off, const void *buf, size_t len)
{
	struct mlxl_fn *fn = vu_priv(dev);

	if (fn->state != MLXL_ENABLED || (fn->flags & MLXL_FN_RESPONDER))
		return;
	if (bar == BAR_REGS)
		mlxl_virtio_write(fn, off, buf, len);
}

/* The PCI configuration access capability: an access to its data is one to a BAR. */
static void fn_config_access(struct vu_dev *dev, uint64_t off, size_t len, bool write)
{
	struct mlxl_fn *fn = vu_priv(dev);
	unsigned int data = fn->cfg_window + MLXL_WINDOW_DATA;
	struct mlxl_window w;

	if (off + len <= data || off >= data + 4)
		return;
	mlxl_window_get(fn, &w);
	if (w.bar != BAR_REGS || (w.length != 1 && w.length != 2 && w.length != 4) ||
	    (w.offset & (w.length - 1)) || w.offset >= mlxl_fn_model.bars[BAR_REGS].bytes ||
	    !vu_mem_enabled(dev))
		return;
	if (write) {
		fn_bar_write(dev, BAR_REGS, w.offset, &w.data, w.length);
	} else {
		w.data = 0;
		fn_bar_read(dev, BAR_REGS, w.offset, &w.data, w.length);
		mlxl_window_set(fn, &w);
	}
}

static void fn_work(struct vu_dev *dev)
{
	if (mlxl_net_work(vu_priv(dev)))
		vu_kick(dev);
}

/* ---- control commands ---- */

static void fn_regs(struct vu_dev *dev, FILE *out)
{
	const struct mlxl_fn *fn = vu_priv(dev);
	const struct mlxl_virtio *v = &fn->v;

	fprintf(out, "STATE 0x%x\nFLAGS 0x%x\nRESETS 0x%x\n", fn->state, mlxl_flags(fn),
		fn->resets);
	fprintf(out, "MAC 0x%02x%02x%02x%02x%02x%02x\n", v->cfg.mac[0], v->cfg.mac[1],
		v->cfg.mac[2], v->cfg.mac[3], v->cfg.mac[4], v->cfg.mac[5]);
	fprintf(out, "STATUS 0x%x\nFEATURES 0x%" PRIx64 "\nDRIVER_FEATURES 0x%" PRIx64 "\n",
		v->status, v->cfg.features, v->driver_features);
	for (unsigned int i = 0; i < mlxl_num_queues(fn); i++) {
		const struct mlxl_queue *q = &v->q[i];

		fprintf(out, "Q%u.SIZE 0x%x\nQ%u.VECTOR 0x%x\nQ%u.ENABLED 0x%x\n", i, q->size, i,
			q->vector, i, q->enabled);
		fprintf(out, "Q%u.AVAIL 0x%x\nQ%u.USED 0x%x\nQ%u.PARKED 0x%x\n", i, q->avail, i,
			q->used, i, q->parked);
	}
}

static void fn_stats(struct vu_dev *dev, FILE *out)
{
	const struct mlxl_fn *fn = vu_priv(dev);
	const struct mlxl_virtio *v = &fn->v;

	fprintf(out, "rx_frames %" PRIu64 "\nrx_bytes %" PRIu64 "\nrx_dropped %" PRIu64 "\n",
		v->rx_frames, v->rx_bytes, v->rx_dropped);
	fprintf(out, "tx_frames %" PRIu64 "\ntx_bytes %" PRIu64 "\nbacklog %u\n", v->tx_frames,
		v->tx_bytes, fn->backlog_count);
}

static int fn_command(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	struct mlxl_fn *fn = vu_priv(dev);

	if (!strcmp(argv[0], "dirty") && argc == 2) {
		mlxl_content_dirty(fn, strtoull(argv[1], NULL, 0));
		return 0;
	}
	if (!strcmp(argv[0], "wake") && argc == 1) {
		fn->flags &= ~MLXL_FN_RESPONDER;
		if (fn->flags & MLXL_FN_INITIATOR)
			mlxl_fn_resume(fn);
		mlxl_event(fn->m, fn->n);
		return 0;
	}
	if (!strcmp(argv[0], "image") && argc == 1) {
		fprintf(out, "pages %u\ndigest 0x%08x\n", fn->content.pages,
			mlxl_content_digest(fn));
		return 0;
	}
	return -ENOENT;
}

/* ---- life cycle ---- */

static int fn_init(struct vu_dev *dev)
{
	struct mlxl *m = vu_priv(vu_controlling(dev));
	struct mlxl_fn *fn = calloc(1, sizeof(*fn));
	int err;

	if (!fn)
		return -ENOMEM;
	fn->dev = dev;
	fn->m = m;
	fn->n = vu_function(dev);
	vu_set_priv(dev, fn);
	fn->scratch = vu_bar_memory(dev, BAR_SCRATCH);
	fn->frozen = calloc(1, MLXL_SCRATCH_BYTES);
	fn->backlog = calloc(MLXL_BACKLOG, sizeof(*fn->backlog));
	fn->buffer = calloc(1, sizeof(struct mlxl_frame) + 16);
	err = fn->frozen && fn->backlog && fn->buffer ? mlxl_content_init(fn) : -ENOMEM;
	if (!err)
		err = mlxl_fn_capabilities(fn);
	if (err)
		return err;
	m->fn[m->num_fns++] = fn;
	mlxl_fn_power_on(fn);
	return 0;
}

static void fn_fini(struct vu_dev *dev)
{
	struct mlxl_fn *fn = vu_priv(dev);

	if (!fn)
		return;
	mlxl_cmdq_stop(fn->m);
	mlxl_save_drop(fn);
	mlxl_load_drop(fn);
	mlxl_track_drop(fn);
	mlxl_content_fini(fn);
	/* Functions go in reverse order. */
	if (fn->m->num_fns && fn->m->fn[fn->m->num_fns - 1] == fn)
		fn->m->num_fns--;
	free(fn->frozen);
	free(fn->backlog);
	free(fn->buffer);
	free(fn);
}

/* Plain memory, so that the platform can map it, and other functions can reach it. */
static const struct vu_area scratch_area = { 0, MLXL_SCRATCH_BYTES };

static const char *const fn_faults[] = {
	"pause", "save", "load", "op", "rx", "ring", "track", NULL
};

const struct vu_model mlxl_fn_model = {
	.name = "mlx5_like",
	.summary = "network function controlled by firmware",
	.vendor = MLXL_FN_VENDOR,
	.device = MLXL_FN_DEVICE,
	.subvendor = MLXL_VENDOR,
	.subdevice = MLXL_FN_SUBDEVICE,
	.revision = 1,
	.class_code = 0x020000,
	.config_bytes = 4096,
	.bars = {
		[BAR_REGS] = { .bytes = 0x4000, .flags = VU_BAR_64 },
		[BAR_SCRATCH] = { .bytes = MLXL_SCRATCH_BYTES,
				  .flags = VU_BAR_64 | VU_BAR_PREFETCH,
				  .areas = &scratch_area, .num_areas = 1 },
		[4] = { .bytes = 0x4000, .flags = VU_BAR_64 },
	},
	.faults = fn_faults,
	.init = fn_init,
	.fini = fn_fini,
	.reset = fn_reset,
	.bar_read = fn_bar_read,
	.bar_write = fn_bar_write,
	.work = fn_work,
	.config_changed = vu_kick,
	.config_access = fn_config_access,
	.regs = fn_regs,
	.stats = fn_stats,
	.commands = "dirty N                  change N pages of the image\n"
		    "image                    pages of the image and their digest\n"
		    "wake                     lose the suspension, with an event\n",
	.command = fn_command,
};
