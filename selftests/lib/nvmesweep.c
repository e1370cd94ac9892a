// SPDX-License-Identifier: GPL-2.0
/* Steps of a migration of nvme_cf: see nvmesweep.h. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "dmalog.h"
#include "nvmesweep.h"
#include "states.h"

#define BATCH		8
#define TAG		0x5eed0000U
#define BEGIN_MS	15000
#define PAGES		(NVME_MEM_BYTES / NVME_PAGE)

struct nvme_sweep *nvme_sweep_of(struct sweep *s)
{
	return (struct nvme_sweep *)((char *)s - offsetof(struct nvme_sweep, s));
}

struct nvme_pair *nvme_sweep_pair(struct sweep *s)
{
	return &nvme_sweep_of(s)->p;
}

#define pair nvme_sweep_pair

int nvme_sweep_open(struct sweep *s)
{
	int err = nvme_pair_open(pair(s), access("/dev/iommu", F_OK) ? VDEV_GROUP : VDEV_CDEV);

	nvme_sweep_of(s)->call = NULL;
	sweep_init(s, pair(s)->v);
	return err ? err : nvme_sweep_work(s, true);
}

void nvme_sweep_close(struct sweep *s)
{
	if (nvme_sweep_of(s)->call)
		nvme_sweep_join(s);
	sweep_fd_close(s);
	nvme_pair_close(pair(s));
}

/* ---- The guest ---- */

int nvme_sweep_work(struct sweep *s, bool fresh)
{
	struct nvme *n = &pair(s)->n;
	int err = fresh ? nvme_queue_create(n, 1, 64, -1) : 0;

	if (err)
		return err;
	nvme_batch_put(n, 1, NVS_IO_WRITE, 0, BATCH, TAG);
	err = nvme_ring(n, 1);
	err = err ? err : nvme_batch_take(n, 1, BATCH);
	return err ? err : nvme_batch_check(n, 1, 0, BATCH, TAG);
}

int nvme_sweep_restore(struct sweep *s)
{
	int err = 0;

	sweep_fd_close(s);
	for (unsigned int i = 0; i < 2 && !err; i++)
		err = model_cmd(&pair(s)->ctrl[i], "fault clear");
	if (!err && nvme_functions(pair(s)->slots, 2) != 2)
		err = -ENODEV;
	for (unsigned int i = 0; i < 2 && !err; i++)
		if (pair(s)->v[i].fd < 0)
			err = nvme_pair_reopen(pair(s), i);
	if (!err)
		dma_log_stop(&pair(s)->v[0]);
	err = err ? err : nvme_pair_restart(pair(s));
	return err ? err : nvme_sweep_work(s, true);
}

int nvme_sweep_migrate(struct sweep *s)
{
	int err = nvme_sweep_restore(s);

	err = err ? err : nvme_pair_move(pair(s), true);
	err = err ? err : nvme_sweep_work(s, false);
	return err ? err : nvme_sweep_restore(s);
}

/* ---- Steps ---- */

int nvme_to_precopy(struct sweep *s)
{
	return sweep_set(s, 0, PRE_COPY);
}

int nvme_to_precopy_p2p(struct sweep *s)
{
	return sweep_set(s, 0, PRE_COPY_P2P);
}

int nvme_to_stop_copy(struct sweep *s)
{
	int err = sweep_set(s, 0, STOP_COPY);

	pair(s)->blob.bytes = 0;
	return err ? err : blob_pull(&pair(s)->blob, s->fd, 0);
}

/* The source stands still and keeps its state. */
int nvme_dst_stop(struct sweep *s)
{
	int err = nvme_to_stop_copy(s);

	err = err ? err : sweep_to_stop(s);
	return err ? err : sweep_set(s, 1, STOP);
}

int nvme_dst_resuming(struct sweep *s)
{
	int err = nvme_dst_stop(s);

	return err ? err : sweep_set(s, 1, RESUMING);
}

int nvme_load(struct sweep *s)
{
	return blob_push(&pair(s)->blob, s->fd, 0, pair(s)->blob.bytes, 0);
}

int nvme_dst_loaded(struct sweep *s)
{
	int err = nvme_dst_resuming(s);

	return err ? err : nvme_load(s);
}

int nvme_dst_end(struct sweep *s)
{
	return sweep_set(s, 1, STOP);
}

int nvme_dst_ready(struct sweep *s)
{
	int err = nvme_dst_loaded(s);

	return err ? err : nvme_dst_end(s);
}

int nvme_dst_run(struct sweep *s)
{
	return sweep_set(s, 1, RUNNING);
}

/* ---- Logging ---- */

int nvme_log_on(struct sweep *s)
{
	return dma_log_start(&pair(s)->v[0], NVME_PAGE, NVME_IOVA, NVME_MEM_BYTES);
}

int nvme_log_off(struct sweep *s)
{
	return dma_log_stop(&pair(s)->v[0]);
}

static bool is_set(const uint64_t *bitmap, unsigned int page)
{
	return bitmap[page / 64] >> (page % 64) & 1;
}

int nvme_log_written(struct sweep *s, unsigned int *pages)
{
	uint64_t bitmap[PAGES / 64] = { 0 };
	int err = nvme_sweep_work(s, false);

	err = err ? err : dma_log_report(&pair(s)->v[0], NVME_PAGE, NVME_IOVA, NVME_MEM_BYTES,
					 bitmap);
	for (unsigned int i = 0; i < BATCH && !err; i++)
		if (!is_set(bitmap, (NVME_DATA + i * NVME_SLOT_BYTES) / NVME_PAGE))
			err = -EILSEQ;
	for (unsigned int i = 0; pages && i < PAGES; i++)
		*pages = (i ? *pages : 0) + is_set(bitmap, i);
	return err;
}

int nvme_log_report(struct sweep *s)
{
	return nvme_log_written(s, NULL);
}

/* ---- Calls that somebody is in ---- */

static void *call_thread(void *arg)
{
	struct nvme_sweep *n = arg;

	n->err = n->call(&n->s);
	return NULL;
}

int nvme_sweep_call(struct sweep *s, unsigned int fn, int (*call)(struct sweep *s),
		    const char *command, unsigned int ms)
{
	struct nvme_sweep *n = nvme_sweep_of(s);
	struct model *m = &n->p.ctrl[fn];
	uint64_t end = now_ms() + BEGIN_MS, before, after;
	int err = model_fault_taken(m, command, &before);

	err = err ? err : model_cmd(m, "fault %s delay=%u", command, ms);
	n->call = call;
	err = err ? err : -pthread_create(&n->thread, NULL, call_thread, n);
	if (err) {
		n->call = NULL;
		return err;
	}
	do {
		usleep(10000);
		err = model_fault_taken(m, command, &after);
	} while (!err && after == before && now_ms() < end);
	return err ? err : after == before ? -ETIMEDOUT : 0;
}

int nvme_sweep_join(struct sweep *s)
{
	struct nvme_sweep *n = nvme_sweep_of(s);

	pthread_join(n->thread, NULL);
	n->call = NULL;
	return n->err;
}
