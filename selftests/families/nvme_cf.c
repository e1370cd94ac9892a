// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf (Documentation/hardware/nvme_cf.rst): writes to a namespace, read back afterwards.
 * The two functions belong to two subsystems that share a disk, as two hosts do: the one
 * that runs and has work holds the lock on it, and nobody else may have it until it is
 * stopped or reset.  Of nvme-ctrl the second subsystem has no profiles; nvme-many has all
 * controllers that a subsystem can have.
 *
 * Machine nvme-cf families: 2*nvme_cf:1:profile=7:disk1=@a:disk2=@b:block2=4096
 * Machine nvme-cf-fault allocations: 2*nvme_cf:1:profile=7:disk1=@a:track_power=1:track_pages=512
 * Machine control: nvme_cf:2:profile=7 nvme_cf:1:profile=8:serial=2:slot=shared
 * Machine nvme-ctrl: nvme_cf:2:profile=7 nvme_cf:2
 * Machine nvme-many: nvme_cf:16:profile=7
 * Machine pairs: 2*nvme_cf:1:profile=7:disk1=@a:disk2=@b:block2=4096
 * Machine nvme-cf-death death: 7*nvme_cf:1:profile=7
 */
#include <errno.h>
#include <string.h>

#include "../lib/family.h"
#include "../lib/nvme.h"
#include "../lib/nvmefn.h"

#define OPS		12
#define BYTES(i)	(4096u << (i) % 3)	/* one page, two, and a list of PRPs */
#define STRIDE		16384u
#define BACK		(OPS * STRIDE)		/* where it is read to */
#define BLOCK		512u
#define QUEUE		1
#define ENTRIES		64

static uint64_t lba_of(uint32_t tag, unsigned int i)
{
	return (tag % 64 * OPS + i) * (STRIDE / BLOCK);
}

static int attach(struct guest *g)
{
	struct nvme *n = g->own;

	n->v = g->v;
	n->mem = g->mem;
	n->iova = GUEST_IOVA;
	return 0;
}

static int begin(struct guest *g)
{
	int err = nvme_enable(g->own);

	return err ? err : nvme_queue_create(g->own, QUEUE, ENTRIES, 0);
}

static int put_all(struct nvme *n, uint8_t opcode, uint32_t tag, uint32_t off)
{
	for (unsigned int i = 0; i < OPS; i++) {
		struct nvs_sqe e = nvme_io(opcode, 1, lba_of(tag, i), BYTES(i) / BLOCK);

		nvme_prp(n, &e, i, off + i * STRIDE, BYTES(i));
		nvme_put(n, QUEUE, &e);
	}
	return nvme_ring(n, QUEUE);
}

static int take_all(struct nvme *n)
{
	struct nvs_cqe c;
	int err = 0;

	for (unsigned int i = 0; i < OPS && !err; i++) {
		err = nvme_next(n, QUEUE, &c, NVME_WAIT_MS);
		if (!err && nvme_status(&c))
			err = -EIO;
	}
	return err;
}

static int start(struct guest *g, uint32_t tag)
{
	struct nvme *n = g->own;

	for (unsigned int i = 0; i < OPS; i++)
		nvme_stamp(nvme_data(n, i * STRIDE), BYTES(i), lba_of(tag, i), tag);
	return put_all(n, NVS_IO_WRITE, tag, 0);
}

/* Nothing comes twice: a read would find a completion that is not its own. */
static int check(struct guest *g, uint32_t tag)
{
	struct nvme *n = g->own;
	int err = take_all(n);

	memset(nvme_data(n, BACK), 0, OPS * STRIDE);
	err = err ? err : put_all(n, NVS_IO_READ, tag, BACK);
	err = err ? err : take_all(n);
	for (unsigned int i = 0; i < OPS && !err; i++)
		if (!nvme_stamped(nvme_data(n, BACK + i * STRIDE), BYTES(i), lba_of(tag, i), tag))
			err = -EBADMSG;
	return err;
}

/* What its profile says: pairs of queues, their entries, the most data of a command. */
static const struct claim claims[] = {
	{ "version 0", -EOPNOTSUPP },
	{ "version 2", -EOPNOTSUPP },
	{ "queues 0", -EOPNOTSUPP },
	{ "queues 0xffff", -EOPNOTSUPP },
	{ "entries 1", -EOPNOTSUPP },
	{ "entries 0xffff", -EOPNOTSUPP },
	{ "mdts 0", -EOPNOTSUPP },
	{ "mdts 0xff", -EOPNOTSUPP },
	/* They make sense; the state has the checksum of the true one. */
	{ "queues 3", -EOPNOTSUPP, .sane = true, .less = true },
	{ "entries 128", -EOPNOTSUPP, .sane = true, .less = true },
	{ "mdts 4", -EOPNOTSUPP, .sane = true, .less = true },
};

FAMILY(nvme_cf) = {
	.name = "nvme_cf", .driver = NVME_DRIVER, .controller = "nvme_ctrl",
	.migration = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY,
	.bar = NVCF_BAR, .bar_bytes = NVCF_BAR_BYTES, .record_max = 131072, .state_max = 1 << 16,
	.tracks = true, .holds_dma = true,
	.mem_bytes = NVME_MEM_BYTES, .own_bytes = sizeof(struct nvme),
	.irq_index = VFIO_PCI_MSIX_IRQ_INDEX,
	/* One command is fetched at a time: what is left is fetched by the destination. */
	.slow = "fault fetch delay=30",
	.counter = "commands_completed", .counts = 2 * OPS,
	.pause_fails = -EREMOTEIO, .load_fails = -EINVAL,
	.claims = claims, .num_claims = sizeof(claims) / sizeof(claims[0]),
	.bind = nvme_functions, .attach = attach, .begin = begin, .start = start, .check = check,
};
