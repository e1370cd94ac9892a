// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for the model nvme_cf: the input is a sequence of register writes, commands, contents
 * of memory, resets and faults for a managing controller and two migratable ones.  There is no
 * client: registers are accessed and work is done directly.  State is changed by its fields, and
 * its checksum mended.  Besides what the sanitizers find, these are failures: a write to a disk
 * without its lock, a command that was fetched and is lost or completes twice, a completion
 * queue that runs over, and anything that leaves a suspended controller.
 */
#include <linux/pci_regs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nvme_cf_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEM_IOVA	0x10000u
#define MEM_BYTES	0x40000u
#define DATA_OFF	0x20000u
#define LIST_OFF	0x30000u
#define NUM_FUNCTIONS	3u

/* What a controller has done to its host until now. */
struct done {
	uint64_t suspensions, reads, writes, irqs;
};

struct target {
	struct vu_dev *dev[NUM_FUNCTIONS];
	struct done before[NUM_FUNCTIONS];
	struct nvcf_ctrl made[NUM_FUNCTIONS];
	uint8_t *mem;
	int fd;
};

static struct vu_dev *take_dev(struct target *t, struct input *in)
{
	return t->dev[take(in, 1) % NUM_FUNCTIONS];
}

static void write_reg(struct vu_dev *dev, uint64_t off, uint64_t val, size_t len)
{
	vu_dev_region_access(dev, NVCF_BAR, off, &val, len, true);
}

/* ---- steps ---- */

static void step_register(struct target *t, struct input *in)
{
	static const uint16_t regs[] = {
		NVS_REG_CC, NVS_REG_AQA, NVS_REG_ASQ, NVS_REG_ACQ, NVS_REG_CSTS, NVS_REG_NSSR,
		NVS_REG_INTMS, NVS_REG_INTMC,
	};
	struct vu_dev *dev = take_dev(t, in);
	uint8_t which = (uint8_t)take(in, 1), len = (uint8_t)take(in, 1);
	uint64_t off = which & 0x80 ? take(in, 2) % NVCF_BAR_BYTES : regs[which % 8];
	uint64_t val = off == NVS_REG_NSSR && which & 0x40 ? NVS_NSSR_VALUE :
		take(in, len & 0x10 ? 8 : 4);
	uint8_t sink[64];

	if (len & 0x20 && off < NVCF_BAR_BYTES - sizeof(sink))
		vu_dev_region_access(dev, NVCF_BAR, off, sink, len % sizeof(sink) + 1, false);
	else
		write_reg(dev, off & ~7ull, val, len & 0x40 ? len % 8 + 1 : len & 0x10 ? 8 : 4);
}

static void step_doorbell(struct target *t, struct input *in)
{
	struct vu_dev *dev = take_dev(t, in);
	uint64_t n = take(in, 1);

	write_reg(dev, NVS_REG_DOORBELLS + 4 * (n % 0x88), n & 0x40 ? take(in, 4) : take(in, 1), 4);
}

static uint64_t take_addr(struct input *in)
{
	uint64_t how = take(in, 1), off = take(in, 2);

	switch (how % 6) {
	case 0: return MEM_IOVA + DATA_OFF;
	case 1: return MEM_IOVA + LIST_OFF;
	case 2: return MEM_IOVA + off % (MEM_BYTES / 4096) * 4096;
	case 3: return MEM_IOVA + off;
	case 4: return take(in, 8);
	}
	return MEM_IOVA + MEM_BYTES - off % 64;
}

/* A descriptor of 512 bytes, the size of a block, or of others. */
static struct nvs_sgl take_sgl(struct input *in)
{
	struct nvs_sgl d = { .addr = take_addr(in) };
	uint64_t length = take(in, 1);

	d.length = length & 1 ? 512 : (uint32_t)length * 8;
	d.id = (uint8_t)(take(in, 1) % 8 << 4);
	return d;
}

/* A command that exists, mostly. */
static const struct nvcf_command *take_command(struct input *in, bool io)
{
	const struct nvcf_command *table = io ? nvcf_io_commands : nvcf_admin_commands;
	uint8_t val = (uint8_t)take(in, 1);
	unsigned int n = 0;

	while (table[n].name)
		n++;
	return val < 0xf0 ? &table[val % n] : NULL;
}

