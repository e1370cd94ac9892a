// SPDX-License-Identifier: GPL-2.0
/* Memory of sessions: given back when they end, and no more than a device may hold. */
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <linux/uio.h>
#include <vpv/controlling.h>
#include <vpv/ctrl_buf.h>

#include "../../../migration/machine.h"
#include "fake_dev.h"

#define E(state)	VFIO_DEVICE_STATE_##state
#define PIECES		8
#define PIECE_BYTES	6000
/* Far more than a device with records of 64 KiB and a queue of 8 KiB needs. */
#define TOO_MUCH_BYTES	(16U << 20)

/* Of the device of a test; there is one at a time. */
static struct vmig_ops memory_ops;
static struct vmig_chunk *chunks[PIECES];

static int memory_save(struct vmig_dev *mig, struct vmig_emit *em)
{
	int err = 0;

	for (unsigned int i = 0; i < PIECES && !err; i++)
		err = vmig_emit_chunk(em, FAKE_STATE_RECORD, 0, NULL, 0, chunks[i], PIECE_BYTES);
	return err;
}

static struct fake *memory_new(struct kunit *test, const char *name)
{
	struct fake *fake;

	memory_ops = fake_ops;
	memory_ops.save = memory_save;
	fake = fake_new(test, name, &memory_ops);
	for (unsigned int i = 0; i < PIECES; i++) {
		chunks[i] = vmig_chunk_alloc(&fake->mig, PIECE_BYTES);
		KUNIT_ASSERT_NOT_NULL(test, chunks[i]);
	}
	return fake;
}

static void chunks_put(void)
{
	for (unsigned int i = 0; i < PIECES; i++) {
		vmig_chunk_put(chunks[i]);
		chunks[i] = NULL;
	}
}

/* Read a part of the first chunk. */
static void read_into_chunk(struct kunit *test, struct file *file)
{
	const size_t bytes = sizeof(struct vpv_stream_header) + FAKE_MATCH_BYTES +
			     2 * sizeof(struct vpv_stream_record) + 10;
	u8 buf[64];

	for (size_t got = 0; got < bytes; ) {
		ssize_t n = fake_read(file, buf, min(sizeof(buf), bytes - got));

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
}

static int end_by_state(struct fake *fake)
{
	return PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING)));
}

/* The producer may hold the state lock: it does the work when it lets that go. */
static int end_by_reset(struct fake *fake)
{
	fake_reset_function(fake);
	return PTR_ERR_OR_ZERO(fake_set(fake, E(RUNNING_P2P)));
}

static int end_by_close(struct fake *fake)
{
	vmig_close(&fake->mig);
	return 0;
}

static const struct end {
	const char *name;
	int (*end)(struct fake *fake);
} ends[] = {
	{ "state", end_by_state },
	{ "reset", end_by_reset },
	{ "close", end_by_close },
};

static void end_name(const struct end *end, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", end->name);
}

KUNIT_ARRAY_PARAM(end, ends, end_name);

/* The reader has begun with a piece, and keeps the file. */
static void piece_being_read_ends_with_the_session(struct kunit *test)
{
	const struct end *end = test->param_value;
	struct fake *fake = memory_new(test, "vmig-src");
	struct file *file = NULL;
	u8 byte = 0;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	read_into_chunk(test, file);
	KUNIT_EXPECT_TRUE(test, vmig_chunk_shared(chunks[0]));
	KUNIT_EXPECT_EQ(test, end->end(fake), 0);
	for (unsigned int i = 0; i < PIECES; i++)
		KUNIT_EXPECT_FALSE(test, vmig_chunk_shared(chunks[i]));
	KUNIT_EXPECT_EQ(test, fake_read(file, &byte, 1), (ssize_t)-ENODEV);
	fake_close(file);
	chunks_put();
	fake_put(fake);
}

struct reading {
	struct file *file;
	struct completion done;
	ssize_t ret;
	u8 buf[64];
};

static int reading_run(void *data)
{
	struct reading *r = data;

	do {
		r->ret = fake_read(r->file, r->buf, sizeof(r->buf));
	} while (r->ret > 0);
	complete(&r->done);
	return 0;
}

