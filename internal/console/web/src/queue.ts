// The alert queue never moves under the cursor. What is in the list is changed
// in its place, even when it is over; what is new is announced at the top and
// put in when the officer asks for it, or when neither the pointer nor the
// focus is in the list.
import { fetchPart, inTurn, morphOver } from "./morph";

let fresh: HTMLElement[] = []; // the queue as the server has it

export function startQueue(): (topic: string) => void {
  const box = document.querySelector<HTMLElement>("[data-queue]");
  const list = box?.querySelector<HTMLElement>("#queue");
  const show = box?.querySelector<HTMLButtonElement>("#show-new");
  if (!box || !list || !show) return () => {};
  const free = () => !box.matches(":hover") && !box.contains(document.activeElement);
  const settle = () => {
    const place = rank(fresh);
    for (const el of [...list.children]) if (!place.has(el.id)) el.remove();
    for (const el of fresh) {
      const old = document.getElementById(el.id);
      list.append(old ?? el); // in the server's order: worst first, then the oldest
    }
    announce(show, 0);
    count(box, list);
  };
  const compare = () => {
    const place = rank(fresh);
    for (const el of list.children) el.classList.toggle("gone", !place.has(el.id));
    for (const el of fresh) {
      const old = document.getElementById(el.id);
      if (old && old !== el && list.contains(old)) morphOver(old, el.cloneNode(true) as Element);
    }
    const added = fresh.filter((el) => !list.contains(document.getElementById(el.id)));
    const gone = [...list.children].some((el) => !place.has(el.id));
    if (free() && (added.length > 0 || gone)) settle();
    else {
      announce(show, added.length);
      count(box, list);
    }
  };
  const load = async () => {
    const part = await fetchPart(box.dataset.queue ?? "");
    if (!part) return;
    fresh = [...part.querySelectorAll<HTMLElement>("li.alert")];
    compare();
  };
  show.addEventListener("click", () => {
    settle();
    (list.querySelector<HTMLElement>("[data-row]"))?.focus();
  });
  const later = () => setTimeout(() => fresh.length + list.children.length > 0 && free() && pending(show, list) && settle(), 400);
  box.addEventListener("pointerleave", later);
  box.addEventListener("focusout", later);
  box.addEventListener("submit", (e) => {
    e.preventDefault();
    void acknowledge(e.target as HTMLFormElement);
  });
  filters(box, list);
  fresh = [...list.querySelectorAll<HTMLElement>("li.alert")].map((el) => el.cloneNode(true) as HTMLElement);
  count(box, list);
  return (topic) => {
    if (topic === "alerts" || topic === "reset") void inTurn("queue", load);
  };
}

const rank = (list: HTMLElement[]) => new Set(list.map((el) => el.id));

const pending = (show: HTMLElement, list: HTMLElement) => !show.hidden || list.querySelector(".gone") !== null;

function announce(show: HTMLButtonElement, n: number): void {
  const text = n === 1 ? (show.dataset.one ?? "") : (show.dataset.many ?? "").replace("{n}", String(n));
  if (n > 0 && show.textContent !== text) show.textContent = text;
  show.hidden = n === 0;
}

function count(box: HTMLElement, list: HTMLElement): void {
  const n = list.querySelectorAll("li.alert:not(.gone)").length;
  const shown = box.querySelector("#queue-count");
  if (shown) shown.textContent = String(n);
  box.classList.toggle("nothing", list.children.length === 0);
}

// acknowledge says that the officer takes an alert, without leaving the page.
export async function acknowledge(form: HTMLFormElement): Promise<void> {
  const button = form.querySelector("button");
  button?.setAttribute("disabled", "");
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(answer.statusText);
    // The focus stays with the alert when its button goes.
    if (form.contains(document.activeElement)) form.closest("li")?.querySelector<HTMLElement>("[data-row]")?.focus();
  } catch {
    button?.removeAttribute("disabled");
  }
}

function filters(box: HTMLElement, list: HTMLElement): void {
  for (const b of box.querySelectorAll<HTMLElement>("[data-filter]")) {
    b.addEventListener("click", () => {
      list.dataset.only = b.dataset.filter;
      for (const other of box.querySelectorAll("[data-filter]")) other.setAttribute("aria-pressed", String(other === b));
    });
  }
}
