/** The timeline: a lane for every person with their actions, which can be clicked, and a ruler above. */
import { clockTime, find, findAll, icon, make, percent } from "viewer/dom";

const PIXELS_PER_TICK = 90;

export class Tracks {
  constructor(clip, state, axis, player) {
    Object.assign(this, { clip, state, axis, player });
    this.section = find("#tracks");
    this.grid = find(".grid", this.section);
    this.ruler = find(".ticks", this.section);
    this.lanes = clip.people.map((person) => this.#lane(person));
    find("#lanes").append(...this.lanes.map((lane) => lane.row));
    if (!clip.people.length) find("#lanes").append(make("p", { class: "nobody" }, "Nobody was found in this video."));
    for (const button of findAll("[data-zoom]", this.section)) button.onclick = () => this.zoom(Number(button.dataset.zoom));
    this.#seekByPointer();
    new ResizeObserver(() => this.#drawTicks()).observe(this.ruler);
    axis.watch(() => this.#arrange());
    state.watch(["frame"], () => this.#movePlayhead());
    state.watch(["selected", "hidden"], () => this.#mark());
  }

  zoom(factor) {
    this.axis.zoom(factor, this.#time());
  }

  #time() {
    return this.clip.times[this.state.get("frame")] ?? 0;
  }

  #lane(person) {
    const eye = make("button", { type: "button", class: "eye", "aria-label": `Show ${person.name}`, title: "Show or hide" }, icon("eye"));
    eye.onclick = () => this.#toggle(person.id);
    const name = make("button", { type: "button", class: "person", title: "Select" }, make("i"), person.name);
    name.onclick = () => this.state.set({ selected: person.id });
    const presence = make("div", { class: "presence" });
    const bars = person.actions.map((action) => this.#bar(action));
    const lane = make("div", { class: "lane" }, presence, ...bars.map(({ button }) => button));
    const row = make("div", { class: "row", "--colour": person.colour }, make("div", { class: "name" }, eye, name), lane);
    return { person, row, eye, name, spans: [{ button: presence, action: person }, ...bars] };
  }

  #bar(action) {
    const others = action.top.filter(([label]) => label !== action.label);
    const also = others.length ? `, or ${others.map(([label, share]) => `${label} ${percent(share)}`).join(", ")}` : "";
    const when = `${clockTime(action.start)} to ${clockTime(action.end)}`;
    const text = `${action.label} ${percent(action.probability)}${also}, ${when}`;
    const attributes = {
      type: "button",
      class: action.label === "unknown" ? "bar unknown" : "bar",
      title: text,
      "aria-label": text,
      "--colour": this.clip.colours[action.label],
      "--sure": `${Math.round(45 + 55 * action.probability)}%`,
    };
    const button = make("button", attributes, make("span", {}, `${action.label} ${percent(action.probability)}`));
    button.onclick = () => this.player.seek(action.start);
    return { button, action };
  }

  #toggle(id) {
    const hidden = new Set(this.state.get("hidden"));
    if (!hidden.delete(id)) hidden.add(id);
    this.state.set({ hidden });
  }

  #arrange() {
    for (const { spans } of this.lanes) {
      for (const { button, action } of spans) {
        const [start, end] = [action.start, action.end].map((time) => 100 * this.axis.shareOf(time));
        button.hidden = end <= 0 || start >= 100;
        button.style.left = `${Math.max(start, 0)}%`;
        button.style.width = `${Math.max(Math.min(end, 100) - Math.max(start, 0), 0.15)}%`;
      }
    }
    this.#drawTicks();
    this.#movePlayhead();
  }

  #drawTicks() {
    const count = Math.max(2, this.ruler.clientWidth / PIXELS_PER_TICK);
    const times = this.axis.ticks(count);
    const decimals = times.length > 1 && times[1] - times[0] < 1 ? 1 + (times[1] - times[0] < 0.1) : 0;
    const tick = (time) => make("span", {}, clockTime(time + 1e-9, decimals));
    const ticks = times.map((time) => ({ time, mark: tick(time) }));
    for (const { time, mark } of ticks) mark.style.left = `${100 * this.axis.shareOf(time)}%`;
    this.ruler.replaceChildren(...ticks.map(({ mark }) => mark));
  }

  #movePlayhead() {
    this.axis.reveal(this.#time());
    this.grid.style.setProperty("--at", Math.min(Math.max(this.axis.shareOf(this.#time()), 0), 1));
  }

  #mark() {
    const { selected, hidden } = this.state.values;
    for (const { person, row, eye, name } of this.lanes) {
      row.classList.toggle("hidden", hidden.has(person.id));
      eye.setAttribute("aria-pressed", !hidden.has(person.id));
      name.setAttribute("aria-pressed", person.id === selected);
    }
  }

  /** Press or drag anywhere in the lanes and plots to go to that time. */
  #seekByPointer() {
    const seek = (event) => {
      const { left, width } = this.ruler.getBoundingClientRect();
      this.player.seek(this.axis.timeAt((event.clientX - left) / width));
    };
    this.grid.addEventListener("pointerdown", (event) => {
      if (event.button || !event.target.closest(".lane") || event.target.closest("button, .chips")) return;
      seek(event);
      this.grid.setPointerCapture(event.pointerId);
      this.grid.onpointermove = seek;
    });
    this.grid.addEventListener("lostpointercapture", () => (this.grid.onpointermove = null));
  }
}
