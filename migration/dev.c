// SPDX-License-Identifier: GPL-2.0
/*
 * A device gets, and loses, migration; the v2 front end; the module.
 *
 * Locks.  vmig.h has the order; this is why there are so many.
 *
 * state_lock is held while a hook runs, and hooks take memory_lock of the PCI core.
 * A reset is reported under memory_lock, hence never waits for state_lock (reset.c).
 * The fault handler takes memory_lock under mmap_lock, hence no user memory is
 * touched under state_lock: data files copy under io_lock, which nothing above takes.
 *
 * A producer holds state_lock while it waits for the reader.  Those who need the
 * lock make it give way first, and so that two of them do not disturb each other
 * they hold request_lock.  Those who only want to know something try state_lock and
 * else answer from memory (MIG_DATA_SIZE), or do not ask at all (PRECOPY_INFO, get_state).
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "trace.h"
#include "vmig.h"

struct workqueue_struct *vmig_wq;

static void machine_free(struct kref *ref)
{
	struct vmig_machine *m = container_of(ref, struct vmig_machine, ref);

	mutex_destroy(&m->track_lock);
	mutex_destroy(&m->state_lock);
	mutex_destroy(&m->request_lock);
	kfree(m);
}

void vmig_machine_get(struct vmig_machine *m)
{
	kref_get(&m->ref);
}

void vmig_machine_put(struct vmig_machine *m)
{
	kref_put(&m->ref, machine_free);
}

struct vmig_machine *vmig_from_vdev(struct vfio_device *vdev)
{
	return container_of(vdev->mig_ops, struct vmig_dev, mig_ops)->m;
}

/**
 * vmig_complain() - The one log line of a failure
 * @m: Machine; state_lock is held.
 * @fmt: What happened, without a newline.
 */
void vmig_complain(struct vmig_machine *m, const char *fmt, ...)
{
	va_list args;

	lockdep_assert_held(&m->state_lock);

	va_start(args, fmt);
	vmig_vcomplain(m, fmt, args);
	va_end(args);
}

/**
 * vmig_vcomplain() - The same, under any lock that keeps m->mig
 * @m: Machine.
 * @fmt: What happened, without a newline.
 * @args: Its arguments.
 */
void vmig_vcomplain(struct vmig_machine *m, const char *fmt, va_list args)
{
	char text[VMIG_ERROR_TEXT_BYTES];

	vscnprintf(text, sizeof(text), fmt, args);

	spin_lock(&m->lock);
	strscpy(m->last_error, text, sizeof(m->last_error));
	spin_unlock(&m->lock);
	dev_warn_ratelimited(m->mig->vdev->dev, "migration: %s\n", text);
}

int vmig_refuse(struct vmig_dev *mig, int err, const struct vmig_diff *diff)
{
	struct vmig_machine *m = mig->m;
	const char *what = m->resuming ? "stream" : "save";

	trace_vmig_refusal(m, err, diff);
	if (diff->want_text)
		vmig_complain(m, "%s refused: %s: expected \"%s\", got \"%*pE\" (%d)", what,
			      diff->field, diff->want_text, (int)strlen(diff->got_text),
			      diff->got_text, err);
	else
		vmig_complain(m, "%s refused: %s: expected %#llx, got %#llx (%d)", what,
			      diff->field, diff->want, diff->got, err);
	m->refused = true;
	return err;
}
EXPORT_SYMBOL_GPL(vmig_refuse);

static struct file *op_set_state(struct vfio_device *vdev,
				 enum vfio_device_mig_state state)
{
	struct file *filp = NULL;
	int err = vmig_state_request(vmig_from_vdev(vdev), state, &filp);

	return err ? ERR_PTR(err) : filp;
}

static int op_get_state(struct vfio_device *vdev, enum vfio_device_mig_state *state)
{
	struct vmig_machine *m = vmig_from_vdev(vdev);

	if (READ_ONCE(m->detached))
		return -ENODEV;
	*state = (enum vfio_device_mig_state)vmig_fsm_v2(vmig_state_snapshot(m));
	return 0;
}

/* What surrounds the records of a family. */
static u64 stream_overhead(const struct vmig_desc *desc)
{
	u64 config = sizeof(struct vpv_stream_record) + VMIG_CONFIG_TYPICAL;

	return sizeof(struct vpv_stream_header) +
	       2 * sizeof(struct vpv_stream_record) + desc->match_bytes +
	       sizeof(struct vpv_stream_end) + (desc->config ? 2 * config : 0);
}

static int op_get_data_size(struct vfio_device *vdev, unsigned long *bytes)
{
	struct vmig_machine *m = vmig_from_vdev(vdev);
	struct vmig_dev *mig = container_of(vdev->mig_ops, struct vmig_dev, mig_ops);
	u64 estimate;

	if (READ_ONCE(m->detached))
		return -ENODEV;

	if (mig->ops->estimate && mutex_trylock(&m->state_lock)) {
		if (m->open && !m->detached && !vmig_pending(m) && !vmig_reach(m)) {
			estimate = mig->ops->estimate(mig);
			spin_lock(&m->lock);
			m->estimate = estimate;
			spin_unlock(&m->lock);
		}
		vmig_unlock(m);
	}

	spin_lock(&m->lock);
	estimate = m->estimate;
	spin_unlock(&m->lock);
	*bytes = min_t(u64, estimate, LONG_MAX - SZ_64K) + stream_overhead(mig->desc);
	return 0;
}

