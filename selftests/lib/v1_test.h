/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two functions of each family, the first one open in the dialect v1.  For test programs, behind
 * lib/test.h.
 */
#ifndef SELFTEST_V1_TEST_H
#define SELFTEST_V1_TEST_H

#include "family_test.h"
#include "states.h"
#include "v1.h"

FIXTURE(v1)
{
	struct slot slot[2];
	struct vdev a, b;
	struct v1 ra, rb;
	struct model m;
	struct guest g;
	struct blob blob;
	bool ready;
};

VARIANTS_OF_FAMILIES(v1, one_way);

/* The second one is opened by the tests that need it, in the dialect that they want. */
FIXTURE_SETUP(v1)
{
	self->a.fd = -1;
	self->b.fd = -1;
	NEED_FAMILY(variant->family, self->slot, 2);
	self->ready = true;
	ASSERT_EQ(0, model_open(&self->m, &self->slot[0]));
	ASSERT_EQ(0, guest_init(&self->g, variant->family));
	ASSERT_EQ(0, v1_dialect(self->slot[0].bdf, "v1"));
	ASSERT_EQ(0, vdev_open(&self->a, &self->slot[0], any_mode()));
	ASSERT_EQ(0, guest_share(&self->g, &self->a));
	ASSERT_EQ(0, v1_find(&self->ra, &self->a));
}

FIXTURE_TEARDOWN(v1)
{
	v1_unmap(&self->ra);
	v1_unmap(&self->rb);
	guest_free(&self->g);
	vdev_close(&self->a);
	vdev_close(&self->b);
	blob_free(&self->blob);
	if (!self->ready)
		return;
	model_cmd(&self->m, "fault clear");
	model_close(&self->m);
	for (unsigned int i = 0; i < 2; i++)
		EXPECT_EQ(0, v1_dialect(self->slot[i].bdf, "v2"));
}

static inline int v1_open_other(struct __test_metadata *_metadata, FIXTURE_DATA(v1) *self,
				const char *dialect)
{
	int err = v1_dialect(self->slot[1].bdf, dialect);

	err = err ? err : vdev_open(&self->b, &self->slot[1], any_mode());
	err = err ? err : guest_share(&self->g, &self->b);
	if (!err && !strcmp(dialect, "v1"))
		err = v1_find(&self->rb, &self->b);
	return err;
}

#define EXPECT_STATE(want) do {							\
	uint32_t _state = ~0U;							\
										\
	EXPECT_EQ(0, v1_get(&self->ra, &_state));				\
	EXPECT_EQ((uint32_t)(want), _state);					\
} while (0)

#endif /* SELFTEST_V1_TEST_H */
