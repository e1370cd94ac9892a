// SPDX-License-Identifier: GPL-2.0
/* Who has a data file, and what is left of it when its session or device is gone. */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mig.h"

static enum outcome dup_file(struct ctx *c)
{
	struct blob b = {};
	int fd, other, err;

	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	other = dup(fd);
	err = blob_read_some(&b, fd, 3);
	CHECK(!err, "the first bytes: %d", err);
	close(fd);
	err = blob_read(&b, other, 0);
	CHECK(!err, "the rest, by the other descriptor: %d", err);
	return loads(c, &c->a, &b);
}

/* Read all of @fd and pass it on: what the other process does. */
static void forward(int fd, int out)
{
	uint8_t buf[4096];
	ssize_t n;

	while ((n = sys->read(fd, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			_exit(2);
	_exit(n ? 1 : 0);
}

static enum outcome collect(struct ctx *c, struct blob *b, int in, pid_t child)
{
	uint8_t buf[4096];
	int status;
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK(!blob_add(b, buf, n), "no memory");
	CHECK(waitpid(child, &status, 0) == child && !status, "the other process: status %#x",
	      status);
	return loads(c, &c->a, b);
}

static enum outcome fork_file(struct ctx *c)
{
	struct blob b = {};
	int fd, err, pipefd[2];
	pid_t child;

	CHECK(!pipe(pipefd) && !set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	err = blob_read_some(&b, fd, 3);
	CHECK(!err, "the first bytes: %d", err);
	child = fork();
	CHECK(child >= 0, "fork");
	if (!child)
		forward(fd, pipefd[1]);
	close(fd);
	close(pipefd[1]);
	return collect(c, &b, pipefd[0], child);
}

static int send_fd(int sock, int fd)
{
	char room[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen =
			sizeof(room),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char room[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen =
			sizeof(room),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static enum outcome send_file(struct ctx *c)
{
	int fd, pipefd[2], sock[2];
	struct blob b = {};
	pid_t child;

	CHECK(!pipe(pipefd) && !socketpair(AF_UNIX, SOCK_STREAM, 0, sock), "no sockets");
	child = fork();
	CHECK(child >= 0, "fork");
	if (!child) {
		close(c->a.fd);
		fd = receive_fd(sock[1]);
		forward(fd, pipefd[1]);
	}
	close(pipefd[1]);
	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	CHECK(!send_fd(sock[0], fd), "sendmsg");
	close(fd);
	return collect(c, &b, pipefd[0], child);
}

/* ---- the session ends ---- */

/* Neither data nor the end of a stream: a reader would take that for a whole state. */
static enum outcome is_dead(struct ctx *c, int fd, bool saves)
{
	struct vfio_precopy_info info;
	uint8_t buf[16] = {};
	ssize_t n;
	int seen;

	n = saves ? sys->read(fd, buf, sizeof(buf)) : sys->write(fd, buf, sizeof(buf));
	CHECK(n < 0, "%s gives %zd", saves ? "read()" : "write()", n);
	CHECK(precopy_info(fd, &info), "PRECOPY_INFO still works");
	seen = sys->poll(fd, saves ? POLLIN : POLLOUT, 0);
	CHECK(seen > 0, "poll() waits for ever");
	return PASS;
}

static enum outcome left(struct ctx *c, unsigned int state, unsigned int next)
{
	int fd, err = go_to(c, &c->a, state, &fd);

	CHECK(!err, "to %s: %d", state_name(state), err);
	err = set_state(&c->a, next, NULL);
	CHECK(!err, "%s -> %s: %d", state_name(state), state_name(next), err);
	return is_dead(c, fd, state != RESUMING);
}

static enum outcome left_stop_copy(struct ctx *c) { return left(c, STOP_COPY, STOP); }
static enum outcome left_precopy(struct ctx *c) { return left(c, PRE_COPY, RUNNING); }
static enum outcome left_precopy_p2p(struct ctx *c) { return left(c, PRE_COPY_P2P, RUNNING_P2P); }
static enum outcome left_resuming(struct ctx *c) { return left(c, RESUMING, STOP); }

static enum outcome next_session(struct ctx *c)
{
	struct blob b = {};
	int old, fd, err;

	CHECK(!set_state(&c->a, STOP_COPY, &old) && !set_state(&c->a, STOP, NULL), "no session");
	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no second session");
	CHECK(is_dead(c, old, true) == PASS, "the first file lives: %s", c->shared->why);
	err = blob_read(&b, fd, 0);
	CHECK(!err, "reading the second: %d", err);
	return loads(c, &c->a, &b);
}

static enum outcome closed_early(struct ctx *c)
{
	for (unsigned int state = STOP; state < STATES; state++) {
		struct blob b = {};
		int fd, err;

		if (!has_state(c, state) || !state_saves(state))
			continue;
		CHECK(!set_state(&c->a, state, &fd), "to %s", state_name(state));
		blob_read_some(&b, fd, 3);
		close(fd);
		err = set_state(&c->a, RUNNING, NULL);
		CHECK(!err, "%s -> RUNNING without its file: %d", state_name(state), err);
	}
	return PASS;
}

/* What was written counts, whoever has closed the file. */
static enum outcome closed_resuming(struct ctx *c)
{
	struct blob whole = sample(c);
	int fd, err;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	CHECK(!blob_write(&whole, fd, 0), "write()");
	close(fd);
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "RESUMING -> RUNNING: %d", err);
	return PASS;
}

static enum outcome one_file(struct ctx *c)
{
	struct blob b = {};
	int fd, file, err;

	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err || err == -ENOMSG, "reading: %d", err);
	if (has_state(c, PRE_COPY_P2P)) {
		CHECK(!set_state(&c->a, PRE_COPY_P2P, &file) && file < 0, "a file in PRE_COPY_P2P");
		CHECK(!set_state(&c->a, PRE_COPY, &file) && file < 0, "a file in PRE_COPY");
	}
	CHECK(!set_state(&c->a, STOP_COPY, &file) && file < 0, "a file in STOP_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err, "reading in STOP_COPY: %d", err);
	return loads(c, &c->a, &b);
}

/* ---- the device goes ---- */

static enum outcome after_close(struct ctx *c)
{
	static const unsigned int states[] = { STOP_COPY, PRE_COPY, RESUMING };

	for (unsigned int i = 0; i < 3; i++) {
		int fd, err = has_state(c, states[i]) ? sys->open(&c->a) : -1;

		if (!has_state(c, states[i]))
			continue;
		CHECK(!err, "open: %d", err);
		CHECK(!set_state(&c->a, states[i], &fd), "to %s", state_name(states[i]));
		sys->close(&c->a);
		if (is_dead(c, fd, states[i] != RESUMING) == FAIL)
			return FAIL;
		close(fd);
	}
	return PASS;
}

static enum outcome after_unbind(struct ctx *c)
{
	static const unsigned int states[] = { STOP_COPY, PRE_COPY, RESUMING };

	for (unsigned int i = 0; i < 3; i++) {
		enum outcome outcome;
		int fd, err;

		if (!has_state(c, states[i]))
			continue;
		err = sys->open(&c->a);
		CHECK(!err, "open: %d", err);
		CHECK(!set_state(&c->a, states[i], &fd), "to %s", state_name(states[i]));
		sys->close(&c->a);
		err = sys->unbind(&c->a);
		CHECK(!err, "unbind: %d", err);
		outcome = is_dead(c, fd, states[i] != RESUMING);
		close(fd);
		err = sys->bind(&c->a);
		CHECK(!err, "bind: %d", err);
		if (outcome == FAIL)
			return FAIL;
	}
	CHECK(!sys->open(&c->a) && get_state(&c->a) == RUNNING, "it is not RUNNING afterwards");
	return PASS;
}

#define UAPI	"uAPI: enum vfio_device_mig_state, \"terminate a data transfer session\""
#define GROUP	"uAPI: enum vfio_device_mig_state, \"saving group\""
#define FILES	"kernel: a data file is a file"
#define GONE	"kernel: close_device of all drivers"

const struct rule share_rules[] = {
	{ "share.dup", "a descriptor that was duplicated reads on", FILES, 0, dup_file },
	{ "share.fork", "another process reads on", FILES, 0, fork_file },
	{ "share.scm-rights", "another process gets the file by SCM_RIGHTS", FILES, 0, send_file },
	{ "session.left-stop-copy", "STOP_COPY -> STOP ends the file", UAPI, 0, left_stop_copy },
	{ "session.left-precopy", "PRE_COPY -> RUNNING ends the file", UAPI, NEED_PRECOPY,
	  left_precopy },
	{ "session.left-precopy-p2p", "PRE_COPY_P2P -> RUNNING_P2P ends the file", UAPI,
	  NEED_PRECOPY | NEED_P2P, left_precopy_p2p },
	{ "session.left-resuming", "RESUMING -> STOP ends the file", UAPI, NEED_SAMPLE,
	  left_resuming },
	{ "session.next", "a new session has a file of its own, the old one stays dead", UAPI, 0,
	  next_session },
	{ "session.closed-early", "a file that is closed too early does not stop a state change",
	  "QEMU: vfio_save_cleanup", 0, closed_early },
	{ "session.closed-resuming", "what was written counts when the file is closed",
	  "QEMU: vfio_load_cleanup", NEED_SAMPLE, closed_resuming },
	{ "session.one-file", "pre-copy and STOP_COPY share one file", GROUP, NEED_PRECOPY,
	  one_file },
	{ "gone.close", "close of the device ends the file", GONE, OWN, after_close },
	{ "gone.unbind", "the driver goes, and the file fails", GONE, OWN | NEED_UNBIND,
	  after_unbind },
	{}
};