static bool ops_valid(const struct vmig_ops *ops, const struct vmig_desc *desc)
{
	if (!ops->freeze || !ops->thaw || !ops->save || !ops->load)
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

static bool fields_valid(const struct vmig_desc *desc)
{
	for (unsigned int i = 0; i < desc->num_match_fields; i++)
		if (desc->match_fields[i].offset + sizeof(__le32) > desc->match_bytes)
			return false;
	return true;
}

static bool desc_valid(const struct vmig_desc *desc)
{
	size_t name = desc->family ? strlen(desc->family) : 0;

	return name && name < VPV_STREAM_NAME_BYTES &&
	       desc->match_bytes <= VMIG_MATCH_MAX_BYTES && fields_valid(desc) &&
	       desc->max_payload && desc->max_payload <= VPV_STREAM_MAX_PAYLOAD &&
	       desc->state_oldest <= desc->state_version &&
	       desc->state_accepts <= desc->state_version;
}

static struct vmig_machine *machine_alloc(struct vmig_dev *mig)
{
	const struct vmig_desc *desc = mig->desc;
	struct vmig_machine *m;

	m = kzalloc_obj(*m, GFP_KERNEL);
	if (!m)
		return NULL;

	kref_init(&m->ref);
	mutex_init(&m->request_lock);
	mutex_init(&m->state_lock);
	mutex_init(&m->track_lock);
	spin_lock_init(&m->lock);
	INIT_DELAYED_WORK(&m->work, vmig_save_work);
	m->mig = mig;
	m->state = VMIG_RUNNING;
	m->entered = ktime_get();
	m->estimate = desc->typical_bytes;
	m->held_limit = vmig_held_limit(desc);
	m->last_save.err = 1;
	m->last_load.err = 1;
	m->caps = VMIG_CAP_PRE_COPY | (mig->ops->quiesce ? VMIG_CAP_P2P : 0);

	strscpy_pad(m->id.family, desc->family, sizeof(m->id.family));
	m->id.state_version = desc->state_version;
	m->id.state_oldest = desc->state_oldest;
	m->id.state_accepts = desc->state_accepts;
	return m;
}

int vmig_init(struct vmig_dev *mig, struct vfio_device *vdev,
	      const struct vmig_ops *ops, const struct vmig_desc *desc)
{
	if (!ops_valid(ops, desc) || !desc_valid(desc))
		return -EINVAL;

	mig->vdev = vdev;
	mig->ops = ops;
	mig->desc = desc;
	mig->m = machine_alloc(mig);
	if (!mig->m)
		return -ENOMEM;

	mig->mig_ops = (struct vfio_migration_ops){
		.migration_set_state = op_set_state,
		.migration_get_state = op_get_state,
		.migration_get_data_size = op_get_data_size,
	};
	vdev->mig_ops = &mig->mig_ops;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY;
	if (ops->quiesce)
		vdev->migration_flags |= VFIO_MIGRATION_P2P;
	vmig_debugfs_add(mig->m);
	return 0;
}
EXPORT_SYMBOL_GPL(vmig_init);

/* End everything: no hook runs afterwards until the device is opened again. */
static void machine_stop(struct vmig_machine *m, bool detach)
{
	mutex_lock(&m->request_lock);
	if (detach)
		WRITE_ONCE(m->detached, true);
	vmig_sessions_fail(m, -ENODEV);
	vmig_lock(m);
	vmig_sessions_end(m, -ENODEV);
	m->open = false;
	vmig_unlock(m);
	cancel_delayed_work_sync(&m->work);
	vmig_dirty_stop(m);
	mutex_unlock(&m->request_lock);
}

void vmig_fini(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;

	if (!m)
		return;
	machine_stop(m, true);
	vmig_debugfs_remove(m);

	vmig_lock(m);
	m->mig = NULL;
	vmig_unlock(m);
	mig->m = NULL;
	vmig_machine_put(m);
}
EXPORT_SYMBOL_GPL(vmig_fini);

void vmig_open(struct vmig_dev *mig)
{
	struct vmig_machine *m = mig->m;

	mutex_lock(&m->request_lock);
	vmig_dirty_open(m);
	vmig_lock(m);
	vmig_state_set(m, VMIG_RUNNING);
	vmig_config_open(m);
	m->open = !m->detached;
	vmig_unlock(m);
	mutex_unlock(&m->request_lock);
}
EXPORT_SYMBOL_GPL(vmig_open);

void vmig_close(struct vmig_dev *mig)
{
	machine_stop(mig->m, false);
}
EXPORT_SYMBOL_GPL(vmig_close);

void vmig_detach(struct vmig_dev *mig)
{
	machine_stop(mig->m, true);
	vmig_debugfs_remove(mig->m);
}
EXPORT_SYMBOL_GPL(vmig_detach);

u8 vmig_state_bits(const struct vmig_dev *mig)
{
	return vmig_state_snapshot(mig->m);
}
EXPORT_SYMBOL_GPL(vmig_state_bits);

static int __init vmig_module_init(void)
{
	vmig_wq = alloc_workqueue("vpv_migration", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!vmig_wq)
		return -ENOMEM;
	vmig_debugfs_init();
	return 0;
}

static void __exit vmig_module_exit(void)
{
	vmig_debugfs_exit();
	destroy_workqueue(vmig_wq);
}

module_init(vmig_module_init);
module_exit(vmig_module_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Migration of VFIO devices: states, data files, stream");
