# SPDX-License-Identifier: GPL-2.0
# Every command a person types. `make help` lists them; the work is in scripts/,
# qemu/ and tests/. (What goes into the module: Kbuild.)

VARIANT ?= base
# DISTRO=debian: for the kernel of that distribution, KERNEL=7.2 for its newest one of that version.
ifneq ($(filter-out debian,$(DISTRO)),)
$(error DISTRO=$(DISTRO): there is debian)
endif
ifeq ($(DISTRO),debian)
VARIANT := debian$(if $(KERNEL),-$(KERNEL))
endif
# ARCH=arm64 cross-builds kernel, module and programs.
ifeq ($(ARCH),arm64)
VARIANT := $(if $(filter base,$(VARIANT)),arm64,$(if $(filter debian%,$(VARIANT)),$(VARIANT:-arm64=)-arm64,$(VARIANT)))
endif
ifneq ($(filter %arm64,$(VARIANT)),)
export ARCH := arm64
arch := arm64
else ifeq ($(ARCH),arm64)
$(error ARCH=arm64: there is VARIANT=arm64 and VARIANT=debian-arm64)
endif
# What scripts/build/deps.sh is asked for: Debian's kernel brings its compilers along.
debian   = $(if $(KDIR),$(wildcard $(KDIR)/.kernelvariables),$(filter debian debian-%,$(VARIANT)))
BUILDING = $(if $(debian),debian,kernel)
OUT     ?= $(CURDIR)/out
export OUT

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-plan soak kcsan test-peers bench check deps kernel module tool vm vng host-test mutants off-cost series compare cost oom-matrix test-nbd nbd-map cache cache-clear clean
.PHONY: install uninstall deb test-deb doc htmldocs rust-project.json

help: ## this list
	@echo 'Commands (VARIANT=base|base-btrfs|base-nbd|base-vng|debug|debug-xfs|debian|debian-7.2|arm64|debian-arm64, KDIR=your kernel build, KSRC=your source tree):'
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## pressure on Debian's kernel with swap over NBD: out/demo/ (HELPER=1: on the patched kernel)
	@scripts/demo.sh

test: ## host tests, checks, each scenario on the kernel that shows its faults (OF=rust/helper: what guards that)
	@scripts/test.sh change

test-all: ## the same, with every scenario on every kernel (SHARD=2/4 RESUME=1)
	@scripts/test.sh all

test-plan: ## what `make test` runs where, and how long that took before (TIER=all SHARD=)
	@qemu/run-tests.py --tier $(or $(TIER),change) --shard $(or $(SHARD),1/1) --plan

soak: ## random loads against random events for HOURS=1 (SEED= VARIANT=)
	@scripts/measure/soak.sh $(HOURS)

kcsan: ## scenarios under the kernel's detector of data races (RUN='FOLDER/NAME.sh ...')
	@scripts/measure/kcsan.sh $(RUN)

test-peers: ## selftests of the kernel, stress-ng and LTP, without the module and with it (PARTS= LTP=)
	@VARIANT=$(VARIANT) scripts/measure/peers.sh $(PARTS)

bench: ## stock and reclaimwb side by side: out/bench/; PAIRS=1 SCENARIOS='sparse ...' COUNT=20
	@scripts/measure/bench.sh $(SCENARIOS)

check: ## format, lints, checkpatch, shellcheck, the project's own rules
	@scripts/build/deps.sh kernel check
	@scripts/check/check.sh

deps: ## install what building and testing need (Debian-like systems)
	@scripts/build/deps.sh kernel vm tool check test host

kernel: ## build (or find in the cache) the dev kernel; prints its folder
	@scripts/lib/typed.sh kernel "$(VARIANT)"
	@scripts/build/deps.sh $(BUILDING)
	@scripts/build/kernel.sh --variant $(VARIANT)

module: ## build reclaimwb.ko for the dev kernel into out/module/ (DISTRO=debian [KERNEL=7.2]: for Debian's own)
	@scripts/lib/typed.sh kernel "$(VARIANT)"
	@scripts/build/deps.sh $(BUILDING)
	@scripts/build/module.sh --variant $(VARIANT) $(if $(CLIPPY),CLIPPY=$(CLIPPY))

tool: ## build the reclaimwb command into out/bin/
	@scripts/build/deps.sh tool $(arch)
	@scripts/build/tool.sh

