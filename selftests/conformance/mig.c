// SPDX-License-Identifier: GPL-2.0
/* States, data files and streams (mig.h). */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mig.h"

const struct layer *sys;

const char *state_name(int state)
{
	static const char *const names[STATES] = {
		"ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P", "PRE_COPY",
		"PRE_COPY_P2P",
	};

	if (state < 0)
		return "none (GET_STATE failed)";
	return state < STATES ? names[state] : "unknown";
}

unsigned int state_needs(unsigned int state)
{
	switch (state) {
	case RUNNING_P2P:
		return NEED_P2P;
	case PRE_COPY:
		return NEED_PRECOPY;
	case PRE_COPY_P2P:
		return NEED_PRECOPY | NEED_P2P;
	default:
		return 0;
	}
}

bool has_state(const struct ctx *c, unsigned int state)
{
	return !(state_needs(state) & ~c->has);
}

int feature(struct dev *d, uint32_t flags, void *data, size_t bytes)
{
	union {
		struct vfio_device_feature head;
		uint8_t raw[128];
	} f = { .head = { .argsz = sizeof(f.head) + bytes, .flags = flags } };
	int err;

	if (bytes)
		memcpy(f.head.data, data, bytes);
	err = sys->ioctl(d, VFIO_DEVICE_FEATURE, &f);
	if (bytes)
		memcpy(data, f.head.data, bytes);
	return err;
}

int get_flags(struct dev *d, uint64_t *flags)
{
	struct vfio_device_feature_migration m = {};
	int err = feature(d, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION, &m,
			  sizeof(m));

	*flags = m.flags;
	return err;
}

int get_state(struct dev *d)
{
	struct vfio_device_feature_mig_state m = {};
	int err = feature(d, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &m,
			  sizeof(m));

	return err ? err : (int)m.device_state;
}

int set_state(struct dev *d, unsigned int state, int *fd)
{
	struct vfio_device_feature_mig_state m = { .device_state = state, .data_fd = -1 };
	int err = feature(d, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &m,
			  sizeof(m));

	if (fd)
		*fd = err ? -1 : m.data_fd;
	else if (!err && m.data_fd >= 0)
		close(m.data_fd);
	return err;
}

int data_size(struct dev *d, uint64_t *bytes)
{
	struct vfio_device_feature_mig_data_size m = {};
	int err = feature(d, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, &m,
			  sizeof(m));

	*bytes = m.stop_copy_length;
	return err;
}

int device_reset(struct dev *d)
{
	int err;

	/* -EAGAIN: somebody else has the device's lock at the moment. */
	for (unsigned int i = 0; i < 100; i++) {
		err = sys->ioctl(d, VFIO_DEVICE_RESET, NULL);
		if (err != -EAGAIN)
			break;
		usleep(10000);
	}
	return err;
}

int precopy_info(int fd, struct vfio_precopy_info *info)
{
	*info = (struct vfio_precopy_info){
		.argsz = sizeof(*info), .initial_bytes = UINT64_MAX, .dirty_bytes = UINT64_MAX,
	};
	return sys->file_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, info);
}

int opt_in_v2(struct dev *d)
{
	return feature(d, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, NULL,
		       0);
}

int stop_logging(struct dev *d)
{
	return feature(d, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0);
}

static int open_with_memory(struct ctx *c, struct dev *d)
{
	int err = sys->open(d);

	return err || !c->mem ? err : sys->map(d, c->mem, MEM_IOVA, MEM_BYTES);
}

int settle_by_reset(struct ctx *c, struct dev *d)
{
	int err = d->fd < 0 ? open_with_memory(c, d) : 0;

	if (err || !c->migrates)
		return err;
	/* Also where the device does not say that it can be reset. */
	if (!device_reset(d) && get_state(d) == RUNNING)
		return 0;
	sys->close(d);
	err = open_with_memory(c, d);
	return err || get_state(d) == RUNNING ? err : -EIO;
}

int settle(struct ctx *c, struct dev *d)
{
	bool fresh = d->fd < 0;
	int err = fresh ? open_with_memory(c, d) : 0;

	if (err || !c->migrates || get_state(d) == RUNNING)
		return err;
	/* A driver that kept the state over close and open may not have kept what belongs to it. */
	if (!fresh && !set_state(d, RUNNING, NULL))
		return 0;
	return settle_by_reset(c, d);
}

int blob_add(struct blob *b, const void *data, size_t bytes)
{
	if (b->bytes + bytes > b->room) {
		size_t room = (b->bytes + bytes) * 2;
		void *more = b->bytes + bytes > SAMPLE_MAX ? NULL : realloc(b->data, room);

		if (!more)
			return -ENOMEM;
		b->data = more;
		b->room = room;
	}
	if (bytes)
		memcpy(b->data + b->bytes, data, bytes);
	b->bytes += bytes;
	return 0;
}

