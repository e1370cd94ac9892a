// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever can happen to two functions of each family, in random order, for a long time: whole
 * migrations, states, resets, faults of the model, kills, unbinds, personas and both dialects.
 * After each step the guest works.  Each family has a process of its own.  From the environment:
 * SEED, MINUTES, MIGRATIONS; it ends when one of the two is reached.
 *
 * Groups: soak
 */
#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/pair.h"
#include "lib/states.h"

#define PAIRS_MAX	8
/*
 * The first steps of each family fill caches, but a slow one does not hold the others up for longer
 * than a part of the time; then the kernel's memory may grow by that much.
 */
#define WARM_STEPS	20
#define WARM_PART	5
#define GROWTH_KB	8192
/* Likewise objects in use of kmalloc-*, which our modules allocate from, as do others. */
#define KMALLOC_KB	64
/*
 * A family whose migrations took longer than that in its first steps copies much, and gets what the
 * others leave of the CPUs: they mostly wait.
 */
#define LONG_MS		5000
#define LATER		10
/* What controls functions works again after a reset within that time. */
#define CONTROL_MS	20000

static struct pair pairs[PAIRS_MAX];
/* Personas that the drivers begin with, for which functions migrate to each other. */
static char personas[PAIRS_MAX][64];
static unsigned int num_pairs;
static uint64_t seed, drawn, end_ms;
static unsigned long most;

/* Below @below.  Of the seed and the number of the step: what a step draws depends on no other. */
static unsigned int draw(unsigned int below)
{
	uint64_t x = (drawn += 0x9e3779b97f4a7c15ULL);

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31) % below;
}

static void draw_for(uint64_t step)
{
	drawn = seed ^ step * 0xd1342543de82ef95ULL;
}

#define KINDS	11

/* How a function was opened last. */
struct how {
	enum vdev_mode mode;
	bool v1;
};

/**
 * struct tally - What a family has done, by its process
 * @num: Steps.
 * @tag: Of the guest's last work.
 * @on: Which of the two the guest is on.
 * @how: Each of them was opened.
 * @digest: Of what was drawn: steps, and how they have opened functions.
 * @times: Steps of each kind.
 * @ms: Their time, with the guest's work after them.
 */
struct tally {
	unsigned long num;
	uint32_t tag;
	unsigned int on;
	struct how how[2];
	uint64_t digest;
	unsigned long times[KINDS];
	uint64_t ms[KINDS];
};

/* Of all processes. */
static struct shared {
	unsigned long migrations;
	bool failed;
	struct tally of[PAIRS_MAX];
} *shared;

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* ---- Steps: the guest works before and after ---- */

static int open_as(struct pair *p, const struct how *how)
{
	int err = side_open(p, 0, how[0].mode, how[0].v1);

	err = err ? err : side_open(p, 1, how[1].mode, how[1].v1);
	return err ? err : pair_restart(p);
}

static int open_both(struct pair *p)
{
	struct how *how = shared->of[p - pairs].how;

	for (unsigned int i = 0; i < 2; i++) {
		bool cdev = !access("/dev/iommu", R_OK | W_OK) && draw(2);

		how[i] = (struct how){ .mode = cdev ? VDEV_CDEV : VDEV_GROUP, .v1 = draw(2) };
	}
	return open_as(p, how);
}

static void close_both(struct pair *p)
{
	side_close(p, 0);
	side_close(p, 1);
}

static int step_move(struct pair *p)
{
	bool precopy = p->family->migration & VFIO_MIGRATION_PRE_COPY && draw(3);

	return pair_move(p, precopy);
}

/* Any states of the function that the guest is on; what cannot be is refused. */
static int walk(struct pair *p)
{
	struct side *s = &p->side[p->on];
	int err = 0;

	for (unsigned int left = 1 + draw(8); left && err != -EIO; left--) {
		err = side_set(s, draw(MIG_STATES + 1));
		/* A load session that nothing was written to, and then ERROR. */
		if (err && err != -EINVAL && err != -ENODATA && err != -EIO)
			return err;
	}
	return 0;
}

static int step_states(struct pair *p)
{
	int err = guest_start(&p->g, ++p->tag);

	err = err ? err : walk(p);
	return err ? err : pair_restart(p);
}

