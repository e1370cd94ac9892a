// SPDX-License-Identifier: GPL-2.0
/*
 * The managing controller of nvme_cf: its character device, profiles by configfs, and what
 * happens when the device fails, hangs or goes away.  Two subsystems: the controllers of
 * the first one have a profile, those of the second one have none.
 *
 * Groups: nvme-ctrl
 */
#include <dirent.h>
#include <endian.h>
#include <sys/mount.h>

#include <linux/nvme_ioctl.h>

#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

#include "lib/race.h"
#include "lib/test.h"

#define CTRL_DRIVER	"vpv_nvme_ctrl"
#define FN_DRIVER	"vpv_nvme_cf"
#define CONFIGFS	"/sys/kernel/config"
#define TIMEOUT_FILE	"/sys/module/" CTRL_DRIVER "/parameters/timeout_ms"
#define PROMPT_MS	20000
#define FNS		2
#define FIRST		NVCF_CNTLID_FIRST

static uint8_t data[NVS_IDENTIFY_BYTES * 32];

/* ---- Commands ---- */

static struct nvme_passthru_cmd command(uint8_t opcode, uint32_t cdw10, uint32_t cdw11,
					uint32_t bytes)
{
	return (struct nvme_passthru_cmd){
		.opcode = opcode, .cdw10 = cdw10, .cdw11 = cdw11,
		.addr = bytes ? (uintptr_t)data : 0, .data_len = bytes,
	};
}

/* The NVMe status without Do Not Retry, or a negative errno. */
static int admin(int fd, struct nvme_passthru_cmd *cmd)
{
	int ret = ioctl(fd, NVME_IOCTL_ADMIN_CMD, cmd);

	return ret < 0 ? -errno : (int)(ret & NVS_SC_MASK);
}

static int simple(int fd, uint8_t opcode, uint32_t cdw10, uint32_t cdw11)
{
	struct nvme_passthru_cmd cmd = command(opcode, cdw10, cdw11, 0);

	return admin(fd, &cmd);
}

static int identify(int fd)
{
	struct nvme_passthru_cmd cmd = command(NVS_ADMIN_IDENTIFY, NVS_CNS_CONTROLLER, 0,
					       NVS_IDENTIFY_BYTES);

	return admin(fd, &cmd);
}

static int suspend(int fd, uint16_t cntlid)
{
	return simple(fd, NVS_ADMIN_MIGRATION_SEND, NVS_SEND_SUSPEND, NVS_SUSPEND << 16 | cntlid);
}

static int resume(int fd, uint16_t cntlid)
{
	return simple(fd, NVS_ADMIN_MIGRATION_SEND, NVS_SEND_RESUME, cntlid);
}

/* ---- The device ---- */

static int node_of(const char *bdf, char *node, size_t room)
{
	char path[128];
	struct dirent *e;
	int err = -ENOENT;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/" CTRL_DRIVER, bdf);
	dir = opendir(path);
	if (!dir)
		return -ENOENT;
	while ((e = readdir(dir)))
		if (!strncmp(e->d_name, "nvme", 4)) {
			snprintf(node, room, "/dev/%.32s", e->d_name);
			err = 0;
		}
	closedir(dir);
	return err;
}

static int node_open(const char *bdf)
{
	uint64_t end = now_ms() + PROMPT_MS;
	char node[64];
	int fd;

	do {
		if (!node_of(bdf, node, sizeof(node))) {
			fd = open(node, O_RDWR | O_CLOEXEC);
			if (fd >= 0)
				return fd;
		}
		usleep(20000);
	} while (now_ms() < end);
	return -ENOENT;
}

static int ctrl_bind(const char *bdf)
{
	char driver[64];
	int err = vdev_driver(bdf, driver, sizeof(driver));

	if (err || !strcmp(driver, CTRL_DRIVER))
		return err;
	return sysfs_write("/sys/bus/pci/drivers/" CTRL_DRIVER "/bind", bdf);
}

static int ctrl_sysfs(const char *bdf, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, file);
	return sysfs_write(path, "1");
}

static int config_write(const struct slot *ctrl, unsigned int cntlid, const char *file,
			const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), CONFIGFS "/" CTRL_DRIVER "/%s/%u/%s", ctrl->bdf, cntlid,
		 file);
	return sysfs_write(path, text);
}

