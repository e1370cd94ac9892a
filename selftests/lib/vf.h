/* SPDX-License-Identifier: GPL-2.0 */
/* Virtual functions of a PF that a VFIO driver has. */
#ifndef SELFTEST_VF_H
#define SELFTEST_VF_H

#include "device.h"

/* The parameter enable_sriov of "vpv_pci" or "vfio-pci"; 0 or a negative errno. */
int vf_allow(const char *driver, bool on);
/* Write sriov_numvfs of the PF. */
int vf_set_num(const struct slot *pf, unsigned int num);
/* The VF of this number; 0 or a negative errno. */
int vf_find(const struct slot *pf, unsigned int nr, struct slot *vf);

#endif /* SELFTEST_VF_H */
