// SPDX-License-Identifier: GPL-2.0
/*
 * Which of the two protocols the users of a device speak: v2 by the ioctls of vfio.ko, or v1
 * by a region.  One at a time, chosen while nobody has the device open.
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "dialect.h"
#include "front.h"

static const char *const names[VMIG_DIALECTS] = {
	[VMIG_V2] = "v2",
	[VMIG_V1] = "v1",
};

static int first = VMIG_V2;

static int first_set(const char *val, const struct kernel_param *kp)
{
	int which = sysfs_match_string(names, val);

	if (which < 0)
		return which;
	WRITE_ONCE(first, which);
	return 0;
}

static int first_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", names[READ_ONCE(first)]);
}

static const struct kernel_param_ops first_ops = {
	.set = first_set,
	.get = first_get,
};
module_param_cb(dialect, &first_ops, NULL, 0644);
MODULE_PARM_DESC(dialect, "Migration protocol of devices that are bound from now on, until vpv/dialect in sysfs says another: v2 (default) or v1");

static void choose(struct vmig_machine *m, enum vmig_dialect dialect)
{
	m->dialect = dialect;
	if (dialect == VMIG_V2)
		vmig_v2_attach(m->mig);
	else
		vmig_v2_detach(m->mig);
}

/**
 * vmig_dialect_init() - Choose the first dialect of a device
 * @m: Its machine; it is not registered yet.
 */
void vmig_dialect_init(struct vmig_machine *m)
{
	choose(m, READ_ONCE(first));
}

int vmig_dialect_set(struct vmig_dev *mig, const char *name)
{
	struct vmig_machine *m = mig->m;
	int which = sysfs_match_string(names, name);
	int err = 0;

	if (which < 0)
		return which;
	mutex_lock(&m->request_lock);
	if (m->detached)
		err = -ENODEV;
	else if (m->open)
		err = -EBUSY;
	else if (m->dialect != which)
		choose(m, which);
	mutex_unlock(&m->request_lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmig_dialect_set);

const char *vmig_dialect(struct vmig_dev *mig)
{
	return names[READ_ONCE(mig->m->dialect)];
}
EXPORT_SYMBOL_GPL(vmig_dialect);
