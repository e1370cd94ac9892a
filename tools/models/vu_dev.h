/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfio-user device models: a device, for the files of the runtime.  Models include vu.h only.
 * Whoever serves its client is above it: see struct vu_front.
 */
#ifndef VU_DEV_H
#define VU_DEV_H

#include <poll.h>

#include "vu.h"
#include "vu_msg.h"

#define VU_MAX_OPTIONS	32

/* ---- Clock ---- */

/* As ppoll(), for at most @ns. */
int vu_poll(struct pollfd *p, nfds_t count, uint64_t ns);

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
/* Applies a write to the bytes.  True: by this write the function is reset. */
bool vu_config_write(struct vu_dev *dev, uint64_t off, const void *buf, size_t len);

/* ---- Guest memory ---- */

struct vu_map;

/* @maps: sorted by IOVA, disjoint */
struct vu_dma {
	struct vu_map *maps;
	size_t count, room;
	struct vu_file *files;
	bool begun;
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

/* ---- Registers ---- */

void vu_regs_access(struct vu_dev *dev, const struct vu_regs *regs, uint64_t off, void *buf,
		    size_t len, bool write);

/* ---- What a device needs of its client ---- */

/**
 * struct vu_front - Whoever serves the client of a device
 * @wait: Carry out the delay and the hang of @hit inside a hook.  0; -EINTR (process ends),
 *        -ECANCELED (device was reset) or -ENOTCONN (client left).
 * @dma: DMA by message; cuts *len to what was done.  -EDEADLK outside of the model's work.
 */
struct vu_front {
	int (*wait)(struct vu_front *front, unsigned int fault, const struct vu_fault_hit *hit);
	int (*dma)(struct vu_front *front, bool write, uint64_t iova, void *buf, size_t *len);
};

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
	struct vu_front *front;		/* NULL: nobody serves it */
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

#endif /* VU_DEV_H */
