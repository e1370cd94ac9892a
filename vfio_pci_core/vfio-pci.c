// SPDX-License-Identifier: GPL-2.0
/*
 * vpv_pci once more, module and driver under the name of the kernel's vfio-pci: for hosts
 * that do not load that one, and programs that look for its name.  See
 * Documentation/vpv_pci.rst.
 */
#define NAME "vfio-pci"
#include "pci.c"
