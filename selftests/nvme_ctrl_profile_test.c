// SPDX-License-Identifier: GPL-2.0
/*
 * Profiles of the controllers of nvme_cf, by configfs and by commands.
 *
 * Groups: nvme-ctrl
 */
#include <endian.h>

#include "lib/test.h"
#include "lib/nvmectrl_test.h"
#include "lib/nvmefn.h"

TEST_F(nvme_ctrl, a_profile_of_the_device_is_shown)
{
	const struct slot *ctrl = &self->ctrl[0];

	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "enable", "1"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "address", self->fn[0].bdf));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "cntlid", "2"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "serial", "VPV00000000000000070"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "model", "nvme_cf"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "vid", "0x1234"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "features", "0x7f"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "subnqn", "nqn.2022-12.org.example:nvme_cf:7.0"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "namespace1/disk", "1"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "namespace1/eui64", "5254000000000701"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "namespace2/disk", "0"));
	EXPECT_EQ(-EBUSY, ctrl_config_write(ctrl, FIRST, "serial", "other"));
	EXPECT_EQ(-EBUSY, ctrl_config_write(ctrl, FIRST, "namespace1/disk", "2"));
}

TEST_F(nvme_ctrl, values_that_cannot_be_are_refused)
{
	static const struct {
		const char *file, *text;
		int err;
	} cases[] = {
		{ "cntlid", "65536", -ERANGE },		{ "cntlid", "-1", -EINVAL },
		{ "cntlid", "x", -EINVAL },		{ "cntlid", "4294967296", -ERANGE },
		{ "mdts", "256", -ERANGE },		{ "ieee", "0x1000000", -ERANGE },
		{ "serial", "123456789012345678901", -EINVAL },
		{ "serial", "tab\there", -EINVAL },	{ "model", "\xc3\xa4", -EINVAL },
		{ "firmware", "123456789", -EINVAL },	{ "enable", "x", -EINVAL },
		{ "namespace1/eui64", "52540000000007", -EINVAL },
		{ "namespace1/eui64", "525400000000070102", -EINVAL },
		{ "namespace1/eui64", "52540000000007zz", -EINVAL },
		{ "namespace1/eui64", "52::4000000007001", -EINVAL },
		{ "namespace1/uuid", "11111111-2222-3333-4444-55555555555", -EINVAL },
		{ "namespace1/disk", "4294967296", -ERANGE },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(cases[i].err,
			  ctrl_config_write(&self->ctrl[1], FIRST, cases[i].file, cases[i].text)) {
			TH_LOG("%s: '%s'", cases[i].file, cases[i].text);
		}
	}
}

/* As many as there are, one after the other; NULL ends them. */
static const char *const profile[][2] = {
	{ "subnqn", "nqn.2022-12.org.example:test" }, { "serial", "S1" }, { "model", "a disk" },
	{ "firmware", "2" }, { "vid", "0x1b36" }, { "ssvid", "0x1af4" }, { "ieee", "0x525400" },
	{ "cntlid", "7" }, { "mdts", "3" }, { "queues", "2" }, { "entries", "64" },
	{ "features", "0x3" }, { "namespace2/disk", "1" },
	{ "namespace2/eui64", "52:54:00:00:00:00:00:02" },
	{ "namespace2/nguid", "000102030405060708090a0b0c0d0e0f" },
	{ "namespace2/uuid", "00112233-4455-6677-8899-aabbccddeeff" }, { NULL, NULL },
};

