// SPDX-License-Identifier: GPL-2.0
/*
 * VFs of a PF that user space has, and the token that their users share.  On QEMU's
 * igb, with vpv_pci.
 *
 * Groups: functions stable
 */
#include "lib/test.h"
#include "lib/vf.h"

#define PARAM		"/sys/module/vpv_pci/parameters/enable_sriov"
#define VFS		2
#define TOKEN_A		"8f2a4b0c-1d3e-4f50-8172-93a4b5c6d7e8"
#define TOKEN_B		"00000000-1111-4222-8333-444444444444"

#define NUM(a)		(sizeof(a) / sizeof((a)[0]))

/* Nodes of new VFs come up after sriov_numvfs returns. */
#define APPEAR_MS	5000

/* Making a VF takes seconds on a busy machine without KVM. */
#define SLOW_S		150

struct both {
	struct slot pf;
	struct slot vf[VFS];
	struct vdev v;
	struct vdev w;
};

static int make_vfs(const struct slot *pf, struct slot *vf)
{
	int err = vf_set_num(pf, 2);

	for (int i = 0; i < VFS && !err; i++) {
		err = vf_find(pf, i, &vf[i]);
		/* Bound already: this waits for its nodes. */
		if (!err)
			err = vdev_bind(vf[i].bdf, "vpv_pci");
	}
	return err;
}

static void both_close(struct both *self)
{
	vdev_close(&self->v);
	vdev_close(&self->w);
	vf_set_num(&self->pf, 0);
	sysfs_write(PARAM, "0");
}

/* The token, by both ways into a device. */
FIXTURE(token)
{
	struct both b;
};

VARIANTS_OF_OPENING(token);

FIXTURE_SETUP(token)
{
	self->b.v.fd = self->b.v.group = self->b.v.iommu = -1;
	self->b.w = self->b.v;
	NEED_MODE(variant->mode);
	NEED_STOCK("igb", &self->b.pf, 1);
	ASSERT_EQ(0, sysfs_write(PARAM, "1"));
}

FIXTURE_TEARDOWN(token)
{
	both_close(&self->b);
}

/* The rest, by groups. */
FIXTURE(sriov)
{
	struct both b;
};

FIXTURE_SETUP(sriov)
{
	self->b.v.fd = self->b.v.group = self->b.v.iommu = -1;
	self->b.w = self->b.v;
	NEED_STOCK("igb", &self->b.pf, 1);
	ASSERT_EQ(0, sysfs_write(PARAM, "1"));
}

FIXTURE_TEARDOWN(sriov)
{
	both_close(&self->b);
}

TEST_F_TIMEOUT(sriov, needs_the_parameter, SLOW_S)
{
	struct slot vf;

	ASSERT_EQ(0, sysfs_write(PARAM, "0"));
	EXPECT_EQ(-ENOENT, vf_set_num(&self->b.pf, 1));
	EXPECT_EQ(-ENOENT, vf_find(&self->b.pf, 0, &vf));
}

TEST_F_TIMEOUT(sriov, vfs_belong_to_the_driver_of_the_pf, SLOW_S)
{
	char text[64];

	ASSERT_EQ(0, vf_set_num(&self->b.pf, 2));
	for (int i = 0; i < VFS; i++) {
		ASSERT_EQ(0, vf_find(&self->b.pf, i, &self->b.vf[i]));
		ASSERT_EQ(0, vdev_sysfs_read(self->b.vf[i].bdf, "driver_override", text,
					     sizeof(text)));
		EXPECT_STREQ("vpv_pci", text);
		ASSERT_EQ(0, vdev_driver(self->b.vf[i].bdf, text, sizeof(text)));
		EXPECT_STREQ("vpv_pci", text);
	}
	EXPECT_EQ(-EBUSY, vf_set_num(&self->b.pf, 1));
	ASSERT_EQ(0, vf_set_num(&self->b.pf, 0));
	EXPECT_EQ(-ENOENT, vf_find(&self->b.pf, 0, &self->b.vf[0]));
}

