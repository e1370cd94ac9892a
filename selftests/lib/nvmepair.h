/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two controllers with one identity in two NVM subsystems that share their disks, as on two
 * hosts: source and destination of a migration, with the control ports of their models and a
 * host that logs what it does.  Functions return 0 or a negative errno.
 */
#ifndef SELFTEST_NVMEPAIR_H
#define SELFTEST_NVMEPAIR_H

#include "migration.h"
#include "nvme.h"
#include "nvmefn.h"
#include "nvmelog.h"

#define NVME_BLOCK	512u

/**
 * struct nvme_pair - The two
 * @managing: Managing controllers of the two subsystems.
 * @slots: The functions.
 * @v: Likewise, open.
 * @fn: Control ports of the functions' models; @ctrl of the managing controllers'.
 * @on: Which of the two the guest is on.
 * @n: The guest's driver.
 * @log: What it did.
 * @blob: What was saved last.
 */
struct nvme_pair {
	struct slot managing[2];
	struct slot slots[2];
	struct vdev v[2];
	struct model fn[2];
	struct model ctrl[2];
	unsigned int on;
	struct nvme n;
	struct nvme_log *log;
	struct blob blob;
};

/* Open everything; the host is on the first function.  TOO_FEW without two subsystems. */
int nvme_pair_open(struct nvme_pair *p, enum vdev_mode mode);
void nvme_pair_close(struct nvme_pair *p);
/* Whatever became of them: reset both, start again on the first one, with a new log. */
int nvme_pair_restart(struct nvme_pair *p);
/* Close one function and open it. */
int nvme_pair_reopen(struct nvme_pair *p, unsigned int fn);

/* Save the function that the host is on, which is stopped then. */
int nvme_pair_leave(struct nvme_pair *p, bool precopy);
/* Load what was saved into the other one, which is in STOP then; the host is on it. */
int nvme_pair_enter(struct nvme_pair *p);
/* All of it: the other one runs. */
int nvme_pair_move(struct nvme_pair *p, bool precopy);
/* What the host has seen agrees with both models; @open: event requests outstanding. */
int nvme_pair_join(struct nvme_pair *p, unsigned int open, unsigned int count[NVME_LOG_SIDES]);

/*
 * @num writes, stamped with @tag, or reads of the same blocks, from slot @first on; every other
 * one by an SGL.
 */
#define NVME_SLOT_BYTES	16384u		/* of data and of disk that each has */
void nvme_batch_put(struct nvme *n, unsigned int q, uint8_t opcode, unsigned int first,
		    unsigned int num, uint32_t tag);
/* Read it: is it what was written? */
int nvme_batch_check(struct nvme *n, unsigned int q, unsigned int first, unsigned int num,
		     uint32_t tag);

#endif /* SELFTEST_NVMEPAIR_H */
