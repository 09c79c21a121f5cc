/** All that the second script offers to the first: see second.js. */
export { Away } from "./away.js";
export { decodeDrawing, encodeDrawing, rowsOf } from "./cells.js";
export { Drawing } from "./drawing.js";
export { Guess } from "./guess.js";
export { Kept } from "./kept.js";
export { drawHands, makeHands } from "./pointer.js";
export { Sound } from "./sound.js";