/* A session that a reset ends, with some of the stream read. */
static int step_reset(struct pair *p)
{
	struct side *s = &p->side[p->on];
	char bytes[512];
	int fd = -1, err;

	err = guest_start(&p->g, ++p->tag);
	if (s->v1)
		err = err ? err : side_set(s, VFIO_DEVICE_STATE_STOP_COPY);
	else
		err = err ? err : mig_set(&s->v, VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (!err && fd >= 0 && read(fd, bytes, draw(sizeof(bytes)) + 1) < 0)
		err = -errno;
	err = err ? err : vdev_reset(&s->v);
	if (!err && fd >= 0 && (read(fd, bytes, 1) >= 0 || errno != ENODEV))
		err = -EPROTO;
	if (fd >= 0)
		close(fd);
	return err ? err : pair_restart(p);
}

/* A migration of which one step fails or never ends: it may succeed all the same. */
static int step_fault(struct pair *p)
{
	static const char *const points[] = { "pause", "save", "load" };
	const char *point = points[draw(3)];
	struct side *s = &p->side[draw(2)];
	int err = 0;

	if (model_has_fault(&s->m, point))
		err = model_cmd(&s->m, "fault %s %s count=1", point, draw(2) ? "fail" : "hang");
	if (err)
		return err;
	pair_move(p, p->family->migration & VFIO_MIGRATION_PRE_COPY && draw(2));
	return pair_restart(p);
}

/* A stream that was cut is refused, and harms nobody but the one who loads it. */
static int step_damage(struct pair *p)
{
	struct side *from = &p->side[p->on], *to = &p->side[!p->on];
	struct blob b = {};
	int err = guest_start(&p->g, ++p->tag);

	err = err ? err : side_save(from, &b, false);
	if (!err) {
		if (draw(2))
			b.bytes = draw(b.bytes);
		else
			b.data[draw(b.bytes)] ^= 1 << draw(8);
		if (!side_load(to, &b, VFIO_DEVICE_STATE_STOP))
			err = -EPROTO;
	}
	blob_free(&b);
	err = err ? err : side_set(from, VFIO_DEVICE_STATE_RUNNING);
	err = err ? err : guest_check(&p->g, p->tag);
	return err ? err : pair_restart(p);
}

/* The owner of a function dies in the middle of something. */
static int step_kill(struct pair *p)
{
	int err, status;
	pid_t pid;

	close_both(p);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		p->mute = true;
		err = open_both(p);
		while (!err)
			err = draw(2) ? step_move(p) : step_states(p);
		fprintf(stderr, "# before it was killed: %s\n", strerror(-err));
		_exit(1);
	}
	if (pid < 0)
		return -errno;
	usleep(1000 * (50 + draw(2000)));
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		return -ECHILD;
	/* What it has left in memory must not look like work of now. */
	p->tag += 1000;
	return open_both(p);
}

static int persona_of(const struct slot *slot, char *name, size_t room)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vpv/persona", slot->bdf);
	err = sysfs_read(path, name, room);
	name[strcspn(name, " \n")] = 0;
	return err < 0 ? err : 0;
}

/* A function that was unbound, with the persona of the other one: a driver begins without. */
static int bind_again(struct pair *p, unsigned int which)
{
	const char *bdf = p->side[which].slot.bdf;
	char name[64];
	int err = vdev_bind(bdf, p->family->driver);

	err = err ? err : persona_of(&p->side[!which].slot, name, sizeof(name));
	err = err ? err : vdev_sysfs_write(bdf, "vpv/persona", name);
	return err ? err : open_both(p);
}

static int step_unbind(struct pair *p)
{
	unsigned int which = draw(2);
	int err;

	close_both(p);
	err = vdev_unbind(p->side[which].slot.bdf);
	return err ? err : bind_again(p, which);
}

static void *unbinder(void *arg)
{
	return (void *)(intptr_t)vdev_unbind(arg);
}

/* The driver goes while somebody has the function open, and waits until he has closed it. */
static int step_unbind_open(struct pair *p)
{
	unsigned int which = draw(2);
	struct side *s = &p->side[which];
	pthread_t thread;
	void *ret;
	int err;

	err = guest_start(&p->g, ++p->tag);
	if (!err && draw(2))
		err = side_set(s, VFIO_DEVICE_STATE_STOP_COPY);
	if (err || pthread_create(&thread, NULL, unbinder, s->slot.bdf))
		return err ? err : -EAGAIN;
	usleep(1000 * draw(50));
	close_both(p);
	pthread_join(thread, &ret);
	err = (int)(intptr_t)ret;
	return err ? err : bind_again(p, which);
}

