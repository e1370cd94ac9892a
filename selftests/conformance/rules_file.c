// SPDX-License-Identifier: GPL-2.0
/* Data files: what read() and write() do, of whatever size, shape and mode. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mig.h"

/* Nothing is mapped there; the compiler must not know. */
static void *volatile nowhere = (void *)8;

static enum outcome cloexec(struct ctx *c)
{
	static const unsigned int states[] = { STOP_COPY, RESUMING };

	for (unsigned int i = 0; i < 2; i++) {
		int fd;

		CHECK(!set_state(&c->a, states[i], &fd), "to %s", state_name(states[i]));
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC, "not in %s", state_name(states[i]));
		close(fd);
	}
	return PASS;
}

static enum outcome mode(struct ctx *c)
{
	uint8_t byte = 0;
	ssize_t n;
	int fd;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	n = sys->write(fd, &byte, 1);
	CHECK(n < 0, "what is saved can be written: %zd", n);
	close(fd);
	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	n = sys->read(fd, &byte, 1);
	CHECK(n < 0, "what is loaded can be read: %zd", n);
	return PASS;
}

static enum outcome position(struct ctx *c)
{
	uint8_t byte = 0;
	int fd, err;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	err = sys->pread(fd, &byte, 1, 0);
	CHECK(err == -ESPIPE, "pread: %d", err);
	err = sys->seek(fd);
	CHECK(err == -ESPIPE, "lseek: %d", err);
	close(fd);
	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	err = sys->pwrite(fd, &byte, 1, 0);
	CHECK(err == -ESPIPE, "pwrite: %d", err);
	return PASS;
}

static enum outcome odd_calls(struct ctx *c)
{
	struct vfio_precopy_info info;
	int fd, err;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	err = sys->file_ioctl(fd, _IO(VFIO_TYPE, VFIO_BASE + 99), &info);
	CHECK(err == -ENOTTY, "an unknown ioctl: %d", err);
	CHECK(sys->file_mmap(fd), "it can be mapped");
	close(fd);
	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	CHECK(precopy_info(fd, &info), "PRECOPY_INFO works while a state is loaded");
	return PASS;
}

static enum outcome zero_length(struct ctx *c)
{
	struct blob b = {}, whole = sample(c);
	uint8_t byte = 0;
	ssize_t n;
	int fd, err;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	n = sys->read(fd, &byte, 0);
	CHECK(!n, "read of 0 bytes: %zd", n);
	err = blob_read(&b, fd, 0);
	CHECK(!err && b.bytes, "%zu bytes after it: %d", b.bytes, err);
	close(fd);
	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	n = sys->write(fd, &byte, 0);
	CHECK(!n, "write of 0 bytes: %zd", n);
	CHECK(!blob_write(&whole, fd, 0), "write() after it");
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "the stream is refused after it: %d", err);
	return PASS;
}

static enum outcome read_in(struct ctx *c, size_t step)
{
	struct blob b = {};
	int fd, err;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	err = blob_read(&b, fd, step);
	CHECK(!err, "after %zu bytes: %d", b.bytes, err);
	return loads(c, &c->a, &b);
}

static enum outcome read_short(struct ctx *c)
{
	return read_in(c, small_step(c->shared->sample_bytes));
}

