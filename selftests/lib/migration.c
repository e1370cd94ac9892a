// SPDX-License-Identifier: GPL-2.0
/* Migration of an open function (migration.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "migration.h"

#define STREAM_ROOM_MAX (64U << 20)

const char *mig_state_name(unsigned int state)
{
	static const char *const names[MIG_STATES] = {
		"ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P",
		"PRE_COPY", "PRE_COPY_P2P",
	};

	return state < MIG_STATES ? names[state] : "unknown";
}

int mig_flags(struct vdev *v, uint64_t *flags)
{
	struct vfio_device_feature_migration m = {};
	int err = vdev_feature(v, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION, &m,
			       sizeof(m));

	*flags = m.flags;
	return err;
}

int mig_get(struct vdev *v)
{
	struct vfio_device_feature_mig_state m = {};
	int err = vdev_feature(v, VFIO_DEVICE_FEATURE_GET |
				  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &m, sizeof(m));

	return err ? err : (int)m.device_state;
}

int mig_set(struct vdev *v, unsigned int state, int *data_fd)
{
	struct vfio_device_feature_mig_state m = { .device_state = state, .data_fd = -1 };
	int err = vdev_feature(v, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &m, sizeof(m));

	if (data_fd)
		*data_fd = err ? -1 : m.data_fd;
	else if (!err && m.data_fd >= 0)
		close(m.data_fd);
	return err;
}

int mig_data_size(struct vdev *v, uint64_t *bytes)
{
	struct vfio_device_feature_mig_data_size m = {};
	int err = vdev_feature(v, VFIO_DEVICE_FEATURE_GET |
				  VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, &m, sizeof(m));

	*bytes = m.stop_copy_length;
	return err;
}

int mig_precopy_info(int data_fd, struct vfio_precopy_info *info)
{
	info->argsz = sizeof(*info);
	return ioctl(data_fd, VFIO_MIG_GET_PRECOPY_INFO, info) ? -errno : 0;
}

int mig_debugfs(const char *bdf, const char *name, char *buf, size_t room)
{
	char path[128];
	FILE *file;
	size_t n;
	int err;

	snprintf(path, sizeof(path), "/sys/kernel/debug/vpv_migration/%s/%s", bdf, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	n = fread(buf, 1, room - 1, file);
	buf[n] = 0;
	err = ferror(file) ? -EIO : 0;
	fclose(file);
	return err;
}

int mig_session(const struct vdev *v, const char *kind, struct mig_session *s)
{
	char text[512], *rest = text, *line;
	int err = mig_debugfs(v->slot.bdf, "sessions", text, sizeof(text));

	if (err)
		return err;
	err = -ENODATA;
	while (err && (line = strsep(&rest, "\n"))) {
		unsigned long long n[6];
		char name[8];

		if (sscanf(line, "%7s result %d bytes %llu records %llu held %llu waited %llu"
			   " rest %llu dirty %llu", name, &s->result, &n[0], &n[1], &n[2], &n[3],
			   &n[4], &n[5]) != 8 ||
		    strcmp(name, kind))
			continue;
		s->bytes = n[0];
		s->records = n[1];
		s->held = n[2];
		s->waited_us = n[3];
		s->rest = n[4];
		s->dirty = n[5];
		err = 0;
	}
	return err;
}

int blob_append(struct blob *b, const void *data, size_t bytes)
{
	if (b->bytes + bytes > b->room) {
		size_t room = (b->bytes + bytes) * 2;
		void *p = room > STREAM_ROOM_MAX ? NULL : realloc(b->data, room);

		if (!p)
			return -ENOMEM;
		b->data = p;
		b->room = room;
	}
	if (bytes)
		memcpy(b->data + b->bytes, data, bytes);
	b->bytes += bytes;
	return 0;
}

void blob_free(struct blob *b)
{
	free(b->data);
	*b = (struct blob){};
}

int blob_pull(struct blob *b, int data_fd, size_t chunk)
{
	uint8_t buf[65536];
	ssize_t n;
	int err = 0;

	if (!chunk || chunk > sizeof(buf))
		chunk = sizeof(buf);
	while (!err) {
		n = read(data_fd, buf, chunk);
		if (n <= 0)
			return n ? -errno : 0;
		err = blob_append(b, buf, n);
	}
	return err;
}

int blob_push(const struct blob *b, int data_fd, size_t from, size_t to, size_t chunk)
{
	while (from < to) {
		size_t want = chunk && chunk < to - from ? chunk : to - from;
		ssize_t n = write(data_fd, b->data + from, want);

		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		from += n;
	}
	return 0;
}

int mig_precopy(struct vdev *v, struct blob *b, int *fd)
{
	int err = mig_set(v, VFIO_DEVICE_STATE_PRE_COPY, fd);

	if (err)
		return err;
	err = blob_pull(b, *fd, 0);
	if (err == -ENOMSG)
		return 0;
	close(*fd);
	return err ? err : -EPROTO;
}

int mig_stop_copy(struct vdev *v, struct blob *b, int fd)
{
	int err = mig_set(v, VFIO_DEVICE_STATE_STOP_COPY, fd < 0 ? &fd : NULL);

	if (!err)
		err = blob_pull(b, fd, 0);
	if (fd >= 0)
		close(fd);
	return err ? err : mig_set(v, VFIO_DEVICE_STATE_STOP, NULL);
}

int mig_save(struct vdev *v, struct blob *b, bool precopy)
{
	int fd = -1, err = precopy ? mig_precopy(v, b, &fd) : 0;

	return err ? err : mig_stop_copy(v, b, fd);
}

int mig_load(struct vdev *v, const struct blob *b, unsigned int end)
{
	int fd, err = mig_set(v, VFIO_DEVICE_STATE_RESUMING, &fd);

	if (err)
		return err;
	err = blob_push(b, fd, 0, b->bytes, 0);
	if (!err)
		err = mig_set(v, end, NULL);
	close(fd);
	return err;
}

uint32_t crc32c(uint32_t seed, const void *data, size_t bytes)
{
	const uint8_t *p = data;
	uint32_t crc = ~seed;

	while (bytes--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

int stream_split(struct stream *s, const struct blob *b)
{
	size_t pos = sizeof(s->header);

	memset(s, 0, sizeof(*s));
	if (b->bytes < pos)
		return -ENODATA;
	memcpy(&s->header, b->data, sizeof(s->header));
	while (pos < b->bytes) {
		struct vpv_stream_record *r = &s->rec[s->num];

		if (s->num == STREAM_MAX_RECORDS || b->bytes - pos < sizeof(*r))
			return -EPROTO;
		memcpy(r, b->data + pos, sizeof(*r));
		s->pos[s->num] = pos;
		pos += sizeof(*r);
		if (r->bytes > b->bytes - pos)
			return -EPROTO;
		s->payload[s->num++] = b->data + pos;
		pos += r->bytes;
	}
	return s->num ? 0 : -ENODATA;
}

/* As include/uapi/vpv/stream.h defines it, in its words. */
static uint64_t payload_sum(const uint8_t *p, size_t bytes)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bytes; i += 8) {
		uint64_t word = 0;

		memcpy(&word, p + i, bytes - i < 8 ? bytes - i : 8);
		sum += word * VPV_STREAM_SUM_WORD;
		sum = (sum << 31 | sum >> 33) * VPV_STREAM_SUM_STEP;
	}
	return sum;
}

