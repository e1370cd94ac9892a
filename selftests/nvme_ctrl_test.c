// SPDX-License-Identifier: GPL-2.0
/*
 * The character device of the managing controller of nvme_cf: the commands that it takes.
 *
 * Groups: nvme-ctrl
 */
#include <endian.h>

#include "lib/test.h"
#include "lib/migration.h"
#include "lib/nvmectrl_test.h"

#define FN_DRIVER	"vpv_nvme_cf"

TEST_F(nvme_ctrl, identify_is_what_the_device_says)
{
	const struct nvs_id_ctrl *id = (const struct nvs_id_ctrl *)ctrl_data;
	static uint8_t first[NVS_IDENTIFY_BYTES];
	struct nvme_passthru_cmd64 cmd = {
		.opcode = NVS_ADMIN_IDENTIFY, .cdw10 = NVS_CNS_CONTROLLER,
		.addr = (uintptr_t)ctrl_data, .data_len = NVS_IDENTIFY_BYTES, .result = ~0ULL,
	};

	EXPECT_EQ(0, ctrl_identify(self->fd));
	EXPECT_EQ(NVCF_VENDOR, le16toh(id->vid));
	EXPECT_EQ(NVS_TYPE_ADMIN, id->cntrltype);
	EXPECT_TRUE(le16toh(id->oacs) & NVS_OACS_HMLMS);
	memcpy(first, ctrl_data, sizeof(first));
	memset(ctrl_data, 0, sizeof(ctrl_data));
	EXPECT_EQ(0, ioctl(self->fd, NVME_IOCTL_ADMIN64_CMD, &cmd));
	EXPECT_EQ(0ULL, cmd.result);
	EXPECT_EQ(0, memcmp(ctrl_data, first, sizeof(first)));
}

TEST_F(nvme_ctrl, status_and_result_are_the_devices)
{
	struct nvme_passthru_cmd cmd = ctrl_command(NVS_ADMIN_IDENTIFY, 0xf7, 0,
						    NVS_IDENTIFY_BYTES);

	cmd.result = 7;
	EXPECT_EQ(NVS_SC_INVALID_FIELD | NVS_SC_DNR, ioctl(self->fd, NVME_IOCTL_ADMIN_CMD, &cmd));
	EXPECT_EQ(0U, cmd.result);
	/* Arbitration; then what was set is the result. */
	EXPECT_EQ(0, ctrl_simple(self->fd, NVS_ADMIN_SET_FEATURES, NVS_FEAT_ASYNC_EVENT, 2));
	cmd = ctrl_command(NVS_ADMIN_GET_FEATURES, NVS_FEAT_ASYNC_EVENT, 0, 0);
	EXPECT_EQ(0, ctrl_admin(self->fd, &cmd));
	EXPECT_EQ(2U, cmd.result);
	EXPECT_EQ(NVS_SC_INVALID_CNTLID, ctrl_suspend(self->fd, 99));
	EXPECT_EQ(NVS_SC_INVALID_CNTLID, ctrl_suspend(self->fd, NVCF_CNTLID_MANAGING));
}

TEST_F(nvme_ctrl, other_ioctls_are_not_there)
{
	static const unsigned long ioctls[] = {
		NVME_IOCTL_ID, NVME_IOCTL_SUBMIT_IO, NVME_IOCTL_IO_CMD, NVME_IOCTL_RESET,
		NVME_IOCTL_SUBSYS_RESET, NVME_IOCTL_RESCAN, NVME_IOCTL_IO64_CMD,
		NVME_IOCTL_IO64_CMD_VEC, 0, ~0UL,
	};

	for (unsigned int i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]); i++) {
		EXPECT_EQ(-1, ioctl(self->fd, ioctls[i], ctrl_data));
		EXPECT_EQ(ENOTTY, errno);
	}
}

TEST_F(nvme_ctrl, only_the_administrator_sends_commands)
{
	EXPECT_EQ(0, ctrl_identify(self->fd));
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_EQ(-EACCES, ctrl_identify(self->fd));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(0, ctrl_identify(self->fd));
}

