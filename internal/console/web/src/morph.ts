import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";

// What the script has put into a page stays through a new rendering: the state
// of a viewer, an open box, a folded view.
const kept = {
  beforeAttributeUpdated: (name: string, node: Element) =>
    !(node.matches("[data-viewer], [data-viewer] [data-act], [data-view]") && (name === "class" || name === "aria-pressed" || name === "data-ready")) &&
    !(node.matches("[data-tone]") && name === "value") && !(node.matches(".stage") && name === "style") && !(node.matches("details, dialog") && name === "open"),
  beforeNodeRemoved: (node: Node) => !(node instanceof HTMLCanvasElement && node.closest("[data-viewer]")),
};

export function morphInside(target: Element, content: HTMLCollection): Node[] {
  return Idiomorph.morph(target, content, { morphStyle: "innerHTML", ignoreActiveValue: true, callbacks: kept }) as Node[];
}

export function morphOver(target: Element, fresh: Element): void {
  Idiomorph.morph(target, fresh, { morphStyle: "outerHTML", ignoreActiveValue: true, callbacks: kept });
}

// fetchPart gets a fragment of a page; undefined when the session is over or
// the console cannot be reached, which the page shows anyway.
export async function fetchPart(url: string): Promise<DocumentFragment | undefined> {
  try {
    const answer = await fetch(url, { headers: { "HX-Request": "true" } });
    if (answer.headers.get("HX-Redirect")) location.assign(answer.headers.get("HX-Redirect") ?? "/login");
    if (!answer.ok) return undefined;
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    return holder.content;
  } catch {
    return undefined;
  }
}

const busy = new Map<string, boolean>(); // part of a page -> it has changed again meanwhile

// inTurn renders a part of a page anew, and once more when it changed meanwhile:
// of two answers under way at once the older could come last and stay.
export async function inTurn(part: string, render: () => Promise<void>): Promise<void> {
  if (busy.has(part)) {
    busy.set(part, true);
    return;
  }
  do {
    busy.set(part, false);
    await render();
  } while (busy.get(part));
  busy.delete(part);
}
