// SPDX-License-Identifier: GPL-2.0
/* Two mlx5_like functions: see mlxlpair.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmalog.h"
#include "mlxlpair.h"

#define SCRATCH_BAR	2
#define SCRATCH_BYTES	65536
#define SCRATCH_STEP	4096

int mlxl_pair_open_fn(struct mlxl_pair *p, unsigned int fn)
{
	int err = vdev_open(&p->v[fn], &p->slots[fn], VDEV_GROUP);

	err = err ? err : vnet_map(&p->net, &p->v[fn]);
	if (!err && !fn)
		err = vnet_start(&p->net, &p->v[0]);
	return err;
}

void mlxl_pair_close_fn(struct mlxl_pair *p, unsigned int fn)
{
	vdev_close(&p->v[fn]);
}

int mlxl_pair_open(struct mlxl_pair *p)
{
	int num, err;

	memset(p, 0, sizeof(*p));
	p->fw.fd = -1;
	for (unsigned int i = 0; i < 2; i++) {
		p->fn[i].fd = -1;
		p->v[i] = (struct vdev){ .fd = -1, .iommu = -1, .group = -1 };
	}
	err = mlxl_control(&p->ctrl);
	if (err)
		return err;
	num = mlxl_functions(p->slots, 2);
	err = num < 0 ? num : num < 2 ? TOO_FEW : model_open(&p->fw, &p->ctrl);
	err = err ? err : vnet_alloc(&p->net);
	for (unsigned int i = 0; i < 2 && !err; i++) {
		err = model_open(&p->fn[i], &p->slots[i]);
		err = err ? err : mlxl_pair_open_fn(p, i);
	}
	return err;
}

void mlxl_pair_close(struct mlxl_pair *p)
{
	if (p->fw.fd >= 0)
		model_cmd(&p->fw, "fault clear");
	for (unsigned int i = 0; i < 2; i++) {
		mlxl_pair_close_fn(p, i);
		model_close(&p->fn[i]);
	}
	vnet_free(&p->net);
	model_close(&p->fw);
}

int mlxl_pair_controlled(struct mlxl_pair *p, bool yes, unsigned int limit_ms)
{
	uint64_t end = now_ms() + limit_ms;
	char state[16];

	while (mlxl_config_read(&p->ctrl, 0, "enable", state, sizeof(state)) !=
	       (yes ? 0 : -ENOTCONN)) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(20000);
	}
	return 0;
}

unsigned int mlxl_pair_page(const struct mlxl_pair *p)
{
	return VNET_FIRST_PAGE + p->tag % 64;
}

int mlxl_pair_echo(struct mlxl_pair *p, unsigned int fn)
{
	unsigned int page = mlxl_pair_page(p);

	return vnet_echo(&p->net, &p->v[fn], p->tag++, page, MLXL_ECHO_MS);
}

int mlxl_pair_flags(struct mlxl_pair *p, unsigned int fn, unsigned int *flags)
{
	int err = model_cmd(&p->fw, "functions");
	char *line = p->fw.reply;

	for (; !err && *line; line += strcspn(line, "\n") + 1) {
		unsigned int nr;

		if (sscanf(line, "%u %*s flags %x", &nr, flags) == 2 &&
		    nr == p->slots[fn].index)
			return 0;
	}
	return err ? err : -ENOENT;
}

int mlxl_pair_reset(struct mlxl_pair *p)
{
	int err = 0;

	for (unsigned int i = 0; i < 2 && !err; i++) {
		unsigned int flags = 0;

		err = vdev_reset(&p->v[i]);
		if (!err && mig_get(&p->v[i]) != VFIO_DEVICE_STATE_RUNNING)
			err = -EBUSY;
		err = err ? err : mlxl_pair_flags(p, i, &flags);
		if (!err && flags & (MLXL_FN_SUSPENDED | MLXL_FN_SESSIONS))
			err = -EUCLEAN;
	}
	return err ? err : vnet_start(&p->net, &p->v[0]);
}

static int scratch_fill(struct vdev *v, uint32_t seed)
{
	for (uint64_t at = 0; at < SCRATCH_BYTES; at += SCRATCH_STEP, seed += 0x9e3779b9) {
		long n = vdev_pwrite(v, SCRATCH_BAR, at, &seed, sizeof(seed));

		if (n != sizeof(seed))
			return n < 0 ? n : -EIO;
	}
	return 0;
}

static int scratch_check(struct vdev *v, uint32_t seed)
{
	for (uint64_t at = 0; at < SCRATCH_BYTES; at += SCRATCH_STEP, seed += 0x9e3779b9) {
		uint32_t val = 0;
		long n = vdev_pread(v, SCRATCH_BAR, at, &val, sizeof(val));

		if (n != sizeof(val))
			return n < 0 ? n : -EIO;
		if (val != seed)
			return -EILSEQ;
	}
	return 0;
}

int mlxl_pair_migrate(struct mlxl_pair *p, bool precopy)
{
	struct blob b = { 0 };
	uint64_t here, there;
	int err;

	err = scratch_fill(&p->v[0], p->tag);
	err = err ? err : vdev_bus_master(&p->v[1], true);
	err = err ? err : mig_save(&p->v[0], &b, precopy);
	err = err ? err : model_value(&p->fn[0], "image", "digest", &here);
	err = err ? err : mig_load(&p->v[1], &b, VFIO_DEVICE_STATE_RUNNING);
	blob_free(&b);
	err = err ? err : model_value(&p->fn[1], "image", "digest", &there);
	if (!err && here != there)
		err = -EILSEQ;
	err = err ? err : scratch_check(&p->v[1], p->tag);
	return err ? err : mlxl_pair_echo(p, 1);
}

int mlxl_log_start(struct vdev *v)
{
	return dma_log_start(v, VNET_PAGE, VNET_IOVA, VNET_BYTES);
}

int mlxl_log_report(struct vdev *v, uint64_t *bitmap)
{
	return dma_log_report(v, VNET_PAGE, VNET_IOVA, VNET_BYTES, bitmap);
}

bool mlxl_log_is_all(const uint64_t *bitmap)
{
	for (unsigned int w = 0; w < VNET_PAGES / 64; w++)
		if (bitmap[w] != UINT64_MAX)
			return false;
	return true;
}
