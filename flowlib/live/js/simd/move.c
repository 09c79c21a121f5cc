/* Numbers in another order. */

#include "simd.h"

/* Four rows of four numbers, which lie `step` apart in x, become four rows of o, `run` apart. */
INLINE void transpose(float *o, int run, float *x, int step) {
  vector a = LOAD(x), b = LOAD(x + step), c = LOAD(x + 2 * step), d = LOAD(x + 3 * step);
  vector ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), AB = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
  vector cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), CD = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
  STORE(o, wasm_i64x2_shuffle(ab, cd, 0, 2));
  STORE(o + run, wasm_i64x2_shuffle(ab, cd, 1, 3));
  STORE(o + 2 * run, wasm_i64x2_shuffle(AB, CD, 0, 2));
  STORE(o + 3 * run, wasm_i64x2_shuffle(AB, CD, 1, 3));
}

__attribute__((noinline)) static void exactly(float *o, float *x, int n) {
  if (n > 64) return (void)__builtin_memcpy(o, x, 4 * (unsigned)n);
  int i = 0;
  for (; i + 4 <= n; i += 4) STORE(o + i, LOAD(x + i));
  for (; i < n; i++) o[i] = x[i];
}

/* o = runs of `run` numbers of x: run r starts at x[starts[r]], its numbers lie `step` apart.  Four
 * runs whose starts are neighbours in x, as those of a transposed matrix, are read together. */
EXPORT(view)
void view(float *o, float *x, int *starts, int runs, int step, int run) {
  if (step == 1 && run == 2) {
    for (int r = 0; r < runs; r++) wasm_v128_store64_lane(o + 2 * r, wasm_v128_load64_zero(x + starts[r]), 0);
    return;
  }
  for (int r = 0, transposed = 0; r < runs; r++, o += run) {
    float *from = x + starts[r];
    int i = 0;
    if (step == 1) {
      exactly(o, from, run);
    } else if (step == 0) {
      for (vector a = SPLAT(*from); i < run; i += 4) STORE(o + i, a);
    } else {
      vector next = wasm_i32x4_add(wasm_i32x4_splat(starts[r]), wasm_i32x4_const(0, 1, 2, 3));
      if (r >= transposed && r + 4 <= runs && wasm_i32x4_all_true(wasm_i32x4_eq(LOAD(starts + r), next))) {
        for (; i + 4 <= run; i += 4) transpose(o + i, run, from + i * step, step);
        transposed = r + 4;
      }
      if (r < transposed) i = run & ~3;
      for (; i < run; i++) o[i] = from[i * step];
    }
  }
}

/* Rows of `length` numbers, one after the other in x, `stride` apart in o. */
EXPORT(cat)
void cat(float *o, float *x, int outer, int length, int stride) {
  if (length == 1) {
    for (int r = 0; r < outer; r++) o[r * stride] = x[r];
  } else {
    for (int r = 0; r < outer; r++) exactly(o + r * stride, x + r * length, length);
  }
}

/* The places of four indices, of `size` numbers; negative ones count from the end.  Where one is outside
 * it becomes another that is not, and `outside` is set. */
INLINE vector places(float *index, int size, vector *outside) {
  vector x = LOAD(index), at = wasm_i32x4_trunc_sat_f32x4(x), last = wasm_i32x4_splat(size - 1);
  at = wasm_i32x4_add(at, wasm_v128_and(wasm_i32x4_shr(at, 31), wasm_i32x4_splat(size)));
  vector wrong = wasm_v128_or(wasm_u32x4_gt(at, last), wasm_f32x4_ne(x, x));
  *outside = wasm_v128_or(*outside, wrong);
  return wasm_u32x4_min(at, last);
}

/* o = x[index], n of them; returns 1 where an index is outside. */
EXPORT(take)
int take(float *o, float *x, float *index, int size, int n) {
  vector outside = SPLAT(0);
  int at[4], i = 0;
  for (; i + 4 <= n && size; i += 4) {
    STORE(at, places(index + i, size, &outside));
    for (int k = 0; k < 4; k++) o[i + k] = x[at[k]];
  }
  return i < n || wasm_v128_any_true(outside);
}

/* o = x, but o[index] = y, or += y; y is read at i & p; returns 1 where an index is outside. */
EXPORT(put)
int put(float *o, float *x, float *index, float *y, int size, int n, int p, int add) {
  vector outside = SPLAT(0);
  int at[4], i = 0;
  exactly(o, x, size);
  for (; i + 4 <= n && size; i += 4) {
    STORE(at, places(index + i, size, &outside));
    for (int k = 0; k < 4; k++) o[at[k]] = y[i + k & p] + (add ? o[at[k]] : 0);
  }
  return i < n || wasm_v128_any_true(outside);
}
