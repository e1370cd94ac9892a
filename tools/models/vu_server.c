// SPDX-License-Identifier: GPL-2.0
/*
 * The poll loop: listening sockets, one vfio-user client, control clients, signals and
 * the model's work - all in one thread.
 *
 * Waits inside hooks (message DMA, injected delays and hangs) run the same loop again:
 *   - inside the model's work, client and control socket are served, so a client that
 *     waits for us while we wait for it cannot deadlock;
 *   - inside a request, only the control socket is served: requests stay in order.
 * The model's work itself never nests.
 *
 * Functions that live in one process form a ring of servers and are served by the same
 * loop.  While one waits, the others go on: the machine that has all of them may be
 * waiting for another one.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vu_front.h"

#define MESSAGES_A_STEP	16
/* ---- sockets ---- */

static int fill_address(struct sockaddr_un *addr, const char *path)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	memcpy(addr->sun_path, path, strlen(path));
	return 0;
}

/* A socket file that nobody listens on is left over from a dead process. */
static void remove_stale(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) && errno == ECONNREFUSED)
		unlink(addr->sun_path);
	close(fd);
}

static int listen_on(const char *path)
{
	struct sockaddr_un addr;
	int err = fill_address(&addr, path);
	int fd;

	if (err)
		return err;
	remove_stale(&addr);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 8)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int open_listener(const char *path, int *fd)
{
	if (!path)
		return 0;
	*fd = listen_on(path);
	if (*fd >= 0)
		return 0;
	fprintf(stderr, "vpv-model: cannot listen on %s: %s\n", path, strerror(-*fd));
	return *fd;
}

static int open_signals(struct vu_server *srv)
{
	sigset_t set;

	/* The client may pass a pipe for an eventfd, and close its other end. */
	signal(SIGPIPE, SIG_IGN);
	if (!srv->opts.signals)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	srv->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return srv->signal_fd < 0 ? -errno : 0;
}

static void close_listener(int fd, const char *path)
{
	if (fd < 0)
		return;
	close(fd);
	unlink(path);
}

/* ---- client ---- */

