/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VMIG_DEBUGFS_H
#define VMIG_DEBUGFS_H

struct vmig_machine;

void vmig_debugfs_init(void);
void vmig_debugfs_exit(void);
void vmig_debugfs_add(struct vmig_machine *m);
void vmig_debugfs_remove(struct vmig_machine *m);

#endif /* VMIG_DEBUGFS_H */
