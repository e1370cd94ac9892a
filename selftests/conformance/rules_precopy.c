// SPDX-License-Identifier: GPL-2.0
/* Pre-copy: its end for the time being, and VFIO_MIG_GET_PRECOPY_INFO. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mig.h"

#define REST_ROUNDS	50
#define WAKE_MS		3000

static enum outcome drained(struct ctx *c)
{
	struct vfio_precopy_info info;
	struct blob b = {};
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(err == -ENOMSG, "after %zu bytes: %d", b.bytes, err);
	CHECK(!precopy_info(fd, &info), "no PRECOPY_INFO");
	CHECK(!info.initial_bytes, "ENOMSG, and %llu initial bytes are left",
	      (unsigned long long)info.initial_bytes);
	return PASS;
}

static enum outcome drained_poll(struct ctx *c)
{
	struct blob b = {};
	size_t before = 0;
	int fd, err, seen = 0;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	/* Each time there may be more, of a device whose state changes. */
	for (unsigned int i = 0; i < REST_ROUNDS; i++) {
		err = blob_read(&b, fd, 0);
		CHECK(!err || err == -ENOMSG, "reading: %d", err);
		CHECK(!seen || b.bytes > before,
		      "poll() gives %#x with nothing to read: it cannot be used to wait", seen);
		before = b.bytes;
		seen = sys->poll(fd, POLLIN, 0);
		CHECK(seen >= 0, "poll() gives %d", seen);
		if (!(seen & POLLIN))
			return PASS;
	}
	return rule_skip(c, "pre-copy never comes to rest");
}

/*
 * It wakes, and there is something to read.  A device that has not woken anybody, and says then
 * that there is something, may have got it a moment ago: it has another chance.
 */
static enum outcome wakes(struct ctx *c, int fd)
{
	struct vfio_precopy_info info;
	uint8_t byte;
	ssize_t n;

	for (unsigned int i = 0; !(sys->poll(fd, POLLIN, WAKE_MS) & POLLIN); i++) {
		CHECK(!precopy_info(fd, &info), "no PRECOPY_INFO");
		if (!info.initial_bytes && !info.dirty_bytes)
			return rule_skip(c, "the device had nothing new after all was read");
		CHECK(!i, "%llu initial, %llu dirty bytes are there, and poll() sleeps for %d ms",
		      (unsigned long long)info.initial_bytes,
		      (unsigned long long)info.dirty_bytes, WAKE_MS);
	}
	n = sys->read(fd, &byte, 1);
	CHECK(n == 1, "poll() says that there is more, read() gives %zd", n);
	return PASS;
}

/* Who waits for more gets it, of a device that works on. */
static enum outcome wakes_for_work(struct ctx *c)
{
	struct blob b = {};
	int fd, err;

	CHECK(!sys->plug(&c->a, "busy"), "--busy fails");
	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err || err == -ENOMSG, "reading: %d", err);
	return wakes(c, fd);
}

/* Read all that pre-copy has, and have it begin again, by what is known to do that; else skip. */
static enum outcome drained_and_reset(struct ctx *c, struct blob *b, int *fd, const char *skip)
{
	int err;

	CHECK(!opt_in_v2(&c->a) && !set_state(&c->a, PRE_COPY, fd), "no PRE_COPY");
	err = blob_read(b, *fd, 0);
	CHECK(!err || err == -ENOMSG, "reading: %d", err);
	CHECK(!device_reset(&c->a), "no RESET");
	return get_state(&c->a) == PRE_COPY ? PASS : rule_skip(c, "%s", skip);
}

/* Likewise of one that was reset, and has initial data again. */
static enum outcome wakes_for_reset(struct ctx *c)
{
	struct blob b = {};
	enum outcome ret;
	int fd;

	ret = drained_and_reset(c, &b, &fd, "RESET ends pre-copy");
	return ret == PASS ? wakes(c, fd) : ret;
}

