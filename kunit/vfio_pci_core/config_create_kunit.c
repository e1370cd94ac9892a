// SPDX-License-Identifier: GPL-2.0
/* The config space that a user gets, of a function that does not stay: config_virt/access.c. */
#include <kunit/test.h>
#include <linux/module.h>

#include "../config_virt/fake_space.h"

/* It answered when the open began.  Nothing that is made of ones is shown. */
static void one_that_goes_is_not_opened(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	char why[VCFG_WHY_BYTES];
	unsigned int n = 0;

	KUNIT_ASSERT_NOT_NULL(test, f);
	do {
		struct vcfg_dev *cfg;

		fake_nic(f);
		f->gone = false;
		f->gone_nth = ++n;
		cfg = vcfg_create(&f->desc, &fake_ops, f, why);
		if (f->gone)
			KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(cfg), -ENODEV, "read %u", n);
		else
			KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(cfg), 0, "%s", why);
		if (!IS_ERR(cfg))
			vcfg_destroy(cfg);
	} while (f->gone && n < 1000);
	KUNIT_EXPECT_FALSE(test, f->gone);
	KUNIT_EXPECT_GE(test, n, 20U);
}

static struct kunit_case create_cases[] = {
	KUNIT_CASE(one_that_goes_is_not_opened),
	{}
};

static struct kunit_suite create_suite = {
	.name = "vpv_config_create",
	.test_cases = create_cases,
};

kunit_test_suite(create_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suite of the config space that a user gets");
