/* SPDX-License-Identifier: GPL-2.0 */
/* Front ends: what user space calls.  The device gets them, and they call nothing above. */
#ifndef VMIG_FRONT_H
#define VMIG_FRONT_H

#include "machine.h"

struct file;

/* file.c */
struct file *vmig_file_request(struct vmig_machine *m, unsigned int v2);

/* log.c */
void vmig_log_open(struct vmig_machine *m);

/* v2.c */
struct vmig_machine *vmig_from_vdev(struct vfio_device *vdev);
void vmig_v2_attach(struct vmig_dev *mig);
void vmig_v2_detach(struct vmig_dev *mig);

#endif /* VMIG_FRONT_H */
