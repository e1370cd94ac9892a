// SPDX-License-Identifier: GPL-2.0
/* The vfio-user client of a server: it comes, it goes, and what is said about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vu_front.h"

void vu_server_log(struct vu_server *srv, const char *fmt, ...)
{
	va_list ap;

	if (!srv->opts.verbose)
		return;
	va_start(ap, fmt);
	fputs("vpv-model: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

int vu_server_attach(struct vu_server *srv, int fd)
{
	int err = srv->conn.fd >= 0 ? -EBUSY : vu_conn_open(&srv->conn, fd);

	if (err) {
		close(fd);
		return err;
	}
	srv->version_done = false;
	srv->client_gone = false;
	memset(&srv->ses, 0, sizeof(srv->ses));
	srv->conn_count++;
	srv->dev->stats.connects++;
	return 0;
}

void vu_server_drop_client(struct vu_server *srv, const char *why)
{
	if (srv->conn.fd < 0)
		return;
	vu_server_log(srv, "client dropped: %s", why);
	vu_conn_close(&srv->conn);
	vu_irq_disconnect(srv->dev);
	vu_dma_clear(srv->dev);
	srv->version_done = false;
	srv->client_gone = false;
	srv->conn_count++;
}
