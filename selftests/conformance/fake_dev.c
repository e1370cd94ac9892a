// SPDX-License-Identifier: GPL-2.0
/* The fake device (fake.h): features, states, work. */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"

#define GET	VFIO_DEVICE_FEATURE_GET
#define SET	VFIO_DEVICE_FEATURE_SET
#define PROBE	VFIO_DEVICE_FEATURE_PROBE
#define WORK	8u	/* pages */
#define REGION_AT(index) ((uint64_t)(index) << 40)

struct fake_world *world;

static struct fake *fake_of(struct dev *d)
{
	return &world->dev[d->fake];
}

/* ---- states ---- */

static bool legal(unsigned int from, unsigned int to)
{
	return from != STOP_COPY || (to != PRE_COPY && to != PRE_COPY_P2P);
}

static bool supports(struct fake *f, unsigned int state)
{
	bool p2p = state == RUNNING_P2P || state == PRE_COPY_P2P;
	bool precopy = state == PRE_COPY || state == PRE_COPY_P2P;

	return (!p2p || f->flags & VFIO_MIGRATION_P2P || bug(BUG_OPTIONAL_STATE)) &&
	       (!precopy || f->flags & VFIO_MIGRATION_PRE_COPY);
}

static void end_session(struct fake *f)
{
	struct fake_file *file = fake_session(f);

	if (file) {
		memcpy(world->left, file->part, sizeof(file->part));
		world->left_bytes = file->part_bytes;
		file->dead = true;
	}
	f->session = 0;
}

static int leave(struct fake *f, unsigned int to)
{
	struct fake_file *file = fake_session(f);
	int err;

	if (!file) {
		return 0;
	} else if (f->state == RESUMING) {
		if (bug(BUG_BUSY_WRITER) && file->part_bytes)
			return -EBUSY;
		err = fake_file_commit(f, file);
		end_session(f);
		if (err) {
			f->state = ERROR;
			return err;
		}
	} else if (state_saves(f->state) && !state_saves(to)) {
		err = bug(BUG_CLOSED_STUCK) ? fake_file_commit(f, file) : 0;
		if (err == -EBUSY || (bug(BUG_BUSY_READER) && file->pos < file->filled))
			return -EBUSY;
		end_session(f);
	} else {
		return 0;
	}
	file->dead = !bug(BUG_LEFT_LIVES);
	return 0;
}

static void emit_initial(struct fake *f, struct fake_file *file)
{
	uint8_t payload[PAYLOAD] = { bug(BUG_OTHER_SAVES) && f == &world->dev[1] };

	fake_file_emit(file, INIT, payload);
}

static void emit_final(struct fake *f, struct fake_file *file, bool precopy)
{
	static const uint8_t none[PAYLOAD];

	file->dirty = 0;
	fake_file_emit(file, FINAL, precopy && bug(BUG_PRECOPY_LOSES) ? none : f->regs);
	if (!(precopy && bug(BUG_PRECOPY_NO_END)) && !(bug(BUG_SAVES_ONCE) && f->sessions > 1))
		fake_file_emit(file, END, none);
	if (bug(BUG_SAVE_LOSES))
		memset(f->regs, 0, PAYLOAD);
}

static int enter(struct fake *f, unsigned int to, int *fd)
{
	bool goes_on = state_saves(f->state) && state_saves(to);
	struct fake_file *file = fake_session(f);
	int err = 0;

	if ((state_saves(to) && !goes_on) || to == RESUMING ||
	    (bug(BUG_TWO_FILES) && goes_on && to == STOP_COPY)) {
		if (bug(BUG_ONE_SESSION) && f->sessions)
			return -EBUSY;
		err = fake_file_new(f, to != RESUMING, fd);
		if (err)
			return err;
		f->sessions++;
		file = fake_session(f);
		if (to != RESUMING)
			emit_initial(f, file);
	} else if (goes_on && to == STOP_COPY && bug(BUG_LEAVING_DROPS)) {
		file->pos = file->filled;
	} else if (goes_on && to == PRE_COPY && bug(BUG_ROUND_RESTARTS)) {
		file->seq = 0;
		emit_initial(f, file);
	}
	if (to == STOP_COPY)
		emit_final(f, file, goes_on);
	return 0;
}

