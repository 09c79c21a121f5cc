/* Arithmetic and comparisons: four numbers at a time. */

#include "simd.h"

/* o = f(x), n numbers. */
#define UNARY(name, f)                              \
  EXPORT(name) void name(float *o, float *x, int n) { \
    for (int i = 0; i < n; i += 4) {                \
      vector a = LOAD(x + i);                       \
      STORE(o + i, f);                              \
    }                                               \
  }

UNARY(neg, wasm_f32x4_neg(a))
UNARY(abs, wasm_f32x4_abs(a))
UNARY(sqrt, wasm_f32x4_sqrt(a))

/* For an operand of which every step reads the same: that number, four times. */
__attribute__((noinline)) static float *operand(float *x, int p, float *four) {
  if (p) return x;
  STORE(four, SPLAT(*x));
  return four;
}
static float first[4], second[4], third[4];

/* o = f(a, b), n numbers; p and q are -1 for as many numbers as o has, 0 for a single one. */
#define BINARY(name, f)                                                             \
  EXPORT(name) void name(float *o, float *x, float *y, int p, int q, int n) {       \
    x = operand(x, p, first);                                                       \
    y = operand(y, q, second);                                                      \
    for (int i = 0; i < n; i += 4) {                                                \
      vector a = LOAD(x + (i & p)), b = LOAD(y + (i & q));                          \
      STORE(o + i, f);                                                              \
    }                                                                               \
  }

BINARY(add, ADD(a, b))
BINARY(sub, SUB(a, b))
BINARY(mul, MUL(a, b))
BINARY(div, DIV(a, b))
BINARY(maximum, wasm_f32x4_max(a, b))
BINARY(le, truth(wasm_f32x4_le(a, b)))
BINARY(gt, truth(wasm_f32x4_gt(a, b)))

/* o = x where c is not 0, else y. */
EXPORT(where)
void where(float *o, float *c, float *x, float *y, int p, int q, int r, int n) {
  c = operand(c, p, first);
  x = operand(x, q, second);
  y = operand(y, r, third);
  for (int i = 0; i < n; i += 4) {
    vector mask = wasm_f32x4_ne(LOAD(c + (i & p)), SPLAT(0));
    STORE(o + i, wasm_v128_bitselect(LOAD(x + (i & q)), LOAD(y + (i & r)), mask));
  }
}
