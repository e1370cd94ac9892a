// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of functions that are reset together, by slot or by bus.
 *
 * vfio.ko compares set ids of all VFIO drivers as bare pointers, and a driver
 * casts every member of its set to its own type.  So the id must not be one that
 * a foreign driver could use as well.  Others give the address of something; we
 * give a small number, which is never one.  vfio.ko keeps ids in an xarray, which
 * needs eleven nodes for an address and one for some sixty small numbers.
 */
#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "vpv.h"

struct vpv_devset {
	struct kref kref;
	struct list_head node;
	/* Only compared; the members' pci_devs keep it from being freed. */
	const void *key;
	int id;
};

static DEFINE_IDA(devset_ids);
static DEFINE_MUTEX(devsets_lock);
static LIST_HEAD(devsets);	/* devsets_lock */

static const void *devset_key(struct pci_dev *pdev)
{
	/* No reset beyond the function's: a set of its own. */
	if (pci_is_root_bus(pdev->bus) || pdev->is_virtfn)
		return pdev;
	if (!pci_probe_reset_slot(pdev->slot))
		return pdev->slot;
	return pdev->bus;
}

static struct vpv_devset *devset_new(const void *key)
{
	struct vpv_devset *set = kzalloc_obj(*set, GFP_KERNEL);

	if (!set)
		return NULL;
	set->id = ida_alloc_min(&devset_ids, 1, GFP_KERNEL);
	if (set->id < 0) {
		kfree(set);
		return NULL;
	}
	kref_init(&set->kref);
	set->key = key;
	list_add(&set->node, &devsets);
	return set;
}

/* Return: the set of a function, with a reference, or NULL. */
struct vpv_devset *vpv_devset_get(struct pci_dev *pdev)
{
	const void *key = devset_key(pdev);
	struct vpv_devset *set;

	guard(mutex)(&devsets_lock);

	list_for_each_entry(set, &devsets, node) {
		if (set->key == key) {
			kref_get(&set->kref);
			return set;
		}
	}

	return devset_new(key);
}

/* What vfio.ko knows the set by, until the last member is released. */
void *vpv_devset_id(const struct vpv_devset *set)
{
	return (void *)(unsigned long)set->id;
}

static void devset_release(struct kref *kref)
{
	struct vpv_devset *set = container_of(kref, struct vpv_devset, kref);

	list_del(&set->node);
	ida_free(&devset_ids, set->id);
	mutex_unlock(&devsets_lock);
	kfree(set);
}

void vpv_devset_put(struct vpv_devset *set)
{
	if (set)
		kref_put_mutex(&set->kref, devset_release, &devsets_lock);
}
