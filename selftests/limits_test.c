// SPDX-License-Identifier: GPL-2.0
/*
 * What a function says about itself is not believed: limits that are zero, too large, other
 * than before (family.claims), or read before it is ready (family.late); of hisi_like also limits
 * that make sense and are too small.  A save ends with all that the function has, or with an error.
 *
 * Groups: self stable families
 */
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define LIMITS(log2, queues)	((log2) << 16 | (queues))
#define QUEUE_RECORD		(VPV_RECORD_FAMILY + 1)
#define LAST_QUEUE		7

FIXTURE(claims)
{
	struct slot slot;
	struct vdev v;
	struct guest g;
	struct model m;
};

VARIANTS_OF_FAMILIES(claims, one_way);

FIXTURE_SETUP(claims)
{
	NEED(variant->family->num_claims, "nothing to lie about");
	NEED_FAMILY(variant->family, &self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
}

FIXTURE_TEARDOWN(claims)
{
	model_cmd(&self->m, "claim clear");
	model_cmd(&self->m, "fault clear");
	guest_free(&self->g);
	vdev_close(&self->v);
	model_close(&self->m);
}

static int open_guest(struct vdev *v, const struct slot *slot, struct guest *g)
{
	int err = vdev_open(v, slot, any_mode());

	err = err ? err : guest_share(g, v);
	return err ? err : guest_boot(g, v);
}

static int works(const struct family *family, struct guest *g, struct vdev *v, unsigned int tag)
{
	int err = mig_set(v, RUNNING, NULL);

	err = err ? err : family->start(g, tag);
	return err ? err : family->check(g, tag);
}

/* What it says is asked for with each session, and by some families with the first. */
static int session(struct vdev *v)
{
	int fd = -1, err = mig_set(v, PRE_COPY, &fd);

	if (fd >= 0)
		close(fd);
	return err ? err : mig_set(v, RUNNING, NULL);
}

/* It has said something else before. */
TEST_F_TIMEOUT(claims, change_is_not_saved, 600)
{
	for (unsigned int i = 0; i < variant->family->num_claims; i++) {
		const struct claim *c = &variant->family->claims[i];
		int fd = -1;

		ASSERT_EQ(0, open_guest(&self->v, &self->slot, &self->g));
		ASSERT_EQ(0, session(&self->v));
		ASSERT_EQ(0, model_cmd(&self->m, "claim %s", c->what));
		EXPECT_EQ(c->err, mig_set(&self->v, STOP_COPY, &fd)) TH_LOG("%s", c->what);
		if (fd >= 0)
			close(fd);
		EXPECT_EQ(0, works(variant->family, &self->g, &self->v, i));
		ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
		guest_off(&self->g);
		vdev_close(&self->v);
	}
}

/* How a save ends of a function that has always said so. */
static int saved(struct vdev *v, const struct claim *c, struct blob *b)
{
	int fd = -1, err;

	if (c->sane) {
		err = mig_save(v, b, true);
		blob_free(b);
		return c->less ? (err < 0 ? 0 : -EUCLEAN) : err;
	}
	err = mig_set(v, STOP_COPY, &fd);
	if (fd >= 0)
		close(fd);
	return err == c->err ? 0 : err ? err : -EUCLEAN;
}

/* It says so from the beginning. */
TEST_F_TIMEOUT(claims, nonsense_is_not_saved, 600)
{
	for (unsigned int i = 0; i < variant->family->num_claims; i++) {
		const struct claim *c = &variant->family->claims[i];
		struct blob b = {};
		int err;

		ASSERT_EQ(0, model_cmd(&self->m, "claim %s", c->what));
		err = open_guest(&self->v, &self->slot, &self->g);
		EXPECT_EQ(c->open, err) TH_LOG("%s", c->what);
		if (!err) {
			EXPECT_EQ(0, saved(&self->v, c, &b)) TH_LOG("%s", c->what);
			EXPECT_EQ(0, works(variant->family, &self->g, &self->v, i));
		}
		ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
		guest_off(&self->g);
		vdev_close(&self->v);
	}
}

/* After each of the resets of an open it says nothing at first; what is read then is the truth. */
TEST_F(claims, limits_are_read_when_it_is_ready)
{
	const struct family *family = variant->family;
	struct blob blob = {};

	NEED(family->late, "says everything at once");
	ASSERT_EQ(0, model_cmd(&self->m, "%s", family->late));
	ASSERT_EQ(0, open_guest(&self->v, &self->slot, &self->g));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, works(family, &self->g, &self->v, 1));
	/* It says the same as it did. */
	EXPECT_EQ(0, mig_save(&self->v, &blob, true));
	blob_free(&blob);
	EXPECT_EQ(0, works(family, &self->g, &self->v, 2));
	/* Again after a reset by its user. */
	ASSERT_EQ(0, model_cmd(&self->m, "%s", family->late));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, mig_save(&self->v, &blob, true));
	blob_free(&blob);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, mig_set(&self->v, RUNNING, NULL));
}

