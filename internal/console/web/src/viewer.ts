// The viewer of scans and photos: zoom and pan, marked regions on and off,
// invert and contrast. What it shows is only a picture of the evidence; the
// original is a link beside it.

interface View {
  scale: number;
  x: number;
  y: number;
}

export function startViewers(): void {
  for (const el of document.querySelectorAll<HTMLElement>("[data-viewer]:not([data-ready])")) {
    el.dataset.ready = "yes";
    attach(el);
  }
}

function attach(el: HTMLElement): void {
  const stage = el.querySelector<HTMLElement>(".stage");
  const frame = el.querySelector<HTMLElement>(".frame");
  if (!stage || !frame) return;
  const view: View = { scale: 1, x: 0, y: 0 };
  const apply = () => {
    const w = frame.clientWidth * (view.scale - 1);
    const h = frame.clientHeight * (view.scale - 1);
    view.x = Math.min(0, Math.max(-w, view.x));
    view.y = Math.min(0, Math.max(-h, view.y));
    stage.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    frame.classList.toggle("zoomed", view.scale > 1);
  };
  const zoom = (factor: number, cx = frame.clientWidth / 2, cy = frame.clientHeight / 2) => {
    const next = Math.min(12, Math.max(1, view.scale * factor));
    view.x = cx - ((cx - view.x) * next) / view.scale;
    view.y = cy - ((cy - view.y) * next) / view.scale;
    view.scale = next;
    apply();
  };
  const acts: Record<string, () => void> = {
    regions: () => toggle(el, "regions", "no-regions"),
    invert: () => toggle(el, "invert", "inverted"),
    contrast: () => toggle(el, "contrast", "contrast"),
    closer: () => zoom(1.5),
    farther: () => zoom(1 / 1.5),
    fit: () => {
      Object.assign(view, { scale: 1, x: 0, y: 0 });
      apply();
    },
  };
  el.addEventListener("click", (e) => {
    const act = (e.target as HTMLElement).closest<HTMLElement>("[data-act]")?.dataset.act;
    if (act) acts[act]?.();
  });
  frame.addEventListener("wheel", (e) => {
    e.preventDefault();
    const r = frame.getBoundingClientRect();
    zoom(Math.exp(-e.deltaY / 400), e.clientX - r.left, e.clientY - r.top);
  }, { passive: false });
  frame.addEventListener("pointerdown", (e) => frame.setPointerCapture(e.pointerId));
  frame.addEventListener("pointermove", (e) => {
    if (!frame.hasPointerCapture(e.pointerId)) return;
    view.x += e.movementX;
    view.y += e.movementY;
    apply();
  });
}

// toggle flips a button and the class it stands for.
function toggle(el: HTMLElement, act: string, name: string): void {
  const on = el.classList.toggle(name);
  const pressed = act === "regions" ? !on : on;
  el.querySelector(`[data-act=${act}]`)?.setAttribute("aria-pressed", String(pressed));
}
