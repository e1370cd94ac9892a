/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The migration region of our drivers, for users of the first migration protocol of
 * VFIO.  Its head is struct vfio_device_migration_info of linux/vfio.h, whose users find
 * all they need there; this is what that header leaves open.  Documentation/migration-v1.rst
 * tells the rules.
 */
#ifndef _UAPI_VPV_MIGRATION_V1_H
#define _UAPI_VPV_MIGRATION_V1_H

#include <linux/types.h>

/* The head: offsets and sizes of its fields. */
#define VPV_V1_DEVICE_STATE	0	/* 4 bytes, read and write */
#define VPV_V1_RESERVED		4	/* 4 bytes, zero; writes are ignored */
#define VPV_V1_PENDING_BYTES	8	/* 8 bytes, read */
#define VPV_V1_DATA_OFFSET	16	/* 8 bytes, read */
#define VPV_V1_DATA_SIZE	24	/* 8 bytes, read and write */
#define VPV_V1_HEAD_BYTES	32

/* The window that data goes through, which may be mapped; nothing is between the two. */
#define VPV_V1_WINDOW		4096
#define VPV_V1_WINDOW_BYTES	(1U << 20)
#define VPV_V1_REGION_BYTES	(VPV_V1_WINDOW + VPV_V1_WINDOW_BYTES)

/* Bits of device_state. */
#define VPV_V1_STATE_RUNNING	(1U << 0)
#define VPV_V1_STATE_SAVING	(1U << 1)
#define VPV_V1_STATE_RESUMING	(1U << 2)
#define VPV_V1_STATE_NDMA	(1U << 3)	/* only if the capability has it */

/*
 * Capability of the region, by GET_REGION_INFO: the bits of device_state that may be set.
 * One that is not there is refused with EINVAL.
 */
#define VPV_REGION_INFO_CAP_V1_STATES	0x7670

/**
 * struct vpv_region_info_cap_v1_states - What device_state may hold
 * @id: VPV_REGION_INFO_CAP_V1_STATES; this and the next two are struct vfio_info_cap_header.
 * @version: 1.
 * @next: Offset of the next capability.
 * @states: VPV_V1_STATE_ bits.
 * @reserved: Zero.
 */
struct vpv_region_info_cap_v1_states {
	__u16	id;
	__u16	version;
	__u32	next;
	__u32	states;
	__u32	reserved;
};

#endif /* _UAPI_VPV_MIGRATION_V1_H */
