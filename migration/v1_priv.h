/* SPDX-License-Identifier: GPL-2.0 */
/* Inside of the v1 front end. */
#ifndef VMIG_V1_PRIV_H
#define VMIG_V1_PRIV_H

#include "session.h"
#include "v1_regs.h"
#include "v1_window.h"

/**
 * struct vmig_v1 - The region of a device, from open to close
 * @front: What requests know of it.
 * @m: Machine.
 * @set_lock: One write of device_state at a time.
 * @ndma: The last state that was set has NDMA; set_lock.
 * @session: What the last request has opened, also after it has failed, or NULL;
 *	vmig_machine.lock.
 * @saving: Its kind; likewise.
 * @sessions: Changes of @session, modulo; likewise.
 * @window: What data goes through.  Written to by the user at any time.
 * @window_lock: One piece of data at a time; guards what follows.
 * @there: @bytes of the stream are in the window, which the user has not given back.
 * @bytes: How many, of session number @of.
 * @of: Number.
 */
struct vmig_v1 {
	struct vmig_front front;
	struct vmig_machine *m;
	struct mutex set_lock;
	bool ndma;
	struct vmig_session *session;
	bool saving;
	unsigned int sessions;

	struct vmig_v1_window window;
	struct mutex window_lock;
	bool there;
	size_t bytes;
	unsigned int of;
};

/* v1_data.c */
int vmig_v1_check(struct vmig_v1 *v1, enum vmig_v1_reg reg, bool write);
int vmig_v1_pending(struct vmig_v1 *v1, u64 *val);
int vmig_v1_fill(struct vmig_v1 *v1);
int vmig_v1_filled(struct vmig_v1 *v1, u64 *val);
int vmig_v1_feed(struct vmig_v1 *v1, u64 bytes);
ssize_t vmig_v1_copy(struct vmig_v1 *v1, u64 pos, struct iov_iter *iter, bool write);

#endif /* VMIG_V1_PRIV_H */
