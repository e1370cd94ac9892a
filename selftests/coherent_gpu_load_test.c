// SPDX-License-Identifier: GPL-2.0
/*
 * coherent_gpu loaded from every kind of buffer: content of memory that the user has in whole
 * words goes to the device straight from there, and any other through a buffer of the library.
 * Neither may lose a byte, whatever else happens to the user's memory.
 *
 * Groups: coherent-gpu coherent-gpu-stable
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "lib/gpu.h"
#include "lib/test.h"
#include "lib/family_test.h"

#define GPU_DRIVER	"vpv_coherent_gpu"
#define PAGE		4096UL
#define MIB		(1UL << 20)
/* What is not zeros: some records of 508 KiB, and a page that is alone. */
#define FILLED		(3 * MIB + 5 * PAGE)
#define ALONE		(100 * MIB)
/* More than the stream has. */
#define ROOM		(4 * MIB)

/* Alike, in families/coherent_gpu.c. */
enum { FROM, TO, SLOTS };

FIXTURE(load)
{
	struct slot slot[SLOTS];
	struct vdev src;
	struct vdev dst;
	struct blob blob;
	uint8_t *content;
	int fd;
};

static void fill(uint8_t *content)
{
	uint64_t word = 1;

	for (size_t pos = 0; pos < FILLED; pos += 8) {
		word = word * 6364136223846793005 + 1442695040888963407;
		memcpy(content + pos, &word, 8);
	}
}

FIXTURE_SETUP(load)
{
	self->src.fd = -1;
	self->dst.fd = -1;
	self->fd = -1;
	NEED_SLOTS_OF("coherent_gpu", GPU_DRIVER, self->slot, SLOTS);
	ASSERT_EQ(0, vdev_open(&self->src, &self->slot[FROM], any_mode()));
	ASSERT_EQ(0, vdev_open(&self->dst, &self->slot[TO], any_mode()));
	ASSERT_EQ(0, gpu_set_memory(&self->src, true));
	self->content = malloc(FILLED);
	ASSERT_NE(NULL, self->content);
	fill(self->content);
	ASSERT_EQ(FILLED, vdev_pwrite(&self->src, GPU_MAIN_BAR, PAGE, self->content, FILLED));
	ASSERT_EQ(PAGE, vdev_pwrite(&self->src, GPU_MAIN_BAR, ALONE, self->content, PAGE));
	ASSERT_EQ(0, mig_save(&self->src, &self->blob, false));
	ASSERT_GT(ROOM, self->blob.bytes);
}

FIXTURE_TEARDOWN(load)
{
	if (self->fd >= 0)
		close(self->fd);
	vdev_close(&self->src);
	vdev_close(&self->dst);
	blob_free(&self->blob);
	free(self->content);
}

/* The destination as new, and loading. */
static int begin(FIXTURE_DATA(load) *self)
{
	int err = vdev_reset(&self->dst);

	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	return err ? err : mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &self->fd);
}

static int write_all(int fd, const uint8_t *data, size_t bytes, size_t most)
{
	ssize_t n;

	for (; bytes; data += n, bytes -= n) {
		n = write(fd, data, bytes < most ? bytes : most);
		if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

/* Is what was loaded what was saved? */
static int compare(FIXTURE_DATA(load) *self)
{
	uint8_t *got = malloc(FILLED);
	int err = mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING, NULL);

	if (!err)
		err = gpu_set_memory(&self->dst, true);
	if (!err && vdev_pread(&self->dst, GPU_MAIN_BAR, PAGE, got, FILLED) != FILLED)
		err = -EIO;
	if (!err && memcmp(got, self->content, FILLED))
		err = -EBADMSG;
	if (!err && vdev_pread(&self->dst, GPU_MAIN_BAR, ALONE, got, PAGE) != PAGE)
		err = -EIO;
	if (!err && memcmp(got, self->content, PAGE))
		err = -EBADMSG;
	free(got);
	return err;
}

/* Addresses of all kinds, and writes that are shorter than a piece, or end within one. */
TEST_F_TIMEOUT(load, at_every_address_in_every_size, 300)
{
	static const struct {
		size_t shift, most;
	} ways[] = {
		{ 0, MIB }, { 8, MIB }, { PAGE - 8, MIB }, { 1, MIB }, { 4, MIB }, { PAGE - 1, MIB },
		{ 0, ROOM }, { 0, 32 << 10 }, { 8, (64 << 10) + 8 }, { 3, 10007 }, { 0, 100 * 1000 },
		{ 16, 3 * (64 << 10) },
	};
	uint8_t *room = mmap(NULL, ROOM + 2 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)room);
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		memcpy(room + ways[i].shift, self->blob.data, self->blob.bytes);
		ASSERT_EQ(0, begin(self));
		EXPECT_EQ(0, write_all(self->fd, room + ways[i].shift, self->blob.bytes,
				       ways[i].most));
		EXPECT_EQ(0, compare(self))
			TH_LOG("%zu bytes from a page, %zu at once", ways[i].shift, ways[i].most);
	}
	munmap(room, ROOM + 2 * PAGE);
}

