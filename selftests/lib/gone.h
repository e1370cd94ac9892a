/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways in which the controlling function of others goes away, and comes back.  Functions return 0
 * or a negative errno.
 */
#ifndef SELFTEST_GONE_H
#define SELFTEST_GONE_H

#include "model.h"

/*
 * @VANISH: It reads as all ones before it is removed.
 * @SILENCE: It reads as all ones, and nobody tells its driver.
 */
enum way { RESET, UNBIND, REMOVE, VANISH, SILENCE };

/* A fixture has a variant with a member "way" for each of them. */
#define VARIANTS_OF_WAYS(fixture)						\
	FIXTURE_VARIANT(fixture) { enum way way; };				\
	FIXTURE_VARIANT_ADD(fixture, reset) { .way = RESET };			\
	FIXTURE_VARIANT_ADD(fixture, unbind) { .way = UNBIND };			\
	FIXTURE_VARIANT_ADD(fixture, remove) { .way = REMOVE };			\
	FIXTURE_VARIANT_ADD(fixture, vanish) { .way = VANISH };			\
	FIXTURE_VARIANT_ADD(fixture, silence) { .way = SILENCE }

/* @m: Control port of its model.  Of SILENCE the driver finds out by itself, later. */
int gone_away(const struct slot *slot, struct model *m, enum way way);
/* It is there again; who has unbound its driver binds it. */
int gone_back(struct model *m, enum way way);

#endif /* SELFTEST_GONE_H */
