// Ages count on between two renderings, and a device that has not been heard
// of for too long loses its state: stale is not a value.

export function startAges(): void {
  tick();
  setInterval(tick, 1_000);
  for (const name of ["htmx:afterSwap", "gh:rendered"]) document.body.addEventListener(name, tick);
}

function tick(): void {
  const now = Date.now() + Number(document.body.dataset.skew ?? 0);
  for (const el of document.querySelectorAll<HTMLElement>("[data-age]")) {
    const age = Math.max(0, Math.round((now - Date.parse(el.dataset.age ?? "")) / 1000));
    if (Number.isNaN(age)) continue;
    const text = spell(age);
    if (el.textContent !== text) el.textContent = text;
  }
  for (const el of document.querySelectorAll<HTMLElement>("[data-heard]")) {
    const age = (now - Date.parse(el.dataset.heard ?? "")) / 1000;
    if (age > Number(el.dataset.timeout)) el.classList.add("silent");
  }
  for (const el of document.querySelectorAll<HTMLElement>("[data-clock]")) {
    const text = new Date(now + 7 * 3600_000).toISOString().slice(11, 19);
    if (el.textContent !== text) el.textContent = text;
  }
}

function spell(s: number): string {
  const unit = document.body.dataset;
  if (s < 60) return `${s} ${unit.s}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${unit.min}`;
  if (s < 86_400) return `${Math.floor(s / 3600)} ${unit.h}`;
  return `${Math.floor(s / 86_400)} ${unit.d}`;
}
