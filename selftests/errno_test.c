// SPDX-License-Identifier: GPL-2.0
/*
 * The same requests to vfio-pci and to vpv_pci: the answers are the same, but for
 * the list in errno/differences.c, and all in that list still differ.
 *
 * Groups: errno
 */
#include <fnmatch.h>

#include "errno/answers.h"
#include "lib/test.h"
#include "lib/vf.h"

#define THEIRS "vfio-pci"
#define OURS "vpv_pci"
#define SHOWN_MAX 40
/* Each SET_IRQS takes its time in a debug kernel. */
#define SECONDS 600
#define MISSING (-2000000LL)
#define TOKEN "8f2a4b0c-1d3e-4f50-8172-93a4b5c6d7e8"

/*
 * All is asked of e1000e and edu.  igb has SR-IOV, nvme BARs of 64 bits, and a VF neither
 * memory enable nor INTx: they are asked what depends on that, and not SET_IRQS once more.
 */
struct asked {
	const char *device;
	struct slot slot;
	enum vdev_mode mode;
	bool vf;
	struct answers *theirs;
	struct answers *ours;
};

static void begin(struct __test_metadata *_metadata, struct asked *as)
{
	NEED_MODE(as->mode);
	if (access("/sys/bus/pci/drivers/" THEIRS, F_OK) && system("modprobe " THEIRS))
		SKIP(return, THEIRS " cannot be loaded");
	if (slots_find(as->vf ? "igb" : as->device, &as->slot, 1) != 1)
		SKIP(return, "needs %s in /vpv/stock", as->device);
	as->theirs = calloc(1, sizeof(*as->theirs));
	as->ours = calloc(1, sizeof(*as->ours));
	ASSERT_TRUE(as->theirs && as->ours);
}

static void end(struct asked *as)
{
	if (as->vf)
		vf_set_num(&as->slot, 0);
	vdev_unbind(as->slot.bdf);
	free(as->theirs);
	free(as->ours);
}

/* The only VF of the slot's function.  Whoever opens the PF chooses the token. */
static int open_vf(struct vdev *v, const struct asked *as, const char *driver)
{
	struct slot vf = {};
	int err = vf_allow(driver, true) ?: vf_set_num(&as->slot, 1) ?: vf_find(&as->slot, 0, &vf) ?:
		  vdev_bind(vf.bdf, driver) ?: vdev_open_token(v, &as->slot, as->mode, TOKEN);

	if (err)
		return err;
	vdev_close(v);
	return vdev_open_token(v, &vf, as->mode, TOKEN);
}

static int ask_driver(struct answers *a, const struct asked *as, const char *driver,
		      void (*requests)(struct answers *a))
{
	struct vdev v = { .fd = -1, .group = -1, .iommu = -1 };
	int err = vdev_bind(as->slot.bdf, driver);

	if (!err)
		err = as->vf ? open_vf(&v, as, driver) : vdev_open(&v, &as->slot, as->mode);
	if (!err) {
		a->v = &v;
		vdev_bus_master(&v, false);
		requests(a);
		a->v = NULL;
	} else {
		fprintf(stderr, "# %s with %s: %s\n", as->slot.bdf, driver, strerror(-err));
	}
	vdev_close(&v);
	if (as->vf) {
		vf_set_num(&as->slot, 0);
		vf_allow(driver, false);
	}
	return err;
}

static bool listed(const char *words, const char *word)
{
	const char *at = strstr(words, word);

	return at && (at == words || at[-1] == ' ') && strchr(" ", at[strlen(word)]);
}

static bool covers(const struct difference *d, const struct answer *theirs,
		   const struct answer *ours)
{
	return !fnmatch(d->request, theirs->request, 0) && d->ours == ours->result &&
	       (d->theirs == DONE ? theirs->result > 0 : d->theirs == theirs->result);
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
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ours->num; i++)
		if (find(theirs, i, ours->list[i].request).result == MISSING && bad++ < SHOWN_MAX)
			printf("# asked of %s only: %s\n", OURS, ours->list[i].request);
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

static void ask_both(struct __test_metadata *_metadata, struct asked *as, const char *name,
		     void (*requests)(struct answers *a), unsigned int least)
{
	bool seen[DIFFERENCES_MAX] = {};
	uint64_t start = now_ms();

	ASSERT_EQ(0, ask_driver(as->theirs, as, THEIRS, requests));
	ASSERT_EQ(0, ask_driver(as->ours, as, OURS, requests));
	TH_LOG("%s, %s: %u requests, %u s", as->device, name, as->theirs->num,
	       (unsigned int)(now_ms() - start) / 1000);
	EXPECT_LE(least, as->theirs->num);
	EXPECT_EQ(0, compare(as->theirs, as->ours, as->device, seen));
	EXPECT_EQ(0, obsolete(name, as->device, seen));
}

#define ASKED(fixture)									\
FIXTURE(fixture) { struct asked as; };							\
FIXTURE_VARIANT(fixture) { const char *device; enum vdev_mode mode; bool vf; };		\
FIXTURE_SETUP(fixture)									\
{											\
	self->as.device = variant->device;						\
	self->as.mode = variant->mode;							\
	self->as.vf = variant->vf;							\
	begin(_metadata, &self->as);							\
}											\
FIXTURE_TEARDOWN(fixture) { end(&self->as); }

#define REQUESTS(fixture, name, least)							\
TEST_F_TIMEOUT(fixture, name, SECONDS)							\
{											\
	ask_both(_metadata, &self->as, #name, ask_##name, least);			\
}

/* Everything, both ways in. */
ASKED(answers)
FIXTURE_VARIANT_ADD(answers, e1000e_group) { .device = "e1000e", .mode = VDEV_GROUP };
FIXTURE_VARIANT_ADD(answers, e1000e_cdev) { .device = "e1000e", .mode = VDEV_CDEV };
FIXTURE_VARIANT_ADD(answers, edu_group) { .device = "edu", .mode = VDEV_GROUP };
FIXTURE_VARIANT_ADD(answers, edu_cdev) { .device = "edu", .mode = VDEV_CDEV };
REQUESTS(answers, info, 300)
REQUESTS(answers, unknown, 50)
REQUESTS(answers, irqs, 1000)
REQUESTS(answers, regions, 1500)
REQUESTS(answers, mappings, 150)
REQUESTS(answers, ioeventfd, 300)
REQUESTS(answers, features, 1500)
REQUESTS(answers, resets, 150)

/* What depends on the device. */
ASKED(others)
FIXTURE_VARIANT_ADD(others, igb_group) { .device = "igb", .mode = VDEV_GROUP };
FIXTURE_VARIANT_ADD(others, nvme_cdev) { .device = "nvme", .mode = VDEV_CDEV };
FIXTURE_VARIANT_ADD(others, vf_group) { .device = "igb-vf", .mode = VDEV_GROUP, .vf = true };
REQUESTS(others, info, 300)
REQUESTS(others, regions, 1500)
REQUESTS(others, mappings, 150)
REQUESTS(others, ioeventfd, 300)
REQUESTS(others, features, 1500)
REQUESTS(others, resets, 150)

/* Functions with power management. */
ASKED(asleep)
FIXTURE_VARIANT_ADD(asleep, e1000e_group) { .device = "e1000e", .mode = VDEV_GROUP };
FIXTURE_VARIANT_ADD(asleep, nvme_cdev) { .device = "nvme", .mode = VDEV_CDEV };
REQUESTS(asleep, d3hot, 200)
REQUESTS(asleep, low_power, 190)

TEST_HARNESS_MAIN
