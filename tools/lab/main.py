#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The lab's verbs. Started by enter.sh inside the tool root; people call tools/lab/lab.

usage: tools/lab/lab run [options] -- COMMAND...   run COMMAND in L1 (options: run --help)
usage: tools/lab/lab shell [options]               a shell in L1 with our modules loaded and functions bound
usage: tools/lab/lab guest --out DIR [options]     write kernel and initrd of an L2 guest
usage: tools/lab/lab demo                          the live migration demo (ROUNDS=n, DEVICE=hisi_like|mlx5_like|nvme_cf|coherent_gpu, HOSTS=2)
usage: tools/lab/lab check [TEST]                  all tests, one group or one test
usage: tools/lab/lab check-upstream [TEST]         the kernel's VFIO selftests with vfio-pci and with vpv_pci
usage: tools/lab/lab soak                          random migrations, resets, faults for MINUTES, or MIGRATIONS; SEED repeats a run
usage: tools/lab/lab ioctl-fuzz                    fuzz what users of VFIO can call for MINUTES, or CALLS; SEED; KERNEL=lean
usage: tools/lab/lab coverage [TEST]               which lines of pure files the KUnit suites execute; which of our modules these groups do
usage: tools/lab/lab bench                         what vpv_pci costs beside vfio-pci
usage: tools/lab/lab scale                         what many functions of one device cost, FUNCTIONS of them (64)
usage: tools/lab/lab deb                           the release's tarball and Debian packages, into build/deb/
usage: tools/lab/lab build-matrix                  build against every packaged kernel
usage: tools/lab/lab host-check                    the tests that need no machine
usage: tools/lab/lab modules [--kernel NAME]       build our modules for a kernel of the lab
usage: tools/lab/lab kernel                        build the debug kernel
usage: tools/lab/lab exec COMMAND...               run COMMAND in the tool root
usage: tools/lab/lab clean                         remove the cache
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bench  # noqa: E402
import check  # noqa: E402
import scale  # noqa: E402
import tests  # noqa: E402
from labkit import build, cover, devices, env, image, kernel, models, packages, splat, vm  # noqa: E402
from labkit.progress import LabError, run_logged, say  # noqa: E402


