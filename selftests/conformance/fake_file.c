// SPDX-License-Identifier: GPL-2.0
/* Data files of the fake (fake.h). */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fake.h"

#define MAGIC 0x4b4e4f43
#define FAKE_TICK_MS 10	/* it sleeps for a hundredth of that */

int copy_in(void *to, const void *from, size_t bytes)
{
	struct iovec here = { to, bytes }, there = { (void *)from, bytes };

	return !bytes || process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)bytes ?
		0 : -EFAULT;
}

int copy_out(void *to, const void *from, size_t bytes)
{
	struct iovec here = { (void *)from, bytes }, there = { to, bytes };

	return !bytes || process_vm_writev(getpid(), &here, 1, &there, 1, 0) == (ssize_t)bytes ?
		0 : -EFAULT;
}

long thread_id(void)
{
	return syscall(SYS_gettid);
}

static uint64_t sum_of(const struct record *r)
{
	uint64_t sum = r->type * 31 + r->seq;

	for (unsigned int i = 0; i < PAYLOAD; i++)
		sum = sum * 1099511628211ull + r->payload[i] + 1;
	return sum;
}

struct fake_file *fake_session(struct fake *f)
{
	return f->session ? &world->file[f->session - 1] : NULL;
}

int fake_file_new(struct fake *f, bool saves, int *fd)
{
	struct fake_file *file = &world->file[world->next_file++ % FILES];
	struct stat st;

	*fd = memfd_create("fake", bug(BUG_CLOEXEC) ? 0 : MFD_CLOEXEC);
	if (*fd < 0) {
		f->stuck = bug(BUG_NO_DESCRIPTOR);
		if (bug(BUG_FAILED_ARC))
			f->state = RUNNING_P2P;
		return -errno;
	}
	fstat(*fd, &st);
	*file = (struct fake_file){
		.ino = st.st_ino, .fd = *fd, .pid = getpid(), .owner = f - world->dev + 1, .saves =
			saves,
	};
	if (!saves && bug(BUG_PART_STAYS)) {
		memcpy(file->part, world->left, world->left_bytes);
		file->part_bytes = world->left_bytes;
	}
	f->session = file - world->file + 1;
	return 0;
}

void fake_file_emit(struct fake_file *file, unsigned int type, const void *payload)
{
	struct record r = { .magic = MAGIC, .type = type, .seq = file->seq++ };

	memcpy(r.payload, payload, PAYLOAD);
	r.sum = sum_of(&r);
	if (file->pos == file->filled)
		file->pos = file->filled = 0;
	if (file->filled + sizeof(r) > QUEUE)
		return;
	memcpy(file->queue + file->filled, &r, sizeof(r));
	file->filled += sizeof(r);
	if (type == INIT)
		file->initial += sizeof(r);
}

uint8_t *fake_other_kind(size_t *bytes)
{
	struct record *r = calloc(3, sizeof(*r));

	for (unsigned int i = 0; r && i < 3; i++) {
		r[i] = (struct record){ .magic = ~MAGIC, .type = INIT + i, .seq = i };
		r[i].sum = sum_of(&r[i]);
	}
	*bytes = 3 * sizeof(*r);
	return (uint8_t *)r;
}

static struct fake_file *lookup(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	for (unsigned int i = 0; i < FILES; i++)
		if (world->file[i].owner && world->file[i].ino == st.st_ino)
			return &world->file[i];
	return NULL;
}

static struct fake *owner(struct fake_file *file)
{
	return &world->dev[file->owner - 1];
}

static struct fake_file *enter(int fd)
{
	struct fake_file *file;

	pthread_mutex_lock(&world->lock);
	file = lookup(fd);
	if (!file)
		pthread_mutex_unlock(&world->lock);
	return file;
}

static ssize_t leave(ssize_t result)
{
	pthread_mutex_unlock(&world->lock);
	return result;
}

/* ---- read ---- */

static ssize_t at_end(struct fake_file *file)
{
	file->drained = true;
	if (owner(file)->state == STOP_COPY || file->dead)
		return bug(BUG_END_ENOMSG) ? -ENOMSG : 0;
	return bug(BUG_DRAINED_ENDS) ? 0 : -ENOMSG;
}

static void emit_dirty(struct fake_file *file)
{
	static const uint8_t none[PAYLOAD];

	if (file->pos < file->filled || !file->dirty || owner(file)->state == STOP_COPY)
		return;
	file->dirty--;
	fake_file_emit(file, HINT, none);
}

