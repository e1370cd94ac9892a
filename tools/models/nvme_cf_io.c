// SPDX-License-Identifier: GPL-2.0
/* nvme_cf: the table of I/O commands (NVM command set), and what they do to the disk. */
#include <errno.h>
#include <string.h>

#include "nvme_cf.h"

#define UNIT_BLOCKS	512u	/* bytes of a data unit of the SMART log */

/* The blocks that a command names. */
struct extent {
	struct nvcf_disk *disk;
	uint64_t off, bytes;
};

/* The namespace of the command, locked for this controller. */
static int open_ns(struct nvcf_ctrl *c, const struct nvcf_cmd *cmd, bool writes,
		   struct nvcf_disk **d)
{
	const struct nvcf_profile_ns *ns = nvcf_ns(c, le32toh(cmd->sqe.nsid));

	if (!ns)
		return NVS_SC_INVALID_NAMESPACE | NVS_SC_DNR;
	*d = nvcf_ns_disk(c, ns);
	if (writes && (*d)->readonly)
		return NVS_SC_WRITE_PROTECTED | NVS_SC_DNR;
	/* No command is carried out while suspended, when others may have the disk. */
	if (c->run == NVCF_SUSPENDED) {
		nvcf_disk_unlocked(*d);
		nvcf_fatal(c);
		return NVS_SC_INTERNAL;
	}
	return nvcf_disk_hold(*d, c->index) ? 0 : NVS_SC_NAMESPACE_NOT_READY;
}

static int check_range(const struct nvcf_disk *d, uint64_t slba, uint64_t nlb)
{
	uint64_t blocks = d->bytes >> d->block_log2;

	return slba > blocks || nlb > blocks - slba ? NVS_SC_LBA_RANGE | NVS_SC_DNR : 0;
}

static int open_extent(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, bool writes,
		       struct extent *x)
{
	uint64_t slba = le32toh(cmd->sqe.cdw10) | (uint64_t)le32toh(cmd->sqe.cdw11) << 32;
	uint64_t nlb = NVS_RW_NLB(le32toh(cmd->sqe.cdw12));
	int st = open_ns(c, cmd, writes, &x->disk);

	cmd->mark.lba = slba;
	cmd->mark.blocks = (uint32_t)nlb;
	if (!st)
		st = check_range(x->disk, slba, nlb);
	if (!st) {
		x->off = slba << x->disk->block_log2;
		x->bytes = nlb << x->disk->block_log2;
	}
	return st;
}

/* Likewise for commands with data, whose size is limited. */
static int open_transfer(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, bool writes,
			 struct extent *x)
{
	int st = open_extent(c, cmd, writes, x);

	if (!st && x->bytes > 4096u << c->profile.mdts)
		st = NVS_SC_INVALID_FIELD | NVS_SC_DNR;
	return st;
}

/* The media's answer.  A write without the lock is fatal. */
static int media(struct nvcf_ctrl *c, int err, bool writes)
{
	if (err == -EPERM)
		nvcf_fatal(c);
	c->health.media_errors += err != 0;
	return !err ? 0 : writes ? NVS_SC_WRITE_FAULT : NVS_SC_READ_ERROR;
}

static bool through(const struct nvcf_ctrl *c, const struct nvcf_cmd *cmd)
{
	return (le32toh(cmd->sqe.cdw12) & NVS_RW_FUA) || !nvcf_feature(c, NVS_FEAT_WRITE_CACHE);
}

/* The data in c->buf, which are noted before a fault changes them. */
static void pass_data(struct nvcf_ctrl *c, struct nvcf_cmd *cmd, const struct extent *x)
{
	nvcf_mark_data(&cmd->mark, c->buf, (uint32_t)x->bytes);
	nvcf_flip(c, (uint32_t)x->bytes);
}

static int flush(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	struct nvcf_disk *d;
	int st;

	if (le32toh(cmd->sqe.nsid) == NVS_NSID_ALL)
		return media(c, nvcf_flush_all(c), true);
	st = open_ns(c, cmd, false, &d);
	return st ? st : media(c, nvcf_disk_flush(d), true);
}

static int write(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	struct extent x;
	int st = open_transfer(c, cmd, true, &x);

	if (!st)
		st = nvcf_data(c, &cmd->sqe, false, (uint32_t)x.bytes);
	if (!st) {
		pass_data(c, cmd, &x);
		st = media(c, nvcf_disk_write(x.disk, c->index, x.off, c->buf, x.bytes,
					      through(c, cmd)), true);
	}
	if (!st) {
		c->health.writes++;
		c->health.written_units += x.bytes / UNIT_BLOCKS;
	}
	return st;
}

