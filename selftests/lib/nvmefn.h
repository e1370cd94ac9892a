/* SPDX-License-Identifier: GPL-2.0 */
/* nvme_cf functions for tests: bound to our drivers. */
#ifndef SELFTEST_NVMEFN_H
#define SELFTEST_NVMEFN_H

#include "device.h"

#define NVME_DRIVER	"vpv_nvme_cf"
#define NVME_CTRL	"vpv_nvme_ctrl"

/* Managing controllers, bound to their driver; their number. */
int nvme_managing(struct slot *slots, int max);
/* Migratable controllers, bound to our driver, as are their managing ones; their number. */
int nvme_functions(struct slot *slots, int max);

/*
 * Write or read a file of a controller in configfs, such as "serial" or "namespace1/uuid";
 * -ENOENT if none of the managing controllers has it.
 */
int nvme_profile_write(const struct slot *fn, const char *file, const char *text);
int nvme_profile_read(const struct slot *fn, const char *file, char *buf, size_t room);

#endif /* SELFTEST_NVMEFN_H */