/* Both can be stopped, which needs what controls them. */
static int controlled(struct pair *p)
{
	uint64_t end = now_ms() + CONTROL_MS;
	int err;

	do {
		err = pair_restart(p);
		for (unsigned int i = 0; i < 2 && !err; i++)
			err = side_set(&p->side[i], VFIO_DEVICE_STATE_STOP);
	} while (err && now_ms() < end);
	return err ? err : pair_restart(p);
}

/* What controls the functions is reset, while they work or one is in some state. */
static int step_control(struct pair *p)
{
	struct slot ctrl[SLOT_MAX];
	int num, err = guest_start(&p->g, ++p->tag);

	if (!p->family->controller)
		return err ? err : guest_check(&p->g, p->tag);
	err = err ? err : walk(p);
	num = slots_find(p->family->controller, ctrl, SLOT_MAX);
	if (!err && num < 1)
		err = -ENODEV;
	err = err ? err : vdev_sysfs_write(ctrl[draw(num)].bdf, "reset", "1");
	return err ? err : controlled(p);
}

static int personas_choose(struct pair *p, const char *name)
{
	int err = 0;

	p->at = "the choice of a persona";
	for (unsigned int i = 0; i < 2 && !err; i++)
		err = vdev_sysfs_write(p->side[i].slot.bdf, "vpv/persona", name);
	return err;
}

/* The first one that the driver brings along, or what it begins with; both functions have the same. */
static int step_persona(struct pair *p)
{
	char list[4096] = "";
	int err;

	close_both(p);
	vdev_sysfs_read(p->side[0].slot.bdf, "vpv/personas", list, sizeof(list));
	list[strcspn(list, " \n")] = 0;
	err = personas_choose(p, list[0] && draw(2) ? list : personas[p - pairs]);
	return err ? err : open_both(p);
}

/* Other dialects, other ways of opening. */
static int step_reopen(struct pair *p)
{
	close_both(p);
	return open_both(p);
}

static const struct {
	const char *name;
	int (*run)(struct pair *p);
	unsigned int weight;
} steps[] = {
	{ "moves", step_move, 60 },	{ "states", step_states, 8 },
	{ "resets", step_reset, 6 },	{ "faults", step_fault, 6 },
	{ "damaged", step_damage, 6 },	{ "kills", step_kill, 3 },
	{ "unbinds", step_unbind, 3 },	{ "unplugged", step_unbind_open, 3 },
	{ "controls", step_control, 3 },	{ "personas", step_persona, 3 },
	{ "reopened", step_reopen, 5 },
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == KINDS, "tallies have another number");

static unsigned int draw_step(void)
{
	unsigned int all = 0, at;

	for (unsigned int i = 0; i < KINDS; i++)
		all += steps[i].weight;
	at = draw(all);
	for (unsigned int i = 0; i < KINDS; i++) {
		if (at < steps[i].weight)
			return i;
		at -= steps[i].weight;
	}
	return 0;
}

/* ---- The run ---- */

/* Caches are given back; KASAN frees what it has kept of a slab cache when that is shrunk. */
static void shrink(void)
{
	glob_t caches;

	sysfs_write("/proc/sys/vm/drop_caches", "3");
	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &caches))
		return;
	for (size_t i = 0; i < caches.gl_pathc; i++)
		sysfs_write(caches.gl_pathv[i], "1");
	globfree(&caches);
}

/* A line of /proc/meminfo, in kB. */
static long meminfo(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "r");
	size_t n = strlen(name);
	char line[128];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, n) && line[n] == ':')
			kb = strtol(line + n + 1, NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

/* Free pages that each CPU keeps for itself, in kB: MemFree has not got them. */
static long cpus_keep(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long pages = 0, num;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &num) == 1)
			pages += num;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) >> 10);
}

/* What only the kernel has, in kB: slab, pages of buffers, tables. */
static long kernel_memory(void)
{
	return meminfo("MemTotal") - meminfo("MemFree") - cpus_keep() - meminfo("Buffers") -
	       meminfo("Cached") - meminfo("AnonPages");
}

/* Parts of that, to be told if it has grown; the rest is pages of buffers and of debugging. */
static const char *const parts[] = {
	"SReclaimable", "SUnreclaim", "KernelStack", "PageTables", "Percpu", "VmallocUsed",
};

