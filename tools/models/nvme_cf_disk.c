// SPDX-License-Identifier: GPL-2.0
/*
 * nvme_cf: raw files behind namespaces.  Two processes may have the same file, as two hosts
 * share a disk: the lock on it belongs to the one whose controllers run.  The write cache
 * lives in this process, so that a flush that was left out shows when it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nvme_cf.h"

#define LINE_BYTES	4096u
#define SECTOR		512u
#define SECTORS		(LINE_BYTES / SECTOR)

/* @valid: bit n: sector n is newer than the file; 0 = free */
struct nvcf_line {
	uint64_t at;
	uint8_t valid;
	uint8_t data[LINE_BYTES];
};

/* ---- life cycle and lock ---- */

/* One that was made has the size of one in memory. */
static int open_file(const char *path, uint64_t bytes, bool readonly)
{
	struct stat st;
	int fd = path ? open(path, (readonly ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0600) :
			memfd_create("nvme_cf", MFD_CLOEXEC);

	if (fd >= 0 && !readonly && !fstat(fd, &st) && !st.st_size &&
	    ftruncate(fd, (off_t)bytes)) {
		close(fd);
		return -1;
	}
	return fd;
}

struct nvcf_disk *nvcf_disk_open(const char *path, uint64_t bytes, uint64_t cache, bool readonly)
{
	struct nvcf_disk *d = calloc(1, sizeof(*d));
	struct stat st;

	if (!d)
		return NULL;
	d->readonly = readonly;
	d->num_lines = (uint32_t)(cache / LINE_BYTES);
	d->lines = calloc(d->num_lines ? d->num_lines : 1, sizeof(*d->lines));
	d->fd = d->lines ? open_file(path, bytes, readonly) : -1;
	if (d->fd < 0 || fstat(d->fd, &st) || st.st_size < LINE_BYTES) {
		fprintf(stderr, "vpv-model: %s is not a file of at least %u bytes\n",
			path ? path : "(no name)", LINE_BYTES);
		nvcf_disk_close(d);
		return NULL;
	}
	d->file_bytes = (uint64_t)st.st_size / LINE_BYTES * LINE_BYTES;
	d->bytes = d->file_bytes;
	return d;
}

void nvcf_disk_close(struct nvcf_disk *d)
{
	if (!d)
		return;
	if (d->used)
		nvcf_disk_flush(d);
	if (d->fd >= 0)
		close(d->fd);
	free(d->lines);
	free(d);
}

bool nvcf_disk_hold(struct nvcf_disk *d, unsigned int holder)
{
	/* Who can only read disturbs nobody. */
	if (!d->readonly && ((d->holders & ~(1u << holder)) ||
			     (!d->locked && flock(d->fd, LOCK_EX | LOCK_NB))))
		return false;
	d->locked = true;
	d->holders |= 1u << holder;
	return true;
}

bool nvcf_disk_held(const struct nvcf_disk *d, unsigned int holder)
{
	return d->holders >> holder & 1;
}

int nvcf_disk_release(struct nvcf_disk *d, unsigned int holder)
{
	int err;

	if (!nvcf_disk_held(d, holder))
		return 0;
	err = nvcf_disk_flush(d);
	if (err)
		return err;
	d->holders &= ~(1u << holder);
	if (!d->holders) {
		flock(d->fd, LOCK_UN);
		d->locked = false;
	}
	return 0;
}

void nvcf_disk_unlocked(struct nvcf_disk *d)
{
	if (!d->unlocked_writes++)
		fprintf(stderr, "vpv-model: BUG: a disk is used without its lock\n");
}

/* ---- the file ---- */

static int file_write(struct nvcf_disk *d, uint64_t off, const uint8_t *buf, size_t len)
{
	if (!d->locked) {
		nvcf_disk_unlocked(d);
		return -EPERM;
	}
	while (len) {
		ssize_t n = pwrite(d->fd, buf, len, (off_t)off);

		if (n <= 0 && errno != EINTR)
			return -EIO;
		if (n > 0) {
			buf += n;
			off += (uint64_t)n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int file_read(struct nvcf_disk *d, uint64_t off, uint8_t *buf, size_t len)
{
	while (len) {
		ssize_t n = pread(d->fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		buf += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* ---- the cache ---- */

/* The line of @at, or a free one for it; NULL when all are taken. */
static struct nvcf_line *line_of(struct nvcf_disk *d, uint64_t at)
{
	uint64_t slot = at / LINE_BYTES * 0x9e3779b97f4a7c15ull >> 32;

	for (uint32_t i = 0; i < d->num_lines; i++) {
		struct nvcf_line *l = &d->lines[(slot + i) % d->num_lines];

		if (!l->valid || l->at == at)
			return l;
	}
	return NULL;
}

static int line_write_back(struct nvcf_disk *d, const struct nvcf_line *l)
{
	int err = 0;

	for (unsigned int s = 0, n; s < SECTORS && !err; s += n) {
		n = 1;
		if (!(l->valid >> s & 1))
			continue;
		while (s + n < SECTORS && (l->valid >> (s + n) & 1))
			n++;
		err = file_write(d, l->at + s * SECTOR, l->data + s * SECTOR, n * SECTOR);
	}
	return err;
}

/* Lines are freed all at once: a free one ends a search. */
int nvcf_disk_flush(struct nvcf_disk *d)
{
	for (uint32_t i = 0; i < d->num_lines && d->used; i++) {
		int err = line_write_back(d, &d->lines[i]);

		if (err)
			return err;
	}
	for (uint32_t i = 0; i < d->num_lines && d->used; i++)
		d->lines[i].valid = 0;
	d->used = 0;
	return 0;
}

static int cache_piece(struct nvcf_disk *d, uint64_t at, uint32_t from, const uint8_t *buf,
		       uint32_t len)
{
	struct nvcf_line *l = line_of(d, at);
	int err;

	/* A table that is full is slow to search: it is emptied before that. */
	if (!l || (!l->valid && (d->used + 1) * 4 > d->num_lines * 3)) {
		err = nvcf_disk_flush(d);
		if (err)
			return err;
		l = line_of(d, at);
	}
	if (!l->valid)
		d->used++;
	l->at = at;
	memcpy(l->data + from, buf, len);
	for (uint32_t s = from / SECTOR; s < (from + len) / SECTOR; s++)
		l->valid |= (uint8_t)(1u << s);
	return 0;
}

/* [off, off + len) of the cache over what was read of the file. */
static void overlay(struct nvcf_disk *d, uint64_t off, uint8_t *buf, size_t len)
{
	while (d->used && len) {
		uint32_t from = (uint32_t)(off % LINE_BYTES);
		uint32_t n = LINE_BYTES - from < len ? LINE_BYTES - from : (uint32_t)len;
		const struct nvcf_line *l = line_of(d, off - from);

		for (uint32_t s = 0; l && l->valid && s < n / SECTOR; s++)
			if (l->valid >> (from / SECTOR + s) & 1)
				memcpy(buf + s * SECTOR, l->data + from + s * SECTOR, SECTOR);
		off += n;
		buf += n;
		len -= n;
	}
}

/* ---- accesses; offsets and lengths are multiples of a sector and inside of the disk ---- */

int nvcf_disk_read(struct nvcf_disk *d, uint64_t off, void *buf, size_t len)
{
	int err = file_read(d, off, buf, len);

	if (!err)
		overlay(d, off, buf, len);
	return err;
}

static bool may_write(struct nvcf_disk *d, unsigned int holder)
{
	bool held = d->locked && nvcf_disk_held(d, holder);

	if (!held)
		nvcf_disk_unlocked(d);
	return held;
}

int nvcf_disk_write(struct nvcf_disk *d, unsigned int holder, uint64_t off, const void *buf,
		    size_t len, bool through)
{
	const uint8_t *at = buf;
	int err = 0;

	if (!may_write(d, holder))
		return -EPERM;

	if (through || !d->num_lines) {
		err = d->used ? nvcf_disk_flush(d) : 0;
		return err ? err : file_write(d, off, buf, len);
	}
	while (len && !err) {
		uint32_t from = (uint32_t)(off % LINE_BYTES);
		uint32_t n = LINE_BYTES - from < len ? LINE_BYTES - from : (uint32_t)len;

		err = cache_piece(d, off - from, from, at, n);
		off += n;
		at += n;
		len -= n;
	}
	return err;
}

static int punch(struct nvcf_disk *d, uint64_t off, uint64_t len)
{
	return fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
			 (off_t)len);
}

int nvcf_disk_deallocate(struct nvcf_disk *d, unsigned int holder, uint64_t off, uint64_t len)
{
	int err = may_write(d, holder) ? nvcf_disk_flush(d) : -EPERM;

	if (!err && len)
		punch(d, off, len);
	return err;
}

int nvcf_disk_zero(struct nvcf_disk *d, unsigned int holder, uint64_t off, uint64_t len)
{
	static const uint8_t zeroes[65536];
	int err = may_write(d, holder) ? nvcf_disk_flush(d) : -EPERM;

	if (err || !len || !punch(d, off, len))
		return err;
	while (len && !err) {
		uint64_t n = len < sizeof(zeroes) ? len : sizeof(zeroes);

		err = file_write(d, off, zeroes, n);
		off += n;
		len -= n;
	}
	return err;
}

/* ---- all disks of a controller ---- */

/* Of a disk that the controller holds; an armed fault may be in the way. */
static int write_back(struct nvcf_ctrl *c, struct nvcf_disk *d)
{
	struct vu_fault_hit hit;

	if (!d->used || !nvcf_disk_held(d, c->index))
		return 0;
	if (vu_fault_take(c->dev, NVCF_FAULT_DISK, &hit) && hit.fail)
		return -EIO;
	return nvcf_disk_flush(d);
}

int nvcf_flush_all(struct nvcf_ctrl *c)
{
	int err = 0;

	for (unsigned int i = 0; i < c->sub->num_disks && !err; i++)
		err = write_back(c, c->sub->disk[i]);
	return err;
}

int nvcf_release_all(struct nvcf_ctrl *c)
{
	int err = 0;

	for (unsigned int i = 0; i < c->sub->num_disks; i++) {
		struct nvcf_disk *d = c->sub->disk[i];

		err = write_back(c, d) ?: nvcf_disk_release(d, c->index) ?: err;
	}
	return err;
}
