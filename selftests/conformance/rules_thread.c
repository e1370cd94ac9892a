// SPDX-License-Identifier: GPL-2.0
/* Two threads on one device. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mig.h"

#define ROUNDS	20
#define POLL_MS	5000

/**
 * struct turns - A stream that two threads write
 * @lock: Of what follows.
 * @whole: The stream.
 * @pos: What was written of it.
 * @last: Who wrote last.
 */
struct turns {
	pthread_mutex_t lock;
	struct blob whole;
	size_t pos;
	const struct worker *last;
};

/**
 * struct worker - A thread and what it saw
 * @c: The rule.
 * @fd: Data file.
 * @state: First state it asks for.
 * @bytes: Read or written.
 * @read: What it has read, if it keeps it.
 * @sum: How often it has read each byte.
 * @last: What its last call gave.
 * @wrong: A call gave what it must not.
 * @turns: Pieces that two writers take by turns, or NULL.
 * @rounds: How often it has asked.
 * @stop: It has to end.
 */
struct worker {
	struct ctx *c;
	pthread_t thread;
	int fd;
	unsigned int state;
	size_t bytes;
	struct blob read;
	size_t sum[256];
	long last;
	long wrong;
	struct turns *turns;
	volatile unsigned int rounds;
	volatile bool stop;
};

static bool start(struct worker *w, void *(*run)(void *))
{
	return !pthread_create(&w->thread, NULL, run, w);
}

static void count(size_t *sum, const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		sum[data[i]]++;
}

static void *read_all(void *arg)
{
	struct worker *w = arg;
	uint8_t buf[512];

	while ((w->last = sys->read(w->fd, buf, sizeof(buf))) > 0) {
		w->bytes += w->last;
		count(w->sum, buf, w->last);
		if (blob_add(&w->read, buf, w->last))
			break;
	}
	return NULL;
}

static void *write_on(void *arg)
{
	struct worker *w = arg;
	struct blob whole = sample(w->c);

	for (size_t pos = 0; pos < whole.bytes; pos += w->last) {
		size_t step = small_step(whole.bytes);

		if (step > whole.bytes - pos)
			step = whole.bytes - pos;
		w->last = sys->write(w->fd, whole.data + pos, step);
		if (w->last <= 0)
			break;
		w->bytes += w->last;
	}
	return NULL;
}

/*
 * Of a device that stands still, whose state has the same length each time.  If the bytes are
 * the same each time, too, those that the two have got are compared by their numbers: who has
 * read which part nobody knows.
 */
static enum outcome two_readers(struct ctx *c)
{
	struct worker w[2] = { { .c = c }, { .c = c } };
	struct blob b = {}, again = {};
	size_t sum[256] = {};
	int fd;

	CHECK(!set_state(&c->a, STOP, NULL) && !save(&c->a, &b, false) &&
	      !save(&c->a, &again, false), "no STOP_COPY");
	CHECK(!set_state(&c->a, STOP_COPY, &fd), "no STOP_COPY");
	w[0].fd = w[1].fd = fd;
	CHECK(start(&w[0], read_all) && start(&w[1], read_all), "no threads");
	pthread_join(w[0].thread, NULL);
	pthread_join(w[1].thread, NULL);
	CHECK(!w[0].last && !w[1].last, "they end with %ld and %ld", w[0].last, w[1].last);
	CHECK(w[0].bytes + w[1].bytes == b.bytes, "%zu and %zu bytes of %zu", w[0].bytes,
	      w[1].bytes,
	      b.bytes);
	if (again.bytes != b.bytes || memcmp(again.data, b.data, b.bytes))
		return PASS;
	count(sum, b.data, b.bytes);
	for (unsigned int i = 0; i < 256; i++)
		CHECK(w[0].sum[i] + w[1].sum[i] == sum[i], "%zu and %zu bytes of %zu are %#x",
		      w[0].sum[i], w[1].sum[i], sum[i], i);
	return PASS;
}

/* Until it is stopped, whatever it gets. */
static void *read_on(void *arg)
{
	struct worker *w = arg;
	uint8_t buf[512];

	while (!w->stop) {
		w->last = sys->read(w->fd, buf, sizeof(buf));
		w->rounds++;
	}
	return NULL;
}

static void *poll_once(void *arg)
{
	struct worker *w = arg;

	w->last = sys->poll(w->fd, POLLIN, POLL_MS);
	return NULL;
}

