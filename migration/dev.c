// SPDX-License-Identifier: GPL-2.0
/*
 * A device gets, and loses, migration; the module.
 *
 * Locks.  machine.h has the order; this is why there are so many.
 *
 * state_lock is held while a hook runs, and hooks take memory_lock of the PCI core.
 * A reset is reported under memory_lock, hence never waits for state_lock (reset.c).
 * The fault handler takes memory_lock under mmap_lock, hence no address of user space is
 * accessed under state_lock: sessions copy under io_lock, which nothing above takes.
 * They copy only what needs no page fault, which user space may let last for ever: a task
 * that waits for one holds neither a lock nor memory of the session.
 * The exception is content of memory in pages of the user that are held (pages_user.c).  It is
 * read under state_lock and what the write hook takes, by addresses of the kernel: no page fault
 * can come.
 *
 * A producer holds state_lock while it waits for the reader.  Those who need the
 * lock interrupt it first, and so that two of them do not disturb each other they hold
 * request_lock.  Those who only want to know something do not ask the device: they answer
 * from memory, and have the worker ask it (MIG_DATA_SIZE, PRECOPY_INFO).
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <vpv/migration_v1.h>

#include "debugfs.h"
#include "dialect.h"
#include "front.h"
#include "match.h"
#include "request.h"
#include "v1.h"

static bool ops_valid(const struct vmig_ops *ops, const struct vmig_desc *desc)
{
	if (!ops->freeze || !ops->thaw || !ops->save || (!ops->load && !desc->num_staged))
		return false;
	if (!ops->quiesce != !ops->unquiesce)
		return false;
	if (!ops->track_limits != !ops->track_start || !ops->track_start != !ops->track_stop ||
	    !ops->track_stop != !ops->track_report)
		return false;
	if (ops->verify && desc->num_match_fields)
		return false;
	return !ops->match == !desc->match_bytes;
}

static bool desc_valid(const struct vmig_desc *desc)
{
	size_t name = desc->family ? strlen(desc->family) : 0;

	return name && name < VPV_STREAM_NAME_BYTES &&
	       desc->match_bytes <= VMIG_MATCH_MAX_BYTES &&
	       desc->match_local_bytes <= VMIG_MATCH_MAX_BYTES &&
	       vmig_match_valid(desc->match_fields, desc->num_match_fields, desc->match_bytes,
				desc->match_bytes + desc->match_local_bytes) &&
	       desc->max_payload && desc->max_payload <= VPV_STREAM_MAX_PAYLOAD &&
	       vmig_staged_valid(desc) && vmig_pages_valid(desc->pages) &&
	       desc->state_oldest <= desc->state_version &&
	       desc->state_accepts <= desc->state_version;
}

int vmig_init(struct vmig_dev *mig, struct vfio_device *vdev,
	      const struct vmig_ops *ops, const struct vmig_desc *desc)
{
	if (!ops_valid(ops, desc) || !desc_valid(desc))
		return -EINVAL;

	mig->vdev = vdev;
	mig->ops = ops;
	mig->desc = desc;
	mig->m = vmig_machine_alloc(mig, &vmig_session_ops);
	if (!mig->m)
		return -ENOMEM;

	vmig_work_init(mig->m);
	vmig_dialect_init(mig->m);
	vmig_debugfs_add(mig->m);
	return 0;
}
EXPORT_SYMBOL_GPL(vmig_init);

void vmig_fini(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;

	if (!m)
		return;
	vmig_stop(m, true);
	vmig_debugfs_remove(m);

	vmig_lock(m);
	m->mig = NULL;
	vmig_unlock(m);
	mig->m = NULL;
	vmig_machine_put(m);
}
EXPORT_SYMBOL_GPL(vmig_fini);

int vmig_open(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;

	mutex_lock(&m->request_lock);
	if (m->dialect == VMIG_V1) {
		m->v1 = vmig_v1_alloc(m);
		if (!m->v1) {
			mutex_unlock(&m->request_lock);
			return -ENOMEM;
		}
	}
	vmig_log_open(m);
	vmig_lock(m);
	vmig_estimate_open(m);
	vmig_state_set(m, VMIG_RUNNING);
	vmig_config_open(m);
	m->open = !m->detached;
	vmig_unlock(m);
	mutex_unlock(&m->request_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vmig_open);

void vmig_close(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;

	vmig_stop(m, false);
	vmig_v1_free(m->v1);
	m->v1 = NULL;
}
EXPORT_SYMBOL_GPL(vmig_close);

void vmig_detach(struct vmig_dev *mig)
{
	vmig_stop(mig->m, true);
	vmig_debugfs_remove(mig->m);
}
EXPORT_SYMBOL_GPL(vmig_detach);

u8 vmig_state_bits(const struct vmig_dev *mig)
{
	return vmig_state_snapshot(mig->m);
}
EXPORT_SYMBOL_GPL(vmig_state_bits);

u64 vmig_region_bytes(const struct vmig_dev *mig)
{
	return mig->m->v1 ? VPV_V1_REGION_BYTES : 0;
}
EXPORT_SYMBOL_GPL(vmig_region_bytes);

ssize_t vmig_region_rw(struct vmig_dev *mig, u64 pos, struct iov_iter *iter)
{
	return vmig_v1_rw(mig->m->v1, pos, iter);
}
EXPORT_SYMBOL_GPL(vmig_region_rw);

int vmig_region_mmap(struct vmig_dev *mig, u64 pos, struct vm_area_struct *vma)
{
	return vmig_v1_mmap(mig->m->v1, pos, vma);
}
EXPORT_SYMBOL_GPL(vmig_region_mmap);

int vmig_region_caps(struct vmig_dev *mig, struct vfio_info_cap *caps)
{
	return vmig_v1_caps(mig->m->v1, caps);
}
EXPORT_SYMBOL_GPL(vmig_region_caps);

static int __init vmig_module_init(void)
{
	int err = vmig_machine_init();

	if (!err)
		vmig_debugfs_init();
	return err;
}

static void __exit vmig_module_exit(void)
{
	vmig_debugfs_exit();
	vmig_machine_exit();
}

module_init(vmig_module_init);
module_exit(vmig_module_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Migration of VFIO devices: states, data files, stream");
