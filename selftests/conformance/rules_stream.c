// SPDX-License-Identifier: GPL-2.0
/* Streams that were cut, damaged, mixed up or are none. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mig.h"

/* Saved first of all: what other rules load. */
static enum outcome save_sample(struct ctx *c)
{
	struct blob b = {};
	int err = save(&c->a, &b, false);

	CHECK(!err, "%d", err);
	CHECK(b.bytes && b.bytes <= SAMPLE_MAX, "%zu bytes", b.bytes);
	memcpy(c->shared->sample, b.data, b.bytes);
	c->shared->sample_bytes = b.bytes;
	return PASS;
}

static enum outcome save_precopy(struct ctx *c)
{
	struct blob b = {};
	int err = save(&c->a, &b, true);

	CHECK(!err, "%d", err);
	return loads(c, &c->a, &b);
}

static enum outcome load_same(struct ctx *c)
{
	struct blob whole = sample(c);

	return loads(c, &c->a, &(struct blob){ whole.data, whole.bytes, 0 });
}

static enum outcome load_again(struct ctx *c)
{
	struct blob whole = sample(c);

	for (unsigned int i = 0; i < 3; i++) {
		int err = load(&c->a, &whole, RUNNING, NULL);

		CHECK(!err, "load number %u: %d", i + 1, err);
	}
	return PASS;
}

static enum outcome load_other(struct ctx *c)
{
	struct blob whole = sample(c);
	int err = load(&c->b, &whole, RUNNING, NULL);

	CHECK(!err, "the second device refuses it: %d", err);
	return PASS;
}

static enum outcome there_and_back(struct ctx *c)
{
	struct blob b = {};
	int err = save(&c->a, &b, c->has & NEED_PRECOPY);

	CHECK(!err, "saving: %d", err);
	err = load(&c->b, &b, RUNNING, NULL);
	CHECK(!err, "loading into the second: %d", err);
	blob_free(&b);
	err = save(&c->b, &b, false);
	CHECK(!err, "saving the second: %d", err);
	return loads(c, &c->a, &b);
}

static enum outcome saved_twice(struct ctx *c)
{
	struct blob b = {};
	int err;

	for (unsigned int i = 0; i < 2; i++) {
		blob_free(&b);
		err = save(&c->a, &b, false);
		CHECK(!err, "saving, number %u: %d", i + 1, err);
	}
	return loads(c, &c->a, &b);
}

/* ---- what must be refused ---- */

/* A load that must fail, whichever way; a good one must work after a reset. */
static enum outcome refused(struct ctx *c, const struct blob *b, const char *what, size_t where)
{
	struct blob whole = sample(c);
	int err = load(&c->a, b, STOP, NULL), now = get_state(&c->a);

	CHECK(err != -ESTALE, "%s %zu: write() refuses it, then RESUMING -> STOP takes it", what,
	      where);
	CHECK(err, "%s %zu: it is taken", what, where);
	CHECK(now == RESUMING || now == STOP || now == ERROR, "%s %zu: the state is %s", what,
	      where,
	      state_name(now));
	CHECK(!settle(c, &c->a), "%s %zu: it cannot be brought back to RUNNING", what, where);
	err = load(&c->a, &whole, RUNNING, NULL);
	CHECK(!err, "%s %zu: a good stream is refused afterwards: %d", what, where, err);
	return PASS;
}

static struct blob copy(const struct blob *b, size_t more)
{
	struct blob new = { malloc(b->bytes + more), b->bytes, b->bytes + more };

	memcpy(new.data, b->data, b->bytes);
	return new;
}

static enum outcome empty(struct ctx *c)
{
	return refused(c, &(struct blob){}, "length", 0);
}

static enum outcome truncated(struct ctx *c)
{
	struct blob whole = sample(c);
	size_t cuts[] = { 1, whole.bytes / 4, whole.bytes / 2, whole.bytes - 1 };

	for (unsigned int i = 0; i < 4; i++) {
		struct blob part = { whole.data, cuts[i], 0 };

		if (refused(c, &part, "cut at", cuts[i]) == FAIL)
			return FAIL;
	}
	return PASS;
}

static enum outcome foreign(struct ctx *c)
{
	struct blob whole = sample(c), b = copy(&whole, 0);
	uint32_t next = 12345;

	for (size_t i = 0; i < b.bytes; i++) {
		next = next * 1103515245 + 12345;
		b.data[i] = next >> 16;
	}
	return refused(c, &b, "noise, length", b.bytes);
}

static enum outcome other_kind(struct ctx *c)
{
	struct blob b = { c->other_kind, c->other_kind_bytes, 0 };

	return refused(c, &b, "of another kind, length", b.bytes);
}

static enum outcome zeroes(struct ctx *c)
{
	struct blob whole = sample(c), b = copy(&whole, 0);

	memset(b.data, 0, b.bytes);
	return refused(c, &b, "zeroes, length", b.bytes);
}

static enum outcome repeated(struct ctx *c)
{
	struct blob whole = sample(c), b = copy(&whole, whole.bytes);

	memcpy(b.data + whole.bytes, whole.data, whole.bytes);
	b.bytes *= 2;
	return refused(c, &b, "twice", whole.bytes);
}

static enum outcome trailing(struct ctx *c)
{
	struct blob whole = sample(c), b = copy(&whole, 1);

