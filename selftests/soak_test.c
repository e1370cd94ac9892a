// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever can happen to two functions of each family, in random order, for a long time: whole
 * migrations, states, resets, faults of the model, kills, unbinds, personas and both dialects.
 * After each step the guest works.  From the environment: SEED, MINUTES, MIGRATIONS; it ends
 * when one of the two is reached.
 *
 * Groups: soak
 */
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/pair.h"
#include "lib/states.h"

#define PAIRS_MAX	8
/* The first steps fill caches; from then on the kernel's memory must not grow by more than this. */
#define WARM_STEPS	50
#define GROWTH_KB	8192

static struct pair pairs[PAIRS_MAX];
/* Personas that the drivers begin with, for which functions migrate to each other. */
static char personas[PAIRS_MAX][64];
static unsigned int num_pairs;
static uint64_t spent_ms[PAIRS_MAX];
static uint64_t seed, drawn;

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

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* ---- Steps: the guest works before and after ---- */

static int open_one(struct pair *p, unsigned int which)
{
	bool cdev = !access("/dev/iommu", R_OK | W_OK) && draw(2);

	return side_open(p, which, cdev ? VDEV_CDEV : VDEV_GROUP, draw(2));
}

static int open_both(struct pair *p)
{
	int err = open_one(p, 0);

	err = err ? err : open_one(p, 1);
	return err ? err : pair_restart(p);
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

static int step_unbind(struct pair *p)
{
	unsigned int which = draw(2);
	const char *bdf = p->side[which].slot.bdf;
	int err;

	close_both(p);
	err = vdev_unbind(bdf);
	err = err ? err : vdev_bind(bdf, p->family->driver);
	return err ? err : open_both(p);
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

static struct {
	const char *name;
	int (*run)(struct pair *p);
	unsigned int weight;
	unsigned long times;
} steps[] = {
	{ "moves", step_move, 60 },	{ "states", step_states, 8 },
	{ "resets", step_reset, 6 },	{ "faults", step_fault, 6 },
	{ "damaged", step_damage, 6 },	{ "kills", step_kill, 3 },
	{ "unbinds", step_unbind, 3 },	{ "personas", step_persona, 3 },
	{ "reopened", step_reopen, 5 },
};

#define NUM_STEPS	(sizeof(steps) / sizeof(steps[0]))

static unsigned int draw_step(void)
{
	unsigned int all = 0, at;

	for (unsigned int i = 0; i < NUM_STEPS; i++)
		all += steps[i].weight;
	at = draw(all);
	for (unsigned int i = 0; i < NUM_STEPS; i++) {
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

/* What only the kernel has, in kB: slab, pages of buffers, tables. */
static long kernel_memory(void)
{
	static const struct { const char *name; int sign; } fields[] = {
		{ "MemTotal: %ld", 1 }, { "MemFree: %ld", -1 }, { "Buffers: %ld", -1 },
		{ "Cached: %ld", -1 }, { "AnonPages: %ld", -1 },
	};
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long sum = 0, kb;

	while (f && fgets(line, sizeof(line), f))
		for (unsigned int i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (sscanf(line, fields[i].name, &kb) == 1)
				sum += fields[i].sign * kb;
	if (f)
		fclose(f);
	return sum;
}

/* Nobody has a function open: what is held for its sessions? */
static int sessions_hold(const struct slot *slot)
{
	char path[128], text[256] = "";
	unsigned long held;

	snprintf(path, sizeof(path), "/sys/kernel/debug/vpv_migration/%s/memory", slot->bdf);
	if (sysfs_read(path, text, sizeof(text)) < 0 || sscanf(text, "held %lu", &held) != 1)
		return -ENOENT;
	if (held)
		printf("# %s is closed, and holds %lu bytes\n", slot->bdf, held);
	return held ? -EBUSY : 0;
}

/* With all functions closed, which are open again on return. */
static int weigh(long *kb)
{
	int err = 0;

	for (unsigned int i = 0; i < num_pairs; i++)
		close_both(&pairs[i]);
	for (unsigned int i = 0; i < num_pairs * 2 && !err; i++)
		err = sessions_hold(&pairs[i / 2].side[i % 2].slot);
	shrink();
	*kb = kernel_memory();
	for (unsigned int i = 0; i < num_pairs && !err; i++)
		err = open_both(&pairs[i]);
	if (err)
		printf("# what is held when all are closed: %s\n", strerror(-err));
	return err;
}

static int one_step(uint64_t n)
{
	uint64_t start = now_ms();
	unsigned int which, kind;
	int err;

	draw_for(n);
	which = draw(num_pairs);
	kind = draw_step();
	err = steps[kind].run(&pairs[which]);
	err = err ? err : pair_work(&pairs[which]);
	if (err)
		printf("# step %lu of seed %#lx, %s of %s, after %s: %s\n", (unsigned long)n,
		       (unsigned long)seed, steps[kind].name, pairs[which].family->name,
		       pairs[which].at, strerror(-err));
	steps[kind].times++;
	spent_ms[which] += now_ms() - start;
	return err;
}

static int run(unsigned long minutes, unsigned long migrations)
{
	uint64_t end = now_ms() + minutes * 60000;
	uint64_t n = 0;
	long before = 0, now = 0;
	int err = 0;

	while (!err && now_ms() < end && steps[0].times < migrations) {
		err = one_step(n++);
		if (n == WARM_STEPS && !err)
			err = weigh(&before);
		if (n % 500 == 0) {
			printf("# %lu steps, %lu migrations\n", (unsigned long)n, steps[0].times);
			fflush(stdout);
		}
	}
	printf("# seed %#lx: %lu steps:", (unsigned long)seed, (unsigned long)n);
	for (unsigned int i = 0; i < NUM_STEPS; i++)
		printf(" %lu %s", steps[i].times, steps[i].name);
	printf("\n# seconds:");
	for (unsigned int i = 0; i < num_pairs; i++)
		printf(" %s %lu", pairs[i].family->name, (unsigned long)spent_ms[i] / 1000);
	printf("\n");
	if (err || n <= WARM_STEPS)
		return err;
	err = weigh(&now);
	printf("# the kernel has %ld kB after %d steps, %ld kB now\n", before, WARM_STEPS, now);
	return err ? err : now - before > GROWTH_KB ? -ENOMEM : 0;
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
		draw_for(~num_pairs);
		err = err ? err : open_both(p);
		err = err ? err : pair_work(p);
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

	seed = number("SEED", now_ms());
	printf("TAP version 13\n1..1\n# seed %#lx\n", (unsigned long)seed);
	err = begin();
	if (!num_pairs && !err) {
		printf("ok 1 soak # SKIP no two functions of any family\n");
		return 4;
	}
	if (!err)
		err = run(number("MINUTES", 5), number("MIGRATIONS", ~0UL));
	for (unsigned int i = 0; i < num_pairs; i++) {
		close_both(&pairs[i]);
		personas_choose(&pairs[i], personas[i]);
		pair_exit(&pairs[i]);
	}
	printf("%s 1 soak\n", err ? "not ok" : "ok");
	return err ? 1 : 0;
}
