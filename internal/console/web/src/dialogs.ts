// Boxes over the page: the help about keys, corrections, provenance.

export function startDialogs(): void {
  document.addEventListener("click", (e) => {
    const el = e.target as HTMLElement;
    const open = el.closest<HTMLElement>("[data-open]")?.dataset.open;
    if (open) show(open);
    if (el.closest("[data-close]")) el.closest("dialog")?.close();
    const phrase = el.closest<HTMLElement>("[data-phrase]")?.dataset.phrase;
    if (phrase !== undefined) write(phrase);
  });
  for (const d of document.querySelectorAll<HTMLDialogElement>("dialog[data-show]")) d.showModal();
}

export function show(id: string): void {
  const box = document.getElementById(id);
  if (box instanceof HTMLDialogElement && !box.open) box.showModal();
}

// write puts a ready reason into the field, once.
function write(phrase: string): void {
  const field = document.querySelector<HTMLTextAreaElement>("#verdict textarea[name=reason]");
  if (!field || field.value.includes(phrase)) return;
  field.value = field.value.trim() === "" ? phrase : field.value.trimEnd() + ". " + phrase;
}
