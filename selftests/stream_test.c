// SPDX-License-Identifier: GPL-2.0
/*
 * Bad input to the data file of a destination: each refused with the errno that
 * Documentation/stream.rst names, and the function is well again after a reset.
 */
#include "lib/test.h"

#define LOG_TEXT "migration"

FIXTURE(stream)
{
	struct slot slot[2];
	struct vdev v;
	struct hisil h;
	struct blob good;
	int log;
};

/* A stream with a queue that has entries parked and pending. */
static int make_stream(const struct slot *slot, enum vdev_mode mode, struct hisil *h,
		       struct blob *b)
{
	struct model m;
	struct vdev v;
	int err = model_open(&m, slot);

	if (err)
		return err;
	err = vdev_open(&v, slot, mode);
	if (!err)
		err = hisil_share(h, &v);
	if (!err)
		err = hisil_attach(h, &v);
	if (!err)
		err = hisil_enable(h);
	if (!err)
		err = hisil_queue_start(h, 0, 4, false);
	if (!err)
		err = model_cmd(&m, "fault op delay=200");
	if (!err) {
		hisil_batch_put(h, 0, 3, 1);
		hisil_ring(h, 0);
		usleep(20000);
		err = mig_save(&v, b, true);
	}
	model_cmd(&m, "fault clear");
	model_close(&m);
	vdev_close(&v);
	return err;
}

FIXTURE_SETUP(stream)
{
	enum vdev_mode mode = access("/dev/iommu", R_OK) ? VDEV_GROUP : VDEV_CDEV;

	NEED_SLOTS(self->slot, 2);
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, make_stream(&self->slot[0], mode, &self->h, &self->good));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot[1], mode));
	self->log = log_mark();
	ASSERT_GE(self->log, 0);
}

