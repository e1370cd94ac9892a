// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of functions that are reset together, by slot or by bus.
 *
 * vfio.ko compares set ids of all VFIO drivers as bare pointers, and a driver
 * casts every member of its set to its own type.  So the id must not be one that
 * a foreign driver could use as well: it is a token of our own.
 */
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "vpv.h"

struct vpv_devset {
	struct kref kref;
	struct list_head node;
	/* Only compared; the members' pci_devs keep it from being freed. */
	const void *key;
};

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

/* Return: the token of the set of a function, with a reference, or NULL. */
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

	set = kzalloc_obj(*set, GFP_KERNEL);
	if (!set)
		return NULL;
	kref_init(&set->kref);
	set->key = key;
	list_add(&set->node, &devsets);
	return set;
}

static void devset_release(struct kref *kref)
{
	struct vpv_devset *set = container_of(kref, struct vpv_devset, kref);

	list_del(&set->node);
	mutex_unlock(&devsets_lock);
	kfree(set);
}

void vpv_devset_put(struct vpv_devset *set)
{
	if (set)
		kref_put_mutex(&set->kref, devset_release, &devsets_lock);
}
