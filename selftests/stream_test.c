// SPDX-License-Identifier: GPL-2.0
/*
 * Bad input to the data file of a destination, of each family: each refused with the errno
 * that Documentation/stream.rst names, and the function is well again after a reset.
 *
 * Groups: self families stable
 */
#include "lib/records.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define LOG_TEXT	"migration"
/* Damage inside of parts, at most; every byte of them is the fuzzer's. */
#define PLACES		40
#define LARGE		(1U << 20)
#define LARGE_PLACES	4

FIXTURE(stream)
{
	struct slot slot[2];
	struct vdev v;
	struct guest g;
	struct blob good;
	int log;
};

VARIANTS_OF_FAMILIES(stream, one_way);

FIXTURE_SETUP(stream)
{
	NEED_FAMILY(variant->family, self->slot, 2);
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
	ASSERT_EQ(0, guest_stream(&self->g, &self->slot[0], any_mode(), &self->good));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[1], any_mode()));
	self->log = log_mark();
	ASSERT_GE(self->log, 0);
}

FIXTURE_TEARDOWN(stream)
{
	vdev_close(&self->v);
	guest_free(&self->g);
	blob_free(&self->good);
}

/* What became of a stream: at write() or at the end of RESUMING. */
struct outcome {
	int err;
	bool at_write;
};

static int feed(struct vdev *v, const struct blob *b, size_t bytes, struct outcome *o)
{
	int fd, err = mig_set(v, VFIO_DEVICE_STATE_RESUMING, &fd);

	if (err)
		return err;
	o->err = blob_push(b, fd, 0, bytes, 0);
	o->at_write = o->err;
	if (o->at_write) {
		/* Once refused, always refused, with the same reason. */
		if (write(fd, "x", 1) != -1 || errno != -o->err)
			err = -EPROTO;
		if (!mig_set(v, VFIO_DEVICE_STATE_STOP, NULL))
			err = -EPROTO;
	} else {
		o->err = mig_set(v, VFIO_DEVICE_STATE_STOP, NULL);
	}
	close(fd);
	if (o->err && mig_get(v) != VFIO_DEVICE_STATE_ERROR)
		err = -EPROTO;
	if (o->err && !err)
		err = vdev_reset(v);
	if (!o->err && !err)
		err = mig_set(v, VFIO_DEVICE_STATE_RUNNING, NULL);
	if (!err && mig_get(v) != VFIO_DEVICE_STATE_RUNNING)
		err = -EPROTO;
	return err;
}

TEST_F(stream, good_one_is_taken)
{
	struct outcome o;

	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(0, feed(&self->v, &self->good, self->good.bytes, &o));
		EXPECT_EQ(0, o.err);
	}
	EXPECT_EQ(0, log_count(self->log, LOG_TEXT, NULL, 0));
}

/* Takes seconds to be loaded, by its size or that of the memory: damaged at fewer places. */
static bool is_slow(const struct family *f, const struct blob *b)
{
	return f->rounds || b->bytes > LARGE;
}

/* From one place inside to the next one. */
static size_t step_of(const struct family *f, const struct blob *b)
{
	return b->bytes / (is_slow(f, b) ? LARGE_PLACES : PLACES) + 1;
}

/* ---- truncated ---- */

static bool at_border(const struct stream *s, size_t pos)
{
	if (pos <= 9 || pos + 2 >= sizeof(s->header))
		if (pos <= sizeof(s->header) + 1)
			return true;
	for (unsigned int i = 0; i < s->num; i++) {
		size_t payload = s->pos[i] + sizeof(s->rec[i]);

		if (pos + 1 >= s->pos[i] && pos <= s->pos[i] + 1)
			return true;
		if (pos + 1 >= payload && pos <= payload + 1)
			return true;
	}
	return false;
}

/* Every byte next to a border of a part, and some inside. */
TEST_F_TIMEOUT(stream, truncated, 300)
{
	size_t step = step_of(variant->family, &self->good);
	struct outcome o;
	struct stream s;

	ASSERT_EQ(0, stream_split(&s, &self->good));
	for (size_t n = 0; n < self->good.bytes; n++) {
		if (n % step && (is_slow(variant->family, &self->good) || !at_border(&s, n)))
			continue;
		ASSERT_EQ(0, feed(&self->v, &self->good, n, &o)) {
			TH_LOG("after %zu bytes", n);
		}
		EXPECT_EQ(-ENODATA, o.err) {
			TH_LOG("after %zu bytes", n);
		}
		EXPECT_FALSE(o.at_write);
	}
}

