/**
 * The controls of a figure: native inputs with visible labels.
 *
 * Each is { element, show, pause }: `show(value)` follows the state, `pause()` stops a sweep.  What
 * a reader does goes to `change(value)`.
 */
import { whenMoved } from "./finger.js";
import { decimals, number } from "./words.js";

export const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");
const SWEEP = 5000; // milliseconds from end to end
const PLAY = "M2 1l9 5-9 5z";
const PAUSE = "M2 1h3v10H2zm5 0h3v10H7z";

/**
 * @param {object} spec an entry of the figure's "controls"
 * @param {string} id unique in the page
 * @param {(value: any) => void} change
 */
export function makeControl(spec, id, change) {
  const label = make("label", { htmlFor: id }, spec.label);
  return { slider, checkbox, choice }[spec.kind](spec, id, label, change);
}

function checkbox({ name }, id, label, change) {
  const input = make("input", { type: "checkbox", id, name });
  input.addEventListener("change", () => change(input.checked));
  const element = make("div", { className: "live-control live-checkbox" }, input, label);
  return { element, show: (value) => (input.checked = value), pause() {} };
}

function choice({ name, options }, id, label, change) {
  const entries = options.map((option) => make("option", {}, String(option)));
  const input = make("select", { id, name }, ...entries);
  input.addEventListener("change", () => change(options[input.selectedIndex]));
  const element = make("div", { className: "live-control" }, label, input);
  return { element, show: (value) => (input.selectedIndex = options.indexOf(value)), pause() {} };
}

function slider(spec, id, label, change) {
  const { name, min, max, step } = spec;
  const digits = decimals(step);
  const input = make("input", { type: "range", id, name, min, max, step });
  const value = make("span", { className: "live-value", ariaHidden: "true" });
  const widest = Math.max(number(min, digits).length, number(max, digits).length);
  value.style.minWidth = `${widest}ch`;
  const element = make("div", { className: "live-control" }, label, input, value);
  const sweep = spec.play ? sweeper(spec, () => input.valueAsNumber, change) : null;
  if (sweep) element.append(sweep.element);
  whenMoved(input, (now) => {
    sweep?.pause();
    change(now);
  });
  const show = (now) => {
    input.value = now;
    value.textContent = input.ariaValueText = number(now, digits);
    input.style.setProperty("--filled", (now - min) / (max - min));
  };
  return { element, show, pause: () => sweep?.pause() };
}

/** The value that a slider can take which is closest to this one. */
export function onStep({ min, max, step }, value) {
  const steps = Math.round((Math.min(Math.max(value, min), max) - min) / step);
  return Math.min(Number((min + steps * step).toPrecision(12)), max);
}

/** A button that sweeps a slider to its end, once; with reduced motion, a step at a time. */
function sweeper({ label, min, max, step }, read, change) {
  let frame = 0;
  const go = (value) => change(onStep({ min, max, step }, value));
  const element = button("", () => {
    if (frame) return pause();
    const from = read() >= max ? min : read();
    if (REDUCED_MOTION.matches) return go(from + Math.max(step, (max - min) / 20));
    const start = performance.now() - ((from - min) / (max - min)) * SWEEP;
    const sweep = (now) => {
      const done = Math.min(Math.max((now - start) / SWEEP, 0), 1);
      go(min + done * (max - min));
      if (done < 1) frame = requestAnimationFrame(sweep);
      else pause();
    };
    frame = requestAnimationFrame(sweep);
    face(PAUSE, `Pause ${label}`);
  });
  const face = (path, text) => {
    element.innerHTML = `<svg viewBox="0 0 12 12" aria-hidden="true"><path d="${path}"/></svg>`;
    element.ariaLabel = text;
  };
  const pause = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    face(PLAY, `Play ${label}`);
  };
  element.className = "live-play";
  pause();
  return { element, pause };
}

export function button(text, action) {
  const element = make("button", { type: "button" }, text);
  element.addEventListener("click", action);
  return element;
}

/** An element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
