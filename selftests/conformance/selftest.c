// SPDX-License-Identifier: GPL-2.0
/*
 * --self-test: rules against a fake that is right, in each shape, and then against one with
 * one bug after the other.  Every rule must fail for a bug that is meant for it, and no rule
 * may be without one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"

#define TABLE_MAX	320
#define RULE_WIDTH	30
#define TEXT_WIDTH	60
#define EQUALS		"============================================================"

/**
 * struct mutant - A bug and a rule that must find it
 * @text: What is wrong.
 * @rule: Its id.
 * @bug: Which; @from, @to: of which states.
 * @flags: VFIO_MIGRATION_* of the fake; 0: no migration at all.
 */
struct mutant {
	const char *text;
	const char *rule;
	enum bug bug;
	uint64_t flags;
	unsigned int from;
	unsigned int to;
};

static const char *const texts[BUGS] = {
#define FLAW(name, features, rule, text) [BUG_##name] = text,
#define ALSO(name, features, rule)
#include "fake_bugs.h"
#undef FLAW
#undef ALSO
	[BUG_PAIR] = "the pair of states is refused, or taken when it must not be",
	[BUG_RESET_STATE] = "RESET leaves the state as it was, or not RUNNING",
	[BUG_REOPEN_STATE] = "close leaves the state as it was, or not RUNNING",
};

static const struct mutant named[] = {
#define FLAW(name, features, rule, text) { text, rule, BUG_##name, features, 0, 0 },
#define ALSO(name, features, rule) { NULL, rule, BUG_##name, features, 0, 0 },
#include "fake_bugs.h"
#undef FLAW
#undef ALSO
};