/* ---- flipped bits ---- */

static int flip_errno(const struct stream *s, size_t pos)
{
	if (pos < 8 || (pos >= 12 && pos < 16))
		return -EINVAL;
	if (pos < 10)
		return -EPROTONOSUPPORT;
	for (unsigned int i = 0; i < s->num; i++)
		if (pos >= s->pos[i] + 8 && pos < s->pos[i] + 16)
			return -EPROTO;
	return -EBADMSG;
}

TEST_F_TIMEOUT(stream, one_bit_flipped, 300)
{
	size_t step = step_of(variant->family, &self->good);
	struct outcome o;
	struct stream s;

	ASSERT_EQ(0, stream_split(&s, &self->good));
	for (size_t pos = 0; pos < self->good.bytes; pos += pos < 16 ? 1 : step) {
		uint8_t bit = 1U << (pos * 5 + pos / 8) % 8;

		self->good.data[pos] ^= bit;
		ASSERT_EQ(0, feed(&self->v, &self->good, self->good.bytes, &o)) {
			TH_LOG("byte %zu", pos);
		}
		self->good.data[pos] ^= bit;
		EXPECT_EQ(flip_errno(&s, pos), o.err) {
			TH_LOG("byte %zu, bit %#x", pos, bit);
		}
		EXPECT_TRUE(o.at_write);
	}
}

/* ---- wrong in one way, right in all others ---- */

enum repair { NOTHING, CHECKSUMS, ALL };

struct bad {
	struct damage d;
	enum repair repair;
	uint32_t below;		/* for families whose records are always shorter */
	bool without_persona;
};

