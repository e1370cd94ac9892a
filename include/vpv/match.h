/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a family describes its match data, of which vpv/migration.h has the rest.
 */
#ifndef VPV_MATCH_H
#define VPV_MATCH_H

#include <linux/types.h>

/**
 * enum vmig_match_rule - What a field of a source has to be
 * @VMIG_MATCH_EQUAL: The same as here.
 * @VMIG_MATCH_AT_MOST: Not more than here: a limit of what the user may use.
 * @VMIG_MATCH_SUBSET: No bit that is not set here: a mask of features.
 */
enum vmig_match_rule {
	VMIG_MATCH_EQUAL,
	VMIG_MATCH_AT_MOST,
	VMIG_MATCH_SUBSET,
};

/**
 * struct vmig_match_field - A field of match data, of type __le32
 * @name: For the log line of a refusal.
 * @offset: In the match data, in bytes.
 * @rule: What it has to be.
 */
struct vmig_match_field {
	const char *name;
	__u32 offset;
	enum vmig_match_rule rule;
};

#endif /* VPV_MATCH_H */