/* What fails with which bug. */
static int planned(struct fake *f, unsigned int to)
{
	static const struct { enum bug bug; unsigned int from, to; } row[] = {
		{ BUG_NO_SWITCHOVER, PRE_COPY_P2P, STOP_COPY }, { BUG_NO_SAVE, STOP, STOP_COPY },
		{ BUG_NO_WAY_BACK, STOP_COPY, RUNNING },
			{ BUG_NO_END_OF_LOAD, RESUMING, RUNNING_P2P },
	};

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (bug(row[i].bug) && f->state == row[i].from && to == row[i].to)
			return -EIO;
	if (bug(BUG_NO_DESCRIPTOR) && f->stuck)
		return -EBUSY;
	if (bug(BUG_ONE_WALKER) && f->walker_pid == getpid() && f->walker != thread_id())
		return -EPERM;
	f->walker = thread_id();
	f->walker_pid = getpid();
	return 0;
}

static int change_state(struct fake *f, unsigned int to, int *fd)
{
	bool pair = bug(BUG_PAIR) && f->state == world->from && to == world->to;
	int err = planned(f, to);

	*fd = -1;
	if (err)
		return err;
	if (to >= STATES || !supports(f, to))
		return bug(BUG_UNKNOWN_STATE) ? 0 : -EINVAL;
	if (to == ERROR) {
		f->state = bug(BUG_TO_ERROR) ? ERROR : f->state;
		return bug(BUG_TO_ERROR) ? 0 : -EINVAL;
	}
	if (f->state == ERROR) {
		f->state = bug(BUG_ERROR_LEFT) ? to : ERROR;
		return bug(BUG_ERROR_LEFT) ? 0 : -EIO;
	}
	if (legal(f->state, to) == pair)
		return pair ? -EIO : -EINVAL;
	if (f->state == to)
		return 0;
	err = leave(f, to);
	err = err ? err : enter(f, to, fd);
	if (err)
		return err;
	if (bug(BUG_STOP_LOSES) && f->state == STOP && to == RUNNING)
		memset(f->regs, 0, PAYLOAD);
	if (to == PRE_COPY_P2P || to == RUNNING)
		f->no_dma = bug(BUG_P2P_STAYS) && to == PRE_COPY_P2P;
	f->state = to;
	return 0;
}

static unsigned int other_than_running(unsigned int state)
{
	return state == RUNNING ? STOP : state;
}

static int reset(struct fake *f)
{
	struct fake_file *file = fake_session(f);

	if ((bug(BUG_RESET_BUSY) && file) || (bug(BUG_LOG_NO_RESET) && f->logging))
		return -EBUSY;
	memset(f->regs, 0, PAYLOAD);
	if (bug(BUG_ERROR_STAYS) && f->state == ERROR)
		return 0;
	if (bug(BUG_RESET_STATE) && f->state == world->from) {
		f->state = other_than_running(f->state);
		return 0;
	}
	if (f->v2 && f->state == PRE_COPY) {
		emit_initial(f, file);
		file->initial = file->filled - file->pos;
		file->reinit = !bug(BUG_SILENT_RESET);
		return 0;
	}
	end_session(f);
	f->state = RUNNING;
	return 0;
}

/* ---- features ---- */

static int check(uint32_t flags, size_t bytes, uint32_t ops, size_t min)
{
	if (flags & (GET | SET) & ~ops)
		return bug(BUG_PROBE_ANY) && flags & PROBE ? 0 : -EINVAL;
	if (flags & PROBE)
		return 0;
	if (!(flags & (GET | SET)))
		return -EINVAL;
	return bytes < min && !bug(BUG_ARGSZ) ? -EINVAL : 1;
}

