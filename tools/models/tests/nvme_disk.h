/* SPDX-License-Identifier: GPL-2.0 */
/* A subsystem with a file as its disk, and one pair of I/O queues, for tests. */
#ifndef NVME_DISK_H
#define NVME_DISK_H

#include "nvme_host.h"

#define DATA		nvmh_addr(NVMH_DATA)

struct disk {
	struct rig *owner;
	struct nvmh h;
	char path[64], option[80];
	int fd;
};

/* With a new file of 8 MiB, which goes with the subsystem; @more: another option, or NULL. */
void open_disk(struct disk *d, const char *more);
void close_disk(struct disk *d);
/* With a file that is there. */
void open_subsystem(struct disk *d, const char *path, const char *more);
void close_subsystem(struct disk *d);
/* Contents of the data of commands that are different for each block and @seed. */
void fill(struct disk *d, uint32_t bytes, uint32_t seed);
bool filled(struct disk *d, uint32_t bytes, uint32_t seed);
/* A command for blocks of 512 bytes. */
int rw(struct disk *d, uint8_t opcode, uint64_t slba, uint32_t nlb);

#endif /* NVME_DISK_H */
