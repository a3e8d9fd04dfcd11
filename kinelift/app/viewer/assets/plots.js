/** Joint angles of the selected person over time: left and right in one plot, guesses dashed. */
import { angleIsGuess, degreesAt } from "viewer/clip";
import { find, make } from "viewer/dom";

const SHOWN_AT_FIRST = ["knee", "hip", "elbow"];
const GRID = 45; // degrees
const MARGIN = 5; // pixels above and below

export class Plots {
  constructor(clip, state, axis) {
    Object.assign(this, { clip, state, axis });
    this.shown = new Set(SHOWN_AT_FIRST);
    this.rows = clip.angles.map((kind) => this.#row(kind));
    find("#plots").append(...this.rows.map((row) => row.element));
    find("#chips").append(...this.rows.map((row) => row.chip));
    const sides = ["left", "right"].map((side) => make("span", { "--colour": clip.sides[side] }, make("i"), side));
    find("#key").append(...sides, make("span", { class: "dashed" }, make("i"), "guess"));
    new ResizeObserver(() => this.#draw()).observe(find("#plots"));
    axis.watch(() => this.#draw());
    state.watch(["selected", "theme"], () => this.#choose());
    state.watch(["frame"], () => this.#read());
  }

  #row(kind) {
    const canvas = make("canvas", { role: "img" });
    const values = make("span", { class: "values" });
    const title = kind.name[0].toUpperCase() + kind.name.slice(1);
    const name = make("div", { class: "name", title: kind.about }, make("span", {}, title), values);
    const element = make("div", { class: "row plot" }, name, make("div", { class: "lane" }, canvas));
    const chip = make("button", { type: "button", title: kind.about }, title);
    chip.onclick = () => {
      if (!this.shown.delete(kind.name)) this.shown.add(kind.name);
      this.#choose();
    };
    return { kind, element, canvas, values, chip };
  }

  /** Show the chosen plots of the selected person. */
  #choose() {
    this.person = this.clip.people.find((person) => person.id === this.state.get("selected"));
    find("#whose").textContent = this.person?.name ?? "";
    for (const row of this.rows) {
      row.angles = (this.person?.angles ?? []).filter((angle) => angle.name === row.kind.name);
      row.element.hidden = !this.shown.has(row.kind.name) || !row.angles.length;
      row.chip.hidden = !row.angles.length;
      row.chip.setAttribute("aria-pressed", this.shown.has(row.kind.name));
    }
    this.#draw();
    this.#read();
  }

  /** Write the angles of the present frame beside the plots. */
  #read() {
    const row = this.person?.rowOf(this.state.get("frame")) ?? -1;
    for (const { values, angles, canvas, kind, element } of this.rows) {
      if (!angles || element.hidden) continue;
      const read = angles.map((angle) => ({ angle, degrees: degreesAt(angle, row) }));
      values.replaceChildren(...read.map(({ angle, degrees }) => this.#value(angle, degrees, row)));
      const text = read.map(({ angle, degrees }) => `${angle.side} ${isNaN(degrees) ? "not known" : `${degrees.toFixed(0)}°`}`);
      canvas.setAttribute("aria-label", `${this.person.name}, ${kind.name} over time. Now ${text.join(", ")}.`);
    }
  }

  #value(angle, degrees, row) {
    const guess = !isNaN(degrees) && angleIsGuess(angle, row);
    const text = isNaN(degrees) ? "–" : `${degrees.toFixed(0)}°`;
    return make("span", { class: guess ? "guess" : "", "--colour": this.clip.sides[angle.side] }, text);
  }

  #draw() {
    for (const row of this.rows) if (row.angles && !row.element.hidden) this.#plot(row);
  }

  #plot({ canvas, angles }) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    [canvas.width, canvas.height] = [width * scale, height * scale];
    const brush = canvas.getContext("2d");
    brush.scale(scale, scale);
    const [low, high] = limits(angles);
    const y = (degrees) => MARGIN + ((high - degrees) / (high - low)) * (height - 2 * MARGIN);
    this.#grid(brush, width, low, high, y);
    brush.lineWidth = 1.6;
    brush.lineJoin = "round";
    for (const angle of angles) this.#line(brush, angle, width, y);
  }

  #grid(brush, width, low, high, y) {
    const style = getComputedStyle(brush.canvas);
    brush.font = `10px ${style.fontFamily}`;
    brush.fillStyle = style.getPropertyValue("--muted");
    brush.strokeStyle = style.getPropertyValue("--line");
    for (let degrees = low; degrees <= high; degrees += GRID) {
      brush.beginPath();
      brush.moveTo(0, Math.round(y(degrees)) + 0.5);
      brush.lineTo(width, Math.round(y(degrees)) + 0.5);
      brush.stroke();
    }
    brush.textBaseline = "top";
    brush.fillText(`${high}°`, 3, y(high) + 2);
    brush.textBaseline = "bottom";
    brush.fillText(`${low}°`, 3, y(low) - 1);
  }

  /** Draw what was seen as a line and what is guessed dashed. At most a few points fall on a pixel. */
  #line(brush, angle, width, y) {
    const { times } = this.clip;
    const { first, length } = this.person;
    const x = (row) => width * this.axis.shareOf(times[first + row]);
    const [from, to] = [this.axis.start, this.axis.end].map((time) => this.clip.frameAt(time) - first);
    const [start, stop] = [Math.max(from, 0), Math.min(to + 1, length - 1)];
    const every = Math.max(1, Math.floor((stop - start) / (4 * width)));
    const paths = { seen: new Path2D(), guess: new Path2D() };
    let before = null; // the kind of the line that ends at the present row
    for (let row = start; row + every <= stop; row += every) {
      const [now, next] = [degreesAt(angle, row), degreesAt(angle, row + every)];
      const kind = angleIsGuess(angle, row) || angleIsGuess(angle, row + every) ? "guess" : "seen";
      const known = !isNaN(now) && !isNaN(next);
      if (known && before !== kind) paths[kind].moveTo(x(row), y(now));
      if (known) paths[kind].lineTo(x(row + every), y(next));
      before = known ? kind : null;
    }
    brush.strokeStyle = this.clip.sides[angle.side];
    brush.stroke(paths.seen);
    brush.globalAlpha = 0.6;
    brush.setLineDash([4, 3]);
    brush.stroke(paths.guess);
    brush.setLineDash([]);
    brush.globalAlpha = 1;
  }
}

/** The range of a plot: multiples of ``GRID`` around all values. */
function limits(angles) {
  let [low, high] = [180, 0];
  for (const angle of angles) {
    for (let row = 0; row < angle.degrees.length; row++) {
      const degrees = degreesAt(angle, row);
      if (!isNaN(degrees)) [low, high] = [Math.min(low, degrees), Math.max(high, degrees)];
    }
  }
  if (low > high) return [0, 180];
  const bottom = GRID * Math.floor(low / GRID);
  return [bottom, Math.max(GRID * Math.ceil(high / GRID), bottom + GRID)];
}
