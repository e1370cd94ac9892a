// SPDX-License-Identifier: GPL-2.0
/*
 * Imports dma-bufs for selftests as the driver of a device does that can be told to
 * stop using them.  The device is a function without a driver; QEMU's edu can also do
 * DMA to what it has mapped.
 *
 * Each open of /dev/vpv_test_importer is an importer of one dma-buf.  Written to it:
 *
 *	attach FD ADDRESS	for that function; "static": without being told to stop,
 *				"pages": needing struct pages, "plain": with the host bridge that
 *				there is, between functions of which the kernel knows no way
 *	map, unmap, detach
 *	slow MS			from now on, unmap that much after being told
 *	store POS VALUE		32 bits, by the device (an edu)
 *
 * Read from it: whether it is mapped, how often it was told to stop, the number
 * of scatterlist entries, their bytes, the first's DMA address, and the physical
 * address that the IOMMU has for the last first one now.
 */
#include <linux/module.h>

#ifdef VPV_HAVE_DMA_BUF_REVOKE

#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* "edu" (QEMU, docs/specs/edu.rst) */
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_CMD_RUN	1
#define EDU_CMD_TO_RAM	2
#define EDU_BUFFER	0x40000
#define EDU_TRIES	300

/* A host bridge that the kernel knows to route between functions; QEMU's does, too. */
#define GOOD_BRIDGE	0x2020

/* Makes QEMU's bridge that one.  Innermost. */
static DEFINE_MUTEX(bridge_lock);

struct importer {
	struct mutex lock; /* commands */
	struct pci_dev *pdev;
	struct dma_buf *buf;
	struct dma_buf_attachment *attach;
	bool plain;
	/* Below: lock of the dma-buf. */
	struct sg_table *sgt;
	dma_addr_t addr;
	unsigned int told;
	unsigned int slow_ms;
	struct delayed_work unmap;
};

static void unmap_locked(struct importer *imp)
{
	if (imp->sgt)
		dma_buf_unmap_attachment(imp->attach, imp->sgt, DMA_BIDIRECTIONAL);
	imp->sgt = NULL;
}

static void unmap_late(struct work_struct *work)
{
	struct importer *imp = container_of(to_delayed_work(work), struct importer, unmap);

	dma_resv_lock(imp->buf->resv, NULL);
	unmap_locked(imp);
	dma_resv_unlock(imp->buf->resv);
}

static void let_go(struct dma_buf_attachment *attach)
{
	struct importer *imp = attach->importer_priv;

	imp->told++;
	if (imp->slow_ms && imp->sgt)
		schedule_delayed_work(&imp->unmap, msecs_to_jiffies(imp->slow_ms));
	else
		unmap_locked(imp);
}

static const struct dma_buf_attach_ops ops_normal = {
	.allow_peer2peer = true,
	.invalidate_mappings = let_go,
};

static const struct dma_buf_attach_ops ops_static = { .allow_peer2peer = true };
static const struct dma_buf_attach_ops ops_pages = { .invalidate_mappings = let_go };

static int do_unmap(struct importer *imp, const char *args)
{
	if (!imp->attach)
		return -EINVAL;
	dma_resv_lock(imp->buf->resv, NULL);
	unmap_locked(imp);
	dma_resv_unlock(imp->buf->resv);
	return 0;
}

static int do_detach(struct importer *imp, const char *args)
{
	if (!imp->attach)
		return -EINVAL;
	do_unmap(imp, NULL);
	cancel_delayed_work_sync(&imp->unmap);
	dma_buf_detach(imp->buf, imp->attach);
	imp->attach = NULL;
	dma_buf_put(imp->buf);
	imp->buf = NULL;
	pci_disable_device(imp->pdev);
	pci_dev_put(imp->pdev);
	imp->pdev = NULL;
	return 0;
}

static int find_device(struct importer *imp, const char *args, int *fd, char *kind)
{
	unsigned int domain, bus, dev, fn;
	int ret;

	if (sscanf(args, "%d %x:%x:%x.%x %7s", fd, &domain, &bus, &dev, &fn, kind) < 5)
		return -EINVAL;
	imp->pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(dev, fn));
	if (!imp->pdev)
		return -ENODEV;
	ret = pci_enable_device(imp->pdev);
	if (!ret && imp->pdev->dev.driver) {
		pci_disable_device(imp->pdev);
		ret = -EBUSY;
	}
	if (ret)
		pci_dev_put(imp->pdev);
	return ret;
}