/* The end for the time being is none: the stream goes on in the states that follow. */
static enum outcome goes_on(struct ctx *c)
{
	struct blob b = {};
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	for (unsigned int i = 0; i < 3; i++) {
		err = blob_read(&b, fd, 0);
		CHECK(!err || err == -ENOMSG, "round %u: %d", i, err);
		if (has_state(c, PRE_COPY_P2P))
			CHECK(!set_state(&c->a, i % 2 ? PRE_COPY : PRE_COPY_P2P, NULL), "round %u",
			      i);
	}
	CHECK(!set_state(&c->a, STOP_COPY, NULL), "no STOP_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err, "in STOP_COPY: %d", err);
	return loads(c, &c->a, &b);
}

static enum outcome left_early(struct ctx *c)
{
	struct blob b = {};
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = blob_read_some(&b, fd, 5);
	CHECK(!err || err == -ENOMSG, "reading: %d", err);
	CHECK(!set_state(&c->a, STOP_COPY, NULL), "no STOP_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err, "in STOP_COPY: %d", err);
	return loads(c, &c->a, &b);
}

static enum outcome never_read(struct ctx *c)
{
	struct blob b = {};
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd) && !set_state(&c->a, STOP_COPY, NULL),
	      "no STOP_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err, "in STOP_COPY: %d", err);
	return loads(c, &c->a, &b);
}

/* ---- VFIO_MIG_GET_PRECOPY_INFO ---- */

static enum outcome info_start(struct ctx *c)
{
	struct vfio_precopy_info info;
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = precopy_info(fd, &info);
	CHECK(!err, "%d", err);
	CHECK(info.initial_bytes, "initial_bytes is 0");
	return PASS;
}

/* What the caller has left there, all ones, is no count. */
static enum outcome info_written(struct ctx *c)
{
	struct vfio_precopy_info info;
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = precopy_info(fd, &info);
	CHECK(!err, "%d", err);
	CHECK(info.initial_bytes != UINT64_MAX && info.dirty_bytes != UINT64_MAX,
	      "the caller's value comes back: %#llx initial, %#llx dirty bytes",
	      (unsigned long long)info.initial_bytes, (unsigned long long)info.dirty_bytes);
	CHECK(!info.dirty_bytes, "dirty_bytes starts at %llu",
	      (unsigned long long)info.dirty_bytes);
	return PASS;
}

/* initial_bytes is @last at most; more with a flag of @excuse only. */
static enum outcome falls_to(struct ctx *c, int fd, uint32_t excuse, uint64_t *last)
{
	struct vfio_precopy_info info;

	CHECK(!precopy_info(fd, &info), "no PRECOPY_INFO");
	CHECK(info.initial_bytes <= *last || info.flags & excuse,
	      "initial_bytes grows from %llu to %llu, flags %#x", (unsigned long long)*last,
	      (unsigned long long)info.initial_bytes, info.flags);
	*last = info.initial_bytes;
	return PASS;
}

/* Read all of pre-copy; one read may give all that there is. */
static enum outcome falls(struct ctx *c, uint32_t excuse)
{
	uint64_t last = UINT64_MAX, first;
	struct blob b = {};
	int fd, err = 0;
	size_t before;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	if (falls_to(c, fd, excuse, &last) == FAIL)
		return FAIL;
	first = last;
	for (unsigned int i = 0; i < 400 && !err; i++) {
		before = b.bytes;
		err = blob_read_some(&b, fd, first / 64 + 1);
		if (falls_to(c, fd, excuse, &last) == FAIL)
			return FAIL;
		if (b.bytes == before)
			break;
	}
	CHECK(!err || err == -ENOMSG, "reading: %d", err);
	CHECK(!first || last < first, "%zu bytes were read, initial_bytes is %llu as before",
	      b.bytes, (unsigned long long)last);
	return PASS;
}

static enum outcome info_falls(struct ctx *c) { return falls(c, 0); }

static enum outcome info_falls_v2(struct ctx *c)
{
	CHECK(!opt_in_v2(&c->a), "no opt-in");
	return falls(c, VFIO_PRECOPY_INFO_REINIT);
}

static enum outcome info_busy(struct ctx *c)
{
	CHECK(!sys->plug(&c->a, "busy"), "--busy fails");
	return falls(c, 0);
}

/* So many bytes as are announced can be read before the end for the time being. */
static enum outcome info_true(struct ctx *c)
{
	struct vfio_precopy_info info;
	struct blob b = {};
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	CHECK(!precopy_info(fd, &info), "no PRECOPY_INFO");
	err = blob_read(&b, fd, 0);
	CHECK(!err || err == -ENOMSG, "reading: %d", err);
	CHECK(!info.initial_bytes || b.bytes, "%llu initial bytes, and none can be read",
	      (unsigned long long)info.initial_bytes);
	CHECK(!precopy_info(fd, &info), "no PRECOPY_INFO");
	CHECK(!info.initial_bytes, "all was read, and %llu initial bytes are left",
	      (unsigned long long)info.initial_bytes);
	return PASS;
}

static enum outcome info_p2p(struct ctx *c)
{
	struct vfio_precopy_info info;
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY_P2P, &fd), "no PRE_COPY_P2P");
	err = precopy_info(fd, &info);
	CHECK(!err, "%d", err);
	return PASS;
}

