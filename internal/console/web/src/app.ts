// The console's pages are rendered by the server. These scripts keep them live:
// they swap fragments in when the server says that something changed, count
// ages, keep the alert queue still, sound, and add the image viewer and keys.
import htmx from "htmx.org";
import { startAges } from "./ages";
import { startAlarm } from "./alarm";
import { startDialogs } from "./dialogs";
import { startKeys } from "./keys";
import { startLive } from "./live";
import { morphInside } from "./morph";
import { startQueue } from "./queue";
import { startRows } from "./rows";
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
    return morphInside(target, fragment.children);
  },
} as never);

const rows = startRows();
const queue = startQueue();
startLive((topic) => {
  rows(topic);
  queue(topic);
  htmx.trigger(document.body, "gh:" + topic, {});
});
startAges();
startAlarm();
startDialogs();
startViewers();
startKeys();
document.body.addEventListener("htmx:afterSwap", () => {
  startViewers();
});