TEST_F(nvme_ctrl, a_profile_is_given_and_taken_away)
{
	const struct nvcf_profile *p = (const struct nvcf_profile *)ctrl_data;
	const struct slot *ctrl = &self->ctrl[1];
	struct nvme_passthru_cmd cmd;
	int fd = ctrl_node_open(ctrl->bdf);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "enable", "0"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "address", self->fn[FNS].bdf));
	/* There is no name yet. */
	EXPECT_EQ(-EINVAL, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	for (int i = 0; profile[i][0]; i++) {
		EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, profile[i][0], profile[i][1])) {
			TH_LOG("%s", profile[i][0]);
		}
	}
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "namespace2/disk", "4"));
	EXPECT_EQ(-EINVAL, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "namespace2/disk", "1"));
	EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_TRUE(ctrl_published(self->log, 1));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_EQ(-EBUSY, ctrl_config_write(ctrl, FIRST, "serial", "S2"));

	cmd = ctrl_command(NVCF_ADMIN_PROFILE_RECEIVE, 0, FIRST, NVS_IDENTIFY_BYTES);
	EXPECT_EQ(0, ctrl_admin(fd, &cmd));
	EXPECT_EQ(NVCF_PROFILE_GIVEN, cmd.result);
	EXPECT_EQ(0, memcmp(p->sn, "S1                  ", sizeof(p->sn)));
	EXPECT_STREQ("nqn.2022-12.org.example:test", (const char *)p->subnqn);
	EXPECT_EQ(7, le16toh(p->cntlid));
	EXPECT_EQ(2U, le32toh(p->ns[0].nsid));
	EXPECT_EQ(2, p->ns[0].eui64[7]);
	EXPECT_EQ(0x0f, p->ns[0].nguid[15]);
	EXPECT_EQ(0xff, p->ns[0].uuid[15]);
	EXPECT_EQ(0U, le32toh(p->ns[1].nsid));

	/* The same again, after the driver has learned it from the device. */
	close(fd);
	ASSERT_EQ(0, vdev_unbind(ctrl->bdf));
	ASSERT_EQ(0, ctrl_bind(ctrl->bdf));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "namespace1/disk", "0"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "namespace2/disk", "1"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "namespace2/uuid", profile[15][1]));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "model", "a disk"));

	ASSERT_EQ(0, vdev_bind(self->fn[FNS].bdf, "vpv_pci"));
	EXPECT_EQ(-EBUSY, ctrl_config_write(ctrl, FIRST, "enable", "0"));
	ASSERT_EQ(0, vdev_unbind(self->fn[FNS].bdf));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "0"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "enable", "0"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "0"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "subnqn", "\n"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "namespace2/disk", "0"));
}

/* Firmware of the host looks for disks at boot, and leaves controllers as they are then. */
TEST_F(nvme_ctrl, a_controller_that_was_left_enabled_takes_a_profile)
{
	const struct slot *ctrl = &self->ctrl[1];

	ASSERT_EQ(0, ctrl_leave_enabled(self->fn[FNS].bdf));
	ASSERT_EQ(0, ctrl_config_write(ctrl, FIRST, "subnqn", "nqn.2022-12.org.example:left"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "enable", "1"));
	/* A driver may have taken it. */
	ASSERT_EQ(0, vdev_unbind(self->fn[FNS].bdf));
	ASSERT_EQ(0, ctrl_leave_enabled(self->fn[FNS].bdf));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "0"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "enable", "0"));

	/* One that a driver has is its own. */
	ASSERT_EQ(0, ctrl_leave_enabled(self->fn[FNS].bdf));
	ASSERT_EQ(0, vdev_bind(self->fn[FNS].bdf, "vpv_pci"));
	EXPECT_EQ(-EBUSY, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	ASSERT_EQ(0, vdev_unbind(self->fn[FNS].bdf));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "subnqn", "\n"));
}

