// SPDX-License-Identifier: GPL-2.0
/*
 * A destination whose controller has another identity, in one thing: it is refused in pre-copy,
 * while the source runs, with a line in the kernel's log that names it.  Identities are given
 * through configfs (Documentation/ABI/configfs-vpv_nvme_ctrl).
 *
 * Groups: nvme-cf
 */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <unistd.h>

#include <hw/nvme_cf.h>

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

	if (err == TOO_FEW)
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

/* A file of a profile, and what is in it. */
struct value {
	const char *file;
	char text[TEXT];
};

/* Give the second controller other values. */
static int give(struct nvme_pair *p, const struct value *values, size_t num)
{
	const struct slot *fn = &p->slots[1];
	enum vdev_mode mode = p->v[1].mode;
	int err;

	vdev_close(&p->v[1]);
	err = vdev_unbind(fn->bdf);
	err = err ? err : nvme_profile_write(fn, "enable", "0");
	for (size_t i = 0; i < num && !err; i++)
		err = nvme_profile_write(fn, values[i].file, values[i].text);
	err = err ? err : nvme_profile_write(fn, "enable", "1");
	err = err ? err : vdev_bind(fn->bdf, NVME_DRIVER);
	err = err ? err : vdev_open(&p->v[1], fn, mode);
	return err ? err : nvme_share(&p->n, &p->v[1]);
}

static int remember(struct nvme_pair *p, struct value *values, size_t num)
{
	int err = 0;

	for (size_t i = 0; i < num && !err; i++)
		err = nvme_profile_read(&p->slots[1], values[i].file, values[i].text, TEXT);
	return err;
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
};

/* The destination refuses, with one line that has @says. */
static void expect_refusal(struct __test_metadata *_metadata, struct nvme_pair *p, int log,
			   const char *says)
{
	char line[512] = "";

	EXPECT_EQ(-EOPNOTSUPP, precopy(p)) {
		TH_LOG("%s", says);
	}
	EXPECT_EQ(1, log_count(log, "refused: ", line, sizeof(line))) {
		TH_LOG("%s", says);
	}
	EXPECT_TRUE(strstr(line, says)) {
		TH_LOG("%s: %s", says, line);
	}
}

static void expect_success(struct __test_metadata *_metadata, struct nvme_pair *p, int log)
{
	EXPECT_EQ(0, precopy(p));
	EXPECT_EQ(0, log_count(log, "refused: ", NULL, 0));
}

/* What there was before is put back together with the next difference: binding takes long. */
TEST_F_TIMEOUT(nvme_profile, one_difference_is_refused_and_named, 600)
{
	struct value values[2];
	size_t undo = 0;

	expect_success(_metadata, &self->p, self->log);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct value old = { .file = others[i].file };

		ASSERT_EQ(0, remember(&self->p, &old, 1)) {
			TH_LOG("%s", old.file);
		}
		values[undo].file = old.file;
		snprintf(values[undo].text, TEXT, "%s", others[i].text);
		ASSERT_EQ(0, give(&self->p, values, undo + 1)) {
			TH_LOG("%s", old.file);
		}
		expect_refusal(_metadata, &self->p, self->log, others[i].says);
		values[0] = old;
		undo = 1;
	}
	ASSERT_EQ(0, give(&self->p, values, undo));
	expect_success(_metadata, &self->p, self->log);
}

/* Without its disk a namespace loses its identity, too. */
TEST_F_TIMEOUT(nvme_profile, a_namespace_less_is_refused_and_named, 120)
{
	struct value none = { "namespace2/disk", "0" }, old[] = {
		{ .file = "namespace2/disk" },
		{ .file = "namespace2/eui64" },
		{ .file = "namespace2/nguid" },
		{ .file = "namespace2/uuid" },
	};

	ASSERT_EQ(0, remember(&self->p, old, ARRAY_SIZE(old)));
	ASSERT_EQ(0, give(&self->p, &none, 1));
	expect_refusal(_metadata, &self->p, self->log, "namespace 2: NSID");
	ASSERT_EQ(0, give(&self->p, old, ARRAY_SIZE(old)));
	expect_success(_metadata, &self->p, self->log);
}

/* Which subsystem it is stands in config space, for drivers of the host. */
TEST_F(nvme_profile, the_subsystem_of_the_host_is_not_seen)
{
	struct vdev *v = &self->p.v[0];
	int fd = vdev_sysfs_open(self->p.slots[0].bdf, "config", O_RDONLY);
	uint8_t config[256], at;

	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(config), pread(fd, config, sizeof(config), 0));
	close(fd);
	for (at = config[PCI_CAPABILITY_LIST]; at && config[at] != NVCF_CAP_ID; at = config[at + 1])
		;
	ASSERT_NE(0, at);
	ASSERT_EQ(NVCF_CAP_TYPE_VALUE, config[at + NVCF_CAP_TYPE]);
	EXPECT_EQ(0U, vdev_find_cap(v, NVCF_CAP_ID));
	for (unsigned int i = 0; i < NVCF_CAP_BYTES; i += 4)
		EXPECT_EQ(0U, vdev_cfg(v, at + i, 4));
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
