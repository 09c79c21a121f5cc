/* Sums and maxima. */

#include "simd.h"

/* The sums along n of x, of shape (outer, n, inner); in double precision, for a float32 sum of many
 * numbers would be off by more than torch's. */
EXPORT(sum)
void sum(float *o, float *x, int outer, int n, int inner) {
  if (n == 2 && inner == 1) { /* of points on a plane; a sum of two is rounded once anyway */
    for (int i = 0; i < outer; i += 4) {
      vector a = LOAD(x + 2 * i), b = LOAD(x + 2 * i + 4);
      STORE(o + i, ADD(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7)));
    }
    return;
  }
  for (int i = 0; i < outer; i++, o += inner, x += n * inner) {
    if (inner == 1) {
      vector low = SPLAT(0), high = low;
      int k = 0;
      for (; k + 4 <= n; k += 4) {
        vector a = LOAD(x + k);
        low = wasm_f64x2_add(low, wasm_f64x2_promote_low_f32x4(a));
        high = wasm_f64x2_add(high, wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(a, a, 1, 1)));
      }
      low = wasm_f64x2_add(low, high);
      double total = wasm_f64x2_extract_lane(low, 0) + wasm_f64x2_extract_lane(low, 1);
      for (; k < n; k++) total += x[k];
      *o = total;
    } else {
      for (int j = 0; j < inner; j += 4) {
        vector low = SPLAT(0), high = low;
        float *at = x + j;
        for (int k = 0; k < n; k++, at += inner) {
          vector a = LOAD(at);
          low = wasm_f64x2_add(low, wasm_f64x2_promote_low_f32x4(a));
          high = wasm_f64x2_add(high, wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(a, a, 1, 1)));
        }
        STORE(o + j, wasm_i64x2_shuffle(wasm_f32x4_demote_f64x2_zero(low),
                                        wasm_f32x4_demote_f64x2_zero(high), 0, 2));
      }
    }
  }
}

/* The maxima along n of x, of shape (outer, n, inner); NaN where one is. */
EXPORT(amax)
void amax(float *o, float *x, int outer, int n, int inner) {
  vector least = SPLAT(-__builtin_inff());
  for (int i = 0; i < outer; i++, o += inner, x += n * inner) {
    if (inner == 1) {
      vector best = least;
      int k = 0;
      for (; k + 4 <= n; k += 4) best = wasm_f32x4_max(best, LOAD(x + k));
      for (; k < n; k++) best = wasm_f32x4_max(best, wasm_v128_load32_splat(x + k));
      best = wasm_f32x4_max(best, wasm_i32x4_shuffle(best, best, 2, 3, 0, 1));
      best = wasm_f32x4_max(best, wasm_i32x4_shuffle(best, best, 1, 0, 3, 2));
      wasm_v128_store32_lane(o, best, 0);
    } else {
      for (int j = 0; j < inner; j += 4) {
        vector best = least;
        float *at = x + j;
        for (int k = 0; k < n; k++, at += inner) best = wasm_f32x4_max(best, LOAD(at));
        STORE(o + j, best);
      }
    }
  }
}