static void same(struct stream *s) {}
static void magic(struct stream *s) { s->header.magic[7] = '\r'; }
static void major(struct stream *s) { s->header.major = VPV_STREAM_MAJOR + 1; }
static void minor(struct stream *s) { s->header.minor = 7; }
static void header_short(struct stream *s) { s->header.header_bytes = 40; s->header.minor = 1; }
static void header_long(struct stream *s) { s->header.header_bytes = 5000; s->header.minor = 1; }
static void header_flags(struct stream *s) { s->header.flags = 1; }
static void header_reserved(struct stream *s) { s->header.reserved = 1; }
static void family(struct stream *s)
{
	memset(s->header.family, 0, sizeof(s->header.family));
	strcpy((char *)s->header.family, "no_family");
}
static void family_dirty(struct stream *s) { s->header.family[3] = 0; }
static void family_pad(struct stream *s) { s->header.family[31] = 'x'; }
static void version_new(struct stream *s)
{
	s->header.state_version = 99;
	s->header.state_oldest = 99;
}
static void version_readable(struct stream *s) { s->header.state_version = 99; }
static void version_old(struct stream *s) { s->header.state_version = s->header.state_oldest = 0; }
static void version_odd(struct stream *s) { s->header.state_oldest = 99; }
static void persona(struct stream *s)
{
	memset(s->header.persona, 0, sizeof(s->header.persona));
	strcpy((char *)s->header.persona, "other");
}
static void persona_version(struct stream *s) { s->header.persona_version = 3; }
static void persona_digest(struct stream *s) { s->header.persona_digest[0] = 3; }
static void head_crc(struct stream *s) { s->rec[REC_FAMILY].crc ^= 1; }
static void payload(struct stream *s)
{
	rec_copy(s, REC_FAMILY)[s->rec[REC_FAMILY].bytes - 1] ^= 1;
}
static void swapped(struct stream *s) { rec_swap(s, REC_FAMILY, REC_FAMILY + 1); }
static void skipped(struct stream *s) { rec_remove(s, REC_FAMILY); }
static void repeated(struct stream *s) { rec_repeat(s, REC_FAMILY); }
static void repeated_match(struct stream *s) { rec_repeat(s, REC_MATCH); }
static void no_match(struct stream *s) { rec_remove(s, REC_MATCH); }
static void large(struct stream *s)
{
	rec_insert(s, REC_FAMILY, VPV_RECORD_FAMILY, 0, scratch, SCRATCH_BYTES);
}
static void after_end(struct stream *s)
{
	rec_insert(s, s->num, VPV_RECORD_FAMILY, 0, scratch, 64);
}
static void end_twice(struct stream *s) { rec_insert(s, s->num, VPV_RECORD_END, 0, scratch, 16); }
static void end_short(struct stream *s) { s->rec[REC_END(s)].bytes = 8; }
static void end_totals(struct stream *s) { rec_copy(s, REC_END(s))[0]++; }
static void end_bytes(struct stream *s) { rec_copy(s, REC_END(s))[8]++; }
static void end_optional(struct stream *s) { s->rec[REC_END(s)].flags = VPV_RECORD_OPTIONAL; }
static void unknown(struct stream *s) { rec_insert(s, REC_END(s), 0x7777, 0, scratch, 8); }
static void unknown_optional(struct stream *s)
{
	rec_insert(s, REC_END(s), 0x7777, VPV_RECORD_OPTIONAL, scratch, 8);
}
static void unknown_container(struct stream *s) { rec_insert(s, REC_END(s), 0x77, 0, scratch, 8); }
static void unknown_container_optional(struct stream *s)
{
	rec_insert(s, REC_END(s), 0x77, VPV_RECORD_OPTIONAL, scratch, 8);
}
static void view_missing(struct stream *s) { rec_remove(s, REC_VIEW); }
/* Its first word is that of the ids. */
static void view_id(struct stream *s) { rec_copy(s, REC_VIEW)[8 + 4]++; }
static void view_bytes(struct stream *s) { rec_put32(s, REC_VIEW, 0, 256); }
static void view_words(struct stream *s) { rec_copy(s, REC_VIEW)[4]++; }
static void view_order(struct stream *s) { rec_copy(s, REC_VIEW)[8] = 8; }
static void view_empty(struct stream *s) { s->rec[REC_VIEW].bytes = 0; }
static void view_late(struct stream *s) { rec_swap(s, REC_VIEW, REC_FAMILY); }
static void view_twice(struct stream *s)
{
	rec_repeat(s, REC_VIEW);
}
static void view_large(struct stream *s)
{
	rec_copy(s, REC_VIEW);
	s->rec[REC_VIEW].bytes = sizeof(scratch);
}
static void config_missing(struct stream *s) { rec_remove(s, REC_CONFIG(s)); }
static void config_twice(struct stream *s)
{
	rec_repeat(s, REC_CONFIG(s));
}
/* What nobody can write: ids, sizes of BARs, capabilities. */
static void config_is_view(struct stream *s)
{
	unsigned int config = REC_CONFIG(s);

	s->payload[config] = s->payload[REC_VIEW];
	s->rec[config].bytes = s->rec[REC_VIEW].bytes;
}
static void config_version(struct stream *s) { rec_copy(s, REC_CONFIG(s))[2] = 9; }
/* Of writers before it had a version: emulated bits, of which there are none. */
static void config_version_0(struct stream *s) { rec_copy(s, REC_CONFIG(s))[2] = 0; }
static void config_words(struct stream *s) { rec_copy(s, REC_CONFIG(s))[4]++; }
/* The first word has cache line size and latency timer. */
static void config_command(struct stream *s) { rec_copy(s, REC_CONFIG(s))[8] = PCI_COMMAND; }
static void config_mask(struct stream *s) { rec_copy(s, REC_CONFIG(s))[8 + 8 + 3] = 0xff; }
static void record_flags(struct stream *s) { s->rec[REC_FAMILY].flags = 0x80; }
static void match_size(struct stream *s) { s->rec[REC_MATCH].bytes -= 4; }
static void match_longer(struct stream *s)
{
	rec_copy(s, REC_MATCH);
	s->rec[REC_MATCH].bytes += 8;
}
static void match_of_newer_version(struct stream *s)
{
	version_readable(s);
	match_longer(s);
}
static void match_shorter_of_newer_version(struct stream *s)
{
	version_readable(s);
	match_size(s);
}
#define BAD(change, repair, ...) { DAMAGE(change, __VA_ARGS__), repair }

