/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VFs of our PFs, and the token that their users share.
 */
#ifndef VPV_SRIOV_H
#define VPV_SRIOV_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct vpv_device;

/**
 * struct vpv_sriov - Part of a device's state
 * @node: PF: in the list of PFs that have VFs; guarded by sriov.c's lock.
 * @self: The device.
 * @pf: VF: its PF if that is one of ours; constant while bound.
 * @token: PF: what users of it and of its VFs show; guarded by sriov.c's lock.
 * @users: PF: how many VFs are open; guarded by sriov.c's lock.
 * @active: PF: VFs exist or are being made; it stays in D0.  Set with memory_lock
 *	held for writing, cleared without.
 */
struct vpv_sriov {
	struct list_head node;
	struct vpv_device *self;
	struct vpv_device *pf;
	uuid_t token;
	unsigned int users;
	bool active;
};

int vpv_sriov_init(struct vpv_device *vpv);
void vpv_sriov_open(struct vpv_device *vpv);
void vpv_sriov_close(struct vpv_device *vpv);
void vpv_sriov_disable(struct vpv_device *vpv);
int vpv_token_match(struct vpv_device *vpv, const uuid_t *token);
int vpv_token_feature(struct vpv_device *vpv, u32 flags, void __user *arg, size_t argsz);
int vpv_sriov_module_init(void);
void vpv_sriov_module_exit(void);

#endif /* VPV_SRIOV_H */
