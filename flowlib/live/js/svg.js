/**
 * A canvas that writes SVG: of a 2D context, what marks.js and picture.js call.
 *
 * Elements of one style share a group, whose opacities are theirs one by one.
 */
import { scratch } from "./theme.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const ANCHORS = { left: "start", center: "middle", right: "end" };
const DOWN = { alphabetic: 0, middle: 0.35, top: 0.85 }; // of the letters' size
const short = (number) => Number(number.toFixed(2));

export class SvgCanvas {
  /** @param {string} id unique in a page that this may be put into */
  constructor(width, height, id) {
    Object.assign(this, { width, height, context: new SvgContext(id) });
  }

  getBoundingClientRect() {
    return this;
  }

  getContext() {
    return this.context;
  }

  toString() {
    const { width, height } = this;
    const root = element("svg", { xmlns: NAMESPACE, width, height, viewBox: `0 0 ${width} ${height}` });
    root.append(this.context.root);
    return new XMLSerializer().serializeToString(root);
  }
}

class SvgContext {
  fillStyle = "#000";
  strokeStyle = "#000";
  lineWidth = 1;
  globalAlpha = 1;
  font = "10px sans-serif";
  textAlign = "left";
  textBaseline = "alphabetic";
  imageSmoothingEnabled = true;
  dash = [];
  move = "";
  path = "";
  saved = [];
  clips = 0;

  constructor(id) {
    Object.assign(this, { id, root: element("g"), measure: scratch(1, 1).getContext("2d") });
  }

  save() {
    const { saved, path, clips, group, groupStyle, ...state } = this;
    saved.push(state);
  }

  restore() {
    const { clip, ...state } = this.saved.pop();
    Object.assign(this, { clip }, state);
  }

  setTransform() {
    this.move = ""; // what there is to undo is the fineness of a canvas
  }

  translate(x, y) {
    this.move += `translate(${short(x)} ${short(y)})`;
  }

  scale(x, y) {
    this.move += `scale(${x} ${y})`;
  }

  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.path = "";
  }

  moveTo(x, y) {
    this.path += `M${short(x)} ${short(y)}`;
  }

  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${short(x)} ${short(y)}`;
  }

  closePath() {
    this.path += "Z";
  }

  rect(x, y, width, height) {
    this.path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`;
  }

  /** A whole circle: no mark has a part of one. */
  arc(x, y, radius) {
    const half = `a${radius} ${radius} 0 1 0 `;
    this.path += `M${short(x - radius)} ${short(y)}${half}${2 * radius} 0${half}${-2 * radius} 0Z`;
  }

  clip() {
    this.clip = `${this.id}-${this.clips++}`;
    this.root.append(element("clipPath", { id: this.clip }, element("path", { d: this.path })));
    this.clip = `url(#${this.clip})`;
  }

  clearRect() {}

  fill() {
    this.add({ fill: this.fillStyle, "fill-opacity": this.globalAlpha }, "path", { d: this.path });
  }

  stroke() {
    const style = {
      fill: "none",
      stroke: this.strokeStyle,
      "stroke-width": this.lineWidth,
      "stroke-opacity": this.globalAlpha,
      "stroke-linejoin": "round",
    };
    if (this.dash.length) style["stroke-dasharray"] = this.dash.join(" ");
    this.add(style, "path", { d: this.path });
  }

  fillRect(x, y, width, height) {
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
  }

  measureText(text) {
    this.measure.font = this.font;
    return this.measure.measureText(text);
  }

  fillText(text, x, y, room = Infinity) {
    const [, weight = "400", size, family] = this.font.match(/^(?:(\w+) )?([\d.]+)px (.*)$/);
    const style = {
      fill: this.fillStyle,
      "font-size": size,
      "font-family": family,
      "font-weight": weight,
      "text-anchor": ANCHORS[this.textAlign],
    };
    const place = { x: short(x), y: short(y + DOWN[this.textBaseline] * size) };
    const squeezed = { textLength: room, lengthAdjust: "spacingAndGlyphs" };
    if (this.measureText(text).width > room) Object.assign(place, squeezed);
    this.add(style, "text", place, text);
  }

  /** One that is drawn already: of this kind, or of pixels. */
  drawImage(canvas, x, y, width = canvas.width, height = canvas.height) {
    const place = { x: short(x), y: short(y), width, height };
    if (canvas instanceof SvgCanvas) {
      this.add({}, "g", { transform: `translate(${place.x} ${place.y})` }, canvas.context.root);
    } else {
      const style = `image-rendering: ${this.imageSmoothingEnabled ? "auto" : "pixelated"}`;
      const image = { href: canvas.toDataURL(), preserveAspectRatio: "none", transform: this.move };
      this.add({}, "image", { ...place, ...image, style });
    }
  }

  add(style, tag, attributes, ...children) {
    if (this.clip) style["clip-path"] = this.clip;
    const key = JSON.stringify(style);
    if (key !== this.groupStyle) {
      this.group = element("g", style);
      this.groupStyle = key;
      this.root.append(this.group);
    }
    this.group.append(element(tag, attributes, ...children));
  }
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
