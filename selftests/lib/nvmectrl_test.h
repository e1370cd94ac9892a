/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two subsystems of nvme_cf: the controllers of the first one have a profile, those of the second
 * one have none.  For test programs, behind lib/test.h.
 */
#ifndef SELFTEST_NVMECTRL_TEST_H
#define SELFTEST_NVMECTRL_TEST_H

#include <sys/mount.h>

#include "log.h"
#include "model.h"
#include "nvmectrl.h"

#define FNS	2
#define FIRST	NVCF_CNTLID_FIRST

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
	if (access(CTRL_CONFIGFS "/" CTRL_DRIVER, F_OK))
		mount("configfs", CTRL_CONFIGFS, "configfs", 0, NULL);
	ASSERT_EQ(0, sysfs_write(CTRL_TIMEOUT, "1000"));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, ctrl_bind(self->ctrl[i].bdf));
	for (int i = 0; i < 2 * FNS; i++) {
		ASSERT_EQ(0, vdev_unbind(self->fn[i].bdf));
		/* The firmware of the machine leaves controllers enabled, with queues. */
		ASSERT_EQ(0, vdev_sysfs_write(self->fn[i].bdf, "reset", "1"));
	}
	ASSERT_EQ(0, model_open(&self->m, &self->ctrl[0]));
	self->fd = ctrl_node_open(self->ctrl[0].bdf);
	ASSERT_LE(0, self->fd);
	self->log = log_mark();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(nvme_ctrl)
{
	if (self->m.fd >= 0) {
		model_cmd(&self->m, "fault clear");
		model_cmd(&self->m, "claim clear");
		model_close(&self->m);
	}
	sysfs_write(CTRL_TIMEOUT, "10000");
	close(self->fd);
	close(self->log);
}

#endif /* SELFTEST_NVMECTRL_TEST_H */
