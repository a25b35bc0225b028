# SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0
# Builds one plugin; a plugin's Makefile sets these and includes this file:
#
#   NAME      the library is NAME.so                           LANGUAGE  c, rust or swift
#   SOURCES   of C: the .c files                                LDLIBS    of C: libraries, e.g. -lfoo
#   PRODUCT   of Swift: the dynamic library product (NAME)      FILES     what else is packed, e.g. a schema
#
# all      NAME.so and plugin.json with the library's digest and platform: the directory can be checked and installed
# package  NAME.tar.zst, for another machine
# clean    takes away what was made
#
# OUT (.) is where results go, SCRATCH (.build) where work is done. Needs nothing but this directory and the compiler.

SDK := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
OUT ?= .
SCRATCH ?= .build
FILES ?=
PRODUCT ?= $(NAME)
export TROVE_SDK := $(SDK)

ifeq ($(strip $(NAME)),)
$(error NAME is not set; see $(SDK)/plugin.mk)
endif
ifeq ($(filter $(LANGUAGE),c rust swift),)
$(error LANGUAGE must be c, rust or swift, not '$(LANGUAGE)')
endif

.PHONY: all library package clean
.DEFAULT_GOAL := all

# ---- C: export the entry alone, resolve everything at load ----
CC ?= cc
CFLAGS ?= -O2 -g
PLUGIN_CFLAGS = -std=gnu11 -fPIC -fvisibility=hidden -Wall -Wextra -I$(SDK)/include -I$(SDK)/c
PLUGIN_LDFLAGS = -shared -Wl,--version-script=$(SDK)/exports.map -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack

# ---- Swift: the same, and no record of where the toolchain is. The host hashes a library at each load: no debug
# information, unless SWIFTFLAGS says otherwise ----
SWIFTFLAGS ?= -debug-info-format none
PLUGIN_SWIFTFLAGS = -Xswiftc -use-ld=lld -Xswiftc -no-toolchain-stdlib-rpath \
	-Xlinker --version-script=$(SDK)/exports.map -Xlinker -Bsymbolic -Xlinker -z -Xlinker defs -Xlinker -z -Xlinker now

ifeq ($(LANGUAGE),c)
BUILT := $(SCRATCH)/$(NAME).so
library:
	@mkdir -p "$(SCRATCH)"
	$(CC) $(PLUGIN_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(PLUGIN_LDFLAGS) $(LDFLAGS) -o "$(BUILT)" $(SOURCES) $(LDLIBS)
endif
ifeq ($(LANGUAGE),rust)
# cargo and rustc of one toolchain: 1.80 or newer. A crate's '-' is '_' in its library's name.
CARGO ?= cargo
BUILT := $(SCRATCH)/release/lib$(subst -,_,$(NAME)).so
library:
	$(CARGO) build --quiet --release --offline --target-dir "$(abspath $(SCRATCH))"
endif
ifeq ($(LANGUAGE),swift)
SWIFT ?= swift
BUILT := $(SCRATCH)/release/lib$(PRODUCT).so
library:
	$(SWIFT) build --quiet -c release --disable-automatic-resolution --scratch-path "$(abspath $(SCRATCH))" --product $(PRODUCT) $(PLUGIN_SWIFTFLAGS) $(SWIFTFLAGS)
endif

# A library that is mapped somewhere is never overwritten, only replaced by name, and only if its bytes differ. The
# manifest comes last: it never names bytes that are not there yet.
all: library
	@set -eu; mkdir -p "$(OUT)"; \
	place() { if cmp -s "$$1" "$$2"; then rm -f "$$1"; else chmod 644 "$$1"; mv -f "$$1" "$$2"; fi; }; \
	cp "$(BUILT)" "$(OUT)/.$(NAME).so.new"; \
	place "$(OUT)/.$(NAME).so.new" "$(OUT)/$(NAME).so"; \
	digest=$$(sha256sum "$(OUT)/$(NAME).so" | cut -c1-64); \
	sed -e "s/\"sha256\": *\"[0-9a-f]*\"/\"sha256\": \"$$digest\"/" \
	    -e "s/\"platform\": *\"[^\"]*\"/\"platform\": \"linux-$$(uname -m)-gnu\"/" plugin.json >"$(OUT)/.plugin.json.new"; \
	grep -q "$$digest" "$(OUT)/.plugin.json.new" || \
	    { rm -f "$(OUT)/.plugin.json.new"; echo "plugin.json has no library.sha256 to fill" >&2; exit 1; }; \
	place "$(OUT)/.plugin.json.new" "$(OUT)/plugin.json"; \
	for file in $(FILES); do \
	    [ "$$file" -ef "$(OUT)/$$(basename "$$file")" ] || cp "$$file" "$(OUT)/"; \
	done; \
	echo "made $(OUT)/$(NAME).so and $(OUT)/plugin.json"

# Fixed owner, order and modes: equal files make an equal package. Installing names the directory after the file.
package: all
	@set -eu; tar -C "$(OUT)" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rw,go=r \
	    -cf "$(SCRATCH)/$(NAME).tar" plugin.json "$(NAME).so" $(notdir $(FILES)); \
	zstd -q -f -19 "$(SCRATCH)/$(NAME).tar" -o "$(OUT)/$(NAME).tar.zst"; rm -f "$(SCRATCH)/$(NAME).tar"; \
	echo "made $(OUT)/$(NAME).tar.zst"

clean:
	rm -rf -- "$(SCRATCH)"
	rm -f -- "$(OUT)/$(NAME).so" "$(OUT)/$(NAME).tar.zst"
