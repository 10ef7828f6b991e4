// Keys go by their place on the keyboard (event.code), so that Telex and VNI
// input methods do not change them.

export function startKeys(): void {
  document.addEventListener("keydown", (e) => {
    const target = e.target as HTMLElement;
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const typing = target.closest("input:not([type=radio]), textarea, select") !== null;
    if (typing && !/^F\d/.test(e.code)) return; // function keys work while a reason is being written
    if (e.code === "KeyJ" || e.code === "KeyK") {
      step(e.code === "KeyJ" ? 1 : -1);
      e.preventDefault();
      return;
    }
    const el = document.querySelector<HTMLElement>(`[data-key="${e.code}"]`);
    if (!el) return;
    e.preventDefault();
    if (el instanceof HTMLInputElement && el.type === "radio") {
      el.checked = true;
      el.focus();
      return;
    }
    if (el instanceof HTMLTextAreaElement) {
      // The focus goes there once the key is up, or its letter would too.
      document.addEventListener("keyup", () => el.focus(), { once: true });
      return;
    }
    el.focus();
    el.click();
  });
}

// step moves the focus along the rows of the list.
function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
