// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that releases have written, of each family: they can be read, and what was read
 * is written again as the same bytes, unless the version of the format or of the family's
 * records is another one.  releases/VERSION/FAMILY.stream; CAPTURE=DIR makes new ones.
 *
 * Groups: self families
 */
#include <glob.h>
#include <limits.h>

#include "vpv/stream.h"
#include "lib/test.h"
#include "lib/family_test.h"

/* Of a family, at most: one of them is as the function that the release had. */
#define FUNCTIONS	10

FIXTURE(release)
{
	struct slot slot[FUNCTIONS];
	int num;
	glob_t files;
};

VARIANTS_OF_FAMILIES(release, one_way);

static int read_file(const char *path, struct blob *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = blob_pull(b, fd, 65536);
	close(fd);
	return err;
}

static int write_file(const char *path, const struct blob *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int err;

	if (fd < 0)
		return -errno;
	err = blob_push(b, fd, 0, b->bytes, b->bytes);
	close(fd);
	return err;
}

/* Those beside this program. */
static int find_files(const struct family *f, glob_t *files)
{
	char self[PATH_MAX], pattern[PATH_MAX + 64];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		return -errno;
	self[len] = 0;
	*strrchr(self, '/') = 0;
	snprintf(pattern, sizeof(pattern), "%s/releases/*/%s.stream", self, f->name);
	return glob(pattern, 0, NULL, files) == GLOB_NOSPACE ? -ENOMEM : 0;
}

FIXTURE_SETUP(release)
{
	self->num = BIND_FAMILY(variant->family, self->slot, FUNCTIONS);
	if (self->num < 1)
		SKIP(return, "needs a function of family %s", variant->family->name);
	ASSERT_EQ(0, find_files(variant->family, &self->files));
}

FIXTURE_TEARDOWN(release)
{
	globfree(&self->files);
}

/* Load it into a function and save that: 0, or why the function did not take it. */
static int through(const struct slot *slot, const struct blob *old, struct blob *now)
{
	struct vdev v;
	int err = vdev_open(&v, slot, any_mode());

	if (err)
		return err;
	err = mig_load(&v, old, VFIO_DEVICE_STATE_STOP);
	err = err ? err : mig_save(&v, now, false);
	vdev_close(&v);
	return err;
}

/* Where two streams of the same versions differ, or -1. */
static ssize_t difference(const struct blob *old, const struct blob *now)
{
	const struct vpv_stream_header *a = (const void *)old->data, *b = (const void *)now->data;

	if (now->bytes >= sizeof(*b) &&
	    (a->major != b->major || a->minor != b->minor || a->state_version != b->state_version))
		return -1;
	for (size_t i = 0; i < old->bytes && i < now->bytes; i++)
		if (old->data[i] != now->data[i])
			return i;
	return old->bytes == now->bytes ? -1 : (ssize_t)old->bytes;
}

/* Of a device that gives each image a number of its own no two are alike: only the sizes are. */
static ssize_t difference_of(const struct blob *old, const struct blob *now,
			     const struct blob *again)
{
	if (now->bytes == again->bytes && !memcmp(now->data, again->data, now->bytes))
		return difference(old, now);
	return old->bytes == now->bytes && now->bytes == again->bytes ? -1 : (ssize_t)now->bytes;
}

/* The smallest stream of all functions, in STOP_COPY alone. */
static int capture(const struct family *f, const struct slot *slot, int num, const char *folder)
{
	struct blob best = {};
	char path[PATH_MAX];
	int err = 0;

	for (int k = 0; !err && k < num; k++) {
		struct blob busy = {}, now = {};
		struct guest g;

		err = guest_init(&g, f);
		if (err)
			break;
		err = guest_stream(&g, &slot[k], any_mode(), &busy) ?: through(&slot[k], &busy, &now);
		guest_free(&g);
		blob_free(&busy);
		if (!err && (!best.bytes || now.bytes < best.bytes)) {
			struct blob larger = best;

			best = now;
			now = larger;
		}
		blob_free(&now);
	}
	snprintf(path, sizeof(path), "%s/%s.stream", folder, f->name);
	err = err ?: write_file(path, &best);
	blob_free(&best);
	return err;
}

TEST_F(release, its_streams_are_read_and_written_as_they_were)
{
	const char *folder = getenv("CAPTURE");

	if (folder)
		ASSERT_EQ(0, capture(variant->family, self->slot, self->num, folder));
	if (!self->files.gl_pathc)
		SKIP(return, "no release has written streams of %s", variant->family->name);
	for (size_t i = 0; i < self->files.gl_pathc; i++) {
		struct blob old = {}, now = {}, again = {};
		int err = -ENODEV;

		ASSERT_EQ(0, read_file(self->files.gl_pathv[i], &old));
		ASSERT_GE(old.bytes, sizeof(struct vpv_stream_header));
		for (int k = 0; err && k < self->num; k++) {
			now.bytes = 0;
			again.bytes = 0;
			err = through(&self->slot[k], &old, &now);
			err = err ? err : through(&self->slot[k], &old, &again);
		}
		EXPECT_EQ(0, err)
			TH_LOG("%s: %d functions, none takes it: %d", self->files.gl_pathv[i],
			       self->num, err);
		EXPECT_EQ(-1, difference_of(&old, &now, &again))
			TH_LOG("%s: %zu bytes, written again: %zu", self->files.gl_pathv[i],
			       old.bytes, now.bytes);
		blob_free(&old);
		blob_free(&now);
		blob_free(&again);
	}
}

TEST_HARNESS_MAIN
