// SPDX-License-Identifier: GPL-2.0
/*
 * What a device's migration did last, for people: vpv_migration/<device>/ in debugfs.
 * Documentation/ABI/debugfs-vpv-migration describes the files.  Reading waits for
 * no hook and changes nothing.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/seq_file.h>

#include "debugfs.h"
#include "session.h"

static struct dentry *debug_root;

static int state_show(struct seq_file *s, void *unused)
{
	struct vmig_machine *m = s->private;

	seq_printf(s, "%s\n", vmig_fsm_name(vmig_fsm_v2(vmig_state_snapshot(m))));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int durations_show(struct seq_file *s, void *unused)
{
	struct vmig_machine *m = s->private;
	u64 ns[VMIG_V2_STATES];
	unsigned int i;

	spin_lock(&m->lock);
	memcpy(ns, m->state_ns, sizeof(ns));
	ns[vmig_fsm_v2(m->state)] += ktime_to_ns(ktime_sub(ktime_get(), m->entered));
	spin_unlock(&m->lock);

	for (i = 0; i < VMIG_V2_STATES; i++)
		seq_printf(s, "%s %llu\n", vmig_fsm_name(i), div_u64(ns[i], NSEC_PER_USEC));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(durations);

static void session_print(struct seq_file *s, const char *kind,
			  const struct vmig_session_stats *stats)
{
	if (stats->err > 0)
		seq_printf(s, "%s none\n", kind);
	else
		seq_printf(s, "%s result %d bytes %llu records %llu held %llu waited %llu rest %llu dirty %llu\n",
			   kind, stats->err, stats->bytes, stats->records, stats->held,
			   div_u64(stats->waited_ns, NSEC_PER_USEC), stats->rest, stats->dirty);
}

static int sessions_show(struct seq_file *s, void *unused)
{
	struct vmig_machine *m = s->private;
	struct vmig_session_stats save, load;

	vmig_session_stats(m, true, &save);
	vmig_session_stats(m, false, &load);

	session_print(s, "save", &save);
	session_print(s, "load", &load);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sessions);

static int memory_show(struct seq_file *s, void *unused)
{
	struct vmig_machine *m = s->private;
	u64 held, most, sets;

	spin_lock(&m->lock);
	held = m->held;
	most = m->held_most;
	sets = m->sets;
	spin_unlock(&m->lock);

	seq_printf(s, "held %llu\nmost %llu\nlimit %llu\nsets %llu\n", held, most, m->held_limit,
		   sets);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(memory);

static int last_error_show(struct seq_file *s, void *unused)
{
	struct vmig_machine *m = s->private;
	char text[VMIG_ERROR_TEXT_BYTES];

	spin_lock(&m->lock);
	memcpy(text, m->last_error, sizeof(text));
	spin_unlock(&m->lock);
	if (text[0])
		seq_printf(s, "%s\n", text);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(last_error);

static int match_show(struct seq_file *s, void *unused)
{
	return vmig_match_print(s->private, s);
}
DEFINE_SHOW_ATTRIBUTE(match);

/* Constant: what a peer has to agree with.  The version of match data is its size. */
static int features_show(struct seq_file *s, void *unused)
{
	struct vmig_machine *m = s->private;

	seq_printf(s, "family %s\n", m->id.family);
	seq_printf(s, "state_version %u\n", m->id.state_version);
	seq_printf(s, "state_oldest %u\n", m->id.state_oldest);
	seq_printf(s, "state_accepts %u\n", m->id.state_accepts);
	seq_printf(s, "match_bytes %u\n", m->mig->desc->match_bytes);
	seq_printf(s, "stream %u.%u\n", VPV_STREAM_MAJOR, VPV_STREAM_MINOR);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(features);

void vmig_debugfs_add(struct vmig_machine *m)
{
	struct device *dev = m->mig->vdev->dev;
	struct dentry *dir;

	dir = debugfs_create_dir(dev_name(dev), debug_root);
	debugfs_create_file("state", 0400, dir, m, &state_fops);
	debugfs_create_file("durations", 0400, dir, m, &durations_fops);
	debugfs_create_file("sessions", 0400, dir, m, &sessions_fops);
	debugfs_create_file("memory", 0400, dir, m, &memory_fops);
	debugfs_create_file("features", 0400, dir, m, &features_fops);
	debugfs_create_file("match", 0400, dir, m, &match_fops);
	debugfs_create_file("last_error", 0400, dir, m, &last_error_fops);
	m->debug_dir = dir;
}

void vmig_debugfs_remove(struct vmig_machine *m)
{
	debugfs_remove(m->debug_dir);
	m->debug_dir = NULL;
}

void vmig_debugfs_init(void)
{
	debug_root = debugfs_create_dir("vpv_migration", NULL);
}

void vmig_debugfs_exit(void)
{
	debugfs_remove(debug_root);
}
