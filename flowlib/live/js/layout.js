/** Where everything in a figure is.  live.css has the measures. */
import { button, make } from "./controls.js";

/**
 * The body of a figure: pictures, numbers, controls, buttons.
 * @param {object} spec
 * @param {{element: HTMLElement}[]} controls those of a probe are in its picture, not in the list
 * @param {Record<string, (element: HTMLButtonElement) => void>} actions by the words on the button
 * @param {HTMLElement[]} starters the buttons above the controls: of training, of sounds
 */
export function layOut(spec, controls, actions, starters) {
  const axes = spec.panels.filter((panel) => panel.kind === "axes");
  const probed = axes.flatMap(({ probe }) => probe ?? []);
  const listed = spec.controls.map(({ name }) => !probed.includes(name));
  const items = spec.panels.flatMap((panel) => panel.items ?? []);
  const pictures = axes.map((panel) => {
    return { panel, canvas: make("canvas", { role: "img", ariaLabel: panel.alt }) };
  });
  const readouts = items.map((item) => {
    return { item, output: make("output", { name: item.name, ariaLabel: item.label, ariaLive: "off" }) };
  });
  const alert = make("p", { className: "live-error", role: "alert", hidden: true });
  const spoken = make("p", { className: "live-spoken", ariaLive: "polite" });

  const labelled = axes.some((panel) => panel.marks.some((mark) => mark.label));
  const numbers = readouts.map(({ item, output }) =>
    make("div", { className: "live-readout" }, make("span", {}, item.label), output),
  );
  const side = make("div", { className: "live-side" });
  if (numbers.length) side.append(make("div", { className: "live-readouts" }, ...numbers));
  const [specs, rows] = [spec.controls, controls].map((every) => every.filter((_, i) => listed[i]));
  side.append(allControls(specs, rows, starters), buttons(actions));
  const body = make(
    "div",
    { className: "live-body" },
    make("div", { className: "live-alert" }, alert),
    make("div", { className: "live-panels" }, ...pictures.map((each) => picture(each, labelled))),
    side,
    spoken,
  );
  if (axes.length === 1 && axes[0].aspect <= 1.5) body.classList.add("live-beside");
  if (axes.length > 1 && rows.length <= 6) body.classList.add("live-stacks");
  return { body, pictures, readouts, alert, spoken };
}

/** The width and the height of a canvas in CSS pixels.  Measuring it would lay out the page in the middle
 * of each frame: follow.js keeps what an observer saw. */
export const roomOf = (canvas) => canvas.room ?? canvas.getBoundingClientRect();

function picture({ panel, canvas }, labelled) {
  const element = make("div", { className: "live-panel" });
  element.style.setProperty("--aspect", panel.aspect);
  if (panel.title) element.append(make("p", { className: "live-title" }, panel.title));
  if (labelled) element.append(legend(panel)); // an empty one keeps neighbours level
  element.append(make("div", { className: "live-plot" }, canvas));
  return element;
}

function legend(panel) {
  const marks = panel.marks.filter((mark) => mark.label);
  const entries = marks.map((mark) => {
    const key = make("span", { className: `live-key live-key-${mark.fill ? "area" : mark.kind}` });
    if (mark.dashed) key.classList.add("live-key-dashed");
    if (mark.role) key.style.setProperty("--colour", `var(--live-${mark.role})`);
    return make("li", {}, key, mark.label);
  });
  return make("ul", { className: "live-legend" }, ...entries);
}

function allControls(specs, controls, starters) {
  const element = make("div", { className: "live-controls" });
  if (starters.length) element.append(make("div", { className: "live-starters" }, ...starters));
  element.append(...controls.map((control) => control.element));
  const beside = specs.filter(({ kind }) => kind !== "checkbox");
  const longest = Math.max(2, ...beside.map(({ label }) => label.length));
  element.style.setProperty("--label", `${longest}ch`);
  const most = specs.some(({ play }) => play) ? 5 : 9; // a play button takes room too
  if (longest > most) element.classList.add("live-above"); // labels above their sliders
  return element;
}

function buttons(actions) {
  const row = make("div", { className: "live-buttons" });
  for (const [words, action] of Object.entries(actions)) {
    const element = button(words, () => action(element));
    row.append(element);
  }
  return row;
}
