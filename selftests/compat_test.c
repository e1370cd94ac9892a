// SPDX-License-Identifier: GPL-2.0
/*
 * Destinations that differ from the source: refused while the source still runs,
 * or taken when they offer more.  Uses every function of the lab, of each family, whose model
 * was started with other options, whatever they are.
 *
 * Groups: self families stable
 */
#include "lib/test.h"
#include "lib/family_test.h"

FIXTURE(compat)
{
	struct slot slots[SLOT_MAX];
	struct guest g;
	int num;
};

VARIANTS_OF_FAMILIES(compat, one_way);

FIXTURE_SETUP(compat)
{
	NEED(variant->family->fits, "functions of this family do not differ");
	self->num = BIND_FAMILY(variant->family, self->slots, SLOT_MAX);
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
}

FIXTURE_TEARDOWN(compat)
{
	guest_free(&self->g);
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

static int try_pair(struct guest *g, struct vdev *src, struct vdev *dst)
{
	struct blob b = {};
	int err = precopy_into(src, dst, &b);

	/* The source has noticed nothing. */
	if (mig_get(src) == VFIO_DEVICE_STATE_PRE_COPY &&
	    mig_set(src, VFIO_DEVICE_STATE_RUNNING, NULL))
		err = -EPROTO;
	if (guest_work(g, 1))
		err = -EPROTO;
	blob_free(&b);
	return err;
}

/* What the hardware's page says, from what the models say. */
static int expected(const struct family *f, const struct slot *src, const struct slot *dst)
{
	struct model a, b;
	int err = model_open(&a, src);

	if (err)
		return -EPROTO;
	err = model_open(&b, dst) ? -EPROTO : f->fits(&a, &b);
	model_close(&a);
	model_close(&b);
	return err;
}

TEST_F_TIMEOUT(compat, every_pair_with_the_first, 600)
{
	for (int i = 1; i < self->num; i++) {
		for (unsigned int swap = 0; swap < 2; swap++) {
			struct slot *s = &self->slots[swap ? i : 0];
			struct slot *d = &self->slots[swap ? 0 : i];
			int want = expected(variant->family, s, d), mark;
			struct vdev src, dst;
			char line[512] = "";

			ASSERT_EQ(0, vdev_open(&src, s, any_mode()));
			ASSERT_EQ(0, vdev_open(&dst, d, any_mode()));
			ASSERT_EQ(0, guest_share(&self->g, &src));
			ASSERT_EQ(0, guest_boot(&self->g, &src));
			/* No family accepts another revision, without a persona. */
			if (vdev_cfg(&src, PCI_CLASS_REVISION, 4) !=
			    vdev_cfg(&dst, PCI_CLASS_REVISION, 4))
				want = -EOPNOTSUPP;
			mark = log_mark();
			EXPECT_EQ(want, try_pair(&self->g, &src, &dst)) {
				TH_LOG("from %s to %s", s->bdf, d->bdf);
			}
			/* A refusal has one line, which says why. */
			EXPECT_EQ(want ? 1 : 0,
				  log_count(mark, "migration", line, sizeof(line)));
			TH_LOG("%s -> %s: %s", s->bdf, d->bdf, line[0] ? line : "accepted");
			EXPECT_EQ(!want, !strstr(line, "refused: "));
			close(mark);
			guest_off(&self->g);
			vdev_close(&src);
			vdev_close(&dst);
		}
	}
	if (self->num < 2)
		SKIP(return, "needs a second function, whose model has other options");
}

TEST_HARNESS_MAIN