	b.data[b.bytes++] = 0xa5;
	return refused(c, &b, "one byte more than", whole.bytes);
}

static enum outcome swapped(struct ctx *c)
{
	struct blob whole = sample(c), b = copy(&whole, 0);
	size_t half = whole.bytes / 2;

	memcpy(b.data, whole.data + half, whole.bytes - half);
	memcpy(b.data + whole.bytes - half, whole.data, half);
	return refused(c, &b, "halves swapped at", half);
}

static enum outcome doubled(struct ctx *c)
{
	struct blob whole = sample(c), b = copy(&whole, whole.bytes);
	size_t half = whole.bytes / 2;

	memcpy(b.data + half, whole.data, whole.bytes);
	b.bytes = half + whole.bytes;
	return refused(c, &b, "a cut stream, then a whole one, cut at", half);
}

/* The first byte is part of what names the format; of the others only the driver knows. */
static enum outcome damaged_first(struct ctx *c)
{
	struct blob whole = sample(c), b = copy(&whole, 0);

	b.data[0] ^= 0xff;
	return refused(c, &b, "damaged at", 0);
}

static enum outcome damaged(struct ctx *c)
{
	struct blob whole = sample(c);
	unsigned int places = 12;

	for (unsigned int i = 0; i < places; i++) {
		struct blob b = copy(&whole, 0);
		size_t at = (b.bytes - 1) * i / (places - 1);
		int err, now;

		b.data[at] ^= 1 << i % 8;
		err = load(&c->a, &b, STOP, NULL);
		now = get_state(&c->a);
		CHECK(err != -ESTALE,
		      "byte %zu: write() refuses it, then RESUMING -> STOP takes it", at);
		CHECK(err ? now == RESUMING || now == STOP || now == ERROR : now == STOP,
		      "byte %zu: %d, and the state is %s", at, err, state_name(now));
		CHECK(!settle(c, &c->a), "byte %zu: it cannot be brought back to RUNNING", at);
		err = load(&c->a, &whole, RUNNING, NULL);
		CHECK(!err, "byte %zu: a good stream is refused afterwards: %d", at, err);
		blob_free(&b);
	}
	return PASS;
}

/* A load that is given up leaves nothing behind. */
static enum outcome aborted(struct ctx *c)
{
	struct blob whole = sample(c), half = { whole.data, whole.bytes / 2, 0 };
	int fd, err;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	blob_write(&half, fd, 0);
	close(fd);
	CHECK(!device_reset(&c->a) && get_state(&c->a) == RUNNING, "RESET does not end it");
	err = load(&c->a, &whole, RUNNING, NULL);
	CHECK(!err, "a good stream is refused afterwards: %d", err);
	return PASS;
}

#define WHOLE	"uAPI: enum vfio_device_mig_state, STOP_COPY"
#define BAD	"uAPI: enum vfio_device_mig_state, RESUMING -> STOP"

const struct rule stream_rules[] = {
	{ "stream.save", "the whole state can be read in STOP_COPY", WHOLE, 0, save_sample },
	{ "stream.save-precopy", "a state that was saved with pre-copy can be loaded", WHOLE,
	  NEED_PRECOPY, save_precopy },
	{ "stream.load", "what was saved can be loaded", WHOLE, NEED_SAMPLE, load_same },
	{ "stream.load-again", "it can be loaded again", WHOLE, NEED_SAMPLE, load_again },
	{ "stream.save-twice", "a state can be saved twice, the second is whole", WHOLE, 0,
	  saved_twice },
	{ "stream.load-other", "another device of the kind takes it", WHOLE, NEED_SAMPLE | NEED_TWO,
	  load_other },
	{ "stream.there-and-back", "a state goes to another device and back", WHOLE,
	  NEED_SAMPLE | NEED_TWO, there_and_back },
	{ "stream.empty", "a stream of no bytes is refused", BAD, NEED_SAMPLE, empty },
	{ "stream.truncated", "a stream that was cut is refused", BAD, NEED_SAMPLE, truncated },
	{ "stream.foreign", "noise is refused", BAD, NEED_SAMPLE, foreign },
	{ "stream.other-kind", "a stream of a device of another kind is refused", BAD,
	  NEED_SAMPLE | NEED_OTHER_KIND, other_kind },
	{ "stream.zeroes", "zeroes are refused", BAD, NEED_SAMPLE, zeroes },
	{ "stream.repeated", "a stream that comes twice is refused", BAD, NEED_SAMPLE, repeated },
	{ "stream.trailing", "bytes behind the end are refused", BAD, NEED_SAMPLE, trailing },
	{ "stream.swapped", "a stream whose halves are swapped is refused", BAD, NEED_SAMPLE,
	  swapped },
	{ "stream.doubled", "half a stream before a whole one is refused", BAD, NEED_SAMPLE,
	  doubled },
	{ "stream.damaged-first", "a stream whose first byte is wrong is refused", BAD, NEED_SAMPLE,
	  damaged_first },
	{ "stream.damaged", "a damaged stream is refused for good, or taken, and does no harm", BAD,
	  NEED_SAMPLE, damaged },
	{ "stream.aborted", "RESET ends a load, and nothing of it is left", BAD,
	  NEED_SAMPLE | NEED_RESET, aborted },
	{}
};
