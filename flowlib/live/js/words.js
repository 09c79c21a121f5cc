/** Numbers as words, by the rules of words.py; a test holds one against the other. */

/** About `most` round numbers from low to high, three at least. */
export function ticks(low, high, most) {
  if (!(high - low > 0 && high - low < Infinity)) throw Error("an axis has no length");
  const rough = (high - low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const steps = [0.2, 0.5, 1, 2, 5, 10].map((m) => m * power);
  let at = steps.findIndex((step) => step >= rough * (1 - 1e-9));
  while (at > 0 && multiples(low, high, steps[at]).length < 3) at -= 1;
  return multiples(low, high, steps[at]);
}

function multiples(low, high, step) {
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Ticks about 60 pixels apart across and 44 up; a matrix counts its columns and rows. */
export function panelTicks(panel, width, height) {
  const { x, y, xlabel, ylabel } = panel;
  if (hasCells(panel)) {
    const across = xlabel ? counts(x[1] - 0.5, Math.floor(width / 20)) : [];
    return [across, ylabel ? counts(y[0] - 0.5, Math.floor(height / 20)) : []];
  }
  let [most, mostUp] = [Math.floor(width / 60), Math.floor(height / 44)];
  if (panel.equal) most = mostUp = Math.min(most, mostUp); // one step both ways
  return [ticks(...x, most), ticks(...y, mostUp)];
}

export function hasCells({ marks }) {
  return marks.some(({ kind }) => kind === "matrix");
}

/** About `most` of the whole numbers from 1 to `last`. */
function counts(last, most) {
  return ticks(0.5, last + 0.5, most).filter(Number.isInteger);
}

export function tickText(values) {
  const step = values.length > 1 ? values[1] - values[0] : Math.abs(values[0] ?? 1) || 1;
  const digits = decimals(Number(step.toPrecision(6)));
  return values.map((value) => number(value, digits));
}

/** How many decimals a slider's value needs: 2 for a step of 0.05. */
export function decimals(step) {
  for (let n = 0; n < 8; n++) {
    if (Math.abs(Number(step.toFixed(n)) - step) < 1e-9 * step) return n;
  }
  return 8;
}

/** Fixed decimals with a true minus sign. */
export function number(value, digits) {
  if (Math.abs(value) === Infinity) return value > 0 ? "∞" : "−∞";
  const large = Math.abs(value) >= 1e6;
  const text = large ? value.toExponential(digits).replace("e+", "e") : value.toFixed(digits);
  return Number(text) ? text.replaceAll("-", "−") : text.replace("-", "");
}

/** The value of a readout: its word where it has words, else the number. */
export const readout = ({ words, digits }, value) => words?.[value] ?? number(value, digits);

/** "1 point", "20 points" */
export const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Three digits of a number. */
export const brief = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