/* Nothing of it reaches the device. */
TEST_F(nvme_ctrl, what_is_the_drivers_is_refused)
{
	static const struct {
		const char *name;
		int err;
		struct nvme_passthru_cmd cmd;
	} cases[] = {
		{ "delete_sq", EOPNOTSUPP, { .opcode = 0x00, .cdw10 = 1 } },
		{ "create_sq", EOPNOTSUPP, { .opcode = 0x01, .cdw10 = 1 } },
		{ "delete_cq", EOPNOTSUPP, { .opcode = 0x04, .cdw10 = 1 } },
		{ "create_cq", EOPNOTSUPP, { .opcode = 0x05, .cdw10 = 1 } },
		{ "abort", EOPNOTSUPP, { .opcode = 0x08 } },
		{ "async_event", EOPNOTSUPP, { .opcode = 0x0c } },
		{ "create_cdq", EOPNOTSUPP, { .opcode = 0x45, .data_len = 4096 } },
		{ "doorbell_buffer", EOPNOTSUPP, { .opcode = 0x7c } },
		{ "set_queues", EOPNOTSUPP, { .opcode = 0x09, .cdw10 = 7 } },
		{ "set_hmb", EOPNOTSUPP, { .opcode = 0x09, .cdw10 = 0xd } },
		{ "set_cdq", EOPNOTSUPP, { .opcode = 0x09, .cdw10 = 0x21 } },
		{ "track_user_data", EOPNOTSUPP, { .opcode = 0x3d } },
		{ "flags", EINVAL, { .opcode = 0x06, .flags = 0x40, .data_len = 4096 } },
		{ "metadata", EINVAL, { .opcode = 0x06, .metadata = 4096, .data_len = 4096 } },
		{ "metadata_len", EINVAL, { .opcode = 0x06, .metadata_len = 1, .data_len = 4096 } },
		{ "short", EINVAL, { .opcode = 0x06, .cdw10 = 1, .data_len = 4095 } },
		{ "nothing", EINVAL, { .opcode = 0x06, .cdw10 = 1 } },
		{ "long", EMSGSIZE, { .opcode = 0x06, .cdw10 = 1, .data_len = 65537 } },
		{ "longest", EMSGSIZE, { .opcode = 0x06, .cdw10 = 1, .data_len = ~0U } },
		{ "log", EINVAL, { .opcode = 0x02, .cdw10 = 128 << 16 | 2, .data_len = 512 } },
		{ "log_wraps", EMSGSIZE, { .opcode = 0x02, .cdw10 = 0xffffU << 16 | 2,
					   .cdw11 = 0xffff, .data_len = 4096 } },
		{ "get_state", EINVAL, { .opcode = 0x42, .cdw11 = 2, .cdw15 = 1024,
					 .data_len = 4096 } },
		{ "set_state", EINVAL, { .opcode = 0x41, .cdw10 = 3 << 16 | 2, .cdw11 = 2,
					 .cdw15 = 1025, .data_len = 4096 } },
		/* Its data says how many ranges there are: 2^32 - 1. */
		{ "track", EMSGSIZE, { .opcode = 0x3d, .cdw10 = 1 << 16 | 1, .cdw11 = 2,
				       .data_len = 32 } },
		{ "track_empty", EINVAL, { .opcode = 0x3d, .cdw10 = 1 << 16 | 1, .cdw11 = 2 } },
		{ "track_receive", EINVAL, { .opcode = 0x3e, .cdw11 = 2, .cdw12 = 1024,
					     .data_len = 4096 } },
		{ "profile", EINVAL, { .opcode = 0xc1, .cdw11 = 2, .data_len = 4092 } },
	};
	uint64_t before, after;

	memset(ctrl_data, 0xff, sizeof(ctrl_data));
	ASSERT_EQ(0, model_value(&self->m, "stats", "commands_completed", &before));
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nvme_passthru_cmd cmd = cases[i].cmd;

		cmd.addr = (uintptr_t)ctrl_data;
		EXPECT_EQ(-cases[i].err, ctrl_admin(self->fd, &cmd)) {
			TH_LOG("%s", cases[i].name);
		}
	}
	ASSERT_EQ(0, model_value(&self->m, "stats", "commands_completed", &after));
	EXPECT_EQ(before, after);
}

TEST_F(nvme_ctrl, memory_that_is_not_there_is_found)
{
	struct nvme_passthru_cmd cmd = ctrl_command(NVS_ADMIN_IDENTIFY, NVS_CNS_CONTROLLER, 0,
						    NVS_IDENTIFY_BYTES);

	cmd.addr = 8;
	EXPECT_EQ(-EFAULT, ctrl_admin(self->fd, &cmd));
	cmd = ctrl_command(NVCF_ADMIN_PROFILE_SEND, 0, FIRST, NVS_IDENTIFY_BYTES);
	cmd.addr = 8;
	EXPECT_EQ(-EFAULT, ctrl_admin(self->fd, &cmd));
	EXPECT_EQ(-1, ioctl(self->fd, NVME_IOCTL_ADMIN_CMD, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->fd, NVME_IOCTL_ADMIN64_CMD, 8));
	EXPECT_EQ(EFAULT, errno);
}

