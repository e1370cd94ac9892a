/* SPDX-License-Identifier: GPL-2.0 */
/* The state of an nvme_cf controller in a stream, to be changed. */
#ifndef SELFTEST_NVMESTATE_H
#define SELFTEST_NVMESTATE_H

#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

#include "records.h"

/* Parts of a state with as many submission as completion queues. */
enum nvme_part {
	NVME_HEADER,		/* struct nvs_state_header */
	NVME_QUEUE_HEAD,	/* struct nvs_state */
	NVME_SQ,		/* the first of them */
	NVME_SQ2,
	NVME_CQ,
	NVME_CQ2,
	NVME_VENDOR,		/* struct nvcf_state */
};

/* Where a part begins in the payload. */
size_t nvme_part_at(const struct stream *s, enum nvme_part part);
/* A copy of the state that may be changed. */
uint8_t *nvme_state_copy(struct stream *s);
/* Make the checksum of the vendor specific part right again. */
void nvme_state_seal(struct stream *s);
/* Change up to 8 bytes: what is there is and-ed with @keep, then or-ed with @val. */
void nvme_state_change(struct stream *s, enum nvme_part part, size_t off, unsigned int bytes,
		       uint64_t keep, uint64_t val);

#endif /* SELFTEST_NVMESTATE_H */
