/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of edu_like (Documentation/hardware/edu_like.rst), for its driver, its
 * model and their tests.  All are 32 bits wide and little-endian.
 *
 * Function of vpv_edu_like: EDUL_VENDOR, EDUL_DEVICE
 */
#ifndef HW_EDU_LIKE_H
#define HW_EDU_LIKE_H

#include <linux/types.h>

#define EDUL_VENDOR		0x1234
#define EDUL_DEVICE		0x7630

/* BAR 0: the user's registers, and the control window from EDUL_CTL on. */
#define EDUL_BAR		0
#define EDUL_BAR_BYTES		0x2000
#define EDUL_CTL		0x1000

/* The user's registers. */
#define EDUL_ADDRESS		0x00	/* two words, low word first */
#define EDUL_WORDS		0x08
#define EDUL_VALUE		0x0c
#define EDUL_CONTROL		0x10

#define EDUL_START		0x1	/* written to CONTROL */
#define EDUL_BUSY		0x1	/* read from CONTROL */
#define EDUL_DONE		0x2
#define EDUL_ERROR		0x4

/* The control window, offsets from EDUL_CTL. */
#define EDUL_ID			0x00
#define EDUL_VERSION		0x04
#define EDUL_MAX_WORDS		0x08
#define EDUL_PAUSE		0x0c
#define EDUL_COMMIT		0x10
#define EDUL_WINDOW		0x40

#define EDUL_ID_VALUE		0x43554445	/* "EDUC" */
#define EDUL_VERSION_NOW	1

#define EDUL_PAUSE_REQUEST	0x1	/* PAUSE: read and write */
#define EDUL_PAUSED		0x2	/* PAUSE: read */

#define EDUL_COMMITTED		0	/* COMMIT, read */
#define EDUL_REFUSED		1
#define EDUL_COMMITTING		2

/* What PAUSE and COMMIT may take. */
#define EDUL_PAUSE_MS		1000
#define EDUL_COMMIT_MS		1000

/**
 * struct edul_state - The window: all that the device knows of its user's work
 * @address: ADDRESS.
 * @words: WORDS.
 * @value: VALUE.
 * @control: CONTROL, as it is read.
 * @progress: Words written since START, fewer than @words while BUSY.
 * @reserved: Zero.
 */
struct edul_state {
	__le64 address;
	__le32 words;
	__le32 value;
	__le32 control;
	__le32 progress;
	__le32 reserved[2];
};

#endif /* HW_EDU_LIKE_H */