static enum outcome info_elsewhere(struct ctx *c)
{
	struct vfio_precopy_info info;
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd) && !set_state(&c->a, STOP_COPY, NULL),
	      "no STOP_COPY");
	err = precopy_info(fd, &info);
	CHECK(err == -EINVAL, "in STOP_COPY: %d", err);
	return PASS;
}

/* So does the file of a session that was left, and of a device in ERROR. */
static enum outcome info_left(struct ctx *c)
{
	struct vfio_precopy_info info;
	int fd, err;

	for (unsigned int state = STOP; state < STATES; state++) {
		if (!has_state(c, state) || state == PRE_COPY || state == PRE_COPY_P2P)
			continue;
		CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
		CHECK(!set_state(&c->a, RUNNING, NULL) && !go_to(c, &c->a, state, NULL), "to %s",
		      state_name(state));
		err = precopy_info(fd, &info);
		CHECK(err == -EINVAL, "in %s: %d", state_name(state), err);
		close(fd);
		CHECK(!settle(c, &c->a), "back to RUNNING");
	}
	CHECK(!set_state(&c->a, PRE_COPY, &fd) && !set_state(&c->a, RUNNING, NULL), "no PRE_COPY");
	fail_load(c, NULL);
	if (get_state(&c->a) != ERROR)
		return PASS;
	err = precopy_info(fd, &info);
	CHECK(err == -EINVAL, "in ERROR: %d", err);
	return PASS;
}

/* What comes back in flags that were all ones: it tells whether they are output. */
static int flags_back(struct ctx *c, bool opt_in, uint32_t *flags)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info), .flags = UINT32_MAX };
	int fd, err = sys->open(&c->a);

	if (err)
		return err;
	err = opt_in ? opt_in_v2(&c->a) : 0;
	err = err ? err : set_state(&c->a, PRE_COPY, &fd);
	if (!err) {
		err = sys->file_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info);
		close(fd);
		err = err ? err : set_state(&c->a, RUNNING, NULL);
	}
	*flags = info.flags;
	sys->close(&c->a);
	return err;
}

static enum outcome v2_ends(struct ctx *c)
{
	static const bool opt_in[] = { false, true, false };
	uint32_t flags[3];

	for (unsigned int i = 0; i < 3; i++) {
		int err = flags_back(c, opt_in[i], &flags[i]);

		CHECK(!err, "user %u: %d", i, err);
	}
	CHECK(flags[2] == flags[0], "flags are %#x for who has not opted in, and %#x after one who had",
	      flags[0], flags[2]);
	if (flags[0] == flags[1])
		return rule_skip(c, "both versions write the same flags");
	return PASS;
}

static enum outcome info_checks(struct ctx *c)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) - 1 };
	int fd, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = sys->file_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info);
	CHECK(err == -EINVAL, "argsz one too small: %d", err);
	err = sys->file_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, NULL);
	CHECK(err == -EFAULT, "NULL: %d", err);
	err = sys->file_ioctl(fd, _IO(VFIO_TYPE, VFIO_BASE + 99), &info);
	CHECK(err == -ENOTTY, "an unknown ioctl: %d", err);
	return PASS;
}

/* A user who has not opted in must not find REINIT where nothing was. */
static enum outcome info_v1(struct ctx *c)
{
	struct vfio_precopy_info info;
	int fd;

	CHECK(!set_state(&c->a, PRE_COPY, &fd) && !precopy_info(fd, &info), "no PRECOPY_INFO");
	CHECK(!info.flags, "flags %#x", info.flags);
	return PASS;
}

static enum outcome info_v2(struct ctx *c)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info), .flags = UINT32_MAX };
	int fd, err = opt_in_v2(&c->a);

	CHECK(!err, "no opt-in: %d", err);
	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = sys->file_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info);
	CHECK(!err, "%d", err);
	CHECK(!(info.flags & ~(uint32_t)VFIO_PRECOPY_INFO_REINIT), "flags %#x", info.flags);
	CHECK(info.initial_bytes, "initial_bytes is 0");
	return PASS;
}

