// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: Get State and Set State: a controller's state in one piece or many.
 *
 * Get: the state is taken when its beginning is read, so that what is read behind it is of the
 * same moment.  Set: pieces come in ascending order, and are loaded with the last one.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme_cf.h"

#define BAD_FIELD	(NVS_SC_INVALID_FIELD | NVS_SC_DNR)
#define BAD_CNTLID	(NVS_SC_INVALID_CNTLID | NVS_SC_DNR)
#define BAD_SEQUENCE	(NVS_SC_COMMAND_SEQUENCE | NVS_SC_DNR)

void nvcf_blob_drop(struct nvcf_blob *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

static bool blob_make(struct nvcf_blob *b, uint32_t csvi, uint32_t csuuidi)
{
	nvcf_blob_drop(b);
	b->csvi = csvi;
	b->csuuidi = csuuidi;
	b->data = calloc(1, NVCF_STATE_MAX);
	return b->data;
}

static uint64_t offset(const struct nvcf_cmd *cmd)
{
	return le32toh(cmd->sqe.cdw12) | (uint64_t)le32toh(cmd->sqe.cdw13) << 32;
}

/* What its user has asked for before, such as a reset, comes first. */
static struct nvcf_ctrl *settled_target(const struct nvcf_ctrl *m, const struct nvcf_cmd *cmd)
{
	struct nvcf_ctrl *c = nvcf_target(m, cmd);

	if (c)
		nvcf_ctrl_work(c);
	return c;
}

/* Index of a version and of a vendor's format: there is one of each, and 0 is none. */
static bool indices_ok(uint32_t csvi, uint32_t csuuidi)
{
	return csvi <= 1 && csuuidi <= 1 && (csvi || csuuidi);
}

int nvcf_get_state(struct nvcf_ctrl *m, struct nvcf_cmd *cmd)
{
	uint32_t csvi = le32toh(cmd->sqe.cdw10) >> 16 & 0xff, n;
	uint32_t csuuidi = le32toh(cmd->sqe.cdw11) >> 16 & 0xff;
	uint64_t bytes = ((uint64_t)le32toh(cmd->sqe.cdw15) + 1) * 4, off = offset(cmd);
	struct nvcf_ctrl *c = settled_target(m, cmd);

	if (!c)
		return BAD_CNTLID;
	if (!indices_ok(csvi, csuuidi) || le32toh(cmd->sqe.cdw11) >> 24 || off & 3 ||
	    bytes > 4096u << m->profile.mdts)
		return BAD_FIELD;
	if (!off || !c->get.data) {
		if (!blob_make(&c->get, csvi, csuuidi))
			return NVS_SC_INTERNAL;
		c->get.bytes = nvcf_state_build(c, csvi, csuuidi, c->get.data);
	}
	if (off >= c->get.bytes || c->get.csvi != csvi || c->get.csuuidi != csuuidi)
		return BAD_FIELD;
	n = c->get.bytes - (uint32_t)off;
	memset(m->buf, 0, bytes);
	memcpy(m->buf, c->get.data + off, bytes < n ? bytes : n);
	/* The state that was taken of a running controller says so. */
	cmd->dw0 = c->get.data[offsetof(struct nvs_state_header, csattr)] & NVS_CSUP;
	nvcf_flip(m, (uint32_t)bytes);
	return nvcf_data(m, &cmd->sqe, true, (uint32_t)bytes);
}

/* One piece at the end of those that have come. */
static int add_piece(struct nvcf_ctrl *m, struct nvcf_cmd *cmd, struct nvcf_ctrl *c, uint64_t bytes)
{
	int st;

	if (offset(cmd) != c->set.bytes || bytes > NVCF_STATE_MAX - c->set.bytes)
		return BAD_FIELD;
	st = nvcf_data(m, &cmd->sqe, false, (uint32_t)bytes);
	if (st)
		return st;
	/* Whoever has the controller may have reset it while the data came. */
	if (c->run != NVCF_SUSPENDED || !c->set.data)
		return BAD_SEQUENCE;
	nvcf_flip(m, (uint32_t)bytes);
	memcpy(c->set.data + c->set.bytes, m->buf, bytes);
	c->set.bytes += (uint32_t)bytes;
	return 0;
}

int nvcf_set_state(struct nvcf_ctrl *m, struct nvcf_cmd *cmd)
{
	uint32_t cdw11 = le32toh(cmd->sqe.cdw11), seq = le32toh(cmd->sqe.cdw10) >> 16 & 3;
	uint32_t csvi = cdw11 >> 16 & 0xff, csuuidi = cdw11 >> 24;
	uint64_t bytes = (uint64_t)le32toh(cmd->sqe.cdw15) * 4;
	struct nvcf_ctrl *c = settled_target(m, cmd);
	int st;

	if (!c || c->run != NVCF_SUSPENDED)
		return BAD_CNTLID;
	if (!indices_ok(csvi, csuuidi) || (!bytes && seq != NVS_SEQ_LAST) ||
	    bytes > 4096u << m->profile.mdts)
		return BAD_FIELD;
	if (seq == NVS_SEQ_FIRST || seq == NVS_SEQ_ONLY) {
		if (!blob_make(&c->set, csvi, csuuidi))
			return NVS_SC_INTERNAL;
	} else if (!c->set.sequence) {
		return BAD_SEQUENCE;
	}
	/* All pieces are of the same formats. */
	if (c->set.csvi != csvi || c->set.csuuidi != csuuidi) {
		nvcf_blob_drop(&c->set);
		return BAD_FIELD;
	}
	st = add_piece(m, cmd, c, bytes);
	if (st < 0)
		return st;
	c->set.sequence = seq == NVS_SEQ_FIRST || seq == NVS_SEQ_MIDDLE;
	if (!st && c->set.sequence)
		return 0;
	if (!st)
		st = nvcf_state_load(c, c->set.data, c->set.bytes, csvi, csuuidi);
	/* After a failure all of it has to be sent again. */
	nvcf_blob_drop(&c->set);
	return st;
}