def machine_options(parser):
    parser.add_argument("--kernel", choices=kernel.NAMES, default="stock")
    parser.add_argument("--models", default="", metavar="NAME:COUNT[:KEY=VALUE...][,...]",
                        help="functions, listed in /vpv/devices")
    parser.add_argument("--devices", default="", metavar="NAME[:KEY=VALUE...][,...]",
                        help=f"QEMU's own devices, listed in /vpv/stock: {' '.join(devices.KINDS)}")
    parser.add_argument("--model-binary", type=Path, help="instead of build/models/vpv-model")
    parser.add_argument("--model-option", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--payload", action="append", default=[], type=Path, metavar="DIR", help="becomes /vpv")
    parser.add_argument("--timeout", type=int, default=600, metavar="S", help="of the job, without booting")
    parser.add_argument("--log", type=Path, metavar="DIR", help="console, output and /vpv/out go there")
    parser.add_argument("--mem", type=int, default=3072, metavar="MB")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--iommu", choices=("on", "off"), default="on")
    parser.add_argument("--append", default="", help="more kernel command line")
    parser.add_argument("--qemu", action="append", default=[], metavar="ARG", help="one more QEMU argument")


def job_from(args, command):
    return vm.Job(kernel=kernel.named(args.kernel), command=command, payload=args.payload,
                  models=models.parse(args.models), devices=devices.parse(args.devices), model_binary=args.model_binary,
                  model_options=args.model_option, timeout=args.timeout, log=args.log, memory=args.mem,
                  cpus=args.cpus, iommu=args.iommu == "on", qemu=args.qemu, append=args.append)


def cmd_run(words):
    if "--" in words:
        split = words.index("--")
        words, command = words[:split], words[split + 1:]
    else:
        command = []
    parser = argparse.ArgumentParser(prog="lab run", usage="lab run [options] -- COMMAND...")
    machine_options(parser)
    args = parser.parse_args(words)
    if not command:
        parser.error("no command (a single word with spaces is a shell command line)")
    result = vm.run(job_from(args, command))
    vm.report(result)
    say(f"L1 was up after {result.boot_seconds:.1f} s and ran {result.seconds:.1f} s; status {result.status}")
    return result.status if result.status else 0 if result.ok else 1


def cmd_guest(words):
    parser = argparse.ArgumentParser(prog="lab guest")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kernel", choices=kernel.NAMES, default="stock")
    parser.add_argument("--payload", type=Path, help="becomes /payload; the guest runs /payload/init")
    parser.add_argument("--modules", default="", help="more modules of the kernel, comma separated")
    parser.add_argument("--own-modules", type=Path, nargs="*", default=[], help="files of further modules")
    args = parser.parse_args(words)
    image.guest_image(args.out, kernel.named(args.kernel), args.payload, filter(None, args.modules.split(",")),
                      args.own_modules)
    return 0


def cmd_kernel(_words):
    kern = kernel.debug()
    print(f"{kern.release}\n{kern.image}\n{kern.build}")
    return 0


def cmd_modules(words):
    parser = argparse.ArgumentParser(prog="lab modules")
    parser.add_argument("--kernel", choices=kernel.NAMES, default="stock")
    kern = kernel.named(parser.parse_args(words).kernel)
    build.modules(kern)
    print(env.BUILD / kern.release)
    return 0


def cmd_exec(words):
    if not words:
        raise LabError("exec: which command?")
    return subprocess.run(words, env=dict(os.environ, PYTHONPATH=str(env.LAB))).returncode


def cmd_deb(_words):
    env.BUILD.mkdir(exist_ok=True)
    for path in sorted(packages.build(env.BUILD).iterdir()):
        print(path)
    return 0


def cmd_shell(words):
    if not sys.stdin.isatty():
        raise LabError("shell needs a terminal; use: tools/lab/lab run -- COMMAND")
    parser = argparse.ArgumentParser(prog="lab shell")
    machine_options(parser)
    parser.set_defaults(models="hisi_like:2")
    args = parser.parse_args(words)
    kern = kernel.named(args.kernel)
    payload = env.WORK / "payload-shell"
    shutil.copytree(build.modules(kern), payload / "modules")
    (payload / "profile").write_text("PS1='L1# '\nvpv-bind\n")
    args.payload.append(payload)
    args.model_binary = args.model_binary or build.models()
    say("booting L1; leave it with 'exit'")
    result = vm.run(job_from(args, []))
    vm.report(result)
    return 0 if result.ok else 1


def cmd_demo(words):
    return subprocess.run([sys.executable, str(env.LAB / "e2e/demo.py"), *words], stdin=subprocess.DEVNULL,
                          env=dict(os.environ, PYTHONPATH=str(env.LAB))).returncode


def cmd_check(words):
    return check.main(words)


def cmd_check_upstream(words):
    status = check.main(words, tests.UPSTREAM)
    for table in sorted(env.LOGS.glob("*/out/*/table")):
        print(f"\n{table.read_text()}", end="")
    return status


def _bounded(name, most, machine, corpus=""):
    """Run the program of group NAME in MACHINE until MINUTES are over or there was as much as the environment says by MOST."""
    given = {key: os.environ[key] for key in ("SEED", "MINUTES", most) if os.environ.get(key)}
    minutes = given.setdefault("MINUTES", str(24 * 60) if most in given else "5")
    for key, value in given.items():
        if not re.fullmatch(r"0|[1-9]\d*|0x[0-9a-f]+", value):
            raise LabError(f"{key}={value}: expected a number")
    words = " ".join(f"{key}={value}" for key, value in given.items())
    return check.main([name], (tests.Group(name, "vm", f"{words} GROUP={name} /vpv/selftests/run.sh", needs="selftests",
                                           timeout=int(minutes, 0) * 60 + 600, machine=machine, corpus=corpus),))


def cmd_soak(_words):
    return _bounded("soak", "MIGRATIONS", tests.SOAKED)


def _covered(name="debug"):
    """What machines of this run with the kernel NAME have left, by module."""
    return cover.modules(build.modules_folder(kernel.named(name), True),
                         [path.parent for path in env.LOGS.glob(f"l1-{name}-*/out/cover/blocks")])


def cmd_ioctl_fuzz(_words):
    name = os.environ.get("KERNEL", tests.FUZZED.kernel)
    if name not in ("debug", "lean"):
        raise LabError(f"KERNEL={name}: debug or lean")
    status = _bounded("ioctl-fuzz", "CALLS", replace(tests.FUZZED, kernel=name), "ioctl-corpus")
    for found in env.LOGS.glob("l1-*/out/corpus"):
        shutil.copytree(found, env.BUILD / "ioctl-corpus", dirs_exist_ok=True)
    figures = re.search(r"# figures: (.*)", (env.LOGS / "check-ioctl-fuzz.log").read_text(errors="replace"))
    reports = splat.scan([path for folder in env.LOGS.glob("l1-*") for path in vm.logs(folder)])
    lines = "; ".join(f"{module} {cover.share(lines)}" for module, lines in _covered(name).items() if any(lines.values()))
    print(f"{figures[1] if figures else 'it did not end'}; lines executed: {lines}; kernel reports {len(reports)}")
    return status


def _cover_groups(words):
    """Run groups; print what of each file of our modules was executed in machines that have the debug kernel."""
    status = check.main(words, tuple(replace(group, machine=replace(group.machine, cover=group.machine.kernel == "debug"))
                                     for group in tests.GROUPS + tests.UPSTREAM))
    lines = defaultdict(bool)
    for found in _covered().values():
        for line, hit in found.items():
            lines[line] |= hit
    for file, share in cover.by_file(lines):
        print(f"{file:40} {share}")
    print(f"{'all':40} {cover.share(lines)}")
    return status


def cmd_coverage(words):
    if words and words[0]:
        return _cover_groups(words)
    folder = env.BUILD / "host-cover"
    run_logged("run the host suites", ["make", "-s", "-C", str(env.REPO / "kunit/host"), "check", "COVER=1", f"O={folder}"])
    for file, share in cover.by_file(cover.pure(folder)):
        print(f"{file:40} {share}")
    return 0


def cmd_bench(_words):
    return bench.main()


def cmd_scale(_words):
    return scale.main()


def cmd_host_check(words):
    return check.main(words, host_only=True)


def cmd_build_matrix(_words):
    return check.main(["build-matrix"])


COMMANDS = {
    "run": cmd_run,
    "guest": cmd_guest,
    "kernel": cmd_kernel,
    "exec": cmd_exec,
    "modules": cmd_modules,
    "shell": cmd_shell,
    "deb": cmd_deb,
    "demo": cmd_demo,
    "check": cmd_check,
    "host-check": cmd_host_check,
    "check-upstream": cmd_check_upstream,
    "soak": cmd_soak,
    "ioctl-fuzz": cmd_ioctl_fuzz,
    "coverage": cmd_coverage,
    "bench": cmd_bench,
    "scale": cmd_scale,
    "build-matrix": cmd_build_matrix,
}


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb not in COMMANDS:
        print(f"lab: no verb '{verb}'; tools/lab/lab help lists them", file=sys.stderr)
        return 2
    # Those with options of their own explain them themselves.
    if {"-h", "--help"} & set(sys.argv[2:3]) and verb not in ("run", "guest", "modules", "shell", "exec"):
        print(next(line for line in __doc__.splitlines() if line.startswith(f"usage: tools/lab/lab {verb} ")))
        return 0
    try:
        return COMMANDS[verb](sys.argv[2:])
    except LabError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
