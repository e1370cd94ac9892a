// SPDX-License-Identifier: GPL-2.0
/* Data files of sessions that go well: what is read, when, and how it ends. */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "fake_dev.h"

#define STREAM_ROOM	(FAKE_STATE_BYTES * 2)

static u8 *stream_new(struct kunit *test)
{
	u8 *stream = kunit_kzalloc(test, STREAM_ROOM, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, stream);
	return stream;
}

/* Save @fake by way of pre-copy, as QEMU does; returns the size of the stream. */
static size_t save_live(struct kunit *test, struct fake *fake, u8 *stream, size_t piece)
{
	struct file *file = NULL;
	ssize_t n, end;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	KUNIT_ASSERT_NOT_NULL(test, file);
	n = fake_read_all(test, file, stream, STREAM_ROOM, piece, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	KUNIT_EXPECT_GT(test, n, 0);
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY_P2P, &file), 0);
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	n += fake_read_all(test, file, stream + n, STREAM_ROOM - n, piece, &end);
	KUNIT_EXPECT_EQ(test, end, 0);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream + n, 1), 0);
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP, &file), 0);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream + n, 1), -ENODEV);
	fake_close(file);
	return n;
}

static void load(struct kunit *test, struct fake *fake, const u8 *stream, size_t bytes,
		 size_t piece)
{
	struct file *file = NULL;
	size_t at;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RESUMING, &file), 0);
	KUNIT_ASSERT_NOT_NULL(test, file);
	for (at = 0; at < bytes; at += piece) {
		ssize_t n = min(piece, bytes - at);

		KUNIT_ASSERT_EQ(test, fake_write(file, stream + at, n), n);
	}
	fake_close(file);
	file = NULL;
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RUNNING, &file), 0);
	KUNIT_EXPECT_NULL(test, file);
}

static bool polls(struct file *file, __poll_t mask)
{
	return vfs_poll(file, NULL) & mask;
}

static const size_t pieces[] = { 1, 7, 31, 4096, SZ_1M };

static void piece_name(const size_t *piece, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%zu_bytes", *piece);
}

KUNIT_ARRAY_PARAM(piece, pieces, piece_name);

static void state_arrives_whatever_the_size_of_accesses(struct kunit *test)
{
	size_t piece = *(const size_t *)test->param_value;
	struct fake *src = fake_new(test, "vmig-src", &fake_ops);
	struct fake *dst = fake_new(test, "vmig-dst", &fake_ops);
	u8 *stream = stream_new(test);
	size_t bytes;

	bytes = save_live(test, src, stream, piece);
	load(test, dst, stream, bytes, piece);
	KUNIT_EXPECT_MEMEQ(test, dst->state, src->state, FAKE_STATE_BYTES);
	KUNIT_EXPECT_EQ(test, dst->loaded, (size_t)FAKE_STATE_BYTES);
	KUNIT_EXPECT_EQ(test, fake_get(dst), (int)VFIO_DEVICE_STATE_RUNNING);
	KUNIT_EXPECT_FALSE(test, dst->frozen || dst->quiesced);
	KUNIT_EXPECT_FALSE(test, src->overlap || dst->overlap);
	fake_put(src);
	fake_put(dst);
}

