// SPDX-License-Identifier: GPL-2.0
/*
 * Config space in a stream.  The form of VIEW and CONFIG is checked by the kernel's own
 * code (config_virt/words.c), what they hold against the persona, if that is given.
 */
#include <errno.h>
#include <stdlib.h>

#include "config_virt/vcfg.h"
#include "stream_config.h"
#include "vpvctl.h"

bool stream_config_is(u32 type)
{
	return type == VPV_RECORD_VIEW || type == VPV_RECORD_CONFIG;
}

bool stream_config_header(const struct vpv_stream_header *h, const char **field,
			  char *text, size_t size)
{
	bool named = h->persona[0];
	bool digest = memchr_inv(h->persona_digest, 0, sizeof(h->persona_digest));

	*field = NULL;
	if (named && !vcfg_persona_name_good(h->persona)) {
		*field = "persona";
		snprintf(text, size, "persona: expected a name, found something else");
	} else if (named != !!h->persona_version) {
		*field = "persona version";
		snprintf(text, size, "persona version: expected %s, found %u",
			 named ? "one that is not 0" : "0 for the default one",
			 le32_to_cpu(h->persona_version));
	} else if (named != digest) {
		*field = "persona digest (first 8 bytes)";
		snprintf(text, size, "persona digest: expected %s",
			 named ? "one, found zeros" : "zeros for the default one");
	}
	return !*field;
}

static unsigned int words_of(const void *data)
{
	struct vpv_stream_config head;

	memcpy(&head, data, sizeof(head));
	return le32_to_cpu(head.words);
}

static int wrong(char *text, size_t size, unsigned int pos, const char *what, u32 want,
		 u32 got)
{
	snprintf(text, size, "%s at %#05x: expected %#x, found %#x", what, pos, want, got);
	return -EINVAL;
}

/* Bits of a dword that can be state beside those: the hardware's, and addresses. */
static u32 other_state(const void *data, const struct vcfg_persona *p, unsigned int pos)
{
	if (!vcfg_words_version(data))
		return 0;
	return vcfg_is_bar(pos) ? ~0U : vcfg_get32(p->hw, pos);
}

static int check_state(const void *data, const struct vcfg_persona *p, char *text, size_t size)
{
	unsigned int words = words_of(data), i = 0;

	for (unsigned int pos = 0; pos < p->config_bytes; pos += 4) {
		u32 write, want = vcfg_persona_emulated(p, pos, &write), val = 0, mask = 0;
		unsigned int at = 0;

		if (i < words)
			vcfg_words_get(data, i, &at, &val, &mask);
		if (i == words || at != pos)
			mask = 0;
		else
			i++;
		if (want & ~mask)
			return wrong(text, size, pos, "emulated bits of config space", want, mask);
		want |= other_state(data, p, pos);
		if (mask & ~want)
			return wrong(text, size, pos, "bits of config space that are no state",
				     want, mask);
	}
	return 0;
}

/* What the persona alone decides is what the user must have read. */
static int check_view(const void *data, const struct vcfg_persona *p, char *text, size_t size)
{
	for (unsigned int i = 0; i < words_of(data); i++) {
		unsigned int pos;
		u32 val, mask, known, want;

		vcfg_words_get(data, i, &pos, &val, &mask);
		known = vcfg_get32(p->known, pos) & mask;
		want = vcfg_get32(p->val, pos) & known;
		if ((val & known) != want) {
			wrong(text, size, pos, "config space", want, val & known);
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

int stream_config_check(u32 type, const void *data, size_t bytes,
			const struct vcfg_persona *persona, char *text, size_t size)
{
	struct vpv_stream_config head = { 0 };
	struct vmig_diff diff;
	unsigned int config_bytes;
	int err;

	memcpy(&head, data, min(bytes, sizeof(head)));
	config_bytes = le16_to_cpu(head.bytes);
	if (config_bytes != VCFG_STD_BYTES || (persona && persona->config_bytes != config_bytes))
		config_bytes = persona ? persona->config_bytes : VCFG_MAX_BYTES;
	err = vcfg_words_check(data, bytes, config_bytes,
			       type == VPV_RECORD_CONFIG ? VPV_CONFIG_VERSION : 0, &diff);
	if (err) {
		snprintf(text, size, "%s: expected %#llx, found %#llx", diff.field,
			 (unsigned long long)diff.want, (unsigned long long)diff.got);
		return err;
	}
	if (!persona)
		return 0;
	return type == VPV_RECORD_CONFIG ? check_state(data, persona, text, size) :
					   check_view(data, persona, text, size);
}

void stream_config_print(const void *data, size_t bytes)
{
	unsigned int pos;
	u32 val, mask;

	if (vcfg_words_version(data))
		printf("%20s version %u\n", "", vcfg_words_version(data));
	for (unsigned int i = 0; i < vcfg_words_num(bytes); i++) {
		vcfg_words_get(data, i, &pos, &val, &mask);
		printf("%20s %#05x: %08x", "", pos, val);
		if (mask != ~0U)
			printf(" of the bits %08x", mask);
		putchar('\n');
	}
}

struct json_object *stream_config_json(const void *data, size_t bytes)
{
	struct json_object *list = json_object_new_array();
	unsigned int pos;
	u32 val, mask;

	for (unsigned int i = 0; i < vcfg_words_num(bytes); i++) {
		struct json_object *word = json_object_new_object();

		vcfg_words_get(data, i, &pos, &val, &mask);
		put_hex(word, "offset", 3, pos);
		put_hex(word, "value", 8, val);
		put_hex(word, "mask", 8, mask);
		json_object_array_add(list, word);
	}
	return list;
}
