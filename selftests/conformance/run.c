// SPDX-License-Identifier: GPL-2.0
/* Runs rules, each in a process of its own, and prints TAP (rule.h). */
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mig.h"

#define DEATH_S		10	/* for a process that was killed to end */
#define RULES_MAX	256

static const struct {
	unsigned int need;
	const char *why;
} missing[] = {
	{ NEED_NONE, "the device has FEATURE_MIGRATION" },
	{ NEED_P2P, "the device has no P2P states" },
	{ NEED_PRECOPY, "the device has no pre-copy" },
	{ NEED_LOGGING, "the device has no DMA logging" },
	{ NEED_TWO, "one device only" },
	{ NEED_PLUG, "no --busy and --verify" },
	{ NEED_RESET, "the device has no reset" },
	{ NEED_PCI, "not a PCI device" },
	{ NEED_V2, "this kernel has no MIG_PRECOPY_INFOv2" },
	{ NEED_UNBIND, "--unbind was not given" },
	{ NEED_OTHER_KIND, "no --other-kind" },
	{ NEED_SAMPLE, "no state could be saved, see stream.save" },
};

enum outcome rule_fail(struct ctx *c, int line, const char *format, ...)
{
	char *why = c->shared->why;
	int used = snprintf(why, sizeof(c->shared->why), "line %d: ", line);
	va_list args;

	va_start(args, format);
	vsnprintf(why + used, sizeof(c->shared->why) - used, format, args);
	va_end(args);
	return FAIL;
}

enum outcome rule_skip(struct ctx *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->shared->why, sizeof(c->shared->why), format, args);
	va_end(args);
	return SKIP;
}

static bool probe(struct dev *d, uint32_t flags)
{
	return !feature(d, VFIO_DEVICE_FEATURE_PROBE | flags, NULL, 0);
}

int ctx_begin(struct ctx *c, unsigned int more)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	size_t bytes = sizeof(struct shared) + SAMPLE_MAX;
	int err = settle(c, &c->a);

	if (!err && c->two)
		err = settle(c, &c->b);
	if (err)
		return err;
	c->shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->shared == MAP_FAILED)
		return -ENOMEM;
	c->migrates = !get_flags(&c->a, &c->flags);
	c->has = more | (c->two ? NEED_TWO : 0) | (c->migrates ? 0 : NEED_NONE);
	if (c->flags & VFIO_MIGRATION_P2P)
		c->has |= NEED_P2P;
	if (c->flags & VFIO_MIGRATION_PRE_COPY)
		c->has |= NEED_PRECOPY;
	if (probe(&c->a, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START))
		c->has |= NEED_LOGGING;
	if (probe(&c->a, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2))
		c->has |= NEED_V2;
	err = sys->ioctl(&c->a, VFIO_DEVICE_GET_INFO, &info);
	if (!err && info.flags & VFIO_DEVICE_FLAGS_RESET)
		c->has |= NEED_RESET;
	if (!err && info.flags & VFIO_DEVICE_FLAGS_PCI)
		c->has |= NEED_PCI;
	return 0;
}

void ctx_end(struct ctx *c)
{
	sys->close(&c->a);
	if (c->two)
		sys->close(&c->b);
	munmap(c->shared, sizeof(struct shared) + SAMPLE_MAX);
}

/* Wait for @child: its status, or -ETIMEDOUT. */
static int wait_for(pid_t child, unsigned int seconds)
{
	struct timespec left = { .tv_sec = seconds };
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (waitpid(child, &status, WNOHANG) != child)
		if (sigtimedwait(&set, NULL, &left) < 0 && errno == EAGAIN)
			return waitpid(child, &status, WNOHANG) == child ? status : -ETIMEDOUT;
	return status;
}

static enum outcome fork_rule(struct ctx *c, const struct rule *rule, unsigned int seconds)
{
	int status;
	pid_t child;

	fflush(stdout);
	c->shared->outcome = FAIL;
	c->shared->why[0] = 0;
	child = fork();
	if (child < 0)
		return rule_fail(c, __LINE__, "fork: %s", strerror(errno));
	if (!child) {
		c->rule = rule;
		c->shared->outcome = rule->run(c);
		if (rule->needs & OWN)
			sys->close(&c->a);
		_exit(0);
	}
	status = wait_for(child, seconds);
	if (status == -ETIMEDOUT) {
		kill(child, SIGKILL);
		if (wait_for(child, DEATH_S) == -ETIMEDOUT) {
			printf("Bail out! %s hangs in the kernel, SIGKILL does not end it\n",
			       rule->id);
			exit(1);
		}
		return rule_fail(c, __LINE__, "not done after %u s", seconds);
	}
	if (status)
		return rule_fail(c, __LINE__, "the rule's process died, status %#x", status);
	return c->shared->outcome;
}

