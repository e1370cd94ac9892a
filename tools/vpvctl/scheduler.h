/* SPDX-License-Identifier: GPL-2.0 */
/* Functions in the words of schedulers and monitoring. */
#ifndef VPVCTL_SCHEDULER_H
#define VPVCTL_SCHEDULER_H

#include "mig.h"
#include "persona_now.h"

/**
 * struct offer - A function that a scheduler may give to a guest
 * @fn: The function, with the ids of the hardware.
 * @mig: Its migration.
 * @persona: What it shows.
 */
struct offer {
	struct pci_fn fn;
	struct mig_info mig;
	struct persona_now persona;
};

/* Can it migrate, as far as is known? */
bool offer_migrates(const struct offer *offer);

/* What Nova calls its type: "type-VF", "type-PF" or "type-PCI". */
const char *offer_type(const struct offer *offer);

/* Print a number of functions. */
void print_nova(const struct offer *offers, int n);
void print_kubevirt(const struct offer *offers, int n);
void print_prometheus(const struct offer *offers, int n);

/**
 * describe_as() - vpvctl describe --format
 * @format: Name of the format; ends the program if there is none such.
 * @devs: Operands.
 * @n: Their number; 0: all functions that a VFIO driver has.
 * @open: Ask the drivers by opening the functions.
 *
 * Return: The exit status.
 */
int describe_as(const char *format, char **devs, int n, bool open);

#endif /* VPVCTL_SCHEDULER_H */
