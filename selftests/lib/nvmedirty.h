/* SPDX-License-Identifier: GPL-2.0 */
/* Random I/O of an nvme_cf controller, and what is reported of the memory that it writes. */
#ifndef SELFTEST_NVMEDIRTY_H
#define SELFTEST_NVMEDIRTY_H

#include "nvmepair.h"

/**
 * struct nvme_dirty - What rounds of I/O have come to
 * @written: Pages that the model has written, by its ledger.
 * @reported: Pages that were reported.
 * @missed: Pages that were written and not reported.
 */
struct nvme_dirty {
	uint64_t written;
	uint64_t reported;
	uint64_t missed;
};

/*
 * @rounds times some random I/O on queue 1, then a report, which is compared with the ledger.
 * Logging is on, in pages of @page bytes.
 */
int nvme_dirty_rounds(struct nvme_pair *p, unsigned int rounds, uint64_t page, uint32_t seed,
		      struct nvme_dirty *d);

#endif /* SELFTEST_NVMEDIRTY_H */
