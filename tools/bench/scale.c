// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what operations cost on the n-th function of a device, and how long n processes take that
 * do them at once: scale DRIVER ROUNDS.
 *
 * For a machine as bench's, whose idle time passes as on the host.  Each function of the model is
 * opened by a process of its own.  It prints lines of samples in nanoseconds:
 *
 *	cpu NAME N: ...		CPU time of one process, for the N-th function, or for one of N
 *				that migrate together
 *	busy NAME N: ...	the same of the whole machine, with what its kernel threads do
 *				afterwards
 *	all NAME N: ...		until N processes are done that began together
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "migration.h"
#include "mlxl.h"

#define MOST		SLOT_MAX
#define ROUNDS_MOST	16
#define AT_A_TIME	16
#define WARM_UP		2
#define STREAM_BYTES	(8U << 20)
/* After an operation, until the kernel's threads have nothing to do about it any more. */
#define SETTLE_US	20000

enum action { OPEN, CLOSE, RESET, SAVE, LOAD, BIND, UNBIND, ACTIONS };

static const char *const names[ACTIONS] = {
	"open", "close", "reset", "save", "load", "bind", "unbind",
};

/* A stream on its way from one process to another. */
struct stream_room {
	size_t bytes;
	uint8_t data[STREAM_BYTES];
};

struct request {
	enum action action;
	struct stream_room *room;
};

struct answer {
	int err;
	uint64_t ns;
};

/* The process that opens a function, seen by its parent. */
struct worker {
	struct slot slot;
	pid_t pid;
	int to, from;
};

/* [N - 1][round] */
struct series {
	uint64_t ns[MOST][ROUNDS_MOST];
	unsigned int count[MOST];
};

static struct worker workers[MOST];
static struct series cpu[ACTIONS], busy[ACTIONS], all[ACTIONS];
static struct stream_room *rooms;
static unsigned int num;
static const char *driver;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* What all tasks of CPU 0 have executed; it has no others. */
static uint64_t busy_ns(void)
{
	FILE *file = fopen("/proc/schedstat", "re");
	unsigned long long ns = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "cpu0 %*u %*u %*u %*u %*u %*u %llu", &ns) == 1)
			break;
	if (file)
		fclose(file);
	return ns;
}