#define NUM_PARTS	(sizeof(parts) / sizeof(parts[0]))

/* What each slab cache has, in kB; those that have grown by this are told. */
#define CACHES_MAX	512
#define CACHE_KB	128
static struct { char name[32]; long kb, used_kb; } caches[CACHES_MAX];

/* By how much those of kmalloc-* have grown that have, objects in use, in kB. */
static long caches_compare(bool first)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	unsigned long used, num, bytes;
	char line[512], name[32];
	long kmalloc = 0;
	unsigned int i = 0;

	while (f && fgets(line, sizeof(line), f)) {
		long kb, used_kb;

		if (sscanf(line, "%31s %lu %lu %lu", name, &used, &num, &bytes) != 4)
			continue;
		for (i = 0; i < CACHES_MAX && *caches[i].name && strcmp(caches[i].name, name);)
			i++;
		if (i == CACHES_MAX)
			break;
		kb = num * bytes >> 10;
		used_kb = used * bytes >> 10;
		if (!first && kb - caches[i].kb >= CACHE_KB)
			printf("# slab cache %s: %ld kB more, objects in use %+ld kB\n", name,
			       kb - caches[i].kb, used_kb - caches[i].used_kb);
		if (!first && !strncmp(name, "kmalloc-", 8) && used_kb > caches[i].used_kb) {
			kmalloc += used_kb - caches[i].used_kb;
			printf("# %s: objects in use %+ld kB\n", name,
			       used_kb - caches[i].used_kb);
		}
		strcpy(caches[i].name, name);
		caches[i].kb = kb;
		caches[i].used_kb = used_kb;
	}
	if (f)
		fclose(f);
	return kmalloc;
}

/* Nobody has a function open: what is held for its sessions? */
static int sessions_hold(const struct slot *slot)
{
	char text[256];
	unsigned long held;

	if (mig_debugfs(slot->bdf, "memory", text, sizeof(text)) ||
	    sscanf(text, "held %lu", &held) != 1)
		return -ENOENT;
	if (held)
		printf("# %s is closed, and holds %lu bytes\n", slot->bdf, held);
	return held ? -EBUSY : 0;
}

/* With all functions closed. */
static int weigh(long *kb)
{
	int err = 0;

	for (unsigned int i = 0; i < num_pairs * 2 && !err; i++)
		err = sessions_hold(&pairs[i / 2].side[i % 2].slot);
	shrink();
	*kb = kernel_memory();
	if (err)
		printf("# what is held when all are closed: %s\n", strerror(-err));
	return err;
}

/* What two runs of a seed have in common, however long they take. */
static void digest_step(struct pair *p, struct tally *t, unsigned int kind)
{
	const unsigned int drawn_now[] = { kind, t->how[0].mode, t->how[0].v1, t->how[1].mode,
					   t->how[1].v1 };

	for (unsigned int i = 0; i < sizeof(drawn_now) / sizeof(drawn_now[0]); i++)
		t->digest = (t->digest ^ drawn_now[i]) * 0x100000001b3ULL;
	if (t->num == 5 || t->num == 10 || t->num == 20 || t->num % 100 == 0)
		printf("# %s: %lu steps, digest %016llx\n", p->family->name, t->num,
		       (unsigned long long)t->digest);
}

static int one_step(struct pair *p, struct tally *t)
{
	uint64_t start = now_ms();
	unsigned int kind;
	int err;

	draw_for(t->num * PAIRS_MAX + (p - pairs));
	kind = draw_step();
	err = steps[kind].run(p);
	err = err ? err : pair_work(p);
	if (err)
		printf("# step %lu of seed %#lx, %s of %s, after %s: %s\n", t->num,
		       (unsigned long)seed, steps[kind].name, p->family->name, p->at,
		       strerror(-err));
	t->num++;
	t->times[kind]++;
	t->ms[kind] += now_ms() - start;
	digest_step(p, t, kind);
	if (!kind)
		__atomic_add_fetch(&shared->migrations, 1, __ATOMIC_RELAXED);
	if (t->num % 500 == 0)
		printf("# %s: %lu steps, %lu migrations of all\n", p->family->name, t->num,
		       shared->migrations);
	return err;
}

static bool over(uint64_t until)
{
	return shared->failed || now_ms() >= until || shared->migrations >= most;
}

