/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes of the managing controller: what it says of itself, and commands of users.  Pure. */
#ifndef NVCF_CTRL_WIRE_H
#define NVCF_CTRL_WIRE_H

#include <vpv/pure.h>

#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

#include "control.h"

#define NVCF_PAGE	4096U		/* CC.MPS is 0 */

/**
 * nvcf_wire_managing() - What a managing controller can do
 * @id: Its Identify data, CNS 01h.
 * @formats: NVS_IDENTIFY_BYTES of CNS 20h.
 * @out: Receives it; @out->serial is left alone.
 * @why: Receives what is wrong.
 *
 * Return: 0; -EOPNOTSUPP: it cannot manage; -EPROTO: it says what cannot be.
 */
int nvcf_wire_managing(const struct nvs_id_ctrl *id, const u8 *formats,
		       struct nvcf_managing *out, const char **why);

/**
 * nvcf_wire_secondaries() - The controllers that a managing controller has
 * @list: NVS_IDENTIFY_BYTES of CNS 15h.
 * @primary: CNTLID of the managing controller.
 * @cntlid: Receives their CNTLIDs, ascending.
 * @max: Room.
 *
 * Return: their number; -EPROTO: the list is not one; -E2BIG.
 */
int nvcf_wire_secondaries(const u8 *list, u16 primary, u16 *cntlid, unsigned int max);

/**
 * nvcf_wire_default() - The profile that a controller is given if nothing else is wanted
 * @want: Receives it; serial and NQN are missing.
 * @cntlid: Of the controller.
 */
void nvcf_wire_default(struct nvcf_profile *want, u16 cntlid);

/**
 * nvcf_wire_pack() - Make a profile for the device of one that is wanted
 * @out: Receives it.
 * @want: Its namespaces are at the places of their NSIDs, those without a disk are not there.
 */
void nvcf_wire_pack(struct nvcf_profile *out, const struct nvcf_profile *want);

/**
 * nvcf_wire_unpack() - The opposite
 * @want: Receives it.
 * @in: Of the device.
 *
 * Return: 0; -EPROTO for NSIDs that cannot be.
 */
int nvcf_wire_unpack(struct nvcf_profile *want, const struct nvcf_profile *in);

/**
 * nvcf_wire_list() - Fill a PRP list
 * @list: One entry for each page of a buffer but the first one.
 * @iova: Of the buffer, page aligned.
 * @bytes: Its size.
 */
void nvcf_wire_list(__le64 *list, u64 iova, u32 bytes);

/**
 * nvcf_wire_prp() - Name a buffer in a command
 * @sqe: Command.
 * @iova: Of the buffer, page aligned.
 * @list: Of its PRP list.
 * @bytes: Of data; the first page is named in any case.
 */
void nvcf_wire_prp(struct nvs_sqe *sqe, u64 iova, u64 list, u32 bytes);

/**
 * nvcf_wire_about() - Is a command of a user about a migratable controller?
 * @sqe: Command.
 *
 * Return: whether it does something to the controller of CDW11[15:0], or to what was
 * recorded of it.
 */
bool nvcf_wire_about(const struct nvs_sqe *sqe);

/**
 * nvcf_wire_user_bytes() - May a user send this, and how much does it transfer?
 * @sqe: Command.
 * @data: Of the user, if the command has data to the controller.
 * @data_len: Size of the user's buffer.
 *
 * The device goes by fields of the command, not by the size of a buffer: only commands of
 * which it is known how much they transfer are allowed.
 *
 * Return: bytes of data; -EOPNOTSUPP: not by this way; -EINVAL: the buffer is smaller than
 * what is transferred; -EMSGSIZE: more than NVCF_MAX_DATA.
 */
int nvcf_wire_user_bytes(const struct nvs_sqe *sqe, const void *data, u32 data_len);

#endif /* NVCF_CTRL_WIRE_H */
