# SPDX-License-Identifier: GPL-2.0
# Every command a person types. `make help` lists them; the work is in scripts/,
# qemu/ and tests/. (What goes into the module: Kbuild.)

VARIANT ?= base
OUT     ?= $(CURDIR)/out
export OUT

.DEFAULT_GOAL := help
.PHONY: help demo test bench check deps kernel module tool vm vng host-test off-cost cache cache-clear clean

help: ## this list
	@echo 'Commands (VARIANT=base|base-nbd|debug, KDIR=your kernel build, KSRC=your source tree):'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## set up, boot, pressure over NBD swap; the report is in out/demo/
	@scripts/demo.sh

test: ## host tests, checks, and the whole suite on base and debug kernels
	@scripts/test.sh

bench: ## stock and reclaimwb side by side: out/bench/; PAIRS=1 SCENARIOS='sparse ...' COUNT=20
	@scripts/bench.sh $(SCENARIOS)

check: ## format, lints, checkpatch, shellcheck, the project's own rules
	@scripts/deps.sh kernel check
	@scripts/check.sh

deps: ## install what building and testing need (Debian-like systems)
	@scripts/deps.sh kernel vm tool check test

kernel: ## build (or find in the cache) the dev kernel; prints its folder
	@scripts/deps.sh kernel
	@scripts/kernel.sh --variant $(VARIANT)

module: ## build reclaimwb.ko for the dev kernel into out/module/
	@scripts/deps.sh kernel
	@scripts/module.sh --variant $(VARIANT) $(if $(CLIPPY),CLIPPY=$(CLIPPY))

tool: ## build the reclaimwb command into out/bin/
	@scripts/deps.sh tool
	@scripts/tool.sh

vm: ## boot the dev kernel in QEMU with a shell; RUN=load.sh runs a test
	@scripts/deps.sh kernel vm tool test
	@scripts/module.sh --variant $(VARIANT) >/dev/null
	@scripts/tool.sh >/dev/null
	@$(MAKE) -s -C tests
	@qemu/vm.sh --variant $(VARIANT) --nbd fast $(if $(RUN),--run $(RUN),--interactive)

vng: ## run tests under virtme-ng; RUN='load.sh ...' chooses which
	@scripts/deps.sh kernel vm tool test
	@scripts/module.sh --variant $(VARIANT) >/dev/null
	@scripts/tool.sh >/dev/null
	@$(MAKE) -s -C tests
	@qemu/run-tests.sh --with vng $(if $(RUN),$(RUN),load.sh kind-nbd.sh)

off-cost: ## what the kernel patch costs while no helper is registered
	@scripts/deps.sh kernel
	@scripts/off-cost.sh $(VARIANT)

host-test: ## tests that need no kernel: policy, tool, scripts
	@scripts/deps.sh kernel tool
	@scripts/host-test.sh

cache: ## what the cache outside this folder holds
	@scripts/cache.sh list

cache-clear: ## empty it
	@scripts/cache.sh clear

clean: ## remove out/
	rm -rf "$(OUT)"