/* Only mandatory hooks: no P2P, no match data, nothing to send in pre-copy. */
static void small_device_migrates_without_pre_copy(struct kunit *test)
{
	struct fake *src = fake_new(test, "vmig-src", &fake_small_ops);
	struct fake *dst = fake_new(test, "vmig-dst", &fake_small_ops);
	u8 *stream = stream_new(test);
	struct file *file = NULL;
	ssize_t n, end;

	KUNIT_EXPECT_EQ(test, fake_go(src, VFIO_DEVICE_STATE_RUNNING_P2P, &file), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake_go(src, VFIO_DEVICE_STATE_PRE_COPY_P2P, &file), -EINVAL);
	KUNIT_ASSERT_EQ(test, fake_go(src, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	n = fake_read_all(test, file, stream, STREAM_ROOM, SZ_64K, &end);
	KUNIT_EXPECT_EQ(test, end, 0);
	KUNIT_EXPECT_EQ(test, fake_go(src, VFIO_DEVICE_STATE_RUNNING, &file), 0);
	KUNIT_EXPECT_FALSE(test, src->frozen);
	load(test, dst, stream, n, SZ_64K);
	KUNIT_EXPECT_MEMEQ(test, dst->state, src->state, FAKE_STATE_BYTES);
	fake_close(file);
	fake_put(src);
	fake_put(dst);
}

static void drained_pre_copy_has_no_message_until_something_is_dirty(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	u8 *stream = stream_new(test);
	struct file *file = NULL;
	ssize_t n, end;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 100), -ENOMSG);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_PRECOPY), 1);

	fake->dirty = 300;
	n = fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_EXPECT_EQ(test, n, 3 * (ssize_t)(100 + sizeof(struct vpv_stream_record)));
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	KUNIT_EXPECT_EQ(test, fake_calls(fake, FAKE_PRECOPY), 2);
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RUNNING, &file), 0);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 1), -ENODEV);
	fake_close(file);
	fake_put(fake);
}

static void nonblocking_read_never_waits(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	u8 *stream = stream_new(test);
	struct file *file = NULL;
	ssize_t end;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP, &file), 0);
	fake_stall(fake, FAKE_SAVE);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	file->f_flags |= O_NONBLOCK;
	wait_for_completion(&fake->there);
	fake_read_all(test, file, stream, STREAM_ROOM, SZ_64K, &end);
	KUNIT_EXPECT_EQ(test, end, -EAGAIN);
	KUNIT_EXPECT_FALSE(test, polls(file, EPOLLIN));

	fake_release(fake);
	file->f_flags &= ~O_NONBLOCK;
	fake_read_all(test, file, stream, STREAM_ROOM, SZ_64K, &end);
	KUNIT_EXPECT_EQ(test, end, 0);
	KUNIT_EXPECT_TRUE(test, polls(file, EPOLLIN));
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 0), 0);
	fake_close(file);
	fake_put(fake);
}

static void poll_tells_what_read_would_do(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	u8 *stream = stream_new(test);
	struct file *file = NULL;
	ssize_t end;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	KUNIT_EXPECT_TRUE(test, polls(file, EPOLLIN));
	fake_read_all(test, file, stream, STREAM_ROOM, SZ_64K, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	KUNIT_EXPECT_FALSE(test, polls(file, EPOLLIN | EPOLLERR | EPOLLHUP));
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RUNNING, &file), 0);
	KUNIT_EXPECT_TRUE(test, polls(file, EPOLLERR));
	fake_close(file);
	file = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RESUMING, &file), 0);
	KUNIT_EXPECT_TRUE(test, polls(file, EPOLLOUT));
	KUNIT_EXPECT_FALSE(test, polls(file, EPOLLERR));
	fake_reset_function(fake);
	KUNIT_EXPECT_TRUE(test, polls(file, EPOLLERR));
	fake_close(file);
	fake_put(fake);
}

static void files_have_no_position(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	KUNIT_EXPECT_FALSE(test, file->f_mode & (FMODE_LSEEK | FMODE_PREAD |
						 FMODE_PWRITE | FMODE_WRITE));
	fake_close(file);
	file = NULL;
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RESUMING, &file), 0);
	KUNIT_EXPECT_FALSE(test, file->f_mode & (FMODE_LSEEK | FMODE_PREAD |
						 FMODE_PWRITE | FMODE_READ));
	fake_close(file);
	fake_put(fake);
}

static unsigned long user_page(struct kunit *test)
{
	unsigned long user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, user, 0UL);
	return user;
}

/* Read or write as a system call does, with memory of user space. */
static ssize_t user_io(struct file *file, unsigned long user, size_t bytes)
{
	bool reads = file->f_mode & FMODE_READ;
	struct iov_iter iter;
	struct kiocb iocb;

	init_sync_kiocb(&iocb, file);
	iov_iter_ubuf(&iter, reads ? ITER_DEST : ITER_SOURCE, (void __user *)user, bytes);
	return reads ? file->f_op->read_iter(&iocb, &iter) : file->f_op->write_iter(&iocb, &iter);
}