static int read(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	struct extent x;
	int st = open_transfer(c, cmd, false, &x);

	if (!st)
		st = media(c, nvcf_disk_read(x.disk, x.off, c->buf, x.bytes), false);
	if (!st) {
		pass_data(c, cmd, &x);
		st = nvcf_data(c, &cmd->sqe, true, (uint32_t)x.bytes);
	}
	if (!st) {
		c->health.reads++;
		c->health.read_units += x.bytes / UNIT_BLOCKS;
	}
	return st;
}

static int compare(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	struct extent x;
	int st = open_transfer(c, cmd, false, &x);

	if (!st)
		st = nvcf_data(c, &cmd->sqe, false, (uint32_t)x.bytes);
	if (!st) {
		nvcf_mark_data(&cmd->mark, c->buf, (uint32_t)x.bytes);
		st = media(c, nvcf_disk_read(x.disk, x.off, c->media, x.bytes), false);
	}
	if (!st && memcmp(c->buf, c->media, x.bytes))
		st = NVS_SC_COMPARE_FAILURE | NVS_SC_DNR;
	return st;
}

static int write_zeroes(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	struct extent x;
	int st = open_extent(c, cmd, true, &x);

	return st ? st : media(c, nvcf_disk_zero(x.disk, c->index, x.off, x.bytes), true);
}

static int verify(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	struct extent x;
	int st = open_extent(c, cmd, false, &x);

	while (!st && x.bytes) {
		uint64_t n = x.bytes < NVCF_TRANSFER_BYTES ? x.bytes : NVCF_TRANSFER_BYTES;

		st = media(c, nvcf_disk_read(x.disk, x.off, c->media, n), false);
		x.off += n;
		x.bytes -= n;
	}
	return st;
}

/* Only deallocation does something; the rest are hints.  All ranges are checked before. */
static int dsm(struct nvcf_ctrl *c, struct nvcf_cmd *cmd)
{
	uint32_t num = (le32toh(cmd->sqe.cdw10) & 0xff) + 1;
	const struct nvs_dsm_range *r = (const struct nvs_dsm_range *)c->buf;
	struct nvcf_disk *d;
	int st = open_ns(c, cmd, true, &d);

	if (!st)
		st = nvcf_data(c, &cmd->sqe, false, (uint32_t)(num * sizeof(*r)));
	for (uint32_t i = 0; i < num && !st; i++)
		st = check_range(d, le64toh(r[i].slba), le32toh(r[i].nlb));
	if (!(le32toh(cmd->sqe.cdw11) & NVS_DSM_AD))
		return st;
	for (uint32_t i = 0; i < num && !st; i++)
		st = media(c, nvcf_disk_deallocate(d, c->index,
						   le64toh(r[i].slba) << d->block_log2,
						   (uint64_t)le32toh(r[i].nlb) << d->block_log2),
			   true);
	return st;
}

const struct nvcf_command nvcf_io_commands[] = {
	NVCF_COMMAND("flush", NVS_IO_FLUSH, NVS_DIR_NONE, NVCF_MIGRATABLE, 0, 0,
		     NVCF_FAULT_FLUSH, flush),
	NVCF_COMMAND("write", NVS_IO_WRITE, NVS_DIR_TO_CTRL, NVCF_MIGRATABLE, 0, NVS_EFFECTS_LBCC,
		     NVCF_FAULT_WRITE, write),
	NVCF_COMMAND("read", NVS_IO_READ, NVS_DIR_TO_HOST, NVCF_MIGRATABLE, 0, 0,
		     NVCF_FAULT_READ, read),
	NVCF_COMMAND("compare", NVS_IO_COMPARE, NVS_DIR_TO_CTRL, NVCF_MIGRATABLE, NVCF_OPT_COMPARE,
		     0,
		     NVCF_FAULT_COMPARE, compare),
	NVCF_COMMAND("write_zeroes", NVS_IO_WRITE_ZEROES, NVS_DIR_NONE, NVCF_MIGRATABLE,
		     NVCF_OPT_WRITE_ZEROES, NVS_EFFECTS_LBCC,
		     NVCF_FAULT_WRITE_ZEROES, write_zeroes),
	NVCF_COMMAND("dsm", NVS_IO_DSM, NVS_DIR_TO_CTRL, NVCF_MIGRATABLE, NVCF_OPT_DSM,
		     NVS_EFFECTS_LBCC,
		     NVCF_FAULT_DSM, dsm),
	NVCF_COMMAND("verify", NVS_IO_VERIFY, NVS_DIR_NONE, NVCF_MIGRATABLE, NVCF_OPT_VERIFY, 0,
		     NVCF_FAULT_VERIFY, verify),
	{ .name = NULL }
};
