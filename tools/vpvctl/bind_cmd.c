// SPDX-License-Identifier: GPL-2.0
/*
 * vpvctl bind, vpvctl unbind: which driver has a function.
 *
 * driver_override alone does nothing: it only limits which driver may take a function
 * that has none.  So: override, unbind, and bind through the driver's own file, which,
 * other than drivers_probe, returns the probe's errno.  What fails is undone.
 */
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "files.h"
#include "mig.h"
#include "vpvctl.h"

#define WAIT_DEFAULT_S	5

extern char **environ;

/* What a command does to one function; @why is told when it fails. */
struct job {
	struct pci_fn fn;
	char driver[64];
	char node[64];
	unsigned int wait_s;
	char why[512];
};

static int because(struct job *job, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int because(struct job *job, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(job->why, sizeof(job->why), format, args);
	va_end(args);
	return err;
}

static const char *errno_text(int err)
{
	return err == -EACCES || err == -EPERM ? "not permitted; run as root" : strerror(-err);
}

static int set_override(struct job *job, const char *driver)
{
	/* An empty line clears it. */
	char *line = xformat("%s\n", driver);
	int err = write_text(at("/sys/bus/pci/devices/%s/driver_override", job->fn.bdf).s,
			     line);

	free(line);
	if (err)
		because(job, err, "cannot set driver_override: %s", errno_text(err));
	return err;
}

static int driver_unbind(struct job *job, const char *driver)
{
	int err = write_text(at("/sys/bus/pci/drivers/%s/unbind", driver).s, job->fn.bdf);

	if (err)
		because(job, err, "cannot unbind %s: %s", driver, errno_text(err));
	return err;
}

static bool has_driver(const struct job *job, const char *driver)
{
	char now[64];

	link_name(at("/sys/bus/pci/devices/%s/driver", job->fn.bdf).s, now, sizeof(now));
	return !strcmp(now, driver);
}

/* Polls until the function has @driver, or has it no longer, or the time is over. */
static bool wait_driver(const struct job *job, const char *driver, bool has)
{
	for (unsigned int naps = job->wait_s * 50; has_driver(job, driver) != has; naps--) {
		if (!naps)
			return false;
		nap();
	}
	return true;
}

static int driver_bind(struct job *job, const char *driver)
{
	int err = write_text(at("/sys/bus/pci/drivers/%s/bind", driver).s, job->fn.bdf);

	if (err == -ENODEV)
		return because(job, err, "%s does not take it: the function is not among its "
			       "ids, or the probe found no device (see the kernel log)",
			       driver);
	if (err)
		return because(job, err, "%s does not take it: %s (see the kernel log)", driver,
			       errno_text(err));
	if (!wait_driver(job, driver, true))
		return because(job, -ETIMEDOUT, "%s did not take it within %u s (see the "
			       "kernel log)", driver, job->wait_s);
	return 0;
}

/* The name as the PCI bus has it: '_' and '-' are mixed in practice. */
static bool find_driver(char *driver, size_t size)
{
	char **names;
	int n = list_dir(at("/sys/bus/pci/drivers").s, &names);
	bool found = false;

	for (int i = 0; i < n && !found; i++) {
		found = module_same(names[i], driver);
		if (found)
			snprintf(driver, size, "%.63s", names[i]);
	}
	free_names(names, n);
	return found;
}

static int run_modprobe(const char *module)
{
	struct path program = at("/sbin/modprobe");
	char *argv[] = { program.s, "-q", "--", (char *)module, NULL };
	int status, err;
	pid_t pid;

	/* It returns the errno, and leaves the variable alone. */
	err = posix_spawn(&pid, program.s, NULL, NULL, argv, environ);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ENOENT;
}

static int load_driver(struct job *job)
{
	if (find_driver(job->driver, sizeof(job->driver)))
		return 0;
	if (run_modprobe(job->driver))
		return because(job, -ENOENT, "the driver %s is not loaded and modprobe cannot "
			       "load it: not installed for this kernel (depmod?), forbidden in "
			       "/etc/modprobe.d, not signed, or no root", job->driver);
	if (!find_driver(job->driver, sizeof(job->driver)))
		return because(job, -ENOENT, "the module %s is loaded but registers no PCI "
			       "driver of that name", job->driver);
	return 0;
}

static int choose_driver(struct job *job)
{
	struct alias_choice choice;
	int err;

	find_driver(job->driver, sizeof(job->driver));
	if (job->driver[0])
		return 0;
	err = alias_choose(&job->fn, &choice);
	if (err == -ESRCH)
		strcpy(choice.module, "vfio-pci");
	else if (err)
		return because(job, err, "cannot read modules.alias of this kernel (%s); name "
			       "the driver", strerror(-err));
	snprintf(job->driver, sizeof(job->driver), "%s", choice.module);
	find_driver(job->driver, sizeof(job->driver));
	return 0;
}

/* What the kernel would only say after everything was torn down. */
static int check_bindable(struct job *job)
{
	char bdf[24], driver[64], unsafe[8];

	if (pci_is_bridge(&job->fn))
		return because(job, -EINVAL, "it is a PCI bridge");
	if (pci_group_blocker(&job->fn, bdf, driver))
		return because(job, -EBUSY, "IOMMU group %s is not viable: %s is bound to %s; "
			       "bind it to a VFIO driver too, or unbind it", job->fn.group, bdf,
			       driver);
	read_line(at("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode").s, unsafe,
		  sizeof(unsafe));
	if (!job->fn.group[0] && strcmp(unsafe, "Y"))
		return because(job, -ENODEV, "it is in no IOMMU group: the IOMMU is off "
			       "(firmware setting; intel_iommu=on on Intel)");
	if (vfio_in_use(&job->fn))
		return because(job, -EBUSY, "it, or another function of IOMMU group %s, is in "
			       "use; stop its user first", job->fn.group);
	return 0;
}

/* The node appears with the probe, its permissions with udev. */
static int wait_node(struct job *job)
{
	for (unsigned int naps = job->wait_s * 50;; naps--) {
		int err = pci_load(job->fn.bdf, &job->fn);

		if (err)
			return because(job, err, "it disappeared");
		pci_vfio_node(&job->fn, job->node, sizeof(job->node));
		if (!job->fn.vfio[0])
			return because(job, -EINVAL, "%s is no VFIO driver", job->driver);
		if (job->node[0])
			return 0;
		if (!naps)
			break;
		nap();
	}
	return because(job, -ETIMEDOUT, "no node in /dev/vfio appeared within %u s; look at "
		       "udev or devtmpfs", job->wait_s);
}

static int rebind(struct job *job)
{
	int err = 0;

	/* If its override was this driver before, the kernel has bound it when that was loaded. */
	if (has_driver(job, job->driver))
		return wait_node(job);
	if (job->fn.driver[0])
		err = driver_unbind(job, job->fn.driver);
	if (!err)
		err = driver_bind(job, job->driver);
	return err ? err : wait_node(job);
}

/* Put back the override and the driver of @before; false if that fails. */
static bool restore(struct job *job, const struct pci_fn *before)
{
	struct job back = { .fn = *before, .wait_s = job->wait_s };
	bool ok;

	if (has_driver(&back, before->driver))
		return !set_override(&back, before->override);
	if (has_driver(&back, job->driver))
		driver_unbind(&back, job->driver);
	ok = !set_override(&back, before->override);
	if (before->driver[0])
		ok &= !driver_bind(&back, before->driver);
	return ok;
}

/* Restore, and add to the reason how that went. */
static void undo(struct job *job, const struct pci_fn *before)
{
	bool ok = restore(job, before);
	size_t n = strlen(job->why);

	if (!ok)
		snprintf(job->why + n, sizeof(job->why) - n,
			 "; what was before could NOT be restored");
	else if (before->driver[0])
		snprintf(job->why + n, sizeof(job->why) - n, "; %s is restored", before->driver);
	else
		snprintf(job->why + n, sizeof(job->why) - n, "; it has no driver, as before");
}

static int bind_job(struct job *job)
{
	struct pci_fn before = job->fn;
	int err;

	err = choose_driver(job);
	if (!err && !strcmp(before.driver, job->driver))
		return wait_node(job);
	if (!err)
		err = check_bindable(job);
	if (!err)
		err = load_driver(job);
	if (!err)
		err = set_override(job, job->driver);
	if (err)
		return err;

	err = rebind(job);
	if (err)
		undo(job, &before);
	return err;
}

/* Take it from its driver; one that keeps it keeps its driver_override, too. */
static int release(struct job *job)
{
	const char *driver = job->fn.driver;
	int err = set_override(job, "");

	if (err || !*driver)
		return err;
	err = driver_unbind(job, driver);
	if (!err && !wait_driver(job, driver, false))
		err = because(job, -ETIMEDOUT, "%s still has it after %u s", driver,
			      job->wait_s);
	if (err && job->fn.override[0] && has_driver(job, driver)) {
		struct job back = { .fn = job->fn };

		set_override(&back, back.fn.override);
	}
	return err;
}

static int unbind_job(struct job *job, bool probe)
{
	int err;

	if (!job->fn.vfio[0] && job->fn.driver[0])
		return because(job, -EINVAL, "it is bound to %s, which is no VFIO driver",
			       job->fn.driver);
	if (vfio_in_use(&job->fn))
		return because(job, -EBUSY, "it, or another function of IOMMU group %s, is in "
			       "use; stop its user first", job->fn.group);

	err = release(job);
	if (err || !probe)
		return err;
	err = write_text(at("/sys/bus/pci/drivers_probe").s, job->fn.bdf);
	/* -EINVAL: no driver wants it, which is a result. */
	if (err && err != -EINVAL)
		return because(job, err, "cannot probe for a driver: %s", errno_text(err));
	link_name(at("/sys/bus/pci/devices/%s/driver", job->fn.bdf).s, job->driver,
		  sizeof(job->driver));
	return 0;
}

static int report(const struct job *job, int err, const char *done)
{
	struct json_object *obj;

	if (vpvctl.json) {
		obj = json_object_new_object();
		put_text(obj, "device", job->fn.bdf);
		put_flag(obj, "ok", !err);
		put_text_or_null(obj, "driver", err ? NULL : job->driver);
		put_text_or_null(obj, "node", err ? NULL : job->node);
		put_text_or_null(obj, "error", err ? job->why : NULL);
		print_json(obj, false);
	} else if (!err) {
		printf("%s: %s %s%s%s\n", job->fn.bdf, done,
		       job->driver[0] ? job->driver : "no driver", job->node[0] ? ", " : "",
		       job->node);
	}
	return err ? fail("%s: %s", job->fn.bdf, job->why) : 0;
}

static const struct option bind_options[] = {
	{ "timeout", required_argument, NULL, 't' },
	OPTIONS_COMMON
};

int cmd_bind(int argc, char **argv)
{
	struct job job = { .wait_s = WAIT_DEFAULT_S };

	while (next_option(argc, argv, bind_options,
			   "bind [--timeout SECONDS] [--json] DEV [DRIVER]") != -1)
		job.wait_s = number("--timeout", optarg, 1, 3600);
	if (argc - optind < 1 || argc - optind > 2)
		usage_error("give a device and at most one driver");
	if (argc - optind == 2) {
		const char *driver = argv[optind + 1];

		if (!*driver || strchr(driver, '/') || *driver == '.' || *driver == '-' ||
		    strlen(driver) >= sizeof(job.driver))
			usage_error("'%s' is no name of a driver", driver);
		strcpy(job.driver, driver);
	}
	pci_operand(argv[optind], &job.fn);
	return report(&job, bind_job(&job), "bound to");
}

static const struct option unbind_options[] = {
	{ "no-probe", no_argument, NULL, 'n' },
	{ "timeout", required_argument, NULL, 't' },
	OPTIONS_COMMON
};

int cmd_unbind(int argc, char **argv)
{
	struct job job = { .wait_s = WAIT_DEFAULT_S };
	bool probe = true;
	int opt;

	while ((opt = next_option(argc, argv, unbind_options,
				  "unbind [--no-probe] [--timeout SECONDS] [--json] DEV")) != -1) {
		if (opt == 'n')
			probe = false;
		else
			job.wait_s = number("--timeout", optarg, 1, 3600);
	}
	if (argc - optind != 1)
		usage_error("give one device");
	pci_operand(argv[optind], &job.fn);
	return report(&job, unbind_job(&job, probe), "released, now");
}