static int feature_state(struct fake *f, uint32_t flags, void *data, size_t bytes)
{
	struct vfio_device_feature_mig_state m = {};
	int err = check(flags, bytes, GET | SET, sizeof(m)), fd = -1;

	if (err != 1)
		return err;
	if (copy_in(&m, data, sizeof(m)))
		return bug(BUG_POINTER) ? 0 : -EFAULT;
	if (flags & SET) {
		err = change_state(f, m.device_state, &fd);
		if (fd >= 0 || (err ? !bug(BUG_FAILED_FD) : true))
			m.data_fd = fd < 0 && !err && bug(BUG_NO_FD) ? 0 : fd;
	} else {
		err = bug(BUG_ONE_WATCHER) && f->walker_pid == getpid() &&
			f->walker != thread_id() ?
			-EPERM : 0;
		m.device_state = f->state;
		if (!bug(BUG_GET_FD))
			m.data_fd = -1;
	}
	return copy_out(data, &m, sizeof(m)) ?: err;
}

static int put_number(uint32_t flags, void *data, size_t bytes, uint64_t value)
{
	int err = check(flags, bytes, GET, sizeof(value));

	if (err != 1)
		return err;
	err = copy_out(data, &value, sizeof(value));
	return bug(BUG_POINTER) ? 0 : err;
}

static int feature_size(struct fake *f, uint32_t flags, void *data, size_t bytes)
{
	uint64_t value = 3 * sizeof(struct record);

	if (bug(BUG_SIZE_ERROR) && f->state == ERROR)
		return -EIO;
	if (bug(BUG_SIZE_RESUMING) && f->state == RESUMING)
		return -EINVAL;
	if (bug(BUG_SIZE_ZERO) && f->state == RUNNING)
		value = 0;
	if (bug(BUG_SIZE_LOW))
		value = 1;
	return put_number(flags, data, bytes, value);
}

static int feature_v2(struct fake *f, uint32_t flags, size_t bytes)
{
	int err;

	if (!(f->flags & VFIO_MIGRATION_PRE_COPY))
		return bug(BUG_V2_ALWAYS) || bug(BUG_NONE_V2) ? 0 : -EINVAL;
	err = check(flags, bytes, SET, 0);
	f->v2 |= err == 1;
	return err == 1 ? 0 : err;
}

