// SPDX-License-Identifier: GPL-2.0
/*
 * Reports errors to the driver of a function as the PCI core's error recovery does,
 * one step at a time, or has a function be pulled out, for selftests: the kernel's own
 * injector (aer_inject) cannot stop between the steps, and breaks the rules of lockdep.
 *
 *	echo "0000:03:00.0 frozen" > /sys/module/vpv_test_error/parameters/step
 *
 * The write fails with EPROTO if the driver answers what it should not.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

/* Both under the device lock.  Return: the driver's answer. */
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
static pci_ers_result_t reset(struct pci_dev *pdev, const struct pci_error_handlers *err)
{
	struct pci_dev *bridge = pci_upstream_bridge(pdev);
	int ret = -ENODEV;

	if (bridge) {
		pci_cfg_access_lock(bridge);
		ret = pci_bridge_secondary_bus_reset(bridge);
		pci_cfg_access_unlock(bridge);
	}
	if (ret)
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

static int do_step(struct pci_dev *pdev, const char *name)
{
	struct pci_driver *drv;
	int ret = -EINVAL;

	device_lock(&pdev->dev);
	drv = pci_dev_driver(pdev);
	for (unsigned int i = 0; drv && drv->err_handler && i < ARRAY_SIZE(steps); i++)
		if (!strcmp(name, steps[i].name))
			ret = steps[i].fn(pdev, drv->err_handler) == steps[i].answer ?
			      0 : -EPROTO;
	device_unlock(&pdev->dev);
	return ret;
}

static int set_step(const char *val, const struct kernel_param *kp)
{
	unsigned int domain, bus, dev, fn;
	struct pci_dev *pdev;
	char name[16];
	int ret;

	if (sscanf(val, "%x:%x:%x.%x %15s", &domain, &bus, &dev, &fn, name) != 5)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(dev, fn));
	if (!pdev)
		return -ENODEV;
	pm_runtime_get_sync(&pdev->dev);
	ret = do_step(pdev, name);
	pm_runtime_put(&pdev->dev);
	pci_dev_put(pdev);
	return ret;
}

static const struct kernel_param_ops step_ops = { .set = set_step };
module_param_cb(step, &step_ops, NULL, 0200);
MODULE_PARM_DESC(step, "ADDRESS STEP: tell the function's driver of an error, or of its recovery");

static int __init test_error_init(void)
{
	return 0;
}
module_init(test_error_init);

static void __exit test_error_exit(void)
{
}
module_exit(test_error_exit);

MODULE_DESCRIPTION("Steps of error recovery, for selftests");
MODULE_LICENSE("GPL");
