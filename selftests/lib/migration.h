/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Migration of an open function: states, data files, and streams in memory.
 * Functions return 0 (or what they name) or a negative errno.
 */
#ifndef SELFTEST_MIGRATION_H
#define SELFTEST_MIGRATION_H

#include <vpv/stream.h>

#include "device.h"

#define MIG_STATES 8	/* VFIO_DEVICE_STATE_ERROR (0) to PRE_COPY_P2P (7) */

const char *mig_state_name(unsigned int state);

int mig_flags(struct vdev *v, uint64_t *flags);
int mig_get(struct vdev *v);
/* @data_fd may be NULL when no session starts; a session's file is closed then. */
int mig_set(struct vdev *v, unsigned int state, int *data_fd);
int mig_data_size(struct vdev *v, uint64_t *bytes);
int mig_precopy_info(int data_fd, struct vfio_precopy_info *info);

/* All of a file of the migration library's debugfs folder of @bdf, as a string; cut at @room. */
int mig_debugfs(const char *bdf, const char *name, char *buf, size_t room);

/**
 * struct mig_session - What debugfs tells of the last session of a kind
 * @result: How it ended.
 * @bytes: Read or written.
 * @records: In them.
 * @held: Most bytes of memory that the driver held.
 * @waited_us: How long reads or writes waited for the device.
 * @rest: To come, as far as it is known.
 * @dirty: Of these, what the device would add now.
 */
struct mig_session {
	int result;
	uint64_t bytes;
	uint64_t records;
	uint64_t held;
	uint64_t waited_us;
	uint64_t rest;
	uint64_t dirty;
};

/* @kind is "save" or "load"; -ENODATA if there was none. */
int mig_session(const struct vdev *v, const char *kind, struct mig_session *s);

/* Bytes of a stream. */
struct blob {
	uint8_t *data;
	size_t bytes;
	size_t room;
};

int blob_append(struct blob *b, const void *data, size_t bytes);
void blob_free(struct blob *b);

/*
 * Read up to @chunk at a time until the end: 0 at the end of file, -ENOMSG when
 * pre-copy is drained, another errno as read() gave it.
 */
int blob_pull(struct blob *b, int data_fd, size_t chunk);
/* Write [from, to) in pieces of @chunk; the first error. */
int blob_push(const struct blob *b, int data_fd, size_t from, size_t to, size_t chunk);

/* Save what pre-copy gives; on success the device is in PRE_COPY, and @fd is open. */
int mig_precopy(struct vdev *v, struct blob *b, int *fd);
/* Save the rest, or all if @fd is none; it is closed, and on return the device is in STOP. */
int mig_stop_copy(struct vdev *v, struct blob *b, int fd);
/* Save everything: on return the device is in STOP. */
int mig_save(struct vdev *v, struct blob *b, bool precopy);
/* Load everything: on success the device is in @end. */
int mig_load(struct vdev *v, const struct blob *b, unsigned int end);

#define STREAM_MAX_RECORDS 640

/**
 * struct stream - A stream taken apart, to be changed and put together again
 * @header: Its header.
 * @rec: Heads of its records.
 * @payload: Their payloads, inside the blob it was made from or anywhere.
 * @pos: Where each record began in that blob.
 * @num: Number of records, END included.
 */
struct stream {
	struct vpv_stream_header header;
	struct vpv_stream_record rec[STREAM_MAX_RECORDS];
	const void *payload[STREAM_MAX_RECORDS];
	size_t pos[STREAM_MAX_RECORDS];
	unsigned int num;
};

uint32_t crc32c(uint32_t seed, const void *data, size_t bytes);
int stream_split(struct stream *s, const struct blob *b);
/* Make every checksum, sequence number and total right again. */
void stream_seal(struct stream *s, struct vpv_stream_end *end);
/* Only the checksums. */
void stream_checksum(struct stream *s);
int stream_join(const struct stream *s, struct blob *b);

#endif /* SELFTEST_MIGRATION_H */
