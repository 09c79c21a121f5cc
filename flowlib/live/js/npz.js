/** The file that numpy's `savez` writes: a zip, uncompressed. */

/** A zip that holds one row of numbers as numpy writes it, uncompressed. */
export function npz(name, numbers) {
  const latin = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const about = `{'descr': '<f4', 'fortran_order': False, 'shape': (${numbers.length},), }`;
  const header = latin(`\x93NUMPY\x01\x00\x76\x00${about.padEnd(117)}\n`); // 128 bytes
  const body = new Uint8Array(numbers.slice().buffer);
  const content = new Uint8Array(header.length + body.length);
  content.set(header);
  content.set(body, header.length);
  const file = latin(`${name}.npy`);
  const whole = [crc(content), content.length, content.length];
  const common = [20, 0, 0, 0, 0x21]; // version, flags, stored, time and day: the first of 1980
  const local = [0x4b50, 0x0403, ...common, ...whole.flatMap(halves), file.length, 0];
  const entry = [0x4b50, 0x0201, 20, ...common, ...whole.flatMap(halves), file.length, ...Array(8).fill(0)];
  const starts = 30 + file.length + content.length, length = 46 + file.length;
  const end = [0x4b50, 0x0605, 0, 0, 1, 1, ...halves(length), ...halves(starts), 0];
  const bytes = (words) => new Uint8Array(Uint16Array.from(words).buffer);
  return new Blob([bytes(local), file, content, bytes(entry), file, bytes(end)]);
}

const halves = (number) => [number & 0xffff, number >>> 16];

function crc(bytes) {
  let rest = -1;
  for (const byte of bytes) {
    rest ^= byte;
    for (let i = 0; i < 8; i++) rest = (rest >>> 1) ^ (0xedb88320 & -(rest & 1));
  }
  return ~rest >>> 0;
}
