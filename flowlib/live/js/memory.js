import { FUSED, MODULE } from "./module.js";

/**
 * The memory of one figure, and the kernels that work in it: those of js/simd, where the browser has
 * WebAssembly with SIMD and the page's policy allows it; else none, and the loops do all the work.
 */
export class Memory {
  constructor() {
    this.bound = [];
    this.kernels = {};
    try {
      const modules = kernelModules();
      this.pages = new WebAssembly.Memory({ initial: 1 }); // the first is the modules' own
      const made = (module) => new WebAssembly.Instance(module, { env: { memory: this.pages } }).exports;
      this.kernels = Object.assign({}, ...modules.map(made));
    } catch {
      this.pages = null;
    }
  }

  /** Room for numbers: calls `bind` with the buffer, the room's address in it and the kernels; now,
   * and again whenever the memory grew, for that detaches every array. */
  reserve(floats, bind) {
    const address = this.pages?.buffer.byteLength;
    try {
      this.pages.grow(Math.ceil(4 * floats / 65536));
    } catch { // no such memory, or no more of it
      return bind(new ArrayBuffer(4 * floats), 0, {});
    }
    this.bound.push([address, bind]);
    for (const [at, each] of this.bound) each(this.pages.buffer, at, this.kernels);
  }

  /** Fills `out` as noise.js does; says whether there is a kernel for that. */
  uniform(seed, out) {
    if (this.kernels.uniform && !(this.room?.length >= out.length)) {
      this.reserve(out.length + 8, (buffer, address, { uniform }) => {
        this.room = uniform && new Float32Array(buffer, address, out.length);
      });
    }
    if (!this.room) return false;
    this.kernels.uniform(this.room.byteOffset, seed, out.length);
    out.set(this.room.subarray(0, out.length));
    return true;
  }
}

let compiled; // once for all figures of the page; null where that fails

function kernelModules() {
  if (compiled === undefined) {
    compiled = null;
    const made = (text) => new WebAssembly.Module(Uint8Array.from(text, (c) => c.charCodeAt(0) - 35));
    compiled = [made(MODULE)];
    try {
      compiled.push(made(FUSED));
    } catch {
      // no relaxed SIMD: the first module has a product too
    }
  }
  return compiled;
}