static enum outcome read_huge(struct ctx *c)
{
	size_t room = 64u << 20;
	uint8_t *buf = mmap(NULL, room, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct blob b = {};
	ssize_t n;
	int fd;

	CHECK(buf != MAP_FAILED && !set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	while ((n = sys->read(fd, buf, room)) > 0) {
		CHECK((size_t)n <= room, "%zd bytes", n);
		CHECK(!blob_add(&b, buf, n), "no memory");
	}
	CHECK(!n, "after %zu bytes: %zd", b.bytes, n);
	return loads(c, &c->a, &b);
}

/* Odd addresses and sizes, across the borders of pages. */
static enum outcome read_unaligned(struct ctx *c)
{
	static uint8_t buf[4096 + 8192] __attribute__((aligned(4096)));
	size_t most = c->shared->sample_bytes < 8 * 8191 ? c->shared->sample_bytes / 8 + 2 : 8191;
	struct blob b = {};
	ssize_t n;
	int fd;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	for (size_t i = 0;; i++) {
		uint8_t *at = buf + (i * 14 + 1) % 4096;
		size_t want = 1 + (i * 1237) % most;

		n = sys->read(fd, at, want);
		if (n <= 0)
			break;
		CHECK((size_t)n <= want, "%zd of %zu bytes", n, want);
		CHECK(!blob_add(&b, at, n), "no memory");
	}
	CHECK(!n, "after %zu bytes: %zd", b.bytes, n);
	return loads(c, &c->a, &b);
}

static enum outcome read_vector(struct ctx *c)
{
	static uint8_t buf[3][1000];
	struct iovec iov[4] = {
		{ buf[0], 13 }, { buf[1], 0 }, { buf[1], sizeof(buf[1]) }, { buf[2], 501 },
	};
	struct blob b = {};
	ssize_t n;
	int fd;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	while ((n = sys->readv(fd, iov, 4)) > 0) {
		size_t left = n;

		for (unsigned int i = 0; i < 4; i++) {
			size_t part = left < iov[i].iov_len ? left : iov[i].iov_len;

			CHECK(!blob_add(&b, iov[i].iov_base, part), "no memory");
			left -= part;
		}
		CHECK(!left, "%zd bytes are more than there is room for", n);
	}
	CHECK(!n, "after %zu bytes: %zd", b.bytes, n);
	return loads(c, &c->a, &b);
}

static enum outcome read_fault(struct ctx *c)
{
	struct blob b = {};
	ssize_t n;
	int fd, err;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	n = sys->read(fd, nowhere, 100);
	CHECK(n == -EFAULT, "%zd", n);
	err = blob_read(&b, fd, 0);
	CHECK(!err, "after %zu bytes: %d", b.bytes, err);
	return loads(c, &c->a, &b);
}

static enum outcome read_nonblock(struct ctx *c)
{
	unsigned int waits = 0;
	struct blob b = {};
	uint8_t buf[400];
	ssize_t n;
	int fd;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK), "F_SETFL");
	while ((n = sys->read(fd, buf, sizeof(buf)))) {
		if (n == -EAGAIN) {
			CHECK(waits++ < 100000, "EAGAIN for ever, after %zu bytes", b.bytes);
			CHECK(sys->poll(fd, POLLIN, 20000) & POLLIN,
			      "EAGAIN, and poll() says nothing");
			continue;
		}
		CHECK(n > 0, "after %zu bytes: %zd", b.bytes, n);
		CHECK(!blob_add(&b, buf, n), "no memory");
	}
	return loads(c, &c->a, &b);
}

static enum outcome read_splice(struct ctx *c)
{
	struct blob b = {};
	int fd, pipefd[2];
	uint8_t buf[4096];
	ssize_t n;

	CHECK(!pipe(pipefd) && !set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	n = sys->splice(fd, pipefd[1], sizeof(buf));
	if (n == -EINVAL) {
		CHECK(!blob_read(&b, fd, 0), "reading after a splice() that was refused");
		CHECK(loads(c, &c->a, &b) == PASS,
		      "a splice() that was refused has taken something");
		return rule_skip(c, "the driver has no splice_read, and has lost nothing");
	}
	for (; n > 0; n = sys->splice(fd, pipefd[1], sizeof(buf))) {
		CHECK(read(pipefd[0], buf, sizeof(buf)) == n,
		      "the pipe has another number of bytes");
		CHECK(!blob_add(&b, buf, n), "no memory");
	}
	CHECK(!n, "after %zu bytes: %zd", b.bytes, n);
	return loads(c, &c->a, &b);
}

/* ---- the end ---- */

static enum outcome end_repeats(struct ctx *c)
{
	struct blob b = {};
	uint8_t byte;
	int fd;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	CHECK(!blob_read(&b, fd, 0), "no end");
	for (unsigned int i = 0; i < 5; i++) {
		ssize_t n = sys->read(fd, &byte, 1);

		CHECK(!n, "read() number %u at the end: %zd", i, n);
	}
	return PASS;
}

static enum outcome end_poll(struct ctx *c)
{
	struct blob b = {};
	int fd, seen;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	CHECK(!blob_read(&b, fd, 0), "no end");
	seen = sys->poll(fd, POLLIN, 0);
	CHECK(seen >= 0 && seen & POLLIN, "poll() gives %#x", seen);
	return PASS;
}

/* ---- write ---- */

static enum outcome write_in(struct ctx *c, size_t step)
{
	struct blob whole = sample(c);
	int fd, err;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	err = blob_write(&whole, fd, step);
	CHECK(!err, "write() of %zu bytes at a time: %d", step, err);
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "the stream is refused: %d", err);
	return PASS;
}