static ssize_t take(struct fake_file *file, int fd, void *buf, size_t bytes)
{
	static __thread size_t own_pos;
	size_t *pos = bug(BUG_POS_OF_THREAD) ? &own_pos : &file->pos, left;

	if (!file->saves)
		return bug(BUG_MODE) ? 0 : -EBADF;
	if (file->dead)
		return bug(BUG_LEFT_ENDS) ? 0 : -ENODEV;
	if ((bug(BUG_ONE_DESCRIPTOR) && fd != file->fd) ||
	    (bug(BUG_ONE_PROCESS) && getpid() != file->pid))
		return -EPERM;
	if (fcntl(fd, F_GETFL) & O_NONBLOCK && !file->waited) {
		file->waited = true;
		return -EAGAIN;
	}
	if (!bytes) {
		if (bug(BUG_ZERO_LENGTH))
			file->pos = file->filled;
		return 0;
	}
	if ((bug(BUG_READ_SHORT) && bytes == 1) || (bug(BUG_READ_HUGE) && bytes > 1 << 20))
		return -EINVAL;
	file->user = thread_id();
	if (bug(BUG_READ_FAILS) && file->pos > 50)
		return -EIO;
	emit_dirty(file);
	left = file->filled - *pos;
	if (!left)
		return at_end(file);
	if (bytes > left)
		bytes = left;
	/* A reader that takes its time. */
	if (bug(BUG_BUSY_READER) || bug(BUG_LEFT_ENDS))
		bytes = 1;
	if (bug(BUG_ZEROES_READ)) {
		bytes = bytes < 8 ? bytes : 8;
		if (file->reader && file->reader != thread_id())
			memset(file->queue + *pos, 0, bytes);
		file->reader = thread_id();
	}
	if (copy_out(buf, file->queue + *pos, bytes)) {
		if (bug(BUG_READ_FAULT))
			file->pos += bytes;
		return -EFAULT;
	}
	if (bug(BUG_READ_UNALIGNED) && (uintptr_t)buf & 1 && bytes > 1)
		bytes--, file->pos++;
	*pos += bytes;
	file->initial -= bytes < file->initial ? bytes : file->initial;
	if (!file->initial && !bug(BUG_INFO_REINIT))
		file->reinit = false;
	return bytes;
}

ssize_t fake_read(int fd, void *buf, size_t bytes)
{
	struct fake_file *file = enter(fd);

	if (!file)
		return -EBADF;
	bytes = leave(take(file, fd, buf, bytes));
	/* By turns, if there is another thread: what one has read alone is right. */
	for (unsigned int i = 0; bug(BUG_ZEROES_READ) && i < 20; i++) {
		if (file->reader != thread_id())
			break;
		usleep(1000);
	}
	return bytes;
}

ssize_t fake_readv(int fd, const struct iovec *iov, int num)
{
	ssize_t sum = 0;

	for (int i = 0; i < num; i++) {
		ssize_t n;

		if (!iov[i].iov_len)
			continue;
		if (sum && bug(BUG_READ_VECTOR)) {
			/* It counts, and nothing was copied. */
			uint8_t room[QUEUE];

			n = fake_read(fd, room, iov[i].iov_len);
			memset(iov[i].iov_base, 0, iov[i].iov_len);
		} else {
			n = fake_read(fd, iov[i].iov_base, iov[i].iov_len);
		}
		if (n < 0)
			return sum ? sum : n;
		sum += n;
		if (n < (ssize_t)iov[i].iov_len)
			break;
	}
	return sum;
}

/* ---- write ---- */

static int load_record(struct fake *f, struct fake_file *file, const struct record *r)
{
	static const struct record zero;

	if (bug(BUG_ZEROES) && !memcmp(r, &zero, sizeof(zero))) {
		file->seen |= 1 << INIT | 1 << FINAL | 1 << END;
		return 0;
	}
	if ((r->magic != MAGIC && !bug(BUG_NO_MAGIC)) || r->sum != sum_of(r))
		return -EINVAL;
	if (file->seen & 1 << END) {
		if (!bug(BUG_REPEATED))
			return -EINVAL;
		file->seen = file->seq = 0;
	}
	if (r->seq != file->seq++)
		return -EINVAL;
	if (r->type == INIT && r->payload[0] && bug(BUG_OTHER_SAVES))
		return -EINVAL;
	if (r->type == INIT && f == &world->dev[1] && bug(BUG_OTHER_REFUSES))
		return -EINVAL;
	if (r->type == FINAL)
		memcpy(file->regs, r->payload, PAYLOAD);
	file->seen |= 1 << r->type;
	return 0;
}

