/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of KUnit's interface that suites of pure code use, for the host: the
 * same suite file is a module in the kernel and a program here.  Results are
 * KTAP on stdout; the exit status is 1 when a case failed.
 */
#ifndef VPV_HOST_KUNIT_TEST_H
#define VPV_HOST_KUNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "vpv_host.h"

#define KUNIT_PARAM_DESC_SIZE 128

struct kunit_alloc {
	struct kunit_alloc *next;
};

struct kunit {
	const void *param_value;
	void *priv;
	/* private: */
	bool failed;
	bool skipped;
	char skip_why[KUNIT_PARAM_DESC_SIZE];
	jmp_buf abort;
	struct kunit_alloc *allocs;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(struct kunit *test, const void *prev, char *desc);
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(f)		{ .run_case = f, .name = #f }
#define KUNIT_CASE_SLOW(f)	KUNIT_CASE(f)
#define KUNIT_CASE_PARAM(f, g)	{ .run_case = f, .name = #f, .generate_params = g }

#define KUNIT_ARRAY_PARAM(pname, array, get_desc)				\
	static const void *pname##_gen_params(struct kunit *test,		\
					      const void *prev, char *desc)	\
	{									\
		typeof((array)[0]) *next = prev ?				\
			((typeof(next))prev) + 1 : (array);			\
		void (*describe)(typeof(next), char *) = get_desc;		\
										\
		(void)test;							\
		if (next - (array) >= (long)ARRAY_SIZE(array))			\
			return NULL;						\
		if (describe)							\
			describe(next, desc);					\
		return next;							\
	}

static inline void kunit_host_fail(struct kunit *test, bool fatal,
				   const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("    # %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	test->failed = true;
	if (fatal)
		longjmp(test->abort, 1);
}

#define KUNIT_HOST_CHECK(test, cond, fatal, text)				\
	do {									\
		if (!(cond))							\
			kunit_host_fail(test, fatal, __FILE__, __LINE__,	\
					"expected %s", text);			\
	} while (0)

#define KUNIT_HOST_CMP(test, l, op, r, fatal)					\
	do {									\
		typeof(l) _l = (l);						\
		typeof(r) _r = (r);						\
										\
		if (!(_l op _r))						\
			kunit_host_fail(test, fatal, __FILE__, __LINE__,	\
				"expected %s " #op " %s, got %lld (0x%llx) and %lld (0x%llx)", \
				#l, #r, (long long)_l, (long long)_l,		\
				(long long)_r, (long long)_r);			\
	} while (0)

#define KUNIT_HOST_PTR(p) ((intptr_t)(const void *)(p))

#define KUNIT_EXPECT_TRUE(t, c)		KUNIT_HOST_CHECK(t, c, false, #c)
#define KUNIT_EXPECT_FALSE(t, c)	KUNIT_HOST_CHECK(t, !(c), false, "not " #c)
#define KUNIT_EXPECT_EQ(t, l, r)	KUNIT_HOST_CMP(t, l, ==, r, false)
#define KUNIT_EXPECT_NE(t, l, r)	KUNIT_HOST_CMP(t, l, !=, r, false)
#define KUNIT_EXPECT_LT(t, l, r)	KUNIT_HOST_CMP(t, l, <, r, false)
#define KUNIT_EXPECT_LE(t, l, r)	KUNIT_HOST_CMP(t, l, <=, r, false)
#define KUNIT_EXPECT_GT(t, l, r)	KUNIT_HOST_CMP(t, l, >, r, false)
#define KUNIT_EXPECT_GE(t, l, r)	KUNIT_HOST_CMP(t, l, >=, r, false)
#define KUNIT_EXPECT_PTR_EQ(t, l, r)	KUNIT_HOST_CMP(t, KUNIT_HOST_PTR(l), ==, KUNIT_HOST_PTR(r), false)
#define KUNIT_EXPECT_NULL(t, p)		KUNIT_HOST_CHECK(t, !(p), false, #p " == NULL")
#define KUNIT_EXPECT_NOT_NULL(t, p)	KUNIT_HOST_CHECK(t, p, false, #p " != NULL")
#define KUNIT_EXPECT_STREQ(t, l, r)	KUNIT_HOST_CHECK(t, !strcmp(l, r), false, #l " equals " #r)
#define KUNIT_EXPECT_MEMEQ(t, l, r, n)	KUNIT_HOST_CHECK(t, !memcmp(l, r, n), false, #l " equals " #r)

#define KUNIT_ASSERT_TRUE(t, c)		KUNIT_HOST_CHECK(t, c, true, #c)
#define KUNIT_ASSERT_FALSE(t, c)	KUNIT_HOST_CHECK(t, !(c), true, "not " #c)
#define KUNIT_ASSERT_EQ(t, l, r)	KUNIT_HOST_CMP(t, l, ==, r, true)
#define KUNIT_ASSERT_NE(t, l, r)	KUNIT_HOST_CMP(t, l, !=, r, true)
#define KUNIT_ASSERT_LE(t, l, r)	KUNIT_HOST_CMP(t, l, <=, r, true)
#define KUNIT_ASSERT_GE(t, l, r)	KUNIT_HOST_CMP(t, l, >=, r, true)
#define KUNIT_ASSERT_NULL(t, p)		KUNIT_HOST_CHECK(t, !(p), true, #p " == NULL")
#define KUNIT_ASSERT_NOT_NULL(t, p)	KUNIT_HOST_CHECK(t, p, true, #p " != NULL")

#define KUNIT_HOST_CMP_MSG(t, l, op, r, fatal, fmt, ...)			\
	do {									\
		typeof(l) _lm = (l);						\
		typeof(r) _rm = (r);						\
										\
		if (!(_lm op _rm))						\
			kunit_host_fail(t, fatal, __FILE__, __LINE__,		\
				"expected %s " #op " %s, got %lld and %lld: " fmt, \
				#l, #r, (long long)_lm, (long long)_rm, ##__VA_ARGS__); \
	} while (0)

#define KUNIT_EXPECT_EQ_MSG(t, l, r, fmt, ...)	\
	KUNIT_HOST_CMP_MSG(t, l, ==, r, false, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(t, l, r, fmt, ...)	\
	KUNIT_HOST_CMP_MSG(t, l, !=, r, false, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_LE_MSG(t, l, r, fmt, ...)	\
	KUNIT_HOST_CMP_MSG(t, l, <=, r, false, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_EQ_MSG(t, l, r, fmt, ...)	\
	KUNIT_HOST_CMP_MSG(t, l, ==, r, true, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_TRUE_MSG(t, c, fmt, ...)	\
	KUNIT_HOST_CMP_MSG(t, !!(c), ==, true, false, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(t, c, fmt, ...)	\
	KUNIT_HOST_CMP_MSG(t, !!(c), ==, false, false, fmt, ##__VA_ARGS__)
#define KUNIT_FAIL(t, fmt, ...)			\
	kunit_host_fail(t, false, __FILE__, __LINE__, fmt, ##__VA_ARGS__)

#define kunit_info(t, fmt, ...)	((void)(t), printf("    # " fmt "\n", ##__VA_ARGS__))
#define kunit_skip(t, fmt, ...)							\
	do {									\
		(t)->skipped = true;						\
		snprintf((t)->skip_why, sizeof((t)->skip_why), fmt, ##__VA_ARGS__); \
		longjmp((t)->abort, 1);						\
	} while (0)

#define GFP_KERNEL 0

static inline void *kunit_kzalloc(struct kunit *test, size_t size, int gfp)
{
	struct kunit_alloc *a = calloc(1, sizeof(*a) + size);

	(void)gfp;
	if (!a)
		abort();
	a->next = test->allocs;
	test->allocs = a;
	return a + 1;
}

#define kunit_kmalloc(test, size, gfp) kunit_kzalloc(test, size, gfp)
#define kunit_kcalloc(test, n, size, gfp) kunit_kzalloc(test, (size_t)(n) * (size), gfp)

static inline bool kunit_host_run_one(struct kunit_suite *s, struct kunit_case *c,
				      const void *param, struct kunit *test)
{
	memset(test, 0, sizeof(*test));
	test->param_value = param;
	if (!setjmp(test->abort)) {
		if (s->init && s->init(test))
			test->failed = true;
		else
			c->run_case(test);
	}
	if (s->exit)
		s->exit(test);
	while (test->allocs) {
		struct kunit_alloc *a = test->allocs;

		test->allocs = a->next;
		free(a);
	}
	return !test->failed;
}

static inline bool kunit_host_run_params(struct kunit_suite *s, struct kunit_case *c)
{
	static struct kunit test;
	const void *p = NULL;
	bool ok = true;
	int n = 0;

	printf("        KTAP version 1\n        # Subtest: %s\n", c->name);
	for (;;) {
		char desc[KUNIT_PARAM_DESC_SIZE] = "";
		bool one;

		p = c->generate_params(&test, p, desc);
		if (!p)
			break;
		one = kunit_host_run_one(s, c, p, &test);
		ok = ok && one;
		n++;
		if (desc[0])
			printf("        %s %d %s\n", one ? "ok" : "not ok", n, desc);
		else
			printf("        %s %d param-%d\n", one ? "ok" : "not ok", n, n - 1);
	}
	printf("        1..%d\n", n);
	return ok && n;
}

static inline int kunit_host_main(struct kunit_suite *s)
{
	static struct kunit test;
	bool all = true;
	int n = 0;

	printf("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: %s\n", s->name);
	for (struct kunit_case *c = s->test_cases; c->run_case; c++) {
		bool ok;

		n++;
		test.skipped = false;
		ok = c->generate_params ? kunit_host_run_params(s, c) :
					  kunit_host_run_one(s, c, NULL, &test);
		all = all && ok;
		printf("    %s %d %s%s%s\n", ok ? "ok" : "not ok", n, c->name,
		       test.skipped ? " # SKIP " : "", test.skipped ? test.skip_why : "");
		fflush(stdout);
	}
	printf("    1..%d\n%s 1 %s\n", n, all ? "ok" : "not ok", s->name);
	return all ? 0 : 1;
}

#define kunit_test_suite(suite)							\
	int main(void)								\
	{									\
		return kunit_host_main(&(suite));				\
	}

#define MODULE_LICENSE(x)
#define MODULE_DESCRIPTION(x)
#define MODULE_AUTHOR(x)

#endif /* VPV_HOST_KUNIT_TEST_H */
