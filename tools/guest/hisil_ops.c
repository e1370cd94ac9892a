// SPDX-License-Identifier: GPL-2.0
/*
 * Makes operations and checks their results against what software computes.
 *
 * The data of an operation is made from a seed of its own and made again for the
 * check, so that damage to the input, the output, the bytes behind the output and
 * late writes by an operation that was over are all seen.
 */
#include <string.h>
#include <zlib.h>

#include "hisil.h"

#define CANARY		0xa5

static uint8_t plain[HISIL_BLOCK_MAX];

uint64_t hisil_random(uint64_t *state)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

/* Half noise, half repetition: compresses to about half. */
static void make_data(uint8_t *buf, uint32_t bytes, uint64_t seed)
{
	uint64_t word = 0;
	uint32_t i;

	for (i = 0; i < bytes; i += sizeof(word)) {
		if (!(i & 56) || (seed & 1))
			word = hisil_random(&seed);
		memcpy(buf + i, &word, bytes - i < sizeof(word) ? bytes - i : sizeof(word));
	}
}

static uint32_t crc32c(uint32_t seed, const uint8_t *data, uint32_t bytes)
{
	static uint32_t table[256];
	uint32_t crc = ~seed, i, bit;

	if (!table[1])
		for (i = 0; i < 256; i++) {
			uint32_t c = i;

			for (bit = 0; bit < 8; bit++)
				c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
			table[i] = c;
		}
	for (i = 0; i < bytes; i++)
		crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
	return ~crc;
}

static enum hisil_op choose(uint64_t *rng, uint32_t algs)
{
	static const uint8_t mix[16] = {
		HISIL_NOP, HISIL_COPY, HISIL_COPY, HISIL_COPY, HISIL_COPY, HISIL_COPY,
		HISIL_FILL, HISIL_FILL, HISIL_FILL, HISIL_CRC32C, HISIL_CRC32C, HISIL_CRC32C,
		HISIL_CRC32C, HISIL_DEFLATE, HISIL_DEFLATE, HISIL_DEFLATE,
	};
	enum hisil_op op = mix[hisil_random(rng) >> 60];

	return algs & 1U << op ? op : HISIL_NOP;
}

void hisil_op_make(struct hisil_slot *slot, uint64_t *rng, uint32_t algs, uint32_t block)
{
	uint32_t packed = algs & 1U << HISIL_INFLATE ? slot->packed : 0;

	slot->packed = 0;
	slot->src_len = 0;
	slot->dst_len = 0;
	slot->arg = 0;
	if (packed) {
		/* What the DEFLATE before made, back to the data it was made from. */
		slot->opcode = HISIL_INFLATE;
		memcpy(slot->src, slot->dst, packed);
		slot->src_len = packed;
		slot->dst_len = hisil_slot_bytes(block);
	} else {
		slot->opcode = choose(rng, algs);
		slot->seed = hisil_random(rng) | 2;
		slot->bytes = 1 + hisil_random(rng) % block;
		if (slot->opcode != HISIL_NOP && slot->opcode != HISIL_FILL) {
			make_data(slot->src, slot->bytes, slot->seed);
			slot->src_len = slot->bytes;
		}
		if (slot->opcode == HISIL_COPY || slot->opcode == HISIL_FILL)
			slot->dst_len = slot->bytes;
		if (slot->opcode == HISIL_DEFLATE)
			slot->dst_len = hisil_slot_bytes(block);
		if (slot->opcode == HISIL_FILL)
			slot->arg = slot->seed >> 8 & 0xff;
		if (slot->opcode == HISIL_CRC32C)
			slot->arg = slot->seed & 0xffffffff;
	}
	memset(slot->dst, CANARY, hisil_slot_bytes(block));
}

static bool all_are(const uint8_t *buf, size_t bytes, uint8_t value)
{
	return !bytes || (buf[0] == value && !memcmp(buf, buf + 1, bytes - 1));
}

static const char *check_deflate(struct hisil_slot *slot, uint32_t out_len, uint32_t block)
{
	static uint8_t unpacked[HISIL_BLOCK_MAX];
	uLongf bytes = block;
	uLong used = out_len;

	if (!out_len || out_len > slot->dst_len)
		return "size of the compressed data";
	if (uncompress2(unpacked, &bytes, slot->dst, &used) != Z_OK || used != out_len)
		return "compressed data does not unpack";
	if (bytes != slot->bytes || memcmp(unpacked, plain, bytes))
		return "compressed data unpacks to other data";
	slot->packed = out_len;
	return NULL;
}

const char *hisil_op_check(struct hisil_slot *slot, const struct hisil_cqe *cqe, uint32_t block)
{
	uint32_t written = 0;
	const char *error;

	make_data(plain, slot->bytes, slot->seed);
	switch (slot->opcode) {
	case HISIL_COPY:
	case HISIL_INFLATE:
		written = slot->bytes;
		if (memcmp(slot->dst, plain, written))
			return "data written";
		break;
	case HISIL_FILL:
		written = slot->bytes;
		if (!all_are(slot->dst, written, slot->arg))
			return "fill pattern";
		break;
	case HISIL_CRC32C:
		if (cqe->result != crc32c(slot->arg, plain, slot->bytes))
			return "CRC";
		break;
	case HISIL_DEFLATE:
		error = check_deflate(slot, cqe->out_len, block);
		if (error)
			return error;
		written = cqe->out_len;
		break;
	}
	if (cqe->out_len != written)
		return "out_len";
	if (slot->src_len == slot->bytes && slot->opcode != HISIL_INFLATE &&
	    memcmp(slot->src, plain, slot->bytes))
		return "the input was changed";
	if (!all_are(slot->dst + written, hisil_slot_bytes(block) - written, CANARY))
		return "bytes behind the result";
	return NULL;
}
