// SPDX-License-Identifier: GPL-2.0
/*
 * How fast an image goes through the data fd, as a ratio to a plain copy of the same
 * size through read(2) and write(2) of a memfd; pages of zeros apart.  Nothing fails on time, but a
 * round in which nothing was written, if it takes more than a twentieth of one that sends all.
 *
 * Groups: throughput
 */
#include <sys/resource.h>
#include <time.h>

#include "lib/gpu.h"
#include "lib/mlxl.h"
#include "lib/test.h"

#define PIECE	(1U << 20)	/* as QEMU asks for it */
#define PAGE	4096UL
#define ROUNDS	3
#define GPU_BYTES	(1UL << 30)
#define ZEROS_MAX	(1L << 20)	/* of a stream without pages */

/* What one pass over the image took. */
struct pass {
	double wall;
	double cpu;	/* of this thread */
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void pass_begin(struct pass *p)
{
	p->wall = seconds(CLOCK_MONOTONIC);
	p->cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void pass_end(struct pass *p)
{
	p->wall = seconds(CLOCK_MONOTONIC) - p->wall;
	p->cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - p->cpu;
}

/* All of @bytes, or up to the end of the file; what was moved, or a negative errno. */
static ssize_t move(int fd, bool out, uint8_t *buf, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		size_t want = bytes - done < PIECE ? bytes - done : PIECE;
		ssize_t n = out ? write(fd, buf + done, want) : read(fd, buf + done, want);

		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += n;
	}
	return done;
}

/* Find two functions, and bind them: 0, TOO_FEW, or an errno. */
static int find_mlx(struct slot *slots)
{
	int num = mlxl_functions(slots, 2);

	return num < 0 ? num : num < 2 ? TOO_FEW : 0;
}

static int find_gpu(struct slot *slots)
{
	int err = slots_find("coherent_gpu", slots, 2) == 2 ? 0 : TOO_FEW;

	for (unsigned int i = 0; i < 2 && !err; i++)
		err = vdev_bind(slots[i].bdf, "vpv_coherent_gpu");
	return err;
}

/* Have no page be like another one, or of zeros. */
static int fill_gpu(struct vdev *v)
{
	uint64_t bytes = gpu_claimed(GPU_BYTES) ? GPU_BYTES : 0, *p, x = 88172645463325252ULL;
	int err = gpu_set_memory(v, true);

	if (err || !bytes)
		return err ? err : -ENODEV;
	p = gpu_map(v, GPU_MAIN_BAR, 0, bytes);
	if (!p)
		return -errno;
	for (uint64_t i = 0; i < bytes / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = x;
	}
	munmap(p, bytes);
	return 0;
}

FIXTURE_VARIANT(throughput)
{
	const char *model;
	int (*find)(struct slot *slots);
	int (*fill)(struct vdev *v);
};

FIXTURE(throughput)
{
	struct slot slots[2];
	struct vdev v[2];
	int (*fill)(struct vdev *v);
	uint8_t *buf;
	size_t room;
	int memfd;
};

FIXTURE_VARIANT_ADD(throughput, mlx5_like) { "mlx5_like", find_mlx };
FIXTURE_VARIANT_ADD(throughput, coherent_gpu) { "coherent_gpu", find_gpu, fill_gpu };

FIXTURE_SETUP(throughput)
{
	uint64_t bytes;
	int err = variant->find(self->slots);

	if (err == TOO_FEW)
		SKIP(return, "no two functions of %s in /vpv/devices", variant->model);
	ASSERT_EQ(0, err);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vdev_open(&self->v[i], &self->slots[i], VDEV_GROUP));
		ASSERT_EQ(0, vdev_bus_master(&self->v[i], true));
	}
	self->fill = variant->fill;
	if (self->fill)
		ASSERT_EQ(0, self->fill(&self->v[0]));
	ASSERT_EQ(0, mig_data_size(&self->v[0], &bytes));
	self->room = bytes + (4U << 20);
	self->buf = mmap(NULL, self->room, PROT_READ | PROT_WRITE,
			 MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->buf);
	self->memfd = memfd_create("copy", MFD_CLOEXEC);
	ASSERT_LE(0, self->memfd);
}