void blob_free(struct blob *b)
{
	/* The sample is nobody's. */
	if (b->room)
		free(b->data);
	*b = (struct blob){};
}

static int pull(struct blob *b, int fd, size_t step, size_t limit)
{
	static uint8_t buf[1 << 18];
	int err = 0;

	if (!step || step > sizeof(buf))
		step = sizeof(buf);
	while (!err && limit) {
		ssize_t n = sys->read(fd, buf, step < limit ? step : limit);

		if (n <= 0)
			return n;
		err = (size_t)n > step ? -EMSGSIZE : blob_add(b, buf, n);
		limit -= n;
	}
	return err;
}

int blob_read(struct blob *b, int fd, size_t step)
{
	return pull(b, fd, step, SIZE_MAX);
}

int blob_read_some(struct blob *b, int fd, size_t bytes)
{
	return pull(b, fd, bytes, bytes);
}

int blob_write(const struct blob *b, int fd, size_t step)
{
	for (size_t pos = 0; pos < b->bytes;) {
		size_t want = step && step < b->bytes - pos ? step : b->bytes - pos;
		ssize_t n = sys->write(fd, b->data + pos, want);

		if (n <= 0 || (size_t)n > want)
			return n < 0 ? n : -EIO;
		pos += n;
	}
	return 0;
}

struct blob sample(const struct ctx *c)
{
	return (struct blob){ .data = c->shared->sample, .bytes = c->shared->sample_bytes };
}

size_t small_step(size_t bytes)
{
	return bytes <= 8192 ? 1 : bytes / 4096 | 1;
}

int save(struct dev *d, struct blob *b, bool precopy)
{
	int fd = -1, err = 0;

	if (precopy) {
		err = set_state(d, PRE_COPY, &fd);
		err = err ? err : blob_read(b, fd, 0);
		/* The end of pre-copy is for a rule of its own. */
		if (err && err != -ENOMSG)
			goto out;
		err = set_state(d, STOP_COPY, NULL);
	} else {
		err = set_state(d, STOP_COPY, &fd);
	}
	err = err ? err : blob_read(b, fd, 0);
	err = err ? err : set_state(d, STOP, NULL);
out:
	if (fd >= 0)
		close(fd);
	return err;
}

int load(struct dev *d, const struct blob *b, unsigned int end, enum where *refused)
{
	enum where at = AT_RESUMING;
	int fd, err = set_state(d, RESUMING, &fd), last;

	if (!err) {
		at = AT_WRITE;
		err = blob_write(b, fd, 0);
		/* What was refused must not be taken after all. */
		last = set_state(d, end, NULL);
		if (!err && last)
			at = AT_END;
		else if (err && !last)
			err = -ESTALE;
		err = err ? err : last;
		if (fd >= 0)
			close(fd);
	}
	if (refused)
		*refused = err ? at : NOWHERE;
	return err;
}

enum outcome loads(struct ctx *c, struct dev *d, struct blob *b)
{
	enum where where;
	int err;

	CHECK(b->bytes, "nothing was read");
	CHECK(!settle(c, d), "back to RUNNING");
	err = load(d, b, RUNNING, &where);
	CHECK(!err, "the %zu bytes are refused %s: %d", b->bytes,
	      where == AT_WRITE ? "by write()" : "at the end", err);
	blob_free(b);
	return PASS;
}

int fail_load(struct ctx *c, int *fd)
{
	static const uint8_t junk[64] = "this is no stream";
	int file, err = set_state(&c->a, RESUMING, &file);

	if (err)
		return err;
	sys->write(file, junk, sizeof(junk));
	if (fd)
		*fd = file;
	else
		close(file);
	return set_state(&c->a, STOP, NULL);
}

int set_state_without_file(struct dev *d, unsigned int state)
{
	struct rlimit old, none;
	int err;

	getrlimit(RLIMIT_NOFILE, &old);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	err = set_state(d, state, NULL);
	setrlimit(RLIMIT_NOFILE, &old);
	return err;
}

int go_to(struct ctx *c, struct dev *d, unsigned int state, int *fd)
{
	int file = -1, err = set_state(d, state, &file);
	struct blob whole = sample(c);

	if (!err && state == RESUMING && whole.bytes)
		err = blob_write(&whole, file, 0);
	if (fd)
		*fd = file;
	else if (file >= 0)
		close(file);
	return err;
}
