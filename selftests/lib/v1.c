// SPDX-License-Identifier: GPL-2.0
/* Migration by the region of v1 (v1.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "v1.h"

int v1_dialect(const char *bdf, const char *name)
{
	return vdev_sysfs_write(bdf, "vpv/dialect", name);
}

void v1_dialect_is(const char *bdf, char *name, size_t room)
{
	if (vdev_sysfs_read(bdf, "vpv/dialect", name, room) < 0)
		name[0] = 0;
	name[strcspn(name, "\n")] = 0;
}

/* 0 if it is the region, after having read its other capabilities. */
static int look_at_caps(struct v1 *r, const uint8_t *buf, uint32_t at, uint32_t bytes)
{
	bool found = false;

	r->states = 0;
	r->sparse_pos = 0;
	r->sparse_bytes = 0;
	while (at && at + sizeof(struct vfio_info_cap_header) <= bytes) {
		const struct vfio_info_cap_header *head = (const void *)(buf + at);
		const struct vfio_region_info_cap_type *type = (const void *)head;
		const struct vfio_region_info_cap_sparse_mmap *sparse = (const void *)head;
		const struct vpv_region_info_cap_v1_states *states = (const void *)head;

		if (head->id == VFIO_REGION_INFO_CAP_TYPE)
			found = type->type == VFIO_REGION_TYPE_MIGRATION_DEPRECATED &&
				type->subtype == VFIO_REGION_SUBTYPE_MIGRATION_DEPRECATED;
		if (head->id == VPV_REGION_INFO_CAP_V1_STATES)
			r->states = states->states;
		if (head->id == VFIO_REGION_INFO_CAP_SPARSE_MMAP && sparse->nr_areas == 1) {
			r->sparse_pos = sparse->areas[0].offset;
			r->sparse_bytes = sparse->areas[0].size;
		}
		at = head->next;
	}
	return found ? 0 : -ENOENT;
}

int v1_find(struct v1 *r, struct vdev *v)
{
	struct vfio_device_info dev = { .argsz = sizeof(dev) };
	uint64_t buf[64];

	*r = (struct v1){ .v = v };
	if (ioctl(v->fd, VFIO_DEVICE_GET_INFO, &dev))
		return -errno;
	for (r->index = VFIO_PCI_NUM_REGIONS; r->index < dev.num_regions; r->index++) {
		struct vfio_region_info *info = (void *)buf;

		*info = (struct vfio_region_info){ .argsz = sizeof(buf), .index = r->index };
		if (ioctl(v->fd, VFIO_DEVICE_GET_REGION_INFO, info))
			return -errno;
		if (!look_at_caps(r, (void *)buf, info->cap_offset, sizeof(buf)))
			return info->size == VPV_V1_REGION_BYTES ? 0 : -EPROTO;
	}
	return -ENOENT;
}

int v1_map(struct v1 *r)
{
	struct vfio_region_info info;
	int err = vdev_region(r->v, r->index, &info);
	void *p;

	if (err)
		return err;
	p = mmap(NULL, VPV_V1_WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, r->v->fd,
		 info.offset + VPV_V1_WINDOW);
	if (p == MAP_FAILED)
		return -errno;
	r->window = p;
	return 0;
}

void v1_unmap(struct v1 *r)
{
	if (r->window)
		munmap(r->window, VPV_V1_WINDOW_BYTES);
	r->window = NULL;
}

static int field_get(struct v1 *r, uint64_t pos, void *val, size_t bytes)
{
	long n = vdev_pread(r->v, r->index, pos, val, bytes);

	return n < 0 ? n : n == (long)bytes ? 0 : -EPROTO;
}

static int field_set(struct v1 *r, uint64_t pos, const void *val, size_t bytes)
{
	long n = vdev_pwrite(r->v, r->index, pos, val, bytes);

	return n < 0 ? n : n == (long)bytes ? 0 : -EPROTO;
}

int v1_get(struct v1 *r, uint32_t *state)
{
	return field_get(r, VPV_V1_DEVICE_STATE, state, sizeof(*state));
}

int v1_set(struct v1 *r, uint32_t state)
{
	return field_set(r, VPV_V1_DEVICE_STATE, &state, sizeof(state));
}

int v1_pending(struct v1 *r, uint64_t *bytes)
{
	return field_get(r, VPV_V1_PENDING_BYTES, bytes, sizeof(*bytes));
}

int v1_offset(struct v1 *r, uint64_t *pos)
{
	return field_get(r, VPV_V1_DATA_OFFSET, pos, sizeof(*pos));
}

int v1_size(struct v1 *r, uint64_t *bytes)
{
	return field_get(r, VPV_V1_DATA_SIZE, bytes, sizeof(*bytes));
}

static int window_get(struct v1 *r, uint64_t pos, void *to, size_t bytes)
{
	if (!r->window)
		return field_get(r, pos, to, bytes);
	memcpy(to, r->window + pos - VPV_V1_WINDOW, bytes);
	return 0;
}

static int window_set(struct v1 *r, uint64_t pos, const void *from, size_t bytes)
{
	if (!r->window)
		return field_set(r, pos, from, bytes);
	memcpy(r->window + pos - VPV_V1_WINDOW, from, bytes);
	return 0;
}

long v1_read_piece(struct v1 *r, struct blob *b)
{
	uint64_t pos, bytes;
	void *piece;
	int err;

	err = v1_offset(r, &pos);
	err = err ? err : v1_size(r, &bytes);
	if (err || !bytes)
		return err;
	if (pos < VPV_V1_WINDOW || pos + bytes > VPV_V1_REGION_BYTES)
		return -ERANGE;
	piece = malloc(bytes);
	if (!piece)
		return -ENOMEM;
	err = window_get(r, pos, piece, bytes);
	err = err ? err : blob_append(b, piece, bytes);
	free(piece);
	return err ? err : (long)bytes;
}

int v1_drain(struct v1 *r, struct blob *b)
{
	uint64_t pending;
	long n;
	int err;

	for (;;) {
		err = v1_pending(r, &pending);
		if (err || !pending)
			return err;
		n = v1_read_piece(r, b);
		/* Of a device that says that there is more, not at the end. */
		if (n <= 0)
			return n;
	}
}

int v1_push(struct v1 *r, const struct blob *b, size_t from, size_t to, size_t chunk)
{
	int err = 0;

	if (!chunk)
		chunk = VPV_V1_WINDOW_BYTES;
	while (from < to && !err) {
		uint64_t pos, bytes = chunk < to - from ? chunk : to - from;

		err = v1_offset(r, &pos);
		err = err ? err : window_set(r, pos, b->data + from, bytes);
		err = err ? err : field_set(r, VPV_V1_DATA_SIZE, &bytes, sizeof(bytes));
		from += bytes;
	}
	return err;
}

int v1_save(struct v1 *r, struct blob *b, bool precopy)
{
	uint64_t pending;
	int err = 0;

	if (precopy) {
		err = v1_set(r, V1_R | V1_S);
		err = err ? err : v1_drain(r, b);
	}
	err = err ? err : v1_set(r, V1_S);
	err = err ? err : v1_drain(r, b);
	if (!err) {
		err = v1_pending(r, &pending);
		err = err ? err : pending ? -EBUSY : 0;
	}
	return err ? err : v1_set(r, 0);
}

int v1_load(struct v1 *r, const struct blob *b, uint32_t end)
{
	int err = v1_set(r, V1_L);

	err = err ? err : v1_push(r, b, 0, b->bytes, 0);
	return err ? err : v1_set(r, end);
}