static const struct bad bads[] = {
	BAD(same, ALL, 0),
	BAD(minor, ALL, 0),
	BAD(version_readable, ALL, 0),
	BAD(unknown_optional, ALL, 0),
	BAD(unknown_container_optional, ALL, 0),
	BAD(match_of_newer_version, ALL, 0),
	{ DAMAGE(config_missing, 0), ALL, .without_persona = true },
	BAD(magic, ALL, -EINVAL),
	BAD(major, ALL, -EPROTONOSUPPORT),
	BAD(header_short, ALL, -EINVAL),
	BAD(header_long, ALL, -EINVAL),
	BAD(header_flags, ALL, -EINVAL),
	BAD(header_reserved, ALL, -EINVAL),
	BAD(family, ALL, -EXDEV),
	BAD(family_dirty, ALL, -EINVAL),
	BAD(family_pad, ALL, -EINVAL),
	BAD(version_new, ALL, -EPROTONOSUPPORT),
	BAD(version_old, ALL, -EPROTONOSUPPORT),
	BAD(version_odd, ALL, -EINVAL),
	BAD(persona, ALL, -EXDEV),
	BAD(persona_version, ALL, -EXDEV),
	BAD(persona_digest, ALL, -EXDEV),
	BAD(head_crc, NOTHING, -EBADMSG),
	BAD(payload, NOTHING, -EBADMSG),
	BAD(swapped, NOTHING, -EPROTO),
	BAD(swapped, CHECKSUMS, -EPROTO),
	BAD(skipped, NOTHING, -EPROTO),
	BAD(skipped, CHECKSUMS, -EPROTO),
	BAD(repeated, NOTHING, -EPROTO),
	BAD(repeated_match, ALL, -EPROTO),
	BAD(no_match, ALL, -EPROTO),
	{ DAMAGE(large, -EMSGSIZE), ALL, .below = SCRATCH_BYTES },
	BAD(after_end, ALL, -EPROTO),
	BAD(end_twice, CHECKSUMS, -EPROTO),
	BAD(end_short, CHECKSUMS, -EPROTO),
	BAD(end_totals, CHECKSUMS, -EPROTO),
	BAD(end_bytes, CHECKSUMS, -EPROTO),
	BAD(end_optional, CHECKSUMS, -EINVAL),
	BAD(unknown, ALL, -EOPNOTSUPP),
	BAD(unknown_container, ALL, -EOPNOTSUPP),
	BAD(record_flags, ALL, -EINVAL),
	BAD(match_size, ALL, -EINVAL),
	BAD(match_longer, ALL, -EINVAL),
	BAD(match_shorter_of_newer_version, ALL, -EINVAL),
	BAD(view_missing, ALL, -EPROTO),
	BAD(view_id, ALL, -EOPNOTSUPP),
	BAD(view_bytes, ALL, -EOPNOTSUPP),
	BAD(view_words, ALL, -EINVAL),
	BAD(view_order, ALL, -EINVAL),
	BAD(view_empty, ALL, -EINVAL),
	BAD(view_late, ALL, -EPROTO),
	BAD(view_twice, ALL, -EPROTO),
	BAD(view_large, ALL, -EMSGSIZE),
	BAD(config_twice, ALL, -EPROTO),
	BAD(config_is_view, ALL, -EINVAL),
	BAD(config_version, ALL, -EPROTONOSUPPORT),
	BAD(config_version_0, ALL, -EINVAL),
	BAD(config_words, ALL, -EINVAL),
	BAD(config_command, ALL, -EINVAL),
	BAD(config_mask, ALL, -EINVAL),
};

static int make_bad(const struct blob *good, const struct bad *bad, struct blob *b)
{
	static struct stream s;
	struct vpv_stream_end end;
	int err = stream_split(&s, good);

	if (err)
		return err;
	if (s.num < REC_FAMILY + 3 || s.rec[REC_CONFIG(&s)].type != VPV_RECORD_CONFIG)
		return -EPROTO;
	memset(scratch, 0, sizeof(scratch));
	bad->d.change(&s);
	if (bad->repair == ALL)
		stream_seal(&s, &end);
	else if (bad->repair == CHECKSUMS)
		stream_checksum(&s);
	b->bytes = 0;
	return stream_join(&s, b);
}

/* Refused as it should be, with one line that says why, if @lines. */
static void expect_refusal(struct __test_metadata *_metadata, FIXTURE_DATA(stream) *self,
			   const struct bad *bad, bool lines)
{
	char line[512] = "";
	struct blob b = {};
	struct outcome o;

	ASSERT_EQ(0, make_bad(&self->good, bad, &b)) TH_LOG("%s", bad->d.name);
	log_count(self->log, LOG_TEXT, NULL, 0);
	ASSERT_EQ(0, feed(&self->v, &b, b.bytes, &o)) TH_LOG("%s", bad->d.name);
	EXPECT_EQ(bad->d.err, o.err) TH_LOG("%s", bad->d.name);
	if (o.err)
		EXPECT_EQ(!bad->d.at_stop, o.at_write) TH_LOG("%s", bad->d.name);
	if (lines) {
		EXPECT_EQ(1, log_count(self->log, self->slot[1].bdf, line, sizeof(line)))
			TH_LOG("%s", bad->d.name);
		EXPECT_NE(NULL, strstr(line, bad->d.says ?: "")) TH_LOG("%s", bad->d.name);
		TH_LOG("%s: %s", bad->d.name, line);
	}
	blob_free(&b);
}

