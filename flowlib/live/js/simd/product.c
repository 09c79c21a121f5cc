/* The matrix product, in panels of eight columns.
 *
 * It is compiled twice, once for browsers with relaxed SIMD, whose fused multiply-add makes it almost
 * half as fast again. */

#include "simd.h"

#ifdef __wasm_relaxed_simd__
#define PLUS_PRODUCT(c, a, b) wasm_f32x4_relaxed_madd(a, b, c)
#else
#define PLUS_PRODUCT(c, a, b) ADD(c, MUL(a, b))
#endif

/* `rows` rows of x times a panel of eight columns, whose rows lie `gap` apart: the sums stay in registers. */
INLINE void block(const int rows, float *o, float *x, float *panel, float *bias, int k, int n, int gap) {
  vector left[4], right[4];
  vector l0 = bias ? LOAD(bias) : SPLAT(0), r0 = bias ? LOAD(bias + 4) : SPLAT(0);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) left[r] = l0, right[r] = r0;
  for (int l = 0; l < k; l++, panel += gap) {
    vector y = LOAD(panel), z = LOAD(panel + 4);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      vector a = wasm_v128_load32_splat(x + r * k + l);
      left[r] = PLUS_PRODUCT(left[r], a, y);
      right[r] = PLUS_PRODUCT(right[r], a, z);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    STORE(o + r * n, left[r]);
    STORE(o + r * n + 4, right[r]);
  }
}

enum { DEEPEST = 512 }; /* the longest panel that is packed: 16 kB, half of the fastest cache */
static float packed[8 * DEEPEST];

/* The last panel comes first: where it has fewer than eight columns, what it writes too much into the
 * next row is written again. */
INLINE void product(float *o, float *x, float *y, float *bias, int m, int k, int n) {
  for (int j = (n - 1) & ~7; j >= 0; j -= 8) {
    float *panel = y + j, *b = bias ? bias + j : 0;
    int gap = n, i = 0;
    if (m >= 8 && k <= DEEPEST) {
      for (int l = 0; l < k; l++, panel += n) {
        STORE(packed + 8 * l, LOAD(panel));
        STORE(packed + 8 * l + 4, LOAD(panel + 4));
      }
      panel = packed;
      gap = 8;
    }
    for (; i + 4 <= m; i += 4) block(4, o + i * n + j, x + i * k, panel, b, k, n, gap);
    for (; i < m; i++) block(1, o + i * n + j, x + i * k, panel, b, k, n, gap);
  }
}

/* o = x y + bias, for as many matrices of m x k and k x n numbers as `batch` says. */
EXPORT(mm)
void mm(float *o, float *x, float *y, float *bias, int batch, int m, int k, int n) {
  for (int s = 0; s < batch; s++, o += m * n, x += m * k, y += k * n) product(o, x, y, bias, m, k, n);
}
