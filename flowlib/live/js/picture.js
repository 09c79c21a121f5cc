/** One picture of what a figure shows: its axes with their titles and legends, and its numbers. */
import { scratch } from "./theme.js";

const SHOWN = ".live-plot, .live-title, .live-legend li, .live-key, .live-readout > *";
const EDGE = 8; // CSS pixels around it
const FINE = 2; // pixels of a canvas to one of CSS, or more where the screen has more

/** A canvas of pixels, for `paint`. */
export function fineCanvas(width, height) {
  const fine = Math.max(FINE, devicePixelRatio);
  const canvas = scratch(Math.round(width * fine), Math.round(height * fine));
  return Object.assign(canvas, { getBoundingClientRect: () => ({ width, height }) });
}

/**
 * @param view the figure's View
 * @param {(width: number, height: number) => HTMLCanvasElement | SvgCanvas} canvasOf
 * @returns what canvasOf made, with everything where the page has it
 */
export function paint(view, canvasOf) {
  const parts = [...view.figure.querySelectorAll(SHOWN)].filter((part) => part.offsetWidth);
  const boxes = parts.map((part) => part.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left)) - EDGE;
  const top = Math.min(...boxes.map((box) => box.top)) - EDGE;
  const width = Math.max(...boxes.map((box) => box.right)) + EDGE - left;
  const height = Math.max(...boxes.map((box) => box.bottom)) + EDGE - top;
  const whole = canvasOf(Math.ceil(width), Math.ceil(height));
  const context = whole.getContext("2d");
  context.setTransform(whole.width / Math.ceil(width), 0, 0, whole.height / Math.ceil(height), 0, 0);
  context.fillStyle = view.theme.page;
  context.fillRect(0, 0, width, height);
  for (const [i, part] of parts.entries()) {
    const box = new DOMRect(boxes[i].x - left, boxes[i].y - top, boxes[i].width, boxes[i].height);
    if (part.matches(".live-plot")) {
      const { panel, past } = view.pictures.find(({ canvas }) => part.contains(canvas));
      const canvas = canvasOf(box.width, box.height);
      view.paint(canvas, panel, past);
      context.drawImage(canvas, box.x, box.y, box.width, box.height);
    } else if (part.matches(".live-key")) drawKey(context, part, box);
    else write(context, part, left, top);
  }
  return whole;
}

/** The text of an element, each line where it is. */
function write(context, part, left, top) {
  const { color, fontWeight, fontSize, fontFamily } = getComputedStyle(part);
  context.fillStyle = color;
  context.font = `${fontWeight} ${fontSize} ${fontFamily}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const range = document.createRange();
  for (const node of part.childNodes) {
    if (node.nodeType !== Node.TEXT_NODE) continue;
    const lines = new Map(); // words by how far down they are
    for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const { x, y, height } = range.getBoundingClientRect();
      if (!lines.has(y)) lines.set(y, { x, middle: y + height / 2, words: [] });
      lines.get(y).words.push(word);
    }
    for (const { x, middle, words } of lines.values()) context.fillText(words.join(" "), x - left, middle - top);
  }
}

/** A mark's sign in the legend, as live.css has it. */
function drawKey(context, part, { x, y, width, height }) {
  const style = getComputedStyle(part);
  const colour = (name) => style.getPropertyValue(name).trim();
  const is = (kind) => part.classList.contains(`live-key-${kind}`);
  context.save();
  context.globalAlpha = Number(style.opacity);
  context.fillStyle = context.strokeStyle = colour("--colour") || style.color;
  context.beginPath();
  if (is("heat") || is("matrix")) {
    for (let i = 0; i < 4; i++) {
      context.fillStyle = colour(`--live-heat-${i + 1}`);
      context.fillRect(x + (i * width) / 4, y, width / 4, height);
    }
  } else if (is("points")) {
    context.arc(x + width / 2, y + height / 2, width / 2, 0, 2 * Math.PI);
    context.fill();
  } else if (is("bars")) context.fillRect(x, y, width, height);
  else if (is("area")) {
    context.lineWidth = 1.5;
    context.rect(x + 0.75, y + 0.75, width - 1.5, height - 1.5);
    context.stroke();
    context.globalAlpha = 0.35;
    context.fill();
  } else {
    context.lineWidth = 2;
    if (is("dashed")) context.setLineDash([4, 3]);
    context.moveTo(x, y + 1);
    context.lineTo(x + width, y + 1);
    context.stroke();
  }
  context.restore();
}
