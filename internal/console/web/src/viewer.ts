// The viewer of scans and photos: zoom and pan, marked regions on and off; of
// scans also window and level, invert, edges and pseudo-colour. Those work on
// the scan in its stored depth, which is fetched when first asked for. What is
// shown is only a picture of the evidence; the original is a link beside it.
import { Tones } from "./tones";

interface View {
  scale: number;
  x: number;
  y: number;
}

type Act = () => void;

const viewers = new WeakMap<HTMLElement, Record<string, Act>>();

export function startViewers(): void {
  for (const el of document.querySelectorAll<HTMLElement>("[data-viewer]:not([data-ready])")) {
    if (!el.querySelector(".stage")) continue; // its image is not here yet
    el.dataset.ready = "yes";
    attach(el);
  }
  for (const b of document.querySelectorAll<HTMLElement>("[data-view]:not([data-ready])")) {
    b.dataset.ready = "yes";
    b.addEventListener("click", () => choose(b.dataset.view ?? ""));
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
    frame.dataset.scale = view.scale.toFixed(2);
  };
  const zoom = (factor: number, cx = frame.clientWidth / 2, cy = frame.clientHeight / 2) => {
    const next = Math.min(24, Math.max(1, view.scale * factor));
    view.x = cx - ((cx - view.x) * next) / view.scale;
    view.y = cy - ((cy - view.y) * next) / view.scale;
    view.scale = next;
    apply();
  };
  const pan = (dx: number, dy: number) => {
    view.x += dx;
    view.y += dy;
    apply();
  };
  const acts: Record<string, Act> = {
    regions: () => toggle(el, "regions", "no-regions"),
    closer: () => zoom(1.5),
    farther: () => zoom(1 / 1.5),
    left: () => pan(60, 0),
    right: () => pan(-60, 0),
    up: () => pan(0, 60),
    down: () => pan(0, -60),
    fit: () => {
      Object.assign(view, { scale: 1, x: 0, y: 0 });
      apply();
    },
  };
  const heat = stage.querySelector<HTMLImageElement>("img.heat");
  if (heat) acts.heat = () => warm(el, heat);
  const whole = el.querySelector<HTMLAnchorElement>("[data-whole]");
  if (whole) acts.whole = () => whole.click();
  if (stage.dataset.deep) Object.assign(acts, tones(el, stage, stage.dataset.deep));
  viewers.set(el, acts);
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
    if (frame.hasPointerCapture(e.pointerId)) pan(e.movementX, e.movementY);
  });
}

// tones are the acts of a scan that change how its values are shown.
function tones(el: HTMLElement, stage: HTMLElement, url: string): Record<string, Act> {
  const t = new Tones(stage, url);
  const slider = (name: string) => el.querySelector<HTMLInputElement>(`[data-tone=${name}]`);
  const level = slider("level");
  const width = slider("width");
  const read = () => t.window(Number(level?.value ?? 50) / 100, Number(width?.value ?? 100) / 100);
  const step = (input: HTMLInputElement | null, by: number) => {
    if (!input) return;
    input.value = String(Number(input.value) + by);
    read();
  };
  level?.addEventListener("input", read);
  width?.addEventListener("input", read);
  const flip = (act: string, set: (on: boolean) => void) => () => {
    const b = el.querySelector(`[data-act=${act}]`);
    const on = b?.getAttribute("aria-pressed") !== "true";
    b?.setAttribute("aria-pressed", String(on));
    set(on);
  };
  return {
    invert: flip("invert", (on) => t.set({ invert: on })),
    edge: flip("edge", (on) => t.set({ edge: on })),
    colour: flip("colour", (on) => t.set({ colour: on })),
    darker: () => step(level, -4),
    lighter: () => step(level, 4),
    narrower: () => step(width, -6),
    wider: () => step(width, 6),
  };
}

// toggle flips a button and the class it stands for.
function toggle(el: HTMLElement, act: string, name: string): void {
  const on = el.classList.toggle(name);
  el.querySelector(`[data-act=${act}]`)?.setAttribute("aria-pressed", String(!on));
}

// warm lays the map of what is suspect over the scan, or takes it away. It is
// fetched when first asked for.
function warm(el: HTMLElement, map: HTMLImageElement): void {
  if (!map.getAttribute("src")) map.src = map.dataset.src ?? "";
  map.hidden = !map.hidden;
  el.querySelector("[data-act=heat]")?.setAttribute("aria-pressed", String(!map.hidden));
}

// choose shows one of several scans.
function choose(id: string): void {
  for (const el of document.querySelectorAll("#scans .viewer")) el.classList.toggle("folded", el.id !== id);
  for (const b of document.querySelectorAll<HTMLElement>("[data-view]")) b.setAttribute("aria-pressed", String(b.dataset.view === id));
}

const byKey: Record<string, string> = {
  Equal: "closer", NumpadAdd: "closer", Minus: "farther", NumpadSubtract: "farther", Digit0: "fit", KeyG: "regions", KeyW: "whole", KeyY: "heat",
  KeyI: "invert", KeyX: "edge", KeyC: "colour", BracketLeft: "darker", BracketRight: "lighter", Comma: "narrower", Period: "wider",
};
const arrows: Record<string, string> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

// viewerKey gives a key to the viewer that has the focus, or to the scan that
// is shown. Arrows belong to a viewer only while it has the focus.
export function viewerKey(e: KeyboardEvent): boolean {
  const focused = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>("[data-viewer]");
  if (e.code === "KeyL") {
    const all = [...document.querySelectorAll<HTMLElement>("[data-view]")];
    const at = all.findIndex((b) => b.getAttribute("aria-pressed") === "true");
    if (all.length > 1) choose(all[(at + 1) % all.length]?.dataset.view ?? "");
    return all.length > 1;
  }
  const el = focused ?? document.querySelector<HTMLElement>("#scans .viewer:not(.folded)");
  const name = byKey[e.code] ?? (focused ? arrows[e.code] : undefined);
  const act = el && name ? viewers.get(el)?.[name] : undefined;
  act?.();
  return act !== undefined;
}
