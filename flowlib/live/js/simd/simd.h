/* What the kernels share.
 *
 * Every value of a graph starts on a multiple of 16 bytes and has room for eight numbers behind its
 * last one: a kernel may read and write up to seven numbers too many, and needs no loop for the rest.
 */

#include <wasm_simd128.h>

typedef v128_t vector;

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

#define LOAD(x) wasm_v128_load(x)
#define STORE(o, x) wasm_v128_store(o, x)

/* Four times, or twice, the same number.  A constant is kept from the compiler, which would write it
 * out for each lane: 18 bytes. */
INLINE vector splat(float x) {
  __asm__("" : "+r"(x));
  return wasm_f32x4_splat(x);
}
INLINE vector splat_wide(double x) {
  __asm__("" : "+r"(x));
  return wasm_f64x2_splat(x);
}
#define SPLAT splat
#define WIDE splat_wide

#define ADD wasm_f32x4_add
#define SUB wasm_f32x4_sub
#define MUL wasm_f32x4_mul
#define DIV wasm_f32x4_div

/* From a mask to the numbers 1 and 0. */
INLINE vector truth(vector mask) { return wasm_v128_and(mask, SPLAT(1)); }
