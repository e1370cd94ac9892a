// SPDX-License-Identifier: GPL-2.0
/* linux/irqbypass.h: the eventfd is an argument, not a token (after 6.12). */
#include <linux/eventfd.h>
#include <linux/irqbypass.h>

int probe(struct irq_bypass_producer *p, struct eventfd_ctx *ctx, int irq)
{
	return irq_bypass_register_producer(p, ctx, irq);
}