TEST_F_TIMEOUT(stream, wrong_in_one_way, 300)
{
	struct stream s;

	ASSERT_EQ(0, stream_split(&s, &self->good));
	for (unsigned int i = 0; i < ARRAY_SIZE(bads); i++) {
		if (bads[i].below && variant->family->record_max >= bads[i].below)
			continue;
		if (!bads[i].without_persona || !s.header.persona[0])
			expect_refusal(_metadata, self, &bads[i], false);
	}
}

TEST_F_TIMEOUT(stream, wrong_for_the_family, 300)
{
	const struct family *f = variant->family;

	NEED(f->num_damage, "the family has tests of its own");
	for (unsigned int i = 0; i < f->num_damage; i++)
		expect_refusal(_metadata, self, &(struct bad){ f->damage[i], ALL }, false);
}

/* A head that is right in itself, but promises more than there can be. */
TEST_F(stream, length_without_end)
{
	const uint32_t lengths[] = {
		variant->family->record_max + 1, 1U << 25, 1U << 31, UINT32_MAX,
	};
	struct vpv_stream_record *head;
	struct outcome o;
	struct stream s;

	ASSERT_EQ(0, stream_split(&s, &self->good));
	head = (void *)(self->good.data + s.pos[REC_FAMILY]);
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		head->bytes = lengths[i];
		head->crc = 0;
		head->crc = crc32c(s.rec[REC_FAMILY - 1].crc, head, sizeof(*head));
		ASSERT_EQ(0, feed(&self->v, &self->good, self->good.bytes, &o));
		EXPECT_EQ(-EMSGSIZE, o.err);
		EXPECT_TRUE(o.at_write);
	}
}

TEST_F(stream, garbage)
{
	uint8_t noise[5000];
	struct blob b = { .data = noise, .bytes = sizeof(noise) };
	struct outcome o;

	for (unsigned int seed = 1; seed < 6; seed++) {
		srandom(seed);
		for (unsigned int i = 0; i < sizeof(noise); i++)
			noise[i] = random() >> 16;
		ASSERT_EQ(0, feed(&self->v, &b, b.bytes, &o));
		EXPECT_EQ(-EINVAL, o.err);
		EXPECT_TRUE(o.at_write);
	}
	/* A good beginning does not help. */
	memcpy(noise, self->good.data, sizeof(struct vpv_stream_header));
	ASSERT_EQ(0, feed(&self->v, &b, b.bytes, &o));
	EXPECT_GT(0, o.err);
	EXPECT_TRUE(o.at_write);
}

/* More lines than these in five seconds would be left out by the kernel. */
TEST_F(stream, one_line_of_log_for_a_refusal)
{
	static const struct bad ours[] = {
		{ DAMAGE(family, -EXDEV), ALL }, { DAMAGE(payload, -EBADMSG), NOTHING },
	};
	const struct family *f = variant->family;

	sleep(6);
	for (unsigned int i = 0; i < ARRAY_SIZE(ours); i++)
		expect_refusal(_metadata, self, &ours[i], true);
	for (unsigned int i = 0; i < 4 && i < f->num_damage; i++)
		expect_refusal(_metadata, self, &(struct bad){ f->damage[i], ALL }, true);
}

/* A refused stream leaves nothing behind that a good one would meet. */
TEST_F(stream, good_after_bad)
{
	struct outcome o;

	self->good.data[self->good.bytes - 60] ^= 4;
	ASSERT_EQ(0, feed(&self->v, &self->good, self->good.bytes, &o));
	ASSERT_NE(0, o.err);
	self->good.data[self->good.bytes - 60] ^= 4;
	ASSERT_EQ(0, feed(&self->v, &self->good, self->good.bytes, &o));
	EXPECT_EQ(0, o.err);
}

TEST_HARNESS_MAIN
