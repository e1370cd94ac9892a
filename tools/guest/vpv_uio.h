/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vpv_uio offers to programs in the guest: one file per device,
 * /dev/vpv_uioN, open for one program at a time.
 *
 * BARs and DMA memory are mapped with mmap() at the offsets below.  read()
 * returns one 32-bit interrupt counter per vector and blocks until a counter has
 * changed since the last read; poll() says when it would not block.
 */
#ifndef VPV_UIO_H
#define VPV_UIO_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VPV_UIO_BAR_OFFSET(bar)	((__u64)(bar) << 40)
#define VPV_UIO_DMA_OFFSET(id)	((__u64)(16 + (id)) << 40)
#define VPV_UIO_BARS		6
#define VPV_UIO_DMA_AREAS	64

/**
 * struct vpv_uio_info - Result of VPV_UIO_INFO
 * @vendor: PCI vendor id.
 * @device: PCI device id.
 * @vectors: MSI-X vectors in use; vector n is n-th in read().
 * @reserved: Zero.
 * @bar_bytes: Size of each memory BAR, zero where there is none.
 */
struct vpv_uio_info {
	__u16 vendor;
	__u16 device;
	__u32 vectors;
	__u64 reserved;
	__u64 bar_bytes[VPV_UIO_BARS];
};

/**
 * struct vpv_uio_dma - Argument of VPV_UIO_DMA_ALLOC
 * @bytes: in: wanted size, at most 4 MiB.
 * @iova: out: address for the device.
 * @offset: out: offset for mmap().
 *
 * The memory is zeroed.  It stays until the file is closed.
 */
struct vpv_uio_dma {
	__u64 bytes;
	__u64 iova;
	__u64 offset;
};

#define VPV_UIO_INFO		_IOR('V', 0x60, struct vpv_uio_info)
#define VPV_UIO_DMA_ALLOC	_IOWR('V', 0x61, struct vpv_uio_dma)

#endif