static int feed(struct fake *f, struct fake_file *file, const uint8_t *data, size_t bytes)
{
	while (bytes) {
		size_t room = sizeof(file->part) - file->part_bytes, n = bytes < room ? bytes :
			room;
		int err;

		memcpy(file->part + file->part_bytes, data, n);
		file->part_bytes += n;
		data += n;
		bytes -= n;
		if (file->part_bytes < sizeof(file->part))
			break;
		file->part_bytes = 0;
		err = load_record(f, file, (struct record *)file->part);
		if (err && !bug(BUG_TAKES_ALL)) {
			file->refused = true;
			return err;
		}
	}
	return 0;
}

static ssize_t give(struct fake_file *file, int fd, const void *buf, size_t bytes)
{
	static uint8_t copy[QUEUE];
	int err;

	if (file->saves)
		return -EBADF;
	if (file->dead)
		return -ENODEV;
	if (file->refused)
		return -EINVAL;
	if (bug(BUG_WRITE_SHORT) && bytes == 1)
		return 1;
	if ((bug(BUG_WRITE_HUGE) && bytes > 100) ||
	    (bug(BUG_WRITE_ODD) && bytes % sizeof(struct record)))
		return -EINVAL;
	if (fcntl(fd, F_GETFL) & O_NONBLOCK && (!file->waited || bug(BUG_WRITE_WAITS))) {
		file->waited = true;
		return -EAGAIN;
	}
	if (bug(BUG_ONE_WRITER) && file->user && file->user != thread_id())
		return -EPERM;
	file->user = thread_id();
	if (bytes > sizeof(copy))
		bytes = sizeof(copy);
	if (bug(BUG_WRITE_UNALIGNED) && (uintptr_t)buf & 1 && bytes > 1)
		buf = (const uint8_t *)buf + 1;
	if (copy_in(copy, buf, bytes)) {
		if (bug(BUG_WRITE_FAULT))
			feed(owner(file), file, copy, bytes);
		return -EFAULT;
	}
	err = feed(owner(file), file, copy, bytes);
	return err ? err : (ssize_t)bytes;
}

ssize_t fake_write(int fd, const void *buf, size_t bytes)
{
	struct fake_file *file = enter(fd);

	return file ? leave(give(file, fd, buf, bytes)) : -EBADF;
}

ssize_t fake_writev(int fd, const struct iovec *iov, int num)
{
	ssize_t sum = 0;

	for (int i = 0; i < num; i++) {
		ssize_t n = iov[i].iov_len;

		if (n && !(sum && bug(BUG_WRITE_VECTOR)))
			n = fake_write(fd, iov[i].iov_base, n);
		if (n < 0)
			return sum ? sum : n;
		sum += n;
	}
	return sum;
}

static bool is_open(struct fake_file *file)
{
	DIR *dir = opendir("/proc/self/fd");
	bool found = false;
	struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir)))
		found |= !fstatat(dirfd(dir), e->d_name, &st, 0) && st.st_ino == file->ino;
	if (dir)
		closedir(dir);
	return found;
}

int fake_file_commit(struct fake *f, struct fake_file *file)
{
	unsigned int all = 1 << INIT | 1 << FINAL | 1 << END;

	if (bug(BUG_CLOSED_STUCK) && !is_open(file))
		return -EBUSY;
	world->left_bytes = 0;
	if (bug(BUG_TAKES_ALL) || (bug(BUG_EMPTY) && !file->seen && !file->part_bytes) ||
	    (bug(BUG_REFUSED_TAKEN) && file->refused))
		return 0;
	if (bug(BUG_NO_END))
		all = 0, file->part_bytes = 0;
	if (bug(BUG_TRAILING) && file->seen == all)
		file->part_bytes = 0;
	if (file->refused || (file->seen & all) != all || file->part_bytes || bug(BUG_TAKES_NONE) ||
	    (bug(BUG_LOADS_ONCE) && f->loaded) || (bug(BUG_DAMAGE_STICKS) && f->stuck)) {
		f->stuck = bug(BUG_DAMAGE_STICKS);
		return -EINVAL;
	}
	f->loaded = true;
	if (!bug(BUG_LOAD_LOSES))
		memcpy(f->regs, file->regs, PAYLOAD);
	return 0;
}

