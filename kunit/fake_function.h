/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI function of the test's own, for controlling drivers: its config space is ids and a
 * COMMAND register, or reads all ones.
 */
#ifndef FAKE_FUNCTION_H
#define FAKE_FUNCTION_H

#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define FAKE_IDS	0x00017620U

/**
 * struct fake_function - A function
 * @pdev: The function.
 * @bus: Where it is.
 * @deaf: Config space reads all ones and ignores writes.
 * @command: COMMAND.
 */
struct fake_function {
	struct pci_dev *pdev;
	struct pci_bus bus;
	bool deaf;
	u16 command;
};

static int fake_config_read(struct pci_bus *bus, unsigned int devfn, int where, int bytes,
			    u32 *val)
{
	const struct fake_function *fn = container_of(bus, struct fake_function, bus);

	*val = fn->deaf ? U32_MAX : where == PCI_COMMAND ? fn->command :
	       where == PCI_VENDOR_ID ? FAKE_IDS : 0;
	return PCIBIOS_SUCCESSFUL;
}

static int fake_config_write(struct pci_bus *bus, unsigned int devfn, int where, int bytes,
			     u32 val)
{
	struct fake_function *fn = container_of(bus, struct fake_function, bus);

	if (!fn->deaf && where == PCI_COMMAND)
		fn->command = val;
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops fake_config = {
	.read = fake_config_read,
	.write = fake_config_write,
};

static void fake_release(struct device *dev)
{
	kfree(to_pci_dev(dev));
}

/* Undone by device_unregister(). */
static void fake_function_add(struct kunit *test, struct fake_function *fn, const char *name)
{
	struct pci_dev *pdev = kzalloc(sizeof(*pdev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	fn->bus.ops = &fake_config;
	pdev->bus = &fn->bus;
	pdev->error_state = pci_channel_io_normal;
	pdev->dma_mask = DMA_BIT_MASK(64);
	pdev->dev.dma_mask = &pdev->dma_mask;
	pdev->dev.coherent_dma_mask = DMA_BIT_MASK(64);
	pdev->dev.release = fake_release;
	dev_set_name(&pdev->dev, "%s", name);
	KUNIT_ASSERT_EQ(test, device_register(&pdev->dev), 0);
	fn->pdev = pdev;
}

#endif /* FAKE_FUNCTION_H */