static int config_read(const struct slot *ctrl, unsigned int cntlid, const char *file, char *buf,
		       size_t room)
{
	char path[192];

	snprintf(path, sizeof(path), CONFIGFS "/" CTRL_DRIVER "/%s/%u/%s", ctrl->bdf, cntlid,
		 file);
	memset(buf, 0, room);
	return sysfs_read(path, buf, room);
}

static bool config_is(const struct slot *ctrl, unsigned int cntlid, const char *file,
		      const char *text)
{
	char buf[256];

	if (config_read(ctrl, cntlid, file, buf, sizeof(buf)))
		return false;
	buf[strcspn(buf, "\n")] = 0;
	if (strcmp(buf, text))
		printf("# %s is '%s', not '%s'\n", file, buf, text);
	return !strcmp(buf, text);
}

/* Works again, after a reset. */
static bool works(int fd)
{
	uint64_t end = now_ms() + PROMPT_MS;

	while (identify(fd)) {
		if (now_ms() > end)
			return false;
		usleep(20000);
	}
	return true;
}

/* So many functions have been published since the last time: no less and no more. */
static bool published(int log, int want)
{
	uint64_t end = now_ms() + PROMPT_MS;
	int num = 0;

	for (;;) {
		num += log_count(log, " as function ", NULL, 0);
		if (num >= want || now_ms() > end)
			return num == want;
		usleep(20000);
	}
}

FIXTURE(nvme_ctrl)
{
	struct slot ctrl[2];
	struct slot fn[2 * FNS];
	struct model m;
	int fd;
	int log;
};

FIXTURE_SETUP(nvme_ctrl)
{
	self->fd = -1;
	self->m.fd = -1;
	if (slots_find("nvme_ctrl", self->ctrl, 2) < 2 ||
	    slots_find("nvme_cf", self->fn, 2 * FNS) < 2 * FNS)
		SKIP(return, "no two subsystems nvme_cf in /vpv/devices");
	if (access(CONFIGFS "/" CTRL_DRIVER, F_OK))
		mount("configfs", CONFIGFS, "configfs", 0, NULL);
	ASSERT_EQ(0, sysfs_write(TIMEOUT_FILE, "1000"));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, ctrl_bind(self->ctrl[i].bdf));
	for (int i = 0; i < 2 * FNS; i++)
		ASSERT_EQ(0, vdev_unbind(self->fn[i].bdf));
	ASSERT_EQ(0, model_open(&self->m, &self->ctrl[0]));
	self->fd = node_open(self->ctrl[0].bdf);
	ASSERT_LE(0, self->fd);
	self->log = log_mark();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(nvme_ctrl)
{
	if (self->m.fd >= 0) {
		model_cmd(&self->m, "fault clear");
		model_close(&self->m);
	}
	sysfs_write(TIMEOUT_FILE, "10000");
	close(self->fd);
	close(self->log);
}

/* ---- What is taken ---- */

TEST_F(nvme_ctrl, identify_is_what_the_device_says)
{
	const struct nvs_id_ctrl *id = (const struct nvs_id_ctrl *)data;
	static uint8_t first[NVS_IDENTIFY_BYTES];
	struct nvme_passthru_cmd64 cmd = {
		.opcode = NVS_ADMIN_IDENTIFY, .cdw10 = NVS_CNS_CONTROLLER,
		.addr = (uintptr_t)data, .data_len = NVS_IDENTIFY_BYTES, .result = ~0ULL,
	};

	EXPECT_EQ(0, identify(self->fd));
	EXPECT_EQ(NVCF_VENDOR, le16toh(id->vid));
	EXPECT_EQ(NVS_TYPE_ADMIN, id->cntrltype);
	EXPECT_TRUE(le16toh(id->oacs) & NVS_OACS_HMLMS);
	memcpy(first, data, sizeof(first));
	memset(data, 0, sizeof(data));
	EXPECT_EQ(0, ioctl(self->fd, NVME_IOCTL_ADMIN64_CMD, &cmd));
	EXPECT_EQ(0ULL, cmd.result);
	EXPECT_EQ(0, memcmp(data, first, sizeof(first)));
}