TEST_F_TIMEOUT(token, vf_needs_the_token_of_its_pf, SLOW_S)
{
	ASSERT_EQ(0, make_vfs(&self->b.pf, self->b.vf));
	EXPECT_EQ(-EACCES, vdev_open(&self->b.v, &self->b.vf[0], variant->mode));
	EXPECT_EQ(-EACCES, vdev_open_token(&self->b.v, &self->b.vf[0], variant->mode, TOKEN_A));

	/* Whoever opens the PF chooses; it outlives that user. */
	ASSERT_EQ(0, vdev_open_token(&self->b.w, &self->b.pf, variant->mode, TOKEN_A));
	vdev_close(&self->b.w);
	EXPECT_EQ(-EACCES, vdev_open_token(&self->b.v, &self->b.vf[0], variant->mode, TOKEN_B));
	ASSERT_EQ(0, vdev_open_token(&self->b.v, &self->b.vf[0], variant->mode, TOKEN_A));

	/* Now that a VF is used, the PF needs it, too. */
	EXPECT_EQ(-EACCES, vdev_open(&self->b.w, &self->b.pf, variant->mode));
	EXPECT_EQ(-EACCES, vdev_open_token(&self->b.w, &self->b.pf, variant->mode, TOKEN_B));
	ASSERT_EQ(0, vdev_open_token(&self->b.w, &self->b.pf, variant->mode, TOKEN_A));
	vdev_close(&self->b.w);
	vdev_close(&self->b.v);
	ASSERT_EQ(0, vdev_open(&self->b.w, &self->b.pf, variant->mode));
}

TEST_F_TIMEOUT(token, pf_user_sets_the_token, SLOW_S)
{
	static const uint8_t token[16] = {
		0x00, 0x00, 0x00, 0x00, 0x11, 0x11, 0x42, 0x22,
		0x83, 0x33, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44,
	};
	uint8_t buf[16];

	ASSERT_EQ(0, make_vfs(&self->b.pf, self->b.vf));
	ASSERT_EQ(0, vdev_open_token(&self->b.w, &self->b.pf, variant->mode, TOKEN_A));
	memcpy(buf, token, 16);
	EXPECT_EQ(-EINVAL, vdev_feature(&self->b.w, VFIO_DEVICE_FEATURE_GET |
					VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, buf, 16));
	EXPECT_EQ(-EINVAL, vdev_feature(&self->b.w, VFIO_DEVICE_FEATURE_SET |
					VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, buf, 8));
	EXPECT_EQ(0, vdev_feature(&self->b.w, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE |
				  VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, buf, 0));
	memcpy(buf, token, 16);
	ASSERT_EQ(0, vdev_feature(&self->b.w, VFIO_DEVICE_FEATURE_SET |
				  VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, buf, 16));

	EXPECT_EQ(-EACCES, vdev_open_token(&self->b.v, &self->b.vf[1], variant->mode, TOKEN_A));
	ASSERT_EQ(0, vdev_open_token(&self->b.v, &self->b.vf[1], variant->mode, TOKEN_B));
	memcpy(buf, token, 16);
	EXPECT_EQ(-ENOTTY, vdev_feature(&self->b.v, VFIO_DEVICE_FEATURE_SET |
					VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, buf, 16));
}

TEST_F_TIMEOUT(sriov, names_with_options, SLOW_S)
{
	static const char * const bad[] = {
		" vf_token", " vf_token=", " vf_token=8f2a4b0c", " vf_tokens=" TOKEN_A,
		" vf_token=" TOKEN_A "0", " vf_token=" TOKEN_A " vf_token=" TOKEN_A,
		" vf_token=8f2a4b0c-1d3e-4f50-8172-93a4b5c6d7eg", " x", "  \t",
	};
	static const char * const none[] = { "0", "x vf_token=" TOKEN_A, "\t" };
	static const char * const good[] = { "", "   ", "   vf_token=" TOKEN_A "  " };
	char name[160];
	int fd;

	ASSERT_EQ(0, vdev_open(&self->b.w, &self->b.pf, VDEV_GROUP));

	for (unsigned int i = 0; i < NUM(bad); i++) {
		snprintf(name, sizeof(name), "%s%s", self->b.pf.bdf, bad[i]);
		EXPECT_EQ(-1, ioctl(self->b.w.group, VFIO_GROUP_GET_DEVICE_FD, name));
		EXPECT_EQ(EINVAL, errno)
			TH_LOG("'%s'", name);
	}
	for (unsigned int i = 0; i < NUM(none); i++) {
		snprintf(name, sizeof(name), "%s%s", self->b.pf.bdf, none[i]);
		EXPECT_EQ(-1, ioctl(self->b.w.group, VFIO_GROUP_GET_DEVICE_FD, name));
		EXPECT_EQ(ENODEV, errno)
			TH_LOG("'%s'", name);
	}
	for (unsigned int i = 0; i < NUM(good); i++) {
		snprintf(name, sizeof(name), "%s%s", self->b.pf.bdf, good[i]);
		fd = ioctl(self->b.w.group, VFIO_GROUP_GET_DEVICE_FD, name);
		EXPECT_LE(0, fd)
			TH_LOG("'%s'", name);
		close(fd);
	}
}

