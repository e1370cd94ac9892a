// SPDX-License-Identifier: GPL-2.0
/* Sweeps of failures (failnth.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "device.h"
#include "failnth.h"
#include "log.h"

#define NUM(a)		(sizeof(a) / sizeof((a)[0]))
#define DEBUG		"/sys/kernel/debug/"
#define CONSOLE_LEVEL	"/proc/sys/kernel/printk"
/* An operation that goes on for longer does not end. */
#define FAILURES_MAX	5000
#define COUNT		1000000
#define ERRNO_MAX	134
/* More of them tell nothing new. */
#define BAD_MAX		40
#define DUMP_LINES	64
#define LINE_CHARS	160
#define FAIL_NTH	"/proc/thread-self/fail-nth"

static const char *const sources[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

/*
 * Where the kernel itself drops an error and goes on, by one function in the stack or
 * two: nobody above it can know.  What is @missed then is not asked for: only the next
 * attempt has to work.
 */
static const struct {
	const char *function;
	const char *caller;
	const char *why;
	bool missed;
} borne[] = {
	{ "proc_mkdir", "register_handler_proc", "no folder in /proc/irq" },
	{ "kobject_add", "__irq_alloc_descs", "no folder in /sys/kernel/irq" },
	{ "radix_tree_insert", "irq_domain_alloc_irqs_locked", "an interrupt is not in a map" },
	{ "debugfs_create_dir", NULL, "no file in debugfs" },
	{ "__debugfs_create_file", NULL, "no file in debugfs" },
	{ "debugfs_create_devm_seqfile", NULL, "no file in debugfs" },
	{ "kobject_uevent_env", NULL, "udev is not told" },
	{ "devtmpfs_create_node", NULL, "no node in /dev", true },
	{ "acpi_has_method", NULL, "ACPI has nothing to say" },
	{ "__request_region", "__pci_request_selected_regions", "a BAR is somebody else's" },
	{ "kmem_cache_alloc_node_noprof", "alloc_vmap_area", "vmalloc has no spare area" },
	{ "iommu_alloc_resv_region", "intel_iommu_get_resv_regions", "a region is not reserved" },
};

/* Who asks with __GFP_NOWARN has a way out.  The kernel does not tell of these. */
#define NOWARN NUM(borne)

/* ---- The kernel's knobs ---- */

static int knob(const char *source, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUG "%s/%s", source, name);
	return sysfs_write(path, text);
}

static void set_verbose(const char *level)
{
	for (unsigned int i = 0; i < NUM(sources); i++)
		knob(sources[i], "verbose", level);
}

/* First byte of a function, and the first behind it, in hexadecimal. */
static int function_range(const char *function, char *start, char *end, size_t room)
{
	unsigned long long addr, begin = 0, next = ~0ULL;
	char name[256];
	FILE *f = fopen("/proc/kallsyms", "r");

	if (!f)
		return -errno;
	while (fscanf(f, "%llx %*c %255s%*[^\n]", &addr, name) == 2)
		if (!strcmp(name, function))
			begin = addr;
	rewind(f);
	while (begin && fscanf(f, "%llx %*c %255s%*[^\n]", &addr, name) == 2)
		if (addr > begin && addr < next)
			next = addr;
	fclose(f);
	snprintf(start, room, "%#llx", begin);
	snprintf(end, room, "%#llx", next);
	return begin && next != ~0ULL ? 0 : -ENOENT;
}

/*
 * register_irq_proc() makes the files of a new interrupt in /proc/irq and goes on
 * without those that it gets no memory for; but unregister_irq_proc() warns of each
 * that is not there (Linux 7.3, with any driver that calls request_irq()).
 */
#define SPARED "register_irq_proc"

/* Refuse nothing to what this function calls. */
static int spare(const char *function)
{
	char start[32], end[32];
	int err = function_range(function, start, end, sizeof(start));

	for (unsigned int i = 0; i < NUM(sources) && !err; i++) {
		err = knob(sources[i], "reject-start", start);
		if (!err)
			err = knob(sources[i], "reject-end", end);
	}
	return err;
}

/* ---- One failure ---- */