/* Small numbers, mostly: of queues, features, blocks, controllers. */
static uint32_t take_dword(struct input *in)
{
	uint64_t how = take(in, 1);

	switch (how % 4) {
	case 0: return 0;
	case 1: return (uint32_t)take(in, 1);
	case 2: return (uint32_t)(take(in, 1) | take(in, 1) << 16);
	}
	return (uint32_t)take(in, 4);
}

static void put_command(struct target *t, struct nvcf_ctrl *c, unsigned int q,
			const struct nvs_sqe *sqe)
{
	const struct nvcf_sq *sq = &c->sq[q];
	uint64_t at = sq->base + sq->tail * sizeof(*sqe) - MEM_IOVA;

	if (!sq->live || at > MEM_BYTES - sizeof(*sqe))
		return;
	memcpy(t->mem + at, sqe, sizeof(*sqe));
	write_reg(c->dev, NVS_REG_DOORBELLS + 8 * q, (sq->tail + 1) % sq->entries, 4);
}

static void step_command(struct target *t, struct input *in)
{
	struct nvcf_ctrl *c = vu_priv(take_dev(t, in));
	unsigned int q = c->kind == NVCF_MIGRATABLE && take(in, 1) & 1;
	const struct nvcf_command *w = take_command(in, q);
	struct nvs_sqe sqe = { .opcode = w ? w->opcode : (uint8_t)take(in, 1) };
	uint64_t flags = take(in, 1), nsid = take(in, 1);

	sqe.cid = (uint16_t)take(in, 1);
	sqe.flags = flags & 0x80 && flags & 0x40 ? (uint8_t)flags : flags & q ? 0x40 : 0;
	sqe.nsid = nsid & 0x80 ? NVS_NSID_ALL : nsid % 4;
	sqe.prp1 = take_addr(in);
	sqe.prp2 = take_addr(in);
	sqe.cdw10 = flags & 4 ? (uint32_t)take(in, 1) % 0x24 : take_dword(in);
	sqe.cdw11 = take_dword(in);
	sqe.cdw12 = take_dword(in);
	sqe.cdw13 = take_dword(in);
	sqe.cdw14 = take_dword(in);
	sqe.cdw15 = take_dword(in);
	if (sqe.flags & 0x40)
		sqe.sgl = take_sgl(in);
	if (w && w->by_sel)
		sqe.cdw10 = (sqe.cdw10 & ~0xffu) | w->sel;
	if (c->kind == NVCF_MANAGING && flags & 2)
		sqe.cdw11 = (sqe.cdw11 & ~0xfffcu) | 2;
	put_command(t, c, q, &sqe);
}

/* What the managing controller reads with a command, as it should be; returns its bytes. */
static uint32_t fill_data(struct target *t, struct input *in, unsigned int fault,
			  const struct nvcf_ctrl *c)
{
	const struct nvs_track_request req = { .rmrtg = (uint8_t)(take(in, 1) % 4), .count = 2 };
	const struct nvs_track_range range[] = {
		{ MEM_IOVA, (uint32_t)take(in, 1) % 33 },
		{ MEM_IOVA + DATA_OFF, (uint32_t)take(in, 1) },
	};
	uint8_t *data = t->mem + DATA_OFF;

	switch (fault) {
	case NVCF_FAULT_SET_STATE:
		return take_state(in, c, true, true, data);
	case NVCF_FAULT_TRACK_SEND:
		memcpy(data, &req, sizeof(req));
		memcpy(data + sizeof(req), range, sizeof(range));
		return sizeof(req) + sizeof(range);
	case NVCF_FAULT_PROFILE_SEND:
		nvcf_profile_make(c->sub, c->index, 5, (struct nvcf_profile *)data);
		return sizeof(struct nvcf_profile);
	}
	return 256;
}