TEST_F_TIMEOUT(load, from_a_vector, 120)
{
	struct iovec vec[] = {
		{ self->blob.data, 1000 },
		{ self->blob.data + 1000, 200 << 10 },
		{ self->blob.data + 1000 + (200 << 10), self->blob.bytes - 1000 - (200 << 10) },
	};

	ASSERT_EQ(0, begin(self));
	EXPECT_EQ(self->blob.bytes, writev(self->fd, vec, ARRAY_SIZE(vec)));
	EXPECT_EQ(0, compare(self));
}

/* Pages that the kernel holds no reference of, since they are none: memory of another function. */
TEST_F_TIMEOUT(load, from_memory_of_a_function, 120)
{
	uint8_t *room;

	ASSERT_EQ(0, vdev_reset(&self->src));
	ASSERT_EQ(0, gpu_set_memory(&self->src, true));
	room = gpu_map(&self->src, GPU_MAIN_BAR, 0, ROOM);
	ASSERT_NE(NULL, room);
	memcpy(room, self->blob.data, self->blob.bytes);
	ASSERT_EQ(0, begin(self));
	EXPECT_EQ(0, write_all(self->fd, room, self->blob.bytes, MIB));
	EXPECT_EQ(0, compare(self));
	munmap(room, ROOM);
}

/* Pages that nobody has touched since they were mapped, and pages that are not there. */
TEST_F_TIMEOUT(load, from_a_file_that_ends, 120)
{
	int file = memfd_create("stream", 0);
	size_t half = self->blob.bytes / 2 / PAGE * PAGE;
	uint8_t *room;

	ASSERT_LE(0, file);
	ASSERT_EQ(half, write(file, self->blob.data, half));
	room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, (void *)room);
	ASSERT_EQ(0, begin(self));
	/* All that there is, and the rest when it is there. */
	EXPECT_EQ(half, write(self->fd, room, self->blob.bytes));
	EXPECT_EQ(-EFAULT, write_all(self->fd, room + half, self->blob.bytes - half, MIB));
	ASSERT_EQ(self->blob.bytes - half,
		  pwrite(file, self->blob.data + half, self->blob.bytes - half, half));
	EXPECT_EQ(0, write_all(self->fd, room + half, self->blob.bytes - half, MIB));
	EXPECT_EQ(0, compare(self));
	munmap(room, ROOM);
	close(file);
}

struct writer {
	uint8_t *room;
	size_t bytes;
	atomic_bool stop;
};

/* Writes words in the middle of the stream, and takes pages away and gives them back. */
static void *scribble(void *arg)
{
	struct writer *w = arg;

	for (uint64_t i = 1; !w->stop; i++) {
		size_t pos = i * 6364136223846793005 % (w->bytes / 2) / 8 * 8 + w->bytes / 4;

		atomic_fetch_add((_Atomic uint64_t *)(w->room + pos), i);
		if (!(i % 64))
			madvise(w->room + pos / PAGE * PAGE, PAGE, MADV_DONTNEED);
	}
	return NULL;
}

/*
 * What is written to the user's memory meanwhile is the user's problem: the stream is loaded, or
 * it is refused, and the function is as good as new after a reset.
 */
TEST_F_TIMEOUT(load, memory_that_is_written_meanwhile, 120)
{
	struct writer w = { .bytes = self->blob.bytes };
	unsigned int refused = 0;
	pthread_t thread;

	w.room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)w.room);
	for (unsigned int i = 0; i < 20; i++) {
		int err;

		memcpy(w.room, self->blob.data, self->blob.bytes);
		ASSERT_EQ(0, begin(self));
		w.stop = false;
		ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &w));
		err = write_all(self->fd, w.room, self->blob.bytes, MIB);
		w.stop = true;
		pthread_join(thread, NULL);
		refused += err != 0;
		if (err)
			EXPECT_NE(0, mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING, NULL));
	}
	EXPECT_LT(0, refused);
	ASSERT_EQ(0, begin(self));
	EXPECT_EQ(0, write_all(self->fd, self->blob.data, self->blob.bytes, MIB));
	EXPECT_EQ(0, compare(self));
	munmap(w.room, ROOM);
}

TEST_HARNESS_MAIN
