/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfio-user device models: what the files of the runtime share among themselves.
 * Models include vu.h only.
 */
#ifndef VU_INT_H
#define VU_INT_H

#include "vu.h"
#include "vu_msg.h"

struct vu_server;

#define VU_MAX_OPTIONS	32

/* ---- Config space ---- */

#define VU_CONFIG_BYTES	4096

/*
 * @data: current bytes; @reset: their reset values; @writable and @w1c: rules.
 * The offsets are 0 when the capability is absent.
 */
struct vu_config {
	uint8_t data[VU_CONFIG_BYTES];
	uint8_t reset[VU_CONFIG_BYTES];
	uint8_t writable[VU_CONFIG_BYTES];
	uint8_t w1c[VU_CONFIG_BYTES];
	unsigned int bytes;
	unsigned int next_cap, last_cap;
	unsigned int next_ext, last_ext;
	unsigned int pm, pcie, msi, msix, af;
	bool flr;
};

int vu_config_setup(struct vu_dev *dev);
void vu_config_reset(struct vu_dev *dev);
void vu_config_read(struct vu_dev *dev, uint64_t off, void *buf, size_t len);
void vu_config_soft_reset(struct vu_dev *dev, bool on);
/* Applies a write and its side effects (FLR included). */
void vu_config_write(struct vu_dev *dev, uint64_t off, const void *buf, size_t len);

/* ---- Guest memory ---- */

struct vu_map;

/* @maps: sorted by IOVA, disjoint */
struct vu_dma {
	struct vu_map *maps;
	size_t count, room;
	struct vu_file *files;
};

/* Takes over @fd (-1: message access) on success and on failure. */
int vu_dma_map(struct vu_dev *dev, const struct vu_dma_map_msg *msg, int fd, uint32_t max_maps);
int vu_dma_unmap(struct vu_dev *dev, const struct vu_dma_unmap_msg *msg);
void vu_dma_clear(struct vu_dev *dev);

/* ---- Ledger of written pages ---- */

struct vu_ledger_page {
	uint64_t iova;		/* page address + 1; 0 = free slot */
	uint64_t count;
};

/* Open addressing hash; @lost counts writes that could not be entered. */
struct vu_ledger {
	struct vu_ledger_page *slots;
	size_t room, used;
	uint64_t lost;
};

void vu_ledger_add(struct vu_ledger *led, uint64_t iova, size_t len);
void vu_ledger_print(const struct vu_ledger *led, FILE *out);
void vu_ledger_clear(struct vu_ledger *led);

/* ---- Interrupts ---- */

struct vu_vector {
	int trigger;		/* eventfd, -1 = none */
	bool masked;		/* by SET_IRQS */
	bool pending;
};

struct vu_irqs {
	struct vu_vector *vec[VFIO_PCI_NUM_IRQS];
	uint32_t count[VFIO_PCI_NUM_IRQS];
	int intx_unmask;	/* eventfd polled by the server, -1 = none */
	bool intx_level;
	bool hold;		/* vu_irq_hold() */
	uint32_t msix_table, msix_pba;
	int msix_table_bar, msix_pba_bar;
	uint8_t *msix_entries;
};

int vu_irq_setup(struct vu_dev *dev, unsigned int index, uint32_t count);
void vu_irq_free(struct vu_dev *dev);
void vu_irq_info(const struct vu_dev *dev, struct vfio_irq_info *info);
/* Consumes the descriptors that it keeps by setting their slot to -1. */
int vu_irq_set(struct vu_dev *dev, const struct vu_req *req, int *fds, unsigned int num_fds);
void vu_irq_disconnect(struct vu_dev *dev);
void vu_irq_reset(struct vu_dev *dev);
void vu_irq_intx_unmask(struct vu_dev *dev);
/* Config space changed: deliver what is pending and now allowed. */
void vu_irq_refresh(struct vu_dev *dev);
/* Serve the MSI-X table and pending bits; false when the access is elsewhere. */
bool vu_msix_access(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len, bool write);

/* ---- Faults ---- */

struct vu_fault {
	const char *name;
	bool armed;
	struct vu_fault_hit hit;
	uint64_t count, skip;	/* count 0 = without end */
	uint64_t taken;
	bool hung;		/* a hang was taken and not ended yet */
};