/* One piece after the other, each by the other thread. */
static void *write_by_turns(void *arg)
{
	struct worker *w = arg;
	struct turns *t = w->turns;
	size_t step = t->whole.bytes / 32 + 1, left;
	bool done = false;

	while (!done) {
		pthread_mutex_lock(&t->lock);
		left = t->whole.bytes - t->pos;
		if (left && t->last != w) {
			w->last = sys->write(w->fd, t->whole.data + t->pos,
					     left < step ? left : step);
			if (w->last <= 0)
				w->wrong = w->last ?: -EIO;
			t->pos = w->wrong ? t->whole.bytes : t->pos + w->last;
			t->last = w;
		}
		done = t->pos >= t->whole.bytes;
		pthread_mutex_unlock(&t->lock);
		sched_yield();
	}
	return NULL;
}

static enum outcome two_writers(struct ctx *c)
{
	struct turns t = { .lock = PTHREAD_MUTEX_INITIALIZER, .whole = sample(c) };
	struct worker w[2] = { { .c = c, .turns = &t }, { .c = c, .turns = &t } };
	int fd, err;

	CHECK(!set_state(&c->a, RESUMING, &fd), "no RESUMING");
	w[0].fd = w[1].fd = fd;
	CHECK(start(&w[0], write_by_turns) && start(&w[1], write_by_turns), "no threads");
	pthread_join(w[0].thread, NULL);
	pthread_join(w[1].thread, NULL);
	CHECK(!w[0].wrong && !w[1].wrong, "write() gives %ld and %ld", w[0].wrong, w[1].wrong);
	err = set_state(&c->a, RUNNING, NULL);
	CHECK(!err, "the stream is refused: %d", err);
	return PASS;
}

/* After a race: RUNNING, and a migration works. */
static enum outcome works(struct ctx *c)
{
	struct blob b = {};
	int err, now = get_state(&c->a);

	CHECK(now >= 0 && now < STATES, "the state is %d", now);
	CHECK(!settle(c, &c->a), "back to RUNNING from %s", state_name(now));
	err = save(&c->a, &b, false);
	CHECK(!err, "saving afterwards: %d", err);
	return loads(c, &c->a, &b);
}

/* At the same time: what becomes of the stream is theirs. */
static enum outcome writers_race(struct ctx *c)
{
	for (unsigned int i = 0; i < ROUNDS / 4; i++) {
		struct worker w[2] = { { .c = c }, { .c = c } };
		int fd;

		CHECK(!settle(c, &c->a) && !set_state(&c->a, RESUMING, &fd), "no RESUMING");
		w[0].fd = w[1].fd = fd;
		CHECK(start(&w[0], write_on) && start(&w[1], write_on), "no threads");
		pthread_join(w[0].thread, NULL);
		pthread_join(w[1].thread, NULL);
		set_state(&c->a, STOP, NULL);
		close(fd);
		CHECK(!device_reset(&c->a) && get_state(&c->a) == RUNNING,
		      "RESET does not help, the state is %s", state_name(get_state(&c->a)));
	}
	return works(c);
}

/* @end takes the session away while a thread reads, or writes. */
static enum outcome race(struct ctx *c, unsigned int state, int (*end)(struct ctx *c))
{
	struct blob whole = {};
	bool ended = false;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct worker w = { .c = c };
		int err;

		CHECK(!settle(c, &c->a), "back to RUNNING");
		CHECK(!set_state(&c->a, state, &w.fd), "to %s", state_name(state));
		CHECK(start(&w, state == RESUMING ? write_on : read_all), "no thread");
		sys->pause(i % 5);
		err = end(c);
		pthread_join(w.thread, NULL);
		close(w.fd);
		CHECK(!err, "round %u: %d", i, err);
		/* The shortest one of those that a reader was told to be whole. */
		if (state == STOP_COPY && !w.last && (!ended || w.bytes < whole.bytes)) {
			blob_free(&whole);
			whole = w.read;
			ended = true;
		} else {
			blob_free(&w.read);
		}
	}
	if (ended) {
		int err = settle(c, &c->a);

		err = err ? err : load(&c->a, &whole, RUNNING, NULL);
		CHECK(!err, "a reader was told that %zu bytes are a whole stream: %d", whole.bytes,
		      err);
		blob_free(&whole);
	}
	return works(c);
}

static int to_running(struct ctx *c) { return set_state(&c->a, RUNNING, NULL); }

/* A load that was given up fails, unless all was there already; a writer is no reason. */
static int give_up(struct ctx *c)
{
	int err = set_state(&c->a, STOP, NULL), now = get_state(&c->a);

	if (err == -EBUSY || (err ? now != RESUMING && now != STOP && now != ERROR : now != STOP))
		return err ?: -EIO;
	return 0;
}