TEST_F(nvme_ctrl, status_and_result_are_the_devices)
{
	struct nvme_passthru_cmd cmd = command(NVS_ADMIN_IDENTIFY, 0xf7, 0, NVS_IDENTIFY_BYTES);

	cmd.result = 7;
	EXPECT_EQ(NVS_SC_INVALID_FIELD | NVS_SC_DNR, ioctl(self->fd, NVME_IOCTL_ADMIN_CMD, &cmd));
	EXPECT_EQ(0U, cmd.result);
	/* Arbitration; then what was set is the result. */
	EXPECT_EQ(0, simple(self->fd, NVS_ADMIN_SET_FEATURES, NVS_FEAT_ASYNC_EVENT, 2));
	cmd = command(NVS_ADMIN_GET_FEATURES, NVS_FEAT_ASYNC_EVENT, 0, 0);
	EXPECT_EQ(0, admin(self->fd, &cmd));
	EXPECT_EQ(2U, cmd.result);
	EXPECT_EQ(NVS_SC_INVALID_CNTLID, suspend(self->fd, 99));
	EXPECT_EQ(NVS_SC_INVALID_CNTLID, suspend(self->fd, NVCF_CNTLID_MANAGING));
}

TEST_F(nvme_ctrl, other_ioctls_are_not_there)
{
	static const unsigned long ioctls[] = {
		NVME_IOCTL_ID, NVME_IOCTL_SUBMIT_IO, NVME_IOCTL_IO_CMD, NVME_IOCTL_RESET,
		NVME_IOCTL_SUBSYS_RESET, NVME_IOCTL_RESCAN, NVME_IOCTL_IO64_CMD,
		NVME_IOCTL_IO64_CMD_VEC, 0, ~0UL,
	};

	for (unsigned int i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]); i++) {
		EXPECT_EQ(-1, ioctl(self->fd, ioctls[i], data));
		EXPECT_EQ(ENOTTY, errno);
	}
}

TEST_F(nvme_ctrl, only_the_administrator_sends_commands)
{
	EXPECT_EQ(0, identify(self->fd));
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_EQ(-EACCES, identify(self->fd));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(0, identify(self->fd));
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

	memset(data, 0xff, sizeof(data));
	ASSERT_EQ(0, model_value(&self->m, "stats", "commands_completed", &before));
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nvme_passthru_cmd cmd = cases[i].cmd;

		cmd.addr = (uintptr_t)data;
		EXPECT_EQ(-cases[i].err, admin(self->fd, &cmd)) {
			TH_LOG("%s", cases[i].name);
		}
	}
	ASSERT_EQ(0, model_value(&self->m, "stats", "commands_completed", &after));
	EXPECT_EQ(before, after);
}

TEST_F(nvme_ctrl, memory_that_is_not_there_is_found)
{
	struct nvme_passthru_cmd cmd = command(NVS_ADMIN_IDENTIFY, NVS_CNS_CONTROLLER, 0,
					       NVS_IDENTIFY_BYTES);

	cmd.addr = 8;
	EXPECT_EQ(-EFAULT, admin(self->fd, &cmd));
	cmd = command(NVCF_ADMIN_PROFILE_SEND, 0, FIRST, NVS_IDENTIFY_BYTES);
	cmd.addr = 8;
	EXPECT_EQ(-EFAULT, admin(self->fd, &cmd));
	EXPECT_EQ(-1, ioctl(self->fd, NVME_IOCTL_ADMIN_CMD, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->fd, NVME_IOCTL_ADMIN64_CMD, 8));
	EXPECT_EQ(EFAULT, errno);
}

/* ---- By hand ---- */

/* CSVI and CSUUIDI are 1; returns bytes, or -1. */
static int state_get(int fd, uint16_t cntlid)
{
	struct nvme_passthru_cmd cmd = command(NVS_ADMIN_MIGRATION_RECEIVE, 1 << 16, 1 << 16 | cntlid,
					       NVS_IDENTIFY_BYTES);
	const struct nvs_state_header *h = (const struct nvs_state_header *)data;

	cmd.cdw15 = cmd.data_len / 4 - 1;
	if (admin(fd, &cmd) || !(cmd.result & NVS_CSUP))
		return -1;
	return sizeof(*h) + 4 * (le64toh(h->nvmecss[0]) + le64toh(h->vss[0]));
}

static int state_set(int fd, uint16_t cntlid, uint32_t seq, uint32_t from, uint32_t bytes)
{
	struct nvme_passthru_cmd cmd = command(NVS_ADMIN_MIGRATION_SEND,
					       seq << 16 | NVS_SEND_SET_STATE,
					       1U << 24 | 1 << 16 | cntlid, bytes);

	cmd.addr += from;
	cmd.cdw12 = from;
	cmd.cdw15 = bytes / 4;
	return admin(fd, &cmd);
}

