/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The managing controller of nvme_cf as its driver (vpv_nvme_ctrl) offers it: commands by its
 * character device, profiles by configfs.  Functions return 0 or a negative errno; what sends
 * a command may also return an NVMe status, without Do Not Retry.
 */
#ifndef SELFTEST_NVMECTRL_H
#define SELFTEST_NVMECTRL_H

#include <linux/nvme_ioctl.h>

#include <hw/nvme_cf.h>
#include <hw/nvme_cf_spec.h>

#include "device.h"

#define CTRL_DRIVER	"vpv_nvme_ctrl"
#define CTRL_CONFIGFS	"/sys/kernel/config"
#define CTRL_TIMEOUT	"/sys/module/" CTRL_DRIVER "/parameters/timeout_ms"

/* Whatever the driver has to do takes no longer than that. */
#define CTRL_PROMPT_MS	20000

/* Data of commands. */
extern uint8_t ctrl_data[NVS_IDENTIFY_BYTES * 32];

/* A command with so many bytes of ctrl_data. */
struct nvme_passthru_cmd ctrl_command(uint8_t opcode, uint32_t cdw10, uint32_t cdw11,
				      uint32_t bytes);
int ctrl_admin(int fd, struct nvme_passthru_cmd *cmd);
/* Without data. */
int ctrl_simple(int fd, uint8_t opcode, uint32_t cdw10, uint32_t cdw11);
int ctrl_identify(int fd);
int ctrl_suspend(int fd, uint16_t cntlid);
int ctrl_resume(int fd, uint16_t cntlid);

/* Open the character device, which may not be there yet: an fd. */
int ctrl_node_open(const char *bdf);
int ctrl_bind(const char *bdf);
int ctrl_leave_enabled(const char *bdf);

/* A file of the folder of a controller in configfs; one line. */
int ctrl_config_write(const struct slot *ctrl, unsigned int cntlid, const char *file,
		      const char *text);
bool ctrl_config_is(const struct slot *ctrl, unsigned int cntlid, const char *file,
		    const char *text);

/* Does it work again, after a reset? */
bool ctrl_works(int fd);
/* Have so many functions been published since the last time, no less and no more? */
bool ctrl_published(int log, int want);

#endif /* SELFTEST_NVMECTRL_H */
