/** The same work for both: 8 affine couplings of 32-32, a batch of 256, the gradient and Adam. */
export const LAYERS = 8;
export const RATE = 0.002;
export const LOG_2PI = Math.log(2 * Math.PI);
const BATCH = 256;
/** Of a coupling: two hidden layers with biases, then the log-scale and the shift. */
export const SHAPES = [[1, 32], [1, 32], [32, 32], [1, 32], [32, 1], [1, 1], [32, 1], [1, 1]];

/** Small numbers, each time others. */
export function weights([rows, columns]) {
  return Float32Array.from({ length: rows * columns }, () => (2 * Math.random() - 1) / Math.sqrt(rows));
}

/** Points on two moons, one coordinate each. */
export function batches() {
  const [x, y] = [new Float32Array(BATCH), new Float32Array(BATCH)];
  for (let i = 0; i < BATCH; i++) {
    const turn = Math.PI * Math.random(), upper = i % 2;
    x[i] = upper ? Math.cos(turn) - 0.5 : 0.5 - Math.cos(turn);
    y[i] = upper ? Math.sin(turn) - 0.25 : 0.25 - Math.sin(turn);
  }
  return [x, y];
}
