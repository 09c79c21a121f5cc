/* exp, log and what is made of them. */

#include "simd.h"

#define FUNCTION(name, f)                             \
  EXPORT(name) void name(float *o, float *x, int n) { \
    for (int i = 0; i < n; i += 4) STORE(o + i, f(LOAD(x + i))); \
  }

/* 2^k for whole numbers k from -126 to 127, as float32; 0 for -127. */
INLINE vector power_of_two(vector k) {
  return wasm_i32x4_shl(wasm_i32x4_add(k, wasm_i32x4_splat(127)), 23);
}

/* exp(x) = 2^k exp(r), |r| <= log(2) / 2, to 1.2e-7; 2^k in two factors, for it may be subnormal.  From
 * -176 down both factors are 0: a product that rounds to 0 takes several times as long. */
INLINE vector exponential(vector x) {
  vector y = wasm_f32x4_pmax(wasm_f32x4_pmin(x, SPLAT(100)), SPLAT(-176)); /* NaN stays */
  vector sum = ADD(MUL(y, SPLAT(0x1.715476p+0f)), SPLAT(0x1.8p23f)); /* its low bits: k */
  vector k = SUB(sum, SPLAT(0x1.8p23f));
  vector r = SUB(SUB(y, MUL(k, SPLAT(0.693359375f))), MUL(k, SPLAT(-2.12194440e-4f)));
  vector rr = MUL(r, r);
  vector a = ADD(MUL(SPLAT(1.6666520632e-1f), r), SPLAT(4.9999993448e-1f));
  vector b = ADD(MUL(SPLAT(8.3687168836e-3f), r), SPLAT(4.1668388048e-2f));
  vector p = ADD(a, MUL(rr, ADD(b, MUL(rr, SPLAT(1.3814598513e-3f)))));
  p = ADD(ADD(r, SPLAT(1)), MUL(rr, p));
  vector whole = wasm_i32x4_sub(sum, SPLAT(0x1.8p23f)), half = wasm_i32x4_shr(whole, 1);
  return MUL(MUL(p, power_of_two(half)), power_of_two(wasm_i32x4_sub(whole, half)));
}
FUNCTION(exp, exponential)

/* By exp(-|x|), which neither overflows nor loses what is small. */
EXPORT(sigmoid)
void sigmoid(float *o, float *x, int n) {
  for (int i = 0; i < n; i += 4) STORE(o + i, wasm_f32x4_neg(wasm_f32x4_abs(LOAD(x + i))));
  exp(o, o, n);
  for (int i = 0; i < n; i += 4) {
    vector e = LOAD(o + i), r = DIV(SPLAT(1), ADD(SPLAT(1), e));
    STORE(o + i, wasm_v128_bitselect(MUL(e, r), r, wasm_f32x4_lt(LOAD(x + i), SPLAT(0))));
  }
}

/* log(2^k m) = k log(2) + log(m), sqrt(1/2) <= m < sqrt(2), to 1e-7. */
INLINE vector logarithm(vector x) {
  vector small = wasm_f32x4_lt(x, SPLAT(0x1p-126f)); /* subnormal numbers: times 2^24 */
  vector y = wasm_v128_bitselect(MUL(x, SPLAT(0x1p24f)), x, small);
  vector above = wasm_i32x4_sub(y, wasm_i32x4_splat(0x3f3504f3)); /* sqrt(1/2) */
  vector k = wasm_f32x4_convert_i32x4(wasm_i32x4_shr(above, 23));
  k = SUB(k, wasm_v128_and(small, SPLAT(24)));
  vector m = wasm_i32x4_add(
      wasm_v128_and(above, wasm_i32x4_splat(0x7fffff)), wasm_i32x4_splat(0x3f3504f3));
  vector f = SUB(m, SPLAT(1)), z = MUL(f, f);
  vector a = ADD(MUL(SPLAT(-2.4999993993e-1f), f), SPLAT(3.3333331174e-1f));
  vector b = ADD(MUL(SPLAT(-1.6668057665e-1f), f), SPLAT(2.0000714765e-1f));
  vector c = ADD(MUL(SPLAT(-1.2420140846e-1f), f), SPLAT(1.4249322787e-1f));
  vector d = ADD(MUL(SPLAT(-1.1514610310e-1f), f), SPLAT(1.1676998740e-1f));
  vector p = ADD(d, MUL(z, SPLAT(7.0376836292e-2f)));
  p = ADD(a, MUL(z, ADD(b, MUL(z, ADD(c, MUL(z, p))))));
  p = ADD(MUL(MUL(p, f), z), MUL(k, SPLAT(-2.12194440e-4f)));
  p = ADD(f, SUB(p, MUL(z, SPLAT(0.5f))));
  p = ADD(p, MUL(k, SPLAT(0.693359375f)));
  vector infinite = SPLAT(__builtin_inff());
  p = wasm_v128_bitselect(p, x, wasm_f32x4_lt(x, infinite)); /* infinity and NaN stay */
  p = wasm_v128_bitselect(p, wasm_f32x4_neg(infinite), wasm_f32x4_ne(x, SPLAT(0)));
  return wasm_v128_bitselect(SPLAT(__builtin_nanf("")), p, wasm_f32x4_lt(x, SPLAT(0)));
}
FUNCTION(log, logarithm)

