// Sound and desktop notification while there are alerts that nobody has
// acknowledged. Browsers let a page sound only after the officer has touched
// it; whether it may is shown, and a click or M unlocks it. The server leaves
// late alerts out, so they are silent. Of several open pages one sounds and one
// notifies.
import { Lead, led } from "./lead";

interface Ring {
  id: string;
  title: string;
  body: string;
  href: string;
}

const wanted = "gatehouse.sound";
const told = "gatehouse.told";
const period = 2.4; // seconds from one sound to the next

let audio: AudioContext | undefined;
let ringing: Ring[] = [];

export function startAlarm(): void {
  const box = document.querySelector<HTMLElement>("#ringing");
  const button = document.querySelector<HTMLButtonElement>("#sound");
  if (!box || !button) return;
  const on = () => localStorage.getItem(wanted) !== "off";
  const sounder = new Lead("sound", () => sound(ringing.length > 0));
  const show = () => {
    const able = on() && audio?.state === "running"; // a page that is locked leaves the sound to one that is not
    sounder.stand(able);
    sound(sounder.leading && ringing.length > 0);
    const state = !on() ? "off" : !able ? "locked" : ringing.length > 0 ? "ringing" : "on";
    if (button.dataset.state === state) return;
    button.dataset.state = state;
    button.setAttribute("aria-pressed", String(on()));
    const word = button.querySelector(".word");
    if (word) word.textContent = button.dataset[state] ?? "";
  };
  const unlock = async () => {
    audio ??= new AudioContext();
    if (audio.state !== "running") await audio.resume().catch(() => undefined);
    show();
  };
  button.addEventListener("click", () => {
    const locked = button.dataset.state === "locked";
    localStorage.setItem(wanted, locked || !on() ? "on" : "off");
    void unlock();
  });
  window.addEventListener("storage", (e) => e.key === wanted && show()); // another page of the console
  // Any touch of the page is enough for the browser.
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, () => {
      if (on() && audio?.state !== "running") void unlock();
    });
  }
  audio = new AudioContext();
  audio.onstatechange = show;
  const notify = startNotify();
  box.addEventListener("htmx:afterSwap", () => {
    ringing = [...box.querySelectorAll<HTMLElement>("[data-ring]")].map((el) => ({
      id: el.dataset.ring ?? "", title: el.dataset.title ?? "", body: el.dataset.body ?? "", href: el.dataset.href ?? "/alerts",
    }));
    document.body.classList.toggle("ringing", ringing.length > 0);
    show();
    void notify();
  });
  show();
}

let playing: AudioBufferSourceNode | undefined;

// sound plays two tones again and again until it is called off. The browser's
// audio repeats them, not a timer: timers of pages in the background are slow.
function sound(yes: boolean): void {
  if (yes === (playing !== undefined) || !audio) return;
  document.body.classList.toggle("sounding", yes);
  if (!yes) {
    playing?.stop();
    playing = undefined;
    return;
  }
  playing = new AudioBufferSourceNode(audio, { buffer: tones(audio), loop: true });
  playing.connect(audio.destination);
  playing.start();
}

function tones(audio: AudioContext): AudioBuffer {
  const rate = audio.sampleRate;
  const buffer = audio.createBuffer(1, Math.round(period * rate), rate);
  const out = buffer.getChannelData(0);
  for (const [at, pitch] of [[0, 880], [0.22, 660]] as const) {
    for (let i = 0; i < 0.2 * rate; i++) {
      const t = i / rate;
      out[Math.round(at * rate) + i] = 0.25 * Math.min(1, t / 0.02, (0.2 - t) / 0.1) * Math.sin(2 * Math.PI * pitch * t);
    }
  }
  return buffer;
}

// startNotify offers notifications and gives what tells of the alerts that
// ring: of each once, while the officer looks at no page of the console. One
// that somebody has acknowledged is taken away again.
function startNotify(): () => Promise<void> {
  const button = document.querySelector<HTMLButtonElement>("#notify");
  // Browsers offer notifications only where the connection is encrypted or
  // local; elsewhere there is no control that would do nothing.
  if (!button || !("Notification" in window) || !window.isSecureContext) return async () => {};
  const shown = new Map<string, Notification>();
  const tell = async () => {
    for (const [id, n] of shown) {
      if (ringing.some((r) => r.id === id)) continue;
      n.close();
      shown.delete(id);
    }
    if (!leader.leading) return;
    const known = new Set((localStorage.getItem(told) ?? "").split(" "));
    const fresh = ringing.filter((r) => !known.has(r.id));
    if (fresh.length === 0) return;
    localStorage.setItem(told, [...known, ...fresh.map((r) => r.id)].slice(-200).join(" "));
    if (document.hasFocus() || (await led("watching"))) return;
    for (const r of fresh) shown.set(r.id, note(r));
  };
  const leader = new Lead("notify", () => void tell());
  const watcher = new Lead("watching", () => {}, "shared");
  const watch = () => watcher.stand(document.hasFocus());
  for (const kind of ["focus", "blur"]) window.addEventListener(kind, watch);
  window.addEventListener("pagehide", () => shown.forEach((n) => n.close())); // whoever turns the page has seen it
  const show = () => {
    leader.stand(Notification.permission === "granted");
    button.dataset.state = Notification.permission;
    const word = button.querySelector(".word");
    const text = Notification.permission === "granted" ? button.dataset.on : Notification.permission === "denied" ? button.dataset.denied : undefined;
    if (word && text) word.textContent = text;
    button.disabled = Notification.permission !== "default";
  };
  button.hidden = false;
  button.addEventListener("click", () => void Notification.requestPermission().then(show));
  watch();
  show();
  return tell;
}

function note(r: Ring): Notification {
  const n = new Notification(r.title, { body: r.body, tag: r.id });
  n.onclick = () => {
    window.focus();
    location.assign(r.href);
  };
  return n;
}
