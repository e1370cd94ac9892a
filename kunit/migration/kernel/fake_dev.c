// SPDX-License-Identifier: GPL-2.0
/* The fake device of the session suites. */
#include <kunit/device.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/random.h>
#include <vpv/reach.h>

#include "fake_dev.h"

static struct fake *to_fake(struct vmig_dev *mig)
{
	return container_of(mig, struct fake, mig);
}

static int hook_begin(struct vmig_dev *mig, int hook)
{
	struct fake *fake = to_fake(mig);
	int err;

	if (atomic_inc_return(&fake->inside) != 1)
		fake->overlap = true;
	atomic_inc(&fake->calls[hook]);
	if (READ_ONCE(fake->stalled) == hook) {
		complete(&fake->there);
		wait_for_completion(&fake->go);
	}
	if (hook != FAKE_RESET && !atomic_read(&fake->reached))
		fake->unreached = true;
	if (hook != FAKE_RESET) {
		mutex_lock(&fake->memory_lock);
		mutex_unlock(&fake->memory_lock);
	}
	err = fake->fail[hook];
	if (fake->fail_once)
		fake->fail[hook] = 0;
	return err;
}

static int hook_end(struct vmig_dev *mig, int err)
{
	atomic_dec(&to_fake(mig)->inside);
	return err;
}

static int fake_quiesce(struct vmig_dev *mig)
{
	int err = hook_begin(mig, FAKE_QUIESCE);

	if (!err)
		to_fake(mig)->quiesced = true;
	return hook_end(mig, err);
}

static int fake_unquiesce(struct vmig_dev *mig)
{
	int err = hook_begin(mig, FAKE_UNQUIESCE);

	if (!err)
		to_fake(mig)->quiesced = false;
	return hook_end(mig, err);
}

static int fake_freeze(struct vmig_dev *mig)
{
	int err = hook_begin(mig, FAKE_FREEZE);

	if (!err)
		to_fake(mig)->frozen = true;
	return hook_end(mig, err);
}

static int fake_thaw(struct vmig_dev *mig)
{
	int err = hook_begin(mig, FAKE_THAW);

	if (!err)
		to_fake(mig)->frozen = false;
	return hook_end(mig, err);
}

static int fake_match(struct vmig_dev *mig, void *buf)
{
	int err = hook_begin(mig, FAKE_MATCH);

	memset(buf, 0x5a, FAKE_MATCH_BYTES);
	return hook_end(mig, err);
}

static int fake_verify(struct vmig_dev *mig, const void *buf, size_t bytes)
{
	int err = hook_begin(mig, FAKE_VERIFY);

	if (!err && (bytes != FAKE_MATCH_BYTES || memchr_inv(buf, 0x5a, bytes)))
		err = vmig_refuse(mig, -EOPNOTSUPP,
				  VMIG_DIFF("match bytes", 0x5a, *(const u8 *)buf));
	return hook_end(mig, err);
}

static int fake_precopy(struct vmig_dev *mig, struct vmig_emit *em, unsigned int round)
{
	struct fake *fake = to_fake(mig);
	int err = hook_begin(mig, FAKE_PRECOPY);
	u8 hint[100] = { round };
	unsigned int i;

	if (!err && round) {
		fake->dirty = 0;
		fake->reinit = false;
	}
	for (i = 0; i < 3 && !err; i++)
		err = vmig_emit(em, FAKE_HINT_RECORD, VPV_RECORD_OPTIONAL, hint, sizeof(hint));
	return hook_end(mig, err);
}

static u64 fake_dirty_bytes(struct vmig_dev *mig)
{
	struct fake *fake = to_fake(mig);

	/* A device that says so first, and then needs its time to count. */
	if (fake->reinit)
		vmig_reinit(mig);
	hook_end(mig, hook_begin(mig, FAKE_DIRTY_BYTES));
	return fake->dirty;
}

static int fake_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	struct fake *fake = to_fake(mig);
	int err = hook_begin(mig, FAKE_SAVE);
	size_t at;

	for (at = 0; at < FAKE_STATE_BYTES && !err; at += FAKE_CHUNK_BYTES)
		err = vmig_emit(em, FAKE_STATE_RECORD, 0, fake->state + at, FAKE_CHUNK_BYTES);
	return hook_end(mig, err);
}

static int fake_load_begin(struct vmig_dev *mig)
{
	to_fake(mig)->loaded = 0;
	return hook_end(mig, hook_begin(mig, FAKE_LOAD_BEGIN));
}

