/** The training step by jax-js, compiled, on its backend of WebAssembly.  Each use but the last takes a `ref`. */
import { init, jit, defaultDevice, numpy as np, nn, tree, valueAndGrad } from "@jax-js/jax";
import { LAYERS, LOG_2PI, RATE, SHAPES, batches, weights } from "./work.js";

let state;
const zeros = (flow) => tree.map((each) => np.zeros(each.shape), flow);

export async function start() {
  await init("wasm");
  defaultDevice("wasm");
  const flow = Array.from({ length: LAYERS }, () => SHAPES.map((shape) => np.array(weights(shape)).reshape(shape)));
  state = [flow, zeros(flow), zeros(flow)];
  return defaultDevice();
}

function loss(flow, one, two) {
  let [x, y] = [one, two], total = np.zeros([one.shape[0], 1]);
  for (const [w1, b1, w2, b2, ws, bs, wt, bt] of flow) {
    const h = nn.relu(np.matmul(nn.relu(x.ref.mul(w1).add(b1)), w2).add(b2));
    const scale = np.tanh(np.matmul(h.ref, ws).add(bs).mul(0.5)).mul(2);
    const z = y.sub(np.matmul(h, wt).add(bt)).mul(np.exp(scale.ref.mul(-1)));
    total = total.add(scale);
    [x, y] = [z, x];
  }
  const half = np.square(x).add(np.square(y)).mul(0.5);
  return half.add(total).add(LOG_2PI).mean();
}

const update = jit((flow, mean, square, one, two, shares) => {
  const [value, gradient] = valueAndGrad(loss)(tree.ref(flow), one, two);
  const means = tree.map((m, g) => m.mul(0.9).add(g.mul(0.1)), mean, tree.ref(gradient));
  const squares = tree.map((v, g) => v.mul(0.999).add(np.square(g).mul(0.001)), square, gradient);
  const [first, second] = [shares.ref.slice(0), shares.slice(1)];
  const next = tree.map((p, m, v) => {
    const root = np.sqrt(v.div(second.ref)).add(1e-8);
    return p.sub(m.div(first.ref).div(root).mul(RATE));
  }, flow, tree.ref(means), tree.ref(squares));
  first.dispose();
  second.dispose();
  return [value, next, means, squares];
});

let count = 0;

export function step() {
  count += 1;
  const columns = batches().map((column) => np.array(column).reshape([column.length, 1]));
  const shares = np.array(Float32Array.of(1 - 0.9 ** count, 1 - 0.999 ** count));
  const [value, ...next] = update(...state, ...columns, shares);
  state = next;
  return value.dataSync()[0];
}
