// SPDX-License-Identifier: GPL-2.0
/*
 * Takes interrupts for selftests as KVM does that can give them to a guest past the
 * host: a consumer of the IRQ bypass manager, which only remembers what it is told.
 *
 * Each open of /dev/vpv_test_bypass is a consumer.  Written to it is an eventfd, once.
 * Read from it: Linux's number of the interrupt that it is connected to (0: none), and
 * how often it was connected and disconnected.
 */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/irqbypass.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct bypass {
	struct irq_bypass_consumer consumer;
	struct mutex lock; /* below */
	struct eventfd_ctx *eventfd;
	int irq;
	unsigned int connected;
	unsigned int disconnected;
};

/* Both are called under a lock of the manager: ours is the inner one. */
static int add_producer(struct irq_bypass_consumer *consumer,
			struct irq_bypass_producer *producer)
{
	struct bypass *b = container_of(consumer, struct bypass, consumer);

	guard(mutex)(&b->lock);
	b->irq = producer->irq;
	b->connected++;
	return 0;
}

static void del_producer(struct irq_bypass_consumer *consumer,
			 struct irq_bypass_producer *producer)
{
	struct bypass *b = container_of(consumer, struct bypass, consumer);

	guard(mutex)(&b->lock);
	b->irq = 0;
	b->disconnected++;
}

static ssize_t bypass_write(struct file *file, const char __user *buf, size_t count,
			    loff_t *pos)
{
	struct bypass *b = file->private_data;
	struct eventfd_ctx *eventfd;
	int fd, ret;

	ret = kstrtoint_from_user(buf, count, 0, &fd);
	if (ret)
		return ret;
	eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (cmpxchg(&b->eventfd, NULL, eventfd)) {
		eventfd_ctx_put(eventfd);
		return -EBUSY;
	}
	ret = vpv_compat_irq_bypass_consume(&b->consumer, eventfd);
	return ret ?: count;
}

static ssize_t bypass_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct bypass *b = file->private_data;
	loff_t start = 0;
	char text[64];
	int len;

	scoped_guard(mutex, &b->lock)
		len = scnprintf(text, sizeof(text), "%d %u %u\n", b->irq, b->connected,
				b->disconnected);
	return simple_read_from_buffer(buf, count, &start, text, len);
}

static int bypass_open(struct inode *inode, struct file *file)
{
	struct bypass *b = kzalloc_obj(*b, GFP_KERNEL);

	if (!b)
		return -ENOMEM;
	mutex_init(&b->lock);
	b->consumer.add_producer = add_producer;
	b->consumer.del_producer = del_producer;
	file->private_data = b;
	return 0;
}

static int bypass_release(struct inode *inode, struct file *file)
{
	struct bypass *b = file->private_data;

	irq_bypass_unregister_consumer(&b->consumer);
	if (b->eventfd)
		eventfd_ctx_put(b->eventfd);
	mutex_destroy(&b->lock);
	kfree(b);
	return 0;
}

static const struct file_operations bypass_fops = {
	.owner = THIS_MODULE,
	.open = bypass_open,
	.release = bypass_release,
	.read = bypass_read,
	.write = bypass_write,
};

static struct miscdevice bypass_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &bypass_fops,
	.mode = 0600,
};
module_misc_device(bypass_device);

MODULE_DESCRIPTION("Consumer of interrupts, for selftests");
MODULE_LICENSE("GPL");