/*
 * A fault takes memory_lock under mmap_lock, hooks take it under the state lock, and
 * a reset is reported under it.  Lockdep objects if user memory is touched under a
 * lock that closes the circle.
 */
static void user_memory_is_touched_under_no_lock_of_a_hook(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	unsigned long user = user_page(test);
	struct file *file = NULL;

	mmap_read_lock(current->mm);
	mutex_lock(&fake->memory_lock);
	mutex_unlock(&fake->memory_lock);
	mmap_read_unlock(current->mm);

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	while (user_io(file, user, PAGE_SIZE) > 0)
		;
	KUNIT_EXPECT_EQ(test, user_io(file, user, PAGE_SIZE), 0);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, user_io(file, user, PAGE_SIZE), -ENODEV);
	fake_close(file);
	file = NULL;
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RESUMING, &file), 0);
	KUNIT_ASSERT_EQ(test, clear_user((void __user *)user, 8), 0UL);
	KUNIT_EXPECT_EQ(test, user_io(file, user, 8), -EINVAL);
	fake_reset_function(fake);
	fake_close(file);
	fake_put(fake);
}

static void bad_user_memory_loses_no_byte(struct kunit *test)
{
	struct fake *src = fake_new(test, "vmig-src", &fake_ops);
	struct fake *dst = fake_new(test, "vmig-dst", &fake_ops);
	u8 *stream = stream_new(test);
	struct file *file = NULL;
	unsigned long bad;
	ssize_t n, end;

	bad = user_page(test);
	KUNIT_ASSERT_EQ(test, vm_munmap(bad, PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, fake_go(src, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	KUNIT_EXPECT_EQ(test, user_io(file, bad, 100), -EFAULT);
	n = fake_read_all(test, file, stream, STREAM_ROOM, SZ_4K, &end);
	fake_close(file);
	file = NULL;
	KUNIT_ASSERT_EQ(test, fake_go(dst, VFIO_DEVICE_STATE_RESUMING, &file), 0);
	KUNIT_EXPECT_EQ(test, user_io(file, bad, 100), -EFAULT);
	KUNIT_EXPECT_EQ(test, fake_write(file, stream, n), n);
	KUNIT_EXPECT_EQ(test, fake_go(dst, VFIO_DEVICE_STATE_RUNNING, &file), 0);
	KUNIT_EXPECT_MEMEQ(test, dst->state, src->state, FAKE_STATE_BYTES);
	fake_close(file);
	fake_put(src);
	fake_put(dst);
}

static long info(struct kunit *test, struct file *file, unsigned int cmd,
		 struct vfio_precopy_info *info)
{
	/* One page a call: KUnit unmaps them at the end of the test. */
	unsigned long user = user_page(test);
	long ret;

	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)user, info, sizeof(*info)), 0UL);
	ret = file->f_op->unlocked_ioctl(file, cmd, user);
	KUNIT_ASSERT_EQ(test, copy_from_user(info, (void __user *)user, sizeof(*info)), 0UL);
	return ret;
}