TEST_F(nvme_ctrl, state_is_got_and_set_by_hand)
{
	int bytes;

	EXPECT_EQ(NVS_SC_NOT_SUSPENDED, resume(self->fd, FIRST));
	ASSERT_EQ(0, suspend(self->fd, FIRST));
	EXPECT_EQ(0, suspend(self->fd, FIRST));
	bytes = state_get(self->fd, FIRST);
	ASSERT_LE((int)(sizeof(struct nvs_state_header) + sizeof(struct nvcf_state)), bytes);
	EXPECT_EQ(0, state_set(self->fd, FIRST, NVS_SEQ_ONLY, 0, bytes));
	/* In pieces, with one in between that the device refuses. */
	EXPECT_EQ(0, state_set(self->fd, FIRST, NVS_SEQ_FIRST, 0, 64));
	EXPECT_EQ(NVS_SC_COMMAND_SEQUENCE, resume(self->fd, FIRST));
	EXPECT_EQ(NVS_SC_INVALID_FIELD, state_set(self->fd, FIRST, NVS_SEQ_MIDDLE, 128, 64));
	EXPECT_EQ(NVS_SC_COMMAND_SEQUENCE,
		  state_set(self->fd, FIRST, NVS_SEQ_LAST, 64, bytes - 64));
	EXPECT_EQ(0, state_set(self->fd, FIRST, NVS_SEQ_FIRST, 0, 64));
	EXPECT_EQ(0, state_set(self->fd, FIRST, NVS_SEQ_LAST, 64, bytes - 64));
	EXPECT_EQ(0, resume(self->fd, FIRST));
}

TEST_F(nvme_ctrl, memory_is_tracked_by_hand)
{
	struct nvs_track_request *req = (struct nvs_track_request *)data;
	struct nvs_track_range *range = (struct nvs_track_range *)(req + 1);
	const struct nvs_track_report *report = (const struct nvs_track_report *)data;
	struct nvme_passthru_cmd cmd = command(NVS_ADMIN_TRACK_SEND, 1 << 16 | NVS_TRACK_MEMORY,
					       FIRST, sizeof(*req) + sizeof(*range));

	memset(data, 0, sizeof(data));
	req->count = htole32(1);
	range->addr = htole64(1 << 20);
	range->length = htole32(16);
	EXPECT_EQ(0, admin(self->fd, &cmd));
	cmd = command(NVS_ADMIN_TRACK_RECEIVE, 0, FIRST, NVS_IDENTIFY_BYTES);
	cmd.cdw12 = NVS_IDENTIFY_BYTES / 4 - 1;
	EXPECT_EQ(0, admin(self->fd, &cmd));
	EXPECT_EQ(FIRST, le16toh(report->cntlid));
	EXPECT_EQ(0U, le32toh(report->count));
	memset(data, 0, sizeof(data));
	cmd = command(NVS_ADMIN_TRACK_SEND, NVS_TRACK_MEMORY, FIRST, sizeof(*req));
	EXPECT_EQ(0, admin(self->fd, &cmd));
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
	EXPECT_EQ(-EBUSY, config_write(&self->ctrl[0], FIRST, "enable", "0"));
	ASSERT_EQ(0, vdev_open(&v, &self->fn[0], VDEV_GROUP));
	memset(data, 0, sizeof(data));
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cmd = command(cases[i].opcode, cases[i].cdw10, cases[i].cdw11, 4096);
		EXPECT_EQ(-EBUSY, admin(self->fd, &cmd)) {
			TH_LOG("opcode %#x, %#x", cases[i].opcode, cases[i].cdw10);
		}
	}
	cmd = command(NVCF_ADMIN_PROFILE_RECEIVE, 0, FIRST, 4096);
	EXPECT_EQ(0, admin(self->fd, &cmd));
	/* Others are nobody's. */
	EXPECT_EQ(0, suspend(self->fd, FIRST + 1));
	EXPECT_EQ(0, resume(self->fd, FIRST + 1));
	vdev_close(&v);
	EXPECT_EQ(0, suspend(self->fd, FIRST));
	EXPECT_EQ(0, resume(self->fd, FIRST));
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
	ASSERT_EQ(0, sysfs_write(TIMEOUT_FILE, "10000"));
	ASSERT_EQ(0, vdev_bind(self->fn[0].bdf, FN_DRIVER));
	ASSERT_EQ(0, model_cmd(&self->m, "fault resume delay=4000 count=1"));
	begin = now_ms();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(resume(self->fd, FIRST) == NVS_SC_NOT_SUSPENDED ? 0 : 1);
	usleep(500000);
	ASSERT_EQ(0, vdev_open(&v, &self->fn[0], VDEV_GROUP));
	EXPECT_EQ(0, mig_set(&v, VFIO_DEVICE_STATE_STOP, NULL));
	EXPECT_LE(begin + 3500, now_ms());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, mig_set(&v, VFIO_DEVICE_STATE_RUNNING, NULL));
	vdev_close(&v);
}