/* One family, in a process of its own, until it has done @num steps. */
static int soak(struct pair *p, struct tally *t, unsigned long num, uint64_t until)
{
	int err;

	if (t->times[0] && t->ms[0] / t->times[0] > LONG_MS)
		setpriority(PRIO_PROCESS, 0, LATER);
	p->tag = t->tag;
	p->on = t->on;
	/* As they were: when the first steps end is a matter of time. */
	draw_for(~(uint64_t)(p - pairs));
	err = t->num ? open_as(p, t->how) : open_both(p);
	if (err)
		printf("# %s cannot be opened: %s\n", p->family->name, strerror(-err));
	while (!err && t->num < num && !over(until))
		err = one_step(p, t);
	if (err)
		shared->failed = true;
	t->tag = p->tag;
	t->on = p->on;
	close_both(p);
	return err;
}

/* All families at once; each function is closed on return. */
static int soak_all(unsigned long num, uint64_t until)
{
	int status, err = 0;
	pid_t pids[PAIRS_MAX];

	for (unsigned int i = 0; i < num_pairs; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			err = soak(&pairs[i], &shared->of[i], num, until);
			fflush(stdout);
			_exit(err ? 1 : 0);
		}
		if (pids[i] < 0)
			shared->failed = true;
	}
	for (unsigned int i = 0; i < num_pairs; i++)
		if (pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status)
			err = -ECHILD;
	return err;
}

static void report(void)
{
	for (unsigned int i = 0; i < num_pairs; i++) {
		const struct tally *t = &shared->of[i];

		printf("# %s: %lu steps; ms each:", pairs[i].family->name, t->num);
		for (unsigned int kind = 0; kind < KINDS; kind++)
			if (t->times[kind])
				printf(" %lu %s %lu", t->times[kind], steps[kind].name,
				       (unsigned long)(t->ms[kind] / t->times[kind]));
		printf("\n");
	}
	printf("# seed %#lx: %lu migrations\n", (unsigned long)seed, shared->migrations);
}

static int run(void)
{
	long before = 0, now = 0, kmalloc, parts_before[NUM_PARTS];
	const uint64_t began = now_ms();
	int err;

	err = soak_all(WARM_STEPS, began + (end_ms - began) / WARM_PART);
	err = err ? err : weigh(&before);
	for (unsigned int i = 0; i < NUM_PARTS; i++)
		parts_before[i] = meminfo(parts[i]);
	caches_compare(true);
	if (!err && over(end_ms)) {
		report();
		printf("# no time was left to see what memory does\n");
		return 0;
	}
	err = err ? err : soak_all(~0UL, end_ms);
	report();
	err = err ? err : weigh(&now);
	if (err)
		return err;
	kmalloc = caches_compare(false);
	printf("# slab growth, objects in use of kmalloc-*: %ld kB\n", kmalloc);
	printf("# the kernel has %ld kB after the first steps, %ld kB now;", before, now);
	for (unsigned int i = 0; i < NUM_PARTS; i++)
		printf(" %s %+ld", parts[i], meminfo(parts[i]) - parts_before[i]);
	printf("\n");
	return now - before > GROWTH_KB || kmalloc > KMALLOC_KB ? -ENOMEM : 0;
}

static int begin(void)
{
	int err = 0;

	for_each_family(f) {
		struct pair *p = &pairs[num_pairs];

		if (!family_present(*f) || num_pairs == PAIRS_MAX)
			continue;
		err = pair_init(p, *f);
		err = err ? err : persona_of(&p->side[0].slot, personas[num_pairs],
					     sizeof(personas[0]));
		if (err) {
			printf("# %s: %s\n", (*f)->name, strerror(-err));
			return err;
		}
		num_pairs++;
	}
	return 0;
}

int main(void)
{
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	seed = number("SEED", now_ms());
	most = number("MIGRATIONS", ~0UL);
	end_ms = now_ms() + number("MINUTES", 5) * 60000;
	printf("TAP version 13\n1..1\n# seed %#lx\n", (unsigned long)seed);
	err = begin();
	if (!num_pairs && !err) {
		printf("ok 1 soak # SKIP no two functions of any family\n");
		return 4;
	}
	if (!err)
		err = run();
	for (unsigned int i = 0; i < num_pairs; i++) {
		personas_choose(&pairs[i], personas[i]);
		pair_exit(&pairs[i]);
	}
	printf("%s 1 soak\n", err ? "not ok" : "ok");
	return err ? 1 : 0;
}