static void precopy_info_counts_down(struct kunit *test)
{
	const unsigned int cmd = VFIO_MIG_GET_PRECOPY_INFO;
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct vfio_precopy_info i = { .argsz = sizeof(i), .flags = 0x55,
				       .initial_bytes = 1, .dirty_bytes = ~0ULL };
	const u64 all = sizeof(struct vpv_stream_header) + FAKE_MATCH_BYTES + 3 * 100 +
			4 * sizeof(struct vpv_stream_record);
	u8 *stream = stream_new(test);
	struct file *file = NULL;
	unsigned int tries;
	ssize_t end;

	fake->dirty = 3 * (100 + sizeof(struct vpv_stream_record));
	fake_stall(fake, FAKE_PRECOPY);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	wait_for_completion(&fake->there);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd + 1, &i), -ENOTTY);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), 0L);
	KUNIT_EXPECT_EQ(test, i.flags, 0x55U);
	KUNIT_EXPECT_GE(test, i.initial_bytes, all);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);
	fake->dirty = 0;
	fake_release(fake);
	for (tries = 0; tries < 1000 && i.initial_bytes != all; tries++) {
		usleep_range(1000, 2000);
		KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), 0L);
	}
	KUNIT_EXPECT_EQ(test, i.initial_bytes, all);
	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 50), 50);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), 0L);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, all - 50);

	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	/* The worker asks the device. */
	fake->dirty = 77;
	for (tries = 0; tries < 1000 && i.dirty_bytes != 77; tries++) {
		KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), 0L);
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 77ULL);
	fake->dirty = 0;

	i.argsz = sizeof(i) - 1;
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), -EINVAL);
	i.argsz = sizeof(i);
	KUNIT_EXPECT_EQ(test, file->f_op->unlocked_ioctl(file, cmd, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP, &file), 0);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), -EINVAL);
	fake_close(file);
	fake_put(fake);
}

/* The state of the device comes first; what became of the session is told in pre-copy only. */
static void precopy_info_of_a_session_that_was_left(struct kunit *test)
{
	const unsigned int cmd = VFIO_MIG_GET_PRECOPY_INFO;
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct vfio_precopy_info i = { .argsz = sizeof(i) };
	struct file *old = NULL, *file = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &old), 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fake_set(fake, VFIO_DEVICE_STATE_RUNNING)));
	KUNIT_EXPECT_EQ(test, info(test, old, cmd, &i), -EINVAL);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	KUNIT_EXPECT_EQ(test, info(test, old, cmd, &i), -ENODEV);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), 0L);
	fake_reset_function(fake);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), -EINVAL);
	fake_fault(fake);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), -EINVAL);
	fake_close(old);
	fake_close(file);
	fake_put(fake);
}

/* Who waits for the initial data before the guest is stopped must not be told too little. */
static void precopy_info_counts_what_round_0_will_emit(struct kunit *test)
{
	const u64 begin = sizeof(struct vpv_stream_header) + FAKE_MATCH_BYTES +
			  sizeof(struct vpv_stream_record);
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct vfio_precopy_info i = { .argsz = sizeof(i) };
	u8 *stream = stream_new(test);
	struct file *file = NULL;
	ssize_t end;

	fake->dirty = 5000;
	fake_stall(fake, FAKE_PRECOPY);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	wait_for_completion(&fake->there);
	KUNIT_EXPECT_EQ(test, info(test, file, VFIO_MIG_GET_PRECOPY_INFO, &i), 0L);
	KUNIT_EXPECT_GE(test, i.initial_bytes, begin + 5000);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);

	KUNIT_EXPECT_EQ(test, fake_read(file, stream, 30), (ssize_t)30);
	KUNIT_EXPECT_EQ(test, info(test, file, VFIO_MIG_GET_PRECOPY_INFO, &i), 0L);
	KUNIT_EXPECT_GE(test, i.initial_bytes, begin + 5000 - 30);
	fake->dirty = 0;
	fake_release(fake);
	fake_read_all(test, file, stream, STREAM_ROOM, 100, &end);
	KUNIT_EXPECT_EQ(test, end, -ENOMSG);
	KUNIT_EXPECT_EQ(test, info(test, file, VFIO_MIG_GET_PRECOPY_INFO, &i), 0L);
	KUNIT_EXPECT_EQ(test, i.initial_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, i.dirty_bytes, 0ULL);
	fake_close(file);
	fake_put(fake);
}

