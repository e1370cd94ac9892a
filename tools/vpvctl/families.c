// SPDX-License-Identifier: GPL-2.0
/* The functions that our drivers are made for, known here so that their absence is noticed. */
#include "hw/coherent_gpu.h"
#include "hw/edu_like.h"
#include "hw/hisi_like.h"
#include "hw/mlx5_like.h"
#include "hw/nvme_cf.h"
#include "pci.h"

/* @subvendor 0: any subsystem. */
static const struct family {
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
	const char *driver;
} families[] = {
	{ CGPU_VENDOR, CGPU_DEVICE, 0, 0, "vpv_coherent_gpu" },
	{ EDUL_VENDOR, EDUL_DEVICE, 0, 0, "vpv_edu_like" },
	{ HISIL_VENDOR, HISIL_DEVICE, 0, 0, "vpv_hisi_like" },
	{ MLXL_FN_VENDOR, MLXL_FN_DEVICE, MLXL_VENDOR, MLXL_FN_SUBDEVICE, "vpv_mlx5_like" },
	{ NVCF_VENDOR, NVCF_FN_DEVICE, 0, 0, "vpv_nvme_cf" },
};

const char *family_driver(const struct pci_fn *fn)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct family *f = &families[i];

		if (fn->vendor == f->vendor && fn->device == f->device &&
		    (!f->subvendor || (fn->subvendor == f->subvendor && fn->subdevice == f->subdevice)))
			return f->driver;
	}
	return NULL;
}
