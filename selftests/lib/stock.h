/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of QEMU's own devices that tests raise interrupts with.
 */
#ifndef SELFTEST_STOCK_H
#define SELFTEST_STOCK_H

#include "device.h"

/* "edu" (QEMU, docs/specs/edu.rst): BAR 0 */
#define EDU_ID			0x00
#define EDU_ID_VALUE		0x010000edU
#define EDU_LIVENESS		0x04
#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_RAISE		0x60
#define EDU_IRQ_ACK		0x64

/* "e1000e" (Intel 82574 datasheet): BAR 0 */
#define E1000E_ICR		0xc0	/* causes; a read clears them */
#define E1000E_ICS		0xc8	/* sets causes */
#define E1000E_IMS		0xd0	/* unmasks causes */
#define E1000E_IMC		0xd8	/* masks causes */
#define E1000E_IVAR		0xe4	/* vector of each group of causes */
#define E1000E_LSC		(1U << 2)	/* link status change */
#define E1000E_OTHER		(1U << 24)
#define E1000E_IVAR_OTHER(v)	((8U | (v)) << 16)

/* "igb" (Intel 82576 datasheet): BAR 0 */
#define IGB_GPIE		0x1514
#define IGB_GPIE_MSIX		0x10
#define IGB_EICS		0x1520	/* sets causes, one for each vector */
#define IGB_EIMS		0x1524	/* unmasks them */
#define IGB_EICR		0x1580	/* causes; ones clear them */

/* 32 bits of a BAR; UINT32_MAX if that fails. */
uint32_t bar_get(struct vdev *v, unsigned int bar, uint64_t pos);
int bar_set(struct vdev *v, unsigned int bar, uint64_t pos, uint32_t val);

/*
 * Tell the driver of a function of an error, or of its recovery, by vpv_test_error: "normal",
 * "frozen", "failed", "mmio", "reset", "resume"; "unplugged" tells nobody.
 */
#define ERROR_STEP "/sys/module/vpv_test_error/parameters/step"
int error_step(const struct slot *slot, const char *name);

/* Load vpv_pci anew; every function is taken off it before. */
int vpv_pci_load(const char *parameters);

#endif /* SELFTEST_STOCK_H */
