/**
 * A button that plays an output of the figure in its present state, through Web Audio.
 *
 * Browsers need not take fewer than 8000 samples a second, and some fill in what lies between by
 * straight lines, which hiss.  So the gaps are filled here until what is left to fill is not heard.
 */
import { button } from "./controls.js";
import { wav } from "./wav.js";

const RATE = 32000; // samples a second, at least
const REACH = 16; // samples on either side of one that is filled in
const LOUDNESS = 0.1; // of full scale, for a wave of RMS 1
const LOUDEST = 0.5; // of full scale
const FADE = 0.01; // seconds
const SILENCE = 2000; // milliseconds after which a browser that plays nothing is taken to refuse

let speaker; // the page's AudioContext, made at a click: browsers let no page sound before

export class Sound {
  /**
   * @param {object} panel a "sound" entry of the spec
   * @param view the figure's View
   */
  constructor(panel, view) {
    Object.assign(this, { panel, view });
    this.element = button("", () => (this.source ? this.pause() : this.play()));
    this.element.className = "live-start";
    const stop = () => this.pause(); // another sound starts, or a player of the page
    document.addEventListener("play", stop, true);
    view.undo.push(() => document.removeEventListener("play", stop, true));
    this.pause();
  }

  async play() {
    const { view } = this;
    const { dataset } = view.figure;
    view.notice = "";
    if (view.frame || dataset.state !== "ready") view.update();
    if (dataset.state === "error") return; // the figure says why
    try {
      this.start();
      await Promise.race([speaker.resume(), new Promise((late) => setTimeout(late, SILENCE))]);
      if (speaker.state === "running" || !this.source) return;
      this.pause();
      throw Error("the browser lets a page sound only after a click, a tap or a key in it");
    } catch (error) {
      view.fail(`The sound could not be played: ${error.message}.`);
    }
  }

  start() {
    const { wave, rate, label } = this.panel;
    const factor = Math.ceil(RATE / rate);
    const samples = audible(fill(heard(this.view.outputs[wave], rate), factor), FADE * factor * rate);
    speaker ??= new AudioContext();
    const buffer = speaker.createBuffer(1, samples.length, factor * rate);
    buffer.copyToChannel(samples, 0);
    document.dispatchEvent(new Event("play"));
    for (const player of document.querySelectorAll("audio")) player.pause();
    const source = speaker.createBufferSource();
    this.volume = speaker.createGain();
    source.buffer = buffer;
    source.connect(this.volume).connect(speaker.destination);
    source.onended = () => this.source === source && this.pause();
    source.start();
    this.source = source;
    this.element.textContent = `Stop ${label}`;
  }

  /** The wave that is shown as a file, as loud as it plays. */
  file() {
    const { wave, rate } = this.panel;
    return wav(audible(heard(this.view.outputs[wave], rate), FADE * rate), rate);
  }

  /** Fades out: a sudden end would click. */
  pause() {
    if (this.source) {
      this.volume.gain.setTargetAtTime(0, speaker.currentTime, FADE / 3);
      this.source.stop(speaker.currentTime + 2 * FADE);
    }
    this.source = null;
    this.element.textContent = `Play ${this.panel.label}`;
  }
}

/** `factor` samples for each of x, on a smooth curve through them: a sinc within a window. */
export function fill(x, factor) {
  const out = new Float32Array(x.length * factor);
  for (let part = 0; part < factor; part++) {
    for (let k = -REACH; k <= REACH; k++) {
      const t = Math.PI * (k - part / factor);
      const weight = t ? (Math.sin(t) / t) * Math.cos(t / (2 * REACH + 2)) ** 2 : 1;
      const last = Math.min(x.length, x.length - k);
      for (let i = Math.max(0, -k); i < last; i++) out[i * factor + part] += weight * x[i + k];
    }
  }
  return out;
}

/** The samples up to the last that is not 0, and room to fade out: an output has one length, whatever
 * it says. */
function heard(samples, rate) {
  let end = samples.length;
  while (end > 1 && !samples[end - 1]) end--;
  return samples.subarray(0, end + Math.ceil(FADE * rate));
}

/** As loud as a voice, never louder, and faded in and out over `fade` samples. */
function audible(samples, fade) {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  if (!(peak < Infinity)) throw Error("the wave has an infinite number");
  const gain = Math.min(LOUDNESS, LOUDEST / peak);
  return samples.map((sample, i) => sample * gain * Math.min(1, i / fade, (samples.length - i) / fade));
}