/* A command of the managing controller with what belongs to it, and a byte or two changed. */
static void step_manage(struct target *t, struct input *in)
{
	static const struct {
		unsigned int fault;
		uint8_t opcode;
		uint32_t cdw10, cdw11;
	} cmds[] = {
		{ NVCF_FAULT_SUSPEND, NVS_ADMIN_MIGRATION_SEND, NVS_SEND_SUSPEND,
		  NVS_SUSPEND << 16 },
		{ NVCF_FAULT_RESUME, NVS_ADMIN_MIGRATION_SEND, NVS_SEND_RESUME, 0 },
		{ NVCF_FAULT_SET_STATE, NVS_ADMIN_MIGRATION_SEND,
		  NVS_SEQ_ONLY << 16 | NVS_SEND_SET_STATE, 0x1010000 },
		{ NVCF_FAULT_GET_STATE, NVS_ADMIN_MIGRATION_RECEIVE, 1 << 16, 1 << 16 },
		{ NVCF_FAULT_TRACK_SEND, NVS_ADMIN_TRACK_SEND, 1 << 16 | NVS_TRACK_MEMORY, 0 },
		{ NVCF_FAULT_TRACK_RECEIVE, NVS_ADMIN_TRACK_RECEIVE, 0, 0 },
		{ NVCF_FAULT_PROFILE_SEND, NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_GIVE, 0 },
		{ NVCF_FAULT_PROFILE_SEND, NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_REMOVE, 0 },
		{ NVCF_FAULT_PROFILE_RECEIVE, NVCF_ADMIN_PROFILE_RECEIVE, 0, 0 },
	};
	uint64_t which = take(in, 1) % (sizeof(cmds) / sizeof(cmds[0]));
	const struct nvcf_ctrl *c = vu_priv(t->dev[1 + take(in, 1) % 2]);
	struct nvs_sqe sqe = {
		.opcode = cmds[which].opcode, .cdw10 = cmds[which].cdw10,
		.cdw11 = cmds[which].cdw11 | c->cntlid, .prp1 = MEM_IOVA + DATA_OFF,
		.prp2 = MEM_IOVA + DATA_OFF + 4096,
	};
	uint32_t bytes = fill_data(t, in, cmds[which].fault, c);
	uint64_t how = take(in, 1);

	sqe.cdw15 = bytes / 4 - (cmds[which].fault == NVCF_FAULT_GET_STATE);
	sqe.cdw12 = cmds[which].fault == NVCF_FAULT_TRACK_RECEIVE ? bytes / 4 - 1 : 0;
	if (how & 1)
		t->mem[DATA_OFF + take(in, 2) % bytes] = (uint8_t)take(in, 1);
	if (how & 2)
		((uint8_t *)&sqe)[40 + take(in, 1) % 24] = (uint8_t)take(in, 1);
	put_command(t, vu_priv(t->dev[0]), 0, &sqe);
}

/* The host has seen all completions. */
static void step_consume(struct target *t, struct input *in)
{
	struct nvcf_ctrl *c = vu_priv(take_dev(t, in));

	for (unsigned int q = 0; q < 3; q++)
		if (c->cq[q].live)
			write_reg(c->dev, NVS_REG_DOORBELLS + 8 * q + 4, c->cq[q].tail, 4);
}

static void step_poke(struct target *t, struct input *in)
{
	static const uint32_t places[] = { DATA_OFF, LIST_OFF, LIST_OFF + 0xff0, 0 };
	uint64_t where = take(in, 1), off = take(in, 1) * 4, len = take(in, 1) % 64;
	uint8_t *at = t->mem + places[where % 4] + off;

	for (uint64_t i = 0; i < len; i++)
		at[i] = (uint8_t)take(in, 1);
}

/* PRP entries or SGL descriptors that lead somewhere. */
static void step_list(struct target *t, struct input *in)
{
	uint64_t n = take(in, 1) % 16, kind = take(in, 1);
	uint8_t *at = t->mem + LIST_OFF + take(in, 1) * 16;

	for (uint64_t i = 0; i < n; i++) {
		struct nvs_sgl d = take_sgl(in);

		memcpy(at + (kind & 1 ? 8 : 16) * i, &d, kind & 1 ? sizeof(d.addr) : sizeof(d));
	}
}

static void step_config(struct target *t, struct input *in)
{
	struct vu_dev *dev = take_dev(t, in);
	uint64_t how = take(in, 1);
	uint16_t val = (uint16_t)take(in, 1);

	if (how % 8 == 0)
		vu_dev_reset(dev, how & 0x10 ? VU_RESET_FLR : VU_RESET_DEVICE);
	else
		val |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (how % 8 < 6)
		vu_dev_region_access(dev, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &val, 2, true);
}

