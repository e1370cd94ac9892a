/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records that the migration library keeps until the stream is complete; vpv/migration.h
 * has the rest.
 */
#ifndef VPV_STAGED_H
#define VPV_STAGED_H

#include <linux/types.h>

struct vmig_dev;
struct vmig_diff;

/**
 * struct vmig_staged_record - Records of one type, checked early and committed late
 *
 * A record of a loaded stream is checked when it has arrived, and its bytes are kept.
 * When the stream was complete, all are committed: type by type in the order of the table,
 * and those of one type by their index.
 *
 * The library refuses, with one log line, records that are too short or too long, a second
 * one with the same index, and a stream without a mandatory one.
 *
 * @name: What it is, for the log.
 * @type: Type of the family, VPV_RECORD_FAMILY or above.
 * @min_bytes: Least size.
 * @max_bytes: Greatest size, at most vmig_desc.max_payload.
 * @most: Most records of this type; more than one only with @check, which tells them apart.
 * @mandatory: A stream without one is refused.
 */
struct vmig_staged_record {
	const char *name;
	u32 type;
	u32 min_bytes;
	u32 max_bytes;
	u32 most;
	bool mandatory;

	/**
	 * @check: Does this content make sense here?
	 * @data: Content; untrusted, its size within the limits of the table.
	 * @index: Set to which record of this type it is, below @most; 0 if it is left alone.
	 * @diff: Receives what does not; vmig_refuse() is called with it.
	 *
	 * Context: in RESUMING, in the context of the writer.  Must not change the device.
	 * Return: 0, or a negative errno that refuses the stream.
	 */
	int (*check)(struct vmig_dev *mig, const void *data, size_t bytes, u32 *index,
		     struct vmig_diff *diff);

	/**
	 * @commit: Mandatory.  Give the content to the device.
	 * @index: What @check said.
	 * @data: Content, aligned for any type.
	 *
	 * Context: on RESUMING -> STOP.  The stream was complete.
	 * Return: 0, or a negative errno: the library then puts the device into ERROR
	 * (vmig_refuse() says what the device did not take).
	 */
	int (*commit)(struct vmig_dev *mig, u32 index, const void *data, size_t bytes);
};

#endif /* VPV_STAGED_H */