/* ---- By hand ---- */

/* CSVI and CSUUIDI are 1; returns bytes, or -1. */
static int state_get(int fd, uint16_t cntlid)
{
	struct nvme_passthru_cmd cmd = ctrl_command(NVS_ADMIN_MIGRATION_RECEIVE, 1 << 16,
						    1 << 16 | cntlid, NVS_IDENTIFY_BYTES);
	const struct nvs_state_header *h = (const struct nvs_state_header *)ctrl_data;

	cmd.cdw15 = cmd.data_len / 4 - 1;
	if (ctrl_admin(fd, &cmd) || !(cmd.result & NVS_CSUP))
		return -1;
	return sizeof(*h) + 4 * (le64toh(h->nvmecss[0]) + le64toh(h->vss[0]));
}

static int state_set(int fd, uint16_t cntlid, uint32_t seq, uint32_t from, uint32_t bytes)
{
	struct nvme_passthru_cmd cmd = ctrl_command(NVS_ADMIN_MIGRATION_SEND,
						    seq << 16 | NVS_SEND_SET_STATE,
					       1U << 24 | 1 << 16 | cntlid, bytes);

	cmd.addr += from;
	cmd.cdw12 = from;
	cmd.cdw15 = bytes / 4;
	return ctrl_admin(fd, &cmd);
}

TEST_F(nvme_ctrl, state_is_got_and_set_by_hand)
{
	int bytes;

	EXPECT_EQ(NVS_SC_NOT_SUSPENDED, ctrl_resume(self->fd, FIRST));
	ASSERT_EQ(0, ctrl_suspend(self->fd, FIRST));
	EXPECT_EQ(0, ctrl_suspend(self->fd, FIRST));
	bytes = state_get(self->fd, FIRST);
	ASSERT_LE((int)(sizeof(struct nvs_state_header) + sizeof(struct nvcf_state)), bytes);
	EXPECT_EQ(0, state_set(self->fd, FIRST, NVS_SEQ_ONLY, 0, bytes));
	/* In pieces, with one in between that the device refuses. */
	EXPECT_EQ(0, state_set(self->fd, FIRST, NVS_SEQ_FIRST, 0, 64));
	EXPECT_EQ(NVS_SC_COMMAND_SEQUENCE, ctrl_resume(self->fd, FIRST));
	EXPECT_EQ(NVS_SC_INVALID_FIELD, state_set(self->fd, FIRST, NVS_SEQ_MIDDLE, 128, 64));
	EXPECT_EQ(NVS_SC_COMMAND_SEQUENCE,
		  state_set(self->fd, FIRST, NVS_SEQ_LAST, 64, bytes - 64));
	EXPECT_EQ(0, state_set(self->fd, FIRST, NVS_SEQ_FIRST, 0, 64));
	EXPECT_EQ(0, state_set(self->fd, FIRST, NVS_SEQ_LAST, 64, bytes - 64));
	EXPECT_EQ(0, ctrl_resume(self->fd, FIRST));
}

TEST_F(nvme_ctrl, memory_is_tracked_by_hand)
{
	struct nvs_track_request *req = (struct nvs_track_request *)ctrl_data;
	struct nvs_track_range *range = (struct nvs_track_range *)(req + 1);
	const struct nvs_track_report *report = (const struct nvs_track_report *)ctrl_data;
	struct nvme_passthru_cmd cmd = ctrl_command(NVS_ADMIN_TRACK_SEND,
						    1 << 16 | NVS_TRACK_MEMORY, FIRST,
						    sizeof(*req) + sizeof(*range));

	memset(ctrl_data, 0, sizeof(ctrl_data));
	req->count = htole32(1);
	range->addr = htole64(1 << 20);
	range->length = htole32(16);
	EXPECT_EQ(0, ctrl_admin(self->fd, &cmd));
	cmd = ctrl_command(NVS_ADMIN_TRACK_RECEIVE, 0, FIRST, NVS_IDENTIFY_BYTES);
	cmd.cdw12 = NVS_IDENTIFY_BYTES / 4 - 1;
	EXPECT_EQ(0, ctrl_admin(self->fd, &cmd));
	EXPECT_EQ(FIRST, le16toh(report->cntlid));
	EXPECT_EQ(0U, le32toh(report->count));
	memset(ctrl_data, 0, sizeof(ctrl_data));
	cmd = ctrl_command(NVS_ADMIN_TRACK_SEND, NVS_TRACK_MEMORY, FIRST, sizeof(*req));
	EXPECT_EQ(0, ctrl_admin(self->fd, &cmd));
}