static int do_feature(struct fake *f, struct vfio_device_feature *arg)
{
	struct vfio_device_feature m;
	uint32_t number;
	size_t bytes;

	if (copy_in(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.argsz < sizeof(m) || m.flags & ~(VFIO_DEVICE_FEATURE_MASK | GET | SET | PROBE) ||
	    (!(m.flags & PROBE) && m.flags & GET && m.flags & SET && !bug(BUG_GET_AND_SET)))
		return -EINVAL;
	number = m.flags & VFIO_DEVICE_FEATURE_MASK;
	bytes = m.argsz - sizeof(m);
	if (number == VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2)
		return feature_v2(f, m.flags, bytes);
	if (!world->migrates && !(bug(BUG_NONE_STATE) &&
				  number == VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE))
		return -ENOTTY;
	switch (number) {
	case VFIO_DEVICE_FEATURE_MIGRATION:
		return put_number(m.flags, arg->data, bytes,
				  f->flags & ~(bug(BUG_NO_STOP_COPY) ? VFIO_MIGRATION_STOP_COPY :
					       0));
	case VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE:
		return feature_state(f, m.flags, arg->data, bytes);
	case VFIO_DEVICE_FEATURE_MIG_DATA_SIZE:
		return feature_size(f, m.flags, arg->data, bytes);
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_START:
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP:
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT:
		return fake_log(f, m.flags, arg->data, bytes);
	default:
		return bug(BUG_UNKNOWN_FEATURE) ? -EINVAL : -ENOTTY;
	}
}

/* ---- a device ---- */

static int fake_open(struct dev *d)
{
	struct fake *f = fake_of(d);

	if (f->open || (bug(BUG_CLOSE_BUSY) && f->busy)) {
		f->busy = false;
		return -EBUSY;
	}
	f->open = true;
	d->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return d->fd < 0 ? -errno : 0;
}

static void fake_close(struct dev *d)
{
	struct fake *f = fake_of(d);
	struct fake_file *file;

	if (d->fd < 0)
		return;
	close(d->fd);
	d->fd = -1;
	pthread_mutex_lock(&world->lock);
	file = fake_session(f);
	f->busy = file;
	f->last = f->session;
	end_session(f);
	if (file)
		file->dead = !bug(BUG_CLOSE_LIVES);
	if (bug(BUG_REOPEN_STATE) && f->state == world->from)
		f->state = other_than_running(f->state);
	else if (!bug(BUG_ERROR_REOPENS) || f->state != ERROR)
		f->state = RUNNING;
	f->logging &= bug(BUG_LOG_CLOSED);
	f->v2 &= bug(BUG_V2_STAYS);
	f->open = f->stuck = f->log_broken = f->no_dma = false;
	f->command = 0;
	f->sessions = 0;
	memset(f->regs, 0, PAYLOAD);
	pthread_mutex_unlock(&world->lock);
}

/* Config space, and one BAR. */
static void region_info(struct vfio_region_info *info)
{
	bool there = !info->index || info->index == VFIO_PCI_CONFIG_REGION_INDEX;

	info->offset = REGION_AT(info->index);
	info->size = there ? FAKE_PAGE : 0;
	info->flags = there ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
}

static int set_irqs(struct fake *f)
{
	return bug(BUG_IRQS) && f->state == RESUMING ? -EBUSY : 0;
}

static int fake_ioctl(struct dev *d, unsigned long cmd, void *arg)
{
	struct fake *f = fake_of(d);
	int err = 0;

	pthread_mutex_lock(&world->lock);
	switch (cmd) {
	case VFIO_DEVICE_FEATURE:
		err = do_feature(f, arg);
		break;
	case VFIO_DEVICE_RESET:
		err = reset(f);
		break;
	case VFIO_DEVICE_GET_INFO:
		((struct vfio_device_info *)arg)->flags =
			VFIO_DEVICE_FLAGS_PCI |
			(bug(BUG_RESET_FLAG) ? 0 : VFIO_DEVICE_FLAGS_RESET);
		break;
	case VFIO_DEVICE_GET_REGION_INFO:
		region_info(arg);
		break;
	case VFIO_DEVICE_GET_IRQ_INFO:
		((struct vfio_irq_info *)arg)->count = 4;
		break;
	case VFIO_DEVICE_SET_IRQS:
		err = set_irqs(f);
		break;
	default:
		err = -ENOTTY;
	}
	pthread_mutex_unlock(&world->lock);
	return err;
}

static ssize_t fake_region(struct dev *d, void *buf, size_t bytes, uint64_t offset)
{
	struct fake *f = fake_of(d);

	memset(buf, bug(BUG_CONFIG) && f->state == STOP ? 0xff : 0x42, bytes);
	if (offset == REGION_AT(VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND && bytes == 2)
		memcpy(buf, &f->command, 2);
	if (offset < REGION_AT(1) && bug(BUG_BAR_STOPPED) && f->state == STOP)
		f->state = ERROR;
	return bytes;
}

static ssize_t fake_region_write(struct dev *d, const void *buf, size_t bytes, uint64_t offset)
{
	struct fake *f = fake_of(d);

	if (offset == REGION_AT(VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND && bytes == 2 &&
	    !(bug(BUG_CONFIG_LOST) && f->state == RESUMING))
		memcpy(&f->command, buf, 2);
	return bytes;
}

static int fake_map(struct dev *d, void *mem, uint64_t iova, size_t bytes)
{
	(void)iova, (void)bytes;
	fake_of(d)->mem = mem;
	return 0;
}

static int fake_unbind(struct dev *d)
{
	struct fake *f = fake_of(d);

	if (f->last && bug(BUG_UNBIND_LIVES))
		world->file[f->last - 1].dead = false;
	return f->open ? -EBUSY : 0;
}

static int fake_bind(struct dev *d)
{
	(void)d;
	return 0;
}

static int fake_debugfs(struct dev *d, const char *file, char *buf, size_t room)
{
	struct fake *f = fake_of(d);

	if (!world->migrates && !bug(BUG_NONE_DEBUGFS))
		return -ENOENT;
	if (bug(BUG_DEBUGFS_STATE) || (bug(BUG_DEBUGFS_ERROR) && f->state == ERROR))
		snprintf(buf, room, "%s\n", state_name(RUNNING));
	else
		snprintf(buf, room, "%s\n", strcmp(file, "state") ? "" : state_name(f->state));
	return 0;
}

/* ---- work: registers that migrate, and pages that are written while time passes ---- */

static void dma(struct fake *f)
{
	bool runs = f->state == RUNNING || bug(BUG_MOVES) ||
		    (f->state == PRE_COPY && !bug(BUG_PRECOPY_IDLE) && !f->no_dma);
	struct fake_file *file = state_saves(f->state) ? fake_session(f) : NULL;
	uint8_t *left = &f->regs[PAYLOAD - 1];

	for (; runs && f->mem && *left; --*left) {
		unsigned int page = 3 * *left;

		if (file)
			file->dirty++;
		f->mem[page * FAKE_PAGE + 7]++;
		if (f->logging)
			f->dirty[page] = 1;
	}
}

static int fake_plug(struct dev *d, const char *what)
{
	struct fake *f = fake_of(d);

	if (!strcmp(what, "busy")) {
		for (unsigned int i = 0; i < PAYLOAD; i++)
			f->regs[i] = 0x40 + i;
		f->regs[PAYLOAD - 1] = WORK;
		return 0;
	}
	dma(f);
	for (unsigned int i = 0; i < PAYLOAD - 1; i++)
		if (f->regs[i] != 0x40 + i)
			return -EIO;
	return f->regs[PAYLOAD - 1] || bug(BUG_VERIFY) ? -EIO : 0;
}

void fake_tick(void)
{
	pthread_mutex_lock(&world->lock);
	for (unsigned int i = 0; i < FAKES; i++) {
		dma(&world->dev[i]);
		if (bug(BUG_DRIFTS) && world->dev[i].state == STOP)
			world->dev[i].state = RUNNING;
	}
	pthread_mutex_unlock(&world->lock);
}

static void fake_pause(unsigned int ms)
{
	usleep(ms * 10);
	fake_tick();
}

const struct layer fake_layer = {
	.open = fake_open, .close = fake_close, .ioctl = fake_ioctl, .region = fake_region,
	.region_write = fake_region_write,
	.map = fake_map, .unbind = fake_unbind, .bind = fake_bind, .debugfs = fake_debugfs,
	.plug = fake_plug, .pause = fake_pause, .read = fake_read, .write = fake_write,
	.pread = fake_pread, .pwrite = fake_pwrite, .readv = fake_readv, .writev = fake_writev,
	.seek = fake_seek, .poll = fake_poll, .splice = fake_splice,
	.file_ioctl = fake_file_ioctl, .file_mmap = fake_file_mmap,
};

int fake_begin(enum bug b, uint64_t flags, unsigned int from, unsigned int to)
{
	pthread_mutexattr_t attr;

	if (!world) {
		world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (world == MAP_FAILED)
			return -ENOMEM;
	}
	memset(world, 0, sizeof(*world));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&world->lock, &attr);
	world->bug = b;
	world->from = from;
	world->to = to;
	world->migrates = flags;
	for (unsigned int i = 0; i < FAKES; i++) {
		world->dev[i].flags = flags;
		world->dev[i].state = RUNNING;
	}
	return 0;
}