static int do_attach(struct importer *imp, const char *args)
{
	const struct dma_buf_attach_ops *ops = &ops_normal;
	char kind[8] = "";
	int fd, ret;

	if (imp->attach)
		return -EINVAL;
	ret = find_device(imp, args, &fd, kind);
	if (ret)
		return ret;
	if (!strcmp(kind, "static"))
		ops = &ops_static;
	if (!strcmp(kind, "pages"))
		ops = &ops_pages;
	imp->plain = !strcmp(kind, "plain");

	imp->buf = dma_buf_get(fd);
	ret = PTR_ERR_OR_ZERO(imp->buf);
	if (ret)
		goto put_device;
	imp->attach = dma_buf_dynamic_attach(imp->buf, &imp->pdev->dev, ops, imp);
	ret = PTR_ERR_OR_ZERO(imp->attach);
	if (ret)
		goto put_buf;
	return 0;

put_buf:
	imp->attach = NULL;
	dma_buf_put(imp->buf);
put_device:
	pci_disable_device(imp->pdev);
	pci_dev_put(imp->pdev);
	return ret;
}

static struct sg_table *map_locked(struct importer *imp)
{
	struct pci_dev *bridge = pci_get_domain_bus_and_slot(0, 0, 0);
	struct sg_table *sgt;
	u16 device;

	if (!bridge)
		return ERR_PTR(-ENODEV);
	mutex_lock(&bridge_lock);
	device = bridge->device;
	if (!imp->plain)
		bridge->device = GOOD_BRIDGE;
	sgt = dma_buf_map_attachment(imp->attach, DMA_BIDIRECTIONAL);
	bridge->device = device;
	mutex_unlock(&bridge_lock);
	pci_dev_put(bridge);
	return sgt;
}

static int do_map(struct importer *imp, const char *args)
{
	struct sg_table *sgt;
	int ret;

	if (!imp->attach)
		return -EINVAL;
	/* The edu reaches no more. */
	ret = dma_set_mask_and_coherent(&imp->pdev->dev, DMA_BIT_MASK(28));
	if (ret)
		return ret;

	dma_resv_lock(imp->buf->resv, NULL);
	sgt = imp->sgt ? ERR_PTR(-EBUSY) : map_locked(imp);
	ret = PTR_ERR_OR_ZERO(sgt);
	if (!ret) {
		imp->sgt = sgt;
		imp->addr = sg_dma_address(sgt->sgl);
	}
	dma_resv_unlock(imp->buf->resv);
	return ret;
}

static int do_slow(struct importer *imp, const char *args)
{
	if (!imp->attach)
		return -EINVAL;
	return kstrtouint(args, 0, &imp->slow_ms);
}

static int edu_dma(void __iomem *regs, u32 src, u32 dst, u32 cmd)
{
	writel(src, regs + EDU_SRC);
	writel(dst, regs + EDU_DST);
	writel(sizeof(u32), regs + EDU_COUNT);
	writel(cmd | EDU_CMD_RUN, regs + EDU_CMD);
	for (unsigned int i = 0; i < EDU_TRIES; i++) {
		if (!(readl(regs + EDU_CMD) & EDU_CMD_RUN))
			return 0;
		msleep(20);
	}
	return -ETIMEDOUT;
}

/* Where the device finds @pos of what is mapped; 0: nowhere. */
static dma_addr_t mapped_at(struct importer *imp, u32 pos)
{
	struct scatterlist *sg;
	dma_addr_t addr = 0;
	unsigned int i;

	dma_resv_lock(imp->buf->resv, NULL);
	if (imp->sgt) {
		for_each_sgtable_dma_sg(imp->sgt, sg, i) {
			if (pos < sg_dma_len(sg)) {
				addr = sg_dma_address(sg) + pos;
				break;
			}
			pos -= sg_dma_len(sg);
		}
	}
	dma_resv_unlock(imp->buf->resv);
	return addr;
}