static int fake_load(struct vmig_dev *mig, const struct vmig_record *rec)
{
	struct fake *fake = to_fake(mig);
	int err = hook_begin(mig, FAKE_LOAD);

	if (!err && rec->type != FAKE_STATE_RECORD)
		err = -EOPNOTSUPP;
	if (!err && rec->bytes > FAKE_STATE_BYTES - fake->loaded)
		err = -EINVAL;
	if (!err) {
		memcpy(fake->state + fake->loaded, rec->data, rec->bytes);
		fake->loaded += rec->bytes;
	}
	return hook_end(mig, err);
}

static int fake_load_end(struct vmig_dev *mig)
{
	int err = hook_begin(mig, FAKE_LOAD_END);

	if (!err && to_fake(mig)->loaded != FAKE_STATE_BYTES)
		err = -EINVAL;
	return hook_end(mig, err);
}

static u64 fake_estimate(struct vmig_dev *mig)
{
	hook_end(mig, hook_begin(mig, FAKE_ESTIMATE));
	return FAKE_STATE_BYTES;
}

static void fake_reset(struct vmig_dev *mig)
{
	struct fake *fake = to_fake(mig);

	/* Before it is counted: a test that waits for the call looks at them. */
	fake->quiesced = false;
	fake->frozen = false;
	hook_begin(mig, FAKE_RESET);
	hook_end(mig, 0);
}

const struct vmig_ops fake_ops = {
	.quiesce	= fake_quiesce,
	.unquiesce	= fake_unquiesce,
	.freeze		= fake_freeze,
	.thaw		= fake_thaw,
	.match		= fake_match,
	.verify		= fake_verify,
	.precopy	= fake_precopy,
	.dirty_bytes	= fake_dirty_bytes,
	.save		= fake_save,
	.load_begin	= fake_load_begin,
	.load		= fake_load,
	.load_end	= fake_load_end,
	.estimate	= fake_estimate,
	.reset		= fake_reset,
};

const struct vmig_ops fake_small_ops = {
	.freeze		= fake_freeze,
	.thaw		= fake_thaw,
	.save		= fake_save,
	.load		= fake_load,
	.reset		= fake_reset,
};

/* Awake from the first begin to the last end; as the core's, under memory_lock. */
static int fake_reach_begin(struct vfio_device *vdev)
{
	struct fake *fake = container_of(vdev, struct fake, vdev);

	if (fake->unreachable)
		return fake->unreachable;
	mutex_lock(&fake->memory_lock);
	atomic_inc(&fake->reached);
	fake->reaches++;
	mutex_unlock(&fake->memory_lock);
	return 0;
}

static void fake_reach_end(struct vfio_device *vdev)
{
	struct fake *fake = container_of(vdev, struct fake, vdev);

	mutex_lock(&fake->memory_lock);
	atomic_dec(&fake->reached);
	mutex_unlock(&fake->memory_lock);
}

const struct vpv_reach fake_reach = {
	.begin	= fake_reach_begin,
	.end	= fake_reach_end,
};

static const struct vmig_desc fake_desc = {
	.family		= "kunit_fake",
	.state_version	= 1,
	.state_oldest	= 1,
	.state_accepts	= 1,
	.match_bytes	= FAKE_MATCH_BYTES,
	.max_payload	= 64 << 10,
	.max_queued	= FAKE_MAX_QUEUED,
	.typical_bytes	= 1,
	.reach		= &fake_reach,
};

static const struct vmig_desc fake_small_desc = {
	.family		= "kunit_fake",
	.state_version	= 1,
	.state_oldest	= 1,
	.state_accepts	= 1,
	.max_payload	= 64 << 10,
	.max_queued	= FAKE_MAX_QUEUED,
	.reach		= &fake_reach,
};

/* Of the device that is being allocated: fake_init() has no argument for it. */
static const struct vmig_ops *fake_next_ops;
static const struct vmig_desc *fake_next_desc;

static int fake_init(struct vfio_device *vdev)
{
	struct fake *fake = container_of(vdev, struct fake, vdev);

	fake->ops = fake_next_ops;
	fake->stalled = FAKE_HOOKS;
	mutex_init(&fake->memory_lock);
	init_completion(&fake->there);
	init_completion(&fake->go);
	return vmig_init(&fake->mig, vdev, fake->ops, fake_next_desc);
}

static void fake_fini(struct vfio_device *vdev)
{
	vmig_fini(&container_of(vdev, struct fake, vdev)->mig);
}

