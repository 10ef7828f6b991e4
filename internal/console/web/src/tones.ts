// Tones draws a scan's stored values through a window: level is the middle and
// width the span of the values that get the whole range of brightness. It
// works on 16 bits, which the server sends as two bytes of a picture's colour.

interface State {
  level: number; // 0..1 of the span that the scan uses
  width: number; // 0..1 of the same
  invert: boolean;
  edge: boolean;
  colour: boolean;
}

export class Tones {
  private state: State = { level: 0.5, width: 1, invert: false, edge: false, colour: false };
  private values: Uint16Array | undefined;
  private low = 0;
  private high = 65535;
  private w = 0;
  private h = 0;
  private loading = false;
  private drawing = false;

  constructor(private stage: HTMLElement, private url: string) {}

  window(level: number, width: number): void {
    this.set({ level, width });
  }

  set(change: Partial<State>): void {
    Object.assign(this.state, change);
    if (this.plain()) {
      this.stage.querySelector("canvas")?.remove();
      return;
    }
    if (this.values) this.draw();
    else void this.load();
  }

  // plain is what the server's own picture shows.
  private plain(): boolean {
    const s = this.state;
    return !s.invert && !s.edge && !s.colour && s.level === 0.5 && s.width === 1;
  }

  private async load(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    try {
      const image = new Image();
      image.src = this.url;
      await image.decode();
      this.take(image);
      if (!this.plain()) this.draw();
    } catch {
      // The picture that is there stays; the buttons can be pressed again.
    } finally {
      this.loading = false;
    }
  }

  private take(image: HTMLImageElement): void {
    this.w = image.naturalWidth;
    this.h = image.naturalHeight;
    const canvas = document.createElement("canvas");
    canvas.width = this.w;
    canvas.height = this.h;
    const c = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
    if (!c) throw new Error("no canvas");
    c.drawImage(image, 0, 0);
    const bytes = c.getImageData(0, 0, this.w, this.h).data;
    const values = new Uint16Array(this.w * this.h);
    const bins = new Uint32Array(65536);
    for (let i = 0, j = 0; i < values.length; i++, j += 4) {
      const v = ((bytes[j] ?? 0) << 8) | (bytes[j + 1] ?? 0);
      values[i] = v;
      bins[v]!++;
    }
    this.values = values;
    [this.low, this.high] = used(bins, values.length);
  }

  private draw(): void {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      if (this.values) this.paint(this.state.edge ? sharpen(this.values, this.w, this.h) : this.values);
    });
  }

  private paint(values: Uint16Array): void {
    let canvas = this.stage.querySelector("canvas");
    if (!canvas) {
      canvas = document.createElement("canvas");
      canvas.setAttribute("aria-hidden", "true");
      this.stage.querySelector("img")?.after(canvas);
    }
    if (canvas.width !== this.w || canvas.height !== this.h) {
      canvas.width = this.w;
      canvas.height = this.h;
    }
    const c = canvas.getContext("2d");
    if (!c) return;
    const out = c.createImageData(this.w, this.h);
    const pixels = new Uint32Array(out.data.buffer);
    const table = this.table();
    for (let i = 0; i < values.length; i++) pixels[i] = table[values[i]!]!;
    c.putImageData(out, 0, 0);
    canvas.dataset.tones = JSON.stringify(this.state);
  }

  // table gives each stored value its colour.
  private table(): Uint32Array {
    const s = this.state;
    const span = this.high - this.low;
    const middle = this.low + span * s.level;
    const half = Math.max(1, (span * s.width) / 2);
    const table = new Uint32Array(65536);
    for (let v = 0; v < 65536; v++) {
      let t = Math.min(1, Math.max(0, (v - middle + half) / (2 * half)));
      if (s.invert) t = 1 - t;
      const [r, g, b] = s.colour ? hue(t) : [t, t, t];
      table[v] = 0xff000000 | (Math.round(b * 255) << 16) | (Math.round(g * 255) << 8) | Math.round(r * 255);
    }
    return table;
  }
}

// used is the span of values that a scan uses, the outermost half per cent
// left out at both ends.
function used(bins: Uint32Array, n: number): [number, number] {
  const cut = n * 0.005;
  let low = 0;
  for (let sum = bins[0]!; sum <= cut && low < 65535; sum += bins[low]!) low++;
  let high = 65535;
  for (let sum = bins[65535]!; sum <= cut && high > low; sum += bins[high]!) high--;
  return [low, Math.max(high, low + 1)];
}

// sharpen adds to each value what it differs by from its surroundings.
function sharpen(values: Uint16Array, w: number, h: number): Uint16Array {
  const out = new Uint16Array(values);
  for (let y = 1; y < h - 1; y++) {
    for (let x = 1, i = y * w + 1; x < w - 1; x++, i++) {
      const v = values[i]!;
      const around = values[i - 1]! + values[i + 1]! + values[i - w]! + values[i + w]! +
        values[i - w - 1]! + values[i - w + 1]! + values[i + w - 1]! + values[i + w + 1]!;
      const s = v + 2.2 * (v - around / 8);
      out[i] = s < 0 ? 0 : s > 65535 ? 65535 : s;
    }
  }
  return out;
}

// hue goes from dark violet over red and yellow to white, and grows in
// brightness all the way, so that it can be read without colour, too.
function hue(t: number): [number, number, number] {
  const stops: [number, number, number, number][] = [
    [0, 0.02, 0.0, 0.1], [0.25, 0.34, 0.06, 0.43], [0.5, 0.74, 0.22, 0.33], [0.75, 0.98, 0.56, 0.04], [1, 0.99, 1, 0.75],
  ];
  for (let i = 1; i < stops.length; i++) {
    const [a, b] = [stops[i - 1]!, stops[i]!];
    if (t > b[0]) continue;
    const k = (t - a[0]) / (b[0] - a[0]);
    return [a[1] + k * (b[1] - a[1]), a[2] + k * (b[2] - a[2]), a[3] + k * (b[3] - a[3])];
  }
  return [1, 1, 1];
}