TEST_F_TIMEOUT(token, token_has_no_meaning_elsewhere, SLOW_S)
{
	struct slot edu;
	uint8_t buf[16] = {};

	NEED_STOCK("edu", &edu, 1);
	EXPECT_EQ(-EINVAL, vdev_open_token(&self->b.v, &edu, variant->mode, TOKEN_A));
	ASSERT_EQ(0, vdev_open(&self->b.v, &edu, variant->mode));
	EXPECT_EQ(-ENOTTY, vdev_feature(&self->b.v, VFIO_DEVICE_FEATURE_SET |
					VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, buf, 16));
}

TEST_F_TIMEOUT(sriov, pf_with_vfs_stays_in_d0, SLOW_S)
{
	unsigned int pm, ctrl;

	ASSERT_EQ(0, vdev_open(&self->b.w, &self->b.pf, VDEV_GROUP));
	pm = vdev_find_cap(&self->b.w, PCI_CAP_ID_PM);
	ASSERT_NE(0U, pm);
	ctrl = vdev_cfg(&self->b.w, pm + PCI_PM_CTRL, 2);
	ASSERT_EQ(0, vdev_cfg_set(&self->b.w, pm + PCI_PM_CTRL, 2, ctrl | 3));
	EXPECT_EQ(3U, vdev_cfg(&self->b.w, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);

	/* VFs wake their PF, and keep it awake. */
	ASSERT_EQ(0, make_vfs(&self->b.pf, self->b.vf));
	EXPECT_EQ(0U, vdev_cfg(&self->b.w, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
	ASSERT_EQ(0, vdev_cfg_set(&self->b.w, pm + PCI_PM_CTRL, 2, ctrl | 3));
	EXPECT_EQ(0U, vdev_cfg(&self->b.w, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);

	ASSERT_EQ(0, vf_set_num(&self->b.pf, 0));
	ASSERT_EQ(0, vdev_cfg_set(&self->b.w, pm + PCI_PM_CTRL, 2, ctrl | 3));
	EXPECT_EQ(3U, vdev_cfg(&self->b.w, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
}

TEST_F_TIMEOUT(sriov, vf_shows_ids_and_memory_enable, SLOW_S)
{
	ASSERT_EQ(0, make_vfs(&self->b.pf, self->b.vf));
	ASSERT_EQ(0, vdev_open_token(&self->b.w, &self->b.pf, VDEV_GROUP, TOKEN_A));
	ASSERT_EQ(0, vdev_open_token(&self->b.v, &self->b.vf[0], VDEV_GROUP, TOKEN_A));
	EXPECT_EQ(0x8086U, vdev_cfg(&self->b.v, PCI_VENDOR_ID, 2));
	EXPECT_EQ(0x10caU, vdev_cfg(&self->b.v, PCI_DEVICE_ID, 2));
	EXPECT_TRUE(vdev_cfg(&self->b.v, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	EXPECT_EQ(0U, vdev_cfg(&self->b.v, PCI_INTERRUPT_PIN, 1));
	ASSERT_EQ(0, vdev_reset(&self->b.v));
}

/*
 * The user of a VF is asked to close it, and waited for.  (Unbinding the PF does the same,
 * but Linux 7.3 with lockdep complains about each driver that removes its VFs then.)
 */
TEST_F_TIMEOUT(sriov, removing_vfs_waits_for_their_users, SLOW_S)
{
	int req = eventfd_new(), status;
	pid_t pid;

	ASSERT_EQ(0, make_vfs(&self->b.pf, self->b.vf));
	ASSERT_EQ(0, vdev_open_token(&self->b.w, &self->b.pf, VDEV_GROUP, TOKEN_A));
	vdev_close(&self->b.w);
	ASSERT_EQ(0, vdev_open_token(&self->b.v, &self->b.vf[1], VDEV_GROUP, TOKEN_A));
	ASSERT_EQ(0, vdev_irq_eventfds(&self->b.v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &req));

	pid = fork();
	if (!pid) {
		vdev_close(&self->b.v);
		_exit(vf_set_num(&self->b.pf, 0) ? 1 : 0);
	}
	EXPECT_TRUE(eventfd_wait(req, APPEAR_MS));
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	vdev_close(&self->b.v);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	EXPECT_EQ(-ENOENT, vf_find(&self->b.pf, 0, &self->b.vf[0]));
	close(req);
}

static bool has_driver(const char *driver)
{
	char text[96];

	snprintf(text, sizeof(text), "/sys/bus/pci/drivers/%s", driver);
	if (!access(text, F_OK))
		return true;
	snprintf(text, sizeof(text), "modprobe %s >/dev/null 2>&1", driver);
	return !system(text);
}

/* By name and by no other way: what the driver itself says. */
static int bind_to(const char *bdf, const char *driver)
{
	char path[128];
	int err = vdev_unbind(bdf);

	err = err ?: vdev_override(bdf, driver);
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	return err ?: sysfs_write(path, bdf);
}

TEST_F_TIMEOUT(sriov, vf_of_a_foreign_pf_is_refused, SLOW_S)
{
	const char *why = "whose VF token cannot be checked";
	int log = log_mark();
	char line[256] = "";

	if (!has_driver("vfio-pci"))
		SKIP(return, "vfio-pci cannot be loaded");
	ASSERT_LE(0, log);
	ASSERT_EQ(0, sysfs_write("/sys/module/vfio_pci/parameters/enable_sriov", "1"));
	ASSERT_EQ(0, vdev_bind(self->b.pf.bdf, "vfio-pci"));
	ASSERT_EQ(0, vf_set_num(&self->b.pf, 2));
	ASSERT_EQ(0, vf_find(&self->b.pf, 0, &self->b.vf[0]));

	EXPECT_EQ(-EPERM, bind_to(self->b.vf[0].bdf, "vpv_pci"));
	EXPECT_EQ(1, log_count(log, why, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, self->b.vf[0].bdf));
	EXPECT_NE(NULL, strstr(line, self->b.pf.bdf));
	EXPECT_NE(NULL, strstr(line, "vfio-pci"));
	/* It is not the VF, and not the way of binding. */
	EXPECT_EQ(0, bind_to(self->b.vf[0].bdf, "vfio-pci"));
	EXPECT_EQ(0, log_count(log, why, NULL, 0));

	ASSERT_EQ(0, vf_set_num(&self->b.pf, 0));
	ASSERT_EQ(0, vdev_bind(self->b.pf.bdf, "vpv_pci"));
	ASSERT_EQ(0, make_vfs(&self->b.pf, self->b.vf));
	EXPECT_EQ(0, bind_to(self->b.vf[0].bdf, "vpv_pci"));
	close(log);
}

/* Nobody can keep the host's administrator from it, but it is said. */
TEST_F_TIMEOUT(sriov, vf_that_is_taken_by_vfio_pci_needs_no_token, SLOW_S)
{
	const char *why = "bound to vfio-pci, while the user of its PF can read what it does";
	int log = log_mark();
	char line[256] = "";

	if (!has_driver("vfio-pci"))
		SKIP(return, "vfio-pci cannot be loaded");
	ASSERT_LE(0, log);
	ASSERT_EQ(0, make_vfs(&self->b.pf, self->b.vf));
	EXPECT_EQ(-EACCES, vdev_open(&self->b.v, &self->b.vf[0], VDEV_GROUP));
	vdev_close(&self->b.v);
	EXPECT_EQ(0, log_count(log, why, NULL, 0));
	ASSERT_EQ(0, vdev_bind(self->b.vf[0].bdf, "vfio-pci"));
	EXPECT_EQ(1, log_count(log, why, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, self->b.vf[0].bdf));
	EXPECT_EQ(0, vdev_open(&self->b.v, &self->b.vf[0], VDEV_GROUP));
	vdev_close(&self->b.v);
	EXPECT_EQ(0, vdev_bind(self->b.vf[0].bdf, "vpv_pci"));
	close(log);
}

/* The host has the PF: there is nobody whose token it could be. */
TEST_F_TIMEOUT(token, vf_of_a_pf_of_the_host_has_none, SLOW_S)
{
	uint8_t buf[16] = {};

	if (!has_driver("igb"))
		SKIP(return, "igb cannot be loaded");
	ASSERT_EQ(0, bind_to(self->b.pf.bdf, "igb"));
	ASSERT_EQ(0, make_vfs(&self->b.pf, self->b.vf));
	EXPECT_EQ(-EINVAL, vdev_open_token(&self->b.v, &self->b.vf[0], variant->mode, TOKEN_A));
	ASSERT_EQ(0, vdev_open(&self->b.v, &self->b.vf[0], variant->mode));
	EXPECT_EQ(-ENOTTY, vdev_feature(&self->b.v, VFIO_DEVICE_FEATURE_SET |
					VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, buf, 16));
	EXPECT_EQ(0x10caU, vdev_cfg(&self->b.v, PCI_DEVICE_ID, 2));
	vdev_close(&self->b.v);
	ASSERT_EQ(0, vf_set_num(&self->b.pf, 0));
	ASSERT_EQ(0, vdev_bind(self->b.pf.bdf, "vpv_pci"));
}

TEST_HARNESS_MAIN
