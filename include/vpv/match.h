/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables by which a family describes what is right: fields of match data, of which
 * vpv/migration.h has the rest, and ranges of values.  For pure files, too.
 */
#ifndef VPV_MATCH_H
#define VPV_MATCH_H

#include <vpv/diff.h>
#include <vpv/pure.h>

/**
 * enum vmig_match_rule - What a field of a source has to be
 * @VMIG_MATCH_EQUAL: The same as here.
 * @VMIG_MATCH_AT_MOST: Not more than here: a limit of what the user may use.
 * @VMIG_MATCH_AT_LEAST: Not less than here: the oldest version that is understood.
 * @VMIG_MATCH_SUBSET: No bit that is not set here: a mask of features.
 * @VMIG_MATCH_CONSTANT: What every source has written; anything else makes no sense, which is
 *	-EINVAL instead of -EOPNOTSUPP.
 * @VMIG_MATCH_TEXT: The same text as here; it ends with a zero within the field, or else makes
 *	no sense.
 */
enum vmig_match_rule {
	VMIG_MATCH_EQUAL,
	VMIG_MATCH_AT_MOST,
	VMIG_MATCH_AT_LEAST,
	VMIG_MATCH_SUBSET,
	VMIG_MATCH_CONSTANT,
	VMIG_MATCH_TEXT,
};

/**
 * struct vmig_match_field - A field of match data, little-endian
 * @name: For the log line of a refusal.
 * @rule: What it has to be.
 * @bytes: Its size: 1, 2, 4 or 8; of a text up to 255.
 * @offset: In the match data of a source, in bytes.
 * @here: Where in that of this device it finds what it is compared with.
 */
struct vmig_match_field {
	const char *name;
	enum vmig_match_rule rule;
	u8 bytes;
	u32 offset;
	u32 here;
};

/**
 * VMIG_MATCH_AGAINST - Initialiser of a struct vmig_match_field
 * @_name: For the log line of a refusal.
 * @_rule: enum vmig_match_rule.
 * @_data: Type of what vmig_ops.match writes.
 * @_field: Member of it that the source has sent.
 * @_here: Member with which it is compared, of the same size.
 */
#define VMIG_MATCH_AGAINST(_name, _rule, _data, _field, _here) {		\
	.name = (_name), .rule = (_rule), .bytes = sizeof_field(_data, _field),	\
	.offset = offsetof(_data, _field), .here = offsetof(_data, _here),	\
}

/**
 * VMIG_MATCH_FIELD - The same for a field that is compared with itself
 * @_name: For the log line of a refusal.
 * @_rule: enum vmig_match_rule.
 * @_data: Type of the match data.
 * @_field: Member of it.
 */
#define VMIG_MATCH_FIELD(_name, _rule, _data, _field)				\
	VMIG_MATCH_AGAINST(_name, _rule, _data, _field, _field)

/**
 * struct vmig_range_rule - A value that has to be in a range
 * @name: For the log line of a refusal.
 * @value: What it is.
 * @min: The least that it may be.
 * @max: The most.
 */
struct vmig_range_rule {
	const char *name;
	u64 value;
	u64 min;
	u64 max;
};

/**
 * vmig_in_range() - Are all values in their ranges?
 * @rules: Values; the first that is not in its range is reported.
 * @num: Their number.
 * @err: What is returned then.
 * @diff: Receives it, with the bound that was exceeded.
 *
 * Return: 0 or @err.
 */
static inline int vmig_in_range(const struct vmig_range_rule *rules, size_t num, int err,
				struct vmig_diff *diff)
{
	for (size_t i = 0; i < num; i++) {
		const struct vmig_range_rule *r = &rules[i];

		if (r->value < r->min)
			return vmig_differs(diff, err, r->name, r->min, r->value);
		if (r->value > r->max)
			return vmig_differs(diff, err, r->name, r->max, r->value);
	}
	return 0;
}

/**
 * vmig_same_words() - Does a function say of itself what it has said before?
 * @names: Of 32-bit words, for the log line of a refusal; the first that differs is reported.
 * @num: Their number.
 * @before: What it has said.
 * @now: What it says.
 * @err: What is returned if that differs.
 * @diff: Receives it.
 *
 * Return: 0 or @err.
 */
static inline int vmig_same_words(const char *const *names, size_t num, const void *before,
				  const void *now, int err, struct vmig_diff *diff)
{
	for (size_t i = 0; i < num; i++) {
		u32 was = get_unaligned_le32((const u8 *)before + i * sizeof(__le32));
		u32 is = get_unaligned_le32((const u8 *)now + i * sizeof(__le32));

		if (is != was)
			return vmig_differs(diff, err, names[i], was, is);
	}
	return 0;
}

#endif /* VPV_MATCH_H */
