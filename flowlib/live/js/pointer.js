/**
 * What is moved in a picture itself: places, each of which is a pair of sliders, or of a slider and a
 * number that stays.  A handle is dragged; a probe, drawn as a cross-hair, also goes to where a mouse
 * presses or a finger taps.  A finger that scrolls the page past the picture moves nothing.
 */
import { make, onStep } from "./controls.js";
import { SLOP } from "./finger.js";
import { plotOf } from "./marks.js";

const HOLD = 400; // milliseconds after which a finger that rests takes hold
/** Of what is drawn, as in hands.py, in pixels. */
const RING = 7;
const RIM = 2;
const CROSS = 1;
const HALO = 1; // of the page's colour, around both

/**
 * The place in the axes, in their units, that a pointer's event is at: beyond their ends, too.
 * @param {PointerEvent} event
 * @param {HTMLCanvasElement} canvas the picture
 * @param {object} panel its "axes" entry of the spec
 * @returns {[number, number]}
 */
export function placeOf({ clientX, clientY }, canvas, panel) {
  const box = canvas.getBoundingClientRect();
  const plot = plotOf(panel, box.width, box.height);
  const [[x0, x1], [y0, y1]] = [panel.x, panel.y];
  const across = (clientX - box.left - plot.left) / plot.width;
  const up = (box.top + plot.bottom - clientY) / plot.height;
  return [x0 + across * (x1 - x0), y0 + up * (y1 - y0)];
}

/** The pairs of a panel: the probe's last, so that it lies over the handles. */
const pairsOf = ({ probe, drag }) => [...drag, ...(probe ? [probe] : [])];

/** Lets a reader move the places of one picture; returns what shows them where the sliders are. */
export function makeHands(view, panel, canvas) {
  const { spec, model, controls } = view;
  const plot = canvas.parentElement, { probe } = panel;
  const own = (name) => spec.controls.findIndex((control) => control.name === name);
  const value = (each) => (typeof each === "number" ? each : model.get(each));
  const handles = pairsOf(panel).map((pair) => {
    const element = make("div", { className: "live-handle" });
    element.classList.toggle("live-probe", pair === probe);
    plot.append(element);
    return { pair, element };
  });
  const shown = () => {
    for (const { pair, element } of handles) {
      const [across, up] = ["x", "y"].map((axis, i) => {
        const [low, high] = panel[axis];
        return (value(pair[i]) - low) / (high - low);
      });
      element.style.setProperty("--across", across);
      element.style.setProperty("--up", up);
    }
  };

  let held = null; // by which pointer, which pair, and where both were
  const put = (pair, place) => {
    pair.forEach((name, i) => {
      if (typeof name === "number") return;
      const to = onStep(spec.controls[own(name)], place[i]);
      if (to === model.get(name)) return;
      controls[own(name)].pause();
      view.change(name, to);
    });
  };
  const move = (event) => put(held.pair, placeOf(event, canvas, panel).map((at, i) => at + held.aside[i]));
  const take = (event) => {
    clearTimeout(held.timer);
    held.moves = true;
    plot.setPointerCapture(event.pointerId);
    if (held.pair === probe) probeInputs[0].focus({ preventScroll: true }); // for the arrow keys
    move(event);
  };
  const drop = () => {
    clearTimeout(held.timer);
    held = null;
  };
  const distance = ({ element }, { clientX, clientY }) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return Math.hypot(left + width / 2 - clientX, top + height / 2 - clientY);
  };

  plot.addEventListener("pointerdown", (event) => {
    if (held && !held.moves) drop(); // two fingers zoom
    if (held || event.button) return;
    const grabbed = event.target.matches(".live-handle");
    const near = (a, b) => (distance(b, event) < distance(a, event) ? b : a);
    const pair = grabbed ? handles.reduce(near).pair : probe;
    const at = placeOf(event, canvas, panel), before = pair?.map(value);
    const within = (axis, i) => at[i] >= Math.min(...panel[axis]) && at[i] <= Math.max(...panel[axis]);
    if (!pair || !(grabbed || ["x", "y"].every(within))) return;
    const aside = before.map((was, i) => (pair === probe ? 0 : was - at[i]));
    held = { pair, before, aside, id: event.pointerId, x: event.clientX, y: event.clientY };
    if (grabbed || event.pointerType === "mouse") take(event);
    else held.timer = setTimeout(() => take(event), HOLD);
  });
  const follow = (type, listener) => {
    plot.addEventListener(type, (event) => event.pointerId === held?.id && listener(event));
  };
  follow("pointermove", (event) => {
    if (held.moves) return move(event);
    const [across, along] = [Math.abs(event.clientX - held.x), Math.abs(event.clientY - held.y)];
    if (Math.max(across, along) <= SLOP) return;
    if (across >= along) take(event);
    else drop(); // the page scrolls
  });
  follow("pointerup", (event) => {
    if (!held.moves) take(event);
    drop();
  });
  follow("pointercancel", () => {
    if (held.moves) put(held.pair, held.before);
    drop();
  });
  const hold = (event) => held?.moves && event.cancelable && event.preventDefault();
  for (const type of ["mousedown", "contextmenu"]) plot.addEventListener(type, hold);
  if (!probe) return shown;

  // The probe's own sliders are in the picture, unseen: for keys, and for readers of screens.
  plot.classList.add("live-asks");
  plot.addEventListener("touchmove", hold, { passive: false }); // one that rested may go up, too
  const probeInputs = probe.map((name) => {
    const { element } = controls[own(name)];
    element.classList.add("live-unseen");
    plot.append(element);
    return element.querySelector("input");
  });
  let asked; // where the probe was when the keys came to it
  plot.addEventListener("focusin", ({ relatedTarget }) => {
    if (!probeInputs.includes(relatedTarget)) asked = held?.before ?? probe.map(value);
  });
  plot.addEventListener("keydown", (event) => {
    const [axis, sign] = KEYS[event.key] ?? [];
    if (event.key === "Escape") {
      put(probe, asked);
    } else if (sign) {
      const [low, high] = panel["xy"[axis]], { step } = spec.controls[own(probe[axis])];
      const way = Math.sign(high - low) * sign * step * (event.shiftKey ? 10 : 1);
      put(probe, probe.map((name, i) => value(name) + (i === axis ? way : 0)));
      event.preventDefault();
    }
  });
  return shown;
}

const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowDown: [1, -1], ArrowUp: [1, 1] };

/** Draws the places of a panel over its marks. */
export function drawHands(context, panel, plot, theme, value) {
  const { left, right, top, bottom } = plot;
  for (const pair of pairsOf(panel)) {
    const [x, y] = pair.map((each) => (typeof each === "number" ? each : value(each)));
    const [across, up] = [plot.x(x), plot.y(y)];
    for (const [colour, more] of [[theme.page, 2 * HALO], [theme.ink, 0]]) {
      context.strokeStyle = colour;
      context.beginPath();
      context.lineWidth = CROSS + more;
      if (pair === panel.probe) {
        context.moveTo(left, up);
        context.lineTo(right, up);
        context.moveTo(across, top);
        context.lineTo(across, bottom);
      }
      context.stroke();
      context.beginPath();
      context.lineWidth = RIM + more;
      context.arc(across, up, RING, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}