FIXTURE_TEARDOWN(stream)
{
	vdev_close(&self->v);
	hisil_free(&self->h);
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

/* Every byte next to a border of a part, every 13th one inside. */
TEST_F_TIMEOUT(stream, truncated, 120)
{
	struct outcome o;
	struct stream s;

	ASSERT_EQ(0, stream_split(&s, &self->good));
	for (size_t n = 0; n < self->good.bytes; n++) {
		if (!at_border(&s, n) && n % 13)
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

TEST_F_TIMEOUT(stream, one_bit_flipped, 120)
{
	struct outcome o;
	struct stream s;

	ASSERT_EQ(0, stream_split(&s, &self->good));
	for (size_t pos = 0; pos < self->good.bytes; pos += 1 + (pos > 16) * 6) {
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
	const char *name;
	void (*change)(struct stream *s);
	enum repair repair;
	int err;
	bool at_stop;
};

static uint8_t scratch[VPV_CONFIG_MAX_BYTES + 1];

static void rec_remove(struct stream *s, unsigned int i)
{
	s->num--;
	memmove(&s->rec[i], &s->rec[i + 1], (s->num - i) * sizeof(s->rec[0]));
	memmove(&s->payload[i], &s->payload[i + 1], (s->num - i) * sizeof(s->payload[0]));
}

static void rec_insert(struct stream *s, unsigned int i, uint32_t type, uint32_t flags,
		       const void *payload, uint64_t bytes)
{
	memmove(&s->rec[i + 1], &s->rec[i], (s->num - i) * sizeof(s->rec[0]));
	memmove(&s->payload[i + 1], &s->payload[i], (s->num - i) * sizeof(s->payload[0]));
	s->num++;
	s->rec[i] = (struct vpv_stream_record){ .type = type, .flags = flags, .bytes = bytes };
	s->payload[i] = payload;
}

static void rec_swap(struct stream *s, unsigned int i, unsigned int k)
{
	struct vpv_stream_record r = s->rec[i];
	const void *p = s->payload[i];

	s->rec[i] = s->rec[k];
	s->payload[i] = s->payload[k];
	s->rec[k] = r;
	s->payload[k] = p;
}

/* A copy of a payload that may be changed. */
static uint8_t *rec_copy(struct stream *s, unsigned int i)
{
	memset(scratch, 0, sizeof(scratch));
	memcpy(scratch, s->payload[i], s->rec[i].bytes);
	s->payload[i] = scratch;
	return scratch;
}

static void put32(uint8_t *p, unsigned int pos, uint32_t val)
{
	memcpy(p + pos, &val, sizeof(val));
}

/* Records of the stream: MATCH, VIEW, global context, queue context, CONFIG, END. */
#define MATCH	0
#define VIEW	1
#define GLOBAL	2
#define QUEUE	3
#define CONFIG	4
#define END	5

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
	strcpy((char *)s->header.family, "nvme_cf");
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
static void persona(struct stream *s) { strcpy((char *)s->header.persona, "other"); }
static void persona_version(struct stream *s) { s->header.persona_version = 3; }
static void persona_digest(struct stream *s) { s->header.persona_digest[0] = 3; }
static void head_crc(struct stream *s) { s->rec[QUEUE].crc ^= 1; }
static void payload(struct stream *s) { rec_copy(s, QUEUE)[63] ^= 1; }
static void swapped(struct stream *s) { rec_swap(s, GLOBAL, QUEUE); }
static void skipped(struct stream *s) { rec_remove(s, GLOBAL); }
static void repeated(struct stream *s)
{
	rec_insert(s, QUEUE + 1, s->rec[QUEUE].type, 0, s->payload[QUEUE], s->rec[QUEUE].bytes);
}
static void repeated_global(struct stream *s)
{
	rec_insert(s, QUEUE, s->rec[GLOBAL].type, 0, s->payload[GLOBAL], s->rec[GLOBAL].bytes);
}
static void repeated_match(struct stream *s)
{
	rec_insert(s, 1, VPV_RECORD_MATCH, 0, s->payload[MATCH], s->rec[MATCH].bytes);
}
static void no_match(struct stream *s) { rec_remove(s, MATCH); }
static void no_global(struct stream *s) { rec_remove(s, GLOBAL); }
static void large(struct stream *s)
{
	rec_insert(s, QUEUE, VPV_RECORD_FAMILY, 0, scratch, sizeof(scratch));
}
static void after_end(struct stream *s)
{
	rec_insert(s, s->num, VPV_RECORD_FAMILY, 0, scratch, 64);
}
static void end_twice(struct stream *s) { rec_insert(s, s->num, VPV_RECORD_END, 0, scratch, 16); }
static void end_short(struct stream *s) { s->rec[END].bytes = 8; }
static void end_totals(struct stream *s) { rec_copy(s, END)[0]++; }
static void end_bytes(struct stream *s) { rec_copy(s, END)[8]++; }
static void end_optional(struct stream *s) { s->rec[END].flags = VPV_RECORD_OPTIONAL; }
static void unknown(struct stream *s) { rec_insert(s, END, 0x7777, 0, scratch, 8); }
static void unknown_optional(struct stream *s)
{
	rec_insert(s, END, 0x7777, VPV_RECORD_OPTIONAL, scratch, 8);
}
static void unknown_container(struct stream *s) { rec_insert(s, END, 0x77, 0, scratch, 8); }
static void unknown_container_optional(struct stream *s)
{
	rec_insert(s, END, 0x77, VPV_RECORD_OPTIONAL, scratch, 8);
}
static void view_missing(struct stream *s) { rec_remove(s, VIEW); }
/* Its first word is that of the ids. */
static void view_id(struct stream *s) { rec_copy(s, VIEW)[8 + 4]++; }
static void view_bytes(struct stream *s) { put32(rec_copy(s, VIEW), 0, 256); }
static void view_words(struct stream *s) { rec_copy(s, VIEW)[4]++; }
static void view_order(struct stream *s) { rec_copy(s, VIEW)[8] = 8; }
static void view_empty(struct stream *s) { s->rec[VIEW].bytes = 0; }
static void view_late(struct stream *s) { rec_swap(s, VIEW, GLOBAL); }
static void view_twice(struct stream *s)
{
	rec_insert(s, VIEW, VPV_RECORD_VIEW, 0, s->payload[VIEW], s->rec[VIEW].bytes);
}
static void view_large(struct stream *s)
{
	rec_copy(s, VIEW);
	s->rec[VIEW].bytes = sizeof(scratch);
}
static void config_missing(struct stream *s) { rec_remove(s, CONFIG); }
static void config_twice(struct stream *s)
{
	rec_insert(s, END, VPV_RECORD_CONFIG, 0, s->payload[CONFIG], s->rec[CONFIG].bytes);
}
/* What nobody can write: ids, sizes of BARs, capabilities. */
static void config_is_view(struct stream *s)
{
	rec_remove(s, CONFIG);
	rec_insert(s, CONFIG, VPV_RECORD_CONFIG, 0, s->payload[VIEW], s->rec[VIEW].bytes);
}
static void config_version(struct stream *s) { rec_copy(s, CONFIG)[2] = 9; }
/* Of writers before it had a version: emulated bits, of which there are none. */
static void config_version_0(struct stream *s) { rec_copy(s, CONFIG)[2] = 0; }
static void config_words(struct stream *s) { rec_copy(s, CONFIG)[4]++; }
/* The first word has cache line size and latency timer. */
static void config_command(struct stream *s) { rec_copy(s, CONFIG)[8] = PCI_COMMAND; }
static void config_mask(struct stream *s) { rec_copy(s, CONFIG)[8 + 8 + 3] = 0xff; }
static void record_flags(struct stream *s) { s->rec[QUEUE].flags = 0x80; }
static void match_size(struct stream *s) { s->rec[MATCH].bytes -= 4; }
static void match_longer(struct stream *s)
{
	rec_copy(s, MATCH);
	s->rec[MATCH].bytes += 8;
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
static void match_magic(struct stream *s) { rec_copy(s, MATCH)[0]++; }
static void match_revision(struct stream *s) { put32(rec_copy(s, MATCH), 4, 0x990000); }
static void match_version(struct stream *s) { put32(rec_copy(s, MATCH), 8, 0xffff); }
static void match_queues(struct stream *s) { put32(rec_copy(s, MATCH), 12, 10 << 16 | 5000); }
static void match_rings(struct stream *s) { put32(rec_copy(s, MATCH), 12, 99 << 16 | 1); }
static void match_algs(struct stream *s) { put32(rec_copy(s, MATCH), 16, 0x7fffffff); }
static void match_xfer(struct stream *s) { put32(rec_copy(s, MATCH), 20, 0xfffffff0); }
static void global_magic(struct stream *s) { rec_copy(s, GLOBAL)[0]++; }
static void global_version(struct stream *s) { put32(rec_copy(s, GLOBAL), 4, 1000); }
static void global_size(struct stream *s) { s->rec[GLOBAL].bytes -= 8; }
static void global_ctrl(struct stream *s) { put32(rec_copy(s, GLOBAL), 8, 0xff); }
static void queue_magic(struct stream *s) { rec_copy(s, QUEUE)[0]++; }
static void queue_number(struct stream *s) { put32(rec_copy(s, QUEUE), 4, 64); }
static void queue_parked(struct stream *s) { put32(rec_copy(s, QUEUE), 52, 17 << 16); }
static void queue_size(struct stream *s) { s->rec[QUEUE].bytes -= 64; }
static void queue_ring(struct stream *s) { put32(rec_copy(s, QUEUE), 24, 1 << 20); }
static void queue_tail(struct stream *s) { put32(rec_copy(s, QUEUE), 36, 0x1000); }
static void queue_base(struct stream *s) { put32(rec_copy(s, QUEUE), 8, 0x1001); }
static void queue_status(struct stream *s) { put32(rec_copy(s, QUEUE), 32, 0xff000003); }

#define BAD(change, ...) { #change, change, __VA_ARGS__ }

static const struct bad bads[] = {
	BAD(same, ALL, 0),
	BAD(minor, ALL, 0),
	BAD(version_readable, ALL, 0),
	BAD(unknown_optional, ALL, 0),
	BAD(unknown_container_optional, ALL, 0),
	BAD(match_of_newer_version, ALL, 0),
	BAD(config_missing, ALL, 0),
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
	BAD(repeated, ALL, -EINVAL),
	BAD(repeated_global, ALL, -EINVAL),
	BAD(repeated_match, ALL, -EPROTO),
	BAD(no_match, ALL, -EPROTO),
	BAD(large, ALL, -EMSGSIZE),
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
	BAD(match_magic, ALL, -EINVAL),
	BAD(match_revision, ALL, -EOPNOTSUPP),
	BAD(match_version, ALL, -EOPNOTSUPP),
	BAD(match_queues, ALL, -EOPNOTSUPP),
	BAD(match_rings, ALL, -EOPNOTSUPP),
	BAD(match_algs, ALL, -EOPNOTSUPP),
	BAD(match_xfer, ALL, -EOPNOTSUPP),
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
	BAD(global_magic, ALL, -EINVAL),
	BAD(global_version, ALL, -EINVAL),
	BAD(global_size, ALL, -EINVAL),
	BAD(queue_magic, ALL, -EINVAL),
	BAD(queue_number, ALL, -EINVAL),
	BAD(queue_parked, ALL, -EINVAL),
	BAD(queue_size, ALL, -EINVAL),
	BAD(queue_ring, ALL, -EINVAL),
	BAD(queue_tail, ALL, -EINVAL),
	/* These are for the function to judge, when everything is there. */
	BAD(no_global, ALL, -EINVAL, true),
	BAD(global_ctrl, ALL, -EINVAL, true),
	BAD(queue_base, ALL, -EINVAL, true),
	BAD(queue_status, ALL, -EINVAL, true),
};

static int make_bad(const struct blob *good, const struct bad *bad, struct blob *b)
{
	static struct stream s;
	struct vpv_stream_end end;
	int err = stream_split(&s, good);

	if (err)
		return err;
	if (s.num != END + 1 || s.rec[QUEUE].bytes <= 64)
		return -EPROTO;
	memset(scratch, 0, sizeof(scratch));
	bad->change(&s);
	if (bad->repair == ALL)
		stream_seal(&s, &end);
	else if (bad->repair == CHECKSUMS)
		stream_checksum(&s);
	b->bytes = 0;
	return stream_join(&s, b);
}

TEST_F_TIMEOUT(stream, wrong_in_one_way, 120)
{
	struct blob b = {};
	struct outcome o;

	for (unsigned int i = 0; i < ARRAY_SIZE(bads); i++) {
		ASSERT_EQ(0, make_bad(&self->good, &bads[i], &b)) {
			TH_LOG("%s", bads[i].name);
		}
		ASSERT_EQ(0, feed(&self->v, &b, b.bytes, &o)) {
			TH_LOG("%s", bads[i].name);
		}
		EXPECT_EQ(bads[i].err, o.err) {
			TH_LOG("%s", bads[i].name);
		}
		if (o.err) {
			EXPECT_EQ(!bads[i].at_stop, o.at_write) {
				TH_LOG("%s", bads[i].name);
			}
		}
	}
	blob_free(&b);
}

/* A head that is right in itself, but promises more than there can be. */
TEST_F(stream, length_without_end)
{
	static const uint32_t lengths[] = { 4097, 1U << 24, 1U << 31, UINT32_MAX };
	struct vpv_stream_record *head;
	struct outcome o;
	struct stream s;

	ASSERT_EQ(0, stream_split(&s, &self->good));
	head = (void *)(self->good.data + s.pos[QUEUE]);
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		head->bytes = lengths[i];
		head->crc = 0;
		head->crc = crc32c(s.rec[GLOBAL].crc, head, sizeof(*head));
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
		hisil_pattern(noise, sizeof(noise), seed);
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
	static const char *const names[] = {
		"family", "payload", "match_queues", "queue_number", "no_global", "queue_base",
	};
	struct blob b = {};
	struct outcome o;
	char line[512];

	sleep(6);
	for (unsigned int i = 0; i < ARRAY_SIZE(bads); i++) {
		bool wanted = false;
		int lines;

		for (unsigned int k = 0; k < ARRAY_SIZE(names); k++) {
			wanted |= !strcmp(bads[i].name, names[k]);
		}
		if (!wanted)
			continue;
		ASSERT_EQ(0, make_bad(&self->good, &bads[i], &b));
		log_count(self->log, LOG_TEXT, NULL, 0);
		ASSERT_EQ(0, feed(&self->v, &b, b.bytes, &o));
		lines = log_count(self->log, self->slot[1].bdf, line, sizeof(line));
		EXPECT_EQ(1, lines) {
			TH_LOG("%s", bads[i].name);
		}
		if (lines)
			TH_LOG("%s: %s", bads[i].name, line);
	}
	blob_free(&b);
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