enum outcome rule_run(struct ctx *c, const struct rule *rule, const struct options *o)
{
	unsigned int lacks = rule->needs & ~OWN & ~c->has;
	enum outcome outcome;
	int err = 0;

	if (!c->migrates && !(rule->needs & NEED_NONE))
		return rule_skip(c, "the device has no FEATURE_MIGRATION");
	for (unsigned int i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		if (lacks & missing[i].need)
			return rule_skip(c, "%s", missing[i].why);
	if (rule->needs & OWN) {
		sys->close(&c->a);
		if (c->two)
			sys->close(&c->b);
	}
	outcome = fork_rule(c, rule, o->seconds);
	if (c->shared->sample_bytes)
		c->has |= NEED_SAMPLE;
	err = outcome == FAIL ? settle_by_reset(c, &c->a) : settle(c, &c->a);
	if (!err && c->two)
		err = settle(c, &c->b);
	if (rule->needs & NEED_LOGGING)
		stop_logging(&c->a);
	if (err) {
		printf("Bail out! after %s the device cannot be brought back to RUNNING: %s\n",
		       rule->id, strerror(-err));
		exit(1);
	}
	return outcome;
}

static bool matches(const char *id, const char *const *patterns, unsigned int num)
{
	for (unsigned int i = 0; i < num; i++)
		if (!fnmatch(patterns[i], id, 0))
			return true;
	return false;
}

/* What is known of it counts neither as passed nor as failed, and must still be true. */
static enum outcome compare(struct ctx *c, const struct rule *rule, const struct options *o,
			    enum outcome outcome)
{
	char seen[sizeof(c->shared->why)];

	for (unsigned int i = 0; i < o->num_differs; i++) {
		const struct differ *d = &o->differs[i];

		if (strcmp(d->id, rule->id))
			continue;
		if (outcome == PASS)
			return rule_fail(c, __LINE__, "it passes: --differs is not true any more");
		if (outcome == FAIL) {
			memcpy(seen, c->shared->why, sizeof(seen));
			return rule_skip(c, "differs: %s (%.80s)", d->why, seen);
		}
	}
	return outcome;
}

bool rules_match(const char *pattern)
{
	unsigned int all;
	const struct rule *rules = rules_all(&all);

	for (unsigned int i = 0; i < all; i++)
		if (matches(rules[i].id, &pattern, 1))
			return true;
	return false;
}

int rules_run(struct ctx *c, const struct options *o, struct totals *t)
{
	static const char *const words[] = { [PASS] = "ok", [FAIL] = "not ok", [SKIP] = "ok" };
	const struct rule *wanted[RULES_MAX], *rules;
	unsigned int num = 0, all;

	rules = rules_all(&all);
	/* What others rely on is always there. */
	for (unsigned int i = 0; i < all; i++)
		if (!o->num_only || matches(rules[i].id, o->only, o->num_only) ||
		    !strcmp(rules[i].id, "stream.save"))
			wanted[num++] = &rules[i];
	if (!o->quiet)
		printf("TAP version 13\n1..%u\n", num);
	for (unsigned int i = 0; i < num; i++) {
		const struct rule *rule = wanted[i];
		enum outcome outcome;

		if (matches(rule->id, o->skip, o->num_skip))
			outcome = rule_skip(c, "not wanted (--skip)");
		else
			outcome = compare(c, rule, o, rule_run(c, rule, o));
		t->passed += outcome == PASS;
		t->failed += outcome == FAIL;
		t->skipped += outcome == SKIP;
		if (outcome == FAIL)
			printf("# %s: %s\n", rule->id, c->shared->why);
		if (o->quiet)
			continue;
		printf("%s %u %s: %s [%s]%s%s\n", words[outcome], i + 1, rule->id, rule->what,
		       rule->source, outcome == SKIP ? " # SKIP " : "",
		       outcome == SKIP ? c->shared->why : "");
		fflush(stdout);
	}
	if (!o->quiet)
		printf("# Totals: pass:%u fail:%u skip:%u\n", t->passed, t->failed, t->skipped);
	return t->failed ? 1 : 0;
}
