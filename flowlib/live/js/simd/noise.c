/* Random numbers. */

#include "simd.h"

/* o = n numbers from (0, 1), the same bits as noise.js has them. */
EXPORT(uniform)
void uniform(float *o, int seed, int n) {
  vector step = wasm_i32x4_splat(0x6d2b79f5);
  vector state = wasm_i32x4_add(wasm_i32x4_splat(seed), wasm_i32x4_mul(step, wasm_i32x4_const(1, 2, 3, 4)));
  for (int i = 0; i < n; i += 4) {
    vector a = wasm_v128_xor(state, wasm_u32x4_shr(state, 15));
    vector bits = wasm_i32x4_mul(a, wasm_v128_or(state, wasm_i32x4_splat(1)));
    vector b = wasm_v128_xor(bits, wasm_u32x4_shr(bits, 7));
    b = wasm_i32x4_mul(b, wasm_v128_or(bits, wasm_i32x4_splat(61)));
    bits = wasm_v128_xor(bits, wasm_i32x4_add(bits, b));
    bits = wasm_u32x4_shr(wasm_v128_xor(bits, wasm_u32x4_shr(bits, 14)), 9);
    STORE(o + i, MUL(ADD(wasm_f32x4_convert_i32x4(bits), SPLAT(0.5f)), SPLAT(0x1p-23f)));
    state = wasm_i32x4_add(state, wasm_i32x4_shl(step, 2));
  }
}