vm: ## boot the dev kernel in QEMU with a shell; RUN=module/load.sh runs a test
	@scripts/lib/typed.sh kernel "$(VARIANT)"
	@scripts/lib/typed.sh tests $(filter-out shell /%,$(RUN))
	@scripts/build/deps.sh $(BUILDING) vm tool test $(arch)
	@scripts/build/module.sh --variant $(VARIANT) >/dev/null
	@scripts/build/tool.sh >/dev/null
	@$(MAKE) -s -C tests
	@qemu/vm.sh --variant $(VARIANT) --nbd fast $(if $(RUN),$(RUN:%=--run %),--interactive)

# Unless another one was asked for.
vng: VARIANT := $(if $(filter file,$(origin VARIANT)),base-vng,$(VARIANT))
vng: ## run tests under virtme-ng; RUN='module/load.sh ...' chooses which
	@scripts/lib/typed.sh kernel "$(VARIANT)"
	@scripts/lib/typed.sh tests $(RUN)
	@scripts/build/deps.sh kernel vm tool test
	@scripts/build/module.sh --variant $(VARIANT) >/dev/null
	@scripts/build/tool.sh >/dev/null
	@$(MAKE) -s -C tests
	@qemu/run-tests.py --with vng --variant $(VARIANT) $(if $(RUN),$(RUN),module/load.sh kind/nbd.sh)

off-cost: ## what the kernel patch costs while no helper is registered
	@scripts/lib/typed.sh kernel "$(VARIANT)"
	@scripts/build/deps.sh kernel
	@scripts/measure/off-cost.sh $(VARIANT)

series: ## does each kernel patch build without those that follow it?
	@scripts/lib/typed.sh kernel "$(VARIANT)"
	@scripts/build/deps.sh kernel
	@scripts/check/series.sh $(VARIANT)

compare: ## what bpftrace, bcc, perf, trace-cmd, PSI and delay accounting say of one load (TOOLS=)
	@scripts/measure/compare.sh $(TOOLS)

cost: ## what watching costs, in instructions a page (LOADS= RUNS= SIDES=)
	@scripts/measure/cost.sh $(SIDES)

oom-matrix: ## OOM kills with and without handoff (RUNS= CELLS=)
	@scripts/measure/oom-matrix.sh $(CELLS)

test-nbd: ## swap over NBD while something goes wrong: out/nbd/matrix.txt (SCENARIOS= SIDES= KDIR=)
	@VARIANT=$(VARIANT) scripts/measure/test-nbd.sh $(SCENARIOS)

nbd-map: ## where swap over NBD crawls or hangs: out/nbd/map.txt (POINTS='base link=5,hog=0' SIDES= REPEAT= KDIR=)
	@VARIANT=$(VARIANT) scripts/measure/nbd-map.sh $(POINTS)

host-test: ## tests that need no kernel: policy, tool, scripts
	@scripts/build/deps.sh kernel tool host
	@qemu/run-tests.py --host

mutants: ## do the policy's tests notice when its code is changed? (OF='handoff link' J=2)
	@scripts/build/deps.sh tool
	@scripts/check/mutants.sh $(OF)

install: ## tool, manual, unit, and the module for KDIR or the running kernel (PREFIX= DESTDIR= MODULE=no)
	@scripts/package/install.sh

uninstall: ## remove what `make install` put there (the same PREFIX= DESTDIR=)
	@scripts/package/install.sh --uninstall

deb: ## Debian packages reclaimwb-tools and reclaimwb-dkms in out/deb/
	@scripts/package/deb.sh

test-deb: deb ## install them in clean chroots, load the module in a guest, purge them (as root)
	@scripts/build/deps.sh chroot debian vm test
	@qemu/run-tests.py --host deb tests/host/deb/chroot.sh
	@qemu/run-tests.py --host deb13 tests/host/deb/debian13.sh

doc: ## rustdoc of the module in out/doc/ (KERNEL_DOC=URL of the kernel crates')
	@scripts/build/doc.sh

rust-project.json: ## for rust-analyzer: the module's crate and the kernel's
	@scripts/build/rust-project.sh

htmldocs: ## Documentation/ as HTML: out/docs/html/index.html
	@scripts/build/htmldocs.sh

cache: ## what the cache outside this folder holds
	@scripts/build/cache.sh list

cache-clear: ## empty it
	@scripts/build/cache.sh clear

clean: ## remove out/
	rm -rf "$(OUT)"