/* ---- The device fails ---- */

TEST_F(nvme_ctrl, a_command_fails)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify fail count=1"));
	EXPECT_EQ(NVS_SC_INTERNAL, identify(self->fd));
	ASSERT_EQ(0, model_cmd(&self->m, "fault data_out fail count=1"));
	EXPECT_EQ(NVS_SC_DATA_TRANSFER, identify(self->fd));
	EXPECT_EQ(0, identify(self->fd));
}

TEST_F(nvme_ctrl, a_slow_command_is_waited_for)
{
	struct nvme_passthru_cmd cmd = command(NVS_ADMIN_IDENTIFY, NVS_CNS_CONTROLLER, 0,
					       NVS_IDENTIFY_BYTES);

	ASSERT_EQ(0, model_cmd(&self->m, "fault identify delay=400 count=1"));
	EXPECT_EQ(0, identify(self->fd));
	/* Unless its sender says that it does not want to. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify delay=30000 count=1"));
	cmd.timeout_ms = 100;
	EXPECT_EQ(-ETIMEDOUT, admin(self->fd, &cmd));
	EXPECT_EQ(0, identify(self->fd));
}

TEST_F(nvme_ctrl, a_stuck_command_is_aborted)
{
	uint64_t begin = now_ms();

	ASSERT_EQ(0, model_cmd(&self->m, "fault identify hang count=1"));
	EXPECT_EQ(-ETIMEDOUT, identify(self->fd));
	EXPECT_GT(begin + PROMPT_MS, now_ms());
	EXPECT_EQ(0, identify(self->fd));
	/* That was no reset. */
	EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
}

/* The Abort does not help: the controller is reset, and what it was is published anew. */
TEST_F(nvme_ctrl, a_stuck_controller_is_reset)
{
	int why = log_mark();

	ASSERT_LE(0, why);
	ASSERT_EQ(0, suspend(self->fd, FIRST + 1));
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify hang count=1"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault abort hang count=1"));
	EXPECT_EQ(-ETIMEDOUT, identify(self->fd));
	EXPECT_TRUE(works(self->fd));
	EXPECT_EQ(1, log_count(why, "does not end commands", NULL, 0));
	close(why);
	EXPECT_TRUE(published(self->log, FNS));
	/* Which has ended the suspension. */
	EXPECT_EQ(NVS_SC_NOT_SUSPENDED, resume(self->fd, FIRST + 1));
}

