/* SPDX-License-Identifier: Apache-2.0 */
/* libffi, as far as typed actions need it. Its type table is mutable globals, which Swift does not let in: each is behind an
   accessor. Source: ffi(3), ffi_prep_cif(3), ffi_call(3). */
#ifndef TROVE_CFFI_SHIM_H
#define TROVE_CFFI_SHIM_H
#include <ffi.h>
#include <stdint.h>

static inline ffi_type *cffi_sint32(void) { return &ffi_type_sint32; }
static inline ffi_type *cffi_sint64(void) { return &ffi_type_sint64; }
static inline ffi_type *cffi_uint64(void) { return &ffi_type_uint64; }
static inline ffi_type *cffi_double(void) { return &ffi_type_double; }
static inline ffi_type *cffi_pointer(void) { return &ffi_type_pointer; }

/* Describes a function of the platform's convention that returns int32_t. cif keeps types. 0 if it can be called. */
static inline int cffi_prepare(ffi_cif *cif, unsigned count, ffi_type **types) {
  return ffi_prep_cif(cif, FFI_DEFAULT_ABI, count, &ffi_type_sint32, types) == FFI_OK ? 0 : -1;
}

/* Calls it. A result narrower than a register is widened, so it is received in an ffi_arg. */
static inline int32_t cffi_call(ffi_cif *cif, void (*function)(void), void **values) {
  ffi_arg result = 0;
  ffi_call(cif, function, &result, values);
  return (int32_t)result;
}
#endif