/* ---- the rest ---- */

/* One of the two is a pipe. */
ssize_t fake_splice(int in, int out, size_t bytes)
{
	uint8_t buf[100];
	size_t most = bytes < sizeof(buf) ? bytes : sizeof(buf);
	ssize_t n = fake_read(in, buf, most);

	if (n == -EBADF) {
		n = read(in, buf, most);
		if (n < 0 || (bug(BUG_WRITE_SPLICE) && n < (ssize_t)sizeof(buf)))
			return n < 0 ? -errno : n;
		return fake_write(out, buf, n);
	}
	if (n > 1 && bug(BUG_SPLICE))
		n--;
	return n > 0 && write(out, buf, n) != n ? -EPIPE : n;
}

ssize_t fake_pread(int fd, void *buf, size_t bytes, off_t pos)
{
	(void)pos;
	return bug(BUG_POSITION) ? fake_read(fd, buf, bytes) : -ESPIPE;
}

ssize_t fake_pwrite(int fd, const void *buf, size_t bytes, off_t pos)
{
	(void)fd, (void)buf, (void)bytes, (void)pos;
	return -ESPIPE;
}

int fake_seek(int fd)
{
	(void)fd;
	return -ESPIPE;
}

int fake_file_mmap(int fd)
{
	(void)fd;
	return -ENODEV;
}

static int ready(struct fake_file *file)
{
	bool empty = file->pos == file->filled, end = owner(file)->state == STOP_COPY;

	if (file->dead)
		return bug(BUG_POLL_SLEEPS) ? 0 : POLLIN | POLLERR;
	if (!file->saves)
		return bug(BUG_WRITE_POLL) ? 0 : POLLOUT;
	if (!empty)
		return bug(BUG_NONBLOCK) ? 0 : POLLIN;
	if (end)
		return bug(BUG_END_POLL) ? 0 : POLLIN;
	if (file->dirty)
		return bug(BUG_POLL_DIRTY) ? 0 : POLLIN;
	return bug(BUG_DRAINED_POLL) ? POLLIN : 0;
}

int fake_poll(int fd, short events, int ms)
{
	int seen = 0;

	for (; !seen && ms >= 0; ms -= FAKE_TICK_MS) {
		struct fake_file *file = enter(fd);

		if (!file)
			return POLLNVAL;
		seen = leave(ready(file) & (events | POLLERR));
		if (!seen && ms) {
			usleep(100);
			fake_tick();
		}
	}
	return seen;
}

static int get_info(struct fake_file *file, void *arg)
{
	struct vfio_precopy_info info;
	struct fake *f = owner(file);
	size_t initial = file->initial;

	if (copy_in(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) && !bug(BUG_INFO_ARGSZ))
		return -EINVAL;
	if (!file->saves)
		return -ENOTTY;
	if (file->dead)
		return bug(BUG_INFO_LEFT) ? -ENODEV : -EINVAL;
	if (bug(BUG_ONE_READER) && file->user && file->user != thread_id())
		return -EPERM;
	if (f->state != PRE_COPY && (f->state != PRE_COPY_P2P || bug(BUG_INFO_P2P)) &&
	    !bug(BUG_INFO_ANYWHERE))
		return -EINVAL;
	if ((bug(BUG_INFO_V2_GROWS) && f->v2) || (bug(BUG_INFO_WORK_GROWS) && f->regs[PAYLOAD - 1]))
		initial = file->pos + 1;
	if (bug(BUG_INFO_CONSTANT))
		initial = sizeof(struct record);
	info.initial_bytes = bug(BUG_INFO_ZERO) ? 0 : initial;
	if (!bug(BUG_INFO_ECHO))
		info.dirty_bytes = file->dirty * sizeof(struct record);
	if (f->v2 && !bug(BUG_INFO_V2))
		info.flags = file->reinit ? VFIO_PRECOPY_INFO_REINIT : 0;
	else if (bug(BUG_INFO_V1))
		info.flags |= VFIO_PRECOPY_INFO_REINIT;
	return copy_out(arg, &info, sizeof(info));
}

int fake_file_ioctl(int fd, unsigned long cmd, void *arg)
{
	struct fake_file *file = enter(fd);

	if (!file)
		return -EBADF;
	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return leave(bug(BUG_ODD_IOCTL) ? 0 : -ENOTTY);
	return leave(get_info(file, arg));
}