void stream_checksum(struct stream *s)
{
	uint32_t chain;

	s->header.crc = 0;
	s->header.crc = chain = crc32c(0, &s->header, sizeof(s->header));
	for (unsigned int i = 0; i < s->num; i++) {
		struct vpv_stream_record *r = &s->rec[i];

		r->payload_sum = payload_sum(s->payload[i], r->bytes);
		r->crc = 0;
		r->crc = chain = crc32c(chain, r, sizeof(*r));
	}
}

void stream_seal(struct stream *s, struct vpv_stream_end *end)
{
	*end = (struct vpv_stream_end){};
	for (unsigned int i = 0; i < s->num; i++) {
		s->rec[i].seq = i;
		if (s->rec[i].type == VPV_RECORD_END) {
			s->payload[i] = end;
			s->rec[i].bytes = sizeof(*end);
		} else {
			end->records++;
			end->bytes += s->rec[i].bytes;
		}
	}
	stream_checksum(s);
}

int stream_join(const struct stream *s, struct blob *b)
{
	int err = blob_append(b, &s->header, sizeof(s->header));

	for (unsigned int i = 0; i < s->num && !err; i++) {
		err = blob_append(b, &s->rec[i], sizeof(s->rec[i]));
		if (!err)
			err = blob_append(b, s->payload[i], s->rec[i].bytes);
	}
	return err;
}
