/** What a figure follows: its model, the page's address, the theme, and the room there is. */
import { DARK, FORCED, isDark } from "./theme.js";

/** @param view the figure's View, whose `undo` undoes all of it */
export function follow(view) {
  const { spec, model, figure, undo, training } = view;
  const on = (target, type, listener) => {
    target.addEventListener(type, listener);
    undo.push(() => target.removeEventListener(type, listener));
  };
  const onModel = (name, listener) => {
    model.on(`change:${name}`, listener);
    undo.push(() => model.off(`change:${name}`, listener));
  };
  spec.controls.forEach(({ name, label }, i) => {
    const show = () => {
      view.controls[i].show(model.get(name));
      view.hands.forEach((each) => each());
      view.drawing?.offer();
    };
    onModel(name, () => {
      show();
      if (spec.train?.takes.start.includes(name)) {
        training.reset(`Started again, for another ${label}: `);
      }
      view.schedule();
    });
    show();
  });
  onModel("drawing", () => {
    view.drawing?.follow();
    view.schedule();
  });
  onModel("seed", () => view.schedule());
  if (view.address) on(window, "popstate", () => view.takeAddress()); // also a link followed again
  const hide = () => document.hidden && view.controls.forEach((control) => control.pause());
  on(document, "visibilitychange", hide);

  const repaint = () => {
    figure.dataset.theme = isDark() ? "dark" : "light";
    view.theme = undefined; // to be read when it is drawn: that lays it out
    view.attempt(() => view.draw());
  };
  for (const query of [DARK, FORCED]) on(matchMedia(query), "change", repaint);
  const attributes = new MutationObserver(repaint);
  const attributeFilter = ["class", "theme", "data-theme", "data-jp-theme-light"];
  for (const element of [document.documentElement, document.body]) {
    attributes.observe(element, { attributeFilter });
  }
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect, devicePixelContentBoxSize: box } of entries) {
      target.room = contentRect;
      const picture = view.pictures.find(({ canvas }) => canvas === target);
      if (picture) picture.box = box?.[0]; // else it was kept, and is no longer
    }
    repaint(); // a notebook attaches the figure after it is built: only then has it a style
  });
  let pixels;
  const measure = () => {
    pixels?.removeEventListener("change", measure);
    pixels = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    pixels.addEventListener("change", measure);
    sizes.disconnect(); // other pixels are no resize to it: only from the start does it tell them
    view.pictures.forEach(({ canvas }) => sizes.observe(canvas));
  };
  measure();
  undo.push(() => attributes.disconnect(), () => sizes.disconnect());
  undo.push(() => pixels.removeEventListener("change", measure));
  repaint();
}
