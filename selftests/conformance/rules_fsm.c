// SPDX-License-Identifier: GPL-2.0
/* States and the paths between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mig.h"

#define UAPI_ENUM	"uAPI: enum vfio_device_mig_state"
#define UAPI_SET	"uAPI: vfio_device_feature_mig_state"

/* Has no path: STOP_COPY may not go back to pre-copy. */
static bool legal(unsigned int from, unsigned int to)
{
	return from != STOP_COPY || (to != PRE_COPY && to != PRE_COPY_P2P);
}

static bool begins(unsigned int from, unsigned int to)
{
	if (from == to || (state_saves(from) && state_saves(to)))
		return false;
	return state_saves(to) || to == RESUMING;
}

static enum outcome pair(struct ctx *c)
{
	unsigned int from = c->rule->from, to = c->rule->to;
	int fd = -1, err = go_to(c, &c->a, from, NULL), now;

	CHECK(!err && get_state(&c->a) == (int)from, "cannot get to %s: %d", state_name(from), err);
	err = set_state(&c->a, to, &fd);
	now = get_state(&c->a);
	if (!legal(from, to)) {
		CHECK(err == -EINVAL, "SET_STATE gives %d instead of -EINVAL", err);
		CHECK(now == (int)from, "the state is %s afterwards", state_name(now));
		return PASS;
	}
	CHECK(!err, "SET_STATE gives %d, the state is %s", err, state_name(now));
	CHECK(now == (int)to, "the state is %s afterwards", state_name(now));
	CHECK(begins(from, to) == (fd >= 0), "data_fd is %d", fd);
	return PASS;
}

static enum outcome to_error(struct ctx *c)
{
	for (unsigned int state = STOP; state < STATES; state++) {
		int err;

		if (!has_state(c, state))
			continue;
		CHECK(!go_to(c, &c->a, state, NULL), "to %s", state_name(state));
		err = set_state(&c->a, ERROR, NULL);
		CHECK(err == -EINVAL, "in %s: %d", state_name(state), err);
		CHECK(get_state(&c->a) == (int)state, "then it is %s",
		      state_name(get_state(&c->a)));
		CHECK(!settle(c, &c->a), "back to RUNNING");
	}
	return PASS;
}

static enum outcome unknown(struct ctx *c)
{
	static const uint32_t numbers[] = { STATES, 255, 1u << 31, UINT32_MAX };

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int err = set_state(&c->a, numbers[i], NULL);

		CHECK(err == -EINVAL, "%#x: %d", numbers[i], err);
		CHECK(get_state(&c->a) == RUNNING, "%#x: the state is %s", numbers[i],
		      state_name(get_state(&c->a)));
	}
	return PASS;
}

static enum outcome unsupported(struct ctx *c)
{
	unsigned int tried = 0;

	for (unsigned int state = STOP; state < STATES; state++) {
		int err;

		if (has_state(c, state))
			continue;
		tried++;
		err = set_state(&c->a, state, NULL);
		CHECK(err == -EINVAL, "%s: %d", state_name(state), err);
		CHECK(get_state(&c->a) == RUNNING, "then it is %s", state_name(get_state(&c->a)));
	}
	return tried ? PASS : rule_skip(c, "the device has all states");
}

static enum outcome stays(struct ctx *c)
{
	for (unsigned int state = STOP; state < STATES; state++) {
		if (!has_state(c, state))
			continue;
		CHECK(!go_to(c, &c->a, state, NULL), "to %s", state_name(state));
		sys->pause(100);
		CHECK(get_state(&c->a) == (int)state, "%s has become %s", state_name(state),
		      state_name(get_state(&c->a)));
		CHECK(!settle(c, &c->a), "back to RUNNING");
	}
	return PASS;
}

/* ---- what QEMU does ---- */

struct walk {
	unsigned int states[8];
};

static enum outcome walk(struct ctx *c, const struct walk *w)
{
	struct blob whole = sample(c), b = {};
	int fd = -1;

