// SPDX-License-Identifier: GPL-2.0
/*
 * The v1 front end: the migration region of the first protocol.  Documentation/migration-v1.rst
 * tells its rules, v1_regs.c decides which accesses keep them, v1_data.c moves data.
 *
 * Locks: set_lock is outside of request_lock; window_lock is outside of vmig_session.io_lock.
 * The two are never held together.  User memory is touched under neither.
 */
#include <linux/slab.h>
#include <linux/uio.h>

#include "request.h"
#include "v1.h"
#include "v1_priv.h"

#define AT(field, pos)	(offsetof(struct vfio_device_migration_info, field) == (pos))

static_assert(AT(device_state, VPV_V1_DEVICE_STATE));
static_assert(AT(reserved, VPV_V1_RESERVED));
static_assert(AT(pending_bytes, VPV_V1_PENDING_BYTES));
static_assert(AT(data_offset, VPV_V1_DATA_OFFSET));
static_assert(AT(data_size, VPV_V1_DATA_SIZE));
static_assert(sizeof(struct vfio_device_migration_info) == VPV_V1_HEAD_BYTES);
static_assert(VFIO_DEVICE_STATE_V1_RUNNING == VPV_V1_STATE_RUNNING);
static_assert(VFIO_DEVICE_STATE_V1_SAVING == VPV_V1_STATE_SAVING);
static_assert(VFIO_DEVICE_STATE_V1_RESUMING == VPV_V1_STATE_RESUMING);

/* ---- What a request does with the session that it opens or ends ---- */

static struct vmig_session *session_swap(struct vmig_v1 *v1, struct vmig_session *s, bool saving)
{
	struct vmig_session *old;

	spin_lock(&v1->m->lock);
	old = v1->session;
	v1->session = s;
	v1->saving = saving;
	v1->sessions++;
	spin_unlock(&v1->m->lock);
	return old;
}

static void session_drop(struct vmig_v1 *v1)
{
	struct vmig_session *old = session_swap(v1, NULL, false);

	if (old)
		vmig_session_put(old);
}

static int front_open(struct vmig_front *front, struct vmig_session *s, bool saving)
{
	struct vmig_v1 *v1 = container_of(front, struct vmig_v1, front);
	struct vmig_session *old;

	vmig_session_get(s);
	old = session_swap(v1, s, saving);
	if (old)
		vmig_session_put(old);
	return 0;
}

static void front_cancel(struct vmig_front *front)
{
	session_drop(container_of(front, struct vmig_v1, front));
}

/* ---- device_state ---- */

static u32 state_read(struct vmig_v1 *v1)
{
	return vmig_v1_word(vmig_state_snapshot(v1->m), READ_ONCE(v1->ndma));
}

/*
 * The protocol has a device whose change fails stay in the state before.  It is taken back
 * there from a state on the way, unless that would open or close a session.
 */
static void state_back(struct vmig_v1 *v1, u8 before)
{
	u8 now = vmig_state_snapshot(v1->m);

	if (now == before || ((now ^ before) & (VMIG_SAVING | VMIG_RESUMING)))
		return;
	vmig_state_request(v1->m, vmig_fsm_v2(before), &v1->front);
}

static int state_change(struct vmig_v1 *v1, u32 word, u8 bits)
{
	u8 before = vmig_state_snapshot(v1->m);
	int err;

	err = vmig_state_request(v1->m, vmig_fsm_v2(bits), &v1->front);
	if (!err) {
		WRITE_ONCE(v1->ndma, word & VPV_V1_STATE_NDMA);
		if (!(bits & (VMIG_SAVING | VMIG_RESUMING)))
			session_drop(v1);
	} else if (err != -ECANCELED && err != -ENODEV) {
		state_back(v1, before);
	}
	return err;
}

static int state_write(struct vmig_v1 *v1, u64 val)
{
	u32 states = vmig_v1_states(v1->m->caps);
	u8 bits;
	int err;

	err = vmig_v1_bits(val, states, &bits);
	if (err) {
		vmig_tell(v1->m, "v1: device_state %#llx refused: only %#x, RESUMING alone (%d)",
			  val, states, err);
		return err;
	}
	if (mutex_lock_interruptible(&v1->set_lock))
		return -ERESTARTSYS;
	err = state_change(v1, val, bits);
	mutex_unlock(&v1->set_lock);
	return err;
}

/* ---- The region ---- */

static int field_read(struct vmig_v1 *v1, enum vmig_v1_reg reg, u64 *val)
{
	*val = 0;
	switch (reg) {
	case VMIG_V1_DEVICE_STATE:
		*val = state_read(v1);
		return 0;
	case VMIG_V1_PENDING_BYTES:
		return vmig_v1_pending(v1, val);
	case VMIG_V1_DATA_OFFSET:
		*val = VPV_V1_WINDOW;
		return vmig_v1_fill(v1);
	case VMIG_V1_DATA_SIZE:
		return vmig_v1_filled(v1, val);
	default:
		return 0;
	}
}