static void fail(const char *what, int err)
{
	fprintf(stderr, "scale: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void keep(struct series *s, unsigned int n, uint64_t ns)
{
	unsigned int *count = &s->count[n - 1];

	if (*count < ROUNDS_MOST)
		s->ns[n - 1][(*count)++] = ns;
}

/* ---- The process of a function ---- */

static int save(struct vdev *v, struct stream_room *room)
{
	struct blob b = {};
	int err = mig_save(v, &b, true);

	if (!err && b.bytes > sizeof(room->data))
		err = -E2BIG;
	if (!err) {
		memcpy(room->data, b.data, b.bytes);
		room->bytes = b.bytes;
	}
	blob_free(&b);
	return err;
}

static int load(struct vdev *v, struct stream_room *room)
{
	const struct blob b = { .data = room->data, .bytes = room->bytes };

	return mig_load(v, &b, VFIO_DEVICE_STATE_RUNNING);
}

static int act(const struct worker *w, struct vdev *v, const struct request *req)
{
	switch (req->action) {
	case OPEN:
		return vdev_open(v, &w->slot, VDEV_GROUP);
	case CLOSE:
		vdev_close(v);
		return 0;
	case RESET:
		return vdev_reset(v);
	case SAVE:
		return save(v, req->room);
	case LOAD:
		return load(v, req->room);
	default:
		return -EINVAL;
	}
}

static void work(const struct worker *w, int from, int to)
{
	struct vdev v = { .fd = -1, .iommu = -1, .group = -1 };
	struct request req;

	while (read(from, &req, sizeof(req)) == sizeof(req)) {
		uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		struct answer answer = { .err = act(w, &v, &req) };

		answer.ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
		if (write(to, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(0);
}

static void worker_start(struct worker *w)
{
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		fail("pipe", -errno);
	w->pid = fork();
	if (w->pid < 0)
		fail("fork", -errno);
	if (!w->pid) {
		/* They would keep the others from ending. */
		for (struct worker *other = workers; other < w; other++) {
			close(other->to);
			close(other->from);
		}
		close(to[1]);
		close(from[0]);
		work(w, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	w->to = to[1];
	w->from = from[0];
}

static void worker_end(struct worker *w)
{
	close(w->to);
	close(w->from);
	waitpid(w->pid, NULL, 0);
}

/* ---- Operations ---- */

static void ask(struct worker *w, enum action action, struct stream_room *room)
{
	const struct request req = { action, room };

	if (write(w->to, &req, sizeof(req)) != sizeof(req))
		fail("request", -errno);
}

static uint64_t answer_of(struct worker *w, enum action action)
{
	struct answer answer;

	if (read(w->from, &answer, sizeof(answer)) != sizeof(answer))
		fail("a process died", -EPIPE);
	if (answer.err) {
		fprintf(stderr, "scale: %s: ", w->slot.bdf);
		fail(names[action], answer.err);
	}
	return answer.ns;
}

/* One after the other: the cost of each when there are so many. */
static void one(unsigned int n, enum action action)
{
	struct worker *w = &workers[n - 1];
	uint64_t begin = busy_ns();

	ask(w, action, NULL);
	keep(&cpu[action], n, answer_of(w, action));
	usleep(SETTLE_US);
	keep(&busy[action], n, busy_ns() - begin);
}

/* @n of them at once; @mean: CPU time of each. */
static uint64_t together(unsigned int first, unsigned int n, enum action action, uint64_t *mean)
{
	uint64_t begin = clock_ns(CLOCK_MONOTONIC), sum = 0;

	for (unsigned int i = 0; i < n; i++)
		ask(&workers[first + i], action, i < AT_A_TIME ? rooms + i : NULL);
	for (unsigned int i = 0; i < n; i++)
		sum += answer_of(&workers[first + i], action);
	if (mean)
		*mean = sum / n;
	return clock_ns(CLOCK_MONOTONIC) - begin;
}

static void all_at_once(unsigned int n, enum action action)
{
	keep(&all[action], n, together(0, n, action, NULL));
}

/* All are open; the first @n migrate to the next @n. */
static void migrate(unsigned int n)
{
	uint64_t mean;

	keep(&all[SAVE], n, together(0, n, SAVE, &mean));
	keep(&cpu[SAVE], n, mean);
	keep(&all[LOAD], n, together(n, n, LOAD, &mean));
	keep(&cpu[LOAD], n, mean);
	/* Sources run again. */
	together(0, n, RESET, NULL);
}

static uint64_t driver_write(const struct slot *slot, enum action action)
{
	char path[128];
	uint64_t begin;
	int err;

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", driver, names[action]);
	begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	err = sysfs_write(path, slot->bdf);
	if (err) {
		fprintf(stderr, "scale: %s: ", slot->bdf);
		fail(names[action], err);
	}
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static void bind_all(unsigned int count)
{
	for (unsigned int n = 1; n <= count; n++)
		keep(&cpu[BIND], n, driver_write(&workers[n - 1].slot, BIND));
	/* Waits for nodes. */
	for (unsigned int n = 1; n <= count; n++) {
		int err = vdev_bind(workers[n - 1].slot.bdf, driver);

		if (err)
			fail("nodes", err);
	}
}

static void unbind_all(unsigned int count)
{
	for (unsigned int n = count; n; n--)
		keep(&cpu[UNBIND], n, driver_write(&workers[n - 1].slot, UNBIND));
}

/* One after the other, each by its own process. */
static void in_turn(unsigned int count)
{
	for (unsigned int n = 1; n <= count; n++) {
		one(n, OPEN);
		one(n, RESET);
	}
	for (unsigned int n = count; n; n--)
		one(n, CLOSE);
}

static void migrate_many(unsigned int count)
{
	for (unsigned int pairs = 1; pairs <= AT_A_TIME && 2 * pairs <= count; pairs *= 4)
		migrate(pairs);
}

static void at_once(unsigned int count, bool migrates)
{
	unsigned int n = 0;

	do {
		n = !n ? 1 : n * 4 < count ? n * 4 : count;
		all_at_once(n, OPEN);
		all_at_once(n, RESET);
		if (n == count && migrates)
			migrate_many(n);
		all_at_once(n, CLOSE);
	} while (n < count);
}

static bool can_migrate(const struct slot *slot)
{
	uint64_t flags = 0;
	struct vdev v;
	int err = vdev_open(&v, slot, VDEV_GROUP);

	if (err)
		fail("first open", err);
	err = mig_flags(&v, &flags);
	vdev_close(&v);
	return !err && flags & VFIO_MIGRATION_PRE_COPY;
}

/* Everything once, with the first @count functions. */
static void run(unsigned int count)
{
	bool migrates;

	bind_all(count);
	migrates = can_migrate(&workers[0].slot);
	for (unsigned int i = 0; i < count; i++)
		worker_start(&workers[i]);
	in_turn(count);
	at_once(count, migrates);
	for (unsigned int i = 0; i < count; i++)
		worker_end(&workers[i]);
	unbind_all(count);
}

static void print(const char *kind, const struct series *list)
{
	for (int action = 0; action < ACTIONS; action++)
		for (unsigned int n = 0; n < MOST; n++) {
			if (!list[action].count[n])
				continue;
			printf("%s %s %u:", kind, names[action], n + 1);
			for (unsigned int i = 0; i < list[action].count[n]; i++)
				printf(" %llu", (unsigned long long)list[action].ns[n][i]);
			printf("\n");
		}
}

static void setup(void)
{
	struct slot slots[MOST];
	int found = mlxl_functions(slots, MOST), err = 0;

	if (found < 1)
		fail("functions", found);
	num = found;
	rooms = mmap(NULL, AT_A_TIME * sizeof(*rooms), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rooms == MAP_FAILED)
		fail("memory", -errno);
	for (unsigned int i = 0; i < num && !err; i++) {
		workers[i].slot = slots[i];
		err = vdev_unbind(slots[i].bdf);
		err = err ?: vdev_override(slots[i].bdf, driver);
	}
	if (err)
		fail("override", err);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc == 3 ? atoi(argv[2]) : 0;

	if (!rounds || rounds > ROUNDS_MOST) {
		fprintf(stderr, "usage: scale DRIVER ROUNDS\n");
		return 2;
	}
	driver = argv[1];
	setup();
	/* Not counted: it fills caches of the kernel. */
	run(num < WARM_UP ? num : WARM_UP);
	memset(cpu, 0, sizeof(cpu));
	memset(busy, 0, sizeof(busy));
	memset(all, 0, sizeof(all));
	for (unsigned int round = 1; round <= rounds; round++) {
		run(num);
		fprintf(stderr, "scale: %s: round %u of %u\n", driver, round, rounds);
	}
	print("cpu", cpu);
	print("busy", busy);
	print("all", all);
	return 0;
}
