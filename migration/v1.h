/* SPDX-License-Identifier: GPL-2.0 */
/* The v1 front end, for code that has a device. */
#ifndef VMIG_V1_H
#define VMIG_V1_H

#include "machine.h"

struct iov_iter;
struct vfio_info_cap;
struct vm_area_struct;

struct vmig_v1 *vmig_v1_alloc(struct vmig_machine *m);
void vmig_v1_free(struct vmig_v1 *v1);
ssize_t vmig_v1_rw(struct vmig_v1 *v1, u64 pos, struct iov_iter *iter);
int vmig_v1_mmap(struct vmig_v1 *v1, u64 pos, struct vm_area_struct *vma);
int vmig_v1_caps(struct vmig_v1 *v1, struct vfio_info_cap *caps);

#endif /* VMIG_V1_H */