/* A round that emits more than the device has said: the rest is dirty data. */
static void precopy_info_never_grows(struct kunit *test)
{
	const unsigned int cmd = VFIO_MIG_GET_PRECOPY_INFO;
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct vfio_precopy_info i = { .argsz = sizeof(i) };
	const u64 round = 3 * (100 + sizeof(struct vpv_stream_record));
	struct file *file = NULL;
	u64 first, sum = 0;

	fake_stall(fake, FAKE_PRECOPY);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	wait_for_completion(&fake->there);
	KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), 0L);
	first = i.initial_bytes;
	fake_release(fake);
	for (unsigned int tries = 0; tries < 1000 && sum < first + round / 2; tries++) {
		usleep_range(1000, 2000);
		KUNIT_EXPECT_EQ(test, info(test, file, cmd, &i), 0L);
		KUNIT_ASSERT_LE(test, i.initial_bytes, first);
		sum = i.initial_bytes + i.dirty_bytes;
	}
	KUNIT_EXPECT_GE(test, sum, first + round / 2);
	fake_close(file);
	fake_put(fake);
}

#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
/* Also while a hook runs, when the device cannot be asked for what is dirty. */
static void precopy_info_v2_makes_flags_output(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct vfio_precopy_info i = { .argsz = sizeof(i), .flags = 0x55 };
	struct file *file = NULL;

	fake->vdev.precopy_info_v2 = 1;
	fake_stall(fake, FAKE_PRECOPY);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	wait_for_completion(&fake->there);
	KUNIT_EXPECT_EQ(test, info(test, file, VFIO_MIG_GET_PRECOPY_INFO, &i), 0L);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	fake_release(fake);
	i.flags = 0x55;
	KUNIT_EXPECT_EQ(test, info(test, file, VFIO_MIG_GET_PRECOPY_INFO, &i), 0L);
	KUNIT_EXPECT_EQ(test, i.flags, 0U);
	fake_close(file);
	fake_put(fake);
}
#endif

/* A file may outlive the device, and the device the file. */
static void file_may_outlive_the_device(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *save = NULL, *resume = NULL;
	u8 byte = 0;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &save), 0);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RESUMING, &resume), 0);
	fake_put(fake);
	KUNIT_EXPECT_EQ(test, fake_read(save, &byte, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, fake_write(resume, &byte, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, save->f_op->unlocked_ioctl(save, 0, 0), -ENOTTY);
	KUNIT_EXPECT_TRUE(test, polls(save, EPOLLERR));
	fake_close(save);
	fake_close(resume);
}

/* As when vfio.ko cannot install the descriptor, or the VMM closes it too early. */
static void file_may_be_closed_in_every_state(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_PRE_COPY, &file), 0);
	fake_close(file);
	file = NULL;
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RUNNING, &file), 0);
	KUNIT_EXPECT_NULL(test, file);
	KUNIT_ASSERT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_STOP_COPY, &file), 0);
	fake_close(file);
	file = NULL;
	KUNIT_EXPECT_EQ(test, fake_go(fake, VFIO_DEVICE_STATE_RUNNING, &file), 0);
	KUNIT_EXPECT_FALSE(test, fake->frozen || fake->quiesced);
	fake_put(fake);
}

static struct kunit_case session_cases[] = {
	KUNIT_CASE_PARAM_ATTR(state_arrives_whatever_the_size_of_accesses, piece_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(small_device_migrates_without_pre_copy),
	KUNIT_CASE(drained_pre_copy_has_no_message_until_something_is_dirty),
	KUNIT_CASE(nonblocking_read_never_waits),
	KUNIT_CASE(poll_tells_what_read_would_do),
	KUNIT_CASE(files_have_no_position),
	KUNIT_CASE(user_memory_is_touched_under_no_lock_of_a_hook),
	KUNIT_CASE(bad_user_memory_loses_no_byte),
	KUNIT_CASE(precopy_info_counts_down),
	KUNIT_CASE(precopy_info_counts_what_round_0_will_emit),
	KUNIT_CASE(precopy_info_never_grows),
	KUNIT_CASE(precopy_info_of_a_session_that_was_left),
#ifdef VPV_HAVE_VFIO_PRECOPY_INFO_V2
	KUNIT_CASE(precopy_info_v2_makes_flags_output),
#endif
	KUNIT_CASE(file_may_outlive_the_device),
	KUNIT_CASE(file_may_be_closed_in_every_state),
	{}
};

static struct kunit_suite session_suite = {
	.name = "migration_session",
	.test_cases = session_cases,
};

kunit_test_suite(session_suite);
