// SPDX-License-Identifier: GPL-2.0
/* The state of an nvme_cf controller in a stream: see nvmestate.h. */
#include <endian.h>
#include <string.h>

#include "nvmestate.h"

#define STATE	REC_FAMILY

/* As of zlib. */
static uint32_t crc32_of(const uint8_t *data, size_t bytes)
{
	uint32_t crc = ~0u;

	while (bytes--) {
		crc ^= *data++;
		for (unsigned int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

size_t nvme_part_at(const struct stream *s, enum nvme_part part)
{
	const size_t head = sizeof(struct nvs_state_header);
	const size_t queues = head + sizeof(struct nvs_state);
	const size_t vendor = s->rec[STATE].bytes - sizeof(struct nvcf_state);
	const size_t cqs = queues + (vendor - queues) / 2;

	switch (part) {
	case NVME_HEADER:
		return 0;
	case NVME_QUEUE_HEAD:
		return head;
	case NVME_SQ:
		return queues;
	case NVME_SQ2:
		return queues + sizeof(struct nvs_state_sq);
	case NVME_CQ:
		return cqs;
	case NVME_CQ2:
		return cqs + sizeof(struct nvs_state_cq);
	case NVME_VENDOR:
		break;
	}
	return vendor;
}

uint8_t *nvme_state_copy(struct stream *s)
{
	return s->payload[STATE] == scratch ? scratch : rec_copy(s, STATE);
}

void nvme_state_seal(struct stream *s)
{
	uint8_t *vendor = nvme_state_copy(s) + nvme_part_at(s, NVME_VENDOR);
	const size_t from = offsetof(struct nvcf_state, profile);
	const __le32 crc = htole32(crc32_of(vendor + from, sizeof(struct nvcf_state) - from));

	memcpy(vendor + offsetof(struct nvcf_state, crc), &crc, sizeof(crc));
}

void nvme_state_change(struct stream *s, enum nvme_part part, size_t off, unsigned int bytes,
		       uint64_t keep, uint64_t val)
{
	uint8_t *at = nvme_state_copy(s) + nvme_part_at(s, part) + off;
	uint64_t old = 0;

	memcpy(&old, at, bytes);
	old = htole64((le64toh(old) & keep) | val);
	memcpy(at, &old, bytes);
	if (part == NVME_VENDOR)
		nvme_state_seal(s);
}