static int field_write(struct vmig_v1 *v1, enum vmig_v1_reg reg, u64 val)
{
	if (reg == VMIG_V1_DEVICE_STATE)
		return state_write(v1, val);
	return reg == VMIG_V1_DATA_SIZE ? vmig_v1_feed(v1, val) : 0;
}

static ssize_t field_rw(struct vmig_v1 *v1, enum vmig_v1_reg reg, struct iov_iter *iter,
			bool write)
{
	size_t bytes = iov_iter_count(iter);
	u64 val = 0;
	int err;

	if (write && !copy_from_iter_full(&val, bytes, iter))
		return -EFAULT;
	err = write ? field_write(v1, reg, val) : field_read(v1, reg, &val);
	if (err)
		return err;
	if (!write && copy_to_iter(&val, bytes, iter) != bytes)
		return -EFAULT;
	return bytes;
}

/**
 * vmig_v1_rw() - read() and write() of the region
 * @v1: Front end of a device that is open.
 * @pos: Offset in the region.
 * @iter: Bytes, at least one; direction.
 *
 * Context: no lock is held; touches user memory; a read of data_offset or pending_bytes may
 * wait for the device.
 * Return: bytes or a negative errno.
 */
ssize_t vmig_v1_rw(struct vmig_v1 *v1, u64 pos, struct iov_iter *iter)
{
	bool write = iov_iter_rw(iter) == WRITE;
	int reg, err;

	if (READ_ONCE(v1->m->detached))
		return -ENODEV;
	reg = vmig_v1_reg(pos, iov_iter_count(iter), write);
	err = reg < 0 ? reg : vmig_v1_check(v1, reg, write);
	if (err) {
		vmig_tell(v1->m, "v1: %s of %zu bytes at %#llx refused (%d)",
			  write ? "write" : "read", iov_iter_count(iter), pos, err);
		return err;
	}
	if (reg == VMIG_V1_WINDOW)
		return vmig_v1_copy(v1, pos - VPV_V1_WINDOW, iter, write);
	return field_rw(v1, reg, iter, write);
}

/**
 * vmig_v1_mmap() - Map a part of the window
 * @v1: Front end of a device that is open.
 * @pos: Where the mapping begins in the region.
 * @vma: Mapping, shared.
 *
 * Return: 0 or a negative errno.
 */
int vmig_v1_mmap(struct vmig_v1 *v1, u64 pos, struct vm_area_struct *vma)
{
	return vmig_v1_window_mmap(&v1->window, pos, vma);
}

static int add_sparse(struct vfio_info_cap *caps)
{
	struct {
		struct vfio_region_info_cap_sparse_mmap cap;
		struct vfio_region_sparse_mmap_area area;
	} sparse = {
		.cap.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP,
		.cap.header.version = 1,
		.cap.nr_areas = 1,
		.area.offset = VPV_V1_WINDOW,
		.area.size = VPV_V1_WINDOW_BYTES,
	};

	static_assert(offsetof(typeof(sparse), area) == sizeof(sparse.cap));
	return vfio_info_add_capability(caps, &sparse.cap.header, sizeof(sparse));
}

/**
 * vmig_v1_caps() - Capabilities of the region
 * @v1: Front end of a device that is open.
 * @caps: Where to add them.
 *
 * Return: 0 or -ENOMEM.
 */
int vmig_v1_caps(struct vmig_v1 *v1, struct vfio_info_cap *caps)
{
	struct vpv_region_info_cap_v1_states cap = {
		.id = VPV_REGION_INFO_CAP_V1_STATES,
		.version = 1,
		.states = vmig_v1_states(v1->m->caps),
	};
	int err;

	static_assert(offsetof(typeof(cap), states) == sizeof(struct vfio_info_cap_header));
	err = add_sparse(caps);
	return err ?: vfio_info_add_capability(caps, (struct vfio_info_cap_header *)&cap,
					       sizeof(cap));
}

/**
 * vmig_v1_alloc() - A device is being opened by a user of v1
 * @m: Its machine; outlives the result.
 *
 * Context: his system call.
 * Return: the front end, or NULL.
 */
struct vmig_v1 *vmig_v1_alloc(struct vmig_machine *m)
{
	struct vmig_v1 *v1 = kzalloc_obj(*v1, GFP_KERNEL_ACCOUNT);

	if (!v1)
		return NULL;
	if (vmig_v1_window_alloc(&v1->window)) {
		kfree(v1);
		return NULL;
	}
	v1->front = (struct vmig_front){ .open = front_open, .cancel = front_cancel };
	v1->m = m;
	mutex_init(&v1->set_lock);
	mutex_init(&v1->window_lock);
	return v1;
}

/**
 * vmig_v1_free() - Undo vmig_v1_alloc()
 * @v1: Front end that nobody uses any more, or NULL; its sessions have ended.
 */
void vmig_v1_free(struct vmig_v1 *v1)
{
	if (!v1)
		return;
	session_drop(v1);
	vmig_v1_window_free(&v1->window);
	mutex_destroy(&v1->window_lock);
	mutex_destroy(&v1->set_lock);
	kfree(v1);
}
