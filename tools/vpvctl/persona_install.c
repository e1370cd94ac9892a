// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware folder, from which the kernel takes personas that no driver has by
 * itself.  A file there is replaced as a whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "persona_map.h"
#include "vpvctl.h"

#define FOLDER "/lib/firmware/vpv"

static struct path installed_path(const char *name)
{
	return at(FOLDER "/%s.persona", name);
}

static int make_folders(void)
{
	static const char * const folders[] = { "/lib", "/lib/firmware", FOLDER };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdir(at("%s", folders[i]).s, 0755) && errno != EEXIST)
			return -errno;
	return 0;
}

static int write_all(int fd, const u8 *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			bytes -= n;
		}
	}
	return fchmod(fd, 0644) || fsync(fd) ? -errno : 0;
}

static int replace(const char *path, const u8 *data, size_t bytes)
{
	struct path temp = at(FOLDER "/.vpvctl-XXXXXX");
	int fd = mkostemp(temp.s, O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, data, bytes);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temp.s, path))
		err = -errno;
	if (err)
		unlink(temp.s);
	return err;
}

/* What is there and cannot be read could not be put back. */
static bool remember(struct persona_install *inst, char **error)
{
	if (!exists(inst->path))
		return true;
	inst->old = persona_read_file(inst->path, VPV_PERSONA_MAX_BYTES, &inst->old_bytes,
				      error);
	return inst->old;
}

/* A version stands for its bytes, everywhere: other bytes need another version. */
static bool clashes(const struct persona_install *inst, const struct persona *persona)
{
	struct vcfg_persona *old = xalloc(sizeof(*old));
	struct vcfg_persona_why why;
	bool same = inst->old && !vcfg_persona_parse(old, inst->old, inst->old_bytes, &why) &&
		    old->version == persona->p.version;

	free(old);
	return same && (inst->old_bytes != persona->bytes ||
			memcmp(inst->old, persona->blob, persona->bytes));
}

bool persona_install(struct persona_install *inst, const struct persona *persona,
		     char **error)
{
	int err = make_folders();

	*inst = (struct persona_install){
		.path = xformat("%s", installed_path(persona->p.name).s),
	};
	if (!err && !remember(inst, error))
		return false;
	if (!err && clashes(inst, persona)) {
		*error = xformat("%s has version %u with other content: raise the version in "
				 "the map", inst->path, persona->p.version);
		return false;
	}
	if (!err)
		err = replace(inst->path, persona->blob, persona->bytes);
	inst->installed = !err;
	if (err)
		*error = xformat("cannot install %s: %s", inst->path, strerror(-err));
	return !err;
}

void persona_install_undo(const struct persona_install *inst)
{
	if (!inst->old)
		unlink(inst->path);
	else if (replace(inst->path, inst->old, inst->old_bytes))
		fail("cannot restore %s", inst->path);
}

void persona_install_free(struct persona_install *inst)
{
	free(inst->path);
	free(inst->old);
}
