// One event stream per page. The browser's EventSource reconnects by itself
// and says where it stopped; where it gives up (the console was restarted, the
// session ended) it is made anew with the same place.

const silence = 30_000; // the server says something every ten seconds
const retry = 2_000;

let last = "";
let heard = 0;
let source: EventSource | undefined;

// What changes all the time and matters little is shown less often.
const slow: Record<string, number> = { receipts: 2_000, status: 2_000, heard: 5_000 };

// pace lets the first of a burst through at once and the last of it at its
// end, so that nothing is missed and nothing is rendered twice in a moment.
function pace(fire: (topic: string) => void): (topic: string) => void {
  const busy = new Map<string, boolean>(); // topic -> something came meanwhile
  const run = (topic: string) => {
    fire(topic);
    busy.set(topic, false);
    setTimeout(() => {
      const again = busy.get(topic);
      busy.delete(topic);
      if (again) run(topic);
    }, slow[topic] ?? 500);
  };
  return (topic) => (busy.has(topic) ? busy.set(topic, true) : run(topic));
}

export function startLive(swap: (topic: string) => void): void {
  if (document.body.dataset.live === undefined) return;
  last = document.body.dataset.live; // the stream begins where the page was rendered
  const fire = pace(swap);
  const open = () => {
    source?.close();
    heard = Date.now();
    source = new EventSource("/events" + (last ? "?since=" + encodeURIComponent(last) : ""));
    source.addEventListener("change", (e) => {
      const m = e as MessageEvent<string>;
      last = m.lastEventId;
      state(true);
      for (const topic of JSON.parse(m.data) as string[]) fire(topic);
    });
    source.addEventListener("reset", (e) => {
      last = (e as MessageEvent<string>).lastEventId;
      state(true);
      fire("reset");
    });
    source.addEventListener("pulse", (e) => {
      const m = e as MessageEvent<string>;
      if (m.lastEventId) last = m.lastEventId;
      document.body.dataset.skew = String(Number(m.data) - Date.now());
      state(true);
    });
    source.onerror = () => {
      state(false);
      if (source?.readyState === EventSource.CLOSED) setTimeout(open, retry);
    };
  };
  open();
  setInterval(() => {
    if (Date.now() - heard > silence) {
      state(false);
      open();
    }
  }, 5_000);
  window.addEventListener("beforeunload", () => source?.close());
}

function state(connected: boolean): void {
  if (connected) heard = Date.now();
  document.body.classList.toggle("cut-off", !connected);
  document.body.classList.toggle("on-line", connected);
}