/* Waits that only another control command would end are not armed. */
static void step_control(struct target *t, struct input *in)
{
	static const char *const lines[] = {
		"fault data_in fail count=1", "fault data_out fail count=1",
		"fault fetch fail count=1",
		"fault post fail count=1", "fault disk fail count=1", "fault identify hang count=1",
		"fault read hang count=2", "fault dma_read fail count=1",
		"fault dma_write fail count=1",
		"fault clear", "temperature 400", "resize 1 100", "resize 2 2048", "stats", "regs",
		"completions", "fault ready hang count=1", "fault shutdown hang count=1",
		"fault write fail=0x281 count=1", "fault fetch hang count=1",
	};
	struct vu_dev *dev = take_dev(t, in);
	char line[64], *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	snprintf(line, sizeof(line), "%s", lines[take(in, 1) % (sizeof(lines) / sizeof(lines[0]))]);
	vu_ctl_command(dev, line, out);
	fclose(out);
	free(text);
}

/* The state of a controller with some bytes changed, loaded into it or into the other one. */
static void step_state(struct target *t, struct input *in)
{
	struct nvcf_ctrl *from = vu_priv(t->dev[1 + take(in, 1) % 2]);
	struct nvcf_ctrl *to = vu_priv(t->dev[1 + take(in, 1) % 2]);
	uint64_t how = take(in, 1);
	uint8_t state[NVCF_STATE_MAX];
	uint32_t bytes = take_state(in, from, how & 1, how & 2, state);

	if (how & 4)
		state[take(in, 2) % bytes] = (uint8_t)take(in, 1);
	if (how & 2 && how & 8)
		seal(state, bytes);
	if (how & 0x10)
		bytes = (uint32_t)(take(in, 2) % (bytes + 1));
	nvcf_ctrl_reset(to);
	to->run = NVCF_SUSPENDED;
	nvcf_state_load(to, state, bytes, how & 1, how & 2);
	to->run = NVCF_RUNNING;
	vu_kick(to->dev);
}

static void (*const steps[])(struct target *t, struct input *in) = {
	step_command, step_command, step_command, step_command, step_register, step_doorbell,
	step_consume, step_poke, step_list, step_config, step_control, step_state,
	step_manage, step_manage,
};

/* ---- the controllers ---- */

static void enable(struct target *t, unsigned int n)
{
	struct vu_dev *dev = t->dev[n];
	struct nvcf_ctrl *c = vu_priv(dev);
	uint64_t at = MEM_IOVA + n * 0x8000;
	uint16_t on = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	vu_dev_region_access(dev, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &on, 2, true);
	write_reg(dev, NVS_REG_AQA, 0x1f001f, 4);
	write_reg(dev, NVS_REG_ASQ, at, 8);
	write_reg(dev, NVS_REG_ACQ, at + 0x1000, 8);
	write_reg(dev, NVS_REG_CC, NVS_CC_EN | (n ? 0 : NVS_CC_CSS_ADMIN << 4) | NVS_SQES << 16 |
		  NVS_CQES << 20, 4);
	settle(t->dev, NUM_FUNCTIONS);
	if (!n)
		return;
	c->cq[1] = (struct nvcf_cq) {
		.live = true, .base = at + 0x3000, .entries = 16, .ien = true, .vector = 1,
			.phase = true,
	};
	c->sq[1] = (struct nvcf_sq) { .live = true, .base = at + 0x2000, .entries = 16, .cqid = 1 };
}

static void map(struct target *t, unsigned int n)
{
	const struct vu_dma_map_msg m = {
		.argsz = sizeof(m), .flags = 3, .iova = MEM_IOVA, .size = MEM_BYTES,
	};

	if (vu_dma_map(t->dev[n], &m, dup(t->fd), 16))
		abort();
}

/* A subsystem is made once for each of its options, and brought back to what it was. */
static void make(struct target *t, uint64_t how)
{
	char *options[] = {
		"functions=2", "serial=1", "size=1", "cache=16",
		how & 1 ? "profile=5" : "profile=0",
		how & 2 ? "block1=4096" : "block1=512",
	};

	t->fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (t->fd < 0 || ftruncate(t->fd, MEM_BYTES))
		abort();
	t->mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
	t->dev[0] =
		vu_dev_new(vu_model_find("nvme_cf"), options, sizeof(options) / sizeof(options[0]));
	if (t->mem == MAP_FAILED || !t->dev[0])
		abort();
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++) {
		if (n)
			t->dev[n] = vu_controlled(t->dev[0], n - 1);
		t->dev[n]->front = &no_client;
		map(t, n);
		t->made[n] = *(const struct nvcf_ctrl *)vu_priv(t->dev[n]);
	}
}

