/** What a reader takes away: the picture, the sounds, the figure as a page, and a frame for another page. */
import { button, make } from "./controls.js";
import { fineCanvas, paint } from "./picture.js";
import { SvgCanvas } from "./svg.js";
import { Takeaway } from "./takeaway.js";
import { wholePage } from "./whole.js";

export class Away {
  /** @param view the figure's View, in a page */
  constructor(view) {
    const { figure, spec } = view;
    Object.assign(this, { view, name: spec.name });
    this.said = make("p", { className: "live-said", role: "status" });
    this.line = make("input", { readOnly: true });
    this.line.addEventListener("focus", () => this.write());
    this.bare = make("input", { type: "checkbox" });
    this.bare.addEventListener("change", () => this.write());
    const saves = make("div", { className: "live-buttons" });
    saves.append(button("PNG", () => this.save("png")), button("SVG", () => this.save("svg")));
    for (const each of view.sounds) saves.append(button(`WAV of ${each.panel.label}`, () => this.sound(each)));
    const { embed } = figure.dataset;
    const file = location.protocol === "file:"; // a folder may be without it
    if (embed && !file && view.model.files) saves.append(button("Web page", () => this.page()));
    else if (embed && !file) saves.append(make("a", { href: embed, download: `${spec.name}.html` }, "Web page"));
    this.takeaway = spec.code && new Takeaway(view, this);
    this.element = make(
      "div",
      { className: "live-away", hidden: true },
      saves,
      ...(this.takeaway?.elements ?? []),
      make("label", {}, "Frame for another page", this.line),
      make("label", { className: "live-checkbox" }, this.bare, "without its controls"),
      button("Copy the frame", () => this.copy()),
      this.said,
    );
  }

  toggle(opener) {
    this.element.hidden = !this.element.hidden;
    opener.ariaExpanded = String(!this.element.hidden);
    this.say("");
    this.write();
  }

  say(words) {
    this.said.textContent = words;
  }

  /** The line for another page, for the present state. */
  write() {
    const { figure, address } = this.view;
    this.takeaway?.write();
    const tall = (name) => figure.querySelector(name)?.offsetHeight ?? 0;
    const bare = this.bare.checked;
    const height = bare ? tall(".live-panels") + tall(".live-readouts") : figure.offsetHeight - this.element.offsetHeight;
    const page = new URL(figure.dataset.embed ?? location.pathname, location.href);
    if (bare) page.search = "?bare";
    const src = address.write(page.href).replaceAll("&", "&amp;");
    const size = `width="100%" height="${height + 32}" style="border: 0" loading="lazy"`;
    this.line.value = `<iframe src="${src}" title="${figure.ariaLabel}" ${size} allow="clipboard-write"></iframe>`;
  }

  async copy() {
    this.write();
    try {
      await navigator.clipboard.writeText(this.line.value);
      this.say("Copied.");
    } catch {
      this.line.select();
      this.say("The clipboard is blocked here. The line is selected: copy it from there.");
    }
  }

  async save(kind) {
    try {
      this.download(await this[kind](), `${this.name}.${kind}`);
    } catch (error) {
      this.say(`The picture could not be saved: ${error.message}.`);
    }
  }

  async page() {
    this.say("Collecting the graphs of all choices …");
    try {
      const page = await wholePage(new URL(this.view.figure.dataset.embed, location.href).href);
      this.download(page, `${this.name}.html`);
    } catch (error) {
      this.say(`The page could not be made: ${error.message}.`);
    }
  }

  png() {
    const canvas = paint(this.view, fineCanvas);
    return new Promise((done, fail) =>
      canvas.toBlob((blob) => (blob ? done(blob) : fail(Error("the browser made none of it")))),
    );
  }

  sound(sound) {
    try {
      this.download(sound.file(), `${this.name}-${sound.panel.wave}.wav`);
    } catch (error) {
      this.say(`The sound could not be saved: ${error.message}.`);
    }
  }

  svg() {
    let count = 0;
    const canvasOf = (width, height) => new SvgCanvas(width, height, `${this.name}-${count++}`);
    return new Blob([String(paint(this.view, canvasOf))], { type: "image/svg+xml" });
  }

  download(blob, file) {
    const href = URL.createObjectURL(blob);
    make("a", { href, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    this.say(`Saved as ${file}. If no file came, your browser has blocked it.`);
  }
}
