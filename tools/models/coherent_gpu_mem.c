// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu: its memory (section 2), a file that others map as well.
 *
 * CPUs do not tell anybody what they access.  But a reset makes the whole file a hole, and
 * who touches a page of it before it is ready leaves something there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coherent_gpu.h"

#define MIB	(1024ull * 1024)

static int open_file(const char *path, uint64_t bytes)
{
	struct stat st;
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) :
		 memfd_create("coherent_gpu", MFD_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) || (st.st_size && (uint64_t)st.st_size != bytes) ||
	    ftruncate(fd, (off_t)bytes)) {
		fprintf(stderr, "vpv-model: memory %s: need a file of %llu bytes\n", path ?: "",
			(unsigned long long)bytes);
		if (fd >= 0)
			close(fd);
		return -EINVAL;
	}
	return fd;
}

static int empty(struct cgpu_mem *m)
{
	return fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)m->bytes);
}

static int add_part(struct cgpu_mem *m, unsigned int n, uint64_t first, uint64_t from,
		    uint64_t bytes)
{
	m->part[n] = (struct cgpu_part){
		.first = first, .bytes = bytes, .at = m->map + from,
		.log = calloc(bytes / VU_PAGE_BYTES / 64 + 1, sizeof(uint64_t)),
	};
	return m->part[n].log ? 0 : -ENOMEM;
}

static int take_size(struct cgpu *g, uint64_t *carve)
{
	uint64_t size = 256, c = 0;

	if (vu_option_u64(g->dev, "size", CGPU_MEM_MIN / MIB, CGPU_MEM_MAX / MIB, &size) ||
	    vu_option_u64(g->dev, "carveout", 0, size / 2, &c))
		return -EINVAL;
	g->mem.bytes = size * MIB;
	*carve = c * MIB;
	if (g->mem.bytes % CGPU_MEM_ALIGN || *carve % CGPU_CARVE_ALIGN) {
		fprintf(stderr, "vpv-model: size is in steps of 128, carveout of 2 MiB\n");
		return -EINVAL;
	}
	return 0;
}

int cgpu_mem_open(struct cgpu *g)
{
	struct cgpu_mem *m = &g->mem;
	uint64_t carve;
	int err;

	m->fd = -1;
	err = take_size(g, &carve);
	if (err)
		return err;
	m->fd = open_file(vu_option(g->dev, VU_MEMORY), m->bytes);
	if (m->fd < 0)
		return m->fd;
	m->map = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m->fd, 0);
	if (m->map == MAP_FAILED) {
		m->map = NULL;
		return -errno;
	}
	if (empty(m)) {
		fprintf(stderr, "vpv-model: memory: the file cannot have holes\n");
		return -EINVAL;
	}
	err = add_part(m, CGPU_MAIN, 0, 0, m->bytes - carve);
	return err ?: add_part(m, CGPU_CARVE, CGPU_CARVE_BASE, m->bytes - carve, carve);
}

void cgpu_mem_close(struct cgpu *g)
{
	struct cgpu_mem *m = &g->mem;

	if (m->map)
		munmap(m->map, m->bytes);
	if (m->fd >= 0)
		close(m->fd);
	for (unsigned int n = 0; n < CGPU_PARTS; n++)
		free(m->part[n].log);
	vu_ledger_clear(&m->written);
}

void cgpu_mem_reset(struct cgpu *g)
{
	struct cgpu_mem *m = &g->mem;

	if (empty(m))
		memset(m->map, 0, m->bytes);
	m->log_ctrl = 0;
	m->log_lost = false;
	cgpu_poison_reset(g);
}

static void note_early(struct cgpu_mem *m, uint64_t from, uint64_t end)
{
	uint64_t carve = m->part[CGPU_MAIN].bytes;

	for (; from < end; from += VU_PAGE_BYTES) {
		if (m->num_early < CGPU_EARLY_MAX)
			m->early[m->num_early] = from < carve ? from :
						 from - carve + CGPU_CARVE_BASE;
		m->num_early++;
	}
}

void cgpu_mem_ready(struct cgpu *g)
{
	struct cgpu_mem *m = &g->mem;
	off_t from = 0, end;

	while ((from = lseek(m->fd, from, SEEK_DATA)) >= 0) {
		end = lseek(m->fd, from, SEEK_HOLE);
		if (end <= from)
			break;
		note_early(m, (uint64_t)from & ~(VU_PAGE_BYTES - 1ull), (uint64_t)end);
		from = end;
	}
}

static uint8_t *find(const struct cgpu *g, uint64_t addr, uint64_t len)
{
	for (unsigned int n = 0; n < CGPU_PARTS; n++) {
		const struct cgpu_part *p = &g->mem.part[n];
		uint64_t off = addr - p->first;

		if (addr >= p->first && off < p->bytes && len <= p->bytes - off)
			return p->at + off;
	}
	return NULL;
}

bool cgpu_mem_exists(const struct cgpu *g, uint64_t addr, uint64_t len)
{
	return find(g, addr, len);
}

uint32_t cgpu_mem_read(struct cgpu *g, uint64_t addr, void *buf, size_t len)
{
	const uint8_t *at = find(g, addr, len);

	if (!at)
		return CGPU_BAD_ADDRESS;
	if (cgpu_poisoned(g, addr, len))
		return CGPU_POISONED;
	memcpy(buf, at, len);
	return CGPU_OK;
}

uint32_t cgpu_mem_write(struct cgpu *g, uint64_t addr, const void *buf, size_t len)
{
	uint8_t *at = find(g, addr, len);

	if (!at)
		return CGPU_BAD_ADDRESS;
	if (cgpu_poisoned(g, addr, len))
		return CGPU_POISONED;
	/* One thread writes and reads the log: nobody sees the mark without the write. */
	cgpu_log_write(g, addr, len);
	vu_ledger_add(&g->mem.written, addr, len);
	memcpy(at, buf, len);
	return CGPU_OK;
}
