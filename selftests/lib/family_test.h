/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of all families that the machine has: their names carry that of the family.  For
 * test programs, behind lib/test.h.
 */
#ifndef SELFTEST_FAMILY_TEST_H
#define SELFTEST_FAMILY_TEST_H

#include "family.h"
#include "left.h"

/**
 * struct way - How the tests of a fixture differ from each other
 * @name: For the names of tests; "" if there is one way only.
 * @mode: How functions are opened.
 * @how: How their user has left them.
 * @soft_reset: Waking up from D3hot resets them.
 * @state: Of a migration.
 */
struct way {
	const char *name;
	enum vdev_mode mode;
	enum left_how how;
	bool soft_reset;
	unsigned int state;
};

struct family_variant {
	const struct family *family;
	const struct way *way;
};

/* Families that are not there are only named, as skipped, if there are no others. */
static inline void register_families(struct __fixture_metadata *fixture, const struct way *ways,
				     size_t num)
{
	bool any = false;

	for_each_family(f)
		any |= family_present(*f);
	for_each_family(f) {
		for (size_t i = 0; i < num && (!any || family_present(*f)); i++) {
			struct __fixture_variant_metadata *v = calloc(1, sizeof(*v));
			struct family_variant *data = calloc(1, sizeof(*data));
			char *name;

			if (!v || !data || asprintf(&name, "%s%s%s", (*f)->name,
						    ways[i].name[0] ? "_" : "",
						    ways[i].name) < 0)
				abort();
			*data = (struct family_variant){ .family = *f, .way = &ways[i] };
			v->name = name;
			v->data = data;
			__register_fixture_variant(fixture, v);
		}
	}
}

/* Run the tests of a fixture for all families, in each of the ways of an array. */
#define VARIANTS_OF_FAMILIES(fixture_name, ways)				\
	FIXTURE_VARIANT(fixture_name) {						\
		const struct family *family;					\
		const struct way *way;						\
	};									\
	static void __attribute__((constructor(KSELFTEST_PRIO_TEST)))		\
	_families_of_##fixture_name(void)					\
	{									\
		register_families(&_##fixture_name##_fixture_object, ways,	\
				  sizeof(ways) / sizeof((ways)[0]));		\
	}

/*
 * Once for each family.  How a function was opened makes no difference for what is tested so:
 * the ioctls are the same ones, behind either.
 */
static const struct way one_way[] __attribute__((unused)) = { { .name = "" } };

static const struct way both_openings[] __attribute__((unused)) = {
	{ .name = "group", .mode = VDEV_GROUP },
	{ .name = "cdev", .mode = VDEV_CDEV },
};


/* In a fixture's setup: bind up to @num functions of a family; one that its driver refuses is a failure. */
#define BIND_FAMILY(family, slots, num) ({						\
	int _bound = family_present(family) ? family_bind(family, slots, num) : 0;	\
											\
	ASSERT_LE(0, _bound)								\
		TH_LOG("a function of %s cannot be bound: %d", (family)->name, _bound);	\
	_bound;										\
})

/* The same with @num functions at least. */
#define NEED_FAMILY(family, slots, num) do {						\
	int _have = BIND_FAMILY(family, slots, num);					\
											\
	if (_have < (num))								\
		SKIP(return, "needs %d functions of family %s, has %d", num,		\
		     (family)->name, _have);						\
} while (0)

/* In a test: the family can do this. */
#define NEED(condition, what) do {							\
	if (!(condition))								\
		SKIP(return, "%s", what);						\
} while (0)

#endif /* SELFTEST_FAMILY_TEST_H */
