// SPDX-License-Identifier: GPL-2.0
/*
 * edu_like (Documentation/hardware/edu_like.rst): one fill of memory at a time.
 * Machine self: edu_like:2:tile_us=500 edu_like:1:max_words=1024
 * Machine pairs: edu_like:2:tile_us=500
 * Machine death: edu_like:5
 */
#include <endian.h>
#include <errno.h>
#include <hw/edu_like.h>
#include <string.h>
#include <unistd.h>

#include "../lib/family.h"
#include "../lib/records.h"

#define WORDS		1024u	/* the least that a model may have */
#define FIRST(tag)	((tag) * WORDS)

static uint32_t rd(struct guest *g, unsigned int reg)
{
	uint32_t val = ~0u;

	vdev_pread(g->v, EDUL_BAR, reg, &val, sizeof(val));
	return le32toh(val);
}

static int start(struct guest *g, uint32_t tag)
{
	const uint32_t regs[] = { htole32((uint32_t)GUEST_IOVA), htole32(GUEST_IOVA >> 32),
				  htole32(WORDS), htole32(FIRST(tag)), htole32(EDUL_START) };

	memset(g->mem, 0xff, WORDS * sizeof(uint32_t));
	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		if (vdev_pwrite(g->v, EDUL_BAR, 4 * i, &regs[i], 4) != 4)
			return -EIO;
	return 0;
}

static int check(struct guest *g, uint32_t tag)
{
	const uint32_t *mem = (const uint32_t *)g->mem;
	uint64_t end = now_ms() + 20000;

	while (rd(g, EDUL_CONTROL) == EDUL_BUSY) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	if (rd(g, EDUL_CONTROL) != EDUL_DONE || rd(g, EDUL_VALUE) != FIRST(tag) + WORDS)
		return -EIO;
	for (uint32_t i = 0; i < WORDS; i++)
		if (le32toh(mem[i]) != FIRST(tag) + i)
			return -EBADMSG;
	return 0;
}

static int fits(struct model *src, struct model *dst)
{
	uint64_t from, to;
	int err = model_value(src, "stats", "max_words", &from);

	err = err ? err : model_value(dst, "stats", "max_words", &to);
	return err || from <= to ? err : -EOPNOTSUPP;
}

/* struct edul_match is the format and the largest operation. */
static void match_format(struct stream *s) { rec_put32(s, REC_MATCH, 0, htole32(9)); }
static void match_words(struct stream *s) { rec_put32(s, REC_MATCH, 4, htole32(1u << 30)); }
static void state_missing(struct stream *s) { rec_remove(s, REC_FAMILY); }
static void state_twice(struct stream *s) { rec_repeat(s, REC_FAMILY); }
static void state_short(struct stream *s) { s->rec[REC_FAMILY].bytes -= 4; }
static void state_idle_busy(struct stream *s)
{
	rec_put32(s, REC_FAMILY, 16, htole32(EDUL_BUSY));	/* with no words to write: */
	memset(scratch + 8, 0, 4);
}

static const struct damage damage[] = {
	DAMAGE(match_words, -EOPNOTSUPP, .says = "largest operation"),
	DAMAGE(state_idle_busy, -EINVAL, true, "content of the state"),
	DAMAGE(match_format, -EOPNOTSUPP, .says = "state format"),
	DAMAGE(state_missing, -EINVAL, true),
	DAMAGE(state_twice, -EINVAL),
	DAMAGE(state_short, -EINVAL),
};

static const struct claim claims[] = {
	{ "max_words 0", -EOPNOTSUPP },
	{ "max_words 1023", -EOPNOTSUPP, .sane = true },
	{ "max_words 0xfffffffe", -EOPNOTSUPP, .sane = true },
};

FAMILY(edu_like) = {
	.name = "edu_like", .driver = "vpv_edu_like",
	.migration = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY,
	.bar = EDUL_BAR, .bar_bytes = EDUL_CTL,
	.record_max = sizeof(struct edul_state), .state_max = 1 << 16,
	.mem_bytes = WORDS * sizeof(uint32_t), .irq_index = VFIO_PCI_MSI_IRQ_INDEX,
	.slow = "fault op delay=200", .counter = "words_filled", .counts = WORDS,
	.pause_fails = -ETIMEDOUT, .load_fails = -EINVAL,
	.damage = damage, .num_damage = sizeof(damage) / sizeof(damage[0]),
	.claims = claims, .num_claims = sizeof(claims) / sizeof(claims[0]),
	.start = start, .check = check, .fits = fits,
};