static unsigned int mutants(struct mutant *table)
{
	unsigned int num = 0, all;
	const struct rule *rules = rules_all(&all);

	for (unsigned int i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		table[num++] = named[i];
	for (unsigned int i = 0; i < all; i++) {
		enum bug b = strstr(rules[i].id, "->") ? BUG_PAIR :
			     !strncmp(rules[i].id, "reset.", 6) ? BUG_RESET_STATE :
			     !strncmp(rules[i].id, "reopen.", 7) ? BUG_REOPEN_STATE : BUG_NONE;

		if (b != BUG_NONE)
			table[num++] = (struct mutant){ NULL, rules[i].id, b, FAKE_ALL,
							rules[i].from, rules[i].to };
	}
	for (unsigned int i = 0; i < num; i++)
		table[i].text = texts[table[i].bug];
	return num;
}

static struct ctx *begin(const struct mutant *m, bool two)
{
	static struct ctx c;

	c = (struct ctx){ .two = two };
	c.a = (struct dev){ .name = "fake0", .fd = -1, .group = -1, .iommu = -1 };
	c.b = (struct dev){ .name = "fake1", .fd = -1, .group = -1, .iommu = -1, .fake = 1 };
	c.mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	c.other_kind = fake_other_kind(&c.other_kind_bytes);
	if (c.mem == MAP_FAILED || !c.other_kind ||
	    fake_begin(m->bug, m->flags, m->from, m->to) ||
	    ctx_begin(&c, NEED_PLUG | NEED_UNBIND | NEED_OTHER_KIND))
		return NULL;
	return &c;
}

/* The wanted rules on a fake of its own; the number of failures. */
static int run_mutant(const struct mutant *m, bool two, const struct options *o,
		      struct totals *t)
{
	struct ctx *c = begin(m, two);

	if (!c)
		return 1;
	rules_run(c, o, t);
	ctx_end(c);
	munmap(c->mem, MEM_BYTES);
	free(c->other_kind);
	return t->failed;
}

/* In a process of its own: a rule that leaves no way back to RUNNING ends it. */
static bool finds(const struct mutant *m, unsigned int seconds)
{
	struct options o = { .only = &m->rule, .num_only = 1, .seconds = seconds, .quiet = true };
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		struct totals t = {};
		struct ctx *c = begin(m, true);
		unsigned int all;
		const struct rule *rules = rules_all(&all);
		enum outcome outcome = PASS;

		if (!c)
			_exit(2);
		/* What others rely on first, whatever comes of it. */
		if (strcmp(m->rule, rules[0].id))
			t.failed += rule_run(c, &rules[0], &o) == FAIL;
		for (unsigned int i = 0; i < all; i++)
			if (!strcmp(rules[i].id, m->rule))
				outcome = rule_run(c, &rules[i], &o);
		if (outcome == FAIL)
			printf("# %s: %s: %s\n", m->rule, m->text, c->shared->why);
		fflush(stdout);
		_exit(outcome == FAIL ? 0 : 1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	return !status;
}

/* All rules on a fake that is right: none fails. */
static int run_clean(struct options *o, unsigned int *line)
{
	static const struct { const char *name; uint64_t flags; bool one; } shapes[] = {
		{ "all states", FAKE_ALL },
		{ "one device", FAKE_ALL, true },
		{ "no pre-copy", VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P },
		{ "no P2P", VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY },
		{ "STOP_COPY only", VFIO_MIGRATION_STOP_COPY },
		{ "no migration", 0 },
	};
	int failures = 0;

	for (unsigned int i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct mutant right = { .flags = shapes[i].flags };
		struct options quiet = *o;
		struct totals t = {};

		quiet.quiet = !o->num_only;
		run_mutant(&right, !shapes[i].one, &quiet, &t);
		printf("%s %u a right fake, %s: %u rules passed, %u failed, %u do not apply\n",
		       t.failed || !t.passed ? "not ok" : "ok", ++*line, shapes[i].name, t.passed,
		       t.failed, t.skipped);
		failures += t.failed || !t.passed;
	}
	return failures;
}

static int run_without(const struct mutant *table, unsigned int num, unsigned int *line)
{
	const char *lonely = NULL;
	unsigned int all;
	const struct rule *rules = rules_all(&all);

	for (unsigned int i = 0; i < all; i++) {
		bool found = false;

		for (unsigned int m = 0; m < num; m++)
			found |= !strcmp(table[m].rule, rules[i].id);
		if (!found)
			printf("# %s: no bug is meant for it\n", lonely = rules[i].id);
	}
	printf("%s %u each of the %u rules has a bug that it must find\n", lonely ? "not ok" : "ok",
	       ++*line, all);
	return !!lonely;
}

static void print_rule(void)
{
	printf("%.*s  %.*s\n", RULE_WIDTH, EQUALS, TEXT_WIDTH, EQUALS);
}

/* As bugs.rst has it. */
static int print_table(const struct mutant *table, unsigned int num)
{
	printf(".. SPDX-License-Identifier: GPL-2.0\n\n");
	printf(".. Made by vfio_migration_conformance --bugs\n\n");
	print_rule();
	printf("%-*s  %s\n", RULE_WIDTH, "rule that fails", "bug of the fake");
	print_rule();
	for (unsigned int i = 0; i < num; i++)
		printf("%-*s  %s\n", RULE_WIDTH, table[i].rule, table[i].text);
	print_rule();
	return 0;
}

int self_test(struct options *o, bool matrix)
{
	static struct mutant table[TABLE_MAX];
	unsigned int num = mutants(table), line = 0;
	int failures;

	sys = &fake_layer;
	if (matrix)
		return print_table(table, num);
	printf("TAP version 13\n1..%u\n", num + 7);
	failures = run_clean(o, &line);
	failures += run_without(table, num, &line);
	for (unsigned int i = 0; i < num; i++) {
		bool found = finds(&table[i], o->seconds);

		printf("%s %u %s finds: %s\n", found ? "ok" : "not ok", ++line, table[i].rule,
		       table[i].text);
		failures += !found;
	}
	printf("# Totals: pass:%u fail:%d\n", line - failures, failures);
	return failures ? 1 : 0;
}
