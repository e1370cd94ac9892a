// SPDX-License-Identifier: GPL-2.0
/* coherent_gpu: state of the function without its memory (4.2). */
#include <string.h>
#include <zlib.h>

#include "coherent_gpu.h"

static const uint8_t zero[sizeof(struct cgpu_state_queue)];

uint32_t cgpu_state_bytes(const struct cgpu *g)
{
	return CGPU_STATE_BYTES(g->queues);
}

static uint32_t checksum(const struct cgpu_state *s, uint32_t bytes)
{
	const size_t from = offsetof(struct cgpu_state, ctrl);

	return (uint32_t)crc32(0, (const uint8_t *)s + from, (uInt)(bytes - from));
}

void cgpu_state_get(const struct cgpu *g, struct cgpu_state *s)
{
	uint32_t bytes = cgpu_state_bytes(g);

	*s = (struct cgpu_state){
		.magic = CGPU_STATE_MAGIC, .version = g->version, .bytes = bytes, .ctrl = g->ctrl,
		.fatal = !!(g->status & CGPU_STATUS_FATAL), .queues = g->queues,
		.ops_done = g->ops_done, .ops_failed = g->ops_failed,
	};
	for (unsigned int n = 0; n < g->queues; n++)
		s->queue[n] = g->q[n].s;
	s->crc = checksum(s, bytes);
}

static bool is_zero(const void *at, size_t len)
{
	return !memcmp(at, zero, len);
}

static bool status_ok(uint32_t status)
{
	uint32_t code = status >> 8;

	if (status & CGPU_QSTATUS_ERROR)
		return (status & 0xff) == CGPU_QSTATUS_ERROR && code >= CGPU_Q_BAD_RING &&
		       code <= CGPU_Q_DMA;
	return !(status & ~CGPU_QSTATUS_ENABLED);
}

/* Which of its fields are zero says how far a command is. */
static bool work_ok(const struct cgpu *g, const struct cgpu_state_queue *s)
{
	const size_t from = offsetof(struct cgpu_state_queue, cmd);
	uint64_t counted = 0;

	if (!s->in_work)
		return is_zero((const uint8_t *)s + from, sizeof(*s) - from);
	if (s->in_work != 1 || (!s->head && !s->done) || s->reserved2 ||
	    !is_zero(s->reserved3, sizeof(s->reserved3)))
		return false;
	for (unsigned int i = 0; i < CGPU_BINS; i++) {
		if (s->bins[i] > CGPU_MAX_BYTES)
			return false;
		counted += s->bins[i];
	}
	/* A command that was fetched is judged when its first tile begins. */
	if (!cgpu_cmd_ok(g, &s->cmd))
		return !s->progress && !s->sum && !counted;
	return s->progress < cgpu_cmd_tiles(&s->cmd) &&
	       (s->cmd.opcode == CGPU_REDUCE ? s->progress || !s->sum : !s->sum) &&
	       counted == (s->cmd.opcode == CGPU_HISTOGRAM ? s->progress * CGPU_TILE_BYTES : 0);
}

static bool queue_ok(const struct cgpu *g, const struct cgpu_state_queue *s)
{
	if (s->ctrl & ~(CGPU_QCTRL_ENABLE | CGPU_QCTRL_IRQ) || !status_ok(s->status) ||
	    !is_zero(s->reserved, sizeof(s->reserved)) || !work_ok(g, s))
		return false;
	if (!(s->status & CGPU_QSTATUS_ENABLED))
		return !s->in_work && (s->status || !(s->ctrl & CGPU_QCTRL_ENABLE));
	return (s->ctrl & CGPU_QCTRL_ENABLE) && cgpu_ring_ok(g, s->ring, s->size) &&
	       s->tail - s->head <= s->size;
}

static bool head_ok(const struct cgpu *g, const struct cgpu_state *s)
{
	return s->magic == CGPU_STATE_MAGIC && s->version >= g->oldest && s->version <= g->version &&
	       s->bytes == cgpu_state_bytes(g) && s->queues == g->queues &&
	       s->crc == checksum(s, s->bytes) && !(s->ctrl & ~CGPU_CTRL_ENABLE) &&
	       s->fatal <= 1 && !s->reserved && s->ops_failed <= s->ops_done &&
	       is_zero(s->reserved2, sizeof(s->reserved2));
}

uint32_t cgpu_state_set(struct cgpu *g, const struct cgpu_state *s, uint32_t bytes)
{
	if (bytes != cgpu_state_bytes(g))
		return CGPU_ERR_BAD_LENGTH;
	if (!head_ok(g, s))
		return CGPU_ERR_BAD_STATE;
	for (unsigned int n = 0; n < g->queues; n++)
		if (!queue_ok(g, &s->queue[n]))
			return CGPU_ERR_BAD_STATE;
	cgpu_queues_clear(g);
	g->ctrl = s->ctrl;
	g->status |= s->fatal ? CGPU_STATUS_FATAL : 0;
	g->ops_done = s->ops_done;
	g->ops_failed = s->ops_failed;
	for (unsigned int n = 0; n < g->queues; n++)
		g->q[n].s = s->queue[n];
	return 0;
}
