// SPDX-License-Identifier: GPL-2.0
/*
 * edu_like: fills guest memory with ascending words, and can be paused, read and set.
 * Contract: Documentation/hardware/edu_like.rst.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <hw/edu_like.h>
#include "vu.h"

#define TILE_WORDS	256u

enum { FAULT_PAUSE = VU_FAULT_MODEL, FAULT_LOAD, FAULT_OP };

/*
 * @now: the device's state, which begins with the user's registers
 * @window: what the host has written to the window
 * @claims: MAX_WORDS is read as that, whatever is true
 */
struct edul {
	struct edul_state now, window;
	uint32_t pause, commit;
	struct vu_wait pausing, committing;
	struct vu_fault_hit pause_hit, commit_hit;
	uint64_t max_words, tile_us, next_tile, filled;
	struct vu_claims claims;
};

static const struct vu_claim edul_claims[] = { { "max_words", EDUL_MAX_WORDS, 4 }, { NULL, 0, 0 } };

static bool startable(const struct edul *e, const struct edul_state *s)
{
	uint32_t words = le32toh(s->words);

	return words && words <= e->max_words && !(le64toh(s->address) & 3);
}

static bool is_state(const struct edul *e, const struct edul_state *s)
{
	uint32_t control = le32toh(s->control);

	if (control & ~(EDUL_BUSY | EDUL_DONE | EDUL_ERROR) || s->reserved[0] || s->reserved[1])
		return false;
	return !(control & EDUL_BUSY) || (control == EDUL_BUSY && startable(e, s) &&
					  le32toh(s->progress) < le32toh(s->words));
}

static void end(struct vu_dev *dev, struct edul *e, uint32_t how)
{
	e->now.control = htole32(how);
	vu_msi_raise(dev, 0);
}

static void fill_tile(struct vu_dev *dev, struct edul *e)
{
	uint32_t words = le32toh(e->now.words), value = le32toh(e->now.value);
	uint32_t at = le32toh(e->now.progress), tile[TILE_WORDS], n = 0;
	struct vu_fault_hit hit;
	int err;

	for (; n < TILE_WORDS && at + n < words; n++)
		tile[n] = htole32(value + at + n);
	vu_fault_take(dev, FAULT_OP, &hit);
	err = hit.fail ? -EIO : vu_dma_write(dev, le64toh(e->now.address) + 4ull * at, tile, 4ull * n);
	if (err == -ECANCELED)
		return;
	if (err) {
		end(dev, e, EDUL_ERROR);
		return;
	}
	e->filled += n;
	e->now.progress = htole32(at + n);
	e->next_tile = vu_now() + hit.delay_ns + e->tile_us * NSEC_PER_USEC;
	if (at + n == words) {
		e->now.value = htole32(value + words);
		end(dev, e, EDUL_DONE);
	}
}

static void edul_work(struct vu_dev *dev)
{
	struct edul *e = vu_priv(dev);

	if (e->pause == EDUL_PAUSE_REQUEST && vu_wait_over(dev, &e->pausing) && !e->pause_hit.fail)
		e->pause |= EDUL_PAUSED;
	if (e->commit == EDUL_COMMITTING && vu_wait_over(dev, &e->committing)) {
		e->commit = EDUL_REFUSED;
		if (!e->commit_hit.fail && is_state(e, &e->window)) {
			e->commit = EDUL_COMMITTED;
			e->now = e->window;
		}
	}
	if (!(le32toh(e->now.control) & EDUL_BUSY) || e->pause || !vu_bus_master(dev))
		return;
	if (vu_now() >= e->next_tile)
		fill_tile(dev, e);
	if (le32toh(e->now.control) & EDUL_BUSY)
		vu_wake_at(dev, e->next_tile);
}

static void write_control_window(struct vu_dev *dev, struct edul *e, uint64_t reg, uint32_t raw)
{
	uint32_t val = le32toh(raw);
	bool paused = e->pause & EDUL_PAUSED;

	if (reg == EDUL_PAUSE && val & EDUL_PAUSE_REQUEST && !e->pause) {
		e->pause = EDUL_PAUSE_REQUEST;
		vu_wait_begin(dev, &e->pausing, FAULT_PAUSE, 0, &e->pause_hit);
		vu_kick(dev);
	} else if (reg == EDUL_PAUSE && !(val & EDUL_PAUSE_REQUEST)) {
		e->pause = 0;
		memset(&e->window, 0, sizeof(e->window));
		if (paused && le32toh(e->now.control) & (EDUL_DONE | EDUL_ERROR))
			vu_msi_raise(dev, 0);
		vu_kick(dev);
	} else if (reg == EDUL_COMMIT && e->commit != EDUL_COMMITTING) {
		e->commit = paused ? EDUL_COMMITTING : EDUL_REFUSED;
		vu_wait_begin(dev, &e->committing, FAULT_LOAD, 0, &e->commit_hit);
		vu_kick(dev);
	} else if (reg >= EDUL_WINDOW && reg - EDUL_WINDOW < sizeof(e->window)) {
		memcpy((uint8_t *)&e->window + reg - EDUL_WINDOW, &raw, sizeof(raw));
	}
}

