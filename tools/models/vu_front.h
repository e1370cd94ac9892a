/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfio-user device models: connection, control socket and server of a device, for the files
 * of the runtime that are above the device.
 */
#ifndef VU_FRONT_H
#define VU_FRONT_H

#include "vu_dev.h"

/* ---- Connection (vu_conn.c): framing and descriptors, no meaning ---- */

struct vu_conn {
	int fd;			/* -1 = no client */
	struct vu_hdr hdr;
	size_t have;		/* bytes of header and payload received */
	size_t skip;		/* bytes of an oversized message still to drop */
	int fds[VU_MAX_FDS];
	unsigned int num_fds;
	bool fds_lost;		/* more descriptors arrived than are kept */
	uint8_t *payload;
	unsigned int send_timeout_ms;
};

int vu_conn_open(struct vu_conn *conn, int fd);
void vu_conn_close(struct vu_conn *conn);
/*
 * Receive what is there.  1: a message is complete; 0: not yet; -EMSGSIZE, -EINVAL: as
 * vu_hdr_check(), header valid, go on after vu_conn_next(); others: connection lost.
 */
int vu_conn_recv(struct vu_conn *conn);
/* Forget the current message and close descriptors nobody took. */
void vu_conn_next(struct vu_conn *conn);
int vu_conn_send(struct vu_conn *conn, const struct vu_hdr *hdr, const void *a, size_t a_len,
		 const void *b, size_t b_len, int fd);

/* ---- Control socket ---- */

#define VU_CTL_CLIENTS	8
#define VU_CTL_LINE	1024

struct vu_ctl {
	int fd;
	char line[VU_CTL_LINE];
	size_t have;
	bool overlong;
	char *out;
	size_t out_len, out_done;
};

void vu_ctl_open(struct vu_ctl *ctl, int fd);
void vu_ctl_close(struct vu_ctl *ctl);
short vu_ctl_events(const struct vu_ctl *ctl);
/* Read commands, run them, write answers.  Closes itself on EOF. */
void vu_ctl_io(struct vu_ctl *ctl, struct vu_dev *dev);
/* Run one command line; the answer with its last line goes to @out. */
void vu_ctl_command(struct vu_dev *dev, char *line, FILE *out);

/* ---- Server ---- */

#define VU_STEP_CLIENT	0x1u	/* serve the vfio-user client */
#define VU_STEP_WORK	0x2u	/* run the model's work */

struct vu_server_opts {
	const char *socket_path;	/* NULL: no listener, see vu_server_attach() */
	const char *control_path;
	unsigned int timeout_ms;	/* bound for the client to answer or to take data */
	bool signals;			/* end on SIGTERM and SIGINT */
	bool verbose;
};

/*
 * @front: what the device has of it
 * @conn_count: changes when a client comes or goes
 * @in_request: a request is being carried out (only the control socket is served in waits)
 * @in_work: the model's work runs (it may use guest memory)
 * @dma: the one message-based access that is under way
 * @next: ring of the functions that live in this process; a step serves all of them
 */
struct vu_server {
	struct vu_front front;
	struct vu_dev *dev;
	struct vu_server *next;
	struct vu_server_opts opts;
	int listen_fd, ctl_listen_fd, signal_fd;
	struct vu_conn conn;
	struct vu_session ses;
	bool version_done;
	uint64_t conn_count;
	bool in_request, in_work, client_gone, quit;
	struct vu_ctl ctl[VU_CTL_CLIENTS];
	struct {
		bool active, done;
		uint16_t id;
		bool write;
		void *buf;
		size_t len;
		int err;
	} dma;
	uint16_t next_id;
	uint8_t *reply;
};

/* ---- Its client (vu_client.c) ---- */

/* Use an already connected socket as the client; takes over @fd. */
int vu_server_attach(struct vu_server *srv, int fd);
/* The client is gone or cannot be trusted any more. */
void vu_server_drop_client(struct vu_server *srv, const char *why);
void vu_server_log(struct vu_server *srv, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Carry out the message in the connection's buffer (vu_request.c). */
void vu_request_handle(struct vu_server *srv);

/* ---- The loop ---- */

struct vu_server *vu_server_new(struct vu_dev *dev, const struct vu_server_opts *opts);
void vu_server_free(struct vu_server *srv);
/* Have @srv served together with @other. */
void vu_server_join(struct vu_server *srv, struct vu_server *other);
/* Work waits to be done for a function of the ring. */
bool vu_server_busy(const struct vu_server *srv);
int vu_server_attach_control(struct vu_server *srv, int fd);
/*
 * One round of the poll loop; returns -EINTR when the process is to end.  @what is for
 * the client of @srv; of the others, those are served that are not in a request.
 */
int vu_server_step(struct vu_server *srv, int timeout_ms, unsigned int what);
int vu_server_run(struct vu_server *srv);

#endif /* VU_FRONT_H */
