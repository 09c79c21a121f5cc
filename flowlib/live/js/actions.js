/** What the buttons below the controls do. */
import { withSecond } from "./second.js";

const LOST = "It did not load: press again";

/**
 * By the words on them.
 * @param view the figure's View
 * @returns {Record<string, (element: HTMLButtonElement) => void>}
 */
export function actionsOf(view) {
  const { address, model, spec, training } = view;
  const next = () => view.change("seed", model.get("seed") + 1);
  return {
    ...(spec.noise.length && { "New noise": next }),
    ...(training ? { "Keep beside": (element) => keep(view, element) } : { Reset: () => view.reset() }),
    ...(address && {
      "Copy link": (element) => copyLink(view, element),
      "Save or embed": (element) => saveOrEmbed(view, element),
    }),
  };
}

async function copyLink({ address }, element) {
  const link = address.write();
  let said = "Link copied";
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    history.replaceState(null, "", link); // no clipboard here: the address bar has it
    said = "Link is in the address bar";
  }
  say(element, said);
}

function keep(view, element) {
  const go = () => (view.kept ??= new liveMore.Kept(view)).keep();
  withSecond(go, () => say(element, LOST));
}

function saveOrEmbed(view, element) {
  const open = () => {
    if (!view.away) {
      view.away = new liveMore.Away(view);
      element.parentElement.after(view.away.element);
      view.name("away", view.away.element.querySelectorAll("button"));
    }
    view.away.toggle(element);
  };
  withSecond(open, () => say(element, LOST));
}

/** On the button itself, for a while. */
function say(element, words) {
  const before = element.textContent;
  element.textContent = words;
  setTimeout(() => (element.textContent = before), 2000);
}