int vu_fault_setup(struct vu_dev *dev);
void vu_fault_print(const struct vu_dev *dev, FILE *out);
void vu_fault_clear(struct vu_dev *dev);
/* End hangs, keep what is armed. */
void vu_fault_reset(struct vu_dev *dev);
/* argv: OP and its settings.  Return 0 or -errno with *why set. */
int vu_fault_arm(struct vu_dev *dev, int argc, char **argv, const char **why);

/* ---- Device ---- */

struct vu_stats {
	uint64_t requests, errors, connects, refused;
	uint64_t region_reads, region_writes, resets;
	uint64_t dma_reads, dma_read_bytes, dma_writes, dma_write_bytes, dma_faults;
	uint64_t dma_messages;
	uint64_t irqs, irqs_pending, irqs_dropped;
};

struct vu_dev {
	const struct vu_model *model;	/* &own */
	struct vu_model own;
	void *priv;
	struct vu_server *srv;
	struct vu_dev *controlling, *controlled[VU_MAX_CONTROLLED];
	unsigned int function, num_controlled;
	struct {
		const char *key, *value;
	} options[VU_MAX_OPTIONS];
	unsigned int num_options;
	struct vu_config cfg;
	struct vu_dma dma;
	struct vu_ledger ledger;
	struct vu_irqs irq;
	struct vu_fault faults[VU_MAX_FAULTS];
	unsigned int num_faults;
	struct vu_stats stats;
	struct {
		int fd;
		uint8_t *mem;
	} bar[VU_NUM_BARS];
	uint64_t reset_count;
	bool kicked;
	uint64_t wake;		/* 0 = no timer */
};

/*
 * @options: "key=value" strings, kept by reference.  NULL after printing the reason.
 * Makes and frees the controlled functions as well.
 */
struct vu_dev *vu_dev_new(const struct vu_model *model, char **options, unsigned int num_options);
void vu_dev_free(struct vu_dev *dev);
void vu_dev_reset(struct vu_dev *dev, enum vu_reset why);
void vu_dev_shape(const struct vu_dev *dev, struct vu_shape *shape);
/* Fills the reply payload (at most @max bytes); *fd is borrowed, -1 = none. */
size_t vu_dev_region_info(struct vu_dev *dev, const struct vfio_region_info *req,
			  bool can_fd, void *out, size_t max, int *fd);
void vu_dev_region_access(struct vu_dev *dev, uint32_t region, uint64_t off, void *buf,
			  size_t len, bool write);
/* True when a due timer or a kick was consumed. */
bool vu_dev_work_due(struct vu_dev *dev);

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
 * @conn_count: changes when a client comes or goes
 * @in_request: a request is being carried out (only the control socket is served in waits)
 * @in_work: the model's work runs (it may use guest memory)
 * @dma: the one message-based access that is under way
 * @next: ring of the functions that live in this process; a step serves all of them
 */
struct vu_server {
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

struct vu_server *vu_server_new(struct vu_dev *dev, const struct vu_server_opts *opts);
void vu_server_free(struct vu_server *srv);
/* Have @srv served together with @other. */
void vu_server_join(struct vu_server *srv, struct vu_server *other);
/* Work waits to be done for a function of the ring. */
bool vu_server_busy(const struct vu_server *srv);
/* Use an already connected socket as the client; takes over @fd. */
int vu_server_attach(struct vu_server *srv, int fd);
int vu_server_attach_control(struct vu_server *srv, int fd);
/*
 * One round of the poll loop; returns -EINTR when the process is to end.  @what is for
 * the client of @srv; of the others, those are served that are not in a request.
 */
int vu_server_step(struct vu_server *srv, int timeout_ms, unsigned int what);
int vu_server_run(struct vu_server *srv);
/*
 * Carry out the delay and the hang of @hit inside a hook.  0; -EINTR (process ends),
 * -ECANCELED (device was reset) or -ENOTCONN (client left).
 */
int vu_server_wait(struct vu_server *srv, unsigned int fault, const struct vu_fault_hit *hit);
/* DMA by message; cuts *len to what was done.  -EDEADLK outside of @work. */
int vu_server_dma(struct vu_server *srv, bool write, uint64_t iova, void *buf, size_t *len);
/* Carry out the message in the connection's buffer (vu_request.c). */
void vu_request_handle(struct vu_server *srv);
/* The client is gone or cannot be trusted any more. */
void vu_server_drop_client(struct vu_server *srv, const char *why);
void vu_server_log(struct vu_server *srv, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* VU_INT_H */
