// SPDX-License-Identifier: GPL-2.0
/*
 * Destinations that differ from the source: refused while the source still runs,
 * or taken when they offer more.  Uses every function of the lab whose model was
 * started with other options, whatever they are.
 */
#include "lib/test.h"

/* What a control page says; names of the model's registers. */
static const char *const names[] = {
	"CP_REV", "CP_VERSION", "CP_LIMITS", "CP_ALGS", "CP_ISOLATION", "CP_MAX_XFER",
};

struct ident {
	uint64_t rev, version, limits, algs, isolation, max_xfer;
};

static int identify(const struct slot *slot, struct ident *id)
{
	uint64_t *val = &id->rev;
	struct model m;
	int err = model_open(&m, slot);

	if (err)
		return err;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]) && !err; i++)
		err = model_value(&m, "regs", names[i], &val[i]);
	model_close(&m);
	return err;
}

/* The rule of Documentation/hisi_like.rst, written a second time. */
static int expected(const struct ident *src, const struct ident *dst)
{
	bool fits = !dst->isolation && src->rev >> 16 == dst->rev >> 16 &&
		    (src->version & 0xffff) <= (dst->version & 0xffff) &&
		    (src->version & 0xffff) >= dst->version >> 16 &&
		    (src->limits & 0xffff) <= (dst->limits & 0xffff) &&
		    (src->limits >> 16 & 0xff) <= (dst->limits >> 16 & 0xff) &&
		    !(src->algs & ~dst->algs) && src->max_xfer <= dst->max_xfer;

	return fits ? 0 : -EOPNOTSUPP;
}

FIXTURE(compat)
{
	struct slot slots[SLOT_MAX];
	struct ident id[SLOT_MAX];
	int num;
	enum vdev_mode mode;
	struct hisil h;
};

FIXTURE_SETUP(compat)
{
	self->mode = access("/dev/iommu", R_OK) ? VDEV_GROUP : VDEV_CDEV;
	NEED_SLOTS(self->slots, 2);
	ASSERT_EQ(0, hisil_init(&self->h));
	self->num = slots_find(MODEL, self->slots, SLOT_MAX);
	for (int i = 0; i < self->num; i++) {
		ASSERT_EQ(0, identify(&self->slots[i], &self->id[i]));
	}
}

FIXTURE_TEARDOWN(compat)
{
	hisil_free(&self->h);
}

/* Pre-copy data of @src, fed to @dst: its errno, while the source runs. */
static int precopy_into(struct vdev *src, struct vdev *dst, struct blob *b)
{
	int in, out, err = mig_set(src, VFIO_DEVICE_STATE_PRE_COPY, &out);

	if (err)
		return err;
	b->bytes = 0;
	err = blob_pull(b, out, 0) == -ENOMSG ? 0 : -EPROTO;
	if (!err)
		err = mig_set(dst, VFIO_DEVICE_STATE_RESUMING, &in);
	if (!err) {
		err = blob_push(b, in, 0, b->bytes, 0);
		close(in);
	}
	close(out);
	return err;
}

static int try_pair(struct hisil *h, struct vdev *src, struct vdev *dst)
{
	struct blob b = {};
	int err = precopy_into(src, dst, &b);

	/* The source has noticed nothing. */
	if (mig_get(src) == VFIO_DEVICE_STATE_PRE_COPY &&
	    mig_set(src, VFIO_DEVICE_STATE_RUNNING, NULL))
		err = -EPROTO;
	hisil_batch_put(h, 0, 5, 1);
	hisil_ring(h, 0);
	if (hisil_batch_check(h, 0, 5, 1))
		err = -EPROTO;
	blob_free(&b);
	return err;
}

TEST_F_TIMEOUT(compat, every_pair_with_a_difference, 90)
{
	unsigned int pairs = 0;

	for (int i = 1; i < self->num; i++) {
		if (!memcmp(&self->id[i], &self->id[0], sizeof(self->id[0])))
			continue;
		pairs++;
		ASSERT_EQ(0, vdev_bind(self->slots[i].bdf, DRIVER));
		for (unsigned int swap = 0; swap < 2; swap++) {
			int s = swap ? i : 0, d = swap ? 0 : i, mark, want;
			struct vdev src, dst;
			char line[512] = "";

			want = expected(&self->id[s], &self->id[d]);
			/* An isolated function may not be migrated at all. */
			if (self->id[s].isolation)
				want = -EOPNOTSUPP;
			ASSERT_EQ(0, vdev_open(&src, &self->slots[s], self->mode));
			ASSERT_EQ(0, vdev_open(&dst, &self->slots[d], self->mode));
			ASSERT_EQ(0, hisil_share(&self->h, &src));
			ASSERT_EQ(0, hisil_attach(&self->h, &src));
			ASSERT_EQ(0, hisil_enable(&self->h));
			ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
			mark = log_mark();
			EXPECT_EQ(want, try_pair(&self->h, &src, &dst)) {
				TH_LOG("from %s to %s", self->slots[s].bdf, self->slots[d].bdf);
			}
			/* A refusal has one line, which says why. */
			EXPECT_EQ(want ? 1 : 0,
				  log_count(mark, "migration", line, sizeof(line)));
			TH_LOG("%s -> %s: %s", self->slots[s].bdf, self->slots[d].bdf,
			       line[0] ? line : "accepted");
			EXPECT_EQ(!want, !strstr(line, "refused: "));
			close(mark);
			hisil_detach(&self->h);
			vdev_close(&src);
			vdev_close(&dst);
		}
	}
	if (!pairs)
		SKIP(return, "needs a function whose model has other options (queues=8, rev=2.0)");
}

TEST_HARNESS_MAIN