static void arm(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	/* The copy of this text may be the one that fails. */
	if (pwrite(fd, text, len, 0) != len && pwrite(fd, text, len, 0) != len)
		abort();
}

/* Return: what is left of the count of arm(); 0: the failure was. */
static unsigned int disarm(int fd)
{
	char text[16] = "";
	unsigned int left = 1;

	/* As above: then the operation has not had it. */
	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		left = strtoul(text, NULL, 10);
	arm(fd, 0);
	return left;
}

/* A copy to user space that fails tells that failures are injected. */
static bool injects(void)
{
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	struct utsname name;
	bool failed;
	int ret;

	if (fd < 0)
		return false;
	arm(fd, 1);
	ret = uname(&name);
	failed = !disarm(fd) && ret;
	close(fd);
	return failed;
}

bool failnth_init(void)
{
	set_verbose("0");
	/* Not only allocations that may not sleep, and single pages too. */
	return !knob("failslab", "ignore-gfp-wait", "N") &&
	       !knob("fail_page_alloc", "ignore-gfp-wait", "N") &&
	       !knob("fail_page_alloc", "min-order", "0") && !spare(SPARED) && injects();
}

struct sweep {
	const struct failnth_op *op;
	void *arg;
	int fd;			/* fail-nth of this thread */
	int log;		/* of the kernel, from the last failure on */
	unsigned int points;	/* that can fail, when nothing does; the most of all runs */
	unsigned int refused, bad;
	unsigned int by_errno[ERRNO_MAX], by_reason[NOWARN + 1];
};

static int bad(struct sweep *s, unsigned int n, const char *what, int err)
{
	printf("# %s: failure %u: %s: %s\n", s->op->name, n, what, strerror(-err));
	s->bad++;
	fflush(stdout);
	return err;
}

static int works(struct sweep *s)
{
	return s->op->works ? s->op->works(s->arg) : 0;
}

static void undo(struct sweep *s)
{
	if (s->op->undo)
		s->op->undo(s->arg);
}

/* The operation with its @n-th allocation refused; 0: none, they are counted. */
static int run_once(struct sweep *s, unsigned int n, bool *failed)
{
	int err = s->op->prepare ? s->op->prepare(s->arg) : 0;
	unsigned int left;

	if (err)
		return bad(s, n, "preparing it", err);
	arm(s->fd, n ?: COUNT);
	err = s->op->run(s->arg);
	left = disarm(s->fd);
	*failed = !left;
	if (!n && COUNT - left > s->points)
		s->points = COUNT - left;
	return err;
}

/* And with nothing refused. */
static int run_well(struct sweep *s, unsigned int n)
{
	bool failed;
	int err = run_once(s, 0, &failed);

	if (err)
		return bad(s, n, "the next attempt", err);
	err = works(s);
	undo(s);
	return err ? bad(s, n, "the next attempt does not work", err) : 0;
}

static bool errno_is_known(const struct failnth_op *op, int err)
{
	for (unsigned int i = 0; i < NUM(op->errnos) && op->errnos[i]; i++)
		if (err == op->errnos[i])
			return true;
	return err == ENOMEM || err == EFAULT;
}

/* ---- Failures that were borne ---- */

struct dump {
	unsigned int num;
	char line[DUMP_LINES][LINE_CHARS];
};

/* The lines of the kernel's log since the mark; functions only. */
static void read_dump(int log, struct dump *dump)
{
	dump->num = 0;
	while (dump->num < DUMP_LINES) {
		char rec[4096], *msg;
		ssize_t len = read(log, rec, sizeof(rec) - 1);

		if (len < 0 && errno == EPIPE)
			continue;	/* overtaken by the ring */
		if (len <= 0)
			return;
		rec[len] = 0;
		rec[strcspn(rec, "\n")] = 0;
		msg = strchr(rec, ';');
		if (msg && strstr(msg, "+0x") && !strstr(msg, " ? "))
			snprintf(dump->line[dump->num++], LINE_CHARS, "%s", msg + 1);
	}
}

static bool is_in(const struct dump *dump, const char *function)
{
	size_t chars = strlen(function);

	for (unsigned int i = 0; i < dump->num; i++) {
		const char *at = strstr(dump->line[i], function);

		if (at && at[-1] == ' ' && at[chars] == '+')
			return true;
	}
	return false;
}

