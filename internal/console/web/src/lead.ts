// Several pages of one console may be open in one browser. In what must happen
// once, one of them leads: the one that has the browser's lock. It goes to the
// next when that page closes or stands back. Where the connection is neither
// encrypted nor local, browsers have no locks, and each page is on its own.

const prefix = "gatehouse.";

export class Lead {
  leading = false;
  private standing: AbortController | undefined;
  private release: (() => void) | undefined;

  constructor(private name: string, private taken: () => void, private mode: LockMode = "exclusive") {}

  // stand says whether this page can lead; one that cannot leaves it to others.
  stand(able: boolean): void {
    if (able === (this.standing !== undefined)) return;
    if (!able) {
      this.standing?.abort();
      this.release?.();
      this.standing = this.release = undefined;
      this.leading = false;
      return;
    }
    const mine = (this.standing = new AbortController());
    const lead = () => {
      this.leading = true;
      this.taken();
    };
    if (!navigator.locks) return lead();
    const hold = () => {
      if (mine.signal.aborted) return undefined;
      const held = new Promise<void>((done) => (this.release = done));
      lead();
      return held;
    };
    navigator.locks.request(prefix + this.name, { signal: mine.signal, mode: this.mode }, hold).catch(() => undefined);
  }
}

// led tells whether any page of this console leads in something.
export async function led(name: string): Promise<boolean> {
  if (!navigator.locks) return false;
  const all = await navigator.locks.query();
  return (all.held ?? []).some((l) => l.name === prefix + name);
}
