// SPDX-License-Identifier: GPL-2.0
/*
 * Death of the device in every state of a migration.  Each test needs a function
 * of its own, which is of no use afterwards.
 */
#include "lib/states.h"
#include "lib/test.h"

/* Every request ends, with or without success. */
#define PROMPT_MS	20000
/* What needs an answer, and knows at once that there is none. */
#define AT_ONCE_MS	2000

FIXTURE(death)
{
	struct slot slot;
	struct vdev v;
	struct hisil h;
	struct model m;
	enum vdev_mode mode;
};

FIXTURE_VARIANT(death)
{
	unsigned int state;
};

FIXTURE_VARIANT_ADD(death, stop) { .state = VFIO_DEVICE_STATE_STOP };
FIXTURE_VARIANT_ADD(death, running) { .state = VFIO_DEVICE_STATE_RUNNING };
FIXTURE_VARIANT_ADD(death, stop_copy) { .state = VFIO_DEVICE_STATE_STOP_COPY };
FIXTURE_VARIANT_ADD(death, resuming) { .state = VFIO_DEVICE_STATE_RESUMING };
FIXTURE_VARIANT_ADD(death, running_p2p) { .state = VFIO_DEVICE_STATE_RUNNING_P2P };
FIXTURE_VARIANT_ADD(death, pre_copy) { .state = VFIO_DEVICE_STATE_PRE_COPY };
FIXTURE_VARIANT_ADD(death, pre_copy_p2p) { .state = VFIO_DEVICE_STATE_PRE_COPY_P2P };

FIXTURE_SETUP(death)
{
	self->mode = access("/dev/iommu", R_OK) ? VDEV_GROUP : VDEV_CDEV;
	self->v.fd = -1;
	if (slot_take_spare(MODEL, &self->slot))
		SKIP(return, "needs one more function of model %s in /vpv/spares", MODEL);
	ASSERT_EQ(0, vdev_bind(self->slot.bdf, DRIVER));
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, hisil_init(&self->h));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, self->mode));
	ASSERT_EQ(0, hisil_share(&self->h, &self->v));
	ASSERT_EQ(0, hisil_attach(&self->h, &self->v));
	ASSERT_EQ(0, hisil_enable(&self->h));
	ASSERT_EQ(0, hisil_queue_start(&self->h, 0, 16, false));
}

FIXTURE_TEARDOWN(death)
{
	uint64_t start = now_ms();

	hisil_free(&self->h);
	vdev_close(&self->v);
	EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - start) {
		TH_LOG("close took %llu ms", (unsigned long long)(now_ms() - start));
	}
	model_close(&self->m);
}

TEST_F_TIMEOUT(death, of_the_device, 120)
{
	uint64_t start;
	uint8_t buf[512] = {};
	int fd = -1;

	hisil_batch_put(&self->h, 0, 4, 1);
	hisil_ring(&self->h, 0);
	if (variant->state != RUNNING) {
		ASSERT_EQ(0, mig_set(&self->v, variant->state, &fd));
	}
	ASSERT_EQ(0, model_kill(&self->m));
	usleep(300000);

	start = now_ms();
	if (fd >= 0) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		for (unsigned int i = 0; i < 4; i++) {
			if (variant->state == RESUMING) {
				EXPECT_NE(0, write(fd, buf, sizeof(buf)));
			} else {
				EXPECT_GE((ssize_t)sizeof(buf), read(fd, buf, sizeof(buf)));
			}
		}
	}
	for (unsigned int to = 0; to < MIG_STATES; to++) {
		int other = -1;

		mig_set(&self->v, to, &other);
		if (other >= 0)
			close(other);
	}
	EXPECT_GT((uint64_t)PROMPT_MS, now_ms() - start);
	EXPECT_EQ(UINT32_MAX, hisil_read(&self->h, HISIL_ID));
	if (fd >= 0)
		close(fd);

	start = now_ms();
	EXPECT_EQ(-ENODEV, vdev_reset(&self->v));
	EXPECT_GT((uint64_t)AT_ONCE_MS, now_ms() - start);
	hisil_detach(&self->h);
	start = now_ms();
	vdev_close(&self->v);
	EXPECT_EQ(-ENODEV, vdev_open(&self->v, &self->slot, self->mode));
	EXPECT_GT(2ULL * AT_ONCE_MS, now_ms() - start);
}

TEST_HARNESS_MAIN
