// SPDX-License-Identifier: GPL-2.0
/*
 * Reports errors to the driver of a function, for selftests: one step at a time, or by
 * the PCI core's own error recovery, for all functions behind the port; or has a function
 * be pulled out.  The kernel's injector (aer_inject) cannot stop between the steps, and
 * breaks the rules of lockdep.
 *
 *	echo "0000:03:00.0 frozen" > /sys/module/vpv_test_error/parameters/step
 *
 * The write fails with EPROTO if the driver answers what it should not, or if the
 * recovery does not end as it should.  "silent" makes config space of the function read as
 * ones, "heard" ends it.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

/* ---- Single steps, under the device lock.  Return: the driver's answer. ---- */

static pci_ers_result_t detected(struct pci_dev *pdev, const struct pci_error_handlers *err,
				 pci_channel_state_t state)
{
	/* As the core does it, permanent failures are only told. */
	if (state != pci_channel_io_perm_failure)
		pdev->error_state = state;
	return err->error_detected(pdev, state);
}

static pci_ers_result_t normal(struct pci_dev *pdev, const struct pci_error_handlers *err)
{
	return detected(pdev, err, pci_channel_io_normal);
}

static pci_ers_result_t frozen(struct pci_dev *pdev, const struct pci_error_handlers *err)
{
	return detected(pdev, err, pci_channel_io_frozen);
}

static pci_ers_result_t failed(struct pci_dev *pdev, const struct pci_error_handlers *err)
{
	return detected(pdev, err, pci_channel_io_perm_failure);
}

/* As hotplug finds it; removal comes next. */
static pci_ers_result_t unplugged(struct pci_dev *pdev, const struct pci_error_handlers *err)
{
	WRITE_ONCE(pdev->error_state, pci_channel_io_perm_failure);
	return PCI_ERS_RESULT_NONE;
}

static pci_ers_result_t mmio(struct pci_dev *pdev, const struct pci_error_handlers *err)
{
	return err->mmio_enabled(pdev);
}

/* Reset of the link, which leaves config space as it is after a reset. */
static pci_ers_result_t reset_link(struct pci_dev *bridge)
{
	int ret;

	pci_cfg_access_lock(bridge);
	ret = pci_bridge_secondary_bus_reset(bridge);
	pci_cfg_access_unlock(bridge);
	return ret ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_RECOVERED;
}

/*
 * On a root bus, where there is no link of its own, by FLR.  QEMU (11.1) does not see that this has
 * made the function D0, and maps none of its BARs until somebody writes that.
 */
static pci_ers_result_t reset_function(struct pci_dev *pdev)
{
	struct pci_dev *bridge = pci_upstream_bridge(pdev);

	if (bridge)
		return reset_link(bridge);
	if (pcie_reset_flr(pdev, PCI_RESET_DO_RESET))
		return PCI_ERS_RESULT_DISCONNECT;
	if (pdev->pm_cap)
		pci_write_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, 0);
	return PCI_ERS_RESULT_RECOVERED;
}

static pci_ers_result_t reset(struct pci_dev *pdev, const struct pci_error_handlers *err)
{
	if (reset_function(pdev) != PCI_ERS_RESULT_RECOVERED)
		return PCI_ERS_RESULT_NONE;
	pdev->error_state = pci_channel_io_normal;
	return err->slot_reset(pdev);
}

