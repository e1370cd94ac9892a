// SPDX-License-Identifier: GPL-2.0
/* The functions that our drivers are made for, known here so that their absence is noticed. */
#include "pci.h"

/* Without ids of the subsystem: any. */
struct family {
	const char *driver;
	uint16_t ids[4];
};

enum { VENDOR, DEVICE, SUBVENDOR, SUBDEVICE };

/* families[]: made from the lines "Function of DRIVER: IDS" of include/hw. */
#include "families.h"

const char *family_driver(const struct pci_fn *fn)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const uint16_t *ids = families[i].ids;

		if (fn->vendor == ids[VENDOR] && fn->device == ids[DEVICE] &&
		    (!ids[SUBVENDOR] ||
		     (fn->subvendor == ids[SUBVENDOR] && fn->subdevice == ids[SUBDEVICE])))
			return families[i].driver;
	}
	return NULL;
}
