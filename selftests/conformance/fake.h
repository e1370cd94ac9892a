/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two fake devices in shared memory, so that processes see one and the same, and the bugs
 * that they can have.  A data file is a memfd, whose inode says which one it is: what the
 * kernel does with descriptors - dup, fork, SCM_RIGHTS, flags - is real.
 */
#ifndef CONFORMANCE_FAKE_H
#define CONFORMANCE_FAKE_H

#include <pthread.h>

#include "mig.h"

#define FAKES		2
#define FILES		512
#define QUEUE		2048
#define PAYLOAD		48
#define FAKE_PAGE	4096u
#define FAKE_PAGES	(MEM_BYTES / FAKE_PAGE)

/* What the fakes have; all, unless a bug needs less. */
#define FAKE_ALL	(VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY)

/* FLAW(NAME, features, rule, "what is wrong"): a rule that must find it; see fake_bugs.h. */
enum bug {
	BUG_NONE,
#define FLAW(name, features, rule, text) BUG_##name,
#define ALSO(name, features, rule)
#include "fake_bugs.h"
#undef FLAW
#undef ALSO
	BUG_PAIR,	/* the two of these are there for each pair, or state */
	BUG_RESET_STATE,
	BUG_REOPEN_STATE,
	BUGS,
};

struct record {
	uint32_t magic;
	uint16_t type;
	uint16_t seq;
	uint64_t sum;
	uint8_t payload[PAYLOAD];
};

enum { INIT = 1, FINAL, END, HINT };

/**
 * struct fake_file - A session
 * @ino: Of its memfd.
 * @fd: As SET_STATE returned it.
 * @pid: Who got it.
 * @owner: Device, plus one.
 * @saves: It is read.
 * @dead: It has ended.
 * @drained: A read has found the end.
 * @waited: A reader or writer with O_NONBLOCK was sent away once.
 * @queue: What can be read, from @pos to @filled.
 * @initial: Of that, initial bytes.
 * @dirty: Records that pre-copy has still to send of what has changed.
 * @seq: Of the next record.
 * @reinit: New initial data is there.
 * @part, @part_bytes: A record that is not complete.
 * @seen: Bits of record types that came.
 * @refused: Something was wrong.
 * @regs: To be loaded.
 * @user: Thread that has read or written last.
 * @reader: Thread that has got something last.
 */
struct fake_file {
	ino_t ino;
	int fd;
	pid_t pid;
	unsigned int owner;
	bool saves, dead, drained, waited, reinit, refused;
	uint8_t queue[QUEUE];
	size_t pos, filled, initial;
	unsigned int dirty;
	uint16_t seq;
	uint8_t part[sizeof(struct record)];
	size_t part_bytes;
	unsigned int seen;
	uint8_t regs[PAYLOAD];
	long user, reader;
};

/**
 * struct fake - A device
 * @mem: Memory that it reaches.
 * @regs: State that a migration moves.
 *        The last byte counts pages that it has still to write.
 * @session: Index of the file, plus one; @last: of one that was closed with the device.
 * @sessions: Since it was opened.
 * @command: COMMAND of its config space.
 * @no_dma: It has been in PRE_COPY_P2P, and does not do DMA again.
 * @busy: It was closed during a session.
 * @logger: Thread that has started logging.
 * @walker, @walker_pid: Who has changed its state last.
 */
struct fake {
	bool open, busy, v2, stuck, loaded, no_dma;
	uint16_t command;
	uint64_t flags;
	unsigned int state;
	uint8_t *mem;
	uint8_t regs[PAYLOAD];
	unsigned int session;
	unsigned int last;
	unsigned int sessions;
	bool logging, log_broken;
	long logger;
	uint8_t dirty[FAKE_PAGES];
	long walker;
	pid_t walker_pid;
};

struct fake_world {
	pthread_mutex_t lock;
	enum bug bug;
	unsigned int from, to;
	bool migrates;
	struct fake dev[FAKES];
	struct fake_file file[FILES];
	unsigned int next_file;
	uint8_t left[sizeof(struct record)];
	size_t left_bytes;
};

extern struct fake_world *world;

static inline bool bug(enum bug b)
{
	return world->bug == b;
}

/* Copies that notice what the kernel would: -EFAULT. */
int copy_in(void *to, const void *from, size_t bytes);
int copy_out(void *to, const void *from, size_t bytes);
long thread_id(void);

/* fake_file.c */
int fake_file_new(struct fake *f, bool saves, int *fd);
/* A whole stream, as devices of another kind have it; to be freed. */
uint8_t *fake_other_kind(size_t *bytes);
void fake_file_emit(struct fake_file *file, unsigned int type, const void *payload);
/* 0 if it holds a whole state. */
int fake_file_commit(struct fake *f, struct fake_file *file);
struct fake_file *fake_session(struct fake *f);
ssize_t fake_read(int fd, void *buf, size_t bytes);
ssize_t fake_write(int fd, const void *buf, size_t bytes);
ssize_t fake_pread(int fd, void *buf, size_t bytes, off_t pos);
ssize_t fake_pwrite(int fd, const void *buf, size_t bytes, off_t pos);
ssize_t fake_readv(int fd, const struct iovec *iov, int num);
ssize_t fake_writev(int fd, const struct iovec *iov, int num);
int fake_seek(int fd);
int fake_poll(int fd, short events, int ms);
ssize_t fake_splice(int in, int out, size_t bytes);
int fake_file_ioctl(int fd, unsigned long cmd, void *arg);
int fake_file_mmap(int fd);

/* fake_log.c */
int fake_log(struct fake *f, uint32_t flags, void *data, size_t bytes);

/* fake_dev.c */
void fake_tick(void);
int fake_begin(enum bug b, uint64_t flags, unsigned int from, unsigned int to);

#endif /* CONFORMANCE_FAKE_H */