/* Sessions that end while somebody reads: whoever is last frees. */
static void reader_that_goes_on_keeps_nothing(struct kunit *test)
{
	struct reading *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct fake *fake = memory_new(test, "vmig-src");

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (unsigned int i = 0; i < 100; i++) {
		struct task_struct *task;

		r->file = NULL;
		init_completion(&r->done);
		KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &r->file), 0);
		task = kthread_run(reading_run, r, "vmig-kunit");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		if (i % 4)
			usleep_range(10, 100 * (i % 4));
		KUNIT_EXPECT_EQ(test, end_by_state(fake), 0);
		wait_for_completion(&r->done);
		KUNIT_EXPECT_TRUE(test, r->ret == -ENODEV || !r->ret);
		for (unsigned int k = 0; k < PIECES; k++)
			KUNIT_EXPECT_FALSE(test, vmig_chunk_shared(chunks[k]));
		fake_close(r->file);
	}
	chunks_put();
	fake_put(fake);
}

#define MOST_CHUNKS	(TOO_MUCH_BYTES / SZ_64K)

/* Hold all that the device may, to the last byte.  Return: the number of chunks. */
static unsigned int hold_all(struct kunit *test, struct fake *fake, struct vmig_chunk **more)
{
	unsigned int num = 0;

	for (size_t bytes = SZ_64K; bytes && num < MOST_CHUNKS; bytes /= 2) {
		while (num < MOST_CHUNKS) {
			more[num] = vmig_chunk_alloc(&fake->mig, bytes);
			if (!more[num])
				break;
			num++;
		}
	}
	KUNIT_EXPECT_GT(test, num, 0U);
	KUNIT_EXPECT_LT(test, num, MOST_CHUNKS);
	return num;
}

static void device_holds_no_more_than_it_may(struct kunit *test)
{
	struct fake *fake = memory_new(test, "vmig-src");
	struct vmig_chunk **more;
	struct file *file = NULL;
	unsigned int num;

	more = kunit_kcalloc(test, MOST_CHUNKS, sizeof(*more), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, more);
	num = hold_all(test, fake, more);

	/* A session has no more; and one begins as soon as there is room. */
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP_COPY), &file), -ENOMEM);
	while (num)
		vmig_chunk_put(more[--num]);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	fake_close(file);
	chunks_put();
	fake_put(fake);
}

/* What the variant has not given back when the device is closed counts for whoever opens it. */
static void what_is_left_is_counted(struct kunit *test)
{
	struct fake *fake = memory_new(test, "vmig-src");
	struct vmig_machine *m = fake->mig.m;
	const u64 held = m->held;

	KUNIT_EXPECT_GE(test, held, (u64)PIECES * PIECE_BYTES);
	vmig_close(&fake->mig);
	KUNIT_ASSERT_EQ(test, vmig_open(&fake->mig), 0);
	KUNIT_EXPECT_EQ(test, m->held, held);
	chunks_put();
	KUNIT_EXPECT_EQ(test, m->held, 0ULL);
	fake_put(fake);
}

/* ---- User memory whose page fault does not end ---- */

#define HUNG_BYTES	SZ_64K

/**
 * struct hung - Somebody who reads or writes with such memory
 * @file: Data file.
 * @mm: Where the memory is,
 * @at: and from where on.
 * @saving: Reads.
 * @vain: Each page fault ends at once, as if there were a page.
 * @faulted: He is in the page fault.
 * @go: It may end.
 * @done: He has returned,
 * @ret: with that.
 */
static struct hung {
	struct file *file;
	struct mm_struct *mm;
	unsigned long at;
	bool saving;
	bool vain;
	struct completion faulted;
	struct completion go;
	struct completion done;
	ssize_t ret;
} hung;