static int by_reset(struct ctx *c) { return device_reset(&c->a) ?: get_state(&c->a) != RUNNING; }

static int by_close(struct ctx *c)
{
	sys->close(&c->a);
	return sys->open(&c->a) ?: get_state(&c->a) != RUNNING;
}

static enum outcome read_and_leave(struct ctx *c) { return race(c, STOP_COPY, to_running); }
static enum outcome precopy_and_leave(struct ctx *c) { return race(c, PRE_COPY, to_running); }
static enum outcome read_and_reset(struct ctx *c) { return race(c, STOP_COPY, by_reset); }
static enum outcome write_and_reset(struct ctx *c) { return race(c, RESUMING, by_reset); }
static enum outcome write_and_leave(struct ctx *c) { return race(c, RESUMING, give_up); }

static enum outcome read_and_close(struct ctx *c)
{
	CHECK(!sys->open(&c->a), "open");
	return race(c, STOP_COPY, by_close);
}

static enum outcome write_and_close(struct ctx *c)
{
	CHECK(!sys->open(&c->a), "open");
	return race(c, RESUMING, by_close);
}

/* The driver goes while the file of a device that was closed is read. */
static enum outcome read_and_unbind(struct ctx *c)
{
	for (unsigned int i = 0; i < ROUNDS / 4; i++) {
		struct worker w = { .c = c };
		int err;

		CHECK(!sys->open(&c->a) && !set_state(&c->a, STOP_COPY, &w.fd), "no STOP_COPY");
		CHECK(start(&w, read_on), "no thread");
		sys->pause(i % 3);
		sys->close(&c->a);
		err = sys->unbind(&c->a);
		for (unsigned int asked = w.rounds; !err && w.rounds - asked < 2;)
			usleep(1000);
		w.stop = true;
		pthread_join(w.thread, NULL);
		close(w.fd);
		err = err ?: sys->bind(&c->a);
		CHECK(!err, "round %u: unbind or bind: %d", i, err);
		CHECK(w.last < 0 && w.last != -ENOMSG, "round %u: read() gives %ld, without the driver",
		      i, w.last);
	}
	CHECK(!sys->open(&c->a), "open");
	return works(c);
}

/* Who waits for more in pre-copy must not wait for ever: the session is left. */
static enum outcome poll_and_leave(struct ctx *c)
{
	for (unsigned int i = 0; i < ROUNDS / 4; i++) {
		struct worker w = { .c = c };
		struct blob b = {};
		int err;

		CHECK(!settle(c, &c->a) && !set_state(&c->a, PRE_COPY, &w.fd), "no PRE_COPY");
		err = blob_read(&b, w.fd, 0);
		CHECK(!err || err == -ENOMSG, "reading: %d", err);
		blob_free(&b);
		CHECK(start(&w, poll_once), "no thread");
		sys->pause(10 * i);
		err = to_running(c);
		pthread_join(w.thread, NULL);
		close(w.fd);
		CHECK(!err, "round %u: to RUNNING: %d", i, err);
		CHECK(w.last > 0, "round %u: poll() gives %ld after %d ms", i, w.last, POLL_MS);
	}
	return works(c);
}

/* ---- states ---- */

