/** Puts the page together. */
import { Axis } from "viewer/axis";
import { readClip } from "viewer/clip";
import { connectControls } from "viewer/controls";
import { find } from "viewer/dom";
import { listDownloads } from "viewer/downloads";
import { listenToKeys } from "viewer/keys";
import { Player } from "viewer/player";
import { Plots } from "viewer/plots";
import { State } from "viewer/state";
import { Tracks } from "viewer/tracks";
import { VideoPanel } from "viewer/video";
import { World } from "viewer/world";

/** What the address asks for, as in viewer.html#t=2.9&person=2&mode=body&theme=dark&view=side. */
const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const clip = await readClip();
const first = clip.people.find((person) => person.id === Number(asked.person)) ?? mostSeen(clip);
const state = new State({
  frame: 0,
  playing: false,
  speed: 1,
  loop: false,
  muted: false,
  selected: first?.id,
  follow: true,
  mode: asked.mode === "body" ? "body" : "skeleton",
  paths: true,
  hidden: new Set(),
  theme: ["dark", "light"].find((theme) => theme === asked.theme) ?? systemTheme(),
});
const player = new Player(clip, state);
const axis = new Axis(clip);
connectControls(clip, state, player);
const tracks = new Tracks(clip, state, axis, player);
new Plots(clip, state, axis);
listDownloads(clip);
const world = openWorld();
listenToKeys({ clip, state, player, tracks, world });
describe();
if (asked.t) player.seek(Number(asked.t) || 0);
else player.seekFrame(first?.first ?? 0);
world?.look(asked.view ?? "start");
await new VideoPanel(clip, player).start();
document.documentElement.dataset.ready = "";

function systemTheme() {
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/** The person whose track is the longest. */
function mostSeen({ people }) {
  return people.reduce((most, person) => (person.length > (most?.length ?? -1) ? person : most), undefined);
}

/** The 3D view; without it, the rest of the page still works. */
function openWorld() {
  try {
    return new World(clip, state);
  } catch (error) {
    console.warn(error);
    find("#world .message").hidden = false;
    find("#world .message p").textContent = "The 3D view needs WebGL, which this browser does not offer here.";
    return null;
  }
}

function describe() {
  const count = clip.people.length;
  const [width, height] = clip.size;
  const facts = [`${count} ${count === 1 ? "person" : "people"}`, `${clip.duration.toFixed(1)} s`, `${clip.frames} frames`, `${width} × ${height}`];
  if (clip.step > 1) facts.push(`every ${clip.step}th frame here`);
  find("#facts").textContent = facts.join(" · ");
  find("#version").textContent = clip.version;
}
