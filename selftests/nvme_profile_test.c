// SPDX-License-Identifier: GPL-2.0
/*
 * A destination whose controller has another identity, in one thing: it is refused in pre-copy,
 * while the source runs, with a line in the kernel's log that names it.  Identities are given
 * through configfs (Documentation/ABI/configfs-vpv_nvme_ctrl).
 *
 * Groups: nvme-cf
 */
#include "lib/nvmepair.h"
#include "lib/states.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define TEXT	256

FIXTURE(nvme_profile)
{
	struct nvme_pair p;
	int log;
};

FIXTURE_SETUP(nvme_profile)
{
	int err = nvme_pair_open(&self->p, any_mode());

	if (err == -ENODEV)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, nvme_queue_create(&self->p.n, 1, 64, -1));
	self->log = log_mark();
	ASSERT_GE(self->log, 0);
}

FIXTURE_TEARDOWN(nvme_profile)
{
	close(self->log);
	nvme_pair_close(&self->p);
}

/* Give the second controller another value; @old is what it had. */
static int give(struct nvme_pair *p, const char *file, const char *text, char *old)
{
	const struct slot *fn = &p->slots[1];
	enum vdev_mode mode = p->v[1].mode;
	int err;

	vdev_close(&p->v[1]);
	err = vdev_unbind(fn->bdf);
	err = err ? err : nvme_profile_write(fn, "enable", "0");
	if (!err && old)
		err = nvme_profile_read(fn, file, old, TEXT);
	err = err ? err : nvme_profile_write(fn, file, text);
	err = err ? err : nvme_profile_write(fn, "enable", "1");
	err = err ? err : vdev_bind(fn->bdf, NVME_DRIVER);
	err = err ? err : vdev_open(&p->v[1], fn, mode);
	return err ? err : nvme_share(&p->n, &p->v[1]);
}

/* What the destination says of the pre-copy data of the source, which runs on. */
static int precopy(struct nvme_pair *p)
{
	struct blob b = {};
	int in = -1, out = -1, err = mig_set(&p->v[0], PRE_COPY, &out);

	if (err)
		return -EPROTO;
	if (blob_pull(&b, out, 0) != -ENOMSG || mig_set(&p->v[1], RESUMING, &in))
		err = -EPROTO;
	err = err ? err : blob_push(&b, in, 0, b.bytes, 0);
	close(in);
	close(out);
	blob_free(&b);
	if (mig_get(&p->v[0]) != PRE_COPY || mig_set(&p->v[0], RUNNING, NULL) ||
	    vdev_reset(&p->v[1]))
		err = -EPROTO;
	nvme_batch_put(&p->n, 1, NVS_IO_WRITE, 0, 8, 4);
	if (nvme_ring(&p->n, 1) || nvme_batch_take(&p->n, 1, 8))
		err = -EPROTO;
	return err;
}

static const struct {
	const char *file, *text, *says;
} others[] = {
	{ "subnqn", "nqn.2022-12.org.example:somebody-else", "subsystem NQN" },
	{ "serial", "OTHER", "serial number" },
	{ "model", "another disk", "model" },
	{ "firmware", "9.9", "firmware revision" },
	{ "cntlid", "77", "CNTLID" },
	{ "vid", "0x1af4", "VID" },
	{ "ssvid", "0x1af4", "SSVID" },
	{ "ieee", "0x123456", "OUI" },
	{ "mdts", "4", "MDTS" },
	{ "queues", "8", "pairs of I/O queues" },
	{ "entries", "512", "entries of a queue" },
	{ "features", "0x7e", "optional features" },
	{ "namespace1/eui64", "0102030405060708", "namespace 1: EUI64" },
	{ "namespace1/nguid", "0102030405060708090a0b0c0d0e0f10", "namespace 1: NGUID" },
	{ "namespace2/uuid", "01020304-0506-8708-890a-0b0c0d0e0f10", "namespace 2: UUID" },
	{ "namespace2/disk", "0", "namespace 2: NSID" },
};

TEST_F_TIMEOUT(nvme_profile, one_difference_is_refused_and_named, 300)
{
	EXPECT_EQ(0, precopy(&self->p));
	EXPECT_EQ(0, log_count(self->log, "refused: ", NULL, 0));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		char old[TEXT], line[512] = "";

		ASSERT_EQ(0, give(&self->p, others[i].file, others[i].text, old)) {
			TH_LOG("%s", others[i].file);
		}
		EXPECT_EQ(-EOPNOTSUPP, precopy(&self->p)) {
			TH_LOG("%s", others[i].file);
		}
		EXPECT_EQ(1, log_count(self->log, "refused: ", line, sizeof(line))) {
			TH_LOG("%s", others[i].file);
		}
		EXPECT_TRUE(strstr(line, others[i].says)) {
			TH_LOG("%s: %s", others[i].file, line);
		}
		ASSERT_EQ(0, give(&self->p, others[i].file, old, NULL)) {
			TH_LOG("%s", others[i].file);
		}
	}
	EXPECT_EQ(0, precopy(&self->p));
	EXPECT_EQ(0, log_count(self->log, "refused: ", NULL, 0));
}

/* An identity does not change under a user. */
TEST_F(nvme_profile, stays_while_somebody_has_the_controller)
{
	EXPECT_EQ(-EBUSY, nvme_profile_write(&self->p.slots[0], "serial", "OTHER"));
	EXPECT_EQ(-EBUSY, nvme_profile_write(&self->p.slots[0], "enable", "0"));
	nvme_batch_put(&self->p.n, 1, NVS_IO_WRITE, 0, 8, 4);
	ASSERT_EQ(0, nvme_ring(&self->p.n, 1));
	EXPECT_EQ(0, nvme_batch_take(&self->p.n, 1, 8));
}

TEST_HARNESS_MAIN
