// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that releases have written, of each family: they can be read, and what was read
 * is written again as the same bytes, unless the version of the format or of the family's
 * records is another one.  releases/VERSION/FAMILY.stream is of a function with work, and
 * FAMILY-KIND.stream of an idle one; CAPTURE=DIR makes new ones.
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
};

/* Its ways are kinds of streams: stopped with work, idle in pre-copy, and idle under another persona. */
enum kind { BUSY, PRECOPY, PERSONA };

static const struct way kinds[] = {
	[BUSY] = { .name = "" },
	[PRECOPY] = { .name = "precopy" },
	[PERSONA] = { .name = "persona" },
};

VARIANTS_OF_FAMILIES(release, kinds);

static enum kind kind_of(const struct way *way)
{
	return way - kinds;
}

static const char *persona_of(const struct blob *b)
{
	return (const char *)((const struct vpv_stream_header *)b->data)->persona;
}

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

/* FOLDER/FAMILY.stream, or FOLDER/FAMILY-KIND.stream */
static void name_of(char *path, size_t room, const char *folder, const struct family *f,
		    enum kind kind)
{
	snprintf(path, room, "%s/%s%s%s.stream", folder, f->name, kind ? "-" : "",
		 kinds[kind].name);
}

/* Those beside this program. */
static int find_files(const struct family *f, enum kind kind, glob_t *files)
{
	char self[PATH_MAX], folders[PATH_MAX + 64], pattern[2 * PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		return -errno;
	self[len] = 0;
	*strrchr(self, '/') = 0;
	snprintf(folders, sizeof(folders), "%s/releases/*", self);
	name_of(pattern, sizeof(pattern), folders, f, kind);
	return glob(pattern, 0, NULL, files) == GLOB_NOSPACE ? -ENOMEM : 0;
}

/* Show the first persona that the driver brings along, if that is the kind. */
static int choose(const struct slot *slot, enum kind kind)
{
	char list[4096] = "";

	if (kind != PERSONA)
		return 0;
	vdev_sysfs_read(slot->bdf, "vpv/personas", list, sizeof(list));
	list[strcspn(list, " \n")] = 0;
	return list[0] ? vdev_sysfs_write(slot->bdf, "vpv/persona", list) : -ENOENT;
}

/* Functions of some families show a persona from the beginning: it is in all of their streams. */
static bool begins_without(const struct slot *slot)
{
	char line[256] = "";

	vdev_sysfs_read(slot->bdf, "vpv/persona", line, sizeof(line));
	return !strncmp(line, "default", strlen("default"));
}

FIXTURE_SETUP(release)
{
	self->num = BIND_FAMILY(variant->family, self->slot, FUNCTIONS);
	if (self->num < 1)
		SKIP(return, "needs a function of family %s", variant->family->name);
	if (kind_of(variant->way) == PERSONA && !begins_without(&self->slot[0])) {
		self->num = 0;
		SKIP(return, "they show a persona in any case");
	}
}

FIXTURE_TEARDOWN(release)
{
	for (int k = 0; k < self->num && kind_of(variant->way) == PERSONA; k++)
		EXPECT_EQ(0, vdev_sysfs_write(self->slot[k].bdf, "vpv/persona", "default"));
}

/* Load it into a function and save that: 0, or why the function did not take it. */
static int through(const struct slot *slot, enum kind kind, const struct blob *old,
		   struct blob *now)
{
	struct vdev v;
	int err = choose(slot, kind) ?: vdev_open(&v, slot, any_mode());

	if (err)
		return err;
	err = mig_load(&v, old, VFIO_DEVICE_STATE_STOP);
	err = err ? err : mig_save(&v, now, kind == PRECOPY);
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

/* Of one that nobody uses. */
static int idle_stream(const struct slot *slot, enum kind kind, struct blob *b)
{
	struct vdev v;
	int err = choose(slot, kind) ?: vdev_open(&v, slot, any_mode());

	if (err)
		return err;
	err = mig_save(&v, b, kind == PRECOPY);
	vdev_close(&v);
	return err;
}

/* Of one whose guest is lost: what comes of it must not run again. */
static int busy_stream(const struct family *f, const struct slot *slot, struct blob *b)
{
	struct guest g;
	int err = guest_init(&g, f);

	if (err)
		return err;
	err = guest_stream(&g, slot, any_mode(), b);
	guest_free(&g);
	return err;
}

/* The smallest stream of all functions that can show what KIND wants. */
static int capture(const struct family *f, const struct slot *slot, int num, enum kind kind,
		   const char *path)
{
	struct blob best = {};
	int err = -ENODEV;

	for (int k = 0; k < num; k++) {
		struct blob first = {}, now = {};

		err = kind == BUSY ? busy_stream(f, &slot[k], &first) :
				     idle_stream(&slot[k], kind, &first);
		err = err ?: through(&slot[k], kind, &first, &now);
		blob_free(&first);
		if (!err && now.bytes && (!best.bytes || now.bytes < best.bytes)) {
			struct blob larger = best;

			best = now;
			now = larger;
		}
		blob_free(&now);
	}
	if (best.bytes)
		err = write_file(path, &best);
	blob_free(&best);
	return err;
}

TEST_F(release, its_streams_are_read_and_written_as_they_were)
{
	enum kind kind = kind_of(variant->way);
	const char *folder = getenv("CAPTURE");
	char path[PATH_MAX];
	glob_t files;

	NEED(kind != PRECOPY || (variant->family->migration & VFIO_MIGRATION_PRE_COPY),
	     "the family has no pre-copy");
	NEED(!choose(&self->slot[0], kind), "the family has no persona");
	if (folder) {
		name_of(path, sizeof(path), folder, variant->family, kind);
		ASSERT_EQ(0, capture(variant->family, self->slot, self->num, kind, path));
	}
	ASSERT_EQ(0, find_files(variant->family, kind, &files));
	if (!files.gl_pathc)
		SKIP(return, "no release has written streams of it");
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct blob old = {}, now = {}, again = {};
		int err = -ENODEV;

		ASSERT_EQ(0, read_file(files.gl_pathv[i], &old));
		ASSERT_GE(old.bytes, sizeof(struct vpv_stream_header));
		for (int k = 0; err && k < self->num; k++) {
			now.bytes = 0;
			again.bytes = 0;
			err = through(&self->slot[k], kind, &old, &now);
			err = err ? err : through(&self->slot[k], kind, &old, &again);
		}
		EXPECT_EQ(0, err)
			TH_LOG("%s: %d functions, none takes it: %d", files.gl_pathv[i], self->num,
			       err);
		EXPECT_EQ(-1, difference_of(&old, &now, &again))
			TH_LOG("%s: %zu bytes, written again: %zu", files.gl_pathv[i], old.bytes,
			       now.bytes);
		EXPECT_TRUE(kind != PERSONA || persona_of(&old)[0])
			TH_LOG("%s: no persona", files.gl_pathv[i]);
		blob_free(&old);
		blob_free(&now);
		blob_free(&again);
	}
	globfree(&files);
}

TEST_HARNESS_MAIN