/* Of a function that has the sign of x: -0 at -0 too. */
#define SIGNED(value, x) wasm_v128_or(value, wasm_v128_and(x, SPLAT(-0.0f)))

/* log(1 + x), plus what 1 + x rounds away. */
EXPORT(log1p)
void log1p(float *o, float *x, int n) {
  for (int i = 0; i < n; i += 4) STORE(o + i, ADD(LOAD(x + i), SPLAT(1)));
  log(o, o, n);
  for (int i = 0; i < n; i += 4) {
    vector a = LOAD(x + i), u = ADD(a, SPLAT(1)), lost = DIV(SUB(a, SUB(u, SPLAT(1))), u);
    vector finite = wasm_f32x4_lt(wasm_f32x4_abs(lost), SPLAT(1)); /* not where u is 0 or infinite */
    STORE(o + i, SIGNED(ADD(LOAD(o + i), wasm_v128_and(lost, finite)), a));
  }
}

#define WADD wasm_f64x2_add
#define WMUL wasm_f64x2_mul

/* tanh(y / 2) = (exp(y) - 1) / (exp(y) + 1) in double precision: exp(y) - 1 = 2^k (exp(r) - 1) + 2^k - 1
 * loses nothing at 0. */
INLINE vector tanh_of_two(vector x) {
  const double rounding = 0x1.8p52; /* a sum with it has its whole number in the low bits */
  vector y = WADD(x, x);
  vector sum = WADD(WMUL(y, WIDE(1.4426950408889634)), WIDE(rounding));
  vector k = wasm_f64x2_sub(sum, WIDE(rounding));
  vector r = wasm_f64x2_sub(y, WMUL(k, WIDE(0.6931471805599453)));
  vector rr = WMUL(r, r);
  vector a = WADD(WMUL(WIDE(1. / 2), r), WIDE(1));
  vector b = WADD(WMUL(WIDE(1. / 24), r), WIDE(1. / 6));
  vector c = WADD(WMUL(WIDE(1. / 720), r), WIDE(1. / 120));
  vector p = WADD(c, WMUL(rr, WIDE(1. / 5040)));
  p = WMUL(r, WADD(a, WMUL(rr, WADD(b, WMUL(rr, p)))));
  vector scale = wasm_i64x2_add(wasm_i64x2_shl(sum, 52), WIDE(1));
  vector less = WADD(WMUL(p, scale), wasm_f64x2_sub(scale, WIDE(1)));
  return wasm_f64x2_div(less, WADD(less, WIDE(2)));
}

INLINE vector tangent(vector x) {
  vector y = wasm_f32x4_pmax(wasm_f32x4_pmin(x, SPLAT(10)), SPLAT(-10));
  vector low = tanh_of_two(wasm_f64x2_promote_low_f32x4(y));
  vector high = tanh_of_two(wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(y, y, 1, 1)));
  vector t = wasm_i64x2_shuffle(
      wasm_f32x4_demote_f64x2_zero(low), wasm_f32x4_demote_f64x2_zero(high), 0, 2);
  return SIGNED(t, x);
}
FUNCTION(tanh, tangent)
