// The board renders only what has changed: the rows of the passages and the
// cards of the lanes that the stream names.
import { fetchPart, inTurn, morphOver } from "./morph";

const gather = 120; // milliseconds in which changes become one request

export function startRows(): (topic: string) => void {
  const body = document.querySelector<HTMLElement>("#passages");
  const lanes = document.querySelector<HTMLElement>("#devices");
  if (!body || !lanes) return () => {};
  // A picture that is still on its way leaves its place empty.
  for (const [kind, away] of [["error", true], ["load", false]] as const) {
    body.addEventListener(kind, (e) => e.target instanceof HTMLImageElement && e.target.classList.toggle("away", away), true);
  }
  const due = new Set<string>();
  const cards = new Set<string>();
  let timer = 0;
  const run = () => {
    timer = 0;
    const some = async () => {
      const ids = [...due].slice(-60);
      due.clear();
      if (ids.length > 0) await rows(body, ids);
    };
    if (due.size > 0) void inTurn("rows", some);
    for (const id of cards) void inTurn(id, () => card(lanes, id));
    cards.clear();
  };
  return (topic) => {
    if (topic.startsWith("passage-")) due.add(topic.slice("passage-".length));
    else if (topic.startsWith("lane-")) cards.add(topic);
    else if (topic === "evidence") return retryImages(body);
    else return;
    timer ||= window.setTimeout(run, gather);
  };
}

async function rows(body: HTMLElement, ids: string[]): Promise<void> {
  const part = await fetchPart("/?part=rows&" + ids.map((id) => "id=" + encodeURIComponent(id)).join("&"));
  for (const fresh of part?.querySelectorAll<HTMLElement>("tr") ?? []) {
    const old = document.getElementById(fresh.id);
    if (old) {
      morphOver(old, fresh);
      continue;
    }
    document.getElementById("no-passages")?.remove();
    const after = [...body.children].find((r) => ((r as HTMLElement).dataset.at ?? "") < (fresh.dataset.at ?? ""));
    body.insertBefore(fresh, after ?? null);
  }
  const most = Number(body.dataset.rows);
  while (body.children.length > most) body.lastElementChild?.remove();
  document.body.dispatchEvent(new Event("gh:rendered"));
}

async function card(lanes: HTMLElement, id: string): Promise<void> {
  const old = document.getElementById(id);
  if (!old) {
    document.body.dispatchEvent(new Event("gh:lanes")); // a lane that the board has not shown yet
    return;
  }
  const where = new URLSearchParams({ part: "lane", gate: old.dataset.gate ?? "", lane: old.dataset.lane ?? "" });
  const fresh = (await fetchPart("/?" + where.toString()))?.firstElementChild;
  if (fresh && lanes.contains(old)) morphOver(old, fresh);
}

// retryImages asks again for pictures that were not here yet.
function retryImages(body: HTMLElement): void {
  for (const img of body.querySelectorAll("img")) {
    if (img.complete && img.naturalWidth === 0) img.src = img.getAttribute("src") ?? "";
  }
}
