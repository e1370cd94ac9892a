// SPDX-License-Identifier: GPL-2.0
/*
 * --busy and --verify of the conformance program (conformance/README.rst) for a family:
 * conformance_plug busy|verify FAMILY.  What it has to remember is behind the guest's memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/family.h"
#include "lib/model.h"

/* The same in each run, since what is remembered has pointers into it. */
#define PLACE	((void *)0x600000000000)

static unsigned long number(const char *name)
{
	const char *text = getenv(name);

	if (!text) {
		fprintf(stderr, "conformance_plug: %s is not set\n", name);
		exit(2);
	}
	return strtoul(text, NULL, 0);
}

static const struct family *family_named(const char *name)
{
	for_each_family(f)
		if (!strcmp((*f)->name, name))
			return *f;
	fprintf(stderr, "conformance_plug: there is no family %s\n", name);
	exit(2);
}

/*
 * Work takes long enough to be under way when the device is stopped: what was done before says
 * nothing about a device that does not go on.
 */
static int slow_down(const struct family *f, const char *bdf)
{
	struct slot slots[SLOT_MAX];
	int num = f->slow ? slots_find(f->name, slots, SLOT_MAX) : 0;
	static struct model m;
	int err = 0;

	for (int i = 0; i < num && !err; i++) {
		if (strcmp(slots[i].bdf, bdf))
			continue;
		err = model_open(&m, &slots[i]);
		err = err ? err : model_cmd(&m, "%s", f->slow);
		model_close(&m);
	}
	return err;
}

static int busy(struct guest *g, struct vdev *v, uint32_t *tag)
{
	int err = slow_down(g->family, v->slot.bdf);

	if (err)
		return err;
	memset(g->own, 0, g->family->own_bytes);
	err = vdev_reset(v);
	err = err ? err : guest_boot(g, v);
	return err ? err : guest_start(g, ++*tag);
}

static int verify(struct guest *g, struct vdev *v, const uint32_t *tag)
{
	int err = guest_on(g, v);

	return err ? err : guest_check(g, *tag);
}

int main(int argc, char **argv)
{
	const struct family *f = argc == 3 ? family_named(argv[2]) : NULL;
	struct vdev v = { .group = -1, .iommu = -1 };
	struct guest g = { .irq = -1, .family = f };
	size_t bytes;
	uint32_t *tag;
	int err;

	if (!f)
		return 2;
	v.fd = number("CONFORMANCE_FD");
	snprintf(v.slot.bdf, sizeof(v.slot.bdf), "%s", getenv("CONFORMANCE_DEVICE") ?: "");
	bytes = number("CONFORMANCE_MEM_BYTES");
	g.mem = mmap(PLACE, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
		     number("CONFORMANCE_MEM_FD"), 0);
	if (g.mem != PLACE || number("CONFORMANCE_MEM_IOVA") != GUEST_IOVA ||
	    f->mem_bytes + sizeof(*tag) + f->own_bytes > bytes) {
		fprintf(stderr, "conformance_plug: not the memory that %s needs\n", f->name);
		return 2;
	}
	tag = (uint32_t *)(g.mem + f->mem_bytes);
	g.own = tag + 4;
	err = strcmp(argv[1], "busy") ? verify(&g, &v, tag) : busy(&g, &v, tag);
	if (err)
		fprintf(stderr, "# conformance_plug: %s %s: %s\n", argv[1], f->name, strerror(-err));
	return !!err;
}