	for (unsigned int i = 0; w->states[i]; i++) {
		unsigned int to = w->states[i];
		int file, err;

		/* QEMU goes without the optional states that there are not. */
		if (!has_state(c, to))
			continue;
		err = set_state(&c->a, to, &file);
		CHECK(!err, "step %u, to %s: %d", i, state_name(to), err);
		if (file >= 0)
			fd = file;
		if (to == RESUMING)
			err = blob_write(&whole, fd, 1 << 20);
		else if (state_saves(to))
			err = blob_read(&b, fd, 0);
		CHECK(!err || (err == -ENOMSG && to != STOP_COPY), "in %s: %d", state_name(to),
		      err);
	}
	CHECK(get_state(&c->a) == RUNNING, "it ends in %s", state_name(get_state(&c->a)));
	return PASS;
}

static enum outcome qemu_precopy(struct ctx *c)
{
	return walk(c, &(struct walk){ { PRE_COPY, PRE_COPY_P2P, STOP_COPY, STOP, RUNNING } });
}

static enum outcome qemu_stopcopy(struct ctx *c)
{
	return walk(c, &(struct walk){ { RUNNING_P2P, STOP, STOP_COPY, STOP, RUNNING } });
}

static enum outcome qemu_cancel(struct ctx *c)
{
	return walk(c, &(struct walk){ { PRE_COPY, RUNNING, PRE_COPY, PRE_COPY_P2P, RUNNING_P2P,
					 RUNNING } });
}

static enum outcome qemu_failed(struct ctx *c)
{
	return walk(c, &(struct walk){ { RUNNING_P2P, STOP, STOP_COPY, RUNNING } });
}

static enum outcome qemu_load(struct ctx *c)
{
	return walk(c, &(struct walk){ { RESUMING, RUNNING_P2P, RUNNING } });
}

/* ---- reset, close ---- */

static enum outcome reset(struct ctx *c)
{
	unsigned int state = c->rule->from;
	int fd, err = go_to(c, &c->a, state, &fd);
	uint8_t byte = 0;
	ssize_t n;

	CHECK(!err, "to %s: %d", state_name(state), err);
	err = device_reset(&c->a);
	CHECK(!err, "RESET: %d", err);
	CHECK(get_state(&c->a) == RUNNING, "the state is %s", state_name(get_state(&c->a)));
	if (fd >= 0) {
		n = state == RESUMING ? sys->write(fd, &byte, 1) : sys->read(fd, &byte, 1);
		CHECK(n < 0, "the data file goes on: %zd", n);
	}
	CHECK(!set_state(&c->a, STOP, NULL), "it cannot be stopped afterwards");
	return PASS;
}

/*
 * A driver may keep the session if it can say so: what the reset has made worthless comes again,
 * with REINIT.  If that is nothing, there is no new initial data either.
 */
static enum outcome reset_v2(struct ctx *c)
{
	struct vfio_precopy_info info;
	struct blob b = {};
	int fd, err, now;

	CHECK(!opt_in_v2(&c->a), "no opt-in");
	CHECK(!set_state(&c->a, PRE_COPY, &fd), "no PRE_COPY");
	err = blob_read(&b, fd, 0);
	CHECK(!err || err == -ENOMSG, "reading: %d", err);
	CHECK(!device_reset(&c->a), "no RESET");
	now = get_state(&c->a);
	CHECK(now == RUNNING || now == PRE_COPY, "the state is %s", state_name(now));
	err = precopy_info(fd, &info);
	if (now == RUNNING) {
		CHECK(err, "RUNNING, and PRECOPY_INFO of the old session works");
		return PASS;
	}
	CHECK(!err, "PRE_COPY, and PRECOPY_INFO gives %d", err);
	CHECK(info.flags & VFIO_PRECOPY_INFO_REINIT ? info.initial_bytes && !info.dirty_bytes :
						      !info.initial_bytes,
	      "PRE_COPY goes on with flags %#x, %llu initial, %llu dirty bytes", info.flags,
	      (unsigned long long)info.initial_bytes, (unsigned long long)info.dirty_bytes);
	CHECK(!set_state(&c->a, STOP_COPY, NULL) && !blob_read(&b, fd, 0), "no end of the stream");
	CHECK(!load(&c->a, &b, RUNNING, NULL), "the stream cannot be loaded");
	return PASS;
}

static enum outcome reopen(struct ctx *c)
{
	unsigned int state = c->rule->from;
	int fd, err = sys->open(&c->a);

