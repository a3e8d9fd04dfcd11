/** The keyboard: one list for what keys do and for the help that lists them. */
import { find, make } from "viewer/dom";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];

/** What keys do: the keys, what the help says, and the function of (page, key). */
const KEYS = [
  [[" ", "k"], "Space", "play or pause", ({ player }) => player.toggle()],
  [["ArrowRight", "."], "→", "next frame", ({ player }) => player.step(1)],
  [["ArrowLeft", ","], "←", "previous frame", ({ player }) => player.step(-1)],
  [["Shift+ArrowRight"], "Shift →", "one second on", (page) => jump(page, 1)],
  [["Shift+ArrowLeft"], "Shift ←", "one second back", (page) => jump(page, -1)],
  [["Home"], "Home", "first frame", ({ player }) => player.seekFrame(0)],
  [["End"], "End", "last frame", ({ player, clip }) => player.seekFrame(clip.last)],
  [["<", ">"], "< >", "slower, faster", ({ state }, key) => state.set({ speed: nextSpeed(state.get("speed"), key === ">" ? 1 : -1) })],
  [["+", "=", "-"], "+ −", "show less or more time", ({ tracks }, key) => tracks.zoom(key === "-" ? 0.5 : 2)],
  [[..."123456789"], "1 – 9", "select a person", ({ state, clip }, key) => select(state, clip, Number(key))],
  [["f"], "F", "follow the selected person, or not", ({ state }) => state.toggle("follow")],
  [["b"], "B", "body or skeleton", ({ state }) => state.set({ mode: state.get("mode") === "body" ? "skeleton" : "body" })],
  [["p"], "P", "paths on the floor", ({ state }) => state.toggle("paths")],
  [["c"], "C", "look from the camera", ({ world }) => world?.look("camera")],
  [["v"], "V", "look at the person from the camera's direction", ({ world }) => world?.look("front")],
  [["l"], "L", "repeat", ({ state }) => state.toggle("loop")],
  [["m"], "M", "sound", ({ state }) => state.toggle("muted")],
  [["?"], "?", "this list", () => find("#help").showModal()],
  [[], "Arrows, + −", "turn and zoom the 3D view while it has the focus (Tab)", null],
];

/** Keys that controls need for themselves. */
const OWN = { BUTTON: [" ", "Enter"], A: ["Enter"], SELECT: null, INPUT: [] };

export function listenToKeys(page) {
  const actions = new Map(KEYS.flatMap(([keys, , , act]) => keys.map((key) => [key, act])));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const own = OWN[event.target.tagName];
    if (own === null || own?.includes(event.key)) return;
    const key = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
    const act = actions.get(key) ?? actions.get(key.toLowerCase());
    if (!act) return;
    event.preventDefault();
    act(page, key);
  });
  find("#keys").append(...KEYS.map(([, keys, about]) => make("div", {}, make("dt", {}, keys), make("dd", {}, about))));
}

function jump({ player, clip, state }, seconds) {
  player.seek(clip.times[state.get("frame")] + seconds);
}

function select(state, clip, id) {
  if (clip.people.some((person) => person.id === id)) state.set({ selected: id });
}

function nextSpeed(speed, step) {
  return SPEEDS[Math.min(Math.max(SPEEDS.indexOf(speed) + step, 0), SPEEDS.length - 1)];
}
