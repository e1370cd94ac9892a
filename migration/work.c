// SPDX-License-Identifier: GPL-2.0
/*
 * The worker of a machine: what waits for the device, so that nobody else has to.
 */
#include "machine.h"

static void machine_work(struct work_struct *work)
{
	struct vmig_machine *m = container_of(to_delayed_work(work), struct vmig_machine, work);

	vmig_lock(m);
	vmig_estimate_work(m);
	m->session_ops->work(m);
	vmig_unlock(m);
}

/**
 * vmig_work_init() - Make the worker
 * @m: Machine that nobody uses yet.
 */
void vmig_work_init(struct vmig_machine *m)
{
	INIT_DELAYED_WORK(&m->work, machine_work);
}
