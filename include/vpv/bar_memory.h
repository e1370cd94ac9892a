/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that a function has outside of its BARs, as ordinary memory of the system that CPUs
 * cache, and that its user sees as a BAR (module vpv_core).
 *
 * Such a BAR is shown in config space, read, written and mapped as any other: it follows
 * memory enable and the D state, although the hardware does not.  Its size is the next power
 * of two; what is beyond the memory reads as ones, is not written and cannot be mapped.
 *
 * After a reset, and after D3 where that is one, the memory is not touched before the variant's
 * memory_ready hook has said that it is there: accesses wait for that, and mappings are zapped
 * before.
 *
 * Other devices may have parts of it by dma-bufs (VFIO_DEVICE_FEATURE_DMA_BUF), which are taken
 * away from them likewise.
 *
 * A page that is bad, by what the kernel says (from 6.19 on, while the device is open and a process
 * maps the memory) or the variant, is not touched: read() and write() get EIO, and a process that
 * has it mapped is sent SIGBUS, with BUS_MCEERR_AR.
 */
#ifndef VPV_BAR_MEMORY_H
#define VPV_BAR_MEMORY_H

#include <linux/types.h>

struct vpv_device;

/**
 * struct vpv_bar_memory - Where it is
 * @phys: Address, in whole pages.
 * @bytes: Size, in whole pages.
 * @write_combined: CPUs map it write-combining, otherwise write-back.
 */
struct vpv_bar_memory {
	phys_addr_t phys;
	u64 bytes;
	bool write_combined;
};

/**
 * vpv_bar_memory_add() - Show memory as a 64-bit prefetchable BAR
 * @vpv: Device, in the variant's init hook.
 * @bar: 0 to 4; the hardware has neither it nor the next one.
 * @mem: Where it is.
 *
 * The range is claimed, and mapped for the kernel, until the device is released.  Without
 * that mapping the kernel would make those of user space uncached, whatever they ask for.
 * Says in one line of the log what is wrong.
 *
 * Context: process; may sleep.
 * Return: 0; -EINVAL: no such range, or the BAR is not free; -EBUSY: somebody else has the
 * range, or the kernel uses it as memory; -ENOMEM.
 */
int vpv_bar_memory_add(struct vpv_device *vpv, unsigned int bar,
		       const struct vpv_bar_memory *mem);

/**
 * vpv_bar_memory_wait() - Wait until the memory is there
 * @vpv: Device, open or being opened.
 *
 * Context: process; sleeps for as long as memory_ready does; no lock that a reset or a fault
 * may need.
 * Return: 0; -EINTR: the process is being killed; -EAGAIN: it goes again and again; what
 * memory_ready said: -ETIMEDOUT and -ENOTRECOVERABLE until the next reset, others for a moment.
 */
int vpv_bar_memory_wait(struct vpv_device *vpv);

/**
 * vpv_bar_memory_wait_unless() - The same, for a caller that may have to give up
 * @vpv: Device, open.
 * @stop: Does it have to give up?  Called repeatedly; must not sleep.
 * @data: For @stop.
 *
 * Return: as vpv_bar_memory_wait(); -ECANCELED: @stop has said so.
 */
int vpv_bar_memory_wait_unless(struct vpv_device *vpv, bool (*stop)(void *data), void *data);

/**
 * vpv_bar_memory_given_up() - Does the one who waits not wait any more?
 * @vpv: Device.
 *
 * Context: the variant's memory_ready hook, which asks this while it waits.
 * Return: 0, or an errno that the hook has to return.
 */
int vpv_bar_memory_given_up(struct vpv_device *vpv);

/**
 * vpv_bar_memory_read() - Read it, whatever the user has enabled
 * @vpv: Device, open.
 * @bar: As given to vpv_bar_memory_add().
 * @pos: First byte.
 * @bytes: Size, inside of the memory.
 * @to: Receives what is there.
 *
 * Context: process.
 * Return: 0; -EAGAIN: it is not there, see vpv_bar_memory_wait(); what that has returned;
 * -EHWPOISON: there is a bad page.
 */
int vpv_bar_memory_read(struct vpv_device *vpv, unsigned int bar, u64 pos, size_t bytes, void *to);

