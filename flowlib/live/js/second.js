/**
 * The second script, live-more.js, which defines `liveMore`: what only some figures have, and what saves
 * one.  In a notebook and in a page that is one file it follows the first; a page of a book loads it
 * where it is needed.
 */
import { make } from "./controls.js";

let missing; // where it is, until it came
let coming;

/** @param {string} name its place beside the first script, which runs now */
export function findSecond(name) {
  missing = new URL(name, document.currentScript.src).href;
}

/** Whether a reader moves places in a picture. */
export const hasHands = ({ probe, drag = [] }) => Boolean(probe || drag.length);

/** Whether a figure cannot be built without it. */
export function needsSecond({ panels }) {
  return panels.some((panel) => panel.kind === "sound" || panel.drawing || panel.guess || hasHands(panel));
}

/** Calls `go` where it is here, at once or once it came; `lost` where it does not come. */
export function withSecond(go, lost) {
  if (!missing) return go();
  coming ??= new Promise((onload, onerror) => {
    document.head.append(make("script", { src: missing, onload, onerror }));
  });
  const came = () => {
    missing = "";
    go();
  };
  coming.then(came, () => {
    coming = null; // the next press tries again
    lost();
  });
}