static void accept_client(struct vu_server *srv)
{
	int fd = accept4(srv->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (srv->conn.fd >= 0) {
		srv->dev->stats.refused++;
		vu_server_log(srv, "second client refused");
		close(fd);
		return;
	}
	if (vu_server_attach(srv, fd))
		vu_server_log(srv, "client refused: no memory");
}

/* A header that cannot be used still gets an answer. */
static void refuse_message(struct vu_server *srv, int err)
{
	struct vu_hdr hdr = {
		.id = srv->conn.hdr.id, .cmd = srv->conn.hdr.cmd, .size = sizeof(hdr),
		.flags = VU_FLAG_REPLY | VU_FLAG_ERROR, .error = (uint32_t)-err,
	};

	bool quiet = (srv->conn.hdr.flags & VU_FLAG_NO_REPLY) ||
		     (srv->conn.hdr.flags & VU_FLAG_TYPE_MASK) == VU_FLAG_REPLY;

	srv->dev->stats.errors++;
	if ((!quiet && vu_conn_send(&srv->conn, &hdr, NULL, 0, NULL, 0, -1)) || err == -EPROTO)
		vu_server_drop_client(srv, "broken message");
	else
		vu_conn_next(&srv->conn);
}

static void serve_client(struct vu_server *srv)
{
	uint64_t conn_count = srv->conn_count;

	for (int i = 0; i < MESSAGES_A_STEP; i++) {
		int ret = vu_conn_recv(&srv->conn);

		if (!ret)
			return;
		if (ret == 1) {
			vu_request_handle(srv);
			if (srv->conn_count != conn_count)
				return;
			vu_conn_next(&srv->conn);
		} else if (ret == -EMSGSIZE || ret == -EINVAL || ret == -EPROTO) {
			refuse_message(srv, ret);
		} else {
			vu_server_drop_client(srv, strerror(-ret));
		}
		if (srv->conn_count != conn_count || srv->quit ||
		    (srv->dma.active && srv->dma.done))
			return;
	}
}

/* ---- control clients ---- */

int vu_server_attach_control(struct vu_server *srv, int fd)
{
	for (unsigned int i = 0; i < VU_CTL_CLIENTS; i++) {
		if (srv->ctl[i].fd < 0) {
			vu_ctl_open(&srv->ctl[i], fd);
			return 0;
		}
	}
	close(fd);
	return -EBUSY;
}

static void accept_control(struct vu_server *srv)
{
	int fd = accept4(srv->ctl_listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && vu_server_attach_control(srv, fd))
		vu_server_log(srv, "control client refused: too many");
}

/* ---- loop ---- */

enum {
	P_LISTEN, P_CTL_LISTEN, P_SIGNAL, P_UNMASK, P_CLIENT, P_CTL,
	P_COUNT = P_CTL + VU_CTL_CLIENTS
};

#define MAX_POLL	(P_COUNT * (VU_MAX_CONTROLLED + 1))

/* What a step of @waiter may do for the client of @srv. */
static unsigned int allowed(const struct vu_server *srv, const struct vu_server *waiter,
			    unsigned int what)
{
	if (srv == waiter)
		return what;
	return srv->in_request ? 0 : VU_STEP_CLIENT;
}

static void fill_poll(struct vu_server *srv, struct pollfd *p, unsigned int what)
{
	p[P_LISTEN] = (struct pollfd) { .fd = srv->listen_fd, .events = POLLIN };
	p[P_CTL_LISTEN] = (struct pollfd) { .fd = srv->ctl_listen_fd, .events = POLLIN };
	p[P_SIGNAL] = (struct pollfd) { .fd = srv->signal_fd, .events = POLLIN };
	p[P_UNMASK] = (struct pollfd) { .fd = srv->dev->irq.intx_unmask, .events = POLLIN };
	p[P_CLIENT] = (struct pollfd) {
		.fd = srv->client_gone ? -1 : srv->conn.fd,
		.events = what & VU_STEP_CLIENT ? POLLIN : 0,
	};
	for (unsigned int i = 0; i < VU_CTL_CLIENTS; i++)
		p[P_CTL + i] = (struct pollfd) {
			.fd = srv->ctl[i].fd, .events = vu_ctl_events(&srv->ctl[i]),
		};
}

bool vu_server_busy(const struct vu_server *srv)
{
	const struct vu_server *s = srv;

	do {
		if (s->dev->kicked)
			return true;
		s = s->next;
	} while (s != srv);
	return false;
}

static uint64_t poll_time(const struct vu_server *srv, int timeout_ms, unsigned int what)
{
	uint64_t ns = (uint64_t)timeout_ms * NSEC_PER_MSEC;
	const struct vu_server *s = srv;
	uint64_t now = vu_now();

	do {
		uint64_t wake = s->dev->wake;

		if (!(what & VU_STEP_WORK))
			break;
		if (s->dev->kicked || (wake && wake <= now))
			ns = 0;
		else if (wake && wake - now < ns)
			ns = wake - now;
		s = s->next;
	} while (s != srv);
	return ns;
}

static void quit_all(struct vu_server *srv)
{
	struct vu_server *s = srv;

	do {
		s->quit = true;
		s = s->next;
	} while (s != srv);
}

static void serve_ready(struct vu_server *srv, struct pollfd *p, unsigned int what)
{
	if (p[P_SIGNAL].revents & POLLIN)
		quit_all(srv);
	if (p[P_LISTEN].revents & POLLIN)
		accept_client(srv);
	if (p[P_UNMASK].revents && srv->dev->irq.intx_unmask == p[P_UNMASK].fd)
		vu_irq_intx_unmask(srv->dev);
	if (p[P_CLIENT].revents && srv->conn.fd == p[P_CLIENT].fd) {
		if (what & VU_STEP_CLIENT)
			serve_client(srv);
		else
			srv->client_gone = true;
	}
	for (unsigned int i = 0; i < VU_CTL_CLIENTS; i++)
		if (p[P_CTL + i].revents && srv->ctl[i].fd == p[P_CTL + i].fd)
			vu_ctl_io(&srv->ctl[i], srv->dev);
	if (p[P_CTL_LISTEN].revents & POLLIN)
		accept_control(srv);
}

static int serve_all(struct vu_server *srv, uint64_t ns, unsigned int what)
{
	struct vu_server *s = srv;
	struct pollfd p[MAX_POLL];
	nfds_t count = 0;
	int n;

	do {
		fill_poll(s, p + count, allowed(s, srv, what));
		count += P_COUNT;
		s = s->next;
	} while (s != srv);
	n = vu_poll(p, count, ns);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	count = 0;
	do {
		if (n > 0)
			serve_ready(s, p + count, allowed(s, srv, what));
		count += P_COUNT;
		s = s->next;
	} while (s != srv);
	return 0;
}

/* Context: outermost step only; work never nests. */
static void work_all(struct vu_server *srv)
{
	struct vu_server *s = srv;

	do {
		if (vu_dev_work_due(s->dev) && s->dev->model->work) {
			s->in_work = true;
			s->dev->model->work(s->dev);
			s->in_work = false;
		}
		s = s->next;
	} while (s != srv && !s->quit);
}

int vu_server_step(struct vu_server *srv, int timeout_ms, unsigned int what)
{
	int err = serve_all(srv, poll_time(srv, timeout_ms, what), what);

	if (err)
		return err;
	if (!srv->quit && (what & VU_STEP_WORK))
		work_all(srv);
	return srv->quit ? -EINTR : 0;
}

int vu_server_run(struct vu_server *srv)
{
	int err;

	do {
		err = vu_server_step(srv, 60000, VU_STEP_CLIENT | VU_STEP_WORK);
	} while (!err);
	return err == -EINTR ? 0 : err;
}

/* ---- waits inside hooks ---- */

static struct vu_server *server_of(struct vu_front *front)
{
	return (struct vu_server *)((char *)front - offsetof(struct vu_server, front));
}

static int wait_step(struct vu_server *srv, uint64_t until)
{
	uint64_t now = vu_now();
	uint64_t left = until > now ? (until - now) / NSEC_PER_MSEC + 1 : 0;

	return vu_server_step(srv, left > 1000 ? 1000 : (int)left,
			      srv->in_request ? 0 : VU_STEP_CLIENT);
}

static int server_wait(struct vu_front *front, unsigned int fault, const struct vu_fault_hit *hit)
{
	struct vu_server *srv = server_of(front);
	uint64_t resets = srv->dev->reset_count, conns = srv->conn_count;
	uint64_t until = vu_now() + hit->delay_ns;
	int err = 0;

	while (!err && (vu_now() < until || (hit->hang && vu_fault_hanging(srv->dev, fault)))) {
		err = wait_step(srv, hit->hang ? vu_now() + 1000 * NSEC_PER_MSEC : until);
		if (err)
			break;
		if (srv->dev->reset_count != resets)
			err = -ECANCELED;
		else if (srv->conn_count != conns || srv->client_gone)
			err = -ENOTCONN;
	}
	return err;
}

static int await_reply(struct vu_server *srv)
{
	uint64_t until = vu_now() + srv->opts.timeout_ms * NSEC_PER_MSEC;
	uint64_t resets = srv->dev->reset_count, conns = srv->conn_count;

	while (!srv->dma.done) {
		int err = wait_step(srv, until);

		if (err)
			return err;
		if (srv->conn_count != conns)
			return -ENOTCONN;
		if (srv->dma.done)
			break;
		if (srv->dev->reset_count != resets)
			return -ECANCELED;
		if (vu_now() >= until)
			return -ETIMEDOUT;
	}
	return srv->dma.err;
}

static int server_dma(struct vu_front *front, bool write, uint64_t iova, void *buf, size_t *len)
{
	struct vu_server *srv = server_of(front);
	struct vu_dma_rw_msg msg = { .iova = iova };
	struct vu_hdr hdr = { .cmd = write ? VU_DMA_WRITE : VU_DMA_READ };
	int err;

	if (!srv->in_work || srv->in_request || srv->dma.active)
		return -EDEADLK;
	if (srv->conn.fd < 0 || !srv->version_done)
		return -ENOTCONN;
	if (*len > srv->ses.max_xfer)
		*len = srv->ses.max_xfer;
	msg.count = *len;
	hdr.id = srv->next_id++;
	hdr.size = (uint32_t)(sizeof(hdr) + sizeof(msg) + (write ? *len : 0));
	srv->dev->stats.dma_messages++;
	srv->dma.active = true;
	srv->dma.done = false;
	srv->dma.id = hdr.id;
	srv->dma.write = write;
	srv->dma.buf = buf;
	srv->dma.len = *len;
	err = vu_conn_send(&srv->conn, &hdr, &msg, sizeof(msg), buf, write ? *len : 0, -1);
	if (err)
		vu_server_drop_client(srv, strerror(-err));
	else
		err = await_reply(srv);
	srv->dma.active = false;
	if (!err)
		*len = srv->dma.len;
	return err;
}

/* ---- life cycle ---- */

struct vu_server *vu_server_new(struct vu_dev *dev, const struct vu_server_opts *opts)
{
	struct vu_server *srv = calloc(1, sizeof(*srv));

	if (!srv)
		return NULL;
	srv->dev = dev;
	srv->next = srv;
	srv->opts = *opts;
	srv->listen_fd = -1;
	srv->ctl_listen_fd = -1;
	srv->signal_fd = -1;
	srv->conn.fd = -1;
	srv->conn.send_timeout_ms = opts->timeout_ms;
	for (unsigned int i = 0; i < VU_CTL_CLIENTS; i++)
		srv->ctl[i].fd = -1;
	srv->front = (struct vu_front) { .wait = server_wait, .dma = server_dma };
	dev->front = &srv->front;
	/* Room for region info with its capabilities even if the limits were tiny. */
	srv->reply = malloc(VU_MAX_PAYLOAD);
	if (!srv->reply || open_signals(srv) ||
	    open_listener(opts->socket_path, &srv->listen_fd) ||
	    open_listener(opts->control_path, &srv->ctl_listen_fd)) {
		vu_server_free(srv);
		return NULL;
	}
	return srv;
}

void vu_server_join(struct vu_server *srv, struct vu_server *other)
{
	srv->next = other->next;
	other->next = srv;
}

static void leave_ring(struct vu_server *srv)
{
	struct vu_server *s = srv;

	while (s->next != srv)
		s = s->next;
	s->next = srv->next;
}

void vu_server_free(struct vu_server *srv)
{
	leave_ring(srv);
	vu_server_drop_client(srv, "end");
	for (unsigned int i = 0; i < VU_CTL_CLIENTS; i++)
		vu_ctl_close(&srv->ctl[i]);
	close_listener(srv->listen_fd, srv->opts.socket_path);
	close_listener(srv->ctl_listen_fd, srv->opts.control_path);
	if (srv->signal_fd >= 0)
		close(srv->signal_fd);
	srv->dev->front = NULL;
	free(srv->reply);
	free(srv);
}
