// SPDX-License-Identifier: GPL-2.0
/* Families of devices, and guests that use their functions: see family.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "family.h"

int family_bind(const struct family *f, struct slot *slots, int max)
{
	int num, err;

	if (f->bind)
		return f->bind(slots, max);
	num = slots_find(f->name, slots, max);
	for (int i = 0; i < num; i++) {
		err = vdev_bind(slots[i].bdf, f->driver);
		if (err)
			return err;
	}
	return num;
}

bool family_present(const struct family *f)
{
	struct slot slot;

	return slots_find(f->name, &slot, 1) > 0;
}

bool family_has_state(const struct family *f, unsigned int state)
{
	static const uint64_t needs[MIG_STATES] = {
		[VFIO_DEVICE_STATE_RUNNING_P2P] = VFIO_MIGRATION_P2P,
		[VFIO_DEVICE_STATE_PRE_COPY] = VFIO_MIGRATION_PRE_COPY,
		[VFIO_DEVICE_STATE_PRE_COPY_P2P] = VFIO_MIGRATION_PRE_COPY | VFIO_MIGRATION_P2P,
	};

	return state < MIG_STATES && (f->migration & needs[state]) == needs[state];
}

bool model_has_fault(struct model *m, const char *point)
{
	size_t len = strlen(point);

	if (model_cmd(m, "faults"))
		return false;
	for (char *line = m->reply; *line; line += strcspn(line, "\n") + 1)
		if (!strncmp(line, point, len) && line[len] == ' ')
			return true;
	return false;
}

int guest_init(struct guest *g, const struct family *f)
{
	void *mem = mmap(NULL, f->mem_bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	*g = (struct guest){ .family = f, .irq = -1 };
	if (mem == MAP_FAILED)
		return -ENOMEM;
	g->mem = mem;
	g->own = calloc(1, f->own_bytes ? f->own_bytes : 1);
	return g->own ? 0 : -ENOMEM;
}

void guest_free(struct guest *g)
{
	if (!g->family)
		return;
	guest_off(g);
	if (g->irq >= 0)
		close(g->irq);
	if (g->mem)
		munmap(g->mem, g->family->mem_bytes);
	free(g->own);
	*g = (struct guest){ .irq = -1 };
}

int guest_share(struct guest *g, struct vdev *v)
{
	return vdev_dma_map(v, g->mem, GUEST_IOVA, g->family->mem_bytes);
}

static int set_irq(struct guest *g)
{
	return vdev_irq_eventfds(g->v, g->family->irq_index, 0, 1, &g->irq);
}

int guest_on(struct guest *g, struct vdev *v)
{
	uint32_t command = vdev_cfg(v, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	int err = vdev_cfg_set(v, PCI_COMMAND, 2, command);

	if (err)
		return err;
	guest_off(g);
	g->v = v;
	if (g->family->attach)
		err = g->family->attach(g);
	return !err && g->irq >= 0 ? set_irq(g) : err;
}

void guest_off(struct guest *g)
{
	if (g->v && g->family->detach)
		g->family->detach(g);
	g->v = NULL;
}

int guest_boot(struct guest *g, struct vdev *v)
{
	int err = guest_on(g, v);

	return err || !g->family->begin ? err : g->family->begin(g);
}

int guest_irq(struct guest *g)
{
	if (g->family->irq_index < 0)
		return -EOPNOTSUPP;
	if (g->irq < 0)
		g->irq = eventfd_new();
	return g->irq < 0 ? g->irq : set_irq(g);
}

int guest_start(struct guest *g, uint32_t tag)
{
	return g->family->start(g, tag);
}

int guest_check(struct guest *g, uint32_t tag)
{
	return g->family->check(g, tag);
}

int guest_work(struct guest *g, uint32_t tag)
{
	int err = guest_start(g, tag);

	return err ? err : guest_check(g, tag);
}

int guest_stream(struct guest *g, const struct slot *slot, enum vdev_mode mode, struct blob *b)
{
	const struct family *f = g->family;
	const char *how = f->parks ? "fault op hang skip=1" : f->slow;
	struct model m;
	struct vdev v;
	int err = model_open(&m, slot);

	if (err)
		return err;
	err = vdev_open(&v, slot, mode);
	err = err ? err : guest_share(g, &v);
	err = err ? err : guest_boot(g, &v);
	if (!err && how)
		err = model_cmd(&m, "%s", how);
	err = err ? err : guest_start(g, 1);
	if (!err) {
		usleep(20000);
		err = mig_save(&v, b, f->migration & VFIO_MIGRATION_PRE_COPY);
	}
	model_cmd(&m, "fault clear");
	model_close(&m);
	guest_off(g);
	vdev_close(&v);
	return err;
}
