/* SPDX-License-Identifier: GPL-2.0 */
/* What debugfs and the driver itself say about a function's migration. */
#ifndef VPVCTL_MIG_H
#define VPVCTL_MIG_H

#include "pci.h"

/* Migration features. */
#define MIG_STOP_COPY	(1u << 0)
#define MIG_P2P		(1u << 1)
#define MIG_PRE_COPY	(1u << 2)
#define MIG_DIRTY	(1u << 3)	/* the device tracks dirty pages itself */
#define MIG_FEATURES	4

/* Name of feature @i, as the kernel's debugfs has it. */
const char *mig_feature_name(unsigned int i);

/* "stop-copy,p2p", or "none". */
const char *mig_features_text(unsigned int features, char *text, size_t size);

struct json_object *mig_features_json(unsigned int features);

/**
 * struct mig_session - One direction of the last data file
 * @any: There was one.
 * @result: 0, -EINPROGRESS, -ECANCELED or the errno that ended it.
 * @bytes: Read or written by user space so far.
 * @records: Of a finished session.
 * @rest: Bytes that a save session has still to give, as far as it is known.
 * @dirty: Of these: what the device would add now, most of it because it has changed.
 */
struct mig_session {
	bool any;
	int result;
	uint64_t bytes;
	uint64_t records;
	uint64_t rest;
	uint64_t dirty;
};

/**
 * struct mig_info - What debugfs shows of a function
 * @ours: One of our drivers has it: @save, @load and @error are known.
 * @features_known: @features is.
 * @features: MIG_x.
 * @state: Name of the migration state, or "".
 * @save: Last saving session.
 * @load: Last loading session.
 * @error: Last refusal, or "".
 * @family: Family in streams, or "" if that and the versions are not known.
 * @state_version: Version of the state records that are written.
 * @state_oldest: Oldest version that can read them.
 * @state_accepts: Oldest version of a stream that is read.
 */
struct mig_info {
	bool ours;
	bool features_known;
	unsigned int features;
	char state[24];
	struct mig_session save;
	struct mig_session load;
	char error[512];
	char family[32];
	uint32_t state_version;
	uint32_t state_oldest;
	uint32_t state_accepts;
};

/* Read it all; what cannot be read stays empty. */
void mig_load(const struct pci_fn *fn, struct mig_info *info);

/**
 * mig_match_json() - What a function must agree about with the other side of a migration
 * @fn: Function.
 *
 * Return: an array of objects with name, rule, sends and takes, as the device wrote them at the
 * begin of its last session; NULL if that is not known.
 */
struct json_object *mig_match_json(const struct pci_fn *fn);

/* Why the kernel's debugfs cannot be read, or NULL. */
const char *mig_debugfs_trouble(void);

/**
 * struct vfio_view - A function as its user sees it
 * @features: MIG_x.
 * @config: Config space.
 * @config_bytes: Its size.
 * @region_bytes: Sizes of BARs and ROM.
 */
struct vfio_view {
	unsigned int features;
	uint8_t config[4096];
	size_t config_bytes;
	uint64_t region_bytes[PCI_REGIONS];
};

/**
 * vfio_look() - Open a function, look at it, close it
 * @fn: Bound to a VFIO driver.
 * @view: The result.
 * @why: Set to a text when it fails.
 * @size: Of @why.
 *
 * One of our drivers is asked to begin a migration, and to call it off, so that its match data
 * is known.
 *
 * A function that somebody uses is not disturbed: the kernel answers EBUSY.  An idle one
 * is reset, and a user who wants it at the same moment gets EBUSY.
 *
 * Return: 0 or -errno.
 */
int vfio_look(const struct pci_fn *fn, struct vfio_view *view, char *why, size_t size);

/* Is the function, or another one of its IOMMU group, in use?  Not, if unknown. */
bool vfio_in_use(const struct pci_fn *fn);

/**
 * vfio_holder() - Who has the function, or another one of its IOMMU group, open
 * @fn: Bound to a VFIO driver.
 * @name: Set to the name of the process.
 * @size: Of @name.
 *
 * Processes of others are visible to root only.
 * Return: its number, or 0 if none is found.
 */
int vfio_holder(const struct pci_fn *fn, char *name, size_t size);

#endif /* VPVCTL_MIG_H */