	CHECK(!err, "open: %d", err);
	err = go_to(c, &c->a, state, &fd);
	CHECK(!err, "to %s: %d", state_name(state), err);
	if (fd >= 0)
		close(fd);
	sys->close(&c->a);
	err = sys->open(&c->a);
	CHECK(!err, "open again: %d", err);
	CHECK(get_state(&c->a) == RUNNING, "the state is %s", state_name(get_state(&c->a)));
	CHECK(!set_state(&c->a, STOP, NULL), "it cannot be stopped");
	return PASS;
}

/* ---- ERROR ---- */

static enum outcome failed(struct ctx *c)
{
	int fd, err = fail_load(c, &fd), now = get_state(&c->a);

	CHECK(err, "RESUMING -> STOP takes 64 bytes that are no stream");
	CHECK(now == RESUMING || now == STOP || now == ERROR, "the state is %s", state_name(now));
	return PASS;
}

static enum outcome failed_reset(struct ctx *c)
{
	struct blob whole = sample(c);
	int fd;

	fail_load(c, &fd);
	CHECK(!device_reset(&c->a), "no RESET");
	CHECK(get_state(&c->a) == RUNNING, "the state is %s", state_name(get_state(&c->a)));
	CHECK(!load(&c->a, &whole, RUNNING, NULL), "a good stream is refused afterwards");
	return PASS;
}

static enum outcome error(struct ctx *c)
{
	uint8_t byte = 0;
	int fd;

	fail_load(c, &fd);
	if (get_state(&c->a) != ERROR)
		return rule_skip(c, "a stream that is refused does not lead to ERROR");
	for (unsigned int state = 0; state < STATES; state++) {
		int err = set_state(&c->a, state, NULL);

		CHECK(err, "it goes to %s", state_name(state));
		CHECK(get_state(&c->a) == ERROR, "to %s: it is %s", state_name(state),
		      state_name(get_state(&c->a)));
	}
	CHECK(sys->write(fd, &byte, 1) < 0, "the data file takes more");
	return PASS;
}

static enum outcome error_close(struct ctx *c)
{
	int fd;

	CHECK(!sys->open(&c->a), "open");
	fail_load(c, &fd);
	if (get_state(&c->a) != ERROR)
		return rule_skip(c, "a stream that is refused does not lead to ERROR");
	close(fd);
	sys->close(&c->a);
	CHECK(!sys->open(&c->a), "open again");
	CHECK(get_state(&c->a) == RUNNING, "the state is %s", state_name(get_state(&c->a)));
	CHECK(!set_state(&c->a, STOP, NULL), "it cannot be stopped");
	return PASS;
}

/*
 * SET_STATE that fails: for want of a descriptor, which drivers find out at any step, or the
 * kernel after them.
 */
static enum outcome failed_arc(struct ctx *c)
{
	static const unsigned int to[] = { STOP_COPY, PRE_COPY, RESUMING };

	for (unsigned int i = 0; i < 3; i++) {
		int err, now;

		if (!has_state(c, to[i]))
			continue;
		err = set_state_without_file(&c->a, to[i]);
		now = get_state(&c->a);
		CHECK(err < 0, "%s without a descriptor", state_name(to[i]));
		CHECK(now == RUNNING || now == (int)to[i] ||
		      (to[i] != PRE_COPY && (now == STOP || now == RUNNING_P2P)),
		      "RUNNING -> %s fails (%d), the state is %s", state_name(to[i]), err,
		      state_name(now));
		err = now == RESUMING ? device_reset(&c->a) : set_state(&c->a, RUNNING, NULL);
		CHECK(!err && get_state(&c->a) == RUNNING, "there is no way back from %s: %d",
		      state_name(now), err);
	}
	return PASS;
}

#define QEMU(function)	"QEMU: " function

