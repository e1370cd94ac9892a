// SPDX-License-Identifier: GPL-2.0
/* The managing controller by its character device, sysfs and configfs: see nvmectrl.h. */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"
#include "nvmectrl.h"

uint8_t ctrl_data[NVS_IDENTIFY_BYTES * 32];

/* ---- Commands ---- */

struct nvme_passthru_cmd ctrl_command(uint8_t opcode, uint32_t cdw10, uint32_t cdw11,
				      uint32_t bytes)
{
	return (struct nvme_passthru_cmd){
		.opcode = opcode, .cdw10 = cdw10, .cdw11 = cdw11,
		.addr = bytes ? (uintptr_t)ctrl_data : 0, .data_len = bytes,
	};
}

/* The NVMe status without Do Not Retry, or a negative errno. */
int ctrl_admin(int fd, struct nvme_passthru_cmd *cmd)
{
	int ret = ioctl(fd, NVME_IOCTL_ADMIN_CMD, cmd);

	return ret < 0 ? -errno : (int)(ret & NVS_SC_MASK);
}

int ctrl_simple(int fd, uint8_t opcode, uint32_t cdw10, uint32_t cdw11)
{
	struct nvme_passthru_cmd cmd = ctrl_command(opcode, cdw10, cdw11, 0);

	return ctrl_admin(fd, &cmd);
}

int ctrl_identify(int fd)
{
	struct nvme_passthru_cmd cmd = ctrl_command(NVS_ADMIN_IDENTIFY, NVS_CNS_CONTROLLER, 0,
						    NVS_IDENTIFY_BYTES);

	return ctrl_admin(fd, &cmd);
}

int ctrl_suspend(int fd, uint16_t cntlid)
{
	return ctrl_simple(fd, NVS_ADMIN_MIGRATION_SEND, NVS_SEND_SUSPEND,
			   NVS_SUSPEND << 16 | cntlid);
}

int ctrl_resume(int fd, uint16_t cntlid)
{
	return ctrl_simple(fd, NVS_ADMIN_MIGRATION_SEND, NVS_SEND_RESUME, cntlid);
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

int ctrl_node_open(const char *bdf)
{
	uint64_t end = now_ms() + CTRL_PROMPT_MS;
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

int ctrl_bind(const char *bdf)
{
	char driver[64];
	int err = vdev_driver(bdf, driver, sizeof(driver));

	if (err || !strcmp(driver, CTRL_DRIVER))
		return err;
	return sysfs_write("/sys/bus/pci/drivers/" CTRL_DRIVER "/bind", bdf);
}

/* As firmware does that has used a controller, or tried to, and left it. */
int ctrl_leave_enabled(const char *bdf)
{
	char path[128];
	volatile uint32_t *regs;
	int fd, err = vdev_sysfs_write(bdf, "enable", "1");

	if (err)
		return err;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%d", bdf, NVCF_BAR);
	fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	regs = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	err = -errno;
	close(fd);
	if (regs == MAP_FAILED)
		return err;
	regs[NVS_REG_CC / 4] = htole32(NVS_CC_EN);
	err = regs[NVS_REG_CC / 4] & htole32(NVS_CC_EN) ? 0 : -EIO;
	munmap((void *)regs, 4096);
	return err;
}

int ctrl_config_write(const struct slot *ctrl, unsigned int cntlid, const char *file,
		      const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), CTRL_CONFIGFS "/" CTRL_DRIVER "/%s/%u/%s", ctrl->bdf, cntlid,
		 file);
	return sysfs_write(path, text);
}

int ctrl_config_read(const struct slot *ctrl, unsigned int cntlid, const char *file, char *buf,
		     size_t room)
{
	char path[192];

	snprintf(path, sizeof(path), CTRL_CONFIGFS "/" CTRL_DRIVER "/%s/%u/%s", ctrl->bdf, cntlid,
		 file);
	memset(buf, 0, room);
	return sysfs_read(path, buf, room);
}

bool ctrl_config_is(const struct slot *ctrl, unsigned int cntlid, const char *file,
		    const char *text)
{
	char buf[256];

	if (ctrl_config_read(ctrl, cntlid, file, buf, sizeof(buf)))
		return false;
	buf[strcspn(buf, "\n")] = 0;
	if (strcmp(buf, text))
		printf("# %s is '%s', not '%s'\n", file, buf, text);
	return !strcmp(buf, text);
}

/* Works again, after a reset. */
bool ctrl_works(int fd)
{
	uint64_t end = now_ms() + CTRL_PROMPT_MS;

	while (ctrl_identify(fd)) {
		if (now_ms() > end)
			return false;
		usleep(20000);
	}
	return true;
}

/* So many functions have been published since the last time: no less and no more. */
bool ctrl_published(int log, int want)
{
	uint64_t end = now_ms() + CTRL_PROMPT_MS;
	int num = 0;

	for (;;) {
		num += log_count(log, " as function ", NULL, 0);
		if (num >= want || now_ms() > end)
			return num == want;
		usleep(20000);
	}
}