FIXTURE(limits)
{
	struct slot slot;
	struct vdev v;
	struct hisil h;
	struct model m;
	struct blob blob;
};

FIXTURE_SETUP(limits)
{
	NEED_SLOTS(&self->slot, 1);
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
	ASSERT_EQ(0, hisil_init(&self->h));
}

FIXTURE_TEARDOWN(limits)
{
	model_cmd(&self->m, "claim clear");
	hisil_free(&self->h);
	vdev_close(&self->v);
	model_close(&self->m);
	blob_free(&self->blob);
}

/* The function has work behind it, in its first queue and in a later one. */
static int start_work(struct hisil *h, struct vdev *v)
{
	int err = hisil_share(h, v);

	err = err ? err : hisil_attach(h, v);
	err = err ? err : hisil_enable(h);
	err = err ? err : hisil_queue_start(h, 0, 16, false);
	return err ? err : hisil_queue_start(h, LAST_QUEUE, 16, false);
}

#define OPEN() do {								\
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));		\
	ASSERT_EQ(0, start_work(&self->h, &self->v));				\
} while (0)

/* Queue contexts in a stream. */
static unsigned int queues_in(const struct blob *b)
{
	unsigned int num = 0;
	struct stream s;

	if (stream_split(&s, b))
		return 0;
	for (unsigned int i = 0; i < s.num; i++)
		num += s.rec[i].type == QUEUE_RECORD;
	return num;
}

TEST_F(limits, read_when_the_function_is_ready)
{
	/* Ready after each of the resets of an open, and not at once. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault reset delay=80"));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, start_work(&self->h, &self->v));
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	EXPECT_EQ(2U, queues_in(&self->blob));
}

TEST_F(limits, function_that_does_not_get_ready_is_not_opened)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault reset hang"));
	EXPECT_NE(0, vdev_open(&self->v, &self->slot, VDEV_GROUP));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	OPEN();
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	EXPECT_EQ(2U, queues_in(&self->blob));
}

/* It says that it has four, from the beginning; one behind them is in use. */
TEST_F(limits, queues_that_are_denied_are_not_lost)
{
	ASSERT_EQ(0, model_cmd(&self->m, "claim limits %u", LIMITS(10, 4)));
	OPEN();
	EXPECT_GT(0, mig_save(&self->v, &self->blob, false));
	EXPECT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	EXPECT_EQ(0, hisil_work(&self->h, 0, 1));
}

/* Shorter or longer than what the context says of itself. */
TEST_F(limits, length_of_a_context_is_checked)
{
	static const unsigned int lens[] = { 0, 4, 60, 65, 68, 128, 1092, 4096, UINT32_MAX };

	OPEN();
	for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ASSERT_EQ(0, model_cmd(&self->m, "claim len %u", lens[i]));
		EXPECT_GT(0, mig_save(&self->v, &self->blob, false)) TH_LOG("%u", lens[i]);
		blob_free(&self->blob);
		ASSERT_EQ(0, model_cmd(&self->m, "claim clear"));
		ASSERT_EQ(0, mig_set(&self->v, RUNNING, NULL));
	}
	ASSERT_EQ(0, mig_save(&self->v, &self->blob, false));
	EXPECT_EQ(2U, queues_in(&self->blob));
}

TEST_HARNESS_MAIN
