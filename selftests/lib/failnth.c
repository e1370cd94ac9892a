// SPDX-License-Identifier: GPL-2.0
/* Sweeps of failures (failnth.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "failnth.h"
#include "log.h"

#define NUM(a)		(sizeof(a) / sizeof((a)[0]))
#define DEBUG		"/sys/kernel/debug/"
#define CONSOLE_LEVEL	"/proc/sys/kernel/printk"
/* An operation that goes on for longer does not end. */
#define FAILURES_MAX	5000
#define ERRNO_MAX	134
#define DUMP_LINES	64
#define LINE_CHARS	160

static const char *const sources[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

/* What the kernel goes on without, by one function in the stack, or two. */
static const struct {
	const char *function;
	const char *caller;
	const char *why;
} borne[] = {
	{ "proc_mkdir", "register_handler_proc", "an interrupt has no folder in /proc/irq" },
	{ "kobject_add", "__irq_alloc_descs", "an interrupt has no folder in /sys/kernel/irq" },
	{ "radix_tree_insert", "irq_domain_alloc_irqs_locked", "an interrupt is not in a map" },
	{ "debugfs_create_dir", NULL, "files in debugfs are missing" },
	{ "__debugfs_create_file", NULL, "files in debugfs are missing" },
	{ "debugfs_create_devm_seqfile", NULL, "files in debugfs are missing" },
	{ "kobject_uevent_env", NULL, "udev is not told" },
	{ "acpi_has_method", NULL, "ACPI is taken to have nothing to say" },
	{ "vpv_bars_open", NULL, "a BAR is mapped when it is used" },
};

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

bool failnth_init(void)
{
	/* Not only allocations that may not sleep, and single pages too. */
	return !knob("failslab", "ignore-gfp-wait", "N") &&
	       !knob("fail_page_alloc", "ignore-gfp-wait", "N") &&
	       !knob("fail_page_alloc", "min-order", "0") && !spare(SPARED);
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

/* Return: whether there was a failure since arm(). */
static bool disarm(int fd)
{
	char text[16] = "";
	bool failed;

	/* As above: then the operation has not had it. */
	failed = pread(fd, text, sizeof(text) - 1, 0) > 0 && !strtoul(text, NULL, 10);
	arm(fd, 0);
	return failed;
}

struct sweep {
	const struct failnth_op *op;
	void *arg;
	int fd;			/* fail-nth of this thread */
	unsigned int refused, bad;
	unsigned int by_errno[ERRNO_MAX];
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

/* The operation with its @n-th allocation refused; 0: none. */
static int run_once(struct sweep *s, unsigned int n, bool *failed)
{
	int err = s->op->prepare ? s->op->prepare(s->arg) : 0;

	if (err)
		return bad(s, n, "preparing it", err);
	arm(s->fd, n);
	err = s->op->run(s->arg);
	*failed = disarm(s->fd);
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
	char rec[4096];
	ssize_t len;

	dump->num = 0;
	while (dump->num < DUMP_LINES && (len = read(log, rec, sizeof(rec) - 1)) > 0) {
		char *msg;

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

static const char *reason(const struct dump *dump)
{
	/* The kernel does not tell of __GFP_NOWARN: who asks so has a way out. */
	if (!dump->num)
		return "__GFP_NOWARN";
	for (unsigned int i = 0; i < NUM(borne); i++)
		if (is_in(dump, borne[i].function) &&
		    (!borne[i].caller || is_in(dump, borne[i].caller)))
			return borne[i].why;
	return NULL;
}

/* The operation has borne failure @n: may it?  Once more, with a look at the stack. */
static void explain(struct sweep *s, unsigned int n)
{
	struct dump dump = {};
	const char *why;
	int log = log_mark();
	bool failed;
	int err;

	if (log < 0)
		abort();
	set_verbose("2");
	err = run_once(s, n, &failed);
	set_verbose("0");
	read_dump(log, &dump);
	close(log);
	if (!err)
		undo(s);
	if (err || !failed)
		return;		/* another one failed this time */

	why = reason(&dump);
	if (why)
		return;
	bad(s, n, "nobody was told", 0);
	for (unsigned int i = 0; i < dump.num && i < 20; i++)
		printf("#   %s\n", dump.line[i]);
}

/* ---- All of them ---- */

/* Return: whether there was an @n-th allocation to refuse. */
static bool sweep_one(struct sweep *s, unsigned int n)
{
	bool failed = false;
	int err = run_once(s, n, &failed);

	if (!failed && err)
		bad(s, n, "without a failure", err);
	if (!err) {
		int broken = works(s);

		if (broken)
			bad(s, n, "it does not work", broken);
		undo(s);
	}
	if (!failed)
		return false;

	if (err) {
		s->refused++;
		s->by_errno[-err % ERRNO_MAX]++;
		if (!errno_is_known(s->op, -err))
			bad(s, n, "an errno of its own", err);
	} else if (!s->op->mute) {
		explain(s, n);
	}
	run_well(s, n);
	return true;
}

static void report(const struct sweep *s, unsigned int failures, uint64_t ms)
{
	printf("# %s: %u failures, %u refused", s->op->name, failures, s->refused);
	for (unsigned int i = 0; i < ERRNO_MAX; i++)
		if (s->by_errno[i])
			printf(", %u %s", s->by_errno[i], strerrorname_np(i));
	printf("; %llu ms\n", (unsigned long long)ms);
	fflush(stdout);
}

int failnth_sweep(const struct failnth_op *op, void *arg)
{
	struct sweep s = { .op = op, .arg = arg };
	uint64_t begin = now_ms();
	unsigned int n = 1;

	s.fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (s.fd < 0 || spare(op->spared ?: SPARED))
		return -1;
	/* The first run fills caches. */
	if (!run_well(&s, 0)) {
		/* Hundreds of stacks are for the log, where they are read from. */
		sysfs_write(CONSOLE_LEVEL, "1");
		set_verbose("0");
		while (n <= FAILURES_MAX && s.bad < 40 && sweep_one(&s, n))
			n++;
		set_verbose("1");
		sysfs_write(CONSOLE_LEVEL, "8");
	}
	close(s.fd);
	report(&s, n - 1, now_ms() - begin);
	/* There is always a copy of an argument, unless there is no argument. */
	return n > 1 || op->mute ? (int)s.bad : -1;
}
