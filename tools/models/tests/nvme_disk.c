// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "nvme_disk.h"

void open_subsystem(struct disk *d, const char *path, const char *more)
{
	char *options[] = { "profile=1", d->option, (char *)(uintptr_t)more, NULL };

	snprintf(d->option, sizeof(d->option), "disk1=%s", path);
	d->owner = rig_open(vu_model_find("nvme_cf"), options);
	nvmh_open(&d->h, d->owner, 0);
	CHECK(nvmh_enable(&d->h));
	CHECK_EQ(nvmh_create_pair(&d->h, 1, 64), 0);
}

void open_disk(struct disk *d, const char *more)
{
	snprintf(d->path, sizeof(d->path), "/tmp/nvme_cf.XXXXXX");
	d->fd = mkstemp(d->path);
	if (d->fd < 0 || ftruncate(d->fd, 8 << 20))
		abort();
	open_subsystem(d, d->path, more);
}

void close_subsystem(struct disk *d)
{
	nvmh_close(&d->h);
	rig_close(d->owner);
}

void close_disk(struct disk *d)
{
	close_subsystem(d);
	close(d->fd);
	unlink(d->path);
}

void fill(struct disk *d, uint32_t bytes, uint32_t seed)
{
	for (uint32_t i = 0; i < bytes; i++)
		d->h.data[i] = (uint8_t)(i * 7 + i / 512 + seed);
}

bool filled(struct disk *d, uint32_t bytes, uint32_t seed)
{
	for (uint32_t i = 0; i < bytes; i++)
		if (d->h.data[i] != (uint8_t)(i * 7 + i / 512 + seed))
			return false;
	return true;
}

int rw(struct disk *d, uint8_t opcode, uint64_t slba, uint32_t nlb)
{
	return nvmh_rw(&d->h, 1, opcode, 1, slba, nlb, nlb * 512);
}
