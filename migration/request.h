/* SPDX-License-Identifier: GPL-2.0 */
/* State requests, for front ends. */
#ifndef VMIG_REQUEST_H
#define VMIG_REQUEST_H

#include "session.h"

int vmig_state_request(struct vmig_machine *m, unsigned int v2, struct vmig_front *front);
void vmig_stop(struct vmig_machine *m, bool detach);

#endif /* VMIG_REQUEST_H */
