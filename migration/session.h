/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions as requests and front ends see them: what is queued for a reader and what a
 * writer brought.  A session is no file: a front end gives its user access to one.
 */
#ifndef VMIG_SESSION_H
#define VMIG_SESSION_H

#include <linux/poll.h>
#include <linux/wait.h>

#include "machine.h"

struct iov_iter;

/**
 * struct vmig_front - A front end that asks for a state with a session
 *
 * Called in the step that opens the session, with state_lock held, so that a failure
 * leaves the device in the state before.
 */
struct vmig_front {
	/** @open: Give the user access to @s; takes a reference.  Return: 0 or an errno. */
	int (*open)(struct vmig_front *front, struct vmig_session *s, bool saving);

	/** @cancel: Undo @open: the step has failed. */
	void (*cancel)(struct vmig_front *front);
};

/**
 * struct vmig_pending - What pre-copy still has to send
 * @initial: Bytes of the initial data, queued or to come.
 * @dirty: Other bytes.
 * @tell_reinit: The user has asked to be told about @reinit.
 * @reinit: What was sent is worthless; until the new initial data was read.
 */
struct vmig_pending {
	u64 initial;
	u64 dirty;
	bool tell_reinit;
	bool reinit;
};

extern const struct vmig_session_ops vmig_session_ops;

/* For front ends: user memory may be touched, no lock is held. */
void vmig_session_get(struct vmig_session *s);
void vmig_session_put(struct vmig_session *s);
void vmig_session_abandon(struct vmig_session *s);
ssize_t vmig_session_read(struct vmig_session *s, struct iov_iter *to, bool nonblock);
ssize_t vmig_session_write(struct vmig_session *s, struct iov_iter *from, bool nonblock);
wait_queue_head_t *vmig_session_wait(struct vmig_session *s);
__poll_t vmig_session_events(struct vmig_session *s);
int vmig_session_pending(struct vmig_session *s, struct vmig_pending *pending);
int vmig_session_left(struct vmig_session *s, u64 *bytes);

/* For code that changes states. */
void vmig_config_open(struct vmig_machine *m);
int vmig_save_begin(struct vmig_machine *m, bool final, struct vmig_front *front);
void vmig_save_final(struct vmig_machine *m);
void vmig_save_pause(struct vmig_machine *m);
void vmig_save_continue(struct vmig_machine *m);
int vmig_resume_begin(struct vmig_machine *m, struct vmig_front *front);
int vmig_resume_end(struct vmig_machine *m);
void vmig_pages_stop(struct vmig_machine *m);
void vmig_session_end(struct vmig_machine *m, bool saving, int err);
void vmig_sessions_fail(struct vmig_machine *m, int err);
void vmig_sessions_end(struct vmig_machine *m, int err);

/* For code that has a device. */
bool vmig_staged_valid(const struct vmig_desc *desc);
bool vmig_pages_valid(const struct vmig_pages_ops *ops);

/* For debugfs. */
void vmig_session_stats(struct vmig_machine *m, bool saving, struct vmig_session_stats *stats);

#endif /* VMIG_SESSION_H */
