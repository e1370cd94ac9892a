// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory: the table of IOVA mappings, and reads and writes through it.
 *
 * A file behind mappings is mapped into this process once, however many IOVA ranges
 * point into it: with a vIOMMU there may be one per page.  The client may shrink such a
 * file at any time, so copies catch SIGBUS and fail with EFAULT.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vu_dev.h"

/*
 * @base: mapping of the whole file, or NULL for access by pread and pwrite
 * @prot: PROT_* of the mapping
 */
struct vu_file {
	struct vu_file *next;
	dev_t st_dev;
	ino_t st_ino;
	uint64_t bytes;
	int prot;
	int fd;
	uint8_t *base;
	size_t refs;
};

/* @file: NULL for access by message; @offset: of @iova in the file */
struct vu_map {
	uint64_t iova, last;
	uint32_t flags;
	struct vu_file *file;
	uint64_t offset;
};

/* ---- files ---- */

static struct vu_file *file_find(struct vu_dma *dma, const struct stat *st, int prot, bool mapped)
{
	struct vu_file *f;

	for (f = dma->files; f; f = f->next)
		if (f->st_dev == st->st_dev && f->st_ino == st->st_ino && f->prot == prot &&
		    f->bytes == (uint64_t)st->st_size && mapped == (f->base != NULL))
			return f;
	return NULL;
}

static int file_open(struct vu_file *f, int fd, const struct stat *st, int prot, bool mapped)
{
	void *base = NULL;

	if (mapped) {
		base = mmap(NULL, (size_t)st->st_size, prot, MAP_SHARED | MAP_NORESERVE, fd, 0);
		if (base == MAP_FAILED)
			return -errno;
	}
	*f = (struct vu_file) {
		.st_dev = st->st_dev, .st_ino = st->st_ino, .bytes = (uint64_t)st->st_size,
		.prot = prot, .base = base, .fd = -1,
	};
	return 0;
}

/* Consumes @fd. */
static struct vu_file *file_get(struct vu_dma *dma, int fd, const struct vu_dma_map_msg *msg,
				int *err)
{
	bool mapped = !(msg->flags & VU_DMA_MODE_FILE);
	int prot = (msg->flags & VU_DMA_READABLE ? PROT_READ : 0) |
		   (msg->flags & VU_DMA_WRITABLE ? PROT_READ | PROT_WRITE : 0);
	struct vu_file *f = NULL;
	struct stat st;

	*err = fstat(fd, &st) ? -errno : 0;
	if (!*err && (st.st_size <= 0 || msg->offset >= (uint64_t)st.st_size ||
		      msg->size > (uint64_t)st.st_size - msg->offset))
		*err = -EINVAL;
	if (*err)
		goto out;
	f = file_find(dma, &st, prot, mapped);
	if (!f) {
		f = malloc(sizeof(*f));
		*err = f ? file_open(f, fd, &st, prot, mapped) : -ENOMEM;
		if (*err) {
			free(f);
			f = NULL;
			goto out;
		}
		if (!mapped) {
			f->fd = fd;
			fd = -1;
		}
		f->next = dma->files;
		dma->files = f;
	}
	f->refs++;
out:
	if (fd >= 0)
		close(fd);
	return f;
}

