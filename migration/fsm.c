// SPDX-License-Identifier: GPL-2.0
/*
 * The migration state machine: which steps there are, and which of them lead from
 * one state to another.  Pure: request.c carries the steps out.
 */
#include "fsm.h"

#define R	VMIG_RUNNING
#define N	VMIG_NDMA
#define S	VMIG_SAVING
#define L	VMIG_RESUMING

#define P2P	VMIG_CAP_P2P
#define PRE	VMIG_CAP_PRE_COPY

/*
 * A device with P2P states keeps NDMA while it is stopped, one without never has
 * it; so every step changes one bit.
 */
static const struct vmig_step vmig_steps[] = {
	/* from		to		need		without	action */
	{ R,		R | N,		P2P,		0,	VMIG_QUIESCE },
	{ R | N,	R,		P2P,		0,	VMIG_UNQUIESCE },
	{ R | N,	N,		P2P,		0,	VMIG_FREEZE },
	{ N,		R | N,		P2P,		0,	VMIG_THAW },
	{ N,		N | S,		P2P,		0,	VMIG_SAVE_STOPPED },
	{ N | S,	N,		P2P,		0,	VMIG_SAVE_END },
	{ N,		N | L,		P2P,		0,	VMIG_LOAD_BEGIN },
	{ N | L,	N,		P2P,		0,	VMIG_LOAD_END },

	{ R,		0,		0,		P2P,	VMIG_FREEZE },
	{ 0,		R,		0,		P2P,	VMIG_THAW },
	{ 0,		S,		0,		P2P,	VMIG_SAVE_STOPPED },
	{ S,		0,		0,		P2P,	VMIG_SAVE_END },
	{ 0,		L,		0,		P2P,	VMIG_LOAD_BEGIN },
	{ L,		0,		0,		P2P,	VMIG_LOAD_END },

	{ R,		R | S,		PRE,		0,	VMIG_SAVE_RUNNING },
	{ R | S,	R,		PRE,		0,	VMIG_SAVE_END },
	{ R | S,	S,		PRE,		P2P,	VMIG_SAVE_FREEZE },
	{ R | S,	R | N | S,	PRE | P2P,	0,	VMIG_QUIESCE },
	{ R | N | S,	R | S,		PRE | P2P,	0,	VMIG_UNQUIESCE },
	{ R | N,	R | N | S,	PRE | P2P,	0,	VMIG_SAVE_RUNNING },
	{ R | N | S,	R | N,		PRE | P2P,	0,	VMIG_SAVE_END },
	{ R | N | S,	N | S,		PRE | P2P,	0,	VMIG_SAVE_FREEZE },
};

/* One row per v2 state.  NDMA is dropped where it is redundant. */
static const struct {
	const char *name;
	u8 bits;
	u8 need;
} vmig_states[VMIG_V2_STATES] = {
	[VMIG_V2_ERROR]		= { "ERROR",		S | L,		0 },
	[VMIG_V2_STOP]		= { "STOP",		0,		0 },
	[VMIG_V2_RUNNING]	= { "RUNNING",		R,		0 },
	[VMIG_V2_STOP_COPY]	= { "STOP_COPY",	S,		0 },
	[VMIG_V2_RESUMING]	= { "RESUMING",		L,		0 },
	[VMIG_V2_RUNNING_P2P]	= { "RUNNING_P2P",	R | N,		P2P },
	[VMIG_V2_PRE_COPY]	= { "PRE_COPY",		R | S,		PRE },
	[VMIG_V2_PRE_COPY_P2P]	= { "PRE_COPY_P2P",	R | N | S,	PRE | P2P },
};

int vmig_fsm_bits(unsigned int v2, u8 caps, u8 *bits)
{
	if (v2 >= VMIG_V2_STATES || v2 == VMIG_V2_ERROR)
		return -EINVAL;
	if ((vmig_states[v2].need & caps) != vmig_states[v2].need)
		return -EINVAL;

	*bits = vmig_states[v2].bits;
	if (!(*bits & R) && (caps & P2P))
		*bits |= N;
	return 0;
}

enum vmig_v2 vmig_fsm_v2(u8 bits)
{
	unsigned int i;

	if (!(bits & R))
		bits &= ~N;
	for (i = 0; i < VMIG_V2_STATES; i++)
		if (vmig_states[i].bits == bits)
			return i;
	return VMIG_V2_ERROR;
}

const char *vmig_fsm_name(enum vmig_v2 v2)
{
	return v2 < VMIG_V2_STATES ? vmig_states[v2].name : "?";
}

/* A path stays inside one session or outside of all. */
static bool fsm_may_pass(u8 bits, u8 from, u8 to)
{
	if (from & to & S)
		return bits & S;
	return !(bits & (S | L));
}

static bool fsm_applies(const struct vmig_step *step, u8 caps)
{
	return (step->need & caps) == step->need && !(step->without & caps);
}

static int fsm_trace_back(const struct vmig_step * const *by, u8 from, u8 to,
			  struct vmig_path *path)
{
	unsigned int n = 0;
	u8 at;

	for (at = to; at != from; at = by[at]->from)
		n++;
	if (n > VMIG_PATH_MAX)
		return -EINVAL;

	path->steps = n;
	for (at = to; at != from; at = by[at]->from)
		path->step[--n] = by[at];
	return 0;
}

/* Breadth first over the 16 combinations of bits. */
int vmig_fsm_path(u8 from, u8 to, u8 caps, struct vmig_path *path)
{
	const struct vmig_step *by[16] = {};
	unsigned int head = 0, tail = 0, i;
	u8 queue[17];

	if (from > 15 || to > 15)
		return -EINVAL;

	queue[tail++] = from;
	while (head < tail && !by[to] && from != to) {
		u8 at = queue[head++];

		for (i = 0; i < ARRAY_SIZE(vmig_steps); i++) {
			const struct vmig_step *step = &vmig_steps[i];

			if (step->from != at || !fsm_applies(step, caps))
				continue;
			if (by[step->to] || step->to == from)
				continue;
			if (step->to != to && !fsm_may_pass(step->to, from, to))
				continue;
			by[step->to] = step;
			queue[tail++] = step->to;
		}
	}
	if (from != to && !by[to])
		return -EINVAL;
	return fsm_trace_back(by, from, to, path);
}

#undef R
#undef N
#undef S
#undef L
#undef P2P
#undef PRE