/* From memory to the device's buffer, from there to @to. */
static int edu_store(struct importer *imp, void __iomem *regs, dma_addr_t to, u32 val)
{
	struct device *dev = &imp->pdev->dev;
	dma_addr_t addr;
	u32 *ram;
	int ret;

	ram = dma_alloc_coherent(dev, PAGE_SIZE, &addr, GFP_KERNEL);
	if (!ram)
		return -ENOMEM;
	*ram = val;
	pci_set_master(imp->pdev);
	ret = edu_dma(regs, addr, EDU_BUFFER, 0);
	if (!ret)
		ret = edu_dma(regs, EDU_BUFFER, to, EDU_CMD_TO_RAM);
	pci_clear_master(imp->pdev);
	dma_free_coherent(dev, PAGE_SIZE, ram, addr);
	return ret;
}

static int do_store(struct importer *imp, const char *args)
{
	void __iomem *regs;
	dma_addr_t to;
	u32 pos, val;
	int ret;

	if (!imp->attach || sscanf(args, "%i %i", &pos, &val) != 2)
		return -EINVAL;
	to = mapped_at(imp, pos);
	if (!to)
		return -ENODEV;
	regs = pci_iomap(imp->pdev, 0, 0);
	if (!regs)
		return -ENOMEM;
	ret = edu_store(imp, regs, to, val);
	pci_iounmap(imp->pdev, regs);
	return ret;
}

static const struct {
	const char *name;
	int (*fn)(struct importer *imp, const char *args);
} commands[] = {
	{ "attach ", do_attach },
	{ "detach", do_detach },
	{ "map", do_map },
	{ "slow ", do_slow },
	{ "store ", do_store },
	{ "unmap", do_unmap },
};

static ssize_t imp_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct importer *imp = file->private_data;
	char text[64] = "";

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;

	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++) {
		size_t len = strlen(commands[i].name);
		int ret;

		if (strncmp(text, commands[i].name, len))
			continue;
		mutex_lock(&imp->lock);
		ret = commands[i].fn(imp, text + len);
		mutex_unlock(&imp->lock);
		return ret ?: count;
	}
	return -EINVAL;
}

static int show_locked(struct importer *imp, char *text, size_t room)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&imp->pdev->dev);
	phys_addr_t phys = domain ? iommu_iova_to_phys(domain, imp->addr) : 0;
	unsigned int entries = imp->sgt ? imp->sgt->nents : 0, i;
	struct scatterlist *sg;
	u64 bytes = 0;

	if (imp->sgt)
		for_each_sgtable_dma_sg(imp->sgt, sg, i)
			bytes += sg_dma_len(sg);
	return scnprintf(text, room, "%u %u %u %#llx %#llx %#llx\n", !!imp->sgt, imp->told,
			 entries, bytes, (u64)imp->addr, (u64)phys);
}

static ssize_t imp_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct importer *imp = file->private_data;
	loff_t start = 0;
	char text[128];
	int len;

	mutex_lock(&imp->lock);
	if (!imp->attach) {
		mutex_unlock(&imp->lock);
		return -EINVAL;
	}
	dma_resv_lock(imp->buf->resv, NULL);
	len = show_locked(imp, text, sizeof(text));
	dma_resv_unlock(imp->buf->resv);
	mutex_unlock(&imp->lock);
	return simple_read_from_buffer(buf, count, &start, text, len);
}

static int imp_open(struct inode *inode, struct file *file)
{
	struct importer *imp = kzalloc_obj(*imp, GFP_KERNEL);

	if (!imp)
		return -ENOMEM;
	mutex_init(&imp->lock);
	INIT_DELAYED_WORK(&imp->unmap, unmap_late);
	file->private_data = imp;
	return 0;
}

static int imp_release(struct inode *inode, struct file *file)
{
	struct importer *imp = file->private_data;

	do_detach(imp, NULL);
	mutex_destroy(&imp->lock);
	kfree(imp);
	return 0;
}

static const struct file_operations imp_fops = {
	.owner = THIS_MODULE,
	.open = imp_open,
	.release = imp_release,
	.read = imp_read,
	.write = imp_write,
};

static struct miscdevice imp_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &imp_fops,
	.mode = 0600,
};
module_misc_device(imp_device);

VPV_COMPAT_IMPORT_NS(DMA_BUF);

#endif /* VPV_HAVE_DMA_BUF_REVOKE */

MODULE_DESCRIPTION("Importer of dma-bufs, for selftests");
MODULE_LICENSE("GPL");
