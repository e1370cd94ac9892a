/* SPDX-License-Identifier: GPL-2.0 */
/* What vpvctl doctor looks at, and where it writes what it found. */
#ifndef VPVCTL_DOCTOR_H
#define VPVCTL_DOCTOR_H

#include "mig.h"

/**
 * struct patient - A function that is examined
 * @fn: The function.
 * @mig: What debugfs shows of it.
 * @named: It was named on the command line: the absence of things counts, too.
 * @features_known: @mig.features is, be it from debugfs or from the driver.
 */
struct patient {
	struct pci_fn fn;
	struct mig_info mig;
	bool named;
	bool features_known;
};

/* One finding about @subject: an identifier for scripts, what is wrong, what to do. */
void finding(const char *id, const char *subject, const char *fix, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What could not be looked at, and why. */
void unchecked(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The host as a whole. */
void doctor_host(void);

/* One function. */
void doctor_function(const struct patient *p);

#endif /* VPVCTL_DOCTOR_H */