static enum outcome write_short(struct ctx *c)
{
	return write_in(c, small_step(c->shared->sample_bytes));
}

static enum outcome write_huge(struct ctx *c) { return write_in(c, 0); }
static enum outcome write_odd(struct ctx *c) { return write_in(c, 61); }

static enum outcome write_vector(struct ctx *c)
{
	struct blob whole = sample(c);
	int fd, err;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	for (size_t pos = 0; pos < whole.bytes;) {
		size_t left = whole.bytes - pos, first = left < 17 ? left : 17;
		size_t second = left - first < 4001 ? left - first : 4001;
		struct iovec iov[3] = {
			{ whole.data + pos, first }, { NULL, 0 },
				{ whole.data + pos + first, second },
		};
		ssize_t n = sys->writev(fd, iov, 3);

		CHECK(n > 0 && (size_t)n <= first + second, "after %zu bytes: %zd", pos, n);
		pos += n;
	}
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "the stream is refused: %d", err);
	return PASS;
}

static enum outcome write_fault(struct ctx *c)
{
	struct blob whole = sample(c);
	ssize_t n;
	int fd, err;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	n = sys->write(fd, nowhere, 16);
	CHECK(n == -EFAULT, "%zd", n);
	err = blob_write(&whole, fd, 0);
	err = err ? err : set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "the stream is refused after it: %d", err);
	return PASS;
}

/* From odd addresses, and odd sizes, across the borders of pages. */
static enum outcome write_unaligned(struct ctx *c)
{
	static uint8_t buf[4096 + 8192] __attribute__((aligned(4096)));
	struct blob whole = sample(c);
	size_t most = whole.bytes < 8 * 8191 ? whole.bytes / 8 + 2 : 8191, want;
	ssize_t n;
	int fd, err;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	for (size_t i = 0, pos = 0; pos < whole.bytes; i++, pos += n) {
		uint8_t *at = buf + (i * 14 + 1) % 4096;

		want = 1 + (i * 1237) % most;
		if (want > whole.bytes - pos)
			want = whole.bytes - pos;
		memcpy(at, whole.data + pos, want);
		n = sys->write(fd, at, want);
		CHECK(n > 0 && (size_t)n <= want, "after %zu bytes: %zd of %zu", pos, n, want);
	}
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "the stream is refused: %d", err);
	return PASS;
}

static enum outcome write_nonblock(struct ctx *c)
{
	struct blob whole = sample(c);
	size_t step = whole.bytes / 8 + 1;
	unsigned int waits = 0;
	ssize_t n;
	int fd, err;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK), "F_SETFL");
	for (size_t pos = 0; pos < whole.bytes; pos += n) {
		size_t left = whole.bytes - pos;

		n = sys->write(fd, whole.data + pos, left < step ? left : step);
		if (n == -EAGAIN) {
			CHECK(waits++ < 100000, "EAGAIN for ever, after %zu bytes", pos);
			CHECK(sys->poll(fd, POLLOUT, 20000) & POLLOUT,
			      "EAGAIN, and poll() says nothing");
			n = 0;
			continue;
		}
		CHECK(n > 0, "after %zu bytes: %zd", pos, n);
	}
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "the stream is refused: %d", err);
	return PASS;
}

static enum outcome write_splice(struct ctx *c)
{
	struct blob whole = sample(c);
	int fd, err, pipefd[2];
	size_t pos = 0;
	ssize_t n = 0;

	CHECK(!pipe(pipefd) && !set_state(&c->a, RESUMING, &fd), "no RESUMING");
	while (pos < whole.bytes) {
		size_t step = whole.bytes - pos < 1000 ? whole.bytes - pos : 1000;

		CHECK(write(pipefd[1], whole.data + pos, step) == (ssize_t)step, "the pipe");
		for (size_t end = pos + step; pos < end; pos += n) {
			n = sys->splice(pipefd[0], fd, end - pos);
			if (n == -EINVAL && !pos)
				return rule_skip(c, "the driver has no splice_write");
			CHECK(n > 0, "after %zu bytes: %zd", pos, n);
		}
	}
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "the stream is refused: %d", err);
	return PASS;
}