/* Whatever REINIT was for: it is gone when the new initial data was read. */
static enum outcome info_reinit(struct ctx *c)
{
	struct vfio_precopy_info info;
	struct blob b = {};
	enum outcome ret;
	int fd, err;

	ret = drained_and_reset(c, &b, &fd, "nothing is known that makes the device set REINIT");
	if (ret != PASS)
		return ret;
	err = blob_read(&b, fd, 0);
	CHECK(!err || err == -ENOMSG, "reading the new initial data: %d", err);
	CHECK(!precopy_info(fd, &info), "no PRECOPY_INFO");
	CHECK(!(info.flags & VFIO_PRECOPY_INFO_REINIT) && !info.initial_bytes,
	      "all was read, flags %#x, %llu initial bytes", info.flags,
	      (unsigned long long)info.initial_bytes);
	return PASS;
}

#define UAPI	"uAPI: struct vfio_precopy_info"
#define GROUP	"uAPI: enum vfio_device_mig_state, \"saving group\""

const struct rule precopy_rules[] = {
	{ "precopy.enomsg", "pre-copy that was read gives ENOMSG", UAPI, NEED_PRECOPY, drained },
	{ "precopy.poll", "pre-copy that was read: poll() waits for more", UAPI, NEED_PRECOPY,
	  drained_poll },
	{ "precopy.wakes", "poll() wakes when the device has more to send", UAPI ", poll",
	  NEED_PRECOPY | NEED_PLUG, wakes_for_work },
	{ "precopy.wakes-reset", "likewise when it was reset", UAPI ", poll",
	  NEED_PRECOPY | NEED_V2 | NEED_RESET, wakes_for_reset },
	{ "precopy.v2-ends", "the opt-in to MIG_PRECOPY_INFOv2 ends with close",
	  "kernel: vfio_ioctl_device_feature_migration_precopy_info_v2",
	  NEED_PRECOPY | NEED_V2 | OWN, v2_ends },
	{ "precopy.goes-on", "rounds of PRE_COPY and PRE_COPY_P2P, then STOP_COPY, are one stream",
	  GROUP, NEED_PRECOPY, goes_on },
	{ "precopy.left-early", "pre-copy may be left before it was read", UAPI, NEED_PRECOPY,
	  left_early },
	{ "precopy.never-read", "pre-copy may be left without a read", UAPI, NEED_PRECOPY,
	  never_read },
	{ "info.start", "initial_bytes is not 0 at first", UAPI, NEED_PRECOPY, info_start },
	{ "info.written", "both counts are written, dirty_bytes starts at 0",
	  UAPI "; QEMU: vfio_query_precopy_size", NEED_PRECOPY, info_written },
	{ "info.falls", "initial_bytes falls while it is read", UAPI, NEED_PRECOPY, info_falls },
	{ "info.falls-v2", "likewise for who has opted in, unless REINIT is set", UAPI,
	  NEED_PRECOPY | NEED_V2, info_falls_v2 },
	{ "info.busy", "likewise while the device works", UAPI, NEED_PRECOPY | NEED_PLUG,
	  info_busy },
	{ "info.true", "initial_bytes is 0 when all was read",
	  UAPI "; QEMU: switchover-ack", NEED_PRECOPY, info_true },
	{ "info.p2p", "it works in PRE_COPY_P2P", UAPI, NEED_PRECOPY | NEED_P2P, info_p2p },
	{ "info.elsewhere", "it gives EINVAL in STOP_COPY", UAPI, NEED_PRECOPY, info_elsewhere },
	{ "info.left", "it gives EINVAL when pre-copy was left, in every state", UAPI,
	  NEED_PRECOPY | NEED_SAMPLE, info_left },
	{ "info.checks", "EINVAL, EFAULT, ENOTTY for what is malformed",
	  "kernel: vfio_check_precopy_ioctl", NEED_PRECOPY, info_checks },
	{ "info.v1", "no flag for who has not opted in", UAPI, NEED_PRECOPY, info_v1 },
	{ "info.v2", "flags are output for who has opted in", UAPI, NEED_PRECOPY | NEED_V2,
	  info_v2 },
	{ "info.reinit", "REINIT is gone when the new initial data was read", UAPI,
	  NEED_PRECOPY | NEED_V2 | NEED_RESET, info_reinit },
	{}
};
