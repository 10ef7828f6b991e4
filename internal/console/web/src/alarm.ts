// Sound and desktop notification while there are alerts that nobody has
// acknowledged. Browsers let a page sound only after the officer has touched
// it; whether it may is shown, and a click or M unlocks it. The server leaves
// late alerts out, so they are silent.

interface Ring {
  id: string;
  title: string;
  body: string;
  href: string;
}

const wanted = "gatehouse.sound";
const told = "gatehouse.told";
const every = 2_400; // milliseconds between two sounds

let audio: AudioContext | undefined;
let ringing: Ring[] = [];

export function startAlarm(): void {
  const box = document.querySelector<HTMLElement>("#ringing");
  const button = document.querySelector<HTMLButtonElement>("#sound");
  if (!box || !button) return;
  const on = () => localStorage.getItem(wanted) !== "off";
  const show = () => {
    const state = !on() ? "off" : audio?.state !== "running" ? "locked" : ringing.length > 0 ? "ringing" : "on";
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
  // Any touch of the page is enough for the browser.
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, () => {
      if (on() && audio?.state !== "running") void unlock();
    });
  }
  audio = new AudioContext();
  audio.onstatechange = show;
  const read = () => {
    ringing = [...box.querySelectorAll<HTMLElement>("[data-ring]")].map((el) => ({
      id: el.dataset.ring ?? "", title: el.dataset.title ?? "", body: el.dataset.body ?? "", href: el.dataset.href ?? "/alerts",
    }));
    document.body.classList.toggle("ringing", ringing.length > 0);
    show();
    tell(ringing);
    if (ringing.length > 0) sound(on);
  };
  box.addEventListener("htmx:afterSwap", read);
  setInterval(() => {
    if (ringing.length > 0) sound(on);
  }, every);
  show();
  startNotify();
}

let last = 0;

// sound plays two tones, as long as something rings.
function sound(on: () => boolean): void {
  if (!on() || audio?.state !== "running" || Date.now() - last < every - 200) return;
  last = Date.now();
  document.body.dataset.sounded = String(Number(document.body.dataset.sounded ?? 0) + 1);
  for (const [at, pitch] of [[0, 880], [0.22, 660]] as const) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0, audio.currentTime + at);
    gain.gain.linearRampToValueAtTime(0.25, audio.currentTime + at + 0.02);
    gain.gain.linearRampToValueAtTime(0, audio.currentTime + at + 0.2);
    tone.connect(gain).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.21);
  }
}

function startNotify(): void {
  const button = document.querySelector<HTMLButtonElement>("#notify");
  // Browsers offer notifications only where the connection is encrypted or
  // local; elsewhere there is no control that would do nothing.
  if (!button || !("Notification" in window) || !window.isSecureContext) return;
  const show = () => {
    button.dataset.state = Notification.permission;
    const word = button.querySelector(".word");
    const text = Notification.permission === "granted" ? button.dataset.on : Notification.permission === "denied" ? button.dataset.denied : undefined;
    if (word && text) word.textContent = text;
    button.disabled = Notification.permission !== "default";
  };
  button.hidden = false;
  button.addEventListener("click", () => void Notification.requestPermission().then(show));
  show();
}

// tell notifies of each alert once, while the officer looks elsewhere.
function tell(list: Ring[]): void {
  const known = new Set((sessionStorage.getItem(told) ?? "").split(" "));
  const fresh = list.filter((r) => !known.has(r.id));
  if (fresh.length === 0) return;
  sessionStorage.setItem(told, [...known, ...fresh.map((r) => r.id)].slice(-200).join(" "));
  if (!("Notification" in window) || Notification.permission !== "granted" || document.hasFocus()) return;
  for (const r of fresh) {
    const n = new Notification(r.title, { body: r.body, tag: r.id });
    n.onclick = () => {
      window.focus();
      location.assign(r.href);
    };
  }
}
