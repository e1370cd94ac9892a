/* SPDX-License-Identifier: GPL-2.0 */
/* Which protocol the users of a device speak. */
#ifndef VMIG_DIALECT_H
#define VMIG_DIALECT_H

#include "machine.h"

void vmig_dialect_init(struct vmig_machine *m);

#endif /* VMIG_DIALECT_H */