static const struct vfio_device_ops fake_vfio_ops = {
	.name		= "vmig-kunit",
	.init		= fake_init,
	.release	= fake_fini,
};

/**
 * fake_new_of() - A device that is open and runs
 * @test: Test.
 * @name: Its name.
 * @ops: Its hooks.
 * @desc: Its constants.
 */
struct fake *fake_new_of(struct kunit *test, const char *name, const struct vmig_ops *ops,
			 const struct vmig_desc *desc)
{
	struct device *parent = kunit_device_register(test, name);
	struct fake *fake;

	KUNIT_ASSERT_FALSE(test, IS_ERR(parent));
	fake_next_ops = ops;
	fake_next_desc = desc;
	fake = vfio_alloc_device(fake, vdev, parent, &fake_vfio_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fake));
	get_random_bytes(fake->state, sizeof(fake->state));
	vmig_open(&fake->mig);
	return fake;
}

/**
 * fake_new() - The same with the constants of the fake device
 * @test: Test.
 * @name: Its name.
 * @ops: Its hooks.
 */
struct fake *fake_new(struct kunit *test, const char *name, const struct vmig_ops *ops)
{
	return fake_new_of(test, name, ops, ops->match ? &fake_desc : &fake_small_desc);
}

/**
 * fake_put() - Close it, take it away
 * @fake: Device.
 */
void fake_put(struct fake *fake)
{
	vmig_close(&fake->mig);
	vmig_detach(&fake->mig);
	vfio_put_device(&fake->vdev);
}

void fake_stall(struct fake *fake, int hook)
{
	reinit_completion(&fake->there);
	reinit_completion(&fake->go);
	WRITE_ONCE(fake->stalled, hook);
}

void fake_release(struct fake *fake)
{
	WRITE_ONCE(fake->stalled, FAKE_HOOKS);
	complete_all(&fake->go);
}

/* As the PCI core reports one that somebody asks for by sysfs: memory_lock is not held. */
void fake_reset_begin(struct fake *fake)
{
	vmig_reset_begin(&fake->mig);
}

/* As the PCI core reports a reset that the user asked for. */
void fake_reset_function(struct fake *fake)
{
	mutex_lock(&fake->memory_lock);
	vmig_reset_done(&fake->mig);
	mutex_unlock(&fake->memory_lock);
}

/* As a driver reports what firmware told it. */
void fake_fault(struct fake *fake)
{
	mutex_lock(&fake->memory_lock);
	vmig_fault(&fake->mig, "kunit");
	mutex_unlock(&fake->memory_lock);
}

int fake_calls(struct fake *fake, int hook)
{
	return atomic_read(&fake->calls[hook]);
}

struct file *fake_set(struct fake *fake, unsigned int state)
{
	return fake->vdev.mig_ops->migration_set_state(&fake->vdev,
						       (enum vfio_device_mig_state)state);
}

int fake_get(struct fake *fake)
{
	enum vfio_device_mig_state state;
	int err = fake->vdev.mig_ops->migration_get_state(&fake->vdev, &state);

	return err ?: (int)state;
}

unsigned long fake_size(struct fake *fake)
{
	unsigned long bytes = 0;

	return fake->vdev.mig_ops->migration_get_data_size(&fake->vdev, &bytes) ? 0 : bytes;
}

/* As fake_set(), with the data file apart; an older one is closed. */
int fake_go(struct fake *fake, unsigned int state, struct file **data)
{
	struct file *file = fake_set(fake, state);

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (file) {
		if (*data)
			fake_close(*data);
		*data = file;
	}
	return 0;
}

ssize_t fake_read(struct file *file, void *buf, size_t bytes)
{
	return kernel_read(file, buf, bytes, NULL);
}

ssize_t fake_write(struct file *file, const void *buf, size_t bytes)
{
	return kernel_write(file, buf, bytes, NULL);
}

/* Read in pieces until it ends; what it ended with is in @end. */
ssize_t fake_read_all(struct kunit *test, struct file *file, u8 *buf, size_t room,
		      size_t piece, ssize_t *end)
{
	size_t done = 0;

	for (;;) {
		ssize_t n = fake_read(file, buf + done, min(piece, room - done));

		if (n <= 0) {
			*end = n;
			return done;
		}
		done += n;
		KUNIT_ASSERT_LT(test, done, room);
	}
}

void fake_close(struct file *file)
{
	__fput_sync(file);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit: migration sessions with a fake device");