static void file_put(struct vu_dma *dma, struct vu_file *f)
{
	struct vu_file **at = &dma->files;

	if (!f || --f->refs)
		return;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	if (f->base)
		munmap(f->base, (size_t)f->bytes);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

/* ---- the table ---- */

/* Index of the first mapping that ends at or after @iova. */
static size_t map_index(const struct vu_dma *dma, uint64_t iova)
{
	size_t lo = 0, hi = dma->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (dma->maps[mid].last < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int map_room(struct vu_dma *dma)
{
	size_t room = dma->room ? dma->room * 2 : 64;
	struct vu_map *maps;

	if (dma->count < dma->room)
		return 0;
	maps = realloc(dma->maps, room * sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	dma->maps = maps;
	dma->room = room;
	return 0;
}

static void map_insert(struct vu_dma *dma, size_t at, struct vu_map map)
{
	memmove(&dma->maps[at + 1], &dma->maps[at], (dma->count - at) * sizeof(map));
	dma->maps[at] = map;
	dma->count++;
}

int vu_dma_map(struct vu_dev *dev, const struct vu_dma_map_msg *msg, int fd, uint32_t max_maps)
{
	struct vu_dma *dma = &dev->dma;
	uint64_t last = msg->iova + (msg->size - 1);
	size_t at = map_index(dma, msg->iova);
	struct vu_file *file = NULL;
	int err = 0;

	if (at < dma->count && dma->maps[at].iova <= last)
		err = -EEXIST;
	else if (dma->count >= max_maps)
		err = -ENOSPC;
	else
		err = map_room(dma);
	if (err) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	if (fd >= 0) {
		file = file_get(dma, fd, msg, &err);
		if (!file)
			return err;
	}
	map_insert(dma, at, (struct vu_map) {
		.iova = msg->iova, .last = last, .flags = msg->flags, .file = file,
		.offset = msg->offset,
	});
	return 0;
}

/*
 * Remove [iova, last] from the table.  Ranges that were never mapped are fine (QEMU sends
 * them); a mapping that is only partly covered loses that part, never more.
 */
static int unmap_range(struct vu_dma *dma, uint64_t iova, uint64_t last)
{
	size_t at = map_index(dma, iova), first;

	if (!dma->count)
		return 0;
	if (at < dma->count && dma->maps[at].iova < iova) {
		struct vu_map tail = dma->maps[at];

		if (tail.last > last) {
			int err = map_room(dma);

			if (err)
				return err;
			tail.offset += last + 1 - tail.iova;
			tail.iova = last + 1;
			if (tail.file)
				tail.file->refs++;
			map_insert(dma, at + 1, tail);
		}
		dma->maps[at].last = iova - 1;
		at++;
	}
	for (first = at; at < dma->count && dma->maps[at].last <= last; at++)
		file_put(dma, dma->maps[at].file);
	if (at < dma->count && dma->maps[at].iova <= last) {
		dma->maps[at].offset += last + 1 - dma->maps[at].iova;
		dma->maps[at].iova = last + 1;
	}
	memmove(&dma->maps[first], &dma->maps[at], (dma->count - at) * sizeof(*dma->maps));
	dma->count -= at - first;
	return 0;
}

int vu_dma_unmap(struct vu_dev *dev, const struct vu_dma_unmap_msg *msg)
{
	if (msg->flags & VFIO_DMA_UNMAP_FLAG_ALL)
		return unmap_range(&dev->dma, 0, UINT64_MAX);
	return unmap_range(&dev->dma, msg->iova, msg->iova + (msg->size - 1));
}

void vu_dma_clear(struct vu_dev *dev)
{
	struct vu_dma *dma = &dev->dma;

	for (size_t i = 0; i < dma->count; i++)
		file_put(dma, dma->maps[i].file);
	free(dma->maps);
	memset(dma, 0, sizeof(*dma));
}

/* ---- access ---- */

static sigjmp_buf bus_jump;
static volatile sig_atomic_t bus_armed;

static void on_sigbus(int sig)
{
	if (bus_armed)
		siglongjmp(bus_jump, 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_sigbus(void)
{
	struct sigaction act = { .sa_handler = on_sigbus, .sa_flags = SA_NODEFER };
	static bool done;

	if (!done)
		sigaction(SIGBUS, &act, NULL);
	done = true;
}

static int guarded_copy(void *dst, const void *src, size_t len)
{
	catch_sigbus();
	if (!sigsetjmp(bus_jump, 0)) {
		bus_armed = 1;
		memcpy(dst, src, len);
		bus_armed = 0;
		return 0;
	}
	bus_armed = 0;
	return -EFAULT;
}

static int file_access(const struct vu_file *f, bool write, uint64_t off, uint8_t *buf, size_t len)
{
	if (f->base)
		return write ? guarded_copy(f->base + off, buf, len) :
			       guarded_copy(buf, f->base + off, len);
	while (len) {
		ssize_t n = write ? pwrite(f->fd, buf, len, (off_t)off) :
				    pread(f->fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EFAULT;
		buf += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static bool may_access(const struct vu_dev *dev)
{
	return dev->dma.begun || vu_bus_master(dev);
}

/* One piece that lies in one mapping; *len is cut to it. */
static int access_piece(struct vu_dev *dev, bool write, uint64_t iova, uint8_t *buf, size_t *len)
{
	size_t at = map_index(&dev->dma, iova);
	const struct vu_map *map;
	uint64_t left;

	if (!may_access(dev))
		return -EPERM;
	if (at >= dev->dma.count || dev->dma.maps[at].iova > iova)
		return -EFAULT;
	map = &dev->dma.maps[at];
	if (!(map->flags & (write ? VU_DMA_WRITABLE : VU_DMA_READABLE)))
		return -EACCES;
	left = map->last - iova;
	if (*len - 1 > left)
		*len = (size_t)left + 1;
	if (map->file)
		return file_access(map->file, write, map->offset + (iova - map->iova), buf, *len);
	if (!dev->front)
		return -EDEADLK;
	return dev->front->dma(dev->front, write, iova, buf, len);
}

static int dma_fault(struct vu_dev *dev, bool write)
{
	unsigned int id = write ? VU_FAULT_DMA_WRITE : VU_FAULT_DMA_READ;
	struct vu_fault_hit hit;
	int err;

	if (!vu_fault_take(dev, id, &hit))
		return 0;
	err = dev->front->wait(dev->front, id, &hit);
	return !err && hit.fail ? -EIO : err;
}

static int access_range(struct vu_dev *dev, bool write, uint64_t iova, uint8_t *buf, size_t len)
{
	uint64_t resets = dev->reset_count;
	int err;

	if (!len)
		return 0;
	if (iova + (len - 1) < iova)
		return -EFAULT;
	err = dma_fault(dev, write);
	while (len && !err) {
		size_t n = len;

		err = access_piece(dev, write, iova, buf, &n);
		if (dev->reset_count != resets)
			return -ECANCELED;
		if (err)
			break;
		if (write)
			vu_ledger_add(&dev->ledger, iova, n);
		iova += n;
		buf += n;
		len -= n;
	}
	if (err)
		dev->stats.dma_faults++;
	return err;
}

void vu_dma_begun(struct vu_dev *dev, bool begun)
{
	dev->dma.begun = begun;
}

/* What is counted is what reaches the bus. */
int vu_dma_read(struct vu_dev *dev, uint64_t iova, void *buf, size_t len)
{
	if (!may_access(dev))
		return -EPERM;
	dev->stats.dma_reads++;
	dev->stats.dma_read_bytes += len;
	return access_range(dev, false, iova, buf, len);
}

int vu_dma_write(struct vu_dev *dev, uint64_t iova, const void *buf, size_t len)
{
	if (!may_access(dev))
		return -EPERM;
	dev->stats.dma_writes++;
	dev->stats.dma_write_bytes += len;
	return access_range(dev, true, iova, (uint8_t *)(uintptr_t)buf, len);
}
