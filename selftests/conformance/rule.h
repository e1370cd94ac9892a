/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: what a device has to do, who says so, and how to find out.
 */
#ifndef CONFORMANCE_RULE_H
#define CONFORMANCE_RULE_H

#include "layer.h"

enum need {
	NEED_P2P	= 1 << 0,	/* the states RUNNING_P2P, and PRE_COPY_P2P with pre-copy */
	NEED_PRECOPY	= 1 << 1,
	NEED_LOGGING	= 1 << 2,
	NEED_TWO	= 1 << 3,	/* devices */
	NEED_PLUG	= 1 << 4,	/* --busy and --verify */
	NEED_RESET	= 1 << 5,	/* the device can be reset */
	NEED_PCI	= 1 << 6,	/* VFIO_DEVICE_FLAGS_PCI */
	NEED_V2		= 1 << 7,	/* MIG_PRECOPY_INFOv2 */
	NEED_SAMPLE	= 1 << 8,	/* a stream that was saved before */
	NEED_NONE	= 1 << 9,	/* a device without migration: all others need one with */
	NEED_UNBIND	= 1 << 10,	/* the driver may be taken from it */
	OWN		= 1 << 11,	/* finds the devices closed, and opens them itself */
	NEED_OTHER_KIND	= 1 << 12,	/* a stream of a device of another kind */
};

enum outcome { PASS, FAIL, SKIP };

struct ctx;

/**
 * struct rule - One line of the report
 * @id: Short name, "group.thing".
 * @what: What is demanded.
 * @source: Who demands it.
 * @needs: enum need.
 * @run: In a process of its own, with devices that are RUNNING (but OWN).
 * @from: Parameters of a rule that is there for many states.
 * @to: Likewise.
 */
struct rule {
	const char *id;
	const char *what;
	const char *source;
	unsigned int needs;
	enum outcome (*run)(struct ctx *c);
	unsigned int from;
	unsigned int to;
};

#define SAMPLE_MAX	(256u << 20)
#define MEM_BYTES	(16u << 20)
#define MEM_IOVA	0x10000000ull

/**
 * struct shared - What a rule's process leaves to the others
 * @outcome: Of the rule.
 * @why: In words; also why it was skipped.
 * @sample_bytes: Length of @sample; 0: there is none.
 * @sample: A whole stream, saved when the device was idle.
 */
struct shared {
	enum outcome outcome;
	char why[400];
	size_t sample_bytes;
	uint8_t sample[];
};

/**
 * struct ctx - What a rule gets
 * @rule: Itself.
 * @a: The device.
 * @b: The second one, if @two.
 * @migrates: FEATURE_MIGRATION works.
 * @flags: VFIO_MIGRATION_* of @a.
 * @has: enum need that this machine and these devices fulfil.
 * @mem: MEM_BYTES that both devices have at MEM_IOVA; NULL: they cannot have any.
 * @other_kind: A stream of a device of another kind; see NEED_OTHER_KIND.
 * @other_kind_bytes: Its length.
 * @shared: See there.
 */
struct ctx {
	const struct rule *rule;
	struct dev a;
	struct dev b;
	bool two;
	bool migrates;
	uint64_t flags;
	unsigned int has;
	uint8_t *mem;
	uint8_t *other_kind;
	size_t other_kind_bytes;
	struct shared *shared;
};

enum outcome rule_fail(struct ctx *c, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum outcome rule_skip(struct ctx *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* In a rule: it is broken unless @cond; the rest says what was seen. */
#define CHECK(cond, ...) do {						\
	if (!(cond))							\
		return rule_fail(c, __LINE__, __VA_ARGS__);		\
} while (0)

/* The rules of each file; end with one that has no id. */
extern const struct rule feature_rules[], fsm_rules[], file_rules[], share_rules[],
	precopy_rules[], stream_rules[], thread_rules[], log_rules[], work_rules[];

/* All of them, those for each pair of states included; *@num of them. */
const struct rule *rules_all(unsigned int *num);

/**
 * struct differ - A rule that the device is known to break
 * @id: Its id.
 * @why: What is known of it.
 */
struct differ {
	char id[64];
	char why[320];
};

/**
 * struct options - How to run them
 * @only: Patterns of ids, or NULL.
 * @num_only: Their number.
 * @skip: Patterns of ids that are not to be run.
 * @num_skip: Their number.
 * @differs: Rules that are known to be broken: no failures, but they must be broken.
 * @num_differs: Their number.
 * @seconds: For one rule.
 * @quiet: Print failures only.
 */
struct options {
	const char *const *only;
	unsigned int num_only;
	const char *const *skip;
	unsigned int num_skip;
	const struct differ *differs;
	unsigned int num_differs;
	unsigned int seconds;
	bool quiet;
};

struct totals {
	unsigned int passed;
	unsigned int failed;
	unsigned int skipped;
};

/* Find out what the devices can do; they are open after it. */
int ctx_begin(struct ctx *c, unsigned int more);
void ctx_end(struct ctx *c);
/* One rule; the reason is in c->shared->why. */
enum outcome rule_run(struct ctx *c, const struct rule *rule, const struct options *o);
/* Is there a rule of that name, or with a name of that pattern? */
bool rules_match(const char *pattern);
/* All that are wanted; TAP on stdout. */
int rules_run(struct ctx *c, const struct options *o, struct totals *t);

/* fake.c: find, for each rule, the bugs that break it. */
int self_test(struct options *o, bool matrix);

#endif /* CONFORMANCE_RULE_H */