static pci_ers_result_t resume(struct pci_dev *pdev, const struct pci_error_handlers *err)
{
	pdev->error_state = pci_channel_io_normal;
	err->resume(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

static const struct {
	const char *name;
	pci_ers_result_t (*fn)(struct pci_dev *pdev, const struct pci_error_handlers *err);
	pci_ers_result_t answer;
} steps[] = {
	{ "normal", normal, PCI_ERS_RESULT_CAN_RECOVER },
	{ "frozen", frozen, PCI_ERS_RESULT_NEED_RESET },
	{ "failed", failed, PCI_ERS_RESULT_DISCONNECT },
	{ "unplugged", unplugged, PCI_ERS_RESULT_NONE },
	{ "mmio", mmio, PCI_ERS_RESULT_RECOVERED },
	{ "reset", reset, PCI_ERS_RESULT_RECOVERED },
	{ "resume", resume, PCI_ERS_RESULT_RECOVERED },
};

/* A driver without them fails the recovery of all that are behind the same port. */
static bool has_handlers(const struct pci_driver *drv)
{
	const struct pci_error_handlers *err = drv ? drv->err_handler : NULL;

	return err && err->error_detected && err->mmio_enabled && err->slot_reset && err->resume;
}

static int do_step(struct pci_dev *pdev, const char *name)
{
	struct pci_driver *drv;
	int ret = -EINVAL;

	pm_runtime_get_sync(&pdev->dev);
	device_lock(&pdev->dev);
	drv = pci_dev_driver(pdev);
	for (unsigned int i = 0; has_handlers(drv) && i < ARRAY_SIZE(steps); i++)
		if (!strcmp(name, steps[i].name))
			ret = steps[i].fn(pdev, drv->err_handler) == steps[i].answer ?
			      0 : -EPROTO;
	device_unlock(&pdev->dev);
	pm_runtime_put(&pdev->dev);
	return ret;
}

/* ---- The PCI core's recovery ---- */

/* Its prototype is in drivers/pci/pci.h; kernels before 7.3 do not export it. */
#define RECOVER "pcie_do_recovery"

typedef pci_ers_result_t reset_fn(struct pci_dev *bridge);

static pci_ers_result_t lose_link(struct pci_dev *bridge)
{
	reset_link(bridge);
	return PCI_ERS_RESULT_DISCONNECT;
}

static const struct {
	const char *name;
	pci_channel_state_t state;
	reset_fn *reset;
	bool recovered;
} recoveries[] = {
	{ "recover-normal", pci_channel_io_normal, reset_link, true },
	{ "recover", pci_channel_io_frozen, reset_link, true },
	{ "lose", pci_channel_io_frozen, lose_link, false },
};

static int do_recovery(struct pci_dev *pdev, const char *name)
{
	struct pci_dev *bridge = pci_upstream_bridge(pdev);
	pci_ers_result_t (*recover)(struct pci_dev *dev, pci_channel_state_t state,
				    reset_fn *reset);
	pci_ers_result_t result;
	int ret = -EINVAL;

	if (!bridge)
		return -ENODEV;
	recover = __symbol_get(RECOVER);
	if (!recover)
		return -EOPNOTSUPP;
	/* The port alone: the recovery itself has to wake what is behind it. */
	pm_runtime_get_sync(&bridge->dev);
	for (unsigned int i = 0; i < ARRAY_SIZE(recoveries); i++) {
		if (strcmp(name, recoveries[i].name))
			continue;
		result = recover(bridge, recoveries[i].state, recoveries[i].reset);
		ret = (result == PCI_ERS_RESULT_RECOVERED) == recoveries[i].recovered ?
		      0 : -EPROTO;
	}
	pm_runtime_put(&bridge->dev);
	__symbol_put(RECOVER);
	return ret;
}

/* ---- A function that answers nothing: config space reads as ones ---- */

/* One at a time. */
static struct pci_dev *silent;
static struct pci_ops *ops_before;
static struct pci_ops silent_ops;

static int silent_read(struct pci_bus *bus, unsigned int devfn, int pos, int bytes, u32 *val)
{
	if (devfn != silent->devfn)
		return ops_before->read(bus, devfn, pos, bytes, val);
	PCI_SET_ERROR_RESPONSE(val);
	return PCIBIOS_SUCCESSFUL;
}

static int silent_write(struct pci_bus *bus, unsigned int devfn, int pos, int bytes, u32 val)
{
	if (devfn != silent->devfn)
		return ops_before->write(bus, devfn, pos, bytes, val);
	return PCIBIOS_SUCCESSFUL;
}

static int silence(struct pci_dev *pdev)
{
	if (silent)
		return -EBUSY;
	silent = pci_dev_get(pdev);
	ops_before = pdev->bus->ops;
	silent_ops = *ops_before;
	silent_ops.read = silent_read;
	silent_ops.write = silent_write;
	pci_bus_set_ops(pdev->bus, &silent_ops);
	return 0;
}

static void unsilence(void)
{
	if (!silent)
		return;
	pci_bus_set_ops(silent->bus, ops_before);
	pci_dev_put(silent);
	silent = NULL;
}

static int do_silence(struct pci_dev *pdev, const char *name)
{
	if (!strcmp(name, "silent"))
		return silence(pdev);
	if (strcmp(name, "heard"))
		return -EINVAL;
	unsilence();
	return 0;
}

static int set_step(const char *val, const struct kernel_param *kp)
{
	unsigned int domain, bus, dev, fn;
	struct pci_dev *pdev;
	char name[24];
	int ret;

	if (sscanf(val, "%x:%x:%x.%x %23s", &domain, &bus, &dev, &fn, name) != 5)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(dev, fn));
	if (!pdev)
		return -ENODEV;
	ret = do_step(pdev, name);
	if (ret == -EINVAL)
		ret = do_silence(pdev, name);
	if (ret == -EINVAL)
		ret = do_recovery(pdev, name);
	pci_dev_put(pdev);
	return ret;
}

static const struct kernel_param_ops step_ops = { .set = set_step };
module_param_cb(step, &step_ops, NULL, 0200);
MODULE_PARM_DESC(step, "ADDRESS STEP: an error of the function, or its recovery");

static int __init test_error_init(void)
{
	return 0;
}
module_init(test_error_init);

static void __exit test_error_exit(void)
{
	unsilence();
}
module_exit(test_error_exit);

MODULE_DESCRIPTION("Steps of error recovery, for selftests");
MODULE_LICENSE("GPL");
