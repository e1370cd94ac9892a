// SPDX-License-Identifier: GPL-2.0
/* What an NVMe host has sent and got back: see nvmelog.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvmelog.h"

#define PIECE	2000	/* completions that a model prints at a time */

static struct nvme_command *find(struct nvme_log *log, unsigned int q, unsigned int cid)
{
	unsigned int at = q < NVME_QUEUES && cid < 65536 ? log->at[q][cid] : 0;

	return at ? &log->cmd[at - 1] : NULL;
}

static bool has_data(uint8_t opcode)
{
	return opcode == NVS_IO_READ || opcode == NVS_IO_WRITE || opcode == NVS_IO_COMPARE;
}

static uint64_t stamp_of(const void *data)
{
	uint64_t stamp;

	memcpy(&stamp, data, sizeof(stamp));
	return le64toh(stamp);
}

void nvme_log_put(struct nvme_log *log, unsigned int q, uint16_t cid, const struct nvs_sqe *e,
		  const void *data)
{
	struct nvme_command *cmd;

	if (log->num++ >= NVME_LOG_MAX)
		return;
	cmd = &log->cmd[log->num - 1];
	*cmd = (struct nvme_command){ .qid = q, .cid = cid, .opcode = e->opcode };
	log->at[q][cid] = log->num;
	if (!q || !has_data(e->opcode))
		return;
	cmd->lba = le32toh(e->cdw10) | (uint64_t)le32toh(e->cdw11) << 32;
	cmd->data = data;
	cmd->stamp = stamp_of(data);
}

int nvme_log_done(struct nvme_log *log, unsigned int q, const struct nvs_cqe *c)
{
	struct nvme_command *cmd;

	if (log->num > NVME_LOG_MAX)
		return -E2BIG;
	cmd = find(log, le16toh(c->sqid), le16toh(c->cid));
	if (!cmd || cmd->done++ || le16toh(c->sqid) != q) {
		fprintf(stderr, "# queue %u: completion of command %u of queue %u%s\n", q,
			le16toh(c->cid), le16toh(c->sqid), cmd ? ", again" : ", never sent");
		return -EPROTO;
	}
	cmd->status = nvme_status(c);
	if (cmd->data && cmd->opcode == NVS_IO_READ)
		cmd->stamp = stamp_of(cmd->data);
	return 0;
}

int nvme_log_begin(struct model *m)
{
	return model_cmd(m, "completions clear");
}

/**
 * struct entry - What a model says of a command
 * @qid: Queue.
 * @cid: Id; then as it says.
 */
struct entry {
	unsigned int qid, cid, opcode, status;
	uint64_t lba, stamp;
};

/* Where a model differs from the host: NULL, or a word. */
static const char *differs(const struct nvme_command *cmd, const struct entry *e)
{
	if (!cmd || cmd->opcode != e->opcode)
		return "that nobody sent";
	if (cmd->done && cmd->status != (e->status & NVS_SC_MASK))
		return "with another status";
	if (!cmd->data || cmd->status || !cmd->done)
		return NULL;
	return cmd->lba != e->lba ? "for another block" :
	       cmd->stamp != e->stamp ? "with other data" : NULL;
}

/* Lines "QUEUE ID OPCODE STATUS LBA BLOCKS CRC STAMP"; their number, or a negative errno. */
static int read_piece(struct nvme_log *log, struct model *m, unsigned int side, int *wrong)
{
	int err = model_cmd(m, "completions take %u", PIECE), num = 0;

	for (char *line = m->reply; !err && *line; line += strcspn(line, "\n") + 1, num++) {
		struct nvme_command *cmd;
		const char *how;
		struct entry e;

		if (sscanf(line, "%u %x %x %x %lu %*u %*x %lx", &e.qid, &e.cid, &e.opcode,
			   &e.status, &e.lba, &e.stamp) != 6) {
			fprintf(stderr, "# completions: %.80s\n", line);
			return -EILSEQ;
		}
		cmd = find(log, e.qid, e.cid);
		how = differs(cmd, &e);
		if (cmd && cmd->by[side] < UINT8_MAX)
			cmd->by[side]++;
		if (how && (*wrong)++ < 10)
			fprintf(stderr, "# side %u completed a command %s: %.80s\n", side, how,
				strtok(strdupa(line), "\n"));
	}
	return err ? err : num;
}

static int read_side(struct nvme_log *log, struct model *m, unsigned int side,
		     unsigned int *count)
{
	int wrong = 0, num;

	*count = 0;
	do {
		num = read_piece(log, m, side, &wrong);
		*count += num > 0 ? num : 0;
	} while (num == PIECE);
	return num < 0 ? num : wrong ? -EILSEQ : 0;
}

int nvme_log_join(struct nvme_log *log, struct model *a, struct model *b, unsigned int open,
		  unsigned int count[NVME_LOG_SIDES])
{
	unsigned int wrong = 0;
	int err;

	if (log->num > NVME_LOG_MAX)
		return -E2BIG;
	err = read_side(log, a, 0, &count[0]);
	if (b)
		err = read_side(log, b, 1, &count[1]) ?: err;
	for (unsigned int i = 0; i < log->num; i++) {
		const struct nvme_command *cmd = &log->cmd[i];
		unsigned int by = cmd->by[0] + cmd->by[1];

		if (cmd->done == 1 && by == 1)
			continue;
		if (!cmd->done && !by && open) {
			open--;
			continue;
		}
		if (wrong++ < 10)
			fprintf(stderr,
				"# command %u of queue %u, opcode %#x: complete %u times, by the models %u and %u times\n",
				cmd->cid, cmd->qid, cmd->opcode, cmd->done, cmd->by[0],
				cmd->by[1]);
	}
	return err ? err : wrong ? -EILSEQ : 0;
}
