# SPDX-License-Identifier: GPL-2.0
#
# People's targets; `make help` lists them. The objects are named in Kbuild. Modules are built in a copy of their
# sources, build/<kernel release>/, so that the tree stays clean and kernels do not mix.

KDIR ?= /lib/modules/$(shell uname -r)/build
LAB := tools/lab/lab

release = $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)
BUILD ?= $(CURDIR)/build/$(release)

all: modules

headers:
	@test -n "$(release)" && test -e "$(KDIR)/Makefile" || { \
		echo "no kernel headers in $(KDIR): install them (apt install linux-headers-$$(uname -r)) or" \
			"give KDIR=DIR" >&2; exit 1; }

sources: headers
	@tools/lab/copy-sources "$(CURDIR)" "$(BUILD)"

modules: sources
	+$(MAKE) -C $(KDIR) M=$(BUILD) modules
	@echo "modules: $(BUILD)"

modules_install: modules
	+$(MAKE) -C $(KDIR) M=$(BUILD) modules_install

demo:
	@$(LAB) demo

check:
	@$(LAB) check $(if $(TEST),'$(TEST)')

check-upstream:
	@$(LAB) check-upstream $(if $(TEST),'$(TEST)')

soak:
	@$(LAB) soak

ioctl-fuzz:
	@$(LAB) ioctl-fuzz

coverage:
	@$(LAB) coverage $(if $(TEST),'$(TEST)')

bench:
	@$(LAB) bench

scale:
	@$(LAB) scale

shell:
	@$(LAB) shell

build-matrix:
	@$(LAB) build-matrix

host-check:
	@$(LAB) host-check $(if $(TEST),'$(TEST)')

dist:
	@tools/dist.sh build

deb:
	@$(LAB) deb

fuzz:
	@$(LAB) exec make --no-print-directory -C tools/fuzz long O=$(CURDIR)/build/fuzz \
		NAME=$(or $(NAME),persona) FUZZ_INPUTS=$(or $(FUZZ_INPUTS),10000000)

clean:
	rm -rf build

help:
	@echo 'make                  build the modules for the running kernel, or for KDIR=DIR'
	@echo 'make modules_install  install them (as root)'
	@echo 'make demo             show a live migration; ROUNDS=n migrates back and forth, DEVICE=mlx5_like'
	@echo '                      takes network functions, and compares the downtime without pre-copy; DEVICE=nvme_cf disks;'
	@echo '                      DEVICE=coherent_gpu functions with coherent memory, of MIB=256 to 8192;'
	@echo '                      DIALECT=v1 migrates by the region of older VMMs, with QEMU 7.2; HOSTS=2 between two hosts,'
	@echo '                      by libvirt'
	@echo 'make check            run all tests; TEST=name runs one group, TEST=group/name one test'
	@echo 'make check-upstream   run the kernel'\''s VFIO selftests with vfio-pci and with vpv_pci, and compare'
	@echo 'make soak             random migrations, resets, faults, kills for MINUTES (5) or MIGRATIONS; SEED repeats a run'
	@echo 'make ioctl-fuzz       fuzz what users of VFIO can call, for MINUTES (5) or CALLS; SEED; KERNEL=debug or lean'
	@echo 'make coverage         which lines of pure files the KUnit suites execute; TEST=name: of all files a group does'
	@echo 'make bench            count what vpv_pci costs beside vfio-pci: build/bench/'
	@echo 'make scale            count what each of many functions costs, FUNCTIONS (64) of one device: build/scale/'
	@echo 'make host-check       run the tests that need no virtual machine'
	@echo 'make build-matrix     build with W=1 and sparse for every kernel that the lab has headers of'
	@echo 'make dist             the tarball of the release, into build/'
	@echo 'make deb              and Debian packages made from it, into build/deb/'
	@echo 'make fuzz             run the fuzzer of personas, or of NAME, for FUZZ_INPUTS inputs; report coverage'
	@echo 'make shell            a shell in the virtual host with our driver bound'
	@echo 'make clean            remove build/; tools/lab/lab clean removes the lab'\''s cache'

.PHONY: all headers sources modules modules_install demo check check-upstream soak ioctl-fuzz coverage bench scale shell build-matrix host-check dist deb fuzz clean help