/* Each step can be tried again. */
TEST_F(nvme_ctrl, profiles_survive_commands_that_fail)
{
	const struct slot *ctrl = &self->ctrl[0];

	ASSERT_EQ(0, model_cmd(&self->m, "fault profile_send fail count=1"));
	EXPECT_EQ(-EREMOTEIO, ctrl_config_write(ctrl, FIRST + 1, "enable", "0"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST + 1, "enable", "1"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault profile_send hang count=1"));
	EXPECT_EQ(-ETIMEDOUT, ctrl_config_write(ctrl, FIRST + 1, "enable", "0"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST + 1, "enable", "0"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST + 1, "enable", "0"));
	/* Anew, after each that failed: it had its profile still. */
	EXPECT_TRUE(ctrl_published(self->log, 2));
	ASSERT_EQ(0, model_cmd(&self->m, "fault data_in fail count=1"));
	EXPECT_EQ(-EREMOTEIO, ctrl_config_write(ctrl, FIRST + 1, "enable", "1"));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST + 1, "enable", "0"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST + 1, "enable", "1"));
	EXPECT_TRUE(ctrl_published(self->log, 1));

	/* One that could not be read is read when somebody asks for it. */
	ASSERT_EQ(0, vdev_unbind(ctrl->bdf));
	ASSERT_EQ(0, model_cmd(&self->m, "fault profile_receive fail"));
	ASSERT_EQ(0, ctrl_bind(ctrl->bdf));
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST, "enable", "0"));
	EXPECT_EQ(-EREMOTEIO, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST + 1, "enable", "1"));
	EXPECT_TRUE(ctrl_published(self->log, 2));
}

/* A user who does the same by commands. */
TEST_F(nvme_ctrl, a_profile_that_a_user_gives_is_seen)
{
	const struct slot *ctrl = &self->ctrl[0];
	uint64_t end = now_ms() + CTRL_PROMPT_MS;
	struct nvme_passthru_cmd cmd;
	static uint8_t old[NVS_IDENTIFY_BYTES];

	cmd = ctrl_command(NVCF_ADMIN_PROFILE_RECEIVE, 0, FIRST + 1, NVS_IDENTIFY_BYTES);
	ASSERT_EQ(0, ctrl_admin(self->fd, &cmd));
	memcpy(old, ctrl_data, sizeof(old));
	EXPECT_EQ(0, ctrl_simple(self->fd, NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_REMOVE,
				 FIRST + 1));
	while (!ctrl_config_is(ctrl, FIRST + 1, "enable", "0") && now_ms() < end)
		usleep(20000);
	EXPECT_TRUE(ctrl_config_is(ctrl, FIRST + 1, "enable", "0"));
	memcpy(ctrl_data, old, sizeof(old));
	cmd = ctrl_command(NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_GIVE, FIRST + 1,
			   NVS_IDENTIFY_BYTES);
	EXPECT_EQ(0, ctrl_admin(self->fd, &cmd));
	while (!ctrl_config_is(ctrl, FIRST + 1, "enable", "1") && now_ms() < end)
		usleep(20000);
	EXPECT_TRUE(ctrl_published(self->log, 1));
}

/* It is offered to VFIO by nobody's doing but that of who gives it a profile. */
TEST_F(nvme_ctrl, a_function_waits_for_its_profile)
{
	const struct slot *ctrl = &self->ctrl[1];
	const char *bdf = self->fn[FNS].bdf;
	char now[64];

	EXPECT_NE(0, vdev_bind(bdf, NVME_DRIVER));
	ASSERT_EQ(0, vdev_driver(bdf, now, sizeof(now)));
	EXPECT_STREQ("", now);
	ASSERT_EQ(0, ctrl_config_write(ctrl, FIRST, "subnqn", "nqn.2022-12.org.example:waits"));
	ASSERT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "1"));
	ASSERT_EQ(0, vdev_driver(bdf, now, sizeof(now)));
	EXPECT_STREQ(NVME_DRIVER, now);
	EXPECT_EQ(-EBUSY, ctrl_config_write(ctrl, FIRST, "enable", "0"));
	ASSERT_EQ(0, vdev_unbind(bdf));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "enable", "0"));
	EXPECT_EQ(0, ctrl_config_write(ctrl, FIRST, "subnqn", "\n"));
	EXPECT_NE(0, vdev_bind(bdf, NVME_DRIVER));
	ASSERT_EQ(0, vdev_driver(bdf, now, sizeof(now)));
	EXPECT_STREQ("", now);
	EXPECT_EQ(0, vdev_override(bdf, "\n"));
}

TEST_HARNESS_MAIN