/* A user of the VFIO driver keeps the controller to itself. */
TEST_F(nvme_ctrl, a_controller_in_use_is_busy)
{
	static const struct {
		uint8_t opcode;
		uint32_t cdw10;
		uint32_t cdw11;
	} cases[] = {
		{ NVS_ADMIN_MIGRATION_SEND, NVS_SEND_SUSPEND, NVS_SUSPEND << 16 | FIRST },
		{ NVS_ADMIN_MIGRATION_SEND, NVS_SEND_SUSPEND, FIRST },
		{ NVS_ADMIN_MIGRATION_SEND, NVS_SEND_RESUME, FIRST },
		{ NVS_ADMIN_MIGRATION_SEND, NVS_SEQ_LAST << 16 | NVS_SEND_SET_STATE, FIRST },
		{ NVS_ADMIN_MIGRATION_RECEIVE, 1 << 16, FIRST },
		{ NVS_ADMIN_TRACK_SEND, NVS_TRACK_MEMORY, FIRST },
		{ NVS_ADMIN_TRACK_RECEIVE, 0, FIRST },
		{ NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_REMOVE, FIRST },
	};
	struct nvme_passthru_cmd cmd;
	struct vdev v;

	if (access("/sys/bus/pci/drivers/" FN_DRIVER, F_OK))
		SKIP(return, "no driver " FN_DRIVER);
	ASSERT_EQ(0, vdev_bind(self->fn[0].bdf, FN_DRIVER));
	EXPECT_EQ(-EBUSY, ctrl_config_write(&self->ctrl[0], FIRST, "enable", "0"));
	ASSERT_EQ(0, vdev_open(&v, &self->fn[0], VDEV_GROUP));
	memset(ctrl_data, 0, sizeof(ctrl_data));
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cmd = ctrl_command(cases[i].opcode, cases[i].cdw10, cases[i].cdw11, 4096);
		EXPECT_EQ(-EBUSY, ctrl_admin(self->fd, &cmd)) {
			TH_LOG("opcode %#x, %#x", cases[i].opcode, cases[i].cdw10);
		}
	}
	cmd = ctrl_command(NVCF_ADMIN_PROFILE_RECEIVE, 0, FIRST, 4096);
	EXPECT_EQ(0, ctrl_admin(self->fd, &cmd));
	/* Others are nobody's. */
	EXPECT_EQ(0, ctrl_suspend(self->fd, FIRST + 1));
	EXPECT_EQ(0, ctrl_resume(self->fd, FIRST + 1));
	vdev_close(&v);
	EXPECT_EQ(0, ctrl_suspend(self->fd, FIRST));
	EXPECT_EQ(0, ctrl_resume(self->fd, FIRST));
}

/* The driver's first command comes after one that was sent before the function was opened. */
TEST_F(nvme_ctrl, a_command_in_work_is_waited_for)
{
	uint64_t begin;
	struct vdev v;
	pid_t pid;
	int status;

	if (access("/sys/bus/pci/drivers/" FN_DRIVER, F_OK))
		SKIP(return, "no driver " FN_DRIVER);
	ASSERT_EQ(0, sysfs_write(CTRL_TIMEOUT, "10000"));
	ASSERT_EQ(0, vdev_bind(self->fn[0].bdf, FN_DRIVER));
	ASSERT_EQ(0, model_cmd(&self->m, "fault resume delay=4000 count=1"));
	begin = now_ms();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(ctrl_resume(self->fd, FIRST) == NVS_SC_NOT_SUSPENDED ? 0 : 1);
	usleep(500000);
	ASSERT_EQ(0, vdev_open(&v, &self->fn[0], VDEV_GROUP));
	EXPECT_EQ(0, mig_set(&v, VFIO_DEVICE_STATE_STOP, NULL));
	EXPECT_LE(begin + 3500, now_ms());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, mig_set(&v, VFIO_DEVICE_STATE_RUNNING, NULL));
	vdev_close(&v);
}

TEST_HARNESS_MAIN
