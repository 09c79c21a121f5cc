/** The training step by TensorFlow.js, on its backend of WebAssembly with SIMD. */
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { LAYERS, LOG_2PI, RATE, SHAPES, batches, weights } from "./work.js";

let flow, adam;

export async function start() {
  setWasmPaths("./");
  await tf.setBackend("wasm");
  flow = Array.from({ length: LAYERS }, () => SHAPES.map((shape) => tf.variable(tf.tensor(weights(shape), shape))));
  adam = tf.train.adam(RATE, 0.9, 0.999, 1e-8);
  return tf.getBackend();
}

function loss(one, two) {
  let [x, y] = [one, two], total = tf.scalar(0);
  for (const [w1, b1, w2, b2, ws, bs, wt, bt] of flow) {
    const h = tf.relu(tf.add(tf.matMul(tf.relu(tf.add(tf.mul(x, w1), b1)), w2), b2));
    const scale = tf.mul(2, tf.tanh(tf.mul(0.5, tf.add(tf.matMul(h, ws), bs))));
    const z = tf.mul(tf.sub(y, tf.add(tf.matMul(h, wt), bt)), tf.exp(tf.neg(scale)));
    total = tf.add(total, scale);
    [x, y] = [z, x];
  }
  const half = tf.mul(0.5, tf.add(tf.square(x), tf.square(y)));
  return tf.mean(tf.add(tf.add(half, total), LOG_2PI));
}

export function step() {
  return tf.tidy(() => {
    const [one, two] = batches().map((column) => tf.tensor(column, [column.length, 1]));
    return adam.minimize(() => loss(one, two), true).dataSync()[0];
  });
}
