/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernels, and nothing else; force-included into every
 * object.  VPV_HAVE_<API> says that probes/<api>.c compiled.  Each shim names
 * the header it adapts.
 */
/* The compiler flags of a probe may force this file in, too: it asks for what the kernel has. */
#if !defined(VPV_COMPAT_H) && !defined(VPV_PROBING)
#define VPV_COMPAT_H

/* What is in registers, streams and files is taken as it is in memory. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "only little-endian machines are supported"
#endif

#include "vpv_probes.h"

/* linux/vfio.h: who answers GET_REGION_INFO, and who matches VF tokens. */
#ifdef VPV_HAVE_VFIO_GET_REGION_INFO_CAPS
#define VPV_VFIO_OPS_REGION_INFO .get_region_info_caps = vpv_op_get_region_info,
#else
#define VPV_VFIO_OPS_REGION_INFO
#endif
#ifdef VPV_HAVE_VFIO_MATCH_TOKEN_UUID
#define VPV_VFIO_OPS_TOKEN .match_token_uuid = vpv_op_match_token,
#else
#define VPV_VFIO_OPS_TOKEN
#endif
#define VPV_VFIO_OPS_COMPAT VPV_VFIO_OPS_REGION_INFO VPV_VFIO_OPS_TOKEN

/* linux/vfio.h: the iommufd callbacks exist with IOMMUFD only. */
#if IS_ENABLED(CONFIG_IOMMUFD)
#ifdef VPV_HAVE_VFIO_PASID_ATTACH
#define VPV_VFIO_OPS_PASID						\
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,	\
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#else
#define VPV_VFIO_OPS_PASID
#endif
#define VPV_VFIO_OPS_IOMMUFD						\
	.bind_iommufd	= vfio_iommufd_physical_bind,			\
	.unbind_iommufd	= vfio_iommufd_physical_unbind,			\
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,		\
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,		\
	VPV_VFIO_OPS_PASID
#else
#define VPV_VFIO_OPS_IOMMUFD
#endif

/*
 * linux/irqbypass.h: the eventfd was a token in the producer.  By it the manager finds
 * what it unregisters, also of another owner: a producer that is not registered has none.
 */
#ifdef VPV_HAVE_IRQ_BYPASS_EVENTFD
#define vpv_compat_irq_bypass_register(producer, ctx, virq)		\
	irq_bypass_register_producer(producer, ctx, virq)
#define vpv_compat_irq_bypass_unregister(producer)			\
	irq_bypass_unregister_producer(producer)
#define vpv_compat_irq_bypass_consume(consumer, ctx)			\
	irq_bypass_register_consumer(consumer, ctx)
#else
#define vpv_compat_irq_bypass_register(producer, ctx, virq)		\
({									\
	int _ret;							\
									\
	(producer)->token = (ctx);					\
	(producer)->irq = (virq);					\
	_ret = irq_bypass_register_producer(producer);			\
	if (_ret)							\
		(producer)->token = NULL;				\
	_ret;								\
})
#define vpv_compat_irq_bypass_unregister(producer)			\
({									\
	irq_bypass_unregister_producer(producer);			\
	(producer)->token = NULL;					\
})
#define vpv_compat_irq_bypass_consume(consumer, ctx)			\
({									\
	(consumer)->token = (ctx);					\
	irq_bypass_register_consumer(consumer);				\
})
#endif

/* linux/device.h: the override was a string of the PCI device. */
#ifdef VPV_HAVE_DEVICE_SET_DRIVER_OVERRIDE
#define vpv_compat_driver_override(pdev, name)				\
	device_set_driver_override(&(pdev)->dev, name)
#else
#define vpv_compat_driver_override(pdev, name)				\
	driver_set_override(&(pdev)->dev, &(pdev)->driver_override, name, strlen(name))
#endif

/* linux/pci.h: some architectures have BARs that a CPU cannot map. */
#ifdef VPV_HAVE_PCI_NON_MAPPABLE_BARS
#define vpv_compat_bars_mappable(pdev) (!(pdev)->non_mappable_bars)
#else
#define vpv_compat_bars_mappable(pdev) ((void)(pdev), true)
#endif

/* linux/vfio.h: user space may ask for the second version of PRECOPY_INFO. */
#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
#define vpv_compat_precopy_info_v2(vdev) ((vdev)->precopy_info_v2)
#define VPV_COMPAT_PRECOPY_REINIT VFIO_PRECOPY_INFO_REINIT
#else
#define vpv_compat_precopy_info_v2(vdev) ((void)(vdev), false)
#define VPV_COMPAT_PRECOPY_REINIT 0
#endif

/* linux/module.h: how a symbol namespace is named. */
#ifdef VPV_HAVE_MODULE_IMPORT_NS_BARE
#define VPV_COMPAT_IMPORT_NS(ns) MODULE_IMPORT_NS(ns)
#else
#define VPV_COMPAT_IMPORT_NS(ns) MODULE_IMPORT_NS(#ns)
#endif

/* linux/slab.h: allocation of one object, by an expression or a type. */
#ifndef VPV_HAVE_KZALLOC_OBJ
#define kzalloc_obj(what, gfp)						\
({									\
	typeof(what) *_obj = kzalloc(sizeof(*_obj), gfp);		\
	_obj;								\
})
#define kvzalloc_obj(what, gfp)						\
({									\
	typeof(what) *_obj = kvzalloc(sizeof(*_obj), gfp);		\
	_obj;								\
})
#endif

#endif /* VPV_COMPAT_H */