/* Read until pre-copy has no more; what there was, or a negative errno. */
static ssize_t drain(int fd, uint8_t *buf)
{
	ssize_t n, bytes = 0;

	while ((n = read(fd, buf, PIECE)) > 0)
		bytes += n;
	return n && errno == ENOMSG ? bytes : n ? -errno : -ENODATA;
}

FIXTURE_TEARDOWN(throughput)
{
	for (int i = 0; i < 2; i++)
		vdev_close(&self->v[i]);
	munmap(self->buf, self->room);
	close(self->memfd);
}

static ssize_t copy(FIXTURE_DATA(throughput) *self, bool out, size_t bytes, struct pass *p)
{
	ssize_t n;

	lseek(self->memfd, 0, SEEK_SET);
	pass_begin(p);
	n = move(self->memfd, out, self->buf, bytes);
	pass_end(p);
	return n;
}

static ssize_t save(FIXTURE_DATA(throughput) *self, struct pass *p)
{
	ssize_t n;
	int fd;

	n = mig_set(&self->v[0], VFIO_DEVICE_STATE_STOP, NULL);
	if (n)
		return n;
	pass_begin(p);
	n = mig_set(&self->v[0], VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (n)
		return n;
	n = move(fd, false, self->buf, self->room);
	pass_end(p);
	close(fd);
	mig_set(&self->v[0], VFIO_DEVICE_STATE_STOP, NULL);
	return n;
}

static ssize_t load(FIXTURE_DATA(throughput) *self, size_t bytes, struct pass *p)
{
	ssize_t n, err;
	int fd;

	n = vdev_reset(&self->v[1]);
	/* The lab gives memory its pages when they are touched first: that is no part of loading. */
	if (!n && self->fill)
		n = self->fill(&self->v[1]);
	n = n ? n : mig_set(&self->v[1], VFIO_DEVICE_STATE_STOP, NULL);
	if (n)
		return n;
	pass_begin(p);
	n = mig_set(&self->v[1], VFIO_DEVICE_STATE_RESUMING, &fd);
	if (n)
		return n;
	n = move(fd, true, self->buf, bytes);
	err = mig_set(&self->v[1], VFIO_DEVICE_STATE_STOP, NULL);
	pass_end(p);
	close(fd);
	return n < 0 || !err ? n : err;
}

static void report(struct __test_metadata *_metadata, struct vdev *v, const char *what,
		   size_t bytes, const struct pass *ours, const struct pass *plain)
{
	struct mig_session s = { 0 };

	ASSERT_EQ(0, mig_session(v, what, &s));
	EXPECT_EQ(bytes, s.bytes);
	EXPECT_GE(MLXL_HELD_MAX, s.held);

	TH_LOG("%s: %.0f MiB/s, plain copy %.0f MiB/s, ratio %.2f; CPU %.2f s of %.2f s, plain %.2f s of %.2f s",
	       what, bytes / ours->wall / (1 << 20), bytes / plain->wall / (1 << 20),
	       plain->wall / ours->wall, ours->cpu, ours->wall, plain->cpu, plain->wall);
	TH_LOG("%s: waited %.2f s for the device; the driver held %.1f MiB at most", what,
	       s.waited_us / 1e6, s.held / 1048576.0);
}

TEST_F_TIMEOUT(throughput, of_large_images, 600)
{
	struct pass read_pass, write_pass, save_pass, load_pass;
	ssize_t bytes;

	for (int i = 0; i < ROUNDS; i++) {
		bytes = save(self, &save_pass);
		ASSERT_LT(0, bytes);
		ASSERT_EQ(bytes, load(self, bytes, &load_pass));
		if (!i)	/* have all of its pages there */
			ASSERT_EQ(bytes, copy(self, true, bytes, &write_pass));
		ASSERT_EQ(bytes, copy(self, true, bytes, &write_pass));
		ASSERT_EQ(bytes, copy(self, false, bytes, &read_pass));
		TH_LOG("stream of %zd bytes", bytes);
		report(_metadata, &self->v[0], "save", bytes, &save_pass, &read_pass);
		report(_metadata, &self->v[1], "load", bytes, &load_pass, &write_pass);
	}
}

/* What a pass of pre-copy costs when nothing was written since, next to the first one. */
TEST_F_TIMEOUT(throughput, of_rounds, 600)
{
	struct pass first, again;
	ssize_t bytes;
	int fd;

	if (!variant->fill)
		SKIP(return, "has no rounds");
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_PRE_COPY, &fd));
	pass_begin(&first);
	bytes = drain(fd, self->buf);
	pass_end(&first);
	EXPECT_LE(GPU_BYTES, bytes);
	pass_begin(&again);
	EXPECT_EQ(0, drain(fd, self->buf));
	pass_end(&again);
	TH_LOG("first pass %.3f s for %zd bytes, %.3f s with nothing written: %.1f %%",
	       first.wall, bytes, again.wall, 100 * again.wall / first.wall);
	EXPECT_GE(first.wall / 20, again.wall);
	close(fd);
}