/**
 * vpv_bar_memory_write() - Write it, whatever the user has enabled
 * @vpv: Device, open.
 * @bar: As given to vpv_bar_memory_add().
 * @pos: First byte.
 * @bytes: Size, inside of the memory.
 * @put: Writes it, where it is mapped; must not sleep.  NULL: zeros are written.
 * @from: For @put.
 *
 * Context: process.
 * Return: as vpv_bar_memory_read(); if it is not 0, @put was not called.
 */
int vpv_bar_memory_write(struct vpv_device *vpv, unsigned int bar, u64 pos, size_t bytes,
			 void (*put)(void *from, void *to, size_t bytes), void *from);

/**
 * vpv_bar_memory_enabled() - Does the user have it enabled, in D0?
 * @vpv: Device, open.
 *
 * For a driver that polls the function: it does not while the function sleeps.
 *
 * Context: process.
 * Return: whether the user has.
 */
bool vpv_bar_memory_enabled(struct vpv_device *vpv);

/**
 * vpv_bar_memory_bad() - The function says that a page is bad
 * @vpv: Device, open, or being opened.
 * @bar: As given to vpv_bar_memory_add().
 * @pos: First byte of the page, inside of the memory.
 * @bad: It is, or it is not any more.
 *
 * What the kernel has said holds on.
 * Context: process; also in memory_ready.
 * Return: whether vpv_bar_memory_bad_told() has to follow, once for any number of pages.
 */
bool vpv_bar_memory_bad(struct vpv_device *vpv, unsigned int bar, u64 pos, bool bad);

/**
 * vpv_bar_memory_bad_told() - Take mappings away that may have bad pages
 * @vpv: Device, open, or being opened.
 *
 * And dma-bufs that have one: waits until other devices have unmapped them.
 * Context: process; also in memory_ready.
 */
void vpv_bar_memory_bad_told(struct vpv_device *vpv);

/**
 * vpv_bar_memory_bad_pages() - Tell which pages are bad, by whomever
 * @vpv: Device.
 * @bar: As given to vpv_bar_memory_add().
 * @tell: Called for each of them, ascending, with the position of its first byte.
 * @data: For @tell.
 *
 * Context: process.
 */
void vpv_bar_memory_bad_pages(struct vpv_device *vpv, unsigned int bar,
			      void (*tell)(void *data, u64 pos), void *data);

/**
 * vpv_bar_memory_track() - Record what CPUs write to it, of all such BARs
 * @vpv: Device, open.
 *
 * All of it counts as written at first, also what was recorded before.  Until
 * vpv_bar_memory_untrack() a page is known to be clean when vpv_bar_memory_protect() has said
 * so and it was neither mapped nor written since: reading a mapping counts as writing it.
 * What other devices write is not seen: what they have mapped, by a dma-buf, is never clean.
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int vpv_bar_memory_track(struct vpv_device *vpv);

/**
 * vpv_bar_memory_untrack() - End that
 * @vpv: Device; nothing may have been begun.
 *
 * Context: process; also in reset_done.
 */
void vpv_bar_memory_untrack(struct vpv_device *vpv);

/**
 * vpv_bar_memory_protect() - A part is clean from here on: it is about to be read
 * @vpv: Device, open.
 * @bar: As given to vpv_bar_memory_add().
 * @pos: First byte, of a page.
 * @bytes: Whole pages, inside of the memory.
 *
 * Takes mappings of it away.
 * Context: process.
 */
void vpv_bar_memory_protect(struct vpv_device *vpv, unsigned int bar, u64 pos, u64 bytes);

/**
 * vpv_bar_memory_written() - Tell which pages are not clean
 * @vpv: Device, open, after vpv_bar_memory_track().
 * @bar: As given to vpv_bar_memory_add().
 * @tell: Called for each run of pages, ascending; must not sleep.
 * @data: For @tell.
 *
 * They stay so, and are told again, until they are protected.
 * Context: process.
 * Return: how many pages have become so since the last call, after they were clean.
 */
unsigned long vpv_bar_memory_written(struct vpv_device *vpv, unsigned int bar,
				     void (*tell)(void *data, u64 first, u64 last), void *data);

#endif /* VPV_BAR_MEMORY_H */