static void *walk(void *arg)
{
	struct worker *w = arg;
	static const unsigned int states[] = { STOP, RUNNING, STOP_COPY, RUNNING, PRE_COPY,
					       RUNNING_P2P, RUNNING };
	static const int known[] = { 0, -EINVAL, -ECANCELED, -EBUSY, -EAGAIN, -EIO };

	for (unsigned int i = 0; i < ROUNDS * 4; i++) {
		unsigned int to = states[(w->state + i) % 7];
		bool right = false;
		int err;

		if (!has_state(w->c, to))
			continue;
		err = set_state(&w->c->a, to, NULL);
		for (unsigned int k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			right |= err == known[k];
		if (!right)
			w->wrong = err;
	}
	return NULL;
}

static void *watch(void *arg)
{
	struct worker *w = arg;
	uint64_t bytes;

	while (!w->stop) {
		int state = get_state(&w->c->a), err = data_size(&w->c->a, &bytes);

		if (state < STOP || state >= STATES)
			w->wrong = state < 0 ? state : 1;
		if (err)
			w->wrong = err;
		w->rounds++;
	}
	return NULL;
}

static enum outcome two_walkers(struct ctx *c)
{
	struct worker w[2] = { { .c = c }, { .c = c, .state = 3 } };

	CHECK(start(&w[0], walk) && start(&w[1], walk), "no threads");
	pthread_join(w[0].thread, NULL);
	pthread_join(w[1].thread, NULL);
	for (unsigned int i = 0; i < 2; i++)
		CHECK(!w[i].wrong, "SET_STATE gives %ld", w[i].wrong);
	return works(c);
}

static enum outcome walk_and_watch(struct ctx *c)
{
	struct worker w[2] = { { .c = c }, { .c = c } };

	CHECK(start(&w[0], walk) && start(&w[1], watch), "no threads");
	pthread_join(w[0].thread, NULL);
	while (!w[1].rounds)
		usleep(1000);
	w[1].stop = true;
	pthread_join(w[1].thread, NULL);
	CHECK(!w[0].wrong, "SET_STATE gives %ld", w[0].wrong);
	CHECK(!w[1].wrong, "GET_STATE or MIG_DATA_SIZE gives %ld", w[1].wrong);
	return works(c);
}

static void *ask_info(void *arg)
{
	struct worker *w = arg;

	while (!w->stop) {
		struct vfio_precopy_info info;
		int err = precopy_info(w->fd, &info);

		if (err && err != -EINVAL && err != -ENODEV)
			w->wrong = err;
		if (!err && info.initial_bytes == UINT64_MAX)
			w->wrong = 1;
		w->rounds++;
	}
	return NULL;
}

static enum outcome info_and_read(struct ctx *c)
{
	struct worker w = { .c = c };
	struct blob b = {};
	int err;

	CHECK(!set_state(&c->a, PRE_COPY, &w.fd), "no PRE_COPY");
	CHECK(start(&w, ask_info), "no thread");
	err = blob_read(&b, w.fd, 64);
	for (unsigned int asked = w.rounds; w.rounds == asked;)
		usleep(1000);
	err = err && err != -ENOMSG ? err : set_state(&c->a, STOP_COPY, NULL);
	err = err ? err : blob_read(&b, w.fd, 64);
	err = err ? err : set_state(&c->a, RUNNING, NULL);
	w.stop = true;
	pthread_join(w.thread, NULL);
	CHECK(!err, "%d", err);
	CHECK(!w.wrong, "PRECOPY_INFO gives %ld", w.wrong);
	return loads(c, &c->a, &b);
}

#define FILES	"QEMU: multifd, vfio_load_bufs_thread"
#define STATE	"uAPI: vfio_device_feature_mig_state"
#define CLOSE	"kernel: close_device of all drivers"
#define RESET	"uAPI: VFIO_DEVICE_RESET, at any time"

const struct rule thread_rules[] = {
	{ "thread.two-readers", "two threads read one file: each byte once", FILES, 0,
	  two_readers },
	{ "thread.two-writers", "two threads write one file by turns: it is one stream", FILES,
	  NEED_SAMPLE, two_writers },
	{ "thread.writers-race", "two threads write at once: a new stream is taken after RESET",
	  FILES, NEED_SAMPLE | NEED_RESET, writers_race },
	{ "thread.read-leave", "the session is left while a thread reads", FILES, 0,
	  read_and_leave },
	{ "thread.precopy-leave", "pre-copy is cancelled while a thread reads", FILES, NEED_PRECOPY,
	  precopy_and_leave },
	{ "thread.read-reset", "RESET while a thread reads", RESET, NEED_RESET, read_and_reset },
	{ "thread.write-reset", "RESET while a thread writes", RESET, NEED_RESET | NEED_SAMPLE,
	  write_and_reset },
	{ "thread.read-close", "the device is closed while a thread reads", CLOSE, OWN,
	  read_and_close },
	{ "thread.write-leave", "RESUMING -> STOP while a thread writes", FILES, NEED_SAMPLE,
	  write_and_leave },
	{ "thread.write-close", "the device is closed while a thread writes", CLOSE,
	  NEED_SAMPLE | OWN, write_and_close },
	{ "thread.read-unbind", "the device is closed and the driver goes while a thread reads",
	  CLOSE, NEED_UNBIND | OWN, read_and_unbind },
	{ "thread.poll-leave", "pre-copy is cancelled while a thread waits for more of it",
	  "uAPI: struct vfio_precopy_info, poll", NEED_PRECOPY, poll_and_leave },
	{ "thread.two-walkers", "two threads change the state", STATE, 0, two_walkers },
	{ "thread.walk-watch", "GET and MIG_DATA_SIZE while the state changes", STATE, 0,
	  walk_and_watch },
	{ "thread.info-read", "PRECOPY_INFO while pre-copy is read",
	  "QEMU: vfio_state_pending_exact", NEED_PRECOPY, info_and_read },
	{}
};
