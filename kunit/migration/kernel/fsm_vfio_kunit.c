// SPDX-License-Identifier: GPL-2.0
/* Our paths against those of vfio.ko, for every pair and every kind of device. */
#include <kunit/test.h>
#include <linux/vfio.h>

/* Pure and without exports: this suite has a copy of its own. */
#include "../../../migration/fsm.c"

static u8 caps_of(unsigned int flags)
{
	return (flags & VFIO_MIGRATION_P2P ? VMIG_CAP_P2P : 0) |
	       (flags & VFIO_MIGRATION_PRE_COPY ? VMIG_CAP_PRE_COPY : 0);
}

static void compare_pair(struct kunit *test, struct vfio_device *vdev,
			 enum vfio_device_mig_state from, enum vfio_device_mig_state to)
{
	u8 caps = caps_of(vdev->migration_flags);
	enum vfio_device_mig_state next = from;
	struct vmig_path path = {};
	unsigned int n = 0;
	u8 from_bits, to_bits;
	int ours, theirs;

	if (vmig_fsm_bits(from, caps, &from_bits))
		return;	/* vfio.ko warns when asked */
	ours = vmig_fsm_bits(to, caps, &to_bits) ?:
	       vmig_fsm_path(from_bits, to_bits, caps, &path);
	theirs = vfio_mig_get_next_state(vdev, from, to, &next);
	KUNIT_EXPECT_EQ_MSG(test, ours, theirs, "%d to %d caps %u", from, to, caps);

	while (!ours && !theirs && n < path.steps) {
		KUNIT_EXPECT_EQ_MSG(test, (int)vmig_fsm_v2(path.step[n]->to), (int)next,
				    "%d to %d caps %u step %u", from, to, caps, n);
		n++;
		theirs = vfio_mig_get_next_state(vdev, next, to, &next);
	}
	if (!ours)
		KUNIT_EXPECT_EQ_MSG(test, (int)next, (int)to, "%d to %d caps %u", from, to, caps);
}

static void paths_are_those_of_vfio(struct kunit *test)
{
	static const unsigned int kinds[] = {
		VFIO_MIGRATION_STOP_COPY,
		VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P,
		VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY,
		VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY,
	};
	struct vfio_device *vdev = kunit_kzalloc(test, sizeof(*vdev), GFP_KERNEL);
	unsigned int i, from, to;

	KUNIT_ASSERT_NOT_NULL(test, vdev);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		vdev->migration_flags = kinds[i];
		for (from = VFIO_DEVICE_STATE_STOP; from < VMIG_V2_STATES; from++)
			for (to = VFIO_DEVICE_STATE_STOP; to < VMIG_V2_STATES; to++)
				compare_pair(test, vdev, from, to);
	}
}

static struct kunit_case fsm_vfio_cases[] = {
	KUNIT_CASE(paths_are_those_of_vfio),
	{}
};

static struct kunit_suite fsm_vfio_suite = {
	.name = "migration_fsm_vfio",
	.test_cases = fsm_vfio_cases,
};

kunit_test_suite(fsm_vfio_suite);
