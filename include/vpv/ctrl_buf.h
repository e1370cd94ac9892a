/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Buffers of a controlled function that its controlling function reads or writes.
 *
 * The driver of the controlled function owns the memory, which is charged to the process that
 * migrates the function.  The device that accesses it is another one, with a driver that
 * may go away, and with firmware that may stop answering, at any moment.  So:
 *
 * 1. A buffer is mapped at one controlling function, once: from vpv_ctrl_buf_new() on.
 *    It is unmapped when its last reference is given back, or when the handle that it was
 *    mapped through is withdrawn, whichever comes first.  vpv_ctrl_buf_usable() tells its
 *    owner whether it is still mapped; if not, the owner gives it back and makes another one.
 *
 * 2. A command that names a buffer holds a reference, from vpv_ctrl_buf_begin() to
 *    vpv_ctrl_buf_end(), which the controlling driver calls.  The owner may give its
 *    reference back meanwhile, and the handle may be withdrawn: the buffer stays mapped
 *    until the command has ended.
 *
 * 3. If a command ends here although the device may still carry it out (it is silent, and
 *    could not be kept from accessing memory), vpv_ctrl_buf_end() says so.  Such a buffer is
 *    neither unmapped nor freed by its last reference or by a withdrawal: it belongs to the
 *    controlling driver then, which frees it with vpv_ctrl_dma_quiet() as soon as the device
 *    works again or provably accesses nothing.
 *
 * 4. If the controlling driver goes away before that, vpv_ctrl_dma_free() leaves these buffers
 *    allocated and mapped for good.
 *
 * All the time the memory stays counted where it was allocated (struct vpv_mem), so a device
 * that is silent again and again cannot be made to use up more than its owner may hold.
 *
 * Neither side waits for the other: only mapping and unmapping is done under a lock.
 *
 * A controlling driver whose commands have little data can copy them instead, and have the device
 * access memory of its own queue alone, as vpv_nvme_ctrl does (Documentation/nvme_cf.rst).
 */
#ifndef VPV_CTRL_BUF_H
#define VPV_CTRL_BUF_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include <vpv/mem.h>

struct device;
struct vpv_control;

/*
 * DMA of a controlling function on behalf of controlled ones: opaque; one for each controlling
 * function, see vpv_control_publish().
 */
struct vpv_ctrl_dma;

/**
 * struct vpv_ctrl_buf - A buffer
 * @sgt: The memory; its DMA addresses are valid as long as the buffer is mapped.  No segment
 *	is longer than dma_get_max_seg_size() of the device, or than what can be mapped at once.
 * @dir: Who writes.
 * @refs: Of the owner, of each command, and of @dma when it is kept there.
 * @node: In the list of the handle or of @dma; dma lock.
 * @dma: Where it is mapped; referenced.
 * @control: Through which handle; NULL when that was withdrawn; dma lock.
 * @mem: The memory.
 * @busy: Commands that name it and have not ended; dma lock.
 * @mapped: dma lock.
 * @lost: The device may write it though no command is in work; dma lock.
 *
 * Members from @refs on are for the library alone.
 */
struct vpv_ctrl_buf {
	struct sg_table sgt;
	enum dma_data_direction dir;
	refcount_t refs;
	struct list_head node;
	struct vpv_ctrl_dma *dma;
	struct vpv_control *control;
	struct vpv_mem mem;
	unsigned int busy;
	bool mapped;
	bool lost;
};

/* ---- For the driver of a controlled function ---- */

/**
 * vpv_ctrl_buf_new() - Map memory at a controlling function
 * @control: Handle of the controlled function.
 * @mem: Whole pages, page-aligned, with a reference which the buffer takes over.
 * @dir: Direction.
 *
 * Context: process; may sleep; not between vpv_control_enter() and _leave().
 * Return: a buffer with one reference.  After an error @mem still is the caller's:
 * ERR_PTR(-ENOTCONN) when the handle is withdrawn; -EOPNOTSUPP when nothing can be mapped
 * through it; -EINVAL for memory that is not of whole pages; -ENOMEM; or what the DMA API
 * returned.
 */
struct vpv_ctrl_buf *vpv_ctrl_buf_new(struct vpv_control *control, const struct vpv_mem *mem,
				      enum dma_data_direction dir);

/**
 * vpv_ctrl_buf_usable() - Can a command of this handle name the buffer?
 * @buf: Buffer.
 * @control: Handle that the caller holds a reference of.
 *
 * Context: process; may sleep.
 * Return: false when it was mapped through another handle, when that was withdrawn, or when
 * the device may still write the buffer because of an earlier command.
 */
bool vpv_ctrl_buf_usable(struct vpv_ctrl_buf *buf, const struct vpv_control *control);

/**
 * vpv_ctrl_buf_put() - Give a reference back
 * @buf: Buffer.  The last reference unmaps and frees it, see above.
 *
 * Context: process; may sleep.
 */
void vpv_ctrl_buf_put(struct vpv_ctrl_buf *buf);

/* ---- For the driver of a controlling function ---- */

/**
 * vpv_ctrl_dma_new() - Prepare to map buffers of others
 * @dev: The controlling function; its DMA mask is set.
 *
 * Return: what vpv_control_publish() takes, or NULL.
 */
struct vpv_ctrl_dma *vpv_ctrl_dma_new(struct device *dev);

/**
 * vpv_ctrl_dma_free() - The driver goes away
 * @dma: What vpv_ctrl_dma_new() returned; NULL is allowed.  All handles that were published
 *	with it are withdrawn, and all commands have ended.
 *
 * What the device may still write stays allocated and mapped for good; one line of the log
 * says how much.
 *
 * Context: process; may sleep.
 */
void vpv_ctrl_dma_free(struct vpv_ctrl_dma *dma);

/**
 * vpv_ctrl_dma_quiet() - The device accesses nothing any more that it was told before
 * @dma: Of the controlling function, of which nothing is published.
 *
 * To be called when the device has been reset and works again, or when it is known that it
 * starts no DMA.
 *
 * Context: process; may sleep.
 */
void vpv_ctrl_dma_quiet(struct vpv_ctrl_dma *dma);

/**
 * vpv_ctrl_buf_begin() - A command that names a buffer is about to be given to the device
 * @buf: Buffer.
 *
 * Gives the memory to the device.
 *
 * Context: process; may sleep; between vpv_control_enter() and _leave() of its handle.
 * Return: 0, and vpv_ctrl_buf_end() follows; -ENOTCONN when the buffer is not usable.
 */
int vpv_ctrl_buf_begin(struct vpv_ctrl_buf *buf);

/**
 * vpv_ctrl_buf_end() - A command has ended, or was not given to the device after all
 * @buf: Buffer.
 * @lost: The device may still carry the command out.
 *
 * Gives the memory back to the CPU, and the reference of the command, so the buffer may be
 * gone on return.  What is lost is not given back: the command must not be said to have
 * succeeded, whatever the device said.
 *
 * Context: process; may sleep; also after the handle was withdrawn.
 */
void vpv_ctrl_buf_end(struct vpv_ctrl_buf *buf, bool lost);

#endif /* VPV_CTRL_BUF_H */
