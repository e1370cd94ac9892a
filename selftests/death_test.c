// SPDX-License-Identifier: GPL-2.0
/*
 * Death of the device in every state of a migration.  Each test needs a function
 * of its own, which is of no use afterwards.
 *
 * Groups: death
 */
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

/* Every request ends, with or without success. */
#define PROMPT_MS	20000
/* What needs an answer, and knows at once that there is none. */
#define AT_ONCE_MS	2000

FIXTURE(death)
{
	struct slot slot;
	struct vdev v;
	struct guest g;
	struct model m;
};

static const struct way states[] = {
	{ .name = "stop", .state = STOP },
	{ .name = "running", .state = RUNNING },
	{ .name = "stop_copy", .state = STOP_COPY },
	{ .name = "resuming", .state = RESUMING },
	{ .name = "running_p2p", .state = RUNNING_P2P },
	{ .name = "pre_copy", .state = PRE_COPY },
	{ .name = "pre_copy_p2p", .state = PRE_COPY_P2P },
};

VARIANTS_OF_FAMILIES(death, states);

FIXTURE_SETUP(death)
{
	const struct family *f = variant->family;
	struct slot slots[SLOT_MAX];
	char driver[64];

	self->v.fd = -1;
	NEED(family_has_state(f, variant->way->state), "has no such state");
	if (slot_take(f->name, &self->slot))
		SKIP(return, "needs one more function of model %s", f->name);
	/* The first test binds all, as long as all are there. */
	ASSERT_EQ(0, vdev_driver(self->slot.bdf, driver, sizeof(driver)));
	if (strcmp(driver, f->driver))
		ASSERT_LT(0, family_bind(f, slots, SLOT_MAX));
	ASSERT_EQ(0, model_open(&self->m, &self->slot));
	ASSERT_EQ(0, guest_init(&self->g, f));
	ASSERT_EQ(0, vdev_open(&self->v, &self->slot, any_mode()));
	ASSERT_EQ(0, guest_share(&self->g, &self->v));
	ASSERT_EQ(0, guest_boot(&self->g, &self->v));
}

FIXTURE_TEARDOWN(death)
{
	uint64_t start = now_ms();

	guest_free(&self->g);
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
	uint32_t word = 0;
	int fd = -1;

	ASSERT_EQ(0, guest_start(&self->g, 1));
	if (variant->way->state != RUNNING) {
		ASSERT_EQ(0, mig_set(&self->v, variant->way->state, &fd));
	}
	ASSERT_EQ(0, model_kill(&self->m));
	usleep(300000);

	start = now_ms();
	if (fd >= 0) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		for (unsigned int i = 0; i < 4; i++) {
			if (variant->way->state == RESUMING) {
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
	if (vdev_pread(&self->v, variant->family->bar, 0, &word, sizeof(word)) > 0)
		EXPECT_EQ(UINT32_MAX, word);
	if (fd >= 0)
		close(fd);

	start = now_ms();
	EXPECT_EQ(-ENODEV, vdev_reset(&self->v));
	EXPECT_GT((uint64_t)AT_ONCE_MS, now_ms() - start);
	guest_off(&self->g);
	start = now_ms();
	vdev_close(&self->v);
	EXPECT_EQ(-ENODEV, vdev_open(&self->v, &self->slot, any_mode()));
	EXPECT_GT(2ULL * AT_ONCE_MS, now_ms() - start);
}

TEST_HARNESS_MAIN
