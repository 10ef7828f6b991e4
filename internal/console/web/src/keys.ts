// Keys go by their place on the keyboard (event.code), so that Telex and VNI
// input methods do not change them.
import { show } from "./dialogs";
import { acknowledge } from "./queue";
import { viewerKey } from "./viewer";

export function startKeys(): void {
  document.addEventListener("keydown", (e) => {
    const target = e.target as HTMLElement;
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const open = document.querySelector<HTMLDialogElement>("dialog[open]");
    if (open) return; // the box has the keys; Escape closes it
    const typing = target.closest("input:not([type=radio], [type=range]), textarea, select") !== null;
    if (typing && e.code === "Escape") {
      target.blur();
      e.preventDefault();
      return;
    }
    if (typing && !/^F\d/.test(e.code)) return; // function keys work while a reason is being written
    if (move(e) || viewerKey(e)) {
      e.preventDefault();
      return;
    }
    if (e.code === "KeyH") {
      show("keys");
      e.preventDefault();
      return;
    }
    if (e.code === "KeyN" && take()) {
      e.preventDefault();
      return;
    }
    press(e);
  });
}

// press does what the element with the key does.
function press(e: KeyboardEvent): void {
  const el = document.querySelector<HTMLElement>(`[data-key="${e.code}"]:not([hidden])`);
  if (!el) return;
  e.preventDefault();
  if (el instanceof HTMLInputElement && el.type === "radio") {
    el.checked = true;
    el.focus();
    return;
  }
  if (el instanceof HTMLTextAreaElement || el instanceof HTMLInputElement) {
    // The focus goes there once the key is up, or its letter would too.
    document.addEventListener("keyup", () => el.focus(), { once: true });
    return;
  }
  if (!(el instanceof HTMLButtonElement)) el.focus();
  el.click();
}

// move steps along the rows: J and K from anywhere, arrows within a list.
function move(e: KeyboardEvent): boolean {
  const row = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>("[data-row]");
  const by = e.code === "KeyJ" || (row && e.code === "ArrowDown") ? 1 : e.code === "KeyK" || (row && e.code === "ArrowUp") ? -1 : 0;
  if (by === 0) return false;
  const visible = (kind: string) => [...document.querySelectorAll<HTMLElement>(`[data-row="${kind}"]`)].filter((el) => el.offsetParent !== null);
  let rows = visible(row?.dataset.row ?? "alert");
  if (rows.length === 0) rows = visible("passage");
  if (rows.length === 0) return false;
  const at = row ? rows.indexOf(row) : by > 0 ? -1 : rows.length;
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return true;
}

// take acknowledges the alert that has the focus, or the first one that waits.
function take(): boolean {
  const item = (document.activeElement as HTMLElement | null)?.closest("li.alert");
  const form = (item ?? document).querySelector<HTMLFormElement>("form:has([data-ack])");
  if (form) void acknowledge(form);
  return form !== null;
}
