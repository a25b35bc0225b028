# SPDX-License-Identifier: Apache-2.0
# What a person runs. Every target takes CONFIG=debug|release; demo, trial, serve and install default to release.

CONFIG ?= debug
PREFIX ?= /usr/local
RELEASED := $(if $(filter command environment,$(origin CONFIG)),$(CONFIG),release)

.PHONY: build demo trial serve test clients bench tsan fuzz lint format install packages clean

build: packages ## programs, plugins and SDK
	@scripts/build $(CONFIG)

demo: ## from nothing to a database, a backup and a restore
	@scripts/install-packages build run && scripts/build $(RELEASED) && python3 -B scripts/demo.py --config $(RELEASED)

trial: ## private MariaDB, RabbitMQ, Keystone and Barbican, two processes of each role; TRIAL_CHECK=1 checks it and ends
	@scripts/install-packages build run test && scripts/build $(RELEASED) && scripts/clients && scripts/peers \
		&& exec python3 -B scripts/trial.py --config $(RELEASED) $(if $(TRIAL_CHECK),--check)

serve: ## the control plane in the foreground (TROVE_HOME, TROVE_LISTEN)
	@scripts/install-packages build run >&2 && scripts/build $(RELEASED) >&2 && exec .build/$(RELEASED)/trove serve

test: ## every test
	@scripts/install-packages build run test && scripts/test $(CONFIG)

clients: ## every call of every client, with its effect; writes docs/clients.md; SHAPE=production, ONLY=sdk
	@scripts/install-packages build run test && scripts/build $(CONFIG) && scripts/clients && scripts/peers \
		&& python3 -B scripts/client_table/run.py --config $(CONFIG) $(if $(SHAPE),--shape $(SHAPE)) \
			$(if $(ONLY),--only $(ONLY),--report docs/clients.md)

bench: ## ratios against floors measured in the same run
	@scripts/install-packages build run test && scripts/build release && python3 -B Benchmarks/run.py

tsan: ## a hundred thousand concurrent operations over plugins, under the thread sanitizer
	@scripts/install-packages build run test && scripts/tsan

fuzz: ## the API against what schemathesis makes of its document; FUZZ=N examples an operation and phase, the report goes to docs/
	@scripts/install-packages build run && scripts/build $(CONFIG) && scripts/fuzzer \
		&& python3 -B scripts/fuzz.py --config $(CONFIG) --examples $(or $(FUZZ),90) $(if $(FUZZ),,--report docs/fuzz-report.md)

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