static vm_fault_t hung_fault(struct vm_fault *vmf)
{
	if (hung.vain)
		return VM_FAULT_NOPAGE;
	complete(&hung.faulted);
	wait_for_completion(&hung.go);
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct hung_vm_ops = {
	.fault = hung_fault,
};

static int hung_mmap(struct file *filp, struct vm_area_struct *vma)
{
	vma->vm_ops = &hung_vm_ops;
	return 0;
}

static const struct file_operations hung_fops = {
	.owner = THIS_MODULE,
	.mmap = hung_mmap,
};

static void hung_run_here(void)
{
	void __user *at = (void __user *)hung.at;
	struct kiocb iocb;
	struct iov_iter iter;

	init_sync_kiocb(&iocb, hung.file);
	iov_iter_ubuf(&iter, hung.saving ? ITER_DEST : ITER_SOURCE, at, HUNG_BYTES);
	hung.ret = hung.saving ? hung.file->f_op->read_iter(&iocb, &iter) :
				 hung.file->f_op->write_iter(&iocb, &iter);
}

static int hung_run(void *data)
{
	kthread_use_mm(hung.mm);
	hung_run_here();
	kthread_unuse_mm(hung.mm);
	complete(&hung.done);
	return 0;
}

static void hung_map(struct kunit *test, struct file *file, bool saving)
{
	struct file *memory = anon_inode_getfile("[vmig-kunit]", &hung_fops, NULL, O_RDWR);

	KUNIT_ASSERT_FALSE(test, IS_ERR(memory));
	hung = (struct hung){ .file = file, .saving = saving };
	init_completion(&hung.faulted);
	init_completion(&hung.go);
	init_completion(&hung.done);
	hung.at = kunit_vm_mmap(test, memory, 0, HUNG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(memory);
	KUNIT_ASSERT_LT(test, hung.at, (unsigned long)TASK_SIZE);
	hung.mm = current->mm;
}

/* Returns when he is in the page fault. */
static void hung_begin(struct kunit *test, struct file *file, bool saving)
{
	struct task_struct *task;

	hung_map(test, file, saving);
	task = kthread_run(hung_run, NULL, "vmig-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&hung.faulted);
}

/* A record has begun, whose rest comes from such memory. */
static void write_begin_of_record(struct kunit *test, struct file *to)
{
	static u8 stream[2 * FAKE_STATE_BYTES];
	struct fake *source = fake_new(test, "vmig-from", &fake_ops);
	struct file *from = NULL;
	ssize_t bytes, end;

	KUNIT_ASSERT_EQ(test, fake_go(source, E(STOP_COPY), &from), 0);
	bytes = fake_read_all(test, from, stream, sizeof(stream), sizeof(stream), &end);
	KUNIT_ASSERT_EQ(test, end, (ssize_t)0);
	fake_close(from);
	fake_put(source);
	KUNIT_ASSERT_EQ(test, fake_write(to, stream, bytes / 2), bytes / 2);
}

static void page_fault_keeps_nothing(struct kunit *test, bool saving)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct vmig_machine *m = fake->mig.m;
	struct file *file = NULL, *next = NULL;

	KUNIT_ASSERT_EQ(test, fake_go(fake, saving ? E(STOP_COPY) : E(RESUMING), &file), 0);
	if (!saving)
		write_begin_of_record(test, file);
	hung_begin(test, file, saving);
	KUNIT_EXPECT_GT(test, m->held, 0ULL);

	vmig_close(&fake->mig);
	KUNIT_EXPECT_EQ(test, m->held, 0ULL);
	KUNIT_ASSERT_EQ(test, vmig_open(&fake->mig), 0);
	KUNIT_EXPECT_EQ(test, fake_go(fake, E(STOP_COPY), &next), 0);
	KUNIT_EXPECT_EQ(test, end_by_state(fake), 0);
	KUNIT_EXPECT_EQ(test, m->held, 0ULL);

	complete(&hung.go);
	wait_for_completion(&hung.done);
	KUNIT_EXPECT_EQ(test, hung.ret, (ssize_t)-EFAULT);
	if (next)
		fake_close(next);
	fake_close(file);
	fake_put(fake);
}

static void reader_in_a_page_fault_keeps_nothing(struct kunit *test)
{
	page_fault_keeps_nothing(test, true);
}

static void writer_in_a_page_fault_keeps_nothing(struct kunit *test)
{
	page_fault_keeps_nothing(test, false);
}

/* Nor is it kept while the session is on: somebody else may read. */
static void reader_in_a_page_fault_is_not_waited_for(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;
	u8 byte;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	hung_begin(test, file, true);
	file->f_flags |= O_NONBLOCK;
	KUNIT_EXPECT_EQ(test, fake_read(file, &byte, 1), (ssize_t)1);
	complete(&hung.go);
	wait_for_completion(&hung.done);
	KUNIT_EXPECT_EQ(test, hung.ret, (ssize_t)-EFAULT);
	fake_close(file);
	fake_put(fake);
}

/* As that of a shadow stack: a fault is successful, and a copy is not. */
static void memory_that_never_comes_is_a_fault(struct kunit *test)
{
	struct fake *fake = fake_new(test, "vmig-src", &fake_ops);
	struct file *file = NULL;
	u8 byte;

	KUNIT_ASSERT_EQ(test, fake_go(fake, E(STOP_COPY), &file), 0);
	hung_map(test, file, true);
	hung.vain = true;
	hung_run_here();
	KUNIT_EXPECT_EQ(test, hung.ret, (ssize_t)-EFAULT);
	KUNIT_EXPECT_EQ(test, fake_read(file, &byte, 1), (ssize_t)1);
	fake_close(file);
	fake_put(fake);
}

/* ---- Memory that a silent controlling function may still write ---- */

#define LOST_BYTES	SZ_64K
#define SILENCES	64

/**
 * struct silent - A controlling function
 * @dev: The function, and the one that it controls.
 * @dma_mask: Its.
 * @dma: For its buffers.
 * @control: What it publishes.
 */
struct silent {
	struct device *dev;
	u64 dma_mask;
	struct vpv_ctrl_dma *dma;
	struct vpv_control *control;
};

static void silent_add(struct kunit *test, struct silent *s)
{
	s->dev = root_device_register("vmig-silent");
	KUNIT_ASSERT_FALSE(test, IS_ERR(s->dev));
	s->dma_mask = DMA_BIT_MASK(64);
	s->dev->dma_mask = &s->dma_mask;
	s->dma = vpv_ctrl_dma_new(s->dev);
	KUNIT_ASSERT_NOT_NULL(test, s->dma);
	s->control = vpv_control_publish(s->dev, "kunit", s, s, s->dma);
	KUNIT_ASSERT_FALSE(test, IS_ERR(s->control));
}

static void silent_remove(struct silent *s)
{
	vpv_control_withdraw(s->control);
	vpv_ctrl_dma_quiet(s->dma);
	vpv_ctrl_dma_free(s->dma);
	root_device_unregister(s->dev);
}

/* A transfer that nobody knows the end of. */
static int lose_one(struct silent *s, struct fake *fake)
{
	struct vmig_chunk *chunk = vmig_chunk_alloc(&fake->mig, LOST_BYTES);
	struct vpv_ctrl_buf *buf;
	struct vpv_mem mem;
	int err;

	if (!chunk)
		return -ENOMEM;
	mem = vmig_chunk_mem(chunk);
	buf = vpv_ctrl_buf_new(s->control, &mem, DMA_FROM_DEVICE);
	if (IS_ERR(buf)) {
		vmig_chunk_put(chunk);
		return PTR_ERR(buf);
	}
	err = vpv_ctrl_buf_begin(buf);
	if (!err)
		vpv_ctrl_buf_end(buf, true);
	vpv_ctrl_buf_put(buf);
	return err;
}

/* However often it is silent, it cannot make the device hold more, or less once it answers. */
static void bytes_of_a_silence_are_counted_until_it_ends(struct kunit *test)
{
	struct fake *fake = memory_new(test, "vmig-src");
	const u64 before = fake->mig.m->held, most = fake->mig.m->held_limit;
	struct silent s;
	int err;

	silent_add(test, &s);
	for (unsigned int i = 1; i <= SILENCES; i++) {
		KUNIT_ASSERT_EQ(test, lose_one(&s, fake), 0);
		KUNIT_EXPECT_EQ(test, fake->mig.m->held, before + LOST_BYTES);
		vpv_ctrl_dma_quiet(s.dma);
		KUNIT_EXPECT_EQ(test, fake->mig.m->held, before);
	}
	do {
		err = lose_one(&s, fake);
	} while (!err);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_GT(test, fake->mig.m->held, most - LOST_BYTES);
	KUNIT_EXPECT_LE(test, fake->mig.m->held, most);
	silent_remove(&s);
	KUNIT_EXPECT_EQ(test, fake->mig.m->held, before);
	chunks_put();
	fake_put(fake);
}

/* The device whose memory it is may be gone first. */
static void silence_may_end_after_the_device(struct kunit *test)
{
	struct fake *fake = memory_new(test, "vmig-src");
	struct silent s;

	silent_add(test, &s);
	KUNIT_EXPECT_EQ(test, lose_one(&s, fake), 0);
	chunks_put();
	fake_put(fake);
	silent_remove(&s);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE_PARAM(piece_being_read_ends_with_the_session, end_gen_params),
	KUNIT_CASE_SLOW(reader_that_goes_on_keeps_nothing),
	KUNIT_CASE(device_holds_no_more_than_it_may),
	KUNIT_CASE(what_is_left_is_counted),
	KUNIT_CASE(reader_in_a_page_fault_keeps_nothing),
	KUNIT_CASE(writer_in_a_page_fault_keeps_nothing),
	KUNIT_CASE(reader_in_a_page_fault_is_not_waited_for),
	KUNIT_CASE(memory_that_never_comes_is_a_fault),
	KUNIT_CASE(bytes_of_a_silence_are_counted_until_it_ends),
	KUNIT_CASE(silence_may_end_after_the_device),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "migration_memory",
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
