// SPDX-License-Identifier: GPL-2.0
/*
 * The same requests to vfio-pci and to vpv_pci: the answers are the same, but for
 * the list in errno/differences.c, and all in that list still differ.
 */
#include <fnmatch.h>

#include "errno/answers.h"
#include "lib/test.h"

#define THEIRS "vfio-pci"
#define OURS "vpv_pci"
#define SHOWN_MAX 40
/* Each SET_IRQS takes its time in a debug kernel. */
#define SECONDS 600
#define MISSING (-2000000LL)

FIXTURE(answers)
{
	struct slot slot;
	struct answers *theirs;
	struct answers *ours;
};

FIXTURE_VARIANT(answers)
{
	const char *device;
	enum vdev_mode mode;
};

FIXTURE_VARIANT_ADD(answers, e1000e_group) { .device = "e1000e", .mode = VDEV_GROUP };
FIXTURE_VARIANT_ADD(answers, e1000e_cdev) { .device = "e1000e", .mode = VDEV_CDEV };
FIXTURE_VARIANT_ADD(answers, edu_group) { .device = "edu", .mode = VDEV_GROUP };
FIXTURE_VARIANT_ADD(answers, edu_cdev) { .device = "edu", .mode = VDEV_CDEV };

FIXTURE_SETUP(answers)
{
	NEED_MODE(variant->mode);
	if (access("/sys/bus/pci/drivers/" THEIRS, F_OK) && system("modprobe " THEIRS))
		SKIP(return, THEIRS " cannot be loaded");
	if (slots_find(variant->device, &self->slot, 1) != 1)
		SKIP(return, "needs %s in /vpv/stock", variant->device);
	self->theirs = calloc(1, sizeof(*self->theirs));
	self->ours = calloc(1, sizeof(*self->ours));
	ASSERT_TRUE(self->theirs && self->ours);
}

FIXTURE_TEARDOWN(answers)
{
	vdev_unbind(self->slot.bdf);
	free(self->theirs);
	free(self->ours);
}

static int ask_driver(struct answers *a, const struct slot *slot, enum vdev_mode mode,
		      const char *driver, void (*requests)(struct answers *a))
{
	struct vdev v = { .fd = -1, .group = -1, .iommu = -1 };
	int err = vdev_bind(slot->bdf, driver);

	if (!err)
		err = vdev_open(&v, slot, mode);
	if (err) {
		fprintf(stderr, "# %s with %s: %s\n", slot->bdf, driver, strerror(-err));
		return err;
	}
	a->v = &v;
	vdev_bus_master(&v, false);
	requests(a);
	vdev_close(&v);
	a->v = NULL;
	return 0;
}

static bool listed(const char *words, const char *word)
{
	const char *at = strstr(words, word);

	return at && (at == words || at[-1] == ' ') && strchr(" ", at[strlen(word)]);
}

static bool covers(const struct difference *d, const struct answer *theirs,
		   const struct answer *ours)
{
	return !fnmatch(d->request, theirs->request, 0) &&
	       (d->theirs == ANY || d->theirs == theirs->result) &&
	       (d->ours == ANY || d->ours == ours->result);
}

/* The answer to the same request; most often it is at the same place. */
static struct answer find(const struct answers *a, unsigned int place, const char *request)
{
	struct answer none = { .result = MISSING };

	for (unsigned int i = 0; i < a->num; i++) {
		unsigned int at = (place + i) % a->num;

		if (!strcmp(a->list[at].request, request))
			return a->list[at];
	}
	return none;
}

/* Marks the entries of the list that were seen; the number of surprises. */
static unsigned int compare(const struct answers *theirs, const struct answers *ours,
			    const char *device, bool *seen)
{
	unsigned int bad = theirs->num < ours->num ? ours->num - theirs->num : 0;

	for (unsigned int i = 0; i < theirs->num; i++) {
		const struct answer *t = &theirs->list[i];
		const struct answer o = find(ours, i, t->request);
		bool known = t->result == o.result;

		for (unsigned int j = 0; !known && differences[j].request; j++)
			if (listed(differences[j].devices, device) && covers(&differences[j], t, &o))
				known = seen[j] = true;
		if (known)
			continue;
		if (bad++ < SHOWN_MAX)
			printf("# %s: %s %lld, %s %lld\n", t->request, THEIRS, t->result, OURS,
			       o.result);
	}
	return bad;
}

/* Entries of the list about these requests that are not true any more. */
static unsigned int obsolete(const char *requests, const char *device, const bool *seen)
{
	unsigned int bad = 0;

	for (unsigned int j = 0; differences[j].request; j++) {
		const struct difference *d = &differences[j];

		if (seen[j] || strcmp(d->requests, requests) || !listed(d->devices, device))
			continue;
		printf("# listed, but the answers are the same: %s\n", d->request);
		bad++;
	}
	return bad;
}

#define REQUESTS(name, least)								\
TEST_F_TIMEOUT(answers, name, SECONDS)							\
{											\
	bool seen[DIFFERENCES_MAX] = {};						\
											\
	ASSERT_EQ(0, ask_driver(self->theirs, &self->slot, variant->mode, THEIRS, ask_##name)); \
	ASSERT_EQ(0, ask_driver(self->ours, &self->slot, variant->mode, OURS, ask_##name)); \
	TH_LOG("%u requests", self->theirs->num);					\
	EXPECT_LE(least, self->theirs->num);						\
	EXPECT_EQ(0, compare(self->theirs, self->ours, variant->device, seen));		\
	EXPECT_EQ(0, obsolete(#name, variant->device, seen));				\
}

REQUESTS(info, 300)
REQUESTS(unknown, 50)
REQUESTS(irqs, 1000)
REQUESTS(regions, 1500)
REQUESTS(mappings, 150)
REQUESTS(ioeventfd, 300)
REQUESTS(features, 1500)
REQUESTS(resets, 150)

TEST_HARNESS_MAIN