static void renew_disk(struct nvcf_disk *d)
{
	if (ftruncate(d->fd, 0) || ftruncate(d->fd, (off_t)d->file_bytes))
		abort();
	d->bytes = d->file_bytes;
}

static void renew(struct target *t)
{
	struct nvcf *sub = ((struct nvcf_ctrl *)vu_priv(t->dev[0]))->sub;

	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++) {
		struct vu_dev *dev = t->dev[n];
		struct nvcf_ctrl *c = vu_priv(dev);
		struct nvcf_record record;

		vu_fault_clear(dev);
		vu_dev_reset(dev, VU_RESET_POWER_ON);
		vu_ledger_clear(&dev->ledger);
		memset(&dev->stats, 0, sizeof(dev->stats));
		dev->kicked = false;
		dev->wake = 0;
		nvcf_record_clear(&c->record);
		record = c->record;
		*c = t->made[n];
		c->record = record;
		nvcf_queue_reset(c);
	}
	for (unsigned int d = 0; d < sub->num_disks; d++)
		renew_disk(sub->disk[d]);
	memset(t->mem, 0, MEM_BYTES);
}

static void setup(struct target *t, uint64_t how)
{
	if (!t->dev[0])
		make(t, how);
	renew(t);
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++)
		if (how >> (2 + n) & 1)
			enable(t, n);
}

/* Of those that are suspended. */
static void note(struct target *t)
{
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++) {
		const struct vu_stats *s = &t->dev[n]->stats;
		const struct nvcf_ctrl *c = vu_priv(t->dev[n]);

		t->before[n] = (struct done) {
			.suspensions = c->run == NVCF_SUSPENDED ? c->suspensions : 0,
			.reads = s->dma_reads, .writes = s->dma_writes, .irqs = s->irqs,
		};
	}
}

static void check_silence(const struct target *t)
{
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++) {
		const struct done *was = &t->before[n];
		const struct vu_stats *s = &t->dev[n]->stats;
		const struct nvcf_ctrl *c = vu_priv(t->dev[n]);

		if (c->run == NVCF_SUSPENDED && was->suspensions == c->suspensions &&
		    (s->dma_reads != was->reads || s->dma_writes != was->writes ||
		     s->irqs != was->irqs))
			abort();
	}
}

/* There is room for what is in work. */
static void check_queues(const struct nvcf_ctrl *c, uint32_t in_work)
{
	uint32_t owed = 0;

	for (unsigned int q = 0; q < NVCF_QUEUES; q++) {
		const struct nvcf_cq *cq = &c->cq[q];
		uint32_t used = (cq->tail + cq->entries - cq->head) % (cq->entries + !cq->entries);

		owed += cq->owed;
		if (cq->live && cq->owed && used + cq->owed >= cq->entries)
			abort();
	}
	if (owed != in_work)
		abort();
}

/* Each command that was fetched is in one place.  @all: and in its queue, which takes long. */
static void check(const struct target *t, bool all)
{
	for (unsigned int n = 0; n < NUM_FUNCTIONS; n++) {
		const struct nvcf_ctrl *c = vu_priv(t->dev[n]);
		uint32_t in_work = 0;
		struct nvcf_cmd *cmd;

		TAILQ_FOREACH(cmd, &c->active, link)
			in_work++;
		if (all)
			check_queues(c, in_work);
		if (c->fetched != c->completed + c->dropped + in_work + c->events.outstanding)
			abort();
		for (unsigned int d = 0; d < c->sub->num_disks; d++)
			if (c->sub->disk[d]->unlocked_writes)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target targets[4];
	struct input in = { data, size };
	uint64_t how = take(&in, 1);
	struct target *t = &targets[how % 4];

	setup(t, how);
	while (in.left) {
		uint64_t step = take(&in, 1);

		note(t);
		steps[(step & 0x7f) % (sizeof(steps) / sizeof(steps[0]))](t, &in);
		if (!(step & 0x80))
			settle(t->dev, NUM_FUNCTIONS);
		check_silence(t);
		check(t, false);
	}
	settle(t->dev, NUM_FUNCTIONS);
	check(t, true);
	return 0;
}
