// SPDX-License-Identifier: GPL-2.0
/*
 * Faults a page in for selftests as KVM and type 1 containers do, which look at its entry
 * afterwards: an address is written to /dev/vpv_test_fault, for writing to it.  The errno is
 * that of fixup_user_fault(), or ESTALE if they would not look again for an entry that is gone.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

/* Is there an entry? */
static bool is_mapped(struct mm_struct *mm, unsigned long addr)
{
	struct follow_pfnmap_args args = {
		.vma = vma_lookup(mm, addr), .address = addr & PAGE_MASK,
	};

	if (!args.vma || follow_pfnmap_start(&args))
		return false;
	follow_pfnmap_end(&args);
	return true;
}

static ssize_t fault_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct mm_struct *mm = current->mm;
	bool unlocked = false;
	unsigned long addr;
	int ret;

	ret = kstrtoul_from_user(buf, count, 0, &addr);
	if (ret)
		return ret;
	mmap_read_lock(mm);
	if (!is_mapped(mm, addr)) {
		ret = fixup_user_fault(mm, addr, FAULT_FLAG_WRITE, &unlocked);
		if (!ret && !unlocked)
			ret = -ESTALE;
	}
	mmap_read_unlock(mm);
	return ret ?: count;
}

static const struct file_operations fault_fops = {
	.owner = THIS_MODULE,
	.write = fault_write,
};

static struct miscdevice fault_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &fault_fops,
	.mode = 0600,
};
module_misc_device(fault_device);

MODULE_DESCRIPTION("Faults of KVM, for selftests");
MODULE_LICENSE("GPL");