TEST_F(nvme_ctrl, a_controller_that_failed_is_reset)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault fetch fail count=1"));
	EXPECT_EQ(-ECONNABORTED, identify(self->fd));
	EXPECT_TRUE(works(self->fd));
	EXPECT_LT(0, log_count(self->log, "controller has failed", NULL, 0));
	/* It does not get ready at first. */
	ASSERT_EQ(0, model_cmd(&self->m, "fault ready fail count=2"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault fetch fail count=1"));
	EXPECT_EQ(-ECONNABORTED, identify(self->fd));
	EXPECT_TRUE(works(self->fd));
	EXPECT_LT(0, log_count(self->log, "does not get ready", NULL, 0));
}

/* A reset by somebody helps before the driver's next attempt, which is not made any more. */
TEST_F(nvme_ctrl, a_controller_that_works_again_is_left_alone)
{
	uint64_t end = now_ms() + PROMPT_MS;
	int failed = log_mark();

	ASSERT_LE(0, failed);
	ASSERT_EQ(0, model_cmd(&self->m, "fault ready fail count=2"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault fetch fail count=1"));
	EXPECT_EQ(-ECONNABORTED, identify(self->fd));
	while (!log_count(failed, "does not work after its reset", NULL, 0) && now_ms() < end)
		usleep(10000);
	close(failed);
	ASSERT_EQ(0, ctrl_sysfs(self->ctrl[0].bdf, "reset"));
	EXPECT_TRUE(published(self->log, FNS));
	sleep(4);
	EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
	EXPECT_TRUE(works(self->fd));
}

TEST_F(nvme_ctrl, a_lost_completion_costs_a_reset)
{
	ASSERT_EQ(0, model_cmd(&self->m, "fault post fail count=1"));
	EXPECT_EQ(-ECONNABORTED, identify(self->fd));
	EXPECT_TRUE(works(self->fd));
}

TEST_F(nvme_ctrl, an_event_is_told_and_the_next_one_too)
{
	for (int i = 0; i < 2; i++) {
		uint64_t end = now_ms() + PROMPT_MS;
		int lines = 0;

		ASSERT_EQ(0, simple(self->fd, NVS_ADMIN_SET_FEATURES, NVS_FEAT_ASYNC_EVENT,
				    NVS_AEC_TEMPERATURE));
		ASSERT_EQ(0, model_cmd(&self->m, "temperature 380"));
		while (!lines && now_ms() < end) {
			usleep(20000);
			lines = log_count(self->log, "reports an event", NULL, 0);
		}
		EXPECT_EQ(1, lines);
		ASSERT_EQ(0, model_cmd(&self->m, "temperature 300"));
		usleep(500000);
	}
}

/* ---- The controller goes away ---- */

TEST_F(nvme_ctrl, a_reset_ends_suspensions)
{
	ASSERT_EQ(0, suspend(self->fd, FIRST));
	ASSERT_EQ(0, ctrl_sysfs(self->ctrl[0].bdf, "reset"));
	EXPECT_TRUE(works(self->fd));
	EXPECT_TRUE(published(self->log, FNS));
	EXPECT_EQ(NVS_SC_NOT_SUSPENDED, resume(self->fd, FIRST));
}

TEST_F(nvme_ctrl, a_file_outlives_the_driver)
{
	int fd;

	ASSERT_EQ(0, vdev_unbind(self->ctrl[0].bdf));
	EXPECT_EQ(-ENODEV, identify(self->fd));
	ASSERT_EQ(0, ctrl_bind(self->ctrl[0].bdf));
	EXPECT_EQ(-ENODEV, identify(self->fd));
	fd = node_open(self->ctrl[0].bdf);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, identify(fd));
	close(fd);
}

static int step_identify(void *arg, unsigned long n)
{
	return identify(*(int *)arg);
}

TEST_F(nvme_ctrl, unbind_does_not_wait_for_a_stuck_command)
{
	uint64_t begin;
	pid_t pid;
	int status;

	ASSERT_EQ(0, sysfs_write(TIMEOUT_FILE, "60000"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault identify hang"));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(identify(self->fd) == -ECONNABORTED ? 0 : 1);
	usleep(500000);
	begin = now_ms();
	ASSERT_EQ(0, vdev_unbind(self->ctrl[0].bdf));
	EXPECT_GT(begin + PROMPT_MS, now_ms());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, ctrl_bind(self->ctrl[0].bdf));
}

/* Reads all ones, and is removed. */
TEST_F(nvme_ctrl, a_controller_that_was_pulled_out_is_gone)
{
	int fd;

	ASSERT_EQ(0, model_cmd(&self->m, "fault region_read fail"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault region_write fail"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault config fail"));
	EXPECT_GT(0, identify(self->fd));
	ASSERT_EQ(0, ctrl_sysfs(self->ctrl[0].bdf, "remove"));
	EXPECT_EQ(-ENODEV, identify(self->fd));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	ASSERT_EQ(0, sysfs_write("/sys/bus/pci/rescan", "1"));
	ASSERT_EQ(0, ctrl_bind(self->ctrl[0].bdf));
	fd = node_open(self->ctrl[0].bdf);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(works(fd));
	close(fd);
}

/* Commands, resets, faults, and opening and closing, all at a time. */
static int step_reset(void *arg, unsigned long n)
{
	usleep(100000);
	return ctrl_sysfs(((struct slot *)arg)->bdf, "reset");
}

static int step_suspend(void *arg, unsigned long n)
{
	int ret = suspend(*(int *)arg, FIRST);

	return ret ? ret : resume(*(int *)arg, FIRST);
}

static int step_bind(void *arg, unsigned long n)
{
	const char *bdf = ((struct slot *)arg)->bdf;
	int fd, err;

	err = vdev_unbind(bdf);
	err = err ? err : ctrl_bind(bdf);
	fd = err ? err : node_open(bdf);
	if (fd < 0)
		return fd;
	err = identify(fd);
	close(fd);
	return err;
}

TEST_F_TIMEOUT(nvme_ctrl, commands_race_with_resets, 300)
{
	struct race_job jobs[] = {
		RACE_JOB(step_identify, &self->fd),
		RACE_JOB(step_identify, &self->fd),
		RACE_JOB(step_suspend, &self->fd),
		RACE_JOB(step_reset, &self->ctrl[0]),
	};

	EXPECT_TRUE(race_run(jobs, 4));
	EXPECT_TRUE(works(self->fd));
}

TEST_F_TIMEOUT(nvme_ctrl, commands_race_with_unbind, 300)
{
	struct race_job jobs[] = {
		RACE_JOB(step_identify, &self->fd),
		RACE_JOB(step_suspend, &self->fd),
		RACE_JOB(step_bind, &self->ctrl[0]),
	};

	/* The file that the first two have is dead after the first unbind. */
	EXPECT_TRUE(race_run(jobs, 3));
	close(self->fd);
	self->fd = node_open(self->ctrl[0].bdf);
	EXPECT_TRUE(works(self->fd));
}

/* ---- Profiles ---- */

TEST_F(nvme_ctrl, a_profile_of_the_device_is_shown)
{
	const struct slot *ctrl = &self->ctrl[0];

	EXPECT_TRUE(config_is(ctrl, FIRST, "enable", "1"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "address", self->fn[0].bdf));
	EXPECT_TRUE(config_is(ctrl, FIRST, "cntlid", "2"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "serial", "VPV00000000000000070"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "model", "nvme_cf"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "vid", "0x1234"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "features", "0x7f"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "subnqn", "nqn.2022-12.org.example:nvme_cf:7.0"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "namespace1/disk", "1"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "namespace1/eui64", "5254000000000701"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "namespace2/disk", "0"));
	EXPECT_EQ(-EBUSY, config_write(ctrl, FIRST, "serial", "other"));
	EXPECT_EQ(-EBUSY, config_write(ctrl, FIRST, "namespace1/disk", "2"));
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
			  config_write(&self->ctrl[1], FIRST, cases[i].file, cases[i].text)) {
			TH_LOG("%s: '%s'", cases[i].file, cases[i].text);
		}
	}
}

/* As many as there are, one after the other; NULL ends them. */
static const char *const profile[][2] = {
	{ "subnqn", "nqn.2022-12.org.example:test" }, { "serial", "S1" }, { "model", "a disk" },
	{ "firmware", "2" }, { "vid", "0x1b36" }, { "ssvid", "0x1af4" }, { "ieee", "0x525400" },
	{ "cntlid", "7" }, { "mdts", "3" }, { "queues", "2" }, { "entries", "64" },
	{ "features", "0x3" }, { "namespace2/disk", "1" }, { "namespace2/eui64", "52:54:00:00:00:00:00:02" },
	{ "namespace2/nguid", "000102030405060708090a0b0c0d0e0f" },
	{ "namespace2/uuid", "00112233-4455-6677-8899-aabbccddeeff" }, { NULL, NULL },
};

TEST_F(nvme_ctrl, a_profile_is_given_and_taken_away)
{
	const struct nvcf_profile *p = (const struct nvcf_profile *)data;
	const struct slot *ctrl = &self->ctrl[1];
	struct nvme_passthru_cmd cmd;
	int fd = node_open(ctrl->bdf);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(config_is(ctrl, FIRST, "enable", "0"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "address", self->fn[FNS].bdf));
	/* There is no name yet. */
	EXPECT_EQ(-EINVAL, config_write(ctrl, FIRST, "enable", "1"));
	for (int i = 0; profile[i][0]; i++) {
		EXPECT_EQ(0, config_write(ctrl, FIRST, profile[i][0], profile[i][1])) {
			TH_LOG("%s", profile[i][0]);
		}
	}
	EXPECT_EQ(0, config_write(ctrl, FIRST, "namespace2/disk", "4"));
	EXPECT_EQ(-EINVAL, config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_EQ(0, config_write(ctrl, FIRST, "namespace2/disk", "1"));
	EXPECT_EQ(0, log_count(self->log, " as function ", NULL, 0));
	EXPECT_EQ(0, config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_TRUE(published(self->log, 1));
	EXPECT_EQ(0, config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_EQ(-EBUSY, config_write(ctrl, FIRST, "serial", "S2"));

	cmd = command(NVCF_ADMIN_PROFILE_RECEIVE, 0, FIRST, NVS_IDENTIFY_BYTES);
	EXPECT_EQ(0, admin(fd, &cmd));
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
	EXPECT_TRUE(config_is(ctrl, FIRST, "namespace1/disk", "0"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "namespace2/disk", "1"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "namespace2/uuid", profile[15][1]));
	EXPECT_TRUE(config_is(ctrl, FIRST, "model", "a disk"));

	ASSERT_EQ(0, vdev_bind(self->fn[FNS].bdf, "vpv_pci"));
	EXPECT_EQ(-EBUSY, config_write(ctrl, FIRST, "enable", "0"));
	ASSERT_EQ(0, vdev_unbind(self->fn[FNS].bdf));
	EXPECT_EQ(0, config_write(ctrl, FIRST, "enable", "0"));
	EXPECT_TRUE(config_is(ctrl, FIRST, "enable", "0"));
	EXPECT_EQ(0, config_write(ctrl, FIRST, "enable", "0"));
	EXPECT_EQ(0, config_write(ctrl, FIRST, "subnqn", "\n"));
	EXPECT_EQ(0, config_write(ctrl, FIRST, "namespace2/disk", "0"));
}

/* Each step can be tried again. */
TEST_F(nvme_ctrl, profiles_survive_commands_that_fail)
{
	const struct slot *ctrl = &self->ctrl[0];

	ASSERT_EQ(0, model_cmd(&self->m, "fault profile_send fail count=1"));
	EXPECT_EQ(-EREMOTEIO, config_write(ctrl, FIRST + 1, "enable", "0"));
	EXPECT_TRUE(config_is(ctrl, FIRST + 1, "enable", "1"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault profile_send hang count=1"));
	EXPECT_EQ(-ETIMEDOUT, config_write(ctrl, FIRST + 1, "enable", "0"));
	EXPECT_EQ(0, config_write(ctrl, FIRST + 1, "enable", "0"));
	EXPECT_TRUE(config_is(ctrl, FIRST + 1, "enable", "0"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault data_in fail count=1"));
	EXPECT_EQ(-EREMOTEIO, config_write(ctrl, FIRST + 1, "enable", "1"));
	EXPECT_TRUE(config_is(ctrl, FIRST + 1, "enable", "0"));
	EXPECT_EQ(0, config_write(ctrl, FIRST + 1, "enable", "1"));
	EXPECT_TRUE(published(self->log, 1));

	/* One that could not be read is read when somebody asks for it. */
	ASSERT_EQ(0, vdev_unbind(ctrl->bdf));
	ASSERT_EQ(0, model_cmd(&self->m, "fault profile_receive fail"));
	ASSERT_EQ(0, ctrl_bind(ctrl->bdf));
	EXPECT_TRUE(config_is(ctrl, FIRST, "enable", "0"));
	EXPECT_EQ(-EREMOTEIO, config_write(ctrl, FIRST, "enable", "1"));
	ASSERT_EQ(0, model_cmd(&self->m, "fault clear"));
	EXPECT_EQ(0, config_write(ctrl, FIRST, "enable", "1"));
	EXPECT_EQ(0, config_write(ctrl, FIRST + 1, "enable", "1"));
	EXPECT_TRUE(published(self->log, 2));
}

/* A user who does the same by commands. */
TEST_F(nvme_ctrl, a_profile_that_a_user_gives_is_seen)
{
	const struct slot *ctrl = &self->ctrl[0];
	uint64_t end = now_ms() + PROMPT_MS;
	struct nvme_passthru_cmd cmd;
	static uint8_t old[NVS_IDENTIFY_BYTES];

	cmd = command(NVCF_ADMIN_PROFILE_RECEIVE, 0, FIRST + 1, NVS_IDENTIFY_BYTES);
	ASSERT_EQ(0, admin(self->fd, &cmd));
	memcpy(old, data, sizeof(old));
	EXPECT_EQ(0, simple(self->fd, NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_REMOVE, FIRST + 1));
	while (!config_is(ctrl, FIRST + 1, "enable", "0") && now_ms() < end)
		usleep(20000);
	EXPECT_TRUE(config_is(ctrl, FIRST + 1, "enable", "0"));
	memcpy(data, old, sizeof(old));
	cmd = command(NVCF_ADMIN_PROFILE_SEND, NVCF_PROFILE_GIVE, FIRST + 1, NVS_IDENTIFY_BYTES);
	EXPECT_EQ(0, admin(self->fd, &cmd));
	while (!config_is(ctrl, FIRST + 1, "enable", "1") && now_ms() < end)
		usleep(20000);
	EXPECT_TRUE(published(self->log, 1));
}

TEST_HARNESS_MAIN