const struct rule fsm_rules[] = {
	{ "fsm.to-error", "ERROR cannot be asked for", UAPI_ENUM, 0, to_error },
	{ "fsm.unknown", "unknown states give EINVAL, and the state is kept", UAPI_ENUM, 0,
	  unknown },
	{ "fsm.unsupported", "optional states that the device has not give EINVAL", UAPI_ENUM, 0,
	  unsupported },
	{ "fsm.stays", "no state is left on its own", UAPI_SET, 0, stays },
	{ "qemu.precopy", "PRE_COPY, PRE_COPY_P2P, STOP_COPY, STOP, RUNNING",
	  QEMU("vfio_vmstate_change_prepare, vfio_save_complete_precopy"), NEED_PRECOPY,
		  qemu_precopy },
	{ "qemu.stop-copy", "RUNNING_P2P, STOP, STOP_COPY, STOP, RUNNING",
	  QEMU("vfio_vmstate_change, vfio_save_complete_precopy"), 0, qemu_stopcopy },
	{ "qemu.cancel", "PRE_COPY, RUNNING, PRE_COPY, PRE_COPY_P2P, RUNNING_P2P, RUNNING",
	  QEMU("vfio_save_cleanup"), NEED_PRECOPY, qemu_cancel },
	{ "qemu.failed", "RUNNING_P2P, STOP, STOP_COPY, RUNNING",
	  QEMU("vfio_migration_cleanup, recovery"), 0, qemu_failed },
	{ "qemu.load", "RESUMING, RUNNING_P2P, RUNNING",
	  QEMU("vfio_load_setup, vfio_vmstate_change"), NEED_SAMPLE, qemu_load },
	{ "fsm.failed", "a stream that is no stream fails RESUMING -> STOP", UAPI_ENUM, 0, failed },
	{ "fsm.failed-reset", "RESET makes RUNNING of what a refused stream has left",
	  UAPI_ENUM, NEED_RESET | NEED_SAMPLE, failed_reset },
	{ "fsm.error-close", "close and open in ERROR: RUNNING",
	  QEMU("expects RUNNING when it opens"), OWN, error_close },
	{ "fsm.failed-arc", "SET_STATE that fails leaves a state on its way, and a way back",
	  UAPI_SET, 0, failed_arc },
	{ "fsm.error", "ERROR is left by RESET only", UAPI_ENUM, NEED_RESET, error },
	{ "precopy.reset-v2", "RESET ends pre-copy, or REINIT tells what comes again",
	  "uAPI: struct vfio_precopy_info", NEED_PRECOPY | NEED_RESET | NEED_V2, reset_v2 },
	{}
};

/* ---- all rules ---- */

static char *text(const char *format, const char *a, const char *b)
{
	char *s = NULL;

	return asprintf(&s, format, a, b) < 0 ? NULL : s;
}

static struct rule pair_rule(unsigned int from, unsigned int to)
{
	return (struct rule){
		.id = text("fsm.%s->%s", state_name(from), state_name(to)),
		.what = !legal(from, to) ? "is refused with EINVAL, and the state is kept" :
			begins(from, to) ? "is done, and starts a session" :
			from == to ? "does nothing" : "is done, and starts no session",
		.source = from == to ? "kernel: set_state of all drivers" :
			  UAPI_ENUM ", vfio_mig_get_next_state",
		.needs = state_needs(from) | state_needs(to) | (from == RESUMING ? NEED_SAMPLE : 0),
		.run = pair, .from = from, .to = to,
	};
}

static void add_states(struct rule *rules, unsigned int *num)
{
	for (unsigned int state = STOP; state < STATES; state++) {
		const char *name = state_name(state);
		unsigned int needs = state_needs(state);

		rules[(*num)++] = (struct rule){
			.id = text("reset.%s%s", name, ""),
			.what = text("RESET in %s%s: RUNNING, and the file fails", name, ""),
			.source = UAPI_SET, .needs = needs | NEED_RESET, .run = reset, .from =
				state,
		};
		rules[(*num)++] = (struct rule){
			.id = text("reopen.%s%s", name, ""),
			.what = text("close and open in %s%s: RUNNING", name, ""),
			.source = QEMU("expects RUNNING when it opens"), .needs = needs | OWN,
			.run = reopen, .from = state,
		};
		for (unsigned int to = STOP; to < STATES; to++)
			rules[(*num)++] = pair_rule(state, to);
	}
}

const struct rule *rules_all(unsigned int *num)
{
	static const struct rule *const files[] = {
		stream_rules, feature_rules, fsm_rules, file_rules, share_rules, precopy_rules,
		thread_rules, log_rules, work_rules,
	};
	static struct rule rules[256];
	static unsigned int all;

	if (!all) {
		/* The sample first: others need it. */
		for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
			for (const struct rule *r = files[i]; r->id; r++)
				rules[all++] = *r;
			if (files[i] == fsm_rules)
				add_states(rules, &all);
		}
	}
	*num = all;
	return rules;
}