/* Pages of zeros are looked at and not sent. */
TEST_F_TIMEOUT(throughput, of_zeros, 600)
{
	struct pass zeros, plain;
	ssize_t bytes;
	uint8_t *p;

	if (!variant->fill)
		SKIP(return, "its state has no pages");
	p = gpu_map(&self->v[0], GPU_MAIN_BAR, 0, GPU_BYTES);
	ASSERT_NE(NULL, p);
	memset(p, 0, GPU_BYTES);
	munmap(p, GPU_BYTES);
	ASSERT_EQ(GPU_BYTES, copy(self, true, GPU_BYTES, &plain));
	for (int i = 0; i < ROUNDS; i++) {
		bytes = save(self, &zeros);
		ASSERT_LT(0, bytes);
		EXPECT_GE(ZEROS_MAX, bytes);
		ASSERT_EQ(GPU_BYTES, copy(self, false, GPU_BYTES, &plain));
		TH_LOG("1 GiB of zeros: saved in %.3f s, %zd bytes; plain copy %.3f s, ratio %.2f",
		       zeros.wall, bytes, plain.wall, plain.wall / zeros.wall);
	}
}

/* What it costs that a pass takes mappings away, and CPUs come back. */
TEST_F_TIMEOUT(throughput, of_unmapping, 600)
{
	struct pass idle, faults, mapped, again;
	volatile uint8_t *p;
	ssize_t bytes;
	int fd;

	if (!variant->fill)
		SKIP(return, "has no memory that is mapped");
	p = gpu_map(&self->v[0], GPU_MAIN_BAR, 0, GPU_BYTES);
	ASSERT_NE(NULL, (void *)p);
	ASSERT_EQ(0, mig_set(&self->v[0], VFIO_DEVICE_STATE_PRE_COPY, &fd));
	pass_begin(&idle);
	bytes = drain(fd, self->buf);
	pass_end(&idle);
	EXPECT_LE(GPU_BYTES, bytes);
	pass_begin(&faults);
	for (size_t pos = 0; pos < GPU_BYTES; pos += PAGE)
		p[pos]++;
	pass_end(&faults);
	pass_begin(&mapped);
	EXPECT_LE(GPU_BYTES, drain(fd, self->buf));
	pass_end(&mapped);
	/* The mapping is there, and what it maps is protected already. */
	pass_begin(&again);
	EXPECT_EQ(0, drain(fd, self->buf));
	pass_end(&again);
	EXPECT_GE(mapped.wall / 20, again.wall);
	TH_LOG("faulting 1 GiB back took %.3f s; the pass that unmapped it %.3f s, and %.3f s when nothing was mapped",
	       faults.wall, mapped.wall, idle.wall);
	TH_LOG("a pass with nothing written since %.3f s: %.1f %%", again.wall,
	       100 * again.wall / mapped.wall);
	munmap((void *)p, GPU_BYTES);
	close(fd);
}

TEST_HARNESS_MAIN
