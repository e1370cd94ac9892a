/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vpv_nvme_ctrl publishes for each migratable controller, and vpv_nvme_cf uses: admin
 * commands of the managing controller about that controller.  The registry is
 * vpv/controlling.h; ops are called between vpv_control_enter() and vpv_control_leave().
 */
#ifndef NVCF_CONTROL_H
#define NVCF_CONTROL_H

#include <linux/types.h>

#define NVCF_FAMILY "nvme_cf"

/* Most data of a command, in bytes. */
#define NVCF_MAX_DATA 65536

/*
 * How long a controller may take to be enabled or disabled, in units of NVS_TO_MS, whatever it
 * says: 30 s, since tasks that wait for it cannot be killed.
 */
#define NVCF_READY_UNITS_MAX 60U

/**
 * struct nvcf_managing - What the managing controller can do, in CPU byte order
 * @serial: Of the subsystem, as the identity capability has it.
 * @max_data: Most data of a command, in bytes, at most NVCF_MAX_DATA; a multiple of 4096.
 * @csvi: CSVI of version 0 of the standard state (Identify CNS 20h); 0: not supported.
 * @csuuidi: CSUUIDI of NVCF_STATE_UUID; 0: not supported.
 * @tracks: Host memory can be tracked (TRATTR.THMCS); what follows is valid.
 * @pow2_ranges: TRATTR.MRTLL.
 * @ranges: CMMRTD.
 * @granule_min: MINMRTG, log2 of pages of 4 KiB.
 * @granule_max: MAXMRTG, likewise.
 */
struct nvcf_managing {
	u64 serial;
	u32 max_data;
	u8 csvi;
	u8 csuuidi;
	bool tracks;
	bool pow2_ranges;
	u16 ranges;
	u8 granule_min;
	u8 granule_max;
};

/**
 * struct nvcf_command - One admin command about the controller
 * @opcode: Opcode; its low bits tell the direction of the data.
 * @cdw10: Command dword 10.
 * @cdw11: Command dword 11; bits 15:0 are replaced by the CNTLID of the controller.
 * @cdw12: Command dword 12.
 * @cdw13: Command dword 13.
 * @cdw14: Command dword 14.
 * @cdw15: Command dword 15.
 * @data: Kernel memory, copied before the command begins or after it has ended; NULL: none.
 * @bytes: Its size, a multiple of 4, at most @nvcf_managing.max_data.
 * @dw0: Dword 0 of the completion.
 * @dw1: Dword 1 of the completion.
 * @status: Status of the completion, type in bits 10:8 and code in bits 7:0, when the error
 *	is one of the device.
 */
struct nvcf_command {
	u8 opcode;
	u32 cdw10;
	u32 cdw11;
	u32 cdw12;
	u32 cdw13;
	u32 cdw14;
	u32 cdw15;
	void *data;
	u32 bytes;
	u32 dw0;
	u32 dw1;
	u16 status;
};

/**
 * struct nvcf_control_ops - What can be done about a migratable controller
 */
struct nvcf_control_ops {
	/** @managing: What the managing controller can do; valid until leave. */
	const struct nvcf_managing *(*managing)(void *priv);

	/**
	 * @exec: Carry a command out; bounded by the time-out of commands.
	 *
	 * Waits for a command about the same controller that came through the character
	 * device.
	 *
	 * Return: 0; -ENOTCONN: the command was not given to the device; -ECONNABORTED,
	 * -ETIMEDOUT: it was, and it is not known whether it was carried out; -EREMOTEIO: it
	 * was refused, with @nvcf_command.status; -EMSGSIZE, -ENOMEM.
	 */
	int (*exec)(void *priv, struct nvcf_command *cmd);
};

#endif /* NVCF_CONTROL_H */