/* Return: index of the reason, or -1. */
static int reason(const struct dump *dump)
{
	if (!dump->num)
		return NOWARN;
	for (unsigned int i = 0; i < NUM(borne); i++)
		if (is_in(dump, borne[i].function) &&
		    (!borne[i].caller || is_in(dump, borne[i].caller)))
			return i;
	return -1;
}

/* The operation has borne failure @n, for reason @why: may it? */
static void explain(struct sweep *s, unsigned int n, const struct dump *dump, int why)
{
	if (why >= 0) {
		s->by_reason[why]++;
		return;
	}
	bad(s, n, "nobody was told", 0);
	for (unsigned int i = 0; i < dump->num && i < 24; i++)
		printf("#   %s\n", dump->line[i]);
}

/* ---- All of them ---- */

/* What is there although something failed is whole; unless the kernel left it out. */
static void look(struct sweep *s, unsigned int n, bool missed)
{
	int err = missed ? 0 : works(s);

	if (err)
		bad(s, n, "it does not work", err);
	undo(s);
}

/*
 * One that worked all the same was looked at already, and the next of the sweep shows
 * that it can be done again.  Return: whether there was an @n-th allocation to refuse.
 */
static bool sweep_one(struct sweep *s, unsigned int n)
{
	bool failed = false, missed;
	struct dump dump;
	int err, why;

	lseek(s->log, 0, SEEK_END);
	err = run_once(s, n, &failed);
	read_dump(s->log, &dump);
	why = reason(&dump);
	missed = failed && why >= 0 && why < NOWARN && borne[why].missed;
	if (!failed && err)
		bad(s, n, "without a failure", err);
	if (!err)
		look(s, n, missed);
	if (!failed)
		return false;

	if (err) {
		s->refused++;
		s->by_errno[-err % ERRNO_MAX]++;
		if (!errno_is_known(s->op, -err))
			bad(s, n, "an errno of its own", err);
	} else if (!s->op->mute) {
		explain(s, n, &dump, why);
	}
	if (err || s->op->mute || missed)
		run_well(s, n);
	return true;
}

static void report(const struct sweep *s, unsigned int failures, uint64_t ms)
{
	printf("# %s: %u points, %u failures, %u refused", s->op->name, s->points, failures,
	       s->refused);
	for (unsigned int i = 0; i < ERRNO_MAX; i++)
		if (s->by_errno[i])
			printf(", %u %s", s->by_errno[i], strerrorname_np(i));
	for (unsigned int i = 0; i <= NOWARN; i++)
		if (s->by_reason[i])
			printf(", %u borne: %s", s->by_reason[i],
			       i == NOWARN ? "__GFP_NOWARN" : borne[i].why);
	printf("; %llu ms\n", (unsigned long long)ms);
	fflush(stdout);
}

/*
 * With the stack of each failure in the log, and not on the console.  A run may have
 * less to refuse than another.  Return: the number of failures.
 */
static unsigned int sweep_all(struct sweep *s)
{
	unsigned int failures = 0;

	sysfs_write(CONSOLE_LEVEL, "1");
	set_verbose("2");
	for (unsigned int n = 1; n <= FAILURES_MAX && s->bad < BAD_MAX; n++) {
		if (sweep_one(s, n))
			failures++;
		else if (n > s->points)
			break;
	}
	set_verbose("1");
	sysfs_write(CONSOLE_LEVEL, "8");
	return failures;
}

int failnth_sweep(const struct failnth_op *op, void *arg)
{
	struct sweep s = { .op = op, .arg = arg };
	uint64_t begin = now_ms();
	unsigned int failures = 0;

	s.fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	s.log = log_mark();
	if (s.fd < 0 || s.log < 0 || spare(op->spared ?: SPARED))
		return -1;
	/* The first run fills caches. */
	if (!run_well(&s, 0))
		failures = sweep_all(&s);
	close(s.fd);
	close(s.log);
	report(&s, failures, now_ms() - begin);
	return failures || op->bare || s.bad ? (int)s.bad : -1;
}
