/** A sound as a wav file: one channel of 16 bits, at the rate that it has. */
export function wav(samples, rate) {
  const body = Int16Array.from(samples, (sample) => Math.round(sample * 32767));
  const form = Uint32Array.of(16, 0x10001, rate, 2 * rate, 0x100002); // plain, mono; 2 bytes, 16 bits a sample
  const size = (more) => Uint32Array.of(body.byteLength + more);
  return new Blob(["RIFF", size(36), "WAVEfmt ", form, "data", size(0), body], { type: "audio/wav" });
}
