// SPDX-License-Identifier: GPL-2.0
/*
 * Config space in the stream: a list of dwords, as uapi vpv/stream.h draws it.  Pure.
 */
#include <uapi/vpv/stream.h>

#include "vcfg.h"

static_assert(sizeof(struct vpv_stream_config) == 8);
static_assert(sizeof(struct vpv_stream_word) == 12);
static_assert(sizeof(struct vpv_stream_config) +
	      VCFG_MAX_BYTES / 4 * sizeof(struct vpv_stream_word) == VPV_CONFIG_MAX_BYTES);

#define HEAD_BYTES	sizeof(struct vpv_stream_config)
#define WORD_BYTES	sizeof(struct vpv_stream_word)

void vcfg_words_begin(struct vcfg_words *w, unsigned int version, void *buf, size_t room)
{
	*w = (struct vcfg_words){
		.buf = buf, .room = room, .bytes = HEAD_BYTES, .version = version,
	};
}

void vcfg_words_put(struct vcfg_words *w, unsigned int pos, u32 val, u32 mask)
{
	struct vpv_stream_word word = {
		.pos = cpu_to_le16(pos),
		.value = cpu_to_le32(val & mask),
		.mask = cpu_to_le32(mask),
	};

	if (w->bytes + WORD_BYTES <= w->room)
		memcpy(w->buf + w->bytes, &word, WORD_BYTES);
	w->bytes += WORD_BYTES;
}

unsigned int vcfg_words_num(size_t bytes)
{
	return (bytes - HEAD_BYTES) / WORD_BYTES;
}

/* Of a payload that has a head. */
unsigned int vcfg_words_version(const void *buf)
{
	struct vpv_stream_config head;

	memcpy(&head, buf, HEAD_BYTES);
	return le16_to_cpu(head.version);
}

/* Return: bytes of the payload, or -ENOSPC. */
int vcfg_words_end(struct vcfg_words *w, unsigned int config_bytes)
{
	struct vpv_stream_config head = {
		.bytes = cpu_to_le16(config_bytes),
		.version = cpu_to_le16(w->version),
		.words = cpu_to_le32(vcfg_words_num(w->bytes)),
	};

	if (w->bytes > w->room)
		return -ENOSPC;
	memcpy(w->buf, &head, HEAD_BYTES);
	return w->bytes;
}

/* Word @i of a payload that has that many. */
void vcfg_words_get(const void *buf, unsigned int i, unsigned int *pos, u32 *val, u32 *mask)
{
	struct vpv_stream_word word;

	memcpy(&word, (const u8 *)buf + HEAD_BYTES + i * WORD_BYTES, WORD_BYTES);
	*pos = le16_to_cpu(word.pos);
	*val = le32_to_cpu(word.value);
	*mask = le32_to_cpu(word.mask);
}

int vcfg_words_differ(struct vmig_diff *diff, int err, const char *what,
		      unsigned int pos, u32 want, u32 got)
{
	*diff = (struct vmig_diff){
		.field = what, .want = want, .got = got,
		.placed = pos != VCFG_NOWHERE, .pos = pos,
	};
	return err;
}

static int check_word(const void *buf, unsigned int i, unsigned int config_bytes, int last,
		      struct vmig_diff *diff)
{
	struct vpv_stream_word word;
	unsigned int pos;

	memcpy(&word, (const u8 *)buf + HEAD_BYTES + i * WORD_BYTES, WORD_BYTES);
	pos = le16_to_cpu(word.pos);
	if (pos % 4 || pos >= config_bytes || (int)pos <= last)
		return vcfg_words_differ(diff, -EINVAL, "place of a dword of config space",
					 VCFG_NOWHERE, last + 4, pos);
	if (word.reserved)
		return vcfg_words_differ(diff, -EINVAL, "reserved field of a dword", pos, 0,
					 le16_to_cpu(word.reserved));
	if (word.value & ~word.mask)
		return vcfg_words_differ(diff, -EINVAL, "bits outside the mask", pos, 0,
					 le32_to_cpu(word.value & ~word.mask));
	return 0;
}

/*
 * Is it a list for a config space of that size, of version @newest at most?
 * Return: 0; -EINVAL; -EOPNOTSUPP for another size; -EPROTONOSUPPORT for a later version.
 */
int vcfg_words_check(const void *buf, size_t bytes, unsigned int config_bytes,
		     unsigned int newest, struct vmig_diff *diff)
{
	struct vpv_stream_config head;
	unsigned int words, pos;
	int last = -4;
	u32 val, mask;

	if (bytes < HEAD_BYTES || bytes > VPV_CONFIG_MAX_BYTES)
		return vcfg_words_differ(diff, -EINVAL, "size of a config space record",
					 VCFG_NOWHERE, HEAD_BYTES, bytes);
	memcpy(&head, buf, HEAD_BYTES);
	words = vcfg_words_num(bytes);
	if (le32_to_cpu(head.words) != words || bytes != HEAD_BYTES + words * WORD_BYTES)
		return vcfg_words_differ(diff, -EINVAL, "number of dwords of config space",
					 VCFG_NOWHERE, words, le32_to_cpu(head.words));
	if (le16_to_cpu(head.version) > newest)
		return vcfg_words_differ(diff, -EPROTONOSUPPORT,
					 "version of a config space record",
					 VCFG_NOWHERE, newest,
					 le16_to_cpu(head.version));
	if (le16_to_cpu(head.bytes) != config_bytes)
		return vcfg_words_differ(diff, -EOPNOTSUPP, "size of config space",
					 VCFG_NOWHERE, config_bytes,
					 le16_to_cpu(head.bytes));
	for (unsigned int i = 0; i < words; i++) {
		int err = check_word(buf, i, config_bytes, last, diff);

		if (err)
			return err;
		vcfg_words_get(buf, i, &pos, &val, &mask);
		last = pos;
	}
	return 0;
}