static enum outcome write_poll(struct ctx *c)
{
	int fd, seen;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	seen = sys->poll(fd, POLLOUT, 5000);
	CHECK(seen >= 0 && seen & POLLOUT, "poll() gives %#x", seen);
	return PASS;
}

/* ---- descriptors run out ---- */

static enum outcome no_descriptor(struct ctx *c)
{
	struct blob b = {};
	int err = set_state_without_file(&c->a, STOP_COPY);

	CHECK(err == -EMFILE, "%d", err);
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "then to RUNNING: %d", err);
	err = save(&c->a, &b, false);
	CHECK(!err, "then it cannot be saved: %d", err);
	return loads(c, &c->a, &b);
}

#define STREAM	"uAPI: vfio_device_feature_mig_state, read() and write()"
#define DRIVERS	"kernel: stream_open() of all drivers"
#define END	"uAPI: struct vfio_precopy_info, permanent end of stream"
#define POSIX	"POSIX: read(), write()"

const struct rule file_rules[] = {
	{ "file.cloexec", "data_fd is closed by exec()", "kernel: vfio_ioct_mig_return_fd", 0,
	  cloexec },
	{ "file.mode", "a file that saves is not written, one that loads not read", DRIVERS, 0,
	  mode },
	{ "file.position", "there is no position: ESPIPE", DRIVERS, 0, position },
	{ "file.odd-calls", "unknown ioctls give ENOTTY, and it cannot be mapped",
	  "uAPI: VFIO_MIG_GET_PRECOPY_INFO", 0, odd_calls },
	{ "file.zero-length", "read and write of no bytes do nothing", POSIX, NEED_SAMPLE,
	  zero_length },
	{ "file.read-short", "a stream can be read in small pieces", STREAM, NEED_SAMPLE,
	  read_short },
	{ "file.read-huge", "a stream can be read by reads of 64 MiB", STREAM, 0, read_huge },
	{ "file.read-unaligned", "a stream can be read to odd addresses", STREAM, NEED_SAMPLE,
	  read_unaligned },
	{ "file.read-vector", "a stream can be read by readv()", STREAM, 0, read_vector },
	{ "file.read-fault", "EFAULT, and nothing is lost", POSIX, 0, read_fault },
	{ "file.read-nonblock", "O_NONBLOCK: EAGAIN, then poll() tells when", POSIX, 0,
	  read_nonblock },
	{ "file.read-splice", "splice() is refused, or gives the stream", STREAM, 0, read_splice },
	{ "end.repeats", "STOP_COPY: 0 at the end, again and again, never ENOMSG", END, 0,
	  end_repeats },
	{ "end.poll", "STOP_COPY: poll() is always readable at the end", END, 0, end_poll },
	{ "file.write-short", "a stream can be written in small pieces", STREAM, NEED_SAMPLE,
	  write_short },
	{ "file.write-huge", "a stream can be written at once", STREAM, NEED_SAMPLE, write_huge },
	{ "file.write-odd", "segmentation needs not be kept", STREAM, NEED_SAMPLE, write_odd },
	{ "file.write-unaligned", "a stream can be written from odd addresses", STREAM, NEED_SAMPLE,
	  write_unaligned },
	{ "file.write-nonblock", "O_NONBLOCK: all is taken, or EAGAIN and poll() tells when", POSIX,
	  NEED_SAMPLE, write_nonblock },
	{ "file.write-vector", "a stream can be written by writev()", STREAM, NEED_SAMPLE,
	  write_vector },
	{ "file.write-fault", "EFAULT, and nothing is lost", POSIX, NEED_SAMPLE, write_fault },
	{ "file.write-splice", "splice() is refused, or takes the stream", STREAM, NEED_SAMPLE,
	  write_splice },
	{ "file.write-poll", "a file that loads is writable",
	  "uAPI: struct vfio_precopy_info, poll", 0, write_poll },
	{ "file.no-descriptor", "EMFILE, and the device is not stuck",
	  "kernel: vfio_ioct_mig_return_fd", 0, no_descriptor },
	{}
};
