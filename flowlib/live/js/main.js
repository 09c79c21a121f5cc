/** All that the page's script offers: to a built page, and to anywidget. */
export { hydrate } from "./page.js";
export { render } from "./widget.js";
