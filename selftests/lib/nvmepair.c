// SPDX-License-Identifier: GPL-2.0
/* Two controllers with one identity: see nvmepair.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "nvmepair.h"

static int open_fn(struct nvme_pair *p, unsigned int fn, enum vdev_mode mode)
{
	int err = vdev_open(&p->v[fn], &p->slots[fn], mode);

	return err ? err : nvme_share(&p->n, &p->v[fn]);
}

int nvme_pair_open(struct nvme_pair *p, enum vdev_mode mode)
{
	int num, err;

	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < 2; i++) {
		p->fn[i].fd = -1;
		p->ctrl[i].fd = -1;
		p->v[i] = (struct vdev){ .fd = -1, .iommu = -1, .group = -1 };
	}
	num = slots_find("nvme_ctrl", p->managing, 2);
	if (num < 2)
		return num < 0 ? num : TOO_FEW;
	num = nvme_functions(p->slots, 2);
	if (num < 2)
		return num < 0 ? num : TOO_FEW;
	p->log = calloc(1, sizeof(*p->log));
	err = p->log ? nvme_alloc(&p->n) : -ENOMEM;
	for (unsigned int i = 0; i < 2 && !err; i++) {
		err = model_open(&p->fn[i], &p->slots[i]);
		err = err ? err : model_open(&p->ctrl[i], &p->managing[i]);
		err = err ? err : open_fn(p, i, mode);
	}
	return err ? err : nvme_pair_restart(p);
}

void nvme_pair_close(struct nvme_pair *p)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (p->ctrl[i].fd >= 0)
			model_cmd(&p->ctrl[i], "fault clear");
		if (p->fn[i].fd >= 0)
			model_cmd(&p->fn[i], "fault clear");
		vdev_close(&p->v[i]);
		model_close(&p->fn[i]);
		model_close(&p->ctrl[i]);
	}
	nvme_free(&p->n);
	blob_free(&p->blob);
	free(p->log);
	p->log = NULL;
}

int nvme_pair_reopen(struct nvme_pair *p, unsigned int fn)
{
	enum vdev_mode mode = p->v[fn].mode;

	vdev_close(&p->v[fn]);
	return open_fn(p, fn, mode);
}

int nvme_pair_restart(struct nvme_pair *p)
{
	int err = 0;

	p->n.log = NULL;
	memset(p->log, 0, sizeof(*p->log));
	/* A reset gives the disk up; the first one takes it with its first command. */
	for (unsigned int i = 0; i < 2 && !err; i++) {
		err = vdev_reset(&p->v[i]);
		if (!err && mig_get(&p->v[i]) != VFIO_DEVICE_STATE_RUNNING)
			err = -EBUSY;
	}
	p->on = 0;
	err = err ? err : nvme_on(&p->n, &p->v[0]);
	err = err ? err : nvme_enable(&p->n);
	for (unsigned int i = 0; i < 2 && !err; i++)
		err = nvme_log_begin(&p->fn[i]);
	p->n.log = p->log;
	return err;
}

int nvme_pair_leave(struct nvme_pair *p, bool precopy)
{
	p->blob.bytes = 0;
	return mig_save(&p->v[p->on], &p->blob, precopy);
}

int nvme_pair_enter(struct nvme_pair *p)
{
	unsigned int to = !p->on;
	int err = mig_load(&p->v[to], &p->blob, VFIO_DEVICE_STATE_STOP);

	if (!err)
		p->on = to;
	return err ? err : nvme_on(&p->n, &p->v[to]);
}

int nvme_pair_move(struct nvme_pair *p, bool precopy)
{
	int err = nvme_pair_leave(p, precopy);

	err = err ? err : nvme_pair_enter(p);
	return err ? err : mig_set(&p->v[p->on], VFIO_DEVICE_STATE_RUNNING, NULL);
}

int nvme_pair_join(struct nvme_pair *p, unsigned int open, unsigned int count[NVME_LOG_SIDES])
{
	return nvme_log_join(p->log, &p->fn[0], &p->fn[1], open, count);
}

/* ---- batches ---- */

/* One page, two or four. */
static uint32_t bytes_of(unsigned int i)
{
	return NVME_PAGE << i % 3;
}

static uint64_t lba_of(unsigned int i)
{
	return (uint64_t)i * NVME_SLOT_BYTES / NVME_BLOCK;
}

void nvme_batch_put(struct nvme *n, unsigned int q, uint8_t opcode, unsigned int first,
		    unsigned int num, uint32_t tag)
{
	for (unsigned int i = first; i < first + num; i++) {
		struct nvs_sqe e = nvme_io(opcode, 1, lba_of(i), bytes_of(i) / NVME_BLOCK);
		uint32_t off = i * NVME_SLOT_BYTES;

		if (opcode == NVS_IO_WRITE)
			nvme_stamp(nvme_data(n, off), bytes_of(i), lba_of(i), tag + i);
		else
			memset(nvme_data(n, off), 0, NVME_SLOT_BYTES);
		if (i % 2)
			nvme_sgl(n, &e, i, off, bytes_of(i), 1 + i % 5);
		else
			nvme_prp(n, &e, i, off, bytes_of(i));
		nvme_put(n, q, &e);
	}
}

int nvme_batch_check(struct nvme *n, unsigned int q, unsigned int first, unsigned int num,
		     uint32_t tag)
{
	int err;

	nvme_batch_put(n, q, NVS_IO_READ, first, num, tag);
	err = nvme_ring(n, q);
	err = err ? err : nvme_batch_take(n, q, num);
	for (unsigned int i = first; i < first + num && !err; i++)
		if (!nvme_stamped(nvme_data(n, i * NVME_SLOT_BYTES), bytes_of(i), lba_of(i),
				  tag + i))
			err = -EBADMSG;
	return err;
}
