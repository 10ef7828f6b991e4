// The console's pages are rendered by the server. This script only keeps them
// live: it swaps fragments in when the server says that something changed,
// counts ages, and adds the image viewer and the keys.
import htmx from "htmx.org";
import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";
import { startAges } from "./ages";
import { startKeys } from "./keys";
import { startLive } from "./live";
import { startViewers } from "./viewer";

htmx.config.includeIndicatorStyles = false; // the content security policy allows no inline style
htmx.config.allowEval = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyEnabled = false;

// Morphing keeps focus, scroll and images where a plain swap would not.
htmx.defineExtension("morph", {
  isInlineSwap: (style: string) => style === "morph",
  handleSwap: (style: string, target: Element, fragment: DocumentFragment) => {
    if (style !== "morph") return false;
    return Idiomorph.morph(target, fragment.children, { morphStyle: "innerHTML", ignoreActiveValue: true });
  },
} as never);

startLive((topic) => htmx.trigger(document.body, "gh:" + topic, {}));
startAges();
startViewers();
startKeys();
document.body.addEventListener("htmx:afterSwap", () => {
  startViewers();
});
