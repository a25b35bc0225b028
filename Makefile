# SPDX-License-Identifier: Apache-2.0
# What a person runs. Every target takes CONFIG=debug|release; demo, serve and install default to release.

CONFIG ?= debug
PREFIX ?= /usr/local
RELEASED := $(if $(filter command environment,$(origin CONFIG)),$(CONFIG),release)

.PHONY: build demo serve test bench tsan lint format install packages clean

build: packages ## programs, plugins and SDK
	@scripts/build $(CONFIG)

demo: ## from nothing to a database, a backup and a restore
	@scripts/install-packages build run && scripts/build $(RELEASED) && python3 -B scripts/demo.py --config $(RELEASED)

serve: ## the control plane in the foreground (TROVE_HOME, TROVE_LISTEN)
	@scripts/install-packages build run >&2 && scripts/build $(RELEASED) >&2 && exec .build/$(RELEASED)/trove serve

test: ## every test
	@scripts/install-packages build run test && scripts/test $(CONFIG)

bench: ## ratios against floors measured in the same run
	@scripts/install-packages build run test && scripts/build release && python3 -B Benchmarks/run.py

tsan: ## a hundred thousand concurrent operations over plugins, under the thread sanitizer
	@scripts/install-packages build run test && scripts/tsan

lint: ## formatting and licence lines
	@scripts/lint

format:
	@swift format -i --recursive Sources Plugins Tests Package.swift

install: packages ## copy programs, plugins, SDK and samples below PREFIX
	@scripts/build $(RELEASED) && scripts/install $(RELEASED) "$(PREFIX)"

packages:
	@scripts/install-packages build

clean:
	@rm -rf .build