static void write_user(struct vu_dev *dev, struct edul *e, uint64_t reg, uint32_t raw)
{
	if (le32toh(e->now.control) & EDUL_BUSY || e->pause & EDUL_PAUSED)
		return;
	if (reg < EDUL_CONTROL) {
		memcpy((uint8_t *)&e->now + reg, &raw, sizeof(raw));
	} else if (reg == EDUL_CONTROL && le32toh(raw) & EDUL_START) {
		e->now.progress = 0;
		e->now.control = htole32(EDUL_BUSY);
		if (!startable(e, &e->now))
			end(dev, e, EDUL_ERROR);
		vu_kick(dev);
	}
}

static void edul_bar_write(struct vu_dev *dev, int bar, uint64_t off, const void *buf, size_t len)
{
	uint32_t raw;

	(void)bar;
	if (len != sizeof(raw) || off % sizeof(raw))
		return;
	memcpy(&raw, buf, sizeof(raw));
	if (off < EDUL_CTL)
		write_user(dev, vu_priv(dev), off, raw);
	else
		write_control_window(dev, vu_priv(dev), off - EDUL_CTL, raw);
}

static void edul_bar_read(struct vu_dev *dev, int bar, uint64_t off, void *buf, size_t len)
{
	const struct edul *e = vu_priv(dev);
	uint8_t regs[EDUL_BAR_BYTES] = { 0 };
	const uint32_t ctl[] = {
		htole32(EDUL_ID_VALUE), htole32(EDUL_VERSION_NOW),
		htole32((uint32_t)e->max_words),
		htole32(e->pause), htole32(e->commit),
	};

	(void)bar;
	memcpy(regs, &e->now, EDUL_CONTROL + 4);
	memcpy(regs + EDUL_CTL, ctl, sizeof(ctl));
	vu_claims_put(&e->claims, 0, sizeof(ctl), regs + EDUL_CTL);
	memcpy(regs + EDUL_CTL + EDUL_WINDOW, &e->now, sizeof(e->now));
	if (len == 4 && off % 4 == 0)
		memcpy(buf, regs + off, len);
	else
		memset(buf, 0xff, len);
}

static void edul_reset(struct vu_dev *dev, enum vu_reset why)
{
	struct edul *e = vu_priv(dev);

	(void)why;
	*e = (struct edul){
		.max_words = e->max_words, .tile_us = e->tile_us,
		.claims = e->claims,
	};
}

static int edul_init(struct vu_dev *dev)
{
	struct edul *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	vu_set_priv(dev, e);
	e->claims.table = edul_claims;
	e->max_words = 65536;
	if (vu_option_u64(dev, "max_words", 1, 1u << 24, &e->max_words) ||
	    vu_option_u64(dev, "tile_us", 0, 1000000, &e->tile_us))
		return -EINVAL;
	return vu_add_pcie(dev, true) < 0 || vu_add_pm(dev) < 0 || vu_add_msi(dev, 1, false) < 0 ?
	       -ENOSPC : 0;
}

static void edul_fini(struct vu_dev *dev)
{
	free(vu_priv(dev));
}

static void edul_stats(struct vu_dev *dev, FILE *out)
{
	const struct edul *e = vu_priv(dev);

	fprintf(out, "words_filled %" PRIu64 "\nmax_words %" PRIu64 "\n", e->filled, e->max_words);
}

static int edul_command(struct vu_dev *dev, int argc, char **argv, FILE *out)
{
	struct edul *e = vu_priv(dev);

	(void)out;
	return strcmp(argv[0], "claim") ? -ENOENT : vu_claim_set(&e->claims, argc, argv);
}

static const struct vu_model edul_model = {
	.name = "edu_like", .summary = "fills memory; the smallest device that migrates",
	.vendor = EDUL_VENDOR, .device = EDUL_DEVICE, .revision = 1,
	.subvendor = EDUL_VENDOR, .subdevice = EDUL_DEVICE,
	.class_code = 0xff0000, .config_bytes = 4096,
	.bars = { [EDUL_BAR] = { .bytes = EDUL_BAR_BYTES, .flags = VU_BAR_64 } },
	.options = (const struct vu_option[]){
		{ "max_words", "most words of an operation (65536)" },
		{ "tile_us", "time between tiles of 1 KiB, in microseconds (0)" },
		{ NULL, NULL },
	},
	.faults = (const char *const[]){ "pause", "load", "op", NULL },
	.init = edul_init, .fini = edul_fini, .reset = edul_reset, .work = edul_work,
	.bar_read = edul_bar_read, .bar_write = edul_bar_write, .config_changed = vu_kick,
	.stats = edul_stats,
	.commands = "claim max_words VALUE    what MAX_WORDS says from now on; clear: the truth\n",
	.command = edul_command,
};
VU_MODEL(edul_model);
